// SPDX-License-Identifier: GPL-2.0
/* curve25519() over the crypto API's kpp, for the kernels that have it there (until 6.18). */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <crypto/curve25519.h>

#if IS_ENABLED(CONFIG_CRYPTO_CURVE25519)

#include <crypto/algapi.h>
#include <crypto/kpp.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/smp.h>

#define TCPCRYPT_KPP_SLOTS_MAX	32

/**
 * struct tcpcrypt_kpp_slot - what one computation needs, so that none can fail for lack of memory
 * @lock: over all of it: a transform holds the secret of the computation under way
 * @tfm: the transform
 * @req: its request
 * @point: input
 * @out: output; both are here since a scatterlist cannot point to a stack
 */
struct tcpcrypt_kpp_slot {
	struct mutex lock;
	struct crypto_kpp *tfm;
	struct kpp_request *req;
	u8 point[CURVE25519_KEY_SIZE];
	u8 out[CURVE25519_KEY_SIZE];
} ____cacheline_aligned;

static struct tcpcrypt_kpp_slot *tcpcrypt_kpp_slots;
static unsigned int tcpcrypt_kpp_n_slots;

static int tcpcrypt_kpp_slot_init(struct tcpcrypt_kpp_slot *slot)
{
	struct crypto_kpp *tfm = crypto_alloc_kpp("curve25519", 0, 0);

	if (IS_ERR(tfm)) {
		pr_err("no X25519 in this kernel (error %ld): its module curve25519-generic is missing\n",
		       PTR_ERR(tfm));
		return PTR_ERR(tfm);
	}
	mutex_init(&slot->lock);
	slot->tfm = tfm;
	slot->req = kpp_request_alloc(tfm, GFP_KERNEL);
	return slot->req ? 0 : -ENOMEM;
}

static void tcpcrypt_kpp_slot_exit(struct tcpcrypt_kpp_slot *slot)
{
	if (slot->req)
		kpp_request_free(slot->req);
	if (slot->tfm)
		crypto_free_kpp(slot->tfm);
}

int tcpcrypt_curve25519_init(void)
{
	unsigned int i;
	int err;

	tcpcrypt_kpp_n_slots = min_t(unsigned int, nr_cpu_ids, TCPCRYPT_KPP_SLOTS_MAX);
	tcpcrypt_kpp_slots = kcalloc(tcpcrypt_kpp_n_slots, sizeof(*tcpcrypt_kpp_slots), GFP_KERNEL);
	if (!tcpcrypt_kpp_slots)
		return -ENOMEM;
	for (i = 0; i < tcpcrypt_kpp_n_slots; i++) {
		err = tcpcrypt_kpp_slot_init(&tcpcrypt_kpp_slots[i]);
		if (err) {
			tcpcrypt_curve25519_exit();
			return err;
		}
	}
	return 0;
}

void tcpcrypt_curve25519_exit(void)
{
	unsigned int i;

	for (i = 0; i < tcpcrypt_kpp_n_slots; i++)
		tcpcrypt_kpp_slot_exit(&tcpcrypt_kpp_slots[i]);
	kfree_sensitive(tcpcrypt_kpp_slots);
	tcpcrypt_kpp_slots = NULL;
}

/* @point is NULL for the base point. */
static int tcpcrypt_kpp_compute(struct tcpcrypt_kpp_slot *slot, const u8 *secret, const u8 *point)
{
	struct scatterlist in, out;
	DECLARE_CRYPTO_WAIT(wait);
	int err;

	err = crypto_kpp_set_secret(slot->tfm, secret, CURVE25519_KEY_SIZE);
	if (err)
		return err;
	kpp_request_set_callback(slot->req, CRYPTO_TFM_REQ_MAY_BACKLOG | CRYPTO_TFM_REQ_MAY_SLEEP,
				 crypto_req_done, &wait);
	sg_init_one(&out, slot->out, CURVE25519_KEY_SIZE);
	kpp_request_set_output(slot->req, &out, CURVE25519_KEY_SIZE);
	if (!point) {
		kpp_request_set_input(slot->req, NULL, 0);
		return crypto_wait_req(crypto_kpp_generate_public_key(slot->req), &wait);
	}
	memcpy(slot->point, point, CURVE25519_KEY_SIZE);
	sg_init_one(&in, slot->point, CURVE25519_KEY_SIZE);
	kpp_request_set_input(slot->req, &in, CURVE25519_KEY_SIZE);
	return crypto_wait_req(crypto_kpp_compute_shared_secret(slot->req), &wait);
}

static bool tcpcrypt_kpp_run(u8 *out, const u8 *secret, const u8 *point)
{
	static const u8 zeros[CURVE25519_KEY_SIZE];
	static const u8 no_secret[CURVE25519_KEY_SIZE] = { 1 };
	struct tcpcrypt_kpp_slot *slot;
	bool ok;

	slot = &tcpcrypt_kpp_slots[raw_smp_processor_id() % tcpcrypt_kpp_n_slots];
	mutex_lock(&slot->lock);
	ok = !tcpcrypt_kpp_compute(slot, secret, point) &&
	     crypto_memneq(slot->out, zeros, CURVE25519_KEY_SIZE);
	memcpy(out, slot->out, CURVE25519_KEY_SIZE);
	memzero_explicit(slot->out, CURVE25519_KEY_SIZE);
	/* Zeros are refused as a secret; anything else overwrites the one that was there. */
	if (crypto_kpp_set_secret(slot->tfm, no_secret, CURVE25519_KEY_SIZE))
		ok = false;
	mutex_unlock(&slot->lock);
	return ok;
}

bool tcpcrypt_curve25519(u8 out[CURVE25519_KEY_SIZE], const u8 secret[CURVE25519_KEY_SIZE],
			 const u8 point[CURVE25519_KEY_SIZE])
{
	return tcpcrypt_kpp_run(out, secret, point);
}

bool tcpcrypt_curve25519_generate_public(u8 pub[CURVE25519_KEY_SIZE],
					 const u8 secret[CURVE25519_KEY_SIZE])
{
	return tcpcrypt_kpp_run(pub, secret, NULL);
}

#endif
