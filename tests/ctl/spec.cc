// SPDX-License-Identifier: GPL-2.0
// The netlink spec, in the form that the tests compare.
#include "spec.hh"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "yaml.hh"

namespace {

using Json = nlohmann::ordered_json;

SpecEnum read_enum(const Json &definition, const std::string &family)
{
	SpecEnum result;
	result.name = definition.at("name");
	result.prefix = definition.value("name-prefix", family + "-" + result.name + "-");
	bool flags = definition.at("type") == "flags";
	std::int64_t next = 0;
	for (const Json &entry : definition.at("entries")) {
		if (entry.is_object() && entry.contains("value"))
			next = entry.at("value");
		std::string name = entry.is_object() ? entry.at("name") : entry;
		result.entries[name] = flags ? std::int64_t{1} << next : next;
		next++;
	}
	return result;
}

SpecSet read_set(const Json &set)
{
	SpecSet result;
	result.name = set.at("name");
	result.prefix = set.at("name-prefix");
	int next = 1;
	for (const Json &attribute : set.at("attributes")) {
		next = attribute.value("value", next);
		SpecAttribute &entry = result.attributes[attribute.at("name")];
		entry.value = next++;
		entry.type = attribute.at("type");
		entry.nested = attribute.value("nested-attributes", "");
		Json checks = attribute.value("checks", Json::object());
		for (const auto &[check, limit] : checks.items())
			entry.checks[check] = limit;
	}
	return result;
}

SpecMessage read_message(const Json &message)
{
	SpecMessage result;
	if (message.contains("request"))
		result.request = message.at("request").at("attributes");
	if (message.contains("reply"))
		result.reply = message.at("reply").at("attributes");
	return result;
}

} // namespace

Spec Spec::load()
{
	Json yaml = read_yaml(read_file("Documentation/netlink/specs/tcpcrypt.yaml"));
	Spec spec;
	spec.family = yaml.at("name");
	for (const Json &definition : yaml.at("definitions"))
		spec.enums.push_back(read_enum(definition, spec.family));
	for (const Json &set : yaml.at("attribute-sets"))
		spec.sets[set.at("name")] = read_set(set);
	spec.command_prefix = yaml.at("operations").at("name-prefix");
	int next = 1;
	for (const Json &operation : yaml.at("operations").at("list")) {
		SpecOperation &entry = spec.operations.emplace_back();
		entry.name = operation.at("name");
		next = operation.value("value", next);
		entry.value = next++;
		entry.set = operation.at("attribute-set");
		for (const char *kind : {"do", "dump"})
			if (operation.contains(kind))
				entry.messages[kind] = read_message(operation.at(kind));
	}
	return spec;
}

const SpecOperation &Spec::operation(const std::string &name) const
{
	auto found = std::ranges::find(operations, name, &SpecOperation::name);
	if (found == operations.end())
		throw std::runtime_error("the spec has no operation " + name);
	return *found;
}

std::string read_file(const std::string &path)
{
	const char *top = std::getenv("TCPCRYPT_TOP");	/* where tests/run is, else where this was built */
	std::ifstream file(std::string(top ? top : TCPCRYPT_TOP) + "/" + path);
	if (!file)
		throw std::runtime_error("cannot open " + path);
	return {std::istreambuf_iterator<char>(file), {}};
}

std::string c_name(const std::string &prefix, const std::string &name)
{
	std::string text = prefix + name;
	for (char &c : text)
		c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
	return text;
}
