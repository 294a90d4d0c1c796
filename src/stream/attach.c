// SPDX-License-Identifier: GPL-2.0
/* Taking a socket over, and giving it back as it was. */
#include "stream/stream.h"
#include "option/option.h"
#include "stream/worker.h"
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <net/inet_common.h>
#include <net/inet_sock.h>

#define FAMILIES	2	/* IPv4, IPv6 */
#define AF_OPS_MAX	3	/* IPv4, IPv6, IPv4 over an IPv6 socket */

/*
 * Copies of what the kernel's TCP sockets point to, with some members replaced. Filled at module load but
 * for af_ops[], whose third row (IPv4-mapped) is met first at a connect(): filled under af_ops_lock,
 * published by the base pointer.
 */
static struct {
	struct proto *base;
	struct proto prot;
	struct proto optin;	/* opted in, not connected: its socket options are ours */
	const struct proto_ops *base_ops;
	struct proto_ops ops;
} families[FAMILIES];

static struct {
	const struct inet_connection_sock_af_ops *base;
	struct inet_connection_sock_af_ops ops;
} af_ops[AF_OPS_MAX];
static DEFINE_SPINLOCK(af_ops_lock);

static void attach_release(struct sock *sk);

const struct tcp_ulp_ops tcpcrypt_ulp_ops = {
	.name		= "tcpcrypt",
	.owner		= THIS_MODULE,
	.release	= attach_release,
};

/* .owner stays the base's: sock_release() puts what it never got from us. */
static void build_prot(struct proto *prot, const struct proto *base)
{
	*prot = *base;
	prot->close		= tcpcrypt_close;
	prot->disconnect	= tcpcrypt_disconnect;
	prot->ioctl		= tcpcrypt_ioctl;
	prot->setsockopt	= tcpcrypt_setsockopt;
	prot->getsockopt	= tcpcrypt_getsockopt;
	prot->keepalive		= tcpcrypt_keepalive;
	prot->sendmsg		= tcpcrypt_sendmsg;
	prot->recvmsg		= tcpcrypt_recvmsg;
	prot->release_cb	= tcpcrypt_release_cb;
	prot->sock_is_readable	= tcpcrypt_sock_is_readable;
#if TCPCRYPT_HAVE_SENDPAGE
	prot->sendpage		= tcpcrypt_sendpage;
#endif
}

/* Every member of proto_ops that reaches into the byte stream without asking struct proto. */
static void build_ops(struct proto_ops *ops, const struct proto_ops *base)
{
	*ops = *base;
	ops->poll		= tcpcrypt_poll;
	ops->shutdown		= tcpcrypt_shutdown;
	ops->splice_read	= tcpcrypt_splice_read;
	ops->set_rcvlowat	= tcpcrypt_set_rcvlowat;
	ops->peek_len		= tcpcrypt_peek_len;
	ops->sendmsg_locked	= tcpcrypt_sendmsg_locked;
	ops->read_sock		= tcpcrypt_read_sock;
	ops->read_skb		= tcpcrypt_read_skb;
	ops->mmap		= sock_no_mmap;
#if TCPCRYPT_HAVE_SENDPAGE
	ops->sendpage_locked	= tcpcrypt_sendpage_locked;
#endif
}

static struct inet_connection_sock_af_ops *af_ops_copy(const struct inet_connection_sock_af_ops *base)
{
	struct inet_connection_sock_af_ops *copy = NULL;
	unsigned int i;

	for (i = 0; i < AF_OPS_MAX; i++)	/* pairs with smp_store_release() below */
		if (smp_load_acquire(&af_ops[i].base) == base)
			return &af_ops[i].ops;
	spin_lock_bh(&af_ops_lock);
	for (i = 0; i < AF_OPS_MAX; i++) {
		if (af_ops[i].base == base) {
			copy = &af_ops[i].ops;
			break;
		}
		if (!af_ops[i].base) {
			copy = &af_ops[i].ops;
			*copy = *base;
			copy->sk_rx_dst_set = tcpcrypt_option_rx_dst_set;
			smp_store_release(&af_ops[i].base, base);
			break;
		}
	}
	spin_unlock_bh(&af_ops_lock);
	return copy;
}

const struct inet_connection_sock_af_ops *tcpcrypt_attach_af_base(const struct sock *sk)
{
	const struct inet_connection_sock_af_ops *ops = inet_csk(sk)->icsk_af_ops;
	unsigned int i;

	for (i = 0; i < AF_OPS_MAX; i++)
		if (ops == &af_ops[i].ops)
			return af_ops[i].base;
	return ops;
}

static int learn_family(unsigned int i, int family)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, family, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		return err;
	families[i].base = sock->sk->sk_prot;
	families[i].base_ops = sock->ops;
	build_prot(&families[i].prot, families[i].base);
	families[i].optin = *families[i].base;
	families[i].optin.setsockopt = tcpcrypt_setsockopt;
	families[i].optin.getsockopt = tcpcrypt_getsockopt;
	build_ops(&families[i].ops, families[i].base_ops);
	af_ops_copy(inet_csk(sock->sk)->icsk_af_ops);
	sock_release(sock);
	return 0;
}

int tcpcrypt_attach_init(void)
{
	int err = learn_family(0, AF_INET);

	if (err)
		return err;
	learn_family(1, AF_INET6);	/* may be switched off; then there are no such sockets */
	if (families[0].base != &tcp_prot) {
		pr_err("tcpcrypt: TCP sockets are not plain here (%s); unload what replaced them first\n",
		       families[0].base->name);
		return -EBUSY;
	}
	return 0;
}

static int family_of(const struct proto *prot)
{
	unsigned int i;

	for (i = 0; i < FAMILIES; i++)
		if (prot && families[i].base == prot)
			return i;
	return -1;
}

struct proto *tcpcrypt_attach_optin_prot(const struct proto *base)
{
	int i = family_of(base);

	return i < 0 ? NULL : &families[i].optin;
}

struct proto *tcpcrypt_attach_plain_prot(const struct proto *prot)
{
	unsigned int i;

	for (i = 0; i < FAMILIES; i++)
		if (prot == &families[i].optin)
			return families[i].base;
	return NULL;
}

/* An opted-in socket is ours already, and as good as an empty one. */
static bool attach_slot_is_free(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	if (tcpcrypt_attach_plain_prot(READ_ONCE(sk->sk_prot)))
		return true;
	return family_of(sk->sk_prot) >= 0 && !icsk->icsk_ulp_ops && !rcu_access_pointer(icsk->icsk_ulp_data);
}

/* Who has put it there has taken the socket over, unless it only is a member of a BPF_MAP_TYPE_REUSEPORT_SOCKARRAY. */
static bool attach_user_data(const struct sock *sk)
{
	uintptr_t data = (uintptr_t)READ_ONCE(sk->sk_user_data);

	return data && !(data & SK_USER_DATA_BPF);
}

bool tcpcrypt_attach_is_kernels(const struct sock *sk)
{
	rwlock_t *lock = (rwlock_t *)&sk->sk_callback_lock;
	bool file;

	if (sk_is_mptcp(sk))
		return false;
	read_lock_bh(lock);
	file = sk->sk_socket && sk->sk_socket->file;
	read_unlock_bh(lock);
	return sk->sk_kern_sock || !file;
}

enum tcpcrypt_reason tcpcrypt_attach_possible(const struct sock *sk)
{
	if (sk_is_mptcp(sk))		/* the kernel's own as well, but a program's connection */
		return TCPCRYPT_FALLBACK_OTHER_OPTION;
	if (sk->sk_kern_sock)
		return TCPCRYPT_FALLBACK_KERNEL_SOCKET;
	if (!attach_slot_is_free(sk) || attach_user_data(sk) || tcp_sk(sk)->repair)
		return TCPCRYPT_FALLBACK_BUSY_SOCKET;
#if IS_ENABLED(CONFIG_SMC)
	if (tcp_sk(sk)->syn_smc)
		return TCPCRYPT_FALLBACK_OTHER_OPTION;
#endif
	return TCPCRYPT_REASON_NONE;
}

void tcpcrypt_attach_ops(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;
	unsigned int i;

	if (!sock)
		return;
	for (i = 0; i < FAMILIES; i++)
		if (families[i].base_ops && sock->ops == families[i].base_ops)
			WRITE_ONCE(sock->ops, &families[i].ops);
}

static void detach_ops(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;
	unsigned int i;

	if (!sock)
		return;
	for (i = 0; i < FAMILIES; i++)
		if (sock->ops == &families[i].ops)
			WRITE_ONCE(sock->ops, families[i].base_ops);
}

const struct proto_ops *tcpcrypt_attach_base_ops(const struct sock *sk)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);
	int i = family_of(conn ? conn->base_prot : sk->sk_prot);

	/* An IPv6 socket keeps its operations when it talks IPv4. */
	return families[i < 0 ? 0 : i].base_ops;
}

int tcpcrypt_leave_to_sleep(const struct sock *sk, bool dontwait)
{
	bool is_syscall = !(current->flags & (PF_KTHREAD | PF_IO_WORKER));
	int ret;

	/* Begun anew it must be TCP's function that is called, and not ours again. */
	if (dontwait || !is_syscall || family_of(READ_ONCE(sk->sk_prot)) < 0) {
		tcpcrypt_leave_to_base();
		return 0;
	}
	ret = try_module_get(THIS_MODULE) ? 0 : restart_syscall();
	tcpcrypt_leave();
	return ret;
}

void tcpcrypt_attach(struct sock *sk, struct tcpcrypt_conn *conn)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	int i = family_of(sk->sk_prot);

	conn->sk = sk;
	conn->base_prot = sk->sk_prot;
	conn->rcvlowat = sk->sk_rcvlowat;
	INIT_WORK(&conn->work, tcpcrypt_worker);
	INIT_WORK(&conn->abort_work, tcpcrypt_worker_abort);
	timer_setup(&conn->timer, tcpcrypt_worker_timer, 0);

	rcu_assign_pointer(icsk->icsk_ulp_data, conn);
	smp_wmb();	/* data before ops: tcpcrypt_conn_of_rcu() */
	WRITE_ONCE(icsk->icsk_ulp_ops, &tcpcrypt_ulp_ops);

	write_lock_bh(&sk->sk_callback_lock);
	conn->saved_data_ready = sk->sk_data_ready;
	conn->saved_state_change = sk->sk_state_change;
	conn->saved_write_space = sk->sk_write_space;
	sk->sk_data_ready = tcpcrypt_data_ready;
	sk->sk_state_change = tcpcrypt_state_change;
	sk->sk_write_space = tcpcrypt_write_space;
	write_unlock_bh(&sk->sk_callback_lock);

	/* tcp_data_ready() would keep a short Init message from us (a listener's SO_RCVLOWAT is inherited). */
	WRITE_ONCE(sk->sk_rcvlowat, 1);
	WRITE_ONCE(sk->sk_prot, &families[i].prot);
	tcpcrypt_attach_ops(sk);

	if (conn->active) {
		conn->base_af_ops = icsk->icsk_af_ops;
		icsk->icsk_af_ops = af_ops_copy(conn->base_af_ops);
		if (!icsk->icsk_af_ops)		/* more kinds than we know: plain TCP */
			icsk->icsk_af_ops = conn->base_af_ops;
		if (icsk->icsk_ext_hdr_len <= U16_MAX - TCPCRYPT_OPTION_NONSYN_ROOM) {
			icsk->icsk_ext_hdr_len += TCPCRYPT_OPTION_NONSYN_ROOM;
			conn->ext_hdr_set = icsk->icsk_ext_hdr_len;
			conn->mss_reserved = true;
		}
	}
	tcpcrypt_conn_publish(conn);
}

/*
 * IPv6 socket options assign icsk_ext_hdr_len anew: then our 4 bytes are gone from it already, and
 * nothing is to be taken back.
 */
void tcpcrypt_mss_release(struct tcpcrypt_conn *conn)
{
	struct inet_connection_sock *icsk = inet_csk(conn->sk);

	if (!conn->mss_reserved)
		return;
	conn->mss_reserved = false;
	if (icsk->icsk_ext_hdr_len == conn->ext_hdr_set)
		icsk->icsk_ext_hdr_len -= TCPCRYPT_OPTION_NONSYN_ROOM;
	if ((1 << conn->sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT))
		icsk->icsk_sync_mss(conn->sk, icsk->icsk_pmtu_cookie);
}

void tcpcrypt_option_af_ops_restore(struct tcpcrypt_conn *conn)
{
	struct inet_connection_sock *icsk = inet_csk(conn->sk);

	if (conn->base_af_ops && tcpcrypt_attach_af_base(conn->sk) == conn->base_af_ops)
		icsk->icsk_af_ops = conn->base_af_ops;
	conn->base_af_ops = NULL;
}

/*
 * Everything but the slot itself. Callbacks that somebody stacked on ours keep calling ours; those find
 * no connection and pass on, so the module stays for good: one more reference.
 */
static void detach_rest(struct tcpcrypt_conn *conn)
{
	struct sock *sk = conn->sk;

	tcpcrypt_conn_unpublish(conn);
	tcpcrypt_simultaneous_over(conn);
	tcpcrypt_conn_timer_stop(conn);
	tcpcrypt_mss_release(conn);
	tcpcrypt_option_af_ops_restore(conn);
	tcpcrypt_tx_waiting_free(conn);

	write_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_data_ready == tcpcrypt_data_ready)
		sk->sk_data_ready = conn->saved_data_ready;
	else
		__module_get(THIS_MODULE);
	if (sk->sk_state_change == tcpcrypt_state_change)
		sk->sk_state_change = conn->saved_state_change;
	else
		__module_get(THIS_MODULE);
	if (sk->sk_write_space == tcpcrypt_write_space)
		sk->sk_write_space = conn->saved_write_space;
	else
		__module_get(THIS_MODULE);
	write_unlock_bh(&sk->sk_callback_lock);

	WRITE_ONCE(sk->sk_rcvlowat, conn->rcvlowat);
	WRITE_ONCE(sk->sk_prot, conn->base_prot);
	detach_ops(sk);

	switch (conn->state) {
	case TCPCRYPT_SYN_SENT:
		tcpcrypt_conn_set_state(conn, TCPCRYPT_PLAIN);
		break;
	case TCPCRYPT_ENCRYPTED:
		tcpcrypt_conn_count_current(conn, -1);
		fallthrough;
	case TCPCRYPT_EXCHANGE:
		tcpcrypt_conn_set_state(conn, TCPCRYPT_DEAD);
		break;
	default:
		break;
	}
}

void tcpcrypt_detach(struct tcpcrypt_conn *conn)
{
	struct inet_connection_sock *icsk = inet_csk(conn->sk);

	detach_rest(conn);
	WRITE_ONCE(icsk->icsk_ulp_ops, NULL);
	smp_wmb();	/* ops before data: tcpcrypt_conn_of_rcu() */
	RCU_INIT_POINTER(icsk->icsk_ulp_data, NULL);
	tcpcrypt_conn_put(conn);
	module_put(THIS_MODULE);
}

void tcpcrypt_detach_disconnected(struct tcpcrypt_conn *conn)
{
	struct tcpcrypt_settings *set = conn->active ? conn->settings : NULL;
	struct sock *sk = conn->sk;

	if (set) {	/* the worker may still look at the connection's */
		refcount_inc(&set->refs);
		__module_get(THIS_MODULE);
	}
	tcpcrypt_detach(conn);
	if (set)
		tcpcrypt_optin_fill(sk, set);
}

/* tcp_cleanup_ulp(): the socket is being destroyed; the caller empties the slot and puts the module. */
static void attach_release(struct sock *sk)
{
	struct tcpcrypt_conn *conn = tcpcrypt_conn_of(sk);

	if (!conn)
		return;
	detach_rest(conn);
	RCU_INIT_POINTER(inet_csk(sk)->icsk_ulp_data, NULL);
	tcpcrypt_conn_put(conn);
}

void tcpcrypt_fallback(struct tcpcrypt_conn *conn, enum tcpcrypt_reason reason)
{
	struct sock *sk = conn->sk;

	conn->reason = reason;
	tcpcrypt_reason_inc(conn->tn, reason);
	/* No worker has it, and none will. Not after a grace period: the next connect() wants the key pair. */
	if (refcount_read(&conn->refs) == 1) {
		smp_acquire__after_ctrl_dep();	/* pairs with the release of the worker's reference */
		tcpcrypt_handshake_free(conn->hs);
		conn->hs = NULL;
	}
	tcpcrypt_detach(conn);
	/* Threads asleep in our functions look at the slot again and go on in TCP's, which wakes them itself at the end. */
	if (sk->sk_state != TCP_ESTABLISHED && !sock_flag(sk, SOCK_DEAD))
		sk->sk_state_change(sk);
}
