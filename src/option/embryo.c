// SPDX-License-Identifier: GPL-2.0
/* Passive openers between our SYN-ACK with ENO and the third ACK. */
#include "option/option.h"
#include "session/handshake.h"
#include "stream/stream.h"
#include <linux/random.h>
#include <linux/siphash.h>
#include <net/inet_hashtables.h>
#include <net/request_sock.h>

/*
 * The request socket has no room for state of ours, so there is a table beside it. An entry is made when a
 * SYN-ACK with ENO leaves, never for a SYN alone, and it carries all that the child will need: when the
 * child becomes ESTABLISHED nothing may fail any more, because the peer counts on encryption by then.
 *
 * It lives as long as the request: it holds a reference on it, and is collected when the request was found
 * out of TCP's table twice in a row.
 *
 * The bucket lock guards the chain and the two flags; entries are looked up under it, from softirq (hooks,
 * probe), timers (SYN-ACK retransmissions) and the collector.
 */
#define EMBRYO_BITS	12
#define EMBRYO_SCAN	(2 * HZ)
#define EMBRYO_MAX	(4 * 65536)	/* of the first namespace */
#define EMBRYO_SHARED	(4 * 65536)	/* of all others together, whatever their roots set max_halfopen to */
#define EMBRYO_SHARE	(EMBRYO_SHARED / 8)	/* of one of them */

/**
 * struct embryo - one half-open connection
 * @node: in its bucket
 * @tuple: its ends
 * @net: namespace; the request's listener keeps it
 * @req: the request socket, referenced
 * @conn: what will be attached to the child, with the SYN-form options of both sides
 * @res: what they agree on
 * @rcv_isn: the peer's, host order
 * @snt_isn: ours
 * @plain: ENO is off: a SYN came again without it, or the first ACK had none
 * @acked: the first ACK had it
 * @required: then it is refused (E-25)
 * @stale: the last scan found the request out of TCP's table
 */
struct embryo {
	struct hlist_node node;
	struct tcpcrypt_tuple tuple;
	struct net *net;
	struct request_sock *req;
	struct tcpcrypt_conn *conn;
	struct eno_result res;
	u32 rcv_isn;
	u32 snt_isn;
	enum tcpcrypt_reason plain;
	bool acked;
	bool required;
	bool stale;
};

static struct {
	struct hlist_head head;
	spinlock_t lock;
} embryo_table[1 << EMBRYO_BITS];
static siphash_key_t embryo_key;
static atomic_t embryo_count;
static atomic_t embryo_shared;	/* those of EMBRYO_SHARED */
static struct delayed_work embryo_scan_work;

/*
 * What a SYN said, until its SYN-ACK leaves: nearly always on the same CPU, in the same softirq. When the
 * note is lost (nfqueue in between), the SYN-ACK goes without ENO, and both ends are plain.
 */
struct syn_note {
	struct net *net;
	struct tcpcrypt_tuple tuple;
	u32 isn;
	enum eno_verdict verdict;
	struct eno_syn syn;
};
static DEFINE_PER_CPU(struct syn_note, syn_note);

static unsigned int embryo_hash(struct net *net, const struct tcpcrypt_tuple *tuple)
{
	return (siphash(tuple, sizeof(*tuple), &embryo_key) ^ net_hash_mix(net)) & ((1 << EMBRYO_BITS) - 1);
}

static struct embryo *embryo_find(unsigned int h, struct net *net, const struct tcpcrypt_tuple *tuple)
{
	struct embryo *e;

	lockdep_assert_held(&embryo_table[h].lock);
	hlist_for_each_entry(e, &embryo_table[h].head, node)
		if (e->net == net && !memcmp(&e->tuple, tuple, sizeof(*tuple)))
			return e;
	return NULL;
}

/* Off the table already. */
static void embryo_free(struct embryo *e)
{
	tcpcrypt_stat_add(tcpcrypt_net(e->net), TCPCRYPT_STAT_HALFOPEN, -1);
	atomic_dec(&tcpcrypt_net(e->net)->halfopen);
	if (!net_eq(e->net, &init_net))
		atomic_dec(&embryo_shared);
	atomic_dec(&embryo_count);
	sock_gen_put(req_to_sk(e->req));
	kfree(e);
}

static void embryo_drop(struct embryo *e)
{
	tcpcrypt_conn_put(e->conn);
	module_put(THIS_MODULE);
	embryo_free(e);
}

void tcpcrypt_embryo_syn(struct net *net, const struct tcpcrypt_tuple *tuple, u32 isn, const struct eno_syn *syn,
			 enum eno_verdict verdict)
{
	struct syn_note *note;

	local_bh_disable();
	note = this_cpu_ptr(&syn_note);
	note->net = net;
	note->tuple = *tuple;
	note->isn = isn;
	note->verdict = verdict;
	if (verdict == ENO_OK)
		note->syn = *syn;
	local_bh_enable();
}

/* Take what the SYN said, if the note is of that SYN: ENO_ABSENT otherwise. @syn may be NULL. */
static enum eno_verdict embryo_take_note(struct net *net, const struct tcpcrypt_tuple *tuple, u32 isn,
					 struct eno_syn *syn)
{
	enum eno_verdict verdict = ENO_ABSENT;
	struct syn_note *note;

	local_bh_disable();
	note = this_cpu_ptr(&syn_note);
	if (note->net == net && note->isn == isn && !memcmp(&note->tuple, tuple, sizeof(*tuple))) {
		verdict = note->verdict;
		if (syn)
			*syn = note->syn;
		note->net = NULL;
	}
	local_bh_enable();
	return verdict;
}

bool tcpcrypt_embryo_noted(struct net *net, u32 isn)
{
	return raw_cpu_read(syn_note.net) == net && raw_cpu_read(syn_note.isn) == isn;
}

void tcpcrypt_embryo_forget(struct net *net, u32 isn)
{
	struct syn_note *note;

	local_bh_disable();
	note = this_cpu_ptr(&syn_note);
	if (note->net == net && note->isn == isn)
		note->net = NULL;
	local_bh_enable();
}

void tcpcrypt_embryo_unanswered(struct net *net, const struct tcpcrypt_tuple *tuple, u32 isn,
				enum tcpcrypt_reason reason)
{
	enum eno_verdict verdict = embryo_take_note(net, tuple, isn, NULL);

	if (verdict != ENO_OK)
		reason = tcpcrypt_eno_reason(verdict, TCPCRYPT_REASON_NONE);
	if (reason)
		tcpcrypt_reason_inc(tcpcrypt_net(net), reason);
}

bool tcpcrypt_embryo_changed(struct net *net, const struct tcpcrypt_tuple *tuple, u32 isn, const struct eno_syn *syn)
{
	unsigned int h;
	struct embryo *e;
	bool changed;

	if (!atomic_read(&embryo_count))
		return false;
	h = embryo_hash(net, tuple);
	spin_lock_bh(&embryo_table[h].lock);
	e = embryo_find(h, net, tuple);
	changed = e && e->rcv_isn == isn && !e->plain &&
		  (e->conn->peer_syn.raw_len != syn->raw_len ||
		   memcmp(e->conn->peer_syn.raw, syn->raw, syn->raw_len));
	spin_unlock_bh(&embryo_table[h].lock);
	return changed;
}

void tcpcrypt_embryo_disable(struct net *net, const struct tcpcrypt_tuple *tuple, u32 isn)
{
	unsigned int h = embryo_hash(net, tuple);
	struct embryo *e;

	spin_lock_bh(&embryo_table[h].lock);
	e = embryo_find(h, net, tuple);
	if (e && e->rcv_isn == isn && !e->acked && !e->plain)
		e->plain = TCPCRYPT_FALLBACK_SYN_CHANGED;
	spin_unlock_bh(&embryo_table[h].lock);
}

/* What tcp_check_req() will ask of the segment that makes the child, as far as it can be asked here. */
static bool embryo_matches(const struct embryo *e, u32 seq, u32 ack)
{
	return !e->plain && !e->acked && ack == e->snt_isn + 1 &&
	       between(seq, e->rcv_isn + 1, e->rcv_isn + 1 + e->req->rsk_rcv_wnd);
}

bool tcpcrypt_embryo_waits(struct net *net, const struct tcpcrypt_tuple *tuple, u32 seq, u32 ack)
{
	unsigned int h;
	struct embryo *e;
	bool waits;

	if (!atomic_read(&embryo_count))
		return false;
	h = embryo_hash(net, tuple);
	spin_lock_bh(&embryo_table[h].lock);
	e = embryo_find(h, net, tuple);
	waits = e && embryo_matches(e, seq, ack);
	spin_unlock_bh(&embryo_table[h].lock);
	return waits;
}

bool tcpcrypt_embryo_heard_none(struct net *net, const struct tcpcrypt_tuple *tuple)
{
	unsigned int h = embryo_hash(net, tuple);
	struct embryo *e;
	bool yes;

	spin_lock_bh(&embryo_table[h].lock);
	e = embryo_find(h, net, tuple);
	yes = e && !e->plain && !e->acked;
	spin_unlock_bh(&embryo_table[h].lock);
	return yes;
}

bool tcpcrypt_embryo_any(void)
{
	return atomic_read(&embryo_count);
}

bool tcpcrypt_embryo_acked(struct net *net, const struct tcpcrypt_tuple *tuple, u32 seq, u32 ack, bool eno)
{
	unsigned int h = embryo_hash(net, tuple);
	bool refuse = false;
	struct embryo *e;

	spin_lock_bh(&embryo_table[h].lock);
	e = embryo_find(h, net, tuple);
	if (e && embryo_matches(e, seq, ack)) {
		if (eno)
			e->acked = true;
		else
			e->plain = TCPCRYPT_FALLBACK_NO_ENO_IN_ACK;
		refuse = !eno && e->required;
	}
	spin_unlock_bh(&embryo_table[h].lock);
	return refuse;
}

/* Somebody's namespaces do not keep the first one from having its own. */
static bool embryo_full(const struct tcpcrypt_net *tn)
{
	int n = atomic_read(&tn->halfopen);

	if (n >= READ_ONCE(tn->max_halfopen))
		return true;
	if (net_eq(tn->net, &init_net))
		return n >= EMBRYO_MAX;
	return n >= EMBRYO_SHARE || atomic_read(&embryo_shared) >= EMBRYO_SHARED;
}

static enum tcpcrypt_reason embryo_allowed(struct tcpcrypt_net *tn, struct sk_buff *skb, struct request_sock *req,
					   const struct tcpcrypt_tuple *tuple, const struct tcpcrypt_settings *set)
{
	const struct tcphdr *th = tcp_hdr(skb);
	bool forced = tcpcrypt_settings_forced(set);
	enum tcpcrypt_reason reason;

	if (!tcpcrypt_settings_enabled(set, READ_ONCE(tn->enable_listen)))
		return TCPCRYPT_FALLBACK_DISABLED;
	if (!forced && tcpcrypt_port_is_bad(tn->bad_listen_ports, ntohs(tuple->lport)))
		return TCPCRYPT_FALLBACK_BAD_PORT;
	if (!forced && !READ_ONCE(tn->loopback) && skb_dst(skb) && skb_dst(skb)->dev->flags & IFF_LOOPBACK)
		return TCPCRYPT_FALLBACK_LOOPBACK;
	if (READ_ONCE(tcpcrypt_draining))
		return TCPCRYPT_FALLBACK_DRAINING;
	if (tcpcrypt_segment_kinds(th) & TCPCRYPT_KIND_OTHER || tcp_rsk(req)->tfo_listener ||
	    (IS_ENABLED(CONFIG_SMC) && inet_rsk(req)->smc_ok))	/* not set at all without SMC */
		return TCPCRYPT_FALLBACK_OTHER_OPTION;
	reason = tcpcrypt_attach_possible(req->rsk_listener);
	if (reason)
		return reason;
	if (tcpcrypt_attach_is_kernels(req->rsk_listener))
		return TCPCRYPT_FALLBACK_KERNEL_SOCKET;
	if (!tcpcrypt_random_ready())		/* E-20 */
		return TCPCRYPT_FALLBACK_NO_RANDOM;
	if (embryo_full(tn))
		return TCPCRYPT_FALLBACK_HALFOPEN_LIMIT;
	return TCPCRYPT_REASON_NONE;
}

/*
 * the secret that the peer offers to resume from, if we have it and can say so. What is not agreed to is
 * dropped all the same: it was offered.
 */
static struct tcpcrypt_secret *embryo_secret(struct tcpcrypt_net *tn, struct tcpcrypt_conn *conn,
					     const u8 *teps, unsigned int n_teps, bool room)
{
	const struct eno_syn *peer = &conn->peer_syn;
	struct tcpcrypt_secret *secret = NULL;
	bool offered = false;
	unsigned int i;

	for (i = 0; i < n_teps && !secret; i++) {
		const struct eno_tep *tep = eno_resume_find(peer, teps[i]);

		if (!tep)
			continue;
		offered = true;
		secret = tcpcrypt_resume_take_half(tn, tep->id, peer->raw + tep->off, conn->settings);
	}
	if (secret && (!room || !(conn->resume & TCPCRYPT_RESUME_USE))) {
		tcpcrypt_secret_free(secret);
		secret = NULL;
	}
	if (offered)
		tcpcrypt_stat_inc(tn, secret ? TCPCRYPT_STAT_RESUME_AGREED : TCPCRYPT_STAT_RESUME_MISSED);
	return secret;
}

/* Choose the answer (E-11, E-19), which may take @room bytes. */
static enum eno_verdict embryo_answer(struct tcpcrypt_net *tn, struct tcpcrypt_conn *conn, unsigned int room,
				      struct eno_result *res)
{
	unsigned int nonce_len = READ_ONCE(tn->resume_nonce_len);
	struct tcpcrypt_secret *secret = NULL;
	u8 opt[ENO_TCP_OPTIONS_MAX], teps[TCPCRYPT_TEPS_MAX], global = tcpcrypt_settings_global(conn->settings);
	bool aware = tcpcrypt_settings_must_be_aware(conn->settings);
	u16 aeads[TCPCRYPT_AEADS_MAX];
	enum eno_verdict verdict;
	struct eno_resume resume;
	unsigned int len, n;

	n = tcpcrypt_settings_aeads(conn->settings, tn, aeads) ? tcpcrypt_settings_teps(conn->settings, tn, teps) : 0;
	if (n && tcpcrypt_settings_raw(conn->settings, &conn->syn)) {
		/* Only what leads to encryption is sent: the peer would not learn that we do not agree. */
		tcpcrypt_secret_free(embryo_secret(tn, conn, teps, n, false));
		return tcpcrypt_option_negotiate(conn, &conn->peer_syn, res);
	}
	verdict = eno_answer_build(&conn->peer_syn, global, aware, teps, n, opt, &len);
	if (verdict == ENO_OK)
		secret = embryo_secret(tn, conn, teps, n, room >= eno_resume_answer_len(nonce_len));
	if (verdict != ENO_OK)
		return verdict;
	if (secret) {
		conn->hs->secret = secret;
		tcpcrypt_secret_describe(secret, nonce_len, &resume);
		len = eno_resume_answer_build(global, aware, &resume, opt);
		tcpcrypt_option_resume(conn, &resume);
	}
	verdict = eno_syn_parse(opt, len, &conn->syn);
	if (verdict != ENO_OK)
		return verdict;
	return tcpcrypt_option_negotiate(conn, &conn->peer_syn, res);
}

static enum tcpcrypt_reason embryo_create(struct sk_buff *skb, struct request_sock *req,
					  const struct tcpcrypt_tuple *tuple, struct eno_syn *syn,
					  struct tcpcrypt_settings *set, bool required)
{
	struct net *net = sock_net(req->rsk_listener);
	struct tcpcrypt_net *tn = tcpcrypt_net(net);
	unsigned int h = embryo_hash(net, tuple);
	enum eno_verdict verdict;
	struct embryo *e;
	int err;

	e = kzalloc(sizeof(*e), GFP_ATOMIC | __GFP_NOWARN);
	if (!e)
		return TCPCRYPT_FALLBACK_NO_MEMORY;
	e->conn = tcpcrypt_conn_alloc(NULL, tn, false);
	if (!e->conn)
		goto free;
	e->conn->peer_syn = *syn;
	e->conn->settings = tcpcrypt_settings_get_rcu(set);
	if (e->conn->settings)
		e->conn->resume = set->resume;
	e->conn->required = required;
	e->required = required;
	verdict = embryo_answer(tn, e->conn, tcpcrypt_segment_syn_room(tcp_hdr(skb)), &e->res);
	if (verdict != ENO_OK) {
		tcpcrypt_conn_put(e->conn);
		kfree(e);
		return tcpcrypt_eno_reason(verdict, TCPCRYPT_FALLBACK_NO_COMMON_TEP);
	}
	if (!try_module_get(THIS_MODULE))
		goto put;
	e->tuple = *tuple;
	e->net = net;
	e->req = req;
	e->rcv_isn = tcp_rsk(req)->rcv_isn;
	e->snt_isn = tcp_rsk(req)->snt_isn;
	if (!refcount_inc_not_zero(&req->rsk_refcnt)) {
		module_put(THIS_MODULE);
		goto put;
	}
	err = tcpcrypt_segment_insert(skb, e->conn->syn.raw, e->conn->syn.raw_len);
	if (err) {
		sock_gen_put(req_to_sk(req));
		module_put(THIS_MODULE);
		tcpcrypt_conn_put(e->conn);
		kfree(e);
		return err == -ENOSPC ? TCPCRYPT_FALLBACK_NO_ROOM : TCPCRYPT_FALLBACK_NO_MEMORY;
	}
	atomic_inc(&embryo_count);
	if (!net_eq(net, &init_net))
		atomic_inc(&embryo_shared);
	atomic_inc(&tn->halfopen);
	tcpcrypt_stat_inc(tn, TCPCRYPT_STAT_HALFOPEN);
	tcpcrypt_stat_inc(tn, TCPCRYPT_STAT_SYNACK_ANSWERED);
	spin_lock_bh(&embryo_table[h].lock);
	hlist_add_head(&e->node, &embryo_table[h].head);
	spin_unlock_bh(&embryo_table[h].lock);
	if (!delayed_work_pending(&embryo_scan_work))
		queue_delayed_work(tcpcrypt_wq, &embryo_scan_work, EMBRYO_SCAN);
	return TCPCRYPT_REASON_NONE;

put:
	tcpcrypt_conn_put(e->conn);
free:
	kfree(e);
	return TCPCRYPT_FALLBACK_NO_MEMORY;
}

/*
 * The first SYN-ACK decides; each later one repeats it (E-14), or goes without when ENO is off by now
 * (E-13).
 */
bool tcpcrypt_embryo_synack(struct sk_buff *skb, struct request_sock *req, const struct tcpcrypt_tuple *tuple)
{
	struct net *net = sock_net(req->rsk_listener);
	struct tcpcrypt_net *tn = tcpcrypt_net(net);
	unsigned int h = embryo_hash(net, tuple);
	struct request_sock *moved = NULL;
	struct embryo *e, *old = NULL;
	struct tcpcrypt_settings *set;
	bool required = false;
	enum tcpcrypt_reason reason;
	u8 opt[ENO_TCP_OPTIONS_MAX];
	enum eno_verdict verdict;
	unsigned int len = 0;
	struct eno_syn syn;

	spin_lock_bh(&embryo_table[h].lock);
	e = embryo_find(h, net, tuple);
	if (e && e->req != req && e->rcv_isn == tcp_rsk(req)->rcv_isn && e->snt_isn == tcp_rsk(req)->snt_isn &&
	    refcount_inc_not_zero(&req->rsk_refcnt)) {
		moved = e->req;		/* to another listener of its group (tcp_migrate_req) */
		e->req = req;
		e->stale = false;
	} else if (e && e->req != req) {	/* of an earlier connection with the same ports */
		hlist_del(&e->node);
		old = e;
		e = NULL;
	}
	if (e && !e->plain) {
		len = e->conn->syn.raw_len;
		memcpy(opt, e->conn->syn.raw, len);
	}
	if (e)
		required = e->required;
	spin_unlock_bh(&embryo_table[h].lock);
	if (old)
		embryo_drop(old);
	if (moved)
		sock_gen_put(req_to_sk(moved));
	if (e) {
		if (!len || tcpcrypt_segment_insert(skb, opt, len))
			return !required;
		tcpcrypt_stat_inc(tn, TCPCRYPT_STAT_SYNACK_ANSWERED);
		return true;
	}
	required = tcpcrypt_require_listener(tn, tcpcrypt_segment_dev(skb), req->rsk_listener,
					     ntohs(tuple->lport));
	if (!tcpcrypt_embryo_is_first(skb, req))
		return !required;
	rcu_read_lock();
	set = tcpcrypt_optin_of_rcu(req->rsk_listener);
	verdict = embryo_take_note(net, tuple, tcp_rsk(req)->rcv_isn, &syn);
	if (verdict != ENO_OK)
		reason = tcpcrypt_eno_reason(verdict, TCPCRYPT_FALLBACK_NO_ENO_IN_SYN);
	else
		reason = embryo_allowed(tn, skb, req, tuple, set);
	if (!reason)
		reason = embryo_create(skb, req, tuple, &syn, set, required);
	rcu_read_unlock();
	if (reason && !required)
		tcpcrypt_reason_inc(tn, reason);
	return !reason || !required;
}

static void embryo_tuple_of(const struct sock *sk, struct tcpcrypt_tuple *tuple)
{
	const struct inet_sock *inet = inet_sk(sk);

	memset(tuple, 0, sizeof(*tuple));
	tuple->lport = inet->inet_sport;
	tuple->rport = inet->inet_dport;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_daddr)) {
		tuple->family = NFPROTO_IPV6;
		tuple->local.in6 = sk->sk_v6_rcv_saddr;
		tuple->remote.in6 = sk->sk_v6_daddr;
		return;
	}
#endif
	tuple->family = NFPROTO_IPV4;
	tuple->local.ip = inet->inet_rcv_saddr;
	tuple->remote.ip = inet->inet_daddr;
}

/* A child that is not ours to take, though its peer counts on encryption: gone, as inet_child_forget() does it. */
static void embryo_reset_run(struct work_struct *work)
{
	struct tcpcrypt_conn *conn = container_of(work, struct tcpcrypt_conn, work);
	struct sock *sk = conn->sk;

	spin_lock_bh(&sk->sk_lock.slock);
	if (!sk->sk_socket && !sock_flag(sk, SOCK_DEAD) && !sock_owned_by_user_nocheck(sk)) {
		sk->sk_prot->disconnect(sk, O_NONBLOCK);
		WRITE_ONCE(sk->sk_err, EPROTO);
		spin_unlock_bh(&sk->sk_lock.slock);
	} else {
		spin_unlock_bh(&sk->sk_lock.slock);
		tcp_abort(sk, EPROTO);
	}
	sock_put(sk);
	tcpcrypt_conn_put(conn);
	module_put(THIS_MODULE);
}

void tcpcrypt_embryo_reset(struct sock *sk, struct tcpcrypt_conn *conn)
{
	conn->sk = sk;
	sock_hold(sk);
	INIT_WORK(&conn->work, embryo_reset_run);
	queue_work(tcpcrypt_abort_wq, &conn->work);
}

/*
 * A child without an embryo, or with another connection's: plain, or, where encryption is required, doomed. Until here
 * it has what its listener was told (optin_clone()).
 */
static void embryo_none(struct sock *sk, const struct tcpcrypt_tuple *tuple)
{
	struct tcpcrypt_settings *set = tcpcrypt_optin_of(sk);
	/* Not a child at all: an active opener whose SYN crossed the peer's, and who is plain. */
	bool active = sk->sk_socket && sk->sk_socket->state == SS_CONNECTING;
	bool required = !active && tcpcrypt_require_child(sk, tuple);
	struct tcpcrypt_conn *conn = NULL;

	if (required && (set || try_module_get(THIS_MODULE))) {
		conn = tcpcrypt_conn_alloc(NULL, tcpcrypt_net(sock_net(sk)), false);
		if (!conn && !set)
			module_put(THIS_MODULE);
	}
	if (conn) {
		conn->settings = set ? tcpcrypt_optin_take(sk) : NULL;
		tcpcrypt_require_doom(sk, conn);
		return;
	}
	if (set)
		tcpcrypt_optin_drop(sk);
	if (!required)
		return;
	/* Without memory: TCP sends FIN at once, and answers data with RST. */
	WRITE_ONCE(sk->sk_err, ECONNREFUSED);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
}

/* Is there anything to ask before a child is plain? Nearly never. */
static bool embryo_any_or_required(const struct sock *sk)
{
	return atomic_read(&embryo_count) || tcpcrypt_optin_of(sk) ||
	       unlikely(READ_ONCE(tcpcrypt_net(sock_net(sk))->enable_listen) == TCPCRYPT_ENABLE_REQUIRE);
}

/* Softirq, the child's spinlock held, before any of its data is queued and before accept() can have it. */
void tcpcrypt_embryo_established(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct net *net = sock_net(sk);
	struct tcpcrypt_net *tn = tcpcrypt_net(net);
	struct tcpcrypt_settings *set;
	struct tcpcrypt_tuple tuple;
	struct tcpcrypt_conn *conn;
	struct embryo *e;
	unsigned int h;

	if (!embryo_any_or_required(sk))
		return;
	embryo_tuple_of(sk, &tuple);
	h = embryo_hash(net, &tuple);
	spin_lock_bh(&embryo_table[h].lock);
	e = embryo_find(h, net, &tuple);
	if (e)
		hlist_del(&e->node);
	spin_unlock_bh(&embryo_table[h].lock);
	if (!e) {
		embryo_none(sk, &tuple);
		return;
	}
	if (tp->rcv_nxt != e->rcv_isn + 1 || tp->snd_una != e->snt_isn + 1) {
		embryo_drop(e);		/* a cookie's child, or an earlier connection's entry */
		embryo_none(sk, &tuple);
		return;
	}
	set = tcpcrypt_optin_of(sk);
	if (set) {	/* the embryo has them, too, but for a child that moved to another listener meanwhile */
		e->required |= set->mandatory;
		tcpcrypt_optin_drop(sk);
	}
	if (e->required && (e->plain || !e->acked)) {
		tcpcrypt_require_doom(sk, e->conn);
		embryo_free(e);
		return;
	}
	if (e->plain || !e->acked) {
		tcpcrypt_reason_inc(tn, e->plain ? : TCPCRYPT_FALLBACK_NO_ENO_IN_ACK);
		embryo_drop(e);
		return;
	}
	/*
	 * The reference of the module goes with the connection. A BPF program may have put the child into a
	 * sockmap a moment ago: then it can be neither encrypted nor plain.
	 */
	conn = e->conn;
	conn->isn = e->snt_isn + 1;
	conn->limit_seq = conn->isn;
	conn->rx.seq = e->rcv_isn + 1;
	conn->peer_isn = conn->rx.seq;
	if (tcpcrypt_attach_possible(sk) == TCPCRYPT_REASON_NONE) {
		tcpcrypt_attach(sk, conn);
		tcpcrypt_handshake_start(conn, &e->res);
	} else {
		tcpcrypt_reason_inc(tn, TCPCRYPT_ABORT_FOREIGN_DATA);
		tcpcrypt_embryo_reset(sk, conn);
	}
	embryo_free(e);
}

static void embryo_scan(struct net *dying)
{
	HLIST_HEAD(dead);
	struct hlist_node *next;
	struct embryo *e;
	unsigned int h;

	for (h = 0; h < ARRAY_SIZE(embryo_table); h++) {
		if (hlist_empty(&embryo_table[h].head))
			continue;
		spin_lock_bh(&embryo_table[h].lock);
		hlist_for_each_entry_safe(e, next, &embryo_table[h].head, node) {
			bool gone = sk_unhashed(req_to_sk(e->req));

			if ((gone && e->stale) || e->net == dying) {
				hlist_del(&e->node);
				hlist_add_head(&e->node, &dead);
			}
			e->stale = gone;
		}
		spin_unlock_bh(&embryo_table[h].lock);
	}
	hlist_for_each_entry_safe(e, next, &dead, node)
		embryo_drop(e);
}

static void embryo_scan_run(struct work_struct *work)
{
	embryo_scan(NULL);
	if (atomic_read(&embryo_count))
		queue_delayed_work(tcpcrypt_wq, &embryo_scan_work, EMBRYO_SCAN);
}

void tcpcrypt_embryo_net_exit(struct net *net)
{
	embryo_scan(net);
}

int tcpcrypt_embryo_init(void)
{
	unsigned int h;

	get_random_bytes(&embryo_key, sizeof(embryo_key));
	tcpcrypt_path_init();
	for (h = 0; h < ARRAY_SIZE(embryo_table); h++)
		spin_lock_init(&embryo_table[h].lock);
	INIT_DELAYED_WORK(&embryo_scan_work, embryo_scan_run);
	return 0;
}

void tcpcrypt_embryo_exit(void)
{
	cancel_delayed_work_sync(&embryo_scan_work);
}
