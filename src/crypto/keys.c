// SPDX-License-Identifier: GPL-2.0
/* The key schedule, in the symbols and the order of RFC 8548 sections 3.3, 3.4 and 3.8. */
#include "keys.h"

/* CPRF(K, CONST, L) = HKDF-Expand(K, CONST, L) */
static void tcpcrypt_keys_cprf(const u8 k[TCPCRYPT_K_LEN], enum tcpcrypt_const c, u8 *out,
			       size_t len)
{
	u8 info = c;

	tcpcrypt_hkdf_expand(k, &info, sizeof(info), out, len);
}

/* CPRF(K, CONST | sn[i], K_LEN) */
static void tcpcrypt_keys_cprf_sn(const u8 k[TCPCRYPT_K_LEN], enum tcpcrypt_const c, const u8 *sn,
				  unsigned int sn_len, u8 *out)
{
	u8 info[1 + TCPCRYPT_SN_MAX];

	if (sn_len > TCPCRYPT_SN_MAX)
		sn_len = TCPCRYPT_SN_MAX;
	info[0] = c;
	if (sn_len)
		memcpy(info + 1, sn, sn_len);
	tcpcrypt_hkdf_expand(k, info, 1 + sn_len, out, TCPCRYPT_K_LEN);
}

void tcpcrypt_keys_prk(const u8 *n_a, const struct tcpcrypt_vec *transcript,
		       const struct tcpcrypt_vec *init1, const struct tcpcrypt_vec *init2,
		       const struct tcpcrypt_vec *es, u8 prk[TCPCRYPT_K_LEN])
{
	const struct tcpcrypt_vec ikm[] = { *transcript, *init1, *init2, *es };

	tcpcrypt_hkdf_extract(n_a, TCPCRYPT_NONCE_LEN, ikm, sizeof(ikm) / sizeof(ikm[0]), prk);
}

void tcpcrypt_keys_next_ss(const u8 ss[TCPCRYPT_K_LEN], u8 next[TCPCRYPT_K_LEN])
{
	tcpcrypt_keys_cprf(ss, TCPCRYPT_CONST_NEXTK, next, TCPCRYPT_K_LEN);
}

void tcpcrypt_keys_mk0(const u8 ss[TCPCRYPT_K_LEN], const u8 *sn, unsigned int sn_len,
		       u8 mk[TCPCRYPT_K_LEN])
{
	tcpcrypt_keys_cprf_sn(ss, TCPCRYPT_CONST_REKEY, sn, sn_len, mk);
}

void tcpcrypt_keys_next_mk(const u8 mk[TCPCRYPT_K_LEN], u8 next[TCPCRYPT_K_LEN])
{
	tcpcrypt_keys_cprf(mk, TCPCRYPT_CONST_REKEY, next, TCPCRYPT_K_LEN);
}

/*
 * k_ab[j] = CPRF(mk[j], CONST_KEY_A, ae_key_len + ae_nonce_len)
 * k_ba[j] = CPRF(mk[j], CONST_KEY_B, ae_key_len + ae_nonce_len)
 *
 * each being K (ae_key_len), then NR (ae_nonce_len).
 */
void tcpcrypt_keys_traffic(const u8 mk[TCPCRYPT_K_LEN], enum eno_role side,
			   unsigned int ae_key_len, struct tcpcrypt_traffic_key *tk)
{
	u8 k[TCPCRYPT_AE_KEY_MAX + TCPCRYPT_AEAD_NONCE_LEN];

	tcpcrypt_keys_cprf(mk, side == ENO_ROLE_A ? TCPCRYPT_CONST_KEY_A : TCPCRYPT_CONST_KEY_B,
			   k, ae_key_len + TCPCRYPT_AEAD_NONCE_LEN);
	memset(tk, 0, sizeof(*tk));
	memcpy(tk->key, k, ae_key_len);
	memcpy(tk->nr, k + ae_key_len, TCPCRYPT_AEAD_NONCE_LEN);
	memzero_explicit(k, sizeof(k));
}

void tcpcrypt_keys_session_id(const u8 ss[TCPCRYPT_K_LEN], u8 tep_byte, const u8 *sn,
			      unsigned int sn_len, u8 id[TCPCRYPT_SESSID_LEN])
{
	id[0] = tep_byte;
	tcpcrypt_keys_cprf_sn(ss, TCPCRYPT_CONST_SESSID, sn, sn_len, id + 1);
}

void tcpcrypt_keys_resume(const u8 ss[TCPCRYPT_K_LEN], u8 id[TCPCRYPT_RESUME_LEN])
{
	tcpcrypt_keys_cprf(ss, TCPCRYPT_CONST_RESUME, id, TCPCRYPT_RESUME_LEN);
}
