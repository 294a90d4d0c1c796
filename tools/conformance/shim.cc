// SPDX-License-Identifier: GPL-2.0
// The model's TCP-ENO: puts ENO into the segments of a kernel that has none, and tells the model what came of it.
#include "shim.hh"

#include "eno.hh"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

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

std::vector<const Tep *> Shim::teps() const
{
	std::vector<const Tep *> teps;
	std::istringstream names(fault("teps-setting-ignored") ? "curve25519 curve448 p256 p521" : setting("teps"));
	for (std::string name; names >> name;)
		if (const Tep *tep = find_tep(name))
			teps.push_back(tep);
	return teps;
}

/** Best last. */
Bytes Shim::device_syn() const
{
	Bytes contents;
	for (const Tep *tep : teps())
		contents.insert(fault("offer-backwards") ? contents.end() : contents.begin(), tep->id);
	return eno_option(contents);
}

/** The whole ENO option of a SYN, when encryption can come of it but for the TEPs; else nothing. */
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
	return option;
}

/** As B, to A's option. */
const Tep *Shim::answer_to(View option) const
{
	SynForm form = parse_syn_form(option.subspan(2));
	auto own = teps();
	if (fault("order-of-the-offer")) {
		auto rank = [&](const Tep *tep) { return form.find(tep->id) ? form.find(tep->id) - form.teps.data() : 99; };
		std::sort(own.begin(), own.end(), [&](const Tep *a, const Tep *b) { return rank(a) < rank(b); });
	}
	for (const Tep *tep : own)
		if ((form.count(tep->id) == 1 || (fault("repeated-tep-accepted") && form.count(tep->id))) &&
		    form.find(tep->id)->data.size() <= 17)
			return tep;
	return nullptr;
}

/** As A with this option, from B's. */
const Tep *Shim::chosen_from(View option, View offered) const
{
	SynForm form = parse_syn_form(option.subspan(2));
	SynForm own = parse_syn_form(offered.subspan(2));
	const Tep *chosen = nullptr;
	for (const TepOffer &offer : form.teps) {
		bool once = form.count(offer.tep) == 1 || fault("repeated-tep-accepted");
		if (!offer.v && once && own.count(offer.tep) == 1 && !(chosen && fault("first-valid-tep")))
			chosen = find_tep(offer.tep);
	}
	return chosen;
}

void Shim::decide(const Ports &ports, Tuple &tuple, State state)
{
	tuple.state = state;
	std::string name = directory_ + "/" + std::to_string(ports.first) + "-" + std::to_string(ports.second);
	std::ofstream file(name + ".new");
	if (state == State::plain)
		file << "plain\n";
	else if (tuple.device_is_active)
		file << "encrypted A " << to_hex(tuple.device_option) << ' ' << to_hex(tuple.peer_option) << ' '
		     << tuple.tep->name << '\n';
	else
		file << "encrypted B " << to_hex(tuple.peer_option) << ' ' << to_hex(tuple.device_option) << ' '
		     << tuple.tep->name << '\n';
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
		tuple.tep = tuple.peer_option.empty() || !enabled ? nullptr : answer_to(tuple.peer_option);
		if (tuple.tep) {
			std::uint8_t id = tuple.tep->id;
			tuple.device_option = fault("two-teps-answered") ? eno_option(Bytes{1, 0x25, id})
							  : fault("global-missing") ? eno_option(Bytes{id})
										    : eno_option(Bytes{1, id});
		} else {
			decide(ports, tuple, State::plain);
		}
		tuples_[ports] = tuple;
		return;
	}
	Tuple &tuple = found->second;
	if (tuple.device_is_active && tuple.state == State::pending && !tuple.simultaneous && !tuple.device_option.empty()) {
		tuple.peer_option = acceptable_option(segment, true);
		if (!tuple.peer_option.empty())
			tuple.tep = chosen_from(tuple.peer_option, tuple.device_option);
		tuple.simultaneous = tuple.tep && !fault("simultaneous-open-is-plain");
		tuple.peer_iss = segment.seq;
		if (tuple.simultaneous)
			return;
	}
	if (tuple.simultaneous && !find_option(segment.options, OPT_ENO).empty())
		return;
	if (tuple.device_is_active || (tuple.state == State::pending && segment.seq == tuple.peer_iss &&
				       find_option(segment.options, OPT_ENO).empty() && !fault("bare-syn-ignored"))) {
		// A simultaneous open, or a SYN that came again, without ENO: plain.
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
	if (tuple.simultaneous && tuple.state == State::pending && acknowledges && !segment.has(RST)) {
		bool eno = !find_option(segment.options, OPT_ENO).empty() || fault("third-without-eno-accepted");
		decide(ports, tuple, eno ? State::encrypted : State::plain);
		return;
	}
	if (segment.has(SYN)) {
		if (tuple.state != State::pending || !acknowledges)
			return;
		tuple.peer_iss = segment.seq;
		tuple.peer_option = acceptable_option(segment, true);
		if (!tuple.device_option.empty() && !tuple.peer_option.empty())
			tuple.tep = chosen_from(tuple.peer_option, tuple.device_option);
		decide(ports, tuple, tuple.tep ? State::encrypted : State::plain);
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

/** E-18: neither data nor Fast Open. */
void Shim::discard_syn_data(Segment &segment)
{
	segment.payload.clear();
	Bytes area;
	for (const Bytes &each : list_options(segment.options))
		if (each[0] != OPT_FAST_OPEN && each[0] != OPT_FAST_OPEN_EXPERIMENT)
			append(area, each);
	segment.options = area;
}

void Shim::incoming(Bytes &packet)
{
	auto segment = decode(packet);
	if (!segment || segment->bad_checksum)
		return;
	if (segment->has(SYN) && count_options(segment->options, OPT_ENO) && !segment->payload.empty() &&
	    !fault("syn-data-accepted")) {
		discard_syn_data(*segment);
		packet = encode(*segment);
	}
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
			tuple.device_option = device_syn();
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
		if (tuple.device_is_active && !segment->has(ACK) && ++tuple.syns > 1U + std::strtoul(setting("syn_retries").c_str(), nullptr, 10) &&
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
