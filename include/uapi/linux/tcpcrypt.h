/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/* What programs may know of tcpcrypt: socket options, generic netlink, and the reasons that both report. */
#ifndef _UAPI_LINUX_TCPCRYPT_H
#define _UAPI_LINUX_TCPCRYPT_H

#include <linux/types.h>

/*
 * Socket options at their own level. On a connection that is not encrypted, or on a machine without the
 * module, the socket is plain TCP, and every one of them fails as an unknown level does there: getsockopt()
 * with EOPNOTSUPP on an IPv4 socket and ENOPROTOOPT on an IPv6 one, setsockopt() with ENOPROTOOPT. Until the
 * handshake is over those marked (E) fail with ENOTCONN; until both SYNs were exchanged those marked (S) do.
 *
 * Those marked (W) can be set, on a socket that is neither connected nor listening, and on which
 *	setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tcpcrypt", 8)
 * was called before; later they fail with EISCONN. The connections that a listener accepts have its settings.
 * A connection that fell back to plain TCP has none any more. An int that means nothing gets EINVAL. A buffer
 * that is too short for bytes gets EINVAL, and the length.
 */
#define SOL_TCP_ENO		0x454e

#define TCP_ENO_ENABLED		1	/* (W) int: 1 yes, 0 no, -1 as the sysctls say */
#define TCP_ENO_SESSID		2	/* (E) bytes, 33: the session ID */
#define TCP_ENO_NEGTEP		3	/* (E) int: the negotiated TEP, 0x20 to 0x7f */
#define TCP_ENO_TEPS		4	/* (W) bytes: TEPs to offer or accept, the best one last, as on the wire */
#define TCP_ENO_SELF_GOPT	5	/* (W) int, 0-3: our global suboption: 2 for a, 1 for b */
#define TCP_ENO_PEER_GOPT	6	/* (S) int, 0-31: the peer's, as received */
#define TCP_ENO_SELF_AWARE	7	/* (W) int: 1: we are application-aware, 2: and no encryption with who is not */
#define TCP_ENO_PEER_AWARE	8	/* (S) int, 0 or 1: the peer is application-aware */
#define TCP_ENO_ROLEOVERRIDE	9	/* (W) int: 1: b=1 also in connect(), for a simultaneous open */
#define TCP_ENO_ROLE		10	/* (E) int: 0 = A, 1 = B */
#define TCP_ENO_MANDATORY	11	/* (W) int: 1: without encryption connect() fails, and nothing is accepted */
#define TCP_ENO_LOCAL_NAME	12	/* (E) bytes, 34: our role, then the session ID: what this end signs */
#define TCP_ENO_PEER_NAME	13	/* (E) bytes, 34: the same of the other end */
#define TCP_ENO_TRANSCRIPT	14	/* (S) bytes: A's ENO option, then B's, as in the SYNs */
/*
 * (W, with CAP_NET_RAW in the network namespace, else EPERM) bytes, 0 to 38: what our SYN's option has behind kind
 * and length, byte for byte, in place of all that the other options and the sysctls would make of it; none: as
 * they say. Nothing checks it, so that anything can be tried: what comes of it is what RFC 8547 has the two SYNs
 * agree on, if this end can do that and the administrator allows it, and plain TCP otherwise. A listener's
 * connection sends it only where it leads to encryption. No resumption is offered or agreed to. On a connection:
 * what our SYN had.
 */
#define TCP_ENO_RAW		15
#define TCP_CRYPT_AEADS		32	/* (W) u16[]: AEADs to offer or accept, the best one first */
#define TCP_CRYPT_AEAD		33	/* (E) int: the AEAD in use */
#define TCP_CRYPT_RESUME	34	/* (W) int, enum tcpcrypt_resume */
#define TCP_CRYPT_CACHE_FLUSH	35	/* int, set at any time: drop what the connection has put into the cache of
					   session secrets, and put nothing there from now on */
#define TCP_CRYPT_RESUMED	36	/* (E) int: 1 if the session was resumed, without a key exchange */

/** enum tcpcrypt_resume - what a connection does of resumption (RFC 8548 section 3.5); bits */
enum tcpcrypt_resume {
	TCPCRYPT_RESUME_USE	= 1,	/* offer, and accept offers */
	TCPCRYPT_RESUME_CACHE	= 2,	/* keep its secret for later connections */
	TCPCRYPT_RESUME_DEFAULT	= 3,
};

/*
 * Set only, to any value but 0: a new key for what this end sends from now on, which makes the peer take a new
 * one as well. Nothing more happens while the peer has not answered the last such request. (E); EPIPE after
 * shutdown(SHUT_WR), EINVAL for 0 or less than an int.
 */
#define TCP_CRYPT_REKEY		37	/* (E) int */
#define TCP_CRYPT_INFO		38	/* struct tcpcrypt_info */

#define TCPCRYPT_SESSID_SIZE	33
#define TCPCRYPT_NAME_SIZE	(1 + TCPCRYPT_SESSID_SIZE)

/**
 * struct tcpcrypt_info - TCP_CRYPT_INFO; grows at its end
 * @size: of the whole struct as the kernel knows it; a shorter buffer gets the start of it
 * @state: enum tcpcrypt_state; 0 on a socket that opted in and is not connected
 * @active: 1 if this end connected
 * @role: 0 = A, 1 = B; once encrypted
 * @tep: the negotiated TEP; 0 until known
 * @aead: the AEAD in use; 0 until known
 * @reserved: 0
 * @handshake_us: from the establishment to the keys, microseconds
 * @tx_generation: local generation of keys
 * @rx_generation: remote generation
 * @tx_frames: frames sealed
 * @tx_bytes: application bytes in them
 * @rx_frames: frames opened
 * @rx_bytes: application bytes in them
 */
struct tcpcrypt_info {
	__u32 size;
	__u8 state;
	__u8 active;
	__u8 role;
	__u8 tep;
	__u16 aead;
	__u16 reserved;
	__u32 handshake_us;
	__u32 tx_generation;
	__u32 rx_generation;
	__aligned_u64 tx_frames;
	__aligned_u64 tx_bytes;
	__aligned_u64 rx_frames;
	__aligned_u64 rx_bytes;
};

/**
 * enum tcpcrypt_reason - why a connection is plain TCP, or why it was aborted
 *
 * Shared by counters, netlink and tcpcryptctl; the names there are these in lower case with dashes, without
 * "fallback-": no-eno-in-syn, abort-auth.
 * Up to TCPCRYPT_FALLBACK_LAST the connection went on as plain TCP; from TCPCRYPT_ABORT_FIRST on it was
 * reset and its reader got an error. Values never change; new ones are added at the end of their half.
 */
enum tcpcrypt_reason {
	TCPCRYPT_REASON_NONE = 0,

	TCPCRYPT_FALLBACK_NO_ENO_IN_SYN = 1,	/* passive: the peer did not offer */
	TCPCRYPT_FALLBACK_NO_ENO_IN_SYNACK,	/* active: the peer did not answer, or a middlebox took it */
	TCPCRYPT_FALLBACK_NO_ENO_IN_ACK,	/* passive: the first ACK came without ENO */
	TCPCRYPT_FALLBACK_MALFORMED,		/* E-08 */
	TCPCRYPT_FALLBACK_REPEATED,		/* two ENO options in a SYN (E-01) */
	TCPCRYPT_FALLBACK_VACUOUS,		/* no TEP in the option (E-16) */
	TCPCRYPT_FALLBACK_NO_COMMON_TEP,
	TCPCRYPT_FALLBACK_SAME_ROLE,		/* equal b bits, or an echoed option (E-09, E-22) */
	TCPCRYPT_FALLBACK_NOT_AWARE,		/* E-07 */
	TCPCRYPT_FALLBACK_SYN_RETRIED,		/* the SYN was retransmitted without ENO */
	TCPCRYPT_FALLBACK_SYN_CHANGED,		/* passive: the SYN came again without ENO, or with another */
	TCPCRYPT_FALLBACK_SIMULTANEOUS,		/* simultaneous open */
	TCPCRYPT_FALLBACK_DISABLED,		/* switched off by sysctl */
	TCPCRYPT_FALLBACK_BAD_PORT,		/* in bad_connect_ports or bad_listen_ports */
	TCPCRYPT_FALLBACK_LOOPBACK,		/* a host talking to itself */
	TCPCRYPT_FALLBACK_NO_ROOM,		/* no room among the TCP options */
	TCPCRYPT_FALLBACK_OTHER_OPTION,		/* MD5, TCP-AO, MPTCP, SMC or Fast Open in use */
	TCPCRYPT_FALLBACK_BUSY_SOCKET,		/* a ULP, a sockmap, repair mode, or a thread inside */
	TCPCRYPT_FALLBACK_KERNEL_SOCKET,
	TCPCRYPT_FALLBACK_HALFOPEN_LIMIT,	/* max_halfopen reached */
	TCPCRYPT_FALLBACK_NO_MEMORY,
	TCPCRYPT_FALLBACK_SYN_COOKIE,
	TCPCRYPT_FALLBACK_NO_RANDOM,		/* the random generator is not seeded (E-20) */
	TCPCRYPT_FALLBACK_DRAINING,		/* the module is about to be removed */
	TCPCRYPT_FALLBACK_PATH,			/* SYNs with ENO got lost on the way to this address before */
	TCPCRYPT_FALLBACK_LAST = 63,

	TCPCRYPT_ABORT_FIRST = 64,
	TCPCRYPT_ABORT_AUTH = 64,		/* a frame did not authenticate: EBADMSG (F-04) */
	TCPCRYPT_ABORT_BAD_FRAME,		/* a frame too short for what it must hold: EBADMSG (F-01) */
	TCPCRYPT_ABORT_TRUNCATED,		/* FIN without FINp: ECONNABORTED (F-06) */
	TCPCRYPT_ABORT_AFTER_FINP,		/* data after FINp: ECONNABORTED (F-06) */
	TCPCRYPT_ABORT_BAD_INIT,		/* malformed Init1 or Init2: EPROTO (K-04) */
	TCPCRYPT_ABORT_BAD_KEY,			/* a public key that is not valid: EPROTO (N-03) */
	TCPCRYPT_ABORT_NO_CIPHER,		/* no shared AEAD, or one that was not offered: EPROTO (K-03) */
	TCPCRYPT_ABORT_TIMEOUT,			/* the handshake took too long: ETIMEDOUT */
	TCPCRYPT_ABORT_NO_MEMORY,		/* ENOMEM during the handshake */
	TCPCRYPT_ABORT_CRYPTO,			/* the kernel's crypto API failed: EIO */
	TCPCRYPT_ABORT_FOREIGN_DATA,		/* somebody else wrote to or read from the stream: EPROTO */
	TCPCRYPT_ABORT_CLOSED,			/* closed during the handshake and could not finish it */
	TCPCRYPT_ABORT_KEEPALIVE,		/* SO_KEEPALIVE: the peer's tcpcrypt does not answer: ETIMEDOUT (F-12) */
	TCPCRYPT_ABORT_REQUIRED,		/* encryption was required, and ENO failed: ECONNREFUSED (E-25) */
	TCPCRYPT_ABORT_LAST = 127,

	TCPCRYPT_REASON_COUNT = 128,
};

/**
 * enum tcpcrypt_state - where a connection stands
 *
 * Names in netlink and in tcpcryptctl: these in lower case with dashes. Values never change.
 */
enum tcpcrypt_state {
	TCPCRYPT_STATE_SYN_SENT = 1,		/* ENO offered, no answer yet (active side) */
	TCPCRYPT_STATE_EXCHANGE,		/* ENO succeeded, keys are being agreed on */
	TCPCRYPT_STATE_ENCRYPTED,
	TCPCRYPT_STATE_ABORTED,			/* reset; the reader still has to be told */
};

/**
 * enum tcpcrypt_stat - counters that are not a reason, per network namespace
 *
 * Names as above. Values never change; new ones are added at the end.
 */
enum tcpcrypt_stat {
	TCPCRYPT_STAT_ENCRYPTED_CONNECT,	/* connections that became encrypted, active side */
	TCPCRYPT_STAT_ENCRYPTED_ACCEPT,		/* the same, passive side */
	TCPCRYPT_STAT_CURRENT,			/* encrypted now; goes down again */
	TCPCRYPT_STAT_HALFOPEN,			/* half-open passive connections now */
	TCPCRYPT_STAT_SYN_OFFERED,		/* SYNs sent with ENO, retransmissions included */
	TCPCRYPT_STAT_SYNACK_ANSWERED,		/* SYN-ACKs sent with ENO, retransmissions included */
	TCPCRYPT_STAT_FRAMES_SEALED,
	TCPCRYPT_STAT_BYTES_SEALED,		/* of application data */
	TCPCRYPT_STAT_FRAMES_OPENED,
	TCPCRYPT_STAT_BYTES_OPENED,
	TCPCRYPT_STAT_REKEYS_SENT,
	TCPCRYPT_STAT_REKEYS_RECEIVED,
	TCPCRYPT_STAT_KEY_AGREEMENTS,		/* shared secrets computed: one a session that was not resumed */
	TCPCRYPT_STAT_RESUME_OFFERED,		/* connections that offered to resume, active side */
	TCPCRYPT_STAT_RESUME_REFUSED,		/* offers of ours that the peer did not take */
	TCPCRYPT_STAT_RESUME_AGREED,		/* offers of peers that we agreed to */
	TCPCRYPT_STAT_RESUME_MISSED,		/* offers of peers that we did not: unknown, used, expired or unwanted */
	TCPCRYPT_STAT_RESUMED_CONNECT,		/* connections encrypted by resumption, active side */
	TCPCRYPT_STAT_RESUMED_ACCEPT,		/* the same, passive side */
	TCPCRYPT_STAT_CURRENT_RESUMED,		/* those now; goes down again */
	TCPCRYPT_STAT_RESUME_CACHED,		/* secrets in the cache now */
	TCPCRYPT_STAT_RESUME_EVICTED,		/* secrets dropped for want of room */
	TCPCRYPT_STAT_PATHS,			/* addresses to which SYNs with ENO get lost, known now */
	TCPCRYPT_STAT_COUNT,
};

/*
 * Generic netlink. Everything is about the network namespace of the socket that asks. Requests are parsed
 * strictly; each refusal carries a text (NETLINK_EXT_ACK). Integers are in host order, addresses in network
 * order. Documentation/netlink/specs/tcpcrypt.yaml describes the same.
 */
#define TCPCRYPT_GENL_NAME	"tcpcrypt"
#define TCPCRYPT_GENL_VERSION	1

/**
 * enum tcpcrypt_cmd - commands
 * @TCPCRYPT_CMD_GET: what the module is and can do, and totals: TCPCRYPT_A_INFO_*
 * @TCPCRYPT_CMD_CONN_GET: one connection by its cookie, or a dump of those that a filter leaves:
 *	TCPCRYPT_A_CONN_*; session IDs only for CAP_NET_ADMIN in the user namespace that owns the
 *	network namespace
 * @TCPCRYPT_CMD_STATS_GET: a dump of all counters: TCPCRYPT_A_COUNTER_*
 * @TCPCRYPT_CMD_CACHE_FLUSH: wipe the network namespace's cache of session secrets; CAP_NET_ADMIN in the user
 *	namespace that owns it
 */
enum tcpcrypt_cmd {
	TCPCRYPT_CMD_UNSPEC,
	TCPCRYPT_CMD_GET,
	TCPCRYPT_CMD_CONN_GET,
	TCPCRYPT_CMD_STATS_GET,
	TCPCRYPT_CMD_CACHE_FLUSH,

	__TCPCRYPT_CMD_MAX,
	TCPCRYPT_CMD_MAX = __TCPCRYPT_CMD_MAX - 1,
};

/** enum tcpcrypt_feature - bits of TCPCRYPT_A_INFO_FEATURES */
enum tcpcrypt_feature {
	TCPCRYPT_FEATURE_IPV6 = 1 << 0,
};

enum tcpcrypt_attr_info {
	TCPCRYPT_A_INFO_UNSPEC,
	TCPCRYPT_A_INFO_PAD,
	TCPCRYPT_A_INFO_VERSION,		/* string: of the module */
	TCPCRYPT_A_INFO_FEATURES,		/* u64: enum tcpcrypt_feature */
	TCPCRYPT_A_INFO_DRAINING,		/* flag: no new encrypted connections */
	TCPCRYPT_A_INFO_TEP,			/* nest, once for each TEP that is built: TCPCRYPT_A_ALG_* */
	TCPCRYPT_A_INFO_AEAD,			/* the same for AEADs */
	TCPCRYPT_A_INFO_FRAME_DATA_LIMIT,	/* u32: application bytes that a frame can hold */
	TCPCRYPT_A_INFO_HALFOPEN_LIMIT,		/* u32: max_halfopen of the namespace */
	TCPCRYPT_A_INFO_HALFOPEN,		/* u64: half-open passive connections now */
	TCPCRYPT_A_INFO_CURRENT,		/* u64: connections encrypted now */
	TCPCRYPT_A_INFO_ENCRYPTED,		/* u64: connections that ever became encrypted */
	TCPCRYPT_A_INFO_PLAIN,			/* u64: connections that fell back */
	TCPCRYPT_A_INFO_ABORTED,		/* u64: connections that were aborted */
	TCPCRYPT_A_INFO_CURRENT_RESUMED,	/* u64: connections encrypted now whose session was resumed */
	TCPCRYPT_A_INFO_RESUMED,		/* u64: connections that were ever resumed */
	TCPCRYPT_A_INFO_CACHED,			/* u64: session secrets in the cache now */

	__TCPCRYPT_A_INFO_MAX,
	TCPCRYPT_A_INFO_MAX = __TCPCRYPT_A_INFO_MAX - 1,
};

enum tcpcrypt_attr_alg {
	TCPCRYPT_A_ALG_UNSPEC,
	TCPCRYPT_A_ALG_ID,			/* u32: TEP or AEAD identifier */
	TCPCRYPT_A_ALG_NAME,			/* string: as the sysctls know it */

	__TCPCRYPT_A_ALG_MAX,
	TCPCRYPT_A_ALG_MAX = __TCPCRYPT_A_ALG_MAX - 1,
};

/*
 * In a request for one connection: COOKIE alone. In a request for a dump those marked (F), all of which a
 * connection must match to be listed; an address needs FAMILY, a prefix length needs its address.
 */
enum tcpcrypt_attr_conn {
	TCPCRYPT_A_CONN_UNSPEC,
	TCPCRYPT_A_CONN_PAD,
	TCPCRYPT_A_CONN_COOKIE,			/* u64: as SO_COOKIE and ss(8) have it */
	TCPCRYPT_A_CONN_FAMILY,			/* u16: AF_INET or AF_INET6 (F) */
	TCPCRYPT_A_CONN_LADDR,			/* 4 or 16 bytes: local address (F) */
	TCPCRYPT_A_CONN_RADDR,			/* 4 or 16 bytes: remote address (F) */
	TCPCRYPT_A_CONN_LADDR_PREFIX,		/* u8: bits of LADDR that count; only in requests (F) */
	TCPCRYPT_A_CONN_RADDR_PREFIX,		/* u8: bits of RADDR that count; only in requests (F) */
	TCPCRYPT_A_CONN_LPORT,			/* u16: local port (F) */
	TCPCRYPT_A_CONN_RPORT,			/* u16: remote port (F) */
	TCPCRYPT_A_CONN_STATE,			/* u8: enum tcpcrypt_state (F) */
	TCPCRYPT_A_CONN_UID,			/* u32: owner of the socket, as the asking process sees it */
	TCPCRYPT_A_CONN_ACTIVE,			/* flag: opened by this host */
	TCPCRYPT_A_CONN_ROLE,			/* u8: 0 = A, 1 = B; absent until ENO is over */
	TCPCRYPT_A_CONN_TEP,			/* u8: the negotiated TEP; absent until known */
	TCPCRYPT_A_CONN_AEAD,			/* u16: the AEAD in use; absent until known */
	TCPCRYPT_A_CONN_CLOSING,		/* flag: closed by the application, the rest is on its way */
	TCPCRYPT_A_CONN_TX_GENERATION,		/* u32: local generation; this and the next six: once encrypted */
	TCPCRYPT_A_CONN_RX_GENERATION,		/* u32: remote generation */
	TCPCRYPT_A_CONN_TX_FRAMES,		/* u64: frames sealed */
	TCPCRYPT_A_CONN_TX_BYTES,		/* u64: application bytes in them */
	TCPCRYPT_A_CONN_RX_FRAMES,		/* u64: frames opened */
	TCPCRYPT_A_CONN_RX_BYTES,		/* u64: application bytes in them */
	TCPCRYPT_A_CONN_HANDSHAKE_US,		/* u32: from the establishment to the keys, microseconds */
	TCPCRYPT_A_CONN_SESSID,			/* 33 bytes: the session ID; CAP_NET_ADMIN only */
	TCPCRYPT_A_CONN_RESUMED,		/* flag: the session was resumed */

	__TCPCRYPT_A_CONN_MAX,
	TCPCRYPT_A_CONN_MAX = __TCPCRYPT_A_CONN_MAX - 1,
};

/** enum tcpcrypt_counter_kind - which enum numbers a counter */
enum tcpcrypt_counter_kind {
	TCPCRYPT_COUNTER_STAT = 1,		/* enum tcpcrypt_stat */
	TCPCRYPT_COUNTER_REASON,		/* enum tcpcrypt_reason */
};

enum tcpcrypt_attr_counter {
	TCPCRYPT_A_COUNTER_UNSPEC,
	TCPCRYPT_A_COUNTER_PAD,
	TCPCRYPT_A_COUNTER_KIND,		/* u8: enum tcpcrypt_counter_kind */
	TCPCRYPT_A_COUNTER_ID,			/* u32: number in that enum */
	TCPCRYPT_A_COUNTER_NAME,		/* string: its name */
	TCPCRYPT_A_COUNTER_VALUE,		/* u64 */

	__TCPCRYPT_A_COUNTER_MAX,
	TCPCRYPT_A_COUNTER_MAX = __TCPCRYPT_A_COUNTER_MAX - 1,
};

#endif
