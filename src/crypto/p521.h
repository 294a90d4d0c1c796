/* SPDX-License-Identifier: GPL-2.0 */
/* The curve P-521 (SP 800-186 section 3.2.1.5): multiplication of points in constant time. */
#ifndef TCPCRYPT_CRYPTO_P521_H
#define TCPCRYPT_CRYPTO_P521_H

#include "crypto/fe521.h"

#define P521_LEN	FE521_LEN	/* bytes of a scalar, and of a coordinate */
#define P521_POINT_LEN	(1 + P521_LEN)	/* compressed (SEC 1 section 2.3.3): 02 or 03, then X */
#define P521_WINDOW	16

/* (x / z, y / z), and z = 0 for the point at infinity */
struct p521_point {
	struct fe521 x;
	struct fe521 y;
	struct fe521 z;
};

/**
 * struct p521_work - what a multiplication needs, too much for a stack
 * @b: of the curve
 * @t: of an addition
 * @table: the multiples of the point, 0 to 15 times
 * @sum: so far
 * @term: the multiple that is added
 */
struct p521_work {
	struct fe521 b;
	struct fe521 t[9];
	struct p521_point table[P521_WINDOW];
	struct p521_point sum;
	struct p521_point term;
};

/** p521_scalar_valid() - P521_LEN bytes, big-endian, are above 0 and below the curve's order */
bool p521_scalar_valid(const u8 *scalar);

/**
 * p521_decompress() - read and validate a point (N-03)
 * @point: P521_POINT_LEN bytes
 * @x: result
 * @y: result
 *
 * Not in constant time.
 * Return: 0; -EPROTO when it is not compressed, its coordinate is not below the prime, or no point of
 * the curve has it
 */
int p521_decompress(const u8 *point, struct fe521 *x, struct fe521 *y);

/**
 * p521_multiply() - multiply a point
 * @work: memory, whatever is in it; wiped when done
 * @scalar: secret, a valid one
 * @point: compressed, or NULL for the base point
 * @product: result, P521_POINT_LEN bytes, compressed
 *
 * Return: 0 or -EPROTO as p521_decompress() has it
 */
int p521_multiply(struct p521_work *work, const u8 *scalar, const u8 *point, u8 *product);

#endif
