// SPDX-License-Identifier: GPL-2.0
// recv, send and their flags, with all sorts of buffers.
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "sockets.hh"

using namespace e2e;

namespace {

std::string receive(int fd, std::size_t size, int flags, Location where = Location::current())
{
	std::string data(size, '\x5a');
	ssize_t got = sys(recv(fd, data.data(), size, flags), "recv", where);
	data.resize(static_cast<std::size_t>(got));
	return data;
}

/** So many writes, each seen by the reader on its own: as many frames. */
void write_in_frames(const Pair &pair, std::size_t size, int frames)
{
	for (int i = 0; i < frames; i++) {
		write_all(pair.client, text(size, static_cast<std::size_t>(i) * size));
		wait_readable_bytes(pair.server, static_cast<int>(size) * (i + 1));
	}
}

} // namespace

E2E_CASE(peek, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	write_in_frames(pair, 1000, 3);
	check_text(receive(pair.server, 10, MSG_PEEK), 10);
	check_text(receive(pair.server, 1000, MSG_PEEK), 1000);
	check_text(receive(pair.server, 2500, MSG_PEEK), 2500);
	check_text(receive(pair.server, 9000, MSG_PEEK), 3000);
	check_text(receive(pair.server, 9000, MSG_PEEK | MSG_DONTWAIT), 3000);
	check_equal(readable_bytes(pair.server), 3000, "FIONREAD");
	check_text(receive(pair.server, 700, 0), 700);
	check_text(receive(pair.server, 9000, MSG_PEEK), 2300, 700);
	check_text(receive(pair.server, 1000, 0), 1000, 700);
	check_text(receive(pair.server, 9000, MSG_PEEK), 1300, 1700);
	check_text(receive(pair.server, 9000, 0), 1300, 1700);
	check_errno(recv(pair.server, nullptr, 0, MSG_PEEK | MSG_DONTWAIT), EAGAIN, "peek when all was read");
}

E2E_CASE(peek_waits, encrypted())
{
	Pair pair = encrypted_pair(run);
	pid_t id = 0;
	Thread reader([&] {
		__atomic_store_n(&id, thread_id(), __ATOMIC_RELEASE);
		check_text(receive(pair.server, 100, MSG_PEEK), 10);
	});
	wait_for("a thread in recv()", [&] { return __atomic_load_n(&id, __ATOMIC_ACQUIRE) && asleep(id); });
	write_all(pair.client, text(10));
	reader.join();
	check_text(receive(pair.server, 100, 0), 10);
}

E2E_CASE(peek_waitall, encrypted())
{
	Pair pair = encrypted_pair(run);
	write_all(pair.client, text(1000));
	Thread writer([&] {
		wait_readable_bytes(pair.server, 1000);
		write_all(pair.client, text(1000, 1000));
	});
	check_text(receive(pair.server, 2000, MSG_PEEK | MSG_WAITALL), 2000);
	check_text(receive(pair.server, 2000, 0), 2000);
}

E2E_CASE(waitall, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t size = 100000;
	Thread writer([&] {
		for (std::size_t at = 0; at < size; at += 5000) {
			write_all(pair.client, text(5000, at));
			std::this_thread::yield();
		}
		shutdown(pair.client, SHUT_WR);
	});
	check_text(receive(pair.server, size - 777, MSG_WAITALL), size - 777);
	/* The end comes before all that was asked for. */
	check_text(receive(pair.server, 5000, MSG_WAITALL), 777, size - 777);
	check_equal(receive(pair.server, 5000, MSG_WAITALL).size(), 0u, "bytes after the end");
}

E2E_CASE(waitall_of_many_megabytes, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t size = 2 << 20;
	std::string data = text(size);
	Thread writer([&] { write_all(pair.client, data); });
	check_text(receive(pair.server, size, MSG_WAITALL), size);
}

E2E_CASE(dontwait, encrypted())
{
	Pair pair = encrypted_pair(run);
	char byte;
	check_errno(recv(pair.server, &byte, 1, MSG_DONTWAIT), EAGAIN, "recv of nothing");
	write_all(pair.client, text(10));
	wait_readable(pair.server);
	check_text(receive(pair.server, 100, MSG_DONTWAIT), 10);
	check_errno(recv(pair.server, &byte, 1, MSG_DONTWAIT), EAGAIN, "recv when all was read");
	write_all(pair.client, text(10));
	wait_readable(pair.server);
	check_text(receive(pair.server, 20, MSG_DONTWAIT | MSG_WAITALL), 10);
}

/* MSG_TRUNC on TCP throws away what it reads. */
E2E_CASE(trunc, encrypted())
{
	Pair pair = encrypted_pair(run);
	write_in_frames(pair, 1000, 3);
	std::string untouched(1500, '\x5a');
	check_equal(recv(pair.server, untouched.data(), 300, MSG_TRUNC), 300, "recv");
	check_equal(recv(pair.server, nullptr, 1500, MSG_TRUNC), 1500, "recv without a buffer");
	check(untouched == std::string(1500, '\x5a'), "the buffer was written to");
	check_text(receive(pair.server, 5000, 0), 1200, 1800);
}

/* Nothing asked for, nothing given. */
E2E_CASE(zero_lengths, encrypted())
{
	Pair pair = encrypted_pair(run);
	char byte;
	check_errno(recv(pair.server, &byte, 0, MSG_DONTWAIT), EAGAIN, "recv of 0 bytes when there are none");
	check_equal(read(pair.server, &byte, 0), 0, "read of 0 bytes when there are none");
	check_equal(send(pair.client, "", 0, 0), 0, "send of 0 bytes");
	check_equal(write(pair.client, "", 0), 0, "write of 0 bytes");
	write_all(pair.client, text(10));
	wait_readable(pair.server);
	check_equal(recv(pair.server, &byte, 0, MSG_DONTWAIT), 0, "recv of 0 bytes when there are some");
	check_equal(recv(pair.server, &byte, 0, MSG_PEEK), 0, "peek of 0 bytes");
	check_text(receive(pair.server, 100, 0), 10);
}

E2E_CASE(scattered, encrypted(), 30, true)
{
	Pair pair = encrypted_pair(run);
	/* 1024 pieces, some empty, most tiny, a few of many pages */
	auto cut = [](std::string &data, unsigned int salt) {
		std::vector<iovec> pieces;
		std::size_t at = 0;
		for (unsigned int i = 0; i < 1024; i++) {
			std::size_t size = (i * 7 + salt) % 5;
			if (i % 200 == 100)
				size = 8001;
			if (i == 1023)
				size = data.size() - at;
			size = std::min(size, data.size() - at);
			pieces.push_back({data.data() + at, size});
			at += size;
		}
		return pieces;
	};
	constexpr std::size_t size = 44000;
	std::string sent = text(size), got(size, '\0');
	std::vector<iovec> out = cut(sent, 1);
	check_equal(writev(pair.client, out.data(), 1024), static_cast<ssize_t>(size), "writev");
	wait_readable_bytes(pair.server, size);
	std::vector<iovec> in = cut(got, 3);
	check_equal(readv(pair.server, in.data(), 1024), static_cast<ssize_t>(size), "readv");
	check_text(got, size);
}

E2E_CASE(many_messages, encrypted())
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t count = 64, size = 500;
	std::string sent = text(count * size), got(count * size, '\0');
	std::array<iovec, count> out, in;
	std::array<mmsghdr, count> out_messages{}, in_messages{};
	for (std::size_t i = 0; i < count; i++) {
		out[i] = {sent.data() + i * size, size};
		in[i] = {got.data() + i * size, size};
		out_messages[i].msg_hdr.msg_iov = &out[i];
		out_messages[i].msg_hdr.msg_iovlen = 1;
		in_messages[i].msg_hdr.msg_iov = &in[i];
		in_messages[i].msg_hdr.msg_iovlen = 1;
	}
	check_equal(sendmmsg(pair.client, out_messages.data(), count, 0), static_cast<int>(count), "sendmmsg");
	wait_readable_bytes(pair.server, count * size);
	check_equal(recvmmsg(pair.server, in_messages.data(), count, 0, nullptr), static_cast<int>(count), "recvmmsg");
	for (const mmsghdr &message : in_messages)
		check_equal(message.msg_len, size, "length of a message");
	check_text(got, count * size);
}

E2E_CASE(single_bytes, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t size = 2000;
	std::string data = text(size), got;
	Thread writer([&] {
		for (char byte : data)
			check_equal(send(pair.client, &byte, 1, 0), 1, "send");
	});
	for (std::size_t i = 0; i < size; i++)
		got += receive(pair.server, 1, 0);
	check_text(got, size);
}

E2E_CASE(ping_pong, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	Thread echo([&] {
		for (int i = 0; i < 500; i++)
			write_all(pair.server, read_exactly(pair.server, 3));
	});
	for (std::size_t i = 0; i < 500; i++) {
		write_all(pair.client, text(3, i));
		check_text(read_exactly(pair.client, 3), 3, i);
	}
}

E2E_CASE(rcvlowat, encrypted())
{
	Pair pair = encrypted_pair(run);
	set_option(pair.server, SOL_SOCKET, SO_RCVLOWAT, 1000);
	write_all(pair.client, text(400));
	wait_readable_bytes(pair.server, 400);
	check_equal(poll_now(pair.server, POLLIN), 0, "events below the mark");
	check_text(receive(pair.server, 1000, MSG_DONTWAIT), 400);
	std::string got;
	pid_t id = 0;
	Thread reader([&] {
		__atomic_store_n(&id, thread_id(), __ATOMIC_RELEASE);
		got = receive(pair.server, 5000, 0);
	});
	wait_for("a thread in recv()", [&] { return __atomic_load_n(&id, __ATOMIC_ACQUIRE) && asleep(id); });
	for (std::size_t at = 400; at < 1400; at += 100)
		write_all(pair.client, text(100, at));
	reader.join();
	check_text(got, 1000, 400);
	/* The mark of a socket that is at its end is of no interest. */
	write_all(pair.client, text(10, 1400));
	shutdown(pair.client, SHUT_WR);
	wait_readable(pair.server);
	check_text(receive(pair.server, 5000, 0), 10, 1400);
}

/* Lowered while data waits: it is readable at once. */
E2E_CASE(rcvlowat_lowered, encrypted())
{
	Pair pair = encrypted_pair(run);
	set_option(pair.server, SOL_SOCKET, SO_RCVLOWAT, 1000);
	write_all(pair.client, text(400));
	wait_readable_bytes(pair.server, 400);
	check_equal(poll_now(pair.server, POLLIN), 0, "events below the mark");
	set_option(pair.server, SOL_SOCKET, SO_RCVLOWAT, 400);
	check(poll_now(pair.server, POLLIN, 5000) == POLLIN, "not readable at the mark");
	check_text(receive(pair.server, 5000, 0), 400);
}

E2E_CASE(rcvtimeo, encrypted())
{
	Pair pair = encrypted_pair(run);
	timeval limit{0, 150000};
	sys(setsockopt(pair.server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), "SO_RCVTIMEO");
	char byte;
	Stopwatch watch;
	check_errno(recv(pair.server, &byte, 1, 0), EAGAIN, "recv");
	check_between(watch.elapsed(), milliseconds(140), patience(5), "time in recv()");
	write_all(pair.client, text(10));
	wait_readable(pair.server);
	check_text(receive(pair.server, 100, MSG_WAITALL), 10);
}

E2E_CASE(sndtimeo, encrypted(), 30)
{
	Pair pair = encrypted_pair(run, [](int fd) { set_option(fd, SOL_SOCKET, SO_SNDBUF, 20000); },
				   [](int fd) { set_option(fd, SOL_SOCKET, SO_RCVBUF, 20000); });
	timeval limit{0, 150000};
	sys(setsockopt(pair.client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), "SO_SNDTIMEO");
	std::string data = text(4 << 20);
	ssize_t wrote = sys(send(pair.client, data.data(), data.size(), 0), "send");
	check(wrote > 0 && static_cast<std::size_t>(wrote) < data.size(), "a part should have been taken");
	/* Until not a byte is taken any more. */
	std::size_t total = static_cast<std::size_t>(wrote);
	Stopwatch watch;
	while ((wrote = send(pair.client, data.data() + total, data.size() - total, 0)) > 0) {
		total += static_cast<std::size_t>(wrote);
		watch = {};
	}
	check_errno(wrote, EAGAIN, "send into a full buffer");
	check(watch.elapsed() >= milliseconds(140), "it did not wait");
	check_text(read_exactly(pair.server, total), total);
}

E2E_CASE(fionread, encrypted())
{
	Pair pair = encrypted_pair(run);
	check_equal(readable_bytes(pair.server), 0, "at first");
	write_all(pair.client, text(10));
	wait_readable_bytes(pair.server, 10);
	write_all(pair.client, text(70000, 10));
	wait_readable_bytes(pair.server, 70010);
	check_text(receive(pair.server, 5, 0), 5);
	check_equal(readable_bytes(pair.server), 70005, "after 5 bytes were read");
	check_text(read_exactly(pair.server, 70005), 70005, 5);
	check_equal(readable_bytes(pair.server), 0, "after all was read");
	int bytes = -1;
	check_errno(ioctl(pair.listener.fd, SIOCINQ, &bytes), EINVAL, "FIONREAD of the listener");
}

E2E_CASE(siocoutq, encrypted())
{
	Pair pair = encrypted_pair(run);
	auto queued = [&] {
		int bytes = -1;
		sys(ioctl(pair.client, SIOCOUTQ, &bytes), "SIOCOUTQ");
		return bytes;
	};
	set_blocking(pair.client, false);
	std::string data = text(8 << 20);
	std::size_t total = 0;
	ssize_t wrote;
	while ((wrote = send(pair.client, data.data() + total, data.size() - total, 0)) > 0)
		total += static_cast<std::size_t>(wrote);
	check(queued() > 0, "nothing is queued, though nobody reads");
	check_text(read_exactly(pair.server, total), total);
	wait_for("an empty queue", [&] { return queued() == 0; });
}

E2E_CASE(inq_message, encrypted())
{
	Pair pair = encrypted_pair(run);
	set_option(pair.server, IPPROTO_TCP, TCP_INQ, 1);
	write_in_frames(pair, 1000, 3);
	std::array<char, 600> buffer;
	for (int left = 2400;; left = std::max(left - 600, 0)) {
		iovec piece{buffer.data(), buffer.size()};
		alignas(cmsghdr) std::array<char, 64> control;
		msghdr message{};
		message.msg_iov = &piece;
		message.msg_iovlen = 1;
		message.msg_control = control.data();
		message.msg_controllen = control.size();
		check_equal(recvmsg(pair.server, &message, 0), 600, "recvmsg");
		const cmsghdr *first = CMSG_FIRSTHDR(&message);
		check(first && first->cmsg_level == SOL_TCP && first->cmsg_type == TCP_CM_INQ, "no TCP_CM_INQ");
		int inq;
		memcpy(&inq, CMSG_DATA(first), sizeof(inq));
		check_equal(inq, left, "TCP_CM_INQ");
		if (left == 0)
			break;
	}
}

/* Memory that is not there: EFAULT, and not a byte is lost or sent. */
E2E_CASE(bad_memory, encrypted())
{
	Pair pair = encrypted_pair(run);
	auto *nowhere = reinterpret_cast<char *>(8);
	check_errno(send(pair.client, nowhere, 100, 0), EFAULT, "send");
	write_in_frames(pair, 1000, 2);
	check_errno(recv(pair.server, nowhere, 100, 0), EFAULT, "recv");
	check_errno(recv(pair.server, nowhere, 5000, 0), EFAULT, "recv of more than there is");
	check_errno(recv(pair.server, nowhere, 100, MSG_PEEK), EFAULT, "peek");
	check_text(receive(pair.server, 5000, 0), 2000);
	check_works(pair.client, pair.server);
}

/* The second page of two is missing. */
E2E_CASE(half_bad_memory, encrypted())
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t page = 4096;
	auto *pages = static_cast<char *>(mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	check(pages != MAP_FAILED, "mmap");
	sys(munmap(pages + page, page), "munmap");
	memcpy(pages, text(page).data(), page);
	ssize_t wrote = send(pair.client, pages, 2 * page, 0);
	/* TCP takes what it could copy, or says EFAULT: not more than the first page. */
	if (wrote < 0)
		check_errno(wrote, EFAULT, "send");
	else
		check(wrote <= static_cast<ssize_t>(page), "more was sent than there is");
	std::size_t sent = wrote < 0 ? 0 : static_cast<std::size_t>(wrote);
	check_text(read_exactly(pair.server, sent), sent);

	write_all(pair.client, text(2 * page));
	wait_readable_bytes(pair.server, 2 * page);
	memset(pages, 0, page);
	ssize_t got = recv(pair.server, pages, 2 * page, 0);
	if (got < 0)
		check_errno(got, EFAULT, "recv");
	else
		check(got <= static_cast<ssize_t>(page), "more was received than fits");
	std::size_t received = got < 0 ? 0 : static_cast<std::size_t>(got);
	check_text(std::string(pages, received), received);
	check_text(read_exactly(pair.server, 2 * page - received), 2 * page - received, received);
	munmap(pages, page);
	check_works(pair.client, pair.server);
}

/* Pages that cannot be written to until somebody allows it: a private mapping of a file, fresh zero pages. */
E2E_CASE(fresh_memory, encrypted())
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t size = 200000;
	for (int i = 0; i < 3; i++) {
		auto *in = static_cast<char *>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		check(in != MAP_FAILED, "mmap");
		std::string data = text(size, 0, i);
		Thread writer([&] { write_all(pair.client, data); });
		std::size_t done = 0;
		while (done < size)
			done += static_cast<std::size_t>(sys(recv(pair.server, in + done, size - done, 0), "recv"));
		check_text(std::string(in, size), size, 0, i);
		munmap(in, size);
	}
}

/* The reader's buffers begin and end anywhere. */
E2E_CASE(odd_sizes, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	std::vector<char> area(80000);
	std::size_t at = 0;
	for (std::size_t size : {1, 2, 15, 16, 17, 63, 64, 255, 1447, 1448, 1449, 4095, 4096, 4097, 8191, 16383, 16384,
				 16385, 32768, 65518, 65519, 65535, 65536, 65537, 70001}) {
		write_all(pair.client, text(size, at));
		std::size_t done = 0;
		while (done < size) {
			std::size_t offset = (at + done) % 4099;
			ssize_t got = sys(recv(pair.server, area.data() + offset, size - done, 0), "recv");
			check_text(std::string(area.data() + offset, static_cast<std::size_t>(got)),
				   static_cast<std::size_t>(got), at + done);
			done += static_cast<std::size_t>(got);
		}
		at += size;
	}
}

/* Tiny frames are mostly overhead: the window closes long before the mark is reached, and then it is time to read. */
E2E_CASE(low_water_mark_and_tiny_frames, encrypted(), 60)
{
	Pair pair = encrypted_pair(run);
	set_option(pair.client, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(pair.server, SOL_SOCKET, SO_RCVLOWAT, 100000);
	set_blocking(pair.client, false);
	std::atomic<bool> stop = false;
	std::size_t written = 0;
	Thread writer([&] {
		while (!stop) {
			ssize_t wrote = send(pair.client, text(20, written).data(), 20, MSG_NOSIGNAL);
			if (wrote < 0 && errno == EAGAIN)
				poll_now(pair.client, POLLOUT, 50);
			else
				written += static_cast<std::size_t>(sys(wrote, "send"));
		}
	});
	check_equal(poll_now(pair.server, POLLIN, 40000), POLLIN, "events");
	stop = true;
	writer.join();
	check_text(read_exactly(pair.server, written), written);
}

/* Who has taken a part of what he asked for waits for the rest, which is less than the mark. */
E2E_CASE(low_water_mark_and_a_smaller_rest, encrypted())
{
	Pair pair = encrypted_pair(run);
	set_option(pair.server, SOL_SOCKET, SO_RCVLOWAT, 100000);
	write_all(pair.client, text(1000));
	wait_readable_bytes(pair.server, 1000);
	Thread reader([&] {
		std::string data(3000, '\0');
		check_equal(recv(pair.server, data.data(), data.size(), 0), static_cast<ssize_t>(3000), "recv");
		check_text(data, 3000);
	});
	wait_readable_bytes(pair.server, 0);
	write_all(pair.client, text(1500, 1000));
	wait_readable_bytes(pair.server, 1500);
	write_all(pair.client, text(500, 2500));
	reader.join();
}

/* Since 6.9: a place to peek at that moves on with each look. */
E2E_CASE(peek_offset, encrypted())
{
	Pair pair = encrypted_pair(run);
	int from = 0;
	if (setsockopt(pair.server, SOL_SOCKET, SO_PEEK_OFF, &from, sizeof(from)) < 0) {
		check_equal(errno, EOPNOTSUPP, "errno of SO_PEEK_OFF");
		return;
	}
	write_all(pair.client, text(3000));
	wait_readable_bytes(pair.server, 3000);
	auto get = [&](int flags, std::size_t size, std::size_t offset) {
		std::string data(size, '\0');
		check_equal(recv(pair.server, data.data(), size, flags | MSG_DONTWAIT), static_cast<ssize_t>(size), "recv");
		check_text(data, size, offset);
	};
	get(MSG_PEEK, 1000, 0);
	get(MSG_PEEK, 1000, 1000);
	get(0, 500, 0);
	get(MSG_PEEK, 1000, 2000);
	char byte;
	check_errno(recv(pair.server, &byte, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN, "a look behind the end");
	get(0, 2500, 500);
	check_equal(get_option(pair.server, SOL_SOCKET, SO_PEEK_OFF), 0, "SO_PEEK_OFF");
}
