/* SPDX-License-Identifier: GPL-2.0 */
/* The AEADs (RFC 8548 section 7), and keyed transforms of one direction and generation. */
#ifndef TCPCRYPT_CRYPTO_AEAD_H
#define TCPCRYPT_CRYPTO_AEAD_H

#include <crypto/aead.h>
#include "keys.h"

#define TCPCRYPT_AEAD_AES_128_GCM		0x0001
#define TCPCRYPT_AEAD_AES_256_GCM		0x0002
#define TCPCRYPT_AEAD_CHACHA20_POLY1305		0x0010
#define TCPCRYPT_AEADS_MAX			8

/**
 * struct tcpcrypt_aead - one AEAD
 * @id: identifier on the wire
 * @name: as sysctl, netlink and the tool know it
 * @alg: as the kernel's crypto API knows it
 * @key_len: ae_key_len
 * @max_frames: default limit of frames a key (F-13)
 * @max_bytes: default limit of bytes a key (F-13)
 */
struct tcpcrypt_aead {
	u16 id;
	const char *name;
	const char *alg;
	u8 key_len;
	u64 max_frames;
	u64 max_bytes;
};

extern const struct tcpcrypt_aead tcpcrypt_aeads[];
extern const unsigned int tcpcrypt_n_aeads;

/**
 * tcpcrypt_aead_init() - find the kernel's drivers, load the fast ones; at module load, may sleep
 *
 * Return: 0, or an errno when AES-128-GCM is missing (N-06). The others may be.
 */
int tcpcrypt_aead_init(void);
void tcpcrypt_aead_exit(void);

/** tcpcrypt_aead_find() - by identifier; NULL when unknown, or the kernel has no driver for it */
const struct tcpcrypt_aead *tcpcrypt_aead_find(u16 id);
const struct tcpcrypt_aead *tcpcrypt_aead_find_name(const char *name);

/**
 * tcpcrypt_aead_defaults() - identifiers by preference for this CPU, best first
 *
 * AES-128-GCM first where the CPU has AES instructions, else ChaCha20-Poly1305. Those that the
 * kernel has a driver for.
 *
 * Return: how many were written to @ids (room for TCPCRYPT_AEADS_MAX)
 */
unsigned int tcpcrypt_aead_defaults(u16 *ids);

/**
 * struct tcpcrypt_cipher - a keyed transform and its nonce randomizer
 * @tfm: the transform; requests on it may run in parallel, the key never changes (a rekey makes a
 *	new one)
 * @nr: NR
 */
struct tcpcrypt_cipher {
	struct crypto_aead *tfm;
	u8 nr[TCPCRYPT_AEAD_NONCE_LEN];
};

/** tcpcrypt_cipher_alloc() - a transform keyed with @tk; may sleep; ERR_PTR on failure */
struct tcpcrypt_cipher *tcpcrypt_cipher_alloc(const struct tcpcrypt_aead *aead,
					      const struct tcpcrypt_traffic_key *tk);

/** tcpcrypt_cipher_free() - wipe and free; NULL is fine; may sleep */
void tcpcrypt_cipher_free(struct tcpcrypt_cipher *c);

/**
 * tcpcrypt_cipher_seal() - encrypt one frame
 * @c: the cipher
 * @req: a request of crypto_aead_reqsize(@c->tfm), the caller's
 * @src: AD (frame header), then plaintext. The first entry should hold all of the AD: else some
 *	drivers allocate memory for a copy
 * @dst: AD, then ciphertext and tag; may be @src
 * @plain_len: plaintext, the flags byte included
 * @offset: of the frame in its stream
 *
 * Waits for an asynchronous driver. Process context.
 * Return: 0 or a negative errno
 */
int __must_check tcpcrypt_cipher_seal(struct tcpcrypt_cipher *c, struct aead_request *req,
				      struct scatterlist *src, struct scatterlist *dst,
				      unsigned int plain_len, u64 offset);

/**
 * tcpcrypt_cipher_open() - decrypt one frame
 *
 * As tcpcrypt_cipher_seal(), with AD and @clen bytes of ciphertext and tag in @src, AD and plain
 * text in @dst.
 *
 * Return: 0, -EBADMSG when the tag is wrong (F-04), or another negative errno
 */
int __must_check tcpcrypt_cipher_open(struct tcpcrypt_cipher *c, struct aead_request *req,
				      struct scatterlist *src, struct scatterlist *dst,
				      unsigned int clen, u64 offset);

#endif
