// SPDX-License-Identifier: GPL-2.0
#include "address.hh"

#include <gtest/gtest.h>

#include "error.hh"

using namespace tcpcrypt;

TEST(address, prefix__parses)
{
	struct {
		const char *text;
		int family;
		const char *address;
		unsigned int bits;
	} const cases[] = {
		{"192.0.2.1", AF_INET, "192.0.2.1", 32},
		{"192.0.2.0/24", AF_INET, "192.0.2.0", 24},
		{"0.0.0.0/0", AF_INET, "0.0.0.0", 0},
		{"2001:db8::/32", AF_INET6, "2001:db8::", 32},
		{"[2001:db8::1]", AF_INET6, "2001:db8::1", 128},
		{"::/0", AF_INET6, "::", 0},
		{"::ffff:192.0.2.1/128", AF_INET6, "::ffff:192.0.2.1", 128},
	};
	for (const auto &c : cases) {
		Prefix prefix = Prefix::parse(c.text);
		EXPECT_EQ(prefix.address.family, c.family) << c.text;
		EXPECT_EQ(prefix.address.text(), c.address) << c.text;
		EXPECT_EQ(prefix.bits, c.bits) << c.text;
	}
}

TEST(address, prefix__refuses)
{
	for (const char *text : {"", "/", "192.0.2", "192.0.2.1/", "192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/2x",
				 "2001:db8::/129", "example.org", "192.0.2.1:80", "[", "[]", "192.0.2.1/8/8"})
		EXPECT_THROW(Prefix::parse(text), UsageError) << text;
}

TEST(address, endpoint__brackets_for_ipv6)
{
	EXPECT_EQ(endpoint_text(Prefix::parse("10.0.0.5").address, 443), "10.0.0.5:443");
	EXPECT_EQ(endpoint_text(Prefix::parse("2001:db8::1").address, 443), "[2001:db8::1]:443");
	EXPECT_EQ(endpoint_text(Address(), 0), "-:0");
}

TEST(address, port__parses_and_refuses)
{
	EXPECT_EQ(parse_port("0"), 0);
	EXPECT_EQ(parse_port("65535"), 65535);
	for (const char *text : {"", "65536", "-1", "80x", "http", " 80"})
		EXPECT_THROW(parse_port(text), UsageError) << text;
}
