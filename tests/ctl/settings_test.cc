// SPDX-License-Identifier: GPL-2.0
#include "settings.hh"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "error.hh"

using namespace tcpcrypt;

namespace {

/* A directory that looks like /proc/sys/net/tcpcrypt. */
class SettingsTest : public testing::Test {
protected:
	void SetUp() override
	{
		char name[] = "/tmp/tcpcrypt-settings-XXXXXX";
		ASSERT_NE(mkdtemp(name), nullptr);
		directory_ = name;
	}
	void TearDown() override { std::filesystem::remove_all(directory_); }
	void put(const std::string &key, const std::string &value) { std::ofstream(directory_ + "/" + key) << value; }

	std::string directory_;
};

} // namespace

TEST_F(SettingsTest, all__known_first_then_others)
{
	put("zz_new", "7\n");
	put("teps", "curve25519 p256\n");
	put("enable_connect", "1\n");
	auto all = Settings(directory_).all();
	ASSERT_EQ(all.size(), 3u);
	EXPECT_EQ(all[0].key, "enable_connect");
	EXPECT_EQ(all[0].kind, SettingKind::enable);
	EXPECT_EQ(all[0].value, "1");
	EXPECT_EQ(all[1].key, "teps");
	EXPECT_EQ(all[2].key, "zz_new");
	EXPECT_EQ(all[2].kind, SettingKind::text);
}

TEST_F(SettingsTest, all__says_when_not_loaded)
{
	EXPECT_THROW(Settings(directory_ + "/none").all(), NotLoaded);
	EXPECT_THROW(Settings(directory_ + "/none").set("loopback", "1"), NotLoaded);
}

TEST_F(SettingsTest, set__writes)
{
	put("bad_connect_ports", "22\n");
	Settings settings(directory_);
	settings.set("bad_connect_ports", "1-3,443");
	EXPECT_EQ(settings.get("bad_connect_ports")->value, "1-3,443");
	EXPECT_THROW(settings.set("nothing", "1"), UsageError);
	EXPECT_THROW(settings.set("../x", "1"), UsageError);
	EXPECT_FALSE(settings.get("../settings").has_value());
	EXPECT_FALSE(std::filesystem::exists(directory_ + "/nothing"));
}

TEST(settings, words__split)
{
	EXPECT_EQ(split_words(" a, b\tc,,"), (std::vector<std::string>{"a", "b", "c"}));
	EXPECT_TRUE(split_words(" ").empty());
}

TEST(settings, enable__named)
{
	EXPECT_EQ(enable_text("0"), "off");
	EXPECT_EQ(enable_text("1"), "offer");
	EXPECT_EQ(enable_text("2"), "require");
	EXPECT_EQ(enable_text("-"), "-");
}
