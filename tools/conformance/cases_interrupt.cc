// SPDX-License-Identifier: GPL-2.0
// Cases in which a handshake is interrupted: RST and ICMP at each step, silence, FIN.
#include "cases.hh"

namespace conformance {

namespace {

/** Reads in the background, and expects the error of an RST. */
void reset_while_reading(Dialogue &dialogue)
{
	std::string reader = dialogue.app_start("recv", "100");
	dialogue.tcp.send_rst();
	Answer answer = dialogue.run.device.finish(reader);
	check(!answer.ok && answer.value == "ECONNRESET",
	      "recv() gave " + (answer.value == "-" ? "end-of-file" : answer.shown()) + " after RST, expected ECONNRESET");
}

void reset_of_syn(Run &run)
{
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	Segment reset = dialogue.tcp.blank(RST | ACK);
	reset.seq = 0;
	dialogue.tcp.transmit(reset);
	Answer answer = run.device.finish(dialogue.connecting);
	check(!answer.ok && answer.value == "ECONNREFUSED", "connect() gave " + answer.shown());
}

void reset_of_syn_ack(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	dialogue.tcp.send_rst();
	// The next connection is served, and it is the one that accept() gives.
	expect_encrypted(run, {});
}

void reset_after_third(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	reset_while_reading(dialogue);
}

void reset_in_init(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	if (!dialogue.is_passive())
		dialogue.take_init();
	Bytes message = dialogue.own_init();
	message.resize(message.size() / 2);
	dialogue.send_init(message);
	dialogue.tcp.wait_acknowledged();
	reset_while_reading(dialogue);
}

void reset_after_init(Run &run)
{
	Dialogue dialogue(run);
	dialogue.establish();
	reset_while_reading(dialogue);
}

void reset_in_frame(Run &run)
{
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	Bytes frame = dialogue.channel().sealed({.data = Bytes(1000, 'x')});
	frame.resize(500);
	dialogue.tcp.send(frame);
	dialogue.tcp.wait_acknowledged();
	reset_while_reading(dialogue);
}

void reset_behind_data(Run &run)
{
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	Bytes data = text("the last data");
	dialogue.channel().send(data);
	dialogue.tcp.wait_acknowledged();
	dialogue.app_receives(data);
	reset_while_reading(dialogue);
}

void timeout_without_init(Run &run)
{
	Setting setting("net.tcpcrypt.handshake_timeout_ms", "600");
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	dialogue.prove_abort("ETIMEDOUT");
}

void timeout_in_init(Run &run)
{
	Setting setting("net.tcpcrypt.handshake_timeout_ms", "600");
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	if (!dialogue.is_passive())
		dialogue.take_init();
	Bytes message = dialogue.own_init();
	message.pop_back();
	dialogue.send_init(message);
	dialogue.prove_abort("ETIMEDOUT");
}

void timeout_spares_the_established(Run &run)
{
	// Time enough for the key exchange on a slow machine.
	Setting setting("net.tcpcrypt.handshake_timeout_ms", std::to_string(1000 * run.wire.scale));
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	std::string reader = dialogue.app_start("recv", "100");
	check(!run.wire.wait_for([&] { return run.device.answered(reader) || dialogue.tcp.reset(); }, Millis(1500)),
	      "an established connection ended at the handshake's time-out");
	Bytes data = text("still here");
	dialogue.channel().send(data);
	Answer answer = run.device.finish(reader);
	check(answer.ok && answer.value == to_hex(data), "recv() gave " + answer.shown());
}

// Truncation before there are keys is an error all the same.
void fin_before_init(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	dialogue.tcp.send_fin();
	dialogue.prove_abort_any({"ECONNABORTED", "EPROTO"});
}

void fin_in_init(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	if (!dialogue.is_passive())
		dialogue.take_init();
	Bytes message = dialogue.own_init();
	message.resize(message.size() - 1);
	dialogue.send_init(message);
	dialogue.tcp.send_fin();
	dialogue.prove_abort_any({"ECONNABORTED", "EPROTO"});
}

void fin_behind_init(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	if (!dialogue.is_passive())
		dialogue.take_init();
	dialogue.send_init(dialogue.own_init());
	dialogue.tcp.send_fin();
	dialogue.prove_abort("ECONNABORTED");
}

void third_is_fin(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "ENO failed");
	dialogue.tcp.eno_until_heard = true;
	dialogue.tcp.send_fin();
	dialogue.accept();
	dialogue.prove_abort_any({"ECONNABORTED", "EPROTO"});
}

/** An ICMP error about the device's @about; @hard: the kind that refuses a connection. */
void send_icmp(Run &run, const Segment &about, bool hard)
{
	bool v4 = run.family == Family::v4;
	// Port unreachable, or host unreachable (IPv4) and address unreachable (IPv6).
	std::uint8_t type = v4 ? 3 : 1;
	std::uint8_t code = hard ? (v4 ? 3 : 4) : (v4 ? 1 : 3);
	run.wire.send_raw(icmp_error(run.peer_address(), encode(about), type, code, 0));
}

void icmp_at_syn(Run &run)
{
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	// While connect() is still in the call that sent the SYN, TCP only makes a note of it: so, more than one.
	for (int i = 0; i < 20 && !run.device.answered(dialogue.connecting); i++) {
		send_icmp(run, dialogue.tcp.seen.back(), true);
		run.wire.wait_for([&] { return run.device.answered(dialogue.connecting); }, Millis(200));
	}
	Answer answer = run.device.finish(dialogue.connecting);
	check(!answer.ok && answer.value == "ECONNREFUSED", "connect() gave " + answer.shown());
}

void icmp_soft_at_each_step(Run &run)
{
	Dialogue dialogue(run);
	auto about_last = [&] { send_icmp(run, dialogue.tcp.seen.back(), false); };
	// Not about the SYN-ACK: that may end an embryo, as RFC 1122 section 4.2.3.9 allows.
	dialogue.open();
	if (!dialogue.is_passive())
		about_last();
	dialogue.exchange();
	about_last();
	dialogue.prove_encrypted();
	about_last();
	dialogue.prove_encrypted();
}

void icmp_hard_after_third(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	send_icmp(run, dialogue.tcp.seen.back(), true);
	dialogue.exchange();
	send_icmp(run, dialogue.tcp.seen.back(), true);
	dialogue.prove_encrypted();
}

// F-02: after the path's MTU shrank, the same bytes go out in smaller segments.
void icmp_too_big(Run &run)
{
	bool v4 = run.family == Family::v4;
	constexpr std::uint32_t mtu = 1280;
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	std::size_t start = dialogue.tcp.stream().size();
	dialogue.tcp.automatic = false;
	Bytes data = pattern(3, 0, 8000);
	dialogue.app_sends(data);
	dialogue.tcp.wait_stream(start + 3000);
	auto big = [](const Segment &s) { return s.payload.size() + s.options.size() + 20 + 20 > mtu; };
	dialogue.tcp.skip_seen();
	for (const Segment &segment : dialogue.tcp.seen)
		if (big(segment)) {
			run.wire.send_raw(icmp_error(run.peer_address(), encode(segment),
						     static_cast<std::uint8_t>(v4 ? 3 : 2),
						     static_cast<std::uint8_t>(v4 ? 4 : 0), mtu));
			break;
		}
	dialogue.tcp.wait_segment([&](const Segment &s) { return !s.payload.empty() && !big(s); },
				  "a smaller segment");
	dialogue.tcp.automatic = true;
	dialogue.tcp.send_ack();
	check(equal(dialogue.channel().read(data.size()), data), "other data than was written");
}

} // namespace

void add_interrupt_cases(Cases &cases)
{
	cases.push_back({"F-14", "reset-of-syn", Roles::active, reset_of_syn});
	cases.push_back({"F-14", "reset-of-syn-ack", Roles::passive, reset_of_syn_ack});
	cases.push_back({"F-14", "reset-after-third", Roles::both, reset_after_third});
	cases.push_back({"F-14", "reset-in-init", Roles::both, reset_in_init});
	cases.push_back({"F-14", "reset-after-init", Roles::both, reset_after_init});
	cases.push_back({"F-14", "reset-in-frame", Roles::both, reset_in_frame});
	cases.push_back({"F-14", "reset-behind-data", Roles::both, reset_behind_data});
	cases.push_back({"F-14", "timeout-without-init", Roles::both, timeout_without_init});
	cases.push_back({"F-14 K-02", "timeout-in-init", Roles::both, timeout_in_init});
	cases.push_back({"F-14", "timeout-spares-the-established", Roles::both, timeout_spares_the_established});
	cases.push_back({"F-14 F-06", "fin-before-init", Roles::both, fin_before_init});
	cases.push_back({"F-14 F-06 K-04", "fin-in-init", Roles::both, fin_in_init});
	cases.push_back({"F-06", "fin-behind-init", Roles::both, fin_behind_init});
	cases.push_back({"F-14 F-06", "third-is-fin", Roles::passive, third_is_fin});
	cases.push_back({"F-14", "icmp-at-syn", Roles::active, icmp_at_syn});
	cases.push_back({"F-14", "icmp-soft-at-each-step", Roles::both, icmp_soft_at_each_step});
	cases.push_back({"F-14", "icmp-hard-after-third", Roles::both, icmp_hard_after_third});
	cases.push_back({"F-02", "path-mtu-shrinks", Roles::both, icmp_too_big});
}

} // namespace conformance
