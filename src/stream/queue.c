// SPDX-License-Identifier: GPL-2.0
/* TCP's receive queue: the frames that are there, counted and not opened. */
#include "stream/rx.h"

/*
 * Copy @len bytes that lie @pos bytes into the queue; the caller knows that they are there. The search starts
 * at *@at, NULL for the head, and leaves there where it found them: for walks that only go forward.
 */
static bool rx_peek_from(struct sock *sk, struct sk_buff **at, u32 pos, u8 *buf, u32 len)
{
	u32 seq = tcp_sk(sk)->copied_seq + pos;
	struct sk_buff *skb = *at ? : skb_peek(&sk->sk_receive_queue);

	if (!skb)
		return false;
	skb_queue_walk_from(&sk->sk_receive_queue, skb) {
		u32 off = seq - TCP_SKB_CB(skb)->seq;
		u32 part;

		if ((s32)off < 0)
			return false;
		if (off >= skb->len)
			continue;
		*at = skb;
		part = min(len, skb->len - off);
		if (skb_copy_bits(skb, off, buf, part))
			return false;
		buf += part;
		seq += part;
		len -= part;
		if (!len)
			return true;
	}
	return false;
}

bool tcpcrypt_rx_peek(struct sock *sk, u32 pos, u8 *buf, u32 len)
{
	struct sk_buff *at = NULL;

	return rx_peek_from(sk, &at, pos, buf, len);
}

/*
 * Has a frame with rekey=1 arrived, maybe behind others that nobody reads (F-09)? Looks at each header once,
 * when it arrives: it lies in one of the last skbs, so the search goes from the tail.
 */
static bool rx_rekey_ahead(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	u32 head = tcp_sk(conn->sk)->copied_seq, end = head + rx_queued(conn->sk);
	u8 hdr[TCPCRYPT_FRAME_HDR_LEN];

	if (before(rx->scan, head))
		rx->scan = head + (rx->staged ? rx->need - rx->staged : 0);
	while ((s32)(end - rx->scan) >= (s32)sizeof(hdr)) {
		struct sk_buff *skb;
		u32 part = 0, off;

		skb_queue_reverse_walk(&conn->sk->sk_receive_queue, skb)
			if (!after(TCP_SKB_CB(skb)->seq, rx->scan))
				break;
		while (part < sizeof(hdr) && skb != (struct sk_buff *)&conn->sk->sk_receive_queue) {
			off = rx->scan + part - TCP_SKB_CB(skb)->seq;
			if (off < skb->len) {
				u32 n = min_t(u32, sizeof(hdr) - part, skb->len - off);

				if (skb_copy_bits(skb, off, hdr + part, n))
					break;
				part += n;
			}
			skb = skb->next;
		}
		if (part < sizeof(hdr))
			break;
		if (hdr[0] & TCPCRYPT_CONTROL_REKEY) {
			rx->rekey_seq = rx->scan;
			rx->rekey_ahead = true;
			rx->rekeys++;
		}
		rx->scan += sizeof(hdr) + get_unaligned_be16(hdr + 1);
	}
	return rx->rekey_ahead;
}

bool tcpcrypt_rx_read_head(struct tcpcrypt_conn *conn)
{
	u8 hdr[TCPCRYPT_FRAME_HDR_LEN];

	if (rx_queued(conn->sk) < sizeof(hdr) || !tcpcrypt_rx_peek(conn->sk, 0, hdr, sizeof(hdr)))
		return false;
	conn->rx.need = sizeof(hdr) + get_unaligned_be16(hdr + 1);
	return true;
}

static bool rx_sealed(struct tcpcrypt_conn *conn)
{
	return conn->state == TCPCRYPT_ENCRYPTED && !conn->rx.finp && rx_whole(conn);
}

/* Bytes to read, no further than @limit; @sealed: rx_sealed(). In *@sure: those of them that are certain. */
static u32 rx_count(struct tcpcrypt_conn *conn, u32 limit, bool sealed, u32 *sure)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	u32 avail = rx->ready, queued, pos;
	u8 hdr[TCPCRYPT_FRAME_HDR_LEN];
	struct sk_buff *at = NULL;

	*sure = avail;
	if (avail >= limit || !sealed)
		return avail;
	avail += rx_data_of(rx->need);
	*sure += rx_data_sure(rx->need);
	/* Opened first, and soon: no walk over what a peer may have made long. */
	if (!rx_data_of(rx->need) && limit != INT_MAX)
		return avail;
	queued = rx_queued(conn->sk);
	pos = rx->need - rx->staged;
	while (avail < limit && queued - pos >= sizeof(hdr)) {
		u32 need;

		if (!rx_peek_from(conn->sk, &at, pos, hdr, sizeof(hdr)))
			break;
		need = sizeof(hdr) + get_unaligned_be16(hdr + 1);
		if (queued - pos < need)
			break;
		avail += rx_data_of(need);
		*sure += rx_data_sure(need);
		pos += need;
	}
	return avail;
}

u32 tcpcrypt_rx_avail(struct tcpcrypt_conn *conn, u32 limit)
{
	u32 sure;

	return rx_count(conn, limit, conn->rx.ready < limit && rx_sealed(conn), &sure);
}

u32 tcpcrypt_rx_inq(struct tcpcrypt_conn *conn)
{
	const struct tcpcrypt_rx *rx = &conn->rx;
	u32 avail = tcpcrypt_rx_avail(conn, INT_MAX);

	if (rx->urg_data && !sock_flag(conn->sk, SOCK_URGINLINE))	/* tcp_inq() */
		avail = min_t(u64, avail, rx->urg_pos - tcpcrypt_rx_pos(rx));
	return min_t(u32, avail, INT_MAX);
}

u32 tcpcrypt_rx_target(const struct tcpcrypt_conn *conn)
{
	/* As tcp_poll(): the urgent byte itself is nothing to read. */
	return max(READ_ONCE(conn->rcvlowat), 1) +
	       (READ_ONCE(conn->rx.at_mark) && !sock_flag(conn->sk, SOCK_URGINLINE));
}

bool tcpcrypt_rx_update(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	bool sealed = rx_sealed(conn);
	u32 avail, sure, target;

	WRITE_ONCE(rx->at_mark, rx->urg_data && rx->urg_pos == tcpcrypt_rx_pos(rx));
	target = tcpcrypt_rx_target(conn);
	/* SO_OOBINLINE may change any time: at the mark one byte more is known of than it takes now. */
	avail = rx_count(conn, target + rx->at_mark, sealed, &sure);
	/* As tcp_epollin_ready() has it: no more comes before somebody reads. Small frames are mostly overhead. */
	if (avail < target && avail > target - max(conn->rcvlowat, 1) && tcp_epollin_ready(conn->sk, INT_MAX)) {
		avail = target;
		sure = target;
	}
	WRITE_ONCE(rx->doubt, avail >= target && sure < target);
	WRITE_ONCE(rx->sealed, sealed);
	WRITE_ONCE(rx->avail, avail);
	return rx_enough(conn, avail);
}

void tcpcrypt_rx_sleep(struct tcpcrypt_conn *conn, size_t need)
{
	struct tcpcrypt_rx *rx = &conn->rx;

	rx->sleeper = rx->sleeper ? min(rx->sleeper, need) : need;
}

void tcpcrypt_rx_wake(struct tcpcrypt_conn *conn)
{
	conn->rx.sleeper = 0;		/* who sleeps on says so again */
	conn->saved_data_ready(conn->sk);
}

/*
 * Will the rest of the frame come while what is here stays in TCP's queue? Not if the window is closed, or
 * closes before the frame is whole: SO_RCVBUF may be smaller than a frame.
 */
bool tcpcrypt_rx_stalled(struct tcpcrypt_conn *conn)
{
	struct sock *sk = conn->sk;
	u32 queued = rx_queued(sk);

	if (!queued || !rx_head(conn) || conn->rx.staged + queued >= conn->rx.need)
		return false;
	return conn->rx.staged || tcp_epollin_ready(sk, INT_MAX) ||
	       conn->rx.staged + queued + tcp_receive_window(tcp_sk(sk)) < conn->rx.need;
}

bool tcpcrypt_rx_needs_worker(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	struct sock *sk = conn->sk;

	if (conn->rx.finp)
		return rx_queued(sk) > 0;
	if (sock_flag(sk, SOCK_DONE))
		return true;
	if (!rx_whole(conn))
		return tcpcrypt_rx_stalled(conn);
	if (!rx_data_of(rx->need) || (READ_ONCE(rx->turned_away) && rx->doubt))
		return true;
	/* F-09: a rekey is answered at once, also when nobody reads. F-07: nor does SIGURG wait for a reader. */
	return rx->ready < rx_ahead_max(conn) &&
	       (rx_rekey_ahead(conn) || READ_ONCE(rx->turned_away) || tcpcrypt_has_owner(sk));
}

/*
 * Beyond that bound a rekey is answered on the word of its header: with the frame that would answer it, which is
 * one that we may send at any time. So a peer that asks whether we are alive hears so, however long nobody reads.
 * If the header is forged, the frame that it is the header of fails.
 */
bool tcpcrypt_rx_answer_unopened(struct tcpcrypt_conn *conn)
{
	const struct tcpcrypt_rx *rx = &conn->rx;

	return unlikely(rx->ready >= rx_ahead_max(conn)) && !conn->tx.finp && !conn->shut_tx && !rx->finp &&
	       rx_whole(conn) && conn->tx.gen >= rx->gen && rx_rekey_ahead(conn) && conn->tx.gen - rx->gen < max(rx->rekeys, 1U);
}

bool tcpcrypt_rx_unopened(struct tcpcrypt_conn *conn)
{
	return conn->rx.staged || rx_queued(conn->sk);
}

bool tcpcrypt_rx_blind(struct tcpcrypt_conn *conn)
{
	return tcp_epollin_ready(conn->sk, INT_MAX) || (rx_whole(conn) && rx_rekey_ahead(conn));
}
