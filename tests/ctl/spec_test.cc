// SPDX-License-Identifier: GPL-2.0
// The netlink spec against the uapi header: the same names and values in both.
#include <gtest/gtest.h>

#include <stdexcept>

#include "header.hh"
#include "spec.hh"
#include "yaml.hh"

namespace {

/* Constants of the header that are no values: ends and limits. */
bool is_limit(const std::string &name)
{
	for (const char *end : {"_UNSPEC", "_MAX", "_COUNT", "_NONE", "_FALLBACK_LAST", "_ABORT_FIRST", "_ABORT_LAST"})
		if (name.ends_with(end))
			return true;
	return false;
}

std::map<std::string, std::int64_t> values(const std::string &enum_name)
{
	static const Enums enums = read_enums(read_file("include/uapi/linux/tcpcrypt.h"));
	std::map<std::string, std::int64_t> values;
	for (const auto &[name, value] : enums.at(enum_name))
		if (!is_limit(name))
			values[name] = value;
	return values;
}

} // namespace

TEST(spec, yaml__subset)
{
	auto yaml = read_yaml("# comment\n---\na: text: with colon\nb: &x\n  - 1\n  -\n    c: true\n\nd: *x\ne: >-\n  two\n  lines\n");
	EXPECT_EQ(yaml.dump(), R"({"a":"text: with colon","b":[1,{"c":true}],"d":[1,{"c":true}],"e":"two lines"})");
	EXPECT_THROW(read_yaml("a: 1\na: 2\n"), std::runtime_error);
	EXPECT_THROW(read_yaml("a:\n"), std::runtime_error);
	EXPECT_THROW(read_yaml("a: 1\n  b: 2\n"), std::runtime_error);
}

TEST(spec, header__values)
{
	Enums enums = read_enums("/** a * b */\nenum e {\n\tA = 3, /* , X */\n\tB,\n\tC = 1 << 4,\n\t__E,\n\tE_MAX = __E - 1,\n};\n");
	EXPECT_EQ(enums.at("e"), (std::map<std::string, std::int64_t>{{"A", 3}, {"B", 4}, {"C", 16}, {"__E", 17}, {"E_MAX", 16}}));
	EXPECT_THROW(read_enums("enum e { A = sizeof(int), };"), std::runtime_error);
}

TEST(spec, definitions__as_header)
{
	const std::map<std::string, std::string> c_enums{
		{"state", "tcpcrypt_state"}, {"stat", "tcpcrypt_stat"}, {"reason", "tcpcrypt_reason"},
		{"counter-kind", "tcpcrypt_counter_kind"}, {"feature", "tcpcrypt_feature"},
	};
	std::size_t compared = 0;
	for (const SpecEnum &definition : Spec::load().enums) {
		if (definition.name == "role")	/* a number of RFC 8547, not of the header */
			continue;
		std::map<std::string, std::int64_t> entries;
		for (const auto &[name, value] : definition.entries)
			entries[c_name(definition.prefix, name)] = value;
		EXPECT_EQ(entries, values(c_enums.at(definition.name))) << definition.name;
		compared++;
	}
	EXPECT_EQ(compared, c_enums.size());
}

TEST(spec, attributes__as_header)
{
	Spec spec = Spec::load();
	EXPECT_EQ(spec.sets.size(), 4u);
	for (const auto &[name, set] : spec.sets) {
		std::map<std::string, std::int64_t> attributes;
		for (const auto &[attribute, entry] : set.attributes)
			attributes[c_name(set.prefix, attribute)] = entry.value;
		EXPECT_EQ(attributes, values("tcpcrypt_attr_" + name)) << name;
	}
}

TEST(spec, operations__as_header)
{
	Spec spec = Spec::load();
	std::map<std::string, std::int64_t> commands;
	for (const SpecOperation &operation : spec.operations)
		commands[c_name(spec.command_prefix, operation.name)] = operation.value;
	EXPECT_EQ(commands, values("tcpcrypt_cmd"));
}

TEST(spec, operations__name_attributes_of_their_set)
{
	Spec spec = Spec::load();
	for (const SpecOperation &operation : spec.operations)
		for (const auto &[kind, message] : operation.messages)
			for (const auto &names : {message.request, message.reply})
				for (const std::string &name : names)
					EXPECT_TRUE(spec.sets.at(operation.set).attributes.contains(name))
						<< operation.name << ' ' << kind << ' ' << name;
}
