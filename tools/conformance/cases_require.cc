// SPDX-License-Identifier: GPL-2.0
// Cases in which the device requires encryption: what would be plain TCP is refused, and nobody has it.
#include "cases.hh"

namespace conformance {

namespace {

const Settings mandatory = {{eno_mandatory, number_value(1)}};

bool is_reset(const Segment &segment)
{
	return segment.has(RST);
}

/** connect() says ECONNREFUSED, and nothing but SYNs and resets left the device. */
void check_refused(Dialogue &dialogue)
{
	Answer answer = dialogue.run.device.finish(dialogue.connecting);
	check(!answer.ok && answer.value == "ECONNREFUSED", "connect() gave " + answer.shown());
	for (const Segment &segment : dialogue.tcp.seen)
		check(segment.has(SYN) || segment.has(RST), "the device went on: " + describe(segment));
}

/** Refused by a reset; the next connection is served, and it is the one that accept() gives. */
void check_not_accepted(Dialogue &dialogue)
{
	for (const Segment &segment : dialogue.tcp.seen)
		check(segment.payload.empty(), "the device sent data");
	expect_encrypted(dialogue.run, {});
}

void encrypted_all_the_same(Run &run)
{
	with_settings(run, mandatory, [](Dialogue &dialogue) {
		dialogue.establish();
		dialogue.prove_encrypted();
	});
}

/** An answer to the device's SYN, or a SYN to its listener, of which no encryption can come. */
void refuse(Dialogue &dialogue, View area)
{
	if (dialogue.is_passive()) {
		dialogue.tcp.send_syn(area);
		const Segment &answer = dialogue.tcp.wait_segment([](const Segment &) { return true; }, "an answer");
		check(answer.has(RST | ACK) && answer.ack == dialogue.tcp.iss + 1, "no RST that refuses our SYN");
		check(find_option(answer.options, OPT_ENO).empty(), "ENO in an RST");
		check_not_accepted(dialogue);
		return;
	}
	dialogue.start_connect();
	dialogue.take_syn();
	check(!dialogue.device_option.empty(), "no ENO in the device's SYN");
	dialogue.tcp.send_syn_ack(area);
	check_refused(dialogue);
	// Who lost nothing but an answer hears it when he asks again.
	dialogue.tcp.send_syn_ack(area);
	dialogue.tcp.wait_segment(is_reset, "RST");
}

void refused_by_socket(Run &run, const Bytes &area)
{
	with_settings(run, mandatory, [&](Dialogue &dialogue) { refuse(dialogue, area); });
}

void without_eno(Run &run)
{
	refused_by_socket(run, mss_option(1460));
}

void without_common_tep(Run &run)
{
	refused_by_socket(run, cat({mss_option(1460), run.role == Role::passive ? eno_option(Bytes{0x25})
										: eno_option(Bytes{1, 0x25})}));
}

void with_ill_formed_option(Run &run)
{
	refused_by_socket(run, cat({mss_option(1460), eno_option(Bytes{1, 0x23, 0x80})}));
}

void with_equal_b(Run &run)
{
	refused_by_socket(run, cat({mss_option(1460), run.role == Role::passive ? eno_option(Bytes{1, 0x23})
										: eno_option(Bytes{0x23})}));
}

void with_two_options(Run &run)
{
	Bytes one = eno_option(run.role == Role::passive ? Bytes{0x23} : Bytes{1, 0x23});
	refused_by_socket(run, cat({one, one}));
}

void without_aware_peer(Run &run)
{
	with_settings(run, {{eno_mandatory, number_value(1)}, {eno_self_aware, number_value(2)}}, [](Dialogue &dialogue) {
		if (!dialogue.is_passive()) {
			refuse(dialogue, cat({mss_option(1460), eno_option(dialogue.default_contents())}));
			return;
		}
		dialogue.tcp.send_syn(cat({mss_option(1460), eno_option(dialogue.default_contents())}));
		const Segment &answer = dialogue.tcp.wait_segment([](const Segment &) { return true; }, "an answer");
		check(answer.has(RST | ACK), "no RST that refuses our SYN");
	});
}

// an answer that agrees to resume is one with encryption, and an answer with a wrong half is none.
void resumed(Run &run)
{
	Setting on("net.tcpcrypt.resume", "1");
	std::optional<Secret> secret;
	with_settings(run, mandatory, [&](Dialogue &dialogue) {
		dialogue.establish();
		dialogue.prove_encrypted();
		secret = dialogue.next_secret();
	});
	for (int i = 0; i < 2; i++)
		with_settings(run, mandatory, [&](Dialogue &dialogue) {
			dialogue.secret = secret;
			dialogue.reestablish();
			dialogue.prove_encrypted();
			secret = dialogue.next_secret();
		});
	if (run.role == Role::passive)
		return;
	with_settings(run, mandatory, [&](Dialogue &dialogue) {
		Bytes wrong = random_bytes(9);
		refuse(dialogue, cat({mss_option(1460), eno_option(cat({Bytes{1, static_cast<std::uint8_t>(0x80 | secret->tep)},
								wrong}))}));
	});
}

void required_by_sysctl(Run &run)
{
	bool passive = run.role == Role::passive;
	Setting setting(passive ? "net.tcpcrypt.enable_listen" : "net.tcpcrypt.enable_connect", "2");
	Dialogue dialogue(run);
	refuse(dialogue, mss_option(1460));
}

void encrypted_with_sysctl(Run &run)
{
	bool passive = run.role == Role::passive;
	Setting setting(passive ? "net.tcpcrypt.enable_listen" : "net.tcpcrypt.enable_connect", "2");
	expect_encrypted(run, {});
}

void required_but_switched_off(Run &run)
{
	bool passive = run.role == Role::passive;
	Setting setting(passive ? "net.tcpcrypt.enable_listen" : "net.tcpcrypt.enable_connect", "0");
	with_settings(run, mandatory, [](Dialogue &dialogue) {
		if (dialogue.is_passive()) {
			dialogue.send_syn();
			const Segment &answer = dialogue.tcp.wait_segment([](const Segment &) { return true; }, "an answer");
			check(answer.has(RST | ACK), "no RST that refuses our SYN");
			return;
		}
		dialogue.start_connect();
		check_refused(dialogue);
		check(dialogue.tcp.seen.empty(), "a SYN of a connection that is refused");
	});
}

/** Never without ENO, however often the SYN is sent. */
void syn_keeps_eno(Run &run)
{
	Setting setting("net.tcpcrypt.syn_retries", "0");
	with_settings(run, mandatory, [](Dialogue &dialogue) {
		dialogue.start_connect();
		dialogue.take_syn();
		const Segment &again =
			dialogue.tcp.wait_segment([](const Segment &s) { return s.has(SYN); }, "the SYN again", Millis(15000));
		check(equal(find_option(again.options, OPT_ENO), dialogue.device_option), "another ENO option, or none");
		dialogue.send_syn_ack();
		dialogue.take_third();
		dialogue.finish_connect();
		dialogue.exchange();
		dialogue.prove_encrypted();
	});
}

/** What TCP would not take is not taken for an answer. */
void forged_syn_ack(Run &run, bool wrong_ack)
{
	with_settings(run, mandatory, [&](Dialogue &dialogue) {
		dialogue.connect_past_forged_syn_ack(wrong_ack);
		dialogue.prove_encrypted();
	});
}

void forged_wrong_ack(Run &run)
{
	forged_syn_ack(run, true);
}

void forged_bad_checksum(Run &run)
{
	forged_syn_ack(run, false);
}

/** The first segment behind the SYNs has no ENO; maybe data. */
void third(Run &run, View data)
{
	with_settings(run, mandatory, [&](Dialogue &dialogue) {
		dialogue.send_syn();
		dialogue.take_syn_ack();
		check(dialogue.encrypted(), "no ENO in the SYN-ACK");
		if (data.empty())
			dialogue.tcp.send_ack();
		else
			dialogue.tcp.send(data);
		dialogue.tcp.wait_segment(is_reset, "RST");
		dialogue.tcp.leave = true;
		check_not_accepted(dialogue);
	});
}

void third_without_eno(Run &run)
{
	third(run, {});
}

void third_without_eno_with_data(Run &run)
{
	third(run, text("GET / HTTP/1.0"));
}

void third_without_eno_by_sysctl(Run &run)
{
	Setting setting("net.tcpcrypt.enable_listen", "2");
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	dialogue.tcp.send_ack();
	dialogue.tcp.wait_segment(is_reset, "RST");
	dialogue.tcp.leave = true;
	check_not_accepted(dialogue);
}

void forged_third(Run &run)
{
	with_settings(run, mandatory, [](Dialogue &dialogue) {
		dialogue.send_syn();
		dialogue.take_syn_ack();
		check(dialogue.encrypted(), "no ENO in the SYN-ACK");
		Segment forged = dialogue.tcp.blank(ACK);
		forged.bad_checksum = true;
		dialogue.tcp.transmit(forged);
		forged.bad_checksum = false;
		forged.ack += far_away;
		dialogue.tcp.transmit(forged);
		dialogue.send_third({.third = eno_ack()});
		dialogue.accept();
		dialogue.exchange();
		dialogue.prove_encrypted();
	});
}

void syn_again_without_eno(Run &run)
{
	with_settings(run, mandatory, [](Dialogue &dialogue) {
		dialogue.send_syn();
		dialogue.take_syn_ack();
		check(dialogue.encrypted(), "no ENO in the SYN-ACK");
		dialogue.tcp.send_syn(mss_option(1460));
		const Segment &answer = dialogue.tcp.wait_segment([](const Segment &) { return true; }, "an answer");
		check(answer.has(RST), "a SYN that came again without ENO is not refused");
		dialogue.tcp.leave = true;
		check_not_accepted(dialogue);
	});
}

void syn_cookies(Run &run)
{
	Setting setting("net.ipv4.tcp_syncookies", "2");
	Setting require("net.tcpcrypt.enable_listen", "2");
	Dialogue dialogue(run);
	dialogue.send_syn();
	const Segment &answer = dialogue.tcp.wait_segment([](const Segment &) { return true; }, "an answer");
	check(answer.has(RST), "a cookie, which has no room for ENO, is sent");
}

/** A cookie's connection is there before anybody knows whose it is: nobody gets a byte. */
void syn_cookies_of_socket(Run &run)
{
	with_settings(run, mandatory, [&](Dialogue &dialogue) {
		Setting setting("net.ipv4.tcp_syncookies", "2");
		dialogue.send_syn();
		dialogue.tcp.wait_segment([](const Segment &s) { return s.has(SYN | ACK); }, "SYN-ACK");
		dialogue.tcp.send(text("plaintext"));
		dialogue.tcp.wait_reset();
		check(dialogue.tcp.stream().empty(), "the device sent data");
	});
}

/** accept() may give what is doomed; whoever has it gets an error, and not a byte. */
void check_doomed(Dialogue &dialogue)
{
	dialogue.tcp.wait_segment(is_reset, "RST");
	check(dialogue.tcp.stream().empty(), "the device sent data");
	dialogue.accept();
	dialogue.app_recv_fails("ECONNREFUSED");
}

/** The SYN comes again while the request that was refused is still there. */
void syn_twice(Run &run)
{
	with_settings(run, mandatory, [](Dialogue &dialogue) {
		dialogue.tcp.send_syn(mss_option(1460));
		dialogue.tcp.send_syn(mss_option(1460));
		dialogue.tcp.wait_segment(is_reset, "RST");
		dialogue.tcp.wait_segment(is_reset, "RST again");
		check_not_accepted(dialogue);
	});
}

/** Somebody makes a SYN-ACK of the RST that refuses: by it the client goes on, in plain TCP. */
void cookie_out_of_reset(Run &run)
{
	Setting setting("net.ipv4.tcp_syncookies", "2");
	Setting require("net.tcpcrypt.enable_listen", "2");
	Dialogue dialogue(run);
	dialogue.tcp.send_syn(mss_option(1460));
	const Segment &refusal = dialogue.tcp.wait_segment([](const Segment &) { return true; }, "an answer");
	check(refusal.has(RST), "a SYN without ENO is not refused");
	Segment third = dialogue.tcp.blank(ACK);
	third.seq = dialogue.tcp.iss + 1;
	third.ack = refusal.seq + 1;
	third.payload = text("plaintext");
	dialogue.tcp.transmit(third);
	check_doomed(dialogue);
}

/** Two IPv6 fragments, of which LOCAL_IN sees each alone: the first ends within the options. */
void transmit_in_fragments(Dialogue &dialogue, const Segment &segment)
{
	constexpr std::size_t header = 40, first = 24;
	constexpr std::uint8_t protocol_fragment = 44;
	Bytes packet = encode(segment);
	if (segment.source.family() == Family::v4) {
		dialogue.tcp.transmit(segment);
		return;
	}
	check(packet.size() > header + first, "too short for two fragments");
	for (std::size_t offset : {std::size_t{0}, first}) {
		View part = View(packet).subspan(header + offset);
		if (!offset)
			part = part.first(first);
		Bytes fragment = slice(packet, 0, 4);
		put16(fragment, static_cast<std::uint16_t>(8 + part.size()));
		fragment.push_back(protocol_fragment);
		append(fragment, View(packet).subspan(7, header - 7));
		fragment.push_back(packet[6]);
		fragment.push_back(0);
		put16(fragment, static_cast<std::uint16_t>(offset | (offset ? 0 : 1)));
		put32(fragment, 0x45254e4f);
		append(fragment, part);
		dialogue.run.wire.send_raw(fragment);
	}
}

Bytes long_options()
{
	return cat({mss_option(1460), Bytes(8, OPT_NOP)});
}

void syn_ack_in_fragments(Run &run)
{
	with_settings(run, mandatory, [](Dialogue &dialogue) {
		dialogue.start_connect();
		dialogue.take_syn();
		Segment segment = dialogue.tcp.blank(SYN | ACK);
		segment.seq = dialogue.tcp.iss;
		segment.options = long_options();
		transmit_in_fragments(dialogue, segment);
		if (dialogue.tcp.local().family() == Family::v4) {
			check_refused(dialogue);
			return;
		}
		dialogue.tcp.wait_segment(is_reset, "RST");
		for (const Segment &seen : dialogue.tcp.seen)
			check(seen.payload.empty(), "the device sent data");
		Answer answer = dialogue.run.device.finish(dialogue.connecting);
		if (answer.ok)
			answer = dialogue.app("send", to_hex(text("plaintext")));
		check(!answer.ok && answer.value == "ECONNREFUSED", "the application got " + answer.shown());
	});
}

void third_in_fragments(Run &run)
{
	with_settings(run, mandatory, [](Dialogue &dialogue) {
		dialogue.send_syn();
		dialogue.take_syn_ack();
		check(dialogue.encrypted(), "no ENO in the SYN-ACK");
		Segment segment = dialogue.tcp.blank(ACK);
		segment.options = Bytes(8, OPT_NOP);
		segment.payload = text("plaintext");
		transmit_in_fragments(dialogue, segment);
		if (dialogue.tcp.local().family() == Family::v6) {
			check_doomed(dialogue);
			return;
		}
		dialogue.tcp.wait_segment(is_reset, "RST");
		dialogue.tcp.leave = true;
		check_not_accepted(dialogue);
	});
}

/** One socket's wish does not take Fast Open from those of others. */
void fast_open_of_others(Run &run)
{
	with_settings(run, mandatory, [](Dialogue &) {});
	run.listener_ = -1;
	Setting setting("net.ipv4.tcp_fastopen", "515");
	Dialogue dialogue(run);
	run.device.demand("setsockopt " + std::to_string(run.listener()) + " 6 23 10000000");
	dialogue.tcp.send_syn(mss_option(1460), text("early"));
	const Segment &answer = dialogue.tcp.wait_segment([](const Segment &) { return true; }, "an answer");
	check(answer.has(SYN | ACK) && answer.ack == dialogue.tcp.iss + 1 + 5, "data in a SYN without ENO are not taken");
}

void fast_open(Run &run)
{
	with_settings(run, mandatory, [&](Dialogue &dialogue) {
		Setting setting("net.ipv4.tcp_fastopen", "515");
		run.device.demand("setsockopt " + std::to_string(run.listener()) + " 6 23 10000000");
		dialogue.tcp.send_syn(mss_option(1460), text("plaintext"));
		const Segment &answer = dialogue.tcp.wait_segment([](const Segment &) { return true; }, "an answer");
		check(answer.has(RST | ACK) && answer.ack == dialogue.tcp.iss + 1, "a SYN with data and without ENO is taken");
		check_not_accepted(dialogue);
	});
}

void simultaneous_without_eno(Run &run)
{
	with_settings(run, mandatory, [](Dialogue &dialogue) {
		dialogue.start_connect();
		dialogue.take_syn();
		dialogue.tcp.send_syn(mss_option(1460));
		check_refused(dialogue);
	});
}

} // namespace

void add_require_cases(Cases &cases)
{
	cases.push_back({"E-25", "required-and-encrypted", Roles::both, encrypted_all_the_same});
	cases.push_back({"E-25", "required-without-eno", Roles::both, without_eno});
	cases.push_back({"E-25", "required-without-common-tep", Roles::both, without_common_tep});
	cases.push_back({"E-25 E-08", "required-with-ill-formed-option", Roles::both, with_ill_formed_option});
	cases.push_back({"E-25 E-09", "required-with-equal-b", Roles::both, with_equal_b});
	cases.push_back({"E-25 E-01", "required-with-two-options", Roles::both, with_two_options});
	cases.push_back({"E-25 E-07", "required-without-aware-peer", Roles::both, without_aware_peer});
	cases.push_back({"E-25 R-02 R-04", "required-and-resumed", Roles::both, resumed});
	cases.push_back({"E-25", "required-by-sysctl", Roles::both, required_by_sysctl});
	cases.push_back({"E-25", "required-by-sysctl-and-encrypted", Roles::both, encrypted_with_sysctl});
	cases.push_back({"E-25", "required-but-switched-off", Roles::both, required_but_switched_off});
	cases.push_back({"E-25 E-14", "required-syn-keeps-eno", Roles::active, syn_keeps_eno});
	cases.push_back({"E-25", "required-forged-syn-ack-wrong-ack", Roles::active, forged_wrong_ack});
	cases.push_back({"E-25", "required-forged-syn-ack-bad-checksum", Roles::active, forged_bad_checksum});
	cases.push_back({"E-25", "required-third-without-eno", Roles::passive, third_without_eno});
	cases.push_back({"E-25", "required-third-without-eno-with-data", Roles::passive, third_without_eno_with_data});
	cases.push_back({"E-25", "required-third-without-eno-by-sysctl", Roles::passive, third_without_eno_by_sysctl});
	cases.push_back({"E-25", "required-forged-third", Roles::passive, forged_third});
	cases.push_back({"E-25", "required-syn-again-without-eno", Roles::passive, syn_again_without_eno});
	cases.push_back({"E-25", "required-syn-cookies", Roles::passive, syn_cookies});
	cases.push_back({"E-25", "required-syn-cookies-of-socket", Roles::passive, syn_cookies_of_socket});
	cases.push_back({"E-25", "required-syn-twice", Roles::passive, syn_twice});
	cases.push_back({"E-25", "required-cookie-out-of-reset", Roles::passive, cookie_out_of_reset});
	cases.push_back({"E-25", "required-syn-ack-in-fragments", Roles::active, syn_ack_in_fragments});
	cases.push_back({"E-25 E-13", "required-third-in-fragments", Roles::passive, third_in_fragments});
	cases.push_back({"E-18", "required-spares-fast-open-of-others", Roles::passive, fast_open_of_others});
	cases.push_back({"E-25 E-18", "required-fast-open", Roles::passive, fast_open});
	cases.push_back({"E-25", "required-simultaneous-open-without-eno", Roles::active, simultaneous_without_eno});
}

} // namespace conformance
