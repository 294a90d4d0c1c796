/* SPDX-License-Identifier: GPL-2.0 */
/* The version of the module and of its tools. */
#ifndef TCPCRYPT_VERSION_H
#define TCPCRYPT_VERSION_H

#define TCPCRYPT_VERSION	"0.1.0"

#endif
