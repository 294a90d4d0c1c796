// SPDX-License-Identifier: GPL-2.0
/* src/crypto/hkdf.c */
#include "unit.h"

namespace
{

void check_extract(const vec_hkdf_extract &v)
{
	const tcpcrypt_vec ikm = to_vec(v.ikm);
	u8 prk[TCPCRYPT_HASH_LEN];

	tcpcrypt_hkdf_extract(v.salt.data, v.salt.len, &ikm, 1, prk);
	EXPECT_EQ(to_bytes(prk, sizeof(prk)), to_bytes(v.prk));
	EXPECT_EQ(reference::hkdf_extract(to_bytes(v.salt), to_bytes(v.ikm)), to_bytes(v.prk));
}

void check_expand(const vec_hkdf_expand &v)
{
	Bytes okm(v.okm.len);

	tcpcrypt_hkdf_expand(v.prk.data, v.info.data, v.info.len, okm.data(), okm.size());
	EXPECT_EQ(okm, to_bytes(v.okm));
	EXPECT_EQ(reference::hkdf_expand(to_bytes(v.prk), to_bytes(v.info), v.okm.len), okm);
}

const bool registered = table("hkdf", "tcpcrypt_hkdf_extract", vecs_hkdf_extract, check_extract) &&
			table("hkdf", "tcpcrypt_hkdf_expand", vecs_hkdf_expand, check_expand);

TEST(hkdf, tcpcrypt_hkdf_extract__nothing)
{
	u8 prk[TCPCRYPT_HASH_LEN];

	tcpcrypt_hkdf_extract(nullptr, 0, nullptr, 0, prk);
	EXPECT_EQ(to_bytes(prk, sizeof(prk)), reference::hkdf_extract({}, {}));
}

/* However the message is cut into pieces, empty ones included. */
TEST(hkdf, tcpcrypt_hkdf_extract__pieces)
{
	const Bytes salt = reference::noise("salt", 32), ikm = reference::noise("ikm", 100);
	const Bytes whole = reference::hkdf_extract(salt, ikm);

	for (std::size_t i = 0; i <= ikm.size(); i++) {
		const tcpcrypt_vec pieces[] = {
			{ ikm.data(), i },
			{ nullptr, 0 },
			{ ikm.data() + i, ikm.size() - i },
		};
		u8 prk[TCPCRYPT_HASH_LEN];

		tcpcrypt_hkdf_extract(salt.data(), salt.size(), pieces, 3, prk);
		EXPECT_EQ(to_bytes(prk, sizeof(prk)), whole) << i;
	}
}

TEST(hkdf, tcpcrypt_hkdf_expand__every_length)
{
	const Bytes key = reference::noise("key", 32), info = reference::noise("info", 17);

	for (std::size_t len = 1; len <= TCPCRYPT_HKDF_OUT_MAX; len += len < 130 ? 1 : 611) {
		Bytes out(len);

		tcpcrypt_hkdf_expand(key.data(), info.data(), info.size(), out.data(), len);
		EXPECT_EQ(out, reference::hkdf_expand(key, info, len)) << len;
	}
}

TEST(hkdf, tcpcrypt_hkdf_expand__longest)
{
	const Bytes key = reference::noise("key", 32);
	Bytes out(TCPCRYPT_HKDF_OUT_MAX);

	tcpcrypt_hkdf_expand(key.data(), nullptr, 0, out.data(), out.size());
	EXPECT_EQ(out, reference::hkdf_expand(key, {}, out.size()));
}

TEST(hkdf, tcpcrypt_hkdf_expand__in_place)
{
	Bytes key = reference::noise("key", 32);
	const Bytes want = reference::hkdf_expand(key, {}, 32);

	tcpcrypt_hkdf_expand(key.data(), nullptr, 0, key.data(), 32);
	EXPECT_EQ(key, want);
}

}
