// SPDX-License-Identifier: GPL-2.0
/* The reference itself, against what the RFCs and NIST publish: else it shows nothing. */
#include "unit.h"

namespace
{

void check_x25519(const vec_x25519 &v)
{
	EXPECT_EQ(reference::x25519_agree(to_bytes(v.scalar), to_bytes(v.point)), to_bytes(v.out));
}

void check_x25519_iterated(const vec_x25519_iterated &v)
{
	Bytes k(32), u;

	k[0] = 9;
	u = k;
	for (int i = 0; i < v.times; i++) {
		const Bytes next = reference::x25519_agree(k, u);

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
			table("reference", "aead", vecs_aead, check_aead);

}
