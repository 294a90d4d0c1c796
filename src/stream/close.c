// SPDX-License-Identifier: GPL-2.0
/* shutdown, close and disconnect: FINp before FIN, and a clean end for the other side. */
#include "stream/stream.h"
#include <linux/net.h>
#include <net/inet_common.h>

/*
 * What close() cannot finish at once is finished by the worker: the key exchange, what was written before
 * it, FINp, FIN, and after that the peer's own FINp, which TCP alone would answer with RST (data for a
 * closed socket). The sock must not become an orphan meanwhile: tcp_done() destroys those. So it gets a
 * struct socket of our own, with TCP's operations.
 *
 *   close() --> priv_sock --worker: all done, or the deadline--> detach, sock_release() --> tcp_close()
 */
#define CLOSE_KEPT_MAX		65536	/* sockets kept by the first namespace; tcp_max_orphans does not see them */
#define CLOSE_KEPT_SHARED	65536	/* by all others together */
#define CLOSE_KEPT_SHARE	(CLOSE_KEPT_SHARED / 4)	/* by one of them */

static atomic_t close_shared = ATOMIC_INIT(0);

static void close_kept_gone(struct tcpcrypt_net *tn)
{
	if (!net_eq(tn->net, &init_net))
		atomic_dec(&close_shared);
	atomic_dec(&tn->kept);
}

static bool close_may_keep(struct tcpcrypt_net *tn)
{
	int n = atomic_inc_return(&tn->kept);

	if (net_eq(tn->net, &init_net) ? n <= CLOSE_KEPT_MAX :
	    atomic_inc_return(&close_shared) <= CLOSE_KEPT_SHARED && n <= CLOSE_KEPT_SHARE)
		return true;
	close_kept_gone(tn);
	return false;
}

int tcpcrypt_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct tcpcrypt_conn *conn;
	const struct proto_ops *ops;
	int ret = 0, err;

	tcpcrypt_enter();
	lock_sock(sk);
	conn = tcpcrypt_conn_of(sk);
	if (conn && how >= SHUT_RD && how <= SHUT_RDWR &&
	    (sk->sk_state == TCP_SYN_SENT || (sk->sk_state == TCP_SYN_RECV && how != SHUT_RD))) {
		/*
		 * As inet_shutdown(), but under this lock: ENO may be decided before that gets it. In a simultaneous
		 * open, too: its peer may count on FINp already, and there are no keys to send it.
		 */
		ret = sk->sk_prot->disconnect(sk, O_NONBLOCK);
		sock->state = ret ? SS_DISCONNECTING : SS_UNCONNECTED;
		sk->sk_state_change(sk);
		release_sock(sk);
		tcpcrypt_leave();
		return ret;
	}
	if (conn && conn->state != TCPCRYPT_SYN_SENT && how >= SHUT_RD && how <= SHUT_RDWR &&
	    (1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2 |
				   TCPF_CLOSING | TCPF_LAST_ACK)) {
		/* SEND_SHUTDOWN would keep FINp from getting out: it is set after it. */
		if (how != SHUT_RD && !conn->shut_tx) {
			WRITE_ONCE(conn->shut_tx, true);
			if (conn->state == TCPCRYPT_ENCRYPTED) {
				err = tcpcrypt_tx_work(conn);
				if (err)
					ret = err;
			}
		}
		if (how != SHUT_WR)
			WRITE_ONCE(conn->shut_rx, true);
		conn->saved_state_change(sk);
		release_sock(sk);
		tcpcrypt_leave();
		return ret;
	}
	release_sock(sk);
	tcpcrypt_leave_to_base();
	ops = READ_ONCE(sock->ops);
	ret = ops->shutdown == tcpcrypt_shutdown ? inet_shutdown(sock, how) : ops->shutdown(sock, how);
	tcpcrypt_back_from_base();
	return ret;
}

/* Give @sk a struct socket of ours instead of the application's. */
static int close_keep(struct tcpcrypt_conn *conn)
{
	struct sock *sk = conn->sk;
	struct socket *sock;

	if (!close_may_keep(conn->tn))
		return -ENOBUFS;
	if (sock_create_lite(sk->sk_family, SOCK_STREAM, IPPROTO_TCP, &sock)) {
		close_kept_gone(conn->tn);
		return -ENOBUFS;
	}
	sock->ops = tcpcrypt_attach_base_ops(sk);
	__module_get(sock->ops->owner);
	sock_graft(sk, sock);
	sock->state = SS_CONNECTED;
	sock_reset_flag(sk, SOCK_LINGER);	/* the worker does not wait */
	conn->priv_sock = sock;
	WRITE_ONCE(conn->closed, true);
	return 0;
}

/* RFC 2525 section 2.17: who closes with bytes unread resets. Those of ours TCP does not know of. */
static bool close_unread(struct tcpcrypt_conn *conn)
{
	if (conn->state != TCPCRYPT_ENCRYPTED)
		return false;
	tcpcrypt_rx_settle(conn);
	return conn->rx.ready || tcpcrypt_rx_avail(conn, 1) || conn->rx.staged;
}

/* Everything is over, or TCP can do the rest alone. */
static bool close_over(struct tcpcrypt_conn *conn)
{
	struct sock *sk = conn->sk;

	if (conn->state == TCPCRYPT_DEAD)
		return !conn->abort_pending;
	if (sk->sk_state == TCP_CLOSE)
		return true;
	return conn->state == TCPCRYPT_ENCRYPTED && conn->fin_sent && conn->rx.finp;
}

/*
 * SO_LINGER: the caller wants to wait for the FIN's acknowledgement. Not in tcp_close(): from there on TCP
 * answers the peer's FINp, which is data, with RST, and that would cut off what is still on its way.
 * Return: what is left of the time.
 */
static long close_linger(struct tcpcrypt_conn *conn, long timeout)
{
	struct sock *sk = conn->sk;

	while (timeout && !signal_pending(current) && tcpcrypt_conn_of(sk) == conn &&
	       (!conn->fin_sent || (1 << sk->sk_state) & (TCPF_FIN_WAIT1 | TCPF_CLOSING | TCPF_LAST_ACK)) &&
	       conn->state != TCPCRYPT_DEAD && sk->sk_state != TCP_CLOSE)
		tcpcrypt_wait(sk, &timeout);
	return timeout;
}

void tcpcrypt_close(struct sock *sk, long timeout)
{
	struct tcpcrypt_conn *conn;
	bool keep = false, reset = false;

	tcpcrypt_enter();
	lock_sock(sk);
	conn = tcpcrypt_conn_of(sk);
	if (!conn)
		goto out;
	if (conn->abort_pending) {
		release_sock(sk);
		tcpcrypt_conn_abort(sk);
		lock_sock(sk);
		conn = tcpcrypt_conn_of(sk);
		if (!conn)
			goto out;
	}
	reset = sk->sk_state == TCP_SYN_RECV;	/* a simultaneous open: the peer may count on FINp already */
	if ((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2) &&
	    (conn->state == TCPCRYPT_EXCHANGE || conn->state == TCPCRYPT_ENCRYPTED)) {
		if (close_unread(conn) || conn->state == TCPCRYPT_DEAD || (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime)) {
			reset = true;
		} else {
			WRITE_ONCE(conn->shut_tx, true);
			if (conn->state == TCPCRYPT_ENCRYPTED)
				tcpcrypt_tx_work(conn);
			tcpcrypt_conn_get(conn);
			timeout = close_linger(conn, timeout);
			tcpcrypt_conn_put(conn);
			if (tcpcrypt_conn_of(sk) != conn)
				goto out;
			if (!close_over(conn)) {
				keep = !close_keep(conn);
				reset = !keep && !conn->fin_sent;
			}
		}
	}
	if (keep) {
		tcpcrypt_conn_kick(conn);
		release_sock(sk);
		tcpcrypt_leave();
		return;
	}
	if (reset)
		conn->base_prot->disconnect(sk, 0);
	conn = tcpcrypt_conn_of(sk);	/* gone already, if it was not ESTABLISHED */
	if (conn)
		tcpcrypt_detach(conn);
out:
	release_sock(sk);
	tcpcrypt_leave_to_base();
	READ_ONCE(sk->sk_prot)->close(sk, timeout);
	tcpcrypt_back_from_base();
}

static void close_deadline(struct tcpcrypt_conn *conn)
{
	conn->close_una = tcp_sk(conn->sk)->snd_una;
	tcpcrypt_conn_deadline(conn, tcp_fin_time(conn->sk));
}

/*
 * The peer is slow, not gone: what we sent, the FIN at last, is being acknowledged. Its own end has FIN_WAIT's
 * time from then on.
 */
static bool close_moves(struct tcpcrypt_conn *conn)
{
	if (conn->close_una == tcp_sk(conn->sk)->snd_una)
		return false;
	close_deadline(conn);
	return true;
}

/* Lock owned. The deadline: the handshake's at first, FIN_WAIT's once the FIN is out. */
bool tcpcrypt_close_work(struct tcpcrypt_conn *conn)
{
	struct sock *sk = conn->sk;

	if (!conn->priv_sock)
		return false;
	if (conn->state == TCPCRYPT_ENCRYPTED && !conn->deadline)
		close_deadline(conn);
	if (!close_over(conn)) {
		if (close_unread(conn))		/* data for a closed socket: as TCP does */
			conn->base_prot->disconnect(sk, 0);
		else if (conn->state != TCPCRYPT_ENCRYPTED || !tcpcrypt_conn_late(conn) || close_moves(conn))
			return false;
		else if (!conn->fin_sent)
			conn->base_prot->disconnect(sk, 0);
	}
	return true;
}

void tcpcrypt_close_done(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_net *tn = conn->tn;
	struct sock *sk = conn->sk;
	struct socket *sock = NULL;

	lock_sock(sk);
	if (tcpcrypt_conn_of(sk) == conn) {
		sock = conn->priv_sock;
		conn->priv_sock = NULL;
		tcpcrypt_detach(conn);
	}
	release_sock(sk);
	if (!sock)
		return;
	sock_release(sock);
	close_kept_gone(tn);
}

/*
 * connect() with AF_UNSPEC, tcp_close() of a repaired socket, and inet_child_forget() with the child's
 * spinlock: may not sleep. The socket is plain afterwards, ready for another connect().
 */
int tcpcrypt_disconnect(struct sock *sk, int flags)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);
	int (*base)(struct sock *sk, int flags) = conn ? conn->base_prot->disconnect : tcp_prot.disconnect;
	int ret;

	ret = base(sk, flags);
	conn = tcpcrypt_conn_of(sk);
	if (conn && !ret && !conn->priv_sock)
		tcpcrypt_detach_disconnected(conn);
	return ret;
}
