/* SPDX-License-Identifier: GPL-2.0 */
/* What is run, how often and in which order: everything in turn, round after round. */
#ifndef TCPCRYPT_BENCH_PLAN_HH
#define TCPCRYPT_BENCH_PLAN_HH

#include <cstdint>
#include <string>
#include <vector>

#include "module.hh"
#include "network.hh"
#include "report.hh"

namespace bench {

struct Plan {
	std::vector<Workload> workloads = {Workload::bulk, Workload::ping_pong, Workload::connect};
	std::vector<Kind> kinds = {Kind::plain, Kind::fallback_active, Kind::fallback_passive, Kind::tls,
				   Kind::tls_resumed, Kind::ktls, Kind::tcpcrypt, Kind::tcpcrypt_resumed};
	std::vector<const Aead *> aeads;
	std::vector<Variant> variants;
	/** Of bulk. */
	std::vector<unsigned int> connections = {1, 4};
	unsigned int rounds = 16;
	/** How long the clock runs in each run, about. */
	double seconds = 0.25;
	std::size_t write_size = 65536;
	std::size_t read_size = 65536;
};

/** Loads what is fast on this machine. */
void load_drivers(bool with_ktls);

/** Runs a job over connections of that kind, and proves that they were of that kind. Returns seconds. */
double run_proved(const Network &network, Module &module, const Subject &subject, const Job &job);

std::vector<Series> run_plan(const Network &network, Module &module, const Plan &plan);

} // namespace bench

#endif
