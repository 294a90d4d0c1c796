// SPDX-License-Identifier: GPL-2.0
// Cases about data in a SYN or SYN-ACK that has ENO: discarded, and not acknowledged.
#include "cases.hh"

namespace conformance {

namespace {

constexpr int tcp_fastopen = 23;
/** Listeners take data in any SYN: 2 listeners may, 0x200 without a cookie. 1: the default, for clients. */
constexpr const char *fast_open_without_cookies = "515";

/** A listener with Fast Open, so that data in a SYN without ENO would be taken at once. */
class FastOpen {
public:
	explicit FastOpen(Run &run) : setting_("net.ipv4.tcp_fastopen", fast_open_without_cookies)
	{
		run.device.demand("setsockopt " + std::to_string(run.listener()) + " 6 " + std::to_string(tcp_fastopen) +
				  " 10000000");
	}

private:
	Setting setting_;
};

/** The device's SYN-ACK, or its third segment, acknowledges our SYN and nothing behind it. */
void check_not_acknowledged(Dialogue &dialogue)
{
	for (const Segment &segment : dialogue.tcp.seen)
		check(!segment.has(ACK) || segment.ack == dialogue.tcp.iss + 1,
		      "the device acknowledges data of a SYN that has ENO");
}

void connect_with_data(Dialogue &dialogue, const Opening &opening)
{
	if (dialogue.is_passive()) {
		dialogue.send_syn(opening);
		dialogue.take_syn_ack();
		check_not_acknowledged(dialogue);
		dialogue.send_third(opening);
		dialogue.accept();
	} else {
		dialogue.start_connect();
		dialogue.take_syn();
		dialogue.send_syn_ack(opening);
		dialogue.take_third();
		check_not_acknowledged(dialogue);
		dialogue.finish_connect();
	}
}

Bytes early_data()
{
	return text("data in a SYN");
}

/** What comes behind the SYN is another text of the same length, and the only one that is seen. */
void prove_data_was_discarded(Dialogue &dialogue)
{
	if (dialogue.encrypted()) {
		dialogue.exchange();
		dialogue.prove_encrypted();
		return;
	}
	Bytes data = text("DATA IN A SEG");
	dialogue.tcp.send(data);
	dialogue.app_receives(data);
	dialogue.prove_plain();
}

void discarded(Run &run, const Opening &opening, bool encrypted)
{
	Dialogue dialogue(run);
	connect_with_data(dialogue, opening);
	check(dialogue.encrypted() == encrypted, encrypted ? "ENO failed" : "ENO succeeded");
	prove_data_was_discarded(dialogue);
}

void syn_data(Run &run)
{
	discarded(run, {.payload = early_data()}, true);
}

void syn_data_without_common_tep(Run &run)
{
	Bytes contents = run.role == Role::passive ? Bytes{0x25} : Bytes{eno_global_b, 0x25};
	discarded(run, {.eno = contents, .payload = early_data()}, false);
}

void syn_data_with_ill_formed_option(Run &run)
{
	discarded(run, {.eno = Bytes{0x80}, .payload = early_data()}, false);
}

void syn_data_when_disabled(Run &run)
{
	bool passive = run.role == Role::passive;
	Setting setting(passive ? "net.tcpcrypt.enable_listen" : "net.tcpcrypt.enable_connect", "0");
	discarded(run, {.payload = early_data()}, false);
}

void syn_data_long(Run &run)
{
	discarded(run, {.payload = Bytes(1300, 'x')}, true);
}

/** A SYN with this option of Fast Open, ENO contents, and data, to a listener that takes data in SYNs. */
void with_fast_open(Run &run, View option, const std::optional<Bytes> &contents, bool encrypted)
{
	FastOpen fast_open(run);
	Dialogue dialogue(run);
	Bytes eno = eno_option(contents.value_or(dialogue.default_contents()));
	connect_with_data(dialogue, {.options = cat({mss_option(1460), option, eno}), .payload = early_data()});
	check(dialogue.encrypted() == encrypted, encrypted ? "ENO failed" : "ENO succeeded");
	check(find_option(dialogue.tcp.syn_options, OPT_FAST_OPEN).empty(), "Fast Open in a SYN-ACK that has ENO");
	prove_data_was_discarded(dialogue);
}

const Bytes cookie = {OPT_FAST_OPEN, 10, 1, 2, 3, 4, 5, 6, 7, 8};

void with_fast_open_listener(Run &run)
{
	with_fast_open(run, Bytes{}, std::nullopt, true);
}

void with_cookie(Run &run)
{
	with_fast_open(run, cookie, std::nullopt, true);
}

void with_cookie_request(Run &run)
{
	with_fast_open(run, Bytes{OPT_FAST_OPEN, 2}, std::nullopt, true);
}

void with_experimental_cookie(Run &run)
{
	with_fast_open(run, Bytes{OPT_FAST_OPEN_EXPERIMENT, 12, 0xf9, 0x89, 1, 2, 3, 4, 5, 6, 7, 8}, std::nullopt, true);
}

void with_two_cookies(Run &run)
{
	with_fast_open(run, cat({cookie, cookie}), std::nullopt, true);
}

void with_cookie_when_eno_fails(Run &run)
{
	with_fast_open(run, cookie, Bytes{0x25}, false);
}

void with_cookie_when_disabled(Run &run)
{
	Setting setting("net.tcpcrypt.enable_listen", "0");
	with_fast_open(run, cookie, std::nullopt, false);
}

/** So that the cases above show something: without ENO such a listener takes the data. */
void fast_open_without_eno(Run &run)
{
	FastOpen fast_open(run);
	Dialogue dialogue(run);
	Bytes data = early_data();
	dialogue.send_syn({.options = mss_option(1460), .payload = data});
	const Segment &answer = dialogue.tcp.wait_segment([](const Segment &s) { return s.has(SYN | ACK); }, "SYN-ACK");
	check(answer.ack == dialogue.tcp.iss + 1 + data.size(), "data in a SYN without ENO are not acknowledged");
	dialogue.accept();
	Answer got = dialogue.app("recv", "100");
	check(got.ok && got.value == to_hex(data), "recv() gave " + got.shown());
}

/** A wrong checksum: not one bit of it counts, and the same SYN with a right one is taken. */
void bad_checksum(Run &run)
{
	FastOpen fast_open(run);
	Dialogue dialogue(run);
	Segment forged = dialogue.tcp.blank(SYN);
	forged.seq = dialogue.tcp.iss;
	forged.options = cat({mss_option(1460), cookie, eno_option(dialogue.default_contents())});
	forged.payload = early_data();
	forged.bad_checksum = true;
	dialogue.tcp.transmit(forged);
	check(!run.wire.wait_for([&] { return !dialogue.tcp.seen.empty(); }, Millis(300)),
	      "a SYN with a wrong checksum is answered");
	connect_with_data(dialogue, {.payload = early_data()});
	prove_data_was_discarded(dialogue);
}

} // namespace

void add_syndata_cases(Cases &cases)
{
	cases.push_back({"E-18", "syn-data", Roles::both, syn_data});
	cases.push_back({"E-18", "syn-data-without-common-tep", Roles::both, syn_data_without_common_tep});
	cases.push_back({"E-18", "syn-data-with-ill-formed-option", Roles::both, syn_data_with_ill_formed_option});
	cases.push_back({"E-18", "syn-data-when-disabled", Roles::both, syn_data_when_disabled});
	cases.push_back({"E-18", "syn-data-long", Roles::both, syn_data_long});
	cases.push_back({"E-18", "syn-data-for-fast-open-listener", Roles::passive, with_fast_open_listener});
	cases.push_back({"E-18", "syn-data-with-fast-open", Roles::passive, with_cookie});
	cases.push_back({"E-18", "syn-data-with-fast-open-request", Roles::passive, with_cookie_request});
	cases.push_back({"E-18", "syn-data-with-experimental-fast-open", Roles::passive, with_experimental_cookie});
	cases.push_back({"E-18", "syn-data-with-two-fast-opens", Roles::passive, with_two_cookies});
	cases.push_back({"E-18", "syn-data-with-fast-open-when-eno-fails", Roles::passive, with_cookie_when_eno_fails});
	cases.push_back({"E-18", "syn-data-with-fast-open-when-disabled", Roles::passive, with_cookie_when_disabled});
	cases.push_back({"E-18", "syn-data-without-eno-is-fast-open", Roles::passive, fast_open_without_eno});
	cases.push_back({"E-18", "syn-data-bad-checksum", Roles::passive, bad_checksum});
}

} // namespace conformance
