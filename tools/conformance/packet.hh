/* SPDX-License-Identifier: GPL-2.0 */
/* TCP segments in IPv4 and IPv6 packets, and the TCP options in them. */
#ifndef CONFORMANCE_PACKET_HH
#define CONFORMANCE_PACKET_HH

#include "bytes.hh"

namespace conformance {

enum class Family { v4, v6 };

/** An IPv4 (4 bytes) or IPv6 (16 bytes) address in network order. */
struct Address {
	Bytes bytes;
	Family family() const { return bytes.size() == 4 ? Family::v4 : Family::v6; }
	bool operator==(const Address &) const = default;
};

/** Throws std::invalid_argument when the text is not an address. */
Address parse_address(const std::string &name);

enum Flag : std::uint8_t {
	FIN = 1,
	SYN = 2,
	RST = 4,
	PSH = 8,
	ACK = 16,
	URG = 32,
};

struct Segment {
	Address source;
	Address target;
	std::uint16_t source_port = 0;
	std::uint16_t target_port = 0;
	std::uint32_t seq = 0;
	std::uint32_t ack = 0;
	std::uint8_t flags = 0;
	std::uint16_t window = 0;
	std::uint16_t urgent = 0;
	/** The option area, padding included when decoded. */
	Bytes options;
	Bytes payload;
	/** Sent with a wrong TCP checksum; received: the checksum was wrong. */
	bool bad_checksum = false;

	bool has(std::uint8_t all) const { return (flags & all) == all; }
	/** Length in sequence space. */
	std::uint32_t length() const;
};

/** The whole IP packet; the option area is filled up with end-of-list bytes. */
Bytes encode(const Segment &segment);
/** Without a value for anything but an unfragmented TCP segment. */
std::optional<Segment> decode(View packet);
/** One line for a trace. */
std::string describe(const Segment &segment);

/** An ICMP or ICMPv6 error of @type and @code with @info in its second word, about @packet that @from dropped. */
Bytes icmp_error(const Address &from, View packet, std::uint8_t type, std::uint8_t code, std::uint32_t info);

enum OptionKind : std::uint8_t {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_SACK_PERMITTED = 4,
	OPT_SACK = 5,
	OPT_TIMESTAMPS = 8,
	OPT_FAST_OPEN = 34,
	OPT_ENO = 69,
	OPT_EXPERIMENT = 253,
	OPT_FAST_OPEN_EXPERIMENT = 254,
};

/** Kind, length, data. */
Bytes option(std::uint8_t kind, View data);
Bytes mss_option(std::uint16_t mss);
/** Every well-formed option, whole, up to the end of the list or the first broken one. */
std::vector<Bytes> list_options(View area);
/** The first option of that kind, whole; empty when there is none. */
Bytes find_option(View area, std::uint8_t kind);
std::size_t count_options(View area, std::uint8_t kind);

} // namespace conformance

#endif
