// SPDX-License-Identifier: GPL-2.0
// Pages instead of buffers: sendfile, splice, vmsplice, tee.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sockets.hh"

using namespace e2e;

namespace {

constexpr std::size_t pipe_size = 65536;

struct Pipe {
	Pipe()
	{
		int ends[2];
		sys(pipe2(ends, O_CLOEXEC), "pipe");
		out = Fd(ends[0]);
		in = Fd(ends[1]);
	}
	Fd in;
	Fd out;
};

Fd file_with(const std::string &data)
{
	Fd fd(sys(memfd_create("e2e", MFD_CLOEXEC), "memfd_create"));
	std::size_t done = 0;
	while (done < data.size())
		done += static_cast<std::size_t>(sys(write(fd, data.data() + done, data.size() - done), "write"));
	return fd;
}

std::string read_pipe(int fd, std::size_t size)
{
	std::string data(size, '\0');
	std::size_t done = 0;
	while (done < size) {
		ssize_t got = sys(read(fd, data.data() + done, size - done), "read of the pipe");
		check(got > 0, "the pipe ends early");
		done += static_cast<std::size_t>(got);
	}
	return data;
}

/** From the socket into the pipe and out of it, until @p size bytes came or the end. */
std::string splice_out(int socket, std::size_t size)
{
	Pipe pipe;
	std::string data;
	while (data.size() < size) {
		ssize_t got = sys(splice(socket, nullptr, pipe.in, nullptr, std::min(pipe_size, size - data.size()), SPLICE_F_MOVE),
				  "splice from the socket");
		if (got == 0)
			break;
		data += read_pipe(pipe.out, static_cast<std::size_t>(got));
	}
	return data;
}

} // namespace

E2E_CASE(sendfile_whole, encrypted(), 40, true)
{
	Pair pair = encrypted_pair(run);
	std::size_t size = 1000001;
	Fd file = file_with(text(size));
	Thread sender([&] {
		off_t offset = 0;
		while (static_cast<std::size_t>(offset) < size)
			sys(sendfile(pair.client, file, &offset, size - static_cast<std::size_t>(offset)), "sendfile");
		shutdown(pair.client, SHUT_WR);
	});
	check_text(read_to_end(pair.server), size);
}

E2E_CASE(sendfile_pieces, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	std::size_t size = 300000;
	Fd file = file_with(text(size));
	Thread sender([&] {
		off_t offset = 0;
		for (std::size_t step = 1; static_cast<std::size_t>(offset) < size; step = step * 5 % 30011 + 1)
			sys(sendfile(pair.client, file, &offset, std::min(step, size - static_cast<std::size_t>(offset))), "sendfile");
	});
	check_text(read_exactly(pair.server, size), size);
}

/* Between a header that is sent with MSG_MORE and a trailer, as web servers do. */
E2E_CASE(sendfile_with_header, encrypted())
{
	Pair pair = encrypted_pair(run);
	Fd file = file_with(text(50000, 100));
	Thread sender([&] {
		check_equal(send(pair.client, text(100).data(), 100, MSG_MORE), 100, "send");
		off_t offset = 0;
		while (offset < 50000)
			sys(sendfile(pair.client, file, &offset, 50000 - static_cast<std::size_t>(offset)), "sendfile");
		write_all(pair.client, text(77, 50100));
	});
	check_text(read_exactly(pair.server, 50177), 50177);
}

E2E_CASE(sendfile_before_the_keys, encrypted())
{
	Listener listener = listen_here(run);
	Fd file = file_with(text(100000));
	Fd client = connect_here(run, listener);
	off_t offset = 0;
	ssize_t sent = sys(sendfile(client, file, &offset, 10000), "sendfile");
	Fd server = accept_from(listener.fd);
	check_text(read_exactly(server, static_cast<std::size_t>(sent)), static_cast<std::size_t>(sent));
	check_session(client, server);
}

E2E_CASE(sendfile_nonblocking, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t size = 1 << 20;
	Fd file = file_with(text(size));
	set_blocking(pair.client, false);
	off_t offset = 0;
	ssize_t sent;
	while ((sent = sendfile(pair.client, file, &offset, size)) > 0 && static_cast<std::size_t>(offset) < size)
		;
	Thread reader([&] { check_text(read_exactly(pair.server, size), size); });
	while (static_cast<std::size_t>(offset) < size) {
		sent = sendfile(pair.client, file, &offset, size - static_cast<std::size_t>(offset));
		if (sent < 0) {
			check_errno(sent, EAGAIN, "sendfile");
			check(poll_now(pair.client, POLLOUT, 10000) & POLLOUT, "not writable");
		}
	}
}

/* The file changes after sendfile() returned; what arrives is either, but frames are whole. */
E2E_CASE(sendfile_of_changing_file, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t size = 1 << 20;
	Fd file = file_with(std::string(size, 'a'));
	auto *map = static_cast<char *>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
	check(map != MAP_FAILED, "mmap");
	std::jthread changer([&](std::stop_token stop) {
		for (char letter = 'b'; !stop.stop_requested(); letter = letter == 'z' ? 'a' : static_cast<char>(letter + 1))
			for (std::size_t at = 0; at < size; at += 997)
				map[at] = letter;
	});
	Thread sender([&] {
		off_t offset = 0;
		while (static_cast<std::size_t>(offset) < size)
			sys(sendfile(pair.client, file, &offset, size - static_cast<std::size_t>(offset)), "sendfile");
	});
	std::string got = read_exactly(pair.server, size);
	for (std::size_t at = 0; at < size; at++)
		check(got[at] == 'a' || (at % 997 == 0 && got[at] >= 'a' && got[at] <= 'z'), "byte " + std::to_string(at));
}

E2E_CASE(splice_in, encrypted(), 40, true)
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t size = 300000;
	std::string data = text(size);
	Pipe pipe;
	Thread feeder([&] {
		std::size_t done = 0;
		while (done < size)
			done += static_cast<std::size_t>(sys(write(pipe.in, data.data() + done, std::min<std::size_t>(size - done, 7777)), "write"));
		pipe.in.reset();
	});
	Thread sender([&] {
		while (sys(splice(pipe.out, nullptr, pair.client, nullptr, pipe_size, SPLICE_F_MORE), "splice to the socket") > 0)
			;
		shutdown(pair.client, SHUT_WR);
	});
	check_text(read_to_end(pair.server), size);
}

E2E_CASE(vmsplice_in, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t size = 200000;
	std::string data = text(size);
	Thread sender([&] {
		Pipe pipe;
		std::size_t done = 0;
		while (done < size) {
			iovec piece{data.data() + done, std::min<std::size_t>(size - done, 40000)};
			ssize_t mapped = sys(vmsplice(pipe.in, &piece, 1, 0), "vmsplice");
			for (ssize_t left = mapped; left > 0;)
				left -= sys(splice(pipe.out, nullptr, pair.client, nullptr, static_cast<std::size_t>(left), 0), "splice");
			done += static_cast<std::size_t>(mapped);
		}
	});
	check_text(read_exactly(pair.server, size), size);
}

E2E_CASE(splice_out_stream, encrypted(), 40, true)
{
	Pair pair = encrypted_pair(run);
	constexpr std::size_t size = 300000;
	std::string data = text(size);
	Thread writer([&] {
		write_all(pair.client, data);
		shutdown(pair.client, SHUT_WR);
	});
	check_text(splice_out(pair.server, size + 1000), size);
}

E2E_CASE(splice_out_small, encrypted())
{
	Pair pair = encrypted_pair(run);
	Pipe pipe;
	write_all(pair.client, text(100));
	wait_readable_bytes(pair.server, 100);
	check_equal(splice(pair.server, nullptr, pipe.in, nullptr, 30, 0), 30, "splice");
	check_equal(readable_bytes(pair.server), 70, "what is left");
	check_equal(splice(pair.server, nullptr, pipe.in, nullptr, 0, 0), 0, "splice of nothing");
	check_equal(splice(pair.server, nullptr, pipe.in, nullptr, 5000, 0), 70, "splice of the rest");
	check_text(read_pipe(pipe.out, 100), 100);
	/* reads and splices of one stream */
	write_all(pair.client, text(1000, 100));
	wait_readable_bytes(pair.server, 1000);
	check_text(read_exactly(pair.server, 10), 10, 100);
	check_text(splice_out(pair.server, 500), 500, 110);
	check_text(read_exactly(pair.server, 490), 490, 610);
}

E2E_CASE(splice_out_nonblocking, encrypted())
{
	Pair pair = encrypted_pair(run);
	Pipe pipe;
	set_blocking(pair.server, false);
	check_errno(splice(pair.server, nullptr, pipe.in, nullptr, 100, 0), EAGAIN, "splice of nothing");
	write_all(pair.client, text(100));
	wait_readable(pair.server);
	check_equal(splice(pair.server, nullptr, pipe.in, nullptr, 500, SPLICE_F_NONBLOCK), 100, "splice");
	check_text(read_pipe(pipe.out, 100), 100);
}

/* A pipe that is full: EAGAIN or a part, and not a byte is lost. */
E2E_CASE(splice_out_into_full_pipe, encrypted())
{
	Pair pair = encrypted_pair(run);
	Pipe pipe;
	sys(fcntl(pipe.in, F_SETPIPE_SZ, 8192), "F_SETPIPE_SZ");
	set_blocking(pair.server, false);
	std::string data = text(100000);
	Thread writer([&] { write_all(pair.client, data); });
	wait_readable(pair.server);
	std::string got;
	while (got.size() < data.size()) {
		ssize_t moved = splice(pair.server, nullptr, pipe.in, nullptr, 100000, SPLICE_F_NONBLOCK);
		if (moved > 0)
			continue;
		check_errno(moved, EAGAIN, "splice");
		int held = readable_bytes(pipe.out);
		if (held > 0)
			got += read_pipe(pipe.out, static_cast<std::size_t>(held));
		else
			wait_readable(pair.server);
	}
	check_text(got, data.size());
}

E2E_CASE(splice_out_end, encrypted())
{
	Pair pair = encrypted_pair(run);
	Pipe pipe;
	write_all(pair.client, text(50));
	pair.client.reset();
	check_text(splice_out(pair.server, 1000), 50);
	check_equal(splice(pair.server, nullptr, pipe.in, nullptr, 100, 0), 0, "splice at the end");
}

E2E_CASE(tee_copies, encrypted())
{
	Pair pair = encrypted_pair(run);
	Pipe one, two;
	write_all(pair.client, text(5000));
	wait_readable_bytes(pair.server, 5000);
	std::size_t moved = 0;
	while (moved < 5000)
		moved += static_cast<std::size_t>(sys(splice(pair.server, nullptr, one.in, nullptr, 5000 - moved, 0), "splice"));
	check_equal(tee(one.out, two.in, 5000, 0), 5000, "tee");
	check_text(read_pipe(one.out, 5000), 5000);
	check_text(read_pipe(two.out, 5000), 5000);
}

/* A proxy that never sees the bytes: from one encrypted connection into another. */
E2E_CASE(splice_proxy, encrypted(2), 40)
{
	Pair in = encrypted_pair(run);
	Pair out = encrypted_pair(run);
	constexpr std::size_t size = 300000;
	std::string data = text(size);
	Thread writer([&] {
		write_all(in.client, data);
		shutdown(in.client, SHUT_WR);
	});
	Thread proxy([&] {
		Pipe pipe;
		for (;;) {
			ssize_t moved = sys(splice(in.server, nullptr, pipe.in, nullptr, pipe_size, SPLICE_F_MOVE), "splice in");
			if (moved == 0)
				break;
			while (moved > 0)
				moved -= sys(splice(pipe.out, nullptr, out.client, nullptr, static_cast<std::size_t>(moved), SPLICE_F_MORE), "splice out");
		}
		shutdown(out.client, SHUT_WR);
	});
	check_text(read_to_end(out.server), size);
}
