/* SPDX-License-Identifier: GPL-2.0 */
/* The few types that the pure files need, in the kernel and outside it. */
#ifndef TCPCRYPT_WIRE_BASE_H
#define TCPCRYPT_WIRE_BASE_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/string.h>
#include <linux/errno.h>
#include <linux/unaligned.h>
#else
#include "user_base.h"
#endif

#endif
