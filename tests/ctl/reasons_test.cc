// SPDX-License-Identifier: GPL-2.0
#include "reasons.hh"

#include <gtest/gtest.h>

#include <set>

#include "control/names.h"
#include "header.hh"
#include "spec.hh"

using namespace tcpcrypt;

/* Names follow from the constants: no second list to keep. */
TEST(names, reasons__follow_from_the_constants)
{
	Enums enums = read_enums(read_file("include/uapi/linux/tcpcrypt.h"));
	std::set<std::string> names;
	for (const auto &[constant, value] : enums.at("tcpcrypt_reason")) {
		const char *name = tcpcrypt_reason_name(static_cast<tcpcrypt_reason>(value));
		if (!name)
			continue;
		names.insert(name);
		if (constant != "TCPCRYPT_ABORT_FIRST") {
			bool fallback = is_fallback(static_cast<tcpcrypt_reason>(value));
			EXPECT_EQ(c_name(fallback ? "tcpcrypt-fallback-" : "tcpcrypt-", name), constant);
		}
	}
	EXPECT_EQ(names.size(), explanations().size());
}

TEST(names, numbers_without_meaning__have_no_name)
{
	for (int number : {0, int(TCPCRYPT_FALLBACK_LAST), int(TCPCRYPT_ABORT_LAST), int(TCPCRYPT_REASON_COUNT), 1000})
		EXPECT_EQ(tcpcrypt_reason_name(static_cast<tcpcrypt_reason>(number)), nullptr) << number;
	EXPECT_EQ(tcpcrypt_stat_name(TCPCRYPT_STAT_COUNT), nullptr);
	EXPECT_EQ(tcpcrypt_state_name(static_cast<tcpcrypt_state>(0)), nullptr);
	for (int number = 0; number < TCPCRYPT_STAT_COUNT; number++)
		EXPECT_NE(tcpcrypt_stat_name(static_cast<tcpcrypt_stat>(number)), nullptr) << number;
}

TEST(reasons, table__has_every_reason_once)
{
	int last = 0;
	for (const Explanation &explanation : explanations()) {
		EXPECT_GT(explanation.reason, last);
		last = explanation.reason;
		ASSERT_NE(tcpcrypt_reason_name(explanation.reason), nullptr) << explanation.reason;
		EXPECT_TRUE(!explanation.error || !is_fallback(explanation.reason)) << explanation.reason;
	}
	for (int number = 0; number <= TCPCRYPT_REASON_COUNT; number++) {
		const char *name = tcpcrypt_reason_name(static_cast<tcpcrypt_reason>(number));
		EXPECT_TRUE(!name || explain(name)) << name;
	}
}

TEST(reasons, explain__by_name_and_number)
{
	EXPECT_EQ(explain("bad-port")->reason, TCPCRYPT_FALLBACK_BAD_PORT);
	EXPECT_EQ(explain("64")->reason, TCPCRYPT_ABORT_AUTH);
	EXPECT_EQ(explain("abort-auth")->reason, TCPCRYPT_ABORT_AUTH);
	EXPECT_EQ(explain("auth"), nullptr);
	EXPECT_EQ(explain(""), nullptr);
}
