// SPDX-License-Identifier: GPL-2.0
/* Paths on which SYNs with ENO get lost: remembered for a while, so that the next connect() does not wait. */
#include "option/option.h"
#include "option/hooks.h"
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/siphash.h>

/*
 * A path is a destination in a namespace. It is noted when a SYN goes without ENO after retransmissions with
 * it, and learnt when TCP then accepts the answer: when nobody answers at all, ENO was not to blame, nor if the answer
 * has ENO, which is one to an earlier SYN that was merely slow. It is forgotten after net.tcpcrypt.path_lifetime
 * seconds, and when that is written. Where encryption is required nothing is learnt and nothing looked up.
 *
 *   (none) --SYN without ENO--> noted --ESTABLISHED--> learnt --lifetime--> (none)
 *                                 |                                            ^
 *                                 '----NOTE_LIFETIME, or SYN-ACK with ENO------'
 */
#define PATH_BITS		8
#define PATH_SHARED		4096		/* of all namespaces but the first together */
#define PATH_SHARE		(PATH_SHARED / 4)	/* of one */
#define PATH_NOTE_LIFETIME	(180 * HZ)	/* longer than a connect() lasts by default */
#define PATH_SWEEP		HZ		/* a full table is not searched for old entries more often */

/**
 * struct path_entry - one destination
 * @node: in its bucket
 * @net: namespace
 * @peer: where it is
 * @expires: jiffies
 * @learnt: or noted only, for the connection that @lport and @seq name
 * @lport: host order
 * @seq: its write_seq, which stands still until it is ESTABLISHED
 */
struct path_entry {
	struct hlist_node node;
	struct net *net;
	struct tcpcrypt_peer peer;
	unsigned long expires;
	bool learnt;
	u16 lport;
	u32 seq;
};

static struct hlist_head path_table[1 << PATH_BITS];
static DEFINE_SPINLOCK(path_lock);	/* all of them */
static siphash_key_t path_key __read_mostly;
static unsigned int path_count;
static unsigned int path_shared;	/* those of PATH_SHARED */
static unsigned long path_swept;	/* jiffies */
static atomic_t path_noted;		/* a hint for the probe */

static struct hlist_head *path_bucket(const struct net *net, const struct tcpcrypt_peer *peer)
{
	u64 hash = siphash(&peer->addr, sizeof(peer->addr), &path_key) ^ net_hash_mix(net);

	return &path_table[hash & ((1 << PATH_BITS) - 1)];
}

static void path_forget(struct path_entry *path)
{
	struct tcpcrypt_net *tn = tcpcrypt_net(path->net);

	hlist_del(&path->node);
	path_count--;
	if (!net_eq(path->net, &init_net))
		path_shared--;
	tn->paths--;
	if (path->learnt)
		tcpcrypt_stat_add(tn, TCPCRYPT_STAT_PATHS, -1);
	else
		atomic_dec(&path_noted);
	kfree(path);
}

/* Those whose time is over, and all of @net, if it is not NULL. */
static void path_sweep(const struct net *net)
{
	struct hlist_node *next;
	struct path_entry *path;
	unsigned int h;

	for (h = 0; h < ARRAY_SIZE(path_table); h++)
		hlist_for_each_entry_safe(path, next, &path_table[h], node)
			if (path->net == net || time_after_eq(jiffies, path->expires))
				path_forget(path);
}

/* NULL if there is none whose time is not over. */
static struct path_entry *path_find(const struct net *net, const struct tcpcrypt_peer *peer)
{
	struct hlist_node *next;
	struct path_entry *path;

	lockdep_assert_held(&path_lock);
	hlist_for_each_entry_safe(path, next, path_bucket(net, peer), node) {
		if (path->net != net || !tcpcrypt_peer_equal(&path->peer, peer))
			continue;
		if (time_before(jiffies, path->expires))
			return path;
		path_forget(path);
		return NULL;
	}
	return NULL;
}

bool tcpcrypt_path_drops_eno(const struct sock *sk)
{
	const struct path_entry *path;
	struct tcpcrypt_peer peer;
	bool drops;

	if (!READ_ONCE(path_count) || !READ_ONCE(tcpcrypt_net(sock_net(sk))->path_lifetime))
		return false;
	tcpcrypt_peer_of(sk, &peer);
	spin_lock_bh(&path_lock);
	path = path_find(sock_net(sk), &peer);
	drops = path && path->learnt;
	spin_unlock_bh(&path_lock);
	return drops;
}

static bool path_full(const struct tcpcrypt_net *tn)
{
	return tn->paths >= PATH_SHARE || (path_shared >= PATH_SHARED && !net_eq(tn->net, &init_net));
}

void tcpcrypt_path_note(const struct sock *sk)
{
	struct net *net = sock_net(sk);
	struct tcpcrypt_net *tn = tcpcrypt_net(net);
	struct tcpcrypt_peer peer;
	struct path_entry *path;

	if (!READ_ONCE(tn->path_lifetime))
		return;
	tcpcrypt_peer_of(sk, &peer);
	spin_lock_bh(&path_lock);
	path = path_find(net, &peer);
	if (!path) {
		if (path_full(tn) && time_after_eq(jiffies, path_swept + PATH_SWEEP)) {
			path_sweep(NULL);
			path_swept = jiffies;
		}
		if (!path_full(tn))
			path = kzalloc(sizeof(*path), GFP_ATOMIC | __GFP_NOWARN);
		if (!path)
			goto unlock;
		path->net = net;
		path->peer = peer;
		hlist_add_head(&path->node, path_bucket(net, &peer));
		path_count++;
		if (!net_eq(net, &init_net))
			path_shared++;
		tn->paths++;
		atomic_inc(&path_noted);
	}
	if (!path->learnt) {	/* else it is known already */
		path->expires = jiffies + PATH_NOTE_LIFETIME;
		path->lport = inet_sk(sk)->inet_num;
		path->seq = tcp_sk(sk)->write_seq;
	}
unlock:
	spin_unlock_bh(&path_lock);
}

static void path_learn(struct path_entry *path)
{
	struct tcpcrypt_net *tn = tcpcrypt_net(path->net);

	path->learnt = true;
	path->expires = jiffies + READ_ONCE(tn->path_lifetime) * HZ;
	atomic_dec(&path_noted);
	tcpcrypt_stat_inc(tn, TCPCRYPT_STAT_PATHS);
}

/* What becomes of the note of @sk's connection, if there is one. */
static void path_settle(const struct sock *sk, void (*settle)(struct path_entry *path))
{
	struct tcpcrypt_peer peer;
	struct path_entry *path;

	if (likely(!atomic_read(&path_noted)))
		return;
	tcpcrypt_peer_of(sk, &peer);
	spin_lock_bh(&path_lock);
	path = path_find(sock_net(sk), &peer);
	if (path && !path->learnt && path->lport == inet_sk(sk)->inet_num &&
	    path->seq == READ_ONCE(tcp_sk(sk)->write_seq))
		settle(path);
	spin_unlock_bh(&path_lock);
}

void tcpcrypt_path_refuted(const struct sock *sk)
{
	path_settle(sk, path_forget);
}

void tcpcrypt_path_answered(const struct sock *sk)
{
	path_settle(sk, path_learn);
}

void tcpcrypt_path_forget_all(const struct net *net)
{
	spin_lock_bh(&path_lock);
	path_sweep(net);
	spin_unlock_bh(&path_lock);
}

void tcpcrypt_path_init(void)
{
	get_random_bytes(&path_key, sizeof(path_key));
	path_swept = jiffies - PATH_SWEEP;
}
