// SPDX-License-Identifier: GPL-2.0
/* The cache of session secrets: bounded in number and time, wiped when dropped. */
#include "session/resume.h"
#include "session/settings.h"
#include "session/conn.h"
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/timekeeping.h>
#include <crypto/algapi.h>

/*
 * One lock for all of it: each call holds it for a constant time. Two tables find a secret, by what a peer sends
 * and by where a peer is; a list a namespace has them by age, which is the order in which they expire and in
 * which they give way.
 *
 * Namespaces of users share a part of the whole; the first one has its own part. When the shared part is full, a
 * namespace gives up its own oldest, and never another's.
 */
#define RESUME_BITS	14
#define RESUME_SHARED	(3 * TCPCRYPT_RESUME_CACHE_MAX)	/* of all namespaces but the first */
#define RESUME_WALK	64	/* entries looked at, so that nobody's many make the search for another's long */
#define RESUME_BATCH	64	/* dropped at a time */

static DEFINE_SPINLOCK(resume_lock);	/* the tables, resume_shared, resume_age and resume_n of each namespace */
static struct hlist_head resume_by_half[1 << RESUME_BITS];
static struct hlist_head resume_by_peer[1 << RESUME_BITS];
static unsigned int resume_shared;
static siphash_key_t resume_key;

void tcpcrypt_resume_init(void)
{
	get_random_bytes(&resume_key, sizeof(resume_key));
}

static struct hlist_head *resume_half_bucket(const struct tcpcrypt_net *tn, const u8 *half)
{
	u64 hash = siphash_3u64(get_unaligned_be64(half), half[ENO_RESUME_HALF_LEN - 1], (unsigned long)tn,
				&resume_key);

	return &resume_by_half[hash & ((1 << RESUME_BITS) - 1)];
}

static struct hlist_head *resume_peer_bucket(const struct tcpcrypt_net *tn, const struct tcpcrypt_peer *peer)
{
	u64 hash = siphash_3u64(get_unaligned_be64(&peer->addr.s6_addr[0]), get_unaligned_be64(&peer->addr.s6_addr[8]),
				(unsigned long)tn, &resume_key);

	return &resume_by_peer[hash & ((1 << RESUME_BITS) - 1)];
}

struct tcpcrypt_secret *tcpcrypt_secret_alloc(const u8 ss[TCPCRYPT_K_LEN], u8 tep,
					      const struct tcpcrypt_aead *aead, enum eno_role side)
{
	struct tcpcrypt_secret *secret = kzalloc(sizeof(*secret), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);

	if (!secret)
		return NULL;
	secret->tep = tep;
	secret->aead = aead;
	secret->side = side;
	memcpy(secret->ss, ss, sizeof(secret->ss));
	tcpcrypt_secret_advance(secret);
	return secret;
}

void tcpcrypt_secret_advance(struct tcpcrypt_secret *secret)
{
	tcpcrypt_keys_next_ss(secret->ss, secret->ss);
	tcpcrypt_keys_resume(secret->ss, secret->id);
}

void tcpcrypt_secret_free(struct tcpcrypt_secret *secret)
{
	kfree_sensitive(secret);
}

void tcpcrypt_secret_describe(const struct tcpcrypt_secret *secret, unsigned int nonce_len,
			      struct eno_resume *resume)
{
	resume->tep = secret->tep;
	memcpy(resume->own, tcpcrypt_secret_own(secret), sizeof(resume->own));
	memcpy(resume->peer, tcpcrypt_secret_peer(secret), sizeof(resume->peer));
	resume->nonce_len = nonce_len;
	get_random_bytes(resume->nonce, nonce_len);
}

/* Out of the tables; the caller has it then. */
static void resume_unlink(struct tcpcrypt_secret *secret)
{
	struct tcpcrypt_net *tn = secret->tn;

	lockdep_assert_held(&resume_lock);
	hlist_del(&secret->by_half);
	hlist_del(&secret->by_peer);
	list_del(&secret->age);
	secret->tn = NULL;
	WRITE_ONCE(tn->resume_n, tn->resume_n - 1);
	if (!net_eq(tn->net, &init_net))
		resume_shared--;
	tcpcrypt_stat_add(tn, TCPCRYPT_STAT_RESUME_CACHED, -1);
}

static bool resume_expired(const struct tcpcrypt_secret *secret)
{
	return ktime_get_boottime_seconds() >= secret->made + READ_ONCE(secret->tn->resume_lifetime);
}

/* N-04: what the administrator has switched off since, or the application does not want, is not used. */
static bool resume_allowed(const struct tcpcrypt_secret *secret, struct tcpcrypt_net *tn,
			   const struct tcpcrypt_settings *set)
{
	u8 teps[TCPCRYPT_TEPS_MAX];
	u16 aeads[TCPCRYPT_AEADS_MAX];
	unsigned int n;

	if (!memchr(teps, secret->tep, tcpcrypt_settings_teps(set, tn, teps)))
		return false;
	for (n = tcpcrypt_settings_aeads(set, tn, aeads); n--; )
		if (aeads[n] == secret->aead->id)
			return true;
	return false;
}

static bool resume_full(const struct tcpcrypt_net *tn)
{
	return tn->resume_n >= READ_ONCE(tn->resume_cache) ||
	       (resume_shared >= RESUME_SHARED && !net_eq(tn->net, &init_net));
}

bool tcpcrypt_resume_put(struct tcpcrypt_net *tn, struct tcpcrypt_secret *secret, const struct sock *sk)
{
	struct tcpcrypt_secret *old = NULL;
	bool kept = false, first;

	secret->made = ktime_get_boottime_seconds();
	tcpcrypt_peer_of(sk, &secret->peer);
	spin_lock_bh(&resume_lock);
	if (READ_ONCE(tn->resume) && resume_full(tn) && !list_empty(&tn->resume_age)) {
		old = list_last_entry(&tn->resume_age, struct tcpcrypt_secret, age);
		resume_unlink(old);
		tcpcrypt_stat_inc(tn, TCPCRYPT_STAT_RESUME_EVICTED);
	}
	if (READ_ONCE(tn->resume) && !resume_full(tn)) {
		first = list_empty(&tn->resume_age);
		secret->tn = tn;
		hlist_add_head(&secret->by_half, resume_half_bucket(tn, tcpcrypt_secret_peer(secret)));
		hlist_add_head(&secret->by_peer, resume_peer_bucket(tn, &secret->peer));
		list_add(&secret->age, &tn->resume_age);
		WRITE_ONCE(tn->resume_n, tn->resume_n + 1);
		if (!net_eq(tn->net, &init_net))
			resume_shared++;
		tcpcrypt_stat_inc(tn, TCPCRYPT_STAT_RESUME_CACHED);
		if (first)
			queue_delayed_work(tcpcrypt_wq, &tn->resume_work, READ_ONCE(tn->resume_lifetime) * HZ);
		kept = true;
	}
	spin_unlock_bh(&resume_lock);
	tcpcrypt_secret_free(old);
	if (!kept)
		tcpcrypt_secret_free(secret);
	return kept;
}

struct tcpcrypt_secret *tcpcrypt_resume_take_peer(struct tcpcrypt_net *tn, const struct sock *sk,
						  const struct tcpcrypt_settings *set)
{
	struct tcpcrypt_secret *secret, *found = NULL;
	unsigned int walked = 0;
	struct tcpcrypt_peer peer;
	bool usable = false;

	if (!READ_ONCE(tn->resume) || !READ_ONCE(tn->resume_n))
		return NULL;
	tcpcrypt_peer_of(sk, &peer);
	spin_lock_bh(&resume_lock);
	hlist_for_each_entry(secret, resume_peer_bucket(tn, &peer), by_peer) {
		if (secret->tn == tn && tcpcrypt_peer_equal(&secret->peer, &peer) &&
		    (!set || resume_allowed(secret, tn, set))) {
			found = secret;
			break;
		}
		if (++walked == RESUME_WALK)
			break;
	}
	if (found) {
		usable = !resume_expired(found) && resume_allowed(found, tn, set);
		resume_unlink(found);
	}
	spin_unlock_bh(&resume_lock);
	if (usable)
		return found;
	tcpcrypt_secret_free(found);
	return NULL;
}

/* Under the lock; still linked. */
static struct tcpcrypt_secret *resume_find_half(const struct tcpcrypt_net *tn, const u8 *half)
{
	struct tcpcrypt_secret *secret;
	unsigned int walked = 0;

	lockdep_assert_held(&resume_lock);
	hlist_for_each_entry(secret, resume_half_bucket(tn, half), by_half) {
		if (secret->tn == tn && !crypto_memneq(tcpcrypt_secret_peer(secret), half, ENO_RESUME_HALF_LEN))
			return secret;
		if (++walked == RESUME_WALK)
			break;
	}
	return NULL;
}

struct tcpcrypt_secret *tcpcrypt_resume_take_half(struct tcpcrypt_net *tn, u8 tep, const u8 *half,
						  const struct tcpcrypt_settings *set)
{
	struct tcpcrypt_secret *found;
	bool usable = false;

	if (!READ_ONCE(tn->resume) || !READ_ONCE(tn->resume_n))
		return NULL;
	spin_lock_bh(&resume_lock);
	found = resume_find_half(tn, half);
	if (found) {
		/* What was offered is used, whatever becomes of it. */
		usable = found->tep == tep && !resume_expired(found) && resume_allowed(found, tn, set);
		resume_unlink(found);
	}
	spin_unlock_bh(&resume_lock);
	if (usable)
		return found;
	tcpcrypt_secret_free(found);
	return NULL;
}

void tcpcrypt_resume_forget(struct tcpcrypt_net *tn, const u8 *half)
{
	struct tcpcrypt_secret *found;

	spin_lock_bh(&resume_lock);
	found = resume_find_half(tn, half);
	if (found)
		resume_unlink(found);
	spin_unlock_bh(&resume_lock);
	tcpcrypt_secret_free(found);
}

/* Drop the oldest while @more says so. Return: how many. */
static unsigned int resume_drop(struct tcpcrypt_net *tn, bool (*more)(const struct tcpcrypt_secret *oldest))
{
	struct tcpcrypt_secret *secret, *next;
	unsigned int n, all = 0;
	LIST_HEAD(dead);

	do {
		n = 0;
		spin_lock_bh(&resume_lock);
		while (n < RESUME_BATCH && !list_empty(&tn->resume_age)) {
			secret = list_last_entry(&tn->resume_age, struct tcpcrypt_secret, age);
			if (!more(secret))
				break;
			resume_unlink(secret);
			list_add(&secret->age, &dead);
			n++;
		}
		spin_unlock_bh(&resume_lock);
		list_for_each_entry_safe(secret, next, &dead, age)
			tcpcrypt_secret_free(secret);
		INIT_LIST_HEAD(&dead);
		all += n;
		cond_resched();
	} while (n == RESUME_BATCH);
	return all;
}

static bool resume_any(const struct tcpcrypt_secret *oldest)
{
	return true;
}

static bool resume_too_many(const struct tcpcrypt_secret *oldest)
{
	return oldest->tn->resume_n > READ_ONCE(oldest->tn->resume_cache);
}

void tcpcrypt_resume_flush(struct tcpcrypt_net *tn)
{
	resume_drop(tn, resume_any);
}

/* K-08, R-10: wiped when its time is over, also if nobody asks for it again. */
static void resume_work_run(struct work_struct *work)
{
	struct tcpcrypt_net *tn = container_of(to_delayed_work(work), struct tcpcrypt_net, resume_work);
	struct tcpcrypt_secret *oldest;
	u64 now, due;

	resume_drop(tn, resume_expired);
	spin_lock_bh(&resume_lock);
	if (!list_empty(&tn->resume_age)) {
		oldest = list_last_entry(&tn->resume_age, struct tcpcrypt_secret, age);
		now = ktime_get_boottime_seconds();
		due = oldest->made + READ_ONCE(tn->resume_lifetime);
		queue_delayed_work(tcpcrypt_wq, &tn->resume_work, due > now ? (due - now) * HZ : 1);
	}
	spin_unlock_bh(&resume_lock);
}

void tcpcrypt_resume_changed(struct tcpcrypt_net *tn)
{
	unsigned int n;

	if (!READ_ONCE(tn->resume)) {
		tcpcrypt_resume_flush(tn);
		return;
	}
	n = resume_drop(tn, resume_too_many);
	tcpcrypt_stat_add(tn, TCPCRYPT_STAT_RESUME_EVICTED, n);
	mod_delayed_work(tcpcrypt_wq, &tn->resume_work, 0);
}

void tcpcrypt_resume_net_init(struct tcpcrypt_net *tn)
{
	INIT_LIST_HEAD(&tn->resume_age);
	INIT_DELAYED_WORK(&tn->resume_work, resume_work_run);
}

/* No connection of the namespace is left, nor is there a way to its settings: nothing is put any more. */
void tcpcrypt_resume_net_exit(struct tcpcrypt_net *tn)
{
	tcpcrypt_resume_flush(tn);
	cancel_delayed_work_sync(&tn->resume_work);
}
