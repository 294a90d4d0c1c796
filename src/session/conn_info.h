/* SPDX-License-Identifier: GPL-2.0 */
/* A connection as the control room sees it: a copy, taken without the socket lock. */
#ifndef TCPCRYPT_SESSION_CONN_INFO_H
#define TCPCRYPT_SESSION_CONN_INFO_H

#include <linux/tcpcrypt.h>
#include <linux/types.h>
#include <linux/socket.h>
#include <linux/in6.h>
#include "crypto/keys.h"

/** enum tcpcrypt_conn_state - the negotiation's state machine; see conn.h for the diagram */
enum tcpcrypt_conn_state {
	TCPCRYPT_SYN_SENT,	/* ENO offered, no answer yet (active) */
	TCPCRYPT_EXCHANGE,	/* ENO succeeded, keys are being agreed on */
	TCPCRYPT_ENCRYPTED,
	TCPCRYPT_DEAD,		/* aborted; the reader still has to be told */
	TCPCRYPT_PLAIN,		/* fell back, gone from the socket */
};

/** tcpcrypt_conn_uapi_state() - enum tcpcrypt_state; 0 for a connection that is about to leave us */
static inline u8 tcpcrypt_conn_uapi_state(enum tcpcrypt_conn_state state)
{
	switch (state) {
	case TCPCRYPT_SYN_SENT:
		return TCPCRYPT_STATE_SYN_SENT;
	case TCPCRYPT_EXCHANGE:
		return TCPCRYPT_STATE_EXCHANGE;
	case TCPCRYPT_ENCRYPTED:
		return TCPCRYPT_STATE_ENCRYPTED;
	case TCPCRYPT_DEAD:
		return TCPCRYPT_STATE_ABORTED;
	default:
		return 0;
	}
}

/**
 * struct tcpcrypt_conn_info - a snapshot
 * @cookie: the socket cookie, as ss(8) and SO_COOKIE show it
 * @family: AF_INET or AF_INET6 (an IPv4-mapped connection is AF_INET)
 * @laddr: local address; the first four bytes for AF_INET
 * @raddr: remote address
 * @lport: local port, host order
 * @rport: remote port, host order
 * @uid: owner of the socket
 * @state: enum tcpcrypt_conn_state
 * @active: we opened it
 * @role: enum eno_role
 * @tep: negotiated TEP
 * @aead: negotiated AEAD, 0 until known
 * @resumed: without a key exchange (RFC 8548 section 3.5)
 * @closing: the application closed it, the rest is on its way
 * @tx_gen: local generation (F-08)
 * @rx_gen: remote generation
 * @tx_frames: frames sealed, @tx_bytes their application bytes
 * @rx_frames: frames opened, @rx_bytes their application bytes
 * @handshake_us: from the connection's establishment to the keys, microseconds
 * @has_sessid: @sessid is filled in
 * @sessid: session ID (CAP_NET_ADMIN only)
 */
struct tcpcrypt_conn_info {
	u64 cookie;
	sa_family_t family;
	struct in6_addr laddr;
	struct in6_addr raddr;
	u16 lport;
	u16 rport;
	kuid_t uid;
	u8 state;
	bool active;
	u8 role;
	u8 tep;
	u16 aead;
	bool resumed;
	bool closing;
	u32 tx_gen;
	u32 rx_gen;
	u64 tx_frames;
	u64 tx_bytes;
	u64 rx_frames;
	u64 rx_bytes;
	u32 handshake_us;
	bool has_sessid;
	u8 sessid[TCPCRYPT_SESSID_LEN];
};

/**
 * tcpcrypt_conn_walk() - call @fn for the connections of a namespace, restartable; process context
 * @net: the namespace
 * @pos: where to start, 0 at first; where to go on when @fn stopped the walk
 * @fn: returns 0 to go on; any other value stops the walk BEFORE that connection
 * @arg: for @fn
 *
 * Each call to @fn gets a snapshot; @fn runs in an RCU read section and may not sleep.
 *
 * Return: 0 when all were seen, else what @fn returned
 */
int tcpcrypt_conn_walk(struct net *net, u64 *pos, int (*fn)(const struct tcpcrypt_conn_info *info, void *arg),
		       void *arg);

/** tcpcrypt_conn_find() - a snapshot of the connection with this socket cookie. Return: 0, or -ENOENT */
int tcpcrypt_conn_find(struct net *net, u64 cookie, struct tcpcrypt_conn_info *info);

#endif
