/* SPDX-License-Identifier: GPL-2.0 */
/* The ENO option in segments: where it goes in, where it is read, and what that decides (RFC 8547 section 4.6). */
#ifndef TCPCRYPT_OPTION_OPTION_H
#define TCPCRYPT_OPTION_OPTION_H

#include <linux/skbuff.h>
#include "session/conn.h"

#define TCPCRYPT_OPTION_NONSYN_ROOM	4	/* the empty option and two NOPs */

static const u8 tcpcrypt_option_nonsyn[ENO_NONSYN_LEN] = { ENO_KIND, ENO_NONSYN_LEN };

/* segment.c */

/** tcpcrypt_segment_insert() - put @len bytes of options behind those that a segment has
 * @skb: leaves this host; network header at its data, transport header set, a TCP header there
 * @opt: the bytes
 * @len: how many; NOPs fill up to a multiple of 4, and in a SYN those among the others give way if they must
 *
 * Return: 0; -ENOSPC when it does not fit (options, or 65535 bytes); -ENOMEM
 */
int tcpcrypt_segment_insert(struct sk_buff *skb, const u8 *opt, unsigned int len);

/** tcpcrypt_segment_room() - bytes of options that a TCP header has left */
static inline unsigned int tcpcrypt_segment_room(const struct tcphdr *th)
{
	return sizeof(struct tcphdr) + ENO_TCP_OPTIONS_MAX - th->doff * 4;
}

/** tcpcrypt_segment_syn_room() - the same for a SYN, where NOPs give way */
unsigned int tcpcrypt_segment_syn_room(const struct tcphdr *th);

/* Options that matter to us. */
#define TCPCRYPT_KIND_ENO		BIT(0)
#define TCPCRYPT_KIND_OTHER		BIT(1)	/* MD5, TCP-AO, MPTCP: those do not go together with ENO */
#define TCPCRYPT_KIND_FASTOPEN		BIT(2)
#define TCPCRYPT_KIND_FASTOPEN_EXP	BIT(3)	/* its experimental form */

/** tcpcrypt_segment_kinds() - TCPCRYPT_KIND_* of the options in a TCP header, all of which is in memory */
unsigned int tcpcrypt_segment_kinds(const struct tcphdr *th);

/** tcpcrypt_segment_has_eno() - is there an ENO option? */
static inline bool tcpcrypt_segment_has_eno(const struct tcphdr *th)
{
	return tcpcrypt_segment_kinds(th) & TCPCRYPT_KIND_ENO;
}

/**
 * struct tcpcrypt_tuple - the ends of a connection as its segments name them
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @local: our address, @lport our port
 * @remote: the peer's
 */
struct tcpcrypt_tuple {
	union nf_inet_addr local;
	union nf_inet_addr remote;
	__be16 lport;
	__be16 rport;
	u8 family;
};

/** tcpcrypt_segment_dev() - the device that a segment leaves by; NULL: not known */
static inline const struct net_device *tcpcrypt_segment_dev(const struct sk_buff *skb)
{
	return skb_dst(skb) ? skb_dst(skb)->dev : NULL;
}

/** tcpcrypt_segment_tuple() - from a segment; @out: it leaves */
void tcpcrypt_segment_tuple(const struct sk_buff *skb, u8 family, const struct tcphdr *th, bool out,
			    struct tcpcrypt_tuple *tuple);

/* syndata.c */

/** tcpcrypt_segment_checksum_ok() - of a segment that arrived, in LOCAL_IN; TCP has not verified it yet */
bool tcpcrypt_segment_checksum_ok(struct sk_buff *skb, u8 pf, unsigned int thoff);

/**
 * tcpcrypt_syndata_any() - has a SYN or SYN-ACK payload, or a Fast Open option?
 * @kinds: of @th; other parameters as below
 */
static inline bool tcpcrypt_syndata_any(const struct sk_buff *skb, unsigned int thoff, const struct tcphdr *th,
					unsigned int kinds)
{
	return kinds & (TCPCRYPT_KIND_FASTOPEN | TCPCRYPT_KIND_FASTOPEN_EXP) || skb->len > thoff + th->doff * 4;
}

/**
 * tcpcrypt_syndata_discard() - take payload and Fast Open options out of a SYN or SYN-ACK that has ENO (E-18)
 * @skb: arrived, in LOCAL_IN
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 * @thoff: where the TCP header starts
 * @th: it, options included; has moved afterwards
 *
 * Return: 0; -ENOMEM: TCP may not see it
 */
int tcpcrypt_syndata_discard(struct sk_buff *skb, u8 pf, unsigned int thoff, const struct tcphdr *th);

/* embryo.c: passive openers that wait for the third ACK */

int tcpcrypt_embryo_init(void);
void tcpcrypt_embryo_exit(void);

/** tcpcrypt_embryo_syn() - a SYN arrived, with the option that @syn holds (raw_len 0: none) */
void tcpcrypt_embryo_syn(struct net *net, const struct tcpcrypt_tuple *tuple, u32 isn, const struct eno_syn *syn,
			 enum eno_verdict verdict);

/** tcpcrypt_embryo_noted() - did this SYN, the last one on this CPU, have an option? A hint: a wrong yes costs time */
bool tcpcrypt_embryo_noted(struct net *net, u32 isn);

/** tcpcrypt_embryo_forget() - the SYN came again, without an option: what it said before is void (E-13) */
void tcpcrypt_embryo_forget(struct net *net, u32 isn);

/**
 * tcpcrypt_embryo_unanswered() - a SYN gets an answer that has no place for ENO
 * @net: namespace
 * @tuple: the connection's ends
 * @isn: the SYN's sequence number
 * @reason: to be counted if the SYN offered what could have been answered
 */
void tcpcrypt_embryo_unanswered(struct net *net, const struct tcpcrypt_tuple *tuple, u32 isn,
				enum tcpcrypt_reason reason);

/** tcpcrypt_embryo_is_first() - TCP stamps the first SYN-ACK's time into the request just before it leaves */
static inline bool tcpcrypt_embryo_is_first(const struct sk_buff *skb, struct request_sock *req)
{
	return tcp_rsk(req)->snt_synack == tcp_skb_timestamp_us(skb);
}

/** tcpcrypt_embryo_changed() - would this SYN, a retransmission, end ENO? the caller verifies the checksum */
bool tcpcrypt_embryo_changed(struct net *net, const struct tcpcrypt_tuple *tuple, u32 isn, const struct eno_syn *syn);
void tcpcrypt_embryo_disable(struct net *net, const struct tcpcrypt_tuple *tuple, u32 isn);

/** tcpcrypt_embryo_waits() - does a first ACK with these numbers belong to one that waits for it? */
bool tcpcrypt_embryo_waits(struct net *net, const struct tcpcrypt_tuple *tuple, u32 seq, u32 ack);
/** tcpcrypt_embryo_acked() - it came, with ENO or without; true: encryption is required, so it is to be refused */
bool tcpcrypt_embryo_acked(struct net *net, const struct tcpcrypt_tuple *tuple, u32 seq, u32 ack, bool eno);

/** tcpcrypt_embryo_heard_none() - is ENO agreed to by us, and no ACK heard yet (E-12)? */
bool tcpcrypt_embryo_heard_none(struct net *net, const struct tcpcrypt_tuple *tuple);
bool tcpcrypt_embryo_any(void);

/**
 * tcpcrypt_embryo_synack() - our SYN-ACK leaves: choose the option, or repeat it, and insert it
 *
 * Return: false if it leaves without, and encryption is required
 */
bool tcpcrypt_embryo_synack(struct sk_buff *skb, struct request_sock *req, const struct tcpcrypt_tuple *tuple);

/** tcpcrypt_embryo_reset() - reset a child that we cannot attach to; takes @conn and a module reference over */
void tcpcrypt_embryo_reset(struct sock *sk, struct tcpcrypt_conn *conn);

/** tcpcrypt_embryo_established() - a child became ESTABLISHED: take it over if ENO succeeded; its lock is held */
void tcpcrypt_embryo_established(struct sock *sk);

void tcpcrypt_embryo_net_exit(struct net *net);

/* random.c */

/** tcpcrypt_random_ready() - may anything be sent that takes secrets (E-20)? */
bool tcpcrypt_random_ready(void);

/* require.c: where encryption is required (E-25) */

/** tcpcrypt_require() - by the socket, or by enable_connect or enable_listen, which is @sysctl? */
bool tcpcrypt_require(const struct tcpcrypt_settings *set, int sysctl);

/** tcpcrypt_require_exempts() - is a connection that is plain for @reason plain all the same? */
bool tcpcrypt_require_exempts(const struct tcpcrypt_settings *set, enum tcpcrypt_reason reason);

/** tcpcrypt_require_any() - may there be a listener in this namespace that requires it? */
bool tcpcrypt_require_any(const struct tcpcrypt_net *tn);

/** tcpcrypt_require_any_active() - may there be an active opener that requires it? */
bool tcpcrypt_require_any_active(const struct tcpcrypt_net *tn);

/** tcpcrypt_require_refuses_syn() - is our SYN, of a socket that has no connection of ours, to be refused? */
bool tcpcrypt_require_refuses_syn(const struct sk_buff *skb, const struct sock *sk, const struct tcphdr *th);

/**
 * tcpcrypt_require_listener() - must what a listener accepts be encrypted?
 * @tn: namespace
 * @dev: where its segments leave, or come from; NULL: not known
 * @lsk: the listener, NULL: not known
 * @lport: its port, host order
 */
bool tcpcrypt_require_listener(struct tcpcrypt_net *tn, const struct net_device *dev, const struct sock *lsk, u16 lport);

/** tcpcrypt_require_syn() - does a SYN that arrived ask for such a listener? In LOCAL_IN */
bool tcpcrypt_require_syn(struct sk_buff *skb, const struct tcpcrypt_tuple *tuple);

/** tcpcrypt_require_child() - must this child, on its way to ESTABLISHED with the ends @tuple, be encrypted? */
bool tcpcrypt_require_child(const struct sock *sk, const struct tcpcrypt_tuple *tuple);

/** tcpcrypt_require_in_synack() - a SYN or SYN-ACK for a socket in SYN_SENT; true: it is an RST now */
bool tcpcrypt_require_in_synack(struct sk_buff *skb, u8 pf, unsigned int thoff, const struct tcphdr *th,
				const struct sock *sk, const struct tcpcrypt_conn *conn);

/** tcpcrypt_require_in_ack() - have TCP refuse this first ACK */
void tcpcrypt_require_in_ack(struct tcpcrypt_net *tn, struct sk_buff *skb, u8 pf, unsigned int thoff);

/** tcpcrypt_require_out_synack() - make an RST of our SYN-ACK; @req NULL: a cookie's */
void tcpcrypt_require_out_synack(struct tcpcrypt_net *tn, struct sk_buff *skb, struct request_sock *req);

/** tcpcrypt_require_doom() - a child on its way to ESTABLISHED is to be reset; nobody reads or writes a byte */
void tcpcrypt_require_doom(struct sock *sk, struct tcpcrypt_conn *conn);

/* simultaneous.c: active openers whose SYN crosses the peer's */

/** tcpcrypt_simultaneous_any() - is there any connection in SYN_SENT or SYN_RECV to which a SYN with ENO came? */
bool tcpcrypt_simultaneous_any(void);

/** tcpcrypt_simultaneous_syn() - LOCAL_IN: a SYN came for a socket in SYN_SENT, with this option; no lock */
void tcpcrypt_simultaneous_syn(struct tcpcrypt_conn *conn, u32 isn, const struct eno_syn *syn, enum eno_verdict verdict);

/** tcpcrypt_simultaneous_out_synack() - our SYN-ACK leaves: the option of our SYN again, or plain TCP; lock held */
unsigned int tcpcrypt_simultaneous_out_synack(struct sk_buff *skb, struct tcpcrypt_conn *conn, const struct tcphdr *th);

/** tcpcrypt_simultaneous_in() - LOCAL_IN: a segment for such a socket, which may be in SYN_SENT still; no lock */
void tcpcrypt_simultaneous_in(struct sk_buff *skb, u8 pf, unsigned int thoff, const struct tcphdr *th,
			      const struct sock *sk, struct tcpcrypt_conn *conn);

/** tcpcrypt_simultaneous_gave_up() - the peer sent a segment without ENO: no more of it from us (E-13) */
bool tcpcrypt_simultaneous_gave_up(const struct tcpcrypt_conn *conn);

/** tcpcrypt_simultaneous_established() - it becomes ESTABLISHED: encrypted, or plain TCP; lock held */
void tcpcrypt_simultaneous_established(struct sock *sk, struct tcpcrypt_conn *conn);

/** tcpcrypt_simultaneous_lost() - it becomes anything else; lock held; @conn is gone afterwards */
void tcpcrypt_simultaneous_lost(struct sock *sk, struct tcpcrypt_conn *conn);

/** tcpcrypt_simultaneous_over() - it leaves SYN_RECV; lock held */
void tcpcrypt_simultaneous_over(struct tcpcrypt_conn *conn);

/* path.c: destinations to which SYNs with ENO get lost */

void tcpcrypt_path_init(void);

/** tcpcrypt_path_drops_eno() - is it known that SYNs with ENO do not get to where @sk connects? */
bool tcpcrypt_path_drops_eno(const struct sock *sk);

/** tcpcrypt_path_note() - the SYN goes without ENO from here on; socket lock held */
void tcpcrypt_path_note(const struct sock *sk);

/** tcpcrypt_path_answered() - TCP accepted a SYN-ACK; if it is one for a SYN that went without: learnt */
void tcpcrypt_path_answered(const struct sock *sk);

/** tcpcrypt_path_refuted() - a SYN-ACK with ENO is here for such a connection; LOCAL_IN, no lock, not verified */
void tcpcrypt_path_refuted(const struct sock *sk);

/* active.c: active openers, until the SYN-ACK */

/** tcpcrypt_active_syn_sent() - a socket goes to SYN_SENT: take it over if policy has it so; lock owned */
void tcpcrypt_active_syn_sent(struct sock *sk);

/** tcpcrypt_active_refused() - the peer wants a fresh key exchange with @tep instead of our secret; socket lock */
void tcpcrypt_active_refused(struct tcpcrypt_conn *conn, u8 tep);

/** tcpcrypt_active_out() - a segment of a socket of ours leaves; lock held; NF_ACCEPT or NF_DROP */
unsigned int tcpcrypt_active_out(struct sk_buff *skb, struct sock *sk, struct tcpcrypt_conn *conn, struct tcphdr *th);

/** tcpcrypt_option_rx_dst_set() - in our copies of icsk_af_ops: TCP accepted this SYN-ACK */
void tcpcrypt_option_rx_dst_set(struct sock *sk, const struct sk_buff *skb);

/* probe.c: the tracepoint inet_sock_set_state */

int tcpcrypt_probe_init(void);
void tcpcrypt_probe_exit(void);

/** tcpcrypt_port_is_bad() - @port in host order */
static inline bool tcpcrypt_port_is_bad(const unsigned long *ports, u16 port)
{
	return test_bit(port, ports);
}

/** tcpcrypt_option_resume() - @conn's option is to have this offer to resume, or consent; before its SYN leaves */
void tcpcrypt_option_resume(struct tcpcrypt_conn *conn, const struct eno_resume *resume);

/**
 * tcpcrypt_option_negotiate() - what the options of both SYNs agree on; any context
 * @conn: the connection, whose SYN has left or is about to
 * @peer: the peer's option
 * @res: result
 *
 * Return: ENO_OK, or why there is no agreement
 */
enum eno_verdict tcpcrypt_option_negotiate(const struct tcpcrypt_conn *conn, const struct eno_syn *peer,
					   struct eno_result *res);

/** tcpcrypt_eno_reason() - the reason to count for a verdict */
enum tcpcrypt_reason tcpcrypt_eno_reason(enum eno_verdict verdict, enum tcpcrypt_reason absent);

#endif
