// SPDX-License-Identifier: GPL-2.0
/* The tracepoint inet_sock_set_state: where connections begin. */
#include "option/option.h"
#include "stream/stream.h"
#include <linux/tracepoint.h>

static struct tracepoint *probe_point;

/*
 * Called before sk_state is stored, with the socket lock held: in process context for connect(), in softirq
 * for a child. Never sleeps. Depending on the kernel preemption is off, or it runs under SRCU: so it takes
 * the RCU read lock itself. Other protocols fire it too.
 */
static void probe_set_state(void *data, const struct sock *csk, const int oldstate, const int newstate)
{
	struct sock *sk = (struct sock *)csk;
	struct tcpcrypt_conn *conn;

	if (sk->sk_protocol != IPPROTO_TCP || sk->sk_type != SOCK_STREAM)
		return;
	rcu_read_lock();
	if (oldstate == TCP_CLOSE && newstate == TCP_SYN_SENT) {
		tcpcrypt_active_syn_sent(sk);
	} else if (oldstate == TCP_SYN_RECV) {
		conn = tcpcrypt_conn_of(sk);
		if (conn && newstate == TCP_ESTABLISHED)
			tcpcrypt_simultaneous_established(sk, conn);
		else if (conn)
			tcpcrypt_simultaneous_lost(sk, conn);
		else if (newstate == TCP_ESTABLISHED)
			tcpcrypt_embryo_established(sk);
	} else if (oldstate == TCP_SYN_SENT && newstate == TCP_ESTABLISHED) {
		if (!tcpcrypt_conn_of(sk))
			tcpcrypt_path_answered(sk);
	} else if (oldstate == TCP_SYN_SENT && newstate != TCP_SYN_RECV) {
		/* connect() failed, and leaves a socket for another */
		conn = tcpcrypt_conn_of(sk);
		if (conn)
			tcpcrypt_detach_disconnected(conn);
	}
	rcu_read_unlock();
}

static void probe_find(struct tracepoint *tp, void *priv)
{
	if (!strcmp(tp->name, "inet_sock_set_state"))
		probe_point = tp;
}

int tcpcrypt_probe_init(void)
{
	for_each_kernel_tracepoint(probe_find, NULL);
	if (!probe_point) {
		pr_err("tcpcrypt: this kernel has no tracepoint inet_sock_set_state (CONFIG_TRACEPOINTS)\n");
		return -EOPNOTSUPP;
	}
	return tracepoint_probe_register(probe_point, probe_set_state, NULL);
}

void tcpcrypt_probe_exit(void)
{
	tracepoint_probe_unregister(probe_point, probe_set_state, NULL);
	tracepoint_synchronize_unregister();
}
