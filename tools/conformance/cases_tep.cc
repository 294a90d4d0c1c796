// SPDX-License-Identifier: GPL-2.0
// Cases about the TEPs of tcpcrypt: each with each AEAD, the choice among several, and what the administrator allows.
#include "cases.hh"

#include <algorithm>

namespace conformance {

namespace {

constexpr int tcp_eno_negtep = 3;
constexpr std::size_t bulk_size = 1024 * 1024;
constexpr std::size_t bulk_size_quick = 64 * 1024;
/** Longer than the first retransmission time-out of a SYN. */
constexpr Millis syn_patience{15000};

using Teps = std::vector<const Tep *>;

void need_all()
{
	for (const Tep &tep : all_teps)
		need(tep);
}

/** As net.tcpcrypt.teps takes them. */
std::string names(const Teps &teps)
{
	std::string text;
	for (const Tep *tep : teps)
		text += (text.empty() ? "" : " ") + std::string(tep->name);
	return text;
}

Bytes ids(const Teps &teps)
{
	Bytes bytes;
	for (const Tep *tep : teps)
		bytes.push_back(tep->id);
	return bytes;
}

/** The first of @preferred, best first, that is offered. */
const Tep *best_of(const Teps &preferred, const Teps &offered)
{
	for (const Tep *tep : preferred)
		if (std::find(offered.begin(), offered.end(), tep) != offered.end())
			return tep;
	return nullptr;
}

/** Every selection of at least one TEP in every order: 64. */
std::vector<Teps> selections()
{
	std::vector<Teps> out;
	for (unsigned mask = 1; mask < 1U << std::size(all_teps); mask++) {
		Teps some;
		for (std::size_t i = 0; i < std::size(all_teps); i++)
			if (mask & 1U << i)
				some.push_back(&all_teps[i]);
		std::sort(some.begin(), some.end());
		do
			out.push_back(some);
		while (std::next_permutation(some.begin(), some.end()));
	}
	return out;
}

/** The connection is encrypted with this TEP, and the device says so. */
void prove_tep(Dialogue &dialogue, const Tep &tep)
{
	check(&dialogue.keys.tep() == &tep, std::string("the TEP is ") + dialogue.keys.tep().name + " and not " + tep.name);
	check(dialogue.session().session_id[0] == tep.id, "the session ID does not begin with the TEP");
	dialogue.prove_encrypted();
	check(dialogue.option_number(tcp_eno_negtep) == tep.id, "TCP_ENO_NEGTEP is not the negotiated TEP");
}

struct Suite {
	const char *ids;
	const char *name;
	const Tep &tep;
	std::uint16_t aead;
};

constexpr Suite suites[] = {
	{"N-06 N-05 K-03 E-21", "curve25519-with-aes-128-gcm", curve25519, 0x0001},
	{"N-04 N-05 K-03 E-21", "curve25519-with-aes-256-gcm", curve25519, 0x0002},
	{"N-04 N-05 K-03 E-21", "curve25519-with-chacha20-poly1305", curve25519, 0x0010},
	{"N-04 N-05 K-03 E-21", "curve448-with-aes-128-gcm", curve448, 0x0001},
	{"N-04 N-05 K-03 E-21", "curve448-with-aes-256-gcm", curve448, 0x0002},
	{"N-04 N-05 K-03 E-21", "curve448-with-chacha20-poly1305", curve448, 0x0010},
	{"N-04 N-05 K-03 E-21", "p256-with-aes-128-gcm", p256, 0x0001},
	{"N-04 N-05 K-03 E-21", "p256-with-aes-256-gcm", p256, 0x0002},
	{"N-04 N-05 K-03 E-21", "p256-with-chacha20-poly1305", p256, 0x0010},
	{"N-04 N-05 K-03 E-21", "p521-with-aes-128-gcm", p521, 0x0001},
	{"N-04 N-05 K-03 E-21", "p521-with-aes-256-gcm", p521, 0x0002},
	{"N-04 N-05 K-03 E-21", "p521-with-chacha20-poly1305", p521, 0x0010},
};

void with_suite(Run &run, const Suite &suite)
{
	need(suite.tep);
	Dialogue dialogue(run, suite.tep);
	dialogue.establish({.ciphers = {suite.aead}});
	if (dialogue.is_passive())
		check(dialogue.device_init->ciphers[0] == suite.aead, "the device chose another AEAD than the only one offered");
	prove_tep(dialogue, suite.tep);
	bulk(dialogue, run.quick ? bulk_size_quick : bulk_size);
	dialogue.prove_encrypted();
}

/** The SYN-ACK for each of these offers has the TEP that the device likes best. */
void prove_preference(Run &run, const Teps &preferred, const std::vector<Teps> &offers = selections())
{
	for (const Teps &offered : offers) {
		Dialogue dialogue(run);
		dialogue.send_syn({.eno = ids(offered)});
		dialogue.take_syn_ack();
		const Tep *best = best_of(preferred, offered);
		check(dialogue.encrypted() == (best != nullptr),
		      (best ? "no ENO in the SYN-ACK for " : "ENO in the SYN-ACK for ") + names(offered));
		check(!best || &dialogue.keys.tep() == best,
		      std::string(dialogue.keys.tep().name) + " is the answer to " + names(offered));
		dialogue.tcp.send_rst();
		dialogue.tcp.leave = true;
	}
}

void order_of_preference(Run &run)
{
	need_all();
	prove_preference(run, device_teps());
}

// E-11, N-04: the setting is an order of preference, and not only a set.
void preference_by_sysctl(Run &run)
{
	need_all();
	for (const Teps &preferred : {Teps{&p521, &p256, &curve448, &curve25519}, Teps{&p256, &curve448, &p521, &curve25519}}) {
		Setting setting("net.tcpcrypt.teps", names(preferred));
		prove_preference(run, preferred);
	}
}

// What was preferred is also what is used.
void preferred_tep_is_used(Run &run)
{
	need_all();
	for (const Tep &best : all_teps) {
		Teps preferred{&best};
		Teps offered;
		for (const Tep &tep : all_teps) {
			if (&tep != &best)
				preferred.push_back(&tep);
			offered.push_back(&tep);
		}
		Setting setting("net.tcpcrypt.teps", names(preferred));
		Dialogue dialogue(run);
		dialogue.open({.eno = ids(offered)});
		dialogue.exchange();
		prove_tep(dialogue, best);
	}
}

// E-11: whatever A likes, the last one that B sent is used.
void last_of_several(Run &run)
{
	need_all();
	for (const Teps &sent : selections()) {
		if (sent.size() != 2 && (sent.size() != 4 || sent[0] > sent[1]))
			continue;
		Dialogue dialogue(run);
		try {
			Bytes contents{eno_global_b};
			append(contents, ids(sent));
			dialogue.open({.eno = contents});
			dialogue.exchange();
			prove_tep(dialogue, *sent.back());
		} catch (const Failure &failure) {
			throw Failure(names(sent) + ": " + failure.what());
		}
	}
}

/** The device's SYN has these TEPs, best last, and no other suboption. */
void prove_offer(Run &run, const Teps &preferred)
{
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	Bytes contents = ids(preferred);
	std::reverse(contents.begin(), contents.end());
	check(equal(dialogue.device_option, eno_option(contents)),
	      "with " + names(preferred) + " the option in the SYN is " + to_hex(dialogue.device_option));
	dialogue.send_syn_ack({.options = mss_option(1460)});
	dialogue.finish_connect();
}

void default_offer(Run &run)
{
	prove_offer(run, device_teps());
}

void offer_by_sysctl(Run &run)
{
	need_all();
	for (const Teps &some : selections()) {
		Setting setting("net.tcpcrypt.teps", names(some));
		prove_offer(run, some);
	}
}

// N-04: what the administrator does not allow is not agreed to, not even where it is all that there is.
void not_allowed_as_b(Run &run)
{
	need_all();
	std::vector<Teps> sets = selections();
	std::erase_if(sets, [](const Teps &some) { return !std::is_sorted(some.begin(), some.end()); });
	for (const Teps &allowed : sets) {
		Setting setting("net.tcpcrypt.teps", names(allowed));
		prove_preference(run, allowed, sets);
	}
}

void disallowed_is_plain(Run &run)
{
	need_all();
	Setting setting("net.tcpcrypt.teps", "curve448 p521");
	bool passive = run.role == Role::passive;
	expect_plain(run, {.eno = passive ? Bytes{0x21, 0x23} : Bytes{0x01, 0x21, 0x23}});
	expect_encrypted(run, {.eno = passive ? Bytes{0x21, 0x23, 0x22} : Bytes{0x01, 0x22, 0x21, 0x23}}, p521);
	expect_encrypted(run, {.eno = passive ? Bytes{0x24, 0x23} : Bytes{0x01, 0x22, 0x24, 0x23}}, curve448);
}

// E-14: one option for all transmissions of a segment, whatever the administrator does in between.
void changed_between_syns(Run &run)
{
	need_all();
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	Setting setting("net.tcpcrypt.teps", "curve448");
	const Segment &again = dialogue.tcp.wait_segment([](const Segment &s) { return s.has(SYN); }, "the SYN again",
							 syn_patience);
	check(equal(find_option(again.options, OPT_ENO), dialogue.device_option),
	      "another ENO option in the retransmitted SYN");
	dialogue.send_syn_ack();
	dialogue.take_third();
	dialogue.finish_connect();
	dialogue.exchange();
	prove_tep(dialogue, curve25519);
}

void changed_between_syn_acks(Run &run)
{
	need_all();
	Dialogue dialogue(run);
	dialogue.send_syn({.eno = Bytes{0x24, 0x21, 0x23}});
	dialogue.take_syn_ack();
	Setting setting("net.tcpcrypt.teps", "p256 curve448");
	dialogue.tcp.send_syn(dialogue.syn_area());
	const Segment &again =
		dialogue.tcp.wait_segment([](const Segment &s) { return s.has(SYN | ACK); }, "the SYN-ACK again");
	check(equal(find_option(again.options, OPT_ENO), dialogue.device_option), "another ENO option in the second SYN-ACK");
	dialogue.send_third();
	dialogue.accept();
	dialogue.exchange();
	prove_tep(dialogue, curve25519);
}

} // namespace

void add_tep_cases(Cases &cases)
{
	for (const Suite &suite : suites)
		cases.push_back({suite.ids, suite.name, Roles::both, [&suite](Run &run) { with_suite(run, suite); }});
	cases.push_back({"E-11 N-04", "order-of-preference", Roles::passive, order_of_preference});
	cases.push_back({"E-11 N-04", "preference-by-sysctl", Roles::passive, preference_by_sysctl});
	cases.push_back({"E-11 N-04 E-21", "preferred-tep-is-used", Roles::passive, preferred_tep_is_used});
	cases.push_back({"E-11 E-21", "last-of-several", Roles::active, last_of_several});
	cases.push_back({"N-01 N-04", "default-offer", Roles::active, default_offer});
	cases.push_back({"N-04 N-01", "offer-by-sysctl", Roles::active, offer_by_sysctl});
	cases.push_back({"N-04 E-10", "answer-by-sysctl", Roles::passive, not_allowed_as_b, true});
	cases.push_back({"N-04 E-13", "disallowed-tep-is-plain", Roles::both, disallowed_is_plain});
	cases.push_back({"E-14 N-04", "teps-changed-between-syns", Roles::active, changed_between_syns});
	cases.push_back({"E-14 N-04", "teps-changed-between-syn-acks", Roles::passive, changed_between_syn_acks});
}

} // namespace conformance
