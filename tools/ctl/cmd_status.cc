// SPDX-License-Identifier: GPL-2.0
// tcpcryptctl status
#include <sys/utsname.h>

#include <memory>

#include "command.hh"
#include "error.hh"
#include "settings.hh"
#include "view.hh"

namespace tcpcrypt {

namespace {

/** Settings help to understand the rest, which is of use without them. */
std::vector<Setting> settings_if_any()
{
	try {
		return Settings().all();
	} catch (const std::exception &) {
		return {};
	}
}

void require_enabled(const Status &status)
{
	if (status.info.draining)
		throw Error(Exit::check_failed, "tcpcrypt is loaded, but makes no new encrypted connections: it is draining");
	for (const Setting &setting : status.settings)
		if (setting.kind == SettingKind::enable && setting.value == "0")
			throw Error(Exit::check_failed, "tcpcrypt is loaded, but switched off here: net.tcpcrypt." +
				    setting.key + " is 0");
}

} // namespace

void run_status(Context &context, bool require)
{
	utsname names{};
	uname(&names);
	Client client;
	Status status{
		.kernel = names.release,
		.info = client.info(),
		.counters = client.counters(),
		.settings = settings_if_any(),
	};
	Printer printer = context.printer();
	print_status(printer, status);
	if (require)
		require_enabled(status);
}

void add_status(CLI::App &app, Context &context)
{
	auto require = std::make_shared<bool>(false);
	app.add_flag("--require", *require, "Fail (exit status 5) unless new connections are offered encryption");
	app.callback([&context, require] {
		context.run = [require](Context &chosen) { run_status(chosen, *require); };
	});
}

} // namespace tcpcrypt
