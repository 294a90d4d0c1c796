/* SPDX-License-Identifier: GPL-2.0 */
/* Sealing and opening whole frames, for the suites of aead.c and of a session. */
#ifndef TCPCRYPT_TESTS_KUNIT_CRYPTO_H
#define TCPCRYPT_TESTS_KUNIT_CRYPTO_H

#include "kunit.h"

#include "crypto/aead.h"

#include <linux/scatterlist.h>

/* @frame: header and plaintext, with room for the tag behind; becomes header and ciphertext. */
static inline int tcpcrypt_seal_in_place(struct tcpcrypt_cipher *c, struct aead_request *req,
					 u8 *frame, unsigned int plain_len, u64 offset)
{
	struct scatterlist sg;

	sg_init_one(&sg, frame, TCPCRYPT_FRAME_HDR_LEN + plain_len + TCPCRYPT_TAG_LEN);
	return tcpcrypt_cipher_seal(c, req, &sg, &sg, plain_len, offset);
}

static inline int tcpcrypt_open_in_place(struct tcpcrypt_cipher *c, struct aead_request *req,
					 u8 *frame, unsigned int clen, u64 offset)
{
	struct scatterlist sg;

	sg_init_one(&sg, frame, TCPCRYPT_FRAME_HDR_LEN + clen);
	return tcpcrypt_cipher_open(c, req, &sg, &sg, clen, offset);
}

/* A cipher, and a request for it that is freed with the test. */
static inline struct tcpcrypt_cipher *
tcpcrypt_test_cipher(struct kunit *test, u16 id, const struct tcpcrypt_traffic_key *tk,
		     struct aead_request **req)
{
	const struct tcpcrypt_aead *aead = tcpcrypt_aead_find(id);
	struct tcpcrypt_cipher *c;

	KUNIT_ASSERT_NOT_NULL(test, aead);
	c = tcpcrypt_cipher_alloc(aead, tk);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	*req = kunit_kzalloc(test, sizeof(**req) + crypto_aead_reqsize(c->tfm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, *req);
	return c;
}

#endif
