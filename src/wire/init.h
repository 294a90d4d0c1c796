/* SPDX-License-Identifier: GPL-2.0 */
/* Init1 and Init2, the two messages of the key exchange (RFC 8548 section 4.1). */
#ifndef TCPCRYPT_WIRE_INIT_H
#define TCPCRYPT_WIRE_INIT_H

#include "base.h"

#define TCPCRYPT_INIT1_MAGIC	0x15101a0eU
#define TCPCRYPT_INIT2_MAGIC	0x097105e0U
#define TCPCRYPT_INIT_MAGIC_LEN	4
#define TCPCRYPT_INIT_HDR_LEN	(TCPCRYPT_INIT_MAGIC_LEN + 4)	/* magic, message_len */
#define TCPCRYPT_NONCE_LEN	32	/* N_A_LEN = N_B_LEN (RFC 8548 section 5) */
#define TCPCRYPT_PUB_HDR_LEN	2	/* the length field of P-256 and P-521 */
#define TCPCRYPT_PUB_MAX	(TCPCRYPT_PUB_HDR_LEN + 67)	/* P-521 */
#define TCPCRYPT_CIPHERS_MAX	255
/* Ignored bytes are allowed without bound; absurd (K-04) is more than this in all. */
#define TCPCRYPT_INIT_MAX	16384
#define TCPCRYPT_INIT1_MIN	(TCPCRYPT_INIT_HDR_LEN + 1 + 2 + TCPCRYPT_NONCE_LEN + 32)
#define TCPCRYPT_INIT2_MIN	(TCPCRYPT_INIT_HDR_LEN + 2 + TCPCRYPT_NONCE_LEN + 32)
/* The largest that we send: all AEADs, the longest key. */
#define TCPCRYPT_INIT_SEND_MAX	(TCPCRYPT_INIT_HDR_LEN + 1 + 2 * 16 + TCPCRYPT_NONCE_LEN + \
				 TCPCRYPT_PUB_MAX)

/**
 * struct tcpcrypt_init1 - a parsed Init1; pointers into the message
 * @ciphers: sym_cipher list, two bytes each, big-endian
 * @n_ciphers: how many, at least 1
 * @nonce: N_A, TCPCRYPT_NONCE_LEN bytes
 * @pub: Pub_A in wire encoding, @pub_len bytes
 * @pub_len: as the negotiated TEP says
 */
struct tcpcrypt_init1 {
	const u8 *ciphers;
	u8 n_ciphers;
	const u8 *nonce;
	const u8 *pub;
	unsigned int pub_len;
};

/**
 * struct tcpcrypt_init2 - a parsed Init2; pointers into the message
 * @cipher: sym_cipher; whether we offered it is for the caller to check (K-03)
 * @nonce: N_B, TCPCRYPT_NONCE_LEN bytes
 * @pub: Pub_B in wire encoding, @pub_len bytes
 * @pub_len: as the negotiated TEP says
 */
struct tcpcrypt_init2 {
	u16 cipher;
	const u8 *nonce;
	const u8 *pub;
	unsigned int pub_len;
};

/**
 * tcpcrypt_init_length() - how long the message that starts here is
 * @buf: what has arrived
 * @have: how much
 * @magic: the one that is expected
 * @len: result, the whole message's length
 *
 * Checks what has arrived as early as it can: a wrong magic is told from its first wrong byte.
 * The rest of the message need not have arrived.
 *
 * Return: 0, -EAGAIN if more bytes are needed to tell, -EPROTO (K-04)
 */
int tcpcrypt_init_length(const u8 *buf, size_t have, u32 magic, u32 *len);

/**
 * tcpcrypt_init1_parse() - read a whole Init1
 * @msg: the message
 * @len: its length, equal to its message_len
 * @pub_len: bytes that the negotiated TEP's key takes on the wire, a length field included
 * @has_len: that key starts with a two-byte length (P-256, P-521), which must say @pub_len - 2
 * @out: result
 *
 * Return: 0 or -EPROTO (K-04). Bytes after the key are ignored (K-01).
 */
int tcpcrypt_init1_parse(const u8 *msg, u32 len, unsigned int pub_len, bool has_len,
			 struct tcpcrypt_init1 *out);

/** tcpcrypt_init2_parse() - read a whole Init2, as tcpcrypt_init1_parse() does Init1 */
int tcpcrypt_init2_parse(const u8 *msg, u32 len, unsigned int pub_len, bool has_len,
			 struct tcpcrypt_init2 *out);

/**
 * tcpcrypt_init1_build() - write Init1
 * @ciphers: AEAD identifiers, best first
 * @n: how many, 1 to 16
 * @nonce: N_A
 * @pub: our public key in wire encoding
 * @pub_len: its length
 * @buf: at least TCPCRYPT_INIT_SEND_MAX bytes
 *
 * Return: the length written
 */
unsigned int tcpcrypt_init1_build(const u16 *ciphers, unsigned int n, const u8 *nonce,
				  const u8 *pub, unsigned int pub_len, u8 *buf);

/** tcpcrypt_init2_build() - write Init2, as tcpcrypt_init1_build() does Init1 */
unsigned int tcpcrypt_init2_build(u16 cipher, const u8 *nonce, const u8 *pub,
				  unsigned int pub_len, u8 *buf);

/**
 * tcpcrypt_cipher_choose() - B's choice from A's list, by B's own preference (K-03)
 * @ciphers: the list in Init1
 * @n: its entries
 * @prefs: ours, best first
 * @n_prefs: how many
 *
 * Return: the AEAD identifier, 0 when none is shared
 */
u16 tcpcrypt_cipher_choose(const u8 *ciphers, unsigned int n, const u16 *prefs,
			   unsigned int n_prefs);

#endif
