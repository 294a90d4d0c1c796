// SPDX-License-Identifier: GPL-2.0
/* All of it together: from two options and two private keys to frames. */
#include "crypto.h"

#include "crypto/tep.h"

static int session_suite_init(struct kunit_suite *suite)
{
	int err = tcpcrypt_tep_init();

	if (err)
		return err;
	err = tcpcrypt_aead_init();
	if (err)
		tcpcrypt_tep_exit();
	return err;
}

static void session_suite_exit(struct kunit_suite *suite)
{
	tcpcrypt_aead_exit();
	tcpcrypt_tep_exit();
}

static void session_check_frame(struct kunit *test, const struct vec_session *v, const u8 *mk,
				enum eno_role side, struct vec_bytes frame, u64 offset, bool rekey)
{
	const struct tcpcrypt_aead *aead = tcpcrypt_aead_find(v->aead);
	struct tcpcrypt_traffic_key tk;
	struct tcpcrypt_frame_hdr hdr;
	struct tcpcrypt_cipher *c;
	struct aead_request *req;
	u8 *buf = tcpcrypt_exact_vec(test, frame), *plain = buf + TCPCRYPT_FRAME_HDR_LEN;
	u8 flags;
	u16 urgent;
	int at;

	KUNIT_ASSERT_NOT_NULL(test, aead);
	tcpcrypt_keys_traffic(mk, side, aead->key_len, &tk);
	c = tcpcrypt_test_cipher(test, v->aead, &tk, &req);
	EXPECT_VEC_EQ(test, v, tcpcrypt_frame_hdr_parse(buf, &hdr), 0);
	EXPECT_VEC_EQ(test, v, hdr.clen + TCPCRYPT_FRAME_HDR_LEN, frame.len);
	EXPECT_VEC_EQ(test, v, hdr.rekey, rekey);
	EXPECT_VEC_EQ(test, v, tcpcrypt_open_in_place(c, req, buf, hdr.clen, offset), 0);
	at = tcpcrypt_frame_payload(plain, hdr.clen - TCPCRYPT_TAG_LEN, &flags, &urgent);
	EXPECT_VEC_EQ(test, v, at, TCPCRYPT_FLAGS_LEN);
	EXPECT_VEC_BYTES(test, v, plain + at, hdr.clen - TCPCRYPT_TAG_LEN - at, v->data);
	tcpcrypt_cipher_free(c);
}

/**
 * struct session_end - what one end has of a session
 * @role: its role
 * @tep: the TEP agreed on
 * @tep_byte: as B sent it
 * @a: A's option
 * @b: B's option
 * @init1: Init1
 * @init2: Init2
 * @transcript: @a and @b as on the wire
 * @transcript_len: its length
 * @es: the shared secret
 * @ss: ss[0]
 * @mk: mk[0], later mk[1]
 */
struct session_end {
	enum eno_role role;
	const struct tcpcrypt_tep *tep;
	u8 tep_byte;
	struct eno_syn a, b;
	struct tcpcrypt_init1 init1;
	struct tcpcrypt_init2 init2;
	u8 transcript[2 * ENO_TCP_OPTIONS_MAX];
	unsigned int transcript_len;
	u8 es[TCPCRYPT_ES_MAX];
	u8 ss[TCPCRYPT_K_LEN];
	u8 mk[TCPCRYPT_K_LEN];
};

static void session_negotiate(struct kunit *test, const struct vec_session *v,
			      struct session_end *end)
{
	const bool is_a = end->role == ENO_ROLE_A;
	enum eno_verdict verdict;
	struct eno_result eno;

	EXPECT_VEC_EQ(test, v, eno_syn_parse(v->opt_a.data, v->opt_a.len, &end->a), ENO_OK);
	EXPECT_VEC_EQ(test, v, eno_syn_parse(v->opt_b.data, v->opt_b.len, &end->b), ENO_OK);
	verdict = eno_negotiate(is_a ? &end->a : &end->b, is_a ? &end->b : &end->a, false, &eno);
	KUNIT_ASSERT_EQ(test, (int)verdict, (int)ENO_OK);
	EXPECT_VEC_EQ(test, v, eno.role, end->role);
	end->tep = tcpcrypt_tep_find(eno.tep);
	KUNIT_ASSERT_NOT_NULL(test, end->tep);
	end->tep_byte = eno.tep_byte;
	end->transcript_len = eno_transcript_build(&end->a, &end->b, end->transcript);
}

static void session_exchange(struct kunit *test, const struct vec_session *v,
			     struct session_end *end)
{
	const u8 *init1 = tcpcrypt_exact_vec(test, v->init1);
	const u8 *init2 = tcpcrypt_exact_vec(test, v->init2);
	const bool is_a = end->role == ENO_ROLE_A;
	const struct tcpcrypt_tep *tep = end->tep;
	const struct tcpcrypt_vec ikm[] = {
		{ end->transcript, end->transcript_len },
		{ init1, v->init1.len },
		{ init2, v->init2.len },
		{ end->es, tep->es_len },
	};
	int err;

	err = tcpcrypt_init1_parse(init1, v->init1.len, tep->pub_len, tep->has_len, &end->init1);
	KUNIT_ASSERT_EQ(test, err, 0);
	err = tcpcrypt_init2_parse(init2, v->init2.len, tep->pub_len, tep->has_len, &end->init2);
	KUNIT_ASSERT_EQ(test, err, 0);
	EXPECT_VEC_EQ(test, v, end->init2.cipher, v->aead);
	err = tep->agree(is_a ? v->priv_a.data : v->priv_b.data,
			 is_a ? end->init2.pub : end->init1.pub, end->es);
	KUNIT_ASSERT_EQ(test, err, 0);
	EXPECT_VEC_BYTES(test, v, end->es, tep->es_len, v->es);
	tcpcrypt_keys_prk(end->init1.nonce, &ikm[0], &ikm[1], &ikm[2], &ikm[3], end->ss);
}

/* One end's way from its private key to the session; both ends must come out the same. */
static void session_check_end(struct kunit *test, const struct vec_session *v, enum eno_role role)
{
	struct session_end *end = kunit_kzalloc(test, sizeof(*end), GFP_KERNEL);
	u8 id[TCPCRYPT_SESSID_LEN];

	KUNIT_ASSERT_NOT_NULL(test, end);
	end->role = role;
	session_negotiate(test, v, end);
	session_exchange(test, v, end);
	EXPECT_VEC_BYTES(test, v, end->ss, sizeof(end->ss), v->ss0);
	tcpcrypt_keys_session_id(end->ss, end->tep_byte, NULL, 0, id);
	EXPECT_VEC_BYTES(test, v, id, sizeof(id), v->session_id);

	tcpcrypt_keys_mk0(end->ss, NULL, 0, end->mk);
	session_check_frame(test, v, end->mk, ENO_ROLE_A, v->frame_a, v->init1.len, false);
	session_check_frame(test, v, end->mk, ENO_ROLE_B, v->frame_b, v->init2.len, false);
	tcpcrypt_keys_next_mk(end->mk, end->mk);
	session_check_frame(test, v, end->mk, ENO_ROLE_B, v->frame_b2,
			    v->init2.len + v->frame_b.len, true);
}

static void session__as_a(struct kunit *test)
{
	const struct vec_session *v;

	for_each_vector(v, session)
		session_check_end(test, v, ENO_ROLE_A);
}

static void session__as_b(struct kunit *test)
{
	const struct vec_session *v;

	for_each_vector(v, session)
		session_check_end(test, v, ENO_ROLE_B);
}

static struct kunit_case session_cases[] = {
	KUNIT_CASE(session__as_a),
	KUNIT_CASE(session__as_b),
	{}
};

struct kunit_suite session_suite = {
	.name = "tcpcrypt_session",
	.suite_init = session_suite_init,
	.suite_exit = session_suite_exit,
	.test_cases = session_cases,
};
