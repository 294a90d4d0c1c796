// SPDX-License-Identifier: GPL-2.0
// tcpcryptctl conn
#include <charconv>
#include <memory>

#include "command.hh"
#include "control/names.h"
#include "error.hh"
#include "view.hh"

namespace tcpcrypt {

namespace {

struct Show {
	std::vector<std::string> words;
	bool wide = false;
};

/** What `conn show` is to list: those that match a filter, or one. */
struct Selection {
	Filter filter;
	std::optional<std::uint64_t> cookie;
};

std::uint32_t parse_state(const std::string &word)
{
	std::string all;
	for (std::uint32_t state = TCPCRYPT_STATE_SYN_SENT; state <= TCPCRYPT_STATE_ABORTED; state++) {
		std::string name = state_text(state);
		if (word == name)
			return state;
		all += (all.empty() ? "" : ", ") + name;
	}
	throw UsageError("'" + word + "' is not a state; they are: " + all);
}

std::uint64_t parse_cookie(const std::string &word)
{
	std::uint64_t cookie;
	const char *end = word.data() + word.size();
	auto [rest, error] = std::from_chars(word.data(), end, cookie, 16);
	if (error != std::errc() || rest != end)
		throw UsageError("'" + word + "' is not an ID as `conn show` prints it");
	return cookie;
}

void select(Selection &selection, const std::string &key, const std::string &value)
{
	Filter &filter = selection.filter;
	if (key == "src")
		filter.local = Prefix::parse(value);
	else if (key == "dst")
		filter.remote = Prefix::parse(value);
	else if (key == "sport")
		filter.local_port = parse_port(value);
	else if (key == "dport")
		filter.remote_port = parse_port(value);
	else if (key == "state")
		filter.state = parse_state(value);
	else if (key == "id")
		selection.cookie = parse_cookie(value);
	else
		throw UsageError("'" + key + "' is not one of src, dst, sport, dport, state, id");
}

Selection parse_selection(const Show &show, int family)
{
	Selection selection;
	selection.filter.family = family;
	if (show.words.size() % 2 != 0)
		throw UsageError("'" + show.words.back() + "' needs a value; see tcpcryptctl conn show --help");
	for (std::size_t i = 0; i < show.words.size(); i += 2)
		select(selection, show.words[i], show.words[i + 1]);
	if (selection.cookie && show.words.size() > 2)
		throw UsageError("an id names one connection: other filters make no sense beside it");
	return selection;
}

void run_show(Context &context, const Show &show)
{
	Selection selection = parse_selection(show, context.family);
	Client client;
	Names names(client.info());
	std::vector<Connection> connections;
	if (selection.cookie)
		connections.push_back(client.connection(*selection.cookie));
	else
		connections = client.connections(selection.filter);
	Printer printer = context.printer();
	print_connections(printer, connections, names, show.wide);
}

} // namespace

void add_conn(CLI::App &app, Context &context)
{
	app.require_subcommand(0, 1);
	add_family_flags(app, context);
	auto options = std::make_shared<Show>();
	CLI::App *show = app.add_subcommand("show", "List connections (the default)");
	show->add_option("FILTER", options->words,
			 "src PREFIX, dst PREFIX, sport PORT, dport PORT, state STATE, or id ID: "
			 "connections that match all of them")
		->type_name("");
	show->add_flag("-w,--wide", options->wide, "Session IDs in full");
	add_family_flags(*show, context);
	app.callback([&context, options] {
		context.run = [options](Context &chosen) { run_show(chosen, *options); };
	});
}

} // namespace tcpcrypt
