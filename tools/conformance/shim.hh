/* SPDX-License-Identifier: GPL-2.0 */
/* The model's TCP-ENO: puts ENO into the segments of a kernel that has none, and tells the model what came of it. */
#ifndef CONFORMANCE_SHIM_HH
#define CONFORMANCE_SHIM_HH

#include "crypto.hh"
#include "link.hh"

#include <map>
#include <set>
#include <string>

namespace conformance {

/*
 * The model device, with which the cases themselves are tested:
 *
 *   cases -> Wire -> Shim -> TUN -> the kernel's plain TCP -> tcpcrypt-model, which speaks the agent's protocol
 *
 * The outcome of each negotiation is a file DIRECTORY/DEVICE-PORT-PEER-PORT with one line, "plain" or "encrypted
 * ROLE A-OPTION B-OPTION TEP"; it is there before the kernel gets the segment that completes its connection. sysctls of
 * net.tcpcrypt are files in the directory. Faults, by name, make the model wrong on purpose.
 */
class Shim {
public:
	Shim(std::string directory, std::set<std::string> faults);

	/** Puts ENO into a packet on its way from the kernel to us. */
	void outgoing(Bytes &packet);
	/** Learns from a packet on its way to the kernel. */
	void incoming(Bytes &packet);

private:
	enum class State { pending, encrypted, plain };

	struct Tuple {
		bool device_is_active = false;
		State state = State::pending;
		std::uint32_t device_iss = 0;
		std::uint32_t peer_iss = 0;
		bool device_iss_known = false;
		bool heard = false;
		/** The peer's SYN crossed the device's. */
		bool simultaneous = false;
		unsigned syns = 0;
		/** Null: none that is valid. */
		const Tep *tep = nullptr;
		/** Whole options; empty when there is none. */
		Bytes device_option;
		Bytes peer_option;
	};

	using Ports = std::pair<std::uint16_t, std::uint16_t>;

	bool fault(const char *name) const { return faults_.contains(name); }
	std::string setting(const char *name) const;
	std::vector<const Tep *> teps() const;
	Bytes device_syn() const;
	Bytes acceptable_option(const Segment &segment, bool peer_is_b) const;
	const Tep *answer_to(View option) const;
	const Tep *chosen_from(View option, View offered) const;
	void decide(const Ports &ports, Tuple &tuple, State state);
	static void discard_syn_data(Segment &segment);
	void incoming_syn(const Ports &ports, const Segment &segment);
	void incoming_other(const Ports &ports, Tuple &tuple, const Segment &segment);

	std::string directory_;
	std::set<std::string> faults_;
	std::map<Ports, Tuple> tuples_;
};

} // namespace conformance

#endif
