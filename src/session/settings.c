// SPDX-License-Identifier: GPL-2.0
/* What an application asked for by socket options before it connected or listened. */
#include "session/settings.h"
#include <linux/slab.h>
#include "crypto/tep.h"

struct tcpcrypt_settings *tcpcrypt_settings_alloc(const struct tcpcrypt_settings *old)
{
	struct tcpcrypt_settings *set;

	if (old) {
		set = kmemdup(old, sizeof(*old), GFP_KERNEL_ACCOUNT);
	} else {
		set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
		if (set) {
			set->slot = TCPCRYPT_SLOT_SETTINGS;
			set->enabled = -1;
			set->resume = TCPCRYPT_RESUME_DEFAULT;
		}
	}
	if (set)
		refcount_set(&set->refs, 1);
	return set;
}

/* On the wire the best one is the last; here it is the first. */
static int settings_set_teps(struct tcpcrypt_settings *set, const u8 *val, unsigned int len)
{
	unsigned int i;

	if (!len || len > TCPCRYPT_TEPS_MAX)
		return -EINVAL;
	for (i = 0; i < len; i++)
		if (!tcpcrypt_tep_find(val[i]) || memchr(val, val[i], i))
			return -EINVAL;
	for (i = 0; i < len; i++)
		set->teps[i] = val[len - 1 - i];
	set->n_teps = len;
	return 0;
}

static int settings_set_aeads(struct tcpcrypt_settings *set, const u8 *val, unsigned int len)
{
	unsigned int i, j, n = len / sizeof(u16);
	u16 ids[TCPCRYPT_AEADS_MAX];

	if (!n || len % sizeof(u16) || n > TCPCRYPT_AEADS_MAX)
		return -EINVAL;
	memcpy(ids, val, len);
	for (i = 0; i < n; i++) {
		if (!tcpcrypt_aead_find(ids[i]))
			return -EINVAL;
		for (j = 0; j < i; j++)
			if (ids[j] == ids[i])
				return -EINVAL;
	}
	memcpy(set->aeads, ids, len);
	set->n_aeads = n;
	return 0;
}

/* Whatever it is: TCP refuses what does not fit, and negotiation what means nothing. */
static int settings_set_raw(struct tcpcrypt_settings *set, const u8 *val, unsigned int len)
{
	if (len > sizeof(set->raw))
		return -EINVAL;
	memcpy(set->raw, val, len);
	set->n_raw = len;
	return 0;
}

bool tcpcrypt_settings_is(int optname)
{
	switch (optname) {
	case TCP_ENO_ENABLED:
	case TCP_ENO_TEPS:
	case TCP_ENO_SELF_GOPT:
	case TCP_ENO_SELF_AWARE:
	case TCP_ENO_ROLEOVERRIDE:
	case TCP_ENO_MANDATORY:
	case TCP_ENO_RAW:
	case TCP_CRYPT_AEADS:
	case TCP_CRYPT_RESUME:
		return true;
	default:
		return false;
	}
}

int tcpcrypt_settings_set(struct tcpcrypt_settings *set, int optname, const u8 *val, unsigned int len)
{
	int n;

	if (!tcpcrypt_settings_is(optname))
		return -ENOPROTOOPT;
	if (optname == TCP_ENO_TEPS)
		return settings_set_teps(set, val, len);
	if (optname == TCP_CRYPT_AEADS)
		return settings_set_aeads(set, val, len);
	if (optname == TCP_ENO_RAW)
		return settings_set_raw(set, val, len);
	if (len < sizeof(n))
		return -EINVAL;
	memcpy(&n, val, sizeof(n));
	if (n < (optname == TCP_ENO_ENABLED ? -1 : 0))
		return -EINVAL;
	switch (optname) {
	case TCP_ENO_ENABLED:
		if (n > 1)
			return -EINVAL;
		set->enabled = n;
		return 0;
	case TCP_ENO_SELF_GOPT:		/* E-04: the reserved bits are not the application's */
		if (n & ~(ENO_GLOBAL_A | ENO_GLOBAL_B))
			return -EINVAL;
		set->role_b = n & ENO_GLOBAL_B;
		if (!(n & ENO_GLOBAL_A))
			set->aware = TCPCRYPT_AWARE_NO;
		else if (!set->aware)
			set->aware = TCPCRYPT_AWARE_YES;
		return 0;
	case TCP_ENO_SELF_AWARE:
		if (n > TCPCRYPT_AWARE_MANDATORY)
			return -EINVAL;
		set->aware = n;
		return 0;
	case TCP_CRYPT_RESUME:
		if (n > TCPCRYPT_RESUME_DEFAULT)
			return -EINVAL;
		set->resume = n;
		return 0;
	default:
		if (n > 1)
			return -EINVAL;
		if (optname == TCP_ENO_ROLEOVERRIDE)
			set->role_b = n;
		else
			set->mandatory = n;
		return 0;
	}
}

int tcpcrypt_settings_value(const struct tcpcrypt_settings *set, struct tcpcrypt_net *tn, int optname, u8 *val)
{
	u8 teps[TCPCRYPT_TEPS_MAX];
	u16 aeads[TCPCRYPT_AEADS_MAX];
	unsigned int i, n;
	int num;

	BUILD_BUG_ON(sizeof(teps) > TCPCRYPT_SETTING_MAX || sizeof(aeads) > TCPCRYPT_SETTING_MAX);
	switch (optname) {
	case TCP_ENO_TEPS:
		n = tcpcrypt_settings_teps(set, tn, teps);
		for (i = 0; i < n; i++)
			val[i] = teps[n - 1 - i];
		return n;
	case TCP_CRYPT_AEADS:
		n = tcpcrypt_settings_aeads(set, tn, aeads);
		memcpy(val, aeads, n * sizeof(*aeads));
		return n * sizeof(*aeads);
	case TCP_ENO_RAW:
		n = set ? set->n_raw : 0;
		if (n)
			memcpy(val, set->raw, n);
		return n;
	case TCP_ENO_ENABLED:
		num = set ? set->enabled : -1;
		break;
	case TCP_ENO_SELF_GOPT:
		num = tcpcrypt_settings_global(set);
		break;
	case TCP_ENO_SELF_AWARE:
		num = set ? set->aware : TCPCRYPT_AWARE_NO;
		break;
	case TCP_ENO_ROLEOVERRIDE:
		num = set && set->role_b;
		break;
	case TCP_ENO_MANDATORY:
		num = set && set->mandatory;
		break;
	case TCP_CRYPT_RESUME:
		num = set ? set->resume : TCPCRYPT_RESUME_DEFAULT;
		break;
	default:
		return -ENOPROTOOPT;
	}
	memcpy(val, &num, sizeof(num));
	return sizeof(num);
}

unsigned int tcpcrypt_settings_teps(const struct tcpcrypt_settings *set, struct tcpcrypt_net *tn,
				    u8 ids[TCPCRYPT_TEPS_MAX])
{
	const struct tcpcrypt_list8 *list;
	unsigned int i, n = 0;

	rcu_read_lock();
	list = rcu_dereference(tn->teps);
	if (set && set->n_teps) {
		for (i = 0; i < set->n_teps; i++)
			if (memchr(list->id, set->teps[i], list->n))
				ids[n++] = set->teps[i];
	} else {
		n = list->n;
		memcpy(ids, list->id, n);
	}
	rcu_read_unlock();
	return n;
}

unsigned int tcpcrypt_settings_aeads(const struct tcpcrypt_settings *set, struct tcpcrypt_net *tn,
				     u16 ids[TCPCRYPT_AEADS_MAX])
{
	const struct tcpcrypt_list16 *list;
	unsigned int i, j, n = 0;

	rcu_read_lock();
	list = rcu_dereference(tn->aeads);
	if (set && set->n_aeads) {
		for (i = 0; i < set->n_aeads; i++)
			for (j = 0; j < list->n; j++)
				if (list->id[j] == set->aeads[i])
					ids[n++] = list->id[j];
	} else {
		n = list->n;
		memcpy(ids, list->id, n * sizeof(*ids));
	}
	rcu_read_unlock();
	return n;
}

unsigned int tcpcrypt_settings_raw(const struct tcpcrypt_settings *set, struct eno_syn *syn)
{
	u8 opt[ENO_TCP_OPTIONS_MAX] = { ENO_KIND };

	if (!set || !set->n_raw)
		return 0;
	opt[1] = ENO_HDR_LEN + set->n_raw;
	memcpy(opt + ENO_HDR_LEN, set->raw, set->n_raw);
	if (eno_syn_parse(opt, opt[1], syn) != ENO_OK) {
		memset(syn, 0, sizeof(*syn));
		memcpy(syn->raw, opt, opt[1]);
		syn->raw_len = opt[1];
	}
	return syn->raw_len;
}

bool tcpcrypt_settings_raw_agrees(const struct tcpcrypt_settings *set, struct tcpcrypt_net *tn, u8 tep)
{
	u8 teps[TCPCRYPT_TEPS_MAX];

	return !set || !set->n_raw || memchr(teps, tep, tcpcrypt_settings_teps(NULL, tn, teps));
}
