// SPDX-License-Identifier: GPL-2.0
// Messages of the netlink family, made by hand, into the model and back.
#include "client.hh"

#include <gtest/gtest.h>
#include <linux/genetlink.h>

#include <array>

#include "attributes.hh"
#include "error.hh"

using namespace tcpcrypt;

namespace {

class Message {
public:
	Message()
	{
		header_ = mnl_nlmsg_put_header(buffer_.data());
		mnl_nlmsg_put_extra_header(header_, sizeof(genlmsghdr));
	}
	nlmsghdr *get() { return header_; }
	operator nlmsghdr *() { return header_; }

private:
	alignas(nlmsghdr) std::array<char, 4096> buffer_{};
	nlmsghdr *header_;
};

void put_algorithm(nlmsghdr *message, int type, std::uint32_t id, const char *name)
{
	nlattr *nest = mnl_attr_nest_start(message, type);
	mnl_attr_put_u32(message, TCPCRYPT_A_ALG_ID, id);
	mnl_attr_put_strz(message, TCPCRYPT_A_ALG_NAME, name);
	mnl_attr_nest_end(message, nest);
}

void put_counter(Counters &counters, std::uint8_t kind, std::uint32_t id, const char *name, std::uint64_t value)
{
	Message message;
	mnl_attr_put_u8(message, TCPCRYPT_A_COUNTER_KIND, kind);
	mnl_attr_put_u32(message, TCPCRYPT_A_COUNTER_ID, id);
	mnl_attr_put_strz(message, TCPCRYPT_A_COUNTER_NAME, name);
	mnl_attr_put_u64(message, TCPCRYPT_A_COUNTER_VALUE, value);
	decode_counter(message, counters);
}

} // namespace

TEST(client, attributes__tolerate_other_sizes)
{
	Message message;
	mnl_attr_put(message, 1, 3, "abc");
	mnl_attr_put_u8(message, 2, 200);
	mnl_attr_put(message, 3, 0, nullptr);
	Attributes attributes = Attributes::of_genl(message);
	EXPECT_FALSE(attributes.number(1).has_value());
	EXPECT_EQ(attributes.text(1), "abc");	/* without its zero byte */
	EXPECT_EQ(attributes.number(2), 200u);
	EXPECT_TRUE(attributes.has(3));
	EXPECT_FALSE(attributes.number(3).has_value());
	EXPECT_FALSE(attributes.number(4).has_value());
}

TEST(client, info__decodes)
{
	Message message;
	mnl_attr_put_strz(message, TCPCRYPT_A_INFO_VERSION, "0.1.0");
	mnl_attr_put_u64(message, TCPCRYPT_A_INFO_FEATURES, TCPCRYPT_FEATURE_IPV6);
	put_algorithm(message, TCPCRYPT_A_INFO_TEP, 0x23, "curve25519");
	put_algorithm(message, TCPCRYPT_A_INFO_TEP, 0x21, "p256");
	put_algorithm(message, TCPCRYPT_A_INFO_AEAD, 1, "aes-128-gcm");
	mnl_attr_put_u64(message, TCPCRYPT_A_INFO_CURRENT, 214);
	Info info = decode_info(message);
	EXPECT_EQ(info.version, "0.1.0");
	EXPECT_EQ(info.features, 1u);
	EXPECT_FALSE(info.draining);
	ASSERT_EQ(info.teps.size(), 2u);
	EXPECT_EQ(info.teps[1].id, 0x21u);
	EXPECT_EQ(info.teps[1].name, "p256");
	ASSERT_EQ(info.aeads.size(), 1u);
	EXPECT_EQ(info.current, 214u);
	EXPECT_EQ(info.cached, 0u);
	mnl_attr_put_u64(message, TCPCRYPT_A_INFO_CURRENT_RESUMED, 31);
	mnl_attr_put_u64(message, TCPCRYPT_A_INFO_RESUMED, 40);
	mnl_attr_put_u64(message, TCPCRYPT_A_INFO_CACHED, 5);
	EXPECT_EQ(decode_info(message).current_resumed, 31u);
	EXPECT_EQ(decode_info(message).resumed, 40u);
	EXPECT_EQ(decode_info(message).cached, 5u);
}

TEST(client, connection__decodes)
{
	Message message;
	mnl_attr_put_u64(message, TCPCRYPT_A_CONN_COOKIE, 0x1a2f);
	mnl_attr_put_u16(message, TCPCRYPT_A_CONN_FAMILY, AF_INET);
	mnl_attr_put(message, TCPCRYPT_A_CONN_LADDR, 4, "\x0a\0\0\x05");
	mnl_attr_put(message, TCPCRYPT_A_CONN_RADDR, 4, "\xc0\0\x02\x07");
	mnl_attr_put_u16(message, TCPCRYPT_A_CONN_LPORT, 41532);
	mnl_attr_put_u16(message, TCPCRYPT_A_CONN_RPORT, 5432);
	mnl_attr_put_u8(message, TCPCRYPT_A_CONN_STATE, TCPCRYPT_STATE_EXCHANGE);
	mnl_attr_put(message, TCPCRYPT_A_CONN_ACTIVE, 0, nullptr);
	mnl_attr_put_u8(message, TCPCRYPT_A_CONN_ROLE, 0);

	Connection early = decode_connection(message);
	EXPECT_EQ(early.cookie, 0x1a2fu);
	EXPECT_EQ(endpoint_text(early.local, early.local_port), "10.0.0.5:41532");
	EXPECT_EQ(endpoint_text(early.remote, early.remote_port), "192.0.2.7:5432");
	EXPECT_EQ(early.state, TCPCRYPT_STATE_EXCHANGE);
	EXPECT_TRUE(early.active);
	EXPECT_FALSE(early.closing);
	EXPECT_FALSE(early.resumed);
	EXPECT_EQ(early.role, 0u);
	EXPECT_FALSE(early.tep.has_value());
	EXPECT_FALSE(early.session.has_value());

	mnl_attr_put_u32(message, TCPCRYPT_A_CONN_TX_GENERATION, 3);
	mnl_attr_put_u64(message, TCPCRYPT_A_CONN_RX_BYTES, 1ULL << 40);
	mnl_attr_put(message, TCPCRYPT_A_CONN_RESUMED, 0, nullptr);
	Connection late = decode_connection(message);
	EXPECT_TRUE(late.resumed);
	ASSERT_TRUE(late.session.has_value());
	EXPECT_EQ(late.session->tx_generation, 3u);
	EXPECT_EQ(late.session->rx_bytes, 1ULL << 40);
	EXPECT_TRUE(late.session->id.empty());

	mnl_attr_put(message, TCPCRYPT_A_CONN_SESSID, 3, "\x23\x9f\x41");
	EXPECT_EQ(decode_connection(message).session->id, (std::vector<std::uint8_t>{0x23, 0x9f, 0x41}));
}

TEST(client, connection__address_of_another_size_is_absent)
{
	Message message;
	mnl_attr_put_u16(message, TCPCRYPT_A_CONN_FAMILY, AF_INET6);
	mnl_attr_put(message, TCPCRYPT_A_CONN_LADDR, 4, "\x0a\0\0\x05");
	EXPECT_EQ(decode_connection(message).local, Address());
}

TEST(client, counters__sorted_by_kind)
{
	Counters counters;
	put_counter(counters, TCPCRYPT_COUNTER_STAT, TCPCRYPT_STAT_CURRENT, "current", 3);
	put_counter(counters, TCPCRYPT_COUNTER_REASON, TCPCRYPT_FALLBACK_BAD_PORT, "bad-port", 20);
	put_counter(counters, TCPCRYPT_COUNTER_REASON, TCPCRYPT_ABORT_AUTH, "abort-auth", 1);
	put_counter(counters, 77, 1, "from-a-newer-module", 1);
	ASSERT_EQ(counters.stats.size(), 1u);
	ASSERT_EQ(counters.fallbacks.size(), 1u);
	ASSERT_EQ(counters.aborts.size(), 1u);
	EXPECT_EQ(counters.fallbacks[0].value, 20u);
}

TEST(client, filter__encodes)
{
	Message message;
	Filter filter{
		.family = AF_UNSPEC,
		.local = {},
		.remote = Prefix::parse("192.0.2.0/24"),
		.local_port = 0,
		.remote_port = {},
		.state = TCPCRYPT_STATE_ENCRYPTED,
	};
	encode_filter(message, filter);
	Attributes attributes = Attributes::of_genl(message);
	EXPECT_EQ(attributes.number(TCPCRYPT_A_CONN_FAMILY), std::uint64_t{AF_INET});
	EXPECT_FALSE(attributes.has(TCPCRYPT_A_CONN_LADDR));
	EXPECT_EQ(attributes.bytes(TCPCRYPT_A_CONN_RADDR)->size(), 4u);
	EXPECT_EQ(attributes.number(TCPCRYPT_A_CONN_RADDR_PREFIX), 24u);
	EXPECT_EQ(attributes.number(TCPCRYPT_A_CONN_LPORT), 0u);
	EXPECT_FALSE(attributes.has(TCPCRYPT_A_CONN_RPORT));
	EXPECT_EQ(attributes.number(TCPCRYPT_A_CONN_STATE), std::uint64_t{TCPCRYPT_STATE_ENCRYPTED});
}

TEST(client, filter__refuses_two_families)
{
	Message message;
	Filter filter;
	filter.family = AF_INET6;
	filter.remote = Prefix::parse("192.0.2.0/24");
	EXPECT_THROW(encode_filter(message, filter), UsageError);
}
