// SPDX-License-Identifier: GPL-2.0
// TCP segments in IPv4 and IPv6 packets, and the TCP options in them.
#include "packet.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace conformance {

static constexpr std::uint8_t protocol_tcp = 6;
static constexpr std::uint8_t protocol_icmp = 1;
static constexpr std::uint8_t protocol_icmp6 = 58;
static constexpr std::size_t tcp_header = 20;

Address parse_address(const std::string &name)
{
	Address address;
	address.bytes.resize(16);
	if (inet_pton(AF_INET6, name.c_str(), address.bytes.data()) == 1)
		return address;
	address.bytes.resize(4);
	if (inet_pton(AF_INET, name.c_str(), address.bytes.data()) == 1)
		return address;
	throw std::invalid_argument("not an address: " + name);
}

std::uint32_t Segment::length() const
{
	std::uint32_t length = static_cast<std::uint32_t>(payload.size());
	return length + (has(SYN) ? 1 : 0) + (has(FIN) ? 1 : 0);
}

static std::uint32_t sum16(View bytes, std::uint32_t sum)
{
	for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
		sum += get16(bytes, i);
	if (bytes.size() % 2)
		sum += static_cast<std::uint32_t>(bytes.back()) << 8;
	return sum;
}

static std::uint16_t fold(std::uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return static_cast<std::uint16_t>(~sum);
}

static std::uint16_t transport_checksum(const Address &source, const Address &target, std::uint8_t protocol,
					View body)
{
	std::uint32_t sum = sum16(source.bytes, 0);
	sum = sum16(target.bytes, sum);
	sum += protocol;
	sum += static_cast<std::uint32_t>(body.size() >> 16);
	sum += static_cast<std::uint32_t>(body.size() & 0xffff);
	return fold(sum16(body, sum));
}

static void store16(Bytes &in, std::size_t offset, std::uint16_t value)
{
	in[offset] = static_cast<std::uint8_t>(value >> 8);
	in[offset + 1] = static_cast<std::uint8_t>(value);
}

static Bytes ip_packet(const Address &source, const Address &target, std::uint8_t protocol, View body)
{
	Bytes packet;
	if (source.family() == Family::v4) {
		put16(packet, 0x4500);
		put16(packet, static_cast<std::uint16_t>(20 + body.size()));
		put32(packet, 0x00004000); // no identification, don't fragment
		packet.push_back(64);
		packet.push_back(protocol);
		put16(packet, 0);
		append(packet, source.bytes);
		append(packet, target.bytes);
		store16(packet, 10, fold(sum16(packet, 0)));
	} else {
		put32(packet, 0x60000000);
		put16(packet, static_cast<std::uint16_t>(body.size()));
		packet.push_back(protocol);
		packet.push_back(64);
		append(packet, source.bytes);
		append(packet, target.bytes);
	}
	append(packet, body);
	return packet;
}

Bytes encode(const Segment &segment)
{
	Bytes options = segment.options;
	options.resize((options.size() + 3) / 4 * 4, OPT_END);
	if (options.size() > 40)
		throw std::length_error("more than 40 bytes of TCP options");

	Bytes tcp;
	put16(tcp, segment.source_port);
	put16(tcp, segment.target_port);
	put32(tcp, segment.seq);
	put32(tcp, segment.ack);
	tcp.push_back(static_cast<std::uint8_t>((tcp_header + options.size()) / 4 << 4));
	tcp.push_back(segment.flags);
	put16(tcp, segment.window);
	put16(tcp, 0);
	put16(tcp, segment.urgent);
	append(tcp, options);
	append(tcp, segment.payload);
	std::uint16_t sum = transport_checksum(segment.source, segment.target, protocol_tcp, tcp);
	store16(tcp, 16, segment.bad_checksum ? static_cast<std::uint16_t>(sum ^ 0x5555) : sum);
	return ip_packet(segment.source, segment.target, protocol_tcp, tcp);
}

static bool decode_ip(View packet, Segment &segment, View &body)
{
	if (packet.size() < 20)
		return false;
	if (packet[0] >> 4 == 4) {
		std::size_t header = static_cast<std::size_t>(packet[0] & 15) * 4;
		std::size_t total = get16(packet, 2);
		bool fragment = (get16(packet, 6) & 0x3fff) != 0;
		if (header < 20 || total < header || total > packet.size() || fragment || packet[9] != protocol_tcp)
			return false;
		if (fold(sum16(packet.first(header), 0)) != 0)
			segment.bad_checksum = true;
		segment.source.bytes = slice(packet, 12, 4);
		segment.target.bytes = slice(packet, 16, 4);
		body = packet.subspan(header, total - header);
		return true;
	}
	if (packet[0] >> 4 != 6 || packet.size() < 40 || packet[6] != protocol_tcp)
		return false;
	std::size_t length = get16(packet, 4);
	if (length > packet.size() - 40)
		return false;
	segment.source.bytes = slice(packet, 8, 16);
	segment.target.bytes = slice(packet, 24, 16);
	body = packet.subspan(40, length);
	return true;
}

std::optional<Segment> decode(View packet)
{
	Segment segment;
	View tcp;
	if (!decode_ip(packet, segment, tcp) || tcp.size() < tcp_header)
		return std::nullopt;
	std::size_t header = static_cast<std::size_t>(tcp[12] >> 4) * 4;
	if (header < tcp_header || header > tcp.size())
		return std::nullopt;
	if (transport_checksum(segment.source, segment.target, protocol_tcp, tcp) != 0)
		segment.bad_checksum = true;
	segment.source_port = get16(tcp, 0);
	segment.target_port = get16(tcp, 2);
	segment.seq = get32(tcp, 4);
	segment.ack = get32(tcp, 8);
	segment.flags = tcp[13];
	segment.window = get16(tcp, 14);
	segment.urgent = get16(tcp, 18);
	segment.options = slice(tcp, tcp_header, header - tcp_header);
	segment.payload = slice(tcp, header, tcp.size() - header);
	return segment;
}

std::string describe(const Segment &segment)
{
	static constexpr struct {
		std::uint8_t flag;
		char letter;
	} letters[] = {{SYN, 'S'}, {FIN, 'F'}, {RST, 'R'}, {PSH, 'P'}, {URG, 'U'}, {ACK, '.'}};
	std::string flags;
	for (auto [flag, letter] : letters)
		if (segment.has(flag))
			flags.push_back(letter);
	char line[160];
	std::snprintf(line, sizeof(line), "%u > %u [%s] seq %u ack %u win %u len %zu%s", segment.source_port,
		      segment.target_port, flags.c_str(), segment.seq, segment.ack, segment.window,
		      segment.payload.size(), segment.bad_checksum ? " BAD CHECKSUM" : "");
	std::string out = line;
	if (!segment.options.empty())
		out += " opt " + to_hex(segment.options);
	return out;
}

Bytes icmp_error(const Address &from, View packet, std::uint8_t type, std::uint8_t code, std::uint32_t info)
{
	bool v4 = from.family() == Family::v4;
	Address source{slice(packet, v4 ? 12 : 8, v4 ? 4 : 16)};
	Bytes body{type, code, 0, 0};
	put32(body, info);
	append(body, packet.first(std::min<std::size_t>(packet.size(), v4 ? 128 : 1200)));
	std::uint16_t sum = v4 ? fold(sum16(body, 0)) : transport_checksum(from, source, protocol_icmp6, body);
	store16(body, 2, sum);
	return ip_packet(from, source, v4 ? protocol_icmp : protocol_icmp6, body);
}

Bytes option(std::uint8_t kind, View data)
{
	Bytes out{kind, static_cast<std::uint8_t>(data.size() + 2)};
	append(out, data);
	return out;
}

Bytes mss_option(std::uint16_t mss)
{
	Bytes data;
	put16(data, mss);
	return option(OPT_MSS, data);
}

std::vector<Bytes> list_options(View area)
{
	std::vector<Bytes> options;
	for (std::size_t at = 0; at < area.size() && area[at] != OPT_END;) {
		std::size_t length = 1;
		if (area[at] != OPT_NOP) {
			if (at + 1 >= area.size() || area[at + 1] < 2 || at + area[at + 1] > area.size())
				break;
			length = area[at + 1];
		}
		options.push_back(slice(area, at, length));
		at += length;
	}
	return options;
}

Bytes find_option(View area, std::uint8_t kind)
{
	for (const Bytes &candidate : list_options(area))
		if (candidate[0] == kind)
			return candidate;
	return {};
}

std::size_t count_options(View area, std::uint8_t kind)
{
	auto options = list_options(area);
	return static_cast<std::size_t>(std::count_if(options.begin(), options.end(),
						      [kind](const Bytes &o) { return o[0] == kind; }));
}

} // namespace conformance
