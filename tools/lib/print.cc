// SPDX-License-Identifier: GPL-2.0
// The one way out for results: text for people, JSON or one line a record for programs.
#include "print.hh"

#include <algorithm>

namespace tcpcrypt {

namespace {

constexpr std::size_t gap = 2;

const char *escape(Style style)
{
	switch (style) {
	case Style::heading:
		return "\033[1m";
	case Style::good:
		return "\033[32m";
	case Style::pending:
		return "\033[33m";
	case Style::bad:
		return "\033[31m";
	case Style::none:
		break;
	}
	return "";
}

bool is_scalar_list(const Json &value)
{
	return value.is_array() && std::ranges::none_of(value, [](const Json &item) { return item.is_structured(); });
}

/** A value without blanks stands as it is; others are quoted as in JSON. */
std::string scalar_text(const Json &value)
{
	if (!value.is_string())
		return value.dump();
	const auto &text = value.get_ref<const std::string &>();
	return text.empty() || text.find_first_of(" \t\"=,") != text.npos ? value.dump() : text;
}

void flatten_into(const std::string &key, const Json &value, std::string &line)
{
	if (value.is_null())
		return;
	if (value.is_structured() && !is_scalar_list(value)) {
		for (const auto &[name, item] : value.items())
			flatten_into(key.empty() ? name : key + "." + name, item, line);
		return;
	}
	std::string text;
	if (value.is_array()) {
		for (const Json &item : value)
			text += (text.empty() ? "" : ",") + scalar_text(item);
	} else {
		text = scalar_text(value);
	}
	line += (line.empty() ? "" : " ") + key + "=" + text;
}

} // namespace

std::string flatten(const Json &record)
{
	std::string line;
	flatten_into("", record, line);
	return line;
}

void Printer::emit(const Json &document, const std::function<void()> &text)
{
	if (options_.quiet)
		return;
	if (options_.json) {
		line(document.dump(options_.pretty ? 2 : -1));
	} else if (options_.oneline) {
		if (document.is_array())
			for (const Json &record : document)
				line(flatten(record));
		else
			line(flatten(document));
	} else {
		text();
	}
}

std::string Printer::styled(const std::string &text, Style style) const
{
	if (!options_.color || style == Style::none || text.empty())
		return text;
	return escape(style) + text + "\033[0m";
}

void Printer::table(const Table &table)
{
	std::vector<std::size_t> widths;
	std::vector<Cell> headings;
	bool headed = false;
	for (std::size_t i = 0; i < table.columns.size(); i++) {
		const std::string &heading = table.columns[i].heading;
		std::size_t width = heading.size();
		for (const auto &cells : table.rows)
			width = std::max(width, cells.at(i).text.size());
		widths.push_back(width);
		headings.push_back({heading, Style::heading});
		headed |= !heading.empty();
	}
	if (headed)
		row(table, headings, widths);
	for (const auto &cells : table.rows)
		row(table, cells, widths);
}

void Printer::row(const Table &table, const std::vector<Cell> &cells, const std::vector<std::size_t> &widths)
{
	std::string text;
	for (std::size_t i = 0; i < cells.size(); i++) {
		std::string padding(widths[i] - cells[i].text.size(), ' ');
		std::string styled_text = styled(cells[i].text, cells[i].style);
		text += table.columns[i].right ? padding + styled_text : styled_text + padding;
		if (i + 1 < cells.size())
			text.append(gap, ' ');
	}
	text.erase(text.find_last_not_of(' ') + 1);
	line(text);
}

} // namespace tcpcrypt
