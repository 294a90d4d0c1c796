// SPDX-License-Identifier: GPL-2.0
// The transfers that are timed: bulk data, round trips, connections.
#include "workload.hh"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "process.hh"
#include "tls.hh"

namespace bench {

static constexpr int backlog = 128;
static constexpr char filling = 'x';

const char *workload_name(Workload workload)
{
	switch (workload) {
	case Workload::bulk:
		return "bulk";
	case Workload::ping_pong:
		return "ping-pong";
	default:
		return "connect";
	}
}

std::uint64_t connections_of(const Job &job)
{
	return job.workload == Workload::connect ? job.warm_up + job.amount : job.connections;
}

static double now()
{
	timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

static void send_byte(int fd)
{
	char byte = filling;
	if (check(send(fd, &byte, 1, MSG_NOSIGNAL), "send") != 1)
		throw std::runtime_error("send: nothing was sent");
}

static void receive_byte(int fd)
{
	char byte = 0;
	if (check(recv(fd, &byte, 1, 0), "recv") != 1)
		throw std::runtime_error("recv: unexpected end of file");
	if (byte != filling)
		throw std::runtime_error("recv: not the byte that was sent");
}

static void expect_end(int fd)
{
	char byte;
	if (check(recv(fd, &byte, 1, 0), "recv"))
		throw std::runtime_error("recv: a byte that was not sent");
}

static Descriptor make_socket()
{
	return Descriptor(check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
}

static Descriptor make_listener()
{
	Descriptor listener = make_socket();
	sockaddr_in address = Network::server_address();
	check(bind(listener.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)), "bind");
	check(listen(listener.get(), backlog), "listen");
	return listener;
}

static in_port_t port_of(const Descriptor &listener)
{
	sockaddr_in address{};
	socklen_t length = sizeof(address);
	check(getsockname(listener.get(), reinterpret_cast<sockaddr *>(&address), &length), "getsockname");
	return address.sin_port;
}

static Descriptor connect_to(in_port_t port)
{
	Descriptor connection = make_socket();
	sockaddr_in address = Network::server_address();
	address.sin_port = port;
	check(connect(connection.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)), "connect");
	return connection;
}

static Descriptor accept_from(const Descriptor &listener)
{
	return Descriptor(check(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
}

/* Both ends exchange a byte, after which each knows what kind of connection it has. */
static Descriptor accept_checked(const Descriptor &listener, const Subject &subject)
{
	Descriptor connection = accept_from(listener);
	prepare_socket(subject, connection.get(), false);
	receive_byte(connection.get());
	send_byte(connection.get());
	verify_socket(subject, connection.get());
	return connection;
}

static Descriptor connect_checked(in_port_t port, const Subject &subject)
{
	Descriptor connection = connect_to(port);
	prepare_socket(subject, connection.get(), true);
	send_byte(connection.get());
	receive_byte(connection.get());
	verify_socket(subject, connection.get());
	return connection;
}

/* One thread for each connection, none for a single one. Rethrows what one of them threw. */
static void in_parallel(const std::vector<Descriptor> &connections, const std::function<void(int fd)> &body)
{
	if (connections.size() == 1) {
		body(connections[0].get());
		return;
	}
	std::vector<std::exception_ptr> errors(connections.size());
	{
		std::vector<std::jthread> threads;
		for (std::size_t i = 0; i < connections.size(); i++) {
			threads.emplace_back([&, i] {
				try {
					body(connections[i].get());
				} catch (...) {
					errors[i] = std::current_exception();
				}
			});
		}
	}
	for (const std::exception_ptr &error : errors) {
		if (error)
			std::rethrow_exception(error);
	}
}

/* What one of the connections carries of an amount, in whole writes. */
static std::uint64_t share(std::uint64_t amount, const Job &job)
{
	return (amount / job.connections / job.write_size + 1) * job.write_size;
}

static void receive_bytes(int fd, std::uint64_t left, std::vector<char> &buffer)
{
	std::size_t length = 0;
	for (; left; left -= length) {
		length = check(recv(fd, buffer.data(), std::min<std::uint64_t>(left, buffer.size()), 0), "recv");
		if (!length)
			throw std::runtime_error("recv: unexpected end of file");
	}
	if (std::any_of(buffer.begin(), buffer.begin() + length, [](char c) { return c != filling; }))
		throw std::runtime_error("recv: not the bytes that were sent");
}

static void send_bytes(int fd, std::uint64_t left, const std::vector<char> &buffer)
{
	while (left)
		left -= check(send(fd, buffer.data(), std::min<std::uint64_t>(left, buffer.size()), MSG_NOSIGNAL), "send");
}

/*
 * The clock starts when the warm-up of all connections has arrived and nothing is under way, and stops when the last
 * byte has arrived: whatever fills the buffers meanwhile is done within that time, all of it.
 */
static double serve_bulk(const Descriptor &listener, const Subject &subject, const Job &job)
{
	std::vector<Descriptor> connections;
	for (unsigned int i = 0; i < job.connections; i++)
		connections.push_back(accept_checked(listener, subject));
	double start = 0, stop = 0;
	std::barrier warm(job.connections, [&]() noexcept { start = now(); });
	std::barrier done(job.connections, [&]() noexcept { stop = now(); });
	in_parallel(connections, [&](int fd) {
		std::vector<char> buffer(job.read_size);
		try {
			receive_bytes(fd, share(job.warm_up, job), buffer);
			warm.arrive_and_wait();
			send_byte(fd);
			receive_bytes(fd, share(job.amount, job), buffer);
			done.arrive_and_wait();
			expect_end(fd);
		} catch (...) {
			// The others shall not wait for this one.
			warm.arrive_and_drop();
			done.arrive_and_drop();
			throw;
		}
	});
	std::uint64_t carried = share(job.amount, job) * job.connections;
	return (stop - start) * static_cast<double>(job.amount) / static_cast<double>(carried);
}

static void send_bulk(int fd, const Job &job)
{
	std::vector<char> buffer(job.write_size, filling);
	send_bytes(fd, share(job.warm_up, job), buffer);
	receive_byte(fd);
	send_bytes(fd, share(job.amount, job), buffer);
	check(shutdown(fd, SHUT_WR), "shutdown");
	expect_end(fd);
}

static double serve_ping_pong(const Descriptor &listener, const Subject &subject, const Job &job)
{
	Descriptor connection = accept_checked(listener, subject);
	for (std::uint64_t i = 0; i < job.warm_up + job.amount; i++) {
		receive_byte(connection.get());
		send_byte(connection.get());
	}
	expect_end(connection.get());
	return 0;
}

static double serve_connect(const Descriptor &listener, const Job &job, Tls *tls)
{
	for (std::uint64_t i = 0; i < job.warm_up + job.amount; i++) {
		Descriptor connection = accept_from(listener);
		if (tls) {
			tls->serve(connection.get());
		} else {
			receive_byte(connection.get());
			send_byte(connection.get());
		}
		expect_end(connection.get());
	}
	return 0;
}

static double serve(const Descriptor &listener, const Subject &subject, const Job &job, Tls *tls)
{
	switch (job.workload) {
	case Workload::bulk:
		return serve_bulk(listener, subject, job);
	case Workload::ping_pong:
		return serve_ping_pong(listener, subject, job);
	default:
		return serve_connect(listener, job, tls);
	}
}

static double drive_bulk(in_port_t port, const Subject &subject, const Job &job, Peer &peer)
{
	std::vector<Descriptor> connections;
	for (unsigned int i = 0; i < job.connections; i++)
		connections.push_back(connect_checked(port, subject));
	in_parallel(connections, [&](int fd) { send_bulk(fd, job); });
	return peer.receive();
}

/* Warms up, and then times @amount calls. */
static double time_calls(const Job &job, const std::function<void()> &call)
{
	for (std::uint64_t i = 0; i < job.warm_up; i++)
		call();
	double start = now();
	for (std::uint64_t i = 0; i < job.amount; i++)
		call();
	return now() - start;
}

static double drive_ping_pong(in_port_t port, const Subject &subject, const Job &job)
{
	Descriptor connection = connect_checked(port, subject);
	return time_calls(job, [fd = connection.get()] {
		send_byte(fd);
		receive_byte(fd);
	});
}

static double drive_connect(in_port_t port, const Job &job, Tls *tls)
{
	return time_calls(job, [port, tls] {
		Descriptor connection = connect_to(port);
		if (tls) {
			tls->drive(connection.get());
		} else {
			send_byte(connection.get());
			receive_byte(connection.get());
		}
	});
}

double run_job(const Network &network, const Subject &subject, const Job &job)
{
	Descriptor listener;
	network.in(Network::End::server, [&] { listener = make_listener(); });
	in_port_t port = port_of(listener);
	std::optional<Tls> both;
	if (subject.tls())
		both.emplace(subject.kind == Kind::tls_resumed);
	Tls *tls = both ? &*both : nullptr;
	Peer peer([&](Peer::Channel &parent) {
		double seconds = serve(listener, subject, job, tls);
		if (job.workload == Workload::bulk)
			parent.send(seconds);
	});
	listener.reset();
	double seconds = 0;
	network.in(Network::End::client, [&] {
		try {
			switch (job.workload) {
			case Workload::bulk:
				seconds = drive_bulk(port, subject, job, peer);
				break;
			case Workload::ping_pong:
				seconds = drive_ping_pong(port, subject, job);
				break;
			case Workload::connect:
				seconds = drive_connect(port, job, tls);
			}
		} catch (const std::system_error &error) {
			// A reset may be all that is left of a server that knew more.
			peer.blame();
			throw;
		}
	});
	peer.join();
	return seconds;
}

} // namespace bench
