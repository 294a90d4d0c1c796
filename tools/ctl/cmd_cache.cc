// SPDX-License-Identifier: GPL-2.0
// tcpcryptctl cache
#include "command.hh"
#include "view.hh"

namespace tcpcrypt {

namespace {

void run_show(Context &context)
{
	Printer printer = context.printer();
	print_cache(printer, Client().info(), Client().counters());
}

} // namespace

void add_cache(CLI::App &app, Context &context)
{
	app.require_subcommand(0, 1);
	app.add_subcommand("show", "How many there are, and what they were good for (the default)");
	CLI::App *flush = app.add_subcommand("flush", "Wipe them: the next connections make a key exchange");
	app.callback([&context, flush] {
		if (*flush)
			context.run = [](Context &) { Client().flush_cache(); };
		else
			context.run = run_show;
	});
}

} // namespace tcpcrypt
