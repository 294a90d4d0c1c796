/* SPDX-License-Identifier: GPL-2.0 */
/* X448 (RFC 7748 section 5), and the field below it, for whoever tests that. */
#ifndef TCPCRYPT_CRYPTO_CURVE448_H
#define TCPCRYPT_CRYPTO_CURVE448_H

#include "wire/base.h"

#define TCPCRYPT_CURVE448_LEN	56	/* of a scalar and of a u-coordinate */

/**
 * tcpcrypt_curve448() - X448(k, u), in time that does not depend on either
 * @out: the u-coordinate of the product, reduced; may be @k or @u
 * @k: scalar, clamped or not
 * @u: u-coordinate, reduced modulo p or not
 *
 * Return: whether the result is other than zero, which it is not for a @u of low order
 */
bool tcpcrypt_curve448(u8 out[TCPCRYPT_CURVE448_LEN], const u8 k[TCPCRYPT_CURVE448_LEN],
		       const u8 u[TCPCRYPT_CURVE448_LEN]);

/** tcpcrypt_curve448_public() - X448(k, 5), the public key of the private key @k; as above */
bool tcpcrypt_curve448_public(u8 out[TCPCRYPT_CURVE448_LEN], const u8 k[TCPCRYPT_CURVE448_LEN]);

/** tcpcrypt_curve448_clamp() - RFC 7748 section 5: decodeScalar448, in place */
void tcpcrypt_curve448_clamp(u8 k[TCPCRYPT_CURVE448_LEN]);

/*
 * The field of integers modulo p = 2^448 - 2^224 - 1.
 *
 * An element is l[0] + l[1] * 2^56 + ... + l[7] * 2^392, in more than one way: limbs may be larger
 * than 56 bits. It is "of size n" when each limb is below n * (2^56 + 2^8). A function tells the
 * sizes that it takes and returns; given more, it overflows. A product is of size 1.
 */
#define TCPCRYPT_FE448_LIMBS	8
#define TCPCRYPT_FE448_BITS	56	/* of a limb */

struct tcpcrypt_fe448 {
	u64 l[TCPCRYPT_FE448_LIMBS];
};

/**
 * struct tcpcrypt_fe448_scratch - what a multiplication needs; its caller wipes it
 * @s: sum of the halves of the first factor
 * @t: sum of the halves of the second
 * @r: the product before its last carry
 */
struct tcpcrypt_fe448_scratch {
	u64 s[TCPCRYPT_FE448_LIMBS / 2];
	u64 t[TCPCRYPT_FE448_LIMBS / 2];
	u64 r[TCPCRYPT_FE448_LIMBS];
};

/* In all of them @out may be one of the operands. */

/** tcpcrypt_fe448_decode() - from any 56 bytes, little-endian, to size 1 */
void tcpcrypt_fe448_decode(struct tcpcrypt_fe448 *out, const u8 in[TCPCRYPT_CURVE448_LEN]);

/** tcpcrypt_fe448_encode() - from size 1 to the one encoding that is below p */
void tcpcrypt_fe448_encode(u8 out[TCPCRYPT_CURVE448_LEN], const struct tcpcrypt_fe448 *a);

/** tcpcrypt_fe448_add() - a + b; the sizes add up, to 255 at most */
void tcpcrypt_fe448_add(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
			const struct tcpcrypt_fe448 *b);

/** tcpcrypt_fe448_sub() - a - b; from size n <= 253 and size 1 to size n + 2 */
void tcpcrypt_fe448_sub(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
			const struct tcpcrypt_fe448 *b);

/** tcpcrypt_fe448_mul() - a * b; from sizes m and n with m * n <= 12 to size 1 */
void tcpcrypt_fe448_mul(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
			const struct tcpcrypt_fe448 *b, struct tcpcrypt_fe448_scratch *w);

/** tcpcrypt_fe448_sqr() - a * a; from size 3 to size 1 */
void tcpcrypt_fe448_sqr(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
			struct tcpcrypt_fe448_scratch *w);

/** tcpcrypt_fe448_mul_a24() - 39081 * a; from size 12 to size 1 */
void tcpcrypt_fe448_mul_a24(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
			    struct tcpcrypt_fe448_scratch *w);

/**
 * tcpcrypt_fe448_invert() - 1 / a, and 0 for 0; from size 1 to size 1
 * @out: result; this one must not be @a
 * @a: operand
 * @t: two temporaries, for the caller to wipe
 * @w: scratch
 */
void tcpcrypt_fe448_invert(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
			   struct tcpcrypt_fe448 t[2], struct tcpcrypt_fe448_scratch *w);

/** tcpcrypt_fe448_cswap() - exchange a and b of any size if @swap is 1, not if it is 0 */
void tcpcrypt_fe448_cswap(u64 swap, struct tcpcrypt_fe448 *a, struct tcpcrypt_fe448 *b);

#endif
