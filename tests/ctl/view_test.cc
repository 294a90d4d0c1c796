// SPDX-License-Identifier: GPL-2.0
#include "view.hh"

#include <gtest/gtest.h>

#include <sstream>

using namespace tcpcrypt;

namespace {

Info info()
{
	Info info;
	info.version = "0.1.0";
	info.teps = {{0x23, "curve25519"}};
	info.aeads = {{1, "aes-128-gcm"}};
	info.current = 214;
	info.encrypted = 10482;
	info.plain = 977;
	return info;
}

Connection encrypted()
{
	Connection connection;
	connection.cookie = 0x1a2f;
	connection.local = Prefix::parse("10.0.0.5").address;
	connection.remote = Prefix::parse("192.0.2.7").address;
	connection.local_port = 41532;
	connection.remote_port = 5432;
	connection.state = TCPCRYPT_STATE_ENCRYPTED;
	connection.active = true;
	connection.role = 0;
	connection.tep = 0x23;
	connection.aead = 1;
	connection.session = Session{};
	connection.session->rx_generation = 1;
	connection.session->handshake_us = 812;
	connection.session->id = {0x23, 0x9f, 0x41, 0, 0, 0, 0, 0, 0xff};
	return connection;
}

Connection syn_sent()
{
	Connection connection;
	connection.cookie = 2;
	connection.local = Prefix::parse("2001:db8::1").address;
	connection.remote = Prefix::parse("2001:db8::2").address;
	connection.state = TCPCRYPT_STATE_SYN_SENT;
	connection.closing = true;
	return connection;
}

template <typename Print> std::string printed(Print print)
{
	std::ostringstream out;
	Printer printer(out, {});
	print(printer);
	return out.str();
}

} // namespace

TEST(view, connections__as_text)
{
	std::vector<Connection> both{encrypted(), syn_sent()};
	EXPECT_EQ(printed([&](Printer &printer) { print_connections(printer, both, Names(info()), false); }),
		"ID    LOCAL            REMOTE           STATE             TEP         AEAD         ROLE  KEYS  SESSION\n"
		"1a2f  10.0.0.5:41532   192.0.2.7:5432   encrypted         curve25519  aes-128-gcm  A     0/1   23:9f:41:00:00:00:00:00...\n"
		"2     [2001:db8::1]:0  [2001:db8::2]:0  syn-sent,closing  -           -            -     -     -\n");
}

TEST(view, connection__as_json)
{
	Json json = to_json(encrypted(), Names(info()));
	EXPECT_EQ(json["cookie"], 0x1a2f);
	EXPECT_EQ(json["family"], "inet");
	EXPECT_EQ(json["local_port"], 41532);
	EXPECT_EQ(json["state"], "encrypted");
	EXPECT_EQ(json["role"], "A");
	EXPECT_EQ(json["tep"], "curve25519");
	EXPECT_EQ(json["handshake_us"], 812);
	EXPECT_EQ(json["session_id"], "239f410000000000ff");

	Json early = to_json(syn_sent(), Names());
	for (const char *absent : {"role", "tep", "aead", "tx_bytes", "handshake_us", "session_id"}) {
		ASSERT_TRUE(early.contains(absent)) << absent;
		EXPECT_TRUE(early[absent].is_null()) << absent;
	}
	EXPECT_EQ(early["closing"], true);
}

TEST(view, names__unknown_are_numbers)
{
	EXPECT_EQ(Names(info()).tep(0x23), "curve25519");
	EXPECT_EQ(Names(info()).tep(0x24), "0x24");
	EXPECT_EQ(Names().aead(1), "0x1");
	EXPECT_EQ(state_text(99), "99");
}

TEST(view, status__as_text)
{
	Status status{
		.kernel = "6.1.0-56-amd64",
		.info = info(),
		.counters = {.stats = {}, .fallbacks = {{14, "bad-port", 20}, {2, "no-eno-in-synack", 951}, {1, "x", 0}}, .aborts = {}},
		.settings = {{"enable_connect", SettingKind::enable, "1"}, {"enable_listen", SettingKind::enable, "0"},
			     {"teps", SettingKind::list, "curve25519"}, {"aeads", SettingKind::list, "aes-128-gcm aes-256-gcm"}},
	};
	EXPECT_EQ(printed([&](Printer &printer) { print_status(printer, status); }),
		"tcpcrypt 0.1.0 loaded, kernel 6.1.0-56-amd64\n"
		"  connect offer   listen off   teps curve25519   aeads aes-128-gcm aes-256-gcm\n"
		"  now 214 encrypted   since load 10482 encrypted, 977 plain, 0 aborted\n"
		"  why plain: no-eno-in-synack 951, bad-port 20\n");
	Json json = to_json(status);
	EXPECT_EQ(json["settings"]["aeads"], Json({"aes-128-gcm", "aes-256-gcm"}));
	EXPECT_EQ(json["settings"]["enable_listen"], 0);
	EXPECT_EQ(json["fallbacks"][1], Json({{"reason", "no-eno-in-synack"}, {"id", 2}, {"count", 951}}));
}

TEST(view, status__resumed)
{
	Status status{.kernel = "6.1", .info = info(), .counters = {}, .settings = {}};
	status.info.current_resumed = 31;
	status.info.cached = 5;
	std::string text = printed([&](Printer &printer) { print_status(printer, status); });
	EXPECT_NE(text.find("now 214 encrypted (31 resumed)   since load"), std::string::npos) << text;
	EXPECT_EQ(to_json(status)["current_resumed"], 31);
	EXPECT_EQ(to_json(status)["cached"], 5);
	Connection connection = encrypted();
	EXPECT_EQ(to_json(connection, Names(info()))["resumed"], false);
	connection.resumed = true;
	EXPECT_EQ(to_json(connection, Names(info()))["resumed"], true);
	std::vector<Connection> one{connection};
	text = printed([&](Printer &printer) { print_connections(printer, one, Names(info()), false); });
	EXPECT_NE(text.find("encrypted,resumed"), std::string::npos) << text;
}

TEST(view, cache__as_text)
{
	Info some = info();
	some.cached = 7;
	Counters counters{.stats = {{13, "resume-offered", 3}, {14, "resume-refused", 1}, {16, "resume-missed", 2}},
			  .fallbacks = {}, .aborts = {}};
	EXPECT_EQ(printed([&](Printer &printer) { print_cache(printer, some, counters); }),
		"cached 7, dropped for want of room 0\n"
		"  as client: offered 3, refused 1\n"
		"  as server: agreed 0, missed 2\n");
}

TEST(view, counters__zero_reasons_are_left_out)
{
	Counters counters{
		.stats = {{0, "encrypted-connect", 12}},
		.fallbacks = {{14, "bad-port", 20}, {1, "no-eno-in-syn", 0}},
		.aborts = {{64, "abort-auth", 0}},
	};
	EXPECT_EQ(printed([&](Printer &printer) { print_counters(printer, counters, false); }),
		"counters\n  encrypted-connect  12\nwhy plain\n  bad-port  20\nwhy aborted\n  none\n");
	Json json = to_json(counters);
	EXPECT_EQ(json["stats"]["encrypted_connect"], 12);
	EXPECT_EQ(json["aborts"][0]["count"], 0);
}

TEST(view, setting__typed)
{
	EXPECT_EQ(to_json(Setting{"rekey_bytes", SettingKind::number, "68719476736"}), 68719476736u);
	EXPECT_EQ(to_json(Setting{"bad_connect_ports", SettingKind::ports, "22"}), "22");
	EXPECT_EQ(to_json(Setting{"new", SettingKind::text, "7"}), "7");
	EXPECT_EQ(to_json(Setting{"loopback", SettingKind::number, "?"}), "?");
}

TEST(view, hex__short_and_long)
{
	std::vector<std::uint8_t> bytes{0x23, 0x00, 0xff};
	EXPECT_EQ(hex(bytes), "2300ff");
	EXPECT_EQ(short_hex(bytes, 2), "23:00...");
	EXPECT_EQ(short_hex(bytes, 3), "23:00:ff");
	EXPECT_EQ(short_hex({}, 3), "");
}
