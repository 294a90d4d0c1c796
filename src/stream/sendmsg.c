// SPDX-License-Identifier: GPL-2.0
/* sendmsg and its relatives. */
#include "stream/stream.h"
#include <linux/bvec.h>
#include <net/inet_common.h>

/*
 * TCP's waiters look at conditions that a context of ours may not outlive, so this one only sleeps. The
 * entry is on the queue before the lock is dropped: a wake-up in between is not lost.
 */
void tcpcrypt_wait(struct sock *sk, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	add_wait_queue(sk_sleep(sk), &wait);
	release_sock(sk);
	*timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, *timeo);
	lock_sock(sk);
	remove_wait_queue(sk_sleep(sk), &wait);
}

/* Wait until there is room for @conn's next bytes. The lock was dropped when it returns 0. */
static int send_wait(struct tcpcrypt_conn *conn, struct sock *sk, long *timeo)
{
	if (!*timeo) {
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		/* For want of memory, with nothing in flight: no ACK will call write_space(). */
		if (conn->state == TCPCRYPT_ENCRYPTED && tcp_rtx_and_write_queues_empty(sk))
			tcpcrypt_conn_timer(conn, TCPCRYPT_RETRY_DELAY);
		return -EAGAIN;
	}
	if (signal_pending(current))
		return sock_intr_errno(*timeo);
	if (conn->state == TCPCRYPT_SYN_SENT && sk->sk_state == TCP_SYN_SENT)
		return sk_stream_wait_connect(sk, timeo);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	if (conn->state == TCPCRYPT_ENCRYPTED && !conn->tx.n_out)
		return sk_stream_wait_memory(sk, timeo);
	tcpcrypt_wait(sk, timeo);
	return 0;
}

static bool send_refused(struct tcpcrypt_conn *conn, struct sock *sk)
{
	return sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN || conn->shut_tx || conn->state == TCPCRYPT_DEAD ||
	       (sk->sk_state == TCP_CLOSE && conn->state != TCPCRYPT_SYN_SENT);
}

/* Plaintext is kept. As in TCP the newest urgent byte is the one that counts: the last of a MSG_OOB write. */
static ssize_t send_store(struct tcpcrypt_conn *conn, struct msghdr *msg, int flags)
{
	size_t room = tcpcrypt_tx_wait_room(conn);
	ssize_t ret;

	if (!room)
		return -EAGAIN;
	ret = tcpcrypt_tx_wait_store(conn, &msg->msg_iter, min(room, msg_data_left(msg)));
	if (ret > 0 && flags & MSG_OOB && !msg_data_left(msg))
		conn->tx.waiting_urgent = conn->tx.waiting_bytes;
	return ret;
}

/* One step. Return: bytes taken, -EAGAIN: wait for room, or an error. */
static ssize_t send_step(struct tcpcrypt_conn *conn, struct msghdr *msg, int flags)
{
	struct sock *sk = conn->sk;
	ssize_t ret;
	int err;

	switch (conn->state) {
	case TCPCRYPT_EXCHANGE:
		return send_store(conn, msg, flags);
	case TCPCRYPT_ENCRYPTED:
		break;
	default:
		return -EAGAIN;
	}
	/* The worker has not sealed yet what was written before: order is the worker's. */
	if (conn->tx.waiting_bytes) {
		ret = send_store(conn, msg, flags);
		if (ret != -EAGAIN)
			tcpcrypt_conn_kick(conn);
		return ret;
	}
	if (conn->tx.n_out) {
		err = tcpcrypt_tx_push(conn, 0);
		if (err)
			return err;
	}
	if (!sk_stream_memory_free(sk))
		return -EAGAIN;
	ret = tcpcrypt_tx_seal(conn, &msg->msg_iter, tcpcrypt_tx_frame_size(conn),
			       flags & MSG_OOB ? TCPCRYPT_FLAG_URGP : 0);
	if (ret <= 0)
		return ret;
	/*
	 * Sealed is sent, as far as the writer goes. MSG_MORE between the frames of one write: TCP fills its
	 * segments, and pushes by itself when half a window waits.
	 */
	err = tcpcrypt_tx_push(conn, msg_data_left(msg) ? MSG_MORE : flags & MSG_MORE);
	if (err)
		tcpcrypt_conn_timer(conn, TCPCRYPT_RETRY_DELAY);
	return ret;
}

/* Lock owned. *@plain: the slot is not ours (any more), and nothing was taken from @msg: TCP's turn. */
static int send_locked(struct sock *sk, struct msghdr *msg, bool *plain)
{
	int flags = msg->msg_flags;
	long timeo = sock_sndtimeo(sk, flags & MSG_DONTWAIT);
	bool zerocopy = flags & MSG_ZEROCOPY && msg_data_left(msg) && sock_flag(sk, SOCK_ZEROCOPY);
	struct ubuf_info *uarg = NULL;
	struct tcpcrypt_conn *conn;
	ssize_t copied = 0, ret;
	u64 serial = 0;
	int err = 0;

	*plain = false;
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	while (msg_data_left(msg) || !copied) {
		conn = tcpcrypt_conn_of(sk);
		if (!conn) {
			*plain = !copied;
			break;
		}
		if (serial && conn->serial != serial) {		/* disconnected and connected anew meanwhile */
			err = -EPIPE;
			break;
		}
		serial = conn->serial;
		if (send_refused(conn, sk)) {
			err = conn->state == TCPCRYPT_DEAD && conn->err && !sk->sk_err ? -conn->err : -EPIPE;
			break;
		}
		if (!msg_data_left(msg) && conn->state > TCPCRYPT_SYN_SENT)
			break;
		if (zerocopy && !uarg && conn->state > TCPCRYPT_SYN_SENT) {
			uarg = tcpcrypt_zerocopy_begin(sk, msg_data_left(msg));
			if (!uarg) {
				err = -ENOBUFS;
				break;
			}
		}
		ret = send_step(conn, msg, flags);
		if (ret > 0) {
			copied += ret;
			continue;
		}
		if (ret != -EAGAIN && ret != -ENOMEM) {
			err = ret;
			break;
		}
		if (ret == -ENOMEM && copied)
			break;
		err = send_wait(conn, sk, &timeo);
		if (err)
			break;
	}
	tcpcrypt_zerocopy_end(uarg, copied);
	if (copied)
		return copied;
	if (*plain || !err)
		return 0;
	return sk_stream_error(sk, flags, err);
}

int tcpcrypt_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	bool plain;
	int ret;

	tcpcrypt_enter();
	lock_sock(sk);
	ret = send_locked(sk, msg, &plain);
	release_sock(sk);
	if (!plain) {
		tcpcrypt_leave();
		return ret;
	}
	ret = tcpcrypt_leave_to_sleep(sk, msg->msg_flags & MSG_DONTWAIT);
	if (ret)
		return ret;
	ret = READ_ONCE(sk->sk_prot)->sendmsg(sk, msg, size);
	tcpcrypt_back_from_base();
	return ret;
}

/* For users inside the kernel that hold the lock. */
int tcpcrypt_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size)
{
	bool plain;
	int ret;

	tcpcrypt_enter();
	ret = send_locked(sk, msg, &plain);
	if (plain)
		ret = tcp_sendmsg_locked(sk, msg, size);
	tcpcrypt_leave();
	return ret;
}

#if TCPCRYPT_HAVE_SENDPAGE
static void sendpage_msg(struct msghdr *msg, struct bio_vec *bv, struct page *page, int offset, size_t size,
			 int flags)
{
	bvec_set_page(bv, page, size, offset);
	iov_iter_bvec(&msg->msg_iter, ITER_SOURCE, bv, 1, size);
	if (flags & MSG_SENDPAGE_NOTLAST)
		flags |= MSG_MORE;
	msg->msg_flags = flags & ~(MSG_SENDPAGE_NOTLAST | MSG_SENDPAGE_NOPOLICY);
}

int tcpcrypt_sendpage(struct sock *sk, struct page *page, int offset, size_t size, int flags)
{
	struct msghdr msg = {};
	struct bio_vec bv;
	bool plain;
	int ret;

	sendpage_msg(&msg, &bv, page, offset, size, flags);
	tcpcrypt_enter();
	lock_sock(sk);
	ret = send_locked(sk, &msg, &plain);
	release_sock(sk);
	if (!plain) {
		tcpcrypt_leave();
		return ret;
	}
	ret = tcpcrypt_leave_to_sleep(sk, flags & MSG_DONTWAIT);
	if (ret)
		return ret;
	ret = READ_ONCE(sk->sk_prot)->sendpage(sk, page, offset, size, flags);
	tcpcrypt_back_from_base();
	return ret;
}

int tcpcrypt_sendpage_locked(struct sock *sk, struct page *page, int offset, size_t size, int flags)
{
	struct msghdr msg = {};
	struct bio_vec bv;
	bool plain;
	int ret;

	sendpage_msg(&msg, &bv, page, offset, size, flags);
	tcpcrypt_enter();
	ret = send_locked(sk, &msg, &plain);
	if (plain)
		ret = tcp_sendpage_locked(sk, page, offset, size, flags);
	tcpcrypt_leave();
	return ret;
}
#endif
