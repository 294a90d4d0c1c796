/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands of tcpcryptctl get, and how they are entered in its table. */
#ifndef TCPCRYPT_CTL_COMMAND_HH
#define TCPCRYPT_CTL_COMMAND_HH

#include <CLI/CLI.hpp>

#include <functional>
#include <string>

#include "client.hh"
#include "print.hh"

namespace tcpcrypt {

/** What holds for every command; complete when one runs. */
struct Context {
	PrintOptions print;
	std::string netns;
	/** AF_UNSPEC, or what -4 or -6 asked for. */
	int family = AF_UNSPEC;
	/** The one that the command line chose: throws Error. */
	std::function<void(Context &)> run;

	Printer printer() const;
};

/** Adds its options and verbs to @p app, and sets Context::run when it is chosen. */
using AddCommand = void (*)(CLI::App &app, Context &context);

/* One a file. */
void add_status(CLI::App &app, Context &context);
void add_conn(CLI::App &app, Context &context);
void add_cache(CLI::App &app, Context &context);
void add_stats(CLI::App &app, Context &context);
void add_config(CLI::App &app, Context &context);
void add_explain(CLI::App &app, Context &context);

/**
 * -4 and -6. They are global, but a command that takes words needs them once more: CLI11 takes an option
 * that starts with a digit for a word where it is not declared.
 */
void add_family_flags(CLI::App &app, Context &context);

/** What the bare command does. */
void run_status(Context &context, bool require);

} // namespace tcpcrypt

#endif
