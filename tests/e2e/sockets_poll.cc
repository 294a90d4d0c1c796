// SPDX-License-Identifier: GPL-2.0
// poll, select and epoll: what is ready is plaintext, and whoever waits is woken.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include <array>

#include "sockets.hh"

using namespace e2e;

namespace {

/** One epoll instance that watches one socket. */
class Watch {
public:
	Watch(int fd, std::uint32_t events) : epoll_(sys(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")), fd_(fd)
	{
		epoll_event event{events, {.fd = fd}};
		sys(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
	}

	/** 0 when there is none within the limit. */
	std::uint32_t events(int limit_ms = 0)
	{
		epoll_event event{};
		int count = sys(epoll_wait(epoll_, &event, 1, limit_ms), "epoll_wait");
		return count ? event.events : 0u;
	}

	/** Waits until one of @p wanted is reported. */
	void wait(std::uint32_t wanted, Location where = Location::current())
	{
		std::uint32_t all = 0;
		Stopwatch watch;
		while (!(all & wanted) && watch.elapsed() < patience(10))
			all |= events(1000);
		check(all & wanted, "epoll_wait() does not report it, but " + std::to_string(all), where);
	}

	void rearm(std::uint32_t events)
	{
		epoll_event event{events, {.fd = fd_}};
		sys(epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event), "epoll_ctl");
	}

private:
	Fd epoll_;
	int fd_;
};

/** Writes until the socket takes no more; how much that was. */
std::size_t fill(int fd, std::size_t offset = 0)
{
	std::size_t total = 0;
	for (;;) {
		std::string chunk = text(30000, offset + total);
		ssize_t wrote = send(fd, chunk.data(), chunk.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (wrote < 0) {
			check_errno(wrote, EAGAIN, "send");
			return total;
		}
		total += static_cast<std::size_t>(wrote);
	}
}

void small_buffers(int fd)
{
	set_option(fd, SOL_SOCKET, SO_SNDBUF, 30000);
	set_option(fd, SOL_SOCKET, SO_RCVBUF, 30000);
}

void drain(int fd, std::size_t size)
{
	check_text(read_exactly(fd, size), size);
}

} // namespace

/* Init1 and Init2 are nothing to read, and a poll() that sleeps meanwhile does not end because of them. */
E2E_CASE(poll_sees_no_ciphertext, encrypted(), 20, true)
{
	Listener listener = listen_here(run);
	Fd client = connect_here(run, listener);
	Fd server = accept_from(listener.fd);
	Watch client_edge(client, EPOLLIN | EPOLLRDHUP | EPOLLET), server_edge(server, EPOLLIN | EPOLLRDHUP | EPOLLET);
	Watch client_level(client, EPOLLIN | EPOLLRDHUP), server_level(server, EPOLLIN | EPOLLRDHUP);
	check_session(client, server);
	std::array<pollfd, 2> both{{{client, POLLIN | POLLOUT | POLLRDHUP, 0}, {server, POLLIN | POLLOUT | POLLRDHUP, 0}}};
	sys(poll(both.data(), both.size(), 0), "poll");
	check_equal(both[0].revents, POLLOUT, "events of the client");
	check_equal(both[1].revents, POLLOUT, "events of the server");
	for (Watch *watch : {&client_edge, &server_edge, &client_level, &server_level})
		check_equal(watch->events(), 0u, "events of epoll");
	write_all(client, text(10));
	server_edge.wait(EPOLLIN);
	server_level.wait(EPOLLIN);
	check_equal(client_level.events(), 0u, "events of the writer");
	drain(server, 10);
}

/* As soon as TCP's own would be. */
E2E_CASE(poll_writable_before_the_keys, encrypted())
{
	Listener listener = listen_here(run);
	Fd client = connect_here(run, listener);
	check_equal(poll_now(client, POLLIN | POLLOUT), POLLOUT, "events right after connect()");
	Fd server = accept_from(listener.fd);
	check_equal(poll_now(server, POLLOUT), POLLOUT, "events right after accept()");
	check_session(client, server);
}

E2E_CASE(poll_wakes_up, encrypted())
{
	Pair pair = encrypted_pair(run);
	for (int i = 0; i < 5; i++) {
		pid_t id = 0;
		Thread waiter([&] {
			__atomic_store_n(&id, thread_id(), __ATOMIC_RELEASE);
			check_equal(poll_now(pair.server, POLLIN, 10000), POLLIN, "events");
		});
		wait_for("a thread in poll()", [&] { return __atomic_load_n(&id, __ATOMIC_ACQUIRE) && asleep(id); });
		write_all(pair.client, text(10));
		waiter.join();
		drain(pair.server, 10);
	}
}

E2E_CASE(select_works, encrypted())
{
	Pair pair = encrypted_pair(run);
	auto selected = [&](int fd, bool for_writing, long limit_us) {
		fd_set set;
		FD_ZERO(&set);
		FD_SET(fd, &set);
		timeval limit{limit_us / 1000000, limit_us % 1000000};
		return sys(select(fd + 1, for_writing ? nullptr : &set, for_writing ? &set : nullptr, nullptr, &limit), "select");
	};
	check_equal(selected(pair.server, false, 0), 0, "readable at first");
	check_equal(selected(pair.server, true, 0), 1, "writable");
	write_all(pair.client, text(10));
	check_equal(selected(pair.server, false, 5000000), 1, "readable");
	drain(pair.server, 10);
	check_equal(selected(pair.server, false, 0), 0, "readable after all was read");
}

E2E_CASE(epoll_level, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	Watch watch(pair.server, EPOLLIN);
	check_equal(watch.events(), 0u, "at first");
	write_all(pair.client, text(100));
	watch.wait(EPOLLIN);
	check_equal(watch.events(), static_cast<std::uint32_t>(EPOLLIN), "the second time");
	drain(pair.server, 99);
	check_equal(watch.events(), static_cast<std::uint32_t>(EPOLLIN), "with one byte left");
	check_text(read_exactly(pair.server, 1), 1, 99);
	check_equal(watch.events(), 0u, "when all was read");
}

E2E_CASE(epoll_edge, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	Watch watch(pair.server, EPOLLIN | EPOLLET);
	check_equal(watch.events(), 0u, "at first");
	write_all(pair.client, text(100));
	watch.wait(EPOLLIN);
	check_equal(watch.events(), 0u, "the second time");
	drain(pair.server, 50);
	check_equal(watch.events(), 0u, "after a part was read");
	/* More data is a new edge, though there was some already. */
	write_all(pair.client, text(100, 100));
	watch.wait(EPOLLIN);
	check_text(read_exactly(pair.server, 150), 150, 50);
	check_equal(watch.events(), 0u, "when all was read");
	for (std::size_t i = 0; i < 20; i++) {
		write_all(pair.client, text(10, i * 10));
		watch.wait(EPOLLIN);
		std::string got(100, '\0');
		check_equal(recv(pair.server, got.data(), got.size(), MSG_DONTWAIT), 10, "recv");
	}
}

/* Added when data is there: reported. */
E2E_CASE(epoll_edge_added_late, encrypted())
{
	Pair pair = encrypted_pair(run);
	write_all(pair.client, text(100));
	wait_readable_bytes(pair.server, 100);
	Watch watch(pair.server, EPOLLIN | EPOLLET);
	check_equal(watch.events() & EPOLLIN, static_cast<std::uint32_t>(EPOLLIN), "events");
	watch.rearm(EPOLLIN | EPOLLET);
	check_equal(watch.events() & EPOLLIN, static_cast<std::uint32_t>(EPOLLIN), "events after EPOLL_CTL_MOD");
	drain(pair.server, 100);
}

E2E_CASE(epoll_oneshot, encrypted())
{
	Pair pair = encrypted_pair(run);
	Watch watch(pair.server, EPOLLIN | EPOLLONESHOT);
	write_all(pair.client, text(100));
	watch.wait(EPOLLIN);
	check_equal(watch.events(), 0u, "the second time");
	watch.rearm(EPOLLIN | EPOLLONESHOT);
	check_equal(watch.events(), static_cast<std::uint32_t>(EPOLLIN), "after rearming");
	drain(pair.server, 100);
}

/* The reader that goes on by edges alone gets all of a long stream, and hears of its end. */
E2E_CASE(epoll_edge_stream, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t size = 2 << 20;
	std::string data = text(size), got;
	Thread writer([&] {
		std::size_t at = 0;
		for (std::size_t step = 1; at < size; step = step * 3 % 40009 + 1) {
			write_all(pair.client, data.substr(at, std::min(step, size - at)));
			at += std::min(step, size - at);
		}
		shutdown(pair.client, SHUT_WR);
	});
	Watch watch(pair.server, EPOLLIN | EPOLLRDHUP | EPOLLET);
	std::vector<char> buffer(50000);
	for (bool end = false; !end;) {
		check(watch.events(10000) != 0, "no more events after " + std::to_string(got.size()) + " bytes");
		for (;;) {
			ssize_t count = recv(pair.server, buffer.data(), buffer.size(), MSG_DONTWAIT);
			if (count < 0) {
				check_errno(count, EAGAIN, "recv");
				break;
			}
			if (count == 0) {
				end = true;
				break;
			}
			got.append(buffer.data(), static_cast<std::size_t>(count));
		}
	}
	check_text(got, size);
}

E2E_CASE(poll_full_buffer, encrypted(), 30)
{
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	check_equal(poll_now(pair.client, POLLOUT), POLLOUT, "at first");
	std::size_t total = fill_for_good(pair.client);
	check_equal(poll_now(pair.client, POLLOUT), 0, "with a full buffer");
	pid_t id = 0;
	Thread waiter([&] {
		__atomic_store_n(&id, thread_id(), __ATOMIC_RELEASE);
		check_equal(poll_now(pair.client, POLLOUT, 20000), POLLOUT, "events of the waiter");
	});
	wait_for("a thread in poll()", [&] { return __atomic_load_n(&id, __ATOMIC_ACQUIRE) && asleep(id); });
	drain(pair.server, total);
	waiter.join();
	check_works(pair.client, pair.server);
}

E2E_CASE(epoll_edge_out, encrypted(), 30)
{
	Pair pair = encrypted_pair(run, small_buffers, small_buffers);
	Watch watch(pair.client, EPOLLOUT | EPOLLET);
	watch.wait(EPOLLOUT);
	std::size_t total = 0;
	for (int i = 0; i < 3; i++) {
		std::size_t now = fill(pair.client);
		total += now;
		std::string got;
		Thread reader([&] { drain(pair.server, now); });
		watch.wait(EPOLLOUT);
		reader.join();
	}
	check(total > 0, "nothing was written");
	check_works(pair.client, pair.server);
}

/* Filled before the keys are there, then written by edges alone: the wake-up comes with them. */
E2E_CASE(epoll_edge_out_before_the_keys, encrypted(), 30)
{
	Listener listener = listen_here(run, small_buffers);
	Fd client = connect_here(run, listener, small_buffers);
	Watch watch(client, EPOLLOUT | EPOLLET);
	constexpr std::size_t size = 300000;
	std::string data = text(size);
	Fd server = accept_from(listener.fd);
	Thread reader([&] { drain(server, size); });
	std::size_t done = 0;
	while (done < size) {
		check(watch.events(10000) & EPOLLOUT, "no edge after " + std::to_string(done) + " bytes");
		ssize_t wrote;
		while (done < size && (wrote = send(client, data.data() + done, size - done, MSG_DONTWAIT)) > 0)
			done += static_cast<std::size_t>(wrote);
	}
	reader.join();
	check_session(client, server);
}

E2E_CASE(poll_end_of_file, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	Watch watch(pair.server, EPOLLIN | EPOLLRDHUP | EPOLLET);
	check_equal(watch.events(), 0u, "at first");
	sys(shutdown(pair.client, SHUT_WR), "shutdown");
	watch.wait(EPOLLRDHUP);
	check_equal(poll_now(pair.server, POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP, "events");
	check_end(pair.server);
	check_equal(poll_now(pair.server, POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP, "events after the end");
	/* Both directions are over. */
	sys(shutdown(pair.server, SHUT_WR), "shutdown");
	check(poll_now(pair.server, POLLIN) & POLLHUP, "no POLLHUP at the server");
	check(poll_now(pair.client, POLLIN, 5000) & POLLIN, "no end at the client");
	wait_for("POLLHUP", [&] { return poll_now(pair.client, POLLIN) & POLLHUP; });
	check_end(pair.client);
}

/* Data and the end at once: the data first, and the end is not lost for those that wait for edges. */
E2E_CASE(poll_data_then_end, encrypted())
{
	Pair pair = encrypted_pair(run);
	Watch watch(pair.server, EPOLLIN | EPOLLRDHUP | EPOLLET);
	write_all(pair.client, text(100000));
	sys(shutdown(pair.client, SHUT_WR), "shutdown");
	std::string got;
	std::uint32_t all = 0;
	for (bool end = false; !end;) {
		all |= watch.events(5000);
		check(all & EPOLLIN, "no EPOLLIN");
		std::vector<char> buffer(3000);
		ssize_t count;
		while ((count = recv(pair.server, buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0)
			got.append(buffer.data(), static_cast<std::size_t>(count));
		if (count < 0)
			check_errno(count, EAGAIN, "recv");
		end = count == 0;
	}
	check_text(got, 100000);
	check(poll_now(pair.server, POLLRDHUP) & POLLRDHUP, "no POLLRDHUP at the end");
}

E2E_CASE(poll_reset, encrypted())
{
	Pair pair = encrypted_pair(run);
	pid_t id = 0;
	Thread waiter([&] {
		__atomic_store_n(&id, thread_id(), __ATOMIC_RELEASE);
		short got = poll_now(pair.server, POLLIN | POLLRDHUP, 10000);
		check((got & (POLLIN | POLLRDHUP | POLLERR | POLLHUP)) == (POLLIN | POLLRDHUP | POLLERR | POLLHUP),
		      "events " + std::to_string(got));
	});
	wait_for("a thread in poll()", [&] { return __atomic_load_n(&id, __ATOMIC_ACQUIRE) && asleep(id); });
	linger hard{1, 0};
	sys(setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), "SO_LINGER");
	pair.client.reset();
	waiter.join();
	check_equal(socket_error(pair.server), ECONNRESET, "SO_ERROR");
}

/* Nothing but the end of the connection wakes it: an epoll set with all sorts of sockets in one thread. */
E2E_CASE(epoll_crowd, encrypted(20), 40)
{
	Listener listener = listen_here(run);
	Fd epoll(sys(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
	std::vector<Fd> clients, servers;
	for (int i = 0; i < 20; i++) {
		clients.push_back(connect_here(run, listener));
		servers.push_back(accept_from(listener.fd));
		epoll_event event{EPOLLIN | EPOLLET, {.u32 = static_cast<std::uint32_t>(i)}};
		sys(epoll_ctl(epoll, EPOLL_CTL_ADD, servers.back(), &event), "epoll_ctl");
	}
	std::vector<int> heard(20, 0);
	for (std::size_t i = 0; i < 20; i++)
		write_all(clients[19 - i], text(100, 0, static_cast<int>(19 - i)));
	int total = 0;
	while (total < 20) {
		std::array<epoll_event, 8> events;
		int count = sys(epoll_wait(epoll, events.data(), events.size(), 10000), "epoll_wait");
		check(count > 0, "only " + std::to_string(total) + " sockets were reported");
		for (int i = 0; i < count; i++) {
			std::uint32_t who = events[static_cast<std::size_t>(i)].data.u32;
			if (recv(servers[who], nullptr, 100, MSG_TRUNC | MSG_DONTWAIT) == 100)
				total++;
		}
	}
	for (std::size_t i = 0; i < 20; i++)
		check_session(clients[i], servers[i]);
}
