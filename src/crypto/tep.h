/* SPDX-License-Identifier: GPL-2.0 */
/* The table of key agreements, one row a TEP (RFC 8548 section 5). */
#ifndef TCPCRYPT_CRYPTO_TEP_H
#define TCPCRYPT_CRYPTO_TEP_H

#include "wire/base.h"
#include "wire/init.h"

#define TCPCRYPT_TEP_P256	0x21
#define TCPCRYPT_TEP_P521	0x22
#define TCPCRYPT_TEP_CURVE25519	0x23
#define TCPCRYPT_TEP_CURVE448	0x24

#define TCPCRYPT_ES_MAX		66
#define TCPCRYPT_PRIV_MAX	66

/**
 * struct tcpcrypt_tep - one key agreement
 * @id: TEP identifier
 * @name: as sysctl, netlink and the tool know it
 * @pub_len: bytes of the public key on the wire, a length field included
 * @has_len: the key starts with a two-byte length (P-256, P-521)
 * @es_len: bytes of the shared secret (N-05)
 * @priv_len: bytes of private state
 * @init: make it usable (allocate a transform, ...), at module load; may sleep; may be NULL
 * @exit: undo @init
 * @keygen: a fresh pair: priv has @priv_len bytes, pub @pub_len in wire encoding; may sleep. The
 *	caller wipes priv, on failure too
 * @agree: the shared secret, which the caller wipes; -EPROTO when the peer's key is not valid
 *	(N-03); may sleep
 */
struct tcpcrypt_tep {
	u8 id;
	const char *name;
	u8 pub_len;
	bool has_len;
	u8 es_len;
	u8 priv_len;
	int (*init)(void);
	void (*exit)(void);
	int (*keygen)(u8 *priv, u8 *pub);
	int (*agree)(const u8 *priv, const u8 *pub, u8 *es);
};

/* One a file. */
extern const struct tcpcrypt_tep tcpcrypt_tep_x25519;
extern const struct tcpcrypt_tep tcpcrypt_tep_x448;
extern const struct tcpcrypt_tep tcpcrypt_tep_p256;
extern const struct tcpcrypt_tep tcpcrypt_tep_p521;

/* Best first, NULL at the end. */
extern const struct tcpcrypt_tep *tcpcrypt_teps[];

/**
 * tcpcrypt_tep_init() - make them usable, at module load
 *
 * Those that this kernel has no support for are taken off the table, which is constant from then on.
 * Return: 0, or why Curve25519, which must be there (N-06), is not usable: then none is
 */
int tcpcrypt_tep_init(void);
void tcpcrypt_tep_exit(void);
const struct tcpcrypt_tep *tcpcrypt_tep_find(u8 id);
const struct tcpcrypt_tep *tcpcrypt_tep_find_name(const char *name);

#endif
