// SPDX-License-Identifier: GPL-2.0
// Two network namespaces joined by a veth pair, one for each end of the connections.
#include "network.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "netns.hh"
#include "process.hh"

namespace bench {

static const char *const names[] = {"tcpcrypt-bench-c", "tcpcrypt-bench-s"};
static const char *const addresses[] = {"10.99.0.1", "10.99.0.2"};

static void delete_namespaces(bool may_fail)
{
	for (const char *name : names)
		run_command({"sh", "-c", std::string("ip netns delete ") + name + (may_fail ? " 2>/dev/null" : "")},
			    may_fail);
}

Network::Network()
{
	delete_namespaces(true);
	for (const char *name : names)
		run_command({"ip", "netns", "add", name});
	run_command({"ip", "-n", names[0], "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns",
		     names[1]});
	for (int end : {0, 1}) {
		run_command({"ip", "-n", names[end], "address", "add", std::string(addresses[end]) + "/24", "dev",
			     "veth0"});
		run_command({"ip", "-n", names[end], "link", "set", "veth0", "up"});
		run_command({"ip", "-n", names[end], "link", "set", "lo", "up"});
	}
	// One run must not tell the next how large a window may be.
	set_both("ipv4/tcp_no_metrics_save", "1");
	set_both("ipv4/ip_local_port_range", "1024 65535");
}

Network::~Network()
{
	try {
		delete_namespaces(false);
	} catch (const std::exception &) {
		// The guest goes away with them.
	}
}

void Network::in(End end, const std::function<void()> &body) const
{
	Descriptor here(check(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "open of the network namespace"));
	tcpcrypt::enter_netns(names[static_cast<int>(end)]);
	try {
		body();
	} catch (...) {
		setns(here.get(), CLONE_NEWNET);
		throw;
	}
	check(setns(here.get(), CLONE_NEWNET), "setns");
}

void Network::set(End end, const std::string &key, const std::string &value) const
{
	std::string path = "/proc/sys/net/" + key;
	in(end, [&] {
		std::ofstream file(path);
		file << value << std::endl;
		if (!file)
			throw std::runtime_error("cannot write '" + value + "' to " + path);
	});
}

void Network::set_both(const std::string &key, const std::string &value) const
{
	set(End::client, key, value);
	set(End::server, key, value);
}

sockaddr_in Network::server_address()
{
	sockaddr_in address{};
	address.sin_family = AF_INET;
	inet_pton(AF_INET, addresses[1], &address.sin_addr);
	return address;
}

} // namespace bench
