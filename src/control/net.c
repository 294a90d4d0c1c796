// SPDX-License-Identifier: GPL-2.0
/* What is kept per network namespace: settings and counters. */
#include "net.h"

#include <linux/cpumask.h>
#include "option/hooks.h"
#include "session/resume.h"

unsigned int tcpcrypt_net_id;
bool tcpcrypt_draining = true;	/* until the module is up */

u64 tcpcrypt_stat_read(const struct tcpcrypt_net *tn, enum tcpcrypt_stat stat)
{
	s64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(tn->counters, cpu)->stats[stat]);
	return max_t(s64, sum, 0);
}

u64 tcpcrypt_reason_read(const struct tcpcrypt_net *tn, enum tcpcrypt_reason reason)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(tn->counters, cpu)->reasons[reason]);
	return sum;
}

static int __net_init tcpcrypt_net_ops_init(struct net *net)
{
	struct tcpcrypt_net *tn = tcpcrypt_net(net);
	int err;

	tn->net = net;
	atomic_set(&tn->halfopen, 0);
	atomic_set(&tn->kept, 0);
	tn->counters = alloc_percpu_gfp(struct tcpcrypt_counters, GFP_KERNEL_ACCOUNT);
	if (!tn->counters)
		return -ENOMEM;
	tcpcrypt_resume_net_init(tn);
	err = tcpcrypt_sysctl_init(tn);
	if (err)
		goto free_counters;
	err = tcpcrypt_hooks_net_init(net);
	if (err)
		goto exit_sysctl;
	return 0;

exit_sysctl:
	synchronize_rcu();	/* one family's hooks may have run */
	tcpcrypt_sysctl_exit(tn);
	tcpcrypt_resume_net_exit(tn);
free_counters:
	free_percpu(tn->counters);
	return err;
}

/*
 * A namespace, or the module, goes in two halves, with a grace period of RCU between them that the core
 * waits for: the hooks go first, so in the second half no packet is inside one. Who else may hold a struct
 * tcpcrypt_net:
 *
 * - a connection: a socket of user space keeps its namespace (sk_net_refcnt) until it is destroyed, orphans
 *   included, and everything of ours that works on a connection holds its socket. Before the module goes,
 *   there are no connections left.
 * - a half-open connection: its listener, which the request keeps, is such a socket. The hooks' first half
 *   drops those of the namespace.
 * - the cache of session secrets: its work is the namespace's own, and ends with it.
 * - TIME_WAIT sockets outlive that reference, but nothing of ours knows them.
 */
static void __net_exit tcpcrypt_net_ops_pre_exit(struct net *net)
{
	tcpcrypt_hooks_net_exit(net);
}

static void __net_exit tcpcrypt_net_ops_exit(struct net *net)
{
	struct tcpcrypt_net *tn = tcpcrypt_net(net);

	tcpcrypt_sysctl_exit(tn);
	tcpcrypt_resume_net_exit(tn);
	free_percpu(tn->counters);
}

static struct pernet_operations tcpcrypt_net_ops = {
	.init		= tcpcrypt_net_ops_init,
	.pre_exit	= tcpcrypt_net_ops_pre_exit,
	.exit		= tcpcrypt_net_ops_exit,
	.id		= &tcpcrypt_net_id,
	.size		= sizeof(struct tcpcrypt_net),
};

int tcpcrypt_net_init(void)
{
	return register_pernet_subsys(&tcpcrypt_net_ops);
}

void tcpcrypt_net_exit(void)
{
	unregister_pernet_subsys(&tcpcrypt_net_ops);
}
