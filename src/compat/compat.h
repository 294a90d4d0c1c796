/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel versions: the one place that knows them. The code is written against the newest. */
#ifndef TCPCRYPT_COMPAT_H
#define TCPCRYPT_COMPAT_H

#include <linux/version.h>
#include <linux/net.h>
#include <linux/bvec.h>
#include <linux/timer.h>
#include <linux/fs.h>
#include <linux/skbuff.h>
#include <net/tcp.h>
#include <net/inet_hashtables.h>
#include <net/inet6_hashtables.h>

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

/** tcpcrypt_has_owner() - does anybody get this socket's SIGURG (F_SETOWN)? socket lock held */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
static inline bool tcpcrypt_has_owner(const struct sock *sk)
{
	struct file *file = sk->sk_socket ? READ_ONCE(sk->sk_socket->file) : NULL;

	return file && READ_ONCE(file->f_owner.pid);
}
#else
static inline bool tcpcrypt_has_owner(const struct sock *sk)
{
	struct file *file = sk->sk_socket ? READ_ONCE(sk->sk_socket->file) : NULL;

	return file && file_f_owner(file);
}
#endif

/** tcpcrypt_zerocopy_begin() - the notification that a MSG_ZEROCOPY sender will wait for; NULL without memory */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
static inline struct ubuf_info *tcpcrypt_zerocopy_begin(struct sock *sk, size_t size)
{
	return msg_zerocopy_realloc(sk, size, NULL);
}
#else
static inline struct ubuf_info *tcpcrypt_zerocopy_begin(struct sock *sk, size_t size)
{
	return msg_zerocopy_realloc(sk, size, NULL, false);
}
#endif

/** tcpcrypt_zerocopy_end() - send it: the bytes were copied; or take it back if none was; NULL is fine */
static inline void tcpcrypt_zerocopy_end(struct ubuf_info *uarg, bool sent)
{
	if (!uarg)
		return;
	if (!sent) {
		net_zcopy_put_abort(uarg, true);
		return;
	}
	uarg_to_msgzc(uarg)->zerocopy = 0;
	net_zcopy_put(uarg);
}

/** tcpcrypt_find_established_v4() - the full, request or TIME_WAIT socket of a segment, referenced; RCU read lock */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define TCPCRYPT_HASHINFO(net)	(net)->ipv4.tcp_death_row.hashinfo,
#else
#define TCPCRYPT_HASHINFO(net)
#endif
static inline struct sock *tcpcrypt_find_established_v4(struct net *net, struct sk_buff *skb, const struct tcphdr *th)
{
	const struct iphdr *iph = ip_hdr(skb);

	return __inet_lookup_established(net, TCPCRYPT_HASHINFO(net) iph->saddr, th->source, iph->daddr,
					 ntohs(th->dest), inet_iif(skb), inet_sdif(skb));
}

/** tcpcrypt_find_established_v6() - the same for IPv6 */
#if IS_ENABLED(CONFIG_IPV6)
static inline struct sock *tcpcrypt_find_established_v6(struct net *net, struct sk_buff *skb, const struct tcphdr *th)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	return __inet6_lookup_established(net, TCPCRYPT_HASHINFO(net) &ip6h->saddr, th->source, &ip6h->daddr,
					  ntohs(th->dest), inet6_iif(skb), inet6_sdif(skb));
}
#else
static inline struct sock *tcpcrypt_find_established_v6(struct net *net, struct sk_buff *skb, const struct tcphdr *th)
{
	return NULL;
}
#endif

/**
 * tcpcrypt_find_listener_v4() - who listens for a segment from @saddr and @sport to @daddr and @hnum
 * @net: namespace
 * @saddr: the other end's address
 * @sport: its port
 * @daddr: this end's address
 * @hnum: its port, host order
 * @dif: where it came in
 * @sdif: and which slave device that was, 0 for none
 *
 * Of several that share a port by SO_REUSEPORT a BPF program is not asked, but the hash. RCU read lock held.
 * Return: a listener without a reference, or NULL
 */
static inline struct sock *tcpcrypt_find_listener_v4(struct net *net, __be32 saddr, __be16 sport, __be32 daddr,
						     u16 hnum, int dif, int sdif)
{
	return __inet_lookup_listener(net, TCPCRYPT_HASHINFO(net) NULL, 0, saddr, sport, daddr, hnum, dif, sdif);
}

/** tcpcrypt_find_listener_v6() - the same for IPv6 */
#if IS_ENABLED(CONFIG_IPV6)
static inline struct sock *tcpcrypt_find_listener_v6(struct net *net, const struct in6_addr *saddr, __be16 sport,
						     const struct in6_addr *daddr, u16 hnum, int dif, int sdif)
{
	return inet6_lookup_listener(net, TCPCRYPT_HASHINFO(net) NULL, 0, saddr, sport, daddr, hnum, dif, sdif);
}
#else
static inline struct sock *tcpcrypt_find_listener_v6(struct net *net, const struct in6_addr *saddr, __be16 sport,
						     const struct in6_addr *daddr, u16 hnum, int dif, int sdif)
{
	return NULL;
}
#endif

#endif
