// SPDX-License-Identifier: GPL-2.0
// Cases in which the other end's SYN crosses the device's: a simultaneous open.
#include "cases.hh"

namespace conformance {

namespace {

/*
 *   device SYN ->              <- our SYN
 *   device SYN-ACK ->          <- our SYN-ACK, with the option of our SYN (E-14), or an ACK
 */

bool is_syn_ack(const Segment &segment)
{
	return segment.has(SYN | ACK);
}

/** Up to the device's SYN-ACK, which repeats its option. */
void cross(Dialogue &dialogue, const Opening &opening = {})
{
	dialogue.start_connect();
	dialogue.take_syn();
	check(!dialogue.device_option.empty(), "no ENO in the device's SYN");
	dialogue.send_syn(opening);
	const Segment &answer = dialogue.tcp.wait_segment(is_syn_ack, "the device's SYN-ACK");
	check(equal(find_option(answer.options, OPT_ENO), dialogue.device_option),
	      "another ENO option in the SYN-ACK than in the SYN (E-14)");
	check(answer.ack == dialogue.tcp.iss + 1, "the SYN-ACK acknowledges more than our SYN");
	dialogue.negotiate();
	dialogue.tcp.eno_until_heard = true;
}

void go_on_encrypted(Dialogue &dialogue)
{
	dialogue.finish_connect();
	check(dialogue.encrypted(), "by these options there is no encryption");
	dialogue.exchange();
	dialogue.prove_encrypted();
	check(dialogue.option_number(10) == (dialogue.is_a() ? 1 : 0), "the device's role is wrong");
}

void go_on_plain(Dialogue &dialogue)
{
	dialogue.tcp.eno_until_heard = false;
	dialogue.finish_connect();
	dialogue.prove_plain();
}

/** Our SYN-ACK, as our SYN was. */
void answer(Dialogue &dialogue)
{
	dialogue.tcp.send_syn_ack(dialogue.syn_area());
}

void peer_is_b(Run &run)
{
	Dialogue dialogue(run);
	cross(dialogue);
	answer(dialogue);
	go_on_encrypted(dialogue);
}

// The device's application asked for b=1: so it is B, though both opened actively.
void with_device_as_b(Run &run, const std::function<void(Dialogue &)> &body)
{
	with_settings(run, {{eno_role_override, number_value(1)}}, [&](Dialogue &dialogue) {
		dialogue.device_is_b = true;
		body(dialogue);
	});
}

void peer_is_a(Run &run)
{
	with_device_as_b(run, [](Dialogue &dialogue) {
		cross(dialogue);
		answer(dialogue);
		go_on_encrypted(dialogue);
	});
}

// RFC 8547 section 6: B's order counts, whoever sent first.
void order_of_b(Run &run)
{
	need(curve448);
	Dialogue dialogue(run);
	cross(dialogue, {.eno = Bytes{eno_global_b, tep_curve25519, curve448.id, 0x25}});
	answer(dialogue);
	check(dialogue.encrypted() && &dialogue.keys.tep() == &curve448, "the case itself is wrong");
	go_on_encrypted(dialogue);
}

// Our ACK gets there first: it makes the connection as our SYN-ACK would.
void ack_instead(Run &run)
{
	Dialogue dialogue(run);
	cross(dialogue);
	dialogue.tcp.send_ack();
	go_on_encrypted(dialogue);
}

void ack_instead_as_a(Run &run)
{
	with_device_as_b(run, [](Dialogue &dialogue) {
		cross(dialogue);
		dialogue.tcp.send_ack();
		go_on_encrypted(dialogue);
	});
}

// Both of ours are there before the device says anything.
void both_at_once(Run &run)
{
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	dialogue.send_syn();
	dialogue.tcp.send_syn_ack(dialogue.syn_area());
	dialogue.negotiate();
	dialogue.tcp.eno_until_heard = true;
	go_on_encrypted(dialogue);
}

// Our SYN was lost: our SYN-ACK is all that the device sees.
void syn_lost(Run &run)
{
	with_device_as_b(run, [](Dialogue &dialogue) {
		dialogue.start_connect();
		dialogue.take_syn();
		dialogue.send_syn_ack();
		dialogue.take_third();
		go_on_encrypted(dialogue);
	});
}

// Our SYN-ACK was lost: the device sends its own again, with the same option.
void syn_ack_again(Run &run)
{
	Dialogue dialogue(run);
	cross(dialogue);
	const Segment &again = dialogue.tcp.wait_segment(is_syn_ack, "the SYN-ACK again", Millis(15000));
	check(equal(find_option(again.options, OPT_ENO), dialogue.device_option),
	      "another ENO option in the retransmitted SYN-ACK (E-14)");
	answer(dialogue);
	go_on_encrypted(dialogue);
}

void all_repeated(Run &run)
{
	Dialogue dialogue(run);
	cross(dialogue);
	dialogue.tcp.send_syn(dialogue.syn_area());
	answer(dialogue);
	answer(dialogue);
	dialogue.tcp.send_syn(dialogue.syn_area());
	dialogue.tcp.send_ack();
	go_on_encrypted(dialogue);
}

void syn_ack_without_eno(Run &run)
{
	Dialogue dialogue(run);
	cross(dialogue);
	dialogue.tcp.send_syn_ack(mss_option(1460));
	go_on_plain(dialogue);
}

void ack_without_eno(Run &run)
{
	Dialogue dialogue(run);
	cross(dialogue);
	dialogue.tcp.send_ack(Bytes{});
	go_on_plain(dialogue);
}

void ill_formed_syn_ack(Run &run)
{
	Dialogue dialogue(run);
	cross(dialogue);
	dialogue.tcp.send_syn_ack(cat({mss_option(1460), eno_option(Bytes{eno_global_b, tep_curve25519, 0x80})}));
	go_on_plain(dialogue);
}

// The other end gave ENO up between two SYNs (E-14): its first SYN counts no more.
void syn_again_without_eno(Run &run)
{
	Dialogue dialogue(run);
	cross(dialogue);
	dialogue.tcp.send_syn(mss_option(1460));
	const Segment &again = dialogue.tcp.wait_segment(is_syn_ack, "the SYN-ACK again", Millis(15000));
	check(find_option(again.options, OPT_ENO).empty(), "ENO in a SYN-ACK after a SYN without");
	dialogue.tcp.send_syn_ack(mss_option(1460));
	go_on_plain(dialogue);
}

/** A SYN of which no encryption can come: the SYN-ACK may go without ENO, and all goes on. */
void plain_syn(Run &run, const Opening &opening)
{
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	dialogue.send_syn(opening);
	const Segment &answered = dialogue.tcp.wait_segment(is_syn_ack, "the device's SYN-ACK");
	Bytes again = find_option(answered.options, OPT_ENO);
	check(again.empty() || equal(again, dialogue.device_option), "another ENO option in the SYN-ACK (E-14)");
	answer(dialogue);
	go_on_plain(dialogue);
}

void without_common_tep(Run &run)
{
	plain_syn(run, {.eno = Bytes{eno_global_b, 0x25}});
}

void ill_formed_syn(Run &run)
{
	plain_syn(run, {.eno = Bytes{eno_global_b, tep_curve25519, 0x80}});
}

void vacuous_syn(Run &run)
{
	plain_syn(run, {.eno = Bytes{eno_global_b}});
}

void equal_b(Run &run)
{
	with_settings(run, {{eno_role_override, number_value(1)}}, [](Dialogue &dialogue) {
		dialogue.device_is_b = true;
		dialogue.start_connect();
		dialogue.take_syn();
		dialogue.send_syn({.eno = Bytes{eno_global_b, tep_curve25519}});
		dialogue.tcp.wait_segment(is_syn_ack, "the device's SYN-ACK");
		answer(dialogue);
		go_on_plain(dialogue);
	});
}

/** What TCP would not take does not count, neither for nor against. */
void forged(Run &run, const std::function<void(Segment &)> &spoil)
{
	Dialogue dialogue(run);
	cross(dialogue);
	Segment segment = dialogue.tcp.blank(ACK);
	segment.options.clear();
	spoil(segment);
	dialogue.tcp.transmit(segment);
	answer(dialogue);
	go_on_encrypted(dialogue);
}

void forged_bad_checksum(Run &run)
{
	forged(run, [](Segment &s) { s.bad_checksum = true; });
}

void forged_syn_ack_bad_checksum(Run &run)
{
	forged(run, [](Segment &s) {
		s.flags = SYN | ACK;
		s.seq--;
		s.bad_checksum = true;
	});
}

void forged_out_of_window(Run &run)
{
	forged(run, [](Segment &s) { s.seq += far_away; });
}

// E-18, E-17: data in the SYN that crosses.
void with_data(Run &run)
{
	Dialogue dialogue(run);
	cross(dialogue, {.payload = text("data in a SYN")});
	dialogue.tcp.send_syn_ack(dialogue.syn_area(), text("data in a SYN"));
	dialogue.tcp.send_ack();
	go_on_encrypted(dialogue);
}

void written_before(Run &run)
{
	Dialogue dialogue(run);
	cross(dialogue);
	std::string writer = dialogue.app_start("send", to_hex(text("written early")));
	answer(dialogue);
	dialogue.finish_connect();
	dialogue.exchange();
	check(equal(dialogue.channel().read(13), text("written early")), "other data than was written");
	check(run.device.finish(writer).ok, "send() failed");
	dialogue.prove_encrypted();
}

void reset_before(Run &run)
{
	Dialogue dialogue(run);
	cross(dialogue);
	dialogue.tcp.send_rst();
	Answer connected = run.device.finish(dialogue.connecting);
	check(!connected.ok, "connect() succeeded after RST");
	dialogue.tcp.leave = true;
}

// The application gives it up; the other end counts on FINp, which cannot be sent without keys: RST.
void shutdown_before(Run &run)
{
	with_device_as_b(run, [](Dialogue &dialogue) {
		cross(dialogue);
		dialogue.app("shutdown", "wr");
		dialogue.tcp.wait_reset();
		Answer connected = dialogue.run.device.finish(dialogue.connecting);
		check(!connected.ok, "connect() succeeded");
	});
}

void required(Run &run)
{
	with_settings(run, {{eno_mandatory, number_value(1)}}, [](Dialogue &dialogue) {
		cross(dialogue);
		answer(dialogue);
		go_on_encrypted(dialogue);
	});
}

void required_without_eno_in_syn_ack(Run &run)
{
	with_settings(run, {{eno_mandatory, number_value(1)}}, [](Dialogue &dialogue) {
		cross(dialogue);
		dialogue.tcp.send_syn_ack(mss_option(1460));
		Answer connected = dialogue.run.device.finish(dialogue.connecting);
		check(!connected.ok && connected.value == "ECONNREFUSED", "connect() gave " + connected.shown());
		check(dialogue.tcp.stream().empty(), "the device sent data");
	});
}

} // namespace

void add_simultaneous_cases(Cases &cases)
{
	cases.push_back({"E-09 E-14 E-12", "simultaneous-open", Roles::active, peer_is_b});
	cases.push_back({"E-05 E-09 E-14", "simultaneous-open-with-peer-as-a", Roles::active, peer_is_a});
	cases.push_back({"E-11 E-09", "simultaneous-order-of-b", Roles::active, order_of_b});
	cases.push_back({"E-12 E-15", "simultaneous-ack-instead", Roles::active, ack_instead});
	cases.push_back({"E-12 E-15", "simultaneous-ack-instead-with-peer-as-a", Roles::active, ack_instead_as_a});
	cases.push_back({"E-14 E-15", "simultaneous-both-at-once", Roles::active, both_at_once});
	cases.push_back({"E-05 E-09", "simultaneous-syn-lost", Roles::active, syn_lost});
	cases.push_back({"E-14", "simultaneous-syn-ack-retransmission", Roles::active, syn_ack_again});
	cases.push_back({"E-14", "simultaneous-all-repeated", Roles::active, all_repeated});
	cases.push_back({"E-13", "simultaneous-syn-ack-without-eno", Roles::active, syn_ack_without_eno});
	cases.push_back({"E-13", "simultaneous-ack-without-eno", Roles::active, ack_without_eno});
	cases.push_back({"E-13 E-08", "simultaneous-ill-formed-syn-ack", Roles::active, ill_formed_syn_ack});
	cases.push_back({"E-13 E-14", "simultaneous-syn-again-without-eno", Roles::active, syn_again_without_eno});
	cases.push_back({"E-10 E-13", "simultaneous-without-common-tep", Roles::active, without_common_tep});
	cases.push_back({"E-08 E-13", "simultaneous-ill-formed-syn", Roles::active, ill_formed_syn});
	cases.push_back({"E-16", "simultaneous-vacuous-syn", Roles::active, vacuous_syn});
	cases.push_back({"E-09 E-05", "simultaneous-both-b", Roles::active, equal_b});
	cases.push_back({"E-13", "simultaneous-forged-bad-checksum", Roles::active, forged_bad_checksum});
	cases.push_back({"E-13", "simultaneous-forged-syn-ack-bad-checksum", Roles::active, forged_syn_ack_bad_checksum});
	cases.push_back({"E-13", "simultaneous-forged-out-of-window", Roles::active, forged_out_of_window});
	cases.push_back({"E-18 E-09", "simultaneous-with-data", Roles::active, with_data});
	cases.push_back({"K-05 E-15", "simultaneous-written-before", Roles::active, written_before});
	cases.push_back({"F-14", "simultaneous-reset-before", Roles::active, reset_before});
	cases.push_back({"F-14 E-15", "simultaneous-shutdown-before", Roles::active, shutdown_before});
	cases.push_back({"E-25 E-09", "simultaneous-required", Roles::active, required});
	cases.push_back({"E-25 E-13", "simultaneous-required-syn-ack-without-eno", Roles::active, required_without_eno_in_syn_ack});
}

} // namespace conformance
