// SPDX-License-Identifier: GPL-2.0
// tcpcrypt-bench: plain TCP, kTLS and tcpcrypt side by side. Documentation/benchmarks.md says how.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include "gate.hh"
#include "module.hh"
#include "network.hh"
#include "plan.hh"
#include "report.hh"

namespace bench {

namespace {

struct Options {
	Plan plan;
	Gate gate;
	std::string json;
	Variant variant;
	std::vector<std::string> aeads;
	std::vector<std::string> settings;
	std::vector<std::string> variants;
};

const std::map<std::string, Workload> workloads = {
	{"bulk", Workload::bulk},
	{"ping-pong", Workload::ping_pong},
	{"connect", Workload::connect},
};

const std::map<std::string, Kind> kinds = {
	{"plain", Kind::plain},
	{"fallback-active", Kind::fallback_active},
	{"fallback-passive", Kind::fallback_passive},
	{"tls", Kind::tls},
	{"tls-resumed", Kind::tls_resumed},
	{"ktls", Kind::ktls},
	{"tcpcrypt", Kind::tcpcrypt},
	{"tcpcrypt-resumed", Kind::tcpcrypt_resumed},
};

void add_options(CLI::App &app, Options &options)
{
	Plan &plan = options.plan;
	app.add_option("--only", plan.workloads, "Only these workloads: bulk, ping-pong, connect")
		->delimiter(',')
		->transform(CLI::CheckedTransformer(workloads));
	app.add_option("--kind", plan.kinds,
		       "Only these: plain, fallback-active, fallback-passive, tls, tls-resumed, ktls, tcpcrypt, "
		       "tcpcrypt-resumed")
		->delimiter(',')
		->transform(CLI::CheckedTransformer(kinds));
	app.add_option("--aead", options.aeads, "Only these AEADs")->delimiter(',');
	app.add_option("--connections", plan.connections, "How many at a time, of bulk (1,4)")->delimiter(',');
	app.add_option("--rounds", plan.rounds, "How often each is run")->capture_default_str();
	app.add_option("--seconds", plan.seconds, "How long each run is, about")->capture_default_str();
	app.add_option("--write-size", plan.write_size, "Bytes in one write, of bulk")->capture_default_str();
	app.add_option("--read-size", plan.read_size, "Bytes in one read, of bulk")->capture_default_str();
	app.add_option("--set", options.settings, "KEY=VALUE of net.tcpcrypt, for both ends");
	app.add_option("--json", options.json, "Also write the results to this file");
	app.add_option("--module", options.variant.module, "The .ko; $TCPCRYPT_KO unless given");
	app.add_option("--also", options.variants,
		       "Measure with these settings too: KEY=VALUE,... of net.tcpcrypt, module=FILE for another .ko");
	app.add_option("--gate", options.gate.baseline,
		       "Count instructions (where the clock does), and compare with this file");
	app.add_flag("--update", options.gate.update, "Write that file");
}

Variant::Setting parse_setting(const std::string &word)
{
	std::size_t equals = word.find('=');
	if (equals == word.npos)
		throw std::runtime_error(word + " is not KEY=VALUE");
	return {word.substr(0, equals), word.substr(equals + 1)};
}

/* The usual one, and what --also adds to it. */
std::vector<Variant> parse_variants(const Options &options)
{
	std::vector<Variant> variants = {options.variant};
	for (const std::string &word : options.settings)
		variants[0].settings.push_back(parse_setting(word));
	for (const std::string &words : options.variants) {
		Variant variant = variants[0];
		variant.name = words;
		for (const std::string &word : CLI::detail::split(words, ',')) {
			Variant::Setting setting = parse_setting(word);
			if (setting.key == "module")
				variant.module = setting.value;
			else
				variant.settings.push_back(setting);
		}
		variants.push_back(variant);
	}
	return variants;
}

std::vector<const Aead *> parse_aeads(const std::vector<std::string> &names)
{
	std::vector<const Aead *> aeads;
	for (const Aead &aead : all_aeads()) {
		if (names.empty() || std::find(names.begin(), names.end(), aead.name) != names.end())
			aeads.push_back(&aead);
	}
	if (aeads.size() < names.size())
		throw std::runtime_error("--aead: there are aes-128-gcm, aes-256-gcm and chacha20-poly1305");
	return aeads;
}

int run(int argc, char **argv)
{
	Options options;
	if (const char *path = std::getenv("TCPCRYPT_KO"))
		options.variant.module = path;
	CLI::App app("Measures plain TCP, kTLS and tcpcrypt side by side.", "tcpcrypt-bench");
	add_options(app, options);
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &error) {
		return app.exit(error);
	}
	options.plan.aeads = parse_aeads(options.aeads);
	options.plan.variants = parse_variants(options);

	Network network;
	Module module(network);
	if (!options.gate.baseline.empty())
		return run_gate(network, module, options.plan.variants[0], options.gate);
	bool with_ktls = std::count(options.plan.kinds.begin(), options.plan.kinds.end(), Kind::ktls);
	load_drivers(with_ktls);
	std::vector<Row> rows = make_rows(run_plan(network, module, options.plan));
	for (const Aead *aead : options.plan.aeads)
		std::cout << aead->name << " is done by " << driver_of(*aead) << '\n';
	print_table(std::cout, rows);
	if (!options.json.empty())
		write_json(options.json, rows);
	return 0;
}

} // namespace

} // namespace bench

int main(int argc, char **argv)
{
	try {
		return bench::run(argc, argv);
	} catch (const std::exception &error) {
		std::cerr << "tcpcrypt-bench: " << error.what() << '\n';
		return 1;
	}
}
