// SPDX-License-Identifier: GPL-2.0
/* src/crypto/keys.c, over the kernel's SHA-256 */
#include "kunit.h"

static void tcpcrypt_keys_prk__vectors(struct kunit *test)
{
	const struct vec_keys_prk *v;

	for_each_vector(v, keys_prk) {
		const struct tcpcrypt_vec transcript = { v->transcript.data, v->transcript.len };
		const struct tcpcrypt_vec init1 = { v->init1.data, v->init1.len };
		const struct tcpcrypt_vec init2 = { v->init2.data, v->init2.len };
		const struct tcpcrypt_vec es = { v->es.data, v->es.len };
		u8 prk[TCPCRYPT_K_LEN];

		tcpcrypt_keys_prk(v->n_a.data, &transcript, &init1, &init2, &es, prk);
		EXPECT_VEC_BYTES(test, v, prk, sizeof(prk), v->prk);
	}
}

/* next_ss, mk0, session_id and resume */
static void tcpcrypt_keys_ss__vectors(struct kunit *test)
{
	const struct vec_keys_ss *v;

	for_each_vector(v, keys_ss) {
		const u8 *sn = tcpcrypt_exact_vec(test, v->sn);
		u8 *ss = tcpcrypt_exact_vec(test, v->ss);
		u8 mk[TCPCRYPT_K_LEN], id[TCPCRYPT_SESSID_LEN], resume[TCPCRYPT_RESUME_LEN];

		tcpcrypt_keys_mk0(ss, sn, v->sn.len, mk);
		EXPECT_VEC_BYTES(test, v, mk, sizeof(mk), v->mk0);
		tcpcrypt_keys_session_id(ss, v->tep_byte, sn, v->sn.len, id);
		EXPECT_VEC_BYTES(test, v, id, sizeof(id), v->session_id);
		tcpcrypt_keys_resume(ss, resume);
		EXPECT_VEC_BYTES(test, v, resume, sizeof(resume), v->resume);
		tcpcrypt_keys_next_ss(ss, ss);
		EXPECT_VEC_BYTES(test, v, ss, TCPCRYPT_K_LEN, v->next);
	}
}

/* traffic and next_mk */
static void tcpcrypt_keys_mk__vectors(struct kunit *test)
{
	const struct vec_keys_mk *v;

	for_each_vector(v, keys_mk) {
		u8 *mk = tcpcrypt_exact_vec(test, v->mk);
		struct tcpcrypt_traffic_key tk;

		tcpcrypt_keys_traffic(mk, ENO_ROLE_A, v->ab_key.len, &tk);
		EXPECT_VEC_BYTES(test, v, tk.key, v->ab_key.len, v->ab_key);
		EXPECT_VEC_BYTES(test, v, tk.nr, sizeof(tk.nr), v->ab_nr);
		tcpcrypt_keys_traffic(mk, ENO_ROLE_B, v->ba_key.len, &tk);
		EXPECT_VEC_BYTES(test, v, tk.key, v->ba_key.len, v->ba_key);
		EXPECT_VEC_BYTES(test, v, tk.nr, sizeof(tk.nr), v->ba_nr);
		tcpcrypt_keys_next_mk(mk, mk);
		EXPECT_VEC_BYTES(test, v, mk, TCPCRYPT_K_LEN, v->next);
	}
}

/* What a resumed session and the next one of its chain come from (RFC 8548 section 3.5). */
static void tcpcrypt_keys__resumed(struct kunit *test)
{
	const struct vec_resumed *v;

	for_each_vector(v, resumed) {
		u8 *ss = tcpcrypt_exact_vec(test, v->ss);
		struct eno_syn syn_a, syn_b, *of_a = v->swapped ? &syn_b : &syn_a, *of_b = v->swapped ? &syn_a : &syn_b;
		u8 id[TCPCRYPT_SESSID_LEN], resume[TCPCRYPT_RESUME_LEN], sn[TCPCRYPT_SN_MAX];
		unsigned int len_a, len_b;
		const u8 *nonce;

		EXPECT_VEC_EQ(test, v, eno_syn_parse(v->opt_a.data, v->opt_a.len, &syn_a), ENO_OK);
		EXPECT_VEC_EQ(test, v, eno_syn_parse(v->opt_b.data, v->opt_b.len, &syn_b), ENO_OK);
		nonce = eno_resume_nonce(of_a, 0x23, &len_a);
		memcpy(sn, nonce, len_a);
		nonce = eno_resume_nonce(of_b, 0x23, &len_b);
		memcpy(sn + len_a, nonce, len_b);
		EXPECT_VEC_BYTES(test, v, sn, len_a + len_b, v->sn);
		tcpcrypt_keys_session_id(ss, 0xa3, sn, len_a + len_b, id);
		EXPECT_VEC_BYTES(test, v, id, sizeof(id), v->session_id);
		tcpcrypt_keys_next_ss(ss, ss);
		EXPECT_VEC_BYTES(test, v, ss, TCPCRYPT_K_LEN, v->next);
		tcpcrypt_keys_resume(ss, resume);
		EXPECT_VEC_BYTES(test, v, resume, sizeof(resume), v->next_resume);
	}
}

static struct kunit_case keys_cases[] = {
	KUNIT_CASE(tcpcrypt_keys_prk__vectors),
	KUNIT_CASE(tcpcrypt_keys_ss__vectors),
	KUNIT_CASE(tcpcrypt_keys_mk__vectors),
	KUNIT_CASE(tcpcrypt_keys__resumed),
	{}
};

struct kunit_suite keys_suite = {
	.name = "tcpcrypt_keys",
	.test_cases = keys_cases,
};
