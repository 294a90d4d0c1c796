/* SPDX-License-Identifier: GPL-2.0 */
/* The socket as an application sees it: taking it over, giving it back, and both directions of its data. */
#ifndef TCPCRYPT_STREAM_STREAM_H
#define TCPCRYPT_STREAM_STREAM_H

#include "session/conn.h"

/* attach.c */
int tcpcrypt_attach_init(void);

/** tcpcrypt_attach_possible() - is this a TCP socket that we know how to take over? socket lock held */
enum tcpcrypt_reason tcpcrypt_attach_possible(const struct sock *sk);

/** tcpcrypt_attach() - take the socket over; cannot fail; consumes the caller's reference on @conn; lock held */
void tcpcrypt_attach(struct sock *sk, struct tcpcrypt_conn *conn);

/**
 * tcpcrypt_detach() - give the slot, sk_prot, callbacks and operations back
 * @conn: connection
 *
 * Puts the slot's references on the connection and the module. Context: socket lock held, any context.
 */
void tcpcrypt_detach(struct tcpcrypt_conn *conn);

/** tcpcrypt_fallback() - plain TCP from here on, for @reason; socket lock held, state SYN_SENT */
void tcpcrypt_fallback(struct tcpcrypt_conn *conn, enum tcpcrypt_reason reason);

/** tcpcrypt_mss_release() - the option is not sent any more: full segments again; lock held */
void tcpcrypt_mss_release(struct tcpcrypt_conn *conn);

/** tcpcrypt_attach_ops() - have a socket's proto_ops replaced once it has a struct socket; lock held */
void tcpcrypt_attach_ops(struct sock *sk);

/** tcpcrypt_attach_af_base() - the icsk_af_ops that a socket would have without us; lock held */
const struct inet_connection_sock_af_ops *tcpcrypt_attach_af_base(const struct sock *sk);

/** tcpcrypt_option_af_ops_restore() - put icsk_af_ops back if it is still ours; lock held */
void tcpcrypt_option_af_ops_restore(struct tcpcrypt_conn *conn);

/** tcpcrypt_attach_base_ops() - the proto_ops that a socket would have without us */
const struct proto_ops *tcpcrypt_attach_base_ops(const struct sock *sk);

/**
 * tcpcrypt_leave_to_sleep() - as tcpcrypt_leave_to_base(), for a function that may sleep for as long as it likes
 * @sk: without a connection of ours
 * @dontwait: it will return at once
 *
 * The connection held the module until it became plain. When rmmod was quicker than this thread, it would wait for
 * whatever the base's function waits for. The system call is begun anew then, and meets nothing of us any more.
 *
 * Return: 0, or a negative error code with which the caller returns
 */
int tcpcrypt_leave_to_sleep(const struct sock *sk, bool dontwait);

/** tcpcrypt_attach_is_kernels() - a socket that no program has; one of MPTCP has a program behind it; any context */
bool tcpcrypt_attach_is_kernels(const struct sock *sk);

/** tcpcrypt_attach_optin_prot() - the struct proto of an opted-in socket over @base; NULL if we do not know that */
struct proto *tcpcrypt_attach_optin_prot(const struct proto *base);

/** tcpcrypt_attach_plain_prot() - and back; NULL if @prot is none of those */
struct proto *tcpcrypt_attach_plain_prot(const struct proto *prot);

/** tcpcrypt_detach_disconnected() - as detach; who opted in stays so, and may connect again */
void tcpcrypt_detach_disconnected(struct tcpcrypt_conn *conn);

/*
 * optin.c: sockets that asked for us by setsockopt(TCP_ULP) and are not connected. The slot has another
 * tcp_ulp_ops and struct tcpcrypt_settings as its data; but for socket options such a socket is TCP's.
 *
 *   setsockopt(TCP_ULP) --> opted in --connect()--> conn --fallback--> plain
 *                             |  ^--disconnect, connect() failed--'
 *                             '--listen()--> clone: the child, until it is ESTABLISHED
 */
int tcpcrypt_optin_init(void);
void tcpcrypt_optin_exit(void);

/** tcpcrypt_optin_of() - the settings of an opted-in socket, NULL if it is none; socket lock held */
struct tcpcrypt_settings *tcpcrypt_optin_of(const struct sock *sk);

/** tcpcrypt_optin_of_rcu() - the same without the lock, in an RCU read section */
struct tcpcrypt_settings *tcpcrypt_optin_of_rcu(const struct sock *sk);

/** tcpcrypt_optin_take() - empty the slot; its references on the settings and the module are the caller's */
struct tcpcrypt_settings *tcpcrypt_optin_take(struct sock *sk);

/** tcpcrypt_optin_drop() - plain TCP from here on */
void tcpcrypt_optin_drop(struct sock *sk);

/** tcpcrypt_optin_fill() - into an empty slot; takes the references over */
void tcpcrypt_optin_fill(struct sock *sk, struct tcpcrypt_settings *set);

/** tcpcrypt_optin_replace() - other settings; the old ones are put */
void tcpcrypt_optin_replace(struct sock *sk, struct tcpcrypt_settings *set);

/* callbacks.c */
void tcpcrypt_data_ready(struct sock *sk);
void tcpcrypt_state_change(struct sock *sk);
void tcpcrypt_write_space(struct sock *sk);
void tcpcrypt_release_cb(struct sock *sk);

/**
 * tcpcrypt_cipher_fit_req() - make sure that a request is large enough for a new transform
 * @cipher: new
 * @old: the one that *@req was made for
 * @req: replaced if it must be
 *
 * Return: 0 or -ENOMEM
 */
static inline int tcpcrypt_cipher_fit_req(struct tcpcrypt_cipher *cipher, struct tcpcrypt_cipher *old,
					  struct aead_request **req)
{
	struct aead_request *larger;

	if (crypto_aead_reqsize(cipher->tfm) <= crypto_aead_reqsize(old->tfm))
		return 0;
	larger = aead_request_alloc(cipher->tfm, GFP_KERNEL_ACCOUNT);
	if (!larger)
		return -ENOMEM;
	kfree_sensitive(*req);
	*req = larger;
	return 0;
}

/* tx.c; socket lock owned by the caller */

int tcpcrypt_tx_init(void);
void tcpcrypt_tx_exit(void);

/** tcpcrypt_tx_prepare() - what sealing needs beside the key; the worker, no lock; -ENOMEM */
int tcpcrypt_tx_prepare(struct tcpcrypt_conn *conn, struct tcpcrypt_cipher *cipher);

/** tcpcrypt_tx_room() - may another frame be sealed? nothing is left over, and TCP has room */
bool tcpcrypt_tx_room(struct tcpcrypt_conn *conn);

/** tcpcrypt_tx_frame_size() - data bytes that the next frame should carry at most */
size_t tcpcrypt_tx_frame_size(struct tcpcrypt_conn *conn);

/**
 * tcpcrypt_tx_seal() - make one frame and queue it for tcpcrypt_tx_push()
 * @conn: connection, ENCRYPTED; nothing is left over from the last frame
 * @from: data, NULL for an empty frame; advanced by what was taken
 * @max: data bytes at most
 * @flags: TCPCRYPT_FLAG_FINP, TCPCRYPT_FLAG_URGP (the last byte of @from is urgent), or 0
 *
 * Return: data bytes taken, or a negative errno and nothing changed
 */
ssize_t tcpcrypt_tx_seal(struct tcpcrypt_conn *conn, struct iov_iter *from, size_t max, u8 flags);

/** tcpcrypt_tx_push() - give sealed bytes to TCP; @flags MSG_MORE or 0; 0 when all went, else -EAGAIN or an error */
int tcpcrypt_tx_push(struct tcpcrypt_conn *conn, int flags);

/** tcpcrypt_tx_check_heard() - no option and full segments once a segment without SYN was heard (E-12) */
void tcpcrypt_tx_check_heard(struct tcpcrypt_conn *conn);

/** tcpcrypt_tx_raw() - bytes of the key exchange; @bh: only the spinlock is held; bytes taken or -EAGAIN */
int tcpcrypt_tx_raw(struct tcpcrypt_conn *conn, const u8 *buf, size_t len, bool bh);

/** tcpcrypt_tx_wait_room() - how many bytes may be written before the keys are there */
size_t tcpcrypt_tx_wait_room(const struct tcpcrypt_conn *conn);

/** tcpcrypt_tx_wait_store() - keep plaintext until the keys are there; bytes taken or a negative errno */
ssize_t tcpcrypt_tx_wait_store(struct tcpcrypt_conn *conn, struct iov_iter *from, size_t max);

/** tcpcrypt_tx_waiting_free() - wipe what waits; socket lock held, any context */
void tcpcrypt_tx_waiting_free(struct tcpcrypt_conn *conn);

/** tcpcrypt_tx_finish() - FINp, then FIN, as far as they can go now; 0, -EAGAIN, or an error */
int tcpcrypt_tx_finish(struct tcpcrypt_conn *conn);

/** tcpcrypt_tx_rekey() - the next generation; the next frame says so (F-08) */
int tcpcrypt_tx_rekey(struct tcpcrypt_conn *conn);

/**
 * tcpcrypt_tx_rekey_owed() - has no frame of a new generation gone out yet?
 * @conn: connection, lock held
 *
 * One that answers the peer, one that was asked for, or one that could not be sealed for want of memory.
 */
bool tcpcrypt_tx_rekey_owed(const struct tcpcrypt_conn *conn);

/**
 * tcpcrypt_tx_answer_rekey() - the empty frames with rekey=1 that are owed, at once (F-09)
 *
 * None after FINp. The worker retries what fails.
 */
void tcpcrypt_tx_answer_rekey(struct tcpcrypt_conn *conn);

/**
 * tcpcrypt_tx_request_rekey() - the next generation, with an empty frame of its own; FINp is not made yet
 *
 * Nothing, if the peer has not answered the last request yet (F-10).
 */
void tcpcrypt_tx_request_rekey(struct tcpcrypt_conn *conn);

/** tcpcrypt_tx_work() - the worker's share: what waits, what is left over, FINp and FIN */
int tcpcrypt_tx_work(struct tcpcrypt_conn *conn);

/* rx.c; socket lock held */

/** tcpcrypt_rx_prepare() - what opening needs beside the key; the worker, no lock; -ENOMEM */
int tcpcrypt_rx_prepare(struct tcpcrypt_conn *conn, struct tcpcrypt_cipher *cipher);

/** tcpcrypt_rx_avail() - plaintext bytes that a reader could have now; looks no further than @limit */
u32 tcpcrypt_rx_avail(struct tcpcrypt_conn *conn, u32 limit);

/** tcpcrypt_rx_pos() - where the reader is, in application bytes of this direction */
static inline u64 tcpcrypt_rx_pos(const struct tcpcrypt_rx *rx)
{
	return rx->bytes - rx->ready;
}

/** tcpcrypt_rx_inq() - SIOCINQ: bytes that a reader could have, up to the urgent mark as far as it is known of */
u32 tcpcrypt_rx_inq(struct tcpcrypt_conn *conn);

/** tcpcrypt_rx_target() - how much rx.avail must be for a reader; may be called without the lock */
u32 tcpcrypt_rx_target(const struct tcpcrypt_conn *conn);

/** tcpcrypt_rx_update() - bring rx.avail up to date; true if there is enough for a reader to be woken */
bool tcpcrypt_rx_update(struct tcpcrypt_conn *conn);

/**
 * tcpcrypt_rx_sleep() - a reader is about to sleep, and @need bytes will do for it
 * @conn: lock owned
 * @need: more than 0
 *
 * It holds until the next tcpcrypt_rx_wake(): who is woken in vain says it again.
 */
void tcpcrypt_rx_sleep(struct tcpcrypt_conn *conn, size_t need);

/** tcpcrypt_rx_wake() - wake all who wait for something to read; lock held */
void tcpcrypt_rx_wake(struct tcpcrypt_conn *conn);

/** tcpcrypt_rx_needs_worker() - is there something that no reader would come for? */
bool tcpcrypt_rx_needs_worker(struct tcpcrypt_conn *conn);

/** tcpcrypt_rx_answer_unopened() - is a rekey to be answered whose frame has to wait for the reader? */
bool tcpcrypt_rx_answer_unopened(struct tcpcrypt_conn *conn);

/** tcpcrypt_rx_unopened() - have bytes arrived that are not opened yet? */
bool tcpcrypt_rx_unopened(struct tcpcrypt_conn *conn);

/** tcpcrypt_rx_blind() - may the peer have an answer that does not get through to us before somebody reads? */
bool tcpcrypt_rx_blind(struct tcpcrypt_conn *conn);

/**
 * tcpcrypt_rx_open() - open the frame at the head; lock owned
 * @conn: connection, ENCRYPTED
 * @direct: where its data may go without a copy if they fit, NULL for nowhere
 *
 * Return: bytes that went to @direct; 0 if they are in rx.chunks (or there were none); -EAGAIN while the
 * frame is not whole; another errno when the connection has failed
 */
ssize_t tcpcrypt_rx_open(struct tcpcrypt_conn *conn, struct iov_iter *direct);

/** tcpcrypt_rx_settle() - open what carries no data, until something to read is at the head; lock owned */
int tcpcrypt_rx_settle(struct tcpcrypt_conn *conn);

/**
 * tcpcrypt_rx_ahead() - open frames before somebody reads them
 * @conn: connection, lock owned
 * @all: as many as may be, in search of urgent data; else until it is certain whether there is something to read
 *
 * Wakes nobody: whoever waits was woken when the frames arrived, and looks by himself.
 */
void tcpcrypt_rx_ahead(struct tcpcrypt_conn *conn, bool all);

/** tcpcrypt_rx_was_read() - what a reader has to do in the end; lock owned */
void tcpcrypt_rx_was_read(struct tcpcrypt_conn *conn);

/** tcpcrypt_rx_idle() - nothing to read for now: give pages back */
void tcpcrypt_rx_idle(struct tcpcrypt_conn *conn);

/** tcpcrypt_rx_copy() - from rx.chunks, after @skip bytes; to NULL: only consume; bytes or -EFAULT */
ssize_t tcpcrypt_rx_copy(struct tcpcrypt_conn *conn, struct iov_iter *to, size_t len, size_t skip, bool consume);

/** tcpcrypt_rx_work() - the worker's share: frames without data, a FIN, a stalled window */
int tcpcrypt_rx_work(struct tcpcrypt_conn *conn);

/* alive.c */

/** tcpcrypt_alive_work() - the worker's share: ask the peer, or give it up; state ENCRYPTED, lock owned */
void tcpcrypt_alive_work(struct tcpcrypt_conn *conn);

/** tcpcrypt_alive_changed() - a parameter of the keep-alive did; lock held, any context */
void tcpcrypt_alive_changed(struct sock *sk);

void tcpcrypt_keepalive(struct sock *sk, int on);

/* sendmsg.c, recvmsg.c, poll.c, close.c, sockopt.c: members of our struct proto and proto_ops */
int tcpcrypt_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);
int tcpcrypt_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size);
#if TCPCRYPT_HAVE_SENDPAGE
int tcpcrypt_sendpage(struct sock *sk, struct page *page, int offset, size_t size, int flags);
int tcpcrypt_sendpage_locked(struct sock *sk, struct page *page, int offset, size_t size, int flags);
#endif
int tcpcrypt_recvmsg(TCPCRYPT_RECVMSG_ARGS(sk, msg, len, flags));
ssize_t tcpcrypt_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe, size_t len,
			     unsigned int flags);
int tcpcrypt_read_sock(struct sock *sk, read_descriptor_t *desc, sk_read_actor_t actor);
int tcpcrypt_read_skb(struct sock *sk, skb_read_actor_t actor);
__poll_t tcpcrypt_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait);
bool tcpcrypt_sock_is_readable(struct sock *sk);
int tcpcrypt_ioctl(struct sock *sk, int cmd, TCPCRYPT_IOCTL_ARG);
int tcpcrypt_peek_len(struct socket *sock);
int tcpcrypt_set_rcvlowat(struct sock *sk, int val);
int tcpcrypt_shutdown(struct socket *sock, int how);
void tcpcrypt_close(struct sock *sk, long timeout);
int tcpcrypt_disconnect(struct sock *sk, int flags);
int tcpcrypt_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval, unsigned int optlen);
int tcpcrypt_getsockopt(struct sock *sk, int level, int optname, char __user *optval, int __user *optlen);

/** tcpcrypt_close_work() - the worker's share after close(); true when the socket may be released */
bool tcpcrypt_close_work(struct tcpcrypt_conn *conn);

/** tcpcrypt_close_done() - release what close() kept; no lock held */
void tcpcrypt_close_done(struct tcpcrypt_conn *conn);

/**
 * tcpcrypt_wait() - sleep once, until the socket's wait queue is woken, the time is over or a signal came
 * @sk: owned before and after, not in between
 * @timeo: what is left, updated
 *
 * The caller looks at the slot again afterwards.
 */
void tcpcrypt_wait(struct sock *sk, long *timeo);

#endif
