// SPDX-License-Identifier: GPL-2.0
// The regression gate: instructions for each byte and each connection, where virtual time counts them.
#include "gate.hh"

#include <sys/utsname.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "plan.hh"
#include "process.hh"

namespace bench {

/* QEMU's -icount shift=1: each instruction takes 2 ns of virtual time. */
static constexpr double seconds_per_instruction = 2e-9;

static constexpr std::uint64_t mebibyte = 1 << 20;

/*
 * What is counted. Bulk transfers depend a little on how segments and reads happen to meet: the median of several
 * varies by less than 0.3 %, the others by less than 0.1 %.
 */
static constexpr unsigned int bulk_runs = 5;
static constexpr Job plain_bulk = {.workload = Workload::bulk, .warm_up = 16 * mebibyte, .amount = 112 * mebibyte};
static constexpr Job bulk = {.workload = Workload::bulk, .warm_up = 8 * mebibyte, .amount = 24 * mebibyte};
static constexpr Job ping_pong = {.workload = Workload::ping_pong, .warm_up = 200, .amount = 2000};
static constexpr Job connect = {.workload = Workload::connect, .warm_up = 50, .amount = 300};
/* Few instructions each, and now and then many together: what RCU and the allocator put off. */
static constexpr Job plain_connect = {.workload = Workload::connect, .warm_up = 50, .amount = 3000};

struct Count {
	std::string name;
	double instructions;
	std::string unit;
	/** Of the row that does the same without the module, or empty: then this is such a row. */
	std::string reference;
};

using Json = nlohmann::ordered_json;

static std::string name_of(const Subject &subject, const Job &job)
{
	return std::string(workload_name(job.workload)) + ", " + subject.text();
}

static Count count(const Network &network, Module &module, const Subject &subject, const Job &job)
{
	std::vector<double> seconds;
	for (unsigned int i = 0; i < (job.workload == Workload::bulk ? bulk_runs : 1); i++)
		seconds.push_back(run_proved(network, module, subject, job));
	Count result;
	result.name = name_of(subject, job);
	result.instructions = median_of(seconds) / seconds_per_instruction / static_cast<double>(job.amount);
	result.unit = job.workload == Workload::bulk	    ? "instructions/byte"
		      : job.workload == Workload::ping_pong ? "instructions/round trip"
							    : "instructions/connection";
	if (subject.kind == Kind::tcpcrypt && job.workload != Workload::connect)
		result.reference = name_of({Kind::ktls, subject.aead}, job);
	else if (subject.loaded())
		result.reference = name_of({Kind::plain}, job);
	std::fprintf(stderr, "%-60s %12.3f %s\n", result.name.c_str(), result.instructions, result.unit.c_str());
	return result;
}

static std::vector<Count> count_all(const Network &network, Module &module, const Variant &variant)
{
	std::vector<Count> counts;
	auto add = [&](Kind kind, const Aead *aead, const std::vector<Job> &jobs) {
		Subject subject{kind, aead};
		subject.variant = subject.loaded() ? &variant : nullptr;
		for (const Job &job : jobs)
			counts.push_back(count(network, module, subject, job));
	};
	load_drivers(true);
	// The first run finds caches empty that later ones find filled.
	run_proved(network, module, {Kind::plain}, bulk);
	run_proved(network, module, {Kind::tcpcrypt, &all_aeads()[0], &variant}, bulk);
	for (Kind kind : {Kind::plain, Kind::fallback_active, Kind::fallback_passive})
		add(kind, nullptr, {plain_bulk, ping_pong, plain_connect});
	for (const Aead &aead : all_aeads())
		add(Kind::ktls, &aead, {bulk, ping_pong});
	for (const Aead &aead : all_aeads())
		add(Kind::tcpcrypt, &aead, {bulk, ping_pong, connect});
	return counts;
}

static std::string release()
{
	utsname names;
	check(uname(&names), "uname");
	return names.release;
}

static void write_baseline(const std::string &path, const std::vector<Count> &counts)
{
	Json list = Json::array();
	for (const Count &count : counts)
		list.push_back({{"name", count.name}, {"instructions", count.instructions}, {"unit", count.unit}});
	std::ofstream file(path);
	file << Json{{"kernel", release()}, {"counts", list}}.dump(2) << std::endl;
	if (!file)
		throw std::runtime_error("cannot write " + path);
}

static double find(const std::vector<Count> &counts, const std::string &name)
{
	for (const Count &count : counts) {
		if (count.name == name)
			return count.instructions;
	}
	throw std::runtime_error("nothing is named '" + name + "'");
}

static std::vector<Count> read_baseline(const std::string &path, std::string &kernel)
{
	std::ifstream file(path);
	if (!file)
		throw std::runtime_error("cannot read " + path + "; --update writes it");
	Json json = Json::parse(file);
	std::vector<Count> counts;
	kernel = json.at("kernel");
	for (const Json &count : json.at("counts"))
		counts.push_back({count.at("name"), count.at("instructions"), count.at("unit"), ""});
	return counts;
}

/* What was counted with another kernel tells how much more than plain TCP or kTLS there is to do. */
static double expected(const Count &now, const std::vector<Count> &counts, const std::vector<Count> &baseline,
		       bool same_kernel)
{
	double before = find(baseline, now.name);
	return same_kernel ? before : before * find(counts, now.reference) / find(baseline, now.reference);
}

static int compare(const Gate &gate, const std::vector<Count> &counts)
{
	std::string kernel;
	std::vector<Count> baseline = read_baseline(gate.baseline, kernel);
	bool same_kernel = kernel == release();
	if (!same_kernel)
		std::printf("%s is from kernel %s, this is %s: comparing what there is to do beyond plain TCP or kTLS\n",
			    gate.baseline.c_str(), kernel.c_str(), release().c_str());
	unsigned int worse = 0, better = 0;
	for (const Count &now : counts) {
		if (now.reference.empty())
			continue;
		double change = now.instructions / expected(now, counts, baseline, same_kernel) - 1;
		bool is_worse = change > gate.tolerance, is_better = change < -gate.tolerance;
		worse += is_worse;
		better += is_better;
		std::printf("%-60s %12.3f %-24s %+6.2f %%%s\n", now.name.c_str(), now.instructions, now.unit.c_str(),
			    change * 100, is_worse ? "  WORSE" : is_better ? "  better" : "");
	}
	if (worse)
		std::printf("%u became slower than %s has it\n", worse, gate.baseline.c_str());
	else if (better)
		std::printf("%u became faster: scripts/bench-gate --update puts that on record\n", better);
	return worse ? 1 : 0;
}

int run_gate(const Network &network, Module &module, const Variant &variant, const Gate &gate)
{
	std::vector<Count> counts = count_all(network, module, variant);
	if (!gate.update)
		return compare(gate, counts);
	write_baseline(gate.baseline, counts);
	return 0;
}

} // namespace bench
