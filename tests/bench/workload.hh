/* SPDX-License-Identifier: GPL-2.0 */
/* The transfers that are timed: bulk data, round trips, connections. */
#ifndef TCPCRYPT_BENCH_WORKLOAD_HH
#define TCPCRYPT_BENCH_WORKLOAD_HH

#include <cstddef>
#include <cstdint>

#include "network.hh"
#include "subject.hh"

namespace bench {

enum class Workload { bulk, ping_pong, connect };

/** "bulk", "ping-pong", "connect" */
const char *workload_name(Workload workload);

struct Job {
	Workload workload;
	/** Of bulk; 1 otherwise. */
	unsigned int connections = 1;
	/** Bytes, round trips or connections, before the clock starts and while it runs. */
	std::uint64_t warm_up = 0;
	std::uint64_t amount = 0;
	std::size_t write_size = 65536;
	std::size_t read_size = 65536;
};

/** Connections that a job makes. */
std::uint64_t connections_of(const Job &job);

/**
 * Runs a job over connections of that kind, and returns the seconds that its amount took. Throws when anything was
 * not as it should be: an error, a byte lost or changed, a connection of another kind.
 */
double run_job(const Network &network, const Subject &subject, const Job &job);

} // namespace bench

#endif
