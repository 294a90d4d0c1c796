// SPDX-License-Identifier: GPL-2.0
// The loaded module against the netlink spec: commands, policies and answers.
#include <gtest/gtest.h>
#include <linux/genetlink.h>

#include <cerrno>
#include <set>

#include "attributes.hh"
#include "client.hh"
#include "control/names.h"
#include "error.hh"
#include "genl.hh"
#include "spec.hh"
#include "version.h"

using namespace tcpcrypt;

namespace {

/* What the kernel says of one attribute. */
struct Policy {
	std::uint32_t type = 0;
	std::map<std::string, std::int64_t> checks;

	bool operator==(const Policy &other) const = default;
};

using Policies = std::map<int, Policy>;

/* Numbers of the policies of a command's do and dump. */
struct OperationPolicies {
	std::optional<std::uint64_t> when_do;
	std::optional<std::uint64_t> when_dump;
};

struct KernelPolicies {
	std::map<int, Policies> policies;
	std::map<int, OperationPolicies> operations;
};

void collect_policy(KernelPolicies &all, int number, const Attributes &policy)
{
	for (auto [attribute, size] : policy.list()) {
		Attributes type = policy.nests(attribute).front();
		Policy &entry = all.policies[number][attribute];
		entry.type = static_cast<std::uint32_t>(type.number(NL_POLICY_TYPE_ATTR_TYPE).value_or(0));
		for (auto [name, check] : {std::pair("min", NL_POLICY_TYPE_ATTR_MIN_VALUE_U),
					   std::pair("max", NL_POLICY_TYPE_ATTR_MAX_VALUE_U),
					   std::pair("min-len", NL_POLICY_TYPE_ATTR_MIN_LENGTH),
					   std::pair("max-len", NL_POLICY_TYPE_ATTR_MAX_LENGTH)})
			if (auto limit = type.number(check))
				entry.checks[name] = static_cast<std::int64_t>(*limit);
	}
}

/* Each message of the dump has one attribute of one policy, or the policies' numbers of one command. */
KernelPolicies kernel_policies(const std::string &family)
{
	KernelPolicies all;
	Genl control("nlctrl", 2);
	control.dump(
		CTRL_CMD_GETPOLICY,
		[&](nlmsghdr *request) { mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, family.c_str()); },
		[&](const nlmsghdr *message) {
			Attributes attributes = Attributes::of_genl(message);
			for (const Attributes &operations : attributes.nests(CTRL_ATTR_OP_POLICY))
				for (auto [command, size] : operations.list()) {
					Attributes numbers = operations.nests(command).front();
					all.operations[command] = {numbers.number(CTRL_ATTR_POLICY_DO),
								   numbers.number(CTRL_ATTR_POLICY_DUMP)};
				}
			for (const Attributes &policies : attributes.nests(CTRL_ATTR_POLICY))
				for (auto [number, size] : policies.list())
					collect_policy(all, number, policies.nests(number).front());
		});
	return all;
}

/* What the kernel should say of an attribute, from the spec. */
Policy expected_policy(const SpecAttribute &attribute)
{
	struct Type {
		std::uint32_t type;
		std::int64_t max;	/* of an integer without checks; 0 for others */
	};
	static const std::map<std::string, Type> types{
		{"u8", {NL_ATTR_TYPE_U8, UINT8_MAX}},
		{"u16", {NL_ATTR_TYPE_U16, UINT16_MAX}},
		{"u32", {NL_ATTR_TYPE_U32, UINT32_MAX}},
		{"u64", {NL_ATTR_TYPE_U64, -1}},
		{"binary", {NL_ATTR_TYPE_BINARY, 0}},
	};
	const Type &type = types.at(attribute.type);
	Policy policy{type.type, attribute.checks};
	if (type.max != 0) {
		policy.checks.try_emplace("min", 0);
		policy.checks.try_emplace("max", type.max);
	}
	return policy;
}

Policies expected_policies(const Spec &spec, const SpecOperation &operation)
{
	Policies policies;
	for (const auto &[kind, message] : operation.messages)
		for (const std::string &name : message.request) {
			const SpecAttribute &attribute = spec.sets.at(operation.set).attributes.at(name);
			policies[attribute.value] = expected_policy(attribute);
		}
	return policies;
}

/*
 * An answer has no attribute that the spec does not list, and each has its type's size. Padding is put in
 * by kernels for CPUs that want it.
 */
void check_answer(const Spec &spec, const std::string &set_name, const std::vector<std::string> &names,
		  const Attributes &answer)
{
	static const std::map<std::string, std::size_t> sizes{{"u8", 1}, {"u16", 2}, {"u32", 4}, {"u64", 8}, {"flag", 0}};
	const SpecSet &set = spec.sets.at(set_name);
	std::map<int, std::string> expected;
	for (const std::string &name : names)
		expected[set.attributes.at(name).value] = name;
	for (auto [type, size] : answer.list()) {
		if (set.attributes.contains("pad") && type == set.attributes.at("pad").value)
			continue;
		ASSERT_TRUE(expected.contains(type)) << set_name << " attribute " << type;
		const SpecAttribute &attribute = set.attributes.at(expected[type]);
		auto found = sizes.find(attribute.type);
		EXPECT_TRUE(found == sizes.end() || found->second == size) << expected[type] << " has " << size << " bytes";
		if (attribute.nested.empty())
			continue;
		std::vector<std::string> inside;
		for (const auto &[name, entry] : spec.sets.at(attribute.nested).attributes)
			inside.push_back(name);
		for (const Attributes &nest : answer.nests(type))
			check_answer(spec, attribute.nested, inside, nest);
	}
}

/* The kernel refuses with this errno, and says this. */
template <typename Request> void expect_refusal(int error, const std::string &text, Request request)
{
	try {
		request();
		ADD_FAILURE() << "not refused: " << text;
	} catch (const KernelError &refusal) {
		EXPECT_EQ(refusal.error(), error) << refusal.what();
		EXPECT_NE(std::string(refusal.what()).find(text), std::string::npos) << refusal.what();
	}
}

class Netlink : public testing::Test {
protected:
	void refuse_dump(int error, const std::string &text, const Genl::Fill &fill)
	{
		expect_refusal(error, text, [&] { genl_.dump(TCPCRYPT_CMD_CONN_GET, fill, {}); });
	}
	void refuse_do(int error, const std::string &text, const Genl::Fill &fill)
	{
		expect_refusal(error, text, [&] { genl_.request(TCPCRYPT_CMD_CONN_GET, fill, {}); });
	}

	Genl genl_{TCPCRYPT_GENL_NAME, TCPCRYPT_GENL_VERSION};
	Spec spec_ = Spec::load();
};

} // namespace

TEST_F(Netlink, policy__as_spec)
{
	KernelPolicies kernel = kernel_policies(spec_.family);
	ASSERT_EQ(kernel.operations.size(), spec_.operations.size());
	for (const SpecOperation &operation : spec_.operations) {
		const OperationPolicies &numbers = kernel.operations[operation.value];
		EXPECT_EQ(numbers.when_do.has_value(), operation.messages.contains("do")) << operation.name;
		EXPECT_EQ(numbers.when_dump.has_value(), operation.messages.contains("dump")) << operation.name;
		Policies expected = expected_policies(spec_, operation);
		for (const auto &number : {numbers.when_do, numbers.when_dump}) {
			if (!number)
				continue;
			const Policies &policies = kernel.policies[static_cast<int>(*number)];
			ASSERT_EQ(policies.size(), expected.size()) << operation.name;
			for (const auto &[attribute, policy] : expected) {
				ASSERT_TRUE(policies.contains(attribute)) << operation.name << ' ' << attribute;
				EXPECT_EQ(policies.at(attribute).type, policy.type) << operation.name << ' ' << attribute;
				EXPECT_EQ(policies.at(attribute).checks, policy.checks) << operation.name << ' ' << attribute;
			}
		}
	}
}

TEST_F(Netlink, get__answers_as_spec)
{
	int answers = 0;
	genl_.request(TCPCRYPT_CMD_GET, {}, [&](const nlmsghdr *message) {
		answers++;
		check_answer(spec_, "info", spec_.operation("get").messages.at("do").reply, Attributes::of_genl(message));
	});
	EXPECT_EQ(answers, 1);
}

TEST_F(Netlink, get__tells_what_is_built)
{
	Info info = Client().info();
	EXPECT_EQ(info.version, TCPCRYPT_VERSION);
	EXPECT_EQ(info.frame_data_limit, 65535u - 1 - 16);
	std::map<std::string, std::uint32_t> teps, aeads;
	for (const Algorithm &tep : info.teps)
		teps[tep.name] = tep.id;
	for (const Algorithm &aead : info.aeads)
		aeads[aead.name] = aead.id;
	EXPECT_EQ(teps["curve25519"], 0x23u);	/* N-06 */
	EXPECT_EQ(aeads["aes-128-gcm"], 1u);	/* N-06 */
}

TEST_F(Netlink, get__takes_no_attributes)
{
	for (std::uint16_t type : {1, 2, 99})
		EXPECT_THROW(genl_.request(TCPCRYPT_CMD_GET, [&](nlmsghdr *request) { mnl_attr_put_u32(request, type, 0); }, {}),
			     KernelError) << type;
	expect_refusal(EINVAL, "takes no attributes", [&] {
		genl_.request(TCPCRYPT_CMD_GET, [](nlmsghdr *request) { mnl_attr_put_u32(request, 1, 0); }, {});
	});
}

TEST_F(Netlink, cache_flush__is_taken)
{
	Client client;
	client.flush_cache();
	EXPECT_EQ(client.info().cached, 0u);
}

TEST_F(Netlink, stats__are_all_there_with_their_names)
{
	const std::vector<std::string> reply = spec_.operation("stats-get").messages.at("dump").reply;
	genl_.dump(TCPCRYPT_CMD_STATS_GET, {}, [&](const nlmsghdr *message) {
		check_answer(spec_, "counter", reply, Attributes::of_genl(message));
	});

	Counters counters = Client().counters();
	ASSERT_EQ(counters.stats.size(), std::size_t{TCPCRYPT_STAT_COUNT});
	for (std::uint32_t id = 0; id < TCPCRYPT_STAT_COUNT; id++) {
		EXPECT_EQ(counters.stats[id].id, id);
		EXPECT_EQ(counters.stats[id].name, tcpcrypt_stat_name(static_cast<tcpcrypt_stat>(id)));
	}
	std::size_t reasons = 0;
	for (int number = 0; number < TCPCRYPT_REASON_COUNT; number++)
		reasons += tcpcrypt_reason_name(static_cast<tcpcrypt_reason>(number)) != nullptr;
	EXPECT_EQ(counters.fallbacks.size() + counters.aborts.size(), reasons);
}

TEST_F(Netlink, conn_dump__answers_as_spec)
{
	const std::vector<std::string> reply = spec_.operation("conn-get").messages.at("dump").reply;
	genl_.dump(TCPCRYPT_CMD_CONN_GET, {}, [&](const nlmsghdr *message) {
		check_answer(spec_, "conn", reply, Attributes::of_genl(message));
	});
}

TEST_F(Netlink, conn_do__refusals_say_why)
{
	refuse_do(EINVAL, "a cookie is needed", {});
	refuse_do(ENOENT, "no connection", [](nlmsghdr *request) {
		mnl_attr_put_u64(request, TCPCRYPT_A_CONN_COOKIE, UINT64_MAX);
	});
	refuse_do(EINVAL, "a filter goes with a dump", [](nlmsghdr *request) {
		mnl_attr_put_u64(request, TCPCRYPT_A_CONN_COOKIE, 1);
		mnl_attr_put_u16(request, TCPCRYPT_A_CONN_LPORT, 1);
	});
}

TEST_F(Netlink, conn_dump__refusals_say_why)
{
	refuse_dump(EINVAL, "not for a dump", [](nlmsghdr *request) {
		mnl_attr_put_u64(request, TCPCRYPT_A_CONN_COOKIE, 1);
	});
	refuse_dump(EINVAL, "needs the family", [](nlmsghdr *request) {
		mnl_attr_put(request, TCPCRYPT_A_CONN_LADDR, 4, "\x7f\0\0\1");
	});
	refuse_dump(EINVAL, "needs its address", [](nlmsghdr *request) {
		mnl_attr_put_u8(request, TCPCRYPT_A_CONN_RADDR_PREFIX, 8);
	});
	refuse_dump(EINVAL, "not one of the given family", [](nlmsghdr *request) {
		mnl_attr_put_u16(request, TCPCRYPT_A_CONN_FAMILY, AF_INET6);
		mnl_attr_put(request, TCPCRYPT_A_CONN_LADDR, 4, "\x7f\0\0\1");
	});
	refuse_dump(EINVAL, "longer than the address", [](nlmsghdr *request) {
		mnl_attr_put_u16(request, TCPCRYPT_A_CONN_FAMILY, AF_INET);
		mnl_attr_put(request, TCPCRYPT_A_CONN_LADDR, 4, "\x7f\0\0\1");
		mnl_attr_put_u8(request, TCPCRYPT_A_CONN_LADDR_PREFIX, 33);
	});
	refuse_dump(EAFNOSUPPORT, "neither AF_INET nor AF_INET6", [](nlmsghdr *request) {
		mnl_attr_put_u16(request, TCPCRYPT_A_CONN_FAMILY, AF_X25);
	});
}

TEST_F(Netlink, conn_dump__policy_is_strict)
{
	for (auto put : {+[](nlmsghdr *request) { mnl_attr_put_u16(request, TCPCRYPT_A_CONN_FAMILY, AF_UNIX); },
			 +[](nlmsghdr *request) { mnl_attr_put_u8(request, TCPCRYPT_A_CONN_STATE, 0); },
			 +[](nlmsghdr *request) { mnl_attr_put_u8(request, TCPCRYPT_A_CONN_STATE, 5); },
			 +[](nlmsghdr *request) { mnl_attr_put_u32(request, TCPCRYPT_A_CONN_LPORT, 80); },
			 +[](nlmsghdr *request) { mnl_attr_put_u32(request, TCPCRYPT_A_CONN_UID, 0); },
			 +[](nlmsghdr *request) { mnl_attr_put_u32(request, TCPCRYPT_A_CONN_PAD, 0); },
			 +[](nlmsghdr *request) { mnl_attr_put_u32(request, 99, 0); },
			 +[](nlmsghdr *request) { mnl_attr_put(request, TCPCRYPT_A_CONN_LADDR, 3, "abc"); },
			 +[](nlmsghdr *request) { mnl_attr_put(request, TCPCRYPT_A_CONN_LADDR, 17, "0123456789abcdefg"); }})
		EXPECT_THROW(genl_.dump(TCPCRYPT_CMD_CONN_GET, put, {}), KernelError);
}

TEST_F(Netlink, filters__are_taken)
{
	Client client;
	Filter filter;
	filter.remote = Prefix::parse("203.0.113.0/24");
	filter.remote_port = 1;
	filter.state = TCPCRYPT_STATE_ENCRYPTED;
	EXPECT_TRUE(client.connections(filter).empty());
	filter.remote = Prefix::parse("2001:db8::/32");
	EXPECT_TRUE(client.connections(filter).empty());
}
