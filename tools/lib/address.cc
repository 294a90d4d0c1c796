// SPDX-License-Identifier: GPL-2.0
// IP addresses and prefixes, as text and as bytes.
#include "address.hh"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

#include "error.hh"

namespace tcpcrypt {

namespace {

/** All of @p text as a decimal number up to @p max. */
bool parse_number(std::string_view text, unsigned int max, unsigned int &value)
{
	auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	return error == std::errc() && end == text.data() + text.size() && value <= max;
}

} // namespace

std::size_t Address::size(int family)
{
	switch (family) {
	case AF_INET:
		return sizeof(in_addr);
	case AF_INET6:
		return sizeof(in6_addr);
	default:
		return 0;
	}
}

Address Address::from_bytes(int family, std::span<const std::uint8_t> raw)
{
	Address address;
	address.family = family;
	std::copy_n(raw.begin(), std::min(raw.size(), address.bytes.size()), address.bytes.begin());
	return address;
}

std::string Address::text() const
{
	char buffer[INET6_ADDRSTRLEN];
	if (size(family) == 0 || !inet_ntop(family, bytes.data(), buffer, sizeof(buffer)))
		return "-";
	return buffer;
}

Prefix Prefix::parse(std::string_view text)
{
	std::string_view host = text.substr(0, text.find('/'));
	if (host.size() > 2 && host.front() == '[' && host.back() == ']')
		host = host.substr(1, host.size() - 2);

	Prefix prefix;
	Address &address = prefix.address;
	address.family = host.find(':') != host.npos ? AF_INET6 : AF_INET;
	if (inet_pton(address.family, std::string(host).c_str(), address.bytes.data()) != 1)
		throw UsageError("'" + std::string(text) + "' is not an address or a prefix such as 192.0.2.0/24 or 2001:db8::/32");

	auto max = static_cast<unsigned int>(Address::size(address.family) * 8);
	prefix.bits = max;
	if (auto slash = text.find('/'); slash != text.npos && !parse_number(text.substr(slash + 1), max, prefix.bits))
		throw UsageError("the prefix length of '" + std::string(text) + "' is not a number up to " + std::to_string(max));
	return prefix;
}

std::string endpoint_text(const Address &address, std::uint16_t port)
{
	std::string host = address.text();
	if (address.family == AF_INET6)
		host = "[" + host + "]";
	return host + ":" + std::to_string(port);
}

std::uint16_t parse_port(std::string_view text)
{
	unsigned int port;
	if (!parse_number(text, UINT16_MAX, port))
		throw UsageError("'" + std::string(text) + "' is not a port number");
	return static_cast<std::uint16_t>(port);
}

} // namespace tcpcrypt
