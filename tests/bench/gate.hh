/* SPDX-License-Identifier: GPL-2.0 */
/* The regression gate: instructions for each byte and each connection, where virtual time counts them. */
#ifndef TCPCRYPT_BENCH_GATE_HH
#define TCPCRYPT_BENCH_GATE_HH

#include <string>

#include "module.hh"
#include "network.hh"

namespace bench {

struct Gate {
	/** JSON file in the tree. */
	std::string baseline;
	/** Write it instead of comparing with it. */
	bool update = false;
	/** How much more than in the baseline is too much. */
	double tolerance = 0.01;
};

/** Returns the exit status: 1 if anything became slower. */
int run_gate(const Network &network, Module &module, const Variant &variant, const Gate &gate);

} // namespace bench

#endif
