// SPDX-License-Identifier: GPL-2.0
// Cases about what an application asks for by socket options: its bits, its role, its algorithms.
#include "cases.hh"

#include <cstring>

namespace conformance {

Bytes number_value(int value)
{
	Bytes bytes(sizeof(value));
	std::memcpy(bytes.data(), &value, sizeof(value));
	return bytes;
}

namespace {

void configure(Run &run, int fd, const Settings &settings)
{
	// TCP_ULP
	Answer answer = run.device.ask("setsockopt " + std::to_string(fd) + " 6 31 " + to_hex(text("tcpcrypt")));
	if (!answer.ok && answer.value == "ENOENT")
		throw Skip("the device's sockets cannot opt in");
	check(answer.ok, "setsockopt(TCP_ULP) failed with " + answer.value);
	for (const auto &[option, value] : settings)
		run.device.demand("setsockopt " + std::to_string(fd) + " " + std::to_string(0x454e) + " " +
				  std::to_string(option) + " " + to_hex(value));
}

/** The listener of this run, made here and not at its first use. */
void listen_with(Run &run, const Settings &settings)
{
	static std::uint16_t next_port = 19000;
	run.listener_port_ = next_port++;
	if (next_port == 20000)
		next_port = 19000;
	run.listener_ = run.device.demand_number("socket " + run.family_digit());
	configure(run, run.listener_, settings);
	run.device.demand("bind " + std::to_string(run.listener_) + " " + run.addresses().device + " " +
			  std::to_string(run.listener_port_));
	run.device.demand("listen " + std::to_string(run.listener_) + " 64");
}

std::uint8_t device_global(const Dialogue &dialogue)
{
	return parse_syn_form(View(dialogue.device_option).subspan(2)).global;
}

Bytes contents_with(const Dialogue &dialogue, std::uint8_t global)
{
	return Bytes{static_cast<std::uint8_t>(global | (dialogue.is_a() ? 0 : eno_global_b)), tep_curve25519};
}

// E-06: an application's bit is sent, and it reads the peer's.
void aware(Run &run, int own, bool peer)
{
	with_settings(run, {{eno_self_aware, number_value(own)}}, [&](Dialogue &dialogue) {
		std::uint8_t global = peer ? eno_global_a : 0;
		dialogue.open({.eno = contents_with(dialogue, global)});
		dialogue.exchange();
		check(((device_global(dialogue) & eno_global_a) != 0) == (own != 0), "the device's a bit is wrong");
		check(dialogue.option_number(eno_peer_aware) == peer, "TCP_ENO_PEER_AWARE is wrong");
		dialogue.prove_encrypted();
	});
}

void aware_alone(Run &run)
{
	aware(run, 1, false);
}

void aware_both(Run &run)
{
	aware(run, 1, true);
}

void aware_peer_alone(Run &run)
{
	aware(run, 0, true);
}

void aware_mandatory_both(Run &run)
{
	aware(run, 2, true);
}

void aware_mandatory_alone(Run &run)
{
	with_settings(run, {{eno_self_aware, number_value(2)}}, [](Dialogue &dialogue) {
		if (dialogue.is_passive()) {
			dialogue.send_syn();
			dialogue.take_syn_ack();
			check(dialogue.device_option.empty(), "ENO in the SYN-ACK although our a is 0");
			dialogue.tcp.send_ack();
			dialogue.accept();
		} else {
			dialogue.start_connect();
			dialogue.take_syn();
			check(device_global(dialogue) == eno_global_a, "the device's global suboption is not a=1");
			dialogue.tcp.send_syn_ack(cat({mss_option(1460), eno_option(dialogue.default_contents())}));
			dialogue.take_third();
			dialogue.finish_connect();
		}
		dialogue.prove_plain();
	});
}

void peer_gopt_is_as_received(Run &run)
{
	with_settings(run, {}, [](Dialogue &dialogue) {
		Bytes contents = contents_with(dialogue, eno_global_z | eno_global_a);
		dialogue.open({.eno = contents});
		dialogue.exchange();
		check(dialogue.option_number(eno_peer_gopt) == contents[0], "TCP_ENO_PEER_GOPT is not what we sent");
		dialogue.prove_encrypted();
	});
}

void self_gopt(Run &run)
{
	with_settings(run, {{eno_self_gopt, number_value(2)}}, [](Dialogue &dialogue) {
		dialogue.establish();
		int b = dialogue.is_passive() ? eno_global_b : 0;
		check(device_global(dialogue) == (eno_global_a | b), "the device's global suboption is not what was set");
		check(dialogue.option_number(eno_self_gopt) == (eno_global_a | b), "TCP_ENO_SELF_GOPT is wrong");
		dialogue.prove_encrypted();
	});
}

// E-05, E-09: b=1 of an active opener meets the b=1 of any passive one.
void role_override_is_plain(Run &run)
{
	with_settings(run, {{eno_role_override, number_value(1)}}, [](Dialogue &dialogue) {
		dialogue.device_is_b = true;
		dialogue.start_connect();
		dialogue.take_syn();
		check(device_global(dialogue) == eno_global_b, "the device's global suboption is not b=1");
		dialogue.send_syn_ack({.eno = Bytes{eno_global_b, tep_curve25519}});
		dialogue.take_third();
		dialogue.finish_connect();
		dialogue.prove_plain();
	});
}

// Roles follow from the bits alone: with b=0 in the SYN-ACK the active opener is B.
void role_override_makes_b(Run &run)
{
	with_settings(run, {{eno_role_override, number_value(1)}}, [](Dialogue &dialogue) {
		dialogue.device_is_b = true;
		dialogue.establish();
		dialogue.prove_encrypted();
		check(dialogue.option_number(10) == 1, "TCP_ENO_ROLE is not B");
	});
}

void both_bits(Run &run)
{
	with_settings(run, {{eno_self_gopt, number_value(3)}}, [](Dialogue &dialogue) {
		dialogue.device_is_b = true;
		dialogue.establish();
		check(device_global(dialogue) == (eno_global_a | eno_global_b), "the device's global suboption is not 3");
		dialogue.prove_encrypted();
	});
}

// N-04: of what the administrator allows, an application chooses.
void teps_of_a_socket(Run &run)
{
	need(curve448);
	need(p256);
	with_settings(run, {{eno_teps, Bytes{p256.id, curve448.id}}}, [](Dialogue &dialogue) {
		Bytes all{p256.id, curve448.id, tep_curve25519};
		if (dialogue.is_passive())
			dialogue.open({.eno = all});
		else
			dialogue.open({.eno = Bytes{eno_global_b, curve448.id}});
		if (!dialogue.is_passive())
			check(equal(View(dialogue.device_option).subspan(2), Bytes{p256.id, curve448.id}),
			      "the offer is not what the application set");
		dialogue.exchange();
		check(&dialogue.keys.tep() == &curve448, "not the best TEP of the application");
		dialogue.prove_encrypted();
	});
}

void aeads_of_a_socket(Run &run)
{
	with_settings(run, {{crypt_aeads, Bytes{0x10, 0, 2, 0}}}, [](Dialogue &dialogue) {
		if (dialogue.is_passive()) {
			dialogue.open();
			dialogue.exchange({.ciphers = {1, 2, 0x10}});
			check(dialogue.device_init->ciphers[0] == 0x10, "not the AEAD that the application likes best");
		} else {
			dialogue.open();
			dialogue.exchange({.ciphers = {2}});
			check(dialogue.device_init->ciphers == std::vector<std::uint16_t>{0x10, 2},
			      "the offer is not what the application set");
		}
		dialogue.prove_encrypted();
	});
}

void switched_off_by_the_socket(Run &run)
{
	with_settings(run, {{eno_enabled, number_value(0)}}, [](Dialogue &dialogue) {
		dialogue.open();
		check(dialogue.device_option.empty(), "ENO although the application said no");
		dialogue.prove_plain();
	});
}

void switched_on_by_the_socket(Run &run)
{
	bool passive = run.role == Role::passive;
	Setting setting(passive ? "net.tcpcrypt.enable_listen" : "net.tcpcrypt.enable_connect", "0");
	with_settings(run, {{eno_enabled, number_value(1)}}, [](Dialogue &dialogue) {
		dialogue.establish();
		dialogue.prove_encrypted();
	});
}

/** @contents of the device's option, for TCP_ENO_RAW. */
void with_raw(Run &run, const Bytes &contents, const std::function<void(Dialogue &)> &body)
{
	with_settings(run, {{eno_raw, contents}}, [&](Dialogue &dialogue) {
		dialogue.device_raw = contents;
		body(dialogue);
	});
}

std::uint8_t raw_b(const Run &run)
{
	return run.role == Role::passive ? eno_global_b : 0;
}

// E-19: byte for byte, z bits, repeated globals, unknown TEPs and all; and the keys are made from that.
void raw_is_literal(Run &run)
{
	std::uint8_t global = static_cast<std::uint8_t>(eno_global_z | eno_global_a | raw_b(run));
	Bytes contents{global, 0x25, tep_curve25519, 0x1f};
	with_raw(run, contents, [&](Dialogue &dialogue) {
		dialogue.establish();
		dialogue.prove_encrypted();
		check(dialogue.getsockopt(eno_raw, 64).value == to_hex(contents), "TCP_ENO_RAW is not what was sent");
		check(dialogue.option_number(eno_self_gopt) == (eno_global_a | raw_b(run)), "TCP_ENO_SELF_GOPT is wrong");
	});
}

/** The two options come to plain TCP; a passive device must not have sent its own. */
void raw_is_plain(Run &run, const Bytes &contents, const Bytes &ours)
{
	with_raw(run, contents, [&](Dialogue &dialogue) {
		dialogue.open({.eno = ours});
		check(dialogue.device_option.empty() == dialogue.is_passive(), "the device's option is there, or is not");
		dialogue.prove_plain();
	});
}

// E-11: it is the last one of B that counts, and that one the device has not.
void raw_unassigned_tep(Run &run)
{
	Bytes device{raw_b(run), tep_curve25519, 0x25};
	Bytes ours{static_cast<std::uint8_t>(raw_b(run) ^ eno_global_b), tep_curve25519, 0x25};
	raw_is_plain(run, device, ours);
}

// N-04: nor is what the administrator forbids to be had by this way.
void raw_forbidden_tep(Run &run)
{
	Setting setting("net.tcpcrypt.teps", "curve25519");
	Bytes contents{raw_b(run), curve448.id};
	Bytes ours{static_cast<std::uint8_t>(raw_b(run) ^ eno_global_b), curve448.id};
	if (run.role == Role::passive) {
		raw_is_plain(run, contents, ours);
		return;
	}
	with_raw(run, contents, [&](Dialogue &dialogue) {
		dialogue.start_connect();
		dialogue.take_syn();
		dialogue.tcp.send_syn_ack(cat({mss_option(1460), eno_option(ours)}));
		dialogue.take_third();
		dialogue.finish_connect();
		dialogue.prove_plain();
	});
}

// E-08: a length byte with nothing behind it.
void raw_malformed(Run &run)
{
	std::uint8_t other = static_cast<std::uint8_t>(raw_b(run) ^ eno_global_b);
	raw_is_plain(run, Bytes{raw_b(run), tep_curve25519, 0x83}, Bytes{other, tep_curve25519});
}

// E-16
void raw_vacuous(Run &run)
{
	std::uint8_t other = static_cast<std::uint8_t>(raw_b(run) ^ eno_global_b);
	raw_is_plain(run, Bytes{raw_b(run)}, Bytes{other, tep_curve25519});
}

// E-09
void raw_same_role(Run &run)
{
	std::uint8_t same = static_cast<std::uint8_t>(raw_b(run) ^ eno_global_b);
	raw_is_plain(run, Bytes{same, tep_curve25519}, Bytes{same, tep_curve25519});
}

// N-02, R-04: a made-up offer to resume is one of fresh keys; made-up consent is no consent.
void raw_made_up_resumption(Run &run)
{
	Bytes contents{raw_b(run), 0x80 | tep_curve25519};
	contents.insert(contents.end(), 12, 0x5a);
	if (run.role == Role::passive) {
		Bytes ours{0x80 | tep_curve25519};
		ours.insert(ours.end(), 12, 0xa5);
		raw_is_plain(run, contents, ours);
		return;
	}
	with_raw(run, contents, [](Dialogue &dialogue) {
		dialogue.establish();
		dialogue.prove_encrypted();
	});
}

// Not even beside an MSS, which every SYN has.
void raw_too_long_for_a_syn(Run &run)
{
	Bytes contents(38, 0x0f);
	contents.back() = tep_curve25519;
	with_settings(run, {{eno_raw, contents}}, [](Dialogue &dialogue) {
		dialogue.open();
		check(dialogue.device_option.empty(), "where is the room for 40 bytes?");
		dialogue.prove_plain();
	});
}

} // namespace

void with_settings(Run &run, const Settings &settings, const std::function<void(Dialogue &)> &body)
{
	if (run.role == Role::passive)
		listen_with(run, settings);
	Dialogue dialogue(run);
	dialogue.prepare = [&](int fd) { configure(run, fd, settings); };
	body(dialogue);
}

void add_socket_cases(Cases &cases)
{
	cases.push_back({"E-06", "aware-device-alone", Roles::both, aware_alone});
	cases.push_back({"E-06", "aware-both", Roles::both, aware_both});
	cases.push_back({"E-06", "aware-peer-alone", Roles::both, aware_peer_alone});
	cases.push_back({"E-07", "aware-mandatory-both", Roles::both, aware_mandatory_both});
	cases.push_back({"E-07 E-13", "aware-mandatory-device-alone", Roles::both, aware_mandatory_alone});
	cases.push_back({"E-06 E-04", "peer-gopt-is-as-received", Roles::both, peer_gopt_is_as_received});
	cases.push_back({"E-06 E-05", "self-gopt", Roles::both, self_gopt});
	cases.push_back({"E-05 E-09", "role-override-is-plain", Roles::active, role_override_is_plain});
	cases.push_back({"E-05 E-09", "role-override-makes-b", Roles::active, role_override_makes_b});
	cases.push_back({"E-05 E-06", "both-bits-of-an-active-opener", Roles::active, both_bits});
	cases.push_back({"N-04 E-11", "teps-of-a-socket", Roles::both, teps_of_a_socket});
	cases.push_back({"N-04 K-03", "aeads-of-a-socket", Roles::both, aeads_of_a_socket});
	cases.push_back({"N-04", "switched-off-by-the-socket", Roles::both, switched_off_by_the_socket});
	cases.push_back({"N-04", "switched-on-by-the-socket", Roles::both, switched_on_by_the_socket});
	cases.push_back({"E-19 E-10", "raw-is-literal", Roles::both, raw_is_literal});
	cases.push_back({"E-11 E-13", "raw-unassigned-tep", Roles::both, raw_unassigned_tep});
	cases.push_back({"N-04 E-13", "raw-forbidden-tep", Roles::both, raw_forbidden_tep});
	cases.push_back({"E-08 E-13", "raw-malformed", Roles::both, raw_malformed});
	cases.push_back({"E-16 E-13", "raw-vacuous", Roles::both, raw_vacuous});
	cases.push_back({"E-09 E-13", "raw-same-role", Roles::both, raw_same_role});
	cases.push_back({"N-02 R-04", "raw-made-up-resumption", Roles::both, raw_made_up_resumption});
	cases.push_back({"E-13", "raw-too-long-for-a-syn", Roles::both, raw_too_long_for_a_syn});
}

} // namespace conformance
