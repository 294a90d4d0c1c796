/* SPDX-License-Identifier: GPL-2.0 */
/* HKDF-SHA256 (RFC 5869), the one key derivation of all tcpcrypt TEPs. */
#ifndef TCPCRYPT_CRYPTO_HKDF_H
#define TCPCRYPT_CRYPTO_HKDF_H

#include "wire/base.h"

#define TCPCRYPT_HASH_LEN	32
#define TCPCRYPT_HKDF_OUT_MAX	(255 * TCPCRYPT_HASH_LEN)

/**
 * struct tcpcrypt_vec - a piece of a message
 * @data: its bytes
 * @len: how many
 */
struct tcpcrypt_vec {
	const u8 *data;
	size_t len;
};

/** tcpcrypt_hkdf_extract() - PRK = HMAC(salt, the @n pieces one after the other); any context */
void tcpcrypt_hkdf_extract(const u8 *salt, size_t salt_len, const struct tcpcrypt_vec *ikm,
			   unsigned int n, u8 prk[TCPCRYPT_HASH_LEN]);

/**
 * tcpcrypt_hkdf_expand() - @len bytes of output, at most TCPCRYPT_HKDF_OUT_MAX; any context
 *
 * @out may overlap @key.
 */
void tcpcrypt_hkdf_expand(const u8 key[TCPCRYPT_HASH_LEN], const u8 *info, size_t info_len,
			  u8 *out, size_t len);

#endif
