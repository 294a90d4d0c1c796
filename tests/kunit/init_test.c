// SPDX-License-Identifier: GPL-2.0
/* src/wire/init.c */
#include "kunit.h"

static void tcpcrypt_init_length__vectors(struct kunit *test)
{
	const struct vec_init_length *v;

	for_each_vector(v, init_length) {
		const u8 *buf = tcpcrypt_exact_vec(test, v->buf);
		u32 len = 0;

		EXPECT_VEC_EQ(test, v, tcpcrypt_init_length(buf, v->buf.len, v->magic, &len),
			      v->result);
		EXPECT_VEC_EQ(test, v, len, v->len);
	}
}

static void tcpcrypt_init1_parse__vectors(struct kunit *test)
{
	const struct vec_init1_parse *v;

	for_each_vector(v, init1_parse) {
		const u8 *msg = tcpcrypt_exact_vec(test, v->msg);
		struct tcpcrypt_init1 out;
		int err;

		err = tcpcrypt_init1_parse(msg, v->msg.len, v->pub_len, v->has_len, &out);
		EXPECT_VEC_EQ(test, v, err, v->result);
		if (err)
			continue;
		EXPECT_VEC_BYTES(test, v, out.ciphers, 2 * out.n_ciphers, v->ciphers);
		EXPECT_VEC_EQ(test, v, out.nonce - msg, v->nonce);
		EXPECT_VEC_EQ(test, v, out.pub - msg, v->pub);
		EXPECT_VEC_EQ(test, v, out.pub_len, v->pub_len);
	}
}

static void tcpcrypt_init2_parse__vectors(struct kunit *test)
{
	const struct vec_init2_parse *v;

	for_each_vector(v, init2_parse) {
		const u8 *msg = tcpcrypt_exact_vec(test, v->msg);
		struct tcpcrypt_init2 out;
		int err;

		err = tcpcrypt_init2_parse(msg, v->msg.len, v->pub_len, v->has_len, &out);
		EXPECT_VEC_EQ(test, v, err, v->result);
		if (err)
			continue;
		EXPECT_VEC_EQ(test, v, out.cipher, v->cipher);
		EXPECT_VEC_EQ(test, v, out.nonce - msg, v->nonce);
		EXPECT_VEC_EQ(test, v, out.pub - msg, v->pub);
		EXPECT_VEC_EQ(test, v, out.pub_len, v->pub_len);
	}
}

#define INIT_IDS_MAX	16

static unsigned int init_ids(u16 ids[INIT_IDS_MAX], struct vec_bytes list)
{
	unsigned int n = min_t(unsigned int, list.len / 2, INIT_IDS_MAX), i;

	for (i = 0; i < n; i++)
		ids[i] = get_unaligned_be16(list.data + 2 * i);
	return n;
}

static void tcpcrypt_init1_build__vectors(struct kunit *test)
{
	u8 *buf = kunit_kmalloc(test, TCPCRYPT_INIT_SEND_MAX, GFP_KERNEL);
	const struct vec_init1_build *v;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for_each_vector(v, init1_build) {
		u16 ids[INIT_IDS_MAX];
		unsigned int n = init_ids(ids, v->ciphers), len;

		len = tcpcrypt_init1_build(ids, n, v->nonce.data, v->pub.data, v->pub.len, buf);
		EXPECT_VEC_BYTES(test, v, buf, len, v->msg);
	}
}

static void tcpcrypt_init2_build__vectors(struct kunit *test)
{
	u8 *buf = kunit_kmalloc(test, TCPCRYPT_INIT_SEND_MAX, GFP_KERNEL);
	const struct vec_init2_build *v;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for_each_vector(v, init2_build) {
		unsigned int len;

		len = tcpcrypt_init2_build(v->cipher, v->nonce.data, v->pub.data, v->pub.len, buf);
		EXPECT_VEC_BYTES(test, v, buf, len, v->msg);
	}
}

static void tcpcrypt_cipher_choose__vectors(struct kunit *test)
{
	const struct vec_cipher_choose *v;

	for_each_vector(v, cipher_choose) {
		const u8 *offered = tcpcrypt_exact_vec(test, v->offered);
		u16 prefs[INIT_IDS_MAX];
		unsigned int n = init_ids(prefs, v->prefs);

		EXPECT_VEC_EQ(test, v,
			      tcpcrypt_cipher_choose(offered, v->offered.len / 2, prefs, n),
			      v->choice);
	}
}

/* K-04: cut anywhere, with a message_len that says so. */
static void tcpcrypt_init_parse__cut_at_every_byte(struct kunit *test)
{
	const struct vec_session *v = &vecs_session[0];
	struct tcpcrypt_init1 init1;
	struct tcpcrypt_init2 init2;
	unsigned int len;

	for (len = TCPCRYPT_INIT_HDR_LEN; len < v->init1.len; len++) {
		u8 *msg = tcpcrypt_exact(test, v->init1.data, len);

		put_unaligned_be32(len, msg + TCPCRYPT_INIT_MAGIC_LEN);
		KUNIT_EXPECT_EQ(test, tcpcrypt_init1_parse(msg, len, 32, false, &init1), -EPROTO);
	}
	for (len = TCPCRYPT_INIT_HDR_LEN; len < v->init2.len; len++) {
		u8 *msg = tcpcrypt_exact(test, v->init2.data, len);

		put_unaligned_be32(len, msg + TCPCRYPT_INIT_MAGIC_LEN);
		KUNIT_EXPECT_EQ(test, tcpcrypt_init2_parse(msg, len, 32, false, &init2), -EPROTO);
	}
}

static struct kunit_case init_cases[] = {
	KUNIT_CASE(tcpcrypt_init_length__vectors),
	KUNIT_CASE(tcpcrypt_init1_parse__vectors),
	KUNIT_CASE(tcpcrypt_init2_parse__vectors),
	KUNIT_CASE(tcpcrypt_init_parse__cut_at_every_byte),
	KUNIT_CASE(tcpcrypt_init1_build__vectors),
	KUNIT_CASE(tcpcrypt_init2_build__vectors),
	KUNIT_CASE(tcpcrypt_cipher_choose__vectors),
	{}
};

struct kunit_suite init_suite = {
	.name = "tcpcrypt_init",
	.test_cases = init_cases,
};
