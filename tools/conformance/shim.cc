// SPDX-License-Identifier: GPL-2.0
// The model's TCP-ENO: puts ENO into the segments of a kernel that has none, and tells the model what came of it.
#include "shim.hh"

#include "eno.hh"

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace conformance {

Shim::Shim(std::string directory, std::set<std::string> faults)
	: directory_(std::move(directory)), faults_(std::move(faults))
{
}

std::string Shim::setting(const char *name) const
{
	std::ifstream file(name[0] == '/' ? name : directory_ + "/" + name);
	std::string value;
	std::getline(file, value);
	return value;
}

/** The whole ENO option of a SYN, when encryption can come of it; else nothing. */
Bytes Shim::acceptable_option(const Segment &segment, bool peer_is_b) const
{
	Bytes option = find_option(segment.options, OPT_ENO);
	if (option.empty() || (count_options(segment.options, OPT_ENO) != 1 && !fault("two-options-accepted")))
		return {};
	SynForm form = parse_syn_form(View(option).subspan(2));
	if (!form.well_formed && !fault("ill-formed-accepted"))
		return {};
	if (((form.global & eno_global_b) != 0) != peer_is_b && !fault("equal-roles-accepted"))
		return {};
	if (form.count(tep_curve25519) != 1 && !(fault("repeated-tep-accepted") && form.count(tep_curve25519)))
		return {};
	const TepOffer &tep = *form.find(tep_curve25519);
	if (peer_is_b ? tep.v : tep.data.size() > 17)
		return {};
	return option;
}

void Shim::decide(const Ports &ports, Tuple &tuple, State state)
{
	tuple.state = state;
	std::string name = directory_ + "/" + std::to_string(ports.first) + "-" + std::to_string(ports.second);
	std::ofstream file(name + ".new");
	if (state == State::plain)
		file << "plain\n";
	else if (tuple.device_is_active)
		file << "encrypted A " << to_hex(tuple.device_option) << ' ' << to_hex(tuple.peer_option) << '\n';
	else
		file << "encrypted B " << to_hex(tuple.peer_option) << ' ' << to_hex(tuple.device_option) << '\n';
	file.close();
	std::rename((name + ".new").c_str(), name.c_str());
}

void Shim::incoming_syn(const Ports &ports, const Segment &segment)
{
	auto found = tuples_.find(ports);
	if (found == tuples_.end()) {
		Tuple tuple;
		tuple.peer_iss = segment.seq;
		tuple.peer_option = acceptable_option(segment, false);
		bool enabled = setting("enable_listen") != "0" && setting("/proc/sys/net/ipv4/tcp_syncookies") != "2";
		if (!tuple.peer_option.empty() && enabled) {
			tuple.device_option = fault("two-teps-answered") ? eno_option(Bytes{1, 0x25, 0x23})
							  : fault("global-missing") ? eno_option(Bytes{0x23})
										    : eno_option(Bytes{1, 0x23});
		} else {
			decide(ports, tuple, State::plain);
		}
		tuples_[ports] = tuple;
		return;
	}
	Tuple &tuple = found->second;
	if (tuple.device_is_active || (tuple.state == State::pending && segment.seq == tuple.peer_iss &&
				       find_option(segment.options, OPT_ENO).empty() && !fault("bare-syn-ignored"))) {
		// A simultaneous open, or the SYN without ENO: plain.
		tuple.device_option.clear();
		decide(ports, tuple, State::plain);
	} else if (fault("forged-syn-believed") && find_option(segment.options, OPT_ENO).empty()) {
		tuple.device_option.clear();
		decide(ports, tuple, State::plain);
	}
}

void Shim::incoming_other(const Ports &ports, Tuple &tuple, const Segment &segment)
{
	bool acknowledges = segment.has(ACK) && tuple.device_iss_known && segment.ack == tuple.device_iss + 1;
	if (segment.has(SYN)) {
		if (tuple.state != State::pending || !acknowledges)
			return;
		tuple.peer_iss = segment.seq;
		tuple.peer_option = acceptable_option(segment, true);
		bool on = !tuple.device_option.empty() && !tuple.peer_option.empty();
		decide(ports, tuple, on ? State::encrypted : State::plain);
		return;
	}
	if (segment.has(RST)) {
		if (segment.seq == tuple.peer_iss + 1 && tuple.state == State::pending)
			tuples_.erase(ports);
		return;
	}
	std::uint32_t ahead = segment.seq - (tuple.peer_iss + 1);
	if (tuple.state == State::pending && !tuple.device_is_active && !tuple.device_option.empty() &&
	    ((acknowledges && ahead < 30000) || fault("forged-ack-believed"))) {
		bool eno = !find_option(segment.options, OPT_ENO).empty() || fault("third-without-eno-accepted");
		decide(ports, tuple, eno ? State::encrypted : State::plain);
		tuple.heard = true;
	}
	if (tuple.device_is_active && tuple.state != State::pending && ahead < 0x10000)
		tuple.heard = true;
}

void Shim::incoming(Bytes &packet)
{
	auto segment = decode(packet);
	if (!segment || segment->bad_checksum)
		return;
	Ports ports{segment->target_port, segment->source_port};
	if (segment->has(SYN) && !segment->has(ACK)) {
		incoming_syn(ports, *segment);
	} else if (auto found = tuples_.find(ports); found != tuples_.end()) {
		Tuple &tuple = found->second;
		bool encrypted = tuple.state == State::encrypted;
		incoming_other(ports, tuple, *segment);
		if (encrypted && segment->has(URG) && !fault("urgent-pointer-believed")) {
			segment->flags = static_cast<std::uint8_t>(segment->flags & ~URG);
			segment->urgent = 0;
			packet = encode(*segment);
		}
	}
}

void Shim::outgoing(Bytes &packet)
{
	auto segment = decode(packet);
	if (!segment)
		return;
	Ports ports{segment->source_port, segment->target_port};
	if (segment->has(SYN) && !segment->has(ACK) && !tuples_.contains(ports)) {
		Tuple tuple;
		tuple.device_is_active = true;
		if (setting("enable_connect") != "0")
			tuple.device_option = eno_option(Bytes{tep_curve25519});
		tuples_[ports] = tuple;
	}
	auto found = tuples_.find(ports);
	if (found == tuples_.end())
		return;
	Tuple &tuple = found->second;
	Bytes option;
	if (segment->has(SYN)) {
		tuple.device_iss = segment->seq;
		tuple.device_iss_known = true;
		if (tuple.device_is_active && ++tuple.syns > 1U + std::strtoul(setting("syn_retries").c_str(), nullptr, 10) &&
		    !fault("eno-in-every-syn"))
			tuple.device_option.clear();
		option = tuple.device_option;
		if (fault("other-option-in-retransmission") && tuple.device_is_active && tuple.syns > 1 && !option.empty())
			option = eno_option(Bytes{0x25, 0x23});
	} else {
		bool due = tuple.device_is_active ? tuple.state == State::encrypted : tuple.state == State::pending;
		if (due && !tuple.heard && !tuple.device_option.empty() && !segment->has(RST) && !fault("no-eno-behind-syn"))
			option = eno_ack();
		if (fault("eno-forever"))
			option = eno_ack();
	}
	if (option.empty())
		return;
	Bytes area;
	for (const Bytes &each : list_options(segment->options))
		append(area, each);
	append(area, option);
	if (area.size() > 40)
		return;
	segment->options = area;
	packet = encode(*segment);
	if (fault("wrong-checksum") && !packet.empty())
		packet.back() ^= 1;
}

} // namespace conformance
