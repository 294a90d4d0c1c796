// SPDX-License-Identifier: GPL-2.0
// The transfers that are timed: bulk data, round trips, connections.
#include "workload.hh"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "process.hh"

namespace bench {

/*
 * Bulk transfers go on for this part of the amount after the clock was stopped, so that it does not run while
 * some connections have ended and others have not.
 */
static constexpr std::uint64_t tail_part = 8;
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

/* The clock of a bulk transfer, shared by the threads of the receiver. */
class Meter {
public:
	explicit Meter(const Job &job) : start_(job.warm_up), stop_(job.warm_up + job.amount) {}

	void add(std::uint64_t bytes)
	{
		std::uint64_t before = total_.fetch_add(bytes), after = before + bytes;
		// Exactly one thread crosses each mark; the bytes beyond it belong to what follows.
		if (before < start_ && after >= start_) {
			start_total_ = after;
			start_time_ = now();
		}
		if (before < stop_ && after >= stop_) {
			stop_total_ = after;
			stop_time_ = now();
		}
	}
	std::uint64_t total() const { return total_; }
	/** What the amount would have taken at the measured rate. */
	double seconds() const
	{
		return (stop_time_ - start_time_) * static_cast<double>(stop_ - start_) /
		       static_cast<double>(stop_total_ - start_total_);
	}

private:
	const std::uint64_t start_, stop_;
	std::atomic<std::uint64_t> total_ = 0;
	std::atomic<std::uint64_t> start_total_ = 0, stop_total_ = 0;
	std::atomic<double> start_time_ = 0, stop_time_ = 0;
};

static std::uint64_t bulk_share(const Job &job)
{
	std::uint64_t total = job.warm_up + job.amount + job.amount / tail_part;
	return (total / job.connections / job.write_size + 1) * job.write_size;
}

static void receive_bulk(int fd, const Job &job, Meter &meter)
{
	std::vector<char> buffer(job.read_size);
	std::size_t last = 0;
	while (std::size_t length = check(recv(fd, buffer.data(), buffer.size(), 0), "recv")) {
		meter.add(length);
		last = length;
	}
	if (std::any_of(buffer.begin(), buffer.begin() + last, [](char c) { return c != filling; }))
		throw std::runtime_error("not the bytes that were sent");
}

static void send_bulk(int fd, const Job &job)
{
	std::vector<char> buffer(job.write_size, filling);
	std::uint64_t left = bulk_share(job);
	while (left) {
		std::size_t part = std::min<std::uint64_t>(left, buffer.size());
		left -= check(send(fd, buffer.data(), part, MSG_NOSIGNAL), "send");
	}
	check(shutdown(fd, SHUT_WR), "shutdown");
	expect_end(fd);
}

static double serve_bulk(const Descriptor &listener, const Subject &subject, const Job &job)
{
	std::vector<Descriptor> connections;
	for (unsigned int i = 0; i < job.connections; i++)
		connections.push_back(accept_checked(listener, subject));
	Meter meter(job);
	in_parallel(connections, [&](int fd) { receive_bulk(fd, job, meter); });
	if (meter.total() != bulk_share(job) * job.connections)
		throw std::runtime_error("not as many bytes as were sent");
	return meter.seconds();
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

static double serve_connect(const Descriptor &listener, const Job &job)
{
	for (std::uint64_t i = 0; i < job.warm_up + job.amount; i++) {
		Descriptor connection = accept_from(listener);
		receive_byte(connection.get());
		send_byte(connection.get());
		expect_end(connection.get());
	}
	return 0;
}

static double serve(const Descriptor &listener, const Subject &subject, const Job &job)
{
	switch (job.workload) {
	case Workload::bulk:
		return serve_bulk(listener, subject, job);
	case Workload::ping_pong:
		return serve_ping_pong(listener, subject, job);
	default:
		return serve_connect(listener, job);
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

static double drive_connect(in_port_t port, const Job &job)
{
	return time_calls(job, [port] {
		Descriptor connection = connect_to(port);
		send_byte(connection.get());
		receive_byte(connection.get());
	});
}

double run_job(const Network &network, const Subject &subject, const Job &job)
{
	Descriptor listener;
	network.in(Network::End::server, [&] { listener = make_listener(); });
	in_port_t port = port_of(listener);
	Peer peer([&](Peer::Channel &parent) {
		double seconds = serve(listener, subject, job);
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
				seconds = drive_connect(port, job);
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
