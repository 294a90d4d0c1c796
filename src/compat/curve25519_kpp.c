// SPDX-License-Identifier: GPL-2.0
/* curve25519() over the crypto API's kpp, for the kernels that have it there (until 6.18). */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <crypto/curve25519.h>

#if IS_ENABLED(CONFIG_CRYPTO_CURVE25519)

#include <crypto/algapi.h>
#include "crypto/kpp_pool.h"

static const u8 tcpcrypt_curve25519_no_secret[CURVE25519_KEY_SIZE] = { 1 };	/* 0 is refused */

static struct tcpcrypt_kpp_pool tcpcrypt_curve25519_pool = {
	.alg		= "curve25519",
	.no_secret	= tcpcrypt_curve25519_no_secret,
	.secret_len	= CURVE25519_KEY_SIZE,
};

int tcpcrypt_curve25519_init(void)
{
	int err = tcpcrypt_kpp_init(&tcpcrypt_curve25519_pool);

	if (err)
		pr_err("no X25519 in this kernel (error %d): its module curve25519-generic is missing\n",
		       err);
	return err;
}

void tcpcrypt_curve25519_exit(void)
{
	tcpcrypt_kpp_exit(&tcpcrypt_curve25519_pool);
}

/* @point is NULL for the base point. */
static bool tcpcrypt_curve25519_run(u8 *out, const u8 *secret, const u8 *point)
{
	static const u8 zeros[CURVE25519_KEY_SIZE];

	return !tcpcrypt_kpp_run(&tcpcrypt_curve25519_pool, secret, point, CURVE25519_KEY_SIZE, out,
				 CURVE25519_KEY_SIZE) &&
	       crypto_memneq(out, zeros, CURVE25519_KEY_SIZE);
}

bool tcpcrypt_curve25519(u8 out[CURVE25519_KEY_SIZE], const u8 secret[CURVE25519_KEY_SIZE],
			 const u8 point[CURVE25519_KEY_SIZE])
{
	return tcpcrypt_curve25519_run(out, secret, point);
}

bool tcpcrypt_curve25519_generate_public(u8 pub[CURVE25519_KEY_SIZE],
					 const u8 secret[CURVE25519_KEY_SIZE])
{
	return tcpcrypt_curve25519_run(pub, secret, NULL);
}

#endif
