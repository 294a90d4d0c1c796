/* SPDX-License-Identifier: GPL-2.0 */
/* The names of reasons, counters and states: one table for the module and for the tools. */
#ifndef TCPCRYPT_CONTROL_NAMES_H
#define TCPCRYPT_CONTROL_NAMES_H

#include <linux/tcpcrypt.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * tcpcrypt_reason_name() - a reason's name
 *
 * Return: "no-eno-in-syn" for a fallback, "abort-auth" for an abort; NULL for a number that means nothing
 */
const char *tcpcrypt_reason_name(enum tcpcrypt_reason reason);

/** tcpcrypt_stat_name() - a counter's name, NULL for a number that means nothing */
const char *tcpcrypt_stat_name(enum tcpcrypt_stat stat);

/** tcpcrypt_state_name() - a state's name, NULL for a number that means nothing */
const char *tcpcrypt_state_name(enum tcpcrypt_state state);

#ifdef __cplusplus
}
#endif

#endif
