// SPDX-License-Identifier: GPL-2.0
// tcpcrypt-agent: the application on the device under test, with the kernel's sockets.
#include "stack.hh"

int main()
{
	conformance::Stack kernel;
	return conformance::serve_agent(kernel);
}
