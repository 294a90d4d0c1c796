// SPDX-License-Identifier: GPL-2.0
/* The AEADs (RFC 8548 section 7), and keyed transforms of one direction and generation. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "aead.h"

#include <linux/crypto.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/slab.h>

/* With modprobe these come first; tcpcrypt_aead_init() sees to what insmod leaves out. */
MODULE_SOFTDEP("pre: aesni-intel ghash-clmulni-intel chacha-x86_64 poly1305-x86_64");

/*
 * F-13: for the GCMs 2^24 frames or 2^36 bytes a key, well below where their margins shrink.
 * ChaCha20-Poly1305 has no such limit within reach; it gets one so that keys do not live for ever.
 */
const struct tcpcrypt_aead tcpcrypt_aeads[] = {
	{
		.id		= TCPCRYPT_AEAD_AES_128_GCM,
		.name		= "aes-128-gcm",
		.alg		= "gcm(aes)",
		.key_len	= 16,
		.max_frames	= 1ULL << 24,
		.max_bytes	= 1ULL << 36,
	}, {
		.id		= TCPCRYPT_AEAD_AES_256_GCM,
		.name		= "aes-256-gcm",
		.alg		= "gcm(aes)",
		.key_len	= 32,
		.max_frames	= 1ULL << 24,
		.max_bytes	= 1ULL << 36,
	}, {
		.id		= TCPCRYPT_AEAD_CHACHA20_POLY1305,
		.name		= "chacha20-poly1305",
		.alg		= "rfc7539(chacha20,poly1305)",
		.key_len	= 32,
		.max_frames	= 1ULL << 32,
		.max_bytes	= 1ULL << 42,
	},
};

const unsigned int tcpcrypt_n_aeads = ARRAY_SIZE(tcpcrypt_aeads);

/*
 * One transform an AEAD, from load to unload, never keyed: it shows that the kernel has the
 * algorithm, names its driver, and keeps the modules in. NULL: the kernel lacks it.
 */
static struct crypto_aead *tcpcrypt_aead_probes[ARRAY_SIZE(tcpcrypt_aeads)];

static struct crypto_aead *tcpcrypt_aead_alloc_tfm(const struct tcpcrypt_aead *aead)
{
	/*
	 * Mask 0: the fast drivers are marked asynchronous where they run synchronously nearly
	 * always, and to ask for a synchronous one is to get the slow generic one.
	 */
	struct crypto_aead *tfm = crypto_alloc_aead(aead->alg, 0, 0);
	int err;

	if (IS_ERR(tfm))
		return tfm;
	err = crypto_aead_setauthsize(tfm, TCPCRYPT_TAG_LEN);
	if (!err && crypto_aead_ivsize(tfm) != TCPCRYPT_AEAD_NONCE_LEN)
		err = -EINVAL;
	if (!err)
		return tfm;
	crypto_free_aead(tfm);
	return ERR_PTR(err);
}

int tcpcrypt_aead_init(void)
{
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(tcpcrypt_aeads) > TCPCRYPT_AEADS_MAX);

	/*
	 * What is not there yet the kernel asks for by name, and gets the fast drivers with the
	 * generic one. But AES is built in nearly everywhere, and so counts as found: ask for
	 * whatever else there is. In vain where there is nothing.
	 */
	request_module("crypto-aes");

	for (i = 0; i < ARRAY_SIZE(tcpcrypt_aeads); i++) {
		const struct tcpcrypt_aead *aead = &tcpcrypt_aeads[i];
		struct crypto_aead *tfm = tcpcrypt_aead_alloc_tfm(aead);

		if (!IS_ERR(tfm)) {
			tcpcrypt_aead_probes[i] = tfm;
			continue;
		}
		/* N-06: this one is in every build. */
		if (aead->id == TCPCRYPT_AEAD_AES_128_GCM) {
			pr_err("no %s in this kernel (error %ld): its module gcm is missing\n",
			       aead->alg, PTR_ERR(tfm));
			tcpcrypt_aead_exit();
			return PTR_ERR(tfm);
		}
		pr_info("no %s in this kernel (error %ld): going on without %s\n", aead->alg,
			PTR_ERR(tfm), aead->name);
	}
	return 0;
}

void tcpcrypt_aead_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tcpcrypt_aeads); i++) {
		crypto_free_aead(tcpcrypt_aead_probes[i]);
		tcpcrypt_aead_probes[i] = NULL;
	}
}

const struct tcpcrypt_aead *tcpcrypt_aead_find(u16 id)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tcpcrypt_aeads); i++) {
		if (tcpcrypt_aeads[i].id == id && tcpcrypt_aead_probes[i])
			return &tcpcrypt_aeads[i];
	}
	return NULL;
}

const struct tcpcrypt_aead *tcpcrypt_aead_find_name(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tcpcrypt_aeads); i++) {
		if (!strcmp(tcpcrypt_aeads[i].name, name) && tcpcrypt_aead_probes[i])
			return &tcpcrypt_aeads[i];
	}
	return NULL;
}

/*
 * The template "ctr(...)" in a driver's name: it encrypts block after block, so this AES is one of
 * tables, in C. A driver with instructions for AES brings its own counter mode.
 */
static bool tcpcrypt_aead_is_slow(const struct crypto_aead *tfm)
{
	return strstr(crypto_tfm_alg_driver_name(&((struct crypto_aead *)tfm)->base), "ctr(");
}

unsigned int tcpcrypt_aead_defaults(u16 *ids)
{
	unsigned int n = 0, pass, i;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < ARRAY_SIZE(tcpcrypt_aeads); i++) {
			struct crypto_aead *tfm = tcpcrypt_aead_probes[i];

			if (tfm && tcpcrypt_aead_is_slow(tfm) == pass)
				ids[n++] = tcpcrypt_aeads[i].id;
		}
	}
	return n;
}

struct tcpcrypt_cipher *tcpcrypt_cipher_alloc(const struct tcpcrypt_aead *aead,
					      const struct tcpcrypt_traffic_key *tk)
{
	struct tcpcrypt_cipher *c;
	int err;

	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return ERR_PTR(-ENOMEM);
	c->tfm = tcpcrypt_aead_alloc_tfm(aead);
	if (IS_ERR(c->tfm)) {
		err = PTR_ERR(c->tfm);
		c->tfm = NULL;
		goto err_free;
	}
	err = crypto_aead_setkey(c->tfm, tk->key, aead->key_len);
	if (err)
		goto err_free;
	memcpy(c->nr, tk->nr, sizeof(c->nr));
	return c;

err_free:
	tcpcrypt_cipher_free(c);
	return ERR_PTR(err);
}

void tcpcrypt_cipher_free(struct tcpcrypt_cipher *c)
{
	if (!c)
		return;
	/* Wipes the key with the rest of the transform. */
	crypto_free_aead(c->tfm);
	kfree_sensitive(c);
}

/* What seal and open share: @wait and @nonce live until crypto_wait_req() has returned. */
static void tcpcrypt_cipher_prepare(struct tcpcrypt_cipher *c, struct aead_request *req,
				    struct scatterlist *src, struct scatterlist *dst,
				    unsigned int len, u64 offset, struct crypto_wait *wait,
				    u8 *nonce)
{
	tcpcrypt_frame_nonce(c->nr, offset, nonce);
	aead_request_set_tfm(req, c->tfm);
	aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_BACKLOG | CRYPTO_TFM_REQ_MAY_SLEEP,
				  crypto_req_done, wait);
	aead_request_set_ad(req, TCPCRYPT_FRAME_HDR_LEN);
	aead_request_set_crypt(req, src, dst, len, nonce);
}

int tcpcrypt_cipher_seal(struct tcpcrypt_cipher *c, struct aead_request *req,
			 struct scatterlist *src, struct scatterlist *dst,
			 unsigned int plain_len, u64 offset)
{
	u8 nonce[TCPCRYPT_AEAD_NONCE_LEN];
	DECLARE_CRYPTO_WAIT(wait);

	tcpcrypt_cipher_prepare(c, req, src, dst, plain_len, offset, &wait, nonce);
	return crypto_wait_req(crypto_aead_encrypt(req), &wait);
}

int tcpcrypt_cipher_open(struct tcpcrypt_cipher *c, struct aead_request *req,
			 struct scatterlist *src, struct scatterlist *dst, unsigned int clen,
			 u64 offset)
{
	u8 nonce[TCPCRYPT_AEAD_NONCE_LEN];
	DECLARE_CRYPTO_WAIT(wait);

	if (clen < TCPCRYPT_CLEN_MIN)
		return -EBADMSG;
	tcpcrypt_cipher_prepare(c, req, src, dst, clen, offset, &wait, nonce);
	return crypto_wait_req(crypto_aead_decrypt(req), &wait);
}
