// SPDX-License-Identifier: GPL-2.0
// Cases about the segments that follow the SYNs: who must put ENO there, and what loss and forgery change.
#include "cases.hh"

namespace conformance {

namespace {

void third_with(Run &run, View area)
{
	expect_encrypted(run, {.third = Bytes(area.begin(), area.end())});
}

void third_with_contents(Run &run)
{
	third_with(run, Bytes{OPT_ENO, 5, 0xff, 0x80, 0x00});
}

void third_with_two_options(Run &run)
{
	third_with(run, Bytes{OPT_ENO, 2, OPT_ENO, 4, 0x01, 0x23});
}

void third_option_unaligned(Run &run)
{
	third_with(run, Bytes{OPT_NOP, OPT_ENO, 2, OPT_NOP, 0xee, 3, 0});
}

void third_with_experimental_option(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open({.third = Bytes{OPT_EXPERIMENT, 4, 0x45, 0x4e}});
	dialogue.tcp.eno_until_heard = false;
	dialogue.prove_plain();
}

void init1_without_eno_behind_third(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	dialogue.tcp.eno_until_heard = false;
	dialogue.exchange();
	dialogue.prove_encrypted();
}

/** The third segment was lost: Init1 is what the device hears first, in these pieces. */
void init1_is_first(Run &run, const std::vector<std::pair<std::size_t, std::size_t>> &pieces)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	dialogue.tcp.eno_until_heard = true;
	Bytes message = dialogue.own_init();
	dialogue.tcp.enqueue(message);
	for (auto [from, to] : pieces)
		dialogue.tcp.send_range(from, std::min(to, message.size()), PSH);
	dialogue.accept();
	dialogue.take_init();
	dialogue.derive_keys(message);
	dialogue.prove_encrypted();
}

void third_lost(Run &run)
{
	init1_is_first(run, {{0, 1000}});
}

void third_lost_init1_reordered(Run &run)
{
	init1_is_first(run, {{30, 1000}, {0, 30}});
}

void third_lost_init1_three_pieces_backwards(Run &run)
{
	init1_is_first(run, {{60, 1000}, {7, 60}, {0, 7}});
}

constexpr int tcp_defer_accept = 9;

/** A listener that wants no connection before there is data: TCP drops the bare third segment, with its ENO. */
void defer_accept(Run &run, const std::function<void(Dialogue &)> &body)
{
	run.device.demand("setsockopt " + std::to_string(run.listener()) + " 6 " + std::to_string(tcp_defer_accept) +
			  " 05000000");
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	body(dialogue);
}

void defer_accept_encrypted(Run &run)
{
	defer_accept(run, [](Dialogue &dialogue) {
		dialogue.send_third();
		dialogue.exchange_before_accept();
		dialogue.prove_encrypted();
	});
}

// The third segment had ENO, which is what counts, though TCP drops it.
void defer_accept_init1_without_eno(Run &run)
{
	defer_accept(run, [](Dialogue &dialogue) {
		dialogue.send_third();
		dialogue.tcp.eno_until_heard = false;
		dialogue.exchange_before_accept();
		dialogue.prove_encrypted();
	});
}

void defer_accept_plain(Run &run)
{
	defer_accept(run, [](Dialogue &dialogue) {
		dialogue.tcp.send_ack();
		Bytes data = text("plain data");
		dialogue.tcp.send(data);
		dialogue.accept();
		dialogue.app_receives(data);
		dialogue.prove_plain();
	});
}

void defer_accept_third_lost(Run &run)
{
	defer_accept(run, [](Dialogue &dialogue) {
		dialogue.tcp.eno_until_heard = true;
		dialogue.exchange_before_accept();
		dialogue.prove_encrypted();
	});
}

/** The bare third segment without ENO is behind the data with it: the first to arrive counts. */
void third_behind_init1(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	Segment third = dialogue.tcp.blank(ACK);
	third.options = eno_ack();
	dialogue.tcp.eno_until_heard = true;
	Bytes message = dialogue.own_init();
	dialogue.send_init(message);
	dialogue.tcp.transmit(third);
	dialogue.accept();
	dialogue.take_init();
	dialogue.derive_keys(message);
	dialogue.prove_encrypted();
}

/** A reset where the third segment should be, and the same ports once more, with ENO. */
void ports_again_with_eno(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	dialogue.tcp.send_rst();
	Bytes first = dialogue.device_option;
	Tcp again(run.wire, run.peer_address(), dialogue.peer_port, run.device_address(), run.listener_port());
	dialogue.tcp.leave = true;
	run.wire.detach(&dialogue.tcp);
	again.send_syn(dialogue.syn_area());
	const Segment &answer = again.wait_segment([](const Segment &s) { return s.has(SYN | ACK); }, "SYN-ACK");
	check(equal(find_option(answer.options, OPT_ENO), first), "another answer to the same offer");
	again.eno_until_heard = true;
	again.send_ack();
	std::string fd = run.device.demand("accept " + std::to_string(run.listener()));
	again.send(dialogue.own_init());
	again.wait_stream(8);
	check(get32(again.stream(), 0) == init2_magic, "no Init2 on a connection with used ports");
}

void third_duplicated(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	dialogue.send_third();
	dialogue.send_third();
	dialogue.send_third();
	dialogue.accept();
	dialogue.exchange();
	dialogue.prove_encrypted();
}

/** A segment without ENO that TCP does not accept must not count as the first one. */
void forged_third(Run &run, const std::function<void(Segment &)> &spoil)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	Segment forged = dialogue.tcp.blank(ACK);
	spoil(forged);
	dialogue.tcp.transmit(forged);
	dialogue.send_third({.third = eno_ack()});
	dialogue.accept();
	dialogue.exchange();
	dialogue.prove_encrypted();
}

void forged_ack_wrong_number(Run &run)
{
	forged_third(run, [](Segment &s) { s.ack += far_away; });
}

void forged_ack_off_by_one(Run &run)
{
	forged_third(run, [](Segment &s) { s.ack++; });
}

void forged_ack_out_of_window(Run &run)
{
	forged_third(run, [](Segment &s) { s.seq += far_away; });
}

void forged_ack_bad_checksum(Run &run)
{
	forged_third(run, [](Segment &s) { s.bad_checksum = true; });
}

void forged_ack_with_data(Run &run)
{
	forged_third(run, [](Segment &s) {
		s.ack += far_away;
		s.payload = text("injected");
	});
}

void forged_reset_out_of_window(Run &run)
{
	forged_third(run, [](Segment &s) {
		s.seq += far_away;
		s.flags = RST;
	});
}

// The active opener's segments carry ENO until it heard one without SYN, retransmissions included.
void eno_until_heard(Run &run)
{
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	dialogue.tcp.automatic = false;
	dialogue.send_syn_ack();
	dialogue.take_third();
	dialogue.finish_connect();
	dialogue.tcp.skip_seen();
	auto has_data = [](const Segment &s) { return !s.payload.empty(); };
	unsigned segments = 0;
	for (; segments < 3; segments++) {
		const Segment &segment = dialogue.tcp.wait_segment(has_data, "Init1, and its retransmissions");
		check(!find_option(segment.options, OPT_ENO).empty(),
		      "data segment " + std::to_string(segments + 1) + " without ENO before anything was heard");
	}
	for (const Segment &segment : dialogue.tcp.seen)
		check(!find_option(segment.options, OPT_ENO).empty(), "a segment without ENO before anything was heard");
	dialogue.tcp.automatic = true;
	dialogue.tcp.send_ack();
	dialogue.exchange();
	dialogue.prove_encrypted();
}

// E-02: what we hear after our third segment need not have ENO, and contents mean nothing.
void eno_in_later_segments(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	dialogue.tcp.send_ack(Bytes{OPT_ENO, 6, 0x80, 0xff, 0x00, 0x23});
	dialogue.tcp.send_ack(Bytes{});
	dialogue.tcp.send_ack(Bytes{OPT_ENO, 2, OPT_ENO, 2});
	dialogue.exchange();
	dialogue.tcp.send_ack(Bytes{OPT_ENO, 4, 0x01, 0x23});
	dialogue.prove_encrypted();
}

// E-15: once on, for good: a segment's lack of ENO, or plain data, changes nothing.
void no_plaintext_once_on(Run &run)
{
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	dialogue.tcp.send(text("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n"));
	dialogue.channel().enqueue_raw(Bytes(30000, 'A'));
	dialogue.tcp.push();
	dialogue.prove_abort("EBADMSG");
}

} // namespace

void add_third_cases(Cases &cases)
{
	cases.push_back({"E-02", "third-with-contents", Roles::passive, third_with_contents});
	cases.push_back({"E-02", "third-with-two-options", Roles::passive, third_with_two_options});
	cases.push_back({"E-02", "third-option-unaligned", Roles::passive, third_option_unaligned});
	cases.push_back({"E-23 E-13", "third-with-experimental-option", Roles::passive, third_with_experimental_option});
	cases.push_back({"E-13", "init1-without-eno-behind-third", Roles::passive, init1_without_eno_behind_third});
	cases.push_back({"E-12", "third-lost", Roles::passive, third_lost});
	cases.push_back({"E-12", "third-lost-init1-reordered", Roles::passive, third_lost_init1_reordered});
	cases.push_back({"E-12", "third-lost-init1-backwards", Roles::passive, third_lost_init1_three_pieces_backwards});
	cases.push_back({"E-12", "third-duplicated", Roles::passive, third_duplicated});
	cases.push_back({"E-12", "third-behind-init1", Roles::passive, third_behind_init1});
	cases.push_back({"E-12 E-13", "defer-accept", Roles::passive, defer_accept_encrypted});
	cases.push_back({"E-12 E-13", "defer-accept-init1-without-eno", Roles::passive, defer_accept_init1_without_eno});
	cases.push_back({"E-13", "defer-accept-plain", Roles::passive, defer_accept_plain});
	cases.push_back({"E-12", "defer-accept-third-lost", Roles::passive, defer_accept_third_lost});
	cases.push_back({"E-13", "ports-used-again-with-eno", Roles::passive, ports_again_with_eno});
	cases.push_back({"E-13", "forged-ack-wrong-number", Roles::passive, forged_ack_wrong_number});
	cases.push_back({"E-13", "forged-ack-off-by-one", Roles::passive, forged_ack_off_by_one});
	cases.push_back({"E-13", "forged-ack-out-of-window", Roles::passive, forged_ack_out_of_window});
	cases.push_back({"E-13", "forged-ack-bad-checksum", Roles::passive, forged_ack_bad_checksum});
	cases.push_back({"E-13", "forged-ack-with-data", Roles::passive, forged_ack_with_data});
	cases.push_back({"E-13", "forged-reset-out-of-window", Roles::passive, forged_reset_out_of_window});
	cases.push_back({"E-12", "eno-until-heard", Roles::active, eno_until_heard});
	cases.push_back({"E-02", "eno-in-later-segments", Roles::both, eno_in_later_segments});
	cases.push_back({"E-15 F-04", "no-plaintext-once-on", Roles::both, no_plaintext_once_on});
}

} // namespace conformance
