// SPDX-License-Identifier: GPL-2.0
// tcpcryptctl explain
#include <memory>

#include "command.hh"
#include "error.hh"
#include "view.hh"

namespace tcpcrypt {

namespace {

void run_explain(Context &context, const std::string &reason)
{
	std::span<const Explanation> wanted = explanations();
	if (!reason.empty()) {
		const Explanation *found = explain(reason);
		if (!found)
			throw UsageError("there is no reason '" + reason + "'; `tcpcryptctl explain` lists them");
		wanted = {found, 1};
	}
	Printer printer = context.printer();
	print_explanations(printer, wanted);
}

} // namespace

void add_explain(CLI::App &app, Context &context)
{
	auto reason = std::make_shared<std::string>();
	app.add_option("REASON", *reason, "Its name, as `stats` prints it; all of them if none is given")->type_name("");
	app.callback([&context, reason] {
		context.run = [reason](Context &chosen) { run_explain(chosen, *reason); };
	});
}

} // namespace tcpcrypt
