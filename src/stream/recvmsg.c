// SPDX-License-Identifier: GPL-2.0
/* recvmsg and splice_read. */
#include "stream/stream.h"
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>
#include <linux/swap.h>

/*
 * Why there is nothing (more) to read: 1: an authentic end, 0: there may be more later, else an errno. Never
 * an end without FINp (F-06, F-14): what TCP reports once, and then as end-of-file, is kept in conn.err.
 */
static int recv_end(struct tcpcrypt_conn *conn)
{
	struct sock *sk = conn->sk;

	if (conn->rx.finp || conn->shut_rx)
		return 1;
	if (conn->state == TCPCRYPT_SYN_SENT) {
		if (sk->sk_err)
			return sock_error(sk);
		return sk->sk_state == TCP_CLOSE ? -ENOTCONN : 0;
	}
	if (conn->err)
		return -conn->err;
	if (sk->sk_err) {	/* of a living connection: an ICMP error, reported once (IP_RECVERR) */
		if (sk->sk_state == TCP_CLOSE)
			conn->err = READ_ONCE(sk->sk_err);
		return sock_error(sk);
	}
	if (sk->sk_state == TCP_CLOSE) {
		conn->err = ECONNRESET;
		return -ECONNRESET;
	}
	return 0;
}

/* Bytes that are there, as many as @len. Return: bytes, 0 for none now, or an errno if nothing was copied. */
static ssize_t recv_take(struct tcpcrypt_conn *conn, struct iov_iter *to, size_t len, int flags, size_t seen)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	bool peek = flags & MSG_PEEK, drop = flags & MSG_TRUNC;
	size_t copied = 0;
	ssize_t ret;

	while (copied < len) {
		if (rx->ready > seen) {
			ret = tcpcrypt_rx_copy(conn, drop ? NULL : to, len - copied, seen, !peek);
			if (ret < 0)
				return copied ? (ssize_t)copied : ret;
			copied += ret;
			if (peek)
				seen += ret;
			continue;
		}
		/* What is opened leaves TCP's window: who only looks may not have it opened without end. */
		if (peek && rx->ready >= READ_ONCE(conn->sk->sk_rcvbuf))
			break;
		ret = tcpcrypt_rx_open(conn, peek || drop ? NULL : to);
		if (ret == -EAGAIN)
			break;
		if (ret < 0)
			return copied ? (ssize_t)copied : ret;
		copied += ret;
	}
	/* An end, or a rekey, right behind: no reader would come for it. */
	if (!peek && copied)
		tcpcrypt_rx_settle(conn);
	return copied;
}

static int recv_locked(struct sock *sk, struct msghdr *msg, size_t len, int flags, bool *plain, int *inq)
{
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	size_t copied = 0, target, peek_off = max(sk_peek_offset(sk, flags), 0);
	struct tcpcrypt_conn *conn;
	ssize_t ret = 0;

	*plain = false;
	for (;;) {
		conn = tcpcrypt_conn_of(sk);
		if (!conn) {
			*plain = !copied;
			break;
		}
		if (conn->abort_pending) {	/* nobody sleeps in a copy while the worker waits to reset */
			release_sock(sk);
			tcpcrypt_conn_abort(sk);
			lock_sock(sk);
			continue;
		}
		target = flags & MSG_WAITALL ? len : min_t(size_t, conn->rcvlowat, len) ? : 1;
		ret = recv_take(conn, &msg->msg_iter, len - copied, flags, flags & MSG_PEEK ? copied + peek_off : 0);
		if (ret > 0)
			copied += ret;
		if (copied == len && copied)
			break;
		if (copied >= target && !READ_ONCE(sk->sk_backlog.tail))
			break;
		if (ret < 0 && conn->state != TCPCRYPT_DEAD)
			break;		/* ENOMEM, EFAULT: the connection is fine */
		/* Nothing was asked for: TCP waits for something to be there all the same. */
		if (!len && tcpcrypt_rx_avail(conn, 1))
			break;
		/* An error is not to be taken away by who gets bytes. */
		if (copied && (conn->err || READ_ONCE(sk->sk_err)))
			break;
		ret = recv_end(conn);
		if (ret) {
			ret = ret > 0 ? 0 : ret;
			break;
		}
		if (copied && (!timeo || signal_pending(current)))
			break;
		if (!timeo) {
			ret = -EAGAIN;
			break;
		}
		if (signal_pending(current)) {
			ret = sock_intr_errno(timeo);
			break;
		}
		if (copied >= target) {	/* work off the backlog, as TCP does */
			release_sock(sk);
			lock_sock(sk);
			continue;
		}
		tcpcrypt_rx_idle(conn);
		sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
		tcpcrypt_wait(sk, &timeo);
		sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	}
	if (copied && flags & MSG_PEEK)
		sk_peek_offset_fwd(sk, copied);
	else if (copied)
		sk_peek_offset_bwd(sk, copied);
	if (conn)
		tcpcrypt_rx_update(conn);
	if (conn && inq && copied)
		*inq = min_t(u32, tcpcrypt_rx_avail(conn, INT_MAX), INT_MAX);
	return copied ? copied : ret;
}

static int recv_common(struct sock *sk, struct msghdr *msg, size_t len, int flags, bool *plain)
{
	struct tcpcrypt_conn *conn;
	bool aborted;
	int ret, inq = -1;

	lock_sock(sk);
	ret = recv_locked(sk, msg, len, flags, plain, tcp_sk(sk)->recvmsg_inq ? &inq : NULL);
	conn = tcpcrypt_conn_of(sk);
	aborted = conn && conn->abort_pending;
	release_sock(sk);
	if (aborted)
		tcpcrypt_conn_abort(sk);
	if (ret > 0 && inq >= 0)
		put_cmsg(msg, SOL_TCP, TCP_CM_INQ, sizeof(inq), &inq);
	return ret;
}

int tcpcrypt_recvmsg(TCPCRYPT_RECVMSG_ARGS(sk, msg, len, flags))
{
	bool plain = false;
	int ret;

	tcpcrypt_enter();
	if (flags & MSG_ERRQUEUE) {
		plain = true;	/* TCP looks at its error queue alone */
	} else if (flags & MSG_OOB) {
		lock_sock(sk);
		plain = !tcpcrypt_conn_of(sk);
		release_sock(sk);
		ret = -EINVAL;
	} else {
		ret = recv_common(sk, msg, len, flags, &plain);
	}
	if (!plain) {
		tcpcrypt_leave();
		return ret;
	}
	tcpcrypt_leave_to_base();
	if (READ_ONCE(sk->sk_prot)->recvmsg == tcpcrypt_recvmsg)
		ret = tcp_prot.recvmsg(TCPCRYPT_RECVMSG_PASS(sk, msg, len, flags));
	else
		ret = READ_ONCE(sk->sk_prot)->recvmsg(TCPCRYPT_RECVMSG_PASS(sk, msg, len, flags));
	tcpcrypt_back_from_base();
	return ret;
}

static void splice_page_release(struct splice_pipe_desc *spd, unsigned int i)
{
	put_page(spd->pages[i]);
}

/**
 * struct splice_run - one splice_read
 * @pages: fresh pages for plaintext, those beyond @n are not there
 * @n: how many
 * @partial: what of them goes into the pipe
 * @bv: the same pages, for recvmsg
 */
struct splice_run {
	struct page *pages[PIPE_DEF_BUFFERS];
	struct partial_page partial[PIPE_DEF_BUFFERS];
	struct bio_vec bv[PIPE_DEF_BUFFERS];
	unsigned int n;
};

/* As many pages as the pipe has room for: its lock is held, so that all that was read goes in. */
static struct splice_run *splice_prepare(struct pipe_inode_info *pipe, size_t len)
{
	unsigned int room = pipe->max_usage - pipe_occupancy(READ_ONCE(pipe->head), READ_ONCE(pipe->tail));
	unsigned int want = min_t(size_t, DIV_ROUND_UP(len, PAGE_SIZE), clamp(room, 1U, (unsigned int)PIPE_DEF_BUFFERS));
	struct splice_run *run = kzalloc(sizeof(*run), GFP_KERNEL_ACCOUNT);

	while (run && run->n < want) {
		struct page *page = alloc_page(GFP_KERNEL_ACCOUNT);

		if (!page)
			break;
		run->pages[run->n] = page;
		bvec_set_page(&run->bv[run->n++], page, PAGE_SIZE, 0);
	}
	if (run && !run->n) {
		kfree(run);
		run = NULL;
	}
	return run;
}

static ssize_t splice_into_pipe(struct splice_run *run, struct pipe_inode_info *pipe, size_t len)
{
	struct splice_pipe_desc spd = {
		.pages = run->pages, .partial = run->partial, .nr_pages_max = PIPE_DEF_BUFFERS,
		.ops = &nosteal_pipe_buf_ops,	/* the kernel's: a pipe may outlive this module */
		.spd_release = splice_page_release,
	};
	unsigned int i;

	for (i = 0; len; i++) {
		run->partial[i].offset = 0;
		run->partial[i].len = min_t(size_t, len, PAGE_SIZE);
		len -= run->partial[i].len;
	}
	spd.nr_pages = i;
	for (; i < run->n; i++)
		put_page(run->pages[i]);
	run->n = 0;	/* the pipe's, or released */
	return splice_to_pipe(pipe, &spd);
}

/* Plaintext into fresh pages, and those into the pipe. */
ssize_t tcpcrypt_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe, size_t len,
			     unsigned int flags)
{
	struct sock *sk = sock->sk;
	struct msghdr msg = {};
	const struct proto_ops *ops;
	struct splice_run *run;
	bool plain = false;
	ssize_t ret;

	if (!len)
		return 0;
	tcpcrypt_enter();
	run = splice_prepare(pipe, len);
	if (!run) {
		tcpcrypt_leave();
		return -ENOMEM;
	}
	len = min_t(size_t, len, run->n * PAGE_SIZE);
	iov_iter_bvec(&msg.msg_iter, ITER_DEST, run->bv, run->n, len);
	ret = recv_common(sk, &msg, len, sock->file->f_flags & O_NONBLOCK ? MSG_DONTWAIT : 0, &plain);
	if (ret > 0)
		ret = splice_into_pipe(run, pipe, ret);
	while (run->n)
		put_page(run->pages[--run->n]);
	kfree(run);
	if (!plain) {
		tcpcrypt_leave();
		return ret;
	}
	tcpcrypt_leave_to_base();
	ops = READ_ONCE(sock->ops);
	if (ops->splice_read == tcpcrypt_splice_read)
		ops = tcpcrypt_attach_base_ops(sk);
	ret = ops->splice_read(sock, ppos, pipe, len, flags);
	tcpcrypt_back_from_base();
	return ret;
}

/* For users inside the kernel that want the bytes as skbs: there are none here that are not ciphertext. */
int tcpcrypt_read_sock(struct sock *sk, read_descriptor_t *desc, sk_read_actor_t actor)
{
	return tcpcrypt_conn_of(sk) ? -EOPNOTSUPP : tcp_read_sock(sk, desc, actor);
}

int tcpcrypt_read_skb(struct sock *sk, skb_read_actor_t actor)
{
	return tcpcrypt_conn_of(sk) ? -EOPNOTSUPP : tcpcrypt_attach_base_ops(sk)->read_skb(sk, actor);
}
