// SPDX-License-Identifier: GPL-2.0
/* The key exchange, run by the worker (RFC 8548 sections 3.3 and 3.4). */
#include "session/handshake.h"
#include "stream/stream.h"
#include <linux/random.h>

/*
 * RFC 8548 section 3.5: all that depends on ss[i], so that it can be erased at once, and ss[i+1] is in the cache
 * before anybody can ask for it. A few hashes; what takes longer, the transforms, is the worker's.
 */
static void handshake_resume(struct tcpcrypt_conn *conn, u8 tep)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	struct tcpcrypt_secret *secret = hs->secret;
	bool a = secret->side == ENO_ROLE_A;
	unsigned int len_a, len_b;
	const u8 *nonce_a = eno_resume_nonce(a ? &conn->syn : &conn->peer_syn, tep, &len_a);
	const u8 *nonce_b = eno_resume_nonce(a ? &conn->peer_syn : &conn->syn, tep, &len_b);
	u8 sn[TCPCRYPT_SN_MAX];

	memcpy(sn, nonce_a, len_a);
	memcpy(sn + len_a, nonce_b, len_b);
	tcpcrypt_keys_mk0(secret->ss, sn, len_a + len_b, hs->mk);
	tcpcrypt_keys_session_id(secret->ss, conn->tep_byte, sn, len_a + len_b, hs->sessid);
	hs->aead = secret->aead;
	conn->side = secret->side;
	conn->resumed = true;
	tcpcrypt_secret_advance(secret);	/* nothing knows ss[i] any more */
	tcpcrypt_conn_cache(conn);
	WRITE_ONCE(hs->phase, TCPCRYPT_HS_RESUME);
}

void tcpcrypt_handshake_start(struct tcpcrypt_conn *conn, const struct eno_result *res)
{
	conn->role = res->role;
	conn->side = res->role;
	conn->tep_byte = res->tep_byte;
	WRITE_ONCE(conn->hs->tep, tcpcrypt_tep_find(res->tep));
	conn->handshake_start = ktime_get_ns();
	if (res->resumed)
		handshake_resume(conn, res->tep);
	else if (!conn->active)
		conn->hs->phase = TCPCRYPT_HS_RECEIVE;
	tcpcrypt_conn_deadline(conn, msecs_to_jiffies(READ_ONCE(conn->tn->handshake_timeout_ms)));
	tcpcrypt_conn_kick(conn);
}

static unsigned int handshake_aeads(struct tcpcrypt_conn *conn, u16 *ids)
{
	return tcpcrypt_settings_aeads(conn->settings, conn->tn, ids);
}

/* A: a key pair. The TEP that we offered best is a guess that is nearly always right. */
static int handshake_keygen(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	const struct tcpcrypt_tep *tep = READ_ONCE(hs->tep) ? : hs->guess;
	int err = tep->keygen(hs->priv, hs->pub);

	hs->keyed = err ? NULL : tep;
	return err;
}

void tcpcrypt_handshake_provide(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_handshake *hs = conn->hs;

	if (!hs)
		return;
	if (hs->phase == TCPCRYPT_HS_KEYGEN && !tcpcrypt_keypool_has(hs->guess) && !handshake_keygen(conn))
		hs->phase = TCPCRYPT_HS_SEND_INIT1;
	tcpcrypt_keypool_give(hs);
}

static void handshake_build_init1(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	u8 nonce[TCPCRYPT_NONCE_LEN];
	u16 ids[TCPCRYPT_AEADS_MAX];
	unsigned int n = handshake_aeads(conn, ids);

	get_random_bytes(nonce, sizeof(nonce));
	hs->own_len = tcpcrypt_init1_build(ids, n, nonce, hs->pub, hs->keyed->pub_len, hs->own);
}

/* Pull what has arrived of the peer's message, and no byte more; -EAGAIN while it is not whole. */
static int handshake_receive(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	u32 magic = conn->role == ENO_ROLE_A ? TCPCRYPT_INIT2_MAGIC : TCPCRYPT_INIT1_MAGIC;
	struct sock *sk = conn->sk;
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	u32 off, want, part, len;
	int err;

	for (;;) {
		err = tcpcrypt_init_length(hs->peer, hs->peer_len, magic, &len);
		if (err == -EPROTO)
			return err;
		want = err ? TCPCRYPT_INIT_HDR_LEN : len;
		if (!err && hs->peer_len == len)
			return 0;
		if (want > hs->peer_cap)
			return -ENOSPC;
		skb = tcp_recv_skb(sk, tp->copied_seq, &off);
		if (!skb || off >= skb->len)
			return sock_flag(sk, SOCK_DONE) ? -ECONNABORTED : -EAGAIN;
		part = min(want - hs->peer_len, skb->len - off);
		if (skb_copy_bits(skb, off, hs->peer + hs->peer_len, part))
			return -EPROTO;
		hs->peer_len += part;
		conn->rx.offset += part;
		tcp_read_done(sk, part);
		WRITE_ONCE(conn->rx.seq, tp->copied_seq);
	}
}

static int handshake_grow(struct tcpcrypt_handshake *hs)
{
	u8 *buf = kvmalloc(TCPCRYPT_INIT_MAX, GFP_KERNEL_ACCOUNT);

	if (!buf)
		return -ENOMEM;
	memcpy(buf, hs->peer, hs->peer_len);
	hs->peer = buf;
	hs->peer_cap = TCPCRYPT_INIT_MAX;
	return 0;
}

/* The transforms of mk[0], and what sealing and opening need beside them. */
static int handshake_transforms(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	enum eno_role other = conn->side == ENO_ROLE_A ? ENO_ROLE_B : ENO_ROLE_A;
	struct tcpcrypt_traffic_key tk;
	int err;

	tcpcrypt_keys_traffic(hs->mk, conn->side, hs->aead->key_len, &tk);
	hs->tx = tcpcrypt_cipher_alloc(hs->aead, &tk);
	tcpcrypt_keys_traffic(hs->mk, other, hs->aead->key_len, &tk);
	hs->rx = tcpcrypt_cipher_alloc(hs->aead, &tk);
	memzero_explicit(&tk, sizeof(tk));
	if (IS_ERR(hs->tx) || IS_ERR(hs->rx)) {
		if (IS_ERR(hs->tx))
			hs->tx = NULL;
		if (IS_ERR(hs->rx))
			hs->rx = NULL;
		return -ENOMEM;
	}
	err = tcpcrypt_rx_prepare(conn, hs->rx);
	return err ? : tcpcrypt_tx_prepare(conn, hs->tx);
}

/* RFC 8548 section 3.3: PRK from the transcript, then ss[0], mk[0], the traffic keys and the session ID. */
static int handshake_derive(struct tcpcrypt_conn *conn, const u8 *es)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	bool a = conn->role == ENO_ROLE_A;
	u8 transcript[2 * ENO_TCP_OPTIONS_MAX];
	struct tcpcrypt_vec own = { hs->own, hs->own_len };
	struct tcpcrypt_vec peer = { hs->peer, hs->peer_len };
	struct tcpcrypt_vec eno = { transcript, 0 };
	struct tcpcrypt_vec secret = { es, hs->tep->es_len };
	const struct tcpcrypt_vec *init1 = a ? &own : &peer, *init2 = a ? &peer : &own;
	struct tcpcrypt_init1 msg1;
	int err;

	eno.len = eno_transcript_build(a ? &conn->syn : &conn->peer_syn, a ? &conn->peer_syn : &conn->syn,
				       transcript);
	err = tcpcrypt_init1_parse(init1->data, init1->len, hs->tep->pub_len, hs->tep->has_len, &msg1);
	if (err)
		return err;
	tcpcrypt_keys_prk(msg1.nonce, &eno, init1, init2, &secret, hs->ss);
	tcpcrypt_keys_mk0(hs->ss, NULL, 0, hs->mk);
	tcpcrypt_keys_session_id(hs->ss, conn->tep_byte, NULL, 0, hs->sessid);
	/* Without memory there is nothing to resume later. */
	if (conn->resume & TCPCRYPT_RESUME_CACHE && READ_ONCE(conn->tn->resume))
		hs->secret = tcpcrypt_secret_alloc(hs->ss, hs->tep->id, hs->aead, conn->side);
	memzero_explicit(hs->ss, sizeof(hs->ss));
	return handshake_transforms(conn);
}

static enum tcpcrypt_reason handshake_compute_a(struct tcpcrypt_conn *conn, const u8 **pub)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	struct tcpcrypt_init1 own;
	struct tcpcrypt_init2 msg;
	unsigned int i;

	if (tcpcrypt_init2_parse(hs->peer, hs->peer_len, hs->tep->pub_len, hs->tep->has_len, &msg) ||
	    tcpcrypt_init1_parse(hs->own, hs->own_len, hs->tep->pub_len, hs->tep->has_len, &own))
		return TCPCRYPT_ABORT_BAD_INIT;
	for (i = 0; i < own.n_ciphers; i++)	/* K-03: only what we offered */
		if (get_unaligned_be16(own.ciphers + 2 * i) == msg.cipher)
			hs->aead = tcpcrypt_aead_find(msg.cipher);
	if (!hs->aead)
		return TCPCRYPT_ABORT_NO_CIPHER;
	*pub = msg.pub;
	return TCPCRYPT_REASON_NONE;
}

static enum tcpcrypt_reason handshake_compute_b(struct tcpcrypt_conn *conn, const u8 **pub)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	u8 nonce[TCPCRYPT_NONCE_LEN];
	u16 ids[TCPCRYPT_AEADS_MAX];
	struct tcpcrypt_init1 msg;
	int err;

	if (tcpcrypt_init1_parse(hs->peer, hs->peer_len, hs->tep->pub_len, hs->tep->has_len, &msg))
		return TCPCRYPT_ABORT_BAD_INIT;
	hs->aead = tcpcrypt_aead_find(tcpcrypt_cipher_choose(msg.ciphers, msg.n_ciphers, ids,
							     handshake_aeads(conn, ids)));
	if (!hs->aead)
		return TCPCRYPT_ABORT_NO_CIPHER;
	err = hs->tep->keygen(hs->priv, hs->pub);
	if (err)
		return err == -ENOMEM ? TCPCRYPT_ABORT_NO_MEMORY : TCPCRYPT_ABORT_CRYPTO;
	get_random_bytes(nonce, sizeof(nonce));
	hs->own_len = tcpcrypt_init2_build(hs->aead->id, nonce, hs->pub, hs->tep->pub_len, hs->own);
	*pub = msg.pub;
	return TCPCRYPT_REASON_NONE;
}

static enum tcpcrypt_reason handshake_compute(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	enum tcpcrypt_reason reason;
	u8 es[TCPCRYPT_ES_MAX];
	const u8 *pub;
	int err;

	reason = conn->role == ENO_ROLE_A ? handshake_compute_a(conn, &pub) : handshake_compute_b(conn, &pub);
	if (reason)
		return reason;
	tcpcrypt_stat_inc(conn->tn, TCPCRYPT_STAT_KEY_AGREEMENTS);
	err = hs->tep->agree(hs->priv, pub, es);
	memzero_explicit(hs->priv, sizeof(hs->priv));	/* K-06 */
	if (!err)
		err = handshake_derive(conn, es);
	memzero_explicit(es, sizeof(es));
	switch (err) {
	case 0:
		return TCPCRYPT_REASON_NONE;
	case -EPROTO:
		return TCPCRYPT_ABORT_BAD_KEY;
	case -ENOMEM:
		return TCPCRYPT_ABORT_NO_MEMORY;
	default:
		return TCPCRYPT_ABORT_CRYPTO;
	}
}

/* K-02: all of it, and the last segment pushed. -EAGAIN: the timer tries again. */
static int handshake_send(struct tcpcrypt_conn *conn, enum tcpcrypt_lock how)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	int ret;

	if (!hs->own_sent && !conn->tx.offset) {
		conn->tx.offset = hs->own_len;
		WRITE_ONCE(conn->limit_seq, conn->isn + hs->own_len);
	}
	while (hs->own_sent < hs->own_len) {
		/* Somebody else's bytes in front: see tcpcrypt_tx_push(). */
		if (tcp_sk(conn->sk)->write_seq != conn->isn + hs->own_sent)
			return -EEXIST;
		ret = tcpcrypt_tx_raw(conn, hs->own + hs->own_sent, hs->own_len - hs->own_sent,
				      how == TCPCRYPT_LOCK_BH);
		if (ret < 0)
			return ret;
		hs->own_sent += ret;
	}
	return 0;
}

static void handshake_install(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_handshake *hs = conn->hs;

	conn->rx.cipher = hs->rx;
	hs->rx = NULL;
	conn->tx.cipher = hs->tx;
	hs->tx = NULL;
	memcpy(conn->rx.mk, hs->mk, sizeof(hs->mk));
	memcpy(conn->tx.mk, hs->mk, sizeof(hs->mk));
	memcpy(conn->sessid, hs->sessid, sizeof(hs->sessid));
	conn->aead = hs->aead;
	conn->handshake_us = div_u64(ktime_get_ns() - conn->handshake_start, NSEC_PER_USEC);
	conn->rx.scan = conn->rx.seq;
	conn->rx.last = jiffies;
	hs->phase = TCPCRYPT_HS_DONE;
	/* Init2 is a non-SYN segment (E-12); after a resumption we may have heard nothing yet. */
	if (conn->send_eno && !conn->resumed) {
		conn->send_eno = false;
		tcpcrypt_mss_release(conn);
	}
	conn->wake_pending = true;
	smp_wmb();	/* aead and session ID before the state that says they are there */
	tcpcrypt_conn_set_state(conn, TCPCRYPT_ENCRYPTED);
	tcpcrypt_stat_inc(conn->tn, conn->active ? TCPCRYPT_STAT_ENCRYPTED_CONNECT : TCPCRYPT_STAT_ENCRYPTED_ACCEPT);
	if (conn->resumed)
		tcpcrypt_stat_inc(conn->tn, conn->active ? TCPCRYPT_STAT_RESUMED_CONNECT : TCPCRYPT_STAT_RESUMED_ACCEPT);
	tcpcrypt_conn_count_current(conn, 1);
}

/* One step under the socket lock. Return: 0 go on, -EAGAIN wait for more, -ENOSPC grow, else failed. */
static int handshake_step(struct tcpcrypt_conn *conn, enum tcpcrypt_lock how)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	int err;

	switch (hs->phase) {
	case TCPCRYPT_HS_SEND_INIT1:
		if (conn->role == ENO_ROLE_B) {		/* b=1 in our SYN (E-05): A begins; ours is made later */
			memzero_explicit(hs->priv, sizeof(hs->priv));
			hs->phase = TCPCRYPT_HS_RECEIVE;
			return 0;
		}
		if (hs->keyed != hs->tep) {
			hs->phase = TCPCRYPT_HS_KEYGEN;
			return 0;
		}
		if (!hs->own_len)
			handshake_build_init1(conn);
		err = handshake_send(conn, how);
		if (!err)
			hs->phase = TCPCRYPT_HS_RECEIVE;
		return err;
	case TCPCRYPT_HS_RECEIVE:
		err = handshake_receive(conn);
		if (!err)
			hs->phase = TCPCRYPT_HS_COMPUTE;
		return err;
	case TCPCRYPT_HS_FINISH:
		tcpcrypt_conn_cache(conn);	/* before the peer can offer it */
		if (conn->role == ENO_ROLE_B && !conn->resumed) {
			err = handshake_send(conn, how);
			if (err)
				return err;
		}
		handshake_install(conn);
		return 0;
	default:
		return 0;
	}
}

static enum tcpcrypt_reason handshake_reason(int err)
{
	switch (err) {
	case -ECONNABORTED:
		return TCPCRYPT_ABORT_TRUNCATED;
	case -ENOMEM:
		return TCPCRYPT_ABORT_NO_MEMORY;
	case -EEXIST:
		return TCPCRYPT_ABORT_FOREIGN_DATA;
	default:
		return TCPCRYPT_ABORT_BAD_INIT;
	}
}

bool tcpcrypt_handshake_run(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_handshake *hs = conn->hs;
	enum tcpcrypt_reason reason = TCPCRYPT_REASON_NONE;
	enum tcpcrypt_lock how;
	int err = 0;

	for (;;) {
		/* What may take long, without the lock. */
		if (hs->phase == TCPCRYPT_HS_KEYGEN) {
			if (handshake_keygen(conn))
				reason = TCPCRYPT_ABORT_CRYPTO;
			hs->phase = TCPCRYPT_HS_SEND_INIT1;
		} else if (hs->phase == TCPCRYPT_HS_COMPUTE) {
			reason = handshake_compute(conn);
			hs->phase = TCPCRYPT_HS_FINISH;
		} else if (READ_ONCE(hs->phase) == TCPCRYPT_HS_RESUME) {
			if (handshake_transforms(conn))
				reason = TCPCRYPT_ABORT_NO_MEMORY;
			hs->phase = TCPCRYPT_HS_FINISH;
		} else if (err == -ENOSPC) {
			err = handshake_grow(hs);
			if (err)
				reason = TCPCRYPT_ABORT_NO_MEMORY;
		}

		how = tcpcrypt_lock_try(conn, NULL);
		if (how == TCPCRYPT_LOCK_BUSY) {
			/* What was learnt without the lock must not be lost. */
			if (reason)
				WRITE_ONCE(conn->reason, reason);
			return false;
		}
		if (tcpcrypt_conn_of(conn->sk) != conn || conn->state > TCPCRYPT_EXCHANGE) {
			tcpcrypt_lock_drop(conn, how);
			return conn->state == TCPCRYPT_ENCRYPTED;
		}
		if (!reason)
			reason = READ_ONCE(conn->reason);
		if (conn->state == TCPCRYPT_SYN_SENT) {
			/* Keys are made; ENO is not decided yet, and nothing may fail before it is. */
			if (reason)
				WRITE_ONCE(conn->reason, reason);
			tcpcrypt_lock_drop(conn, how);
			return false;
		}
		if (!reason && tcp_sk(conn->sk)->copied_seq != conn->rx.seq)
			reason = TCPCRYPT_ABORT_FOREIGN_DATA;
		err = reason ? 0 : handshake_step(conn, how);
		if (!reason && err && err != -EAGAIN && err != -ENOSPC) {
			if (conn->sk->sk_state == TCP_CLOSE)
				err = -EAGAIN;	/* TCP is gone and says why itself */
			else
				reason = handshake_reason(err);
		}
		if (reason)
			tcpcrypt_conn_fail(conn, reason);
		tcpcrypt_lock_drop(conn, how);
		if (reason || err == -EAGAIN)
			return false;
		if (hs->phase == TCPCRYPT_HS_DONE)
			return true;
	}
}
