// SPDX-License-Identifier: GPL-2.0
/* Load and unload, in order. */
#include <linux/module.h>
#include <linux/delay.h>
#include <linux/rcupdate.h>
#include "session/conn.h"
#include "session/resume.h"
#include "stream/stream.h"
#include "option/option.h"
#include "control/net.h"

/*
 * Slots and half-open connections hold module references, so none is left when this runs. What is left:
 * threads that loaded a pointer of ours and have not run its first instruction, or that gave the last
 * reference back and have not left yet (synchronize_rcu_tasks()), and those between tcpcrypt_enter() and
 * tcpcrypt_leave().
 */
static void tcpcrypt_wait_for_threads(void)
{
	long inside;
	int refs, cpu;

	synchronize_rcu_tasks();
	for (;;) {
		/* tcpcrypt_leave_to_base() gets before it leaves: so this is read in the same order. */
		refs = module_refcount(THIS_MODULE);
		smp_rmb();
		inside = 0;
		for_each_possible_cpu(cpu)
			inside += per_cpu(tcpcrypt_inside, cpu);
		if (!inside && refs < 0)	/* -1: stopped, and nobody took one since */
			break;
		msleep(10);
	}
	synchronize_rcu_tasks();
}

static int __init tcpcrypt_init(void)
{
	int err;

	err = tcpcrypt_tep_init();
	if (err)
		return err;
	err = tcpcrypt_aead_init();
	if (err)
		goto exit_tep;
	err = tcpcrypt_conn_init();
	if (err)
		goto exit_aead;
	err = tcpcrypt_attach_init();
	if (err)
		goto exit_conn;
	err = tcpcrypt_tx_init();
	if (err)
		goto exit_conn;
	tcpcrypt_resume_init();
	err = tcpcrypt_embryo_init();
	if (err)
		goto exit_tx;
	err = tcpcrypt_net_init();
	if (err)
		goto exit_embryo;
	err = tcpcrypt_netlink_init();
	if (err)
		goto exit_net;
	err = tcpcrypt_probe_init();
	if (err)
		goto exit_netlink;
	err = tcpcrypt_optin_init();
	if (err)
		goto exit_probe;
	/* The hooks were there before the probe: until now they answered nobody. */
	WRITE_ONCE(tcpcrypt_draining, false);
	pr_info("tcpcrypt: loaded; new TCP connections to hosts that have it too are encrypted\n");
	return 0;

exit_probe:
	tcpcrypt_probe_exit();
exit_netlink:
	tcpcrypt_netlink_exit();
exit_net:
	tcpcrypt_net_exit();
exit_embryo:
	tcpcrypt_embryo_exit();
exit_tx:
	tcpcrypt_tx_exit();
exit_conn:
	tcpcrypt_conn_exit();
exit_aead:
	tcpcrypt_aead_exit();
exit_tep:
	tcpcrypt_tep_exit();
	return err;
}

static void __exit tcpcrypt_exit(void)
{
	tcpcrypt_optin_exit();
	tcpcrypt_probe_exit();
	tcpcrypt_netlink_exit();
	tcpcrypt_wait_for_threads();
	flush_workqueue(tcpcrypt_wq);
	tcpcrypt_net_exit();
	tcpcrypt_embryo_exit();
	tcpcrypt_conn_exit();
	tcpcrypt_tx_exit();
	tcpcrypt_aead_exit();
	tcpcrypt_tep_exit();
	tcpcrypt_wait_for_threads();
}

module_init(tcpcrypt_init);
module_exit(tcpcrypt_exit);
MODULE_LICENSE("GPL");
MODULE_ALIAS_TCP_ULP("tcpcrypt");
MODULE_DESCRIPTION("TCP-ENO (RFC 8547) and tcpcrypt (RFC 8548): transparent encryption of TCP");
MODULE_VERSION("0.1.0");
