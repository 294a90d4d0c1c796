/* SPDX-License-Identifier: GPL-2.0 */
/* The module under test: loaded and unloaded between runs, and set up for the next one. */
#ifndef TCPCRYPT_BENCH_MODULE_HH
#define TCPCRYPT_BENCH_MODULE_HH

#include <cstdint>
#include <string>
#include <vector>

#include "network.hh"
#include "subject.hh"

namespace bench {

class Module {
public:
	explicit Module(const Network &network) : network_(network) {}

	/** Loads or unloads it as the subject asks for, and sets it up. */
	void arrange(const Subject &subject);
	/** Waits until the kernel lets go of it. */
	void unload();

	/**
	 * Counters that each connection of that kind increments by one: of both ends if it is encrypted, of the end
	 * that misses the other one's option if it fell back, none without the module.
	 */
	std::vector<std::uint64_t> counters(const Subject &subject) const;

private:
	bool loaded() const;
	void load(const Variant &variant);

	const Network &network_;
	/** What was loaded last. */
	const Variant *variant_ = nullptr;
};

} // namespace bench

#endif
