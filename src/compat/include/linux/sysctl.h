/* SPDX-License-Identifier: GPL-2.0 */
/* Since 6.11 the handler of a sysctl gets its table as const, which no macro tells. */
#ifndef TCPCRYPT_COMPAT_LINUX_SYSCTL_H
#define TCPCRYPT_COMPAT_LINUX_SYSCTL_H

#include_next <linux/sysctl.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define tcpcrypt_ctl_table	const struct ctl_table
#else
#define tcpcrypt_ctl_table	struct ctl_table
#endif

#endif
