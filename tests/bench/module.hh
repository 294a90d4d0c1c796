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
	struct Setting {
		std::string key;
		std::string value;
	};
	using Settings = std::vector<Setting>;

	/** @path: the .ko; @settings: sysctls below net.tcpcrypt for both ends, after each load. */
	Module(const Network &network, std::string path, Settings settings)
		: network_(network), path_(std::move(path)), settings_(std::move(settings))
	{
	}

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
	void load();

	const Network &network_;
	std::string path_;
	Settings settings_;
};

} // namespace bench

#endif
