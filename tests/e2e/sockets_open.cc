// SPDX-License-Identifier: GPL-2.0
// connect, accept, and what is written before the keys are there.
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sockets.hh"

using namespace e2e;

namespace {

void nonblocking(int fd)
{
	set_blocking(fd, false);
}

/** Nobody answers there. */
Address silent_address(Run &run)
{
	Address address = server_address(run, 9);
	return address.family() == AF_INET6 ? Address("fd77:1::99", 9) : Address("10.77.1.99", 9);
}

} // namespace

/* One thread for both ends: nothing may wait for accept(). */
E2E_CASE(connect_write_accept, encrypted(), 20, true)
{
	Listener listener = listen_here(run);
	Fd client = connect_here(run, listener);
	write_all(client, text(5000));
	Fd server = accept_from(listener.fd);
	check_text(read_exactly(server, 5000), 5000);
	check_session(client, server);
}

E2E_CASE(connect_nonblocking, encrypted(), 20, true)
{
	Listener listener = listen_here(run);
	Fd client = connect_here(run, listener, nonblocking);
	check(poll_now(client, POLLOUT, 5000) == POLLOUT, "not writable after connect()");
	check_equal(socket_error(client), 0, "SO_ERROR");
	check_equal(send(client, text(100).data(), 100, MSG_DONTWAIT), 100, "send");
	Fd server = accept_from(listener.fd);
	check_text(read_exactly(server, 100), 100);
	check_session(client, server);
}

/* EAGAIN while the handshake of TCP is going on, as ever; after that the write is taken at once. */
E2E_CASE(write_right_after_nonblocking_connect, encrypted(20))
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 20; i++) {
		Fd client = connect_here(run, listener, nonblocking);
		ssize_t wrote = send(client, text(100).data(), 100, MSG_NOSIGNAL);
		if (wrote < 0) {
			check_errno(wrote, EAGAIN, "send right after connect()");
			check(poll_now(client, POLLOUT, 5000) == POLLOUT, "not writable");
			wrote = send(client, text(100).data(), 100, MSG_NOSIGNAL);
		}
		check_equal(wrote, 100, "send");
		Fd server = accept_from(listener.fd);
		check_text(read_exactly(server, 100), 100);
		check_session(client, server);
	}
}

E2E_CASE(write_right_after_accept, encrypted())
{
	Pair pair = connect_pair(run);
	check_equal(send(pair.server, text(100).data(), 100, MSG_DONTWAIT), 100, "send of the server");
	check_equal(send(pair.client, text(100).data(), 100, MSG_DONTWAIT), 100, "send of the client");
	check_text(read_exactly(pair.client, 100), 100);
	check_text(read_exactly(pair.server, 100), 100);
	check_session(pair.client, pair.server);
}

/* As much as the socket takes before anybody accepts, with one thread. */
E2E_CASE(early_write_until_full, encrypted(), 40)
{
	Listener listener = listen_here(run);
	Fd client = connect_here(run, listener);
	set_blocking(client, false);
	std::size_t total = 0;
	std::string chunk;
	for (;;) {
		chunk = text(10000, total);
		ssize_t wrote = send(client, chunk.data(), chunk.size(), MSG_NOSIGNAL);
		if (wrote < 0) {
			check_errno(wrote, EAGAIN, "send");
			/* What follows the keys may make room once more. */
			if (poll_now(client, POLLOUT, 200) & POLLOUT)
				continue;
			break;
		}
		total += static_cast<std::size_t>(wrote);
		check(total < 64 << 20, "there is no end to it");
	}
	check(total >= 10000, "only " + std::to_string(total) + " bytes were taken");
	Fd server = accept_from(listener.fd);
	check_text(read_exactly(server, total), total);
	check(poll_now(client, POLLOUT, 5000) & POLLOUT, "not writable when all was read");
	client.reset();
	check_end(server);
}

/* One write, larger than any send buffer, begun before the keys are there and ended long after. */
E2E_CASE(early_write_beyond_the_buffer, encrypted(), 40)
{
	std::size_t size = 1 << 20;
	Listener listener = listen_here(run, [](int fd) { set_option(fd, SOL_SOCKET, SO_RCVBUF, 30000); });
	Fd client = connect_here(run, listener, [](int fd) { set_option(fd, SOL_SOCKET, SO_SNDBUF, 30000); });
	std::string data = text(size);
	Thread writer([&] {
		check_equal(send(client, data.data(), size, 0), static_cast<ssize_t>(size), "send");
	});
	Fd server = accept_from(listener.fd);
	check_text(read_exactly(server, size), size);
	check_session(client, server);
}

/* Both ends write before either can have keys. */
E2E_CASE(early_writes_both_ways, encrypted(5))
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 5; i++) {
		Fd client = connect_here(run, listener);
		write_all(client, text(40000, 0, i));
		Fd server = accept_from(listener.fd);
		write_all(server, text(30000, 0, -i));
		check_text(read_exactly(server, 40000), 40000, 0, i);
		check_text(read_exactly(client, 30000), 30000, 0, -i);
		check_session(client, server);
	}
}

E2E_CASE(many_small_early_writes, encrypted())
{
	Listener listener = listen_here(run);
	Fd client = connect_here(run, listener);
	std::string data = text(3000);
	for (std::size_t at = 0; at < data.size(); at += 3)
		check_equal(send(client, data.data() + at, 3, MSG_DONTWAIT), 3, "send");
	Fd server = accept_from(listener.fd);
	check_text(read_exactly(server, 3000), 3000);
	check_session(client, server);
}

E2E_CASE(accept4_flags, encrypted())
{
	Listener listener = listen_here(run);
	Fd client = connect_here(run, listener);
	Fd server(sys(accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC), "accept4"));
	check(fcntl(server, F_GETFL) & O_NONBLOCK, "not O_NONBLOCK");
	check(fcntl(server, F_GETFD) & FD_CLOEXEC, "not FD_CLOEXEC");
	char byte;
	check_errno(recv(server, &byte, 1, 0), EAGAIN, "recv");
	check_session(client, server);
	check_errno(recv(server, &byte, 1, 0), EAGAIN, "recv when there are keys");
	check_works(client, server);
}

E2E_CASE(accept_wakes_up, encrypted())
{
	Listener listener = listen_here(run);
	Fd server;
	pid_t id = 0;
	Thread acceptor([&] {
		__atomic_store_n(&id, thread_id(), __ATOMIC_RELEASE);
		server = accept_from(listener.fd);
	});
	wait_for("a thread in accept()", [&] { return __atomic_load_n(&id, __ATOMIC_ACQUIRE) && asleep(id); });
	Fd client = connect_here(run, listener);
	acceptor.join();
	check_works(client, server);
	check_session(client, server);
}

/* A child that is not accepted: its data is there at once when it is. */
E2E_CASE(data_waits_for_accept, encrypted())
{
	Listener listener = listen_here(run);
	Fd client = connect_here(run, listener);
	write_all(client, text(3000));
	Fd epoll(sys(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
	epoll_event event{EPOLLIN, {.fd = listener.fd}};
	sys(epoll_ctl(epoll, EPOLL_CTL_ADD, listener.fd, &event), "epoll_ctl");
	check_equal(epoll_wait(epoll, &event, 1, 5000), 1, "events of the listener");
	if (!options.plain)
		session_of(client);	/* the exchange goes on without accept() */
	Fd server = accept_from(listener.fd);
	event = {EPOLLIN | EPOLLET, {.fd = server}};
	sys(epoll_ctl(epoll, EPOLL_CTL_ADD, server, &event), "epoll_ctl");
	check_equal(epoll_wait(epoll, &event, 1, 5000), 1, "events of the child");
	check(event.data.fd == server && event.events & EPOLLIN, "not readable");
	check_text(read_exactly(server, 3000), 3000);
	check_session(client, server);
}

/* Several children with keys wait for accept(); the listener goes: they are reset. */
E2E_CASE(listener_closes_with_children, encrypted(5))
{
	Listener listener = listen_here(run);
	std::vector<Fd> clients;
	for (int i = 0; i < 5; i++) {
		clients.push_back(connect_here(run, listener));
		write_all(clients.back(), text(1000));
		if (!options.plain)
			session_of(clients.back());
	}
	listener.fd.reset();
	for (Fd &client : clients) {
		char byte;
		check_errno(recv(client, &byte, 1, 0), ECONNRESET, "recv");
	}
}

/* The same in the middle of the exchange. */
E2E_CASE(listener_closes_during_exchange, unaudited())
{
	for (int i = 0; i < 20; i++) {
		Listener listener = listen_here(run);
		Fd client = connect_here(run, listener);
		std::this_thread::sleep_for(std::chrono::microseconds(100 * i));
		listener.fd.reset();
		char byte;
		check_errno(recv(client, &byte, 1, 0), ECONNRESET, "recv");
	}
}

E2E_CASE(backlog_overflow, encrypted(3), 30)
{
	Listener listener = listen_here(run, {}, 1);
	std::vector<Fd> clients;
	for (int i = 0; i < 3; i++) {
		clients.push_back(connect_here(run, listener, nonblocking));
		if (i < 2)
			check(poll_now(clients.back(), POLLOUT, 5000) & POLLOUT, "not connected");
	}
	for (Fd &client : clients) {
		set_blocking(client, true);
		Fd server = accept_from(listener.fd);
		check_equal(poll_now(client, POLLOUT, 10000) & POLLOUT, POLLOUT, "connected");
		check_works(client, server);
		check_session(client, server);
	}
}

/* The server hears of a connection when there is data; Init1 is not data, but TCP does not know. */
E2E_CASE(defer_accept, encrypted())
{
	Listener listener = listen_here(run, [](int fd) { set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 5); });
	Fd client = connect_here(run, listener);
	write_all(client, text(1000));
	Fd server = accept_from(listener.fd);
	check_text(read_exactly(server, 1000), 1000);
	check_works(client, server);
	check_session(client, server);
}

/* SO_RCVLOWAT is inherited: a short Init1 must wake the exchange all the same. */
E2E_CASE(listener_with_rcvlowat, encrypted())
{
	Listener listener = listen_here(run, [](int fd) { set_option(fd, SOL_SOCKET, SO_RCVLOWAT, 10000); });
	Fd client = connect_here(run, listener);
	Fd server = accept_from(listener.fd);
	check_session(client, server);
	write_all(client, text(9999));
	wait_readable_bytes(server, 9999);
	check_equal(poll_now(server, POLLIN), 0, "readable below the mark");
	write_all(client, text(1, 9999));
	wait_readable(server);
	check_text(read_exactly(server, 10000), 10000);
}

/* Nobody listens; the socket can be used again. */
E2E_CASE(refused_then_connected, encrypted())
{
	Listener listener = listen_here(run);
	Address nobody = server_address(run, 9);
	Fd client = socket_in(run.client(), nobody.family());
	for (int i = 0; i < 3; i++)
		check_errno(connect(client, nobody.get(), nobody.size()), ECONNREFUSED, "connect to a closed port");
	sys(connect(client, listener.address.get(), listener.address.size()), "connect");
	Fd server = accept_from(listener.fd);
	check_works(client, server);
	check_session(client, server);
}

E2E_CASE(refused_nonblocking, nothing())
{
	Fd client = connect_from(run.client(), server_address(run, 9), nonblocking);
	check(poll_now(client, POLLIN | POLLOUT, 5000) & POLLERR, "no POLLERR");
	check_equal(socket_error(client), ECONNREFUSED, "SO_ERROR");
	char byte;
	check_equal(recv(client, &byte, 1, 0), 0, "recv after the error was taken");
}

E2E_CASE(connect_twice, encrypted())
{
	Pair pair = encrypted_pair(run);
	Address to = pair.listener.address;
	check_errno(connect(pair.client, to.get(), to.size()), EISCONN, "connect again");
	check_errno(listen(pair.client, 1), EINVAL, "listen on a connection");
	check_works(pair.client, pair.server);
}

E2E_CASE(connect_in_progress, nothing())
{
	Address to = silent_address(run);
	Fd client = socket_in(run.client(), to.family(), SOCK_NONBLOCK);
	check_errno(connect(client, to.get(), to.size()), EINPROGRESS, "connect");
	check_errno(connect(client, to.get(), to.size()), EALREADY, "connect again");
	check_errno(send(client, "x", 1, MSG_NOSIGNAL), EAGAIN, "send");
	char byte;
	check_errno(recv(client, &byte, 1, 0), EAGAIN, "recv");
	check_equal(poll_now(client, POLLIN | POLLOUT), 0, "events");
}

/* The wait in connect(), and that of a writer in another thread, end with a signal. */
E2E_CASE(connect_interrupted, nothing())
{
	struct sigaction action{};
	action.sa_handler = [](int) {};
	sys(sigaction(SIGUSR1, &action, nullptr), "sigaction");
	Address to = silent_address(run);
	Fd client = socket_in(run.client(), to.family());
	pid_t id = 0;
	Thread connector([&] {
		__atomic_store_n(&id, thread_id(), __ATOMIC_RELEASE);
		check_errno(connect(client, to.get(), to.size()), EINTR, "connect");
	});
	wait_for("a thread in connect()", [&] { return __atomic_load_n(&id, __ATOMIC_ACQUIRE) && asleep(id); });
	pthread_kill(connector.native_handle(), SIGUSR1);
	connector.join();
}

E2E_CASE(connect_with_sndtimeo, nothing())
{
	timeval limit{0, 200000};
	Address to = silent_address(run);
	Fd client = socket_in(run.client(), to.family());
	sys(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), "SO_SNDTIMEO");
	Stopwatch watch;
	check_errno(connect(client, to.get(), to.size()), EINPROGRESS, "connect");
	check_between(watch.elapsed(), milliseconds(190), patience(5), "time in connect()");
}

E2E_CASE(connect_to_unreachable, nothing())
{
	Address to = server_address(run, 9).family() == AF_INET6 ? Address("fd99::1", 9) : Address("192.0.2.1", 9);
	Fd client = socket_in(run.client(), to.family());
	for (int i = 0; i < 3; i++)
		check_errno(connect(client, to.get(), to.size()), ENETUNREACH, "connect");
}

/* connect() with AF_UNSPEC ends a connection, and the socket makes another. */
E2E_CASE(disconnect_and_reconnect, encrypted(3))
{
	Listener listener = listen_here(run);
	Fd client = socket_in(run.client(), listener.address.family());
	std::string last;
	for (int i = 0; i < 3; i++) {
		sys(connect(client, listener.address.get(), listener.address.size()), "connect");
		Fd server = accept_from(listener.fd);
		check_works(client, server);
		check_session(client, server);
		if (!options.plain) {
			std::string id = session_of(client).id;
			check(id != last, "the same session ID again");
			last = id;
		}
		sockaddr nowhere{};
		nowhere.sa_family = AF_UNSPEC;
		sys(connect(client, &nowhere, sizeof(nowhere)), "connect with AF_UNSPEC");
		char byte;
		check_errno(recv(server, &byte, 1, 0), ECONNRESET, "recv of the server");
		check_errno(send(client, "x", 1, MSG_NOSIGNAL), ECONNRESET, "send when not connected");
		check_errno(send(client, "x", 1, MSG_NOSIGNAL), EPIPE, "send when not connected, again");
		check_plain(client);
	}
}

/* The same while the exchange is going on, and a listener is made of the socket. */
E2E_CASE(disconnect_early_and_listen, unaudited())
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 10; i++) {
		Fd client = connect_here(run, listener);
		sockaddr nowhere{};
		nowhere.sa_family = AF_UNSPEC;
		sys(connect(client, &nowhere, sizeof(nowhere)), "connect with AF_UNSPEC");
		sys(listen(client, 1), "listen");
		Address here = Address::of(client);
		here = Address(run.family() == 6 ? run.client().ipv6() : run.client().ipv4(), here.port());
		Fd other = connect_from(run.server(), here);
		Fd child = accept_from(client);
		check_works(other, child);
		check_session(other, child);
	}
}

E2E_CASE(names_of_the_ends, encrypted())
{
	Pair pair = encrypted_pair(run);
	check_equal(Address::of(pair.client).port(), Address::of_peer(pair.server).port(), "port of the client");
	check_equal(Address::of(pair.server).port(), Address::of_peer(pair.client).port(), "port of the server");
	check_equal(get_option(pair.client, SOL_SOCKET, SO_TYPE), SOCK_STREAM, "SO_TYPE");
	check_equal(get_option(pair.client, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP, "SO_PROTOCOL");
	check_equal(get_option(pair.client, SOL_SOCKET, SO_ACCEPTCONN), 0, "SO_ACCEPTCONN");
	check_equal(socket_error(pair.client), 0, "SO_ERROR");
	check_equal(tcp_state(pair.server), TCP_ESTABLISHED, "state");
}

/* SO_REUSEPORT: two listeners of one port. */
E2E_CASE(reuseport, encrypted(8))
{
	auto share = [](int fd) { set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1); };
	Listener one = listen_here(run, share);
	Listener two = listen_at(run.server(), one.address, share);
	set_blocking(one.fd, false);
	set_blocking(two.fd, false);
	for (int i = 0; i < 8; i++) {
		Fd client = connect_here(run, one);
		Fd server;
		wait_for("a child", [&] {
			server = Fd(accept4(one.fd, nullptr, nullptr, SOCK_CLOEXEC));
			if (server < 0)
				server = Fd(accept4(two.fd, nullptr, nullptr, SOCK_CLOEXEC));
			return server >= 0;
		});
		check_works(client, server);
		check_session(client, server);
	}
}
