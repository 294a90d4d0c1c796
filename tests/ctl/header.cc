// SPDX-License-Identifier: GPL-2.0
// The enums of the uapi header, read from its text.
#include "header.hh"

#include <charconv>
#include <stdexcept>
#include <string_view>

namespace {

using Constants = std::map<std::string, std::int64_t>;

std::string without_comments(std::string text)
{
	std::size_t start;
	while ((start = text.find("/*")) != text.npos) {
		std::size_t end = text.find("*/", start);
		if (end == text.npos)
			throw std::runtime_error("header: a comment without an end");
		text.erase(start, end + 2 - start);
	}
	return text;
}

std::string_view trim(std::string_view text)
{
	constexpr auto blank = " \t\n";
	std::size_t start = text.find_first_not_of(blank);
	if (start == text.npos)
		return {};
	return text.substr(start, text.find_last_not_of(blank) + 1 - start);
}

std::int64_t number(std::string_view text)
{
	std::int64_t value;
	auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if (error != std::errc() || end != text.data() + text.size())
		throw std::runtime_error("header: cannot read the value '" + std::string(text) + "'");
	return value;
}

std::int64_t evaluate(std::string_view text, const Constants &known)
{
	if (text.starts_with("1 << "))
		return std::int64_t{1} << number(text.substr(5));
	if (text.ends_with(" - 1"))
		return known.at(std::string(text.substr(0, text.size() - 4))) - 1;
	return number(text);
}

Constants read_constants(std::string_view body)
{
	Constants constants;
	std::int64_t next = 0;
	while (!body.empty()) {
		std::size_t comma = std::min(body.find(','), body.size());
		std::string_view constant = trim(body.substr(0, comma));
		body.remove_prefix(std::min(comma + 1, body.size()));
		if (constant.empty())
			continue;
		std::size_t equals = constant.find('=');
		if (equals != constant.npos)
			next = evaluate(trim(constant.substr(equals + 1)), constants);
		constants[std::string(trim(constant.substr(0, equals)))] = next++;
	}
	return constants;
}

} // namespace

Enums read_enums(const std::string &header)
{
	std::string text = without_comments(header);
	Enums enums;
	std::size_t at = 0;
	while ((at = text.find("enum ", at)) != text.npos) {
		std::size_t open = text.find('{', at);
		std::size_t close = text.find('}', at);
		if (open == text.npos || close == text.npos)
			throw std::runtime_error("header: an enum without its body");
		std::string name(trim(std::string_view(text).substr(at + 5, open - at - 5)));
		enums[name] = read_constants(std::string_view(text).substr(open + 1, close - open - 1));
		at = close;
	}
	return enums;
}
