// SPDX-License-Identifier: GPL-2.0
// Descriptors that are duplicated, inherited and handed over, and io_uring.
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "sockets.hh"

using namespace e2e;

namespace {

void send_descriptor(int channel, int fd)
{
	char byte = 'x';
	iovec piece{&byte, 1};
	alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
	msghdr message{};
	message.msg_iov = &piece;
	message.msg_iovlen = 1;
	message.msg_control = control.data();
	message.msg_controllen = control.size();
	cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	sys(sendmsg(channel, &message, 0), "sendmsg of a descriptor");
}

Fd receive_descriptor(int channel)
{
	char byte;
	iovec piece{&byte, 1};
	alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
	msghdr message{};
	message.msg_iov = &piece;
	message.msg_iovlen = 1;
	message.msg_control = control.data();
	message.msg_controllen = control.size();
	sys(recvmsg(channel, &message, MSG_CMSG_CLOEXEC), "recvmsg of a descriptor");
	const cmsghdr *header = CMSG_FIRSTHDR(&message);
	check(header && header->cmsg_type == SCM_RIGHTS, "no descriptor came");
	int fd;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return Fd(fd);
}

/** As little of io_uring as it takes: one request at a time. */
class Ring {
public:
	Ring()
	{
		io_uring_params params{};
		fd_ = Fd(static_cast<int>(sys(syscall(SYS_io_uring_setup, 4, &params), "io_uring_setup")));
		std::size_t size = std::max(params.sq_off.array + params.sq_entries * sizeof(unsigned int),
					    params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
		check(params.features & IORING_FEAT_SINGLE_MMAP, "an io_uring that is too old");
		auto *rings = static_cast<char *>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_,
						       IORING_OFF_SQ_RING));
		auto *entries = mmap(nullptr, params.sq_entries * sizeof(io_uring_sqe), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_POPULATE, fd_, IORING_OFF_SQES);
		check(rings != MAP_FAILED && entries != MAP_FAILED, "mmap of the ring");
		entries_ = static_cast<io_uring_sqe *>(entries);
		tail_ = at<unsigned int>(rings, params.sq_off.tail);
		mask_ = *at<unsigned int>(rings, params.sq_off.ring_mask);
		array_ = at<unsigned int>(rings, params.sq_off.array);
		completed_head_ = at<unsigned int>(rings, params.cq_off.head);
		completed_tail_ = at<unsigned int>(rings, params.cq_off.tail);
		completed_mask_ = *at<unsigned int>(rings, params.cq_off.ring_mask);
		completed_ = at<io_uring_cqe>(rings, params.cq_off.cqes);
	}

	void submit(unsigned char operation, int fd, const void *buffer, std::size_t size, std::uint32_t flags = 0)
	{
		unsigned int index = *tail_ & mask_;
		io_uring_sqe entry{};
		entry.opcode = operation;
		entry.fd = fd;
		entry.addr = reinterpret_cast<std::uintptr_t>(buffer);
		entry.len = static_cast<std::uint32_t>(size);
		entry.msg_flags = flags;
		entries_[index] = entry;
		array_[index] = index;
		std::atomic_ref(*tail_).store(*tail_ + 1, std::memory_order_release);
		check_equal(syscall(SYS_io_uring_enter, static_cast<int>(fd_), 1, 0, 0, nullptr, 0), 1, "io_uring_enter");
	}

	int wait()
	{
		sys(syscall(SYS_io_uring_enter, static_cast<int>(fd_), 0, 1, IORING_ENTER_GETEVENTS, nullptr, 0), "io_uring_enter");
		unsigned int head = *completed_head_;
		check(head != std::atomic_ref(*completed_tail_).load(std::memory_order_acquire), "nothing has completed");
		int result = completed_[head & completed_mask_].res;
		std::atomic_ref(*completed_head_).store(head + 1, std::memory_order_release);
		return result;
	}

	int run(unsigned char operation, int fd, const void *buffer, std::size_t size, std::uint32_t flags = 0)
	{
		submit(operation, fd, buffer, size, flags);
		return wait();
	}

private:
	template <typename Type> static Type *at(char *base, std::uint32_t offset)
	{
		return reinterpret_cast<Type *>(base + offset);
	}

	Fd fd_;
	io_uring_sqe *entries_;
	unsigned int *tail_, *array_, *completed_head_, *completed_tail_;
	unsigned int mask_, completed_mask_;
	io_uring_cqe *completed_;
};

} // namespace

E2E_CASE(duplicated, encrypted())
{
	Pair pair = encrypted_pair(run);
	Fd copy(sys(dup(pair.client), "dup"));
	write_all(copy, text(10));
	check_text(read_exactly(pair.server, 10), 10);
	pair.client.reset();
	/* One descriptor is left: the connection lives. */
	check_works(copy, pair.server);
	check_session(copy, pair.server);
	copy.reset();
	check_end(pair.server);
}

E2E_CASE(inherited, encrypted())
{
	Pair pair = encrypted_pair(run);
	int gate[2];
	sys(pipe(gate), "pipe");
	Process child([&] {
		pair.listener.fd.reset();
		pair.server.reset();
		close(gate[1]);
		char byte;
		check_equal(read(gate[0], &byte, 1), 0, "read of the gate");
		write_all(pair.client, text(1000));
		check_text(read_exactly(pair.client, 500), 500);
	});
	pair.client.reset();
	check_equal(poll_now(pair.server, POLLIN), 0, "events while the child has it");
	close(gate[1]);
	check_text(read_exactly(pair.server, 1000), 1000);
	write_all(pair.server, text(500));
	child.wait_good();
	check_end(pair.server);
}

/* A server that forks for each connection. */
E2E_CASE(forking_server, encrypted(5), 30)
{
	Listener listener = listen_here(run);
	for (int i = 0; i < 5; i++) {
		Fd client = connect_here(run, listener);
		Fd server = accept_from(listener.fd);
		Process worker([&] {
			client.reset();
			std::string all = read_to_end(server);
			write_all(server, all);
		});
		server.reset();
		write_all(client, text(3000, 0, i));
		sys(shutdown(client, SHUT_WR), "shutdown");
		check_text(read_to_end(client), 3000, 0, i);
		worker.wait_good();
	}
}

/* Handed to a process in another network namespace: the connection stays what it is. */
E2E_CASE(handed_over, encrypted(), 20, true)
{
	int channel[2];
	sys(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), "socketpair");
	Pair pair = encrypted_pair(run);
	std::string id = options.plain ? "" : session_of(pair.server).id;
	write_all(pair.client, text(1000));
	Process receiver([&] {
		pair.server.reset();
		pair.client.reset();
		run.client().enter();
		Fd server = receive_descriptor(channel[1]);
		check_text(read_exactly(server, 1000), 1000);
		if (!options.plain)
			check(session_of(server).id == id, "another session ID");
		write_all(server, text(2000));
		check_end(server);
	});
	send_descriptor(channel[0], pair.server);
	pair.server.reset();
	check_text(read_exactly(pair.client, 2000), 2000);
	pair.client.reset();
	receiver.wait_good();
}

/* In the middle of the exchange, and while it is in flight nobody holds it. */
E2E_CASE(handed_over_before_the_keys, encrypted(10))
{
	int channel[2];
	sys(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), "socketpair");
	Listener listener = listen_here(run);
	for (int i = 0; i < 10; i++) {
		Fd client = connect_here(run, listener);
		send_descriptor(channel[0], client);
		client.reset();
		Fd server = accept_from(listener.fd);
		write_all(server, text(100, 0, i));
		client = receive_descriptor(channel[1]);
		check_text(read_exactly(client, 100), 100, 0, i);
		check_session(client, server);
	}
}

/* The connecting thread in another namespace than the socket. */
E2E_CASE(used_from_another_namespace, encrypted())
{
	Listener listener = listen_here(run);
	Fd client = socket_in(run.client(), listener.address.family());
	Inside inside(run.server());
	sys(connect(client, listener.address.get(), listener.address.size()), "connect");
	Fd server = accept_from(listener.fd);
	check_works(client, server);
	check_session(client, server);
}

E2E_CASE(uring_stream, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	Ring out, in;
	constexpr std::size_t size = 200000;
	std::string data = text(size), got(size, '\0');
	Thread sender([&] {
		std::size_t done = 0;
		while (done < size) {
			int wrote = out.run(IORING_OP_SEND, pair.client, data.data() + done, std::min<std::size_t>(size - done, 30000));
			check(wrote > 0, "IORING_OP_SEND: " + errno_text(-wrote));
			done += static_cast<std::size_t>(wrote);
		}
	});
	std::size_t done = 0;
	while (done < size) {
		int count = in.run(IORING_OP_RECV, pair.server, got.data() + done, size - done);
		check(count > 0, "IORING_OP_RECV: " + errno_text(-count));
		done += static_cast<std::size_t>(count);
	}
	check_text(got, size);
}

/* Requests that wait: for data, for the whole of it, for readiness, for the end. */
E2E_CASE(uring_waits, encrypted(), 30)
{
	Pair pair = encrypted_pair(run);
	Ring ring;
	std::string got(3000, '\0');
	ring.submit(IORING_OP_RECV, pair.server, got.data(), got.size());
	write_all(pair.client, text(10));
	check_equal(ring.wait(), 10, "IORING_OP_RECV");
	check_text(got.substr(0, 10), 10);

	ring.submit(IORING_OP_RECV, pair.server, got.data(), 3000, MSG_WAITALL);
	write_all(pair.client, text(1000, 10));
	wait_readable_bytes(pair.server, 0);
	write_all(pair.client, text(2000, 1010));
	check_equal(ring.wait(), 3000, "IORING_OP_RECV with MSG_WAITALL");
	check_text(got, 3000, 10);

	ring.submit(IORING_OP_POLL_ADD, pair.server, nullptr, 0, POLLIN);
	write_all(pair.client, text(10));
	check(ring.wait() & POLLIN, "IORING_OP_POLL_ADD");
	check_text(read_exactly(pair.server, 10), 10);

	ring.submit(IORING_OP_RECV, pair.server, got.data(), got.size());
	pair.client.reset();
	check_equal(ring.wait(), 0, "IORING_OP_RECV at the end");
}

E2E_CASE(uring_connect_and_accept, encrypted())
{
	Listener listener = listen_here(run);
	Ring acceptor, connector;
	Fd client = socket_in(run.client(), listener.address.family());
	acceptor.submit(IORING_OP_ACCEPT, listener.fd, nullptr, 0);
	/* IORING_OP_CONNECT has the length where others have an offset: here a plain connect() will do. */
	sys(connect(client, listener.address.get(), listener.address.size()), "connect");
	int accepted = acceptor.wait();
	check(accepted >= 0, "IORING_OP_ACCEPT: " + errno_text(-accepted));
	Fd server(accepted);
	check_works(client, server);
	check_session(client, server);
	check_equal(connector.run(IORING_OP_SHUTDOWN, client, nullptr, SHUT_WR), 0, "IORING_OP_SHUTDOWN");
	check_end(server);
	check_equal(connector.run(IORING_OP_CLOSE, client.release(), nullptr, 0), 0, "IORING_OP_CLOSE");
}
