// SPDX-License-Identifier: GPL-2.0
/* src/crypto/keys.c, over the kernel's SHA-256 */
#include "kunit.h"

/* The keys of both sides that a generation has. */
static void keys_check_traffic(struct kunit *test, const char *name, const u8 *mk, struct vec_bytes ab_key,
			       struct vec_bytes ab_nr, struct vec_bytes ba_key, struct vec_bytes ba_nr)
{
	struct tcpcrypt_traffic_key tk;

	tcpcrypt_keys_traffic(mk, ENO_ROLE_A, ab_key.len, &tk);
	tcpcrypt_expect_bytes(test, tk.key, ab_key.len, ab_key, name);
	tcpcrypt_expect_bytes(test, tk.nr, sizeof(tk.nr), ab_nr, name);
	tcpcrypt_keys_traffic(mk, ENO_ROLE_B, ba_key.len, &tk);
	tcpcrypt_expect_bytes(test, tk.key, ba_key.len, ba_key, name);
	tcpcrypt_expect_bytes(test, tk.nr, sizeof(tk.nr), ba_nr, name);
}

/* What comes of ss[0], which session_test.c makes from the private keys. */
static void tcpcrypt_keys__fresh(struct kunit *test)
{
	const struct vec_session *v;

	for_each_vector(v, session) {
		u8 *ss = tcpcrypt_exact_vec(test, v->ss0);
		u8 mk[TCPCRYPT_K_LEN], id[TCPCRYPT_SESSID_LEN], resume[TCPCRYPT_RESUME_LEN];

		tcpcrypt_keys_session_id(ss, v->tep, NULL, 0, id);
		EXPECT_VEC_BYTES(test, v, id, sizeof(id), v->session_id);
		tcpcrypt_keys_mk0(ss, NULL, 0, mk);
		EXPECT_VEC_BYTES(test, v, mk, sizeof(mk), v->mk0);
		keys_check_traffic(test, v->name, mk, v->ab_key, v->ab_nr, v->ba_key, v->ba_nr);
		tcpcrypt_keys_next_mk(mk, mk);
		EXPECT_VEC_BYTES(test, v, mk, sizeof(mk), v->mk1);
		keys_check_traffic(test, v->name, mk, v->ab1_key, v->ab1_nr, v->ba1_key, v->ba1_nr);
		tcpcrypt_keys_next_ss(ss, ss);
		EXPECT_VEC_BYTES(test, v, ss, TCPCRYPT_K_LEN, v->ss1);
		tcpcrypt_keys_resume(ss, resume);
		EXPECT_VEC_BYTES(test, v, resume, sizeof(resume), v->resume1);
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
		u8 mk[TCPCRYPT_K_LEN];
		unsigned int len_a, len_b;
		const u8 *nonce;

		EXPECT_VEC_EQ(test, v, eno_syn_parse(v->opt_a.data, v->opt_a.len, &syn_a), ENO_OK);
		EXPECT_VEC_EQ(test, v, eno_syn_parse(v->opt_b.data, v->opt_b.len, &syn_b), ENO_OK);
		nonce = eno_resume_nonce(of_a, v->tep, &len_a);
		memcpy(sn, nonce, len_a);
		nonce = eno_resume_nonce(of_b, v->tep, &len_b);
		memcpy(sn + len_a, nonce, len_b);
		EXPECT_VEC_BYTES(test, v, sn, len_a + len_b, v->sn);
		tcpcrypt_keys_session_id(ss, v->tep | ENO_SUB_V, sn, len_a + len_b, id);
		EXPECT_VEC_BYTES(test, v, id, sizeof(id), v->session_id);
		tcpcrypt_keys_mk0(ss, sn, len_a + len_b, mk);
		EXPECT_VEC_BYTES(test, v, mk, sizeof(mk), v->mk0);
		keys_check_traffic(test, v->name, mk, v->ab_key, v->ab_nr, v->ba_key, v->ba_nr);
		tcpcrypt_keys_resume(ss, resume);
		EXPECT_VEC_BYTES(test, v, resume, sizeof(resume), v->resume);
		tcpcrypt_keys_next_ss(ss, ss);
		EXPECT_VEC_BYTES(test, v, ss, TCPCRYPT_K_LEN, v->next);
		tcpcrypt_keys_resume(ss, resume);
		EXPECT_VEC_BYTES(test, v, resume, sizeof(resume), v->next_resume);
	}
}

static struct kunit_case keys_cases[] = {
	KUNIT_CASE(tcpcrypt_keys__fresh),
	KUNIT_CASE(tcpcrypt_keys__resumed),
	{}
};

struct kunit_suite keys_suite = {
	.name = "tcpcrypt_keys",
	.test_cases = keys_cases,
};
