// SPDX-License-Identifier: GPL-2.0
/* LOCAL_OUT and LOCAL_IN of each network namespace. */
#include "option/hooks.h"
#include "option/option.h"
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ipv6.h>

/*
 * LOCAL_OUT runs first of all, so that the host's own rules see the option. LOCAL_IN runs last, so that what
 * it sees is what TCP gets.
 */

/* TCP's own stream sockets; not the raw ones that it answers through, which are shorter. */
static bool hooks_is_tcp(const struct sock *sk)
{
	return sk_fullsock(sk) && sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM;
}

/*
 * Is it a segment of skb->sk at all? A tunnel keeps skb->sk on the packet that it wraps a segment into, and
 * that passes here too, without the socket lock.
 */
static bool hooks_out_is_segment(const struct sk_buff *skb, u8 pf)
{
	unsigned int off = 0;

	if (!skb_transport_header_was_set(skb))
		return false;
	if (pf == NFPROTO_IPV4)
		off = ip_hdr(skb)->protocol == IPPROTO_TCP ? ip_hdrlen(skb) : 0;
	else if (ipv6_hdr(skb)->nexthdr == IPPROTO_TCP)
		off = sizeof(struct ipv6hdr);
	else if (ipv6_find_hdr(skb, &off, IPPROTO_TCP, NULL, NULL) != IPPROTO_TCP)
		off = 0;
	return off && skb_transport_offset(skb) == off && skb_headlen(skb) >= off + sizeof(struct tcphdr) &&
	       tcp_hdr(skb)->doff >= 5 && skb_headlen(skb) >= off + tcp_hdr(skb)->doff * 4;
}

/* E-12: what TCP answers for a half-open connection beside the SYN-ACK (a challenge ACK), by its control socket. */
static void hooks_out_control(struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct tcpcrypt_tuple tuple;
	struct tcphdr *th;

	if (!hooks_out_is_segment(skb, state->pf))
		return;
	th = tcp_hdr(skb);
	if (th->syn || th->rst || !th->ack || tcpcrypt_segment_has_eno(th))
		return;
	tcpcrypt_segment_tuple(skb, state->pf, th, true, &tuple);
	if (tcpcrypt_embryo_heard_none(state->net, &tuple))
		tcpcrypt_segment_insert(skb, tcpcrypt_option_nonsyn, sizeof(tcpcrypt_option_nonsyn));
}

/* A SYN-ACK that ENO has no part in: a cookie (nobody's), or one of a Fast Open child, which is there already. */
static void hooks_out_unanswered(struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct request_sock *req = NULL;
	struct tcpcrypt_tuple tuple;
	struct tcphdr *th;
	u32 isn;

	if (skb->sk) {
		req = rcu_dereference_raw(tcp_sk(skb->sk)->fastopen_rsk);
		if (!req || !tcpcrypt_embryo_is_first(skb, req))
			return;
	}
	if (!hooks_out_is_segment(skb, state->pf))
		return;
	th = tcp_hdr(skb);
	isn = ntohl(th->ack_seq) - 1;
	if (req)	/* it may acknowledge data as well */
		isn = tcp_rsk(req)->rcv_isn;
	if (!th->syn || !th->ack)
		return;
	if (!skb->sk && tcpcrypt_require_listener(tcpcrypt_net(state->net), tcpcrypt_segment_dev(skb), NULL,
						  ntohs(th->source))) {
		tcpcrypt_require_out_synack(tcpcrypt_net(state->net), skb, NULL);
		return;
	}
	if (tcpcrypt_embryo_noted(state->net, isn)) {
		tcpcrypt_segment_tuple(skb, state->pf, th, true, &tuple);
		tcpcrypt_embryo_unanswered(state->net, &tuple, isn,
					   req ? TCPCRYPT_FALLBACK_OTHER_OPTION : TCPCRYPT_FALLBACK_SYN_COOKIE);
	} else if (req) {
		tcpcrypt_reason_inc(tcpcrypt_net(state->net), TCPCRYPT_FALLBACK_NO_ENO_IN_SYN);
	}
}

static void hooks_out_request(struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct request_sock *req = inet_reqsk(skb->sk);
	struct tcpcrypt_net *tn = tcpcrypt_net(state->net);
	struct tcpcrypt_tuple tuple;
	struct tcphdr *th;

	if (!hooks_out_is_segment(skb, state->pf))
		return;
	th = tcp_hdr(skb);
	if (!th->syn) {		/* newer kernels: the control socket's answers, too */
		hooks_out_control(skb, state);
		return;
	}
	if (!th->ack)
		return;
	/* Nearly always: nobody is half open, and the SYN had no option. */
	if (!tcpcrypt_embryo_any() && !tcpcrypt_embryo_noted(state->net, tcp_rsk(req)->rcv_isn) &&
	    !tcpcrypt_require_any(tn)) {
		if (tcpcrypt_embryo_is_first(skb, req))
			tcpcrypt_reason_inc(tn, TCPCRYPT_FALLBACK_NO_ENO_IN_SYN);
		return;
	}
	if (tcpcrypt_segment_has_eno(th))
		return;
	tcpcrypt_segment_tuple(skb, state->pf, th, true, &tuple);
	if (!tcpcrypt_embryo_synack(skb, req, &tuple))
		tcpcrypt_require_out_synack(tn, skb, req);
}

static unsigned int hooks_out(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct sock *sk = skb->sk;
	struct tcpcrypt_conn *conn;

	if (!sk) {	/* a cookie; IPv6 answers without a socket, IPv4 by a raw one */
		if (unlikely(tcpcrypt_embryo_any()))
			hooks_out_control(skb, state);
		hooks_out_unanswered(skb, state);
		return NF_ACCEPT;
	}
	if (sk->sk_state == TCP_NEW_SYN_RECV) {
		hooks_out_request(skb, state);
		return NF_ACCEPT;
	}
	if (!hooks_is_tcp(sk) || sk->sk_state == TCP_LISTEN) {	/* newer kernels: in the listener's name */
		if (unlikely(tcpcrypt_embryo_any()))
			hooks_out_control(skb, state);
		return NF_ACCEPT;
	}
	conn = tcpcrypt_conn_of_rcu(sk);	/* netfilter holds the RCU read lock */
	if (!conn) {
		if (unlikely(sk->sk_state == TCP_SYN_RECV))
			hooks_out_unanswered(skb, state);
		else if (unlikely(sk->sk_state == TCP_SYN_SENT) && hooks_out_is_segment(skb, state->pf) &&
			 tcpcrypt_require_refuses_syn(skb, sk, tcp_hdr(skb)))
			return NF_DROP_ERR(-ECONNREFUSED);
		return NF_ACCEPT;
	}
	if (!hooks_out_is_segment(skb, state->pf))
		return NF_ACCEPT;
	return tcpcrypt_active_out(skb, sk, conn, tcp_hdr(skb));
}

static void hooks_in_syn(struct sk_buff *skb, const struct nf_hook_state *state, unsigned int thoff,
			 const struct tcphdr *th, unsigned int kinds)
{
	enum eno_verdict verdict = ENO_ABSENT;
	struct tcpcrypt_tuple tuple;
	struct eno_syn syn;
	u32 isn = ntohl(th->seq);

	if (kinds & TCPCRYPT_KIND_ENO)
		verdict = eno_syn_from_options((const u8 *)(th + 1), th->doff * 4 - sizeof(*th), &syn);
	if (verdict == ENO_ABSENT && tcpcrypt_embryo_noted(state->net, isn))
		tcpcrypt_embryo_forget(state->net, isn);
	if (verdict == ENO_ABSENT && !tcpcrypt_embryo_any())
		return;
	if (verdict != ENO_OK)
		syn.raw_len = 0;
	tcpcrypt_segment_tuple(skb, state->pf, th, false, &tuple);
	if (tcpcrypt_embryo_changed(state->net, &tuple, isn, &syn) && tcpcrypt_segment_checksum_ok(skb, state->pf, thoff))
		tcpcrypt_embryo_disable(state->net, &tuple, isn);
	if (verdict != ENO_ABSENT)
		tcpcrypt_embryo_syn(state->net, &tuple, isn, &syn, verdict);
}

/* The first ACK of a half-open connection: with ENO or without decides (E-13, E-15). */
static void hooks_in_ack(struct sk_buff *skb, const struct nf_hook_state *state, unsigned int thoff,
			 const struct tcphdr *th)
{
	struct tcpcrypt_tuple tuple;
	struct eno_found found;
	u32 seq = ntohl(th->seq), ack = ntohl(th->ack_seq);

	if (!tcpcrypt_embryo_any())
		return;
	tcpcrypt_segment_tuple(skb, state->pf, th, false, &tuple);
	if (!tcpcrypt_embryo_waits(state->net, &tuple, seq, ack) || !tcpcrypt_segment_checksum_ok(skb, state->pf, thoff))
		return;
	eno_options_find((const u8 *)(th + 1), th->doff * 4 - sizeof(*th), &found);
	if (tcpcrypt_embryo_acked(state->net, &tuple, seq, ack, found.count))
		tcpcrypt_require_in_ack(tcpcrypt_net(state->net), skb, state->pf, thoff);
}

/* F-07: urgent data exist on the word of an authentic frame only, not on that of a header. */
static void hooks_in_urgent(struct sk_buff *skb, unsigned int thoff)
{
	struct tcphdr *th;
	__be16 old, new;

	if (skb_ensure_writable(skb, thoff + sizeof(*th)))
		return;
	th = (struct tcphdr *)(skb->data + thoff);
	old = ((__be16 *)th)[6];
	th->urg = 0;
	new = ((__be16 *)th)[6];
	inet_proto_csum_replace2(&th->check, skb, old, new, false);
	inet_proto_csum_replace2(&th->check, skb, th->urg_ptr, 0, false);
	th->urg_ptr = 0;
}

/* The segment's socket, if it is not a listener. Without early demux: looked up, and then *@found is to be put. */
static struct sock *hooks_in_sock(struct sk_buff *skb, const struct nf_hook_state *state, const struct tcphdr *th,
				  struct sock **found)
{
	*found = NULL;
	if (skb->sk)
		return skb->sk;
	if (state->pf == NFPROTO_IPV4)
		*found = tcpcrypt_find_established_v4(state->net, skb, th);
	else
		*found = tcpcrypt_find_established_v6(state->net, skb, th);
	return *found;
}

/* Is the segment for a connection of ours, or for one that may become one? */
static bool hooks_urgent_is_void(struct sk_buff *skb, const struct nf_hook_state *state, const struct tcphdr *th)
{
	struct sock *found, *sk = hooks_in_sock(skb, state, th, &found);
	struct tcpcrypt_tuple tuple;
	bool ours = false;

	if (sk && hooks_is_tcp(sk) && sk->sk_state != TCP_LISTEN) {
		ours = tcpcrypt_conn_of_rcu(sk);
	} else if (sk && sk->sk_state == TCP_NEW_SYN_RECV) {
		tcpcrypt_segment_tuple(skb, state->pf, th, false, &tuple);
		ours = tcpcrypt_embryo_waits(state->net, &tuple, ntohl(th->seq), ntohl(th->ack_seq));
	}
	if (found)
		sock_gen_put(found);
	return ours;
}

/*
 * A SYN or a SYN-ACK for an active opener, or another segment for one whose SYN crossed the peer's. Return: true if
 * it is none for a listener.
 */
static bool hooks_in_active(struct sk_buff *skb, const struct nf_hook_state *state, unsigned int thoff,
			    const struct tcphdr *th, unsigned int kinds)
{
	struct sock *found, *sk = hooks_in_sock(skb, state, th, &found);
	struct tcpcrypt_conn *conn = NULL;
	enum eno_verdict verdict;
	struct eno_syn syn;

	if (sk && hooks_is_tcp(sk) && (1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV))
		conn = tcpcrypt_conn_of_rcu(sk);
	if (conn && (sk->sk_state == TCP_SYN_RECV || !th->syn)) {
		tcpcrypt_simultaneous_in(skb, state->pf, thoff, th, sk, conn);
	} else if (conn && tcpcrypt_require_in_synack(skb, state->pf, thoff, th, sk, conn)) {
		;	/* an RST by now */
	} else if (conn && th->ack) {
		tcpcrypt_simultaneous_in(skb, state->pf, thoff, th, sk, conn);
	} else if (conn) {
		verdict = eno_syn_from_options((const u8 *)(th + 1), th->doff * 4 - sizeof(*th), &syn);
		tcpcrypt_simultaneous_syn(conn, ntohl(th->seq), &syn, verdict);
	} else if (sk && hooks_is_tcp(sk) && sk->sk_state == TCP_SYN_SENT && th->syn && th->ack &&
		   kinds & TCPCRYPT_KIND_ENO) {
		tcpcrypt_path_refuted(sk);
	}
	if (found)
		sock_gen_put(found);
	return conn;
}

/* Early demux finds active openers; where it does not, only those segments are looked up that matter. */
static bool hooks_in_is_active(struct sk_buff *skb, const struct nf_hook_state *state, const struct tcphdr *th,
			       unsigned int kinds)
{
	const struct sock *sk = skb->sk;

	if (sk)
		return hooks_is_tcp(sk) && (1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV);
	return tcpcrypt_simultaneous_any() ||
	       (th->syn && (kinds & TCPCRYPT_KIND_ENO || tcpcrypt_require_any_active(tcpcrypt_net(state->net))));
}

/* A SYN with data: may its listener have nothing that is not encrypted? */
static bool hooks_in_is_required(struct sk_buff *skb, const struct nf_hook_state *state, const struct tcphdr *th)
{
	struct tcpcrypt_tuple tuple;

	if (!tcpcrypt_require_any(tcpcrypt_net(state->net)))
		return false;
	tcpcrypt_segment_tuple(skb, state->pf, th, false, &tuple);
	return tcpcrypt_require_syn(skb, &tuple);
}

/* The whole header, in @buf if it is not in one piece; NULL if it is cut. */
static const struct tcphdr *hooks_in_header(const struct sk_buff *skb, unsigned int thoff, u8 *buf)
{
	const struct tcphdr *th = skb_header_pointer(skb, thoff, sizeof(*th), buf);

	if (!th || th->doff < 5)
		return NULL;
	return skb_header_pointer(skb, thoff, th->doff * 4, buf);
}

static unsigned int hooks_in(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	u8 buf[sizeof(struct tcphdr) + ENO_TCP_OPTIONS_MAX];
	const struct tcphdr *th;
	struct sock *sk = skb->sk;
	unsigned int thoff, kinds;

	/* Early demux found its socket, which is not ours and waits for no SYN: nearly every segment. */
	if (likely(sk && hooks_is_tcp(sk) && !((1 << sk->sk_state) & (TCPF_LISTEN | TCPF_SYN_SENT)) &&
		   !rcu_access_pointer(inet_csk(sk)->icsk_ulp_data)))
		return NF_ACCEPT;
	if (state->pf == NFPROTO_IPV4) {
		if (ip_hdr(skb)->protocol != IPPROTO_TCP || ip_is_fragment(ip_hdr(skb)))
			return NF_ACCEPT;
		thoff = ip_hdrlen(skb);
	} else {
		int off = 0;
		unsigned short frag = 0;

		if (ipv6_hdr(skb)->nexthdr == IPPROTO_TCP) {
			thoff = sizeof(struct ipv6hdr);
		} else {
			thoff = 0;
			off = ipv6_find_hdr(skb, &thoff, IPPROTO_TCP, &frag, NULL);
			if (off < 0 || frag)
				return NF_ACCEPT;
		}
	}
	th = skb_header_pointer(skb, thoff, sizeof(struct tcphdr), buf);
	if (!th || th->doff < 5)
		return NF_ACCEPT;
	if (likely(!th->syn && !th->urg && sk && sk->sk_state != TCP_NEW_SYN_RECV &&
		   !((1 << sk->sk_state) & (TCPF_LISTEN | TCPF_SYN_SENT | TCPF_SYN_RECV))))
		return NF_ACCEPT;
	th = hooks_in_header(skb, thoff, buf);
	if (!th)
		return NF_ACCEPT;
	if (unlikely(th->urg) && hooks_urgent_is_void(skb, state, th)) {
		hooks_in_urgent(skb, thoff);
		th = hooks_in_header(skb, thoff, buf);		/* it may have moved */
		if (!th)
			return NF_ACCEPT;
	}
	kinds = th->syn ? tcpcrypt_segment_kinds(th) : 0;
	if (unlikely(th->syn && !th->rst && tcpcrypt_syndata_any(skb, thoff, th, kinds)) &&
	    (kinds & TCPCRYPT_KIND_ENO || (!th->ack && hooks_in_is_required(skb, state, th)))) {	/* E-18 */
		if (tcpcrypt_syndata_discard(skb, state->pf, thoff, th))
			return NF_DROP;
		th = hooks_in_header(skb, thoff, buf);
		if (!th)
			return NF_ACCEPT;
	}
	if (!th->rst && hooks_in_is_active(skb, state, th, kinds) && hooks_in_active(skb, state, thoff, th, kinds))
		return NF_ACCEPT;
	if (th->syn && !th->ack && !th->rst)
		hooks_in_syn(skb, state, thoff, th, kinds);
	else if (th->ack && !th->syn && !th->rst && (!sk || sk->sk_state == TCP_NEW_SYN_RECV ||
						     sk->sk_state == TCP_LISTEN))
		hooks_in_ack(skb, state, thoff, th);
	return NF_ACCEPT;
}

static const struct nf_hook_ops hooks_ops[] = {
	{
		.hook		= hooks_out,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_LOCAL_OUT,
		.priority	= NF_IP_PRI_FIRST,
	}, {
		.hook		= hooks_in,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= NF_IP_PRI_LAST,
	},
#if IS_ENABLED(CONFIG_IPV6)
	{
		.hook		= hooks_out,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_LOCAL_OUT,
		.priority	= NF_IP6_PRI_FIRST,
	}, {
		.hook		= hooks_in,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= NF_IP6_PRI_LAST,
	},
#endif
};

int tcpcrypt_hooks_net_init(struct net *net)
{
	return nf_register_net_hooks(net, hooks_ops, ARRAY_SIZE(hooks_ops));
}

void tcpcrypt_hooks_net_exit(struct net *net)
{
	nf_unregister_net_hooks(net, hooks_ops, ARRAY_SIZE(hooks_ops));
	tcpcrypt_embryo_net_exit(net);
	tcpcrypt_path_forget_all(net);
}
