// SPDX-License-Identifier: GPL-2.0
// Resumption between two kernels (RFC 8548 section 3.5): chains, losses, and what the counters say of key agreements.
#include <linux/tcp.h>
#include <linux/tcpcrypt.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>

#include "sniffer.hh"
#include "sockets.hh"

using namespace e2e;

namespace {

constexpr std::size_t mib = 1024 * 1024;

bool is_resumed(int fd)
{
	session_of(fd);		/* waits for the keys */
	return get_option(fd, SOL_TCP_ENO, TCP_CRYPT_RESUMED) != 0;
}

/** A connection whose keys are there at both ends, and whose ends agree on where they come from. */
Pair connection(Run &run, const Listener &listener, bool resumed, const Prepare &prepare = {})
{
	Pair pair;
	pair.client = connect_here(run, listener, prepare);
	pair.server = accept_from(listener.fd);
	check_works(pair.client, pair.server);
	check_session(pair.client, pair.server);
	check_equal(is_resumed(pair.client), resumed, "TCP_CRYPT_RESUMED of the client");
	check_equal(is_resumed(pair.server), resumed, "TCP_CRYPT_RESUMED of the server");
	int byte = static_cast<unsigned char>(session_of(pair.client).id[0]);
	check_equal(byte, resumed ? 0xa3 : 0x23, "first byte of the session ID");
	return pair;
}

void end(Pair &pair)
{
	pair.client.reset();
	check_end(pair.server);
	pair.server.reset();
}

/** How far counters of both ends went on since this was made. */
class Count {
public:
	explicit Count(Run &run) : run_(run), client_(run.client().counters()), server_(run.server().counters()) {}

	long client(const std::string &name) { return run_.client().counters()[name] - client_[name]; }
	long server(const std::string &name) { return run_.server().counters()[name] - server_[name]; }
	/** So many key agreements at each end, and so many sessions without one. */
	void check_sessions(long agreements, long resumed, Location where = Location::current())
	{
		check_equal(client("key-agreements"), agreements, "key agreements of the client", where);
		check_equal(server("key-agreements"), agreements, "key agreements of the server", where);
		check_equal(client("resumed-connect"), resumed, "resumed connections of the client", where);
		check_equal(server("resumed-accept"), resumed, "resumed connections of the server", where);
		check_equal(client("resume-offered"), resumed, "offers of the client", where);
		check_equal(server("resume-agreed"), resumed, "offers that the server took", where);
	}

private:
	Run &run_;
	std::map<std::string, long> client_;
	std::map<std::string, long> server_;
};

/** Answers of the server come late: the first flight goes out before anything of it is acknowledged. */
class Late {
public:
	explicit Late(Run &run) : server_(run.server()) { server_.run("tc qdisc replace dev wire root netem delay 300ms"); }
	~Late() { server_.run("tc qdisc delete dev wire root"); }
	Late(const Late &) = delete;
	Late &operator=(const Late &) = delete;

private:
	Namespace &server_;
};

/** A request and its answer, and both ends close: what short connections do. */
void transaction(Run &run, const Listener &listener, int number)
{
	Fd client = connect_here(run, listener);
	write_all(client, text(500, 0, number));
	Fd server = accept_from(listener.fd);
	check_text(read_exactly(server, 500), 500, 0, number);
	write_all(server, text(3000, 0, -number));
	server.reset();
	check_text(read_to_end(client), 3000, 0, -number);
}

} // namespace

E2E_CASE(ipv4, encrypted(3), 20, true)
{
	options.family = 4;
	Count count(run);
	Listener listener = listen_here(run);
	for (int i = 0; i < 3; i++) {
		Pair pair = connection(run, listener, i > 0);
		end(pair);
	}
	count.check_sessions(1, 2);
}

E2E_CASE(ipv6, encrypted(3), 20, true)
{
	options.family = 6;
	Count count(run);
	Listener listener = listen_here(run);
	for (int i = 0; i < 3; i++) {
		Pair pair = connection(run, listener, i > 0);
		end(pair);
	}
	count.check_sessions(1, 2);
}

/* An IPv4 address is the same for an IPv6 socket. */
E2E_CASE(ipv4_mapped, encrypted(2), 20)
{
	Listener listener = listen_at(run.server(), Address(run.server().ipv4(), 0));
	Pair pair = connection(run, listener, false);
	end(pair);
	listener.address = Address("::ffff:" + run.server().ipv4(), listener.address.port());
	pair = connection(run, listener, true);
	end(pair);
}

/* One key agreement, and then none any more. */
E2E_CASE(thousand, encrypted(0), 120, true)
{
	int amount = options.slow || options.quick ? 200 : 1000;
	Count count(run);
	Listener listener = listen_here(run);
	for (int i = 0; i < amount; i++)
		transaction(run, listener, i);
	run.expect.encrypted = amount;
	count.check_sessions(1, amount - 1);
	check_equal(run.client().counters()["resume-cached"], 1, "secrets that the client keeps");
	check_equal(run.server().counters()["resume-cached"], 1, "secrets that the server keeps");
}

/* As many chains as there were connections at a time. */
E2E_CASE(parallel_chains, encrypted(0), 60, true)
{
	constexpr int chains = 8, rounds = 4;
	Count count(run);
	Listener listener = listen_here(run);
	std::set<std::string> ids;
	for (int round = 0; round < rounds; round++) {
		for (Pair &pair : pairs_at_once(run, listener, chains)) {
			ids.insert(session_of(pair.client).id);
			check_equal(is_resumed(pair.client), round > 0, "resumed in round " + std::to_string(round));
		}
	}
	run.expect.encrypted = chains * rounds;
	check_equal(ids.size(), static_cast<std::size_t>(chains * rounds), "different session IDs");
	count.check_sessions(chains, chains * (rounds - 1));
}

/* the server connects to the client. */
E2E_CASE(roles_swapped, unaudited(), 30, true)
{
	auto agreements = run.client().counter("key-agreements");
	Pair first = encrypted_pair(run);
	check_works(first.client, first.server);
	end(first);
	Listener back = listen_at(run.client(), client_address(run));
	for (int i = 0; i < 2; i++) {
		Fd there = connect_from(run.server(), back.address);
		Fd here = accept_from(back.fd);
		check_works(there, here);
		check_session(there, here);
		check(is_resumed(there) && is_resumed(here), "not resumed");
	}
	Pair again = connection(run, first.listener, true);
	end(again);
	check_equal(run.client().counter("key-agreements") - agreements, 1, "key agreements");
}

/* from another address than before. */
E2E_CASE(other_address, encrypted(2), 30)
{
	options.family = 4;
	run.client().run("ip address add 10.77.1.71/24 dev wire");
	Listener listener = listen_here(run);
	Pair pair = connection(run, listener, false);
	end(pair);
	pair = connection(run, listener, true, [](int fd) {
		Address other("10.77.1.71", 0);
		sys(bind(fd, other.get(), other.size()), "bind");
	});
	end(pair);
	run.client().run("ip address delete 10.77.1.71/24 dev wire");
}

/* Behind another interface the address may be another host's. */
E2E_CASE(other_interface, encrypted(4), 30)
{
	Listener listener = listen_here(run);
	auto bound = [&run](int fd) { bind_to_device(fd, run.client().device()); };
	Pair pair = connection(run, listener, false);
	end(pair);
	pair = connection(run, listener, false, bound);
	end(pair);
	pair = connection(run, listener, true, bound);
	end(pair);
	pair = connection(run, listener, true);
	end(pair);
}

/* What the wire shows: the offer fills the SYN, the answer the SYN-ACK, data go right behind the third segment. */
E2E_CASE(wire, encrypted(2), 20)
{
	Listener listener = listen_here(run);
	Pair pair = connection(run, listener, false);
	end(pair);
	Sniffer sniffer(run.client(), run.client().device());
	pair = connection(run, listener, true);
	auto segments = sniffer.segments();
	check(segments[0].syn && !segments[0].acks && segments[0].eno, "no ENO in the SYN");
	/* Another TEP beside it is all that fits. */
	check_equal(segments[0].eno_data.size(), 19u, "bytes of ENO in the SYN");
	check_equal(static_cast<int>(segments[0].eno_data[1]), 0xa3, "TEP of the offer");
	check(segments[1].syn && segments[1].acks && segments[1].eno, "no ENO in the SYN-ACK");
	check_equal(segments[1].eno_data.size(), 19u, "bytes of ENO in the SYN-ACK");
	check_equal(static_cast<int>(segments[1].eno_data[1]), 0xa3, "TEP of the answer");
	bool heard = false;
	for (std::size_t i = 2; i < segments.size(); i++) {
		bool up = segments[i].destination == listener.address.port();
		check(segments[i].payload.empty() || segments[i].payload[0] == 0, "not a frame");
		check(!up || heard || segments[i].eno, "segment " + std::to_string(i) + " without ENO");
		heard |= !up;
	}
	end(pair);
}

/* R-11, E-12: the first flight is as large as TCP lets it be, and no segment is larger than the link. */
E2E_CASE(first_flight, encrypted(2), 40, true)
{
	auto offloads = [&](const char *what) {
		for (Namespace *space : {&run.client(), &run.server()})
			space->run("ethtool -K " + space->device() + " " + what);
	};
	offloads("tso off gso off gro off tx off sg off");
	Listener listener = listen_here(run);
	Pair pair = connection(run, listener, false);
	end(pair);
	Sniffer sniffer(run.client(), run.client().device());
	{
		Late late(run);
		pair.client = connect_here(run, listener);
		write_all(pair.client, text(100000));
		pair.server = accept_from(listener.fd);
		check_text(read_exactly(pair.server, 100000), 100000);
		check(is_resumed(pair.client), "not resumed");
	}
	auto segments = sniffer.segments();
	std::size_t flight = 0, largest = 0;
	bool heard = false;
	for (const Segment &segment : segments) {
		bool up = segment.destination == listener.address.port();
		heard |= !up && !segment.syn;
		if (up && !segment.syn && !heard) {
			check(segment.eno, "a segment of the first flight without ENO");
			flight += segment.length;
		}
		largest = std::max(largest, segment.packet);
	}
	check(flight > 10000, "the first flight has only " + std::to_string(flight) + " bytes");
	check_equal(largest, 1500u, "the largest packet");
	offloads("tx on sg on tso on gso on gro on");
	end(pair);
}

/* With segmentation offload the option goes into each segment of a large one. */
E2E_CASE(first_flight_offloaded, encrypted(2), 40)
{
	Listener listener = listen_here(run);
	Pair pair = connection(run, listener, false);
	end(pair);
	run.client().run("ip route change 10.77.1.0/24 dev wire initcwnd 80");
	run.client().run("ip -6 route change fd77:1::/64 dev wire proto kernel metric 256 initcwnd 80");
	Sniffer sniffer(run.client(), run.client().device());
	pair.client = connect_here(run, listener);
	write_all(pair.client, text(200000));
	pair.server = accept_from(listener.fd);
	check_text(read_exactly(pair.server, 200000), 200000);
	check(is_resumed(pair.client), "not resumed");
	bool heard = false;
	for (const Segment &segment : sniffer.segments()) {
		bool up = segment.destination == listener.address.port();
		heard |= !up && !segment.syn;
		check(!up || heard || segment.eno, "a segment without ENO before anything was heard");
	}
	end(pair);
	run.client().run("ip route change 10.77.1.0/24 dev wire");
	run.client().run("ip -6 route change fd77:1::/64 dev wire proto kernel metric 256");
}

/* Whatever is lost, comes twice or late: the data is right, and never plain on an encrypted connection. */
E2E_CASE(bad_link, unaudited(), 150, true)
{
	for (Namespace *space : {&run.client(), &run.server()})
		space->run("tc qdisc replace dev wire root netem delay 2ms 2ms loss 8% duplicate 20% reorder 20%");
	for (Namespace *space : {&run.client(), &run.server()}) {
		space->set("syn_retries", "6");
		space->set("handshake_timeout_ms", "60000");
	}
	Count count(run);
	Listener listener = listen_here(run);
	int amount = options.slow || options.quick ? 12 : 40;
	for (int i = 0; i < amount; i++)
		transaction(run, listener, i);
	for (Namespace *space : {&run.client(), &run.server()})
		space->run("tc qdisc delete dev wire root");
	check_equal(count.client("encrypted-connect"), amount, "encrypted connections");
	/* An answer that was lost with its SYN-ACK's retransmissions costs a chain now and then. */
	check(count.client("resumed-connect") > amount / 2, "only " + std::to_string(count.client("resumed-connect")) +
							   " of " + std::to_string(amount) + " were resumed");
	check_equal(count.client("abort-auth") + count.server("abort-auth"), 0, "frames that did not authenticate");
}

/* Both ends at full speed as soon as connect() and accept() return. */
E2E_CASE(bulk, encrypted(2), 90, true)
{
	std::size_t size = options.slow || options.quick ? mib : 8 * mib;
	Listener listener = listen_here(run);
	Pair pair = connection(run, listener, false);
	end(pair);
	pair.client = connect_here(run, listener);
	pair.server = accept_from(listener.fd);
	std::string up = text(size, 0, 1), down = text(size, 0, 2);
	{
		Thread client([&] { write_all(pair.client, up); });
		Thread server([&] { write_all(pair.server, down); });
		Thread reader([&] { check_text(read_exactly(pair.server, size), size, 0, 1); });
		check_text(read_exactly(pair.client, size), size, 0, 2);
	}
	check(is_resumed(pair.client) && is_resumed(pair.server), "not resumed");
}

/* Written before the connection is there, by a thread that waits for it, and closed at once. */
E2E_CASE(connect_write_close, encrypted(2), 30)
{
	Listener listener = listen_here(run);
	Pair pair = connection(run, listener, false);
	end(pair);
	Fd client = connect_here(run, listener);
	write_all(client, text(50000));
	client.reset();
	Fd server = accept_from(listener.fd);
	check_text(read_to_end(server), 50000);
}

/* From many threads, without an answer to wait for: every connection is encrypted, and no secret is used twice. */
E2E_CASE(many_threads, encrypted(0), 90)
{
	constexpr int threads = 4;
	int amount = options.slow || options.quick ? 20 : 100;
	Count count(run);
	Listener listener = listen_here(run, {}, 512);
	std::vector<Thread> clients;
	for (int i = 0; i < threads; i++)
		clients.emplace_back([&, i] {
			for (int n = 0; n < amount; n++) {
				Fd client = connect_here(run, listener);
				write_all(client, text(100, 0, i));
			}
		});
	for (int n = 0; n < threads * amount; n++) {
		Fd server = accept_from(listener.fd);
		check_equal(read_to_end(server).size(), 100u, "bytes");
	}
	clients.clear();
	run.expect.encrypted = threads * amount;
	long resumed = count.client("resumed-connect");
	check_equal(count.server("resumed-accept"), resumed, "resumed connections of the server");
	check_equal(count.client("resume-offered"), resumed + count.client("resume-refused"), "offers");
	check_equal(count.client("key-agreements"), threads * amount - resumed, "key agreements");
	check(resumed > threads * amount / 2, "only " + std::to_string(resumed) + " were resumed");
}

/* R-09, and tcpcryptctl. */
E2E_CASE(flushed, encrypted(4), 30, true)
{
	Listener listener = listen_here(run);
	Pair pair = connection(run, listener, false);
	auto listed = run.client().connections();
	check_equal(listed.size(), 1u, "connections of the client");
	check(!listed[0].resumed, "listed as resumed");
	end(pair);
	std::string cache = shell_output("tcpcryptctl -n " + run.client().name() + " cache show");
	check(cache.find("cached 1,") != cache.npos, "tcpcryptctl cache show says: " + cache);
	shell("tcpcryptctl -n " + run.client().name() + " cache flush");
	check_equal(run.client().counter("resume-cached"), 0, "secrets of the client");
	pair = connection(run, listener, false);
	/* By the socket, of one end: the other's offer is refused. */
	set_option(pair.server, SOL_TCP_ENO, TCP_CRYPT_CACHE_FLUSH, 1);
	end(pair);
	Count count(run);
	pair = connection(run, listener, false);
	check_equal(count.client("resume-refused"), 1, "offers that were refused");
	check_equal(count.server("resume-missed"), 1, "offers that the server missed");
	end(pair);
	pair = connection(run, listener, true);
	listed = run.server().connections();
	check_equal(listed.size(), 1u, "connections of the server");
	check(listed[0].resumed, "not listed as resumed");
	std::string status = shell_output("tcpcryptctl -n " + run.server().name() + " status");
	check(status.find("(1 resumed)") != status.npos, "tcpcryptctl status says: " + status);
	end(pair);
}

/* By a socket that is not connected yet: its session is not kept, at this end. */
E2E_CASE(flushed_beforehand, encrypted(2), 30)
{
	Listener listener = listen_here(run);
	Pair pair = connection(run, listener, false, [](int fd) {
		sys(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tcpcrypt", 8), "TCP_ULP tcpcrypt");
		set_option(fd, SOL_TCP_ENO, TCP_CRYPT_CACHE_FLUSH, 1);
	});
	end(pair);
	check_equal(run.client().counter("resume-cached"), 0, "secrets of the client");
	Count count(run);
	pair = connection(run, listener, false);
	check_equal(count.client("resume-offered"), 0, "offers");
	end(pair);
}

/* nobody asks for it again, and it is gone. */
E2E_CASE(expires, encrypted(1), 30, true)
{
	for (Namespace *space : {&run.client(), &run.server()})
		space->set("resume_lifetime", "2");
	Listener listener = listen_here(run);
	Pair pair = connection(run, listener, false);
	end(pair);
	check_equal(run.client().counter("resume-cached"), 1, "secrets of the client");
	for (Namespace *space : {&run.client(), &run.server()})
		wait_for("an empty cache", [&] { return space->counter("resume-cached") == 0; }, patience(10));
}

E2E_CASE(cache_is_bounded, encrypted(6), 30)
{
	run.client().set("resume_cache", "4");
	Listener listener = listen_here(run);
	std::vector<Pair> pairs = pairs_at_once(run, listener, 6);
	check_equal(run.client().counter("resume-cached"), 4, "secrets of the client");
	check_equal(run.server().counter("resume-cached"), 6, "secrets of the server");
	run.client().set("resume_cache", "1");
	check_equal(run.client().counter("resume-cached"), 1, "secrets of the client when it may keep one");
	run.server().set("resume", "0");
	check_equal(run.server().counter("resume-cached"), 0, "secrets of the server when it may keep none");
}

E2E_CASE(switched_off, encrypted(4), 30)
{
	Listener listener = listen_here(run);
	Pair pair = connection(run, listener, false);
	end(pair);
	run.server().set("resume", "0");
	pair = connection(run, listener, false);
	end(pair);
	run.client().set("resume", "0");
	Count count(run);
	pair = connection(run, listener, false);
	end(pair);
	check_equal(count.client("resume-offered"), 0, "offers");
	run.client().set("resume", "1");
	run.server().set("resume", "1");
	pair = connection(run, listener, false);
	end(pair);
}

E2E_CASE(settings_are_checked, nothing())
{
	for (const auto &[key, value] : {
		     std::pair{"resume", "2"}, {"resume", "-1"}, {"resume_cache", "-1"}, {"resume_cache", "65537"},
		     {"resume_lifetime", "0"}, {"resume_lifetime", "604801"}, {"resume_nonce_len", "9"},
		     {"resume_nonce_len", "-1"}}) {
		std::string before = run.client().setting(key);
		check_equal(run.client().try_set(key, value), EINVAL, std::string(key) + " = " + value);
		check_equal(run.client().setting(key), before, std::string(key) + " afterwards");
	}
	check_equal(run.client().setting("resume_nonce_len"), std::string("8"), "resume_nonce_len");
	check_equal(run.client().setting("resume_lifetime"), std::string("3600"), "resume_lifetime");
	check_equal(run.client().setting("resume_cache"), std::string("16384"), "resume_cache");
}

/* A namespace goes with what it keeps. */
E2E_CASE(namespace_goes, unaudited(), 30)
{
	shell("ip netns add e2ecache; ip -n e2ecache link set lo up; ip netns exec e2ecache sysctl -q net.tcpcrypt.loopback=1");
	auto gone = std::make_unique<Namespace>("e2ecache", "lo", "127.0.0.1", "::1");
	{
		Listener listener = listen_at(*gone, Address("127.0.0.1", 0));
		/* Both ends in one cache: each has its own half, and finds the other's. */
		for (int i = 0; i < 3; i++) {
			Fd client = connect_from(*gone, listener.address);
			Fd server = accept_from(listener.fd);
			check_works(client, server);
			check_session(client, server);
			check_equal(is_resumed(client), i > 0, "resumed");
		}
	}
	check(gone->counter("resume-cached") >= 2, "nothing is cached");
	gone.reset();
	shell("ip netns delete e2ecache");
}

int main(int argc, char **argv)
{
	return run_suite(argc, argv, Shape::pair);
}
