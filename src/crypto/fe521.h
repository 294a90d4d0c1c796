/* SPDX-License-Identifier: GPL-2.0 */
/* The field of P-521, the integers modulo p = 2^521 - 1, in constant time. */
#ifndef TCPCRYPT_CRYPTO_FE521_H
#define TCPCRYPT_CRYPTO_FE521_H

#include "wire/base.h"

#define FE521_LIMBS	9
#define FE521_BITS	58	/* of a limb: 522 in all, and 2^522 = 2 modulo p */
#define FE521_LEN	66	/* bytes of an encoded element, big-endian */

/**
 * struct fe521 - a number that is an element of the field modulo p
 * @v: limbs: the number is the sum of v[i] * 2^(58 i)
 *
 * A number has many forms. What the functions below take and give is one of them: all limbs are
 * below 2^58 + 2^6. Only fe521_to_bytes() gives the one number below p.
 *
 * A result may be an argument, too. What the numbers are shows in no branch, index or loop; their
 * copies on the stack are left there.
 */
struct fe521 {
	u64 v[FE521_LIMBS];
};

/**
 * fe521_from_bytes() - decode
 * @out: the number, also when it is refused: then something else modulo p
 * @bytes: FE521_LEN bytes, big-endian
 *
 * Return: it is below p
 */
bool fe521_from_bytes(struct fe521 *out, const u8 *bytes);

/** fe521_to_bytes() - the number below p, as FE521_LEN bytes, big-endian */
void fe521_to_bytes(const struct fe521 *a, u8 *bytes);

bool fe521_equal(const struct fe521 *a, const struct fe521 *b);

void fe521_add(struct fe521 *out, const struct fe521 *a, const struct fe521 *b);
void fe521_sub(struct fe521 *out, const struct fe521 *a, const struct fe521 *b);
void fe521_mul(struct fe521 *out, const struct fe521 *a, const struct fe521 *b);

/** fe521_invert() - 1 / @a, and 0 for 0 */
void fe521_invert(struct fe521 *out, const struct fe521 *a);

/** fe521_sqrt() - a root of @a if it has any; else @out is something else */
void fe521_sqrt(struct fe521 *out, const struct fe521 *a);

/** fe521_select() - @out becomes @a where @mask, 0 or all ones, is all ones */
void fe521_select(struct fe521 *out, const struct fe521 *a, u64 mask);

#endif
