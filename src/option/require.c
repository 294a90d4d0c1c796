// SPDX-License-Identifier: GPL-2.0
/* Where encryption is required (E-25): connections that would be plain are refused before anybody has them. */
#include "option/option.h"
#include "stream/stream.h"
#include <linux/netfilter.h>
#include <net/request_sock.h>

/*
 * Each refusal is TCP's own, of a segment that is changed on its way:
 *
 *   our SYN leaves         dropped, with an errno that connect() passes on
 *   SYN-ACK without ENO    arrives as RST: connect() says ECONNREFUSED before it sees ESTABLISHED
 *   our SYN-ACK leaves     as RST, as from a port where nobody listens; the request is made to expire
 *   third ACK without ENO  arrives as SYN: TCP answers with RST, and drops the request
 *
 * A child that came to be all the same (a SYN cookie, a hook that was passed by) is reset when it is ESTABLISHED.
 */

bool tcpcrypt_require(const struct tcpcrypt_settings *set, int sysctl)
{
	return (set && set->mandatory) || sysctl == TCPCRYPT_ENABLE_REQUIRE;
}

/* What the administrator requires is not for those whom the module leaves alone: they are encrypted, or inside. */
bool tcpcrypt_require_exempts(const struct tcpcrypt_settings *set, enum tcpcrypt_reason reason)
{
	return !(set && set->mandatory) &&
	       (reason == TCPCRYPT_FALLBACK_BAD_PORT || reason == TCPCRYPT_FALLBACK_LOOPBACK ||
		reason == TCPCRYPT_FALLBACK_KERNEL_SOCKET);
}

bool tcpcrypt_require_any(const struct tcpcrypt_net *tn)
{
	return unlikely(READ_ONCE(tn->enable_listen) == TCPCRYPT_ENABLE_REQUIRE || READ_ONCE(tn->require_seen));
}

bool tcpcrypt_require_any_active(const struct tcpcrypt_net *tn)
{
	return unlikely(READ_ONCE(tn->enable_connect) == TCPCRYPT_ENABLE_REQUIRE || READ_ONCE(tn->require_seen));
}

static bool require_is_loopback(const struct tcpcrypt_net *tn, const struct net_device *dev)
{
	return !READ_ONCE(tn->loopback) && dev && dev->flags & IFF_LOOPBACK;
}

/* A SYN leaves from a socket that has no connection of ours; lock held. */
bool tcpcrypt_require_refuses_syn(const struct sk_buff *skb, const struct sock *sk, const struct tcphdr *th)
{
	struct tcpcrypt_net *tn = tcpcrypt_net(sock_net(sk));

	if (!th->syn || th->ack)
		return false;
	if (!tcpcrypt_optin_of_rcu(sk)) {	/* else it stayed opted in for this */
		if (READ_ONCE(tn->enable_connect) != TCPCRYPT_ENABLE_REQUIRE)
			return false;
		if (tcpcrypt_attach_is_kernels(sk) || tcp_sk(sk)->repair ||
		    tcpcrypt_port_is_bad(tn->bad_connect_ports, ntohs(th->dest)) ||
		    require_is_loopback(tn, tcpcrypt_segment_dev(skb)))
			return false;
	}
	tcpcrypt_reason_inc(tn, TCPCRYPT_ABORT_REQUIRED);
	return true;
}

bool tcpcrypt_require_listener(struct tcpcrypt_net *tn, const struct net_device *dev, const struct sock *lsk, u16 lport)
{
	const struct tcpcrypt_settings *set;

	if (!tcpcrypt_require_any(tn))
		return false;
	set = lsk ? tcpcrypt_optin_of_rcu(lsk) : NULL;
	if (set && set->mandatory)
		return true;
	return READ_ONCE(tn->enable_listen) == TCPCRYPT_ENABLE_REQUIRE && !require_is_loopback(tn, dev) &&
	       !tcpcrypt_port_is_bad(tn->bad_listen_ports, lport) && !(lsk && tcpcrypt_attach_is_kernels(lsk));
}

/* NULL if nobody does, or no more. RCU read lock held; no reference. */
static const struct sock *require_find_listener(struct net *net, const struct tcpcrypt_tuple *tuple, int dif, int sdif)
{
	if (tuple->family == NFPROTO_IPV4)
		return tcpcrypt_find_listener_v4(net, tuple->remote.ip, tuple->rport, tuple->local.ip,
						 ntohs(tuple->lport), dif, sdif);
	return tcpcrypt_find_listener_v6(net, &tuple->remote.in6, tuple->rport, &tuple->local.in6,
					 ntohs(tuple->lport), dif, sdif);
}

bool tcpcrypt_require_syn(struct sk_buff *skb, const struct tcpcrypt_tuple *tuple)
{
	struct net *net = dev_net(skb->dev);
	const struct sock *lsk = skb->sk;

	if (lsk && lsk->sk_state == TCP_LISTEN)		/* by TPROXY */
		return tcpcrypt_require_listener(tcpcrypt_net(net), skb->dev, lsk, ntohs(tuple->lport));
	if (tuple->family == NFPROTO_IPV4)
		lsk = require_find_listener(net, tuple, inet_iif(skb), inet_sdif(skb));
	else
		lsk = require_find_listener(net, tuple, inet6_iif(skb), inet6_sdif(skb));
	return lsk && tcpcrypt_require_listener(tcpcrypt_net(net), skb->dev, lsk, ntohs(tuple->lport));
}

/*
 * Who takes the RST that our SYN-ACK has become for a SYN-ACK, or fragments what follows so that LOCAL_IN sees none of
 * it, can make a child all the same: of a cookie, or of a request before its timer runs. Its listener is looked up,
 * because the kernel's own are exempt.
 */
bool tcpcrypt_require_child(const struct sock *sk, const struct tcpcrypt_tuple *tuple)
{
	struct tcpcrypt_net *tn = tcpcrypt_net(sock_net(sk));
	const struct dst_entry *dst = __sk_dst_get((struct sock *)sk);
	const struct tcpcrypt_settings *set = tcpcrypt_optin_of(sk);

	if (set && set->mandatory)
		return true;
	if (READ_ONCE(tn->enable_listen) != TCPCRYPT_ENABLE_REQUIRE)
		return false;
	return tcpcrypt_require_listener(tn, dst ? dst->dev : NULL,
					 require_find_listener(sock_net(sk), tuple, sk->sk_bound_dev_if, 0),
					 ntohs(tuple->lport));
}

/* New flags in a segment that arrived: the checksum is verified before, and marked as verified. */
static struct tcphdr *require_writable(struct sk_buff *skb, u8 pf, unsigned int thoff)
{
	if (!tcpcrypt_segment_checksum_ok(skb, pf, thoff) || skb_ensure_writable(skb, thoff + sizeof(struct tcphdr)))
		return NULL;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return (struct tcphdr *)(skb->data + thoff);
}

bool tcpcrypt_require_in_synack(struct sk_buff *skb, u8 pf, unsigned int thoff, const struct tcphdr *th,
				const struct sock *sk, const struct tcpcrypt_conn *conn)
{
	u32 snd_nxt = READ_ONCE(tcp_sk(sk)->write_seq);	/* the answer may be here before tcp_connect() sets snd_nxt */
	enum eno_verdict verdict;
	struct eno_result res;
	struct eno_syn peer;
	struct tcphdr *new;

	if (!conn->required || conn->state != TCPCRYPT_SYN_SENT || (th->ack && ntohl(th->ack_seq) != snd_nxt))
		return false;
	verdict = eno_syn_from_options((const u8 *)(th + 1), th->doff * 4 - sizeof(*th), &peer);
	if (verdict == ENO_OK)
		verdict = tcpcrypt_option_negotiate(conn, &peer, &res);
	if (verdict == ENO_OK)
		return false;
	new = require_writable(skb, pf, thoff);
	if (!new)
		return false;
	new->syn = 0;
	new->rst = 1;
	if (!new->ack) {	/* a simultaneous open */
		new->ack = 1;
		new->ack_seq = htonl(snd_nxt);
	}
	tcpcrypt_reason_inc(conn->tn, TCPCRYPT_ABORT_REQUIRED);
	return true;
}

void tcpcrypt_require_in_ack(struct tcpcrypt_net *tn, struct sk_buff *skb, u8 pf, unsigned int thoff)
{
	struct tcphdr *new = require_writable(skb, pf, thoff);

	if (!new)
		return;
	new->syn = 1;
	tcpcrypt_reason_inc(tn, TCPCRYPT_ABORT_REQUIRED);
}

#define REQUIRE_TIMEOUTS	63	/* TCP shifts a u64 by them, should the SYN come again before the timer runs */

/*
 * The request that TCP has made is worth nothing: its timer finds, at once, that it was tried often enough. Only
 * for the first SYN-ACK, which leaves from tcp_conn_request(), and never from that timer.
 */
static void require_expire(struct request_sock *req)
{
	struct request_sock_queue *queue = &inet_csk(req->rsk_listener)->icsk_accept_queue;

	if (!req->num_timeout)
		atomic_dec(&queue->young);
	req->num_timeout = REQUIRE_TIMEOUTS;
	mod_timer_pending(&req->rsk_timer, jiffies);
}

/* Bits in front of the pseudo header's sum, or of none: the sum is of the flags' word alone. */
void tcpcrypt_require_out_synack(struct tcpcrypt_net *tn, struct sk_buff *skb, struct request_sock *req)
{
	struct tcphdr *th;
	__be16 old, new;

	if (skb_ensure_writable(skb, skb_transport_offset(skb) + sizeof(*th)))
		return;
	th = tcp_hdr(skb);
	old = ((__be16 *)th)[6];
	th->syn = 0;
	th->rst = 1;
	new = ((__be16 *)th)[6];
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		inet_proto_csum_replace2(&th->check, skb, old, new, false);
	if (!req || tcpcrypt_embryo_is_first(skb, req))
		tcpcrypt_reason_inc(tn, TCPCRYPT_ABORT_REQUIRED);
	if (req && tcpcrypt_embryo_is_first(skb, req))
		require_expire(req);
}

/* Softirq, the child's spinlock held, on its way to ESTABLISHED. Takes @conn, and a reference on the module, over. */
void tcpcrypt_require_doom(struct sock *sk, struct tcpcrypt_conn *conn)
{
	if (tcpcrypt_attach_possible(sk) != TCPCRYPT_REASON_NONE) {
		tcpcrypt_embryo_reset(sk, conn);
		return;
	}
	conn->limit_seq = tcp_sk(sk)->write_seq;
	conn->rx.seq = tcp_sk(sk)->copied_seq;
	tcpcrypt_attach(sk, conn);
	tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_REQUIRED);
}
