// SPDX-License-Identifier: GPL-2.0
// The module's generic netlink family, as functions over the model.
#include "client.hh"

#include "attributes.hh"
#include "error.hh"

namespace tcpcrypt {

namespace {

std::uint32_t number32(const Attributes &attributes, int type)
{
	return static_cast<std::uint32_t>(attributes.number(type).value_or(0));
}

std::uint16_t number16(const Attributes &attributes, int type)
{
	return static_cast<std::uint16_t>(attributes.number(type).value_or(0));
}

std::optional<std::uint32_t> optional32(const Attributes &attributes, int type)
{
	if (!attributes.has(type))
		return std::nullopt;
	return number32(attributes, type);
}

std::vector<Algorithm> algorithms(const Attributes &attributes, int type)
{
	std::vector<Algorithm> found;
	for (const Attributes &nest : attributes.nests(type))
		found.push_back({number32(nest, TCPCRYPT_A_ALG_ID), nest.text(TCPCRYPT_A_ALG_NAME).value_or("")});
	return found;
}

Address address(const Attributes &attributes, int type, int family)
{
	auto raw = attributes.bytes(type);
	if (!raw || raw->size() != Address::size(family))
		return {};
	return Address::from_bytes(family, *raw);
}

std::optional<Session> session(const Attributes &attributes)
{
	if (!attributes.has(TCPCRYPT_A_CONN_TX_GENERATION))
		return std::nullopt;
	Session session{
		.tx_generation = number32(attributes, TCPCRYPT_A_CONN_TX_GENERATION),
		.rx_generation = number32(attributes, TCPCRYPT_A_CONN_RX_GENERATION),
		.tx_frames = attributes.number(TCPCRYPT_A_CONN_TX_FRAMES).value_or(0),
		.tx_bytes = attributes.number(TCPCRYPT_A_CONN_TX_BYTES).value_or(0),
		.rx_frames = attributes.number(TCPCRYPT_A_CONN_RX_FRAMES).value_or(0),
		.rx_bytes = attributes.number(TCPCRYPT_A_CONN_RX_BYTES).value_or(0),
		.handshake_us = number32(attributes, TCPCRYPT_A_CONN_HANDSHAKE_US),
		.id = {},
	};
	if (auto id = attributes.bytes(TCPCRYPT_A_CONN_SESSID))
		session.id.assign(id->begin(), id->end());
	return session;
}

void encode_prefix(nlmsghdr *request, const std::optional<Prefix> &prefix, std::uint16_t attribute,
		   std::uint16_t bits_attribute)
{
	if (!prefix)
		return;
	auto raw = prefix->address.raw();
	mnl_attr_put(request, attribute, raw.size(), raw.data());
	mnl_attr_put_u8(request, bits_attribute, static_cast<std::uint8_t>(prefix->bits));
}

} // namespace

Client::Client() : genl_(TCPCRYPT_GENL_NAME, TCPCRYPT_GENL_VERSION) {}

Info Client::info()
{
	Info info;
	genl_.request(TCPCRYPT_CMD_GET, {}, [&](const nlmsghdr *message) { info = decode_info(message); });
	return info;
}

std::vector<Connection> Client::connections(const Filter &filter)
{
	std::vector<Connection> found;
	genl_.dump(
		TCPCRYPT_CMD_CONN_GET, [&](nlmsghdr *request) { encode_filter(request, filter); },
		[&](const nlmsghdr *message) { found.push_back(decode_connection(message)); });
	return found;
}

Connection Client::connection(std::uint64_t cookie)
{
	Connection found;
	genl_.request(
		TCPCRYPT_CMD_CONN_GET,
		[&](nlmsghdr *request) { mnl_attr_put_u64(request, TCPCRYPT_A_CONN_COOKIE, cookie); },
		[&](const nlmsghdr *message) { found = decode_connection(message); });
	return found;
}

Counters Client::counters()
{
	Counters counters;
	genl_.dump(TCPCRYPT_CMD_STATS_GET, {},
		   [&](const nlmsghdr *message) { decode_counter(message, counters); });
	return counters;
}

void Client::flush_cache()
{
	genl_.request(TCPCRYPT_CMD_CACHE_FLUSH, {}, {});
}

Info decode_info(const nlmsghdr *message)
{
	Attributes attributes = Attributes::of_genl(message);
	return {
		.version = attributes.text(TCPCRYPT_A_INFO_VERSION).value_or(""),
		.features = attributes.number(TCPCRYPT_A_INFO_FEATURES).value_or(0),
		.draining = attributes.has(TCPCRYPT_A_INFO_DRAINING),
		.teps = algorithms(attributes, TCPCRYPT_A_INFO_TEP),
		.aeads = algorithms(attributes, TCPCRYPT_A_INFO_AEAD),
		.frame_data_limit = number32(attributes, TCPCRYPT_A_INFO_FRAME_DATA_LIMIT),
		.halfopen_limit = number32(attributes, TCPCRYPT_A_INFO_HALFOPEN_LIMIT),
		.halfopen = attributes.number(TCPCRYPT_A_INFO_HALFOPEN).value_or(0),
		.current = attributes.number(TCPCRYPT_A_INFO_CURRENT).value_or(0),
		.encrypted = attributes.number(TCPCRYPT_A_INFO_ENCRYPTED).value_or(0),
		.plain = attributes.number(TCPCRYPT_A_INFO_PLAIN).value_or(0),
		.aborted = attributes.number(TCPCRYPT_A_INFO_ABORTED).value_or(0),
		.current_resumed = attributes.number(TCPCRYPT_A_INFO_CURRENT_RESUMED).value_or(0),
		.resumed = attributes.number(TCPCRYPT_A_INFO_RESUMED).value_or(0),
		.cached = attributes.number(TCPCRYPT_A_INFO_CACHED).value_or(0),
	};
}

Connection decode_connection(const nlmsghdr *message)
{
	Attributes attributes = Attributes::of_genl(message);
	int family = number16(attributes, TCPCRYPT_A_CONN_FAMILY);
	return {
		.cookie = attributes.number(TCPCRYPT_A_CONN_COOKIE).value_or(0),
		.local = address(attributes, TCPCRYPT_A_CONN_LADDR, family),
		.remote = address(attributes, TCPCRYPT_A_CONN_RADDR, family),
		.local_port = number16(attributes, TCPCRYPT_A_CONN_LPORT),
		.remote_port = number16(attributes, TCPCRYPT_A_CONN_RPORT),
		.state = number32(attributes, TCPCRYPT_A_CONN_STATE),
		.uid = number32(attributes, TCPCRYPT_A_CONN_UID),
		.active = attributes.has(TCPCRYPT_A_CONN_ACTIVE),
		.closing = attributes.has(TCPCRYPT_A_CONN_CLOSING),
		.resumed = attributes.has(TCPCRYPT_A_CONN_RESUMED),
		.role = optional32(attributes, TCPCRYPT_A_CONN_ROLE),
		.tep = optional32(attributes, TCPCRYPT_A_CONN_TEP),
		.aead = optional32(attributes, TCPCRYPT_A_CONN_AEAD),
		.session = session(attributes),
	};
}

void decode_counter(const nlmsghdr *message, Counters &counters)
{
	Attributes attributes = Attributes::of_genl(message);
	Counter counter{
		.id = number32(attributes, TCPCRYPT_A_COUNTER_ID),
		.name = attributes.text(TCPCRYPT_A_COUNTER_NAME).value_or(""),
		.value = attributes.number(TCPCRYPT_A_COUNTER_VALUE).value_or(0),
	};
	switch (number32(attributes, TCPCRYPT_A_COUNTER_KIND)) {
	case TCPCRYPT_COUNTER_STAT:
		counters.stats.push_back(counter);
		break;
	case TCPCRYPT_COUNTER_REASON:
		(counter.id <= TCPCRYPT_FALLBACK_LAST ? counters.fallbacks : counters.aborts).push_back(counter);
		break;
	}
}

void encode_filter(nlmsghdr *request, const Filter &filter)
{
	int family = filter.family;
	for (const auto &prefix : {filter.local, filter.remote}) {
		if (!prefix)
			continue;
		if (family != AF_UNSPEC && family != prefix->address.family)
			throw UsageError("no connection is IPv4 and IPv6 at once: " + prefix->address.text() +
					 " is not of the family asked for");
		family = prefix->address.family;
	}
	if (family != AF_UNSPEC)
		mnl_attr_put_u16(request, TCPCRYPT_A_CONN_FAMILY, static_cast<std::uint16_t>(family));
	encode_prefix(request, filter.local, TCPCRYPT_A_CONN_LADDR, TCPCRYPT_A_CONN_LADDR_PREFIX);
	encode_prefix(request, filter.remote, TCPCRYPT_A_CONN_RADDR, TCPCRYPT_A_CONN_RADDR_PREFIX);
	if (filter.local_port)
		mnl_attr_put_u16(request, TCPCRYPT_A_CONN_LPORT, *filter.local_port);
	if (filter.remote_port)
		mnl_attr_put_u16(request, TCPCRYPT_A_CONN_RPORT, *filter.remote_port);
	if (filter.state)
		mnl_attr_put_u8(request, TCPCRYPT_A_CONN_STATE, static_cast<std::uint8_t>(*filter.state));
}

} // namespace tcpcrypt
