// SPDX-License-Identifier: GPL-2.0
/* src/crypto/tep.c, src/crypto/x25519.c, and the kernel's X25519 below them */
#include "kunit.h"

#include "crypto/tep.h"

#include <linux/workqueue.h>

#define X25519_LEN	32

static int x25519_suite_init(struct kunit_suite *suite)
{
	return tcpcrypt_tep_init();
}

static void x25519_suite_exit(struct kunit_suite *suite)
{
	tcpcrypt_tep_exit();
}

static void tcpcrypt_tep_find__all(struct kunit *test)
{
	const struct tcpcrypt_tep *const *tep;

	KUNIT_EXPECT_NULL(test, tcpcrypt_tep_find(0));
	KUNIT_EXPECT_NULL(test, tcpcrypt_tep_find(0x7f));
	KUNIT_EXPECT_NULL(test, tcpcrypt_tep_find(0x80 | TCPCRYPT_TEP_CURVE25519));
	KUNIT_EXPECT_NULL(test, tcpcrypt_tep_find_name(""));
	KUNIT_EXPECT_NULL(test, tcpcrypt_tep_find_name("curve2551"));
	for (tep = tcpcrypt_teps; *tep; tep++) {
		KUNIT_EXPECT_PTR_EQ(test, tcpcrypt_tep_find((*tep)->id), *tep);
		KUNIT_EXPECT_PTR_EQ(test, tcpcrypt_tep_find_name((*tep)->name), *tep);
		KUNIT_EXPECT_LE(test, (int)(*tep)->pub_len, TCPCRYPT_PUB_MAX);
		KUNIT_EXPECT_LE(test, (int)(*tep)->es_len, TCPCRYPT_ES_MAX);
		KUNIT_EXPECT_LE(test, (int)(*tep)->priv_len, TCPCRYPT_PRIV_MAX);
	}
}

/* N-06 */
static void tcpcrypt_tep_find__required(struct kunit *test)
{
	const struct tcpcrypt_tep *tep = tcpcrypt_tep_find(TCPCRYPT_TEP_CURVE25519);

	KUNIT_ASSERT_NOT_NULL(test, tep);
	KUNIT_EXPECT_EQ(test, (int)tep->pub_len, X25519_LEN);
	KUNIT_EXPECT_EQ(test, (int)tep->es_len, X25519_LEN);
	KUNIT_EXPECT_FALSE(test, tep->has_len);
	KUNIT_EXPECT_PTR_EQ(test, tcpcrypt_tep_find_name("curve25519"), tep);
}

static void tcpcrypt_x25519_agree__vectors(struct kunit *test)
{
	const struct vec_x25519 *v;

	for_each_vector(v, x25519) {
		const u8 *scalar = tcpcrypt_exact_vec(test, v->scalar);
		const u8 *point = tcpcrypt_exact_vec(test, v->point);
		u8 *es = kunit_kzalloc(test, X25519_LEN, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, es);
		EXPECT_VEC_EQ(test, v, tcpcrypt_tep_x25519.agree(scalar, point, es), v->result);
		if (!v->result)
			EXPECT_VEC_BYTES(test, v, es, X25519_LEN, v->out);
	}
}

static void tcpcrypt_x25519_agree__iterated(struct kunit *test)
{
	const struct vec_x25519_iterated *v;

	for_each_vector(v, x25519_iterated) {
		u8 k[X25519_LEN] = { 9 }, u[X25519_LEN] = { 9 }, next[X25519_LEN];
		int i;

		for (i = 0; i < v->times; i++) {
			KUNIT_ASSERT_EQ(test, tcpcrypt_tep_x25519.agree(k, u, next), 0);
			memcpy(u, k, sizeof(u));
			memcpy(k, next, sizeof(k));
		}
		EXPECT_VEC_BYTES(test, v, k, sizeof(k), v->out);
	}
}

/* Two fresh pairs, made and used on any stack and any CPU. */
static bool x25519_exchange(void)
{
	const struct tcpcrypt_tep *tep = &tcpcrypt_tep_x25519;
	u8 priv_a[X25519_LEN], priv_b[X25519_LEN], pub_a[X25519_LEN], pub_b[X25519_LEN];
	u8 es_a[X25519_LEN], es_b[X25519_LEN];

	return !tep->keygen(priv_a, pub_a) && !tep->keygen(priv_b, pub_b) &&
	       memcmp(pub_a, pub_b, sizeof(pub_a)) && memcmp(priv_a, priv_b, sizeof(priv_a)) &&
	       !tep->agree(priv_a, pub_b, es_a) && !tep->agree(priv_b, pub_a, es_b) &&
	       !memcmp(es_a, es_b, sizeof(es_a));
}

static void tcpcrypt_x25519_keygen__exchange(struct kunit *test)
{
	int i;

	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_TRUE(test, x25519_exchange());
}

/* The public key is the base point times the private one. */
static void tcpcrypt_x25519_keygen__public(struct kunit *test)
{
	static const u8 base[X25519_LEN] = { 9 };
	u8 priv[X25519_LEN], pub[X25519_LEN], want[X25519_LEN];

	KUNIT_ASSERT_EQ(test, tcpcrypt_tep_x25519.keygen(priv, pub), 0);
	KUNIT_ASSERT_EQ(test, tcpcrypt_tep_x25519.agree(priv, base, want), 0);
	KUNIT_EXPECT_EQ(test, memcmp(pub, want, sizeof(pub)), 0);
}

#define X25519_WORKERS		16
#define X25519_EXCHANGES	10

struct x25519_worker {
	struct work_struct work;
	int failed;
};

static void x25519_work(struct work_struct *work)
{
	struct x25519_worker *worker = container_of(work, struct x25519_worker, work);
	int i;

	for (i = 0; i < X25519_EXCHANGES; i++) {
		if (!x25519_exchange())
			worker->failed++;
	}
}

/* Keys of one connection never get into another's exchange. */
static void tcpcrypt_x25519_agree__concurrent(struct kunit *test)
{
	struct x25519_worker *workers;
	int i;

	workers = kunit_kcalloc(test, X25519_WORKERS, sizeof(*workers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, workers);
	for (i = 0; i < X25519_WORKERS; i++) {
		INIT_WORK(&workers[i].work, x25519_work);
		queue_work(system_unbound_wq, &workers[i].work);
	}
	for (i = 0; i < X25519_WORKERS; i++)
		flush_work(&workers[i].work);
	for (i = 0; i < X25519_WORKERS; i++)
		KUNIT_EXPECT_EQ(test, workers[i].failed, 0);
}

static struct kunit_case x25519_cases[] = {
	KUNIT_CASE(tcpcrypt_tep_find__all),
	KUNIT_CASE(tcpcrypt_tep_find__required),
	KUNIT_CASE(tcpcrypt_x25519_agree__vectors),
	KUNIT_CASE(tcpcrypt_x25519_agree__iterated),
	KUNIT_CASE(tcpcrypt_x25519_agree__concurrent),
	KUNIT_CASE(tcpcrypt_x25519_keygen__exchange),
	KUNIT_CASE(tcpcrypt_x25519_keygen__public),
	{}
};

struct kunit_suite x25519_suite = {
	.name = "tcpcrypt_x25519",
	.suite_init = x25519_suite_init,
	.suite_exit = x25519_suite_exit,
	.test_cases = x25519_cases,
};
