// SPDX-License-Identifier: GPL-2.0
// tcpcryptctl stats
#include <memory>

#include "command.hh"
#include "view.hh"

namespace tcpcrypt {

void add_stats(CLI::App &app, Context &context)
{
	auto all = std::make_shared<bool>(false);
	app.add_flag("-a,--all", *all, "Reasons that never occurred, too");
	app.callback([&context, all] {
		context.run = [all](Context &chosen) {
			Printer printer = chosen.printer();
			print_counters(printer, Client().counters(), *all);
		};
	});
}

} // namespace tcpcrypt
