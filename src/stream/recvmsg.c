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

/**
 * struct recv_run - one call of recvmsg or splice_read
 * @flags: MSG_*
 * @splice: tcp_splice_read()'s rules for urgent data: never past the mark
 * @copied: bytes so far
 * @seen: how far a peek has looked, from the reader's place
 * @pos: that place, of a peek: it moves when others read, or when an urgent byte is overtaken by the next one
 */
struct recv_run {
	int flags;
	bool splice;
	size_t copied;
	size_t seen;
	u64 pos;
};

static bool recv_at_mark(const struct tcpcrypt_conn *conn, const struct recv_run *run)
{
	const struct tcpcrypt_rx *rx = &conn->rx;

	return unlikely(rx->urg_data) && rx->urg_pos == tcpcrypt_rx_pos(rx) + run->seen;
}

/*
 * tcp_recvmsg_locked(): a read ends at the mark, the next one starts with the urgent byte if that is inline, and
 * else behind it; but a signal goes first: it may be SIGURG, sent a moment ago from here.
 * Return: how much may be read from here, 0: nothing; -EAGAIN: stepped over the byte, look again; -EINTR
 */
static ssize_t recv_urgent(struct tcpcrypt_conn *conn, struct recv_run *run, size_t len)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	u64 here = tcpcrypt_rx_pos(rx) + run->seen;

	if (here != rx->urg_pos)
		return here < rx->urg_pos ? min_t(u64, len, rx->urg_pos - here) : len;
	if (run->copied || run->splice)
		return 0;
	if (signal_pending(current))
		return -EINTR;
	if (sock_flag(conn->sk, SOCK_URGINLINE) || rx->ready <= run->seen)
		return len;
	if (run->flags & MSG_PEEK)
		run->seen++;
	else
		tcpcrypt_rx_copy(conn, NULL, 1, 0, true);
	return -EAGAIN;
}

/*
 * Bytes that are there, as many as @len in all. Return: bytes, 0 for none now, or an errno if nothing was copied;
 * @run->copied grows by as much.
 */
static ssize_t recv_take(struct tcpcrypt_conn *conn, struct iov_iter *to, size_t len, struct recv_run *run)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	bool peek = run->flags & MSG_PEEK, drop = run->flags & MSG_TRUNC;
	size_t before = run->copied;
	ssize_t ret;

	while (run->copied < len) {
		size_t want = len - run->copied;

		if (peek) {
			u64 pos = tcpcrypt_rx_pos(rx);

			run->seen -= min_t(u64, run->seen, pos - min(run->pos, pos));
			run->pos = pos;
		}
		if (unlikely(rx->urg_data)) {
			ret = recv_urgent(conn, run, want);
			if (!ret)
				break;
			if (ret == -EAGAIN)
				continue;
			if (ret < 0)
				return ret;
			want = ret;
		}
		if (rx->ready > run->seen) {
			ret = tcpcrypt_rx_copy(conn, drop ? NULL : to, want, run->seen, !peek);
			if (ret < 0)
				return run->copied > before ? (ssize_t)(run->copied - before) : ret;
			run->copied += ret;
			if (peek)
				run->seen += ret;
			continue;
		}
		/* What is opened leaves TCP's window: who only looks may not have it opened without end. */
		if (peek && rx->ready >= READ_ONCE(conn->sk->sk_rcvbuf))
			break;
		ret = tcpcrypt_rx_open(conn, peek || drop ? NULL : to);
		if (ret == -EAGAIN)
			break;
		if (ret < 0)
			return run->copied > before ? (ssize_t)(run->copied - before) : ret;
		run->copied += ret;
	}
	/* An end, or a rekey, right behind: no reader would come for it. */
	if (!peek && run->copied > before)
		tcpcrypt_rx_settle(conn);
	return run->copied - before;
}

static int recv_locked(struct sock *sk, struct msghdr *msg, size_t len, int flags, bool splice, bool *plain, int *inq)
{
	struct recv_run run = { .flags = flags, .splice = splice, .pos = U64_MAX };
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	struct tcpcrypt_conn *conn;
	size_t target;
	ssize_t ret = 0;

	if (flags & MSG_PEEK)
		run.seen = max(sk_peek_offset(sk, flags), 0);

	*plain = false;
	for (;;) {
		conn = tcpcrypt_conn_of(sk);
		if (!conn) {
			*plain = !run.copied;
			break;
		}
		if (conn->abort_pending) {	/* nobody sleeps in a copy while the worker waits to reset */
			release_sock(sk);
			tcpcrypt_conn_abort(sk);
			lock_sock(sk);
			continue;
		}
		target = flags & MSG_WAITALL ? len : min_t(size_t, conn->rcvlowat, len) ? : 1;
		ret = recv_take(conn, &msg->msg_iter, len, &run);
		if (run.copied && (run.copied == len || recv_at_mark(conn, &run)))
			break;
		if (ret == -EINTR) {
			ret = timeo ? sock_intr_errno(timeo) : -EAGAIN;
			break;
		}
		if (run.copied >= target && !READ_ONCE(sk->sk_backlog.tail))
			break;
		if (ret < 0 && conn->state != TCPCRYPT_DEAD)
			break;		/* ENOMEM, EFAULT: the connection is fine */
		/* Nothing was asked for: TCP waits for something to be there all the same. */
		if (!len && tcpcrypt_rx_avail(conn, 1))
			break;
		/* An error is not to be taken away by who gets bytes. */
		if (run.copied && (conn->err || READ_ONCE(sk->sk_err)))
			break;
		ret = recv_end(conn);
		if (ret) {
			ret = ret > 0 ? 0 : ret;
			break;
		}
		if (run.copied && (!timeo || signal_pending(current)))
			break;
		if (!timeo) {
			ret = -EAGAIN;
			break;
		}
		if (splice && recv_at_mark(conn, &run) && (conn->rx.ready || tcpcrypt_rx_unopened(conn)))
			break;
		if (signal_pending(current)) {
			ret = sock_intr_errno(timeo);
			break;
		}
		if (run.copied >= target) {	/* work off the backlog, as TCP does */
			release_sock(sk);
			lock_sock(sk);
			continue;
		}
		tcpcrypt_rx_idle(conn);
		tcpcrypt_rx_sleep(conn, target - run.copied);
		sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
		tcpcrypt_wait(sk, &timeo);
		sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	}
	if (run.copied && flags & MSG_PEEK)
		sk_peek_offset_fwd(sk, run.copied);
	else if (run.copied)
		sk_peek_offset_bwd(sk, run.copied);
	if (conn)
		tcpcrypt_rx_was_read(conn);
	if (conn && inq && run.copied)
		*inq = min_t(u32, tcpcrypt_rx_avail(conn, INT_MAX), INT_MAX);
	return run.copied ? run.copied : ret;
}

/* tcp_recv_urg(): one byte, at once or never. */
static int recv_oob(struct sock *sk, struct msghdr *msg, size_t len, int flags, bool *plain, int *inq)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);
	struct tcpcrypt_rx *rx;
	u8 byte;

	*plain = !conn;
	if (!conn)
		return 0;
	rx = &conn->rx;
	tcpcrypt_rx_ahead(conn, true);
	byte = rx->urg_data;
	if (sock_flag(sk, SOCK_URGINLINE) || !rx->urg_data || rx->urg_data == TCP_URG_READ)
		return -EINVAL;
	if (conn->state == TCPCRYPT_DEAD || (sk->sk_state == TCP_CLOSE && !rx->finp))
		return -ENOTCONN;
	if (!(rx->urg_data & TCP_URG_VALID))
		return sk->sk_state == TCP_CLOSE || rx->finp || conn->shut_rx ? 0 : -EAGAIN;
	if (!(flags & MSG_PEEK))
		WRITE_ONCE(rx->urg_data, TCP_URG_READ);
	msg->msg_flags |= MSG_OOB;
	if (inq)
		*inq = min_t(u32, tcpcrypt_rx_avail(conn, INT_MAX), INT_MAX);
	if (!len) {
		msg->msg_flags |= MSG_TRUNC;
		return 0;
	}
	return !(flags & MSG_TRUNC) && memcpy_to_msg(msg, &byte, 1) ? -EFAULT : 1;
}

static int recv_common(struct sock *sk, struct msghdr *msg, size_t len, int flags, bool splice, bool *plain)
{
	struct tcpcrypt_conn *conn;
	int ret, inq = -1, *wanted;
	bool aborted;

	lock_sock(sk);
	wanted = tcp_sk(sk)->recvmsg_inq ? &inq : NULL;
	if (unlikely(flags & MSG_OOB))
		ret = recv_oob(sk, msg, len, flags, plain, wanted);
	else
		ret = recv_locked(sk, msg, len, flags, splice, plain, wanted);
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
	} else {
		ret = recv_common(sk, msg, len, flags, false, &plain);
	}
	if (!plain) {
		tcpcrypt_leave();
		return ret;
	}
	ret = tcpcrypt_leave_to_sleep(sk, flags & (MSG_DONTWAIT | MSG_ERRQUEUE));
	if (ret)
		return ret;
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
	ret = recv_common(sk, &msg, len, sock->file->f_flags & O_NONBLOCK ? MSG_DONTWAIT : 0, true, &plain);
	if (ret > 0)
		ret = splice_into_pipe(run, pipe, ret);
	while (run->n)
		put_page(run->pages[--run->n]);
	kfree(run);
	if (!plain) {
		tcpcrypt_leave();
		return ret;
	}
	ret = tcpcrypt_leave_to_sleep(sk, sock->file->f_flags & O_NONBLOCK);
	if (ret)
		return ret;
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
