/* SPDX-License-Identifier: GPL-2.0 */
/* What P-256 and P-521 share: the first byte of a compressed point, and what a scalar is. */
#ifndef TCPCRYPT_CRYPTO_NIST_H
#define TCPCRYPT_CRYPTO_NIST_H

#include "wire/base.h"

/* SEC 1 section 2.3.3: then comes X. Y is even, or odd. */
#define NIST_POINT_EVEN		0x02
#define NIST_POINT_ODD		0x03

static inline bool nist_prefix_valid(u8 prefix)
{
	return prefix == NIST_POINT_EVEN || prefix == NIST_POINT_ODD;
}

static inline bool nist_prefix_odd(u8 prefix)
{
	return prefix == NIST_POINT_ODD;
}

/**
 * nist_scalar_valid() - is 0 < @k < @n, in constant time
 * @k: @len bytes, big-endian
 * @n: the same, the order of the curve
 * @len: their length
 */
static inline bool nist_scalar_valid(const u8 *k, const u8 *n, unsigned int len)
{
	unsigned int any = 0, borrow = 0;

	while (len--) {
		any |= k[len];
		borrow = ((unsigned int)k[len] - n[len] - borrow) >> 31;
	}
	return borrow & -any >> 31;
}

#endif
