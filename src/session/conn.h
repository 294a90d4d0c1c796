/* SPDX-License-Identifier: GPL-2.0 */
/* One connection that ENO was offered on or agreed for: its states, its secrets and its lifetime. */
#ifndef TCPCRYPT_SESSION_CONN_H
#define TCPCRYPT_SESSION_CONN_H

#include <linux/refcount.h>
#include <linux/workqueue.h>
#include <linux/timer.h>
#include <linux/scatterlist.h>
#include <linux/bvec.h>
#include <net/tcp.h>
#include "compat/compat.h"
#include "wire/eno.h"
#include "wire/init.h"
#include "wire/frame.h"
#include "crypto/aead.h"
#include "crypto/tep.h"
#include "control/net.h"
#include "session/conn_info.h"
#include "session/resume.h"
#include "session/settings.h"

/*
 * LOCKING
 *
 * A connection belongs to one socket, by icsk_ulp_data. The socket lock guards everything in struct
 * tcpcrypt_conn but what is marked otherwise. It is held in one of three ways:
 *
 *   owned      lock_sock(), process context, may sleep: system calls, and the worker once a socket
 *              has a struct socket
 *   BH         bh_lock_sock() with !sock_owned_by_user(): softirq, and the worker on a child that
 *              nobody accepted yet (nobody may own such a child: inet_csk_listen_stop())
 *   backlog    what softirq would have done, by the owner in release_sock()
 *
 * Order: socket lock, then sk_callback_lock, then the list lock of conn.c, then the bucket locks of
 * option/embryo.c; those of resume.c, option/path.c and option/simultaneous.c are leaves.
 * The worker takes the socket lock by tcpcrypt_lock_try() and never waits for it: a thread may hold it for as long as a
 * page fault takes. When it is busy, release_cb runs the worker again.
 * poll(), which opens frames where their content decides what it has to say, takes the lock in the same way.
 * tcp_abort() does wait: so that is done from a work queue of its own, and no handshake stands behind it.
 *
 * Whoever slept must look at the slot again (tcpcrypt_conn_of()): a fallback to plain TCP, a
 * disconnect() or the end of the socket may have emptied it.
 *
 * LIFETIME
 *
 * References: one of the slot (icsk_ulp_data), one for the worker while it is queued or runs, one for
 * the timer while it is armed. The last two also hold the socket. The memory goes after an RCU grace
 * period; if there may be transforms, from a work item, because those are freed in process context.
 */

/*
 * States of the negotiation; tcpcrypt_conn_set_state() is the one setter.
 *
 *   active:   SYN_SENT --ENO in SYN-ACK--> EXCHANGE --keys--> ENCRYPTED
 *                |                            |                  |
 *                +--no ENO--> PLAIN           +------error-------+--> DEAD
 *   passive:            (third ACK with ENO) EXCHANGE
 *
 * PLAIN and DEAD are final. From EXCHANGE on there is no way back to plain TCP (E-15).
 */

/** enum tcpcrypt_phase - the key exchange; the worker alone moves it */
enum tcpcrypt_phase {
	TCPCRYPT_HS_KEYGEN,	/* A: a key pair is to be made; runs while the SYN is on its way */
	TCPCRYPT_HS_OFFERED,	/* A: a resumption is offered: nothing to do before the SYN-ACK */
	TCPCRYPT_HS_SEND_INIT1,	/* A: waiting for the SYN-ACK, then send */
	TCPCRYPT_HS_RECEIVE,	/* collecting the peer's message */
	TCPCRYPT_HS_COMPUTE,	/* it is whole */
	TCPCRYPT_HS_RESUME,	/* mk[0] comes from a cached secret, without Init messages: transforms are to be made */
	TCPCRYPT_HS_FINISH,	/* keys are there: B sends Init2, then both install them */
	TCPCRYPT_HS_DONE,
};

#define TCPCRYPT_SEAL_SGS	24	/* a frame of 64 KiB in order-0 pages, its header, and a bit */
#define TCPCRYPT_OPEN_SGS	64

/**
 * struct tcpcrypt_handshake - what only the key exchange needs; gone when it is over
 * @guess: the key agreement that we offered best, for a key pair made before the answer is here; constant
 * @tep: the negotiated one, NULL before EXCHANGE
 * @keyed: the one that @priv and @own are for; the worker's
 * @phase: see there
 * @priv: our private key, wiped after use (K-06)
 * @pub: our public key in wire encoding
 * @own: our Init message as sent (part of the key derivation)
 * @own_len: its length, 0 until made
 * @own_sent: how much of it TCP has taken
 * @peer: the peer's Init message as received
 * @peer_len: how much of it has arrived
 * @peer_cap: room at @peer
 * @peer_inline: where @peer points at first
 * @aead: chosen AEAD
 * @secret: A: what our SYN offers; B: what our SYN-ACK agrees to; later what goes into the cache
 * @ss: ss[0]
 * @mk: mk[0]
 * @tx: sealing transform, until installed
 * @rx: opening transform, until installed
 */
struct tcpcrypt_handshake {
	const struct tcpcrypt_tep *guess;
	const struct tcpcrypt_tep *tep;
	const struct tcpcrypt_tep *keyed;
	enum tcpcrypt_phase phase;
	u8 priv[TCPCRYPT_PRIV_MAX];
	u8 pub[TCPCRYPT_PUB_MAX];
	u8 own[TCPCRYPT_INIT_SEND_MAX];
	unsigned int own_len;
	unsigned int own_sent;
	u8 *peer;
	u32 peer_len;
	u32 peer_cap;
	u8 peer_inline[TCPCRYPT_INIT_SEND_MAX];
	const struct tcpcrypt_aead *aead;
	struct tcpcrypt_secret *secret;
	u8 ss[TCPCRYPT_K_LEN];
	u8 mk[TCPCRYPT_K_LEN];
	u8 sessid[TCPCRYPT_SESSID_LEN];
	struct tcpcrypt_cipher *tx;
	struct tcpcrypt_cipher *rx;
};

/**
 * struct tcpcrypt_chunk - plaintext of ours in kernel pages: opened and not read yet, or written before
 * the keys were there
 * @node: in &tcpcrypt_rx.chunks or &tcpcrypt_tx.waiting
 * @off: first byte not consumed
 * @len: bytes from there
 * @n_pages: entries in @pages
 */
struct tcpcrypt_chunk {
	struct list_head node;
	u32 off;
	u32 len;
	u32 n_pages;
	struct page *pages[];
};

/**
 * struct tcpcrypt_rx - the receiving direction
 * @cipher: opens frames; NULL until keys are installed and after they were wiped
 * @mk: mk[@gen]
 * @gen: remote generation (F-08)
 * @offset: in the peer's data stream, of the next frame's first byte
 * @seq: what tp->copied_seq must be: nobody else reads from this socket
 * @need: bytes of the frame at the head in all, 0 while its header is not known
 * @scan: sequence number of the first header that was not looked at for a rekey
 * @rekey_seq: where the last frame that says rekey=1 starts, if @rekey_ahead
 * @rekey_ahead: it has arrived and is not opened yet
 * @rekeys: how many such frames were seen ahead; may be too low, then they are answered when they are opened
 * @staged: bytes of that frame that were taken out of TCP's queue already, into @stage
 * @stage: ciphertext that did not fit into the receive buffer as a whole, or into @sg
 * @chunks: opened plaintext, oldest first
 * @ready: bytes in @chunks
 * @avail: plaintext that a reader could have, as far as SO_RCVLOWAT asks; for poll, read without the lock
 * @urg_data: as in struct tcp_sock: 0, or TCP_URG_NOTYET, TCP_URG_VALID and the byte, TCP_URG_READ; poll reads
 *	it without the lock
 * @urg_pos: the urgent mark, in application bytes as @bytes counts them, if @urg_data
 * @urg_wanted: somebody polled for urgent data; written without the lock
 * @urg_seen: the peer has sent urgent data before
 * @urg_news: @urg_data became valid, and nobody was woken for it yet
 * @at_mark: the next byte is the urgent one; for poll, without the lock
 * @sealed: the frame at the head is whole; for poll, without the lock
 * @doubt: @avail is enough only if the frames that are not open yet carry no urgent data; for poll
 * @turned_away: a poll that had to open frames found the socket busy; set under the spinlock by those, under
 *	the lock by others; cleared by the worker, which opens them and wakes everybody
 * @starved: frames were to be opened ahead, but that many bytes are not read yet; poll reads it without the lock
 * @sleeper: bytes that will do for the most modest of the readers that sleep, 0: nobody does; may be stale
 * @spare: a used chunk, kept for the next frame
 * @req: AEAD request, allocated with @cipher
 * @sg: for the ciphertext
 * @sg_out: for the plaintext
 * @scratch: room for AD and flags byte in front of a reader's pages
 * @last: jiffies of the last authentic frame, or of the keys
 * @finp: an authentic FINp was opened (F-06)
 */
struct tcpcrypt_rx {
	struct tcpcrypt_cipher *cipher;
	u8 mk[TCPCRYPT_K_LEN];
	u32 gen;
	u64 offset;
	u32 seq;
	u32 need;
	u32 scan;
	u32 rekey_seq;
	bool rekey_ahead;
	u32 rekeys;
	u32 staged;
	struct tcpcrypt_chunk *stage;
	struct list_head chunks;
	u32 ready;
	u32 avail;
	u16 urg_data;
	bool urg_wanted;
	bool urg_seen;
	bool urg_news;
	u64 urg_pos;
	bool at_mark;
	bool sealed;
	bool doubt;
	bool turned_away;
	bool starved;
	size_t sleeper;
	struct tcpcrypt_chunk *spare;
	struct aead_request *req;
	struct scatterlist *sg;
	struct scatterlist *sg_out;
	u8 *scratch;
	u64 frames;
	u64 bytes;
	unsigned long last;
	bool finp;
};

/**
 * struct tcpcrypt_tx - the sending direction
 * @cipher: seals frames
 * @mk: mk[@gen]
 * @gen: local generation
 * @offset: bytes given to TCP, or waiting in @out: the next frame's place in our data stream
 * @key_frames: frames sealed under this key
 * @key_bytes: bytes sealed under this key
 * @rekey: the next frame is the first of its generation and says so (F-08)
 * @owed: an empty frame that says so is to go out, unless one with data is sealed first
 * @asked: a rekey was asked for, and the peer has not caught up with our generation since (F-10)
 * @finp: the last frame was sealed; nothing follows it
 * @burst: bytes since the connection started or was idle, for the frame size
 * @last: jiffies of the last frame
 * @frag: where ciphertext is written
 * @out: sealed bytes that TCP has not taken, in order; never sealed again
 * @n_out: entries in @out
 * @out_bytes: bytes in @out
 * @pushing: TCP is being given @out just now
 * @waiting: plaintext written before the keys were there
 * @waiting_bytes: bytes in @waiting, charged to the socket
 * @waiting_urgent: how many of those up to the last urgent one, 0 for none
 * @urge: an urgent byte is in @out: neither Nagle nor TCP_CORK keeps it
 * @req: AEAD request
 * @sg_in: plaintext
 * @sg_out: ciphertext
 * @scratch: header and flags byte of a frame whose plaintext lies in the writer's pages
 * @pages: the writer's pages, while a frame is sealed from them
 */
struct tcpcrypt_tx {
	struct tcpcrypt_cipher *cipher;
	u8 mk[TCPCRYPT_K_LEN];
	u32 gen;
	u64 offset;
	u64 key_frames;
	u64 key_bytes;
	bool rekey;
	bool owed;
	bool asked;
	bool finp;
	u32 burst;
	unsigned long last;
	struct page_frag frag;
	struct bio_vec out[TCPCRYPT_SEAL_SGS + 2];
	unsigned int n_out;
	u32 out_bytes;
	bool pushing;
	struct list_head waiting;
	u32 waiting_bytes;
	u32 waiting_urgent;
	bool urge;
	struct aead_request *req;
	struct scatterlist *sg_in;
	struct scatterlist *sg_out;
	u8 *scratch;
	struct page **pages;
	u64 frames;
	u64 bytes;
};

/**
 * struct tcpcrypt_conn - one connection
 * @slot: TCPCRYPT_SLOT_CONN
 * @sk: the socket; constant; valid while the slot is ours or a reference is held for the worker
 * @tn: its namespace's settings and counters
 * @refs: see LIFETIME
 * @state: written under the socket lock, read anywhere
 * @active: we sent the SYN; constant
 * @role: ours; constant from EXCHANGE on
 * @side: whose keys we seal with: our role in the session that this one was resumed from
 * @resumed: there was no key exchange; constant from EXCHANGE on
 * @resume: TCPCRYPT_RESUME_*: what this connection does of resumption
 * @resume_tep: our SYN offers to resume a session of this TEP, or agrees to it; 0: neither
 * @resume_half: what the peer's SYN must have for it (RFC 8548 section 3.5); both constant once our SYN has left
 * @cached: ss[i+1] went into the cache
 * @cached_half: where it is found there
 * @tep_byte: the byte that B sent for the TEP; constant from EXCHANGE on
 * @err: errno that every later read and write gets, 0 while none; DEAD only
 * @reason: why
 * @abort_pending: state is DEAD, TCP does not know it yet
 * @wake_pending: the keys just arrived: whoever waits is to be woken
 * @deferred: the worker found the socket busy; release_cb runs it again
 * @ext_hdr_set: icsk_ext_hdr_len with those 4 bytes
 * @deadline: jiffies when patience ends: of the handshake, later of the wait after close(); 0 none
 * @alive_due: jiffies when stream/alive.c wants to look again, 0 without keep-alive
 * @alive_start: since when the peer could have answered, if @alive_asked
 * @alive_seq: end of what it was asked with
 * @alive_asked: see there
 * @close_una: snd_una when @deadline was set, after close()
 * @shut_tx: the application shut its sending side down, FINp and FIN may still have to follow
 * @fin_sent: base shutdown was called
 * @shut_rx: the application shut its receiving side down
 * @closed: the application closed; @priv_sock keeps the socket until the rest is done
 * @mss_reserved: 4 bytes of MSS are set aside for the option (E-12)
 * @rcvlowat: what SO_RCVLOWAT says; sk_rcvlowat itself is 1
 * @isn: first sequence number of our data stream
 * @peer_isn: the same of the peer's
 * @limit_seq: end of what we gave to TCP; a segment beyond it is somebody else's
 * @syn: our SYN-form option as sent (E-14)
 * @peer_syn: the peer's
 * @syns: how often our SYN was sent
 * @send_eno: every segment carries the option: nothing but SYNs was heard yet (E-12)
 * @aead: set when ENCRYPTED
 * @sessid: session ID, once ENCRYPTED
 * @hs: NULL once over
 * @handshake_start: when the connection was established, ktime in ns
 * @handshake_us: how long the key exchange took
 * @rx: receiving direction
 * @tx: sending direction
 * @base_prot: what sk_prot was
 * @base_af_ops: what icsk_af_ops was, NULL if it was not replaced
 * @saved_data_ready: and the other callbacks as they were
 * @priv_sock: see @closed
 * @work: the worker
 * @abort_work: resets the TCP connection of a failed one; apart, because it waits for the socket lock
 * @timer: handshake time-out, then retries and keep-alive, then the time-out after close
 * @serial: unlike that of any other connection, of this socket too; for those who slept
 * @simultaneous: what option/simultaneous.c knows, NULL mostly; kept with the connection
 * @settings: what the application asked for, NULL for nothing; of a child: its listener's
 * @required: without encryption there is no connection (E-25); constant
 * @list: in the table of connections
 * @listed: it is
 * @rwork: frees it
 */
struct tcpcrypt_conn {
	enum tcpcrypt_slot slot;
	struct sock *sk;
	struct tcpcrypt_net *tn;
	struct net *net;
	refcount_t refs;
	enum tcpcrypt_conn_state state;
	bool active;
	enum eno_role role;
	enum eno_role side;
	bool resumed;
	u8 resume;
	u8 resume_tep;
	u8 resume_half[ENO_RESUME_HALF_LEN];
	bool cached;
	u8 cached_half[ENO_RESUME_HALF_LEN];
	u8 tep_byte;
	int err;
	enum tcpcrypt_reason reason;
	bool abort_pending;
	bool wake_pending;
	bool deferred;
	bool shut_tx;
	bool fin_sent;
	bool shut_rx;
	bool closed;
	bool mss_reserved;
	u16 ext_hdr_set;
	unsigned long deadline;
	unsigned long alive_due;
	unsigned long alive_start;
	u32 alive_seq;
	bool alive_asked;
	u32 close_una;
	int rcvlowat;
	u32 isn;
	u32 peer_isn;
	u32 limit_seq;
	struct eno_syn syn;
	struct eno_syn peer_syn;
	u8 syns;
	bool send_eno;

	const struct tcpcrypt_aead *aead;
	u8 sessid[TCPCRYPT_SESSID_LEN];
	struct tcpcrypt_handshake *hs;
	u64 handshake_start;
	u32 handshake_us;
	struct tcpcrypt_rx rx;
	struct tcpcrypt_tx tx;

	struct proto *base_prot;
	const struct inet_connection_sock_af_ops *base_af_ops;
	void (*saved_data_ready)(struct sock *sk);
	void (*saved_state_change)(struct sock *sk);
	void (*saved_write_space)(struct sock *sk);
	struct socket *priv_sock;

	struct work_struct work;
	struct work_struct abort_work;
	struct timer_list timer;
	struct tcpcrypt_simultaneous *simultaneous;
	struct tcpcrypt_settings *settings;
	bool required;

	struct hlist_node list;
	u64 serial;
	u64 cookie;
	bool listed;
	struct rcu_work rwork;
};

#define TCPCRYPT_RETRY_DELAY	(HZ / 50)	/* after an allocation failed */

extern struct workqueue_struct *tcpcrypt_wq;
extern struct workqueue_struct *tcpcrypt_abort_wq;
extern const struct tcp_ulp_ops tcpcrypt_ulp_ops;

int tcpcrypt_conn_init(void);
void tcpcrypt_conn_exit(void);

/**
 * tcpcrypt_conn_alloc() - a connection with one reference, the caller's
 * @sk: its socket, NULL for one that has none yet (an embryo's)
 * @tn: namespace
 * @active: our SYN
 *
 * Any context. Return: NULL when there is no memory.
 */
struct tcpcrypt_conn *tcpcrypt_conn_alloc(struct sock *sk, struct tcpcrypt_net *tn, bool active);

/** tcpcrypt_conn_get() - one more reference */
static inline void tcpcrypt_conn_get(struct tcpcrypt_conn *conn)
{
	refcount_inc(&conn->refs);
}

/** tcpcrypt_conn_put() - drop a reference; any context */
void tcpcrypt_conn_put(struct tcpcrypt_conn *conn);

/** tcpcrypt_conn_of() - the connection in the socket's slot, NULL if it is not ours; socket lock held */
static inline struct tcpcrypt_conn *tcpcrypt_conn_of(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	if (icsk->icsk_ulp_ops != &tcpcrypt_ulp_ops)
		return NULL;
	return rcu_dereference_protected(icsk->icsk_ulp_data, 1);
}

/**
 * tcpcrypt_conn_of_rcu() - the same without the lock, in an RCU read section
 *
 * Data first, then ops: kTLS may take the slot after us, data first. Pairs with the order in
 * tcpcrypt_detach(). Both kinds of ours live as long as the read section, so that the slot can be asked.
 */
static inline struct tcpcrypt_conn *tcpcrypt_conn_of_rcu(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcpcrypt_conn *conn = rcu_dereference(icsk->icsk_ulp_data);

	smp_rmb();
	if (READ_ONCE(icsk->icsk_ulp_ops) != &tcpcrypt_ulp_ops || !conn || conn->slot != TCPCRYPT_SLOT_CONN)
		return NULL;
	return conn;
}

/** tcpcrypt_conn_set_state() - move on; refuses what the diagram does not have */
void tcpcrypt_conn_set_state(struct tcpcrypt_conn *conn, enum tcpcrypt_conn_state state);

/** tcpcrypt_conn_kick() - run the worker; the socket is alive (slot held, or its lock) */
void tcpcrypt_conn_kick(struct tcpcrypt_conn *conn);

/** tcpcrypt_conn_timer() - run the worker in @delay jiffies at the latest; lock held */
void tcpcrypt_conn_timer(struct tcpcrypt_conn *conn, unsigned long delay);
void tcpcrypt_conn_timer_stop(struct tcpcrypt_conn *conn);

/** tcpcrypt_conn_deadline() - patience ends in @delay jiffies */
void tcpcrypt_conn_deadline(struct tcpcrypt_conn *conn, unsigned long delay);

/** tcpcrypt_conn_late() - did it end? */
static inline bool tcpcrypt_conn_late(const struct tcpcrypt_conn *conn)
{
	return conn->deadline && time_after_eq(jiffies, conn->deadline);
}

/**
 * tcpcrypt_conn_heard() - has a segment without SYN arrived (E-12)? socket lock held
 *
 * By what TCP accepted of it: never on the word of a segment that may be forged. A segment that neither brought
 * nor acknowledged anything goes unnoticed, which costs an option in a few segments more.
 */
static inline bool tcpcrypt_conn_heard(const struct tcpcrypt_conn *conn)
{
	const struct tcp_sock *tp = tcp_sk(conn->sk);

	return tp->snd_una != conn->isn || tp->rcv_nxt != conn->peer_isn;
}

/** tcpcrypt_conn_count_current() - one encrypted connection more (1) or less (-1) */
void tcpcrypt_conn_count_current(struct tcpcrypt_conn *conn, int n);

/** tcpcrypt_conn_cache() - ss[i+1], in @hs, goes into the cache, if there is one; lock held, any context */
void tcpcrypt_conn_cache(struct tcpcrypt_conn *conn);

/** tcpcrypt_conn_uncache() - R-09: what this connection has put there is dropped, and nothing follows; lock held */
void tcpcrypt_conn_uncache(struct tcpcrypt_conn *conn);

/** tcpcrypt_conn_publish() - put it into the table that netlink dumps */
void tcpcrypt_conn_publish(struct tcpcrypt_conn *conn);
void tcpcrypt_conn_unpublish(struct tcpcrypt_conn *conn);

/**
 * tcpcrypt_conn_fail() - encryption is over for this connection; nothing more goes in or out
 * @conn: connection
 * @reason: TCPCRYPT_ABORT_*
 *
 * Every read and write gets the reason's errno from here on. Wipes the keys. The caller, or the worker,
 * has TCP send the RST after the lock was dropped: tcpcrypt_conn_abort().
 * Context: socket lock held.
 * Return: the errno, negative
 */
int tcpcrypt_conn_fail(struct tcpcrypt_conn *conn, enum tcpcrypt_reason reason);

/** tcpcrypt_conn_abort() - reset the TCP connection of a failed one; process context, socket lock NOT held */
void tcpcrypt_conn_abort(struct sock *sk);

/** tcpcrypt_conn_wipe_keys() - drop every key; process context, socket owned or last reference */
void tcpcrypt_conn_wipe_keys(struct tcpcrypt_conn *conn);

/** tcpcrypt_handshake_free() - wipe and free; process context, before EXCHANGE any; NULL is fine */
void tcpcrypt_handshake_free(struct tcpcrypt_handshake *hs);

/* chunk.c: pages of plaintext */

/** tcpcrypt_chunk_alloc() - room for @size bytes; NULL without memory */
struct tcpcrypt_chunk *tcpcrypt_chunk_alloc(u32 size, gfp_t gfp);

/** tcpcrypt_chunk_free() - wipe and free; NULL is fine; any context */
void tcpcrypt_chunk_free(struct tcpcrypt_chunk *chunk);

/** tcpcrypt_chunk_list_free() - all of a list */
void tcpcrypt_chunk_list_free(struct list_head *list);

/** tcpcrypt_chunk_to_sg() - describe @len bytes from @off; returns the entries used */
unsigned int tcpcrypt_chunk_to_sg(struct tcpcrypt_chunk *chunk, u32 off, u32 len, struct scatterlist *sg);

/** tcpcrypt_chunk_wipe() - overwrite @len bytes from @off */
void tcpcrypt_chunk_wipe(struct tcpcrypt_chunk *chunk, u32 off, u32 len);

/* keypool.c: key pairs that connections which turned out plain left; each is used for one connection */

/** tcpcrypt_keypool_take() - an unused pair for @hs's guess; any context; false: the worker must make one */
bool tcpcrypt_keypool_take(struct tcpcrypt_handshake *hs);

/** tcpcrypt_keypool_has() - is there one for @tep? any context; a hint */
bool tcpcrypt_keypool_has(const struct tcpcrypt_tep *tep);

/** tcpcrypt_keypool_give() - keep the pair of @hs if it never left this host; wiped from @hs; any context */
void tcpcrypt_keypool_give(struct tcpcrypt_handshake *hs);

/** tcpcrypt_keypool_wipe() - at unload */
void tcpcrypt_keypool_wipe(void);

enum tcpcrypt_lock {
	TCPCRYPT_LOCK_BUSY,	/* not locked; release_cb will run the worker again */
	TCPCRYPT_LOCK_OWNED,
	TCPCRYPT_LOCK_BH,	/* a child nobody accepted: spinlock held, may not sleep */
};

/**
 * tcpcrypt_lock_try() - the worker's way to the socket lock, and poll's; never waits
 * @conn: connection
 * @busy: set, under the spinlock, if somebody has the lock: before that one's release_cb runs the worker; may be NULL
 */
enum tcpcrypt_lock tcpcrypt_lock_try(struct tcpcrypt_conn *conn, bool *busy);
void tcpcrypt_lock_drop(struct tcpcrypt_conn *conn, enum tcpcrypt_lock how);

/*
 * Threads inside our functions that hold no reference: the module may not go before they left. Summed
 * over all CPUs; a thread may leave on another CPU than it came in.
 */
DECLARE_PER_CPU(long, tcpcrypt_inside);

static inline void tcpcrypt_enter(void)
{
	this_cpu_inc(tcpcrypt_inside);
}

static inline void tcpcrypt_leave(void)
{
	this_cpu_dec(tcpcrypt_inside);
}

/**
 * tcpcrypt_leave_to_base() - as leave, but the base's function is still called with our frame on the stack
 *
 * For one that does not sleep, or not for long: the module waits until it is back.
 */
static inline void tcpcrypt_leave_to_base(void)
{
	__module_get(THIS_MODULE);
	tcpcrypt_leave();
}

static inline void tcpcrypt_back_from_base(void)
{
	module_put(THIS_MODULE);
}

#endif
