/* SPDX-License-Identifier: GPL-2.0 */
/* Since 6.6 a table of sysctls comes with its size, and register_net_sysctl() is a macro. */
#ifndef TCPCRYPT_COMPAT_NET_NET_NAMESPACE_H
#define TCPCRYPT_COMPAT_NET_NET_NAMESPACE_H

#include_next <net/net_namespace.h>

#ifndef register_net_sysctl
/* The caller's table ends with an empty entry that @size does not count. */
static inline struct ctl_table_header *register_net_sysctl_sz(struct net *net, const char *path,
							      struct ctl_table *table, size_t size)
{
	return register_net_sysctl(net, path, table);
}
#endif

#endif
