// SPDX-License-Identifier: GPL-2.0
// Peers and middleboxes that do not want ENO, and segments that are lost: plain TCP without an error or a delay.
#include <fcntl.h>
#include <linux/tcp.h>
#include <linux/tcpcrypt.h>
#include <linux/tls.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <thread>

#include "sniffer.hh"
#include "sockets.hh"

using namespace e2e;

namespace {

/** The rules of a middlebox, as long as this lives. */
class Middlebox {
public:
	Middlebox(Run &run, const std::vector<std::string> &rules) : middle_(run.net.middle())
	{
		std::string script = "add table inet box; add chain inet box f { type filter hook forward priority 0; };";
		for (const std::string &rule : rules)
			script += " add rule inet box f " + rule + ";";
		middle_.run("nft '" + script + "'");
	}
	~Middlebox() { remove(); }

	void remove()
	{
		if (!removed_)
			middle_.run("nft delete table inet box");
		removed_ = true;
	}

private:
	Namespace &middle_;
	bool removed_ = false;
};

const std::string syn = "tcp flags & (syn | ack) == syn";
const std::string syn_ack = "tcp flags & (syn | ack) == (syn | ack)";
const std::string from_client = "iifname left tcp flags & (syn | ack) == ack";
const std::string from_server = "iifname right tcp flags & (syn | ack) == ack";
const std::string with_data = "meta length > 100";
/** Matches the first packet that gets so far, and no other. */
const std::string once = "limit rate 1/day burst 1 packets";
const std::string strip = "reset tcp option 69";

tls12_crypto_info_aes_gcm_128 tls_keys()
{
	tls12_crypto_info_aes_gcm_128 keys{};
	keys.info.version = TLS_1_3_VERSION;
	keys.info.cipher_type = TLS_CIPHER_AES_GCM_128;
	std::fill(std::begin(keys.key), std::end(keys.key), 0x42);
	return keys;
}

/** The socket is TCP's own again: kTLS, which wants the slot and the operations, works on it. */
void check_ktls(int client, int server)
{
	auto keys = tls_keys();
	for (int fd : {client, server}) {
		sys(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 3), "TCP_ULP tls");
		sys(setsockopt(fd, SOL_TLS, TLS_TX, &keys, sizeof(keys)), "TLS_TX");
		sys(setsockopt(fd, SOL_TLS, TLS_RX, &keys, sizeof(keys)), "TLS_RX");
	}
	check_works(client, server);
}

/** A connection that is plain at both ends, made without delay, and works in all ways. */
void plain_connection(Run &run)
{
	for (bool ktls : {false, true}) {
		Sniffer sniffer(run.client(), run.client().device());
		Pair pair = connect_pair(run);
		check_works(pair.client, pair.server);
		/* What would delay it is a segment that has to be sent again. */
		check_equal(sniffer.count([](const Segment &segment) { return segment.syn && !segment.acks; }), 1u, "SYNs");
		check_equal(sniffer.count([](const Segment &segment) { return segment.syn && segment.acks; }), 1u, "SYN-ACKs");
		check_plain(pair.client);
		check_plain(pair.server);
		if (ktls) {
			check_ktls(pair.client, pair.server);
			continue;
		}
		std::string data = text(200000);
		Thread writer([&] { write_all(pair.client, data); });
		check_text(read_exactly(pair.server, data.size()), data.size());
		writer.join();
		pair.client.reset();
		check_end(pair.server);
	}
}

Expect both_plain(const std::string &client, const std::string &server)
{
	return plain(client, server, 2);	/* see plain_connection() */
}

/** An encrypted connection, however long it takes to come about. */
void encrypted_connection(Run &run)
{
	Pair pair = connect_pair(run);
	check_works(pair.client, pair.server);
	check_session(pair.client, pair.server);
	pair.client.reset();
	check_end(pair.server);
}

} // namespace

/* The path by itself does no harm. */
E2E_CASE(forwarded, encrypted(), 20, true)
{
	encrypted_connection(run);
}

/* Peers */

E2E_CASE(peer_does_not_answer, both_plain("no-eno-in-synack", "disabled"), 30, true)
{
	run.server().set("enable_listen", "0");
	plain_connection(run);
}

E2E_CASE(peer_does_not_offer, both_plain("disabled", "no-eno-in-syn"), 30)
{
	run.client().set("enable_connect", "0");
	plain_connection(run);
}

E2E_CASE(halfopen_limit, both_plain("no-eno-in-synack", "halfopen-limit"), 30)
{
	run.server().set("max_halfopen", "0");
	plain_connection(run);
}

/* Option 69 is taken away */

E2E_CASE(stripped_from_syn, both_plain("no-eno-in-synack", "no-eno-in-syn"), 30, true)
{
	Middlebox box(run, {syn + " " + strip});
	plain_connection(run);
}

E2E_CASE(stripped_from_syn_ack, both_plain("no-eno-in-synack", "no-eno-in-ack"), 30, true)
{
	Middlebox box(run, {syn_ack + " " + strip});
	plain_connection(run);
}

E2E_CASE(stripped_from_both, both_plain("no-eno-in-synack", "no-eno-in-syn"), 30)
{
	Middlebox box(run, {"tcp flags & syn == syn " + strip});
	plain_connection(run);
}

E2E_CASE(stripped_from_all, both_plain("no-eno-in-synack", "no-eno-in-syn"), 30)
{
	Middlebox box(run, {strip});
	plain_connection(run);
}

/*
 * From the third segment, and from what A sends before it has heard of B: B is plain. A counts on encryption since it
 * saw ENO in the SYN-ACK (E-15): it gets an error in the end, and not a byte of its application's goes out.
 */
static void third_segment(Run &run, bool server_talks, int error, const std::string &reason)
{
	run.expect.client[reason] = 1;
	run.expect.server["no-eno-in-ack"] = 1;
	run.expect.wire = Wire::any;	/* what a plain server says is plain */
	run.client().set("handshake_timeout_ms", "1000");
	Middlebox box(run, {from_client + " " + strip});
	Sniffer sniffer(run.client(), run.client().device());
	Pair pair = connect_pair(run);
	check_plain(pair.server);
	sys(setsockopt(pair.server, IPPROTO_TCP, TCP_ULP, "tls", 3), "TCP_ULP tls");
	check_equal(send(pair.client, text(100).data(), 100, MSG_NOSIGNAL), 100, "send");
	if (server_talks)
		write_all(pair.server, text(100));
	char byte;
	check_errno(recv(pair.client, &byte, 1, 0), error, "recv of the client");
	std::uint16_t port = pair.listener.address.port();
	check_equal(sniffer.count([&](const Segment &segment) {
		return segment.destination == port && segment.payload.find(text_mark) != std::string::npos;
	}), 0u, "segments with plaintext of the client");
}

E2E_CASE(stripped_from_third_segment, nothing(), 30, true)
{
	third_segment(run, false, ETIMEDOUT, "abort-timeout");
}

E2E_CASE(stripped_from_third_segment_and_server_talks, nothing(), 30)
{
	third_segment(run, true, EPROTO, "abort-bad-init");
}

/* From what follows the handshake: too late to matter. */
E2E_CASE(stripped_later, encrypted(), 20)
{
	Middlebox box(run, {from_client + " " + once + " accept", from_client + " " + strip, from_server + " " + strip});
	encrypted_connection(run);
}

/* SYNs with option 69 are dropped: without it after the retransmissions that the sysctl allows. */
static void dropped_syn(Run &run, int retries, milliseconds least, milliseconds most)
{
	run.client().set("syn_retries", std::to_string(retries));
	Middlebox box(run, {"tcp option 69 exists drop"});
	Sniffer sniffer(run.client(), run.client().device());
	Stopwatch watch;
	Pair pair = connect_pair(run);
	check_between(watch.elapsed(), least, most, "time in connect()");
	check_works(pair.client, pair.server);
	check_plain(pair.client);
	check_plain(pair.server);
	check_equal(sniffer.count([](const Segment &segment) { return segment.syn && !segment.acks && segment.eno; }),
		    static_cast<std::size_t>(retries) + 1, "SYNs with ENO");
	check_equal(sniffer.count([](const Segment &segment) { return segment.syn && !segment.acks && !segment.eno; }), 1u,
		    "SYNs without ENO");
	check_ktls(pair.client, pair.server);
}

E2E_CASE(dropped_syn_first, plain("syn-retried", "no-eno-in-syn"), 30)
{
	dropped_syn(run, 0, milliseconds(900), milliseconds(2900));
}

/* By default: two retransmissions (at 1 s and 3 s, or one a second on newer kernels). */
E2E_CASE(dropped_syn_thrice, plain("syn-retried", "no-eno-in-syn"), 40)
{
	check_equal(run.client().setting("syn_retries"), std::string("2"), "syn_retries by default");
	dropped_syn(run, 2, milliseconds(2900), milliseconds(10000));
}

/* The answer to the SYN that came without is ENO's end, also when an earlier SYN with it got through late. */
E2E_CASE(lost_syn, encrypted(), 30)
{
	Middlebox box(run, {syn + " " + once + " drop"});
	encrypted_connection(run);
}

E2E_CASE(lost_syn_ack, encrypted(), 30)
{
	Middlebox box(run, {syn_ack + " " + once + " drop"});
	encrypted_connection(run);
}

/* Init1 follows, with the option: as good as the third segment. */
E2E_CASE(lost_third_segment, encrypted(), 30, true)
{
	Middlebox box(run, {from_client + " " + once + " drop"});
	encrypted_connection(run);
}

E2E_CASE(lost_init1, encrypted(), 30)
{
	Middlebox box(run, {from_client + " " + with_data + " " + once + " drop"});
	encrypted_connection(run);
}

E2E_CASE(lost_init2, encrypted(), 30)
{
	Middlebox box(run, {from_server + " " + with_data + " " + once + " drop"});
	encrypted_connection(run);
}

/* All that the client sends after its SYN, for a while: SYN-ACKs are repeated meanwhile. */
E2E_CASE(client_goes_silent, encrypted(), 40)
{
	Middlebox box(run, {from_client + " limit rate 1/day burst 4 packets drop"});
	encrypted_connection(run);
}

/*
 * The SYN-ACK with ENO is lost, and the SYN comes again without: both go on plain. The server may send its SYN-ACK again
 * before it has that SYN; so all that have ENO are lost.
 */
E2E_CASE(syn_repeated_without_eno, plain("syn-retried", "syn-changed"), 30)
{
	run.client().set("syn_retries", "0");
	Middlebox box(run, {syn_ack + " tcp option 69 exists drop"});
	Pair pair = connect_pair(run);
	check_works(pair.client, pair.server);
	check_plain(pair.client);
	check_plain(pair.server);
}

/**
 * The lock of a socket, owned from the start of this to release(): by a system call of another thread, which waits for
 * a page of its argument.
 */
class LockHolder {
public:
	explicit LockHolder(int fd) : faults_(static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK)))
	{
		uffdio_api api{UFFD_API, 0, 0};
		if (faults_ < 0 || ioctl(faults_, UFFDIO_API, &api) < 0)
			return;
		pages_ = static_cast<char *>(mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		check(pages_ != MAP_FAILED, "mmap");
		/* The family is wrong, so that nothing comes of it. */
		char *argument = pages_ + page - 64;
		std::memset(argument, 0xff, 64);
		uffdio_register area{{reinterpret_cast<std::uintptr_t>(pages_) + page, page}, UFFDIO_REGISTER_MODE_MISSING, 0};
		sys(ioctl(faults_, UFFDIO_REGISTER, &area), "UFFDIO_REGISTER");
		thread_ = std::thread([fd, argument] { setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, argument, sizeof(tcp_md5sig)); });
		holds_ = poll_now(faults_, POLLIN, 2000) == POLLIN;
	}
	~LockHolder() { release(); }
	LockHolder(const LockHolder &) = delete;
	LockHolder &operator=(const LockHolder &) = delete;

	/** False where the kernel has no userfaultfd, or no MD5 signatures. */
	bool holds() const { return holds_; }
	void release()
	{
		if (!thread_.joinable())
			return;
		if (holds_) {
			uffdio_zeropage zero{{reinterpret_cast<std::uintptr_t>(pages_) + page, page}, 0, 0};
			(void)!ioctl(faults_, UFFDIO_ZEROPAGE, &zero);
		}
		thread_.join();
		munmap(pages_, 2 * page);
	}

private:
	static constexpr std::size_t page = 4096;
	Fd faults_;
	char *pages_ = nullptr;
	std::thread thread_;
	bool holds_ = false;
};

/** What is special about a simultaneous open. */
struct Crossing {
	std::uint16_t port;	/* others each time: those of the last one may be in TIME_WAIT */
	bool server_is_b = false;
	bool client_is_locked = false;	/* until the server's SYN and SYN-ACK are there */
};

/* Ends that meet in the middle: encrypted if one of them asked for b=1, else plain; never broken. */
static void simultaneous_open(Run &run, const Crossing &crossing)
{
	bool server_is_b = crossing.server_is_b;
	std::optional<LockHolder> lock;

	run.net.middle().run("tc qdisc replace dev left root netem delay 200ms; tc qdisc replace dev right root netem delay 200ms");
	std::uint16_t port = crossing.port;
	Address client_end = client_address(run, port), server_end = server_address(run, static_cast<std::uint16_t>(port + 1));
	Fd client = socket_in(run.client(), client_end.family(), SOCK_NONBLOCK);
	Fd server = socket_in(run.server(), server_end.family(), SOCK_NONBLOCK);
	if (server_is_b) {
		sys(setsockopt(server, IPPROTO_TCP, TCP_ULP, "tcpcrypt", 8), "TCP_ULP tcpcrypt");
		set_option(server, SOL_TCP_ENO, TCP_ENO_ROLEOVERRIDE, 1);
	}
	sys(bind(client, client_end.get(), client_end.size()), "bind");
	sys(bind(server, server_end.get(), server_end.size()), "bind");
	check_errno(connect(client, server_end.get(), server_end.size()), EINPROGRESS, "connect");
	check_errno(connect(server, client_end.get(), client_end.size()), EINPROGRESS, "connect");
	if (crossing.client_is_locked) {
		Sniffer sniffer(run.client(), run.client().device());
		lock.emplace(client);
		if (lock->holds())
			wait_for("a SYN-ACK", [&] {
				return sniffer.count([](const Segment &s) { return s.syn && s.acks; }) == 1;
			});
		lock.reset();
	}
	for (int fd : {static_cast<int>(client), static_cast<int>(server)}) {
		check(poll_now(fd, POLLOUT, 10000) == POLLOUT, "not connected");
		check_equal(socket_error(fd), 0, "SO_ERROR");
		set_blocking(fd, true);
	}
	check_works(client, server);
	if (server_is_b) {
		check_session(client, server);
		std::string data = text(200000);
		Thread writer([&] { write_all(server, data); });
		check_text(read_exactly(client, data.size()), data.size());
		writer.join();
		client.reset();
		check_end(server);
	} else {
		check_plain(client);
		check_plain(server);
	}
	run.net.middle().run("tc qdisc delete dev left root; tc qdisc delete dev right root");
}

E2E_CASE(simultaneous_open_plain, plain("same-role", "same-role"), 40)
{
	simultaneous_open(run, {.port = 5001});
}

/* Who must have encryption where he listens may connect as he likes, however the connection comes about. */
E2E_CASE(simultaneous_open_plain_beside_required, plain("same-role", "same-role"), 40)
{
	run.client().set("enable_listen", "2");
	run.server().set("enable_listen", "2");
	simultaneous_open(run, {.port = 5021});
}

/* TCP takes the SYN and the SYN-ACK out of the backlog in one go, long after netfilter has seen them. */
E2E_CASE(simultaneous_open_while_locked, unaudited(), 40)
{
	Sniffer sniffer(run.client(), run.client().device());
	simultaneous_open(run, {.port = 5023, .server_is_b = true, .client_is_locked = true});
	check(!sniffer.saw_text(), "plaintext on the wire");
}

E2E_CASE(simultaneous_open_encrypted, unaudited(), 40)
{
	auto client_before = run.client().counters(), server_before = run.server().counters();
	Sniffer sniffer(run.client(), run.client().device());
	simultaneous_open(run, {.port = 5003, .server_is_b = true});
	check(!sniffer.saw_text(), "plaintext on the wire");
	check_equal(run.client().counters()["encrypted-connect"] - client_before["encrypted-connect"], 1, "encrypted, at the client");
	check_equal(run.server().counters()["encrypted-connect"] - server_before["encrypted-connect"], 1, "encrypted, at the server");
}

/* In SYN_RECV, where the SYN-ACK has promised encryption, a socket goes: by close(), shutdown() or connect(AF_UNSPEC). */
static void simultaneous_open_given_up(Run &run, int how)
{
	Middlebox box(run, {syn_ack + " drop"});
	run.net.middle().run("tc qdisc replace dev left root netem delay 200ms; tc qdisc replace dev right root netem delay 200ms");
	std::uint16_t port = static_cast<std::uint16_t>(5011 + 2 * how);
	Address client_end = client_address(run, port), server_end = server_address(run, static_cast<std::uint16_t>(port + 1));
	Fd client = socket_in(run.client(), client_end.family(), SOCK_NONBLOCK);
	Fd server = socket_in(run.server(), server_end.family(), SOCK_NONBLOCK);
	sys(setsockopt(client, IPPROTO_TCP, TCP_ULP, "tcpcrypt", 8), "TCP_ULP tcpcrypt");
	set_option(client, SOL_TCP_ENO, TCP_ENO_ROLEOVERRIDE, 1);
	sys(bind(client, client_end.get(), client_end.size()), "bind");
	sys(bind(server, server_end.get(), server_end.size()), "bind");
	check_errno(connect(client, server_end.get(), server_end.size()), EINPROGRESS, "connect");
	check_errno(connect(server, client_end.get(), client_end.size()), EINPROGRESS, "connect");
	constexpr int syn_recv = 3;	/* TCP_SYN_RECV of <netinet/tcp.h>, which is not to be had beside <linux/tcp.h> */
	wait_for("both in SYN_RECV", [&] { return tcp_state(client) == syn_recv && tcp_state(server) == syn_recv; });
	sockaddr none{};
	switch (how) {
	case 0:
		client.reset();
		break;
	case 1:
		sys(shutdown(client, SHUT_WR), "shutdown");
		break;
	default:
		sys(connect(client, &none, sizeof(none)), "connect(AF_UNSPEC)");
		/* It is opted in as before, and another connection does not remember this one. */
		check_equal(get_option(client, SOL_TCP_ENO, TCP_ENO_ROLEOVERRIDE), 1, "TCP_ENO_ROLEOVERRIDE");
	}
	check(poll_now(server, POLLIN, 10000) & POLLERR, "no error at the other end");
	check_equal(socket_error(server), ECONNRESET, "SO_ERROR");
	run.net.middle().run("tc qdisc delete dev left root; tc qdisc delete dev right root");
}

E2E_CASE(simultaneous_open_closed, unaudited(), 40)
{
	simultaneous_open_given_up(run, 0);
}

E2E_CASE(simultaneous_open_shut_down, unaudited(), 40)
{
	simultaneous_open_given_up(run, 1);
}

E2E_CASE(simultaneous_open_disconnected, unaudited(), 40)
{
	simultaneous_open_given_up(run, 2);
}

/* A path that drops SYNs with ENO is remembered, for as long as the sysctl says. */

static bool is_offer(const Segment &segment)
{
	return segment.syn && !segment.acks && segment.eno;
}

static void path_connection(Run &run, const std::string &reason, std::size_t offers, const Prepare &prepare = {})
{
	auto before = run.client().counters();
	Sniffer sniffer(run.client(), run.client().device());
	Pair pair = connect_pair(run, prepare);
	check_works(pair.client, pair.server);
	if (reason.empty()) {
		check_session(pair.client, pair.server);
	} else {
		check_plain(pair.client);
		check_equal(run.client().counters()[reason] - before[reason], 1, "reason " + reason);
	}
	check_equal(sniffer.count(is_offer), offers, "SYNs with ENO");
}

E2E_CASE(path_is_remembered, unaudited(), 60, true)
{
	run.client().set("syn_retries", "0");
	run.client().set("path_lifetime", "6");
	Middlebox box(run, {"tcp option 69 exists drop"});
	long paths = run.client().counter("paths");
	path_connection(run, "syn-retried", 1);
	check_equal(run.client().counter("paths") - paths, 1, "paths");
	for (int i = 0; i < 2; i++) {
		Stopwatch watch;
		path_connection(run, "path", 0);
		check_between(watch.elapsed(), milliseconds(0), patience(0.9), "time of a connection");
	}
	/* Who requires encryption does not care. */
	Listener listener = listen_here(run);
	Fd mandatory = socket_in(run.client(), listener.address.family(), SOCK_NONBLOCK);
	sys(setsockopt(mandatory, IPPROTO_TCP, TCP_ULP, "tcpcrypt", 8), "TCP_ULP tcpcrypt");
	set_option(mandatory, SOL_TCP_ENO, TCP_ENO_MANDATORY, 1);
	Sniffer sniffer(run.client(), run.client().device());
	(void)!connect(mandatory, listener.address.get(), listener.address.size());
	wait_for("a SYN with ENO", [&] { return sniffer.count(is_offer) == 1; });
	mandatory.reset();
	/* And it is forgotten. */
	box.remove();
	std::this_thread::sleep_for(seconds(7));
	path_connection(run, "", 1);
}

/* Behind another interface the address is another host's. */
E2E_CASE(path_is_of_one_interface, unaudited(), 40)
{
	run.client().set("syn_retries", "0");
	run.client().set("path_lifetime", "600");
	Middlebox box(run, {"tcp option 69 exists drop"});
	auto bound = [&run](int fd) { bind_to_device(fd, run.client().device()); };
	path_connection(run, "syn-retried", 1);
	path_connection(run, "syn-retried", 1, bound);
	path_connection(run, "path", 0, bound);
	path_connection(run, "path", 0);
}

/* Nobody answers either way: that says nothing about ENO. */
E2E_CASE(path_is_not_learnt_without_an_answer, unaudited(), 40)
{
	run.client().set("syn_retries", "0");
	run.client().set("path_lifetime", "600");
	Listener listener = listen_here(run);
	long paths = run.client().counter("paths");
	{
		Middlebox box(run, {syn + " drop"});
		Sniffer sniffer(run.client(), run.client().device());
		Fd client = socket_in(run.client(), listener.address.family(), SOCK_NONBLOCK);
		(void)!connect(client, listener.address.get(), listener.address.size());
		wait_for("a SYN without ENO", [&] {
			return sniffer.count([](const Segment &segment) { return segment.syn && !segment.acks && !segment.eno; }) == 1;
		});
	}
	check_equal(run.client().counter("paths"), paths, "paths");
	path_connection(run, "", 1);
}

/* Writing the sysctl forgets what was learnt, also with the same value. */
E2E_CASE(path_is_forgotten_on_request, unaudited(), 40)
{
	run.client().set("syn_retries", "0");
	run.client().set("path_lifetime", "600");
	long paths = run.client().counter("paths");
	{
		Middlebox box(run, {"tcp option 69 exists drop"});
		path_connection(run, "syn-retried", 1);
		path_connection(run, "path", 0);
	}
	run.client().set("path_lifetime", "600");
	check_equal(run.client().counter("paths"), paths, "paths");
	path_connection(run, "", 1);
}

/* The answer is slower than the retransmissions, and has ENO: it is one to the first SYN. */
E2E_CASE(path_is_not_learnt_when_slow, unaudited(), 60)
{
	run.client().set("syn_retries", "0");
	run.client().set("path_lifetime", "600");
	long paths = run.client().counter("paths");
	run.net.middle().run("tc qdisc replace dev left root netem delay 1500ms");
	path_connection(run, "syn-retried", 1);
	run.net.middle().run("tc qdisc delete dev left root");
	check_equal(run.client().counter("paths"), paths, "paths");
	path_connection(run, "", 1);
}

E2E_CASE(path_is_not_learnt_when_switched_off, unaudited(), 40)
{
	run.client().set("syn_retries", "0");
	run.client().set("path_lifetime", "0");
	long paths = run.client().counter("paths");
	Middlebox box(run, {"tcp option 69 exists drop"});
	path_connection(run, "syn-retried", 1);
	path_connection(run, "syn-retried", 1);
	check_equal(run.client().counter("paths"), paths, "paths");
}

/* A program that tries addresses by the thousand fills its namespace's share of the memory, and no more. */
E2E_CASE(path_memory_is_bounded, unaudited(), 120)
{
	constexpr int share = 1024, beyond = 76, at_once = 100;
	const std::string prefix = "10.78.";
	run.server().run("ip route add local " + prefix + "0.0/16 dev lo");
	run.net.middle().run("ip route add " + prefix + "0.0/16 via " + run.server().ipv4());
	run.client().set("syn_retries", "0");
	run.client().set("path_lifetime", "600");
	Middlebox box(run, {"tcp option 69 exists drop"});
	Listener listener = listen_at(run.server(), Address("0.0.0.0", 8441), {}, at_once);
	auto connect_to = [&](int i) {
		Fd fd = socket_in(run.client(), AF_INET, SOCK_NONBLOCK);
		Address to(prefix + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1), 8441);
		(void)!connect(fd, to.get(), to.size());
		return fd;
	};
	auto connections = [&](int first, int end) {
		std::vector<Fd> clients;
		for (int i = first; i < end; i++)
			clients.push_back(connect_to(i));
		for (Fd &client : clients) {
			accept_from(listener.fd);
			check(poll_now(client, POLLOUT, 20000) & POLLOUT, "no connection");
			check_equal(socket_error(client), 0, "SO_ERROR");
		}
	};
	auto reasons = [&](int destination) {
		auto before = run.client().counters();
		connections(destination, destination + 1);
		auto after = run.client().counters();
		return std::pair(after["syn-retried"] - before["syn-retried"], after["path"] - before["path"]);
	};
	for (int i = 0; i < share + beyond; i += at_once)
		connections(i, i + at_once);
	check_equal(run.client().counter("paths"), share, "paths");
	check(reasons(0) == std::pair(0L, 1L), "the first path is forgotten");
	/* Those tried together came in any order: one that was not tried yet, twice. */
	for (int i = 0; i < 2; i++)
		check(reasons(share + beyond) == std::pair(1L, 0L), "a path beyond the limit is known");
	/* And there is room again. */
	run.client().set("path_lifetime", "600");
	check_equal(run.client().counter("paths"), 0, "paths");
	check(reasons(0) == std::pair(1L, 0L), "a path is known that was forgotten");
	check(reasons(0) == std::pair(0L, 1L), "a path is not learnt");
	check_equal(run.client().counter("paths"), 1, "paths");
	run.net.middle().run("ip route delete " + prefix + "0.0/16");
	run.server().run("ip route delete local " + prefix + "0.0/16 dev lo");
}

/* Others who use TCP's options */

static void fast_open(Run &run, bool by_option)
{
	run.server().set("net/ipv4/tcp_fastopen", "3");
	run.client().set("net/ipv4/tcp_fastopen", "1");
	Listener listener = listen_here(run, [](int fd) { set_option(fd, IPPROTO_TCP, TCP_FASTOPEN, 10); });
	/* The first time for a cookie, the second with data in the SYN. */
	for (int i = 0; i < 2; i++) {
		Fd client = socket_in(run.client(), listener.address.family());
		if (by_option) {
			set_option(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
			sys(connect(client, listener.address.get(), listener.address.size()), "connect");
			write_all(client, text(200));
		} else {
			check_equal(sendto(client, text(200).data(), 200, MSG_FASTOPEN, listener.address.get(), listener.address.size()),
				    200, "sendto with MSG_FASTOPEN");
		}
		Fd server = accept_from(listener.fd);
		check_text(read_exactly(server, 200), 200);
		check_works(client, server);
		check_plain(client);
		check_plain(server);
	}
}

E2E_CASE(fast_open_by_flag, plain("other-option", "no-eno-in-syn", 2), 30)
{
	fast_open(run, false);
}

E2E_CASE(fast_open_by_option, plain("other-option", "no-eno-in-syn", 2), 30)
{
	fast_open(run, true);
}

/* A listener with Fast Open and a client without it. */
E2E_CASE(fast_open_unused, encrypted(), 30)
{
	run.server().set("net/ipv4/tcp_fastopen", "3");
	Listener listener = listen_here(run, [](int fd) { set_option(fd, IPPROTO_TCP, TCP_FASTOPEN, 10); });
	Fd client = connect_here(run, listener);
	Fd server = accept_from(listener.fd);
	check_works(client, server);
	check_session(client, server);
}

/* No state at the server, so no ENO. */
E2E_CASE(syn_cookies, both_plain("no-eno-in-synack", "syn-cookie"), 30)
{
	run.server().set("net/ipv4/tcp_syncookies", "2");
	plain_connection(run);
}

/* MPTCP's subflows are the kernel's own sockets, but a program's connections. */
E2E_CASE(mptcp_where_encryption_is_required, unaudited(), 30)
{
	Listener listener = listen_here(run);
	run.client().set("enable_connect", "2");
	Fd client = socket_in(run.client(), listener.address.family(), 0, 262 /* IPPROTO_MPTCP */);
	check(connect(client, listener.address.get(), listener.address.size()) < 0, "MPTCP connects without encryption");
	check_equal(poll_now(listener.fd, POLLIN, 300), 0, "events of the listener");
	run.client().set("enable_connect", "0");
	run.server().set("enable_listen", "2");
	Fd server = socket_in(run.server(), listener.address.family(), 0, 262);
	Address address = server_address(run);
	sys(bind(server, address.get(), address.size()), "bind");
	sys(listen(server, 1), "listen");
	address = Address::of(server);
	Fd plain = socket_in(run.client(), address.family());
	check(connect(plain, address.get(), address.size()) < 0, "an MPTCP listener accepts without encryption");
}

E2E_CASE(mptcp_client, plain("other-option", "no-eno-in-syn"), 30)
{
	Listener listener = listen_here(run);
	Fd client = socket_in(run.client(), listener.address.family(), 0, 262 /* IPPROTO_MPTCP */);
	sys(connect(client, listener.address.get(), listener.address.size()), "connect");
	Fd server = accept_from(listener.fd);
	check_works(client, server);
	check_plain(server);
}

E2E_CASE(mptcp_server, unaudited(), 30)
{
	auto client_before = run.client().counters(), server_before = run.server().counters();
	Fd listener = socket_in(run.server(), server_address(run).family(), 0, 262);
	Address address = server_address(run);
	sys(bind(listener, address.get(), address.size()), "bind");
	sys(listen(listener, 1), "listen");
	Fd client = connect_from(run.client(), Address::of(listener));
	Fd server = accept_from(listener);
	check_works(client, server);
	check_plain(client);
	auto client_after = run.client().counters(), server_after = run.server().counters();
	check_equal(client_after["no-eno-in-synack"] - client_before["no-eno-in-synack"], 1, "no-eno-in-synack of the client");
	check_equal(server_after["other-option"] - server_before["other-option"], 1, "other-option of the server");
}

E2E_CASE(mptcp_both, unaudited(), 30)
{
	auto before = run.client().counters();
	Fd listener = socket_in(run.server(), server_address(run).family(), 0, 262);
	Address address = server_address(run);
	sys(bind(listener, address.get(), address.size()), "bind");
	sys(listen(listener, 1), "listen");
	address = Address::of(listener);
	Fd client = socket_in(run.client(), address.family(), 0, 262);
	sys(connect(client, address.get(), address.size()), "connect");
	Fd server = accept_from(listener);
	check_works(client, server);
	auto after = run.client().counters();
	check_equal(after["other-option"] - before["other-option"], 1, "other-option of the client");
	check_equal(after["encrypted-connect"] - before["encrypted-connect"], 0, "encrypted connections");
}

E2E_CASE(md5_signatures, plain("other-option", "no-eno-in-syn"), 30)
{
	auto sign = [&](int fd, const Address &peer) {
		tcp_md5sig key{};
		memcpy(&key.tcpm_addr, peer.get(), peer.size());
		key.tcpm_keylen = 6;
		memcpy(key.tcpm_key, "secret", 6);
		sys(setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof(key)), "TCP_MD5SIG");
	};
	Pair pair;
	pair.listener = listen_here(run, [&](int fd) { sign(fd, client_address(run)); });
	pair.client = connect_here(run, pair.listener, [&](int fd) { sign(fd, server_address(run)); });
	pair.server = accept_from(pair.listener.fd);
	check_works(pair.client, pair.server);
	check_plain(pair.client);
	check_plain(pair.server);
}

/* Those who wait inside when the connection turns out to be plain */

namespace {

/** connect() takes a while, and then the answer is no. */
class SlowRefusal {
public:
	explicit SlowRefusal(Run &run) : box_(run, {syn_ack + " " + strip}), middle_(run.net.middle())
	{
		middle_.run("tc qdisc replace dev left root netem delay 300ms");
	}
	~SlowRefusal() { middle_.run("tc qdisc delete dev left root"); }

private:
	Middlebox box_;
	Namespace &middle_;
};

} // namespace

E2E_CASE(writer_waits_for_connect, plain("no-eno-in-synack", "no-eno-in-ack"), 30, true)
{
	SlowRefusal slow(run);
	Listener listener = listen_here(run);
	Fd client = connect_here(run, listener, [](int fd) { set_blocking(fd, false); });
	set_blocking(client, true);
	std::string data = text(100000);
	Thread writer([&] { check_equal(send(client, data.data(), data.size(), 0), static_cast<ssize_t>(data.size()), "send"); });
	Fd server = accept_from(listener.fd);
	check_text(read_exactly(server, data.size()), data.size());
	writer.join();
	check_plain(client);
	check_works(client, server);
}

E2E_CASE(reader_waits_for_connect, plain("no-eno-in-synack", "no-eno-in-ack"), 30)
{
	SlowRefusal slow(run);
	Listener listener = listen_here(run);
	Fd client = connect_here(run, listener, [](int fd) { set_blocking(fd, false); });
	set_blocking(client, true);
	Thread reader([&] { check_text(read_exactly(client, 1000), 1000); });
	Fd server = accept_from(listener.fd);
	write_all(server, text(1000));
	reader.join();
	check_plain(client);
}

E2E_CASE(pollers_wait_for_connect, plain("no-eno-in-synack", "no-eno-in-ack"), 30)
{
	SlowRefusal slow(run);
	Listener listener = listen_here(run);
	Fd client = connect_here(run, listener, [](int fd) { set_blocking(fd, false); });
	Fd epoll(sys(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
	epoll_event event{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.fd = client}};
	sys(epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event), "epoll_ctl");
	Thread poller([&] { check_equal(poll_now(client, POLLOUT, 10000), POLLOUT, "events"); });
	check_equal(epoll_wait(epoll, &event, 1, 10000), 1, "edges when connected");
	check_equal(event.events, static_cast<std::uint32_t>(EPOLLOUT), "events");
	poller.join();
	Fd server = accept_from(listener.fd);
	write_all(server, text(100));
	check_equal(epoll_wait(epoll, &event, 1, 10000), 1, "edges when there is data");
	check(event.events & EPOLLIN, "not readable");
	check_text(read_exactly(client, 100), 100);
	server.reset();
	check_equal(epoll_wait(epoll, &event, 1, 10000), 1, "edges at the end");
	check(event.events & EPOLLRDHUP, "no EPOLLRDHUP");
	check_end(client);
}

/* Options that were set before stay. */
E2E_CASE(options_survive, plain("no-eno-in-synack", "disabled"), 30)
{
	run.server().set("enable_listen", "0");
	Pair pair = connect_pair(run, [](int fd) {
		set_option(fd, SOL_SOCKET, SO_RCVLOWAT, 500);
		set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 4321);
		set_option(fd, SOL_SOCKET, SO_ZEROCOPY, 1);
	});
	check_equal(get_option(pair.client, SOL_SOCKET, SO_RCVLOWAT), 500, "SO_RCVLOWAT");
	check_equal(get_option(pair.client, IPPROTO_TCP, TCP_USER_TIMEOUT), 4321, "TCP_USER_TIMEOUT");
	check_equal(get_option(pair.client, SOL_SOCKET, SO_ZEROCOPY), 1, "SO_ZEROCOPY");
	write_all(pair.server, text(499));
	wait_readable_bytes(pair.client, 499);
	check_equal(poll_now(pair.client, POLLIN), 0, "events below the mark");
	write_all(pair.server, text(1, 499));
	wait_readable(pair.client);
	check_text(read_exactly(pair.client, 500), 500);
	check_works(pair.client, pair.server);
}

/* Full segments have the size that they have without us. */
E2E_CASE(segment_size, plain("no-eno-in-synack", "disabled"), 30)
{
	run.server().set("enable_listen", "0");
	Pair one = connect_pair(run);
	int fallen_back = get_option(one.client, IPPROTO_TCP, TCP_MAXSEG);
	check_works(one.client, one.server);
	run.client().set("enable_connect", "0");
	Pair two = connect_pair(run);
	check_equal(fallen_back, get_option(two.client, IPPROTO_TCP, TCP_MAXSEG), "TCP_MAXSEG");
	run.expect.client["disabled"] = 1;
	run.expect.server["no-eno-in-syn"] = 1;
}

/* Path MTU discovery: the router in the middle says that it is too much. */
E2E_CASE(path_mtu, encrypted(), 60)
{
	run.net.middle().run("ip link set right mtu 1300");
	run.server().run("ip link set wire mtu 1300");
	Pair pair = encrypted_pair(run);
	std::string data = text(300000);
	Thread writer([&] { write_all(pair.client, data); });
	check_text(read_exactly(pair.server, data.size()), data.size());
	writer.join();
	run.net.middle().run("ip link set right mtu 1500");
	run.server().run("ip link set wire mtu 1500");
}

/* Connection tracking and address translation in the middle. */
static void translated_addresses(Run &run)
{
	run.net.middle().run("nft 'add table inet nat; add chain inet nat post { type nat hook postrouting priority srcnat; }; "
			     "add rule inet nat post oifname right masquerade'");
	encrypted_connection(run);
	run.net.middle().run("nft delete table inet nat");
}

/* The hosts' own rules see what goes out, and their connection tracking has nothing against it. */
E2E_CASE(host_firewall, encrypted(), 30)
{
	for (Namespace *space : {&run.client(), &run.server()})
		space->run("nft 'add table inet fw; add chain inet fw in { type filter hook input priority 0; }; "
			   "add rule inet fw in ct state established,related accept; add rule inet fw in ct state new accept; "
			   "add rule inet fw in ct state invalid drop'");
	encrypted_connection(run);
	for (Namespace *space : {&run.client(), &run.server()})
		space->run("nft delete table inet fw");
}

int main(int argc, char **argv)
{
	/* Our own kernels are built without address translation. */
	const char *kernel = getenv("TCPCRYPT_KERNEL");
	if (!kernel || std::string(kernel).find_first_not_of("0123456789.") == std::string::npos)
		add_case({"translated_addresses", translated_addresses, encrypted(), 30, false});
	return run_suite(argc, argv, Shape::path);
}
