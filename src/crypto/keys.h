/* SPDX-License-Identifier: GPL-2.0 */
/* The key schedule: from shared secret to traffic keys (RFC 8548 sections 3.3, 3.4 and 3.8). */
#ifndef TCPCRYPT_CRYPTO_KEYS_H
#define TCPCRYPT_CRYPTO_KEYS_H

#include "hkdf.h"
#include "wire/eno.h"
#include "wire/frame.h"
#include "wire/init.h"

#define TCPCRYPT_K_LEN		32	/* K_LEN, of ss and mk */
#define TCPCRYPT_SESSID_LEN	33	/* TEP byte, then K_LEN bytes */
#define TCPCRYPT_RESUME_LEN	18
#define TCPCRYPT_SN_MAX		16	/* nonce_a | nonce_b */
#define TCPCRYPT_AE_KEY_MAX	32

enum tcpcrypt_const {
	TCPCRYPT_CONST_NEXTK	= 0x01,
	TCPCRYPT_CONST_SESSID	= 0x02,
	TCPCRYPT_CONST_REKEY	= 0x03,
	TCPCRYPT_CONST_KEY_A	= 0x04,
	TCPCRYPT_CONST_KEY_B	= 0x05,
	TCPCRYPT_CONST_RESUME	= 0x06,
};

/**
 * struct tcpcrypt_traffic_key - what one direction of one generation needs
 * @key: K, ae_key_len bytes used
 * @nr: NR, the nonce randomizer
 */
struct tcpcrypt_traffic_key {
	u8 key[TCPCRYPT_AE_KEY_MAX];
	u8 nr[TCPCRYPT_AEAD_NONCE_LEN];
};

/** tcpcrypt_keys_prk() - PRK = ss[0] = HKDF-Extract(N_A, eno_transcript | Init1 | Init2 | ES) */
void tcpcrypt_keys_prk(const u8 *n_a, const struct tcpcrypt_vec *transcript,
		       const struct tcpcrypt_vec *init1, const struct tcpcrypt_vec *init2,
		       const struct tcpcrypt_vec *es, u8 prk[TCPCRYPT_K_LEN]);

/** tcpcrypt_keys_next_ss() - ss[i] = CPRF(ss[i-1], CONST_NEXTK, K_LEN); @next may be @ss */
void tcpcrypt_keys_next_ss(const u8 ss[TCPCRYPT_K_LEN], u8 next[TCPCRYPT_K_LEN]);

/**
 * tcpcrypt_keys_mk0() - mk[0] = CPRF(ss[i], CONST_REKEY | sn[i], K_LEN)
 * @ss: ss[i]
 * @sn: sn[i]
 * @sn_len: its length, at most TCPCRYPT_SN_MAX, 0 for a fresh session
 * @mk: result
 */
void tcpcrypt_keys_mk0(const u8 ss[TCPCRYPT_K_LEN], const u8 *sn, unsigned int sn_len,
		       u8 mk[TCPCRYPT_K_LEN]);

/** tcpcrypt_keys_next_mk() - mk[j] = CPRF(mk[j-1], CONST_REKEY, K_LEN); @next may be @mk */
void tcpcrypt_keys_next_mk(const u8 mk[TCPCRYPT_K_LEN], u8 next[TCPCRYPT_K_LEN]);

/** tcpcrypt_keys_traffic() - k_ab (@side A) or k_ba (@side B) of a generation */
void tcpcrypt_keys_traffic(const u8 mk[TCPCRYPT_K_LEN], enum eno_role side, unsigned int ae_key_len,
			   struct tcpcrypt_traffic_key *tk);

/**
 * tcpcrypt_keys_session_id() - TEP-byte | CPRF(ss[i], CONST_SESSID | sn[i], K_LEN)
 *
 * @sn and @sn_len as for tcpcrypt_keys_mk0().
 */
void tcpcrypt_keys_session_id(const u8 ss[TCPCRYPT_K_LEN], u8 tep_byte, const u8 *sn,
			      unsigned int sn_len, u8 id[TCPCRYPT_SESSID_LEN]);

/** tcpcrypt_keys_resume() - resume[i] = CPRF(ss[i], CONST_RESUME, 18) */
void tcpcrypt_keys_resume(const u8 ss[TCPCRYPT_K_LEN], u8 id[TCPCRYPT_RESUME_LEN]);

#endif
