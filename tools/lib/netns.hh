/* SPDX-License-Identifier: GPL-2.0 */
/* Going to another network namespace, as ip(8) does with -n. */
#ifndef TCPCRYPT_TOOLS_NETNS_HH
#define TCPCRYPT_TOOLS_NETNS_HH

#include <string>

namespace tcpcrypt {

/**
 * From here on the calling thread is in that namespace: a name that `ip netns` knows, or a path such as
 * /proc/PID/ns/net.
 */
void enter_netns(const std::string &name);

} // namespace tcpcrypt

#endif
