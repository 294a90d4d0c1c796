// SPDX-License-Identifier: GPL-2.0
/* The field of P-521, the integers modulo p = 2^521 - 1, in constant time. */
#include "fe521.h"

#ifndef __SIZEOF_INT128__
#error "P-521 needs a compiler with 128-bit integers, so a 64-bit architecture"
#endif

#define FE521_MASK	((1ULL << FE521_BITS) - 1)
#define FE521_TOP_BITS	(521 - 8 * FE521_BITS)
#define FE521_TOP_MASK	((1ULL << FE521_TOP_BITS) - 1)

__extension__ typedef unsigned __int128 fe521_wide;

/*
 * Sum and difference: each limb passes what it has above its 58 bits on to the next, the last one, twice,
 * to the first. That is 3 at most, since a limb is below 2^60 before.
 */
void fe521_add(struct fe521 *out, const struct fe521 *a, const struct fe521 *b)
{
	u64 limb, carry = 0;
	unsigned int i;

	for (i = 0; i < FE521_LIMBS; i++) {
		limb = a->v[i] + b->v[i];
		out->v[i] = (limb & FE521_MASK) + carry;
		carry = limb >> FE521_BITS;
	}
	out->v[0] += 2 * carry;
}

/* a + (4p - b), where 4p = 2^523 - 4 is made of limbs that are larger than those of b. */
void fe521_sub(struct fe521 *out, const struct fe521 *a, const struct fe521 *b)
{
	u64 limb, carry = 0;
	u64 four_p = 2 * FE521_MASK - 2;
	unsigned int i;

	for (i = 0; i < FE521_LIMBS; i++) {
		limb = a->v[i] + (four_p - b->v[i]);
		out->v[i] = (limb & FE521_MASK) + carry;
		carry = limb >> FE521_BITS;
		four_p = 2 * FE521_MASK;
	}
	out->v[0] += 2 * carry;
}

/* a[0] b[0] + a[1] b[-1] + ... + a[8] b[-8] */
static inline fe521_wide fe521_column(const u64 *a, const u64 *b)
{
	return (fe521_wide)a[0] * b[0] + (fe521_wide)a[1] * b[-1] + (fe521_wide)a[2] * b[-2] +
	       (fe521_wide)a[3] * b[-3] + (fe521_wide)a[4] * b[-4] + (fe521_wide)a[5] * b[-5] +
	       (fe521_wide)a[6] * b[-6] + (fe521_wide)a[7] * b[-7] + (fe521_wide)a[8] * b[-8];
}

/*
 * Column k is the sum of all a[i] b[j] with i + j = k, and twice those with i + j = k + 9, because of
 * 2^522 = 2. So in @w, where 2 b comes before b, it is a product of a and nine limbs in a row.
 *
 * A column is below 17 * (2^58 + 2^6)^2 < 2^121, what it passes on below 2^63, and what the last one,
 * which has nothing doubled, passes on below 2^62.
 */
void fe521_mul(struct fe521 *out, const struct fe521 *a, const struct fe521 *b)
{
	u64 w[2 * FE521_LIMBS], t[FE521_LIMBS];
	fe521_wide sum = 0;
	u64 low;
	unsigned int i;

	for (i = 0; i < FE521_LIMBS; i++) {
		w[i] = 2 * b->v[i];
		w[FE521_LIMBS + i] = b->v[i];
	}
	for (i = 0; i < FE521_LIMBS; i++) {
		sum += fe521_column(a->v, w + FE521_LIMBS + i);
		t[i] = (u64)sum & FE521_MASK;
		sum >>= FE521_BITS;
	}
	low = t[0] + 2 * (u64)sum;
	t[0] = low & FE521_MASK;
	t[1] += low >> FE521_BITS;
	memcpy(out->v, t, sizeof(t));
}

/* a^(2^n) */
static void fe521_square_times(struct fe521 *out, const struct fe521 *a, unsigned int n)
{
	fe521_mul(out, a, a);
	while (--n)
		fe521_mul(out, out, out);
}

/* a^(2^2n - 1) of a^(2^n - 1) */
static void fe521_double_ones(struct fe521 *a, unsigned int n)
{
	struct fe521 t;

	fe521_square_times(&t, a, n);
	fe521_mul(a, &t, a);
}

/* a^(p - 2), where p - 2 = 4 (2^519 - 1) + 1; first 2^7 - 1, then 2^512 - 1, in @seven and @t. */
void fe521_invert(struct fe521 *out, const struct fe521 *a)
{
	struct fe521 one = *a, seven, t;
	unsigned int n;

	fe521_mul(&seven, a, a);
	fe521_mul(&seven, &seven, a);
	t = seven;				/* 2^2 - 1 */
	fe521_mul(&seven, &seven, &seven);
	fe521_mul(&seven, &seven, a);		/* 2^3 - 1 */
	fe521_double_ones(&t, 2);		/* 2^4 - 1 */
	fe521_square_times(&seven, &seven, 4);
	fe521_mul(&seven, &seven, &t);
	for (n = 4; n < 512; n *= 2)
		fe521_double_ones(&t, n);
	fe521_square_times(&t, &t, 7);
	fe521_mul(&t, &t, &seven);
	fe521_square_times(&t, &t, 2);
	fe521_mul(out, &t, &one);
}

/* a^((p + 1) / 4) is a root of a if there is any, since p = 3 modulo 4. */
void fe521_sqrt(struct fe521 *out, const struct fe521 *a)
{
	fe521_square_times(out, a, 519);
}

/* The number + @in becomes one below 2^521 and what is returned, in units of 2^521. */
static u64 fe521_carry(struct fe521 *a, u64 in)
{
	unsigned int i;

	for (i = 0; i < FE521_LIMBS - 1; i++) {
		in += a->v[i];
		a->v[i] = in & FE521_MASK;
		in >>= FE521_BITS;
	}
	in += a->v[i];
	a->v[i] = in & FE521_TOP_MASK;
	return in >> FE521_TOP_BITS;
}

/*
 * After a first carry, the number and the rest that is still to be put in, which counts once since
 * 2^521 = 1 modulo p, are together p + 2 at most. If 1 more makes them 2^521, they are p or more: that 1
 * stays, what is above 521 bits goes, so p is taken away.
 */
static void fe521_freeze(struct fe521 *a)
{
	struct fe521 t;
	u64 rest;

	rest = fe521_carry(a, 0);
	t = *a;
	rest += fe521_carry(&t, rest + 1);
	fe521_carry(a, rest);
}

bool fe521_from_bytes(struct fe521 *out, const u8 *bytes)
{
	u8 ones = 0xff;
	unsigned int i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < FE521_LEN; i++) {
		unsigned int limb = 8 * i / FE521_BITS, shift = 8 * i % FE521_BITS;
		u64 byte = bytes[FE521_LEN - 1 - i];

		out->v[limb] |= byte << shift & FE521_MASK;
		if (shift > FE521_BITS - 8 && limb + 1 < FE521_LIMBS)
			out->v[limb + 1] |= byte >> (FE521_BITS - shift);
		ones &= i < FE521_LEN - 1 ? byte : 0xff;
	}
	return bytes[0] == 0 || (bytes[0] == 1 && ones != 0xff);
}

void fe521_to_bytes(const struct fe521 *a, u8 *bytes)
{
	struct fe521 t = *a;
	unsigned int i;

	fe521_freeze(&t);
	for (i = 0; i < FE521_LEN; i++) {
		unsigned int limb = 8 * i / FE521_BITS, shift = 8 * i % FE521_BITS;
		u64 byte = t.v[limb] >> shift;

		if (shift > FE521_BITS - 8 && limb + 1 < FE521_LIMBS)
			byte |= t.v[limb + 1] << (FE521_BITS - shift);
		bytes[FE521_LEN - 1 - i] = (u8)byte;
	}
}

bool fe521_equal(const struct fe521 *a, const struct fe521 *b)
{
	struct fe521 t;
	u64 any = 0;
	unsigned int i;

	fe521_sub(&t, a, b);
	fe521_freeze(&t);
	for (i = 0; i < FE521_LIMBS; i++)
		any |= t.v[i];
	return !any;
}

void fe521_select(struct fe521 *out, const struct fe521 *a, u64 mask)
{
	unsigned int i;

	for (i = 0; i < FE521_LIMBS; i++)
		out->v[i] ^= mask & (out->v[i] ^ a->v[i]);
}
