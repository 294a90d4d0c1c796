// SPDX-License-Identifier: GPL-2.0
/* What goes on without the application: key exchange, frames without data, retries, the end. */
#include "stream/worker.h"
#include "stream/stream.h"
#include "session/handshake.h"

void tcpcrypt_worker_timer(struct timer_list *timer)
{
	struct tcpcrypt_conn *conn = timer_container_of(conn, timer, timer);
	struct sock *sk = conn->sk;

	tcpcrypt_conn_kick(conn);
	sock_put(sk);
	tcpcrypt_conn_put(conn);
}

/*
 * inet_child_forget() in small: RST, CLOSE; accept() may still return the child, with this error. Nobody
 * may own an unaccepted child, so tcp_abort() is not for it.
 */
static void worker_abort_unaccepted(struct tcpcrypt_conn *conn)
{
	struct sock *sk = conn->sk;

	if (!conn->abort_pending)
		return;
	conn->abort_pending = false;
	conn->base_prot->disconnect(sk, O_NONBLOCK);
	WRITE_ONCE(sk->sk_err, conn->err);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
}

/* Those who waited for the keys: writers for room, readers for nothing yet, pollers for both. */
static void worker_wake(struct tcpcrypt_conn *conn)
{
	struct sock *sk = conn->sk;

	conn->wake_pending = false;
	tcpcrypt_conn_timer_stop(conn);
	conn->deadline = 0;
	conn->saved_write_space(sk);
	conn->saved_state_change(sk);
	if (tcpcrypt_rx_update(conn))
		tcpcrypt_rx_wake(conn);
}

/*
 * TCP is at its end, by a reset or for want of answers. What had arrived is opened, for a reader who comes
 * late, and with that nobody needs the keys any more (K-08).
 */
static void worker_tcp_closed(struct tcpcrypt_conn *conn)
{
	ssize_t ret;

	do
		ret = tcpcrypt_rx_open(conn, NULL);
	while (ret >= 0);
	if (ret == -ENOMEM) {
		tcpcrypt_conn_timer(conn, TCPCRYPT_RETRY_DELAY);
		return;
	}
	if (conn->state == TCPCRYPT_ENCRYPTED)
		tcpcrypt_conn_wipe_keys(conn);
	if (tcpcrypt_rx_update(conn))
		tcpcrypt_rx_wake(conn);
}

static void worker_encrypted(struct tcpcrypt_conn *conn)
{
	int err;

	if (conn->sk->sk_state == TCP_CLOSE) {
		worker_tcp_closed(conn);
		return;
	}
	tcpcrypt_tx_check_heard(conn);
	err = tcpcrypt_tx_work(conn);
	if (!err)
		err = tcpcrypt_rx_work(conn);
	if (err && err != -EAGAIN && conn->state == TCPCRYPT_ENCRYPTED)
		tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_CRYPTO);
	/* After what has arrived was looked at: it may be an answer. */
	if (conn->state == TCPCRYPT_ENCRYPTED && conn->sk->sk_state != TCP_CLOSE)
		tcpcrypt_alive_work(conn);
}

/* A message of the key exchange that TCP did not take, the deadline, and the keep-alive want us back. */
static void worker_rearm(struct tcpcrypt_conn *conn)
{
	const struct tcpcrypt_handshake *hs = conn->hs;

	if (conn->state == TCPCRYPT_EXCHANGE && conn->sk->sk_state != TCP_CLOSE && hs &&
	    (hs->phase == TCPCRYPT_HS_SEND_INIT1 || hs->phase == TCPCRYPT_HS_FINISH))
		tcpcrypt_conn_timer(conn, TCPCRYPT_RETRY_DELAY);
	if (conn->deadline && !timer_pending(&conn->timer) && conn->sk->sk_state != TCP_CLOSE)
		tcpcrypt_conn_timer(conn, max_t(long, conn->deadline - jiffies, 1));
	if (conn->alive_due && conn->state == TCPCRYPT_ENCRYPTED && conn->sk->sk_state != TCP_CLOSE)
		tcpcrypt_conn_timer(conn, max_t(long, conn->alive_due - jiffies, 1));
}

/* One pass. Return: true if the socket that close() kept is to be released. */
static bool worker_pass(struct tcpcrypt_conn *conn)
{
	enum tcpcrypt_lock how = tcpcrypt_lock_try(conn, NULL);
	struct sock *sk = conn->sk;
	bool abort = false, done = false;

	if (how == TCPCRYPT_LOCK_BUSY)
		return false;
	if (tcpcrypt_conn_of(sk) != conn)
		goto out;
	if (conn->wake_pending)
		worker_wake(conn);
	if (conn->state == TCPCRYPT_EXCHANGE && tcpcrypt_conn_late(conn) && sk->sk_state != TCP_CLOSE)
		tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_TIMEOUT);
	if (how == TCPCRYPT_LOCK_BH) {
		if (conn->state == TCPCRYPT_DEAD)
			worker_abort_unaccepted(conn);
		worker_rearm(conn);
		goto out;
	}
	/* After close() nobody asks for an error of the living connection (ICMP), which would stop its end. */
	if (conn->closed && sk->sk_state != TCP_CLOSE)
		sock_error(sk);
	if (conn->state == TCPCRYPT_ENCRYPTED)
		worker_encrypted(conn);
	if (conn->state == TCPCRYPT_DEAD) {
		abort = conn->abort_pending;
		tcpcrypt_conn_wipe_keys(conn);
	}
	if (conn->closed && !abort)
		done = tcpcrypt_close_work(conn);
	if (!done)
		worker_rearm(conn);
out:
	if (abort) {
		sock_hold(sk);
		tcpcrypt_conn_get(conn);
		if (!queue_work(tcpcrypt_abort_wq, &conn->abort_work)) {
			__sock_put(sk);
			tcpcrypt_conn_put(conn);
		}
	}
	tcpcrypt_lock_drop(conn, how);
	return done;
}

void tcpcrypt_worker_abort(struct work_struct *work)
{
	struct tcpcrypt_conn *conn = container_of(work, struct tcpcrypt_conn, abort_work);
	struct sock *sk = conn->sk;

	tcpcrypt_conn_abort(sk);
	tcpcrypt_conn_kick(conn);	/* close() may have kept the socket */
	sock_put(sk);
	tcpcrypt_conn_put(conn);
}

/* What a key exchange that came to nothing leaves; @hs is this worker's alone by then. */
static bool worker_exchange_is_over(const struct tcpcrypt_conn *conn)
{
	enum tcpcrypt_conn_state state = READ_ONCE(conn->state);

	return state == TCPCRYPT_DEAD ||
	       (state == TCPCRYPT_EXCHANGE && inet_sk_state_load(conn->sk) == TCP_CLOSE);
}

void tcpcrypt_worker(struct work_struct *work)
{
	struct tcpcrypt_conn *conn = container_of(work, struct tcpcrypt_conn, work);
	struct sock *sk = conn->sk;

	if (READ_ONCE(conn->state) <= TCPCRYPT_EXCHANGE && conn->hs && tcpcrypt_handshake_run(conn)) {
		tcpcrypt_handshake_free(conn->hs);
		conn->hs = NULL;
	}
	if (READ_ONCE(conn->state) == TCPCRYPT_PLAIN)
		tcpcrypt_handshake_provide(conn);
	if (READ_ONCE(conn->state) != TCPCRYPT_SYN_SENT && worker_pass(conn))
		tcpcrypt_close_done(conn);
	if (conn->hs && worker_exchange_is_over(conn)) {
		tcpcrypt_handshake_free(conn->hs);
		conn->hs = NULL;
	}
	sock_put(sk);
	tcpcrypt_conn_put(conn);
}
