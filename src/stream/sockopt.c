// SPDX-License-Identifier: GPL-2.0
/* Socket options: our level, and those of TCP that would reach into the byte stream. */
#include "stream/stream.h"
#include <uapi/linux/tcpcrypt.h>

/**
 * struct sockopt_value - what getsockopt() gives
 * @size: bytes of it
 * @whole: all of them or none: bytes, and not an integer or a struct that grows
 */
struct sockopt_value {
	int size;
	bool whole;
	union {
		int num;
		u8 bytes[2 * ENO_TCP_OPTIONS_MAX];
		struct tcpcrypt_info info;
	};
};

static int sockopt_copy(const struct sockopt_value *val, char __user *optval, int __user *optlen)
{
	int len;

	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	if (put_user(val->whole ? val->size : min(len, val->size), optlen))
		return -EFAULT;
	if (val->whole && len < val->size)
		return -EINVAL;
	return copy_to_user(optval, val->bytes, min(len, val->size)) ? -EFAULT : 0;
}

/* @conn: NULL on a socket that is not connected. */
static void sockopt_info(const struct tcpcrypt_conn *conn, struct sockopt_value *val)
{
	struct tcpcrypt_info *info = &val->info;

	val->size = sizeof(*info);
	info->size = sizeof(*info);
	if (!conn)
		return;
	info->state = tcpcrypt_conn_uapi_state(conn->state);
	info->active = conn->active;
	if (conn->state == TCPCRYPT_SYN_SENT)
		return;
	info->role = conn->role;
	info->tep = conn->tep_byte & ENO_SUB_GLT;
	info->aead = conn->aead ? conn->aead->id : 0;
	info->handshake_us = conn->handshake_us;
	info->tx_generation = conn->tx.gen;
	info->rx_generation = conn->rx.gen;
	info->tx_frames = conn->tx.frames;
	info->tx_bytes = conn->tx.bytes;
	info->rx_frames = conn->rx.frames;
	info->rx_bytes = conn->rx.bytes;
}

static int sockopt_num(struct sockopt_value *val, int num)
{
	val->num = num;
	val->size = sizeof(num);
	return 0;
}

/* What this end signs, or the other one (RFC 8547 section 5.1): the role tells the two apart. */
static int sockopt_name(const struct tcpcrypt_conn *conn, struct sockopt_value *val, enum eno_role role)
{
	val->bytes[0] = role;
	memcpy(val->bytes + 1, conn->sessid, TCPCRYPT_SESSID_LEN);
	val->size = TCPCRYPT_NAME_SIZE;
	val->whole = true;
	return 0;
}

/* What there is once both SYNs were exchanged, and once there are keys. */
static int sockopt_get_conn(const struct tcpcrypt_conn *conn, int optname, struct sockopt_value *val)
{
	bool a, keys = conn && conn->state == TCPCRYPT_ENCRYPTED;
	bool syns = keys || (conn && conn->state == TCPCRYPT_EXCHANGE);

	switch (optname) {
	case TCP_ENO_PEER_GOPT:
		return syns ? sockopt_num(val, conn->peer_syn.global) : -ENOTCONN;
	case TCP_ENO_PEER_AWARE:
		return syns ? sockopt_num(val, !!(conn->peer_syn.global & ENO_GLOBAL_A)) : -ENOTCONN;
	case TCP_ENO_TRANSCRIPT:
		if (!syns)
			return -ENOTCONN;
		a = conn->role == ENO_ROLE_A;
		val->size = eno_transcript_build(a ? &conn->syn : &conn->peer_syn, a ? &conn->peer_syn : &conn->syn,
						 val->bytes);
		val->whole = true;
		return 0;
	case TCP_ENO_SESSID:
		if (!keys)
			return -ENOTCONN;
		memcpy(val->bytes, conn->sessid, TCPCRYPT_SESSID_LEN);
		val->size = TCPCRYPT_SESSID_LEN;
		val->whole = true;
		return 0;
	case TCP_ENO_LOCAL_NAME:
		return keys ? sockopt_name(conn, val, conn->role) : -ENOTCONN;
	case TCP_ENO_PEER_NAME:
		return keys ? sockopt_name(conn, val, conn->role == ENO_ROLE_A ? ENO_ROLE_B : ENO_ROLE_A) : -ENOTCONN;
	case TCP_ENO_NEGTEP:
		return keys ? sockopt_num(val, conn->tep_byte & ENO_SUB_GLT) : -ENOTCONN;
	case TCP_ENO_ROLE:
		return keys ? sockopt_num(val, conn->role) : -ENOTCONN;
	case TCP_CRYPT_AEAD:
		return keys ? sockopt_num(val, conn->aead->id) : -ENOTCONN;
	case TCP_CRYPT_RESUMED:
		return keys ? sockopt_num(val, conn->resumed) : -ENOTCONN;
	case TCP_CRYPT_INFO:
		sockopt_info(conn, val);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* Lock owned. Return: 1 if the level is not ours here. */
static int sockopt_get(struct sock *sk, int optname, struct sockopt_value *val)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);
	const struct tcpcrypt_settings *set = conn ? conn->settings : tcpcrypt_optin_of(sk);
	int size;

	if (!conn && !set)
		return 1;
	memset(val, 0, sizeof(*val));
	if (!tcpcrypt_settings_is(optname))
		return sockopt_get_conn(conn, optname, val);
	BUILD_BUG_ON(sizeof(val->bytes) < TCPCRYPT_SETTING_MAX);
	size = tcpcrypt_settings_value(set, tcpcrypt_net(sock_net(sk)), optname, val->bytes);
	if (size < 0)
		return size;
	val->size = size;
	val->whole = optname == TCP_ENO_TEPS || optname == TCP_CRYPT_AEADS || optname == TCP_ENO_RAW;
	/* What was sent: a passive opener always has b=1. */
	if (optname == TCP_ENO_SELF_GOPT && conn && conn->state != TCPCRYPT_SYN_SENT)
		val->num = conn->syn.global & (ENO_GLOBAL_A | ENO_GLOBAL_B);
	if (optname == TCP_ENO_RAW && conn && conn->syn.raw_len) {
		val->size = conn->syn.raw_len - ENO_HDR_LEN;
		memcpy(val->bytes, conn->syn.raw + ENO_HDR_LEN, val->size);
	}
	return 0;
}

int tcpcrypt_getsockopt(struct sock *sk, int level, int optname, char __user *optval, int __user *optlen)
{
	struct sockopt_value val;
	int ret;

	tcpcrypt_enter();
	if (level == SOL_TCP_ENO || (level == SOL_TCP && optname == TCP_ZEROCOPY_RECEIVE)) {
		lock_sock(sk);
		if (level == SOL_TCP_ENO)
			ret = sockopt_get(sk, optname, &val);
		else if (tcpcrypt_conn_of(sk))	/* it maps ciphertext; programs fall back to recv() */
			ret = -EOPNOTSUPP;
		else
			ret = 1;
		release_sock(sk);
		if (!ret)
			ret = sockopt_copy(&val, optval, optlen);
		if (ret <= 0) {
			tcpcrypt_leave();
			return ret;
		}
	}
	tcpcrypt_leave_to_base();
	ret = tcp_prot.getsockopt(sk, level, optname, optval, optlen);
	tcpcrypt_back_from_base();
	return ret;
}

/* F-13: on the application's request. */
static int sockopt_rekey(struct tcpcrypt_conn *conn)
{
	struct sock *sk = conn->sk;

	if (conn->state != TCPCRYPT_ENCRYPTED || sk->sk_state == TCP_CLOSE)
		return -ENOTCONN;
	if (conn->shut_tx || conn->tx.finp || sk->sk_shutdown & SEND_SHUTDOWN)
		return -EPIPE;
	tcpcrypt_tx_request_rekey(conn);
	return 0;
}

static bool sockopt_is_command(int optname)
{
	return optname == TCP_CRYPT_REKEY || optname == TCP_CRYPT_CACHE_FLUSH;
}

/* Before there is a connection: what comes to be of this socket is not cached. */
static int sockopt_flush(struct sock *sk)
{
	struct tcpcrypt_settings *old = tcpcrypt_optin_of(sk), *set;

	if (!old)
		return 0;
	set = tcpcrypt_settings_alloc(old);
	if (!set)
		return -ENOMEM;
	set->resume &= ~TCPCRYPT_RESUME_CACHE;
	tcpcrypt_optin_replace(sk, set);
	return 0;
}

static int sockopt_command(struct sock *sk, int optname, const u8 *val, unsigned int len)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);
	int num;

	if (len < sizeof(num))
		return -EINVAL;
	memcpy(&num, val, sizeof(num));
	if (optname == TCP_CRYPT_REKEY)
		return !num ? -EINVAL : conn ? sockopt_rekey(conn) : -ENOTCONN;
	if (!conn)
		return sockopt_flush(sk);
	tcpcrypt_conn_uncache(conn);
	return 0;
}

/* Lock owned. Settings are read without the lock while the socket listens: so they are replaced, never changed. */
static int sockopt_set(struct sock *sk, int optname, const u8 *val, unsigned int len)
{
	struct tcpcrypt_net *tn = tcpcrypt_net(sock_net(sk));
	struct tcpcrypt_settings *set;
	int err;

	if (sockopt_is_command(optname))
		return sockopt_command(sk, optname, val, len);
	if (!tcpcrypt_settings_is(optname))
		return -ENOPROTOOPT;
	if (!tcpcrypt_optin_of(sk) || sk->sk_state != TCP_CLOSE)
		return -EISCONN;
	if (optname == TCP_ENO_RAW && !ns_capable(sock_net(sk)->user_ns, CAP_NET_RAW))
		return -EPERM;
	set = tcpcrypt_settings_alloc(tcpcrypt_optin_of(sk));
	if (!set)
		return -ENOMEM;
	err = tcpcrypt_settings_set(set, optname, val, len);
	if (err) {
		tcpcrypt_settings_put(set);
		return err;
	}
	if (set->mandatory)
		WRITE_ONCE(tn->require_seen, true);
	tcpcrypt_optin_replace(sk, set);
	return 0;
}

static bool sockopt_is_keepalive(int level, int optname)
{
	return level == SOL_TCP && (optname == TCP_KEEPIDLE || optname == TCP_KEEPINTVL || optname == TCP_KEEPCNT ||
				    optname == TCP_USER_TIMEOUT);
}

int tcpcrypt_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval, unsigned int optlen)
{
	u8 val[TCPCRYPT_SETTING_MAX];
	int ret = 1, err = 0;

	tcpcrypt_enter();
	if (level == SOL_TCP_ENO) {
		if (optlen > sizeof(val))
			err = -EINVAL;
		else if (copy_from_sockptr(val, optval, optlen))
			err = -EFAULT;
		lock_sock(sk);
		if (tcpcrypt_conn_of(sk) || tcpcrypt_optin_of(sk))
			ret = err && (tcpcrypt_settings_is(optname) || sockopt_is_command(optname)) ?
			      err : sockopt_set(sk, optname, val, optlen);
		release_sock(sk);
	} else if (level == SOL_TCP && optname == TCP_REPAIR) {
		lock_sock(sk);
		if (tcpcrypt_conn_of(sk))	/* it would save and restore ciphertext without its keys */
			ret = -EPERM;
		release_sock(sk);
	}
	if (ret <= 0) {
		tcpcrypt_leave();
		return ret;
	}
	tcpcrypt_leave_to_base();
	ret = tcp_prot.setsockopt(sk, level, optname, optval, optlen);
	if (!ret && sockopt_is_keepalive(level, optname)) {
		lock_sock(sk);
		tcpcrypt_alive_changed(sk);
		release_sock(sk);
	}
	tcpcrypt_back_from_base();
	return ret;
}
