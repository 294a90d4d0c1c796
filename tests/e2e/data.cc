// SPDX-License-Identifier: GPL-2.0
// Long streams, both ways at once, over all sorts of links: each byte is compared.
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "sniffer.hh"
#include "sockets.hh"

using namespace e2e;

namespace {

constexpr std::size_t kib = 1 << 10, mib = 1 << 20;

/** Bytes that only their seed foretells, but for a mark that a sniffer can look for. */
class Stream {
public:
	explicit Stream(std::uint64_t seed) : state_(seed * 2 + 1) {}

	void fill(char *to, std::size_t size)
	{
		while (size > 0) {
			if (used_ == block_.size())
				next_block();
			std::size_t count = std::min(size, block_.size() - used_);
			memcpy(to, block_.data() + used_, count);
			used_ += count;
			to += count;
			size -= count;
		}
	}

private:
	/* splitmix64 */
	std::uint64_t word()
	{
		std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		return z ^ (z >> 31);
	}

	void next_block()
	{
		for (std::size_t at = 0; at < block_.size(); at += sizeof(std::uint64_t)) {
			std::uint64_t value = word();
			memcpy(block_.data() + at, &value, sizeof(value));
		}
		memcpy(block_.data(), text_mark.data(), text_mark.size());
		used_ = 0;
	}

	std::uint64_t state_;
	std::array<char, 4096> block_;
	std::size_t used_ = block_.size();
};

/** Sizes of writes and reads: mostly middling, sometimes tiny or huge. */
class Sizes {
public:
	Sizes(std::uint64_t seed, std::size_t largest) : state_(seed * 7919 + 17), largest_(largest) {}

	std::size_t next()
	{
		state_ = state_ * 6364136223846793005 + 1442695040888963407;
		std::size_t random = static_cast<std::size_t>(state_ >> 33);
		std::size_t limit = random % 16 == 0 ? 10 : random % 4 == 0 ? largest_ : largest_ / 4 + 1;
		return 1 + random / 16 % std::min(limit, largest_);
	}

private:
	std::uint64_t state_;
	std::size_t largest_;
};

void send_stream(int fd, std::size_t size, std::uint64_t seed, std::size_t largest)
{
	Stream stream(seed);
	Sizes sizes(seed, largest);
	std::vector<char> buffer(largest);
	for (std::size_t done = 0; done < size;) {
		std::size_t now = std::min(sizes.next(), size - done);
		stream.fill(buffer.data(), now);
		for (std::size_t at = 0; at < now;)
			at += static_cast<std::size_t>(sys(send(fd, buffer.data() + at, now - at, MSG_NOSIGNAL), "send"));
		done += now;
	}
	sys(shutdown(fd, SHUT_WR), "shutdown");
}

void receive_stream(int fd, std::size_t size, std::uint64_t seed, std::size_t largest)
{
	Stream stream(seed);
	Sizes sizes(seed + 1, largest);
	std::vector<char> got(largest), wanted(largest);
	std::size_t done = 0;
	for (;;) {
		ssize_t count = sys(recv(fd, got.data(), sizes.next(), 0), "recv after " + std::to_string(done) + " bytes");
		if (count == 0)
			break;
		auto length = static_cast<std::size_t>(count);
		stream.fill(wanted.data(), length);
		if (memcmp(got.data(), wanted.data(), length) != 0) {
			auto [at, other] = std::mismatch(got.begin(), got.begin() + count, wanted.begin());
			fail("byte " + std::to_string(done + static_cast<std::size_t>(at - got.begin())) + " is wrong");
		}
		done += length;
	}
	check_equal(done, size, "bytes received");
}

/** The whole life of a connection: @p size bytes each way at once, then the end each way. */
void exchange(const Pair &pair, std::size_t size, std::size_t largest = 100000)
{
	Thread up([&] { send_stream(pair.client, size, 1, largest); });
	Thread down([&] { send_stream(pair.server, size, 2, largest); });
	Thread reader([&] { receive_stream(pair.client, size, 2, largest); });
	receive_stream(pair.server, size, 1, largest);
}

/** Less where it would take too long. */
std::size_t amount(std::size_t full)
{
	return options.quick ? full / 8 : full;
}

void at_both_ends(Run &run, const std::string &command)
{
	for (Namespace *space : {&run.client(), &run.server()})
		space->run(command);
}

void offloads(Run &run, const std::string &settings)
{
	at_both_ends(run, "ethtool -K wire " + settings + " >/dev/null");
}

void set_mtu(Run &run, int mtu)
{
	at_both_ends(run, "ip link set wire mtu " + std::to_string(mtu));
}

} // namespace

/* The long one: only on a kernel that is fast enough for it. */
static void bulk(Run &run)
{
	exchange(encrypted_pair(run), amount(64 * mib));
}
static const Registration registration_bulk("bulk", bulk, encrypted(), 200);

static void bulk_by_aead(Run &run, const char *aead)
{
	run.client().set("aeads", aead);
	exchange(encrypted_pair(run), amount(2 * mib));
}

E2E_CASE(aes_128_gcm, encrypted(), 60, true) { bulk_by_aead(run, "aes-128-gcm"); }
E2E_CASE(aes_256_gcm, encrypted(), 60) { bulk_by_aead(run, "aes-256-gcm"); }
E2E_CASE(chacha20_poly1305, encrypted(), 60) { bulk_by_aead(run, "chacha20-poly1305"); }

E2E_CASE(small_writes, encrypted(), 60)
{
	exchange(encrypted_pair(run), amount(100 * kib), 40);
}

E2E_CASE(large_writes, encrypted(), 60)
{
	exchange(encrypted_pair(run), amount(4 * mib), mib);
}

E2E_CASE(several_at_once, encrypted(8), 60)
{
	std::vector<Pair> pairs;
	for (int i = 0; i < 8; i++)
		pairs.push_back(encrypted_pair(run));
	std::vector<Thread> threads;
	for (const Pair &pair : pairs)
		threads.emplace_back([&pair] { exchange(pair, amount(400 * kib)); });
}

/* Bad links */

static void over(Run &run, const std::string &netem, std::size_t size = 500 * kib)
{
	at_both_ends(run, "tc qdisc replace dev wire root netem " + netem);
	Pair pair = connect_pair(run);
	exchange(pair, amount(size));
	check_session(pair.client, pair.server);
	pair = {};
	at_both_ends(run, "tc qdisc delete dev wire root");
}

E2E_CASE(delay, encrypted(), 60) { over(run, "delay 10ms 3ms"); }
E2E_CASE(loss, encrypted(), 90, true) { over(run, "loss 2%"); }
E2E_CASE(reordering, encrypted(), 90) { over(run, "delay 5ms reorder 25% 50%"); }
E2E_CASE(duplication, encrypted(), 60) { over(run, "duplicate 10%"); }
E2E_CASE(all_that_is_bad, encrypted(), 90) { over(run, "delay 3ms 2ms loss 1% duplicate 3% reorder 20%"); }
E2E_CASE(narrow, encrypted(), 60) { over(run, "rate 20mbit limit 30", 300 * kib); }

/* Handshakes of which segments are lost: still encrypted, or plain when the SYN was; never broken. */
E2E_CASE(handshakes_over_a_bad_link, unaudited(), 120)
{
	/* Four losses of the same segment in a row are seen now and then, and then 10 s are over. */
	run.client().set("handshake_timeout_ms", "60000");
	run.server().set("handshake_timeout_ms", "60000");
	at_both_ends(run, "tc qdisc replace dev wire root netem loss 15% duplicate 10% delay 1ms reorder 20%");
	Listener listener = listen_here(run);
	int connections = options.quick ? 4 : 16;
	std::vector<Thread> threads;
	for (int i = 0; i < connections; i++)
		threads.emplace_back([&, i] {
			Fd client = connect_here(run, listener);
			write_all(client, text(3000, 0, i));
			sys(shutdown(client, SHUT_WR), "shutdown");
			check_text(read_to_end(client), 3000, 0, i);
		});
	for (int i = 0; i < connections; i++) {
		Fd server = accept_from(listener.fd);
		threads.emplace_back([server = std::move(server)] { write_all(server, read_to_end(server)); });
	}
	threads.clear();
	at_both_ends(run, "tc qdisc delete dev wire root");
}

/* Sizes of segments */

static void with_mtu(Run &run, int mtu)
{
	set_mtu(run, mtu);
	Pair pair = connect_pair(run);
	exchange(pair, amount(500 * kib));
	check_session(pair.client, pair.server);
	set_mtu(run, 1500);
	/* IPv6 goes away below 1280. */
	for (Namespace *space : {&run.client(), &run.server()})
		space->run("ip -6 address replace " + space->ipv6() + "/64 dev wire nodad");
}

E2E_CASE(mtu_576, encrypted(), 60)
{
	options.family = 4;
	with_mtu(run, 576);
}
E2E_CASE(mtu_1280, encrypted(), 60) { with_mtu(run, 1280); }
E2E_CASE(mtu_9000, encrypted(), 60) { with_mtu(run, 9000); }
E2E_CASE(mtu_65535, encrypted(), 60) { with_mtu(run, 65535); }

/* While data flows. */
E2E_CASE(mtu_changes, encrypted(), 60)
{
	Pair pair = encrypted_pair(run);
	std::jthread changer([&](std::stop_token stop) {
		for (int i = 0; !stop.stop_requested(); i++)
			set_mtu(run, i % 2 ? 1500 : 1300);
	});
	exchange(pair, amount(mib));
	changer.request_stop();
	changer.join();
	set_mtu(run, 1500);
}

E2E_CASE(no_offloads, encrypted(), 60, true)
{
	offloads(run, "tso off gso off gro off tx off sg off");
	Sniffer sniffer(run.client(), run.client().device());
	exchange(encrypted_pair(run), amount(500 * kib));
	/* With the option of ENO, too, no segment is larger than the link allows. */
	check_equal(sniffer.count([](const Segment &segment) { return segment.packet > 1500; }), 0u, "segments that are too large");
	offloads(run, "tx on sg on tso on gso on gro on");
}
E2E_CASE(no_gro, encrypted(), 60)
{
	offloads(run, "gro off");
	exchange(encrypted_pair(run), amount(500 * kib));
	offloads(run, "gro on");
}
E2E_CASE(no_gso, encrypted(), 60)
{
	offloads(run, "tso off gso off");
	exchange(encrypted_pair(run), amount(500 * kib));
	offloads(run, "tso on gso on");
}

/* Keys that are changed on the way */

namespace {

struct Rekeys {
	long sent, received;
};

Rekeys rekeys(const Namespace &space)
{
	auto all = space.counters();
	return {all["rekeys-sent"], all["rekeys-received"]};
}

/** What each end sent the other received; at least so many in each direction. */
void check_rekeys(Run &run, Rekeys client, Rekeys server, long least_up, long least_down)
{
	Rekeys at_client, at_server;
	wait_until([&] {
		at_client = rekeys(run.client());
		at_server = rekeys(run.server());
		return at_server.received - server.received == at_client.sent - client.sent &&
		       at_client.received - client.received == at_server.sent - server.sent;
	});
	long up = at_client.sent - client.sent, down = at_server.sent - server.sent;
	check_equal(at_server.received - server.received, up, "rekeys that the server received");
	check_equal(at_client.received - client.received, down, "rekeys that the client received");
	check(up >= least_up && down >= least_down, "only " + std::to_string(up) + " and " + std::to_string(down) + " rekeys");
}

void stream_with_rekeys(Run &run, long least, std::size_t size, long least_down = -1)
{
	Rekeys client = rekeys(run.client()), server = rekeys(run.server());
	Pair pair = encrypted_pair(run);
	exchange(pair, amount(size));
	check_rekeys(run, client, server, least, least_down < 0 ? least : least_down);
	pair = {};
}

} // namespace

E2E_CASE(rekey_by_frames, encrypted(), 60, true)
{
	run.client().set("rekey_frames", "20");
	run.server().set("rekey_frames", "30");
	for (Namespace *end : {&run.client(), &run.server()})
		end->set("frame_max", "1024");	/* enough frames also where amounts are small */
	stream_with_rekeys(run, 2, 2 * mib);
}

E2E_CASE(rekey_by_bytes, encrypted(), 60)
{
	run.client().set("rekey_bytes", "100000");
	run.server().set("rekey_bytes", "200000");
	stream_with_rekeys(run, 4, 2 * mib);
}

/* The limit of one end raises the generation of both, unless the other has sent its FINp before (F-09). */
E2E_CASE(rekey_by_one_end, encrypted(), 60)
{
	run.client().set("rekey_bytes", "100000");
	stream_with_rekeys(run, 4, 2 * mib, 0);
}

/* For each frame a key of its own. */
E2E_CASE(rekey_always, encrypted(), 60)
{
	run.client().set("rekey_frames", "1");
	run.server().set("rekey_frames", "1");
	stream_with_rekeys(run, 4, 300 * kib);
}

E2E_CASE(rekey_over_a_bad_link, encrypted(), 90)
{
	run.client().set("rekey_frames", "10");
	run.server().set("rekey_frames", "10");
	at_both_ends(run, "tc qdisc replace dev wire root netem delay 3ms 2ms loss 1% reorder 10%");
	stream_with_rekeys(run, 2, 500 * kib);
	at_both_ends(run, "tc qdisc delete dev wire root");
}

/* Only one end talks: the other answers with empty frames, which its reader never sees. */
E2E_CASE(rekey_one_way, encrypted(), 60)
{
	run.client().set("rekey_bytes", "50000");
	Rekeys client = rekeys(run.client()), server = rekeys(run.server());
	Pair pair = encrypted_pair(run);
	Thread sender([&] { send_stream(pair.client, mib, 1, 30000); });
	receive_stream(pair.server, mib, 1, 30000);
	check_equal(readable_bytes(pair.client), 0, "bytes for the talker");
	wait_for("answers to all rekeys", [&] {
		Rekeys now = rekeys(run.server());
		return now.received - server.received == now.sent - server.sent;
	});
	check_rekeys(run, client, server, 4, 4);
	auto at_client = run.client().connections(), at_server = run.server().connections();
	check_equal(at_client.size(), 1u, "connections of the client");
	check_equal(at_server.size(), 1u, "connections of the server");
	check(at_client[0].session && at_server[0].session, "no session is listed");
	check_equal(at_client[0].session->tx_generation, at_server[0].session->rx_generation, "generation from client to server");
	check_equal(at_client[0].session->rx_generation, at_server[0].session->tx_generation, "generation from server to client");
}

int main(int argc, char **argv)
{
	return run_suite(argc, argv, Shape::pair);
}
