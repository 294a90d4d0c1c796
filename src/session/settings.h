/* SPDX-License-Identifier: GPL-2.0 */
/* What an application asked for by socket options before it connected or listened. */
#ifndef TCPCRYPT_SESSION_SETTINGS_H
#define TCPCRYPT_SESSION_SETTINGS_H

#include <linux/refcount.h>
#include <linux/rcupdate.h>
#include "crypto/aead.h"
#include "control/net.h"
#include "wire/eno.h"

/**
 * enum tcpcrypt_slot - what icsk_ulp_data points to; the first member of both structs
 *
 * A reader without the lock may see the data of one kind with the tcp_ulp_ops of the other.
 */
enum tcpcrypt_slot {
	TCPCRYPT_SLOT_CONN = 1,		/* struct tcpcrypt_conn: connecting, or connected */
	TCPCRYPT_SLOT_SETTINGS,		/* struct tcpcrypt_settings: opted in, and not connected */
};

enum tcpcrypt_aware {
	TCPCRYPT_AWARE_NO,
	TCPCRYPT_AWARE_YES,		/* a=1 (E-06) */
	TCPCRYPT_AWARE_MANDATORY,	/* and the peer's a must be 1, too (E-07) */
};

#define TCPCRYPT_SETTING_MAX	ENO_CONTENTS_MAX	/* TCP_ENO_RAW; TEPs and AEADs are fewer */

/**
 * struct tcpcrypt_settings - never changed once it is in a slot: an option makes a new one
 * @slot: TCPCRYPT_SLOT_SETTINGS
 * @refs: of slots and connections; a listener's children share its settings
 * @rcu: readers without the socket lock
 * @enabled: TCP_ENO_ENABLED
 * @role_b: TCP_ENO_ROLEOVERRIDE: b=1 as an active opener (E-05)
 * @mandatory: TCP_ENO_MANDATORY (E-25)
 * @aware: TCP_ENO_SELF_AWARE, enum tcpcrypt_aware
 * @resume: TCP_CRYPT_RESUME
 * @n_teps: TCP_ENO_TEPS; 0: as the sysctl says
 * @teps: best first
 * @n_aeads: TCP_CRYPT_AEADS; 0: as the sysctl says
 * @aeads: best first
 * @n_raw: TCP_ENO_RAW; 0: what the other settings say
 * @raw: contents of our SYN-form option, kind and length excluded
 */
struct tcpcrypt_settings {
	enum tcpcrypt_slot slot;
	refcount_t refs;
	struct rcu_head rcu;
	s8 enabled;
	bool role_b;
	bool mandatory;
	u8 aware;
	u8 resume;
	u8 n_teps;
	u8 teps[TCPCRYPT_TEPS_MAX];
	u8 n_aeads;
	u16 aeads[TCPCRYPT_AEADS_MAX];
	u8 n_raw;
	u8 raw[ENO_CONTENTS_MAX];
};

/** tcpcrypt_settings_alloc() - a copy of @old, or the defaults if that is NULL; one reference; may sleep */
struct tcpcrypt_settings *tcpcrypt_settings_alloc(const struct tcpcrypt_settings *old);

/** tcpcrypt_settings_get_rcu() - a reference, in an RCU read section; NULL if there is none to be had */
static inline struct tcpcrypt_settings *tcpcrypt_settings_get_rcu(struct tcpcrypt_settings *set)
{
	return set && refcount_inc_not_zero(&set->refs) ? set : NULL;
}

/** tcpcrypt_settings_put() - any context; NULL is fine */
static inline void tcpcrypt_settings_put(struct tcpcrypt_settings *set)
{
	if (set && refcount_dec_and_test(&set->refs))
		kfree_rcu(set, rcu);
}

/**
 * tcpcrypt_settings_set() - one option, into settings that nobody else sees yet
 * @set: the settings
 * @optname: TCP_ENO_* or TCP_CRYPT_*
 * @val: its value
 * @len: bytes there
 *
 * Return: 0, -EINVAL, or -ENOPROTOOPT for an option that is none of the settings
 */
int tcpcrypt_settings_set(struct tcpcrypt_settings *set, int optname, const u8 *val, unsigned int len);

/** tcpcrypt_settings_is() - is this option one of the settings? */
bool tcpcrypt_settings_is(int optname);

/**
 * tcpcrypt_settings_value() - the value of one
 * @set: the settings, NULL for the defaults
 * @tn: what the defaults come from
 * @optname: the option
 * @val: where its value goes, TCPCRYPT_SETTING_MAX bytes
 *
 * Return: bytes, or -ENOPROTOOPT
 */
int tcpcrypt_settings_value(const struct tcpcrypt_settings *set, struct tcpcrypt_net *tn, int optname, u8 *val);

/** tcpcrypt_settings_teps() - those to be used, best first, of what the administrator allows (N-04); how many */
unsigned int tcpcrypt_settings_teps(const struct tcpcrypt_settings *set, struct tcpcrypt_net *tn,
				    u8 ids[TCPCRYPT_TEPS_MAX]);

/** tcpcrypt_settings_aeads() - the same for AEADs */
unsigned int tcpcrypt_settings_aeads(const struct tcpcrypt_settings *set, struct tcpcrypt_net *tn,
				     u16 ids[TCPCRYPT_AEADS_MAX]);

/**
 * tcpcrypt_settings_raw() - our SYN-form option as TCP_ENO_RAW has it
 * @set: the settings
 * @syn: the option; if its contents are malformed it has no suboptions, so that nothing is negotiated
 *
 * Return: its length, 0 if there is none and the option is ours to make
 */
unsigned int tcpcrypt_settings_raw(const struct tcpcrypt_settings *set, struct eno_syn *syn);

/** tcpcrypt_settings_raw_agrees() - can what was negotiated be done, though TCP_ENO_RAW may have said anything? (N-04) */
bool tcpcrypt_settings_raw_agrees(const struct tcpcrypt_settings *set, struct tcpcrypt_net *tn, u8 tep);

/** tcpcrypt_settings_global() - our global suboption */
static inline u8 tcpcrypt_settings_global(const struct tcpcrypt_settings *set)
{
	if (!set)
		return 0;
	return (set->role_b ? ENO_GLOBAL_B : 0) | (set->aware ? ENO_GLOBAL_A : 0);
}

/** tcpcrypt_settings_must_be_aware() - mandatory application-aware mode (E-07) */
static inline bool tcpcrypt_settings_must_be_aware(const struct tcpcrypt_settings *set)
{
	return set && set->aware == TCPCRYPT_AWARE_MANDATORY;
}

/** tcpcrypt_settings_enabled() - with what a sysctl says, for who left it to that */
static inline bool tcpcrypt_settings_enabled(const struct tcpcrypt_settings *set, int sysctl)
{
	return set && set->enabled >= 0 ? set->enabled : sysctl != TCPCRYPT_ENABLE_OFF;
}

/** tcpcrypt_settings_forced() - the application said yes: also where the administrator would leave it alone */
static inline bool tcpcrypt_settings_forced(const struct tcpcrypt_settings *set)
{
	return set && set->enabled == 1;
}

#endif
