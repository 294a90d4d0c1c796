// SPDX-License-Identifier: GPL-2.0
// New keys on request, and keep-alive: a peer that is there answers for good, one that is not ends the connection.
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <atomic>

#include "sockets.hh"

using namespace e2e;

namespace {

/** Seconds, and how often. */
struct Times {
	int idle = 1;
	int interval = 1;
	int count = 2;
};

void set_times(int fd, const Times &times)
{
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, times.idle);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, times.interval);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, times.count);
}

void keep_alive(int fd, const Times &times = {})
{
	set_times(fd, times);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/** Of the connection that this is a socket of; nothing in a run over plain TCP. */
tcpcrypt::Session state_of(const Namespace &space, int fd, Location where = Location::current())
{
	if (options.plain)
		return {};
	std::uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);
	sys(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size), "SO_COOKIE", where);
	for (const tcpcrypt::Connection &connection : space.connections())
		if (connection.cookie == cookie && connection.session)
			return *connection.session;
	fail("the connection is not in the list", where);
}

int request_rekey(int fd, int value = 1)
{
	return setsockopt(fd, SOL_TCP_ENO, TCP_CRYPT_REKEY, &value, sizeof(value));
}

void rekey(int fd, Location where = Location::current())
{
	sys(request_rekey(fd), "TCP_CRYPT_REKEY", where);
}

/** Both ends have come to this generation, each way. */
void wait_generation(Run &run, const Pair &pair, unsigned generation, Location where = Location::current())
{
	wait_for("generation " + std::to_string(generation), [&] {
		tcpcrypt::Session client = state_of(run.client(), pair.client, where);
		tcpcrypt::Session server = state_of(run.server(), pair.server, where);
		return client.tx_generation == generation && client.rx_generation == generation &&
		       server.tx_generation == generation && server.rx_generation == generation;
	}, patience(10), where);
}

/**
 * The host behind this socket does not hear anything any more, and nobody is told. A filter of the socket, since it
 * works at once: to start a program takes seconds on a slow machine.
 */
class Silence {
public:
	explicit Silence(int fd) : fd_(fd)
	{
		sock_filter drop{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
		sock_fprog program{1, &drop};
		sys(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), "SO_ATTACH_FILTER");
	}
	~Silence() { end(); }
	void end()
	{
		int none = 0;
		if (!std::exchange(over_, true))
			sys(setsockopt(fd_, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)), "SO_DETACH_FILTER");
	}

private:
	int fd_;
	bool over_ = false;
};

Expect given_up(int connections = 1)
{
	Expect expect = encrypted(connections);
	expect.client["abort-keepalive"] = connections;
	return expect;
}

/** All that this end has sent is acknowledged, so that silence has nothing to repeat. */
void settle(int fd, Location where = Location::current())
{
	wait_for("acknowledgements", [&] {
		tcp_info info{};
		socklen_t size = sizeof(info);
		sys(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO", where);
		return info.tcpi_unacked == 0;
	}, patience(10), where);
}

void settle(const Pair &pair, Location where = Location::current())
{
	settle(pair.client, where);
	settle(pair.server, where);
}

void check_idle(int fd, milliseconds time, Location where = Location::current())
{
	check_equal(poll_now(fd, POLLIN | POLLRDHUP, static_cast<int>(time.count())), 0, "events of an idle socket", where);
}

/** As long as keep-alive with Times{} would bear a dead peer, and longer. */
constexpr milliseconds long_time{5000};

} // namespace

/* On request */

E2E_CASE(rekey_on_request, encrypted(), 60, true)
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(run);
	long client_before = run.client().counter("rekeys-sent"), server_before = run.server().counter("rekeys-sent");
	unsigned rounds = options.quick ? 10 : 100;
	for (unsigned round = 1; round <= rounds; round++) {
		rekey(round % 2 ? pair.client : pair.server);
		wait_generation(run, pair, round);
		if (round % 10 == 0)
			check_works(pair.client, pair.server);
	}
	check_equal(run.client().counter("rekeys-sent") - client_before, rounds, "rekeys sent by the client");
	check_equal(run.server().counter("rekeys-sent") - server_before, rounds, "rekeys sent by the server");
	/* Nothing to read comes of it. */
	check_equal(poll_now(pair.client, POLLIN), 0, "events of the client");
	check_equal(poll_now(pair.server, POLLIN), 0, "events of the server");
}

/* Faster than the peer answers: each call succeeds, and no generation is lost. */
E2E_CASE(rekey_requests_in_a_row, encrypted(), 40)
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(run);
	for (int i = 0; i < 100; i++) {
		rekey(pair.client);
		rekey(pair.server);
	}
	check_works(pair.client, pair.server);
	unsigned generation = state_of(run.client(), pair.client).tx_generation;
	check(generation >= 1 && generation <= 200, "generation " + std::to_string(generation));
	wait_generation(run, pair, generation);
	check_works(pair.client, pair.server);
}

E2E_CASE(rekey_both_at_once_in_bulk, encrypted(), 120, true)
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(run);
	std::size_t size = options.quick || options.slow ? 2 << 20 : 8 << 20;
	std::string data = text(size);
	std::atomic<bool> over = false;
	{
		Thread up([&] { write_all(pair.client, data); });
		Thread down([&] { write_all(pair.server, data); });
		Thread asks([&] {
			while (!over) {
				rekey(pair.client);
				rekey(pair.server);
				std::this_thread::sleep_for(milliseconds(2));
			}
		});
		struct Over {
			std::atomic<bool> &over;
			~Over() { over = true; }
		} ends{over};
		Thread reader([&] { check_text(read_exactly(pair.client, size), size); });
		check_text(read_exactly(pair.server, size), size);
		reader.join();
	}
	unsigned generation = state_of(run.client(), pair.client).tx_generation;
	check(generation >= 2, "generation " + std::to_string(generation));
	check_works(pair.client, pair.server);
	wait_generation(run, pair, state_of(run.client(), pair.client).tx_generation);
}

E2E_CASE(rekey_errors, encrypted(), 30, true)
{
	if (options.plain)
		return;
	int one = 1;
	Listener listener = listen_here(run);
	Fd unconnected = socket_in(run.client(), listener.address.family());
	check_errno(request_rekey(unconnected), ENOPROTOOPT, "before connect()");
	hold_exchange(run);
	Fd client = connect_here(run, listener);
	Fd server = accept_from(listener.fd);
	check_errno(request_rekey(client), ENOTCONN, "during the exchange");
	check_errno(request_rekey(server), ENOTCONN, "during the exchange");
	let_exchange_go(run);
	check_session(client, server);
	check_errno(setsockopt(client, SOL_TCP_ENO, TCP_CRYPT_REKEY, &one, 0), EINVAL, "no value");
	check_errno(setsockopt(client, SOL_TCP_ENO, TCP_CRYPT_REKEY, &one, sizeof(one) - 1), EINVAL, "a short value");
	check_errno(setsockopt(client, SOL_TCP_ENO, TCP_CRYPT_REKEY, nullptr, sizeof(one)), EFAULT, "no buffer");
	check_errno(request_rekey(client, 0), EINVAL, "0");
	socklen_t size = sizeof(one);
	check_errno(getsockopt(client, SOL_TCP_ENO, TCP_CRYPT_REKEY, &one, &size), ENOPROTOOPT, "getsockopt");
	check_equal(state_of(run.client(), client).tx_generation, 0u, "generation");
	sys(request_rekey(client, -1), "TCP_CRYPT_REKEY -1");
	check_works(client, server);
	check_equal(state_of(run.client(), client).tx_generation, 1u, "generation");
	sys(shutdown(client, SHUT_WR), "shutdown");
	check_errno(request_rekey(client), EPIPE, "after shutdown()");
	check_end(server);
	/* The other direction goes on, and so do its keys; the half-closed end does not answer. */
	rekey(server);
	rekey(server);
	write_all(server, text(1000));
	check_text(read_exactly(client, 1000), 1000);
	linger reset{1, 0};
	sys(setsockopt(server, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), "SO_LINGER");
	server.reset();
	char byte;
	check_errno(recv(client, &byte, 1, 0), ECONNRESET, "recv");
	check_errno(request_rekey(client), ENOTCONN, "after a reset");
}

E2E_CASE(rekey_after_reset, encrypted())
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(run);
	linger reset{1, 0};
	sys(setsockopt(pair.server, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), "SO_LINGER");
	pair.server.reset();
	char byte;
	check_errno(recv(pair.client, &byte, 1, 0), ECONNRESET, "recv");
	check_errno(request_rekey(pair.client), ENOTCONN, "after a reset");
}

/* The frame waits in the stream until the peer's window opens. */
E2E_CASE(rekey_with_full_window, encrypted(), 60)
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(run);
	std::size_t size = fill_for_good(pair.client);
	rekey(pair.client);
	rekey(pair.client);
	check_equal(state_of(run.client(), pair.client).tx_generation, 1u, "generation");
	check_text(read_exactly(pair.server, size), size);
	wait_generation(run, pair, 1);
	check_works(pair.client, pair.server);
}

/* F-10: one at a time. */
E2E_CASE(rekey_unanswered, encrypted(), 40)
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(run);
	settle(pair);
	Silence silence(pair.server);
	for (int i = 0; i < 10; i++)
		rekey(pair.client);
	check_equal(state_of(run.client(), pair.client).tx_generation, 1u, "generation");
	check_equal(state_of(run.client(), pair.client).tx_frames, 1u, "frames");
	silence.end();
	wait_generation(run, pair, 1);
	rekey(pair.client);
	wait_generation(run, pair, 2);
}

/* Keep-alive: a peer that answers */

E2E_CASE(keepalive_is_answered, encrypted(), 40, true)
{
	Pair pair = encrypted_pair(run);
	keep_alive(pair.client);
	check_works(pair.client, pair.server);
	check_idle(pair.server, long_time);
	check_idle(pair.client, milliseconds(0));
	if (!options.plain) {
		tcpcrypt::Session client = state_of(run.client(), pair.client);
		unsigned generation = client.tx_generation;
		check(generation >= 3 && generation <= 6, "generation " + std::to_string(generation) + " after five seconds");
		check_equal(client.tx_frames, generation + 1, "frames of the client");
		wait_for("the server's answer to each", [&] {
			tcpcrypt::Session server = state_of(run.server(), pair.server);
			return server.tx_generation >= generation && server.tx_frames == server.tx_generation + 1;
		});
	}
	check_works(pair.client, pair.server);
}

E2E_CASE(keepalive_of_both_ends, encrypted(), 40)
{
	Pair pair = encrypted_pair(run, [](int fd) { keep_alive(fd); }, [](int fd) { keep_alive(fd); });
	check_idle(pair.server, long_time);
	if (!options.plain) {
		unsigned generation = state_of(run.client(), pair.client).tx_generation;
		check(generation >= 3 && generation <= 10, "generation " + std::to_string(generation) + " after five seconds");
	}
	check_works(pair.client, pair.server);
}

/* Who talks all the time is not asked. */
E2E_CASE(keepalive_is_not_needed, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	keep_alive(pair.client, {.idle = 2});
	for (Stopwatch watch; watch.elapsed() < long_time;) {
		check_works(pair.client, pair.server);
		std::this_thread::sleep_for(milliseconds(100));
	}
	check_equal(state_of(run.client(), pair.client).tx_generation, 0u, "generation");
}

/* Set before connect(), inherited from the listener, set later, with the times first or last. */
E2E_CASE(keepalive_set_early_and_late, encrypted(4), 60)
{
	if (options.plain)
		return;
	auto asks = [&](const Namespace &space, int fd, const std::string &what) {
		wait_for("keep-alive " + what, [&] { return state_of(space, fd).tx_generation >= 2; }, patience(10));
	};
	{
		Pair pair = encrypted_pair(run, [](int fd) { keep_alive(fd); });
		asks(run.client(), pair.client, "set before connect()");
	}
	{
		Pair pair = encrypted_pair(run, {}, [](int fd) { keep_alive(fd); });
		asks(run.server(), pair.server, "inherited from the listener");
	}
	{
		Pair pair = encrypted_pair(run);
		check_works(pair.client, pair.server);
		keep_alive(pair.server);
		asks(run.server(), pair.server, "set later");
	}
	{
		Pair pair = encrypted_pair(run);
		set_option(pair.client, SOL_SOCKET, SO_KEEPALIVE, 1);
		check_works(pair.client, pair.server);
		set_times(pair.client, {});
		asks(run.client(), pair.client, "with its times set later");
	}
}

E2E_CASE(keepalive_by_sysctl, encrypted(), 40)
{
	if (options.plain)
		return;
	run.client().set("net/ipv4/tcp_keepalive_time", "1");
	run.client().set("net/ipv4/tcp_keepalive_intvl", "1");
	Pair pair = encrypted_pair(run, [](int fd) { set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1); });
	wait_for("keep-alive", [&] { return state_of(run.client(), pair.client).tx_generation >= 2; }, patience(10));
	check_works(pair.client, pair.server);
}

E2E_CASE(keepalive_switched_off, encrypted(), 40)
{
	Pair pair = encrypted_pair(run, [](int fd) { keep_alive(fd); });
	if (!options.plain)
		wait_for("keep-alive", [&] { return state_of(run.client(), pair.client).tx_generation >= 1; }, patience(10));
	set_option(pair.client, SOL_SOCKET, SO_KEEPALIVE, 0);
	unsigned generation = state_of(run.client(), pair.client).tx_generation;
	settle(pair);
	Silence silence(pair.server);
	check_idle(pair.client, long_time);
	silence.end();
	check_equal(state_of(run.client(), pair.client).tx_generation, generation, "generation");
	check_works(pair.client, pair.server);
}

/* After an end there is TCP's keep-alive alone. */
E2E_CASE(keepalive_half_closed, encrypted(), 60)
{
	Pair pair = encrypted_pair(run);
	sys(shutdown(pair.client, SHUT_WR), "shutdown");
	check_end(pair.server);
	keep_alive(pair.client);
	keep_alive(pair.server);
	check_idle(pair.client, long_time);
	check_equal(state_of(run.client(), pair.client).tx_generation, 0u, "generation of the client");
	check_equal(state_of(run.server(), pair.server).tx_generation, 0u, "generation of the server");
	write_all(pair.server, text(1000));
	check_text(read_exactly(pair.client, 1000), 1000);
	pair.server.reset();
	check_end(pair.client);
}

/* The application closed; the rest is on its way, and nobody is asked. */
E2E_CASE(keepalive_after_close, encrypted(), 40)
{
	Pair pair = encrypted_pair(run, [](int fd) { keep_alive(fd); });
	long before = run.client().counter("rekeys-sent");
	check_works(pair.client, pair.server);
	pair.client.reset();
	check_end(pair.server);
	std::this_thread::sleep_for(milliseconds(2500));
	if (!options.plain)
		check_equal(run.client().counter("rekeys-sent") - before, 0, "rekeys sent");
}

/* Keep-alive: a peer that does not read */

E2E_CASE(keepalive_with_full_window, encrypted(), 90)
{
	Pair pair = encrypted_pair(run);
	keep_alive(pair.client);
	keep_alive(pair.server);
	std::size_t size = fill_for_good(pair.client);
	std::this_thread::sleep_for(long_time);
	check_equal(socket_error(pair.client), 0, "SO_ERROR of the client");
	check_equal(socket_error(pair.server), 0, "SO_ERROR of the server");
	check_text(read_exactly(pair.server, size), size);
	check_works(pair.client, pair.server);
}

/* More and more unread, with a question after each piece. */
E2E_CASE(keepalive_with_unread_data, encrypted(), 90)
{
	Pair pair = encrypted_pair(run, {}, [](int fd) { set_option(fd, SOL_SOCKET, SO_RCVBUF, 20000); });
	constexpr std::size_t piece = 5000, pieces = 7;
	keep_alive(pair.client);
	keep_alive(pair.server);
	for (std::size_t i = 0; i < pieces; i++) {
		std::string data = text(piece, i * piece);
		check_equal(send(pair.client, data.data(), piece, MSG_DONTWAIT), piece, "send");
		std::this_thread::sleep_for(milliseconds(2500));
	}
	std::this_thread::sleep_for(long_time);
	check_equal(socket_error(pair.client), 0, "SO_ERROR of the client");
	check_equal(socket_error(pair.server), 0, "SO_ERROR of the server");
	if (!options.plain) {
		unsigned generation = state_of(run.client(), pair.client).rx_generation;
		check(generation >= pieces, "generation " + std::to_string(generation));
	}
	check_text(read_exactly(pair.server, piece * pieces), piece * pieces);
	check_works(pair.client, pair.server);
}

/* Keep-alive: a peer that is gone */

E2E_CASE(keepalive_of_a_reader, given_up(), 40, true)
{
	Pair pair = encrypted_pair(run);
	keep_alive(pair.client);
	Stopwatch watch;
	check_works(pair.client, pair.server);
	settle(pair);
	Silence silence(pair.server);
	char byte;
	check_errno(recv(pair.client, &byte, 1, 0), ETIMEDOUT, "recv");
	check_between(watch.elapsed(), milliseconds(2900), milliseconds(3500) + patience(1), "to give up");
	/* For good: never an end of file. */
	if (!options.plain)
		check_errno(recv(pair.client, &byte, 1, 0), ETIMEDOUT, "recv again");
	check_errno(send(pair.client, &byte, 1, MSG_NOSIGNAL), options.plain ? EPIPE : ETIMEDOUT, "send");
}

E2E_CASE(keepalive_of_a_poller, given_up(), 40)
{
	Pair pair = encrypted_pair(run, [](int fd) { keep_alive(fd); });
	settle(pair);
	Silence silence(pair.server);
	Stopwatch watch;
	short events = poll_now(pair.client, POLLIN, 20000);
	check_between(watch.elapsed(), milliseconds(1900), milliseconds(3500) + patience(1), "to give up");
	check((events & (POLLERR | POLLHUP | POLLIN)) == (POLLERR | POLLHUP | POLLIN), "events " + std::to_string(events));
	check_equal(socket_error(pair.client), ETIMEDOUT, "SO_ERROR");
}

/* The question is out, and then the application writes: that is behind it in the stream. */
E2E_CASE(keepalive_of_a_late_writer, given_up(), 40)
{
	if (options.plain) {	/* TCP goes by its retransmissions then */
		run.expect = encrypted();
		return;
	}
	Pair pair = encrypted_pair(run, [](int fd) { keep_alive(fd, {.count = 5}); });
	settle(pair);
	Silence silence(pair.server);
	wait_for("keep-alive", [&] {
		tcpcrypt::Session state = state_of(run.client(), pair.client);
		return state.tx_generation > state.rx_generation;
	}, patience(10));
	write_all(pair.client, text(1000));
	char byte;
	check_errno(recv(pair.client, &byte, 1, 0), ETIMEDOUT, "recv");
}

/* A peer that comes back in time. */
E2E_CASE(keepalive_of_a_peer_that_returns, encrypted(), 40)
{
	Pair pair = encrypted_pair(run, [](int fd) { keep_alive(fd, {.count = 20}); });
	settle(pair);
	Silence silence(pair.server);
	check_idle(pair.client, milliseconds(4000));
	silence.end();
	check_works(pair.client, pair.server);
	check_idle(pair.client, milliseconds(2500));
	check_works(pair.client, pair.server);
}

/* TCP_USER_TIMEOUT stands above the number of probes, whichever is longer. */
E2E_CASE(keepalive_and_user_timeout, given_up(2), 60)
{
	for (auto [count, timeout] : {std::pair{20, 2000}, {1, 5000}}) {
		Pair pair = encrypted_pair(run);
		set_option(pair.client, IPPROTO_TCP, TCP_USER_TIMEOUT, timeout);
		keep_alive(pair.client, {.count = count});
		Stopwatch watch;
		check_works(pair.client, pair.server);
		settle(pair);
		Silence silence(pair.server);
		char byte;
		check_errno(recv(pair.client, &byte, 1, 0), ETIMEDOUT, "recv");
		check_between(watch.elapsed(), milliseconds(timeout - 100), milliseconds(timeout + 1500) + patience(1),
			      "to give up");
	}
}

/* What the network drops on the way is not seen from here. */
E2E_CASE(keepalive_across_a_broken_path, given_up(), 60)
{
	Pair pair = encrypted_pair(run, [](int fd) { keep_alive(fd); });
	run.server().run("nft 'add table inet gone; add chain inet gone in { type filter hook input priority 0; }; "
			 "add rule inet gone in meta l4proto tcp drop'");
	char byte;
	check_errno(recv(pair.client, &byte, 1, 0), ETIMEDOUT, "recv");
	run.server().run("nft delete table inet gone");
}

/* With the link down the network itself may have the last word. */
E2E_CASE(keepalive_with_the_link_down, given_up(), 40)
{
	Pair pair = encrypted_pair(run);
	keep_alive(pair.client);
	run.server().run("ip link set " + run.server().device() + " down");
	char byte;
	ssize_t got = recv(pair.client, &byte, 1, 0);
	check(got < 0 && (errno == ETIMEDOUT || errno == EHOSTUNREACH), "recv: " + errno_text(errno));
	if (errno == EHOSTUNREACH)
		run.expect = encrypted();
	run.server().run("ip link set " + run.server().device() + " up; ip -6 address replace " + run.server().ipv6() +
			 "/64 dev " + run.server().device() + " nodad");
}
