// SPDX-License-Identifier: GPL-2.0
// Handshakes, data, aborts, closes, listeners that go, dumps and unloading, all at the same time.
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "sockets.hh"

using namespace e2e;

namespace {

std::atomic<bool> over{false};
std::atomic<long> connections{0}, messages{0}, resets{0};
std::atomic<int> broken{0};

void wrong(const char *what)
{
	if (broken.fetch_add(1) < 10)
		printf("# %s (errno %d)\n", what, errno);
}

/* Does something at the end of a scope. */
template <typename Body> struct Finally {
	explicit Finally(Body at_end) : body(std::move(at_end)) {}
	~Finally() { body(); }
	Finally(const Finally &) = delete;
	Finally &operator=(const Finally &) = delete;
	Body body;
};

/* What a reset or a closed listener may leave behind; anything else is a fault of the module. */
bool expected(int error)
{
	return error == ECONNRESET || error == EPIPE || error == ECONNREFUSED || error == ETIMEDOUT || error == EAGAIN ||
	       error == ENOTCONN || error == ECONNABORTED || error == EINPROGRESS || error == EINTR;
}

void limit_time(int fd)
{
	timeval limit{20, 0};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

bool read_all(int fd, std::string &data)
{
	for (std::size_t done = 0; done < data.size();) {
		ssize_t got = recv(fd, data.data() + done, data.size() - done, 0);
		if (got <= 0)
			return false;
		done += static_cast<std::size_t>(got);
	}
	return true;
}

bool send_all(int fd, const std::string &data, int flags = 0)
{
	for (std::size_t done = 0; done < data.size();) {
		ssize_t sent = send(fd, data.data() + done, data.size() - done, MSG_NOSIGNAL | flags);
		if (sent <= 0)
			return false;
		done += static_cast<std::size_t>(sent);
	}
	return true;
}

/* A message: its length, then bytes that follow from the length. */
std::string message(std::uint32_t size)
{
	std::string data(sizeof(size) + size, '\0');
	memcpy(data.data(), &size, sizeof(size));
	for (std::uint32_t at = 0; at < size; at++)
		data[sizeof(size) + at] = static_cast<char>(size * 31 + at * 7);
	return data;
}

/* Urgent bytes stay in the stream, so that none is missing; SIGURG is ignored. */
void keep_urgent(int fd)
{
	int one = 1;
	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
}

/* Somebody beside the reader who wants to know of urgent data. */
void watch_urgent(int fd, const std::atomic<bool> &end)
{
	char byte;
	int answer;

	fcntl(fd, F_SETOWN, getpid());
	while (!end && !over) {
		pollfd ready{fd, POLLPRI, 0};
		poll(&ready, 1, 1);
		ioctl(fd, SIOCATMARK, &answer);
		recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
		if (recv(fd, &byte, 1, MSG_OOB) >= 0)
			wrong("an urgent byte was taken out of the stream");
		usleep(100);
	}
}

/* Echo until the end, or until something else ends it. */
void serve(Fd fd)
{
	static std::atomic<unsigned> served{0};
	std::atomic<bool> end{false};
	std::jthread watcher;
	limit_time(fd);
	keep_urgent(fd);
	if (served++ % 4 == 0)
		watcher = std::jthread([&] { watch_urgent(fd, end); });
	Finally at_end([&] { end = true; });
	for (;;) {
		std::string header(4, '\0');
		ssize_t got = recv(fd, header.data(), header.size(), MSG_WAITALL);
		if (got == 0)
			return;
		if (got < 0) {
			if (!expected(errno))
				wrong("the server's recv() failed");
			return;
		}
		std::uint32_t size = 0;
		if (got < 4) {		/* its last byte was urgent, or the end came */
			std::string rest(4 - static_cast<std::size_t>(got), '\0');
			if (!read_all(fd, rest))
				return;
			header.replace(static_cast<std::size_t>(got), rest.size(), rest);
		}
		memcpy(&size, header.data(), 4);
		if (size > 300000) {
			wrong("the server got bytes that nobody sent");
			return;
		}
		std::string body(size, '\0');
		if (!read_all(fd, body))
			return;
		if (header + body != message(size))
			wrong("the server got other bytes than were sent");
		if (!send_all(fd, header + body, size % 3 == 1 ? MSG_OOB : 0))
			return;
	}
}

void accept_loop(const Namespace &space, const Address &address)
{
	Inside inside(space);
	std::mt19937 random(static_cast<unsigned>(address.port()));
	std::vector<std::jthread> servers;

	while (!over) {
		Fd listener(socket(address.family(), SOCK_STREAM, 0));
		int one = 1;
		setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		Address at = address;
		if (bind(listener, at.get(), at.size()) || listen(listener, 32)) {
			usleep(10000);
			continue;
		}
		/* Some close the listener with children that nobody accepted. */
		for (unsigned left = random() % 60 + 5; left > 0 && !over; left--) {
			pollfd ready{listener, POLLIN, 0};
			if (poll(&ready, 1, 200) <= 0)
				continue;
			Fd fd(accept(listener, nullptr, nullptr));
			if (fd < 0) {
				if (!expected(errno))
					wrong("accept() failed");
				continue;
			}
			if (random() % 16 == 0)
				continue;
			servers.emplace_back([fd = std::move(fd)]() mutable { serve(std::move(fd)); });
		}
	}
}

void client_loop(const Namespace &space, const Address &address, unsigned seed)
{
	static const std::uint32_t sizes[] = {0, 1, 100, 1400, 5000, 20000, 70000, 200000};
	Inside inside(space);
	std::mt19937 random(seed);

	while (!over) {
		Fd fd(socket(address.family(), SOCK_STREAM, 0));
		Address to = address;
		limit_time(fd);
		keep_urgent(fd);
		if (random() % 4 == 0) {
			int size = 4096;
			setsockopt(fd, SOL_SOCKET, random() % 2 ? SO_RCVBUF : SO_SNDBUF, &size, sizeof(size));
		}
		if (connect(fd, to.get(), to.size())) {
			if (!expected(errno))
				wrong("connect() failed");
			continue;
		}
		connections++;
		unsigned rounds = random() % 4;
		std::jthread other;
		if (random() % 8 == 0)	/* another thread polls, and shuts it down meanwhile */
			other = std::jthread([&fd, &random, wait = random() % 20000] {
				pollfd ready{fd, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0};
				poll(&ready, 1, 1);
				usleep(wait);
				shutdown(fd, SHUT_WR);
			});
		for (unsigned round = 0; round < rounds; round++) {
			std::string data = message(sizes[random() % std::size(sizes)]), back(data.size(), '\0');
			if (!send_all(fd, data, random() % 4 ? 0 : MSG_OOB) || !read_all(fd, back)) {
				if (errno && !expected(errno))
					wrong("the client's send() or recv() failed");
				resets++;
				break;
			}
			if (back != data)
				wrong("the client got other bytes back");
			messages++;
		}
		linger hard{1, 0};
		switch (random() % 6) {
		case 0:
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
			break;
		case 1:
			send_all(fd, message(50000));	/* and never read what comes back */
			break;
		case 2:
			shutdown(fd, SHUT_WR);
			break;
		}
		other = {};
	}
}

void dump_loop(const Namespace &space)
{
	while (!over) {
		for (const tcpcrypt::Connection &connection : space.connections())
			(void)connection;
		space.counters();
	}
}

/* rmmod is refused while there are connections, and does no harm by asking. */
void unload_loop()
{
	while (!over) {
		if (system("rmmod tcpcrypt 2>/dev/null") == 0)
			wrong("the module went while connections lived");
		usleep(50000);
	}
}

void all_at_once(Run &run, int seconds_)
{
	std::vector<std::jthread> threads;
	Address first = server_address(run, 5001), second = server_address(run, 5002);
	Address keeper = server_address(run, 5003);
	Listener listener = listen_at(run.server(), keeper);
	Fd kept = connect_from(run.client(), listener.address);
	Fd accepted = accept_from(listener.fd);

	check_session(kept, accepted);
	run.server().set("rekey_frames", "50");
	for (const Address &address : {first, second})
		threads.emplace_back([&run, address] { accept_loop(run.server(), address); });
	for (unsigned i = 0; i < 8; i++)
		threads.emplace_back([&run, i, address = i % 2 ? first : second] {
			client_loop(run.client(), address, i + 1);
		});
	threads.emplace_back([&run] { dump_loop(run.client()); });
	threads.emplace_back([] { unload_loop(); });
	std::this_thread::sleep_for(std::chrono::seconds(seconds_));
	over = true;
	threads.clear();
	printf("# %ld connections, %ld messages, %ld cut short\n", connections.load(), messages.load(), resets.load());
	check_equal(broken.load(), 0, "unexpected outcomes");
	check(connections > 10 && messages > 10, "too little happened to mean anything");
	check_session(kept, accepted);
	check_works(kept, accepted);
}

} // namespace

E2E_CASE(all_at_once_v4, unaudited(), 90, true)
{
	all_at_once(run, options.quick ? 20 : 40);
}

E2E_CASE(all_at_once_v6, unaudited(), 90)
{
	all_at_once(run, 40);
}

/* Listeners go while children of theirs are in the middle of the key exchange. */
E2E_CASE(listeners_that_go, unaudited(), 90, true)
{
	Address address = server_address(run, 5001);
	std::jthread clients[4];
	for (unsigned i = 0; i < std::size(clients); i++)
		clients[i] = std::jthread([&run, i, address] { client_loop(run.client(), address, i + 100); });
	for (int i = 0; i < (options.quick ? 60 : 300); i++) {
		Inside inside(run.server());
		Address at = address;
		int one = 1;
		Fd listener(socket(at.family(), SOCK_STREAM, 0));
		setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		sys(bind(listener, at.get(), at.size()), "bind");
		sys(listen(listener, 16), "listen");
		usleep(static_cast<useconds_t>(i * 977 % 20000));
	}
	over = true;
	for (std::jthread &client : clients)
		client = {};
	check_equal(broken.load(), 0, "unexpected outcomes");
	check(connections > 5, "too few connections to mean anything");
}

int main(int argc, char **argv)
{
	return run_suite(argc, argv, Shape::pair);
}
