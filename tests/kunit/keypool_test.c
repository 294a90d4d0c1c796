// SPDX-License-Identifier: GPL-2.0
/* Key pairs that are kept for the next connection: each is had once. */
#include "kunit.h"
#include "session/conn.h"

#define MANY	40	/* more than are kept */

static const struct tcpcrypt_tep *keypool_tep(struct kunit *test, u8 id)
{
	const struct tcpcrypt_tep *tep = tcpcrypt_tep_find(id);

	KUNIT_ASSERT_NOT_NULL(test, tep);
	return tep;
}

static struct tcpcrypt_handshake *keypool_handshake(struct kunit *test, const struct tcpcrypt_tep *tep)
{
	struct tcpcrypt_handshake *hs = kunit_kzalloc(test, sizeof(*hs), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, hs);
	hs->guess = tep;
	return hs;
}

/* As the worker leaves it: @mark stands for a key pair. */
static void keypool_make(struct tcpcrypt_handshake *hs, u8 mark)
{
	hs->keyed = hs->guess;
	hs->phase = TCPCRYPT_HS_SEND_INIT1;
	memset(hs->priv, mark, sizeof(hs->priv));
	memset(hs->pub, mark, sizeof(hs->pub));
}

static void tcpcrypt_keypool_take__once(struct kunit *test)
{
	const struct tcpcrypt_tep *tep = keypool_tep(test, TCPCRYPT_TEP_CURVE25519);
	struct tcpcrypt_handshake *from = keypool_handshake(test, tep), *to = keypool_handshake(test, tep);

	tcpcrypt_keypool_wipe();
	KUNIT_EXPECT_FALSE(test, tcpcrypt_keypool_has(tep));
	KUNIT_EXPECT_FALSE(test, tcpcrypt_keypool_take(to));
	KUNIT_EXPECT_EQ(test, (int)to->phase, (int)TCPCRYPT_HS_KEYGEN);
	keypool_make(from, 7);
	tcpcrypt_keypool_give(from);
	KUNIT_EXPECT_FALSE(test, memchr_inv(from->priv, 0, sizeof(from->priv)));
	tcpcrypt_keypool_give(from);
	KUNIT_EXPECT_TRUE(test, tcpcrypt_keypool_has(tep));
	KUNIT_ASSERT_TRUE(test, tcpcrypt_keypool_take(to));
	KUNIT_EXPECT_EQ(test, (int)to->phase, (int)TCPCRYPT_HS_SEND_INIT1);
	KUNIT_EXPECT_PTR_EQ(test, to->keyed, tep);
	KUNIT_EXPECT_FALSE(test, memchr_inv(to->priv, 7, sizeof(to->priv)));
	KUNIT_EXPECT_FALSE(test, memchr_inv(to->pub, 7, sizeof(to->pub)));
	KUNIT_EXPECT_FALSE(test, tcpcrypt_keypool_has(tep));
}

/* What was in an Init message, or is no pair at all, is not kept (K-06). */
static void tcpcrypt_keypool_give__refuses(struct kunit *test)
{
	const struct tcpcrypt_tep *tep = keypool_tep(test, TCPCRYPT_TEP_CURVE25519);
	struct tcpcrypt_handshake *hs = keypool_handshake(test, tep);

	tcpcrypt_keypool_wipe();
	tcpcrypt_keypool_give(hs);
	KUNIT_EXPECT_FALSE(test, tcpcrypt_keypool_has(tep));
	keypool_make(hs, 1);
	hs->own_len = 1;
	tcpcrypt_keypool_give(hs);
	KUNIT_EXPECT_FALSE(test, tcpcrypt_keypool_has(tep));
	hs->own_len = 0;
	hs->phase = TCPCRYPT_HS_RECEIVE;
	tcpcrypt_keypool_give(hs);
	KUNIT_EXPECT_FALSE(test, tcpcrypt_keypool_has(tep));
}

/* Each TEP has its own, and one that nobody wants any more does not keep the others out. */
static void tcpcrypt_keypool_take__teps(struct kunit *test)
{
	const struct tcpcrypt_tep *old = keypool_tep(test, TCPCRYPT_TEP_CURVE448);
	const struct tcpcrypt_tep *tep = keypool_tep(test, TCPCRYPT_TEP_CURVE25519);
	struct tcpcrypt_handshake *hs = keypool_handshake(test, old);
	unsigned int i, n;

	tcpcrypt_keypool_wipe();
	for (i = 0; i < MANY; i++) {
		keypool_make(hs, i);
		tcpcrypt_keypool_give(hs);
	}
	hs->guess = tep;
	KUNIT_EXPECT_FALSE(test, tcpcrypt_keypool_take(hs));
	keypool_make(hs, 99);
	tcpcrypt_keypool_give(hs);
	KUNIT_ASSERT_TRUE(test, tcpcrypt_keypool_take(hs));
	KUNIT_EXPECT_FALSE(test, memchr_inv(hs->priv, 99, sizeof(hs->priv)));
	KUNIT_EXPECT_FALSE(test, tcpcrypt_keypool_take(hs));
	hs->guess = old;
	for (n = 0; tcpcrypt_keypool_take(hs); n++)
		KUNIT_EXPECT_PTR_EQ(test, hs->keyed, old);
	KUNIT_EXPECT_GT(test, n, 0u);
	KUNIT_EXPECT_LT(test, n, (unsigned int)MANY);
	tcpcrypt_keypool_wipe();
}

static struct kunit_case keypool_cases[] = {
	KUNIT_CASE(tcpcrypt_keypool_take__once),
	KUNIT_CASE(tcpcrypt_keypool_give__refuses),
	KUNIT_CASE(tcpcrypt_keypool_take__teps),
	{}
};

struct kunit_suite keypool_suite = {
	.name = "tcpcrypt_keypool",
	.test_cases = keypool_cases,
};
