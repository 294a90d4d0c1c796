/* SPDX-License-Identifier: GPL-2.0 */
/* What is kept per network namespace: settings and counters. */
#ifndef TCPCRYPT_CONTROL_NET_H
#define TCPCRYPT_CONTROL_NET_H

#include <linux/types.h>
#include <linux/bitmap.h>
#include <linux/percpu.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <uapi/linux/tcpcrypt.h>
#include "crypto/aead.h"

#define TCPCRYPT_TEPS_MAX	8
#define TCPCRYPT_PORTS		65536

/** enum tcpcrypt_enable - what enable_connect and enable_listen say */
enum tcpcrypt_enable {
	TCPCRYPT_ENABLE_OFF	= 0,
	TCPCRYPT_ENABLE_OFFER	= 1,
	TCPCRYPT_ENABLE_REQUIRE	= 2,
};

/**
 * struct tcpcrypt_counters - one CPU's share
 * @stats: by enum tcpcrypt_stat; a share may be negative where the sum is not
 * @reasons: by enum tcpcrypt_reason
 */
struct tcpcrypt_counters {
	s64 stats[TCPCRYPT_STAT_COUNT];
	u64 reasons[TCPCRYPT_REASON_COUNT];
};

/**
 * struct tcpcrypt_list8 - an ordered list of TEPs; immutable, replaced as a whole under RCU
 * struct tcpcrypt_list16 - the same for AEADs
 */
struct tcpcrypt_list8 {
	struct rcu_head rcu;
	u8 n;
	u8 id[TCPCRYPT_TEPS_MAX];
};
struct tcpcrypt_list16 {
	struct rcu_head rcu;
	u8 n;
	u16 id[TCPCRYPT_AEADS_MAX];
};

/**
 * struct tcpcrypt_net - one network namespace
 *
 * Plain integers are written by the sysctl handlers and read with READ_ONCE() anywhere; the bitmaps are
 * written bit by bit by the handler and read with test_bit() anywhere.
 */
struct tcpcrypt_net {
	struct net *net;
	int enable_connect;
	int enable_listen;
	int loopback;
	int syn_retries;
	int handshake_timeout_ms;
	int max_halfopen;
	int path_lifetime;		/* seconds; 0: nothing is remembered */
	int frame_max;			/* plaintext bytes a frame, 1024 to TCPCRYPT_FRAME_DATA_MAX */
	u64 rekey_frames;
	u64 rekey_bytes;
	unsigned long *bad_connect_ports;	/* TCPCRYPT_PORTS bits */
	unsigned long *bad_listen_ports;
	struct tcpcrypt_list8 __rcu *teps;	/* best first */
	struct tcpcrypt_list16 __rcu *aeads;	/* best first */
	struct tcpcrypt_counters __percpu *counters;
	int resume;			/* 0: nothing is offered, agreed to or cached */
	int resume_cache;		/* secrets that it keeps at most */
	int resume_lifetime;		/* seconds */
	int resume_nonce_len;		/* bytes */
	struct list_head resume_age;	/* the cache, newest first: session/resume.c, as the next two */
	unsigned int resume_n;
	struct delayed_work resume_work;
	atomic_t halfopen;			/* the option path's */
	unsigned int paths;			/* known to option/path.c; its lock */
	bool require_seen;			/* a socket that requires encryption was there */
	atomic_t kept;				/* closed sockets whose end is not over: stream/close.c */
	struct ctl_table_header *sysctl;
};

extern unsigned int tcpcrypt_net_id;
extern bool tcpcrypt_draining;		/* no new encrypted connections */

static inline struct tcpcrypt_net *tcpcrypt_net(const struct net *net)
{
	return net_generic(net, tcpcrypt_net_id);
}

/** tcpcrypt_stat_add() - count; any context */
static inline void tcpcrypt_stat_add(struct tcpcrypt_net *tn, enum tcpcrypt_stat stat, s64 n)
{
	this_cpu_add(tn->counters->stats[stat], n);
}

static inline void tcpcrypt_stat_inc(struct tcpcrypt_net *tn, enum tcpcrypt_stat stat)
{
	tcpcrypt_stat_add(tn, stat, 1);
}

/** tcpcrypt_reason_inc() - count one fallback or abort; any context */
static inline void tcpcrypt_reason_inc(struct tcpcrypt_net *tn, enum tcpcrypt_reason reason)
{
	this_cpu_inc(tn->counters->reasons[reason]);
}

/** tcpcrypt_stat_read() - the sum over all CPUs, never negative */
u64 tcpcrypt_stat_read(const struct tcpcrypt_net *tn, enum tcpcrypt_stat stat);

/** tcpcrypt_reason_read() - the sum over all CPUs */
u64 tcpcrypt_reason_read(const struct tcpcrypt_net *tn, enum tcpcrypt_reason reason);

/* sysctl.c: fills the settings of a namespace with their defaults and registers net.tcpcrypt.* */
int tcpcrypt_sysctl_init(struct tcpcrypt_net *tn);
void tcpcrypt_sysctl_exit(struct tcpcrypt_net *tn);

/* net.c: pernet operations; calls the hooks of the option room (option/hooks.h) too */
int tcpcrypt_net_init(void);
void tcpcrypt_net_exit(void);

/* netlink.c */
int tcpcrypt_netlink_init(void);
void tcpcrypt_netlink_exit(void);

#endif
