// SPDX-License-Identifier: GPL-2.0
/* The curve P-256 (SP 800-186 section 3.2.1.3): encoding and validation of points. */
#include "p256.h"
#include "nist.h"

#define FE256_LIMBS	8

/*
 * An element a of the field modulo p as the number a R modulo p, R = 2^256: always below p, least limb
 * first. All that is computed here is public, so it need not be in constant time.
 */
struct fe256 {
	u32 v[FE256_LIMBS];
};

/* p = 2^256 - 2^224 + 2^192 + 2^96 - 1 */
static const struct fe256 fe256_p = { .v = {
	0xffffffff, 0xffffffff, 0xffffffff, 0, 0, 0, 1, 0xffffffff,
} };

/* R modulo p, and R^2 modulo p */
static const struct fe256 fe256_one = { .v = {
	1, 0, 0, 0xffffffff, 0xffffffff, 0xffffffff, 0xfffffffe, 0,
} };
static const struct fe256 fe256_r2 = { .v = {
	3, 0, 0xffffffff, 0xfffffffb, 0xfffffffe, 0xffffffff, 0xfffffffd, 4,
} };

/* y^2 = x^3 - 3x + b */
static const u8 p256_b[P256_LEN] = {
	0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86, 0xbc,
	0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b,
};

/* The order of the base point, and of every other: it is a prime, and the cofactor is 1. */
static const u8 p256_order[P256_LEN] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};

bool p256_scalar_valid(const u8 *scalar)
{
	return nist_scalar_valid(scalar, p256_order, P256_LEN);
}

/* Whole numbers. Return: the carry */
static u32 fe256_raw_add(struct fe256 *out, const struct fe256 *a, const struct fe256 *b)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < FE256_LIMBS; i++) {
		sum += (u64)a->v[i] + b->v[i];
		out->v[i] = (u32)sum;
		sum >>= 32;
	}
	return (u32)sum;
}

/* Whole numbers. Return: the borrow */
static u32 fe256_raw_sub(struct fe256 *out, const struct fe256 *a, const struct fe256 *b)
{
	u64 diff = 0;
	unsigned int i;

	for (i = 0; i < FE256_LIMBS; i++) {
		diff = (u64)a->v[i] - b->v[i] - (diff >> 63);
		out->v[i] = (u32)diff;
	}
	return diff >> 63;
}

/* A number below 2p, of which @carry is bit 256, becomes one below p. */
static void fe256_reduce(struct fe256 *a, u32 carry)
{
	struct fe256 t;
	u32 borrow = fe256_raw_sub(&t, a, &fe256_p);

	if (carry || !borrow)
		*a = t;
}

static void fe256_add(struct fe256 *out, const struct fe256 *a, const struct fe256 *b)
{
	u32 carry = fe256_raw_add(out, a, b);

	fe256_reduce(out, carry);
}

static void fe256_sub(struct fe256 *out, const struct fe256 *a, const struct fe256 *b)
{
	if (fe256_raw_sub(out, a, b))
		fe256_raw_add(out, out, &fe256_p);
}

/* t += a m, where t has one limb more */
static u32 fe256_raw_add_mul(u32 *t, const struct fe256 *a, u32 m)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < FE256_LIMBS; i++) {
		sum += (u64)a->v[i] * m + t[i];
		t[i] = (u32)sum;
		sum >>= 32;
	}
	sum += t[i];
	t[i] = (u32)sum;
	return (u32)(sum >> 32);
}

/*
 * Montgomery multiplication: a b / R modulo p. Each round adds a product with a limb of a, then so many
 * times p that the lowest limb becomes 0, and drops it. p = -1 modulo 2^32, so that is as many times as
 * the limb says. Between rounds t is below 2p, so its top limb is 0 or 1.
 */
static void fe256_mul(struct fe256 *out, const struct fe256 *a, const struct fe256 *b)
{
	u32 t[FE256_LIMBS + 1] = { 0 };
	u32 top;
	unsigned int i;

	for (i = 0; i < FE256_LIMBS; i++) {
		top = fe256_raw_add_mul(t, b, a->v[i]);
		top += fe256_raw_add_mul(t, &fe256_p, t[0]);
		memmove(t, t + 1, FE256_LIMBS * sizeof(*t));
		t[FE256_LIMBS] = top;
	}
	memcpy(out->v, t, sizeof(out->v));
	fe256_reduce(out, t[FE256_LIMBS]);
}

/* a^(2^n) */
static void fe256_square_times(struct fe256 *a, unsigned int n)
{
	while (n--)
		fe256_mul(a, a, a);
}

/*
 * a^((p + 1) / 4) is a root of a if there is any, since p = 3 modulo 4. The exponent is
 * 2^254 - 2^222 + 2^190 + 2^94, in binary 32 ones, 31 zeros, 1, 95 zeros, 1, 94 zeros.
 */
static void fe256_sqrt(struct fe256 *out, const struct fe256 *a)
{
	struct fe256 ones = *a, t;
	unsigned int n;

	for (n = 1; n < 32; n *= 2) {
		t = ones;
		fe256_square_times(&t, n);
		fe256_mul(&ones, &ones, &t);
	}
	fe256_square_times(&ones, 32);
	fe256_mul(&ones, &ones, a);
	fe256_square_times(&ones, 96);
	fe256_mul(&ones, &ones, a);
	fe256_square_times(&ones, 94);
	*out = ones;
}

/* Return: the number is below p */
static bool fe256_from_bytes(struct fe256 *out, const u8 *bytes)
{
	struct fe256 t;
	unsigned int i;

	for (i = 0; i < FE256_LIMBS; i++)
		out->v[i] = get_unaligned_be32(bytes + 4 * (FE256_LIMBS - 1 - i));
	if (!fe256_raw_sub(&t, out, &fe256_p))
		return false;
	fe256_mul(out, out, &fe256_r2);
	return true;
}

static void fe256_to_bytes(const struct fe256 *a, u8 *bytes)
{
	static const struct fe256 raw_one = { .v = { 1 } };
	struct fe256 t;
	unsigned int i;

	fe256_mul(&t, a, &raw_one);
	for (i = 0; i < FE256_LIMBS; i++)
		put_unaligned_be32(t.v[i], bytes + 4 * (FE256_LIMBS - 1 - i));
}

/* out = x^3 - 3x + b = x (x^2 - 3) + b */
static void p256_square(struct fe256 *out, const struct fe256 *x)
{
	struct fe256 b;
	unsigned int i;

	fe256_from_bytes(&b, p256_b);
	fe256_mul(out, x, x);
	for (i = 0; i < 3; i++)
		fe256_sub(out, out, &fe256_one);
	fe256_mul(out, out, x);
	fe256_add(out, out, &b);
}

int p256_decompress(const u8 *point, u8 *xy)
{
	static const struct fe256 zero = { .v = { 0 } };
	struct fe256 x, y, square, t;
	u8 *y_bytes = xy + P256_LEN;

	if (!nist_prefix_valid(point[0]) || !fe256_from_bytes(&x, point + 1))
		return -EPROTO;
	p256_square(&square, &x);
	fe256_sqrt(&y, &square);
	fe256_mul(&t, &y, &y);
	if (memcmp(&t, &square, sizeof(t)))
		return -EPROTO;
	/* y is not 0: the curve's order is odd. */
	fe256_to_bytes(&y, y_bytes);
	if ((y_bytes[P256_LEN - 1] & 1) != nist_prefix_odd(point[0])) {
		fe256_sub(&y, &zero, &y);
		fe256_to_bytes(&y, y_bytes);
	}
	memcpy(xy, point + 1, P256_LEN);
	return 0;
}

void p256_compress(const u8 *xy, u8 *point)
{
	point[0] = NIST_POINT_EVEN + (xy[P256_XY_LEN - 1] & 1);
	memcpy(point + 1, xy, P256_LEN);
}
