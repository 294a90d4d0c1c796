// SPDX-License-Identifier: GPL-2.0
/* Sockets that opted in by setsockopt(TCP_ULP, "tcpcrypt"), until they are connected. */
#include "stream/stream.h"

static struct tcp_ulp_ops optin_ulp_ops;

struct tcpcrypt_settings *tcpcrypt_optin_of(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	return icsk->icsk_ulp_ops == &optin_ulp_ops ? rcu_dereference_protected(icsk->icsk_ulp_data, 1) : NULL;
}

/* As tcpcrypt_conn_of_rcu(). */
struct tcpcrypt_settings *tcpcrypt_optin_of_rcu(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcpcrypt_settings *set = rcu_dereference(icsk->icsk_ulp_data);

	smp_rmb();
	if (READ_ONCE(icsk->icsk_ulp_ops) != &optin_ulp_ops || !set || set->slot != TCPCRYPT_SLOT_SETTINGS)
		return NULL;
	return set;
}

void tcpcrypt_optin_fill(struct sock *sk, struct tcpcrypt_settings *set)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	rcu_assign_pointer(icsk->icsk_ulp_data, set);
	smp_wmb();	/* data before ops: tcpcrypt_optin_of_rcu() */
	WRITE_ONCE(icsk->icsk_ulp_ops, &optin_ulp_ops);
	WRITE_ONCE(sk->sk_prot, tcpcrypt_attach_optin_prot(sk->sk_prot));
}

struct tcpcrypt_settings *tcpcrypt_optin_take(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcpcrypt_settings *set = tcpcrypt_optin_of(sk);

	WRITE_ONCE(sk->sk_prot, tcpcrypt_attach_plain_prot(sk->sk_prot));
	WRITE_ONCE(icsk->icsk_ulp_ops, NULL);
	smp_wmb();	/* ops before data: tcpcrypt_optin_of_rcu() */
	RCU_INIT_POINTER(icsk->icsk_ulp_data, NULL);
	return set;
}

void tcpcrypt_optin_drop(struct sock *sk)
{
	tcpcrypt_settings_put(tcpcrypt_optin_take(sk));
	module_put(THIS_MODULE);
}

void tcpcrypt_optin_replace(struct sock *sk, struct tcpcrypt_settings *set)
{
	struct tcpcrypt_settings *old = tcpcrypt_optin_of(sk);

	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, set);
	tcpcrypt_settings_put(old);
}

/* setsockopt(TCP_ULP): lock owned. The caller fills in icsk_ulp_ops, with a reference on the module. */
static int optin_init(struct sock *sk)
{
	struct tcpcrypt_settings *set;

	if (sk->sk_socket)	/* the caller took that away, as every other ULP needs it; also if this one is refused */
		set_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
	if (sk->sk_state != TCP_CLOSE)
		return -EISCONN;
	if (tcpcrypt_attach_possible(sk) || READ_ONCE(tcpcrypt_draining))
		return -EBUSY;
	set = tcpcrypt_settings_alloc(NULL);
	if (!set)
		return -ENOMEM;
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, set);
	WRITE_ONCE(sk->sk_prot, tcpcrypt_attach_optin_prot(sk->sk_prot));
	return 0;
}

/*
 * inet_csk_clone_lock(), softirq: the child has raw copies of its listener's pointers. It keeps the settings until
 * it is ESTABLISHED. sk_prot_creator outlives the child, in TIME_WAIT: never ours.
 */
static void optin_clone(const struct request_sock *req, struct sock *newsk, const gfp_t priority)
{
	struct inet_connection_sock *icsk = inet_csk(newsk);
	struct tcpcrypt_settings *set;
	struct proto *creator = tcpcrypt_attach_plain_prot(newsk->sk_prot_creator);

	if (creator)
		newsk->sk_prot_creator = creator;
	rcu_read_lock();
	set = tcpcrypt_settings_get_rcu(rcu_dereference(icsk->icsk_ulp_data));
	rcu_read_unlock();
	if (set && tcpcrypt_attach_plain_prot(newsk->sk_prot)) {
		__module_get(THIS_MODULE);
		return;
	}
	/* The listener is being closed just now, and the child with it. */
	tcpcrypt_settings_put(set);
	if (tcpcrypt_attach_plain_prot(newsk->sk_prot))
		newsk->sk_prot = tcpcrypt_attach_plain_prot(newsk->sk_prot);
	icsk->icsk_ulp_ops = NULL;
	RCU_INIT_POINTER(icsk->icsk_ulp_data, NULL);
}

/* tcp_cleanup_ulp(): the caller empties the slot, and puts the module, when nothing of ours is in use any more. */
static void optin_release(struct sock *sk)
{
	struct tcpcrypt_settings *set = tcpcrypt_optin_of(sk);
	struct proto *plain = tcpcrypt_attach_plain_prot(sk->sk_prot);

	if (plain)
		WRITE_ONCE(sk->sk_prot, plain);
	RCU_INIT_POINTER(inet_csk(sk)->icsk_ulp_data, NULL);
	tcpcrypt_settings_put(set);
}

static struct tcp_ulp_ops optin_ulp_ops = {
	.name		= "tcpcrypt",
	.owner		= THIS_MODULE,
	.init		= optin_init,
	.clone		= optin_clone,
	.release	= optin_release,
};

int tcpcrypt_optin_init(void)
{
	return tcp_register_ulp(&optin_ulp_ops);
}

void tcpcrypt_optin_exit(void)
{
	tcp_unregister_ulp(&optin_ulp_ops);
}
