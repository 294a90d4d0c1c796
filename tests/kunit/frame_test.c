// SPDX-License-Identifier: GPL-2.0
/* src/wire/frame.c */
#include "kunit.h"

static void tcpcrypt_frame_hdr_build__vectors(struct kunit *test)
{
	const struct vec_frame_hdr_build *v;

	for_each_vector(v, frame_hdr_build) {
		u8 *buf = kunit_kmalloc(test, TCPCRYPT_FRAME_HDR_LEN, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, buf);
		tcpcrypt_frame_hdr_build(buf, v->clen, v->rekey);
		EXPECT_VEC_BYTES(test, v, buf, TCPCRYPT_FRAME_HDR_LEN, v->buf);
	}
}

static void tcpcrypt_frame_hdr_parse__vectors(struct kunit *test)
{
	const struct vec_frame_hdr_parse *v;

	for_each_vector(v, frame_hdr_parse) {
		const u8 *buf = tcpcrypt_exact_vec(test, v->buf);
		struct tcpcrypt_frame_hdr hdr;

		EXPECT_VEC_EQ(test, v, tcpcrypt_frame_hdr_parse(buf, &hdr), v->result);
		EXPECT_VEC_EQ(test, v, hdr.clen, v->clen);
		EXPECT_VEC_EQ(test, v, hdr.rekey, v->rekey);
	}
}

static void tcpcrypt_frame_payload__vectors(struct kunit *test)
{
	const struct vec_frame_payload *v;

	for_each_vector(v, frame_payload) {
		const u8 *plain = tcpcrypt_exact_vec(test, v->plain);
		u8 flags = 0;
		u16 urgent = 0;

		EXPECT_VEC_EQ(test, v,
			      tcpcrypt_frame_payload(plain, v->plain.len, &flags, &urgent),
			      v->result);
		EXPECT_VEC_EQ(test, v, flags, v->flags);
		EXPECT_VEC_EQ(test, v, urgent, v->urgent);
		if (v->result > 0) {
			u8 built[TCPCRYPT_FLAGS_LEN + TCPCRYPT_URGENT_LEN];

			EXPECT_VEC_EQ(test, v, tcpcrypt_frame_payload_build(built, flags, urgent), v->result);
			EXPECT_VEC_EQ(test, v, built[0], flags);
			KUNIT_EXPECT_EQ(test, memcmp(built + 1, plain + 1, v->result - 1), 0);
		}
	}
}

static void tcpcrypt_frame_nonce__vectors(struct kunit *test)
{
	const struct vec_frame_nonce *v;

	for_each_vector(v, frame_nonce) {
		const u8 *nr = tcpcrypt_exact_vec(test, v->nr);
		u8 nonce[TCPCRYPT_AEAD_NONCE_LEN];

		tcpcrypt_frame_nonce(nr, get_unaligned_be64(v->offset.data), nonce);
		EXPECT_VEC_BYTES(test, v, nonce, sizeof(nonce), v->nonce);
	}
}

static struct kunit_case frame_cases[] = {
	KUNIT_CASE(tcpcrypt_frame_hdr_build__vectors),
	KUNIT_CASE(tcpcrypt_frame_hdr_parse__vectors),
	KUNIT_CASE(tcpcrypt_frame_payload__vectors),
	KUNIT_CASE(tcpcrypt_frame_nonce__vectors),
	{}
};

struct kunit_suite frame_suite = {
	.name = "tcpcrypt_frame",
	.test_cases = frame_cases,
};
