// SPDX-License-Identifier: GPL-2.0
// tcpcryptctl config
#include <memory>

#include "command.hh"
#include "error.hh"
#include "settings.hh"
#include "view.hh"

namespace tcpcrypt {

namespace {

using Words = std::vector<std::string>;

void run_show(Context &context, const Words &keys)
{
	Settings settings;
	std::vector<Setting> found;
	if (keys.empty())
		found = settings.all();
	for (const std::string &key : keys) {
		auto setting = settings.get(key);
		if (!setting && settings.all().empty())
			throw NotLoaded();
		if (!setting)
			throw UsageError("there is no setting '" + key + "'; `tcpcryptctl config show` lists them");
		found.push_back(*setting);
	}
	Printer printer = context.printer();
	print_settings(printer, found);
}

/** Names of the enable settings' values are as good as their numbers. */
std::string to_value(const Settings &settings, const std::string &key, const std::string &word)
{
	auto setting = settings.get(key);
	if (!setting || setting->kind != SettingKind::enable)
		return word;
	for (const char *number : {"0", "1", "2"})
		if (word == enable_text(number))
			return number;
	return word;
}

void run_set(const Words &words)
{
	Settings settings;
	for (std::size_t i = 0; i < words.size(); i++) {
		std::string key = words[i];
		std::string value;
		if (std::size_t equals = key.find('='); equals != key.npos) {
			value = key.substr(equals + 1);
			key.resize(equals);
		} else if (++i < words.size()) {
			value = words[i];
		} else {
			throw UsageError("'" + key + "' needs a value");
		}
		settings.set(key, to_value(settings, key, value));
	}
}

} // namespace

void add_config(CLI::App &app, Context &context)
{
	app.require_subcommand(0, 1);
	auto keys = std::make_shared<Words>();
	auto changes = std::make_shared<Words>();
	CLI::App *show = app.add_subcommand("show", "Print settings (the default)");
	show->add_option("KEY", *keys, "Only these")->type_name("");
	CLI::App *set = app.add_subcommand("set", "Change settings, until the next boot");
	set->add_option("CHANGE", *changes, "KEY=VALUE, or KEY VALUE")->type_name("")->required();
	app.callback([&context, set, keys, changes] {
		bool change = set->parsed();
		context.run = [change, keys, changes](Context &chosen) {
			if (change)
				run_set(*changes);
			else
				run_show(chosen, *keys);
		};
	});
}

} // namespace tcpcrypt
