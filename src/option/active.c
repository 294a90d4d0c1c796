// SPDX-License-Identifier: GPL-2.0
/* Active openers: the offer in the SYN, the answer in the SYN-ACK, and the option until somebody answered. */
#include "option/option.h"
#include "session/handshake.h"
#include "stream/stream.h"
#include <linux/random.h>
#include <linux/net.h>

static enum tcpcrypt_reason active_allowed(struct tcpcrypt_net *tn, const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	enum tcpcrypt_reason reason;

	if (!READ_ONCE(tn->enable_connect))
		return TCPCRYPT_FALLBACK_DISABLED;
	reason = tcpcrypt_attach_possible(sk);
	if (reason)
		return reason;
	if (!sk->sk_socket || !sk->sk_socket->file)
		return TCPCRYPT_FALLBACK_KERNEL_SOCKET;
	if (tcpcrypt_port_is_bad(tn->bad_connect_ports, ntohs(inet_sk(sk)->inet_dport)))
		return TCPCRYPT_FALLBACK_BAD_PORT;
	if (tp->fastopen_req || tp->fastopen_connect)
		return TCPCRYPT_FALLBACK_OTHER_OPTION;
	/* A thread may be past the point where sk_prot is read, and wait for the lock inside plain TCP. */
	if (waitqueue_active((wait_queue_head_t *)&sk->sk_lock.wq))
		return TCPCRYPT_FALLBACK_BUSY_SOCKET;
	if (READ_ONCE(tcpcrypt_draining))
		return TCPCRYPT_FALLBACK_DRAINING;
	if (!rng_is_initialized())		/* E-20 */
		return TCPCRYPT_FALLBACK_NO_RANDOM;
	return TCPCRYPT_REASON_NONE;
}

void tcpcrypt_active_syn_sent(struct sock *sk)
{
	struct tcpcrypt_net *tn = tcpcrypt_net(sock_net(sk));
	const struct tcpcrypt_list8 *teps;
	struct tcpcrypt_conn *conn;
	enum tcpcrypt_reason reason = active_allowed(tn, sk);
	u8 opt[ENO_TCP_OPTIONS_MAX];
	unsigned int len;

	if (reason)
		goto plain;
	reason = TCPCRYPT_FALLBACK_NO_MEMORY;
	conn = tcpcrypt_conn_alloc(sk, tn, true);
	if (!conn)
		goto plain;
	teps = rcu_dereference(tn->teps);
	conn->hs->guess = teps->n ? tcpcrypt_tep_find(teps->id[0]) : NULL;
	len = eno_offer_build(0, teps->id, teps->n, opt, sizeof(opt));
	if (!conn->hs->guess || !len || eno_syn_parse(opt, len, &conn->syn) != ENO_OK ||
	    !try_module_get(THIS_MODULE)) {
		reason = TCPCRYPT_FALLBACK_DISABLED;
		tcpcrypt_conn_put(conn);
		goto plain;
	}
	conn->pooled = tcpcrypt_keypool_take(conn->hs);
	tcpcrypt_attach(sk, conn);
	if (!conn->pooled)
		tcpcrypt_conn_kick(conn);	/* the key pair is made while the SYN is on its way */
	return;
plain:
	tcpcrypt_reason_inc(tn, reason);
}

/* Our SYN leaves, maybe not for the first time. */
static void active_syn(struct sk_buff *skb, struct tcpcrypt_conn *conn, struct tcphdr *th)
{
	enum tcpcrypt_reason reason = TCPCRYPT_REASON_NONE;
	int err;

	if (!READ_ONCE(conn->tn->loopback) && skb_dst(skb) && skb_dst(skb)->dev->flags & IFF_LOOPBACK)
		reason = TCPCRYPT_FALLBACK_LOOPBACK;
	else if (conn->syns > READ_ONCE(conn->tn->syn_retries))		/* E-14: for good */
		reason = TCPCRYPT_FALLBACK_SYN_RETRIED;
	else if (tcpcrypt_segment_has(th, TCPOPT_MD5SIG) || tcpcrypt_segment_has(th, 29) ||
		 tcpcrypt_segment_has(th, TCPOPT_MPTCP) || tcpcrypt_segment_has(th, TCPOPT_FASTOPEN) ||
		 skb->len > skb_transport_offset(skb) + th->doff * 4)
		reason = TCPCRYPT_FALLBACK_OTHER_OPTION;
	if (!reason) {
		err = tcpcrypt_segment_insert(skb, conn->syn.raw, conn->syn.raw_len);
		if (err)
			reason = err == -ENOSPC ? TCPCRYPT_FALLBACK_NO_ROOM : TCPCRYPT_FALLBACK_NO_MEMORY;
	}
	if (reason) {
		tcpcrypt_fallback(conn, reason);
		return;
	}
	conn->syns++;
	tcpcrypt_stat_inc(conn->tn, TCPCRYPT_STAT_SYN_OFFERED);
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

unsigned int tcpcrypt_active_out(struct sk_buff *skb, struct sock *sk, struct tcpcrypt_conn *conn, struct tcphdr *th)
{
	if (th->syn) {
		if (!th->ack && conn->state == TCPCRYPT_SYN_SENT && !tcpcrypt_segment_has(th, ENO_KIND))
			active_syn(skb, conn, th);
		return NF_ACCEPT;
	}
	if (conn->state == TCPCRYPT_SYN_SENT)
		return NF_ACCEPT;
	if (active_foreign(skb, conn, th)) {
		if (conn->state != TCPCRYPT_DEAD)
			tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_FOREIGN_DATA);
		return NF_DROP;
	}
	/* E-12. Where SACK blocks leave no room, the peer has sent a non-SYN segment already. */
	if (conn->send_eno && !th->rst && !tcpcrypt_segment_has(th, ENO_KIND) &&
	    tcpcrypt_segment_insert(skb, tcpcrypt_option_nonsyn, sizeof(tcpcrypt_option_nonsyn)) == -ENOMEM)
		return NF_DROP;		/* without it the peer would go on plain; TCP sends it again */
	return NF_ACCEPT;
}

/* The SYN-ACK that TCP accepted, in ESTABLISHED, before the third ACK leaves and before connect() returns. */
static void active_synack(struct tcpcrypt_conn *conn, const struct sk_buff *skb)
{
	const struct tcphdr *th = tcp_hdr(skb);
	struct tcp_sock *tp = tcp_sk(conn->sk);
	enum eno_verdict verdict;
	struct eno_result res;

	verdict = eno_syn_from_options((const u8 *)(th + 1), th->doff * 4 - sizeof(*th), &conn->peer_syn);
	if (verdict == ENO_OK)
		verdict = eno_negotiate(&conn->syn, &conn->peer_syn, false, &res);
	if (verdict != ENO_OK || !conn->syns) {
		tcpcrypt_fallback(conn, tcpcrypt_eno_reason(verdict, TCPCRYPT_FALLBACK_NO_ENO_IN_SYNACK));
		return;
	}
	tcpcrypt_option_af_ops_restore(conn);
	conn->isn = tp->write_seq;
	conn->limit_seq = conn->isn;
	conn->rx.seq = tp->copied_seq;
	conn->send_eno = true;
	tcpcrypt_conn_set_state(conn, TCPCRYPT_EXCHANGE);
	tcpcrypt_handshake_start(conn, &res);
}

void tcpcrypt_option_rx_dst_set(struct sock *sk, const struct sk_buff *skb)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);

	tcpcrypt_attach_af_base(sk)->sk_rx_dst_set(sk, skb);
	if (conn && conn->state == TCPCRYPT_SYN_SENT)
		active_synack(conn, skb);
}
