/* SPDX-License-Identifier: GPL-2.0 */
/* What the KUnit suites share: vectors, and tests that go through a table of them. */
#ifndef TCPCRYPT_TESTS_KUNIT_H
#define TCPCRYPT_TESTS_KUNIT_H

#include <kunit/test.h>
#include <linux/slab.h>

#include "wire/eno.h"
#include "wire/frame.h"
#include "wire/init.h"
#include "crypto/keys.h"

#include "vectors.h"

extern struct kunit_suite eno_suite;
extern struct kunit_suite init_suite;
extern struct kunit_suite frame_suite;
extern struct kunit_suite hkdf_suite;
extern struct kunit_suite keys_suite;
extern struct kunit_suite x25519_suite;
extern struct kunit_suite x448_suite;
extern struct kunit_suite nist_suite;
extern struct kunit_suite aead_suite;
extern struct kunit_suite session_suite;
extern struct kunit_suite keypool_suite;

/*
 * A test is a loop over the vectors of one function, not a parameterized test: of what a case
 * prints, KUnit of 6.1 keeps 512 bytes, and the verdict comes last. The vector that fails is named.
 */
#define for_each_vector(v, kind) \
	for ((v) = vecs_##kind; (v) < vecs_##kind + ARRAY_SIZE(vecs_##kind); (v)++)

#define EXPECT_VEC_EQ(test, v, left, right) \
	KUNIT_EXPECT_EQ_MSG(test, (long long)(left), (long long)(right), "%s %s", \
			    (v)->name, (v)->reqs)

#define EXPECT_VEC_BYTES(test, v, buf, size, want) \
	tcpcrypt_expect_bytes(test, buf, size, want, (v)->name)

/* A copy in memory of just its size: KASAN sees the first byte read too much. */
static inline u8 *tcpcrypt_exact(struct kunit *test, const u8 *data, size_t len)
{
	u8 *copy = kunit_kmalloc(test, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, data, len);
	return copy;
}

static inline u8 *tcpcrypt_exact_vec(struct kunit *test, struct vec_bytes bytes)
{
	return tcpcrypt_exact(test, bytes.data, bytes.len);
}

static inline void tcpcrypt_expect_bytes(struct kunit *test, const void *buf, size_t size,
					 struct vec_bytes want, const char *name)
{
	KUNIT_EXPECT_EQ_MSG(test, size, want.len, "%s", name);
	if (size == want.len)
		KUNIT_EXPECT_EQ_MSG(test, memcmp(buf, want.data, size), 0, "%s: %*phN", name,
				    (int)min_t(size_t, size, 64), buf);
}

#endif
