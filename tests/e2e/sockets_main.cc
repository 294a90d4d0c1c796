// SPDX-License-Identifier: GPL-2.0
// The sockets interface over encrypted connections: sockets_*.cc. With --plain over plain TCP, to compare.
#include "harness.hh"

int main(int argc, char **argv)
{
	return e2e::run_suite(argc, argv, e2e::Shape::pair);
}
