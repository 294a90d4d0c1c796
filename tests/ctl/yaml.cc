// SPDX-License-Identifier: GPL-2.0
// A reader for the part of YAML that netlink specs use.
#include "yaml.hh"

#include <charconv>
#include <map>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace {

using Json = nlohmann::ordered_json;

struct Line {
	std::size_t number;
	std::size_t indent;
	std::string text;
};

Json scalar(const std::string &text)
{
	if (text == "true" || text == "false")
		return text == "true";
	std::int64_t number;
	const char *end = text.data() + text.size();
	auto [rest, error] = std::from_chars(text.data(), end, number);
	if (error == std::errc() && rest == end)
		return number;
	return text;
}

class Reader {
public:
	explicit Reader(const std::string &text)
	{
		std::istringstream in(text);
		std::string line;
		for (std::size_t number = 1; std::getline(in, line); number++) {
			std::size_t indent = line.find_first_not_of(' ');
			if (indent == line.npos || line[indent] == '#' || line == "---")
				continue;
			lines_.push_back({number, indent, line.substr(indent)});
		}
	}

	Json document()
	{
		Json value = block(0);
		if (next_ != lines_.size())
			fail("not expected here");
		return value;
	}

private:
	[[noreturn]] void fail(const std::string &what) const
	{
		std::string where = next_ < lines_.size() ? std::to_string(lines_[next_].number) : "end";
		throw std::runtime_error("yaml, line " + where + ": " + what);
	}

	bool at(std::size_t indent) const { return next_ < lines_.size() && lines_[next_].indent == indent; }
	bool deeper(std::size_t indent) const { return next_ < lines_.size() && lines_[next_].indent > indent; }
	static bool is_item(const std::string &text) { return text == "-" || text.starts_with("- "); }

	Json block(std::size_t indent)
	{
		if (!at(indent))
			fail("a block should start here");
		return is_item(lines_[next_].text) ? sequence(indent) : mapping(indent);
	}

	Json sequence(std::size_t indent)
	{
		Json list = Json::array();
		while (at(indent) && is_item(lines_[next_].text)) {
			std::string text = lines_[next_++].text;
			if (text == "-")
				list.push_back(block(inner(indent)));
			else
				list.push_back(scalar(text.substr(2)));
		}
		return list;
	}

	Json mapping(std::size_t indent)
	{
		Json object = Json::object();
		while (at(indent)) {
			const std::string &text = lines_[next_].text;
			std::size_t colon = text.find(':');
			if (colon == text.npos || (colon + 1 < text.size() && text[colon + 1] != ' '))
				fail("'key: value' should be here");
			std::string key = text.substr(0, colon);
			std::string rest = colon + 2 < text.size() ? text.substr(colon + 2) : "";
			if (object.contains(key))
				fail("'" + key + "' occurs twice");
			next_++;
			object[key] = value(indent, rest);
		}
		return object;
	}

	Json value(std::size_t indent, const std::string &rest)
	{
		if (rest == ">-")
			return folded(indent);
		if (rest.starts_with("*"))
			return anchors_.at(rest.substr(1));
		if (!rest.empty() && !rest.starts_with("&"))
			return scalar(rest);
		Json inside = block(inner(indent));
		if (!rest.empty())
			anchors_[rest.substr(1)] = inside;
		return inside;
	}

	std::size_t inner(std::size_t indent) const
	{
		if (!deeper(indent))
			fail("something indented should be here");
		return lines_[next_].indent;
	}

	std::string folded(std::size_t indent)
	{
		std::string text;
		while (deeper(indent))
			text += (text.empty() ? "" : " ") + lines_[next_++].text;
		return text;
	}

	std::vector<Line> lines_;
	std::size_t next_ = 0;
	std::map<std::string, Json> anchors_;
};

} // namespace

nlohmann::ordered_json read_yaml(const std::string &text)
{
	return Reader(text).document();
}
