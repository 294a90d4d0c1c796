// SPDX-License-Identifier: GPL-2.0
// Cases about SYN and SYN-ACK sent more than once, by the device or to it, genuine or forged.
#include "cases.hh"

namespace conformance {

namespace {

/** Longer than the first retransmission time-outs of a SYN, 1 s and 2 s and 4 s. */
constexpr Millis syn_patience{15000};

bool is_syn(const Segment &segment)
{
	return segment.has(SYN) && !segment.has(ACK);
}

bool is_syn_ack(const Segment &segment)
{
	return segment.has(SYN | ACK);
}

void syn_retransmission(Run &run)
{
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	check(!dialogue.device_option.empty(), "no ENO in the device's SYN");
	const Segment &again = dialogue.tcp.wait_segment(is_syn, "the SYN again", syn_patience);
	check(equal(find_option(again.options, OPT_ENO), dialogue.device_option),
	      "another ENO option in the retransmitted SYN");
	dialogue.send_syn_ack();
	dialogue.take_third();
	dialogue.finish_connect();
	dialogue.exchange();
	dialogue.prove_encrypted();
}

/** The SYN goes without ENO after @retries retransmissions, and ENO in the SYN-ACK means nothing from then on. */
void syn_without_eno_after(Run &run, unsigned retries)
{
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	check(!dialogue.device_option.empty(), "no ENO in the device's SYN");
	for (unsigned i = 0; i < retries; i++) {
		const Segment &again = dialogue.tcp.wait_segment(is_syn, "the SYN again", syn_patience);
		check(equal(find_option(again.options, OPT_ENO), dialogue.device_option),
		      "another ENO option in retransmission " + std::to_string(i + 1));
	}
	const Segment &bare = dialogue.tcp.wait_segment(is_syn, "the SYN without ENO", syn_patience);
	check(find_option(bare.options, OPT_ENO).empty(),
	      "still ENO in retransmission " + std::to_string(retries + 1));
	dialogue.device_option.clear();
	dialogue.send_syn_ack();
	dialogue.take_third();
	dialogue.finish_connect();
	dialogue.prove_plain();
}

void syn_loses_eno(Run &run)
{
	syn_without_eno_after(run, 2);
}

void syn_loses_eno_by_sysctl(Run &run)
{
	Setting setting("net.tcpcrypt.syn_retries", "1");
	syn_without_eno_after(run, 1);
}

void syn_ack_retransmission(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	const Segment &again = dialogue.tcp.wait_segment(is_syn_ack, "the SYN-ACK again", syn_patience);
	check(equal(find_option(again.options, OPT_ENO), dialogue.device_option),
	      "another ENO option in the retransmitted SYN-ACK");
	dialogue.send_third();
	dialogue.accept();
	dialogue.exchange();
	dialogue.prove_encrypted();
}

void syn_repeated(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	dialogue.tcp.send_syn(dialogue.syn_area());
	const Segment &again = dialogue.tcp.wait_segment(is_syn_ack, "the SYN-ACK again");
	check(equal(find_option(again.options, OPT_ENO), dialogue.device_option),
	      "another ENO option in the second SYN-ACK");
	dialogue.send_third();
	dialogue.accept();
	dialogue.exchange();
	dialogue.prove_encrypted();
}

/** The SYN again, without ENO: a peer behind a box that lets SYNs with ENO vanish. */
void syn_again_bare(Run &run, bool eno_in_third)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	dialogue.tcp.send_syn(mss_option(1460));
	const Segment &again = dialogue.tcp.wait_segment(is_syn_ack, "the SYN-ACK again");
	check(find_option(again.options, OPT_ENO).empty(), "ENO in the SYN-ACK for a SYN without");
	if (eno_in_third)
		dialogue.tcp.send_ack(eno_ack());
	else
		dialogue.tcp.send_ack();
	dialogue.accept();
	dialogue.prove_plain();
}

void syn_again_without_eno(Run &run)
{
	syn_again_bare(run, false);
}

void syn_again_without_eno_third_with(Run &run)
{
	syn_again_bare(run, true);
}

void syn_without_then_with_eno(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn({.options = mss_option(1460)});
	dialogue.take_syn_ack();
	check(dialogue.device_option.empty(), "ENO in the SYN-ACK for a SYN without");
	dialogue.tcp.send_syn(cat({mss_option(1460), eno_option(dialogue.default_contents())}));
	const Segment &again = dialogue.tcp.wait_segment(is_syn_ack, "the SYN-ACK again");
	check(find_option(again.options, OPT_ENO).empty(), "ENO came back in a later SYN-ACK");
	dialogue.tcp.send_ack();
	dialogue.accept();
	dialogue.prove_plain();
}

// An attacker off the path does not know the ISN: no downgrade by a SYN with another one.
void forged_syn_wrong_isn(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	dialogue.tcp.transmit(dialogue.forged(SYN, far_away));
	Segment third = dialogue.tcp.blank(ACK);
	third.options = eno_ack();
	dialogue.tcp.transmit(third);
	dialogue.accept();
	dialogue.exchange();
	dialogue.prove_encrypted();
}

// E-12: what the device answers to such a SYN is a segment too, and it has heard no non-SYN segment yet.
void challenge_ack_has_eno(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	dialogue.tcp.transmit(dialogue.forged(SYN, far_away));
	const Segment &challenge = dialogue.tcp.wait_segment(
		[](const Segment &s) { return s.has(ACK) && !s.has(SYN) && !s.has(RST); }, "the challenge ACK");
	check(!find_option(challenge.options, OPT_ENO).empty(), "no ENO in a segment before the first one was heard");
}

void forged_syn_bad_checksum(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	Segment forged = dialogue.forged(SYN);
	forged.bad_checksum = true;
	dialogue.tcp.transmit(forged);
	dialogue.send_third();
	dialogue.accept();
	dialogue.exchange();
	dialogue.prove_encrypted();
}

void forged_syn_ack(Run &run, bool wrong_ack)
{
	Dialogue dialogue(run);
	dialogue.connect_past_forged_syn_ack(wrong_ack);
	dialogue.prove_encrypted();
}

void forged_syn_ack_wrong_ack(Run &run)
{
	forged_syn_ack(run, true);
}

void forged_syn_ack_bad_checksum(Run &run)
{
	forged_syn_ack(run, false);
}

/** The third segment was lost, so the SYN-ACK comes again; @area: its options. */
void syn_ack_again(Run &run, bool with_eno)
{
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	dialogue.tcp.automatic = false;
	dialogue.send_syn_ack();
	dialogue.take_third();
	dialogue.finish_connect();
	dialogue.tcp.wait_stream(1); // Init1 is under way
	dialogue.tcp.skip_seen();
	Segment again = dialogue.tcp.blank(SYN | ACK);
	again.seq = dialogue.tcp.iss;
	again.ack = dialogue.tcp.irs + 1;
	again.options = with_eno ? dialogue.syn_area() : mss_option(1460);
	dialogue.tcp.transmit(again);
	const Segment &answer =
		dialogue.tcp.wait_segment([](const Segment &s) { return s.has(ACK) && !s.has(SYN); }, "an ACK");
	check(!answer.has(RST), "RST for a repeated SYN-ACK");
	check(!find_option(answer.options, OPT_ENO).empty(), "no ENO in a segment before the first one was heard (E-12)");
	dialogue.tcp.automatic = true;
	dialogue.tcp.send_ack();
	dialogue.exchange();
	dialogue.prove_encrypted();
}

void syn_ack_repeated(Run &run)
{
	syn_ack_again(run, true);
}

void syn_ack_repeated_without_eno(Run &run)
{
	syn_ack_again(run, false);
}

/** Half-open, reset, and the same ports again with another outcome: nothing may stick to the tuple. */
void ports_used_again(Run &run)
{
	Dialogue dialogue(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.encrypted(), "no ENO in the SYN-ACK");
	dialogue.tcp.send_rst();
	dialogue.tcp.leave = true;

	Dialogue second(run);
	Tcp again(run.wire, run.peer_address(), dialogue.peer_port, run.device_address(), run.listener_port());
	dialogue.tcp.wire().detach(&dialogue.tcp);
	again.send_syn(mss_option(1460));
	const Segment &answer = again.wait_segment(is_syn_ack, "SYN-ACK for the second connection");
	check(find_option(answer.options, OPT_ENO).empty(), "ENO of an earlier connection in the SYN-ACK");
	again.send_ack();
	std::string fd = run.device.demand("accept " + std::to_string(run.listener()));
	Bytes data = text("plain");
	again.send(data);
	Bytes got = run.device.demand_bytes("recv " + fd + " 100");
	check(equal(got, data), "other bytes than were sent");
}

} // namespace

void add_syn_cases(Cases &cases)
{
	cases.push_back({"E-14", "syn-retransmission-identical", Roles::active, syn_retransmission});
	cases.push_back({"E-14", "syn-without-eno-after-two-retransmissions", Roles::active, syn_loses_eno, true, true});
	cases.push_back({"E-14", "syn-without-eno-by-sysctl", Roles::active, syn_loses_eno_by_sysctl});
	cases.push_back({"E-14", "syn-ack-retransmission-identical", Roles::passive, syn_ack_retransmission});
	cases.push_back({"E-14", "syn-repeated", Roles::passive, syn_repeated});
	cases.push_back({"E-13", "syn-again-without-eno", Roles::passive, syn_again_without_eno});
	cases.push_back({"E-13", "syn-again-without-eno-third-with", Roles::passive, syn_again_without_eno_third_with});
	cases.push_back({"E-13", "syn-without-then-with-eno", Roles::passive, syn_without_then_with_eno});
	cases.push_back({"E-13", "forged-syn-wrong-isn", Roles::passive, forged_syn_wrong_isn});
	cases.push_back({"E-12", "challenge-ack-has-eno", Roles::passive, challenge_ack_has_eno});
	cases.push_back({"E-13", "forged-syn-bad-checksum", Roles::passive, forged_syn_bad_checksum});
	cases.push_back({"E-13", "forged-syn-ack-wrong-ack", Roles::active, forged_syn_ack_wrong_ack});
	cases.push_back({"E-13", "forged-syn-ack-bad-checksum", Roles::active, forged_syn_ack_bad_checksum});
	cases.push_back({"E-12", "syn-ack-repeated", Roles::active, syn_ack_repeated});
	cases.push_back({"E-12 E-13", "syn-ack-repeated-without-eno", Roles::active, syn_ack_repeated_without_eno});
	cases.push_back({"E-13", "ports-used-again", Roles::passive, ports_used_again});
}

} // namespace conformance
