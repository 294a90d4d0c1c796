/* SPDX-License-Identifier: GPL-2.0 */
/* The one way out for results: text for people, JSON or one line a record for programs. */
#ifndef TCPCRYPT_TOOLS_PRINT_HH
#define TCPCRYPT_TOOLS_PRINT_HH

#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

namespace tcpcrypt {

using Json = nlohmann::ordered_json;

struct PrintOptions {
	bool json = false;
	/** JSON over several lines. */
	bool pretty = false;
	/** Each record on one line, as key=value. */
	bool oneline = false;
	/** No result at all: the exit status says it. */
	bool quiet = false;
	bool color = false;
};

enum class Style { none, heading, good, pending, bad };

struct Cell {
	std::string text;
	Style style = Style::none;
};

struct Table {
	struct Column {
		std::string heading;
		bool right = false;
	};
	std::vector<Column> columns;
	std::vector<std::vector<Cell>> rows;
};

class Printer {
public:
	Printer(std::ostream &out, PrintOptions options) : out_(out), options_(options) {}

	/** The result of a command: @p document, or what @p text prints by the functions below. */
	void emit(const Json &document, const std::function<void()> &text);

	void line(const std::string &text) { out_ << text << '\n'; }
	/** Columns as wide as their widest cell; no heading line when all headings are empty. */
	void table(const Table &table);
	std::string styled(const std::string &text, Style style) const;

private:
	void row(const Table &table, const std::vector<Cell> &cells, const std::vector<std::size_t> &widths);

	std::ostream &out_;
	PrintOptions options_;
};

/** "a.b=1 c=x,y": what is absent (null) is left out. */
std::string flatten(const Json &record);

} // namespace tcpcrypt

#endif
