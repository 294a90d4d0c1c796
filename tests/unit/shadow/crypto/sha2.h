/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's HMAC-SHA256, over OpenSSL: what src/crypto/hkdf.c needs to run in user space. */
#ifndef TCPCRYPT_TESTS_SHA2_H
#define TCPCRYPT_TESTS_SHA2_H

#include "wire/base.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define SHA256_DIGEST_SIZE	32
#define SHA256_BLOCK_SIZE	64

struct hmac_sha256_key {
	u8 raw[SHA256_BLOCK_SIZE];
	size_t len;
};

/* Holds memory from init to final, so that a sanitizer reports who forgets final. */
struct hmac_sha256_ctx {
	EVP_MAC_CTX *mac;
};

static inline void hmac_sha256_check(int ok)
{
	if (!ok)
		abort();
}

static inline void hmac_sha256_init_usingrawkey(struct hmac_sha256_ctx *ctx, const u8 *raw_key,
						size_t raw_key_len)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	static const u8 none;

	ctx->mac = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	hmac_sha256_check(ctx->mac && EVP_MAC_init(ctx->mac, raw_key_len ? raw_key : &none,
						   raw_key_len, params));
}

static inline void hmac_sha256_preparekey(struct hmac_sha256_key *key, const u8 *raw_key,
					  size_t raw_key_len)
{
	hmac_sha256_check(raw_key_len <= sizeof(key->raw));
	memcpy(key->raw, raw_key, raw_key_len);
	key->len = raw_key_len;
}

static inline void hmac_sha256_init(struct hmac_sha256_ctx *ctx, const struct hmac_sha256_key *key)
{
	hmac_sha256_init_usingrawkey(ctx, key->raw, key->len);
}

static inline void hmac_sha256_update(struct hmac_sha256_ctx *ctx, const u8 *data, size_t data_len)
{
	hmac_sha256_check(EVP_MAC_update(ctx->mac, data, data_len));
}

static inline void hmac_sha256_final(struct hmac_sha256_ctx *ctx, u8 *out)
{
	size_t len;

	hmac_sha256_check(EVP_MAC_final(ctx->mac, out, &len, SHA256_DIGEST_SIZE) &&
			  len == SHA256_DIGEST_SIZE);
	EVP_MAC_CTX_free(ctx->mac);
	ctx->mac = NULL;
}

#endif
