// SPDX-License-Identifier: GPL-2.0
/* The life of a connection: references, states, failure, the table of all, and the worker's lock. */
#include "session/conn.h"
#include "option/hooks.h"
#include <linux/hashtable.h>
#include <linux/sock_diag.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>

struct workqueue_struct *tcpcrypt_wq;
struct workqueue_struct *tcpcrypt_abort_wq;
DEFINE_PER_CPU(long, tcpcrypt_inside);

#define CONN_TABLE_BITS	12

static DEFINE_SPINLOCK(conn_table_lock);	/* writers of conn_table */
static DEFINE_HASHTABLE(conn_table, CONN_TABLE_BITS);
static struct kmem_cache *conn_cache, *handshake_cache;
static atomic64_t conn_serial;

int tcpcrypt_conn_init(void)
{
	conn_cache = KMEM_CACHE(tcpcrypt_conn, SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	if (!conn_cache)
		return -ENOMEM;
	handshake_cache = KMEM_CACHE(tcpcrypt_handshake, SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	if (!handshake_cache)
		goto destroy_conn_cache;
	tcpcrypt_wq = alloc_workqueue("tcpcrypt", WQ_UNBOUND | WQ_HIGHPRI, 0);
	if (!tcpcrypt_wq)
		goto destroy_handshake_cache;
	tcpcrypt_abort_wq = alloc_workqueue("tcpcrypt-abort", WQ_UNBOUND, 0);
	if (!tcpcrypt_abort_wq)
		goto destroy_wq;
	return 0;

destroy_wq:
	destroy_workqueue(tcpcrypt_wq);
destroy_handshake_cache:
	kmem_cache_destroy(handshake_cache);
destroy_conn_cache:
	kmem_cache_destroy(conn_cache);
	return -ENOMEM;
}

/*
 * The last slot is gone (each held a module reference), so nothing new is queued. Workers and timers drop
 * their references first, then RCU callbacks queue the frees, then those run.
 */
void tcpcrypt_conn_exit(void)
{
	destroy_workqueue(tcpcrypt_abort_wq);
	flush_workqueue(tcpcrypt_wq);
	rcu_barrier();
	destroy_workqueue(tcpcrypt_wq);
	kmem_cache_destroy(handshake_cache);
	kmem_cache_destroy(conn_cache);
	tcpcrypt_keypool_wipe();
}

struct tcpcrypt_conn *tcpcrypt_conn_alloc(struct sock *sk, struct tcpcrypt_net *tn, bool active)
{
	struct tcpcrypt_conn *conn = kmem_cache_zalloc(conn_cache, GFP_ATOMIC | __GFP_NOWARN);

	if (!conn)
		return NULL;
	conn->hs = kmem_cache_zalloc(handshake_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!conn->hs) {
		kmem_cache_free(conn_cache, conn);
		return NULL;
	}
	conn->hs->peer = conn->hs->peer_inline;
	conn->hs->peer_cap = sizeof(conn->hs->peer_inline);
	conn->slot = TCPCRYPT_SLOT_CONN;
	conn->serial = atomic64_inc_return(&conn_serial);
	conn->sk = sk;
	conn->tn = tn;
	conn->net = tn->net;
	conn->active = active;
	conn->resume = TCPCRYPT_RESUME_DEFAULT;
	conn->state = active ? TCPCRYPT_SYN_SENT : TCPCRYPT_EXCHANGE;
	refcount_set(&conn->refs, 1);
	INIT_LIST_HEAD(&conn->rx.chunks);
	INIT_LIST_HEAD(&conn->tx.waiting);
	return conn;
}

void tcpcrypt_handshake_free(struct tcpcrypt_handshake *hs)
{
	if (!hs)
		return;
	tcpcrypt_keypool_give(hs);
	tcpcrypt_secret_free(hs->secret);
	tcpcrypt_cipher_free(hs->tx);
	tcpcrypt_cipher_free(hs->rx);
	if (hs->peer != hs->peer_inline)
		kvfree(hs->peer);
	memzero_explicit(hs, sizeof(*hs));
	kmem_cache_free(handshake_cache, hs);
}

void tcpcrypt_conn_wipe_keys(struct tcpcrypt_conn *conn)
{
	tcpcrypt_handshake_free(conn->hs);
	conn->hs = NULL;
	tcpcrypt_cipher_free(conn->rx.cipher);
	conn->rx.cipher = NULL;
	tcpcrypt_cipher_free(conn->tx.cipher);
	conn->tx.cipher = NULL;
	kfree_sensitive(conn->rx.req);
	conn->rx.req = NULL;
	kfree_sensitive(conn->tx.req);
	conn->tx.req = NULL;
	memzero_explicit(conn->rx.mk, sizeof(conn->rx.mk));
	memzero_explicit(conn->tx.mk, sizeof(conn->tx.mk));
}

static void conn_free(struct tcpcrypt_conn *conn)
{
	unsigned int i;

	tcpcrypt_conn_wipe_keys(conn);
	tcpcrypt_chunk_free(conn->rx.stage);
	tcpcrypt_chunk_free(conn->rx.spare);
	tcpcrypt_chunk_list_free(&conn->rx.chunks);
	for (i = 0; i < conn->tx.n_out; i++)
		put_page(conn->tx.out[i].bv_page);
	if (conn->tx.frag.page)
		put_page(conn->tx.frag.page);
	kfree(conn->rx.sg);
	kfree(conn->tx.sg_in);
	tcpcrypt_simultaneous_free(conn);
	tcpcrypt_settings_put(conn->settings);
	if (conn->state != TCPCRYPT_PLAIN)	/* else nothing secret was in it */
		memzero_explicit(conn, sizeof(*conn));
	kmem_cache_free(conn_cache, conn);
}

static void conn_free_work(struct work_struct *work)
{
	conn_free(container_of(to_rcu_work(work), struct tcpcrypt_conn, rwork));
}

static void conn_free_rcu(struct rcu_head *rcu)
{
	conn_free(container_of(rcu, struct tcpcrypt_conn, rwork.rcu));
}

void tcpcrypt_conn_put(struct tcpcrypt_conn *conn)
{
	if (!refcount_dec_and_test(&conn->refs))
		return;
	/* Plain, or never attached: no transforms, which want process context. */
	if (conn->state == TCPCRYPT_PLAIN || !conn->sk) {
		call_rcu(&conn->rwork.rcu, conn_free_rcu);
		return;
	}
	INIT_RCU_WORK(&conn->rwork, conn_free_work);
	queue_rcu_work(tcpcrypt_wq, &conn->rwork);
}

void tcpcrypt_conn_set_state(struct tcpcrypt_conn *conn, enum tcpcrypt_conn_state state)
{
	static const u8 allowed[] = {	/* bit n: may go to state n */
		[TCPCRYPT_SYN_SENT]	= BIT(TCPCRYPT_EXCHANGE) | BIT(TCPCRYPT_PLAIN),
		[TCPCRYPT_EXCHANGE]	= BIT(TCPCRYPT_ENCRYPTED) | BIT(TCPCRYPT_DEAD),
		[TCPCRYPT_ENCRYPTED]	= BIT(TCPCRYPT_DEAD),
		[TCPCRYPT_DEAD]		= 0,
		[TCPCRYPT_PLAIN]	= 0,
	};

	if (!(allowed[conn->state] & BIT(state))) {
		pr_err_ratelimited("tcpcrypt: illegal move from state %d to %d\n", conn->state, state);
		return;
	}
	WRITE_ONCE(conn->state, state);
}

void tcpcrypt_conn_kick(struct tcpcrypt_conn *conn)
{
	sock_hold(conn->sk);
	tcpcrypt_conn_get(conn);
	if (!queue_work(tcpcrypt_wq, &conn->work)) {
		__sock_put(conn->sk);
		tcpcrypt_conn_put(conn);
	}
}

void tcpcrypt_conn_timer(struct tcpcrypt_conn *conn, unsigned long delay)
{
	/* First the references: the timer may fire before this returns. */
	sock_hold(conn->sk);
	tcpcrypt_conn_get(conn);
	if (timer_reduce(&conn->timer, jiffies + delay)) {
		__sock_put(conn->sk);
		tcpcrypt_conn_put(conn);
	}
}

/* Those who stop the timer hold the socket and the connection by other means: no last reference here. */
void tcpcrypt_conn_timer_stop(struct tcpcrypt_conn *conn)
{
	if (timer_delete(&conn->timer)) {
		__sock_put(conn->sk);
		tcpcrypt_conn_put(conn);
	}
}

void tcpcrypt_conn_deadline(struct tcpcrypt_conn *conn, unsigned long delay)
{
	conn->deadline = (jiffies + delay) ? : 1;
	tcpcrypt_conn_timer(conn, delay);
}

void tcpcrypt_conn_count_current(struct tcpcrypt_conn *conn, int n)
{
	tcpcrypt_stat_add(conn->tn, TCPCRYPT_STAT_CURRENT, n);
	if (conn->resumed)
		tcpcrypt_stat_add(conn->tn, TCPCRYPT_STAT_CURRENT_RESUMED, n);
}

void tcpcrypt_conn_cache(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_secret *secret = conn->hs->secret;

	conn->hs->secret = NULL;
	if (!secret)
		return;
	if (!(conn->resume & TCPCRYPT_RESUME_CACHE)) {
		tcpcrypt_secret_free(secret);
		return;
	}
	memcpy(conn->cached_half, tcpcrypt_secret_peer(secret), sizeof(conn->cached_half));
	conn->cached = tcpcrypt_resume_put(conn->tn, secret, conn->sk);
}

void tcpcrypt_conn_uncache(struct tcpcrypt_conn *conn)
{
	conn->resume &= ~TCPCRYPT_RESUME_CACHE;
	if (conn->cached)
		tcpcrypt_resume_forget(conn->tn, conn->cached_half);
	conn->cached = false;
}

static int reason_errno(enum tcpcrypt_reason reason)
{
	switch (reason) {
	case TCPCRYPT_ABORT_AUTH:
	case TCPCRYPT_ABORT_BAD_FRAME:
		return EBADMSG;
	case TCPCRYPT_ABORT_TRUNCATED:
	case TCPCRYPT_ABORT_AFTER_FINP:
	case TCPCRYPT_ABORT_CLOSED:
		return ECONNABORTED;
	case TCPCRYPT_ABORT_TIMEOUT:
	case TCPCRYPT_ABORT_KEEPALIVE:
		return ETIMEDOUT;
	case TCPCRYPT_ABORT_NO_MEMORY:
		return ENOMEM;
	case TCPCRYPT_ABORT_CRYPTO:
		return EIO;
	case TCPCRYPT_ABORT_REQUIRED:
		return ECONNREFUSED;
	default:
		return EPROTO;
	}
}

int tcpcrypt_conn_fail(struct tcpcrypt_conn *conn, enum tcpcrypt_reason reason)
{
	if (conn->state == TCPCRYPT_DEAD)
		return -conn->err;
	if (conn->state == TCPCRYPT_ENCRYPTED)
		tcpcrypt_conn_count_current(conn, -1);
	tcpcrypt_conn_set_state(conn, TCPCRYPT_DEAD);
	/* A peer whose frames do not authenticate may have another ss[i] (E-26). */
	if (reason == TCPCRYPT_ABORT_AUTH || reason == TCPCRYPT_ABORT_BAD_FRAME)
		tcpcrypt_conn_uncache(conn);
	conn->reason = reason;
	conn->err = reason_errno(reason);
	conn->abort_pending = true;
	tcpcrypt_reason_inc(conn->tn, reason);
	tcpcrypt_conn_kick(conn);
	return -conn->err;
}

/*
 * tcp_abort() takes the socket lock itself. State DEAD keeps everybody else out in the meantime; whoever
 * finds abort_pending first does it, the worker at the latest.
 */
void tcpcrypt_conn_abort(struct sock *sk)
{
	struct tcpcrypt_conn *conn;
	int err = 0;

	lock_sock(sk);
	conn = tcpcrypt_conn_of(sk);
	if (conn && conn->abort_pending) {
		conn->abort_pending = false;
		err = conn->err;
	}
	release_sock(sk);
	if (err)
		tcp_abort(sk, err);
}

void tcpcrypt_peer_of(const struct sock *sk, struct tcpcrypt_peer *peer)
{
	peer->dif = READ_ONCE(sk->sk_bound_dev_if);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		peer->addr = sk->sk_v6_daddr;
		return;
	}
#endif
	ipv6_addr_set_v4mapped(sk->sk_daddr, &peer->addr);
}

enum tcpcrypt_lock tcpcrypt_lock_try(struct tcpcrypt_conn *conn, bool *busy)
{
	struct sock *sk = conn->sk;

	spin_lock_bh(&sk->sk_lock.slock);
	if (sock_owned_by_user_nocheck(sk)) {
		conn->deferred = true;
		if (busy)
			WRITE_ONCE(*busy, true);
		spin_unlock_bh(&sk->sk_lock.slock);
		return TCPCRYPT_LOCK_BUSY;
	}
	if (!sk->sk_socket && !sock_flag(sk, SOCK_DEAD))
		return TCPCRYPT_LOCK_BH;
	sk->sk_lock.owned = 1;
	mutex_acquire(&sk->sk_lock.dep_map, 0, 1, _RET_IP_);
	spin_unlock_bh(&sk->sk_lock.slock);
	return TCPCRYPT_LOCK_OWNED;
}

void tcpcrypt_lock_drop(struct tcpcrypt_conn *conn, enum tcpcrypt_lock how)
{
	if (how == TCPCRYPT_LOCK_OWNED)
		release_sock(conn->sk);
	else if (how == TCPCRYPT_LOCK_BH)
		spin_unlock_bh(&conn->sk->sk_lock.slock);
}

void tcpcrypt_conn_publish(struct tcpcrypt_conn *conn)
{
	u32 cookie[2];

	sock_diag_save_cookie(conn->sk, cookie);
	conn->cookie = (u64)cookie[1] << 32 | cookie[0];
	spin_lock_bh(&conn_table_lock);
	conn->listed = true;
	hash_add_rcu(conn_table, &conn->list, conn->cookie);
	spin_unlock_bh(&conn_table_lock);
}

void tcpcrypt_conn_unpublish(struct tcpcrypt_conn *conn)
{
	spin_lock_bh(&conn_table_lock);
	if (conn->listed)
		hash_del_rcu(&conn->list);
	WRITE_ONCE(conn->listed, false);
	spin_unlock_bh(&conn_table_lock);
}

/*
 * No lock: what is read here may be a moment old. The connection is taken out of the table before its slot is given
 * back, and the socket may be another one after that: then there is nothing to tell. Return: there is
 */
static bool conn_snapshot(const struct tcpcrypt_conn *conn, struct tcpcrypt_conn_info *info)
{
	const struct sock *sk = conn->sk;
	const struct inet_sock *inet = inet_sk(sk);

	memset(info, 0, sizeof(*info));
	info->cookie = conn->cookie;
	info->family = sk->sk_family;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_daddr)) {
		info->laddr = sk->sk_v6_rcv_saddr;	/* in struct sock, not behind a pointer */
		info->raddr = sk->sk_v6_daddr;
	} else
#endif
	{
		info->family = AF_INET;
		memcpy(&info->laddr, &inet->inet_saddr, 4);
		memcpy(&info->raddr, &inet->inet_daddr, 4);
	}
	info->lport = inet->inet_num;
	info->rport = ntohs(inet->inet_dport);
	info->uid = READ_ONCE(sk->sk_uid);
	smp_rmb();	/* a successor's words were written after @listed was cleared */
	if (!READ_ONCE(conn->listed))
		return false;
	info->state = READ_ONCE(conn->state);
	info->active = conn->active;
	info->role = conn->role;
	info->tep = conn->tep_byte & ENO_SUB_GLT;
	info->resumed = conn->resumed;
	info->closing = READ_ONCE(conn->closed);
	info->tx_gen = READ_ONCE(conn->tx.gen);
	info->rx_gen = READ_ONCE(conn->rx.gen);
	info->tx_frames = READ_ONCE(conn->tx.frames);
	info->tx_bytes = READ_ONCE(conn->tx.bytes);
	info->rx_frames = READ_ONCE(conn->rx.frames);
	info->rx_bytes = READ_ONCE(conn->rx.bytes);
	if (info->state != TCPCRYPT_ENCRYPTED)
		return true;
	smp_rmb();	/* pairs with tcpcrypt_handshake's barrier before ENCRYPTED is set */
	info->aead = conn->aead->id;
	info->handshake_us = conn->handshake_us;
	info->has_sessid = true;
	memcpy(info->sessid, conn->sessid, sizeof(info->sessid));
	return true;
}

int tcpcrypt_conn_find(struct net *net, u64 cookie, struct tcpcrypt_conn_info *info)
{
	struct tcpcrypt_conn *conn;
	int ret = -ENOENT;

	rcu_read_lock();
	hash_for_each_possible_rcu(conn_table, conn, list, cookie) {
		if (conn->net == net && conn->cookie == cookie && conn_snapshot(conn, info)) {
			ret = 0;
			break;
		}
	}
	rcu_read_unlock();
	return ret;
}

/* @pos is a bucket in the upper half, and how many of it were seen in the lower. */
int tcpcrypt_conn_walk(struct net *net, u64 *pos, int (*fn)(const struct tcpcrypt_conn_info *info, void *arg),
		       void *arg)
{
	unsigned int bucket = *pos >> 32, skip = (u32)*pos, seen = 0;
	struct tcpcrypt_conn_info info;
	struct tcpcrypt_conn *conn;
	int ret = 0;

	for (; bucket < HASH_SIZE(conn_table); bucket++, skip = 0) {
		cond_resched();
		rcu_read_lock();
		seen = 0;
		hlist_for_each_entry_rcu(conn, &conn_table[bucket], list) {
			if (conn->net != net || seen++ < skip)
				continue;
			if (!conn_snapshot(conn, &info))
				continue;
			ret = fn(&info, arg);
			if (ret)
				break;
		}
		rcu_read_unlock();
		if (ret)
			break;
	}
	*pos = (u64)bucket << 32 | (ret ? seen - 1 : 0);
	memzero_explicit(&info, sizeof(info));
	return ret;
}
