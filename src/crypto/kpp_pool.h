/* SPDX-License-Identifier: GPL-2.0 */
/* Key agreements of the crypto API (kpp), with transforms that are there before they are needed. */
#ifndef TCPCRYPT_CRYPTO_KPP_POOL_H
#define TCPCRYPT_CRYPTO_KPP_POOL_H

#include <linux/types.h>

#define TCPCRYPT_KPP_MAX	64	/* bytes of an input, and of an output */

struct tcpcrypt_kpp_slot;

/**
 * struct tcpcrypt_kpp_pool - transforms of one algorithm
 * @alg: its name in the crypto API
 * @module: alias of the module that has it, where the API asks for it by another name; else NULL
 * @no_secret: what overwrites a secret in a transform: the encoding of one that is valid
 * @secret_len: bytes of a secret's encoding
 * @slots: the transforms, each with what a computation needs
 * @n_slots: how many
 */
struct tcpcrypt_kpp_pool {
	const char *alg;
	const char *module;
	const void *no_secret;
	unsigned int secret_len;
	struct tcpcrypt_kpp_slot *slots;
	unsigned int n_slots;
};

/** tcpcrypt_kpp_init() - allocate; -ENOENT when the kernel lacks the algorithm; may sleep */
int tcpcrypt_kpp_init(struct tcpcrypt_kpp_pool *pool);
void tcpcrypt_kpp_exit(struct tcpcrypt_kpp_pool *pool);

/**
 * tcpcrypt_kpp_run() - one computation
 * @pool: of the algorithm
 * @secret: encoding of a secret
 * @in: the peer's public key, for the shared secret; NULL for our public key
 * @in_len: its length
 * @out: result; wiping it is up to the caller
 * @out_len: its length
 *
 * May sleep.
 * Return: 0 or the error of the crypto API: -EINVAL when it does not take @secret
 */
int __must_check tcpcrypt_kpp_run(struct tcpcrypt_kpp_pool *pool, const void *secret, const u8 *in,
				  unsigned int in_len, u8 *out, unsigned int out_len);

#endif
