// SPDX-License-Identifier: GPL-2.0
/* X448 (RFC 7748 section 5): Montgomery's ladder over the field of 2^448 - 2^224 - 1. */
#include "curve448.h"

#ifndef __SIZEOF_INT128__
#error "Curve448 needs a compiler with 128-bit integers, so a 64-bit architecture"
#endif

#define FE448_HALF	(TCPCRYPT_FE448_LIMBS / 2)
#define FE448_MASK	((1ULL << TCPCRYPT_FE448_BITS) - 1)
#define FE448_BYTES	(TCPCRYPT_FE448_BITS / 8)	/* of a limb */

#define CURVE448_BITS	448
#define CURVE448_A24	39081				/* (156326 - 2) / 4 */

typedef unsigned __int128 tcpcrypt_wide;

/* 2p = (2^449 - 2) - 2^225 */
static const struct tcpcrypt_fe448 tcpcrypt_fe448_2p = {
	{ 2 * FE448_MASK, 2 * FE448_MASK, 2 * FE448_MASK, 2 * FE448_MASK,
	  2 * FE448_MASK - 2, 2 * FE448_MASK, 2 * FE448_MASK, 2 * FE448_MASK },
};

/* Hides a value from the compiler, which could make a branch of what it knows to be 0 or ~0. */
static __always_inline u64 tcpcrypt_fe448_hide(u64 val)
{
	__asm__ volatile("" : "+r" (val));
	return val;
}

void tcpcrypt_fe448_decode(struct tcpcrypt_fe448 *out, const u8 in[TCPCRYPT_CURVE448_LEN])
{
	unsigned int i, j;

	for (i = 0; i < TCPCRYPT_FE448_LIMBS; i++) {
		u64 limb = 0;

		for (j = 0; j < FE448_BYTES; j++)
			limb |= (u64)in[i * FE448_BYTES + j] << 8 * j;
		out->l[i] = limb;
	}
}

/*
 * Size 1 is below 2p, so a mod p is a or a - p. With c = 2^224 + 1 = 2^448 - p
 *
 *   q = floor((a + c) / 2^448)
 *
 * is 1 if a >= p, else 0: a + c < 2p + c < 2^449. Then a - q * p = a + q * c - q * 2^448, which is
 * the sum a + q * c without what it carries out of the last limb. No carry exceeds 1 and no
 * sum 2^56 + 2^8 + 2.
 */
void tcpcrypt_fe448_encode(u8 out[TCPCRYPT_CURVE448_LEN], const struct tcpcrypt_fe448 *a)
{
	unsigned int i, j;
	u64 q = 1, carry = 0;

	for (i = 0; i < TCPCRYPT_FE448_LIMBS; i++)
		q = (a->l[i] + q + (i == FE448_HALF)) >> TCPCRYPT_FE448_BITS;
	q = tcpcrypt_fe448_hide(q);
	for (i = 0; i < TCPCRYPT_FE448_LIMBS; i++) {
		carry += a->l[i] + (i % FE448_HALF ? 0 : q);
		for (j = 0; j < FE448_BYTES; j++)
			out[i * FE448_BYTES + j] = (u8)(carry >> 8 * j);
		carry >>= TCPCRYPT_FE448_BITS;
	}
}

void tcpcrypt_fe448_add(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
			const struct tcpcrypt_fe448 *b)
{
	unsigned int i;

	for (i = 0; i < TCPCRYPT_FE448_LIMBS; i++)
		out->l[i] = a->l[i] + b->l[i];
}

/* a + 2p - b: no limb of 2p is below 2^57 - 4, no limb of b is 2^56 + 2^8. */
void tcpcrypt_fe448_sub(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
			const struct tcpcrypt_fe448 *b)
{
	unsigned int i;

	for (i = 0; i < TCPCRYPT_FE448_LIMBS; i++)
		out->l[i] = a->l[i] + tcpcrypt_fe448_2p.l[i] - b->l[i];
}

/*
 * Multiplication
 *
 * Let f = 2^224, so that f^2 = f + 1 modulo p, and a = a0 + a1 f, b = b0 + b1 f, each half four
 * limbs. As Karatsuba has it, with three products of halves,
 *
 *   x = a0 b0    y = a1 b1    z = (a0 + a1) (b0 + b1)
 *
 *   a b = x + (z - x - y) f + y f^2 = (x + y) + (z - x) f
 *
 * Each product has columns 0 to 6, column k being the sum of the products of limbs i and k - i.
 * Column 4 + k is column k of another f. So, f^2 = f + 1 once more, columns k = 0..3 of the result
 * are, with x' = x[4 + k] and so on,
 *
 *   r[k]     = (x + y) + (z' - x')			  = x + y - x' + z'
 *   r[4 + k] = (z - x) + (x' + y') + (z' - x')		  = z - x + y' + z'
 *
 * z - x is a0 b1 + a1 b0 + a1 b1 column by column, so what is subtracted was added before: the
 * sums are not negative, and it does not matter that they are formed modulo 2^128.
 *
 * In units of (2^56 + 2^8)^2, for factors of size m and n: column k of a product of halves has
 * k + 1 terms, column 4 + k has 3 - k; x and y have m n a term, z - x has 3 m n. Then
 *
 *   r[k]     <= (2 (k + 1) + 3 (3 - k)) m n = (11 - k) m n
 *   r[4 + k] <= (3 (k + 1) + 2 (3 - k) + 3 (3 - k)) m n = (18 - 2 k) m n
 *
 * At m n = 12 that is 216 units and less than 217 * 2^112, and with the carry that comes in, below
 * 2^64, less than 2^120: what is carried out fits 64 bits. The last columns of the two halves,
 * r[3] <= 96 units and r[7] <= 144, carry less than 97 * 2^56 and 145 * 2^56.
 *
 * The limbs of a sum of halves are below 24 * (2^56 + 2^8) (sizes 12 and 1), so in 64 bits.
 */

/* Column n - 1 of a times b, and column 7 - n of the numbers that have a and b on top: n terms. */
static __always_inline tcpcrypt_wide tcpcrypt_fe448_dot1(const u64 *a, const u64 *b)
{
	return (tcpcrypt_wide)a[0] * b[0];
}

static __always_inline tcpcrypt_wide tcpcrypt_fe448_dot2(const u64 *a, const u64 *b)
{
	return (tcpcrypt_wide)a[0] * b[1] + (tcpcrypt_wide)a[1] * b[0];
}

static __always_inline tcpcrypt_wide tcpcrypt_fe448_dot3(const u64 *a, const u64 *b)
{
	return (tcpcrypt_wide)a[0] * b[2] + (tcpcrypt_wide)a[1] * b[1] + (tcpcrypt_wide)a[2] * b[0];
}

static __always_inline tcpcrypt_wide tcpcrypt_fe448_dot4(const u64 *a, const u64 *b)
{
	return (tcpcrypt_wide)a[0] * b[3] + (tcpcrypt_wide)a[1] * b[2] +
	       (tcpcrypt_wide)a[2] * b[1] + (tcpcrypt_wide)a[3] * b[0];
}

/* The same of a times a, where terms come in pairs. */
static __always_inline tcpcrypt_wide tcpcrypt_fe448_sq1(const u64 *a)
{
	return (tcpcrypt_wide)a[0] * a[0];
}

static __always_inline tcpcrypt_wide tcpcrypt_fe448_sq2(const u64 *a)
{
	return (tcpcrypt_wide)a[0] * (2 * a[1]);
}

static __always_inline tcpcrypt_wide tcpcrypt_fe448_sq3(const u64 *a)
{
	return (tcpcrypt_wide)a[0] * (2 * a[2]) + (tcpcrypt_wide)a[1] * a[1];
}

static __always_inline tcpcrypt_wide tcpcrypt_fe448_sq4(const u64 *a)
{
	return (tcpcrypt_wide)a[0] * (2 * a[3]) + (tcpcrypt_wide)a[1] * (2 * a[2]);
}

/**
 * struct tcpcrypt_fe448_carry - what the halves carry into their next column
 * @lo: out of r[k]
 * @hi: out of r[4 + k]
 */
struct tcpcrypt_fe448_carry {
	u64 lo;
	u64 hi;
};

/* Columns k and 4 + k of the result; x1 is x', column 4 + k of x. */
static __always_inline void
tcpcrypt_fe448_column(u64 *r, unsigned int k, struct tcpcrypt_fe448_carry *c,
		      tcpcrypt_wide x, tcpcrypt_wide y, tcpcrypt_wide z,
		      tcpcrypt_wide x1, tcpcrypt_wide y1, tcpcrypt_wide z1)
{
	tcpcrypt_wide lo = c->lo + x + y - x1 + z1;
	tcpcrypt_wide hi = c->hi + z - x + y1 + z1;

	r[k] = (u64)lo & FE448_MASK;
	r[FE448_HALF + k] = (u64)hi & FE448_MASK;
	c->lo = (u64)(lo >> TCPCRYPT_FE448_BITS);
	c->hi = (u64)(hi >> TCPCRYPT_FE448_BITS);
}

/*
 * The last carries: lo goes from r[3] to r[4], hi from r[7] to f^2 = f + 1, so to r[0] and r[4].
 * Then r[4] < 2^56 + (97 + 145) * 2^56 < 2^64, and r[5] gets at most 242 of it, r[1] at most 145:
 * size 1.
 */
static __always_inline void tcpcrypt_fe448_fold(struct tcpcrypt_fe448 *out, const u64 *r,
						const struct tcpcrypt_fe448_carry *c)
{
	u64 r0 = r[0] + c->hi, r4 = r[4] + c->lo + c->hi;

	out->l[0] = r0 & FE448_MASK;
	out->l[1] = r[1] + (r0 >> TCPCRYPT_FE448_BITS);
	out->l[2] = r[2];
	out->l[3] = r[3];
	out->l[4] = r4 & FE448_MASK;
	out->l[5] = r[5] + (r4 >> TCPCRYPT_FE448_BITS);
	out->l[6] = r[6];
	out->l[7] = r[7];
}

void tcpcrypt_fe448_mul(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
			const struct tcpcrypt_fe448 *b, struct tcpcrypt_fe448_scratch *w)
{
	const u64 *a0 = a->l, *a1 = a->l + FE448_HALF, *b0 = b->l, *b1 = b->l + FE448_HALF;
	const u64 *s = w->s, *t = w->t;
	struct tcpcrypt_fe448_carry c = { 0, 0 };
	unsigned int i;

	for (i = 0; i < FE448_HALF; i++) {
		w->s[i] = a0[i] + a1[i];
		w->t[i] = b0[i] + b1[i];
	}
	tcpcrypt_fe448_column(w->r, 0, &c,
			      tcpcrypt_fe448_dot1(a0, b0),
			      tcpcrypt_fe448_dot1(a1, b1),
			      tcpcrypt_fe448_dot1(s, t),
			      tcpcrypt_fe448_dot3(a0 + 1, b0 + 1),
			      tcpcrypt_fe448_dot3(a1 + 1, b1 + 1),
			      tcpcrypt_fe448_dot3(s + 1, t + 1));
	tcpcrypt_fe448_column(w->r, 1, &c,
			      tcpcrypt_fe448_dot2(a0, b0),
			      tcpcrypt_fe448_dot2(a1, b1),
			      tcpcrypt_fe448_dot2(s, t),
			      tcpcrypt_fe448_dot2(a0 + 2, b0 + 2),
			      tcpcrypt_fe448_dot2(a1 + 2, b1 + 2),
			      tcpcrypt_fe448_dot2(s + 2, t + 2));
	tcpcrypt_fe448_column(w->r, 2, &c,
			      tcpcrypt_fe448_dot3(a0, b0),
			      tcpcrypt_fe448_dot3(a1, b1),
			      tcpcrypt_fe448_dot3(s, t),
			      tcpcrypt_fe448_dot1(a0 + 3, b0 + 3),
			      tcpcrypt_fe448_dot1(a1 + 3, b1 + 3),
			      tcpcrypt_fe448_dot1(s + 3, t + 3));
	tcpcrypt_fe448_column(w->r, 3, &c,
			      tcpcrypt_fe448_dot4(a0, b0),
			      tcpcrypt_fe448_dot4(a1, b1),
			      tcpcrypt_fe448_dot4(s, t),
			      0, 0, 0);
	tcpcrypt_fe448_fold(out, w->r, &c);
}

void tcpcrypt_fe448_sqr(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
			struct tcpcrypt_fe448_scratch *w)
{
	const u64 *a0 = a->l, *a1 = a->l + FE448_HALF, *s = w->s;
	struct tcpcrypt_fe448_carry c = { 0, 0 };
	unsigned int i;

	for (i = 0; i < FE448_HALF; i++)
		w->s[i] = a0[i] + a1[i];
	tcpcrypt_fe448_column(w->r, 0, &c,
			      tcpcrypt_fe448_sq1(a0),
			      tcpcrypt_fe448_sq1(a1),
			      tcpcrypt_fe448_sq1(s),
			      tcpcrypt_fe448_sq3(a0 + 1),
			      tcpcrypt_fe448_sq3(a1 + 1),
			      tcpcrypt_fe448_sq3(s + 1));
	tcpcrypt_fe448_column(w->r, 1, &c,
			      tcpcrypt_fe448_sq2(a0),
			      tcpcrypt_fe448_sq2(a1),
			      tcpcrypt_fe448_sq2(s),
			      tcpcrypt_fe448_sq2(a0 + 2),
			      tcpcrypt_fe448_sq2(a1 + 2),
			      tcpcrypt_fe448_sq2(s + 2));
	tcpcrypt_fe448_column(w->r, 2, &c,
			      tcpcrypt_fe448_sq3(a0),
			      tcpcrypt_fe448_sq3(a1),
			      tcpcrypt_fe448_sq3(s),
			      tcpcrypt_fe448_sq1(a0 + 3),
			      tcpcrypt_fe448_sq1(a1 + 3),
			      tcpcrypt_fe448_sq1(s + 3));
	tcpcrypt_fe448_column(w->r, 3, &c,
			      tcpcrypt_fe448_sq4(a0),
			      tcpcrypt_fe448_sq4(a1),
			      tcpcrypt_fe448_sq4(s),
			      0, 0, 0);
	tcpcrypt_fe448_fold(out, w->r, &c);
}

/* As in a product, with less: columns below 2^56 * 2^4 * 2^16, carries below 2^21. */
void tcpcrypt_fe448_mul_a24(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
			    struct tcpcrypt_fe448_scratch *w)
{
	struct tcpcrypt_fe448_carry c = { 0, 0 };
	unsigned int k;

	for (k = 0; k < FE448_HALF; k++) {
		tcpcrypt_wide lo = c.lo + (tcpcrypt_wide)a->l[k] * CURVE448_A24;
		tcpcrypt_wide hi = c.hi + (tcpcrypt_wide)a->l[FE448_HALF + k] * CURVE448_A24;

		w->r[k] = (u64)lo & FE448_MASK;
		w->r[FE448_HALF + k] = (u64)hi & FE448_MASK;
		c.lo = (u64)(lo >> TCPCRYPT_FE448_BITS);
		c.hi = (u64)(hi >> TCPCRYPT_FE448_BITS);
	}
	tcpcrypt_fe448_fold(out, w->r, &c);
}

/* a^(2^n) * b, for n > 0; @out may be @a, not @b */
static void tcpcrypt_fe448_power(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
				 unsigned int n, const struct tcpcrypt_fe448 *b,
				 struct tcpcrypt_fe448_scratch *w)
{
	tcpcrypt_fe448_sqr(out, a, w);
	while (--n)
		tcpcrypt_fe448_sqr(out, out, w);
	tcpcrypt_fe448_mul(out, out, b, w);
}

/*
 * a^(p - 2), where p - 2 = 2^448 - 2^224 - 3 = 4 ((2^223 - 1) 2^223 + 2^222 - 1) + 1. With
 * e(n) = a^(2^n - 1), e(m + n) = e(m)^(2^n) * e(n).
 */
void tcpcrypt_fe448_invert(struct tcpcrypt_fe448 *out, const struct tcpcrypt_fe448 *a,
			   struct tcpcrypt_fe448 t[2], struct tcpcrypt_fe448_scratch *w)
{
	tcpcrypt_fe448_power(&t[0], a, 1, a, w);		/* e(2) */
	tcpcrypt_fe448_power(&t[0], &t[0], 1, a, w);		/* e(3) */
	tcpcrypt_fe448_power(&t[1], &t[0], 3, &t[0], w);	/* e(6) */
	tcpcrypt_fe448_power(&t[1], &t[1], 3, &t[0], w);	/* e(9) */
	tcpcrypt_fe448_power(&t[0], &t[1], 9, &t[1], w);	/* e(18) */
	tcpcrypt_fe448_power(&t[1], &t[0], 18, &t[0], w);	/* e(36) */
	tcpcrypt_fe448_power(&t[1], &t[1], 1, a, w);		/* e(37) */
	tcpcrypt_fe448_power(&t[0], &t[1], 37, &t[1], w);	/* e(74) */
	tcpcrypt_fe448_power(&t[0], &t[0], 37, &t[1], w);	/* e(111) */
	tcpcrypt_fe448_power(&t[1], &t[0], 111, &t[0], w);	/* e(222) */
	tcpcrypt_fe448_power(&t[0], &t[1], 1, a, w);		/* e(223) */
	tcpcrypt_fe448_power(&t[0], &t[0], 223, &t[1], w);
	tcpcrypt_fe448_power(out, &t[0], 2, a, w);
}

void tcpcrypt_fe448_cswap(u64 swap, struct tcpcrypt_fe448 *a, struct tcpcrypt_fe448 *b)
{
	const u64 mask = tcpcrypt_fe448_hide(0 - swap);
	unsigned int i;

	for (i = 0; i < TCPCRYPT_FE448_LIMBS; i++) {
		u64 dummy = mask & (a->l[i] ^ b->l[i]);

		a->l[i] ^= dummy;
		b->l[i] ^= dummy;
	}
}

/**
 * struct tcpcrypt_curve448_work - all that X448 keeps in memory, so that one call wipes it
 * @x_1: the u-coordinate of the point
 * @x_2: (x_2 : z_2) and (x_3 : z_3) are multiples of the point, one apart
 * @z_2: see @x_2
 * @x_3: see @x_2
 * @z_3: see @x_2
 * @t: temporaries of a step and of the inversion
 * @w: scratch of multiplications
 * @k: the scalar, clamped
 */
struct tcpcrypt_curve448_work {
	struct tcpcrypt_fe448 x_1, x_2, z_2, x_3, z_3, t[2];
	struct tcpcrypt_fe448_scratch w;
	u8 k[TCPCRYPT_CURVE448_LEN];
};

/*
 * One step of RFC 7748 section 5, in its symbols and with its products, and the size of each:
 *
 *   A = x_2 + z_2 (2)    B = x_2 - z_2 (3)    C = x_3 + z_3 (2)    D = x_3 - z_3 (3)
 *   AA = A^2             BB = B^2             DA = D * A (6)       CB = C * B (6)
 *   x_3 = (DA + CB)^2 (2)                     z_3 = x_1 * (DA - CB)^2 (3, then 1)
 *   x_2 = AA * BB (1)    E = AA - BB (3)      z_2 = E * (AA + a24 * E) (3 * 2)
 *
 * In brackets the size of a sum, and for a product m * n, which may be 12; squares take 3. C, D,
 * CB and DA are where x_2 and z_2 were.
 */
static void tcpcrypt_curve448_step(struct tcpcrypt_curve448_work *ws)
{
	struct tcpcrypt_fe448 *x_2 = &ws->x_2, *z_2 = &ws->z_2, *x_3 = &ws->x_3, *z_3 = &ws->z_3;
	struct tcpcrypt_fe448 *t0 = &ws->t[0], *t1 = &ws->t[1];
	struct tcpcrypt_fe448_scratch *w = &ws->w;

	tcpcrypt_fe448_add(t0, x_2, z_2);	/* A */
	tcpcrypt_fe448_sub(t1, x_2, z_2);	/* B */
	tcpcrypt_fe448_add(x_2, x_3, z_3);	/* C */
	tcpcrypt_fe448_sub(z_2, x_3, z_3);	/* D */
	tcpcrypt_fe448_mul(z_2, z_2, t0, w);	/* DA */
	tcpcrypt_fe448_mul(x_2, x_2, t1, w);	/* CB */
	tcpcrypt_fe448_add(x_3, z_2, x_2);
	tcpcrypt_fe448_sqr(x_3, x_3, w);	/* x_3 */
	tcpcrypt_fe448_sub(z_3, z_2, x_2);
	tcpcrypt_fe448_sqr(z_3, z_3, w);
	tcpcrypt_fe448_mul(z_3, z_3, &ws->x_1, w);	/* z_3 */
	tcpcrypt_fe448_sqr(t0, t0, w);		/* AA */
	tcpcrypt_fe448_sqr(t1, t1, w);		/* BB */
	tcpcrypt_fe448_mul(x_2, t0, t1, w);	/* x_2 */
	tcpcrypt_fe448_sub(t1, t0, t1);		/* E */
	tcpcrypt_fe448_mul_a24(z_2, t1, w);
	tcpcrypt_fe448_add(z_2, t0, z_2);
	tcpcrypt_fe448_mul(z_2, t1, z_2, w);	/* z_2 */
}

/* RFC 7748 section 5: the loop of X448; x_2 : z_2 is the result. */
static void tcpcrypt_curve448_ladder(struct tcpcrypt_curve448_work *ws)
{
	u64 swap = 0;
	int t;

	memset(&ws->x_2, 0, sizeof(ws->x_2));
	memset(&ws->z_2, 0, sizeof(ws->z_2));
	memset(&ws->z_3, 0, sizeof(ws->z_3));
	ws->x_2.l[0] = 1;
	ws->x_3 = ws->x_1;
	ws->z_3.l[0] = 1;
	for (t = CURVE448_BITS - 1; t >= 0; t--) {
		u64 k_t = ws->k[t / 8] >> (t % 8) & 1;

		swap ^= k_t;
		tcpcrypt_fe448_cswap(swap, &ws->x_2, &ws->x_3);
		tcpcrypt_fe448_cswap(swap, &ws->z_2, &ws->z_3);
		swap = k_t;
		tcpcrypt_curve448_step(ws);
	}
	tcpcrypt_fe448_cswap(swap, &ws->x_2, &ws->x_3);
	tcpcrypt_fe448_cswap(swap, &ws->z_2, &ws->z_3);
}

void tcpcrypt_curve448_clamp(u8 k[TCPCRYPT_CURVE448_LEN])
{
	k[0] &= 0xfc;
	k[TCPCRYPT_CURVE448_LEN - 1] |= 0x80;
}

bool tcpcrypt_curve448(u8 out[TCPCRYPT_CURVE448_LEN], const u8 k[TCPCRYPT_CURVE448_LEN],
		       const u8 u[TCPCRYPT_CURVE448_LEN])
{
	struct tcpcrypt_curve448_work ws;
	unsigned int i;
	u8 any = 0;

	memcpy(ws.k, k, sizeof(ws.k));
	tcpcrypt_curve448_clamp(ws.k);
	tcpcrypt_fe448_decode(&ws.x_1, u);
	tcpcrypt_curve448_ladder(&ws);
	tcpcrypt_fe448_invert(&ws.z_3, &ws.z_2, ws.t, &ws.w);
	tcpcrypt_fe448_mul(&ws.x_2, &ws.x_2, &ws.z_3, &ws.w);
	tcpcrypt_fe448_encode(out, &ws.x_2);
	memzero_explicit(&ws, sizeof(ws));
	/* RFC 7748 section 6.2: all of the bytes, whatever the first are */
	for (i = 0; i < TCPCRYPT_CURVE448_LEN; i++)
		any |= out[i];
	return tcpcrypt_fe448_hide(any) != 0;
}

bool tcpcrypt_curve448_public(u8 out[TCPCRYPT_CURVE448_LEN], const u8 k[TCPCRYPT_CURVE448_LEN])
{
	static const u8 base[TCPCRYPT_CURVE448_LEN] = { 5 };

	return tcpcrypt_curve448(out, k, base);
}
