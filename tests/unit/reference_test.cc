// SPDX-License-Identifier: GPL-2.0
/* The reference itself, against what the RFCs and NIST publish: else it shows nothing. */
#include "unit.h"

namespace
{

void check_x25519(const vec_x25519 &v)
{
	EXPECT_EQ(reference::tep_agree(0x23, to_bytes(v.scalar), to_bytes(v.point)),
		  to_bytes(v.out));
}

/* What is not valid has no secret in the vectors, and none by the reference. */
void check_x448(const vec_x448 &v)
{
	EXPECT_EQ(reference::tep_agree(0x24, to_bytes(v.scalar), to_bytes(v.point)),
		  to_bytes(v.out));
}

void check_p256(const vec_ecdh_p256 &v)
{
	EXPECT_EQ(reference::tep_agree(0x21, to_bytes(v.scalar), to_bytes(v.pub)), to_bytes(v.es));
}

void check_p521(const vec_ecdh_p521 &v)
{
	EXPECT_EQ(reference::tep_agree(0x22, to_bytes(v.scalar), to_bytes(v.pub)), to_bytes(v.es));
}

void check_x25519_iterated(const vec_x25519_iterated &v)
{
	Bytes k(32), u;

	k[0] = 9;
	u = k;
	for (int i = 0; i < v.times; i++) {
		const Bytes next = reference::tep_agree(0x23, k, u);

		u = k;
		k = next;
	}
	EXPECT_EQ(k, to_bytes(v.out));
}

void check_aead(const vec_aead &v)
{
	const auto id = static_cast<u16>(v.id);
	Bytes plain, wrong = to_bytes(v.sealed);

	EXPECT_EQ(reference::aead_seal(id, to_bytes(v.key), to_bytes(v.nonce), to_bytes(v.ad),
				       to_bytes(v.plain)),
		  to_bytes(v.sealed));
	EXPECT_TRUE(reference::aead_open(id, to_bytes(v.key), to_bytes(v.nonce), to_bytes(v.ad),
					 to_bytes(v.sealed), plain));
	EXPECT_EQ(plain, to_bytes(v.plain));
	wrong.back() ^= 1;
	EXPECT_FALSE(reference::aead_open(id, to_bytes(v.key), to_bytes(v.nonce), to_bytes(v.ad),
					  wrong, plain));
}

const bool registered = table("reference", "x25519", vecs_x25519, check_x25519) &&
			table("reference", "x25519", vecs_x25519_iterated, check_x25519_iterated) &&
			table("reference", "x448", vecs_x448, check_x448) &&
			table("reference", "p256", vecs_ecdh_p256, check_p256) &&
			table("reference", "p521", vecs_ecdh_p521, check_p521) &&
			table("reference", "aead", vecs_aead, check_aead);

}
