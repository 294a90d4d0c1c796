/* SPDX-License-Identifier: GPL-2.0 */
/* What rx.c, which opens frames, and queue.c, which counts them, have of each other. Lock owned throughout. */
#ifndef TCPCRYPT_STREAM_RX_H
#define TCPCRYPT_STREAM_RX_H

#include "stream/stream.h"

/* Bytes in TCP's queue, in order, a FIN not counted. */
static inline u32 rx_queued(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 n = tp->rcv_nxt - tp->copied_seq;

	if (n && sock_flag(sk, SOCK_DONE))
		n--;
	return n;
}

/** tcpcrypt_rx_peek() - copy @len bytes that lie @pos bytes into TCP's queue; false if they are not there */
bool tcpcrypt_rx_peek(struct sock *sk, u32 pos, u8 *buf, u32 len);

/** tcpcrypt_rx_read_head() - rx_head() for the first time */
bool tcpcrypt_rx_read_head(struct tcpcrypt_conn *conn);

/** tcpcrypt_rx_stalled() - will the rest of the frame at the head not come while what is here stays in the queue? */
bool tcpcrypt_rx_stalled(struct tcpcrypt_conn *conn);

/* Learn how long the frame at the head is. False while its header is not whole; rx.need stays 0 then. */
static inline bool rx_head(struct tcpcrypt_conn *conn)
{
	return conn->rx.need || tcpcrypt_rx_read_head(conn);
}

static inline bool rx_whole(struct tcpcrypt_conn *conn)
{
	return rx_head(conn) && conn->rx.staged + rx_queued(conn->sk) >= conn->rx.need;
}

/* Plaintext in a frame of that length on the wire. */
static inline u32 rx_data_of(u32 need)
{
	return need > TCPCRYPT_FRAME_OVERHEAD ? need - TCPCRYPT_FRAME_OVERHEAD : 0;
}

/*
 * What of that a reader gets at the least: with URGp, two bytes are not data, and one is urgent. One byte alone has
 * no room for it.
 */
static inline u32 rx_data_sure(u32 need)
{
	u32 data = rx_data_of(need);

	return data < TCPCRYPT_URGENT_LEN ? data : data - min_t(u32, data, TCPCRYPT_URGENT_LEN + 1);
}

/*
 * Is there enough for somebody to be woken? SO_RCVLOWAT is what the next reader waits for; one that has already
 * taken a part of what he asked for needs less than that. (TCP's own would sleep on, and maybe for ever.)
 */
static inline bool rx_enough(const struct tcpcrypt_conn *conn, u32 avail)
{
	return avail >= tcpcrypt_rx_target(conn) || (conn->rx.sleeper && avail >= conn->rx.sleeper);
}

/*
 * What is opened ahead of the reader leaves TCP's window. It is bounded, or a peer that says rekey=1 or URGp in
 * every frame could fill our memory past its window.
 */
static inline u32 rx_ahead_max(const struct tcpcrypt_conn *conn)
{
	return READ_ONCE(conn->sk->sk_rcvbuf) / 2;
}

#endif
