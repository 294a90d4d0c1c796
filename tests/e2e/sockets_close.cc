// SPDX-License-Identifier: GPL-2.0
// The end of a connection: shutdown, close, resets, and who waits meanwhile.
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "sockets.hh"

using namespace e2e;

namespace {

char byte;

/** A thread that is blocked in a call on a socket. */
class Blocked {
public:
	explicit Blocked(const std::function<void()> &call) : thread_([this, call] {
		__atomic_store_n(&id_, thread_id(), __ATOMIC_RELEASE);
		call();
	})
	{
		wait_for("a thread that is blocked", [&] { return __atomic_load_n(&id_, __ATOMIC_ACQUIRE) && asleep(id_); });
	}
	void join() { thread_.join(); }
	void signal(int number) { pthread_kill(thread_.native_handle(), number); }

private:
	pid_t id_ = 0;
	Thread thread_;
};

void set_linger(int fd, int on, int seconds)
{
	linger value{on, seconds};
	sys(setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, sizeof(value)), "SO_LINGER");
}

void reset(Fd &fd)
{
	set_linger(fd, 1, 0);
	fd.reset();
}

void small_buffers(int fd)
{
	set_option(fd, SOL_SOCKET, SO_SNDBUF, 30000);
	set_option(fd, SOL_SOCKET, SO_RCVBUF, 30000);
}

} // namespace

E2E_CASE(half_close, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	write_all(pair.client, text(1000));
	sys(shutdown(pair.client, SHUT_WR), "shutdown");
	check_text(read_to_end(pair.server), 1000);
	check_errno(send(pair.client, "x", 1, MSG_NOSIGNAL), EPIPE, "send after shutdown");
	/* The other direction goes on, for long. */
	std::string data = text(300000);
	Thread writer([&] { write_all(pair.server, data); });
	check_text(read_exactly(pair.client, data.size()), data.size());
	writer.join();
	check_equal(recv(pair.server, &byte, 1, 0), 0, "recv at the end, again");
	pair.server.reset();
	check_end(pair.client);
}

E2E_CASE(half_close_by_server, encrypted())
{
	Pair pair = encrypted_pair(run);
	write_all(pair.server, text(1000));
	sys(shutdown(pair.server, SHUT_WR), "shutdown");
	check_text(read_to_end(pair.client), 1000);
	write_all(pair.client, text(2000));
	pair.client.reset();
	check_text(read_to_end(pair.server), 2000);
}

E2E_CASE(half_close_before_the_keys, encrypted(10))
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 10; i++) {
		Fd client = connect_here(run, listener);
		write_all(client, text(500));
		sys(shutdown(client, SHUT_WR), "shutdown");
		check_errno(send(client, "x", 1, MSG_NOSIGNAL), EPIPE, "send after shutdown");
		Fd server = accept_from(listener.fd);
		check_text(read_to_end(server), 500);
		write_all(server, text(700));
		check_session(client, server);
		server.reset();
		check_text(read_to_end(client), 700);
	}
}

E2E_CASE(both_half_closed, encrypted())
{
	Pair pair = encrypted_pair(run);
	write_all(pair.client, text(10));
	write_all(pair.server, text(20));
	sys(shutdown(pair.client, SHUT_WR), "shutdown of the client");
	sys(shutdown(pair.server, SHUT_WR), "shutdown of the server");
	check_text(read_to_end(pair.client), 20);
	check_text(read_to_end(pair.server), 10);
}

/* Nothing more is read here; the peer is not told. */
E2E_CASE(shut_rd, encrypted())
{
	Pair pair = encrypted_pair(run);
	Blocked reader([&] { check_equal(recv(pair.server, &byte, 1, 0), 0, "recv of the one who waits"); });
	sys(shutdown(pair.server, SHUT_RD), "shutdown");
	reader.join();
	check_equal(recv(pair.server, &byte, 1, 0), 0, "recv after shutdown");
	check(poll_now(pair.server, POLLIN | POLLRDHUP) & POLLRDHUP, "no POLLRDHUP");
	write_all(pair.server, text(100));
	check_text(read_exactly(pair.client, 100), 100);
	write_all(pair.client, text(100));
}

E2E_CASE(shut_rdwr, encrypted())
{
	Pair pair = encrypted_pair(run);
	Blocked reader([&] { check_equal(recv(pair.server, &byte, 1, 0), 0, "recv of the one who waits"); });
	write_all(pair.server, text(100));
	sys(shutdown(pair.server, SHUT_RDWR), "shutdown");
	reader.join();
	check_equal(recv(pair.server, &byte, 1, 0), 0, "recv after shutdown");
	check_errno(send(pair.server, "x", 1, MSG_NOSIGNAL), EPIPE, "send after shutdown");
	check(poll_now(pair.server, POLLIN) & POLLHUP, "no POLLHUP");
	check_text(read_to_end(pair.client), 100);
}

E2E_CASE(shutdown_arguments, encrypted())
{
	Fd unconnected = socket_in(run.client(), AF_INET);
	check_errno(shutdown(unconnected, SHUT_WR), ENOTCONN, "shutdown when not connected");
	Pair pair = encrypted_pair(run);
	check_errno(shutdown(pair.client, 17), EINVAL, "shutdown in a way that there is not");
	check_works(pair.client, pair.server);
	sys(shutdown(pair.client, SHUT_WR), "shutdown");
	sys(shutdown(pair.client, SHUT_WR), "shutdown again");
	check_end(pair.server);
	sys(shutdown(pair.client, SHUT_RD), "shutdown of the other direction");
	pair.server.reset();
	/* The connection is over. */
	wait_for("the end", [&] { return shutdown(pair.client, SHUT_RDWR) < 0 && errno == ENOTCONN; });
}

/* shutdown() while the send buffer is full: FIN and all before it come when there is room. */
E2E_CASE(shutdown_with_full_buffer, encrypted(), 30)
{
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	std::size_t total = fill_for_good(pair.client);
	Stopwatch watch;
	sys(shutdown(pair.client, SHUT_WR), "shutdown");
	check(watch.elapsed() < patience(1), "shutdown() waited");
	check_text(read_to_end(pair.server), total);
	write_all(pair.server, text(1000));
	check_text(read_exactly(pair.client, 1000), 1000);
}

E2E_CASE(close_with_full_buffer, encrypted(), 30)
{
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	std::size_t total = fill_for_good(pair.client);
	Stopwatch watch;
	pair.client.reset();
	check(watch.elapsed() < patience(1), "close() waited");
	check_text(read_to_end(pair.server), total);
}

E2E_CASE(close_with_data_in_flight, encrypted(5), 40, true)
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 5; i++) {
		Fd client = connect_here(run, listener);
		Fd server = accept_from(listener.fd);
		std::size_t size = 1000 + static_cast<std::size_t>(i) * 60000;
		set_option(client, SOL_SOCKET, SO_SNDBUF, 1 << 20);
		write_all(client, text(size));
		client.reset();
		check_text(read_to_end(server), size);
	}
}

/* Health checks and port probes: a clean end. */
E2E_CASE(connect_and_close, encrypted(20), 30, true)
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 20; i++) {
		Fd client = connect_here(run, listener);
		client.reset();
		Fd server = accept_from(listener.fd);
		check_end(server);
	}
}

E2E_CASE(connect_write_and_close, encrypted(20), 30)
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 20; i++) {
		Fd client = connect_here(run, listener);
		write_all(client, text(2000, 0, i));
		client.reset();
		Fd server = accept_from(listener.fd);
		check_text(read_to_end(server), 2000, 0, i);
	}
}

E2E_CASE(accept_and_close, encrypted(20), 30)
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 20; i++) {
		Fd client = connect_here(run, listener);
		Fd server = accept_from(listener.fd);
		server.reset();
		check_end(client);
	}
}

E2E_CASE(accept_write_and_close, encrypted(20), 30)
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 20; i++) {
		Fd client = connect_here(run, listener);
		Fd server = accept_from(listener.fd);
		write_all(server, text(2000, 0, i));
		server.reset();
		check_text(read_to_end(client), 2000, 0, i);
	}
}

E2E_CASE(both_close_at_once, encrypted(20), 30)
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 20; i++) {
		Fd client = connect_here(run, listener);
		Fd server = accept_from(listener.fd);
		client.reset();
		server.reset();
	}
}

/* What was not read when a socket is closed: the writer is told, by a reset. */
E2E_CASE(close_unread, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	write_all(pair.client, text(1000));
	wait_readable_bytes(pair.server, 1000);
	pair.server.reset();
	check_errno(recv(pair.client, &byte, 1, 0), ECONNRESET, "recv");
	check_errno(send(pair.client, "x", 1, MSG_NOSIGNAL), EPIPE, "send");
}

E2E_CASE(close_partly_read, encrypted())
{
	Pair pair = encrypted_pair(run);
	write_all(pair.client, text(1000));
	check_text(read_exactly(pair.server, 999), 999);
	pair.server.reset();
	check_errno(recv(pair.client, &byte, 1, 0), ECONNRESET, "recv");
}

/* Data for a socket that is closed already. */
E2E_CASE(write_to_closed, encrypted(), 30)
{
	Pair pair = encrypted_pair(run);
	pair.server.reset();
	check_end(pair.client);
	/* The first write is taken, and answered with a reset; then there is no connection any more. */
	check_equal(send(pair.client, "xxx", 3, MSG_NOSIGNAL), 3, "the first send");
	wait_for("the reset", [&] { return poll_now(pair.client, POLLIN) & (POLLERR | POLLHUP); });
	wait_for("EPIPE", [&] { return send(pair.client, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE; });
}

E2E_CASE(linger_zero, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	write_all(pair.client, text(10));
	wait_readable_bytes(pair.server, 10);
	reset(pair.client);
	wait_for("the reset", [&] { return poll_now(pair.server, 0) & POLLERR; });
	/* What had arrived before can still be read. */
	check_text(read_exactly(pair.server, 10), 10);
	check_errno(recv(pair.server, &byte, 1, 0), ECONNRESET, "recv");
}

E2E_CASE(linger_zero_by_server, encrypted())
{
	Pair pair = encrypted_pair(run);
	reset(pair.server);
	check_errno(recv(pair.client, &byte, 1, 0), ECONNRESET, "recv");
}

E2E_CASE(linger_zero_before_the_keys, unaudited(), 30)
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 20; i++) {
		Fd client = connect_here(run, listener);
		Fd server = accept_from(listener.fd);
		std::this_thread::sleep_for(std::chrono::microseconds(100 * i));
		reset(client);
		check_errno(recv(server, &byte, 1, 0), ECONNRESET, "recv");
	}
}

/* F-14: after a reset there is no end of file, however often one asks. */
E2E_CASE(reset_is_never_an_end, encrypted())
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(run);
	reset(pair.server);
	for (int i = 0; i < 3; i++)
		check_errno(recv(pair.client, &byte, 1, 0), ECONNRESET, "recv");
}

E2E_CASE(end_stays_the_end, encrypted())
{
	Pair pair = encrypted_pair(run);
	write_all(pair.client, text(10));
	pair.client.reset();
	check_text(read_to_end(pair.server), 10);
	for (int i = 0; i < 3; i++)
		check_equal(recv(pair.server, &byte, 1, 0), 0, "recv");
	check_equal(socket_error(pair.server), 0, "SO_ERROR");
}

/* close() with SO_LINGER returns when all was acknowledged. */
E2E_CASE(linger_waits, encrypted(), 40)
{
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	std::size_t total = fill_for_good(pair.client);
	set_linger(pair.client, 1, 30);
	std::atomic<bool> closed = false;
	Blocked closer([&] {
		pair.client.reset();
		closed = true;
	});
	check(!closed, "close() did not wait");
	check_text(read_to_end(pair.server), total);
	pair.server.reset();
	closer.join();
}

E2E_CASE(linger_expires, encrypted(), 40)
{
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	std::size_t total = fill_for_good(pair.client);
	set_linger(pair.client, 1, 1);
	Stopwatch watch;
	pair.client.reset();
	check_between(watch.elapsed(), milliseconds(900), seconds(1) + patience(3), "time in close()");
	/* It goes on in the background. */
	check_text(read_to_end(pair.server), total);
}

E2E_CASE(linger_with_nothing_to_wait_for, encrypted())
{
	Pair pair = encrypted_pair(run);
	check_works(pair.client, pair.server);
	set_linger(pair.client, 1, 30);
	Thread reader([&] {
		check_end(pair.server);
		pair.server.reset();
	});
	Stopwatch watch;
	pair.client.reset();
	check(watch.elapsed() < seconds(15), "close() took " + std::to_string(watch.elapsed().count()) + " ms");
}

/* Those who are blocked in a call when the connection ends */

E2E_CASE(reset_wakes_the_reader, encrypted())
{
	Pair pair = encrypted_pair(run);
	Blocked reader([&] { check_errno(recv(pair.server, &byte, 1, 0), ECONNRESET, "recv"); });
	reset(pair.client);
	reader.join();
}

E2E_CASE(end_wakes_the_reader, encrypted())
{
	Pair pair = encrypted_pair(run);
	Blocked reader([&] { check_equal(recv(pair.server, &byte, 1, 0), 0, "recv"); });
	pair.client.reset();
	reader.join();
}

E2E_CASE(reset_wakes_the_writer, encrypted(), 30)
{
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	fill_for_good(pair.client);
	Blocked writer([&] {
		ssize_t wrote = send(pair.client, text(100000).data(), 100000, MSG_NOSIGNAL);
		check(wrote < 0 && (errno == ECONNRESET || errno == EPIPE), "send: " + errno_text(errno));
	});
	reset(pair.server);
	writer.join();
}

E2E_CASE(shutdown_wakes_the_writer, encrypted(), 30)
{
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	std::size_t total = fill_for_good(pair.client);
	Blocked writer([&] { check_errno(send(pair.client, "xxx", 3, MSG_NOSIGNAL), EPIPE, "send"); });
	sys(shutdown(pair.client, SHUT_RDWR), "shutdown");
	writer.join();
	check_text(read_to_end(pair.server), total);
}

/* close() by another thread: the call goes on with its own reference, until the peer does something. */
E2E_CASE(close_under_a_reader, encrypted())
{
	Pair pair = encrypted_pair(run);
	int fd = pair.server;
	Blocked reader([fd] {
		std::string got(100, '\0');
		check_equal(recv(fd, got.data(), got.size(), 0), 10, "recv");
		check_text(got.substr(0, 10), 10);
	});
	pair.server.reset();
	write_all(pair.client, text(10));
	reader.join();
}

E2E_CASE(close_under_a_poller, encrypted())
{
	Pair pair = encrypted_pair(run);
	int fd = pair.server;
	/* poll() looks the number up again, and finds it gone. */
	Blocked poller([fd] { check(poll_now(fd, POLLIN, 10000) & (POLLIN | POLLNVAL), "poll()"); });
	pair.server.reset();
	pair.client.reset();
	poller.join();
}

E2E_CASE(close_under_a_writer, encrypted(), 30)
{
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	std::size_t total = fill_for_good(pair.client);
	int fd = pair.client;
	std::string rest = text(100000, total);
	Blocked writer([fd, &rest] {
		check_equal(send(fd, rest.data(), rest.size(), 0), static_cast<ssize_t>(rest.size()), "send");
	});
	pair.client.reset();
	check_text(read_to_end(pair.server), total + rest.size());
	writer.join();
}

E2E_CASE(shutdown_under_acceptor, nothing())
{
	Listener listener = listen_here(run);
	Blocked acceptor([&] { check_errno(accept(listener.fd, nullptr, nullptr), EINVAL, "accept"); });
	sys(shutdown(listener.fd, SHUT_RD), "shutdown of the listener");
	acceptor.join();
}

/* Several threads read one socket, several write it: each byte once. */
E2E_CASE(readers_and_writers, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t writers = 4, each = 200, size = 64;
	std::vector<int> seen(writers * each, 0);
	std::mutex lock;
	{
		std::vector<Thread> threads;
		for (std::size_t w = 0; w < writers; w++)
			threads.emplace_back([&, w] {
				for (std::size_t i = 0; i < each; i++)
					write_all(pair.client, text(size, (w * each + i) * size));
			});
		std::atomic<std::size_t> left = writers * each * size;
		for (int r = 0; r < 3; r++)
			threads.emplace_back([&] {
				for (;;) {
					/* Lines are written whole, and so can be read whole. */
					std::string got(size, '\0');
					std::lock_guard guard(lock);
					if (left == 0)
						return;
					check_equal(recv(pair.server, got.data(), size, MSG_WAITALL), static_cast<ssize_t>(size), "recv");
					left -= size;
					std::size_t number = std::stoul(got.substr(text_mark.size() + 1, 16), nullptr, 16);
					check(number < seen.size(), "line " + got);
					check_text(got, size, number * size);
					seen[number]++;
				}
			});
	}
	for (int count : seen)
		check_equal(count, 1, "times that a line was read");
}

/* Signals */

E2E_CASE(recv_interrupted, encrypted())
{
	struct sigaction action{};
	action.sa_handler = [](int) {};
	sys(sigaction(SIGUSR1, &action, nullptr), "sigaction");
	Pair pair = encrypted_pair(run);
	Blocked reader([&] { check_errno(recv(pair.server, &byte, 1, 0), EINTR, "recv"); });
	reader.signal(SIGUSR1);
	reader.join();
	check_works(pair.client, pair.server);
}

E2E_CASE(recv_restarted, encrypted())
{
	static std::atomic<int> handled;
	handled = 0;
	struct sigaction action{};
	action.sa_handler = [](int) { handled++; };
	action.sa_flags = SA_RESTART;
	sys(sigaction(SIGUSR1, &action, nullptr), "sigaction");
	Pair pair = encrypted_pair(run);
	Blocked reader([&] { check_equal(recv(pair.server, &byte, 1, 0), 1, "recv"); });
	reader.signal(SIGUSR1);
	wait_for("the handler", [&] { return handled > 0; });
	write_all(pair.client, "x");
	reader.join();
	/* With a time limit it is not restarted. */
	timeval limit{20, 0};
	sys(setsockopt(pair.server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), "SO_RCVTIMEO");
	Blocked second([&] { check_errno(recv(pair.server, &byte, 1, 0), EINTR, "recv with SO_RCVTIMEO"); });
	second.signal(SIGUSR1);
	second.join();
}

E2E_CASE(waitall_interrupted, encrypted())
{
	struct sigaction action{};
	action.sa_handler = [](int) {};
	sys(sigaction(SIGUSR1, &action, nullptr), "sigaction");
	Pair pair = encrypted_pair(run);
	std::string got(100, '\0');
	std::atomic<bool> done = false;
	Blocked reader([&] {
		check_equal(recv(pair.server, got.data(), 100, MSG_WAITALL), 10, "recv");
		done = true;
	});
	write_all(pair.client, text(10));
	wait_for("the first bytes taken", [&] { return readable_bytes(pair.server) == 0; });
	wait_for("its end", [&] {
		if (!done)
			reader.signal(SIGUSR1);		/* again, because it may not have slept yet */
		return done.load();
	});
	reader.join();
	check_text(got.substr(0, 10), 10);
}

E2E_CASE(send_interrupted, encrypted(), 30)
{
	struct sigaction action{};
	action.sa_handler = [](int) {};
	sys(sigaction(SIGUSR1, &action, nullptr), "sigaction");
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	std::size_t total = fill_for_good(pair.client);
	Blocked writer([&] { check_errno(send(pair.client, "xxx", 3, 0), EINTR, "send"); });
	writer.signal(SIGUSR1);
	writer.join();
	check_text(read_exactly(pair.server, total), total);
	check_works(pair.client, pair.server);
}

/* A part was taken before the signal: its length, and the rest can follow. */
E2E_CASE(send_interrupted_partly, encrypted(), 30)
{
	struct sigaction action{};
	action.sa_handler = [](int) {};
	sys(sigaction(SIGUSR1, &action, nullptr), "sigaction");
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	std::string data = text(4 << 20);
	ssize_t wrote = 0;
	Blocked writer([&] { wrote = send(pair.client, data.data(), data.size(), 0); });
	wait_for("a full buffer", [&] { return !(poll_now(pair.client, POLLOUT, 100) & POLLOUT); });
	writer.signal(SIGUSR1);
	writer.join();
	check(wrote > 0 && static_cast<std::size_t>(wrote) < data.size(), "send returns " + std::to_string(wrote));
	check_text(read_exactly(pair.server, static_cast<std::size_t>(wrote)), static_cast<std::size_t>(wrote));
	check_works(pair.client, pair.server);
}

E2E_CASE(sigpipe, encrypted())
{
	Pair pair = encrypted_pair(run);
	sys(shutdown(pair.client, SHUT_WR), "shutdown");
	check_errno(send(pair.client, "x", 1, MSG_NOSIGNAL), EPIPE, "send with MSG_NOSIGNAL");
	Process victim([&] {
		signal(SIGPIPE, SIG_DFL);
		if (send(pair.client, "x", 1, MSG_NOSIGNAL) < 0)
			(void)!write(pair.client, "x", 1);
	});
	int status = victim.wait();
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "no SIGPIPE, but status " + std::to_string(status));
}

/* What is left of a program that was killed */

E2E_CASE(killed, encrypted(), 20, true)
{
	Listener listener = listen_here(run);
	Process victim([&] {
		Fd client = connect_here(run, listener);
		write_all(client, text(5000));
		for (;;)
			pause();
	});
	Fd server = accept_from(listener.fd);
	check_text(read_exactly(server, 5000), 5000);
	kill(victim.id(), SIGKILL);
	victim.wait();
	check_end(server);
}

E2E_CASE(killed_before_the_keys, encrypted(10), 30)
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 10; i++) {
		Process quick([&] {
			Fd client = connect_here(run, listener);
			write_all(client, text(5000));
			kill(getpid(), SIGKILL);
		});
		Fd server = accept_from(listener.fd);
		check_text(read_to_end(server), 5000);
		quick.wait();
	}
}

/* Both ends gone with all buffers full: nothing stays behind (see nothing_left). */
E2E_CASE(killed_in_the_middle, encrypted(), 30)
{
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	Process victim([&] {
		fill_for_good(pair.client);
		kill(getpid(), SIGKILL);
	});
	victim.wait();
	check(readable_bytes(pair.server) > 0, "nothing arrived");
}

/* The other end says that it is done, in a frame, while what we wrote is still on its way. */
E2E_CASE(linger_and_the_other_end_is_done, encrypted(), 40)
{
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	std::size_t total = fill_for_good(pair.client);
	set_linger(pair.client, 1, 30);
	Blocked closer([&] { pair.client.reset(); });
	sys(shutdown(pair.server, SHUT_WR), "shutdown");
	check_text(read_to_end(pair.server), total);
	closer.join();
}
