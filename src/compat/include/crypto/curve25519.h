/* SPDX-License-Identifier: GPL-2.0 */
/*
 * X25519 where the newest kernel has it, in <crypto/curve25519.h>, with a way to ask at load time.
 *
 * Before 6.19 the library's functions are inline and call into modules, which insmod does not load.
 * The crypto API's "curve25519" is loaded on demand, and picks the fastest driver: there we use it.
 * Since then there is the library alone, often a module too. Its symbols are weak here, so that
 * without it this module still links, and says what is missing.
 */
#ifndef TCPCRYPT_COMPAT_CRYPTO_CURVE25519_H
#define TCPCRYPT_COMPAT_CRYPTO_CURVE25519_H

#include_next <crypto/curve25519.h>

#if IS_ENABLED(CONFIG_CRYPTO_CURVE25519)

/* compat/curve25519_kpp.c */
int tcpcrypt_curve25519_init(void);
void tcpcrypt_curve25519_exit(void);
bool __must_check tcpcrypt_curve25519(u8 out[CURVE25519_KEY_SIZE],
				      const u8 secret[CURVE25519_KEY_SIZE],
				      const u8 point[CURVE25519_KEY_SIZE]);
bool __must_check tcpcrypt_curve25519_generate_public(u8 pub[CURVE25519_KEY_SIZE],
						      const u8 secret[CURVE25519_KEY_SIZE]);

#define curve25519			tcpcrypt_curve25519
#define curve25519_generate_public	tcpcrypt_curve25519_generate_public

#else

#include <linux/errno.h>
#include <linux/kmod.h>
#include <linux/printk.h>

extern __weak typeof(curve25519) curve25519;
extern __weak typeof(curve25519_generate_public) curve25519_generate_public;

static inline int tcpcrypt_curve25519_init(void)
{
	if (curve25519 && curve25519_generate_public)
		return 0;
	/* Symbols are bound when a module is loaded, so this time it is too late. */
	if (request_module("libcurve25519")) {
		pr_err("this kernel has no X25519: its module libcurve25519 is missing\n");
		return -ENOENT;
	}
	pr_err("the kernel's X25519 (libcurve25519) was not loaded, and is now: run the same insmod again\n");
	return -EAGAIN;
}

static inline void tcpcrypt_curve25519_exit(void)
{
}

#endif
#endif
