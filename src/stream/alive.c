// SPDX-License-Identifier: GPL-2.0
/* Keep-alive (F-12): SO_KEEPALIVE wants an authentic frame of the peer, where TCP would take any ACK. */
#include "stream/stream.h"

/*
 * TCP's own keep-alive goes on underneath, with the same parameters. On top of it:
 *
 *   quiet --keepidle without a sign of life: request a rekey--> asked --keepcnt * keepintvl--> abort
 *     ^                                                           |
 *     +----------------------- sign of life ----------------------+
 *
 * A sign of life is an authentic frame, not an ACK: somebody who forges segments can make those. Where this end
 * cannot tell, it is not the peer that is dead:
 *
 *   - While data of ours is on its way there is no request: TCP's retransmissions tell. And the request's time
 *     begins when TCP has sent it: the peer's window may be closed.
 *   - Data that arrived and that the application has not read is a sign of life, as of when it came: it may be
 *     what the peer had to say, and a frame is opened when somebody reads it.
 *   - While our window is closed by such data the answer cannot come, and while a rekey of the peer's lies
 *     behind it the answer may be there: the time does not go on, and TCP's keep-alive is all there is.
 *
 * None after an end of either direction: the peer would not answer, or we could not ask. One timer for all:
 * conn.alive_due is looked at by the worker, and 0 on a connection that has it off.
 */

static bool alive_wanted(const struct tcpcrypt_conn *conn)
{
	const struct sock *sk = conn->sk;

	return sock_flag(sk, SOCK_KEEPOPEN) && !conn->closed && !conn->shut_tx && !conn->tx.finp &&
	       !conn->rx.finp && !sock_flag(sk, SOCK_DONE) && !(sk->sk_shutdown & SHUTDOWN_MASK);
}

/* The sysctls of net.ipv4 may say 0: a rekey is dearer than TCP's probe. */
static unsigned long alive_time(int jiffies_wanted)
{
	return max(jiffies_wanted, HZ);
}

/* Jiffies since the last sign of life. */
static unsigned long alive_silence(struct tcpcrypt_conn *conn)
{
	unsigned long silence = jiffies - conn->rx.last;

	if (tcpcrypt_rx_unopened(conn))
		silence = min_t(unsigned long, silence, tcp_jiffies32 - inet_csk(conn->sk)->icsk_ack.lrcvtime);
	return silence;
}

/* Return: when to look again, in jiffies. */
static unsigned long alive_quiet(struct tcpcrypt_conn *conn, unsigned long silence)
{
	const struct tcp_sock *tp = tcp_sk(conn->sk);
	unsigned long idle = alive_time(keepalive_time_when(tp));

	if (silence < idle)
		return idle - silence;
	/* tcp_keepalive_timer() looks again after as long as that, too. */
	if (tp->packets_out || !tcp_write_queue_empty(conn->sk) || conn->tx.n_out || conn->tx.waiting_bytes ||
	    tcpcrypt_rx_blind(conn))
		return idle;
	tcpcrypt_tx_request_rekey(conn);
	if (conn->tx.owed || conn->tx.rekey)	/* no memory for it: not sent, so not unanswered */
		return TCPCRYPT_RETRY_DELAY;
	conn->alive_asked = true;
	conn->alive_start = jiffies;
	conn->alive_seq = conn->isn + (u32)conn->tx.offset;
	return alive_time(keepalive_intvl_when(tp));
}

/* The same while a request is out. Return: 0 when the peer is dead. */
static unsigned long alive_wait(struct tcpcrypt_conn *conn, unsigned long silence)
{
	const struct tcp_sock *tp = tcp_sk(conn->sk);
	unsigned long interval = alive_time(keepalive_intvl_when(tp)), limit, waited;
	u32 user_timeout = READ_ONCE(inet_csk(conn->sk)->icsk_user_timeout);

	if (before(tp->snd_nxt, conn->alive_seq) || tcpcrypt_rx_blind(conn))
		conn->alive_start = jiffies;
	waited = jiffies - conn->alive_start;
	limit = interval * keepalive_probes(tp);
	/* Since the last sign of life, but not before one interval is over: as TCP has it. */
	if (user_timeout)
		limit = max_t(long, interval, (long)(msecs_to_jiffies(user_timeout) - (silence - waited)));
	if (waited >= limit)
		return 0;
	return min(interval, limit - waited);
}

void tcpcrypt_alive_work(struct tcpcrypt_conn *conn)
{
	unsigned long silence, next;

	if (!alive_wanted(conn)) {
		conn->alive_asked = false;
		conn->alive_due = 0;
		return;
	}
	silence = alive_silence(conn);
	/* Before the request it was longer than now - alive_start: never a frame from then. */
	if (conn->alive_asked && silence <= jiffies - conn->alive_start)
		conn->alive_asked = false;
	next = conn->alive_asked ? alive_wait(conn, silence) : alive_quiet(conn, silence);
	if (!next) {
		conn->alive_due = 0;
		tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_KEEPALIVE);
		return;
	}
	conn->alive_due = (jiffies + next) ? : 1;
}

void tcpcrypt_alive_changed(struct sock *sk)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);

	if (conn && conn->state == TCPCRYPT_ENCRYPTED)
		tcpcrypt_conn_kick(conn);
}

/*
 * SO_KEEPALIVE: called before the flag changes, with the socket owned, so that the worker comes after it. Of a
 * BPF program with the spinlock alone, and the worker waits for that.
 */
void tcpcrypt_keepalive(struct sock *sk, int on)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);

	(conn ? conn->base_prot : &tcp_prot)->keepalive(sk, on);
	tcpcrypt_alive_changed(sk);
}
