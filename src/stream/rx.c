// SPDX-License-Identifier: GPL-2.0
/* The receiving direction: frames from TCP's queue, opened into a reader's pages or into ours. */
#include "stream/rx.h"
#include <linux/highmem.h>

#define RX_PIN_MIN	2048	/* below: a copy is cheaper than to pin the reader's pages */
#define RX_SCRATCH	16	/* AD and flags byte, apart from each other */
#define RX_SCRATCH_AD	0
#define RX_SCRATCH_FLAGS 8
#define RX_SPARE_PAGES	9	/* a chunk of up to this many pages is kept for the next frame */
#define RX_MERGE_MAX	2048	/* data up to this share pages with what is not read yet */

/*
 * URGENT DATA (F-07)
 *
 * The mark behaves as TCP's: rx.urg_data and rx.urg_pos mean what urg_data and urg_seq mean there, in bytes of
 * plaintext, and change where tcp_check_urg(), tcp_urg() and tcp_recvmsg() change those. The urgent byte stays in
 * rx.chunks until a reader steps over it.
 *
 * What TCP reads in a segment's header stands inside a frame here. So whoever wants to know of urgent data early
 * has the frames opened that have arrived: poll() for EPOLLPRI, recv(MSG_OOB) and SIOCATMARK do it themselves, for
 * SIGURG's owner the worker does. Who never asks goes on reading straight into his own pages. Ahead of the reader
 * no more than rx_ahead_max() is opened; what is urgent behind that is announced as he reads on.
 */

int tcpcrypt_rx_prepare(struct tcpcrypt_conn *conn, struct tcpcrypt_cipher *cipher)
{
	struct tcpcrypt_rx *rx = &conn->rx;

	/* One allocation: both tables, then the scratch bytes. */
	rx->sg = kmalloc(2 * TCPCRYPT_OPEN_SGS * sizeof(*rx->sg) + RX_SCRATCH, GFP_KERNEL_ACCOUNT);
	rx->req = aead_request_alloc(cipher->tfm, GFP_KERNEL_ACCOUNT);
	if (!rx->sg || !rx->req)
		return -ENOMEM;
	rx->sg_out = rx->sg + TCPCRYPT_OPEN_SGS;
	rx->scratch = (u8 *)(rx->sg_out + TCPCRYPT_OPEN_SGS);
	sg_init_table(rx->sg, TCPCRYPT_OPEN_SGS);
	sg_init_table(rx->sg_out, TCPCRYPT_OPEN_SGS);
	return 0;
}

/* Take bytes out of TCP's queue for good, and remember where it has to go on. */
static void rx_consume(struct tcpcrypt_conn *conn, u32 len)
{
	struct sock *sk = conn->sk;

	if (len)
		tcp_read_done(sk, len);
	conn->rx.seq = tcp_sk(sk)->copied_seq;
}

/* Ciphertext of the head frame out of TCP's queue into pages of ours, as much as is there. */
static int rx_stage(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	u32 len = min(rx->need - rx->staged, rx_queued(conn->sk));

	if (!rx->stage) {
		rx->stage = tcpcrypt_chunk_alloc(rx->need, GFP_KERNEL_ACCOUNT);
		if (!rx->stage)
			return -ENOMEM;
	}
	while (len) {
		struct page *page = rx->stage->pages[rx->staged >> PAGE_SHIFT];
		u32 in = offset_in_page(rx->staged);
		u32 part = min_t(u32, len, PAGE_SIZE - in);
		u8 *to = kmap_local_page(page);
		bool ok = tcpcrypt_rx_peek(conn->sk, 0, to + in, part);

		kunmap_local(to);
		if (!ok)
			return -EAGAIN;
		rx_consume(conn, part);
		rx->staged += part;
		len -= part;
	}
	return 0;
}

/*
 * The ciphertext of the head frame, header not included, as a list of pieces after an entry for the AD.
 * Return: entries in all, 0 if it does not fit into the table: then it is staged.
 */
static unsigned int rx_map_queue(struct tcpcrypt_conn *conn, struct scatterlist *sg)
{
	u32 seq = tcp_sk(conn->sk)->copied_seq + TCPCRYPT_FRAME_HDR_LEN;
	u32 left = conn->rx.need - TCPCRYPT_FRAME_HDR_LEN;
	unsigned int n = 1;
	struct sk_buff *skb;

	skb_queue_walk(&conn->sk->sk_receive_queue, skb) {
		u32 off = seq - TCP_SKB_CB(skb)->seq;
		u32 part;
		int ret;

		if (off >= skb->len)
			continue;
		part = min(left, skb->len - off);
		/* The end mark of the last entry is what bounds skb_to_sgvec(): that entry is never ours. */
		if (n >= TCPCRYPT_OPEN_SGS - 2)
			return 0;
		ret = skb_to_sgvec_nomark(skb, sg + n, off, part);
		if (ret <= 0)
			return 0;
		n += ret;
		if (n > TCPCRYPT_OPEN_SGS - 1)
			return 0;
		seq += part;
		left -= part;
		if (!left)
			return n;
	}
	return 0;
}

/* The reader's pages behind an entry for AD and flags byte. Return: entries in all, 0: use a chunk. */
static unsigned int rx_pin(struct iov_iter *to, u32 len, struct scatterlist *sg)
{
	struct page *pages[TCPCRYPT_OPEN_SGS];
	unsigned int n = 2, i;
	size_t start;
	u32 done = 0;

	while (done < len) {
		ssize_t got = iov_iter_get_pages2(to, pages, len - done, TCPCRYPT_OPEN_SGS - 1 - n, &start);

		if (got <= 0)
			goto undo;
		done += got;
		for (i = 0; got > 0; i++) {
			u32 part = min_t(size_t, got, PAGE_SIZE - start);

			sg_set_page(&sg[n++], pages[i], part, start);
			got -= part;
			start = 0;
		}
		if (n >= TCPCRYPT_OPEN_SGS - 1 && done < len)
			goto undo;
	}
	return n;
undo:
	iov_iter_revert(to, done);
	for (i = 2; i < n; i++)
		put_page(sg_page(&sg[i]));
	return 0;
}

/* Pages that got plaintext of a frame whose tag was wrong are wiped before anybody can look again. */
static void rx_unpin(struct scatterlist *sg, unsigned int n, bool wipe)
{
	unsigned int i;

	for (i = 2; i < n; i++) {
		if (wipe)
			memzero_page(sg_page(&sg[i]), sg[i].offset, sg[i].length);
		else if (!PageDirty(sg_page(&sg[i])))
			set_page_dirty_lock(sg_page(&sg[i]));
		put_page(sg_page(&sg[i]));
	}
}

static struct tcpcrypt_chunk *rx_chunk(struct tcpcrypt_rx *rx, u32 size)
{
	struct tcpcrypt_chunk *chunk = rx->spare;

	if (chunk && chunk->n_pages * PAGE_SIZE >= size) {
		rx->spare = NULL;
		chunk->off = 0;
		chunk->len = 0;
		return chunk;
	}
	return tcpcrypt_chunk_alloc(size, GFP_KERNEL_ACCOUNT);
}

static void rx_chunk_done(struct tcpcrypt_rx *rx, struct tcpcrypt_chunk *chunk)
{
	if (!rx->spare && chunk->n_pages <= RX_SPARE_PAGES)
		rx->spare = chunk;
	else
		tcpcrypt_chunk_free(chunk);
}

void tcpcrypt_rx_idle(struct tcpcrypt_conn *conn)
{
	if (conn->rx.spare && conn->rx.spare->n_pages > 1) {
		tcpcrypt_chunk_free(conn->rx.spare);
		conn->rx.spare = NULL;
	}
}

/* F-08, F-09: the key of the next generation, if the header says so. It counts when the frame is authentic. */
static int rx_next_cipher(struct tcpcrypt_conn *conn, u8 *mk, struct tcpcrypt_cipher **cipher)
{
	struct tcpcrypt_traffic_key tk;

	tcpcrypt_keys_next_mk(conn->rx.mk, mk);
	tcpcrypt_keys_traffic(mk, conn->side == ENO_ROLE_A ? ENO_ROLE_B : ENO_ROLE_A, conn->aead->key_len, &tk);
	*cipher = tcpcrypt_cipher_alloc(conn->aead, &tk);
	memzero_explicit(&tk, sizeof(tk));
	if (!IS_ERR(*cipher) && !tcpcrypt_cipher_fit_req(*cipher, conn->rx.cipher, &conn->rx.req))
		return 0;
	if (!IS_ERR(*cipher))
		tcpcrypt_cipher_free(*cipher);
	*cipher = NULL;
	memzero_explicit(mk, TCPCRYPT_K_LEN);
	return -ENOMEM;
}

static void rx_rekeyed(struct tcpcrypt_conn *conn, const u8 *mk, struct tcpcrypt_cipher *cipher)
{
	struct tcpcrypt_rx *rx = &conn->rx;

	if (rx->rekeys && before(tcp_sk(conn->sk)->copied_seq - rx->staged, rx->scan))
		rx->rekeys--;
	tcpcrypt_cipher_free(rx->cipher);	/* F-11 */
	rx->cipher = cipher;
	memcpy(rx->mk, mk, sizeof(rx->mk));
	WRITE_ONCE(rx->gen, rx->gen + 1);
	tcpcrypt_stat_inc(conn->tn, TCPCRYPT_STAT_REKEYS_RECEIVED);
	if (rx->gen > conn->tx.gen)
		tcpcrypt_tx_answer_rekey(conn);
	if (rx->gen >= conn->tx.gen)
		conn->tx.asked = false;
}

/* Small data behind what is not read yet: many small frames take no more memory than a few large ones. */
static bool rx_merge(struct tcpcrypt_rx *rx, struct tcpcrypt_chunk *chunk)
{
	struct tcpcrypt_chunk *last;
	u32 end, from = chunk->off, left = chunk->len;

	if (left > RX_MERGE_MAX || list_empty(&rx->chunks))
		return false;
	last = list_last_entry(&rx->chunks, struct tcpcrypt_chunk, node);
	end = last->off + last->len;
	if (end + left > last->n_pages * PAGE_SIZE)
		return false;
	while (left) {
		u32 part = min_t(u32, left, PAGE_SIZE - offset_in_page(end));

		memcpy_page(last->pages[end >> PAGE_SHIFT], offset_in_page(end), chunk->pages[0], from, part);
		end += part;
		from += part;
		left -= part;
	}
	last->len += chunk->len;
	rx_chunk_done(rx, chunk);
	return true;
}

/*
 * tcp_check_urg(): an authentic frame, the next one of all, announces urgent data, @urgent bytes behind its first
 * one (F-07). Where the old urgent byte is next to read, it goes now, or it would come as an ordinary one.
 */
static void rx_urgent(struct tcpcrypt_conn *conn, u16 urgent)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	struct sock *sk = conn->sk;
	u64 pos = rx->bytes + urgent;

	if (rx->urg_data && pos <= rx->urg_pos)
		return;
	rx->urg_seen = true;
	sk_send_sigurg(sk);
	if (rx->urg_data && rx->urg_pos == tcpcrypt_rx_pos(rx) && rx->ready && !sock_flag(sk, SOCK_URGINLINE))
		tcpcrypt_rx_copy(conn, NULL, 1, 0, true);
	WRITE_ONCE(rx->urg_data, TCP_URG_NOTYET);
	rx->urg_pos = pos;
}

/* tcp_urg(): is the byte that was announced in this chunk, whose first one is rx.bytes? */
static void rx_urgent_arrived(struct tcpcrypt_rx *rx, const struct tcpcrypt_chunk *chunk)
{
	u64 at = rx->urg_pos - rx->bytes;
	u8 byte;

	if (rx->urg_data != TCP_URG_NOTYET || at >= chunk->len)
		return;
	at += chunk->off;
	memcpy_from_page((char *)&byte, chunk->pages[at >> PAGE_SHIFT], offset_in_page(at), 1);
	WRITE_ONCE(rx->urg_data, TCP_URG_VALID | byte);
	rx->urg_news = true;
}

/* The frame is authentic: account for it, look at its flags. */
static int rx_opened(struct tcpcrypt_conn *conn, u8 flags, u32 data)
{
	struct tcpcrypt_rx *rx = &conn->rx;

	rx->last = jiffies;
	WRITE_ONCE(rx->frames, rx->frames + 1);
	WRITE_ONCE(rx->bytes, rx->bytes + data);
	tcpcrypt_stat_inc(conn->tn, TCPCRYPT_STAT_FRAMES_OPENED);
	tcpcrypt_stat_add(conn->tn, TCPCRYPT_STAT_BYTES_OPENED, data);
	rx->offset += rx->need;
	if (rx->stage)
		tcpcrypt_chunk_free(rx->stage);
	else
		rx_consume(conn, rx->need);
	rx->stage = NULL;
	rx->staged = 0;
	rx->need = 0;
	if (rx->rekey_ahead && after(tcp_sk(conn->sk)->copied_seq, rx->rekey_seq)) {
		rx->rekey_ahead = false;
		rx->rekeys = 0;
	}
	if (flags & TCPCRYPT_FLAG_FINP) {
		WRITE_ONCE(rx->finp, true);
		conn->saved_state_change(conn->sk);	/* others may wait for it, too */
		if (rx_queued(conn->sk))	/* F-06 */
			return tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_AFTER_FINP);
	}
	return 0;
}

/*
 * Open the frame at the head: it is whole, in the queue or in the stage. The lock is held all the while:
 * TCP may collapse or free its queue between two ownerships.
 */
static ssize_t rx_open_whole(struct tcpcrypt_conn *conn, struct iov_iter *direct)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	u32 clen = rx->need - TCPCRYPT_FRAME_HDR_LEN;
	u32 plain = clen - TCPCRYPT_TAG_LEN, data = plain - TCPCRYPT_FLAGS_LEN;
	struct tcpcrypt_cipher *cipher = rx->cipher, *next = NULL;
	struct tcpcrypt_chunk *chunk = NULL;
	u8 next_mk[TCPCRYPT_K_LEN], head[TCPCRYPT_FLAGS_LEN + TCPCRYPT_URGENT_LEN];
	u8 *ad = rx->scratch + RX_SCRATCH_AD, *flags = rx->scratch + RX_SCRATCH_FLAGS;
	unsigned int n_in, n_out = 0;
	bool pinned = false;
	u16 urgent;
	int err, skip;

	if (!rx->stage) {
		if (!tcpcrypt_rx_peek(conn->sk, 0, ad, TCPCRYPT_FRAME_HDR_LEN))
			return -EAGAIN;
		n_in = rx_map_queue(conn, rx->sg);
		if (!n_in) {
			err = rx_stage(conn);
			if (err)
				return err;
		}
	}
	if (rx->stage) {
		memcpy_from_page(ad, rx->stage->pages[0], 0, TCPCRYPT_FRAME_HDR_LEN);
		n_in = 1 + tcpcrypt_chunk_to_sg(rx->stage, TCPCRYPT_FRAME_HDR_LEN, clen, rx->sg + 1);
	}

	/*
	 * Straight to the reader, unless the frame says later that an urgent field comes first. Not where there may
	 * be an urgent byte to stop at.
	 */
	if (direct && !rx->urg_data && data >= RX_PIN_MIN && user_backed_iter(direct) && iov_iter_count(direct) >= data) {
		n_out = rx_pin(direct, data, rx->sg_out);
		pinned = n_out;
	}
	if (!pinned) {
		chunk = rx_chunk(rx, plain);
		if (!chunk)
			return -ENOMEM;
		n_out = 1 + tcpcrypt_chunk_to_sg(chunk, 0, plain, rx->sg_out + 1);
	} else {
		sg_set_buf(&rx->sg_out[1], flags, TCPCRYPT_FLAGS_LEN);
	}
	if (ad[0] & TCPCRYPT_CONTROL_REKEY) {
		err = rx_next_cipher(conn, next_mk, &next);
		if (err)
			goto out_undo;
		cipher = next;
	}
	sg_set_buf(&rx->sg[0], ad, TCPCRYPT_FRAME_HDR_LEN);
	sg_set_buf(&rx->sg_out[0], ad, TCPCRYPT_FRAME_HDR_LEN);
	sg_mark_end(&rx->sg[n_in - 1]);
	sg_mark_end(&rx->sg_out[n_out - 1]);
	err = tcpcrypt_cipher_open(cipher, rx->req, rx->sg, rx->sg_out, clen, rx->offset);
	sg_unmark_end(&rx->sg[n_in - 1]);
	sg_unmark_end(&rx->sg_out[n_out - 1]);
	if (err)
		goto out_undo;

	if (pinned && *flags & TCPCRYPT_FLAG_URGP) {
		/* Two bytes of it are not data: once more, into a chunk. Nothing was consumed yet. */
		rx_unpin(rx->sg_out, n_out, true);
		iov_iter_revert(direct, data);
		tcpcrypt_cipher_free(next);
		memzero_explicit(next_mk, sizeof(next_mk));
		return rx_open_whole(conn, NULL);
	}
	if (pinned) {
		head[0] = *flags;
		skip = tcpcrypt_frame_payload(head, plain, &head[0], &urgent);
	} else {
		memcpy_from_page(head, chunk->pages[0], 0, min_t(u32, plain, sizeof(head)));
		skip = tcpcrypt_frame_payload(head, plain, &head[0], &urgent);
	}
	if (skip < 0) {
		err = skip;
		goto out_undo;
	}
	if (next) {
		rx_rekeyed(conn, next_mk, next);
		memzero_explicit(next_mk, sizeof(next_mk));
	}
	if (pinned) {
		rx_unpin(rx->sg_out, n_out, false);
	} else {
		data = plain - skip;
		chunk->off = skip;
		chunk->len = data;
		if (head[0] & TCPCRYPT_FLAG_URGP)
			rx_urgent(conn, urgent);
		if (unlikely(rx->urg_data))
			rx_urgent_arrived(rx, chunk);
		WRITE_ONCE(rx->ready, rx->ready + data);
		if (!data)
			rx_chunk_done(rx, chunk);
		else if (!rx_merge(rx, chunk))
			list_add_tail(&chunk->node, &rx->chunks);
	}
	err = rx_opened(conn, head[0], data);
	return err ? : pinned ? data : 0;

out_undo:
	if (pinned) {
		rx_unpin(rx->sg_out, n_out, true);
		iov_iter_revert(direct, data);
	}
	tcpcrypt_chunk_free(chunk);
	tcpcrypt_cipher_free(next);
	memzero_explicit(next_mk, sizeof(next_mk));
	if (err == -EBADMSG)
		return tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_AUTH);
	return err;
}

ssize_t tcpcrypt_rx_open(struct tcpcrypt_conn *conn, struct iov_iter *direct)
{
	struct sock *sk = conn->sk;
	struct tcpcrypt_rx *rx = &conn->rx;
	int err;

	if (conn->state != TCPCRYPT_ENCRYPTED)
		return conn->err ? -conn->err : -EAGAIN;
	if (!rx->cipher)	/* TCP is at its end, and all that was whole is open: see worker_tcp_closed() */
		return -EAGAIN;
	if (tcp_sk(sk)->copied_seq != rx->seq)
		return tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_FOREIGN_DATA);
	if (rx->finp)
		return rx_queued(sk) ? tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_AFTER_FINP) : -EAGAIN;
	if (rx_head(conn)) {
		if (rx->need < TCPCRYPT_FRAME_HDR_LEN + TCPCRYPT_CLEN_MIN)
			return tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_BAD_FRAME);
		if (rx->stage || tcpcrypt_rx_stalled(conn)) {
			err = rx_stage(conn);
			if (err)
				return err;
			if (rx->staged == rx->need)
				return rx_open_whole(conn, direct);
		} else if (rx_queued(sk) >= rx->need) {
			return rx_open_whole(conn, direct);
		}
	}
	/* F-06: the stream ended, and its end was not authentic. */
	if (sock_flag(sk, SOCK_DONE))
		return tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_TRUNCATED);
	return -EAGAIN;
}

int tcpcrypt_rx_settle(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	ssize_t ret = 0;

	while (ret >= 0 && conn->state == TCPCRYPT_ENCRYPTED && rx_whole(conn) &&
	       (!rx_data_of(rx->need) || (!rx->ready && !rx_data_sure(rx->need)))) {
		ret = tcpcrypt_rx_open(conn, NULL);
		cond_resched();
	}
	return ret < 0 ? ret : 0;
}

void tcpcrypt_rx_ahead(struct tcpcrypt_conn *conn, bool all)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	ssize_t ret = 0;

	while (ret >= 0 && conn->state == TCPCRYPT_ENCRYPTED && rx_whole(conn) &&
	       (rx->doubt || (all && rx->ready < rx_ahead_max(conn)))) {
		ret = tcpcrypt_rx_open(conn, NULL);
		tcpcrypt_rx_update(conn);
		cond_resched();
	}
	rx->urg_news = false;
	if (ret == -ENOMEM) {	/* the worker does it, and wakes who was answered wrongly now */
		WRITE_ONCE(rx->turned_away, true);
		tcpcrypt_conn_timer(conn, TCPCRYPT_RETRY_DELAY);
	}
	if (all && rx->sealed && rx->ready >= rx_ahead_max(conn))
		WRITE_ONCE(rx->starved, true);
}

void tcpcrypt_rx_was_read(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_rx *rx = &conn->rx;

	tcpcrypt_rx_update(conn);
	if (unlikely(rx->urg_news)) {
		rx->urg_news = false;
		if (rx->urg_wanted)
			tcpcrypt_rx_wake(conn);
	}
	if (likely(!rx->sealed)) {
		if (unlikely(rx->starved))
			WRITE_ONCE(rx->starved, false);
		return;
	}
	if (rx->ready >= rx_ahead_max(conn))
		return;
	if (unlikely(rx->starved)) {
		if (rx->ready > rx_ahead_max(conn) / 2)		/* not once for each read */
			return;
		WRITE_ONCE(rx->starved, false);
		WRITE_ONCE(rx->turned_away, true);
		tcpcrypt_conn_kick(conn);
	} else if (tcpcrypt_has_owner(conn->sk)) {
		tcpcrypt_conn_kick(conn);
	}
}

ssize_t tcpcrypt_rx_copy(struct tcpcrypt_conn *conn, struct iov_iter *to, size_t len, size_t skip, bool consume)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	struct tcpcrypt_chunk *chunk, *next;
	size_t copied = 0;

	list_for_each_entry_safe(chunk, next, &rx->chunks, node) {
		u32 off = chunk->off, left = chunk->len;

		if (skip >= left) {
			skip -= left;
			continue;
		}
		off += skip;
		left -= skip;
		skip = 0;
		left = min_t(size_t, left, len - copied);
		while (left) {
			u32 in = offset_in_page(off), part = min_t(u32, left, PAGE_SIZE - in);
			size_t did = part;

			if (to)
				did = copy_page_to_iter(chunk->pages[off >> PAGE_SHIFT], in, part, to);
			copied += did;
			off += did;
			left -= did;
			if (consume) {
				chunk->off += did;
				chunk->len -= did;
				WRITE_ONCE(rx->ready, rx->ready - did);
				if (unlikely(rx->urg_data) && tcpcrypt_rx_pos(rx) > rx->urg_pos)
					WRITE_ONCE(rx->urg_data, 0);
			}
			if (did < part)
				return copied ? (ssize_t)copied : -EFAULT;
		}
		if (!chunk->len) {
			list_del(&chunk->node);
			rx_chunk_done(rx, chunk);
		}
		if (copied == len)
			break;
	}
	return copied;
}

/*
 * A frame without data may be the last one, or a rekey to answer. After a FIN everything is opened: only
 * then is it known whether the end is authentic, for those who poll for it and do not read. What that takes
 * is bounded by the receive buffer.
 */
int tcpcrypt_rx_work(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_rx *rx = &conn->rx;
	struct sock *sk = conn->sk;
	bool readable = rx_enough(conn, rx->avail), turned_away;
	ssize_t ret = 0;

	while (ret >= 0 && tcpcrypt_rx_needs_worker(conn) && conn->state == TCPCRYPT_ENCRYPTED) {
		ret = tcpcrypt_rx_open(conn, NULL);
		tcpcrypt_rx_update(conn);
		cond_resched();
	}
	while (conn->state == TCPCRYPT_ENCRYPTED && !conn->tx.owed && tcpcrypt_rx_answer_unopened(conn)) {
		conn->tx.owed = true;
		tcpcrypt_tx_answer_rekey(conn);		/* still owed: the timer or write_space makes this run again */
	}
	if (conn->state == TCPCRYPT_DEAD)
		conn->saved_state_change(sk);
	/* Who is turned away from here on makes this run again: release_cb. */
	turned_away = READ_ONCE(rx->turned_away) && ret != -ENOMEM;
	if (turned_away) {
		WRITE_ONCE(rx->turned_away, false);
		if (rx->sealed && rx->ready >= rx_ahead_max(conn))
			WRITE_ONCE(rx->starved, true);
	}
	/* What was readable before has woken who waits when it arrived. */
	if ((tcpcrypt_rx_update(conn) && !readable) || turned_away || rx->urg_news)
		tcpcrypt_rx_wake(conn);
	rx->urg_news = false;
	if (ret == -ENOMEM) {
		tcpcrypt_conn_timer(conn, TCPCRYPT_RETRY_DELAY);
		return -EAGAIN;
	}
	return ret < 0 ? ret : 0;
}
