/* SPDX-License-Identifier: GPL-2.0 */
/* The netlink spec, in the form that the tests compare. */
#ifndef TCPCRYPT_TESTS_SPEC_HH
#define TCPCRYPT_TESTS_SPEC_HH

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct SpecAttribute {
	int value = 0;
	/** "u64", "binary", ... */
	std::string type;
	/** min, max, min-len, max-len, exact-len, as the spec has them */
	std::map<std::string, std::int64_t> checks;
	/** Name of the set inside it, for a nest. */
	std::string nested;
};

struct SpecSet {
	std::string name;
	std::string prefix;
	std::map<std::string, SpecAttribute> attributes;
};

/** A do or a dump: names of attributes. */
struct SpecMessage {
	std::vector<std::string> request;
	std::vector<std::string> reply;
};

struct SpecOperation {
	std::string name;
	int value = 0;
	std::string set;
	std::map<std::string, SpecMessage> messages;	/* "do", "dump" */
};

struct SpecEnum {
	std::string name;
	std::string prefix;
	/** For flags: the bits' masks. */
	std::map<std::string, std::int64_t> entries;
};

struct Spec {
	std::string family;
	std::string command_prefix;
	std::vector<SpecEnum> enums;
	std::map<std::string, SpecSet> sets;
	std::vector<SpecOperation> operations;

	/** Documentation/netlink/specs/tcpcrypt.yaml */
	static Spec load();
	const SpecOperation &operation(const std::string &name) const;
};

/** Whole file; throws std::runtime_error. @p path is relative to the top of the tree. */
std::string read_file(const std::string &path);

/** "tcpcrypt-a-conn-" and "tx-bytes": TCPCRYPT_A_CONN_TX_BYTES */
std::string c_name(const std::string &prefix, const std::string &name);

#endif
