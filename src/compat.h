/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel versions: the one place that knows them. The code is written against the newest. */
#ifndef TCPCRYPT_COMPAT_H
#define TCPCRYPT_COMPAT_H

#include <linux/version.h>
#include <linux/net.h>
#include <linux/bvec.h>
#include <linux/timer.h>
#include <linux/skbuff.h>
#include <net/tcp.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "tcpcrypt needs Linux 6.1 or newer"
#endif
#ifdef CONFIG_PREEMPT_RT
#error "tcpcrypt does not support PREEMPT_RT: its hooks take spinlocks where such a kernel may not"
#endif

/* 6.5 took sendpage out and brought MSG_SPLICE_PAGES. */
#define TCPCRYPT_HAVE_SENDPAGE	(LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0))

/* recvmsg of struct proto lost its addr_len in 6.16 or so; ioctl got a kernel pointer in 6.5. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define TCPCRYPT_RECVMSG_ARGS(sk, msg, len, flags) \
	struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len
#define TCPCRYPT_RECVMSG_PASS(sk, msg, len, flags)	sk, msg, len, flags, addr_len
#else
#define TCPCRYPT_RECVMSG_ARGS(sk, msg, len, flags) \
	struct sock *sk, struct msghdr *msg, size_t len, int flags
#define TCPCRYPT_RECVMSG_PASS(sk, msg, len, flags)	sk, msg, len, flags
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define TCPCRYPT_IOCTL_ARG	unsigned long arg
static inline int tcpcrypt_ioctl_reply(unsigned long arg, int answer)
{
	return put_user(answer, (int __user *)arg);
}
#else
#define TCPCRYPT_IOCTL_ARG	int *arg
static inline int tcpcrypt_ioctl_reply(int *arg, int answer)
{
	*arg = answer;
	return 0;
}
#endif

#ifndef timer_container_of
#define timer_container_of(var, callback_timer, timer_fieldname) \
	from_timer(var, callback_timer, timer_fieldname)
#endif

/**
 * tcpcrypt_tcp_send_pages() - hand sealed pages to TCP without a copy
 * @sk: the socket, owned by the caller
 * @bv: the pages; TCP takes references of its own
 * @n: how many
 * @size: their bytes in all
 * @flags: MSG_MORE if more follows at once
 *
 * Never blocks.
 * Return: bytes taken, or a negative errno if none was
 */
#if TCPCRYPT_HAVE_SENDPAGE
static inline ssize_t tcpcrypt_tcp_send_pages(struct sock *sk, struct bio_vec *bv, unsigned int n,
					      size_t size, int flags)
{
	ssize_t sent = 0;
	unsigned int i;

	flags |= MSG_DONTWAIT | MSG_NOSIGNAL;
	for (i = 0; i < n; i++) {
		int last = i + 1 == n ? 0 : MSG_SENDPAGE_NOTLAST | MSG_MORE;
		ssize_t ret = do_tcp_sendpages(sk, bv[i].bv_page, bv[i].bv_offset, bv[i].bv_len,
					       flags | last);

		if (ret < 0)
			return sent ? : ret;
		sent += ret;
		if (ret < bv[i].bv_len)
			break;
	}
	return sent;
}
#else
static inline ssize_t tcpcrypt_tcp_send_pages(struct sock *sk, struct bio_vec *bv, unsigned int n,
					      size_t size, int flags)
{
	struct msghdr msg = { .msg_flags = MSG_SPLICE_PAGES | MSG_DONTWAIT | MSG_NOSIGNAL | flags };

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bv, n, size);
	return tcp_sendmsg_locked(sk, &msg, size);
}
#endif

/** tcpcrypt_zerocopy_notify() - tell a MSG_ZEROCOPY sender that its bytes were copied */
static inline int tcpcrypt_zerocopy_notify(struct sock *sk, size_t size)
{
	struct ubuf_info *uarg;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
	uarg = msg_zerocopy_realloc(sk, size, NULL);
#else
	uarg = msg_zerocopy_realloc(sk, size, NULL, false);
#endif
	if (!uarg)
		return -ENOBUFS;
	uarg_to_msgzc(uarg)->zerocopy = 0;
	net_zcopy_put(uarg);
	return 0;
}

#endif
