// SPDX-License-Identifier: GPL-2.0
/* The sending direction: an application's bytes sealed into frames, and frames handed to TCP. */
#include "stream/stream.h"
#include <linux/highmem.h>
#include <linux/uio.h>

/*
 * A frame is sealed once, at one offset, and then is bytes in tx.out until TCP has taken them (F-02): what
 * TCP refuses stays there, and nothing is sealed meanwhile but what must follow it.
 *
 *   writer's pages --(large)--> AEAD --> tx.frag pages --> tx.out --> TCP's write queue
 *   writer's pages --(small)--> copied into tx.frag, sealed in place
 */
#define TX_COPY_MAX	2048	/* up to this a copy is cheaper than to pin the writer's pages */
#define TX_SCRATCH	16
#define TX_ANSWERS_MAX	SZ_64K	/* how far frames that answer a rekey may go beyond SO_SNDBUF */
#define TX_HEAD_MAX	(TCPCRYPT_FRAME_HDR_LEN + TCPCRYPT_FLAGS_LEN + TCPCRYPT_URGENT_LEN)
#define TX_FRAG_MIN	64	/* header, flags byte and urgent field lie in one piece */

/*
 * Frame sizes: a reader waits for the whole of a frame before it sees the first byte. So frames fit a segment
 * at the start of a connection and after it was idle; then they are what the path takes in a moment, at most
 * half of the peer's window, so that it need not stage them, and a part of a small SO_SNDBUF.
 */
#define TX_FRAME_MIN	4096
#define TX_PACE_SHIFT	9	/* bytes a second to bytes in 2 ms */
#define TX_BURST_SMALL	(16 * 1024)
#define TX_IDLE		HZ

int tcpcrypt_tx_prepare(struct tcpcrypt_conn *conn, struct tcpcrypt_cipher *cipher)
{
	struct tcpcrypt_tx *tx = &conn->tx;

	/* One allocation: both tables, the page pointers, the scratch bytes. */
	tx->sg_in = kmalloc(2 * TCPCRYPT_SEAL_SGS * sizeof(*tx->sg_in) +
			    TCPCRYPT_SEAL_SGS * sizeof(*tx->pages) + TX_SCRATCH, GFP_KERNEL_ACCOUNT);
	tx->req = aead_request_alloc(cipher->tfm, GFP_KERNEL_ACCOUNT);
	if (!tx->sg_in || !tx->req)
		return -ENOMEM;
	tx->sg_out = tx->sg_in + TCPCRYPT_SEAL_SGS;
	tx->pages = (struct page **)(tx->sg_out + TCPCRYPT_SEAL_SGS);
	tx->scratch = (u8 *)(tx->pages + TCPCRYPT_SEAL_SGS);
	sg_init_table(tx->sg_in, TCPCRYPT_SEAL_SGS);
	sg_init_table(tx->sg_out, TCPCRYPT_SEAL_SGS);
	return 0;
}

bool tcpcrypt_tx_room(struct tcpcrypt_conn *conn)
{
	return !conn->tx.n_out && sk_stream_memory_free(conn->sk);
}

size_t tcpcrypt_tx_frame_size(struct tcpcrypt_conn *conn)
{
	const struct tcp_sock *tp = tcp_sk(conn->sk);
	struct tcpcrypt_tx *tx = &conn->tx;
	size_t max = READ_ONCE(conn->tn->frame_max);

	if (time_after(jiffies, tx->last + TX_IDLE))
		tx->burst = 0;
	if (tx->burst < TX_BURST_SMALL)
		max = min_t(size_t, max, max_t(int, tp->mss_cache - TCPCRYPT_FRAME_OVERHEAD, 256));
	else
		max = min_t(size_t, max, max_t(unsigned long, READ_ONCE(conn->sk->sk_pacing_rate) >> TX_PACE_SHIFT,
					       TX_FRAME_MIN));
	max = min_t(size_t, max, max(tp->max_window / 2, 512U));
	return min_t(size_t, max, max(READ_ONCE(conn->sk->sk_sndbuf) / 4, 512));
}

static int tx_next_key(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_tx *tx = &conn->tx;
	struct tcpcrypt_traffic_key tk;
	struct tcpcrypt_cipher *cipher;
	u8 mk[TCPCRYPT_K_LEN];
	int err = -ENOMEM;

	tcpcrypt_keys_next_mk(tx->mk, mk);
	tcpcrypt_keys_traffic(mk, conn->side, conn->aead->key_len, &tk);
	cipher = tcpcrypt_cipher_alloc(conn->aead, &tk);
	memzero_explicit(&tk, sizeof(tk));
	if (!IS_ERR(cipher)) {
		err = tcpcrypt_cipher_fit_req(cipher, tx->cipher, &tx->req);
		if (err) {
			tcpcrypt_cipher_free(cipher);
		} else {
			tcpcrypt_cipher_free(tx->cipher);	/* F-11 */
			tx->cipher = cipher;
			memcpy(tx->mk, mk, sizeof(mk));
		}
	}
	memzero_explicit(mk, sizeof(mk));
	return err;
}

int tcpcrypt_tx_rekey(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_tx *tx = &conn->tx;
	int err = tx_next_key(conn);

	if (err)
		return err;
	WRITE_ONCE(tx->gen, tx->gen + 1);
	tx->rekey = true;
	tx->key_frames = 0;
	tx->key_bytes = 0;
	tcpcrypt_stat_inc(conn->tn, TCPCRYPT_STAT_REKEYS_SENT);
	return 0;
}

/* F-13, and what is owed but could not be made at once. A rekey=1 frame of its own for each generation. */
static int tx_rekey_if_due(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_tx *tx = &conn->tx;

	if (tx->rekey)
		return 0;
	if (tx->gen < conn->rx.gen || tx->owed ||
	    tx->key_frames >= min(READ_ONCE(conn->tn->rekey_frames), conn->aead->max_frames) ||
	    tx->key_bytes >= min(READ_ONCE(conn->tn->rekey_bytes), conn->aead->max_bytes))
		return tcpcrypt_tx_rekey(conn);
	return 0;
}

static_assert(TX_HEAD_MAX <= TX_SCRATCH && TX_HEAD_MAX <= TX_FRAG_MIN);

/* Room for a frame in tx.frag, described in tx.out from @first on. Return: entries, 0 without memory. */
static unsigned int tx_alloc_out(struct tcpcrypt_conn *conn, size_t total, unsigned int first)
{
	struct tcpcrypt_tx *tx = &conn->tx;
	unsigned int n = first;

	while (total) {
		size_t part;

		if (n == ARRAY_SIZE(tx->out) ||
		    !skb_page_frag_refill(min_t(size_t, total, TX_FRAG_MIN), &tx->frag,
					  conn->sk->sk_allocation | __GFP_NOWARN | __GFP_ACCOUNT)) {
			while (n > first)
				put_page(tx->out[--n].bv_page);
			return 0;
		}
		part = min_t(size_t, total, tx->frag.size - tx->frag.offset);
		bvec_set_page(&tx->out[n++], tx->frag.page, part, tx->frag.offset);
		get_page(tx->frag.page);
		tx->frag.offset += part;
		total -= part;
	}
	return n - first;
}

/* tx.frag comes from sk_allocation: never high memory. */
static u8 *tx_address(const struct bio_vec *bv)
{
	return (u8 *)page_address(bv->bv_page) + bv->bv_offset;
}

/* Ciphertext never goes back into tx.frag: a page that was half written is simply not used again. */
static void tx_drop_out(struct tcpcrypt_tx *tx, unsigned int first, unsigned int n)
{
	while (n--) {
		struct bio_vec *bv = &tx->out[first + n];

		memzero_explicit(tx_address(bv), bv->bv_len);
		put_page(bv->bv_page);
	}
}

/* The data behind @off bytes that the first piece has already. */
static bool tx_copy_in(struct tcpcrypt_tx *tx, unsigned int first, size_t off, struct iov_iter *from, size_t len)
{
	unsigned int i = first;
	size_t done = 0;

	while (done < len) {
		struct bio_vec *bv = &tx->out[i++];
		size_t part = min_t(size_t, len - done, bv->bv_len - off);
		size_t did = copy_from_iter(tx_address(bv) + off, part, from);

		done += did;
		if (did < part) {
			iov_iter_revert(from, done);
			return false;
		}
		off = 0;
	}
	return true;
}

/* The writer's pages behind an entry for header and flags byte. Return: bytes found, 0: copy instead. */
static size_t tx_pin(struct tcpcrypt_tx *tx, struct iov_iter *from, size_t len, unsigned int *n_in)
{
	unsigned int n = 1, i;
	size_t done = 0, start;

	while (done < len && n < TCPCRYPT_SEAL_SGS - 1) {
		ssize_t got = iov_iter_get_pages2(from, tx->pages, len - done, TCPCRYPT_SEAL_SGS - 1 - n, &start);

		if (got <= 0)
			break;
		done += got;
		for (i = 0; got > 0; i++) {
			size_t part = min_t(size_t, got, PAGE_SIZE - start);

			sg_set_page(&tx->sg_in[n++], tx->pages[i], part, start);
			got -= part;
			start = 0;
		}
	}
	*n_in = n;
	return done;
}

static void tx_unpin(struct tcpcrypt_tx *tx, unsigned int n_in)
{
	unsigned int i;

	for (i = 1; i < n_in; i++)
		put_page(sg_page(&tx->sg_in[i]));
}

static bool tx_may_pin(const struct iov_iter *from, size_t len)
{
	/* Many tiny pieces would fill the table before the frame. */
	return len > TX_COPY_MAX && (user_backed_iter(from) || iov_iter_is_bvec(from)) &&
	       iov_iter_single_seg_count(from) >= TX_COPY_MAX;
}

ssize_t tcpcrypt_tx_seal(struct tcpcrypt_conn *conn, struct iov_iter *from, size_t max, u8 flags)
{
	struct tcpcrypt_tx *tx = &conn->tx;
	size_t left = from ? iov_iter_count(from) : 0, len, total;
	unsigned int n_in = 0, n_out, first = tx->n_out, head_len, i;
	u8 *head;
	int err;

	err = tx_rekey_if_due(conn);
	if (err)
		return err;
	if (flags & TCPCRYPT_FLAG_URGP)
		max = min_t(size_t, max, TCPCRYPT_FRAME_DATA_MAX - TCPCRYPT_URGENT_LEN);
	len = min(left, max);
	if (len && tx_may_pin(from, len)) {
		len = tx_pin(tx, from, len, &n_in);
		if (!len) {
			n_in = 0;
			len = min(left, max);
		}
	}
	/* F-07: the urgent byte is the last one of all, and the frame that carries it says so. */
	if (!len || len < left)
		flags &= ~TCPCRYPT_FLAG_URGP;
	total = len + TCPCRYPT_FRAME_OVERHEAD + (flags & TCPCRYPT_FLAG_URGP ? TCPCRYPT_URGENT_LEN : 0);
	n_out = tx_alloc_out(conn, total, first);
	err = -ENOMEM;
	if (!n_out)
		goto undo_pin;

	/* The header is in both lists: it is the AD. It, flags byte and urgent field lie in the first piece. */
	head = tx_address(&tx->out[first]);
	tcpcrypt_frame_hdr_build(head, total - TCPCRYPT_FRAME_HDR_LEN, tx->rekey);
	head_len = TCPCRYPT_FRAME_HDR_LEN +
		   tcpcrypt_frame_payload_build(head + TCPCRYPT_FRAME_HDR_LEN, flags, len - 1);
	for (i = 0; i < n_out; i++)
		sg_set_page(&tx->sg_out[i], tx->out[first + i].bv_page, tx->out[first + i].bv_len,
			    tx->out[first + i].bv_offset);
	sg_mark_end(&tx->sg_out[n_out - 1]);
	if (n_in) {
		memcpy(tx->scratch, head, head_len);
		sg_set_buf(&tx->sg_in[0], tx->scratch, head_len);
		sg_mark_end(&tx->sg_in[n_in - 1]);
		err = tcpcrypt_cipher_seal(tx->cipher, tx->req, tx->sg_in, tx->sg_out,
					   head_len - TCPCRYPT_FRAME_HDR_LEN + len, tx->offset);
		sg_unmark_end(&tx->sg_in[n_in - 1]);
	} else if (tx_copy_in(tx, first, head_len, from, len)) {
		err = tcpcrypt_cipher_seal(tx->cipher, tx->req, tx->sg_out, tx->sg_out,
					   head_len - TCPCRYPT_FRAME_HDR_LEN + len, tx->offset);
		if (err && len)
			iov_iter_revert(from, len);
	} else {
		err = -EFAULT;
	}
	sg_unmark_end(&tx->sg_out[n_out - 1]);
	if (err) {
		tx_drop_out(tx, first, n_out);
		goto undo_pin;
	}
	tx_unpin(tx, n_in);

	tx->rekey = false;
	tx->owed = false;
	tx->n_out += n_out;
	tx->out_bytes += total;
	tx->offset += total;
	tx->key_frames++;
	tx->key_bytes += total;
	tx->burst += min_t(u32, total, TX_BURST_SMALL);
	tx->last = jiffies;
	if (tx->burst > 2 * TX_BURST_SMALL)
		tx->burst = 2 * TX_BURST_SMALL;
	if (flags & TCPCRYPT_FLAG_FINP)
		tx->finp = true;
	if (flags & TCPCRYPT_FLAG_URGP)
		tx->urge = true;
	WRITE_ONCE(tx->frames, tx->frames + 1);
	WRITE_ONCE(tx->bytes, tx->bytes + len);
	tcpcrypt_stat_inc(conn->tn, TCPCRYPT_STAT_FRAMES_SEALED);
	tcpcrypt_stat_add(conn->tn, TCPCRYPT_STAT_BYTES_SEALED, len);
	/* Before TCP may send it: the guard in LOCAL_OUT lets pass what is below. */
	WRITE_ONCE(conn->limit_seq, conn->isn + (u32)tx->offset);
	return len;

undo_pin:
	if (n_in) {
		tx_unpin(tx, n_in);
		iov_iter_revert(from, len);
	}
	return err;
}

/*
 * TCP gets a frame as a whole, even beyond SO_SNDBUF and TCP_NOTSENT_LOWAT: room was asked for before it was
 * sealed. The limits are lifted for the call alone, under the lock. What TCP still refuses (no memory) stays.
 */
struct tx_limits {
	int sndbuf;
	u32 notsent_lowat;
};

static void tx_limits_lift(struct sock *sk, struct tx_limits *limits)
{
	limits->sndbuf = sk->sk_sndbuf;
	limits->notsent_lowat = tcp_sk(sk)->notsent_lowat;
	WRITE_ONCE(sk->sk_sndbuf, max_t(int, limits->sndbuf, INT_MAX / 2));
	WRITE_ONCE(tcp_sk(sk)->notsent_lowat, U32_MAX);
}

static void tx_limits_restore(struct sock *sk, const struct tx_limits *limits)
{
	WRITE_ONCE(sk->sk_sndbuf, limits->sndbuf);
	WRITE_ONCE(tcp_sk(sk)->notsent_lowat, limits->notsent_lowat);
}

/*
 * TCP's sendmsg would take sk_err away from the application, whose write this may not be. An error of a
 * living connection (ICMP) passes: then it is tried again.
 */
static int tx_possible(const struct sock *sk)
{
	if (sk->sk_state == TCP_CLOSE || sk->sk_shutdown & SEND_SHUTDOWN)
		return -EPIPE;
	return sk->sk_err ? -EAGAIN : 0;
}

/* E-12, R-11: after a resumption it may take until now that something is heard of the peer. */
void tcpcrypt_tx_check_heard(struct tcpcrypt_conn *conn)
{
	if (conn->mss_reserved && conn->state == TCPCRYPT_ENCRYPTED && tcpcrypt_conn_heard(conn)) {
		conn->send_eno = false;
		tcpcrypt_mss_release(conn);
	}
}

int tcpcrypt_tx_push(struct tcpcrypt_conn *conn, int flags)
{
	struct tcpcrypt_tx *tx = &conn->tx;
	struct sock *sk = conn->sk;
	u8 nonagle = tcp_sk(sk)->nonagle;
	unsigned int i, left;
	struct tx_limits limits;
	ssize_t sent;
	int err;

	if (!tx->n_out)
		return 0;
	if (unlikely(conn->mss_reserved))
		tcpcrypt_tx_check_heard(conn);
	err = tx_possible(sk);
	if (err)
		return err;
	/* Behind somebody else's bytes ours would carry those past the guard in LOCAL_OUT. */
	if (tcp_sk(sk)->write_seq != conn->isn + (u32)(tx->offset - tx->out_bytes) && !conn->fin_sent)
		return tcpcrypt_conn_fail(conn, TCPCRYPT_ABORT_FOREIGN_DATA);
	tx_limits_lift(sk, &limits);
	if (unlikely(tx->urge)) {	/* as TCP in urgent mode: tcp_nagle_test() */
		tcp_sk(sk)->nonagle = TCP_NAGLE_OFF | TCP_NAGLE_PUSH;
		flags = 0;
	}
	tx->pushing = true;
	sent = tcpcrypt_tcp_send_pages(sk, tx->out, tx->n_out, tx->out_bytes, flags & MSG_MORE);
	tx->pushing = false;
	if (unlikely(tx->urge))		/* also for what TCP could not send at once */
		tcp_sk(sk)->nonagle = nonagle | TCP_NAGLE_PUSH;
	tx_limits_restore(sk, &limits);
	if (sent <= 0)
		return sent ? : -EAGAIN;
	tx->out_bytes -= sent;
	for (i = 0; i < tx->n_out && sent; i++) {
		struct bio_vec *bv = &tx->out[i];

		if (sent < bv->bv_len) {
			bv->bv_offset += sent;
			bv->bv_len -= sent;
			break;
		}
		sent -= bv->bv_len;
		put_page(bv->bv_page);
	}
	left = tx->n_out - i;
	memmove(tx->out, tx->out + i, left * sizeof(*tx->out));
	tx->n_out = left;
	if (!left)
		tx->urge = false;
	return left ? -EAGAIN : 0;
}

/* Lent to a child that has no struct socket: TCP looks at its flags when memory is short. */
static struct socket *lent_socket;

int tcpcrypt_tx_init(void)
{
	return sock_create_lite(PF_INET, SOCK_STREAM, IPPROTO_TCP, &lent_socket);
}

void tcpcrypt_tx_exit(void)
{
	sock_release(lent_socket);
}

static void tx_lend(struct sock *sk, struct socket *sock)
{
	write_lock(&sk->sk_callback_lock);
	rcu_assign_pointer(sk->sk_wq, sock ? &sock->wq : NULL);
	sk->sk_socket = sock;
	write_unlock(&sk->sk_callback_lock);
}

int tcpcrypt_tx_raw(struct tcpcrypt_conn *conn, const u8 *buf, size_t len, bool bh)
{
	struct kvec iov = { (void *)buf, len };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct sock *sk = conn->sk;
	gfp_t allocation = sk->sk_allocation;
	u8 nonagle = tcp_sk(sk)->nonagle;
	struct tx_limits limits;
	int ret;

	if (tx_possible(sk))
		return -EAGAIN;
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &iov, 1, len);
	if (bh) {
		sk->sk_allocation = GFP_ATOMIC;
		tx_lend(sk, lent_socket);
	}
	/* TCP_CORK is the application's, and it does not know of this message. */
	tcp_sk(sk)->nonagle = TCP_NAGLE_OFF | TCP_NAGLE_PUSH;
	tx_limits_lift(sk, &limits);
	ret = tcp_sendmsg_locked(sk, &msg, len);
	tx_limits_restore(sk, &limits);
	tcp_sk(sk)->nonagle = nonagle;
	if (bh) {
		tx_lend(sk, NULL);
		sk->sk_allocation = allocation;
	}
	return ret < 0 ? -EAGAIN : ret;		/* what is final shows in sk_state */
}

size_t tcpcrypt_tx_wait_room(const struct tcpcrypt_conn *conn)
{
	u32 sndbuf = READ_ONCE(conn->sk->sk_sndbuf);

	return sndbuf > conn->tx.waiting_bytes ? sndbuf - conn->tx.waiting_bytes : 0;
}

ssize_t tcpcrypt_tx_wait_store(struct tcpcrypt_conn *conn, struct iov_iter *from, size_t max)
{
	struct tcpcrypt_tx *tx = &conn->tx;
	struct sock *sk = conn->sk;
	struct tcpcrypt_chunk *chunk;
	size_t done = 0;
	u32 room;

	chunk = list_empty(&tx->waiting) ? NULL : list_last_entry(&tx->waiting, struct tcpcrypt_chunk, node);
	if (!chunk || chunk->len == chunk->n_pages * PAGE_SIZE) {
		chunk = tcpcrypt_chunk_alloc(min_t(size_t, max, 4 * PAGE_SIZE), sk->sk_allocation | __GFP_ACCOUNT);
		if (!chunk)
			return -ENOMEM;
		list_add_tail(&chunk->node, &tx->waiting);
	}
	room = min_t(size_t, max, chunk->n_pages * PAGE_SIZE - chunk->len);
	if (!sk_wmem_schedule(sk, room))
		return -ENOMEM;
	while (done < room) {
		u32 in = offset_in_page(chunk->len), part = min_t(size_t, room - done, PAGE_SIZE - in);
		size_t did = copy_page_from_iter(chunk->pages[chunk->len >> PAGE_SHIFT], in, part, from);

		chunk->len += did;
		done += did;
		if (did < part)
			break;
	}
	sk_mem_charge(sk, done);
	WRITE_ONCE(tx->waiting_bytes, tx->waiting_bytes + done);
	return done ? (ssize_t)done : -EFAULT;
}

void tcpcrypt_tx_waiting_free(struct tcpcrypt_conn *conn)
{
	tcpcrypt_chunk_list_free(&conn->tx.waiting);
	if (conn->tx.waiting_bytes)
		sk_mem_uncharge(conn->sk, conn->tx.waiting_bytes);
	WRITE_ONCE(conn->tx.waiting_bytes, 0);
	conn->tx.waiting_urgent = 0;
}

/* What was written before the keys were there. */
static int tx_flush_waiting(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_tx *tx = &conn->tx;

	while (!list_empty(&tx->waiting)) {
		struct tcpcrypt_chunk *chunk = list_first_entry(&tx->waiting, struct tcpcrypt_chunk, node);
		struct bio_vec bv[4];
		struct iov_iter iter;
		unsigned int n = 0;
		u32 off = chunk->off, left = chunk->len - chunk->off, count;
		bool urgent = tx->waiting_urgent && tx->waiting_urgent <= left;
		ssize_t ret;
		int err;

		if (urgent)	/* a frame ends with that byte */
			left = tx->waiting_urgent;
		count = left;
		while (left) {
			u32 in = offset_in_page(off), part = min_t(u32, left, PAGE_SIZE - in);

			bvec_set_page(&bv[n++], chunk->pages[off >> PAGE_SHIFT], part, in);
			off += part;
			left -= part;
		}
		if (n) {
			iov_iter_bvec(&iter, ITER_SOURCE, bv, n, count);
			ret = tcpcrypt_tx_seal(conn, &iter, tcpcrypt_tx_frame_size(conn),
					       urgent ? TCPCRYPT_FLAG_URGP : 0);
			if (ret < 0)
				return ret;
			chunk->off += ret;
			tx->waiting_urgent -= min_t(u32, tx->waiting_urgent, ret);
			WRITE_ONCE(tx->waiting_bytes, tx->waiting_bytes - ret);
			sk_mem_uncharge(conn->sk, ret);
		}
		if (chunk->off == chunk->len) {
			list_del(&chunk->node);
			tcpcrypt_chunk_free(chunk);
		}
		err = tcpcrypt_tx_push(conn, list_empty(&tx->waiting) ? 0 : MSG_MORE);
		if (err)
			return err;
	}
	return 0;
}

bool tcpcrypt_tx_rekey_owed(const struct tcpcrypt_conn *conn)
{
	return conn->tx.gen < conn->rx.gen || conn->tx.owed || conn->tx.rekey;
}

void tcpcrypt_tx_answer_rekey(struct tcpcrypt_conn *conn)
{
	struct sock *sk = conn->sk;
	int err = 0;

	if (conn->tx.finp || conn->shut_tx)	/* nothing may follow FINp; before it, FINp's own frame carries it */
		return;
	while (tcpcrypt_tx_rekey_owed(conn) && !err) {
		/*
		 * A peer that asks and takes no answer must not fill our memory: what is owed is a number. Its ACKs
		 * bring us back, by write_space.
		 */
		if (sk->sk_wmem_queued > READ_ONCE(sk->sk_sndbuf) + TX_ANSWERS_MAX) {
			if (!sk->sk_socket)
				err = -EAGAIN;
			else
				set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
			break;
		}
		err = conn->tx.n_out + 2 > ARRAY_SIZE(conn->tx.out) ? -EAGAIN : 0;
		if (!err)
			err = tcpcrypt_tx_seal(conn, NULL, 0, 0);
	}
	if (!err || conn->tx.n_out)
		err = tcpcrypt_tx_push(conn, 0) ? : err;
	if (err)
		tcpcrypt_conn_timer(conn, TCPCRYPT_RETRY_DELAY);
}

void tcpcrypt_tx_request_rekey(struct tcpcrypt_conn *conn)
{
	if (conn->tx.asked)	/* F-10 */
		return;
	conn->tx.asked = true;
	conn->tx.owed = true;
	tcpcrypt_tx_answer_rekey(conn);
}

/* F-05: FINp on the last frame, then the FIN; base shutdown takes the state where TCP has it. */
int tcpcrypt_tx_finish(struct tcpcrypt_conn *conn)
{
	struct sock *sk = conn->sk;
	ssize_t ret;

	if (!conn->tx.finp) {
		if (conn->tx.n_out + 2 > ARRAY_SIZE(conn->tx.out))
			return -EAGAIN;
		ret = tcpcrypt_tx_seal(conn, NULL, 0, TCPCRYPT_FLAG_FINP);
		if (ret < 0)
			return ret;
	}
	ret = tcpcrypt_tx_push(conn, MSG_MORE);	/* the FIN pushes */
	if (ret)
		return ret;
	if (!conn->fin_sent) {
		conn->fin_sent = true;
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
		conn->base_prot->shutdown(sk, SEND_SHUTDOWN);
		conn->saved_state_change(sk);
	}
	return 0;
}

int tcpcrypt_tx_work(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_tx *tx = &conn->tx;
	bool waited = tx->waiting_bytes || tx->n_out ||
		      (conn->sk->sk_socket && test_bit(SOCK_NOSPACE, &conn->sk->sk_socket->flags));
	int err = 0;

	if (tx->n_out)
		err = tcpcrypt_tx_push(conn, 0);
	if (!err)
		err = tx_flush_waiting(conn);
	if (!err && tcpcrypt_tx_rekey_owed(conn))
		tcpcrypt_tx_answer_rekey(conn);
	if (!err && conn->shut_tx && !conn->fin_sent)
		err = tcpcrypt_tx_finish(conn);
	if (!err && waited)
		conn->saved_write_space(conn->sk);
	if (err == -EAGAIN || err == -ENOMEM || err == -ENOBUFS) {
		tcpcrypt_conn_timer(conn, TCPCRYPT_RETRY_DELAY);
		return 0;
	}
	/* TCP itself is at its end and has an error of its own. */
	return err == -EPIPE || err == -ECONNRESET || conn->sk->sk_err ? 0 : err;
}
