// SPDX-License-Identifier: GPL-2.0
/* src/crypto/aead.c, and the kernel's AEADs below it */
#include "crypto.h"

#include <linux/workqueue.h>

static int aead_suite_init(struct kunit_suite *suite)
{
	return tcpcrypt_aead_init();
}

static void aead_suite_exit(struct kunit_suite *suite)
{
	tcpcrypt_aead_exit();
}

static void tcpcrypt_aead_find__all(struct kunit *test)
{
	unsigned int i;

	KUNIT_EXPECT_NULL(test, tcpcrypt_aead_find(0));
	KUNIT_EXPECT_NULL(test, tcpcrypt_aead_find(0x0100));
	KUNIT_EXPECT_NULL(test, tcpcrypt_aead_find_name(""));
	KUNIT_EXPECT_NULL(test, tcpcrypt_aead_find_name("aes-128-gcm "));
	for (i = 0; i < tcpcrypt_n_aeads; i++) {
		const struct tcpcrypt_aead *aead = &tcpcrypt_aeads[i];

		KUNIT_EXPECT_PTR_EQ(test, tcpcrypt_aead_find(aead->id), aead);
		KUNIT_EXPECT_PTR_EQ(test, tcpcrypt_aead_find_name(aead->name), aead);
		KUNIT_EXPECT_LE(test, (int)aead->key_len, TCPCRYPT_AE_KEY_MAX);
		/* F-13 */
		KUNIT_EXPECT_GT(test, aead->max_frames, 0ULL);
		KUNIT_EXPECT_GT(test, aead->max_bytes, 0ULL);
	}
}

/* Each once, and AES-128-GCM among them (N-06). */
static void tcpcrypt_aead_defaults__all(struct kunit *test)
{
	u16 ids[TCPCRYPT_AEADS_MAX];
	unsigned int n = tcpcrypt_aead_defaults(ids), i, j;
	bool required = false;

	KUNIT_EXPECT_EQ(test, n, tcpcrypt_n_aeads);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_NOT_NULL(test, tcpcrypt_aead_find(ids[i]));
		required |= ids[i] == TCPCRYPT_AEAD_AES_128_GCM;
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_NE(test, (int)ids[i], (int)ids[j]);
	}
	KUNIT_EXPECT_TRUE(test, required);
	KUNIT_EXPECT_TRUE(test, ids[0] == TCPCRYPT_AEAD_AES_128_GCM ||
				ids[0] == TCPCRYPT_AEAD_CHACHA20_POLY1305);
}

/* The kernel's driver alone, with the AD and the nonce of the published vectors. */
static int aead_crypt(struct crypto_aead *tfm, struct aead_request *req, bool enc, u8 *buf,
		      unsigned int ad_len, unsigned int len, const u8 *iv)
{
	DECLARE_CRYPTO_WAIT(wait);
	struct scatterlist sg;

	sg_init_one(&sg, buf, ad_len + len + (enc ? TCPCRYPT_TAG_LEN : 0));
	aead_request_set_tfm(req, tfm);
	aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP | CRYPTO_TFM_REQ_MAY_BACKLOG,
				  crypto_req_done, &wait);
	aead_request_set_ad(req, ad_len);
	aead_request_set_crypt(req, &sg, &sg, len, (u8 *)iv);
	return crypto_wait_req(enc ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req), &wait);
}

static void tcpcrypt_cipher_alloc__vectors(struct kunit *test)
{
	const struct vec_aead *v;

	for_each_vector(v, aead) {
		const size_t sealed_len = v->ad.len + v->sealed.len;
		struct tcpcrypt_traffic_key tk = {};
		struct tcpcrypt_cipher *c;
		struct aead_request *req;
		u8 *buf, *again, *iv;
		size_t i;

		memcpy(tk.key, v->key.data, v->key.len);
		memcpy(tk.nr, v->nonce.data, sizeof(tk.nr));
		c = tcpcrypt_test_cipher(test, v->id, &tk, &req);
		EXPECT_VEC_EQ(test, v, tcpcrypt_aead_find(v->id)->key_len, v->key.len);
		EXPECT_VEC_EQ(test, v, memcmp(c->nr, tk.nr, sizeof(tk.nr)), 0);

		iv = tcpcrypt_exact_vec(test, v->nonce);
		buf = kunit_kzalloc(test, sealed_len, GFP_KERNEL);
		again = kunit_kzalloc(test, sealed_len, GFP_KERNEL);
		KUNIT_ASSERT_TRUE(test, buf && again);
		memcpy(buf, v->ad.data, v->ad.len);
		memcpy(buf + v->ad.len, v->plain.data, v->plain.len);
		EXPECT_VEC_EQ(test, v,
			      aead_crypt(c->tfm, req, true, buf, v->ad.len, v->plain.len, iv), 0);
		EXPECT_VEC_BYTES(test, v, buf + v->ad.len, v->sealed.len, v->sealed);

		for (i = 0; i < sealed_len; i++) {
			memcpy(again, buf, sealed_len);
			again[i] ^= 1;
			EXPECT_VEC_EQ(test, v,
				      aead_crypt(c->tfm, req, false, again, v->ad.len,
						 v->sealed.len, iv),
				      -EBADMSG);
		}
		EXPECT_VEC_EQ(test, v,
			      aead_crypt(c->tfm, req, false, buf, v->ad.len, v->sealed.len, iv),
			      0);
		EXPECT_VEC_BYTES(test, v, buf + v->ad.len, v->plain.len, v->plain);
		tcpcrypt_cipher_free(c);
	}
}

static void tcpcrypt_cipher_free__null(struct kunit *test)
{
	tcpcrypt_cipher_free(NULL);
}

static struct tcpcrypt_cipher *aead_frame_cipher(struct kunit *test, const struct vec_frame *v,
						 struct aead_request **req)
{
	struct tcpcrypt_traffic_key tk = {};

	memcpy(tk.key, v->key.data, v->key.len);
	memcpy(tk.nr, v->nr.data, sizeof(tk.nr));
	return tcpcrypt_test_cipher(test, v->aead, &tk, req);
}

/* F-02, F-03: offset, header and key of a frame give just these bytes. */
static void tcpcrypt_cipher_seal__vectors(struct kunit *test)
{
	const struct vec_frame *v;

	for_each_vector(v, frame) {
		struct aead_request *req;
		struct tcpcrypt_cipher *c = aead_frame_cipher(test, v, &req);
		u8 *frame = kunit_kzalloc(test, v->frame.len, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, frame);
		memcpy(frame, v->frame.data, TCPCRYPT_FRAME_HDR_LEN);
		memcpy(frame + TCPCRYPT_FRAME_HDR_LEN, v->plain.data, v->plain.len);
		EXPECT_VEC_EQ(test, v,
			      tcpcrypt_seal_in_place(c, req, frame, v->plain.len,
						     get_unaligned_be64(v->offset.data)),
			      0);
		EXPECT_VEC_BYTES(test, v, frame, v->frame.len, v->frame);
		tcpcrypt_cipher_free(c);
	}
}

/* F-03, F-04: not a bit may differ, nor the place in the stream. */
static void tcpcrypt_cipher_open__tampered(struct kunit *test)
{
	const struct vec_frame *v;

	for_each_vector(v, frame) {
		const unsigned int clen = v->frame.len - TCPCRYPT_FRAME_HDR_LEN;
		const u64 offset = get_unaligned_be64(v->offset.data);
		struct aead_request *req;
		struct tcpcrypt_cipher *c = aead_frame_cipher(test, v, &req);
		u8 *frame = tcpcrypt_exact_vec(test, v->frame);
		size_t bit;

		for (bit = 0; bit < 8 * v->frame.len; bit += v->frame.len > 100 ? 7 : 1) {
			memcpy(frame, v->frame.data, v->frame.len);
			frame[bit / 8] ^= 1 << bit % 8;
			EXPECT_VEC_EQ(test, v, tcpcrypt_open_in_place(c, req, frame, clen, offset),
				      -EBADMSG);
		}
		memcpy(frame, v->frame.data, v->frame.len);
		EXPECT_VEC_EQ(test, v, tcpcrypt_open_in_place(c, req, frame, clen, offset + 1),
			      -EBADMSG);
		memcpy(frame, v->frame.data, v->frame.len);
		EXPECT_VEC_EQ(test, v, tcpcrypt_open_in_place(c, req, frame, clen - 1, offset),
			      -EBADMSG);
		tcpcrypt_cipher_free(c);
	}
}

/* F-01: with no room for a tag and a flags byte it fails, whatever it holds. */
static void tcpcrypt_cipher_open__too_short(struct kunit *test)
{
	struct aead_request *req;
	struct tcpcrypt_cipher *c = aead_frame_cipher(test, &vecs_frame[0], &req);
	unsigned int clen;

	for (clen = 0; clen < TCPCRYPT_CLEN_MIN; clen++) {
		u8 *frame = kunit_kzalloc(test, TCPCRYPT_FRAME_HDR_LEN + clen, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, frame);
		KUNIT_EXPECT_EQ(test, tcpcrypt_open_in_place(c, req, frame, clen, 0), -EBADMSG);
	}
	tcpcrypt_cipher_free(c);
}

static void tcpcrypt_cipher_open__vectors(struct kunit *test)
{
	const struct vec_frame *v;

	for_each_vector(v, frame) {
		const unsigned int clen = v->frame.len - TCPCRYPT_FRAME_HDR_LEN;
		struct aead_request *req;
		struct tcpcrypt_cipher *c = aead_frame_cipher(test, v, &req);
		u8 *frame = tcpcrypt_exact_vec(test, v->frame);

		EXPECT_VEC_EQ(test, v,
			      tcpcrypt_open_in_place(c, req, frame, clen,
						     get_unaligned_be64(v->offset.data)),
			      0);
		EXPECT_VEC_BYTES(test, v, frame + TCPCRYPT_FRAME_HDR_LEN, v->plain.len, v->plain);
		tcpcrypt_cipher_free(c);
	}
}

#define AEAD_PIECES_MAX	64

/* @buf as a list of pieces: the header, then ever larger ones. */
static void aead_scatter(struct scatterlist *sg, u8 *buf, unsigned int len)
{
	unsigned int n = 0, piece = TCPCRYPT_FRAME_HDR_LEN;

	sg_init_table(sg, AEAD_PIECES_MAX);
	while (len) {
		piece = min(piece, len);
		sg_set_buf(&sg[n++], buf, piece);
		buf += piece;
		len -= piece;
		piece += piece / 2;
	}
	sg_mark_end(&sg[n - 1]);
}

/* From one set of pieces to another, at the sizes where the drivers change their ways. */
static void tcpcrypt_cipher_seal__scattered(struct kunit *test)
{
	static const unsigned int sizes[] = {
		1, 2, 15, 16, 17, 63, 64, 65, 255, 1024, 1448, 4095, 4096, 4097, 16384,
		TCPCRYPT_CLEN_MAX - TCPCRYPT_TAG_LEN,
	};
	const unsigned int max = TCPCRYPT_FRAME_HDR_LEN + TCPCRYPT_CLEN_MAX;
	struct tcpcrypt_traffic_key tk = { .key = { 1, 2, 3 }, .nr = { 4, 5, 6 } };
	u8 *plain = kunit_kmalloc(test, max, GFP_KERNEL);
	u8 *sealed = kunit_kmalloc(test, max, GFP_KERNEL);
	u8 *opened = kunit_kmalloc(test, max, GFP_KERNEL);
	struct scatterlist *from, *to;
	unsigned int i, j;

	from = kunit_kcalloc(test, AEAD_PIECES_MAX, sizeof(*from), GFP_KERNEL);
	to = kunit_kcalloc(test, AEAD_PIECES_MAX, sizeof(*to), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, plain && sealed && opened && from && to);
	for (i = 0; i < max; i++)
		plain[i] = i * 7 + i / 256;

	for (i = 0; i < tcpcrypt_n_aeads; i++) {
		struct aead_request *req;
		struct tcpcrypt_cipher *c;

		c = tcpcrypt_test_cipher(test, tcpcrypt_aeads[i].id, &tk, &req);
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			const unsigned int len = TCPCRYPT_FRAME_HDR_LEN + sizes[j];
			const unsigned int clen = sizes[j] + TCPCRYPT_TAG_LEN;
			int err;

			tcpcrypt_frame_hdr_build(plain, clen, false);
			memcpy(sealed, plain, TCPCRYPT_FRAME_HDR_LEN);
			memcpy(opened, plain, TCPCRYPT_FRAME_HDR_LEN);
			aead_scatter(from, plain, len);
			sg_init_one(to, sealed, len + TCPCRYPT_TAG_LEN);
			err = tcpcrypt_cipher_seal(c, req, from, to, sizes[j], j);
			KUNIT_EXPECT_EQ(test, err, 0);
			KUNIT_EXPECT_NE(test, memcmp(sealed, plain, len), 0);
			aead_scatter(from, sealed, len + TCPCRYPT_TAG_LEN);
			aead_scatter(to, opened, len);
			err = tcpcrypt_cipher_open(c, req, from, to, clen, j);
			KUNIT_EXPECT_EQ(test, err, 0);
			KUNIT_EXPECT_EQ_MSG(test, memcmp(opened, plain, len), 0, "%s, %u bytes",
					    tcpcrypt_aeads[i].name, sizes[j]);
		}
		tcpcrypt_cipher_free(c);
	}
}

#define AEAD_WORKERS	8
#define AEAD_FRAMES	20
#define AEAD_WORK_LEN	1000

struct aead_worker {
	struct work_struct work;
	struct tcpcrypt_cipher *c;
	struct aead_request *req;
	u8 *frame;
	int failed;
};

static void aead_work(struct work_struct *work)
{
	struct aead_worker *w = container_of(work, struct aead_worker, work);
	const unsigned int clen = AEAD_WORK_LEN + TCPCRYPT_TAG_LEN;
	int i, j;

	for (i = 0; i < AEAD_FRAMES; i++) {
		tcpcrypt_frame_hdr_build(w->frame, clen, false);
		memset(w->frame + TCPCRYPT_FRAME_HDR_LEN, i, AEAD_WORK_LEN);
		if (tcpcrypt_seal_in_place(w->c, w->req, w->frame, AEAD_WORK_LEN, i) ||
		    tcpcrypt_open_in_place(w->c, w->req, w->frame, clen, i))
			w->failed++;
		for (j = 0; j < AEAD_WORK_LEN; j++)
			w->failed += w->frame[TCPCRYPT_FRAME_HDR_LEN + j] != i;
	}
}

/* Requests on one transform run side by side. */
static void tcpcrypt_cipher_seal__concurrent(struct kunit *test)
{
	struct tcpcrypt_traffic_key tk = { .key = { 1 }, .nr = { 2 } };
	struct aead_worker *workers;
	unsigned int i, j;

	workers = kunit_kcalloc(test, AEAD_WORKERS, sizeof(*workers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, workers);
	for (i = 0; i < tcpcrypt_n_aeads; i++) {
		struct aead_request *req;
		struct tcpcrypt_cipher *c;

		c = tcpcrypt_test_cipher(test, tcpcrypt_aeads[i].id, &tk, &req);
		for (j = 0; j < AEAD_WORKERS; j++) {
			struct aead_worker *w = &workers[j];

			w->c = c;
			w->req = kunit_kzalloc(test, sizeof(*req) + crypto_aead_reqsize(c->tfm),
					       GFP_KERNEL);
			w->frame = kunit_kzalloc(test, TCPCRYPT_FRAME_HDR_LEN + AEAD_WORK_LEN +
						 TCPCRYPT_TAG_LEN, GFP_KERNEL);
			KUNIT_ASSERT_TRUE(test, w->req && w->frame);
			INIT_WORK(&w->work, aead_work);
		}
		for (j = 0; j < AEAD_WORKERS; j++)
			queue_work(system_unbound_wq, &workers[j].work);
		for (j = 0; j < AEAD_WORKERS; j++)
			flush_work(&workers[j].work);
		for (j = 0; j < AEAD_WORKERS; j++)
			KUNIT_EXPECT_EQ(test, workers[j].failed, 0);
		tcpcrypt_cipher_free(c);
	}
}

static struct kunit_case aead_cases[] = {
	KUNIT_CASE(tcpcrypt_aead_find__all),
	KUNIT_CASE(tcpcrypt_aead_defaults__all),
	KUNIT_CASE(tcpcrypt_cipher_alloc__vectors),
	KUNIT_CASE(tcpcrypt_cipher_free__null),
	KUNIT_CASE(tcpcrypt_cipher_seal__vectors),
	KUNIT_CASE(tcpcrypt_cipher_seal__scattered),
	KUNIT_CASE(tcpcrypt_cipher_seal__concurrent),
	KUNIT_CASE(tcpcrypt_cipher_open__tampered),
	KUNIT_CASE(tcpcrypt_cipher_open__too_short),
	KUNIT_CASE(tcpcrypt_cipher_open__vectors),
	{}
};

struct kunit_suite aead_suite = {
	.name = "tcpcrypt_aead",
	.suite_init = aead_suite_init,
	.suite_exit = aead_suite_exit,
	.test_cases = aead_cases,
};
