// SPDX-License-Identifier: GPL-2.0
// The regression gate: instructions for each byte and each connection, where virtual time counts them.
#include "gate.hh"

int bench::run_gate(const Network &, Module &, const Gate &)
{
	return 1;
}
