// SPDX-License-Identifier: GPL-2.0
/* src/crypto/ecdh_p256.c, with the kernel's ECDH below it, and src/crypto/ecdh_p521.c */
#include "kunit.h"

#include "crypto/p256.h"
#include "crypto/tep.h"

#include <linux/workqueue.h>

static int nist_suite_init(struct kunit_suite *suite)
{
	return tcpcrypt_tep_init();
}

static void nist_suite_exit(struct kunit_suite *suite)
{
	tcpcrypt_tep_exit();
}

static void tcpcrypt_tep_find__p256(struct kunit *test)
{
	const struct tcpcrypt_tep *tep = tcpcrypt_tep_find(TCPCRYPT_TEP_P256);

	KUNIT_ASSERT_NOT_NULL(test, tep);
	KUNIT_EXPECT_PTR_EQ(test, tep, &tcpcrypt_tep_p256);
	KUNIT_EXPECT_PTR_EQ(test, tcpcrypt_tep_find_name("p256"), tep);
	KUNIT_EXPECT_EQ(test, (int)tep->pub_len, 35);
	KUNIT_EXPECT_EQ(test, (int)tep->es_len, 32);
	KUNIT_EXPECT_TRUE(test, tep->has_len);
}

static void tcpcrypt_tep_find__p521(struct kunit *test)
{
	const struct tcpcrypt_tep *tep = tcpcrypt_tep_find(TCPCRYPT_TEP_P521);

	KUNIT_ASSERT_NOT_NULL(test, tep);
	KUNIT_EXPECT_PTR_EQ(test, tep, &tcpcrypt_tep_p521);
	KUNIT_EXPECT_PTR_EQ(test, tcpcrypt_tep_find_name("p521"), tep);
	KUNIT_EXPECT_EQ(test, (int)tep->pub_len, 69);
	KUNIT_EXPECT_EQ(test, (int)tep->es_len, 66);
	KUNIT_EXPECT_TRUE(test, tep->has_len);
}

/* The kernel cannot multiply the points with X = 0, which the vectors have as valid. */
static bool is_refused(const u8 *pub)
{
	return !memchr_inv(pub + TCPCRYPT_PUB_HDR_LEN + 1, 0, P256_LEN);
}

static void tcpcrypt_ecdh_p256_agree__vectors(struct kunit *test)
{
	const struct tcpcrypt_tep *tep = tcpcrypt_tep_find(TCPCRYPT_TEP_P256);
	const struct vec_ecdh_p256 *v;

	KUNIT_ASSERT_NOT_NULL(test, tep);
	for_each_vector(v, ecdh_p256) {
		const u8 *scalar = tcpcrypt_exact_vec(test, v->scalar);
		const u8 *pub = tcpcrypt_exact_vec(test, v->pub);
		u8 *es = kunit_kzalloc(test, tep->es_len, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, es);
		if (is_refused(pub)) {
			EXPECT_VEC_EQ(test, v, tep->agree(scalar, pub, es), -EPROTO);
			continue;
		}
		EXPECT_VEC_EQ(test, v, tep->agree(scalar, pub, es), v->result);
		if (!v->result)
			EXPECT_VEC_BYTES(test, v, es, tep->es_len, v->es);
	}
}

static void tcpcrypt_ecdh_p521_agree__vectors(struct kunit *test)
{
	const struct tcpcrypt_tep *tep = tcpcrypt_tep_find(TCPCRYPT_TEP_P521);
	const struct vec_ecdh_p521 *v;

	KUNIT_ASSERT_NOT_NULL(test, tep);
	for_each_vector(v, ecdh_p521) {
		const u8 *scalar = tcpcrypt_exact_vec(test, v->scalar);
		const u8 *pub = tcpcrypt_exact_vec(test, v->pub);
		u8 *es = kunit_kzalloc(test, tep->es_len, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, es);
		EXPECT_VEC_EQ(test, v, tep->agree(scalar, pub, es), v->result);
		if (!v->result)
			EXPECT_VEC_BYTES(test, v, es, tep->es_len, v->es);
	}
}

/* The kernel's ECDH refuses the scalar: not the peer's fault, and the next one works. */
static void tcpcrypt_ecdh_p256_agree__scalar(struct kunit *test)
{
	const struct tcpcrypt_tep *tep = tcpcrypt_tep_find(TCPCRYPT_TEP_P256);
	const struct vec_ecdh_p256 *v = vecs_ecdh_p256;
	u8 es[TCPCRYPT_ES_MAX], priv[TCPCRYPT_PRIV_MAX] = {};

	KUNIT_ASSERT_NOT_NULL(test, tep);
	KUNIT_EXPECT_EQ(test, tep->agree(priv, v->pub.data, es), -EINVAL);
	KUNIT_EXPECT_EQ(test, tep->agree(v->scalar.data, v->pub.data, es), 0);
	EXPECT_VEC_BYTES(test, v, es, tep->es_len, v->es);
}

struct nist_pair {
	u8 priv[TCPCRYPT_PRIV_MAX];
	u8 pub[TCPCRYPT_PUB_MAX];
	u8 es[TCPCRYPT_ES_MAX];
};

static bool nist_pub_valid(const struct tcpcrypt_tep *tep, const u8 *pub)
{
	return get_unaligned_be16(pub) == tep->pub_len - TCPCRYPT_PUB_HDR_LEN &&
	       (pub[TCPCRYPT_PUB_HDR_LEN] == 2 || pub[TCPCRYPT_PUB_HDR_LEN] == 3);
}

/* Two fresh pairs, made and used on any stack and any CPU. */
static bool nist_exchange(const struct tcpcrypt_tep *tep)
{
	struct nist_pair a, b;

	return !tep->keygen(a.priv, a.pub) && !tep->keygen(b.priv, b.pub) &&
	       nist_pub_valid(tep, a.pub) && nist_pub_valid(tep, b.pub) &&
	       memcmp(a.pub, b.pub, tep->pub_len) && memcmp(a.priv, b.priv, tep->priv_len) &&
	       !tep->agree(a.priv, b.pub, a.es) && !tep->agree(b.priv, a.pub, b.es) &&
	       !memcmp(a.es, b.es, tep->es_len);
}

static void tcpcrypt_ecdh_p256_keygen__exchange(struct kunit *test)
{
	int i;

	KUNIT_ASSERT_NOT_NULL(test, tcpcrypt_tep_find(TCPCRYPT_TEP_P256));
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_TRUE(test, nist_exchange(&tcpcrypt_tep_p256));
}

static void tcpcrypt_ecdh_p521_keygen__exchange(struct kunit *test)
{
	int i;

	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_TRUE(test, nist_exchange(&tcpcrypt_tep_p521));
}

/* The public key is the base point times the private one. */
static void nist_expect_public(struct kunit *test, const struct tcpcrypt_tep *tep, const u8 *base)
{
	struct nist_pair pair;

	KUNIT_ASSERT_EQ(test, tep->keygen(pair.priv, pair.pub), 0);
	KUNIT_ASSERT_EQ(test, tep->agree(pair.priv, base, pair.es), 0);
	KUNIT_EXPECT_EQ(test, memcmp(pair.pub + TCPCRYPT_PUB_HDR_LEN + 1, pair.es, tep->es_len), 0);
}

static void tcpcrypt_ecdh_p256_keygen__public(struct kunit *test)
{
	const struct vec_ecdh_p256 *v;

	KUNIT_ASSERT_NOT_NULL(test, tcpcrypt_tep_find(TCPCRYPT_TEP_P256));
	for_each_vector(v, ecdh_p256) {
		if (!strcmp(v->name, "rfc5903_initiator_public"))
			nist_expect_public(test, &tcpcrypt_tep_p256, v->pub.data);
	}
}

static void tcpcrypt_ecdh_p521_keygen__public(struct kunit *test)
{
	const struct vec_ecdh_p521 *v;

	for_each_vector(v, ecdh_p521) {
		if (!strcmp(v->name, "rfc5903_initiator_public"))
			nist_expect_public(test, &tcpcrypt_tep_p521, v->pub.data);
	}
}

#define NIST_WORKERS	16
#define NIST_EXCHANGES	5

struct nist_worker {
	struct work_struct work;
	int failed;
};

static void nist_work(struct work_struct *work)
{
	struct nist_worker *worker = container_of(work, struct nist_worker, work);
	int i;

	for (i = 0; i < NIST_EXCHANGES; i++) {
		if (!nist_exchange(&tcpcrypt_tep_p256))
			worker->failed++;
		if (!nist_exchange(&tcpcrypt_tep_p521))
			worker->failed++;
	}
}

/* Keys of one connection never get into another's exchange. */
static void tcpcrypt_ecdh_agree__concurrent(struct kunit *test)
{
	struct nist_worker *workers;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, tcpcrypt_tep_find(TCPCRYPT_TEP_P256));
	workers = kunit_kcalloc(test, NIST_WORKERS, sizeof(*workers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, workers);
	for (i = 0; i < NIST_WORKERS; i++) {
		INIT_WORK(&workers[i].work, nist_work);
		queue_work(system_unbound_wq, &workers[i].work);
	}
	for (i = 0; i < NIST_WORKERS; i++)
		flush_work(&workers[i].work);
	for (i = 0; i < NIST_WORKERS; i++)
		KUNIT_EXPECT_EQ(test, workers[i].failed, 0);
}

static struct kunit_case nist_cases[] = {
	KUNIT_CASE(tcpcrypt_tep_find__p256),
	KUNIT_CASE(tcpcrypt_tep_find__p521),
	KUNIT_CASE(tcpcrypt_ecdh_p256_agree__vectors),
	KUNIT_CASE(tcpcrypt_ecdh_p521_agree__vectors),
	KUNIT_CASE(tcpcrypt_ecdh_p256_agree__scalar),
	KUNIT_CASE(tcpcrypt_ecdh_p256_keygen__exchange),
	KUNIT_CASE(tcpcrypt_ecdh_p521_keygen__exchange),
	KUNIT_CASE(tcpcrypt_ecdh_p256_keygen__public),
	KUNIT_CASE(tcpcrypt_ecdh_p521_keygen__public),
	KUNIT_CASE(tcpcrypt_ecdh_agree__concurrent),
	{}
};

struct kunit_suite nist_suite = {
	.name = "tcpcrypt_nist",
	.suite_init = nist_suite_init,
	.suite_exit = nist_suite_exit,
	.test_cases = nist_cases,
};
