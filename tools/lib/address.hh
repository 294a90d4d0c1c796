/* SPDX-License-Identifier: GPL-2.0 */
/* IP addresses and prefixes, as text and as bytes. */
#ifndef TCPCRYPT_TOOLS_ADDRESS_HH
#define TCPCRYPT_TOOLS_ADDRESS_HH

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tcpcrypt {

struct Address {
	int family = AF_UNSPEC;
	/** Network order; the first size() bytes count. */
	std::array<std::uint8_t, 16> bytes{};

	/** Bytes of a family's address, 0 for one that is not IP. */
	static std::size_t size(int family);
	/** @p raw must have the family's size. */
	static Address from_bytes(int family, std::span<const std::uint8_t> raw);

	std::span<const std::uint8_t> raw() const { return {bytes.data(), size(family)}; }
	/** As inet_ntop() has it; "-" without a family. */
	std::string text() const;
	bool operator==(const Address &other) const = default;
};

struct Prefix {
	Address address;
	unsigned int bits = 0;

	/**
	 * "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "[2001:db8::1]".
	 * Throws UsageError on anything else.
	 */
	static Prefix parse(std::string_view text);
};

/** "10.0.0.5:443" or "[2001:db8::1]:443" */
std::string endpoint_text(const Address &address, std::uint16_t port);

/** A decimal port; throws UsageError. */
std::uint16_t parse_port(std::string_view text);

} // namespace tcpcrypt

#endif
