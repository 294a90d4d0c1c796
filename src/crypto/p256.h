/* SPDX-License-Identifier: GPL-2.0 */
/* The curve P-256 (SP 800-186 section 3.2.1.3): encoding and validation of points. */
#ifndef TCPCRYPT_CRYPTO_P256_H
#define TCPCRYPT_CRYPTO_P256_H

#include "wire/base.h"

#define P256_LEN	32		/* bytes of a scalar, and of a coordinate */
#define P256_POINT_LEN	(1 + P256_LEN)	/* compressed (SEC 1 section 2.3.3): 02 or 03, then X */
#define P256_XY_LEN	(2 * P256_LEN)	/* X, then Y: what the kernel's ECDH takes and gives */

/** p256_scalar_valid() - P256_LEN bytes, big-endian, are above 0 and below the curve's order */
bool p256_scalar_valid(const u8 *scalar);

/**
 * p256_decompress() - read and validate a point (N-03)
 * @point: P256_POINT_LEN bytes
 * @xy: result, P256_XY_LEN bytes
 *
 * Not in constant time.
 * Return: 0; -EPROTO when it is not compressed, its coordinate is not below the prime, or no point of
 * the curve has it
 */
int p256_decompress(const u8 *point, u8 *xy);

/** p256_compress() - @xy, a point, as P256_POINT_LEN bytes */
void p256_compress(const u8 *xy, u8 *point);

#endif
