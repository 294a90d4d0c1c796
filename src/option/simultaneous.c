// SPDX-License-Identifier: GPL-2.0
/* Simultaneous open: the SYNs cross, and both ends answer with a SYN-ACK (RFC 8547 sections 4.3 and 4.6). */
#include "option/option.h"
#include "option/hooks.h"
#include "session/handshake.h"
#include "stream/stream.h"
#include <linux/netfilter.h>

/*
 *   SYN_SENT --SYN with ENO--> SYN_RECV --SYN-ACK or ACK with ENO--> ESTABLISHED, EXCHANGE
 *                |                  |
 *                +------------------+-- any of them without ----> plain TCP
 *
 * TCP shows the peer's SYN to nobody under the lock. So LOCAL_IN leaves what it said here; it is taken up when our
 * SYN-ACK leaves, under the lock, if the numbers are those that TCP acknowledges. What is heard besides counts only
 * with the numbers and the checksum that TCP will ask for; the first one decides. It may be here before TCP has
 * looked at the SYN, which waits in the backlog while a thread has the lock.
 */

static atomic_t simultaneous_count;	/* connections to which a SYN came, until they are ESTABLISHED */

enum simultaneous_heard {
	SIMULTANEOUS_NOTHING,
	SIMULTANEOUS_ENO,
	SIMULTANEOUS_PLAIN,
	SIMULTANEOUS_REFUSED,	/* as before, where encryption is required: TCP gets an RST instead, or we reset it */
};

/**
 * struct tcpcrypt_simultaneous - made when a SYN comes for a socket in SYN_SENT
 * @lock: @syn, @isn and @verdict
 * @syn: the option of the last such SYN
 * @isn: its sequence number, host order
 * @verdict: of parsing it
 * @res: what was agreed on; socket lock
 * @rcv_isn: of the SYN that TCP took; constant once @open
 * @snt_isn: ours, likewise
 * @open: our SYN-ACK with ENO has left; socket lock, read anywhere
 * @heard: enum simultaneous_heard, set once
 * @early: the same, before @open, for the SYN with @isn
 * @counted: in simultaneous_count
 */
struct tcpcrypt_simultaneous {
	spinlock_t lock;
	struct eno_syn syn;
	u32 isn;
	enum eno_verdict verdict;
	struct eno_result res;
	u32 rcv_isn;
	u32 snt_isn;
	bool open;
	int heard;
	int early;
	int counted;
};

static void simultaneous_uncount(struct tcpcrypt_simultaneous *sim)
{
	if (xchg(&sim->counted, false))
		atomic_dec(&simultaneous_count);
}

static void simultaneous_free(struct tcpcrypt_simultaneous *sim)
{
	simultaneous_uncount(sim);
	kfree(sim);
}

void tcpcrypt_simultaneous_free(struct tcpcrypt_conn *conn)
{
	if (conn->simultaneous)
		simultaneous_free(conn->simultaneous);
}

bool tcpcrypt_simultaneous_any(void)
{
	return unlikely(atomic_read(&simultaneous_count));
}

void tcpcrypt_simultaneous_syn(struct tcpcrypt_conn *conn, u32 isn, const struct eno_syn *syn, enum eno_verdict verdict)
{
	struct tcpcrypt_simultaneous *sim = READ_ONCE(conn->simultaneous);

	if (!sim) {
		if (verdict != ENO_OK)		/* no note says the same */
			return;
		sim = kzalloc(sizeof(*sim), GFP_ATOMIC | __GFP_NOWARN);
		if (!sim)
			return;
		spin_lock_init(&sim->lock);
		sim->counted = true;
		atomic_inc(&simultaneous_count);
		if (cmpxchg(&conn->simultaneous, NULL, sim)) {
			simultaneous_free(sim);
			sim = READ_ONCE(conn->simultaneous);
		}
	}
	spin_lock_bh(&sim->lock);
	if (sim->isn != isn)
		sim->early = SIMULTANEOUS_NOTHING;
	sim->isn = isn;
	sim->verdict = verdict;
	if (verdict == ENO_OK)
		sim->syn = *syn;
	spin_unlock_bh(&sim->lock);
}

bool tcpcrypt_simultaneous_gave_up(const struct tcpcrypt_conn *conn)
{
	const struct tcpcrypt_simultaneous *sim = conn->simultaneous;

	return sim && READ_ONCE(sim->heard) == SIMULTANEOUS_PLAIN;
}

/*
 * the secret that both SYNs offer was taken out of the cache for ours. R-06: another one that the peer's offers
 * is used by that.
 */
static void simultaneous_forget_offers(struct tcpcrypt_conn *conn)
{
	const struct eno_syn *peer = &conn->peer_syn;
	unsigned int i;

	for (i = 0; i < peer->n_teps; i++)
		if (eno_resume_find(peer, peer->teps[i].id))
			tcpcrypt_resume_forget(conn->tn, peer->raw + peer->teps[i].off);
}

/* Our first SYN-ACK: what did the SYN say that it answers? */
static enum eno_verdict simultaneous_decide(struct tcpcrypt_conn *conn, u32 rcv_isn)
{
	struct tcpcrypt_simultaneous *sim = conn->simultaneous;
	enum eno_verdict verdict = ENO_ABSENT;

	if (!sim)
		return ENO_ABSENT;
	spin_lock_bh(&sim->lock);
	if (sim->isn == rcv_isn) {
		verdict = sim->verdict;
		conn->peer_syn = sim->syn;
	}
	spin_unlock_bh(&sim->lock);
	if (verdict != ENO_OK)
		return verdict;
	verdict = tcpcrypt_option_negotiate(conn, &conn->peer_syn, &sim->res);
	simultaneous_forget_offers(conn);
	return verdict;
}

unsigned int tcpcrypt_simultaneous_out_synack(struct sk_buff *skb, struct tcpcrypt_conn *conn, const struct tcphdr *th)
{
	struct tcpcrypt_simultaneous *sim = conn->simultaneous;
	u32 rcv_isn = ntohl(th->ack_seq) - 1, snt_isn = ntohl(th->seq);
	enum eno_verdict verdict;
	int err;

	if (!sim || !sim->open) {
		verdict = simultaneous_decide(conn, rcv_isn);
		if (verdict != ENO_OK && conn->required)
			return NF_DROP;
		if (verdict != ENO_OK) {	/* E-14: the SYN-ACK may go without */
			tcpcrypt_fallback(conn, tcpcrypt_eno_reason(verdict, TCPCRYPT_FALLBACK_SIMULTANEOUS));
			return NF_ACCEPT;
		}
	}
	if (sim->open && tcpcrypt_simultaneous_gave_up(conn)) {	/* its SYN came again, without */
		tcpcrypt_fallback(conn, TCPCRYPT_FALLBACK_SYN_CHANGED);
		return NF_ACCEPT;
	}
	err = tcpcrypt_segment_insert(skb, conn->syn.raw, conn->syn.raw_len);
	if (err) {
		if (sim->open || conn->required || err == -ENOMEM)
			return NF_DROP;		/* TCP sends it again */
		tcpcrypt_fallback(conn, TCPCRYPT_FALLBACK_NO_ROOM);
		return NF_ACCEPT;
	}
	if (!sim->open) {
		spin_lock_bh(&sim->lock);
		sim->rcv_isn = rcv_isn;
		sim->snt_isn = snt_isn;
		if (sim->isn == rcv_isn)
			WRITE_ONCE(sim->heard, conn->required && sim->early == SIMULTANEOUS_PLAIN ?
					       SIMULTANEOUS_REFUSED : sim->early);
		smp_store_release(&sim->open, true);	/* the numbers before it */
		spin_unlock_bh(&sim->lock);
		conn->send_eno = true;
	}
	tcpcrypt_stat_inc(conn->tn, TCPCRYPT_STAT_SYNACK_ANSWERED);
	return NF_ACCEPT;
}

/* Instead of a first ACK that would make a connection of it without ENO. */
static void simultaneous_refuse(const struct tcpcrypt_simultaneous *sim, struct sk_buff *skb, unsigned int thoff)
{
	struct tcphdr *th;

	if (skb_ensure_writable(skb, thoff + sizeof(*th)))
		return;
	th = (struct tcphdr *)(skb->data + thoff);
	th->syn = 0;
	th->rst = 1;
	th->seq = htonl(sim->rcv_isn + 1);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
}

/*
 * The peer's SYN waits in the backlog, or is being answered by another CPU, and here is what follows it: LOCAL_IN
 * sees it only now. Return: false if our SYN-ACK has left meanwhile.
 */
static bool simultaneous_early(struct tcpcrypt_simultaneous *sim, const struct tcp_sock *tp, const struct tcphdr *th,
			       bool eno)
{
	u32 seq = ntohl(th->seq);
	bool early;

	spin_lock_bh(&sim->lock);
	early = !sim->open;
	if (early && !sim->early && sim->verdict == ENO_OK && ntohl(th->ack_seq) == READ_ONCE(tp->write_seq) &&
	    (th->syn ? seq == sim->isn : between(seq, sim->isn + 1, sim->isn + 1 + tp->rcv_wnd)))
		sim->early = eno ? SIMULTANEOUS_ENO : SIMULTANEOUS_PLAIN;
	spin_unlock_bh(&sim->lock);
	return early;
}

/* Does a SYN-ACK or ACK say that the peer goes on with ENO? A SYN: is it sound? */
static bool simultaneous_says_eno(const struct tcphdr *th)
{
	struct eno_found found;
	struct eno_syn syn;

	if (th->syn)
		return eno_syn_from_options((const u8 *)(th + 1), th->doff * 4 - sizeof(*th), &syn) == ENO_OK;
	eno_options_find((const u8 *)(th + 1), th->doff * 4 - sizeof(*th), &found);
	return found.count;
}

void tcpcrypt_simultaneous_in(struct sk_buff *skb, u8 pf, unsigned int thoff, const struct tcphdr *th,
			      const struct sock *sk, struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_simultaneous *sim = READ_ONCE(conn->simultaneous);
	u32 seq = ntohl(th->seq);
	bool eno;

	if (!sim || READ_ONCE(sim->heard) || th->rst)
		return;
	eno = simultaneous_says_eno(th);
	if (!smp_load_acquire(&sim->open) &&
	    (!th->ack || !tcpcrypt_segment_checksum_ok(skb, pf, thoff) ||
	     simultaneous_early(sim, tcp_sk(sk), th, eno)))
		return;
	if (th->syn ? seq != sim->rcv_isn : !between(seq, sim->rcv_isn + 1, sim->rcv_isn + 1 + tcp_sk(sk)->rcv_wnd))
		return;
	if (th->ack ? ntohl(th->ack_seq) != sim->snt_isn + 1 : !th->syn)
		return;
	if (eno && !th->ack)	/* the same SYN again */
		return;
	if (!tcpcrypt_segment_checksum_ok(skb, pf, thoff))
		return;
	if (!eno && conn->required) {
		if (cmpxchg(&sim->heard, SIMULTANEOUS_NOTHING, SIMULTANEOUS_REFUSED) == SIMULTANEOUS_NOTHING)
			tcpcrypt_reason_inc(conn->tn, TCPCRYPT_ABORT_REQUIRED);
		simultaneous_refuse(sim, skb, thoff);
		return;
	}
	cmpxchg(&sim->heard, SIMULTANEOUS_NOTHING, eno ? SIMULTANEOUS_ENO : SIMULTANEOUS_PLAIN);
}

void tcpcrypt_simultaneous_established(struct sock *sk, struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_simultaneous *sim = conn->simultaneous;
	bool agreed = sim && sim->open && READ_ONCE(sim->heard) == SIMULTANEOUS_ENO;
	struct tcp_sock *tp = tcp_sk(sk);

	tcpcrypt_simultaneous_over(conn);
	if (!agreed && !conn->required) {
		tcpcrypt_fallback(conn, TCPCRYPT_FALLBACK_NO_ENO_IN_ACK);
		return;
	}
	tcpcrypt_option_af_ops_restore(conn);
	conn->isn = tp->write_seq;
	conn->limit_seq = conn->isn;
	conn->rx.seq = tp->rcv_nxt;
	conn->peer_isn = tp->rcv_nxt;
	if (agreed && conn->hs->secret && !sim->res.resumed)
		tcpcrypt_active_refused(conn, sim->res.tep);
	tcpcrypt_conn_set_state(conn, TCPCRYPT_EXCHANGE);
	if (!agreed)
		tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_REQUIRED);
	else if (sk->sk_shutdown & SEND_SHUTDOWN)	/* TCP sends its FIN right now: there is no place for FINp */
		tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_CLOSED);
	else
		tcpcrypt_handshake_start(conn, &sim->res);
}

void tcpcrypt_simultaneous_lost(struct sock *sk, struct tcpcrypt_conn *conn)
{
	const struct tcpcrypt_simultaneous *sim = conn->simultaneous;

	if (sim && sim->open && READ_ONCE(sim->heard) == SIMULTANEOUS_REFUSED)
		WRITE_ONCE(sk->sk_err, ECONNREFUSED);	/* TCP says ECONNRESET in this state */
	tcpcrypt_detach_disconnected(conn);
}

void tcpcrypt_simultaneous_over(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_simultaneous *sim = conn->simultaneous;

	if (!sim)
		return;
	sim->open = false;
	simultaneous_uncount(sim);
}
