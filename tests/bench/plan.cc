// SPDX-License-Identifier: GPL-2.0
// What is run, how often and in which order: everything in turn, round after round.
#include "plan.hh"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <stdexcept>

#include "process.hh"

namespace bench {

/* No run takes nearly that long; one that does hangs. */
static constexpr unsigned int hang_seconds = 120;
/* An exchange of keys goes on after its application has closed. */
static constexpr unsigned int settle_attempts = 100;
static constexpr useconds_t settle_pause = 10000;

/* What the first run of a case does; it tells how much fills the time. */
static constexpr std::uint64_t first_bytes = 48 << 20;
static constexpr std::uint64_t first_trips = 1000;
static constexpr std::uint64_t first_connections = 200;
/* Enough for windows to have grown. */
static constexpr std::uint64_t warm_up_bytes = 24 << 20;
static constexpr std::uint64_t warm_up_calls = 100;
/* Where the first run was slowed down by something else, it tells too little. */
static constexpr std::uint64_t min_bytes = 64 << 20;
/* A connection leaves its port in TIME-WAIT. */
static constexpr std::uint64_t max_connections = 20000;

void load_drivers(bool with_ktls)
{
	if (with_ktls && access("/proc/net/tls_stat", F_OK) < 0)
		run_command({"modprobe", "tls"});
	// Those that fit the machine; what it lacks is done by the generic ones.
	for (const char *name : {"aesni-intel", "ghash-clmulni-intel", "chacha-x86_64", "poly1305-x86_64", "gcm",
				 "chacha20poly1305"})
		run_command({"modprobe", "-q", name}, true);
}

static std::string running;

static void report_hang(int)
{
	static const char text[] = "tcpcrypt-bench: hangs: ";
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)!write(STDERR_FILENO, running.data(), running.size());
	(void)!write(STDERR_FILENO, "\n", 1);
	_exit(1);
}

/* Every connection has counted itself as what it should be. */
static void prove(const Module &module, const Subject &subject, const std::vector<std::uint64_t> &before,
		  std::uint64_t connections)
{
	std::vector<std::uint64_t> after;
	// With an empty cache the first one has nothing to resume.
	std::uint64_t least = connections - (subject.kind == Kind::tcpcrypt_resumed ? 1 : 0);
	for (unsigned int i = 0; i < settle_attempts; i++) {
		after = module.counters(subject);
		bool all = true;
		for (std::size_t end = 0; end < after.size(); end++)
			all = all && after[end] - before[end] >= least && after[end] - before[end] <= connections;
		if (all)
			return;
		usleep(settle_pause);
	}
	std::string counts;
	for (std::size_t end = 0; end < after.size(); end++)
		counts += " " + std::to_string(after[end] - before[end]);
	throw std::runtime_error("of " + std::to_string(connections) + " connections, the ends counted only" + counts);
}

double run_proved(const Network &network, Module &module, const Subject &subject, const Job &job)
{
	running = std::string(workload_name(job.workload)) + ", " + std::to_string(job.connections) + " connections, " +
		  subject.text();
	std::signal(SIGALRM, report_hang);
	alarm(hang_seconds);
	try {
		module.arrange(subject);
		std::vector<std::uint64_t> before = module.counters(subject);
		double seconds = run_job(network, subject, job);
		prove(module, subject, before, connections_of(job));
		alarm(0);
		return seconds;
	} catch (const std::exception &error) {
		alarm(0);
		throw std::runtime_error(running + ": " + error.what());
	}
}

static bool encrypted(Kind kind)
{
	return kind == Kind::ktls || kind == Kind::tcpcrypt || kind == Kind::tcpcrypt_resumed;
}

/* What is to be compared stands side by side. */
static std::vector<Subject> make_subjects(const Plan &plan, Workload workload)
{
	std::vector<Subject> subjects;
	auto add = [&](const Subject &subject) {
		// kTLS has no handshake of its own that could be compared.
		if (subject.kind == Kind::ktls && workload == Workload::connect)
			return;
		// And OpenSSL is here for its handshake alone, as is resumption.
		if ((subject.tls() || subject.resumed()) && workload != Workload::connect)
			return;
		if (!subject.loaded())
			subjects.push_back(subject);
		for (std::size_t i = 0; subject.loaded() && i < plan.variants.size(); i++)
			subjects.push_back({subject.kind, subject.aead, &plan.variants[i]});
	};
	for (Kind kind : plan.kinds) {
		if (!encrypted(kind))
			add({kind});
	}
	for (const Aead *aead : plan.aeads) {
		for (Kind kind : plan.kinds) {
			if (encrypted(kind))
				add({kind, aead});
		}
	}
	return subjects;
}

static std::vector<Series> make_series(const Plan &plan)
{
	std::vector<Series> all;
	for (Workload workload : plan.workloads) {
		bool bulk = workload == Workload::bulk;
		for (unsigned int connections : bulk ? plan.connections : std::vector<unsigned int>{1}) {
			for (const Subject &subject : make_subjects(plan, workload))
				all.push_back({workload, connections, subject, {}});
		}
	}
	return all;
}

static Job first_job(const Series &series, const Plan &plan)
{
	Job job{series.workload, series.connections};
	job.write_size = plan.write_size;
	job.read_size = plan.read_size;
	switch (series.workload) {
	case Workload::bulk:
		job.warm_up = warm_up_bytes;
		job.amount = first_bytes;
		break;
	case Workload::ping_pong:
		job.warm_up = warm_up_calls;
		job.amount = first_trips;
		break;
	case Workload::connect:
		job.warm_up = warm_up_calls;
		job.amount = first_connections;
	}
	return job;
}

/* One job a series, with an amount that takes about as long as the plan says. */
static std::vector<Job> calibrate(const Network &network, Module &module, const Plan &plan,
				  const std::vector<Series> &all)
{
	std::vector<Job> jobs;
	for (const Series &series : all) {
		Job job = first_job(series, plan);
		double seconds = run_proved(network, module, series.subject, job);
		job.amount = static_cast<std::uint64_t>(static_cast<double>(job.amount) * plan.seconds / seconds) + 1;
		if (job.workload == Workload::connect)
			job.amount = std::min(job.amount, max_connections);
		if (job.workload == Workload::bulk)
			job.amount = std::max(job.amount, min_bytes);
		jobs.push_back(job);
	}
	return jobs;
}

std::vector<Series> run_plan(const Network &network, Module &module, const Plan &plan)
{
	std::vector<Series> all = make_series(plan);
	std::vector<Job> jobs = calibrate(network, module, plan, all);
	for (unsigned int round = 0; round < plan.rounds; round++) {
		for (std::size_t i = 0; i < all.size(); i++) {
			// Forth and back, so that none always comes after the same one.
			std::size_t next = round % 2 ? all.size() - 1 - i : i;
			Series &series = all[next];
			const Job &job = jobs[next];
			double seconds = run_proved(network, module, series.subject, job);
			double bits = series.workload == Workload::bulk ? 8 : 1;
			series.rates.push_back(static_cast<double>(job.amount) * bits / seconds);
		}
		std::fprintf(stderr, "round %u of %u\n", round + 1, plan.rounds);
	}
	return all;
}

} // namespace bench
