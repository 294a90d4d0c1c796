// SPDX-License-Identifier: GPL-2.0
// What somebody on the path sees: a packet capture of one device.
#include "sniffer.hh"

#include <arpa/inet.h>
#include <net/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "harness.hh"
#include "sockets.hh"

namespace e2e {

namespace {

constexpr int receive_buffer = 32 << 20;
constexpr std::uint8_t eno_kind = 69;

void find_eno(const std::uint8_t *at, std::size_t left, Segment &segment)
{
	while (left > 0 && *at != TCPOPT_EOL) {
		std::size_t length = *at == TCPOPT_NOP ? 1 : left > 1 ? at[1] : 0;
		if (length == 0 || length > left || (*at != TCPOPT_NOP && length < 2))
			return;
		if (*at == eno_kind) {
			segment.eno = true;
			segment.eno_data.assign(at + 2, at + length);
		}
		at += length;
		left -= length;
	}
}

/** False for what is not a TCP segment. @p full is the packet's length, of which @p kept bytes are there. */
bool parse(const std::uint8_t *packet, std::size_t kept, std::size_t full, Segment &segment)
{
	std::size_t header;
	if (kept < 1)
		return false;
	if (packet[0] >> 4 == 4 && kept >= sizeof(iphdr)) {
		const auto *ip = reinterpret_cast<const iphdr *>(packet);
		header = ip->ihl * 4;
		if (ip->protocol != IPPROTO_TCP)
			return false;
		full = std::min<std::size_t>(full, ntohs(ip->tot_len));
	} else if (packet[0] >> 4 == 6 && kept >= sizeof(ip6_hdr)) {
		const auto *ip = reinterpret_cast<const ip6_hdr *>(packet);
		header = sizeof(*ip);
		if (ip->ip6_nxt != IPPROTO_TCP)
			return false;
		/* 0: a jumbo payload, as GSO makes it */
		if (ip->ip6_plen != 0)
			full = std::min<std::size_t>(full, header + ntohs(ip->ip6_plen));
	} else {
		return false;
	}
	if (kept < header + sizeof(tcphdr))
		return false;
	const auto *tcp = reinterpret_cast<const tcphdr *>(packet + header);
	std::size_t data = header + tcp->doff * 4;
	if (kept < data)
		return false;
	segment.source = ntohs(tcp->source);
	segment.destination = ntohs(tcp->dest);
	segment.seq = ntohl(tcp->seq);
	segment.ack = ntohl(tcp->ack_seq);
	segment.syn = tcp->syn;
	segment.fin = tcp->fin;
	segment.rst = tcp->rst;
	segment.push = tcp->psh;
	segment.acks = tcp->ack;
	segment.urgent = tcp->urg;
	segment.packet = full;
	segment.length = full - data;
	segment.payload.assign(reinterpret_cast<const char *>(packet) + data, std::min(kept, full) - data);
	find_eno(packet + header + sizeof(*tcp), tcp->doff * 4 - sizeof(*tcp), segment);
	return true;
}

} // namespace

Sniffer::Sniffer(const Namespace &space, const std::string &device, Store store)
	: store_(store), stop_(sys(eventfd(0, EFD_CLOEXEC), "eventfd"))
{
	Inside inside(space);
	socket_ = sys(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)), "packet socket");
	int size = receive_buffer;
	sys(setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), "SO_RCVBUFFORCE");
	sockaddr_ll address{};
	address.sll_family = AF_PACKET;
	address.sll_protocol = htons(ETH_P_ALL);
	address.sll_ifindex = static_cast<int>(if_nametoindex(device.c_str()));
	check(address.sll_ifindex != 0, "there is no device " + device);
	sys(bind(socket_, reinterpret_cast<sockaddr *>(&address), sizeof(address)), "bind packet socket");
	worker_ = std::thread([this] { work(); });
}

Sniffer::~Sniffer()
{
	eventfd_write(stop_, 1);
	worker_.join();
	close(stop_);
	close(socket_);
}

/* Packets that passed are in the socket's queue at once; a thread only keeps it from overflowing. */
void Sniffer::work()
{
	pollfd wanted[] = {{socket_, POLLIN, 0}, {stop_, POLLIN, 0}};
	while (!wanted[1].revents) {
		poll(wanted, 2, -1);
		drain();
	}
}

void Sniffer::drain()
{
	std::lock_guard guard(lock_);
	while (take())
		;
}

bool Sniffer::take()
{
	static thread_local std::vector<std::uint8_t> buffer(1 << 18);
	sockaddr_ll from{};
	socklen_t size = sizeof(from);
	ssize_t full = recvfrom(socket_, buffer.data(), buffer.size(), MSG_TRUNC, reinterpret_cast<sockaddr *>(&from), &size);
	if (full < 0)
		return false;
	std::size_t kept = std::min<std::size_t>(static_cast<std::size_t>(full), buffer.size());
	Segment segment;
	if (!parse(buffer.data(), kept, static_cast<std::size_t>(full), segment))
		return true;
	if (segment.payload.find(text_mark) != std::string::npos)
		with_text_++;
	if (store_ == Store::segments)
		segments_.push_back(std::move(segment));
	return true;
}

std::vector<Segment> Sniffer::segments()
{
	drain();
	std::lock_guard guard(lock_);
	return segments_;
}

bool Sniffer::saw_text()
{
	drain();
	std::lock_guard guard(lock_);
	return with_text_ > 0;
}

std::size_t Sniffer::count(const std::function<bool(const Segment &)> &wanted)
{
	drain();
	std::lock_guard guard(lock_);
	return static_cast<std::size_t>(std::ranges::count_if(segments_, wanted));
}

} // namespace e2e
