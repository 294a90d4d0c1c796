// SPDX-License-Identifier: GPL-2.0
// Connections between two namespaces are encrypted, and only those that should be: families, options, settings.
#include <linux/tcpcrypt.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "sniffer.hh"
#include "sockets.hh"

using namespace e2e;

namespace {

constexpr int tep_curve25519 = 0x23;

struct Aead {
	const char *name;
	int id;
};
constexpr Aead aeads[] = {{"aes-128-gcm", 0x0001}, {"aes-256-gcm", 0x0002}, {"chacha20-poly1305", 0x0010}};

struct Tep {
	const char *name;
	int id;
};
constexpr Tep teps[] = {{"curve25519", 0x23}, {"curve448", 0x24}, {"p256", 0x21}, {"p521", 0x22}};

/** One connection from the client to @p to at the server: encrypted or plain as the case expects, and works. */
void connection(Run &run, const Listener &listener, bool is_encrypted, const Namespace *from = nullptr)
{
	Fd client = connect_from(from ? *from : run.client(), listener.address);
	Fd server = accept_from(listener.fd);
	check_works(client, server);
	if (is_encrypted) {
		check_session(client, server);
	} else {
		check_plain(client);
		check_plain(server);
	}
	client.reset();
	check_end(server);
}

std::string hex(const std::string &bytes)
{
	std::string out;
	for (unsigned char byte : bytes) {
		std::array<char, 3> digits;
		snprintf(digits.data(), digits.size(), "%02x", byte);
		out += digits.data();
	}
	return out;
}

std::string hex(const std::vector<std::uint8_t> &bytes)
{
	return hex(std::string(bytes.begin(), bytes.end()));
}

} // namespace

E2E_CASE(ipv4, encrypted(), 20, true)
{
	connection(run, listen_at(run.server(), Address(run.server().ipv4(), 0)), true);
}

E2E_CASE(ipv6, encrypted(), 20, true)
{
	connection(run, listen_at(run.server(), Address(run.server().ipv6(), 0)), true);
}

/* An IPv6 socket at either end, IPv4 on the wire. */
E2E_CASE(ipv4_mapped_connect, encrypted(), 20, true)
{
	Listener listener = listen_at(run.server(), Address(run.server().ipv4(), 0));
	listener.address = Address("::ffff:" + run.server().ipv4(), listener.address.port());
	connection(run, listener, true);
}

E2E_CASE(ipv4_mapped_accept, encrypted())
{
	Listener listener = listen_at(run.server(), Address("::", 0));
	listener.address = Address(run.server().ipv4(), listener.address.port());
	connection(run, listener, true);
}

E2E_CASE(ipv4_mapped_both, encrypted(2))
{
	Listener listener = listen_at(run.server(), Address("::", 0));
	std::uint16_t port = listener.address.port();
	listener.address = Address("::ffff:" + run.server().ipv4(), port);
	connection(run, listener, true);
	listener.address = Address(run.server().ipv6(), port);
	connection(run, listener, true);
}

/* A host talking to itself: plain unless asked for. Counters and capture are those of one namespace. */
E2E_CASE(loopback_off, unaudited(), 20, true)
{
	for (const char *ip : {"127.0.0.1", "::1"}) {
		Sniffer sniffer(run.server(), "lo");
		auto before = run.server().counters();
		connection(run, listen_at(run.server(), Address(ip, 0)), false, &run.server());
		auto after = run.server().counters();
		check_equal(after["loopback"] - before["loopback"], 1, "reason loopback");
		check_equal(after["encrypted-connect"] - before["encrypted-connect"], 0, "encrypted connections");
		check(sniffer.saw_text(), "no plaintext on lo");
		check_equal(sniffer.count([](const Segment &segment) { return segment.eno; }), 0u, "segments with ENO");
	}
}

E2E_CASE(loopback_own_address, unaudited())
{
	connection(run, listen_at(run.server(), Address(run.server().ipv4(), 0)), false, &run.server());
	connection(run, listen_at(run.server(), Address(run.server().ipv6(), 0)), false, &run.server());
}

E2E_CASE(loopback_on, unaudited(), 20, true)
{
	run.server().set("loopback", "1");
	for (const std::string &ip : {std::string("127.0.0.1"), std::string("::1"), run.server().ipv4(), run.server().ipv6()}) {
		Sniffer sniffer(run.server(), "lo");
		auto before = run.server().counters();
		connection(run, listen_at(run.server(), Address(ip, 0)), true, &run.server());
		wait_for("counters of both ends", [&] {
			auto after = run.server().counters();
			return after["encrypted-connect"] - before["encrypted-connect"] == 1 &&
			       after["encrypted-accept"] - before["encrypted-accept"] == 1;
		});
		check(!sniffer.saw_text(), "plaintext on lo, at " + ip);
	}
}

/* What is on the wire: ENO in SYN, SYN-ACK and third segment; Init1 and Init2; nothing of the text. */
E2E_CASE(wire, encrypted())
{
	Sniffer sniffer(run.client(), run.client().device());
	Pair pair = encrypted_pair(run);
	check_works(pair.client, pair.server);
	auto segments = sniffer.segments();
	check(segments.size() > 5, "too few segments");
	check(segments[0].syn && !segments[0].acks && segments[0].eno, "no ENO in the SYN");
	check_equal(hex(segments[0].eno_data), std::string("22212423"), "ENO in the SYN");
	check(segments[1].syn && segments[1].acks && segments[1].eno, "no ENO in the SYN-ACK");
	check_equal(hex(segments[1].eno_data), std::string("0123"), "ENO in the SYN-ACK");
	check(!segments[2].syn && segments[2].acks && segments[2].eno, "no ENO in the third segment");
	check_equal(hex(segments[2].eno_data), std::string(), "ENO in the third segment");
	std::uint16_t port = pair.listener.address.port();
	std::string up, down;
	for (const Segment &segment : segments)
		(segment.destination == port ? up : down) += segment.payload;
	check_equal(hex(up.substr(0, 4)), std::string("15101a0e"), "start of Init1");
	check_equal(hex(down.substr(0, 4)), std::string("097105e0"), "start of Init2");
}

/* Data is not held back until the peer says something: the server talks first, or nobody does. */
E2E_CASE(server_talks_first, encrypted())
{
	Pair pair = connect_pair(run);
	write_all(pair.server, text(100));
	check_text(read_exactly(pair.client, 100), 100);
	check_session(pair.client, pair.server);
}

E2E_CASE(silent, encrypted())
{
	Pair pair = encrypted_pair(run);
	check_equal(readable_bytes(pair.client), 0, "bytes for the client");
	check_equal(readable_bytes(pair.server), 0, "bytes for the server");
}

E2E_CASE(sessions_differ, encrypted(3))
{
	std::vector<std::string> ids;
	for (int i = 0; i < 3; i++) {
		Pair pair = encrypted_pair(run);
		ids.push_back(session_of(pair.client).id);
	}
	check(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "two connections with the same session ID");
}

/* Socket options */

E2E_CASE(option_values, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	for (int fd : {static_cast<int>(pair.client), static_cast<int>(pair.server)}) {
		Session session = session_of(fd);
		check_equal(session.tep, tep_curve25519, "TCP_ENO_NEGTEP");
		check(std::ranges::any_of(aeads, [&](const Aead &aead) { return aead.id == session.aead; }), "TCP_CRYPT_AEAD");
	}
}

E2E_CASE(option_before_connect, nothing())
{
	for (int family : {AF_INET, AF_INET6})
		check_plain(socket_in(run.client(), family));
}

/* While the exchange is going on: held up by a middlebox, so that it cannot be over. */
E2E_CASE(option_during_exchange, encrypted())
{
	Listener listener = listen_here(run);
	hold_exchange(run);
	Fd client = connect_here(run, listener);
	Fd server = accept_from(listener.fd);
	std::array<char, 64> buffer;
	for (int fd : {static_cast<int>(client), static_cast<int>(server)}) {
		for (int name : {TCP_ENO_SESSID, TCP_ENO_ROLE, TCP_ENO_NEGTEP, TCP_CRYPT_AEAD}) {
			socklen_t size = buffer.size();
			check_errno(getsockopt(fd, SOL_TCP_ENO, name, buffer.data(), &size), ENOTCONN,
				    "option " + std::to_string(name) + " during the exchange");
		}
	}
	let_exchange_go(run);
	check_session(client, server);
}

E2E_CASE(option_short_buffer, encrypted())
{
	Pair pair = encrypted_pair(run);
	std::array<char, 64> buffer;
	for (socklen_t given : {0u, 1u, 32u}) {
		socklen_t size = given;
		buffer.fill('\x5a');
		check_errno(getsockopt(pair.client, SOL_TCP_ENO, TCP_ENO_SESSID, buffer.data(), &size), EINVAL,
			    "a buffer of " + std::to_string(given));
		check_equal(size, TCPCRYPT_SESSID_SIZE, "the length that is told");
		check(std::ranges::all_of(buffer, [](char byte) { return byte == '\x5a'; }), "the buffer was written to");
	}
	socklen_t size = buffer.size();
	buffer.fill('\x5a');
	sys(getsockopt(pair.client, SOL_TCP_ENO, TCP_ENO_SESSID, buffer.data(), &size), "a large buffer");
	check_equal(size, TCPCRYPT_SESSID_SIZE, "length");
	check(buffer[TCPCRYPT_SESSID_SIZE] == '\x5a', "a byte too much was written");
	check_errno(getsockopt(pair.client, SOL_TCP_ENO, TCP_ENO_SESSID, nullptr, &size), EFAULT, "no buffer");
	size = static_cast<socklen_t>(-1);
	check_errno(getsockopt(pair.client, SOL_TCP_ENO, TCP_ENO_SESSID, buffer.data(), &size), EINVAL, "a negative length");
}

E2E_CASE(option_unknown, encrypted())
{
	Pair pair = encrypted_pair(run);
	int value = 0;
	socklen_t size = sizeof(value);
	check_errno(getsockopt(pair.client, SOL_TCP_ENO, 99, &value, &size), ENOPROTOOPT, "getsockopt 99");
	check_errno(setsockopt(pair.client, SOL_TCP_ENO, 99, &value, sizeof(value)), ENOPROTOOPT, "setsockopt 99");
	check_errno(setsockopt(pair.client, SOL_TCP_ENO, TCP_ENO_SESSID, &value, sizeof(value)), ENOPROTOOPT,
		    "setsockopt of a session ID");
	check_works(pair.client, pair.server);
}

/* tcpcryptctl and the netlink dump know the connection, as its ends do. */
E2E_CASE(connection_is_listed, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	check_works(pair.client, pair.server);
	std::uint16_t port = pair.listener.address.port();
	for (auto [space, fd, role] : {std::tuple{&run.client(), static_cast<int>(pair.client), 0u},
				      std::tuple{&run.server(), static_cast<int>(pair.server), 1u}}) {
		auto all = space->connections();
		check_equal(all.size(), 1u, "connections listed");
		const tcpcrypt::Connection &one = all[0];
		std::uint64_t cookie = 0;
		socklen_t size = sizeof(cookie);
		sys(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size), "SO_COOKIE");
		check_equal(one.cookie, cookie, "cookie");
		check_equal(one.state, static_cast<std::uint32_t>(TCPCRYPT_STATE_ENCRYPTED), "state");
		check_equal(role == 0 ? one.remote_port : one.local_port, port, "port of the server");
		check_equal(role == 0 ? one.local_port : one.remote_port, Address::of(pair.client).port(), "port of the client");
		check(one.role && *one.role == role, "role");
		check_equal(one.active, role == 0, "active");
		check(one.tep && *one.tep == tep_curve25519, "TEP");
		check(one.session.has_value(), "no session");
		check_equal(std::string(one.session->id.begin(), one.session->id.end()), session_of(fd).id, "session ID");
		check_equal(one.session->tx_bytes, 1000u, "bytes sent");
		check_equal(one.session->rx_bytes, 1000u, "bytes received");
		std::string json = shell_output("tcpcryptctl -n " + space->name() + " -j conn show");
		check(json.find(hex(session_of(fd).id)) != json.npos, "tcpcryptctl does not show the session ID");
	}
	pair.client.reset();
	pair.server.reset();
	wait_for("an empty list", [&] { return run.client().connections().empty() && run.server().connections().empty(); });
}

/* Settings */

static void choose_aead(Run &run, Namespace &chooser, const Aead &aead)
{
	chooser.set("aeads", aead.name);
	Pair pair = encrypted_pair(run);
	check_equal(session_of(pair.client).aead, aead.id, "AEAD");
	check_works(pair.client, pair.server);
	std::string bulk = text(100000, 0, 7);
	Thread writer([&] { write_all(pair.client, bulk); });
	check_text(read_exactly(pair.server, bulk.size()), bulk.size(), 0, 7);
}

E2E_CASE(aead_by_client, encrypted(3), 30, true)
{
	for (const Aead &aead : aeads)
		choose_aead(run, run.client(), aead);
}

E2E_CASE(aead_by_server, encrypted(3), 30)
{
	for (const Aead &aead : aeads)
		choose_aead(run, run.server(), aead);
}

/* N-04: each key agreement, chosen by either end; the session ID begins with it. */
static void choose_tep(Run &run, Namespace &chooser, const Tep &tep)
{
	chooser.set("teps", tep.name);
	Pair pair = encrypted_pair(run);
	Session session = session_of(pair.client);
	check_equal(session.tep, tep.id, "TEP of " + std::string(tep.name));
	check_equal(static_cast<int>(static_cast<unsigned char>(session.id[0])), tep.id, "first byte of the session ID");
	check_works(pair.client, pair.server);
	chooser.restore_settings();
}

E2E_CASE(tep_by_client, encrypted(4), 30, true)
{
	for (const Tep &tep : teps)
		choose_tep(run, run.client(), tep);
}

E2E_CASE(tep_by_server, encrypted(4), 30)
{
	/* Beside a resumption there is room for one other TEP, and the server wants a third. */
	run.client().set("resume", "0");
	for (const Tep &tep : teps)
		choose_tep(run, run.server(), tep);
}

/* E-11: B's order of preference counts; A's best one was a guess, for which it made a key pair. */
E2E_CASE(tep_preference, encrypted(), 20)
{
	run.client().set("teps", "curve25519 p256 curve448");
	run.server().set("teps", "p521 curve448 curve25519");
	Pair pair = encrypted_pair(run);
	check_equal(session_of(pair.client).tep, 0x24, "TEP");
}

E2E_CASE(tep_none_shared, plain("no-eno-in-synack", "no-common-tep"), 20)
{
	run.client().set("teps", "p256 p521");
	run.server().set("teps", "curve448");
	Pair pair = connect_pair(run);
	check_works(pair.client, pair.server);
	check_plain(pair.client);
	check_plain(pair.server);
}

/* K-03: B picks, by its own preference. */
E2E_CASE(aead_preference, encrypted(), 20)
{
	run.client().set("aeads", "aes-128-gcm chacha20-poly1305 aes-256-gcm");
	run.server().set("aeads", "aes-256-gcm chacha20-poly1305 aes-128-gcm");
	Pair pair = encrypted_pair(run);
	check_equal(session_of(pair.client).aead, 0x0002, "AEAD");
}

/* K-03: none is shared: the connection is aborted, not plain. */
E2E_CASE(aead_none_shared, nothing())
{
	run.client().set("aeads", "aes-128-gcm");
	run.server().set("aeads", "chacha20-poly1305");
	run.expect.server["abort-no-cipher"] = 1;
	Listener listener = listen_here(run);
	/* The reset may come before connect() returns. */
	Fd client = connect_here(run, listener, [](int fd) { set_blocking(fd, false); });
	check(poll_now(client, POLLIN, 10000) & POLLERR, "no POLLERR at the client");
	check_equal(socket_error(client), ECONNRESET, "SO_ERROR of the client");
	char byte;
	/* The server's application is told, if it had accepted; else it never hears of it. */
	Fd server(accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
	if (server < 0)
		check(errno == EAGAIN || errno == ECONNABORTED, "accept: " + errno_text(errno));
	else
		check_errno(recv(server, &byte, 1, 0), EPROTO, "recv at the server");
}

E2E_CASE(connect_disabled, plain("disabled", "no-eno-in-syn"), 20, true)
{
	run.client().set("enable_connect", "0");
	connection(run, listen_here(run), false);
}

E2E_CASE(listen_disabled, plain("no-eno-in-synack", "disabled"), 20, true)
{
	run.server().set("enable_listen", "0");
	connection(run, listen_here(run), false);
}

/* Each switch is about its own direction only. */
E2E_CASE(other_direction_disabled, encrypted())
{
	run.client().set("enable_listen", "0");
	run.server().set("enable_connect", "0");
	connection(run, listen_here(run), true);
}

E2E_CASE(bad_connect_port, plain("bad-port", "no-eno-in-syn"))
{
	Listener listener = listen_here(run);
	run.client().set("bad_connect_ports", "1-5," + std::to_string(listener.address.port()));
	connection(run, listener, false);
}

E2E_CASE(bad_listen_port, plain("no-eno-in-synack", "bad-port"))
{
	Listener listener = listen_here(run);
	run.server().set("bad_listen_ports", std::to_string(listener.address.port()));
	connection(run, listener, false);
}

/* The ports of protocols that are encrypted already, by default and at both ends; their neighbours are not. */
E2E_CASE(default_bad_ports, unaudited(), 60)
{
	const std::vector<int> wanted{22, 443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 3260, 5061, 6697, 8443};
	std::string list = "22,443,465,563,636,853,989-990,992-995,3260,5061,6697,8443";
	check_equal(run.client().setting("bad_connect_ports"), list, "bad_connect_ports");
	check_equal(run.server().setting("bad_listen_ports"), list, "bad_listen_ports");
	auto before = run.client().counters();
	for (int port : wanted)
		connection(run, listen_at(run.server(), server_address(run, static_cast<std::uint16_t>(port))), false);
	auto after = run.client().counters();
	check_equal(after["bad-port"] - before["bad-port"], static_cast<long>(wanted.size()), "reason bad-port");
	for (int port : {21, 80, 991, 8444})
		connection(run, listen_at(run.server(), server_address(run, static_cast<std::uint16_t>(port))), true);
}

E2E_CASE(settings_are_checked, nothing())
{
	for (const auto &[key, value] : {
		     std::pair{"aeads", "rot13"}, {"aeads", ""}, {"aeads", "aes-128-gcm aes-128-gcm"}, {"teps", "0x99"},
		     {"enable_connect", "7"}, {"enable_listen", "-1"}, {"loopback", "2"}, {"syn_retries", "100"},
		     {"handshake_timeout_ms", "0"}, {"rekey_frames", "0"}, {"rekey_bytes", "x"}, {"frame_max", "1"},
		     {"frame_max", "65536"}, {"bad_connect_ports", "70000"}}) {
		std::string before = run.client().setting(key);
		check_equal(run.client().try_set(key, value), EINVAL, std::string(key) + " = " + value);
		check_equal(run.client().setting(key), before, std::string(key) + " afterwards");
	}
}

E2E_CASE(settings_are_per_namespace, nothing())
{
	run.client().set("frame_max", "2000");
	run.client().set("aeads", "chacha20-poly1305");
	check(run.server().setting("frame_max") != "2000", "frame_max of the other namespace");
	check(run.server().setting("aeads") != "chacha20-poly1305", "aeads of the other namespace");
}

/* An exchange that the peer does not go on with ends with ETIMEDOUT. */
E2E_CASE(handshake_timeout, unaudited(), 30)
{
	auto client_before = run.client().counters(), server_before = run.server().counters();
	Listener listener = listen_here(run);
	hold_exchange(run);
	run.client().set("handshake_timeout_ms", "500");
	Fd client = connect_here(run, listener);
	Fd server = accept_from(listener.fd);
	Stopwatch watch;
	char byte;
	check_errno(recv(client, &byte, 1, 0), ETIMEDOUT, "recv at the client");
	check(watch.elapsed() < patience(5), "it took " + std::to_string(watch.elapsed().count()) + " ms");
	check_errno(recv(server, &byte, 1, 0), ECONNRESET, "recv at the server");
	let_exchange_go(run);
	auto client_after = run.client().counters(), server_after = run.server().counters();
	check_equal(client_after["abort-timeout"] - client_before["abort-timeout"], 1, "abort-timeout of the client");
	check_equal(client_after["encrypted-connect"] - client_before["encrypted-connect"], 0, "encrypted connections");
	check_equal(server_after["encrypted-accept"] - server_before["encrypted-accept"], 0, "encrypted connections");
}

int main(int argc, char **argv)
{
	return run_suite(argc, argv, Shape::pair);
}
