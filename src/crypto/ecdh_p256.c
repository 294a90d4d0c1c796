// SPDX-License-Identifier: GPL-2.0
/* TCPCRYPT_ECDHE_P256 (RFC 8548 section 5): the kernel's ECDH, and points in compressed form. */
#include "tep.h"
#include "kpp_pool.h"
#include "p256.h"

#include <crypto/kpp.h>
#include <linux/random.h>

#define TCPCRYPT_ECDH_P256_TRIES	4

/**
 * struct tcpcrypt_ecdh_p256_secret - what crypto_ecdh_encode_key() makes of a private key
 * @head: type and length
 * @key_size: of @key
 * @key: big-endian
 *
 * That function is in the module that may be missing, and a module that calls it does not load then.
 */
struct tcpcrypt_ecdh_p256_secret {
	struct kpp_secret head;
	unsigned short key_size;
	u8 key[P256_LEN];
} __packed;

#define TCPCRYPT_ECDH_P256_SECRET					\
	.head.type = CRYPTO_KPP_SECRET_TYPE_ECDH,			\
	.head.len = sizeof(struct tcpcrypt_ecdh_p256_secret),		\
	.key_size = P256_LEN

static const struct tcpcrypt_ecdh_p256_secret tcpcrypt_ecdh_p256_no_secret = {
	TCPCRYPT_ECDH_P256_SECRET,
	.key = { [0 ... P256_LEN - 1] = 1 },
};

static struct tcpcrypt_kpp_pool tcpcrypt_ecdh_p256_pool = {
	.alg		= "ecdh-nist-p256",
	.module		= "crypto-ecdh",
	.no_secret	= &tcpcrypt_ecdh_p256_no_secret,
	.secret_len	= sizeof(tcpcrypt_ecdh_p256_no_secret),
};

/* @in is NULL for the base point. */
static int tcpcrypt_ecdh_p256_run(const u8 *priv, const u8 *in, u8 *out, unsigned int out_len)
{
	struct tcpcrypt_ecdh_p256_secret secret = { TCPCRYPT_ECDH_P256_SECRET };
	int err;

	memcpy(secret.key, priv, P256_LEN);
	err = tcpcrypt_kpp_run(&tcpcrypt_ecdh_p256_pool, &secret, in, P256_XY_LEN, out, out_len);
	memzero_explicit(&secret, sizeof(secret));
	return err;
}

/* ENO was sent, so the generator is seeded (E-20): this does not wait. */
static void tcpcrypt_ecdh_p256_draw(u8 *priv)
{
	do {
		get_random_bytes(priv, P256_LEN);
	} while (!p256_scalar_valid(priv));
}

/*
 * The kernel takes no scalar that is 1 or close to the order, and before 6.9 it looked at the bytes in the
 * wrong order when it checked that: it refuses one in 2^32, and the next one serves as well.
 */
static int tcpcrypt_ecdh_p256_keygen(u8 *priv, u8 *pub)
{
	u8 xy[P256_XY_LEN];
	unsigned int tries = TCPCRYPT_ECDH_P256_TRIES;
	int err;

	do {
		tcpcrypt_ecdh_p256_draw(priv);
		err = tcpcrypt_ecdh_p256_run(priv, NULL, xy, sizeof(xy));
	} while (err == -EINVAL && --tries);
	if (err)
		return err;
	put_unaligned_be16(P256_POINT_LEN, pub);
	p256_compress(xy, pub + TCPCRYPT_PUB_HDR_LEN);
	return 0;
}

/*
 * A point of the curve with X = 0 is valid, but the kernel's ladder divides by X and fails: it is refused
 * like an invalid one. Nobody draws it by chance.
 */
static int tcpcrypt_ecdh_p256_agree(const u8 *priv, const u8 *pub, u8 *es)
{
	u8 xy[P256_XY_LEN];
	int err;

	err = p256_decompress(pub + TCPCRYPT_PUB_HDR_LEN, xy);
	if (err)
		return err;
	if (!memchr_inv(xy, 0, P256_LEN))
		return -EPROTO;
	return tcpcrypt_ecdh_p256_run(priv, xy, es, P256_LEN);
}

/* Try it once: the encoding of a key is the kernel's own, and might become another. */
static int tcpcrypt_ecdh_p256_check(void)
{
	u8 xy[P256_XY_LEN], want[P256_XY_LEN], point[P256_POINT_LEN];
	int err;

	err = tcpcrypt_ecdh_p256_run(tcpcrypt_ecdh_p256_no_secret.key, NULL, xy, sizeof(xy));
	if (err)
		return err;
	p256_compress(xy, point);
	err = p256_decompress(point, want);
	if (err)
		return err;
	return memcmp(xy, want, sizeof(xy)) ? -EINVAL : 0;
}

static int tcpcrypt_ecdh_p256_init(void)
{
	int err;

	err = tcpcrypt_kpp_init(&tcpcrypt_ecdh_p256_pool);
	if (err)
		return err;
	err = tcpcrypt_ecdh_p256_check();
	if (err)
		tcpcrypt_kpp_exit(&tcpcrypt_ecdh_p256_pool);
	return err;
}

static void tcpcrypt_ecdh_p256_exit(void)
{
	tcpcrypt_kpp_exit(&tcpcrypt_ecdh_p256_pool);
}

const struct tcpcrypt_tep tcpcrypt_tep_p256 = {
	.id		= TCPCRYPT_TEP_P256,
	.name		= "p256",
	.pub_len	= TCPCRYPT_PUB_HDR_LEN + P256_POINT_LEN,
	.has_len	= true,
	.es_len		= P256_LEN,
	.priv_len	= P256_LEN,
	.init		= tcpcrypt_ecdh_p256_init,
	.exit		= tcpcrypt_ecdh_p256_exit,
	.keygen		= tcpcrypt_ecdh_p256_keygen,
	.agree		= tcpcrypt_ecdh_p256_agree,
};
