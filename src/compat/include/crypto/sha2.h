/* SPDX-License-Identifier: GPL-2.0 */
/* HMAC-SHA256 over the SHA-256 library, for kernels before 6.17, which lack it there. */
#ifndef TCPCRYPT_COMPAT_CRYPTO_SHA2_H
#define TCPCRYPT_COMPAT_CRYPTO_SHA2_H

#include <linux/version.h>
#include_next <crypto/sha2.h>

/* These are functions, so that no symbol tells whether they are there. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)

#include <linux/string.h>

/**
 * struct hmac_sha256_key - a key, and the two blocks made from it already hashed
 * @inner: the state after the key XOR ipad (RFC 2104)
 * @outer: the state after the key XOR opad
 */
struct hmac_sha256_key {
	struct sha256_state inner;
	struct sha256_state outer;
};

struct hmac_sha256_ctx {
	struct sha256_state inner;
	struct sha256_state outer;
};

static inline void hmac_sha256_preparekey(struct hmac_sha256_key *key, const u8 *raw_key,
					  size_t raw_key_len)
{
	u8 block[SHA256_BLOCK_SIZE] = {};
	int i;

	if (raw_key_len > sizeof(block))
		sha256(raw_key, raw_key_len, block);
	else
		memcpy(block, raw_key, raw_key_len);

	for (i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	sha256_init(&key->inner);
	sha256_update(&key->inner, block, sizeof(block));

	for (i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	sha256_init(&key->outer);
	sha256_update(&key->outer, block, sizeof(block));
	memzero_explicit(block, sizeof(block));
}

static inline void hmac_sha256_init(struct hmac_sha256_ctx *ctx, const struct hmac_sha256_key *key)
{
	ctx->inner = key->inner;
	ctx->outer = key->outer;
}

static inline void hmac_sha256_init_usingrawkey(struct hmac_sha256_ctx *ctx, const u8 *raw_key,
						size_t raw_key_len)
{
	struct hmac_sha256_key key;

	hmac_sha256_preparekey(&key, raw_key, raw_key_len);
	hmac_sha256_init(ctx, &key);
	memzero_explicit(&key, sizeof(key));
}

static inline void hmac_sha256_update(struct hmac_sha256_ctx *ctx, const u8 *data,
				      size_t data_len)
{
	sha256_update(&ctx->inner, data, data_len);
}

static inline void hmac_sha256_final(struct hmac_sha256_ctx *ctx, u8 out[SHA256_DIGEST_SIZE])
{
	sha256_final(&ctx->inner, out);
	sha256_update(&ctx->outer, out, SHA256_DIGEST_SIZE);
	sha256_final(&ctx->outer, out);
	memzero_explicit(ctx, sizeof(*ctx));
}

#endif
#endif
