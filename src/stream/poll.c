// SPDX-License-Identifier: GPL-2.0
/* poll, FIONREAD and SO_RCVLOWAT: what is readable is plaintext. */
#include "stream/stream.h"
#include <asm/ioctls.h>
#include <linux/sockios.h>

static bool poll_readable(const struct tcpcrypt_conn *conn)
{
	return READ_ONCE(conn->rx.avail) >= tcpcrypt_rx_target(conn) && !READ_ONCE(conn->rx.doubt);
}

static bool poll_writable(const struct tcpcrypt_conn *conn)
{
	switch (READ_ONCE(conn->state)) {
	case TCPCRYPT_EXCHANGE:
		return tcpcrypt_tx_wait_room(conn);
	case TCPCRYPT_ENCRYPTED:
		if (READ_ONCE(conn->tx.waiting_bytes))
			return tcpcrypt_tx_wait_room(conn);
		return !READ_ONCE(conn->tx.n_out) && sk_stream_is_writeable(conn->sk);
	default:
		return true;
	}
}

static __poll_t poll_mask(struct tcpcrypt_conn *conn, struct socket *sock)
{
	struct sock *sk = conn->sk;
	enum tcpcrypt_conn_state state = READ_ONCE(conn->state);
	bool closed = inet_sk_state_load(sk) == TCP_CLOSE || state == TCPCRYPT_DEAD;
	bool rx_end = READ_ONCE(conn->rx.finp) || READ_ONCE(conn->shut_rx) || closed;
	bool tx_end = READ_ONCE(conn->shut_tx) || READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN;
	__poll_t mask = 0;

	if (closed || (rx_end && tx_end))
		mask |= EPOLLHUP;
	if (rx_end)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	else if (poll_readable(conn))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(conn->rx.urg_data) & TCP_URG_VALID)
		mask |= EPOLLPRI;
	if (tx_end || poll_writable(conn)) {
		mask |= EPOLLOUT | EPOLLWRNORM;
	} else {
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		set_bit(SOCK_NOSPACE, &sock->flags);
		smp_mb__after_atomic();	/* as tcp_poll(): room may have come before the bit was set */
		if (poll_writable(conn))
			mask |= EPOLLOUT | EPOLLWRNORM;
	}
	smp_rmb();	/* pairs with the barrier before sk_error_report() in TCP */
	if (READ_ONCE(sk->sk_err) || !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR;
	return mask;
}

static bool poll_mask_of(struct socket *sock, __poll_t *mask)
{
	struct tcpcrypt_conn *conn;
	bool ours;

	rcu_read_lock();
	conn = tcpcrypt_conn_of_rcu(sock->sk);
	/* Before the connection is established TCP's answer is right: there is nothing in its queue. */
	ours = conn && READ_ONCE(conn->state) != TCPCRYPT_SYN_SENT;
	if (ours && mask)
		*mask = poll_mask(conn, sock);
	rcu_read_unlock();
	return ours;
}

/*
 * Some answers are inside of frames: whether there is urgent data, for those who ask, and whether all that there
 * is is a byte of it, which is nothing to read. If the socket is busy, the worker does this, and wakes us.
 */
static void poll_open(struct sock *sk, __poll_t events)
{
	bool all = events & EPOLLPRI, due = false;
	struct tcpcrypt_conn *conn;
	enum tcpcrypt_lock how;

	rcu_read_lock();
	conn = tcpcrypt_conn_of_rcu(sk);
	if (conn && READ_ONCE(conn->state) <= TCPCRYPT_ENCRYPTED) {
		if (all && !READ_ONCE(conn->rx.urg_wanted))
			WRITE_ONCE(conn->rx.urg_wanted, true);
		if (all)
			smp_mb();	/* pairs with tcpcrypt_data_ready() */
		due = (READ_ONCE(conn->rx.doubt) ||
		       (all && READ_ONCE(conn->rx.sealed) && !READ_ONCE(conn->rx.starved))) &&
		      refcount_inc_not_zero(&conn->refs);
	}
	rcu_read_unlock();
	if (!due)
		return;
	how = tcpcrypt_lock_try(conn, &conn->rx.turned_away);
	if (how == TCPCRYPT_LOCK_OWNED && tcpcrypt_conn_of(sk) == conn)
		tcpcrypt_rx_ahead(conn, all);
	tcpcrypt_lock_drop(conn, how);
	tcpcrypt_conn_put(conn);
}

__poll_t tcpcrypt_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait)
{
	const struct proto_ops *ops;
	__poll_t mask = 0;
	bool ours;

	tcpcrypt_enter();
	ours = poll_mask_of(sock, NULL);
	if (ours) {
		sock_poll_wait(file, sock, wait);	/* may sleep */
		poll_open(sock->sk, poll_requested_events(wait));
		ours = poll_mask_of(sock, &mask);
		wait = NULL;
	}
	if (!ours) {
		ops = READ_ONCE(sock->ops);
		if (ops->poll == tcpcrypt_poll)
			mask = tcp_poll(file, sock, wait);
		else
			mask = ops->poll(file, sock, wait);
	}
	tcpcrypt_leave();
	return mask;
}

bool tcpcrypt_sock_is_readable(struct sock *sk)
{
	struct tcpcrypt_conn *conn;
	bool yes = false;

	rcu_read_lock();
	conn = tcpcrypt_conn_of_rcu(sk);
	if (conn)
		yes = READ_ONCE(conn->rx.ready) || READ_ONCE(conn->rx.finp);
	rcu_read_unlock();
	return yes;
}

static int poll_inq(struct sock *sk, bool *plain)
{
	struct tcpcrypt_conn *conn;
	int n = 0;

	lock_sock(sk);
	conn = tcpcrypt_conn_of(sk);
	*plain = !conn;
	if (conn) {
		/* Exact where it matters: from the first urgent byte on, and where there may be nothing to read. */
		tcpcrypt_rx_ahead(conn, conn->rx.urg_seen || conn->rx.urg_wanted);
		n = tcpcrypt_rx_inq(conn);
	}
	release_sock(sk);
	return n;
}

static int poll_at_mark(struct sock *sk, bool *plain)
{
	struct tcpcrypt_conn *conn;
	int yes = 0;

	lock_sock(sk);
	conn = tcpcrypt_conn_of(sk);
	*plain = !conn;
	if (conn) {
		tcpcrypt_rx_ahead(conn, true);
		yes = conn->rx.urg_data && conn->rx.urg_pos == tcpcrypt_rx_pos(&conn->rx);
	}
	release_sock(sk);
	return yes;
}

int tcpcrypt_ioctl(struct sock *sk, int cmd, TCPCRYPT_IOCTL_ARG)
{
	bool plain = true;
	int n;

	tcpcrypt_enter();
	if (cmd == SIOCINQ || cmd == SIOCATMARK) {
		n = cmd == SIOCINQ ? poll_inq(sk, &plain) : poll_at_mark(sk, &plain);
		if (!plain) {
			n = tcpcrypt_ioctl_reply(arg, n);
			tcpcrypt_leave();
			return n;
		}
	}
	tcpcrypt_leave_to_base();
	n = tcp_prot.ioctl(sk, cmd, arg);	/* one for IPv4 and IPv6 */
	tcpcrypt_back_from_base();
	return n;
}

/* No lock: for users inside the kernel, in whatever context. What poll knows of is enough for them. */
int tcpcrypt_peek_len(struct socket *sock)
{
	struct tcpcrypt_conn *conn;
	int n;

	rcu_read_lock();
	conn = tcpcrypt_conn_of_rcu(sock->sk);
	n = conn ? min_t(u32, READ_ONCE(conn->rx.avail), INT_MAX) : tcp_inq(sock->sk);
	rcu_read_unlock();
	return n;
}

/* Lock held by the caller. TCP may grow the receive buffer for it; its own mark stays at 1. */
int tcpcrypt_set_rcvlowat(struct sock *sk, int val)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);
	int ret = tcpcrypt_attach_base_ops(sk)->set_rcvlowat(sk, val);

	if (conn && !ret) {
		WRITE_ONCE(conn->rcvlowat, sk->sk_rcvlowat);
		WRITE_ONCE(sk->sk_rcvlowat, 1);
		if (tcpcrypt_rx_update(conn))
			tcpcrypt_rx_wake(conn);
	}
	return ret;
}
