// SPDX-License-Identifier: GPL-2.0
// Socket options, and what reaches past the stream: each works, or is refused with an error that programs know.
#include <ctime>	/* before linux/errqueue.h */
#include <linux/bpf.h>
#include <linux/errqueue.h>
#include <linux/tcp.h>
#include <linux/tls.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "sniffer.hh"
#include "sockets.hh"

using namespace e2e;

namespace {

/* An IV and a key that both ends know: kTLS by hand. */
tls12_crypto_info_aes_gcm_128 tls_keys()
{
	tls12_crypto_info_aes_gcm_128 keys{};
	keys.info.version = TLS_1_3_VERSION;
	keys.info.cipher_type = TLS_CIPHER_AES_GCM_128;
	std::fill(std::begin(keys.key), std::end(keys.key), 0x42);
	std::fill(std::begin(keys.iv), std::end(keys.iv), 0x43);
	std::fill(std::begin(keys.salt), std::end(keys.salt), 0x44);
	return keys;
}

int set_ulp(int fd, const std::string &name)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_ULP, name.c_str(), static_cast<socklen_t>(name.size()));
}

std::string ulp(int fd)
{
	std::array<char, 32> name{};
	socklen_t size = name.size();
	sys(getsockopt(fd, IPPROTO_TCP, TCP_ULP, name.data(), &size), "getsockopt TCP_ULP");
	return std::string(name.data(), strnlen(name.data(), size));
}

/** Segments with data that the client sent. */
std::size_t data_segments(Sniffer &sniffer, const Pair &pair)
{
	std::uint16_t port = pair.listener.address.port();
	return sniffer.count([&](const Segment &segment) { return segment.destination == port && segment.length > 0; });
}

void both_ways(const Pair &pair, std::size_t size)
{
	std::string data = text(size);
	Thread up([&] { write_all(pair.client, data); });
	Thread down([&] { write_all(pair.server, data); });
	Thread reader([&] { check_text(read_exactly(pair.client, size), size); });
	check_text(read_exactly(pair.server, size), size);
}

} // namespace

/* Buffers */

/* Frames are larger than what the reader's buffer holds: ciphertext must be taken out piece by piece. */
E2E_CASE(tiny_receive_buffer, encrypted(), 60, true)
{
	run.client().set("frame_max", "65000");
	Pair pair = encrypted_pair(run, {}, [](int fd) { set_option(fd, SOL_SOCKET, SO_RCVBUF, 4096); });
	std::size_t size = options.quick ? 100000 : 400000;
	std::string data = text(size);
	Thread writer([&] {
		write_all(pair.client, data);
		shutdown(pair.client, SHUT_WR);
	});
	check_text(read_to_end(pair.server), size);
}

E2E_CASE(tiny_receive_buffer_set_late, encrypted(), 60)
{
	run.client().set("frame_max", "65000");
	Pair pair = encrypted_pair(run);
	both_ways(pair, 200000);
	set_option(pair.server, SOL_SOCKET, SO_RCVBUF, 4096);
	std::string data = text(300000);
	Thread writer([&] { write_all(pair.client, data); });
	check_text(read_exactly(pair.server, data.size()), data.size());
}

E2E_CASE(tiny_send_buffer, encrypted(), 60)
{
	Pair pair = encrypted_pair(run, [](int fd) { set_option(fd, SOL_SOCKET, SO_SNDBUF, 4096); });
	std::string data = text(300000);
	Thread writer([&] { write_all(pair.client, data); });
	check_text(read_exactly(pair.server, data.size()), data.size());
}

E2E_CASE(tiny_buffers_both_ways, encrypted(), 60)
{
	auto tiny = [](int fd) {
		set_option(fd, SOL_SOCKET, SO_SNDBUF, 4096);
		set_option(fd, SOL_SOCKET, SO_RCVBUF, 4096);
	};
	run.client().set("frame_max", "65000");
	run.server().set("frame_max", "65000");
	both_ways(encrypted_pair(run, tiny, tiny), 200000);
}

/* A reader with a tiny buffer that polls before each read. */
E2E_CASE(tiny_receive_buffer_and_poll, encrypted(), 60)
{
	run.client().set("frame_max", "65000");
	Pair pair = encrypted_pair(run, {}, [](int fd) { set_option(fd, SOL_SOCKET, SO_RCVBUF, 4096); });
	constexpr std::size_t size = 200000;
	std::string data = text(size), got;
	Thread writer([&] { write_all(pair.client, data); });
	std::vector<char> buffer(100000);
	while (got.size() < size) {
		check(poll_now(pair.server, POLLIN, 10000) & POLLIN, "nothing after " + std::to_string(got.size()) + " bytes");
		got.append(buffer.data(), static_cast<std::size_t>(sys(recv(pair.server, buffer.data(), buffer.size(), MSG_DONTWAIT), "recv")));
	}
	check_text(got, size);
}

E2E_CASE(frame_sizes, encrypted(4), 60)
{
	for (const char *size : {"1024", "4000", "16384", "65000"}) {
		run.client().set("frame_max", size);
		run.server().set("frame_max", size);
		both_ways(encrypted_pair(run), 200000);
	}
}

/* When a segment leaves */

E2E_CASE(nodelay, encrypted(), 20)
{
	Pair pair = encrypted_pair(run);
	set_option(pair.client, IPPROTO_TCP, TCP_NODELAY, 1);
	check_equal(get_option(pair.client, IPPROTO_TCP, TCP_NODELAY), 1, "TCP_NODELAY");
	for (std::size_t i = 0; i < 20; i++) {
		write_all(pair.client, text(10, i * 10));
		wait_readable_bytes(pair.server, static_cast<int>(i + 1) * 10);
	}
	check_text(read_exactly(pair.server, 200), 200);
}

E2E_CASE(cork, encrypted(), 20)
{
	Pair pair = encrypted_pair(run);
	Sniffer sniffer(run.client(), run.client().device());
	set_option(pair.client, IPPROTO_TCP, TCP_CORK, 1);
	for (std::size_t i = 0; i < 20; i++)
		write_all(pair.client, text(10, i * 10));
	set_option(pair.client, IPPROTO_TCP, TCP_CORK, 0);
	check_text(read_exactly(pair.server, 200), 200);
	/* A slow machine may take longer than the 200 ms that TCP holds it back. */
	std::size_t segments = data_segments(sniffer, pair);
	check(segments <= 3, std::to_string(segments) + " segments");
}

E2E_CASE(more, encrypted(), 20)
{
	Pair pair = encrypted_pair(run);
	Sniffer sniffer(run.client(), run.client().device());
	for (std::size_t i = 0; i < 20; i++)
		check_equal(send(pair.client, text(10, i * 10).data(), 10, i < 19 ? MSG_MORE : 0), 10, "send");
	check_text(read_exactly(pair.server, 200), 200);
	std::size_t segments = data_segments(sniffer, pair);
	check(segments <= 3, std::to_string(segments) + " segments");
}

/* MSG_MORE without an end: TCP sends it all the same after a while, and shutdown() does at once. */
E2E_CASE(more_and_nothing, encrypted(), 20)
{
	Pair pair = encrypted_pair(run);
	check_equal(send(pair.client, text(10).data(), 10, MSG_MORE), 10, "send");
	check_text(read_exactly(pair.server, 10), 10);
	check_equal(send(pair.client, text(10, 10).data(), 10, MSG_MORE), 10, "send");
	sys(shutdown(pair.client, SHUT_WR), "shutdown");
	check_text(read_to_end(pair.server), 10, 10);
}

/* The ULP slot */

E2E_CASE(ulp_is_taken, encrypted(), 20, true)
{
	Pair pair = encrypted_pair(run);
	if (!options.plain) {
		for (int fd : {static_cast<int>(pair.client), static_cast<int>(pair.server)}) {
			check_equal(ulp(fd), std::string("tcpcrypt"), "TCP_ULP");
			check_errno(set_ulp(fd, "tls"), EEXIST, "TCP_ULP tls");
		}
	}
	check_works(pair.client, pair.server);
}

/* What fell back is a plain socket again: kTLS works on it. */
E2E_CASE(ktls_after_fallback, plain("no-eno-in-synack", "disabled"), 20, true)
{
	run.expect.wire = Wire::any;
	run.server().set("enable_listen", "0");
	Pair pair = connect_pair(run);
	check_works(pair.client, pair.server);
	check_plain(pair.client);
	check_plain(pair.server);
	auto keys = tls_keys();
	for (int fd : {static_cast<int>(pair.client), static_cast<int>(pair.server)}) {
		sys(set_ulp(fd, "tls"), "TCP_ULP tls");
		check_equal(ulp(fd), std::string("tls"), "TCP_ULP");
		sys(setsockopt(fd, SOL_TLS, TLS_TX, &keys, sizeof(keys)), "TLS_TX");
		sys(setsockopt(fd, SOL_TLS, TLS_RX, &keys, sizeof(keys)), "TLS_RX");
	}
	Sniffer sniffer(run.client(), run.client().device());
	check_works(pair.client, pair.server);
	check(!sniffer.saw_text(), "plaintext on the wire");
}

/* Before connect() the slot is empty, and who asks for another ULP hears what TCP says. */
E2E_CASE(ulp_before_connect, encrypted(), 20)
{
	Listener listener = listen_here(run);
	Fd client = socket_in(run.client(), listener.address.family());
	check_errno(set_ulp(client, "tls"), ENOTCONN, "TCP_ULP tls before connect()");
	check_errno(set_ulp(client, "no-such-thing"), ENOENT, "a TCP_ULP that there is not");
	sys(connect(client, listener.address.get(), listener.address.size()), "connect");
	Fd server = accept_from(listener.fd);
	check_works(client, server);
	check_session(client, server);
}

/* What would reach past the frames */

E2E_CASE(repair_is_refused, encrypted())
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(run);
	int on = 1;
	check_errno(setsockopt(pair.client, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)), EPERM, "TCP_REPAIR");
	check_works(pair.client, pair.server);
}

E2E_CASE(zerocopy_receive_is_refused, encrypted())
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(run);
	check(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, pair.server, 0) == MAP_FAILED, "the socket can be mapped");
	check_equal(errno_text(errno), std::string("ENODEV"), "mmap");
	write_all(pair.client, text(10000));
	wait_readable_bytes(pair.server, 10000);
	tcp_zerocopy_receive receive{};
	socklen_t size = sizeof(receive);
	check_errno(getsockopt(pair.server, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &receive, &size), EOPNOTSUPP,
		    "TCP_ZEROCOPY_RECEIVE");
	check_text(read_exactly(pair.server, 10000), 10000);
}

/* MSG_ZEROCOPY: the data arrives, and so does the word that the pages are free, for each call. */
E2E_CASE(zerocopy_send, encrypted(), 30)
{
	Pair pair = encrypted_pair(run, [](int fd) { set_option(fd, SOL_SOCKET, SO_ZEROCOPY, 1); },
				   [](int fd) { set_option(fd, SOL_SOCKET, SO_ZEROCOPY, 1); });
	constexpr std::size_t size = 50000, calls = 4;
	for (auto [from, to] : {std::pair{static_cast<int>(pair.client), static_cast<int>(pair.server)},
				std::pair{static_cast<int>(pair.server), static_cast<int>(pair.client)}}) {
		std::string data = text(size * calls);
		Thread writer([&, from = from] {
			for (std::size_t i = 0; i < calls; i++)
				check_equal(send(from, data.data() + i * size, size, MSG_ZEROCOPY), static_cast<ssize_t>(size), "send");
		});
		check_text(read_exactly(to, size * calls), size * calls);
		writer.join();
		std::size_t completed = 0;
		while (completed < calls) {
			check(poll_now(from, 0, 10000) & POLLERR, "no notification after " + std::to_string(completed));
			alignas(cmsghdr) std::array<char, 256> control;
			msghdr message{};
			message.msg_control = control.data();
			message.msg_controllen = control.size();
			sys(recvmsg(from, &message, MSG_ERRQUEUE), "recvmsg of the error queue");
			const cmsghdr *first = CMSG_FIRSTHDR(&message);
			check(first != nullptr, "an empty notification");
			sock_extended_err error;
			memcpy(&error, CMSG_DATA(first), sizeof(error));
			check_equal(error.ee_origin, SO_EE_ORIGIN_ZEROCOPY, "origin");
			check_equal(error.ee_errno, 0u, "errno");
			check_equal(error.ee_info, completed, "first call that it is about");
			completed = error.ee_data + 1;
		}
	}
	check_works(pair.client, pair.server);
}

/* A sockmap takes no socket whose slot is taken; it would see ciphertext. */
E2E_CASE(sockmap_is_refused, encrypted())
{
	if (options.plain)
		return;
	Pair pair = encrypted_pair(run);
	bpf_attr attr{};
	attr.map_type = BPF_MAP_TYPE_SOCKMAP;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = 1;
	Fd map(static_cast<int>(sys(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)), "BPF_MAP_CREATE")));
	std::uint32_t key = 0;
	int value = pair.client;
	attr = {};
	attr.map_fd = static_cast<std::uint32_t>(static_cast<int>(map));
	attr.key = reinterpret_cast<std::uintptr_t>(&key);
	attr.value = reinterpret_cast<std::uintptr_t>(&value);
	check_errno(syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)), EINVAL, "a socket into a sockmap");
	check_works(pair.client, pair.server);
}

/* IPV6_ADDRFORM asks for the kernel's own struct proto. */
E2E_CASE(addrform_is_refused, encrypted())
{
	if (options.plain)
		return;
	Listener listener = listen_at(run.server(), Address(run.server().ipv4(), 0));
	Fd client = connect_from(run.client(), Address("::ffff:" + run.server().ipv4(), listener.address.port()));
	Fd server = accept_from(listener.fd);
	check_session(client, server);
	int family = AF_INET;
	check_errno(setsockopt(client, IPPROTO_IPV6, 1 /* IPV6_ADDRFORM */, &family, sizeof(family)), EBUSY, "IPV6_ADDRFORM");
	check_works(client, server);
}

/* Others */

E2E_CASE(options_of_tcp, encrypted())
{
	Pair pair = encrypted_pair(run);
	for (auto [level, name, value] : {
		     std::tuple<int, int, int>{IPPROTO_TCP, TCP_KEEPIDLE, 100}, {IPPROTO_TCP, TCP_KEEPINTVL, 10}, {IPPROTO_TCP, TCP_KEEPCNT, 3},
		     {IPPROTO_TCP, TCP_USER_TIMEOUT, 12345}, {IPPROTO_TCP, TCP_LINGER2, 7}, {IPPROTO_TCP, TCP_NOTSENT_LOWAT, 40000},
		     {IPPROTO_TCP, TCP_QUICKACK, 1}, {SOL_SOCKET, SO_KEEPALIVE, 1}, {SOL_SOCKET, SO_OOBINLINE, 1},
		     {SOL_SOCKET, SO_PRIORITY, 3}, {SOL_SOCKET, SO_MARK, 5}}) {
		set_option(pair.client, level, name, value);
		check_equal(get_option(pair.client, level, name), value, "option " + std::to_string(name));
	}
	const std::string reno = "reno";
	sys(setsockopt(pair.client, IPPROTO_TCP, TCP_CONGESTION, reno.data(), static_cast<socklen_t>(reno.size())), "TCP_CONGESTION");
	tcp_info info{};
	socklen_t size = sizeof(info);
	sys(getsockopt(pair.client, IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
	check_equal(info.tcpi_state, 1, "tcpi_state");
	check(get_option(pair.client, IPPROTO_TCP, TCP_MAXSEG) > 500, "TCP_MAXSEG");
	check_works(pair.client, pair.server);
}

/* IPv6 options compute header lengths anew, while four bytes of them are ours. */
E2E_CASE(ipv6_options_during_handshake, encrypted(2))
{
	Listener listener = listen_at(run.server(), Address(run.server().ipv6(), 0));
	for (bool early : {true, false}) {
		Fd client = socket_in(run.client(), AF_INET6, SOCK_NONBLOCK);
		auto set = [&] {
			/* a destination options header with padding */
			std::array<unsigned char, 8> header{0, 0, 1, 4, 0, 0, 0, 0};
			sys(setsockopt(client, IPPROTO_IPV6, 59 /* IPV6_DSTOPTS */, header.data(), header.size()), "IPV6_DSTOPTS");
		};
		if (early)
			set();
		(void)!connect(client, listener.address.get(), listener.address.size());
		if (!early)
			set();
		Fd server = accept_from(listener.fd);
		set_blocking(client, true);
		check_works(client, server);
		std::string data = text(100000);
		Thread writer([&] { write_all(client, data); });
		check_text(read_exactly(server, data.size()), data.size());
		check_session(client, server);
	}
}

E2E_CASE(notsent_lowat, encrypted(), 30)
{
	Pair pair = encrypted_pair(run);
	set_option(pair.client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 20000);
	constexpr std::size_t size = 1 << 20;
	std::string data = text(size);
	Thread reader([&] { check_text(read_exactly(pair.server, size), size); });
	std::size_t done = 0;
	while (done < size) {
		check(poll_now(pair.client, POLLOUT, 10000) & POLLOUT, "not writable after " + std::to_string(done) + " bytes");
		ssize_t wrote = send(pair.client, data.data() + done, std::min<std::size_t>(size - done, 10000), MSG_DONTWAIT);
		if (wrote < 0)
			check_errno(wrote, EAGAIN, "send");
		else
			done += static_cast<std::size_t>(wrote);
	}
}

E2E_CASE(user_timeout, encrypted(), 40)
{
	Pair pair = encrypted_pair(run);
	set_option(pair.client, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000);
	run.server().run("nft 'add table inet hold; add chain inet hold in { type filter hook input priority 0; }; "
			 "add rule inet hold in meta l4proto tcp drop'");
	write_all(pair.client, text(100));
	char byte;
	check_errno(recv(pair.client, &byte, 1, 0), ETIMEDOUT, "recv");
	check(send(pair.client, "x", 1, MSG_NOSIGNAL) < 0, "send afterwards");
	run.server().run("nft delete table inet hold");
}
