// SPDX-License-Identifier: GPL-2.0
/* HKDF-SHA256 (RFC 5869) over the kernel's HMAC. */
#include "hkdf.h"

#include <crypto/sha2.h>

/* RFC 5869 section 2.2: PRK = HMAC-Hash(salt, IKM) */
void tcpcrypt_hkdf_extract(const u8 *salt, size_t salt_len, const struct tcpcrypt_vec *ikm,
			   unsigned int n, u8 prk[TCPCRYPT_HASH_LEN])
{
	struct hmac_sha256_ctx hmac;
	unsigned int i;

	hmac_sha256_init_usingrawkey(&hmac, salt, salt_len);
	for (i = 0; i < n; i++)
		hmac_sha256_update(&hmac, ikm[i].data, ikm[i].len);
	hmac_sha256_final(&hmac, prk);
	memzero_explicit(&hmac, sizeof(hmac));
}

/*
 * RFC 5869 section 2.3:
 *
 *   T(0) = empty
 *   T(i) = HMAC-Hash(PRK, T(i-1) | info | i)
 *   OKM  = first L octets of T(1) | T(2) | ...
 */
void tcpcrypt_hkdf_expand(const u8 key[TCPCRYPT_HASH_LEN], const u8 *info, size_t info_len,
			  u8 *out, size_t len)
{
	struct hmac_sha256_key prk;
	struct hmac_sha256_ctx hmac;
	u8 t[TCPCRYPT_HASH_LEN];
	size_t done = 0;
	u8 i = 0;

	hmac_sha256_preparekey(&prk, key, TCPCRYPT_HASH_LEN);
	while (done < len) {
		size_t n = len - done < sizeof(t) ? len - done : sizeof(t);

		hmac_sha256_init(&hmac, &prk);
		if (i)
			hmac_sha256_update(&hmac, t, sizeof(t));
		i++;
		hmac_sha256_update(&hmac, info, info_len);
		hmac_sha256_update(&hmac, &i, 1);
		hmac_sha256_final(&hmac, t);
		memcpy(out + done, t, n);
		done += n;
	}
	memzero_explicit(&prk, sizeof(prk));
	memzero_explicit(&hmac, sizeof(hmac));
	memzero_explicit(t, sizeof(t));
}
