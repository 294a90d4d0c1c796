// SPDX-License-Identifier: GPL-2.0
#include "print.hh"

#include <gtest/gtest.h>

#include <sstream>

using namespace tcpcrypt;

namespace {

std::string printed(PrintOptions options, const Json &document)
{
	std::ostringstream out;
	Printer printer(out, options);
	printer.emit(document, [&] { printer.line("text"); });
	return out.str();
}

} // namespace

TEST(print, emit__by_option)
{
	Json document = {{"a", 1}, {"b", nullptr}};
	EXPECT_EQ(printed({}, document), "text\n");
	EXPECT_EQ(printed({.json = true}, document), "{\"a\":1,\"b\":null}\n");
	EXPECT_EQ(printed({.json = true, .pretty = true}, document), "{\n  \"a\": 1,\n  \"b\": null\n}\n");
	EXPECT_EQ(printed({.oneline = true}, document), "a=1\n");
	EXPECT_EQ(printed({.json = true, .quiet = true}, document), "");
}

TEST(print, emit__one_line_a_record)
{
	EXPECT_EQ(printed({.oneline = true}, Json::array({{{"a", 1}}, {{"a", 2}}})), "a=1\na=2\n");
	EXPECT_EQ(printed({.oneline = true}, Json::array()), "");
	EXPECT_EQ(printed({.json = true}, Json::array()), "[]\n");
}

TEST(print, flatten__quotes_and_nests)
{
	Json record = {
		{"name", "curve25519"}, {"text", "two words"}, {"empty", ""}, {"flag", true},
		{"list", {"a", "b"}}, {"inner", {{"x", 1}, {"y", {{{"z", 2}}}}}},
	};
	EXPECT_EQ(flatten(record), "name=curve25519 text=\"two words\" empty=\"\" flag=true list=a,b inner.x=1 inner.y.0.z=2");
}

TEST(print, table__aligns)
{
	std::ostringstream out;
	Printer printer(out, {});
	printer.table({.columns = {{"NAME"}, {"N", true}, {"LAST"}},
		       .rows = {{{"a"}, {"1"}, {"x"}}, {{"longer"}, {"200"}, {""}}}});
	EXPECT_EQ(out.str(), "NAME      N  LAST\n"
			     "a         1  x\n"
			     "longer  200\n");
}

TEST(print, table__colors_do_not_count_as_width)
{
	std::ostringstream out;
	Printer printer(out, {.color = true});
	printer.table({.columns = {{""}, {""}}, .rows = {{{"ab", Style::good}, {"x"}}, {{"abcd"}, {"y"}}}});
	EXPECT_EQ(out.str(), "\033[32mab\033[0m    x\nabcd  y\n");
}
