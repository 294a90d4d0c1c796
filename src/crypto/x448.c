// SPDX-License-Identifier: GPL-2.0
/* TCPCRYPT_ECDHE_Curve448 (RFC 8548 section 5): X448, as RFC 7748 has it. */
#include "tep.h"
#include "curve448.h"

#include <linux/random.h>

/* ENO was sent, so the generator is seeded (E-20): this does not wait. */
static int tcpcrypt_x448_keygen(u8 *priv, u8 *pub)
{
	get_random_bytes(priv, TCPCRYPT_CURVE448_LEN);
	tcpcrypt_curve448_clamp(priv);
	return tcpcrypt_curve448_public(pub, priv) ? 0 : -EIO;
}

/* N-03: the all-zero secret comes of a point of low order. */
static int tcpcrypt_x448_agree(const u8 *priv, const u8 *pub, u8 *es)
{
	return tcpcrypt_curve448(es, priv, pub) ? 0 : -EPROTO;
}

const struct tcpcrypt_tep tcpcrypt_tep_x448 = {
	.id		= TCPCRYPT_TEP_CURVE448,
	.name		= "curve448",
	.pub_len	= TCPCRYPT_CURVE448_LEN,
	.es_len		= TCPCRYPT_CURVE448_LEN,
	.priv_len	= TCPCRYPT_CURVE448_LEN,
	.keygen		= tcpcrypt_x448_keygen,
	.agree		= tcpcrypt_x448_agree,
};
