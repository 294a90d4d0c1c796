/* SPDX-License-Identifier: GPL-2.0 */
/* Two network namespaces joined by a veth pair, one for each end of the connections. */
#ifndef TCPCRYPT_BENCH_NETWORK_HH
#define TCPCRYPT_BENCH_NETWORK_HH

#include <netinet/in.h>

#include <functional>
#include <string>

namespace bench {

class Network {
public:
	/** Makes the namespaces. */
	Network();
	~Network();
	Network(const Network &) = delete;
	Network &operator=(const Network &) = delete;

	enum class End { client, server };

	/** Runs @body with the calling thread in the namespace of that end. */
	void in(End end, const std::function<void()> &body) const;
	/** Writes to /proc/sys/net/@key of that end. */
	void set(End end, const std::string &key, const std::string &value) const;
	void set_both(const std::string &key, const std::string &value) const;
	/** Where servers listen; the port is theirs to choose. */
	static sockaddr_in server_address();
};

} // namespace bench

#endif
