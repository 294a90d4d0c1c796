// SPDX-License-Identifier: GPL-2.0
// Programs that ask: setsockopt(TCP_ULP, "tcpcrypt"), and the options of level SOL_TCP_ENO before and after.
#include <linux/capability.h>
#include <linux/tcpcrypt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "sockets.hh"

using namespace e2e;

namespace {

void opt_in(int fd)
{
	sys(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tcpcrypt", 8), "TCP_ULP tcpcrypt");
}

std::string ulp_of(int fd)
{
	std::array<char, 16> name{};
	socklen_t size = name.size();
	sys(getsockopt(fd, IPPROTO_TCP, TCP_ULP, name.data(), &size), "getsockopt TCP_ULP");
	return std::string(name.data());
}

std::string bytes_of(int fd, int option)
{
	std::string value(200, '\0');
	socklen_t size = static_cast<socklen_t>(value.size());
	sys(getsockopt(fd, SOL_TCP_ENO, option, value.data(), &size), "getsockopt " + std::to_string(option));
	value.resize(size);
	return value;
}

int set_bytes(int fd, int option, const std::string &value)
{
	return setsockopt(fd, SOL_TCP_ENO, option, value.data(), static_cast<socklen_t>(value.size()));
}

int set_number(int fd, int option, int value)
{
	return setsockopt(fd, SOL_TCP_ENO, option, &value, sizeof(value));
}

int get_errno(int fd, int option)
{
	std::array<char, 200> value;
	socklen_t size = value.size();
	return getsockopt(fd, SOL_TCP_ENO, option, value.data(), &size) < 0 ? errno : 0;
}

tcpcrypt_info info_of(int fd)
{
	tcpcrypt_info info{};
	socklen_t size = sizeof(info);
	sys(getsockopt(fd, SOL_TCP_ENO, TCP_CRYPT_INFO, &info, &size), "TCP_CRYPT_INFO");
	check(info.size >= sizeof(info) && size == sizeof(info), "size of struct tcpcrypt_info");
	return info;
}

Prepare mandatory()
{
	return [](int fd) {
		opt_in(fd);
		set_option(fd, SOL_TCP_ENO, TCP_ENO_MANDATORY, 1);
	};
}

/** @body is run by this thread without an effective capability that it has. */
template <typename Body> void without_capability(int capability, const Body &body)
{
	__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
	std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> had{};
	sys(static_cast<int>(syscall(SYS_capget, &header, had.data())), "capget");
	auto less = had;
	less.at(static_cast<std::size_t>(capability / 32)).effective &= ~(1u << (capability % 32));
	sys(static_cast<int>(syscall(SYS_capset, &header, less.data())), "capset");
	body();
	sys(static_cast<int>(syscall(SYS_capset, &header, had.data())), "capset");
}

/** 0 or an errno. */
int connect_error(int fd, const Address &to)
{
	return connect(fd, to.get(), to.size()) < 0 ? errno : 0;
}

const std::string tep_p521_and_curve25519("\x22\x23", 2);

} // namespace

E2E_CASE(optin_defaults, nothing(), 20, true)
{
	if (options.plain)
		return;
	Fd fd = socket_in(run.client(), AF_INET);
	/* As on a machine without the module, until it asks. */
	check_plain(fd);
	check(set_number(fd, TCP_ENO_MANDATORY, 1) < 0, "an option is known before TCP_ULP");
	opt_in(fd);
	check_equal(ulp_of(fd), std::string("tcpcrypt"), "TCP_ULP");
	check_errno(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tcpcrypt", 8), EEXIST, "TCP_ULP again");
	for (auto [option, value] : {std::pair{TCP_ENO_ENABLED, -1}, {TCP_ENO_SELF_GOPT, 0}, {TCP_ENO_SELF_AWARE, 0},
				     {TCP_ENO_ROLEOVERRIDE, 0}, {TCP_ENO_MANDATORY, 0}, {TCP_CRYPT_RESUME, 3}})
		check_equal(get_option(fd, SOL_TCP_ENO, option), value, "option " + std::to_string(option));
	/* As the sysctls say: here the best one is the last. */
	check_equal(bytes_of(fd, TCP_ENO_TEPS).back(), '\x23', "the best TEP");
	check(!bytes_of(fd, TCP_CRYPT_AEADS).empty(), "no AEADs");
	for (int option : {TCP_ENO_SESSID, TCP_ENO_NEGTEP, TCP_ENO_PEER_GOPT, TCP_ENO_PEER_AWARE, TCP_ENO_ROLE, TCP_ENO_LOCAL_NAME,
			   TCP_ENO_PEER_NAME, TCP_ENO_TRANSCRIPT, TCP_CRYPT_AEAD})
		check_equal(get_errno(fd, option), ENOTCONN, "errno of option " + std::to_string(option));
	check_equal(get_errno(fd, 999), ENOPROTOOPT, "errno of an unknown option");
	check_equal(info_of(fd).state, 0, "state");
}

E2E_CASE(optin_values, nothing(), 20)
{
	if (options.plain)
		return;
	Fd fd = socket_in(run.client(), AF_INET6);
	opt_in(fd);
	for (auto [option, value] : {std::pair{TCP_ENO_ENABLED, 0}, {TCP_ENO_ENABLED, 1}, {TCP_ENO_ENABLED, -1},
				     {TCP_ENO_SELF_GOPT, 1}, {TCP_ENO_SELF_GOPT, 2}, {TCP_ENO_SELF_GOPT, 0},
				     {TCP_ENO_SELF_AWARE, 1}, {TCP_ENO_SELF_AWARE, 2}, {TCP_ENO_SELF_AWARE, 0},
				     {TCP_ENO_ROLEOVERRIDE, 1}, {TCP_ENO_ROLEOVERRIDE, 0}, {TCP_ENO_MANDATORY, 1},
				     {TCP_ENO_MANDATORY, 0}, {TCP_CRYPT_RESUME, 0}, {TCP_CRYPT_RESUME, 2}}) {
		set_option(fd, SOL_TCP_ENO, option, value);
		check_equal(get_option(fd, SOL_TCP_ENO, option), value, "option " + std::to_string(option));
	}
	/* Two ways to say the same. */
	set_option(fd, SOL_TCP_ENO, TCP_ENO_ROLEOVERRIDE, 1);
	set_option(fd, SOL_TCP_ENO, TCP_ENO_SELF_AWARE, 2);
	check_equal(get_option(fd, SOL_TCP_ENO, TCP_ENO_SELF_GOPT), 3, "TCP_ENO_SELF_GOPT");
	set_option(fd, SOL_TCP_ENO, TCP_ENO_SELF_GOPT, 2);
	check_equal(get_option(fd, SOL_TCP_ENO, TCP_ENO_SELF_AWARE), 2, "TCP_ENO_SELF_AWARE");
	check_equal(get_option(fd, SOL_TCP_ENO, TCP_ENO_ROLEOVERRIDE), 0, "TCP_ENO_ROLEOVERRIDE");
	for (auto [option, value] : {std::pair{TCP_ENO_ENABLED, 2}, {TCP_ENO_ENABLED, -2}, {TCP_ENO_SELF_GOPT, 4},
				     {TCP_ENO_SELF_GOPT, 31}, {TCP_ENO_SELF_GOPT, -1}, {TCP_ENO_SELF_AWARE, 3},
				     {TCP_ENO_ROLEOVERRIDE, 2}, {TCP_ENO_MANDATORY, 2}, {TCP_ENO_MANDATORY, -1},
				     {TCP_CRYPT_RESUME, 4}})
		check_errno(set_number(fd, option, value), EINVAL, "option " + std::to_string(option));
	for (int option : {TCP_ENO_SESSID, TCP_ENO_NEGTEP, TCP_ENO_PEER_GOPT, TCP_ENO_ROLE, TCP_ENO_TRANSCRIPT, TCP_CRYPT_AEAD,
			   TCP_CRYPT_INFO, 999})
		check_errno(set_number(fd, option, 1), ENOPROTOOPT, "option " + std::to_string(option));

	sys(set_bytes(fd, TCP_ENO_TEPS, tep_p521_and_curve25519), "TCP_ENO_TEPS");
	check(bytes_of(fd, TCP_ENO_TEPS) == tep_p521_and_curve25519, "TCP_ENO_TEPS is not what was set");
	for (const std::string &bad : {std::string(), std::string("\x20"), std::string("\x23\x23"), std::string("\xa3"), std::string(100, '\x23')})
		check_errno(set_bytes(fd, TCP_ENO_TEPS, bad), EINVAL, "TCP_ENO_TEPS of " + std::to_string(bad.size()) + " bytes");
	const std::string aeads("\x10\0\x01\0", 4);
	sys(set_bytes(fd, TCP_CRYPT_AEADS, aeads), "TCP_CRYPT_AEADS");
	check(bytes_of(fd, TCP_CRYPT_AEADS) == aeads, "TCP_CRYPT_AEADS is not what was set");
	for (const std::string &bad : {std::string(), std::string("\x01"), std::string("\x01\0\x01\0", 4), std::string("\x03\0", 2)})
		check_errno(set_bytes(fd, TCP_CRYPT_AEADS, bad), EINVAL, "TCP_CRYPT_AEADS of " + std::to_string(bad.size()) + " bytes");
	/* A buffer that is too short for a list. */
	char byte;
	socklen_t size = 1;
	check_errno(getsockopt(fd, SOL_TCP_ENO, TCP_CRYPT_AEADS, &byte, &size), EINVAL, "a short buffer");
	check_equal(size, 4u, "length that is needed");
	check_errno(setsockopt(fd, SOL_TCP_ENO, TCP_ENO_MANDATORY, &byte, 1), EINVAL, "a short int");
	check_errno(setsockopt(fd, SOL_TCP_ENO, TCP_ENO_MANDATORY, reinterpret_cast<void *>(8), 4), EFAULT, "a bad address");
	/* The administrator may allow less than was asked for. */
	run.client().set("teps", "curve25519");
	check_equal(bytes_of(fd, TCP_ENO_TEPS), std::string("\x23"), "TCP_ENO_TEPS");
}

/* The literal option is for the administrator of the network namespace. */
E2E_CASE(optin_raw, encrypted(), 20)
{
	if (options.plain)
		return;
	const std::string contents("\x02\x25\x22\x23", 4);
	Fd fd = socket_in(run.client(), AF_INET);
	opt_in(fd);
	check_equal(bytes_of(fd, TCP_ENO_RAW), std::string(), "TCP_ENO_RAW");
	for (const std::string &value : {std::string(38, '\xff'), contents, std::string()}) {
		sys(set_bytes(fd, TCP_ENO_RAW, value), "TCP_ENO_RAW of " + std::to_string(value.size()) + " bytes");
		check_equal(bytes_of(fd, TCP_ENO_RAW), value, "TCP_ENO_RAW");
	}
	check_errno(set_bytes(fd, TCP_ENO_RAW, std::string(39, '\x23')), EINVAL, "TCP_ENO_RAW of 39 bytes");
	without_capability(CAP_NET_RAW, [&] {
		check_errno(set_bytes(fd, TCP_ENO_RAW, contents), EPERM, "TCP_ENO_RAW");
		check_equal(bytes_of(fd, TCP_ENO_RAW), std::string(), "TCP_ENO_RAW after that");
		set_option(fd, SOL_TCP_ENO, TCP_ENO_MANDATORY, 1);
	});
	Pair pair = encrypted_pair(run, [&](int client) {
		opt_in(client);
		sys(set_bytes(client, TCP_ENO_RAW, contents), "TCP_ENO_RAW");
	});
	check_works(pair.client, pair.server);
	check_equal(get_option(pair.client, SOL_TCP_ENO, TCP_ENO_NEGTEP), 0x23, "TEP");
	check_equal(bytes_of(pair.client, TCP_ENO_RAW), contents, "TCP_ENO_RAW of the client");
	/* Who never asked may read it, too. */
	check_equal(bytes_of(pair.server, TCP_ENO_RAW), std::string("\x01\x23", 2), "TCP_ENO_RAW of the server");
	check_equal(get_option(pair.server, SOL_TCP_ENO, TCP_ENO_PEER_GOPT), 2, "global suboption of the client");
	check_equal(bytes_of(pair.client, TCP_ENO_TRANSCRIPT), "\x45\x06" + contents + "\x45\x04\x01\x23", "transcript");
	check_errno(set_bytes(pair.client, TCP_ENO_RAW, contents), EISCONN, "TCP_ENO_RAW of a connection");
}

/* Both ends ask, and read all that there is. */
E2E_CASE(optin_both_ends, encrypted(), 20, true)
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(
		run,
		[](int fd) {
			opt_in(fd);
			set_option(fd, SOL_TCP_ENO, TCP_ENO_SELF_AWARE, 1);
			sys(set_bytes(fd, TCP_ENO_TEPS, tep_p521_and_curve25519), "TCP_ENO_TEPS");
		},
		[](int fd) {
			opt_in(fd);
			set_option(fd, SOL_TCP_ENO, TCP_CRYPT_RESUME, 1);
			sys(set_bytes(fd, TCP_CRYPT_AEADS, std::string("\x10\0", 2)), "TCP_CRYPT_AEADS");
		});
	check_works(pair.client, pair.server);
	check_equal(ulp_of(pair.client), std::string("tcpcrypt"), "TCP_ULP of the client");
	check_equal(ulp_of(pair.server), std::string("tcpcrypt"), "TCP_ULP of the server");
	check_equal(get_option(pair.client, SOL_TCP_ENO, TCP_ENO_NEGTEP), 0x23, "TEP");
	check_equal(get_option(pair.client, SOL_TCP_ENO, TCP_CRYPT_AEAD), 0x10, "AEAD");
	check_equal(get_option(pair.client, SOL_TCP_ENO, TCP_ENO_SELF_GOPT), 2, "global suboption of the client");
	check_equal(get_option(pair.server, SOL_TCP_ENO, TCP_ENO_PEER_GOPT), 2, "the same, as the server got it");
	check_equal(get_option(pair.server, SOL_TCP_ENO, TCP_ENO_PEER_AWARE), 1, "a of the client");
	check_equal(get_option(pair.server, SOL_TCP_ENO, TCP_ENO_SELF_GOPT), 1, "global suboption of the server");
	check_equal(get_option(pair.client, SOL_TCP_ENO, TCP_ENO_PEER_GOPT), 1, "the same, as the client got it");
	check_equal(get_option(pair.client, SOL_TCP_ENO, TCP_ENO_PEER_AWARE), 0, "a of the server");
	/* The listener's, handed down. */
	check_equal(get_option(pair.server, SOL_TCP_ENO, TCP_CRYPT_RESUME), 1, "TCP_CRYPT_RESUME of the child");
	check_equal(bytes_of(pair.server, TCP_CRYPT_AEADS), std::string("\x10\0", 2), "TCP_CRYPT_AEADS of the child");

	std::string id = bytes_of(pair.client, TCP_ENO_SESSID);
	check_equal(bytes_of(pair.client, TCP_ENO_LOCAL_NAME), std::string(1, '\0') + id, "name of A");
	check_equal(bytes_of(pair.server, TCP_ENO_LOCAL_NAME), std::string(1, '\1') + id, "name of B");
	check_equal(bytes_of(pair.client, TCP_ENO_PEER_NAME), bytes_of(pair.server, TCP_ENO_LOCAL_NAME), "name of B at A");
	check_equal(bytes_of(pair.server, TCP_ENO_PEER_NAME), bytes_of(pair.client, TCP_ENO_LOCAL_NAME), "name of A at B");
	const std::string transcript("\x45\x05\x02\x22\x23\x45\x04\x01\x23", 9);
	check_equal(bytes_of(pair.client, TCP_ENO_TRANSCRIPT), transcript, "transcript of the client");
	check_equal(bytes_of(pair.server, TCP_ENO_TRANSCRIPT), transcript, "transcript of the server");

	tcpcrypt_info info = info_of(pair.server);
	check_equal(static_cast<int>(info.state), static_cast<int>(TCPCRYPT_STATE_ENCRYPTED), "state");
	check_equal(static_cast<int>(info.active), 0, "active");
	check_equal(static_cast<int>(info.role), 1, "role");
	check_equal(static_cast<int>(info.tep), 0x23, "TEP");
	check_equal(info.aead, 0x10, "AEAD");
	check_equal(info.rx_bytes, 1000u, "bytes opened");
	check_equal(info.tx_bytes, 1000u, "bytes sealed");
	check(info.rx_frames >= 1 && info.handshake_us > 0, "frames or time are missing");
	check_equal(static_cast<int>(info_of(pair.client).active), 1, "active, of the client");
	/* The start of it, for programs of an older header. */
	std::uint32_t size_field = 0;
	socklen_t size = sizeof(size_field);
	sys(getsockopt(pair.client, SOL_TCP_ENO, TCP_CRYPT_INFO, &size_field, &size), "TCP_CRYPT_INFO in 4 bytes");
	check_equal(size_field, info.size, "size");

	/* Too late for both, and for who never asked. */
	for (int fd : {static_cast<int>(pair.client), static_cast<int>(pair.server), static_cast<int>(pair.listener.fd)})
		for (int option : {TCP_ENO_ENABLED, TCP_ENO_SELF_GOPT, TCP_ENO_SELF_AWARE, TCP_ENO_ROLEOVERRIDE, TCP_ENO_MANDATORY,
				   TCP_CRYPT_RESUME, TCP_ENO_TEPS, TCP_ENO_RAW, TCP_CRYPT_AEADS})
			check_errno(set_number(fd, option, 0), EISCONN, "option " + std::to_string(option));
	char byte;
	size = 1;
	check_errno(getsockopt(pair.client, SOL_TCP_ENO, TCP_ENO_TRANSCRIPT, &byte, &size), EINVAL, "a short buffer");
	check_equal(size, 9u, "length that is needed");
}

/* Transparently encrypted: the same options can be read. */
E2E_CASE(options_without_optin, encrypted(), 20)
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(run);
	check_equal(get_option(pair.client, SOL_TCP_ENO, TCP_ENO_ENABLED), -1, "TCP_ENO_ENABLED");
	check_equal(get_option(pair.server, SOL_TCP_ENO, TCP_ENO_SELF_GOPT), 1, "TCP_ENO_SELF_GOPT of the server");
	check_equal(bytes_of(pair.client, TCP_ENO_TRANSCRIPT), bytes_of(pair.server, TCP_ENO_TRANSCRIPT), "transcript");
	check_errno(set_number(pair.client, TCP_ENO_MANDATORY, 1), EISCONN, "TCP_ENO_MANDATORY");
	check_errno(setsockopt(pair.client, IPPROTO_TCP, TCP_ULP, "tcpcrypt", 8), EEXIST, "TCP_ULP");
}

/* What fell back has no settings, and is TCP's alone. */
E2E_CASE(optin_falls_back, plain("no-eno-in-synack", "disabled"), 20)
{
	if (options.plain)
		return;
	Pair pair = connect_pair(run, opt_in, [](int fd) {
		opt_in(fd);
		set_option(fd, SOL_TCP_ENO, TCP_ENO_ENABLED, 0);
	});
	check_works(pair.client, pair.server);
	check_plain(pair.client);
	check_plain(pair.server);
	check_errno(setsockopt(pair.client, IPPROTO_TCP, TCP_ULP, "tcpcrypt", 8), EISCONN, "TCP_ULP of a connected socket");
	sys(setsockopt(pair.client, IPPROTO_TCP, TCP_ULP, "tls", 3), "TCP_ULP tls");
}

E2E_CASE(optin_switched_off, plain("disabled", "no-eno-in-syn"), 20)
{
	if (options.plain)
		return;
	Pair pair = connect_pair(run, [](int fd) {
		opt_in(fd);
		set_option(fd, SOL_TCP_ENO, TCP_ENO_ENABLED, 0);
	});
	check_works(pair.client, pair.server);
	check_plain(pair.client);
}

E2E_CASE(optin_against_the_sysctls, encrypted(), 20)
{
	if (options.plain)
		return;
	run.client().set("enable_connect", "0");
	run.server().set("enable_listen", "0");
	run.client().set("bad_connect_ports", "1-65535");
	run.server().set("bad_listen_ports", "1-65535");
	auto on = [](int fd) {
		opt_in(fd);
		set_option(fd, SOL_TCP_ENO, TCP_ENO_ENABLED, 1);
	};
	Pair pair = encrypted_pair(run, on, on);
	check_works(pair.client, pair.server);
}

/* Closed without ever having been connected, in each state that there is. */
E2E_CASE(optin_and_close, nothing(), 20)
{
	if (options.plain)
		return;
	for (int family : {AF_INET, AF_INET6}) {
		Fd idle = socket_in(run.client(), family);
		opt_in(idle);
		set_option(idle, SOL_TCP_ENO, TCP_ENO_MANDATORY, 1);
		Fd copy(sys(dup(idle), "dup"));
		idle.reset();
		check_equal(get_option(copy, SOL_TCP_ENO, TCP_ENO_MANDATORY), 1, "TCP_ENO_MANDATORY of the copy");
		Fd bound = socket_in(run.client(), family);
		opt_in(bound);
		Address any(family == AF_INET ? "0.0.0.0" : "::", 0);
		sys(bind(bound, any.get(), any.size()), "bind");
		sys(listen(bound, 1), "listen");
		check_errno(set_number(bound, TCP_ENO_MANDATORY, 1), EISCONN, "TCP_ENO_MANDATORY of a listener");
		/* Not a listener any more. */
		sys(shutdown(bound, SHUT_RDWR), "shutdown");
		sys(set_number(bound, TCP_ENO_MANDATORY, 1), "TCP_ENO_MANDATORY");
		sys(listen(bound, 1), "listen again");
	}
}

/* A listener goes while connections of it are there, and while some are half open or not accepted. */
E2E_CASE(optin_listener_goes, encrypted(3), 30)
{
	if (options.plain)
		return;
	Listener listener = listen_here(run, opt_in);
	Fd one = connect_here(run, listener), two = connect_here(run, listener), three = connect_here(run, listener);
	Fd server = accept_from(listener.fd);
	check_session(one, server);
	session_of(two);
	session_of(three);
	listener.fd.reset();
	check_works(one, server);
	check_equal(bytes_of(server, TCP_ENO_TRANSCRIPT), bytes_of(one, TCP_ENO_TRANSCRIPT), "transcript");
	char byte;
	check_errno(recv(two, &byte, 1, 0), ECONNRESET, "recv of a connection that nobody accepted");
}

/* Many of them: references come and go. */
E2E_CASE(optin_many, encrypted(40), 60)
{
	if (options.plain)
		return;
	Listener listener = listen_here(run, opt_in);
	for (int i = 0; i < 40; i++) {
		Fd client = connect_here(run, listener, i % 2 ? Prepare(opt_in) : Prepare());
		Fd server = accept_from(listener.fd);
		check_works(client, server);
		check_session(client, server);
	}
}

/* Settings stay with the socket when it is disconnected, and when connect() fails. */
E2E_CASE(optin_connects_again, encrypted(2), 30)
{
	if (options.plain)
		return;
	Listener listener = listen_here(run);
	Fd client = socket_in(run.client(), listener.address.family());
	opt_in(client);
	sys(set_bytes(client, TCP_ENO_TEPS, tep_p521_and_curve25519), "TCP_ENO_TEPS");
	for (int i = 0; i < 2; i++) {
		Address nobody = listener.address;
		nobody.set_port(1);
		check_equal(connect_error(client, nobody), ECONNREFUSED, "connect to nobody");
		check_equal(bytes_of(client, TCP_ENO_TEPS), tep_p521_and_curve25519, "TCP_ENO_TEPS");
		check_equal(connect_error(client, listener.address), 0, "connect");
		Fd server = accept_from(listener.fd);
		check_works(client, server);
		check_session(client, server);
		check_equal(bytes_of(client, TCP_ENO_TRANSCRIPT).substr(0, 4), std::string("\x45\x04\x22\x23", 4), "our option");
		sockaddr none{};
		none.sa_family = AF_UNSPEC;
		sys(connect(client, &none, sizeof(none)), "disconnect");
		check_equal(ulp_of(client), std::string("tcpcrypt"), "TCP_ULP");
		check_equal(bytes_of(client, TCP_ENO_TEPS), tep_p521_and_curve25519, "TCP_ENO_TEPS");
	}
}

/* E-25 */

E2E_CASE(mandatory_and_encrypted, encrypted(), 20, true)
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(run, mandatory(), mandatory());
	check_works(pair.client, pair.server);
	check_equal(get_option(pair.server, SOL_TCP_ENO, TCP_ENO_MANDATORY), 1, "TCP_ENO_MANDATORY of the child");
}

/* The peer has no ENO: connect() fails, and the same socket can try again. */
E2E_CASE(mandatory_connect, encrypted(), 30, true)
{
	if (options.plain)
		return;
	run.expect.client["abort-required"] = 1;
	run.expect.server["disabled"] = 1;
	Listener listener = listen_here(run);
	Fd client = socket_in(run.client(), listener.address.family());
	mandatory()(client);
	run.server().set("enable_listen", "0");
	check_equal(connect_error(client, listener.address), ECONNREFUSED, "connect");
	char byte;
	check(send(client, "x", 1, MSG_NOSIGNAL) < 0, "send works on a refused connection");
	check(recv(client, &byte, 1, MSG_DONTWAIT) < 0, "recv works on a refused connection");
	check_equal(get_option(client, SOL_TCP_ENO, TCP_ENO_MANDATORY), 1, "TCP_ENO_MANDATORY");
	run.server().set("enable_listen", "1");
	check_equal(connect_error(client, listener.address), 0, "connect again");
	for (;;) {	/* the first one, half open, may be there, and is reset before it is anybody's */
		Fd server = accept_from(listener.fd);
		if (Address::of_peer(server).port() != Address::of(client).port())
			continue;
		check_works(client, server);
		check_session(client, server);
		break;
	}
}

E2E_CASE(mandatory_connect_without_blocking, nothing(), 30)
{
	if (options.plain)
		return;
	run.expect.client["abort-required"] = 1;
	run.expect.server["disabled"] = 1;
	run.server().set("enable_listen", "0");
	Listener listener = listen_here(run);
	Fd client = socket_in(run.client(), listener.address.family(), SOCK_NONBLOCK);
	mandatory()(client);
	check_equal(connect_error(client, listener.address), EINPROGRESS, "connect");
	short events = poll_now(client, POLLOUT, 5000);
	check(events & POLLERR, "poll() finds no error");
	check_equal(socket_error(client), ECONNREFUSED, "SO_ERROR");
}

/* It never gets so far as a SYN. */
E2E_CASE(mandatory_and_switched_off, nothing(), 30)
{
	if (options.plain)
		return;
	run.expect.client["abort-required"] = 2;
	Listener listener = listen_here(run);
	run.client().set("enable_connect", "0");
	Fd client = socket_in(run.client(), listener.address.family());
	mandatory()(client);
	for (int i = 0; i < 2; i++)
		check_equal(connect_error(client, listener.address), ECONNREFUSED, "connect");
	check_equal(poll_now(listener.fd, POLLIN, 300), 0, "events of the listener");
}

/* A client without ENO is refused, and the listener never hears of it. */
E2E_CASE(mandatory_listen, encrypted(), 30, true)
{
	if (options.plain)
		return;
	run.expect.client["disabled"] = 2;
	run.expect.server["abort-required"] = 2;
	Listener listener = listen_here(run, mandatory(), 1);
	run.client().set("enable_connect", "0");
	for (int i = 0; i < 2; i++) {
		Fd client = socket_in(run.client(), listener.address.family());
		check_equal(connect_error(client, listener.address), ECONNREFUSED, "connect");
	}
	check_equal(poll_now(listener.fd, POLLIN, 300), 0, "events of the listener");
	run.client().set("enable_connect", "1");
	Fd client = connect_here(run, listener);
	Fd server = accept_from(listener.fd);
	check_works(client, server);
	check_session(client, server);
}

E2E_CASE(required_by_sysctl, encrypted(), 30, true)
{
	if (options.plain)
		return;
	run.expect.client = {{"abort-required", 1}, {"disabled", 1}};
	run.expect.server = {{"abort-required", 1}, {"disabled", 1}};
	Listener listener = listen_here(run);
	run.client().set("enable_connect", "2");
	run.server().set("enable_listen", "0");
	Fd refused = socket_in(run.client(), listener.address.family());
	check_equal(connect_error(refused, listener.address), ECONNREFUSED, "connect to a listener without ENO");
	run.client().set("enable_connect", "0");
	run.server().set("enable_listen", "2");
	Fd again = socket_in(run.client(), listener.address.family());
	check_equal(connect_error(again, listener.address), ECONNREFUSED, "connect without ENO");
	run.client().set("enable_connect", "2");
	Fd client = connect_here(run, listener);
	Fd server;
	do
		server = accept_from(listener.fd);
	while (Address::of_peer(server).port() != Address::of(client).port());
	check_works(client, server);
	check_session(client, server);
}

/* Who requires leaves the ports alone where everybody encrypts already. */
E2E_CASE(required_but_not_on_bad_ports, plain("bad-port", "no-eno-in-syn"), 30)
{
	if (options.plain)
		return;
	run.client().set("enable_connect", "2");
	run.server().set("enable_listen", "2");
	run.client().set("bad_connect_ports", "8443");
	run.server().set("bad_listen_ports", "8443");
	Listener listener = listen_at(run.server(), server_address(run, 8443));
	Fd client = connect_here(run, listener);
	Fd server = accept_from(listener.fd);
	check_works(client, server);
	check_plain(client);
	check_plain(server);
}
