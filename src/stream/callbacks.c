// SPDX-License-Identifier: GPL-2.0
/* What TCP calls when something happened to the socket. All under its lock: softirq, backlog, or the owner. */
#include "stream/stream.h"

void tcpcrypt_data_ready(struct sock *sk)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);
	bool wake;

	if (!conn)
		return;
	switch (conn->state) {
	case TCPCRYPT_EXCHANGE:
		tcpcrypt_conn_kick(conn);
		break;
	case TCPCRYPT_ENCRYPTED:
		if (conn->closed || tcpcrypt_rx_needs_worker(conn) || tcpcrypt_rx_answer_unopened(conn))
			tcpcrypt_conn_kick(conn);
		/* Those who poll for urgent data have it opened by themselves, whatever SO_RCVLOWAT says. */
		wake = tcpcrypt_rx_update(conn);
		if (!wake && conn->rx.sealed) {
			smp_mb();	/* pairs with poll_open() */
			wake = READ_ONCE(conn->rx.urg_wanted);
		}
		if (wake)
			tcpcrypt_rx_wake(conn);
		break;
	default:
		conn->saved_data_ready(sk);
	}
}

/* A FIN, a reset, a time-out, or the connection was established. */
void tcpcrypt_state_change(struct sock *sk)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);

	if (!conn)
		return;
	if (conn->state != TCPCRYPT_SYN_SENT && (sk->sk_shutdown & RCV_SHUTDOWN || sk->sk_state == TCP_CLOSE))
		tcpcrypt_conn_kick(conn);
	conn->saved_state_change(sk);
}

void tcpcrypt_write_space(struct sock *sk)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);

	if (!conn)
		return;
	if ((conn->tx.n_out || tcpcrypt_tx_rekey_owed(conn)) && !conn->tx.pushing)	/* else the timer tries again */
		tcpcrypt_conn_kick(conn);
	conn->saved_write_space(sk);
}

/*
 * The end of every ownership, in it and under the spinlock. A child that was just accepted gets its
 * operations here: inet_accept() has given it a struct socket, and there is no descriptor yet. The base's
 * own comes last: its timers may destroy the socket.
 */
void tcpcrypt_release_cb(struct sock *sk)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);
	void (*base)(struct sock *sk);

	if (conn) {
		base = conn->base_prot->release_cb;
		if (sk->sk_socket && !conn->priv_sock &&
		    READ_ONCE(sk->sk_socket->ops) == tcpcrypt_attach_base_ops(sk)) {
			tcpcrypt_attach_ops(sk);
			conn->deferred = true;
		}
		if (conn->deferred) {
			conn->deferred = false;
			tcpcrypt_conn_kick(conn);
		}
	} else {
		base = READ_ONCE(sk->sk_prot)->release_cb;
	}
	if (base && base != tcpcrypt_release_cb)
		base(sk);
}
