// SPDX-License-Identifier: GPL-2.0
/* The curve P-521 (SP 800-186 section 3.2.1.5): multiplication of points in constant time. */
#include "p521.h"
#include "nist.h"

#define P521_STACK	960	/* more than the functions that p521_multiply() calls take */

/* y^2 = x^3 - 3x + b */
static const u8 p521_b[P521_LEN] = {
	0x00, 0x51, 0x95, 0x3e, 0xb9, 0x61, 0x8e, 0x1c, 0x9a, 0x1f, 0x92, 0x9a, 0x21, 0xa0, 0xb6, 0x85,
	0x40, 0xee, 0xa2, 0xda, 0x72, 0x5b, 0x99, 0xb3, 0x15, 0xf3, 0xb8, 0xb4, 0x89, 0x91, 0x8e, 0xf1,
	0x09, 0xe1, 0x56, 0x19, 0x39, 0x51, 0xec, 0x7e, 0x93, 0x7b, 0x16, 0x52, 0xc0, 0xbd, 0x3b, 0xb1,
	0xbf, 0x07, 0x35, 0x73, 0xdf, 0x88, 0x3d, 0x2c, 0x34, 0xf1, 0xef, 0x45, 0x1f, 0xd4, 0x6b, 0x50,
	0x3f, 0x00,
};

static const u8 p521_base_x[P521_LEN] = {
	0x00, 0xc6, 0x85, 0x8e, 0x06, 0xb7, 0x04, 0x04, 0xe9, 0xcd, 0x9e, 0x3e, 0xcb, 0x66, 0x23, 0x95,
	0xb4, 0x42, 0x9c, 0x64, 0x81, 0x39, 0x05, 0x3f, 0xb5, 0x21, 0xf8, 0x28, 0xaf, 0x60, 0x6b, 0x4d,
	0x3d, 0xba, 0xa1, 0x4b, 0x5e, 0x77, 0xef, 0xe7, 0x59, 0x28, 0xfe, 0x1d, 0xc1, 0x27, 0xa2, 0xff,
	0xa8, 0xde, 0x33, 0x48, 0xb3, 0xc1, 0x85, 0x6a, 0x42, 0x9b, 0xf9, 0x7e, 0x7e, 0x31, 0xc2, 0xe5,
	0xbd, 0x66,
};

static const u8 p521_base_y[P521_LEN] = {
	0x01, 0x18, 0x39, 0x29, 0x6a, 0x78, 0x9a, 0x3b, 0xc0, 0x04, 0x5c, 0x8a, 0x5f, 0xb4, 0x2c, 0x7d,
	0x1b, 0xd9, 0x98, 0xf5, 0x44, 0x49, 0x57, 0x9b, 0x44, 0x68, 0x17, 0xaf, 0xbd, 0x17, 0x27, 0x3e,
	0x66, 0x2c, 0x97, 0xee, 0x72, 0x99, 0x5e, 0xf4, 0x26, 0x40, 0xc5, 0x50, 0xb9, 0x01, 0x3f, 0xad,
	0x07, 0x61, 0x35, 0x3c, 0x70, 0x86, 0xa2, 0x72, 0xc2, 0x40, 0x88, 0xbe, 0x94, 0x76, 0x9f, 0xd1,
	0x66, 0x50,
};

/* The order of the base point, and of every other: it is a prime, and the cofactor is 1. */
static const u8 p521_order[P521_LEN] = {
	0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xfa, 0x51, 0x86, 0x87, 0x83, 0xbf, 0x2f, 0x96, 0x6b, 0x7f, 0xcc, 0x01, 0x48, 0xf7, 0x09,
	0xa5, 0xd0, 0x3b, 0xb5, 0xc9, 0xb8, 0x89, 0x9c, 0x47, 0xae, 0xbb, 0x6f, 0xb7, 0x1e, 0x91, 0x38,
	0x64, 0x09,
};

static const struct fe521 p521_zero = { .v = { 0 } };
static const struct fe521 p521_one = { .v = { 1 } };
static const struct p521_point p521_infinity = { .y = { .v = { 1 } } };

bool p521_scalar_valid(const u8 *scalar)
{
	return nist_scalar_valid(scalar, p521_order, P521_LEN);
}

static void p521_triple(struct fe521 *a)
{
	struct fe521 t;

	fe521_add(&t, a, a);
	fe521_add(a, a, &t);
}

static bool p521_odd(const struct fe521 *a)
{
	u8 bytes[P521_LEN];

	fe521_to_bytes(a, bytes);
	return bytes[P521_LEN - 1] & 1;
}

int p521_decompress(const u8 *point, struct fe521 *x, struct fe521 *y)
{
	struct fe521 b, square, t;

	if (!nist_prefix_valid(point[0]) || !fe521_from_bytes(x, point + 1))
		return -EPROTO;
	/* x^3 - 3x + b = x (x^2 - 3) + b */
	t = p521_one;
	p521_triple(&t);
	fe521_mul(&square, x, x);
	fe521_sub(&square, &square, &t);
	fe521_mul(&square, &square, x);
	fe521_from_bytes(&b, p521_b);
	fe521_add(&square, &square, &b);

	fe521_sqrt(y, &square);
	fe521_mul(&t, y, y);
	if (!fe521_equal(&t, &square))
		return -EPROTO;
	/* y is not 0: the curve's order is odd. */
	if (p521_odd(y) != nist_prefix_odd(point[0]))
		fe521_sub(y, &p521_zero, y);
	return 0;
}

static void p521_compress(const struct fe521 *x, const struct fe521 *y, u8 *point)
{
	fe521_to_bytes(y, point + 1);
	point[0] = NIST_POINT_EVEN + (point[P521_LEN] & 1);
	fe521_to_bytes(x, point + 1);
}

/* out = a1 b2 + a2 b1, from a1 b1 = a and a2 b2 = b */
static void p521_cross(struct fe521 *out, const struct fe521 *a1, const struct fe521 *a2,
		       const struct fe521 *b1, const struct fe521 *b2,
		       const struct fe521 *a, const struct fe521 *b)
{
	struct fe521 t;

	fe521_add(&t, a1, a2);
	fe521_add(out, b1, b2);
	fe521_mul(out, out, &t);
	fe521_sub(out, out, a);
	fe521_sub(out, out, b);
}

/*
 * out = p + q, any of which may be another or the point at infinity: the formulas of Renes, Costello and
 * Batina, "Complete addition formulas for prime order elliptic curves" (2016), section 3.2, have no
 * exceptions. For p = (x1, y1, z1) and q = (x2, y2, z2), with
 *
 *	xx = x1 x2    xy = x1 y2 + x2 y1    u = 3 (xz - b zz)
 *	yy = y1 y2    yz = y1 z2 + y2 z1    v = 3 (b xz - xx - 3 zz)
 *	zz = z1 z2    xz = x1 z2 + x2 z1    w = 3 (xx - zz)
 *
 * the sum is
 *
 *	x = xy (yy + u) - yz v
 *	y = (yy + u) (yy - u) + w v
 *	z = yz (yy - u) + xy w
 */
static void p521_add(struct p521_work *work, struct p521_point *out, const struct p521_point *p,
		     const struct p521_point *q)
{
	struct fe521 *xx = &work->t[0], *yy = &work->t[1], *zz = &work->t[2];
	struct fe521 *xy = &work->t[3], *yz = &work->t[4], *xz = &work->t[5];
	struct fe521 *u = &work->t[6], *v = &work->t[7], *w = &work->t[8];
	struct fe521 *plus, *minus;

	fe521_mul(xx, &p->x, &q->x);
	fe521_mul(yy, &p->y, &q->y);
	fe521_mul(zz, &p->z, &q->z);
	p521_cross(xy, &p->x, &p->y, &q->x, &q->y, xx, yy);
	p521_cross(yz, &p->y, &p->z, &q->y, &q->z, yy, zz);
	p521_cross(xz, &p->x, &p->z, &q->x, &q->z, xx, zz);

	fe521_mul(u, &work->b, zz);
	fe521_sub(u, xz, u);
	p521_triple(u);

	fe521_sub(w, xx, zz);
	p521_triple(w);

	/* What is in v, xz and zz is no longer needed one after the other. */
	fe521_mul(v, &work->b, xz);
	fe521_sub(v, v, xx);
	p521_triple(zz);
	fe521_sub(v, v, zz);
	p521_triple(v);

	plus = xx;
	minus = zz;
	fe521_add(plus, yy, u);
	fe521_sub(minus, yy, u);

	fe521_mul(&out->x, xy, plus);
	fe521_mul(u, yz, v);
	fe521_sub(&out->x, &out->x, u);

	fe521_mul(&out->y, plus, minus);
	fe521_mul(u, w, v);
	fe521_add(&out->y, &out->y, u);

	fe521_mul(&out->z, yz, minus);
	fe521_mul(u, xy, w);
	fe521_add(&out->z, &out->z, u);
}

/* All ones if a = b, else 0; for numbers below 2^63. The compiler is not to know that it is one of two. */
static u64 p521_mask_equal(u64 a, u64 b)
{
	u64 mask = -(((a ^ b) - 1) >> 63);

	__asm__("" : "+r"(mask));
	return mask;
}

/* work->term = work->table[digit], read from among all of them */
static void p521_look_up(struct p521_work *work, unsigned int digit)
{
	struct p521_point *term = &work->term;
	unsigned int i;

	*term = work->table[0];
	for (i = 1; i < P521_WINDOW; i++) {
		u64 mask = p521_mask_equal(i, digit);

		fe521_select(&term->x, &work->table[i].x, mask);
		fe521_select(&term->y, &work->table[i].y, mask);
		fe521_select(&term->z, &work->table[i].z, mask);
	}
}

/* work->sum = 16 work->sum + digit */
static void p521_step(struct p521_work *work, unsigned int digit)
{
	struct p521_point *sum = &work->sum;
	unsigned int i;

	for (i = 1; i < P521_WINDOW; i *= 2)
		p521_add(work, sum, sum, sum);
	p521_look_up(work, digit);
	p521_add(work, sum, sum, &work->term);
}

static int p521_begin(struct p521_work *work, const u8 *point)
{
	struct p521_point *table = work->table;
	unsigned int i;
	int err = 0;

	if (point) {
		err = p521_decompress(point, &table[1].x, &table[1].y);
	} else {
		fe521_from_bytes(&table[1].x, p521_base_x);
		fe521_from_bytes(&table[1].y, p521_base_y);
	}
	if (err)
		return err;
	table[1].z = p521_one;
	fe521_from_bytes(&work->b, p521_b);
	table[0] = p521_infinity;
	for (i = 2; i < P521_WINDOW; i++)
		p521_add(work, &table[i], &table[i - 1], &table[1]);
	work->sum = p521_infinity;
	return 0;
}

/*
 * Overwrites what the functions that p521_multiply() called before have left on the stack; in two frames,
 * since one may not have so much with KASAN.
 */
static __attribute__((__noinline__)) void p521_wipe_lower(void)
{
	u8 stack[P521_STACK / 2];

	memzero_explicit(stack, sizeof(stack));
}

static __attribute__((__noinline__)) void p521_wipe_stack(void)
{
	u8 stack[P521_STACK / 2];

	p521_wipe_lower();
	memzero_explicit(stack, sizeof(stack));
}

int p521_multiply(struct p521_work *work, const u8 *scalar, const u8 *point, u8 *product)
{
	struct p521_point *sum = &work->sum;
	unsigned int i;
	int err;

	err = p521_begin(work, point);
	if (err)
		return err;
	for (i = 0; i < P521_LEN; i++) {
		p521_step(work, scalar[i] >> 4);
		p521_step(work, scalar[i] & 0xf);
	}
	/* z is not 0: the order is a prime, and the scalar is below it. */
	fe521_invert(&sum->z, &sum->z);
	fe521_mul(&sum->x, &sum->x, &sum->z);
	fe521_mul(&sum->y, &sum->y, &sum->z);
	p521_compress(&sum->x, &sum->y, product);
	memzero_explicit(work, sizeof(*work));
	p521_wipe_stack();
	return 0;
}
