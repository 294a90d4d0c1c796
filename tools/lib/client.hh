/* SPDX-License-Identifier: GPL-2.0 */
/* The module's generic netlink family, as functions over the model. */
#ifndef TCPCRYPT_TOOLS_CLIENT_HH
#define TCPCRYPT_TOOLS_CLIENT_HH

#include "genl.hh"
#include "model.hh"

namespace tcpcrypt {

class Client {
public:
	/** Throws NotLoaded. */
	Client();

	Info info();
	std::vector<Connection> connections(const Filter &filter);
	/** One connection; throws KernelError (ENOENT) when there is none with this cookie. */
	Connection connection(std::uint64_t cookie);
	Counters counters();
	/** Wipes the session secrets that the namespace keeps. */
	void flush_cache();

private:
	Genl genl_;
};

/* The messages, for those that have no kernel to talk to: the tests. */
Info decode_info(const nlmsghdr *message);
Connection decode_connection(const nlmsghdr *message);
/** Puts one counter where it belongs. */
void decode_counter(const nlmsghdr *message, Counters &counters);
/** Throws UsageError when the filter contradicts itself. */
void encode_filter(nlmsghdr *request, const Filter &filter);

} // namespace tcpcrypt

#endif
