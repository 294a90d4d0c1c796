// SPDX-License-Identifier: GPL-2.0
/* Init1 and Init2, the two messages of the key exchange (RFC 8548 section 4.1). */
#include "init.h"

/*
 * Init1: magic (4) | message_len (4) | nciphers (1) | sym_cipher[] (2 each) | N_A (32) | Pub_A
 * Init2: magic (4) | message_len (4) | sym_cipher (2)                       | N_B (32) | Pub_B
 *
 * Both may end in bytes that nobody reads, but that are part of the transcript (K-01).
 */

static u32 tcpcrypt_init_min(u32 magic)
{
	return magic == TCPCRYPT_INIT1_MAGIC ? TCPCRYPT_INIT1_MIN : TCPCRYPT_INIT2_MIN;
}

int tcpcrypt_init_length(const u8 *buf, size_t have, u32 magic, u32 *len)
{
	u8 want[TCPCRYPT_INIT_MAGIC_LEN];
	u32 n = 0;
	size_t i;

	put_unaligned_be32(magic, want);
	for (i = 0; i < sizeof(want); i++) {
		if (i == have)
			return -EAGAIN;
		if (buf[i] != want[i])
			return -EPROTO;
	}
	/* Bytes that have not come count as 0: so what is too much already is told early. */
	for (; i < TCPCRYPT_INIT_HDR_LEN; i++)
		n = n << 8 | (i < have ? buf[i] : 0);
	if (n > TCPCRYPT_INIT_MAX)
		return -EPROTO;
	if (have < TCPCRYPT_INIT_HDR_LEN)
		return -EAGAIN;
	if (n < tcpcrypt_init_min(magic))
		return -EPROTO;
	*len = n;
	return 0;
}

/* The header, for a message that is there as a whole. */
static int tcpcrypt_init_check(const u8 *msg, u32 len, u32 magic)
{
	u32 n;

	if (tcpcrypt_init_length(msg, len, magic, &n) || n != len)
		return -EPROTO;
	return 0;
}

/* The nonce and the key, with @off bytes before them. */
static int tcpcrypt_init_parse_key(const u8 *msg, u32 len, u32 off, unsigned int pub_len,
				   bool has_len, const u8 **nonce, const u8 **pub)
{
	if (len - off < TCPCRYPT_NONCE_LEN || len - off - TCPCRYPT_NONCE_LEN < pub_len)
		return -EPROTO;
	*nonce = msg + off;
	*pub = msg + off + TCPCRYPT_NONCE_LEN;
	if (has_len && get_unaligned_be16(*pub) != pub_len - TCPCRYPT_PUB_HDR_LEN)
		return -EPROTO;
	return 0;
}

int tcpcrypt_init1_parse(const u8 *msg, u32 len, unsigned int pub_len, bool has_len,
			 struct tcpcrypt_init1 *out)
{
	u32 off = TCPCRYPT_INIT_HDR_LEN;
	int err;

	err = tcpcrypt_init_check(msg, len, TCPCRYPT_INIT1_MAGIC);
	if (err)
		return err;
	/* TCPCRYPT_INIT1_MIN leaves room for nciphers, but not for the list that it counts. */
	out->n_ciphers = msg[off++];
	out->ciphers = msg + off;
	if (!out->n_ciphers || len - off < 2U * out->n_ciphers)
		return -EPROTO;
	off += 2U * out->n_ciphers;
	out->pub_len = pub_len;
	return tcpcrypt_init_parse_key(msg, len, off, pub_len, has_len, &out->nonce, &out->pub);
}

int tcpcrypt_init2_parse(const u8 *msg, u32 len, unsigned int pub_len, bool has_len,
			 struct tcpcrypt_init2 *out)
{
	u32 off = TCPCRYPT_INIT_HDR_LEN;
	int err;

	err = tcpcrypt_init_check(msg, len, TCPCRYPT_INIT2_MAGIC);
	if (err)
		return err;
	out->cipher = get_unaligned_be16(msg + off);
	off += 2;
	out->pub_len = pub_len;
	return tcpcrypt_init_parse_key(msg, len, off, pub_len, has_len, &out->nonce, &out->pub);
}

/* Nonce and key at @len, then the header, now that the length is known. */
static unsigned int tcpcrypt_init_finish(u8 *buf, unsigned int len, u32 magic, const u8 *nonce,
					 const u8 *pub, unsigned int pub_len)
{
	memcpy(buf + len, nonce, TCPCRYPT_NONCE_LEN);
	len += TCPCRYPT_NONCE_LEN;
	memcpy(buf + len, pub, pub_len);
	len += pub_len;
	put_unaligned_be32(magic, buf);
	put_unaligned_be32(len, buf + TCPCRYPT_INIT_MAGIC_LEN);
	return len;
}

unsigned int tcpcrypt_init1_build(const u16 *ciphers, unsigned int n, const u8 *nonce,
				  const u8 *pub, unsigned int pub_len, u8 *buf)
{
	unsigned int len = TCPCRYPT_INIT_HDR_LEN;
	unsigned int i;

	buf[len++] = n;
	for (i = 0; i < n; i++, len += 2)
		put_unaligned_be16(ciphers[i], buf + len);
	return tcpcrypt_init_finish(buf, len, TCPCRYPT_INIT1_MAGIC, nonce, pub, pub_len);
}

unsigned int tcpcrypt_init2_build(u16 cipher, const u8 *nonce, const u8 *pub,
				  unsigned int pub_len, u8 *buf)
{
	unsigned int len = TCPCRYPT_INIT_HDR_LEN;

	put_unaligned_be16(cipher, buf + len);
	return tcpcrypt_init_finish(buf, len + 2, TCPCRYPT_INIT2_MAGIC, nonce, pub, pub_len);
}

u16 tcpcrypt_cipher_choose(const u8 *ciphers, unsigned int n, const u16 *prefs,
			   unsigned int n_prefs)
{
	unsigned int i, j;

	for (i = 0; i < n_prefs; i++) {
		for (j = 0; j < n; j++) {
			if (get_unaligned_be16(ciphers + 2 * j) == prefs[i])
				return prefs[i];
		}
	}
	return 0;
}
