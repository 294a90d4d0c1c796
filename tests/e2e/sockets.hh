/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets of both ends, what goes through them, and whether it is encrypted. */
#ifndef TCPCRYPT_E2E_SOCKETS_HH
#define TCPCRYPT_E2E_SOCKETS_HH

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness.hh"

namespace e2e {

class Fd {
public:
	Fd() = default;
	explicit Fd(int fd) : fd_(fd) {}
	Fd(Fd &&other) noexcept : fd_(other.release()) {}
	Fd &operator=(Fd &&other) noexcept
	{
		reset(other.release());
		return *this;
	}
	~Fd() { reset(); }

	operator int() const { return fd_; }
	int release() { return std::exchange(fd_, -1); }
	void reset(int fd = -1);

private:
	int fd_ = -1;
};

class Address {
public:
	Address() = default;
	Address(const std::string &ip, std::uint16_t port);

	sockaddr *get() { return reinterpret_cast<sockaddr *>(&storage_); }
	const sockaddr *get() const { return reinterpret_cast<const sockaddr *>(&storage_); }
	socklen_t size() const { return size_; }
	int family() const { return storage_.ss_family; }
	std::uint16_t port() const;
	void set_port(std::uint16_t port);

	static Address of(int fd);
	static Address of_peer(int fd);

private:
	sockaddr_storage storage_{};
	socklen_t size_ = sizeof(storage_);
};

/* Making connections */

/** A TCP socket in that namespace. */
Fd socket_in(const Namespace &space, int family, int flags = 0, int protocol = IPPROTO_TCP);

/** One integer option; fails the case when it is refused. */
void set_option(int fd, int level, int name, int value, Location where = Location::current());
int get_option(int fd, int level, int name, Location where = Location::current());
/** SO_BINDTODEVICE. */
void bind_to_device(int fd, const std::string &device, Location where = Location::current());

/** The server's address for the family of this case, port 0. */
Address server_address(Run &run, std::uint16_t port = 0);
Address client_address(Run &run, std::uint16_t port = 0);

struct Listener {
	Fd fd;
	Address address;
};

/** Prepares a socket before bind() or connect(). */
using Prepare = std::function<void(int fd)>;

Listener listen_at(const Namespace &space, Address address, const Prepare &prepare = {}, int backlog = 64);
/** At the server's address. */
Listener listen_here(Run &run, const Prepare &prepare = {}, int backlog = 64);
Fd connect_from(const Namespace &space, const Address &to, const Prepare &prepare = {});
Fd connect_here(Run &run, const Listener &listener, const Prepare &prepare = {});
Fd accept_from(int listener, int flags = 0, Location where = Location::current());

struct Pair {
	Fd client;
	Fd server;
	Listener listener;
};

/** A connection, its key exchange maybe not over. */
Pair connect_pair(Run &run, const Prepare &client = {}, const Prepare &listener = {});
/** The same, and both ends have keys, and agree on the session. */
Pair encrypted_pair(Run &run, const Prepare &client = {}, const Prepare &listener = {});

/**
 * So many connections that are made at the same time, all keys there: none is answered before the last SYN is out.
 * What is held arrives at the client, and is not seen there: a host that cannot send its SYN-ACK forgets the request.
 */
std::vector<Pair> pairs_at_once(Run &run, const Listener &listener, int amount);
/** Nothing from the server is heard at the client any more; let_client_hear() ends it. */
void let_client_hear_nothing(Run &run);
void let_client_hear(Run &run);

/**
 * From here on nothing with PSH reaches the server, so that a key exchange waits, for much longer than two programs
 * take to start on a slow machine.
 */
void hold_exchange(Run &run);
void let_exchange_go(Run &run);

/* Is it encrypted? */

struct Session {
	std::string id;
	int role = -1;
	int tep = -1;
	int aead = -1;
};

/** Waits for the keys, and reads all that the socket tells. */
Session session_of(int fd, Location where = Location::current());
/** Both ends have the same session ID, and one is A, the other B. With --plain: neither has any. */
void check_session(int client, int server, Location where = Location::current());
/** Plain TCP, as if there were no module. */
void check_plain(int fd, Location where = Location::current());

/* Bytes */

/** Occurs in each 64 bytes of text(); what a sniffer looks for. */
extern const std::string text_mark;

/** Text that differs at each place of the stream, and from one @p seed to another. */
std::string text(std::size_t size, std::size_t offset = 0, int seed = 0);

void write_all(int fd, const std::string &data, Location where = Location::current());
/** Just so many bytes; an end of file before is a failure. */
std::string read_exactly(int fd, std::size_t size, Location where = Location::current());
std::string read_to_end(int fd, Location where = Location::current());
void check_end(int fd, Location where = Location::current());
/** @p got must be text(got.size(), offset, seed). */
void check_text(const std::string &got, std::size_t size, std::size_t offset = 0, int seed = 0,
		Location where = Location::current());
/** Both ways, a few bytes: the connection works. */
void check_works(int client, int server, Location where = Location::current());

/** Until not one byte is taken any more, and none leaves for the peer; how many were. */
std::size_t fill_for_good(int fd);

void set_blocking(int fd, bool blocking);
/** What poll() says now, or within the limit. */
short poll_now(int fd, short events, int limit_ms = 0);
void wait_readable(int fd, Location where = Location::current());
/** Bytes that can be read now (FIONREAD). */
int readable_bytes(int fd, Location where = Location::current());
void wait_readable_bytes(int fd, int bytes, Location where = Location::current());
/** SO_ERROR */
int socket_error(int fd);
/** tcpi_state */
int tcp_state(int fd);

} // namespace e2e

#endif
