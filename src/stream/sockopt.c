// SPDX-License-Identifier: GPL-2.0
/* Socket options: our level, and those of TCP that would reach into the byte stream. */
#include "stream/stream.h"
#include <uapi/linux/tcpcrypt.h>

/* One integer or a string of bytes, copied out with its length as every socket option is. */
static int sockopt_copy(const void *val, int size, char __user *optval, int __user *optlen, bool whole)
{
	int len;

	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	if (put_user(whole ? size : min(len, size), optlen))
		return -EFAULT;
	if (whole && len < size)
		return -EINVAL;
	return copy_to_user(optval, val, min(len, size)) ? -EFAULT : 0;
}

static int sockopt_get(struct tcpcrypt_conn *conn, int optname, u8 *buf, int *size)
{
	int val;

	if (conn->state != TCPCRYPT_ENCRYPTED)
		return -ENOTCONN;
	switch (optname) {
	case TCP_ENO_SESSID:
		memcpy(buf, conn->sessid, TCPCRYPT_SESSID_LEN);
		*size = TCPCRYPT_SESSID_LEN;
		return 0;
	case TCP_ENO_NEGTEP:
		val = conn->tep_byte & ENO_SUB_GLT;
		break;
	case TCP_ENO_ROLE:
		val = conn->role;
		break;
	case TCP_CRYPT_AEAD:
		val = conn->aead->id;
		break;
	case TCP_CRYPT_RESUMED:
		val = conn->resumed;
		break;
	default:
		return -ENOPROTOOPT;
	}
	memcpy(buf, &val, sizeof(val));
	*size = sizeof(val);
	return 0;
}

int tcpcrypt_getsockopt(struct sock *sk, int level, int optname, char __user *optval, int __user *optlen)
{
	struct tcpcrypt_conn *conn;
	u8 buf[TCPCRYPT_SESSID_LEN];
	int ret, size;

	tcpcrypt_enter();
	if (level == SOL_TCP_ENO || (level == SOL_TCP && optname == TCP_ZEROCOPY_RECEIVE)) {
		lock_sock(sk);
		conn = tcpcrypt_conn_of(sk);
		if (conn && level == SOL_TCP_ENO)
			ret = sockopt_get(conn, optname, buf, &size);
		else if (conn)		/* it maps ciphertext; programs fall back to recv() */
			ret = -EOPNOTSUPP;
		else
			ret = 1;
		release_sock(sk);
		if (!ret)
			ret = sockopt_copy(buf, size, optval, optlen, optname == TCP_ENO_SESSID);
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

/* Lock owned. */
static int sockopt_of_ours(struct tcpcrypt_conn *conn, int optname, int val)
{
	if (optname == TCP_CRYPT_REKEY)
		return val ? sockopt_rekey(conn) : -EINVAL;
	tcpcrypt_conn_uncache(conn);
	return 0;
}

/* Return: 1 if the slot is not ours. */
static int sockopt_set(struct sock *sk, int level, int optname, sockptr_t optval, unsigned int optlen)
{
	struct tcpcrypt_conn *conn;
	int val = 0, err = 0, ret;

	if (optlen < sizeof(val))
		err = -EINVAL;
	else if (copy_from_sockptr(&val, optval, sizeof(val)))
		err = -EFAULT;
	lock_sock(sk);
	conn = tcpcrypt_conn_of(sk);
	if (!conn)
		ret = 1;
	else if (level == SOL_TCP)	/* TCP_REPAIR would save and restore ciphertext without its keys */
		ret = -EPERM;
	else if (optname != TCP_CRYPT_REKEY && optname != TCP_CRYPT_CACHE_FLUSH)
		ret = -ENOPROTOOPT;
	else
		ret = err ? : sockopt_of_ours(conn, optname, val);
	release_sock(sk);
	return ret;
}

static bool sockopt_is_keepalive(int level, int optname)
{
	return level == SOL_TCP && (optname == TCP_KEEPIDLE || optname == TCP_KEEPINTVL || optname == TCP_KEEPCNT ||
				    optname == TCP_USER_TIMEOUT);
}

int tcpcrypt_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval, unsigned int optlen)
{
	int ret;

	tcpcrypt_enter();
	if (level == SOL_TCP_ENO || (level == SOL_TCP && optname == TCP_REPAIR)) {
		ret = sockopt_set(sk, level, optname, optval, optlen);
		if (ret <= 0) {
			tcpcrypt_leave();
			return ret;
		}
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
