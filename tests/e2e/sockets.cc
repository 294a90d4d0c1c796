// SPDX-License-Identifier: GPL-2.0
// Sockets of both ends, what goes through them, and whether it is encrypted.
#include "sockets.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcpcrypt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace e2e {

namespace {

constexpr std::size_t line_size = 64;
constexpr int unknown_level = SOL_TCP_ENO - 1;

void append_hex(std::string &out, std::size_t value, int digits)
{
	while (digits-- > 0)
		out += "0123456789abcdef"[value >> (4 * digits) & 15];
}

/** Line @p number: the mark, its number, the seed, and a newline. */
void append_line(std::string &out, std::size_t number, int seed)
{
	std::size_t end = out.size() + line_size - 1;
	out += text_mark;
	out += ' ';
	append_hex(out, number, 16);
	out += ' ';
	append_hex(out, static_cast<unsigned int>(seed), 8);
	out += ' ';
	out.resize(end, static_cast<char>('a' + (number + static_cast<unsigned int>(seed)) % 26));
	out += '\n';
}

} // namespace

const std::string text_mark = "this-is-plaintext";

void Fd::reset(int fd)
{
	if (fd_ >= 0)
		close(fd_);
	fd_ = fd;
}

Address::Address(const std::string &ip, std::uint16_t port)
{
	auto *in = reinterpret_cast<sockaddr_in *>(&storage_);
	auto *in6 = reinterpret_cast<sockaddr_in6 *>(&storage_);
	if (inet_pton(AF_INET, ip.c_str(), &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		size_ = sizeof(*in);
	} else {
		check(inet_pton(AF_INET6, ip.c_str(), &in6->sin6_addr) == 1, "not an address: " + ip);
		in6->sin6_family = AF_INET6;
		size_ = sizeof(*in6);
	}
	set_port(port);
}

std::uint16_t Address::port() const
{
	const auto *in = reinterpret_cast<const sockaddr_in *>(&storage_);
	return ntohs(in->sin_port);	/* at the same place in sockaddr_in6 */
}

void Address::set_port(std::uint16_t port)
{
	reinterpret_cast<sockaddr_in *>(&storage_)->sin_port = htons(port);
}

Address Address::of(int fd)
{
	Address address;
	sys(getsockname(fd, address.get(), &address.size_), "getsockname");
	return address;
}

Address Address::of_peer(int fd)
{
	Address address;
	sys(getpeername(fd, address.get(), &address.size_), "getpeername");
	return address;
}

Fd socket_in(const Namespace &space, int family, int flags, int protocol)
{
	Inside inside(space);
	return Fd(sys(socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, protocol), "socket"));
}

void set_option(int fd, int level, int name, int value, Location where)
{
	sys(setsockopt(fd, level, name, &value, sizeof(value)),
	    "setsockopt " + std::to_string(level) + "/" + std::to_string(name), where);
}

void bind_to_device(int fd, const std::string &device, Location where)
{
	sys(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.c_str(), device.size()), "SO_BINDTODEVICE", where);
}

int get_option(int fd, int level, int name, Location where)
{
	int value = 0;
	socklen_t size = sizeof(value);
	sys(getsockopt(fd, level, name, &value, &size),
	    "getsockopt " + std::to_string(level) + "/" + std::to_string(name), where);
	return value;
}

Address server_address(Run &run, std::uint16_t port)
{
	return Address(run.family() == 6 ? run.server().ipv6() : run.server().ipv4(), port);
}

Address client_address(Run &run, std::uint16_t port)
{
	return Address(run.family() == 6 ? run.client().ipv6() : run.client().ipv4(), port);
}

Listener listen_at(const Namespace &space, Address address, const Prepare &prepare, int backlog)
{
	Listener listener;
	listener.fd = socket_in(space, address.family());
	set_option(listener.fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (prepare)
		prepare(listener.fd);
	sys(bind(listener.fd, address.get(), address.size()), "bind");
	sys(listen(listener.fd, backlog), "listen");
	listener.address = Address::of(listener.fd);
	return listener;
}

Listener listen_here(Run &run, const Prepare &prepare, int backlog)
{
	return listen_at(run.server(), server_address(run), prepare, backlog);
}

Fd connect_from(const Namespace &space, const Address &to, const Prepare &prepare)
{
	Fd fd = socket_in(space, to.family());
	if (prepare)
		prepare(fd);
	if (connect(fd, to.get(), to.size()) < 0)
		check(errno == EINPROGRESS, "connect: " + errno_text(errno));
	return fd;
}

Fd connect_here(Run &run, const Listener &listener, const Prepare &prepare)
{
	return connect_from(run.client(), listener.address, prepare);
}

Fd accept_from(int listener, int flags, Location where)
{
	return Fd(sys(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | flags), "accept", where));
}

Pair connect_pair(Run &run, const Prepare &client, const Prepare &listener)
{
	Pair pair;
	pair.listener = listen_here(run, listener);
	pair.client = connect_here(run, pair.listener, client);
	pair.server = accept_from(pair.listener.fd);
	return pair;
}

Pair encrypted_pair(Run &run, const Prepare &client, const Prepare &listener)
{
	Pair pair = connect_pair(run, client, listener);
	check_session(pair.client, pair.server);
	return pair;
}

void hold_exchange(Run &run)
{
	run.client().set("handshake_timeout_ms", "60000");
	run.server().set("handshake_timeout_ms", "60000");
	run.server().run("nft 'add table inet hold; add chain inet hold in { type filter hook input priority 0; }; "
			 "add rule inet hold in tcp flags & (syn | psh) == psh drop'");
}

void let_exchange_go(Run &run)
{
	run.server().run("nft delete table inet hold");
}

void let_client_hear_nothing(Run &run)
{
	run.client().run("nft 'add table inet deaf; add chain inet deaf in { type filter hook prerouting priority -300; }; "
			 "add rule inet deaf in meta l4proto tcp drop'");
}

void let_client_hear(Run &run)
{
	run.client().run("nft delete table inet deaf");
}

std::vector<Pair> pairs_at_once(Run &run, const Listener &listener, int amount)
{
	std::vector<Pair> pairs;
	run.client().set("syn_retries", "6");	/* that may take a while */
	let_client_hear_nothing(run);
	for (int i = 0; i < amount; i++) {
		pairs.emplace_back();
		pairs.back().client = connect_from(run.client(), listener.address, [](int fd) { set_blocking(fd, false); });
	}
	let_client_hear(run);
	for (Pair &pair : pairs) {
		pair.server = accept_from(listener.fd);
		check(poll_now(pair.client, POLLOUT, 20000) & POLLOUT, "no connection");
		set_blocking(pair.client, true);
	}
	for (Pair &pair : pairs) {
		session_of(pair.client);
		session_of(pair.server);
	}
	return pairs;
}

Session session_of(int fd, Location where)
{
	Session session;
	std::array<char, TCPCRYPT_SESSID_SIZE> id;
	socklen_t size = id.size();
	int error = 0;
	bool got = wait_until([&] {
		size = id.size();
		error = getsockopt(fd, SOL_TCP_ENO, TCP_ENO_SESSID, id.data(), &size) < 0 ? errno : 0;
		return error != ENOTCONN;
	}, patience(10));
	if (!got || error)
		fail("no session ID: " + errno_text(error), where);
	check_equal(size, TCPCRYPT_SESSID_SIZE, "length of the session ID", where);
	session.id.assign(id.data(), size);
	check(session.id.substr(1).find_first_not_of('\0') != std::string::npos, "an empty session ID", where);
	session.role = get_option(fd, SOL_TCP_ENO, TCP_ENO_ROLE, where);
	session.tep = get_option(fd, SOL_TCP_ENO, TCP_ENO_NEGTEP, where);
	session.aead = get_option(fd, SOL_TCP_ENO, TCP_CRYPT_AEAD, where);
	int v = get_option(fd, SOL_TCP_ENO, TCP_CRYPT_RESUMED, where) ? 0x80 : 0;	/* */
	check_equal(static_cast<int>(static_cast<unsigned char>(session.id[0])), session.tep | v,
		    "first byte of the session ID", where);
	return session;
}

void check_session(int client, int server, Location where)
{
	if (options.plain) {
		check_plain(client, where);
		check_plain(server, where);
		return;
	}
	Session at_client = session_of(client, where);
	Session at_server = session_of(server, where);
	check(at_client.id == at_server.id, "the session IDs differ", where);
	check_equal(at_client.role, 0, "role of the client", where);
	check_equal(at_server.role, 1, "role of the server", where);
	check_equal(at_client.tep, at_server.tep, "TEP", where);
	check_equal(at_client.aead, at_server.aead, "AEAD", where);
}

void check_plain(int fd, Location where)
{
	std::array<char, 64> buffer;
	socklen_t size = buffer.size();
	/* What TCP says to a level that nobody knows depends on the family: EOPNOTSUPP or ENOPROTOOPT. */
	check(getsockopt(fd, unknown_level, TCP_ENO_SESSID, buffer.data(), &size) < 0, "an unknown level is known", where);
	int unknown = errno;
	for (int name : {TCP_ENO_SESSID, TCP_ENO_ROLE, TCP_ENO_NEGTEP, TCP_CRYPT_AEAD}) {
		size = buffer.size();
		check_errno(getsockopt(fd, SOL_TCP_ENO, name, buffer.data(), &size), unknown,
			    "socket option " + std::to_string(name) + " of a plain connection", where);
	}
	size = buffer.size();
	sys(getsockopt(fd, IPPROTO_TCP, TCP_ULP, buffer.data(), &size), "getsockopt TCP_ULP", where);
	check_equal(size, 0u, "length of the ULP's name", where);
}

std::string text(std::size_t size, std::size_t offset, int seed)
{
	std::string out;
	std::size_t first = offset / line_size;
	out.reserve(size + 2 * line_size);
	for (std::size_t line = first; line * line_size < offset + size; line++)
		append_line(out, line, seed);
	return out.substr(offset - first * line_size, size);
}

void write_all(int fd, const std::string &data, Location where)
{
	std::size_t done = 0;
	while (done < data.size()) {
		ssize_t wrote = send(fd, data.data() + done, data.size() - done, MSG_NOSIGNAL);
		if (wrote < 0 && errno == EAGAIN) {
			poll_now(fd, POLLOUT, 100);
			continue;
		}
		done += static_cast<std::size_t>(sys(wrote, "send", where));
	}
}

std::string read_exactly(int fd, std::size_t size, Location where)
{
	std::string data(size, '\0');
	std::size_t done = 0;
	while (done < size) {
		ssize_t got = recv(fd, data.data() + done, size - done, 0);
		if (got < 0 && errno == EAGAIN) {
			poll_now(fd, POLLIN, 100);
			continue;
		}
		sys(got, "recv after " + std::to_string(done) + " bytes", where);
		if (got == 0)
			fail("end of file after " + std::to_string(done) + " of " + std::to_string(size) + " bytes", where);
		done += static_cast<std::size_t>(got);
	}
	return data;
}

std::string read_to_end(int fd, Location where)
{
	std::string data;
	std::vector<char> buffer(65536);
	for (;;) {
		ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
		if (got < 0 && errno == EAGAIN) {
			poll_now(fd, POLLIN, 100);
			continue;
		}
		sys(got, "recv after " + std::to_string(data.size()) + " bytes", where);
		if (got == 0)
			return data;
		data.append(buffer.data(), static_cast<std::size_t>(got));
	}
}

void check_end(int fd, Location where)
{
	std::string rest = read_to_end(fd, where);
	check_equal(rest.size(), 0u, "bytes before the end of file", where);
}

void check_text(const std::string &got, std::size_t size, std::size_t offset, int seed, Location where)
{
	check_equal(got.size(), size, "bytes received", where);
	std::string wanted = text(size, offset, seed);
	if (got == wanted)
		return;
	auto [at, other] = std::ranges::mismatch(got, wanted);
	fail("the bytes differ from number " + std::to_string(offset + static_cast<std::size_t>(at - got.begin())) +
	     " on: '" + std::string(at, std::min(at + 20, got.end())) + "' instead of '" +
	     std::string(other, std::min(other + 20, wanted.end())) + "'", where);
}

void check_works(int client, int server, Location where)
{
	constexpr std::size_t size = 1000;
	write_all(client, text(size, 0, 101), where);
	check_text(read_exactly(server, size, where), size, 0, 101, where);
	write_all(server, text(size, 0, 102), where);
	check_text(read_exactly(client, size, where), size, 0, 102, where);
}

void set_blocking(int fd, bool blocking)
{
	int flags = sys(fcntl(fd, F_GETFL), "F_GETFL");
	sys(fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK), "F_SETFL");
}

std::size_t fill_for_good(int fd)
{
	std::size_t total = 0;
	for (int refusals = 0; refusals < 3;) {
		std::string chunk = text(30000, total);
		ssize_t wrote = send(fd, chunk.data(), chunk.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
		refusals = wrote > 0 ? 0 : refusals + 1;
		if (wrote > 0)
			total += static_cast<std::size_t>(wrote);
		else
			poll_now(fd, POLLOUT, 100);
	}
	return total;
}

short poll_now(int fd, short events, int limit_ms)
{
	pollfd wanted{fd, events, 0};
	sys(poll(&wanted, 1, limit_ms), "poll");
	return wanted.revents;
}

void wait_readable(int fd, Location where)
{
	if (!(poll_now(fd, POLLIN, static_cast<int>(patience(10).count())) & POLLIN))
		fail("poll() does not find it readable", where);
}

int readable_bytes(int fd, Location where)
{
	int bytes = -1;
	sys(ioctl(fd, FIONREAD, &bytes), "FIONREAD", where);
	return bytes;
}

void wait_readable_bytes(int fd, int bytes, Location where)
{
	int got = -1;
	if (!wait_until([&] { return (got = readable_bytes(fd, where)) == bytes; }))
		fail("FIONREAD says " + std::to_string(got) + " instead of " + std::to_string(bytes), where);
}

int socket_error(int fd)
{
	return get_option(fd, SOL_SOCKET, SO_ERROR);
}

int tcp_state(int fd)
{
	tcp_info info{};
	socklen_t size = sizeof(info);
	sys(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
	return info.tcpi_state;
}

} // namespace e2e
