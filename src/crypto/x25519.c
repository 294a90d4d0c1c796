// SPDX-License-Identifier: GPL-2.0
/* TCPCRYPT_ECDHE_Curve25519 (RFC 8548 section 5): X25519, as RFC 7748 has it. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "tep.h"

#include <crypto/curve25519.h>
#include <linux/random.h>

/* ENO was sent, so the generator is seeded (E-20): this does not wait. */
static int tcpcrypt_x25519_keygen(u8 *priv, u8 *pub)
{
	get_random_bytes(priv, CURVE25519_KEY_SIZE);
	curve25519_clamp_secret(priv);
	return curve25519_generate_public(pub, priv) ? 0 : -EIO;
}

/* N-03: the all-zero secret comes of a point of low order. */
static int tcpcrypt_x25519_agree(const u8 *priv, const u8 *pub, u8 *es)
{
	return curve25519(es, priv, pub) ? 0 : -EPROTO;
}

const struct tcpcrypt_tep tcpcrypt_tep_x25519 = {
	.id		= TCPCRYPT_TEP_CURVE25519,
	.name		= "curve25519",
	.pub_len	= CURVE25519_KEY_SIZE,
	.es_len		= CURVE25519_KEY_SIZE,
	.priv_len	= CURVE25519_KEY_SIZE,
	.init		= tcpcrypt_curve25519_init,
	.exit		= tcpcrypt_curve25519_exit,
	.keygen		= tcpcrypt_x25519_keygen,
	.agree		= tcpcrypt_x25519_agree,
};
