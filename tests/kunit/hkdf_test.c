// SPDX-License-Identifier: GPL-2.0
/* src/crypto/hkdf.c, over the kernel's SHA-256 */
#include "kunit.h"

#include "crypto/hkdf.h"

static void tcpcrypt_hkdf_extract__vectors(struct kunit *test)
{
	const struct vec_hkdf_extract *v;

	for_each_vector(v, hkdf_extract) {
		const struct tcpcrypt_vec ikm = { v->ikm.data, v->ikm.len };
		u8 prk[TCPCRYPT_HASH_LEN];

		tcpcrypt_hkdf_extract(v->salt.data, v->salt.len, &ikm, 1, prk);
		EXPECT_VEC_BYTES(test, v, prk, sizeof(prk), v->prk);
	}
}

/* However the message is cut into pieces, empty ones included. */
static void tcpcrypt_hkdf_extract__pieces(struct kunit *test)
{
	const struct vec_hkdf_extract *v;

	for_each_vector(v, hkdf_extract) {
		size_t i;

		for (i = 0; i <= v->ikm.len; i++) {
			const struct tcpcrypt_vec pieces[] = {
				{ v->ikm.data, i },
				{ NULL, 0 },
				{ v->ikm.data + i, v->ikm.len - i },
			};
			u8 prk[TCPCRYPT_HASH_LEN];

			tcpcrypt_hkdf_extract(v->salt.data, v->salt.len, pieces, 3, prk);
			EXPECT_VEC_BYTES(test, v, prk, sizeof(prk), v->prk);
		}
	}
}

static void tcpcrypt_hkdf_expand__vectors(struct kunit *test)
{
	const struct vec_hkdf_expand *v;

	for_each_vector(v, hkdf_expand) {
		u8 *okm = kunit_kmalloc(test, v->okm.len, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, okm);
		tcpcrypt_hkdf_expand(v->prk.data, v->info.data, v->info.len, okm, v->okm.len);
		EXPECT_VEC_BYTES(test, v, okm, v->okm.len, v->okm);
	}
}

/* What is asked for is the beginning of what more would be. */
static void tcpcrypt_hkdf_expand__every_length(struct kunit *test)
{
	const struct vec_hkdf_expand *v;

	for_each_vector(v, hkdf_expand) {
		size_t len;

		for (len = 1; len < v->okm.len; len++) {
			struct vec_bytes want = { v->okm.data, len };
			u8 *okm = kunit_kmalloc(test, len, GFP_KERNEL);

			KUNIT_ASSERT_NOT_NULL(test, okm);
			tcpcrypt_hkdf_expand(v->prk.data, v->info.data, v->info.len, okm, len);
			EXPECT_VEC_BYTES(test, v, okm, len, want);
		}
	}
}

static struct kunit_case hkdf_cases[] = {
	KUNIT_CASE(tcpcrypt_hkdf_extract__vectors),
	KUNIT_CASE(tcpcrypt_hkdf_extract__pieces),
	KUNIT_CASE(tcpcrypt_hkdf_expand__vectors),
	KUNIT_CASE(tcpcrypt_hkdf_expand__every_length),
	{}
};

struct kunit_suite hkdf_suite = {
	.name = "tcpcrypt_hkdf",
	.test_cases = hkdf_cases,
};
