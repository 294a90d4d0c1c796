// SPDX-License-Identifier: GPL-2.0
/* Key agreements of the crypto API (kpp), with transforms that are there before they are needed. */
#include "kpp_pool.h"

#include <crypto/kpp.h>
#include <linux/kmod.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/smp.h>

#define TCPCRYPT_KPP_SLOTS_MAX	32

/* Without it this module still loads: no kernel since 6.19 needs kpp for what must be there. */
extern __weak typeof(crypto_alloc_kpp) crypto_alloc_kpp;

/**
 * struct tcpcrypt_kpp_slot - what one computation needs, so that none can fail for lack of memory
 * @lock: over all of it: a transform holds the secret of the computation under way
 * @tfm: the transform
 * @req: its request
 * @in: input
 * @out: output; both are here since a scatterlist cannot point to a stack
 */
struct tcpcrypt_kpp_slot {
	struct mutex lock;
	struct crypto_kpp *tfm;
	struct kpp_request *req;
	u8 in[TCPCRYPT_KPP_MAX];
	u8 out[TCPCRYPT_KPP_MAX];
} ____cacheline_aligned;

static struct crypto_kpp *tcpcrypt_kpp_alloc(const struct tcpcrypt_kpp_pool *pool)
{
	struct crypto_kpp *tfm;

	if (!crypto_alloc_kpp)
		return ERR_PTR(-ENOENT);
	tfm = crypto_alloc_kpp(pool->alg, 0, 0);
	if (tfm == ERR_PTR(-ENOENT) && pool->module && !request_module("%s", pool->module))
		tfm = crypto_alloc_kpp(pool->alg, 0, 0);
	return tfm;
}

static int tcpcrypt_kpp_slot_init(const struct tcpcrypt_kpp_pool *pool,
				  struct tcpcrypt_kpp_slot *slot)
{
	struct crypto_kpp *tfm = tcpcrypt_kpp_alloc(pool);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
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

int tcpcrypt_kpp_init(struct tcpcrypt_kpp_pool *pool)
{
	unsigned int i;
	int err;

	pool->n_slots = min_t(unsigned int, nr_cpu_ids, TCPCRYPT_KPP_SLOTS_MAX);
	pool->slots = kcalloc(pool->n_slots, sizeof(*pool->slots), GFP_KERNEL);
	if (!pool->slots)
		return -ENOMEM;
	for (i = 0; i < pool->n_slots; i++) {
		err = tcpcrypt_kpp_slot_init(pool, &pool->slots[i]);
		if (err) {
			tcpcrypt_kpp_exit(pool);
			return err;
		}
	}
	return 0;
}

void tcpcrypt_kpp_exit(struct tcpcrypt_kpp_pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->n_slots; i++)
		tcpcrypt_kpp_slot_exit(&pool->slots[i]);
	kfree_sensitive(pool->slots);
	pool->slots = NULL;
}

static int tcpcrypt_kpp_compute(const struct tcpcrypt_kpp_pool *pool,
				struct tcpcrypt_kpp_slot *slot, const void *secret, const u8 *in,
				unsigned int in_len, unsigned int out_len)
{
	struct scatterlist sg_in, sg_out;
	DECLARE_CRYPTO_WAIT(wait);
	int err;

	err = crypto_kpp_set_secret(slot->tfm, secret, pool->secret_len);
	if (err)
		return err;
	kpp_request_set_callback(slot->req, CRYPTO_TFM_REQ_MAY_BACKLOG | CRYPTO_TFM_REQ_MAY_SLEEP,
				 crypto_req_done, &wait);
	sg_init_one(&sg_out, slot->out, out_len);
	kpp_request_set_output(slot->req, &sg_out, out_len);
	if (!in) {
		kpp_request_set_input(slot->req, NULL, 0);
		return crypto_wait_req(crypto_kpp_generate_public_key(slot->req), &wait);
	}
	memcpy(slot->in, in, in_len);
	sg_init_one(&sg_in, slot->in, in_len);
	kpp_request_set_input(slot->req, &sg_in, in_len);
	return crypto_wait_req(crypto_kpp_compute_shared_secret(slot->req), &wait);
}

int tcpcrypt_kpp_run(struct tcpcrypt_kpp_pool *pool, const void *secret, const u8 *in,
		     unsigned int in_len, u8 *out, unsigned int out_len)
{
	struct tcpcrypt_kpp_slot *slot = &pool->slots[raw_smp_processor_id() % pool->n_slots];
	int err, wiped;

	if (WARN_ON_ONCE(in_len > TCPCRYPT_KPP_MAX || out_len > TCPCRYPT_KPP_MAX))
		return -EINVAL;
	mutex_lock(&slot->lock);
	err = tcpcrypt_kpp_compute(pool, slot, secret, in, in_len, out_len);
	memcpy(out, slot->out, out_len);
	memzero_explicit(slot->out, sizeof(slot->out));
	wiped = crypto_kpp_set_secret(slot->tfm, pool->no_secret, pool->secret_len);
	mutex_unlock(&slot->lock);
	return err ? : wiped;
}
