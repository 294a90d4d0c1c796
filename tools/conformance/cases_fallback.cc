// SPDX-License-Identifier: GPL-2.0
// Cases that must end in plain TCP although both SYNs had ENO, or because there cannot be ENO.
#include "cases.hh"

namespace conformance {

namespace {

constexpr std::size_t bulk_size = 256 * 1024;

void third_without_eno(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open({.third = Bytes{}});
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	dialogue.tcp.eno_until_heard = false;
	dialogue.prove_plain();
}

void third_without_eno_then_with(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open({.third = Bytes{}});
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	dialogue.prove_plain(); // our data segments have ENO until we heard something
}

void first_ack_is_data_without_eno(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	Bytes data = text("data in the third segment");
	dialogue.tcp.send(data);
	dialogue.accept();
	dialogue.app_receives(data);
	dialogue.prove_plain();
}

void first_ack_is_init1_without_eno(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	Bytes message = dialogue.own_init();
	dialogue.send_init(message);
	dialogue.accept();
	dialogue.app_receives(message);
	dialogue.prove_plain();
}

void plain_bulk(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open({.options = mss_option(1460)});
	check(!dialogue.encrypted(), "encrypted without our ENO");
	std::string size = std::to_string(bulk_size);
	std::string reader = dialogue.app_start("drain", "1 0 " + size);
	std::string writer = dialogue.app_start("fill", "2 0 " + size + " 10000");
	dialogue.tcp.enqueue(pattern(1, 0, bulk_size));
	dialogue.tcp.flush();
	dialogue.tcp.wait_stream(bulk_size);
	check(equal(dialogue.tcp.stream(), pattern(2, 0, bulk_size)), "the device's bulk data is not what was written");
	check(run.device.finish(writer).ok, "the writer failed");
	Answer answer = run.device.finish(reader);
	check(answer.ok && answer.value == size, "the reader got " + answer.shown());
}

void plain_fin_is_eof(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open({.options = mss_option(1460)});
	dialogue.prove_plain();
	dialogue.tcp.send_fin();
	dialogue.app_reads_eof();
	check(dialogue.app("close").ok, "close failed");
	dialogue.tcp.wait_finished();
}

void plain_reset(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open({.options = mss_option(1460)});
	dialogue.prove_plain();
	std::string reader = dialogue.app_start("recv", "10");
	dialogue.tcp.send_rst();
	Answer answer = run.device.finish(reader);
	check(!answer.ok && answer.value == "ECONNRESET", "recv() gave " + answer.shown());
}

// A SYN cookie has no room for the option: no ENO, and all of it plain.
void syn_cookies(Run &run)
{
	Setting setting("net.ipv4.tcp_syncookies", "2");
	expect_plain(run, {});
}

void syn_cookies_then_eno_in_third(Run &run)
{
	Setting setting("net.ipv4.tcp_syncookies", "2");
	expect_plain(run, {.third = eno_ack()});
}

void not_offered_when_disabled(Run &run)
{
	bool passive = run.role == Role::passive;
	Setting setting(passive ? "net.tcpcrypt.enable_listen" : "net.tcpcrypt.enable_connect", "0");
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.device_option.empty(), "ENO although the sysctl says no");
	dialogue.prove_plain();
}

/** Before there are random numbers there is no ENO, in whatever role (E-20). */
constexpr const char *unseeded = "/sys/module/tcpcrypt/parameters/pretend_unseeded";

void without_random_numbers(Run &run)
{
	Setting setting(unseeded, "1");
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.device_option.empty(), "ENO before the random generator is seeded");
	dialogue.prove_plain();
}

void required_without_random_numbers(Run &run)
{
	Setting setting(unseeded, "1");
	with_settings(run, {{eno_mandatory, number_value(1)}}, [](Dialogue &dialogue) {
		if (dialogue.is_passive()) {
			dialogue.send_syn();
			const Segment &answer = dialogue.tcp.wait_segment([](const Segment &) { return true; }, "an answer");
			check(answer.has(RST | ACK), "no RST that refuses our SYN");
			return;
		}
		dialogue.start_connect();
		Answer connected = dialogue.run.device.finish(dialogue.connecting);
		check(!connected.ok && connected.value == "ECONNREFUSED", "connect() gave " + connected.shown());
		check(dialogue.tcp.seen.empty(), "a segment of a connection that is refused");
	});
}

/*
 * The other end's SYN crosses the device's:
 *
 *   device SYN ->            <- our SYN
 *   device SYN-ACK ->        <- our SYN-ACK, with the option of our SYN (E-14)
 */
void simultaneous_open(Run &run, View contents)
{
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	Bytes area = cat({mss_option(1460), eno_option(contents)});
	dialogue.tcp.send_syn(area);
	const Segment &answer = dialogue.tcp.wait_segment(
		[](const Segment &s) { return s.has(SYN | ACK) || s.has(RST); }, "the device's SYN-ACK");
	if (answer.has(RST)) {
		Answer connected = run.device.finish(dialogue.connecting);
		check(!connected.ok, "connect() succeeded on a refused connection");
		return;
	}
	Bytes again = find_option(answer.options, OPT_ENO);
	check(again.empty() || equal(again, dialogue.device_option),
	      "another ENO option in the SYN-ACK than in the SYN (E-14)");
	dialogue.tcp.send_syn_ack(area);
	dialogue.tcp.send_ack();
	dialogue.finish_connect();
	check(again.empty() || (contents[0] & 1) == 0, "this peer does not go on with an encrypted simultaneous open");
	dialogue.prove_plain();
}

void simultaneous_open_equal_b(Run &run)
{
	simultaneous_open(run, Bytes{tep_curve25519});
}

void simultaneous_open_without_eno(Run &run)
{
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	Bytes area = mss_option(1460);
	dialogue.tcp.send_syn(area);
	dialogue.tcp.wait_segment([](const Segment &s) { return s.has(SYN | ACK); }, "the device's SYN-ACK");
	dialogue.tcp.send_syn_ack(area);
	dialogue.tcp.send_ack();
	dialogue.finish_connect();
	dialogue.prove_plain();
}

} // namespace

void add_fallback_cases(Cases &cases)
{
	cases.push_back({"E-13", "third-without-eno", Roles::passive, third_without_eno});
	cases.push_back({"E-13", "third-without-eno-then-with", Roles::passive, third_without_eno_then_with});
	cases.push_back({"E-13", "first-ack-is-data-without-eno", Roles::passive, first_ack_is_data_without_eno});
	cases.push_back({"E-13", "first-ack-is-init1-without-eno", Roles::passive, first_ack_is_init1_without_eno});
	cases.push_back({"E-13", "plain-bulk", Roles::both, plain_bulk});
	cases.push_back({"E-13", "plain-fin-is-eof", Roles::both, plain_fin_is_eof});
	cases.push_back({"E-13", "plain-reset", Roles::both, plain_reset});
	cases.push_back({"E-13", "syn-cookies", Roles::passive, syn_cookies});
	cases.push_back({"E-13", "syn-cookies-then-eno-in-third", Roles::passive, syn_cookies_then_eno_in_third});
	cases.push_back({"E-13", "disabled-by-sysctl", Roles::both, not_offered_when_disabled});
	cases.push_back({"E-20", "before-random-numbers", Roles::both, without_random_numbers});
	cases.push_back({"E-20 E-25", "required-before-random-numbers", Roles::both, required_without_random_numbers});
	cases.push_back({"E-09 E-13 E-14", "simultaneous-open-equal-b", Roles::active, simultaneous_open_equal_b});
	cases.push_back({"E-13", "simultaneous-open-without-eno", Roles::active, simultaneous_open_without_eno});
}

} // namespace conformance
