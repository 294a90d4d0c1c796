// SPDX-License-Identifier: GPL-2.0
/* Active openers: the offer in the SYN, the answer in the SYN-ACK, and the option until somebody answered. */
#include "option/option.h"
#include "session/handshake.h"
#include "stream/stream.h"
#include <linux/random.h>
#include <linux/net.h>

static enum tcpcrypt_reason active_allowed(struct tcpcrypt_net *tn, const struct sock *sk,
					   const struct tcpcrypt_settings *set, bool required)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	enum tcpcrypt_reason reason;

	if (!tcpcrypt_settings_enabled(set, READ_ONCE(tn->enable_connect)))
		return TCPCRYPT_FALLBACK_DISABLED;
	reason = tcpcrypt_attach_possible(sk);
	if (reason)
		return reason;
	if (!sk->sk_socket || !sk->sk_socket->file)
		return TCPCRYPT_FALLBACK_KERNEL_SOCKET;
	if (!tcpcrypt_settings_forced(set) &&
	    tcpcrypt_port_is_bad(tn->bad_connect_ports, ntohs(inet_sk(sk)->inet_dport)))
		return TCPCRYPT_FALLBACK_BAD_PORT;
	if (tp->fastopen_req || tp->fastopen_connect)
		return TCPCRYPT_FALLBACK_OTHER_OPTION;
	/*
	 * A thread may be past the point where sk_prot is read, and wait for the lock inside plain TCP: what it writes
	 * would be stopped by active_foreign(), but nothing would keep it from reading frames.
	 */
	if (waitqueue_active((wait_queue_head_t *)&sk->sk_lock.wq))
		return TCPCRYPT_FALLBACK_BUSY_SOCKET;
	if (!required && tcpcrypt_path_drops_eno(sk))
		return TCPCRYPT_FALLBACK_PATH;
	if (READ_ONCE(tcpcrypt_draining))
		return TCPCRYPT_FALLBACK_DRAINING;
	if (!tcpcrypt_random_ready())		/* E-20 */
		return TCPCRYPT_FALLBACK_NO_RANDOM;
	return TCPCRYPT_REASON_NONE;
}

void tcpcrypt_active_syn_sent(struct sock *sk)
{
	struct tcpcrypt_net *tn = tcpcrypt_net(sock_net(sk));
	struct tcpcrypt_settings *set = tcpcrypt_optin_of(sk);
	bool required = tcpcrypt_require(set, READ_ONCE(tn->enable_connect));
	struct tcpcrypt_conn *conn;
	enum tcpcrypt_reason reason = active_allowed(tn, sk, set, required);
	u8 teps[TCPCRYPT_TEPS_MAX];
	u16 aeads[TCPCRYPT_AEADS_MAX];

	if (reason)
		goto plain;
	reason = TCPCRYPT_FALLBACK_NO_MEMORY;
	conn = tcpcrypt_conn_alloc(sk, tn, true);
	if (!conn)
		goto plain;
	conn->hs->guess = tcpcrypt_settings_teps(set, tn, teps) ? tcpcrypt_tep_find(teps[0]) : NULL;
	/* The administrator's list of AEADs is never empty, and settings have a reference on the module already. */
	if (!conn->hs->guess || (set && !tcpcrypt_settings_aeads(set, tn, aeads)) ||
	    (!set && !try_module_get(THIS_MODULE))) {
		reason = TCPCRYPT_FALLBACK_DISABLED;
		tcpcrypt_conn_put(conn);
		goto plain;
	}
	if (set) {	/* its reference on the module goes with it */
		conn->settings = tcpcrypt_optin_take(sk);
		conn->resume = set->resume;
	}
	conn->required = required;
	tcpcrypt_attach(sk, conn);
	return;
plain:
	/* Where encryption is required the slot stays as it is, and the SYN is refused. */
	if (required && !tcpcrypt_require_exempts(set, reason))
		return;
	if (set)
		tcpcrypt_optin_drop(sk);
	tcpcrypt_reason_inc(tn, reason);
}

/*
 * Offer to resume, with what else there is room for. A secret is taken out of the cache for it and does not
 * return there, whatever the answer. Return: the option's length, 0: offer a fresh key exchange alone
 */
static unsigned int active_offer_resumption(struct tcpcrypt_conn *conn, unsigned int room, u8 global,
					    const u8 *teps, unsigned int n_teps, u8 *opt)
{
	unsigned int nonce_len = READ_ONCE(conn->tn->resume_nonce_len);
	struct tcpcrypt_handshake *hs = conn->hs;
	struct eno_resume resume;
	unsigned int len;

	/* v=1 from B, which b=1 makes us, counts only where A offers the same; else all would be plain. */
	if (!(conn->resume & TCPCRYPT_RESUME_USE) || global & ENO_GLOBAL_B ||
	    room < eno_resume_offer_min(nonce_len) + !!global)
		return 0;
	hs->secret = tcpcrypt_resume_take_peer(conn->tn, conn->sk, conn->settings);
	if (!hs->secret)
		return 0;
	tcpcrypt_secret_describe(hs->secret, nonce_len, &resume);
	len = eno_resume_offer_build(global, &resume, teps, n_teps, opt, room);
	tcpcrypt_option_resume(conn, &resume);
	hs->phase = TCPCRYPT_HS_OFFERED;
	tcpcrypt_stat_inc(conn->tn, TCPCRYPT_STAT_RESUME_OFFERED);
	return len;
}

/* The application's. Return: as active_choose() */
static enum tcpcrypt_reason active_choose_raw(struct tcpcrypt_conn *conn, unsigned int room)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	unsigned int i;

	if (conn->syn.raw_len > room) {
		conn->syn.raw_len = 0;
		return TCPCRYPT_FALLBACK_NO_ROOM;
	}
	for (i = 0; i < conn->syn.n_teps; i++)		/* the last one is the best */
		hs->guess = tcpcrypt_tep_find(conn->syn.teps[i].id) ? : hs->guess;
	return TCPCRYPT_REASON_NONE;
}

/* Ours: other TEPs beside a resumption give way first, then that, then ENO. Return: as active_choose() */
static enum tcpcrypt_reason active_choose_own(struct tcpcrypt_conn *conn, unsigned int room)
{
	u8 opt[ENO_TCP_OPTIONS_MAX], teps[TCPCRYPT_TEPS_MAX], global = tcpcrypt_settings_global(conn->settings);
	unsigned int len, n;

	n = tcpcrypt_settings_teps(conn->settings, conn->tn, teps);
	len = active_offer_resumption(conn, room, global, teps, n, opt);
	if (!len)
		len = eno_offer_build(global, teps, n, opt, room);
	if (!len)
		return TCPCRYPT_FALLBACK_NO_ROOM;
	return eno_syn_parse(opt, len, &conn->syn) == ENO_OK ? TCPCRYPT_REASON_NONE : TCPCRYPT_FALLBACK_DISABLED;
}

/*
 * What the SYN says is chosen when it first leaves: only then is it known what room TCP's own options leave, and
 * that a secret is not taken in vain. Return: why it must go without ENO, if it must
 */
static enum tcpcrypt_reason active_choose(struct tcpcrypt_conn *conn, const struct tcphdr *th)
{
	unsigned int room = tcpcrypt_segment_syn_room(th);
	enum tcpcrypt_reason reason;

	reason = tcpcrypt_settings_raw(conn->settings, &conn->syn) ? active_choose_raw(conn, room) :
								     active_choose_own(conn, room);
	if (reason || conn->hs->secret)
		return reason;
	if (!tcpcrypt_keypool_take(conn->hs))
		tcpcrypt_conn_kick(conn);	/* the key pair is made while the SYN is on its way */
	return TCPCRYPT_REASON_NONE;
}

/* Our SYN leaves, maybe not for the first time. */
static unsigned int active_syn(struct sk_buff *skb, struct tcpcrypt_conn *conn, struct tcphdr *th,
			       unsigned int kinds)
{
	enum tcpcrypt_reason reason = TCPCRYPT_REASON_NONE;
	int err;

	if (!READ_ONCE(conn->tn->loopback) && !tcpcrypt_settings_forced(conn->settings) &&
	    skb_dst(skb) && skb_dst(skb)->dev->flags & IFF_LOOPBACK)
		reason = TCPCRYPT_FALLBACK_LOOPBACK;
	else if (!conn->required && conn->syns > READ_ONCE(conn->tn->syn_retries))	/* E-14: for good */
		reason = TCPCRYPT_FALLBACK_SYN_RETRIED;
	else if (kinds & (TCPCRYPT_KIND_OTHER | TCPCRYPT_KIND_FASTOPEN) ||
		 skb->len > skb_transport_offset(skb) + th->doff * 4)
		reason = TCPCRYPT_FALLBACK_OTHER_OPTION;
	if (!reason && !conn->syn.raw_len)
		reason = active_choose(conn, th);
	if (!reason) {
		err = tcpcrypt_segment_insert(skb, conn->syn.raw, conn->syn.raw_len);
		if (err)
			reason = err == -ENOSPC ? TCPCRYPT_FALLBACK_NO_ROOM : TCPCRYPT_FALLBACK_NO_MEMORY;
	}
	if (reason && conn->required && !tcpcrypt_require_exempts(conn->settings, reason)) {
		if (conn->syns)		/* one of many: TCP sends it again */
			return NF_DROP;
		tcpcrypt_reason_inc(conn->tn, TCPCRYPT_ABORT_REQUIRED);
		return NF_DROP_ERR(-ECONNREFUSED);
	}
	if (reason == TCPCRYPT_FALLBACK_SYN_RETRIED)
		tcpcrypt_path_note(conn->sk);
	if (reason) {
		tcpcrypt_fallback(conn, reason);
		return NF_ACCEPT;
	}
	if (conn->syns < U8_MAX)
		conn->syns++;
	tcpcrypt_stat_inc(conn->tn, TCPCRYPT_STAT_SYN_OFFERED);
	return NF_ACCEPT;
}

/*
 * The last guard: a byte that we did not queue is a byte of plaintext, from a thread that was inside TCP's
 * sendmsg when the socket was taken over.
 */
static bool active_foreign(const struct sk_buff *skb, const struct tcpcrypt_conn *conn, const struct tcphdr *th)
{
	u32 len = skb->len - skb_transport_offset(skb) - th->doff * 4;

	return len && after(ntohl(th->seq) + len, READ_ONCE(conn->limit_seq));
}

/* After a resumption: the MSS is TCP's business, and it is in the middle of sending; so the worker sees to it. */
static bool active_has_heard(struct tcpcrypt_conn *conn)
{
	if (conn->state != TCPCRYPT_ENCRYPTED || !tcpcrypt_conn_heard(conn))
		return false;
	conn->send_eno = false;
	if (conn->mss_reserved)
		tcpcrypt_conn_kick(conn);
	return true;
}

/*
 * E-12. Where SACK blocks leave no room, the peer has sent a non-SYN segment already. Whatever else keeps the
 * option out: without it the peer would go on plain, and TCP sends the segment again.
 */
static unsigned int active_eno(struct sk_buff *skb, const struct tcphdr *th)
{
	bool room = tcpcrypt_segment_room(th) >= TCPCRYPT_OPTION_NONSYN_ROOM;

	if (th->rst || tcpcrypt_segment_has_eno(th) ||
	    !tcpcrypt_segment_insert(skb, tcpcrypt_option_nonsyn, sizeof(tcpcrypt_option_nonsyn)))
		return NF_ACCEPT;
	return room ? NF_DROP : NF_ACCEPT;
}

unsigned int tcpcrypt_active_out(struct sk_buff *skb, struct sock *sk, struct tcpcrypt_conn *conn, struct tcphdr *th)
{
	unsigned int kinds;

	if (th->syn) {
		kinds = tcpcrypt_segment_kinds(th);
		if (conn->state != TCPCRYPT_SYN_SENT || kinds & TCPCRYPT_KIND_ENO)
			return NF_ACCEPT;
		if (th->ack)
			return tcpcrypt_simultaneous_out_synack(skb, conn, th);
		return active_syn(skb, conn, th, kinds);
	}
	if (conn->state == TCPCRYPT_SYN_SENT && (!conn->send_eno || tcpcrypt_simultaneous_gave_up(conn)))
		return NF_ACCEPT;
	if (conn->state != TCPCRYPT_SYN_SENT && active_foreign(skb, conn, th)) {
		if (conn->state != TCPCRYPT_DEAD)
			tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_FOREIGN_DATA);
		return NF_DROP;
	}
	if (likely(!conn->send_eno) || active_has_heard(conn))
		return NF_ACCEPT;
	return active_eno(skb, th);
}

/* The peer wants a fresh key exchange, with this TEP or another (N-02). */
void tcpcrypt_active_refused(struct tcpcrypt_conn *conn, u8 tep)
{
	struct tcpcrypt_handshake *hs = conn->hs;

	tcpcrypt_secret_free(hs->secret);
	hs->secret = NULL;
	hs->guess = tcpcrypt_tep_find(tep);
	hs->phase = TCPCRYPT_HS_KEYGEN;
	tcpcrypt_keypool_take(hs);
	tcpcrypt_stat_inc(conn->tn, TCPCRYPT_STAT_RESUME_REFUSED);
}

/* The SYN-ACK that TCP accepted, in ESTABLISHED, before the third ACK leaves and before connect() returns. */
static void active_synack(struct tcpcrypt_conn *conn, const struct sk_buff *skb)
{
	const struct tcphdr *th = tcp_hdr(skb);
	struct tcp_sock *tp = tcp_sk(conn->sk);
	enum eno_verdict verdict;
	struct eno_result res;
	bool agreed;

	verdict = eno_syn_from_options((const u8 *)(th + 1), th->doff * 4 - sizeof(*th), &conn->peer_syn);
	if (verdict == ENO_OK)
		verdict = tcpcrypt_option_negotiate(conn, &conn->peer_syn, &res);
	agreed = verdict == ENO_OK && conn->syns;
	if (!agreed && !conn->required) {
		tcpcrypt_fallback(conn, tcpcrypt_eno_reason(verdict, TCPCRYPT_FALLBACK_NO_ENO_IN_SYNACK));
		return;
	}
	tcpcrypt_option_af_ops_restore(conn);
	conn->isn = tp->write_seq;
	conn->limit_seq = conn->isn;
	conn->rx.seq = tp->copied_seq;
	conn->peer_isn = tp->rcv_nxt;
	conn->send_eno = agreed;
	if (agreed && conn->hs->secret && !res.resumed)
		tcpcrypt_active_refused(conn, res.tep);
	tcpcrypt_conn_set_state(conn, TCPCRYPT_EXCHANGE);
	if (agreed)
		tcpcrypt_handshake_start(conn, &res);
	else	/* LOCAL_IN refuses it before TCP sees it (E-25), but IPv6 reassembles after that */
		tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_REQUIRED);
}

void tcpcrypt_option_rx_dst_set(struct sock *sk, const struct sk_buff *skb)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);

	tcpcrypt_attach_af_base(sk)->sk_rx_dst_set(sk, skb);
	if (conn && conn->state == TCPCRYPT_SYN_SENT)
		active_synack(conn, skb);
}
