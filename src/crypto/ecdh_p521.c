// SPDX-License-Identifier: GPL-2.0
/* TCPCRYPT_ECDHE_P521 (RFC 8548 section 5): ECDH of our own, which the kernel has for smaller curves. */
#include "tep.h"
#include "p521.h"

#include <linux/random.h>
#include <linux/slab.h>

/* Bits of the first byte: the order takes 521. */
#define TCPCRYPT_ECDH_P521_TOP	0x01

/* ENO was sent, so the generator is seeded (E-20): this does not wait. */
static void tcpcrypt_ecdh_p521_draw(u8 *priv)
{
	do {
		get_random_bytes(priv, P521_LEN);
		priv[0] &= TCPCRYPT_ECDH_P521_TOP;
	} while (!p521_scalar_valid(priv));
}

/* @point is NULL for the base point. */
static int tcpcrypt_ecdh_p521_run(const u8 *priv, const u8 *point, u8 *product)
{
	struct p521_work *work;
	int err;

	work = kmalloc(sizeof(*work), GFP_KERNEL);
	if (!work)
		return -ENOMEM;
	err = p521_multiply(work, priv, point, product);
	kfree(work);
	return err;
}

static int tcpcrypt_ecdh_p521_keygen(u8 *priv, u8 *pub)
{
	tcpcrypt_ecdh_p521_draw(priv);
	put_unaligned_be16(P521_POINT_LEN, pub);
	return tcpcrypt_ecdh_p521_run(priv, NULL, pub + TCPCRYPT_PUB_HDR_LEN);
}

static int tcpcrypt_ecdh_p521_agree(const u8 *priv, const u8 *pub, u8 *es)
{
	u8 product[P521_POINT_LEN];
	int err;

	err = tcpcrypt_ecdh_p521_run(priv, pub + TCPCRYPT_PUB_HDR_LEN, product);
	if (err)
		return err;
	memcpy(es, product + 1, P521_LEN);
	memzero_explicit(product, sizeof(product));
	return 0;
}

const struct tcpcrypt_tep tcpcrypt_tep_p521 = {
	.id		= TCPCRYPT_TEP_P521,
	.name		= "p521",
	.pub_len	= TCPCRYPT_PUB_HDR_LEN + P521_POINT_LEN,
	.has_len	= true,
	.es_len		= P521_LEN,
	.priv_len	= P521_LEN,
	.keygen		= tcpcrypt_ecdh_p521_keygen,
	.agree		= tcpcrypt_ecdh_p521_agree,
};
