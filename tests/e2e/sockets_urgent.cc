// SPDX-License-Identifier: GPL-2.0
// Urgent data: MSG_OOB, SIGURG, EPOLLPRI, SIOCATMARK and SO_OOBINLINE, as on plain TCP.
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>

#include <array>

#include "sockets.hh"

using namespace e2e;

namespace {

void send_urgent(int fd, const std::string &data, int flags = 0, Location where = Location::current())
{
	ssize_t wrote = sys(send(fd, data.data(), data.size(), MSG_OOB | MSG_NOSIGNAL | flags), "send MSG_OOB", where);
	check_equal(static_cast<std::size_t>(wrote), data.size(), "bytes sent with MSG_OOB", where);
}

/** What recv() gives at once or after waiting, as its flags say. */
std::string receive(int fd, std::size_t size, int flags = 0, Location where = Location::current())
{
	std::string data(size, '\x5a');
	ssize_t got = sys(recv(fd, data.data(), size, flags), "recv", where);
	data.resize(static_cast<std::size_t>(got));
	return data;
}

void check_urgent(int fd, char wanted, int flags = 0, Location where = Location::current())
{
	check_equal(receive(fd, 10, MSG_OOB | flags, where), std::string(1, wanted), "urgent byte", where);
}

void check_no_urgent(int fd, int error = EINVAL, Location where = Location::current())
{
	char byte;
	check_errno(recv(fd, &byte, 1, MSG_OOB), error, "recv MSG_OOB", where);
}

bool at_mark(int fd, Location where = Location::current())
{
	int answer = -1;
	sys(ioctl(fd, SIOCATMARK, &answer), "SIOCATMARK", where);
	check(answer == 0 || answer == 1, "SIOCATMARK says " + std::to_string(answer), where);
	return answer;
}

void wait_urgent(int fd, Location where = Location::current())
{
	if (!(poll_now(fd, POLLPRI, static_cast<int>(patience(10).count())) & POLLPRI))
		fail("poll() does not report POLLPRI", where);
}

void inline_urgent(int fd)
{
	set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

/** text(100), x, text(50, 100), of which x is urgent; returns when all has arrived. */
void send_around(int from, int to, Location where = Location::current())
{
	write_all(from, text(100), where);
	send_urgent(from, "x", 0, where);
	wait_urgent(to, where);
	write_all(from, text(50, 100), where);
}

void check_around(int from, int to)
{
	check(!at_mark(to), "at the mark at first");
	check_no_urgent(to);
	send_around(from, to);
	check(!at_mark(to), "at the mark before the data is read");
	check_equal(readable_bytes(to), 100, "FIONREAD");
	check_urgent(to, 'x', MSG_PEEK);
	check_equal(poll_now(to, POLLPRI | POLLIN), POLLPRI | POLLIN, "events");
	check_urgent(to, 'x');
	check_no_urgent(to);
	check_equal(poll_now(to, POLLPRI | POLLIN), POLLIN, "events after the urgent byte was read");
	check_equal(readable_bytes(to), 100, "FIONREAD after the urgent byte was read");
	check_text(receive(to, 60), 60);
	check(!at_mark(to), "at the mark after a part was read");
	check_text(receive(to, 1000), 40, 60);
	check(at_mark(to), "not at the mark");
	check_equal(readable_bytes(to), 0, "FIONREAD at the mark");
	check_text(read_exactly(to, 50), 50, 100);
	check(!at_mark(to), "at the mark behind it");
	check_no_urgent(to);
}

/** To this thread: another one of the process would swallow it. */
void sigurg_to_me(int fd, Location where = Location::current())
{
	f_owner_ex owner{F_OWNER_TID, thread_id()};
	sys(fcntl(fd, F_SETOWN_EX, &owner), "F_SETOWN_EX", where);
}

class SigurgWait {
public:
	SigurgWait()
	{
		sigemptyset(&set_);
		sigaddset(&set_, SIGURG);
		sys(sigprocmask(SIG_BLOCK, &set_, nullptr), "sigprocmask");
	}

	bool came(milliseconds limit)
	{
		timespec time{limit.count() / 1000, limit.count() % 1000 * 1000000};
		return sigtimedwait(&set_, nullptr, &time) == SIGURG;
	}

private:
	sigset_t set_;
};

/** epoll_wait() on one socket. */
class Epoll {
public:
	Epoll(int fd, std::uint32_t events) : epoll_(sys(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"))
	{
		epoll_event event{events, {.fd = fd}};
		sys(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
	}

	std::uint32_t events(int limit_ms = 0)
	{
		epoll_event event{};
		return sys(epoll_wait(epoll_, &event, 1, limit_ms), "epoll_wait") ? event.events : 0u;
	}

	void wait(std::uint32_t wanted, Location where = Location::current())
	{
		std::uint32_t all = 0;
		Stopwatch watch;
		while (!(all & wanted) && watch.elapsed() < patience(10))
			all |= events(1000);
		check(all & wanted, "epoll_wait() does not report it, but " + std::to_string(all), where);
	}

private:
	Fd epoll_;
};

bool exceptional(int fd, long limit_us)
{
	fd_set set;
	FD_ZERO(&set);
	FD_SET(fd, &set);
	timeval limit{limit_us / 1000000, limit_us % 1000000};
	return sys(select(fd + 1, nullptr, nullptr, &set, &limit), "select") == 1;
}

std::string read_exactly_pipe(int fd, std::size_t size, Location where = Location::current())
{
	std::string data(size, '\0');
	check_equal(sys(read(fd, data.data(), size), "read", where), static_cast<ssize_t>(size), "bytes in the pipe", where);
	return data;
}

ssize_t splice_some(int fd, int pipe_write, std::size_t size)
{
	return splice(fd, nullptr, pipe_write, nullptr, size, SPLICE_F_MOVE);
}

} // namespace

E2E_CASE(urgent_to_server, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	check_around(pair.client, pair.server);
	check_around(pair.client, pair.server);
	check_works(pair.client, pair.server);
}

E2E_CASE(urgent_to_client, encrypted())
{
	Pair pair = encrypted_pair(run);
	check_around(pair.server, pair.client);
	check_works(pair.client, pair.server);
}

E2E_CASE(urgent_inline, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run, {}, inline_urgent);
	send_around(pair.client, pair.server);
	check_no_urgent(pair.server);
	wait_readable_bytes(pair.server, 151);
	check_text(receive(pair.server, 1000), 100);
	check(at_mark(pair.server), "not at the mark");
	check_equal(readable_bytes(pair.server), 51, "FIONREAD at the mark");
	check_equal(poll_now(pair.server, POLLPRI | POLLIN), POLLPRI | POLLIN, "events at the mark");
	check_equal(receive(pair.server, 1000), "x" + text(50, 100), "what follows the mark");
	check(!at_mark(pair.server), "at the mark behind it");
	check_equal(poll_now(pair.server, POLLPRI | POLLIN), 0, "events in the end");
}

/* The option counts when the byte is read, not when it arrives. */
E2E_CASE(urgent_inline_late, encrypted())
{
	Pair pair = encrypted_pair(run);
	send_urgent(pair.client, "x");
	wait_urgent(pair.server);
	check_equal(poll_now(pair.server, POLLIN), 0, "events of an urgent byte alone");
	check_equal(readable_bytes(pair.server), 0, "FIONREAD");
	inline_urgent(pair.server);
	check_equal(poll_now(pair.server, POLLIN), POLLIN, "events when it is inline");
	check_equal(readable_bytes(pair.server), 1, "FIONREAD when it is inline");
	check_no_urgent(pair.server);
	set_option(pair.server, SOL_SOCKET, SO_OOBINLINE, 0);
	check_equal(poll_now(pair.server, POLLIN), 0, "events when it is not");
	check_urgent(pair.server, 'x', MSG_PEEK);
	inline_urgent(pair.server);
	check_equal(receive(pair.server, 10), std::string("x"), "the byte");
}

/* Of several bytes the last one is urgent. */
E2E_CASE(urgent_is_the_last_byte, encrypted())
{
	Pair pair = encrypted_pair(run);
	for (std::size_t size : {2, 3, 4, 5, 100, 2047, 2049, 5000, 40000}) {
		std::string data = text(size - 1) + "!";
		send_urgent(pair.client, data);
		wait_for("the urgent byte", [&] {
			char byte = 0;
			return recv(pair.server, &byte, 1, MSG_OOB | MSG_PEEK) == 1 && byte == '!';
		});
		wait_readable_bytes(pair.server, static_cast<int>(size) - 1);
		check_urgent(pair.server, '!');
		check_text(read_exactly(pair.server, size - 1), size - 1);
		check(at_mark(pair.server), "not at the mark");
	}
	write_all(pair.client, text(10));
	check_text(read_exactly(pair.server, 10), 10);
}

/* Larger than a frame, and read on the way: inline, so that nothing is taken out. */
E2E_CASE(urgent_large, encrypted(), 40)
{
	Pair pair = encrypted_pair(run, {}, inline_urgent);
	for (std::size_t size : {65515, 65516, 65517, 65518, 65519, 131072, 300000}) {
		std::string data = text(size - 1) + "!", got;
		Thread writer([&] {
			std::size_t done = 0;
			while (done < size)
				done += static_cast<std::size_t>(sys(send(pair.client, data.data() + done, size - done, MSG_OOB), "send"));
		});
		std::size_t last = 0;
		while (got.size() < size) {
			std::string part = receive(pair.server, 1000000);
			last = part.size();
			got += part;
		}
		check(got == data, "the data differs");
		check_equal(last, 1u, "bytes in the read that starts with the urgent one");
	}
	check_works(pair.client, pair.server);
}

E2E_CASE(urgent_sigurg, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	SigurgWait signal;
	sigurg_to_me(pair.server);
	write_all(pair.client, text(3000));
	wait_readable_bytes(pair.server, 3000);
	check(!signal.came(milliseconds(50)), "SIGURG for what is not urgent");
	/* Nobody polls, and nobody reads. */
	send_urgent(pair.client, "x");
	check(signal.came(patience(10)), "no SIGURG");
	check(!signal.came(milliseconds(50)), "SIGURG twice");
	send_urgent(pair.client, "y");
	check(signal.came(patience(10)), "no second SIGURG");
	wait_for("the second byte", [&] {
		char byte = 0;
		return recv(pair.server, &byte, 1, MSG_OOB | MSG_PEEK) == 1 && byte == 'y';
	});
	check_text(receive(pair.server, 3000), 3000);
	/* x is data now, because it was not at the mark when y came. */
	check_equal(receive(pair.server, 1000), std::string("x"), "the first byte");
	check_urgent(pair.server, 'y');
	check(!signal.came(milliseconds(0)), "SIGURG for reading");
}

namespace {

volatile sig_atomic_t handled;

void note_signal(int)
{
	handled = handled + 1;
}

} // namespace

/* A reader that sleeps hears of it first, by the signal, and can still have the byte. */
E2E_CASE(urgent_interrupts_reader, encrypted())
{
	Pair pair = encrypted_pair(run);
	struct sigaction action{};
	action.sa_handler = note_signal;
	sys(sigaction(SIGURG, &action, nullptr), "sigaction");
	sigurg_to_me(pair.server);
	pid_t reader = thread_id();
	for (int i = 0; i < 20; i++) {
		handled = 0;
		Process writer([&] {
			wait_for("a process in recv()", [&] { return asleep(reader); });
			std::this_thread::sleep_for(milliseconds(20));	/* not asleep in something before it */
			send_urgent(pair.client, "x");
		});
		char byte;
		check_errno(recv(pair.server, &byte, 1, 0), EINTR, "recv");
		check_equal(static_cast<int>(handled), 1, "signals");
		check(at_mark(pair.server), "not at the mark");
		check_urgent(pair.server, 'x');
		writer.wait_good();
		write_all(pair.client, "y");
		check_equal(read_exactly(pair.server, 1), std::string("y"), "the byte behind it");
	}
}

/* A reader that sleeps gets what comes behind it. */
E2E_CASE(urgent_wakes_no_reader, encrypted())
{
	Pair pair = encrypted_pair(run);
	pid_t id = 0;
	Thread reader([&] {
		__atomic_store_n(&id, thread_id(), __ATOMIC_RELEASE);
		check_text(receive(pair.server, 1000), 10);
	});
	wait_for("a thread in recv()", [&] { return __atomic_load_n(&id, __ATOMIC_ACQUIRE) && asleep(id); });
	send_urgent(pair.client, "x");
	std::this_thread::sleep_for(milliseconds(100));
	check(asleep(id), "the reader is awake");
	write_all(pair.client, text(10));
	reader.join();
	check_works(pair.client, pair.server);
}

E2E_CASE(urgent_poll_waits, encrypted())
{
	Pair pair = encrypted_pair(run);
	for (int i = 0; i < 5; i++) {
		pid_t id = 0;
		Thread waiter([&] {
			__atomic_store_n(&id, thread_id(), __ATOMIC_RELEASE);
			check_equal(poll_now(pair.server, POLLPRI, 10000), POLLPRI, "events");
		});
		wait_for("a thread in poll()", [&] { return __atomic_load_n(&id, __ATOMIC_ACQUIRE) && asleep(id); });
		write_all(pair.client, text(1000));
		send_urgent(pair.client, "x");
		waiter.join();
		check_urgent(pair.server, 'x');
		check_text(read_exactly(pair.server, 1000), 1000);
		check(at_mark(pair.server), "not at the mark");
	}
}

E2E_CASE(urgent_select, encrypted())
{
	Pair pair = encrypted_pair(run);
	check(!exceptional(pair.server, 0), "select() at first");
	write_all(pair.client, text(10));
	wait_readable(pair.server);
	check(!exceptional(pair.server, 20000), "select() for what is not urgent");
	send_urgent(pair.client, "x");
	check(exceptional(pair.server, 10000000), "select() does not report it");
	check(exceptional(pair.server, 0), "select() does not report it twice");
	check_urgent(pair.server, 'x');
	check(!exceptional(pair.server, 0), "select() after it was read");
}

E2E_CASE(urgent_epoll_level, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	Epoll urgent(pair.server, EPOLLPRI), both(pair.server, EPOLLPRI | EPOLLIN);
	write_all(pair.client, text(10));
	both.wait(EPOLLIN);
	check_equal(urgent.events(20), 0u, "events for what is not urgent");
	send_urgent(pair.client, "x");
	urgent.wait(EPOLLPRI);
	check_equal(urgent.events(), static_cast<std::uint32_t>(EPOLLPRI), "the second time");
	check_equal(both.events(), static_cast<std::uint32_t>(EPOLLPRI | EPOLLIN), "both");
	check_urgent(pair.server, 'x');
	check_equal(urgent.events(), 0u, "after it was read");
	check_text(receive(pair.server, 100), 10);
	check_equal(both.events(), 0u, "at the mark");
}

E2E_CASE(urgent_epoll_edge, encrypted())
{
	Pair pair = encrypted_pair(run);
	Epoll watch(pair.server, EPOLLPRI | EPOLLIN | EPOLLET);
	for (int i = 0; i < 10; i++) {
		send_urgent(pair.client, "x");
		watch.wait(EPOLLPRI);
		check_urgent(pair.server, 'x');
		write_all(pair.client, text(10));
		watch.wait(EPOLLIN);
		check_text(receive(pair.server, 100, MSG_DONTWAIT), 10);
	}
}

/* Who waits for data is not told that there is some: a read would sleep. No POLLPRI is asked for. */
E2E_CASE(urgent_alone_is_nothing_to_read, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	Epoll watch(pair.server, EPOLLIN), edge(pair.server, EPOLLIN | EPOLLET);
	send_urgent(pair.client, "x");
	check_equal(poll_now(pair.server, POLLIN, 200), 0, "events of poll");
	check_equal(watch.events(50), 0u, "events of epoll");
	check_equal(edge.events(), 0u, "edges");
	send_urgent(pair.client, "y");
	check_equal(poll_now(pair.server, POLLIN, 100), 0, "events of poll with two");
	check_equal(edge.events(), 0u, "edges with two");
	write_all(pair.client, text(2));
	edge.wait(EPOLLIN);
	watch.wait(EPOLLIN);
	check_equal(poll_now(pair.server, POLLIN), POLLIN, "events with data");
	check_text(receive(pair.server, 100), 2);
	check_equal(poll_now(pair.server, POLLIN, 20), 0, "events in the end");
}

/* Writes so small that they could be a frame with nothing but an urgent byte. */
E2E_CASE(urgent_or_only_small, encrypted())
{
	Pair pair = encrypted_pair(run);
	Epoll edge(pair.server, EPOLLIN | EPOLLET), level(pair.server, EPOLLIN);
	for (std::size_t i = 0; i < 60; i++) {
		std::size_t size = i % 5 + 1;
		write_all(pair.client, text(size));
		if (i % 2)
			edge.wait(EPOLLIN);
		level.wait(EPOLLIN);
		check_equal(poll_now(pair.server, POLLIN), POLLIN, "events");
		check_equal(readable_bytes(pair.server), static_cast<int>(size), "FIONREAD");
		check_text(receive(pair.server, 100, MSG_DONTWAIT), size);
		check_equal(level.events(), 0u, "events in the end");
	}
}

E2E_CASE(urgent_with_rcvlowat, encrypted())
{
	Pair pair = encrypted_pair(run);
	set_option(pair.server, SOL_SOCKET, SO_RCVLOWAT, 1000);
	Epoll edge(pair.server, EPOLLPRI | EPOLLET);
	write_all(pair.client, text(10));
	send_urgent(pair.client, "x");
	edge.wait(EPOLLPRI);
	check_equal(poll_now(pair.server, POLLPRI | POLLIN), POLLPRI, "events");
	check_urgent(pair.server, 'x');
	write_all(pair.client, text(1000, 10));
	wait_readable(pair.server);
	check_text(receive(pair.server, 2000), 10);
	check_text(receive(pair.server, 2000), 1000, 10);
}

/* Before the first was read a second one comes: the first is data like the rest. */
E2E_CASE(urgent_twice, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	write_all(pair.client, text(10));
	send_urgent(pair.client, "a");
	wait_urgent(pair.server);
	write_all(pair.client, text(10, 10));
	send_urgent(pair.client, "b");
	wait_readable_bytes(pair.server, 21);
	check_urgent(pair.server, 'b', MSG_PEEK);
	check_equal(receive(pair.server, 1000), text(10) + "a" + text(10, 10), "the data");
	check(at_mark(pair.server), "not at the mark");
	check_urgent(pair.server, 'b');
	check_no_urgent(pair.server);
}

/* The reader stands before the first one when the second comes: the first is gone. */
E2E_CASE(urgent_twice_at_the_mark, encrypted())
{
	Pair pair = encrypted_pair(run);
	for (bool read_first : {false, true}) {
		send_urgent(pair.client, "a");
		wait_urgent(pair.server);
		check(at_mark(pair.server), "not at the mark");
		if (read_first)
			check_urgent(pair.server, 'a');
		send_urgent(pair.client, "b");
		wait_for("the second byte", [&] {
			char byte = 0;
			return recv(pair.server, &byte, 1, MSG_OOB | MSG_PEEK) == 1 && byte == 'b';
		});
		check(at_mark(pair.server), "not at the mark of the second");
		check_equal(readable_bytes(pair.server), 0, "FIONREAD");
		write_all(pair.client, text(10));
		check_text(read_exactly(pair.server, 10), 10);
		check_no_urgent(pair.server);
	}
}

E2E_CASE(urgent_not_read, encrypted())
{
	Pair pair = encrypted_pair(run);
	send_around(pair.client, pair.server);
	check_text(receive(pair.server, 1000), 100);
	check_text(read_exactly(pair.server, 50), 50, 100);
	check_no_urgent(pair.server);
	check_equal(poll_now(pair.server, POLLPRI), 0, "events");
}

E2E_CASE(urgent_before_accept, encrypted(), 20, true)
{
	Listener listener = listen_here(run);
	Fd client = connect_here(run, listener);
	write_all(client, text(100));
	send_urgent(client, "x");
	write_all(client, text(50, 100));
	std::this_thread::sleep_for(milliseconds(50));
	Fd server = accept_from(listener.fd);
	wait_urgent(server);
	check_urgent(server, 'x');
	check_text(receive(server, 1000), 100);
	check(at_mark(server), "not at the mark");
	check_text(read_exactly(server, 50), 50, 100);
	check_session(client, server);
}

/* Written before there are keys, in all sorts of places: the last one counts. */
E2E_CASE(urgent_before_the_keys, encrypted(4), 30, true)
{
	for (std::size_t size : {0, 1, 16383, 16384}) {
		Listener listener = listen_here(run, inline_urgent);
		Fd client = connect_here(run, listener);
		write_all(client, text(size));
		send_urgent(client, "a");
		send_urgent(client, "bc");
		write_all(client, text(50));
		Fd server = accept_from(listener.fd);
		wait_urgent(server);
		check_session(client, server);
		check_no_urgent(server);
		/* If the keys come in between, there are two marks: SIOCATMARK opens what has arrived. */
		wait_for("all of it", [&] {
			at_mark(server);
			return readable_bytes(server) == static_cast<int>(size) + 53;
		});
		std::string got;
		while (got.size() < size + 2)
			got += receive(server, 100000);
		check_equal(got.size(), size + 2, "bytes before the mark");
		check(at_mark(server), "not at the mark");
		check(got == text(size) + "ab", "the data before the mark differs");
		check_equal(receive(server, 1000), "c" + text(50), "the data behind the mark");
	}
}

E2E_CASE(urgent_peek, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	send_around(pair.client, pair.server);
	wait_for("all", [&] { return receive(pair.server, 100, MSG_PEEK).size() == 100; });
	check_text(receive(pair.server, 1000, MSG_PEEK), 100);
	check_text(receive(pair.server, 30, MSG_PEEK), 30);
	check_text(receive(pair.server, 1000, MSG_TRUNC | MSG_PEEK).substr(0, 0), 0);
	check_text(receive(pair.server, 1000), 100);
	wait_for("all", [&] { return receive(pair.server, 1000, MSG_PEEK).size() == 50; });
	check(at_mark(pair.server), "not at the mark");
	check_text(receive(pair.server, 1000, MSG_PEEK), 50, 100);
	check_text(receive(pair.server, 20, MSG_PEEK), 20, 100);
	check_urgent(pair.server, 'x');
	check(at_mark(pair.server), "not at the mark after all those looks");
	check_text(receive(pair.server, 1000), 50, 100);
}

E2E_CASE(urgent_peek_inline, encrypted())
{
	Pair pair = encrypted_pair(run, {}, inline_urgent);
	send_around(pair.client, pair.server);
	wait_readable_bytes(pair.server, 151);
	check_text(receive(pair.server, 1000, MSG_PEEK), 100);
	check_text(receive(pair.server, 1000), 100);
	check_equal(receive(pair.server, 1000, MSG_PEEK), "x" + text(50, 100), "a look from the mark on");
	check(at_mark(pair.server), "not at the mark");
	check_equal(receive(pair.server, 1000), "x" + text(50, 100), "what follows the mark");
}

E2E_CASE(urgent_waitall, encrypted())
{
	Pair pair = encrypted_pair(run);
	send_around(pair.client, pair.server);
	check_text(receive(pair.server, 1000, MSG_WAITALL), 100);
	check_text(receive(pair.server, 50, MSG_WAITALL), 50, 100);
	/* It comes while the reader sleeps. */
	pid_t id = 0;
	Thread reader([&] {
		__atomic_store_n(&id, thread_id(), __ATOMIC_RELEASE);
		check_text(receive(pair.server, 1000, MSG_WAITALL), 100);
	});
	wait_for("a thread in recv()", [&] { return __atomic_load_n(&id, __ATOMIC_ACQUIRE) && asleep(id); });
	write_all(pair.client, text(100));
	send_urgent(pair.client, "x");
	reader.join();
	check_urgent(pair.server, 'x');
}

/* MSG_TRUNC throws away, and stops there as well. */
E2E_CASE(urgent_trunc, encrypted())
{
	Pair pair = encrypted_pair(run);
	send_around(pair.client, pair.server);
	check_equal(recv(pair.server, nullptr, 1000, MSG_TRUNC), 100, "bytes thrown away");
	check(at_mark(pair.server), "not at the mark");
	check_text(read_exactly(pair.server, 50), 50, 100);
}

E2E_CASE(urgent_splice, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	std::array<int, 2> ends;
	sys(pipe2(ends.data(), O_CLOEXEC), "pipe");
	Fd pipe_read(ends[0]), pipe_write(ends[1]);
	send_around(pair.client, pair.server);
	check_equal(splice_some(pair.server, pipe_write, 1000), 100, "spliced");
	check_text(read_exactly_pipe(pipe_read, 100), 100);
	check(at_mark(pair.server), "not at the mark");
	/* TCP's splice never goes on from there by itself. */
	check_equal(splice_some(pair.server, pipe_write, 1000), 0, "spliced at the mark");
	set_blocking(pair.server, false);
	check_errno(splice_some(pair.server, pipe_write, 1000), EAGAIN, "splice at the mark");
	set_blocking(pair.server, true);
	check_urgent(pair.server, 'x');
	check_text(read_exactly(pair.server, 10), 10, 100);
	wait_readable_bytes(pair.server, 40);
	check_equal(splice_some(pair.server, pipe_write, 1000), 40, "spliced behind the mark");
	check_text(read_exactly_pipe(pipe_read, 40), 40, 110);
}

namespace {

/** Some megabytes with an urgent byte here and there; the reader finds each of them where it was. */
void stream_with_marks(Run &run, std::size_t block, int blocks, int rcvbuf)
{
	Pair pair = encrypted_pair(run, {}, [&](int fd) {
		inline_urgent(fd);
		if (rcvbuf)
			set_option(fd, SOL_SOCKET, SO_RCVBUF, rcvbuf);
	});
	Thread writer([&] {
		for (int i = 0; i < blocks; i++) {
			write_all(pair.client, text(block, 0, i));
			send_urgent(pair.client, std::string(1, static_cast<char>('A' + i % 26)));
		}
		shutdown(pair.client, SHUT_WR);
	});
	std::string all, got;
	for (int i = 0; i < blocks; i++)
		all += text(block, 0, i) + static_cast<char>('A' + i % 26);
	std::vector<char> buffer(70000);
	for (std::size_t step = 1;; step = step * 7 % 69997 + 1) {
		ssize_t count = sys(recv(pair.server, buffer.data(), step, 0), "recv");
		if (!count)
			break;
		/* Never across an urgent byte that nothing newer has replaced: the last one at the latest. */
		if (got.size() + static_cast<std::size_t>(count) == all.size() && count > 1)
			fail("read across the mark");
		got.append(buffer.data(), static_cast<std::size_t>(count));
	}
	check(got == all, "the data differs");
}

} // namespace

E2E_CASE(urgent_in_big_data, encrypted(), 60)
{
	stream_with_marks(run, options.slow ? 100000 : 400000, 5, 0);
}

E2E_CASE(urgent_in_small_pieces, encrypted(), 60)
{
	stream_with_marks(run, 3, 300, 0);
}

E2E_CASE(urgent_small_buffer, encrypted(), 60)
{
	stream_with_marks(run, 50000, 4, 4000);
}

/* Nobody reads for a while: what fits is announced at once, what is behind it as the reader goes on. */
E2E_CASE(urgent_while_nobody_reads, encrypted(), 40)
{
	Pair pair = encrypted_pair(run, {}, [](int fd) { set_option(fd, SOL_SOCKET, SO_RCVBUF, 20000); });
	SigurgWait signal;
	sigurg_to_me(pair.server);
	write_all(pair.client, text(3000));
	send_urgent(pair.client, "a");
	check(signal.came(patience(10)), "no SIGURG");
	wait_urgent(pair.server);
	write_all(pair.client, text(10, 3000));
	check_text(read_exactly(pair.server, 3000), 3000);
	check_text(read_exactly(pair.server, 10), 10, 3000);
	Thread writer([&] {
		write_all(pair.client, text(100000, 3010));
		send_urgent(pair.client, "b");
		write_all(pair.client, text(10, 103010));
	});
	std::this_thread::sleep_for(milliseconds(100));
	check_text(read_exactly(pair.server, 100000), 100000, 3010);
	wait_urgent(pair.server);
	check(signal.came(patience(10)), "no SIGURG for the second one");
	check(at_mark(pair.server), "not at the mark");
	check_urgent(pair.server, 'b');
	check_text(read_exactly(pair.server, 10), 10, 103010);
}

/* The waiter for urgent data is not the reader, and the byte lies far behind what may be opened ahead. */
E2E_CASE(urgent_behind_much, encrypted(), 40)
{
	Pair pair = encrypted_pair(run, {}, [](int fd) { set_option(fd, SOL_SOCKET, SO_RCVBUF, 20000); });
	constexpr std::size_t size = 200000;
	pid_t id = 0;
	Thread waiter([&] {
		__atomic_store_n(&id, thread_id(), __ATOMIC_RELEASE);
		check_equal(poll_now(pair.server, POLLPRI, 20000), POLLPRI, "events of the waiter");
	});
	wait_for("a thread in poll()", [&] { return __atomic_load_n(&id, __ATOMIC_ACQUIRE) && asleep(id); });
	Thread writer([&] {
		write_all(pair.client, text(size));
		send_urgent(pair.client, "x");
	});
	std::this_thread::sleep_for(milliseconds(50));
	check_text(read_exactly(pair.server, size), size);
	waiter.join();
	writer.join();
	check_urgent(pair.server, 'x');
	check(at_mark(pair.server), "not at the mark");
}

E2E_CASE(urgent_then_end, encrypted())
{
	Pair pair = encrypted_pair(run);
	write_all(pair.client, text(10));
	send_urgent(pair.client, "x");
	sys(shutdown(pair.client, SHUT_WR), "shutdown");
	wait_urgent(pair.server);
	check_urgent(pair.server, 'x', MSG_PEEK);
	check_text(receive(pair.server, 100), 10);
	check(at_mark(pair.server), "not at the mark");
	check_urgent(pair.server, 'x');
	check_end(pair.server);
	check_no_urgent(pair.server);
	write_all(pair.server, text(10));
	check_text(read_exactly(pair.client, 10), 10);
}

/* A byte that was read as urgent only is unread data all the same. */
E2E_CASE(urgent_unread_at_close, encrypted())
{
	Pair pair = encrypted_pair(run);
	send_urgent(pair.client, "x");
	wait_urgent(pair.server);
	check_urgent(pair.server, 'x');
	pair.server.reset();
	char byte;
	check_errno(recv(pair.client, &byte, 1, 0), ECONNRESET, "recv after the peer's close");
}

E2E_CASE(urgent_flags, encrypted())
{
	Pair pair = encrypted_pair(run);
	check_equal(send(pair.client, "", 0, MSG_OOB), 0, "send of nothing");
	/* Neither MSG_MORE nor TCP_CORK keeps it. */
	set_option(pair.client, IPPROTO_TCP, TCP_CORK, 1);
	for (int flags : {0, MSG_MORE | 0, MSG_DONTWAIT | 0, MSG_MORE | MSG_DONTWAIT}) {
		Stopwatch watch;
		send_urgent(pair.client, "x", flags);
		wait_urgent(pair.server);
		check(options.slow || watch.elapsed() < milliseconds(150), "kept back");
		check_urgent(pair.server, 'x', MSG_WAITALL | MSG_DONTWAIT);
		write_all(pair.client, "y");
		set_option(pair.client, IPPROTO_TCP, TCP_CORK, 0);
		set_option(pair.client, IPPROTO_TCP, TCP_CORK, 1);
		check_equal(read_exactly(pair.server, 1), std::string("y"), "the byte behind it");
	}
	set_option(pair.client, IPPROTO_TCP, TCP_CORK, 0);

	send_urgent(pair.client, "z");
	wait_urgent(pair.server);
	char byte = 0;
	iovec piece{&byte, 1};
	msghdr message{};
	message.msg_iov = &piece;
	message.msg_iovlen = 1;
	check_equal(recvmsg(pair.server, &message, MSG_OOB | MSG_PEEK), 1, "recvmsg");
	check_equal(message.msg_flags & (MSG_OOB | MSG_TRUNC), static_cast<int>(MSG_OOB), "msg_flags");
	check_equal(byte, 'z', "the byte");
	piece.iov_len = 0;
	message.msg_flags = 0;
	check_equal(recvmsg(pair.server, &message, MSG_OOB | MSG_PEEK), 0, "recvmsg without room");
	check_equal(message.msg_flags & (MSG_OOB | MSG_TRUNC), MSG_OOB | MSG_TRUNC, "msg_flags without room");
	byte = 0;
	check_equal(recv(pair.server, &byte, 1, MSG_OOB | MSG_TRUNC), 1, "recv with MSG_TRUNC");
	check_equal(static_cast<int>(byte), 0, "the byte with MSG_TRUNC");
	check_no_urgent(pair.server);
	check_errno(recv(pair.server, &byte, 1, MSG_DONTWAIT), EAGAIN, "recv behind it");
	sys(shutdown(pair.client, SHUT_WR), "shutdown");
	check_errno(send(pair.client, "x", 1, MSG_OOB | MSG_NOSIGNAL), EPIPE, "send after shutdown");
}
