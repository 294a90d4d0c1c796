// SPDX-License-Identifier: GPL-2.0
/* src/crypto/x448.c, and src/crypto/curve448.c below it as the kernel compiles it */
#include "kunit.h"

#include "crypto/curve448.h"
#include "crypto/tep.h"

#include <linux/sched.h>

#define X448_LEN	TCPCRYPT_CURVE448_LEN

static void tcpcrypt_tep_find__curve448(struct kunit *test)
{
	const struct tcpcrypt_tep *tep = tcpcrypt_tep_find(TCPCRYPT_TEP_CURVE448);

	KUNIT_ASSERT_NOT_NULL(test, tep);
	KUNIT_EXPECT_PTR_EQ(test, tep, &tcpcrypt_tep_x448);
	KUNIT_EXPECT_PTR_EQ(test, tcpcrypt_tep_find_name("curve448"), tep);
	KUNIT_EXPECT_EQ(test, (int)tep->pub_len, 56);
	KUNIT_EXPECT_EQ(test, (int)tep->es_len, 56);
	KUNIT_EXPECT_FALSE(test, tep->has_len);
}

static void tcpcrypt_x448_agree__vectors(struct kunit *test)
{
	const struct vec_x448 *v;

	for_each_vector(v, x448) {
		const u8 *scalar = tcpcrypt_exact_vec(test, v->scalar);
		const u8 *point = tcpcrypt_exact_vec(test, v->point);
		u8 *es = kunit_kzalloc(test, X448_LEN, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, es);
		EXPECT_VEC_EQ(test, v, tcpcrypt_tep_x448.agree(scalar, point, es), v->result);
		if (!v->result)
			EXPECT_VEC_BYTES(test, v, es, X448_LEN, v->out);
	}
}

static void tcpcrypt_x448_agree__iterated(struct kunit *test)
{
	const struct vec_x448_iterated *v;

	for_each_vector(v, x448_iterated) {
		u8 k[X448_LEN] = { 5 }, u[X448_LEN] = { 5 }, next[X448_LEN];
		int i;

		for (i = 0; i < v->times; i++) {
			KUNIT_ASSERT_EQ(test, tcpcrypt_tep_x448.agree(k, u, next), 0);
			memcpy(u, k, sizeof(u));
			memcpy(k, next, sizeof(k));
			cond_resched();
		}
		EXPECT_VEC_BYTES(test, v, k, sizeof(k), v->out);
	}
}

/* A point of low order is refused by a fresh key too, not just by the one of the vectors. */
static void tcpcrypt_x448_agree__low_order(struct kunit *test)
{
	u8 priv[X448_LEN], pub[X448_LEN], es[X448_LEN];
	const struct vec_x448 *v;
	int refused = 0;

	KUNIT_ASSERT_EQ(test, tcpcrypt_tep_x448.keygen(priv, pub), 0);
	for_each_vector(v, x448) {
		EXPECT_VEC_EQ(test, v, tcpcrypt_tep_x448.agree(priv, v->point.data, es), v->result);
		refused += v->result == -EPROTO;
	}
	KUNIT_EXPECT_GE(test, refused, 5);
}

static bool x448_exchange(void)
{
	const struct tcpcrypt_tep *tep = &tcpcrypt_tep_x448;
	u8 priv_a[X448_LEN], priv_b[X448_LEN], pub_a[X448_LEN], pub_b[X448_LEN];
	u8 es_a[X448_LEN], es_b[X448_LEN];

	return !tep->keygen(priv_a, pub_a) && !tep->keygen(priv_b, pub_b) &&
	       memcmp(pub_a, pub_b, sizeof(pub_a)) && memcmp(priv_a, priv_b, sizeof(priv_a)) &&
	       !tep->agree(priv_a, pub_b, es_a) && !tep->agree(priv_b, pub_a, es_b) &&
	       !memcmp(es_a, es_b, sizeof(es_a));
}

static void tcpcrypt_x448_keygen__exchange(struct kunit *test)
{
	int i;

	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_TRUE(test, x448_exchange());
}

/* The private key is clamped, the public key is the base point times it. */
static void tcpcrypt_x448_keygen__public(struct kunit *test)
{
	static const u8 base[X448_LEN] = { 5 };
	u8 priv[X448_LEN], pub[X448_LEN], want[X448_LEN];

	KUNIT_ASSERT_EQ(test, tcpcrypt_tep_x448.keygen(priv, pub), 0);
	KUNIT_EXPECT_EQ(test, priv[0] & 3, 0);
	KUNIT_EXPECT_EQ(test, priv[X448_LEN - 1] & 0x80, 0x80);
	KUNIT_ASSERT_EQ(test, tcpcrypt_tep_x448.agree(priv, base, want), 0);
	KUNIT_EXPECT_EQ(test, memcmp(pub, want, sizeof(pub)), 0);
}

static struct kunit_case x448_cases[] = {
	KUNIT_CASE(tcpcrypt_tep_find__curve448),
	KUNIT_CASE(tcpcrypt_x448_agree__vectors),
	KUNIT_CASE(tcpcrypt_x448_agree__iterated),
	KUNIT_CASE(tcpcrypt_x448_agree__low_order),
	KUNIT_CASE(tcpcrypt_x448_keygen__exchange),
	KUNIT_CASE(tcpcrypt_x448_keygen__public),
	{}
};

struct kunit_suite x448_suite = {
	.name = "tcpcrypt_x448",
	.test_cases = x448_cases,
};
