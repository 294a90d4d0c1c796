// SPDX-License-Identifier: GPL-2.0
// tcpcryptctl: looks at tcpcrypt and configures it.
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "command.hh"
#include "error.hh"
#include "netns.hh"
#include "version.h"

namespace tcpcrypt {

namespace {

struct Command {
	const char *name;
	const char *summary;
	AddCommand add;
};

constexpr Command commands[] = {
	{"status", "What the module does in this network namespace (the default)", add_status},
	{"conn", "Connections that tcpcrypt has a hand in", add_conn},
	{"stats", "Counters", add_stats},
	{"cache", "Session secrets that are kept for later connections", add_cache},
	{"config", "Settings: the sysctls net.tcpcrypt.*", add_config},
	{"explain", "What a reason for a fallback or an abort means", add_explain},
};

bool use_color(const std::string &when)
{
	const char *no_color = std::getenv("NO_COLOR");
	if (when == "auto")
		return isatty(STDOUT_FILENO) && !(no_color && *no_color);
	return when == "always";
}

void add_globals(CLI::App &app, Context &context, std::string &color)
{
	app.set_help_flag("-h,--help", "Print this help");
	app.set_version_flag("-V,--version", "tcpcryptctl " TCPCRYPT_VERSION);
	app.add_flag("-j,--json", context.print.json, "Print JSON");
	app.add_flag_callback("-p,--pretty", [&] { context.print.json = context.print.pretty = true; },
			      "Print JSON over several lines");
	app.add_flag("-o,--oneline", context.print.oneline, "Print each record on one line, as key=value");
	app.add_flag("-q,--quiet", context.print.quiet, "Print no result, only errors");
	app.add_option("-n,--netns", context.netns, "Work in this network namespace")->type_name("NAME");
	add_family_flags(app, context);
	app.add_option("--color", color, "Colors: auto, always or never")
		->type_name("WHEN")
		->expected(0, 1)
		->default_str("always")
		->check(CLI::IsMember({"auto", "always", "never"}));
}

int run(int argc, char **argv)
{
	Context context;
	std::string color = "auto";
	CLI::App app("Looks at tcpcrypt, which encrypts TCP connections, and configures it.", "tcpcryptctl");
	app.require_subcommand(0, 1);
	app.fallthrough();
	add_globals(app, context, color);
	for (const Command &command : commands) {
		CLI::App *sub = app.add_subcommand(command.name, command.summary);
		sub->fallthrough();
		command.add(*sub, context);
	}
	app.footer("Exit status: 0 done, 1 usage, 2 the kernel refused, 3 tcpcrypt is not loaded, 4 permission,\n"
		   "5 a check failed. See tcpcryptctl(8).");
	try {
		app.parse(argc, argv);
	} catch (const CLI::Success &success) {
		return app.exit(success);
	} catch (const CLI::ParseError &error) {
		throw UsageError(std::string(error.what()) + "; see tcpcryptctl --help");
	}
	context.print.color = use_color(color);
	if (!context.netns.empty())
		enter_netns(context.netns);
	if (context.run)
		context.run(context);
	else
		run_status(context, false);
	std::cout.flush();
	if (!std::cout)
		throw Error(Exit::refused, "cannot write the result");
	return static_cast<int>(Exit::done);
}

} // namespace

void add_family_flags(CLI::App &app, Context &context)
{
	auto *ipv4 = app.add_flag_callback("-4", [&] { context.family = AF_INET; }, "Only IPv4 connections");
	auto *ipv6 = app.add_flag_callback("-6", [&] { context.family = AF_INET6; }, "Only IPv6 connections");
	ipv4->excludes(ipv6);
}

Printer Context::printer() const
{
	return Printer(std::cout, print);
}

} // namespace tcpcrypt

int main(int argc, char **argv)
{
	try {
		return tcpcrypt::run(argc, argv);
	} catch (const tcpcrypt::Error &error) {
		std::cerr << "tcpcryptctl: " << error.what() << '\n';
		return static_cast<int>(error.status());
	} catch (const std::exception &error) {
		std::cerr << "tcpcryptctl: " << error.what() << '\n';
		return static_cast<int>(tcpcrypt::Exit::refused);
	}
}
