// SPDX-License-Identifier: GPL-2.0
/* net.tcpcrypt.*: the settings of a network namespace. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "net.h"

#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include "crypto/tep.h"
#include "option/hooks.h"
#include "session/resume.h"
#include "wire/eno.h"
#include "wire/frame.h"

#define TCPCRYPT_SYSCTL_PATH	"net/tcpcrypt"
#define TCPCRYPT_SYSCTL_TEXT	256	/* more than any list of names, or number, takes */

/* Protocols that are encrypted already; 3260 (iSCSI), because the kernel takes such sockets over. */
static const u16 tcpcrypt_sysctl_bad_ports[] = {
	22, 443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 3260, 5061, 6697, 8443,
};

static int tcpcrypt_sysctl_syn_retries_max = 6;
static int tcpcrypt_sysctl_path_max = 86400;
static int tcpcrypt_sysctl_timeout_min = 100;
static int tcpcrypt_sysctl_timeout_max = 600000;
static int tcpcrypt_sysctl_halfopen_max = 1 << 20;
static int tcpcrypt_sysctl_resume_cache_max = TCPCRYPT_RESUME_CACHE_MAX;
static int tcpcrypt_sysctl_resume_lifetime_max = 7 * 24 * 3600;
static int tcpcrypt_sysctl_resume_nonce_max = ENO_RESUME_NONCE_MAX;
static int tcpcrypt_sysctl_frame_min = 1024;
static int tcpcrypt_sysctl_frame_max = TCPCRYPT_FRAME_DATA_MAX;

/* Serializes those who replace a list; readers are under RCU. */
static DEFINE_MUTEX(tcpcrypt_sysctl_lock);

/* A setting that is handled as text: shown from @text, or written to it whole, never in part. */
static int tcpcrypt_sysctl_text(int write, void *buffer, size_t *lenp, loff_t *ppos,
				char text[TCPCRYPT_SYSCTL_TEXT])
{
	struct ctl_table table = {
		.data	= text,
		.maxlen	= TCPCRYPT_SYSCTL_TEXT,
	};

	if (write && (*ppos || *lenp >= TCPCRYPT_SYSCTL_TEXT))
		return -EINVAL;
	return proc_dostring(&table, write, buffer, lenp, ppos);
}

static int tcpcrypt_sysctl_tep_id(const char *word)
{
	const struct tcpcrypt_tep *tep;
	u8 id;

	tep = kstrtou8(word, 0, &id) ? tcpcrypt_tep_find_name(word) : tcpcrypt_tep_find(id);
	return tep ? tep->id : -EINVAL;
}

static const char *tcpcrypt_sysctl_tep_name(u16 id)
{
	return tcpcrypt_tep_find(id)->name;
}

static int tcpcrypt_sysctl_aead_id(const char *word)
{
	const struct tcpcrypt_aead *aead;
	u16 id;

	aead = kstrtou16(word, 0, &id) ? tcpcrypt_aead_find_name(word) : tcpcrypt_aead_find(id);
	return aead ? aead->id : -EINVAL;
}

static const char *tcpcrypt_sysctl_aead_name(u16 id)
{
	return tcpcrypt_aead_find(id)->name;
}

/*
 * Names or numbers, best first, into @ids; at least one, none twice. None is not a way to switch tcpcrypt
 * off: that is what enable_connect and enable_listen are for.
 */
static int tcpcrypt_sysctl_ids_parse(char *text, int (*to_id)(const char *word), u16 *ids, unsigned int max)
{
	unsigned int i, n = 0;
	char *word;
	int id;

	while ((word = strsep(&text, ", \t"))) {
		if (!*word)
			continue;
		id = to_id(word);
		if (id < 0)
			return id;
		for (i = 0; i < n; i++) {
			if (ids[i] == id)
				return -EINVAL;
		}
		if (n == max)
			return -EINVAL;
		ids[n++] = id;
	}
	return n ? n : -EINVAL;
}

static void tcpcrypt_sysctl_ids_show(char text[TCPCRYPT_SYSCTL_TEXT], const char *(*name)(u16 id),
				     const u16 *ids, unsigned int n)
{
	unsigned int i;
	size_t len = 0;

	text[0] = '\0';
	for (i = 0; i < n; i++)
		len += scnprintf(text + len, TCPCRYPT_SYSCTL_TEXT - len, "%s%s", i ? " " : "", name(ids[i]));
}

static int tcpcrypt_sysctl_teps_set(struct tcpcrypt_net *tn, const u16 *ids, unsigned int n)
{
	struct tcpcrypt_list8 *list, *old;
	unsigned int i;

	list = kzalloc(sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (!list)
		return -ENOMEM;
	list->n = n;
	for (i = 0; i < n; i++)
		list->id[i] = ids[i];
	mutex_lock(&tcpcrypt_sysctl_lock);
	old = rcu_replace_pointer(tn->teps, list, lockdep_is_held(&tcpcrypt_sysctl_lock));
	mutex_unlock(&tcpcrypt_sysctl_lock);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

static int tcpcrypt_sysctl_aeads_set(struct tcpcrypt_net *tn, const u16 *ids, unsigned int n)
{
	struct tcpcrypt_list16 *list, *old;

	list = kzalloc(sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (!list)
		return -ENOMEM;
	list->n = n;
	memcpy(list->id, ids, n * sizeof(*ids));
	mutex_lock(&tcpcrypt_sysctl_lock);
	old = rcu_replace_pointer(tn->aeads, list, lockdep_is_held(&tcpcrypt_sysctl_lock));
	mutex_unlock(&tcpcrypt_sysctl_lock);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

static int tcpcrypt_sysctl_teps(tcpcrypt_ctl_table *table, int write, void *buffer, size_t *lenp, loff_t *ppos)
{
	struct tcpcrypt_net *tn = container_of(table->data, struct tcpcrypt_net, teps);
	char text[TCPCRYPT_SYSCTL_TEXT] = "";
	u16 ids[TCPCRYPT_TEPS_MAX];
	struct tcpcrypt_list8 *list;
	unsigned int i, n;
	int ret;

	if (!write) {
		rcu_read_lock();
		list = rcu_dereference(tn->teps);
		n = list->n;
		for (i = 0; i < n; i++)
			ids[i] = list->id[i];
		rcu_read_unlock();
		tcpcrypt_sysctl_ids_show(text, tcpcrypt_sysctl_tep_name, ids, n);
	}
	ret = tcpcrypt_sysctl_text(write, buffer, lenp, ppos, text);
	if (ret || !write)
		return ret;
	ret = tcpcrypt_sysctl_ids_parse(text, tcpcrypt_sysctl_tep_id, ids, ARRAY_SIZE(ids));
	return ret < 0 ? ret : tcpcrypt_sysctl_teps_set(tn, ids, ret);
}

static int tcpcrypt_sysctl_aeads(tcpcrypt_ctl_table *table, int write, void *buffer, size_t *lenp, loff_t *ppos)
{
	struct tcpcrypt_net *tn = container_of(table->data, struct tcpcrypt_net, aeads);
	char text[TCPCRYPT_SYSCTL_TEXT] = "";
	u16 ids[TCPCRYPT_AEADS_MAX];
	struct tcpcrypt_list16 *list;
	unsigned int n;
	int ret;

	if (!write) {
		rcu_read_lock();
		list = rcu_dereference(tn->aeads);
		n = list->n;
		memcpy(ids, list->id, n * sizeof(*ids));
		rcu_read_unlock();
		tcpcrypt_sysctl_ids_show(text, tcpcrypt_sysctl_aead_name, ids, n);
	}
	ret = tcpcrypt_sysctl_text(write, buffer, lenp, ppos, text);
	if (ret || !write)
		return ret;
	ret = tcpcrypt_sysctl_ids_parse(text, tcpcrypt_sysctl_aead_id, ids, ARRAY_SIZE(ids));
	return ret < 0 ? ret : tcpcrypt_sysctl_aeads_set(tn, ids, ret);
}

/* A u64 of at least 1: proc_doulongvec_minmax() knows only long, which may have 32 bits. */
static int tcpcrypt_sysctl_u64(tcpcrypt_ctl_table *table, int write, void *buffer, size_t *lenp, loff_t *ppos)
{
	char text[TCPCRYPT_SYSCTL_TEXT] = "";
	u64 *value = table->data;
	u64 new;
	int ret;

	if (!write)
		scnprintf(text, sizeof(text), "%llu", READ_ONCE(*value));
	ret = tcpcrypt_sysctl_text(write, buffer, lenp, ppos, text);
	if (ret || !write)
		return ret;
	if (kstrtou64(strim(text), 0, &new) || !new)
		return -EINVAL;
	WRITE_ONCE(*value, new);
	return 0;
}

/* What is cached may be too much, or too old, by the new value. */
static int tcpcrypt_sysctl_resume_int(struct tcpcrypt_net *tn, tcpcrypt_ctl_table *table, int write, void *buffer,
				      size_t *lenp, loff_t *ppos)
{
	int ret = proc_dointvec_minmax(table, write, buffer, lenp, ppos);

	if (!ret && write)
		tcpcrypt_resume_changed(tn);
	return ret;
}

static int tcpcrypt_sysctl_resume(tcpcrypt_ctl_table *table, int write, void *buffer, size_t *lenp, loff_t *ppos)
{
	return tcpcrypt_sysctl_resume_int(container_of(table->data, struct tcpcrypt_net, resume),
					  table, write, buffer, lenp, ppos);
}

static int tcpcrypt_sysctl_resume_cache(tcpcrypt_ctl_table *table, int write, void *buffer, size_t *lenp,
					loff_t *ppos)
{
	return tcpcrypt_sysctl_resume_int(container_of(table->data, struct tcpcrypt_net, resume_cache),
					  table, write, buffer, lenp, ppos);
}

static int tcpcrypt_sysctl_resume_lifetime(tcpcrypt_ctl_table *table, int write, void *buffer, size_t *lenp,
					   loff_t *ppos)
{
	return tcpcrypt_sysctl_resume_int(container_of(table->data, struct tcpcrypt_net, resume_lifetime),
					  table, write, buffer, lenp, ppos);
}

/* Whoever writes it, be it the same value, has the network in mind as it is now. */
static int tcpcrypt_sysctl_path_lifetime(tcpcrypt_ctl_table *table, int write, void *buffer, size_t *lenp,
					 loff_t *ppos)
{
	struct tcpcrypt_net *tn = container_of(table->data, struct tcpcrypt_net, path_lifetime);
	int ret = proc_dointvec_minmax(table, write, buffer, lenp, ppos);

	if (!ret && write)
		tcpcrypt_path_forget_all(tn->net);
	return ret;
}

/* @data holds the offset in struct tcpcrypt_net; the copy of each namespace gets the address. */
#define TCPCRYPT_SYSCTL(field, len, handler, ...)				\
	{									\
		.procname	= #field,					\
		.data		= (void *)offsetof(struct tcpcrypt_net, field),	\
		.maxlen		= len,						\
		.mode		= 0644,						\
		.proc_handler	= handler,					\
		__VA_ARGS__							\
	}
#define TCPCRYPT_SYSCTL_RANGE(field, handler, min, max)				\
	TCPCRYPT_SYSCTL(field, sizeof(int), handler, .extra1 = min, .extra2 = max)
#define TCPCRYPT_SYSCTL_INT(field, min, max)					\
	TCPCRYPT_SYSCTL_RANGE(field, proc_dointvec_minmax, min, max)

static const struct ctl_table tcpcrypt_sysctl_table[] = {
	TCPCRYPT_SYSCTL_INT(enable_connect, SYSCTL_ZERO, SYSCTL_TWO),
	TCPCRYPT_SYSCTL_INT(enable_listen, SYSCTL_ZERO, SYSCTL_TWO),
	TCPCRYPT_SYSCTL_INT(loopback, SYSCTL_ZERO, SYSCTL_ONE),
	TCPCRYPT_SYSCTL(bad_connect_ports, TCPCRYPT_PORTS, proc_do_large_bitmap),
	TCPCRYPT_SYSCTL(bad_listen_ports, TCPCRYPT_PORTS, proc_do_large_bitmap),
	TCPCRYPT_SYSCTL(teps, TCPCRYPT_SYSCTL_TEXT, tcpcrypt_sysctl_teps),
	TCPCRYPT_SYSCTL(aeads, TCPCRYPT_SYSCTL_TEXT, tcpcrypt_sysctl_aeads),
	TCPCRYPT_SYSCTL_INT(syn_retries, SYSCTL_ZERO, &tcpcrypt_sysctl_syn_retries_max),
	TCPCRYPT_SYSCTL_RANGE(path_lifetime, tcpcrypt_sysctl_path_lifetime, SYSCTL_ZERO, &tcpcrypt_sysctl_path_max),
	TCPCRYPT_SYSCTL_INT(handshake_timeout_ms, &tcpcrypt_sysctl_timeout_min, &tcpcrypt_sysctl_timeout_max),
	TCPCRYPT_SYSCTL_INT(max_halfopen, SYSCTL_ZERO, &tcpcrypt_sysctl_halfopen_max),
	TCPCRYPT_SYSCTL(rekey_frames, sizeof(u64), tcpcrypt_sysctl_u64),
	TCPCRYPT_SYSCTL(rekey_bytes, sizeof(u64), tcpcrypt_sysctl_u64),
	TCPCRYPT_SYSCTL_INT(frame_max, &tcpcrypt_sysctl_frame_min, &tcpcrypt_sysctl_frame_max),
	TCPCRYPT_SYSCTL_RANGE(resume, tcpcrypt_sysctl_resume, SYSCTL_ZERO, SYSCTL_ONE),
	TCPCRYPT_SYSCTL_RANGE(resume_cache, tcpcrypt_sysctl_resume_cache, SYSCTL_ZERO,
			      &tcpcrypt_sysctl_resume_cache_max),
	TCPCRYPT_SYSCTL_RANGE(resume_lifetime, tcpcrypt_sysctl_resume_lifetime, SYSCTL_ONE,
			      &tcpcrypt_sysctl_resume_lifetime_max),
	TCPCRYPT_SYSCTL_INT(resume_nonce_len, SYSCTL_ZERO, &tcpcrypt_sysctl_resume_nonce_max),
};

static unsigned long *tcpcrypt_sysctl_ports_alloc(void)
{
	unsigned long *ports = bitmap_zalloc(TCPCRYPT_PORTS, GFP_KERNEL_ACCOUNT);
	unsigned int i;

	for (i = 0; ports && i < ARRAY_SIZE(tcpcrypt_sysctl_bad_ports); i++)
		__set_bit(tcpcrypt_sysctl_bad_ports[i], ports);
	return ports;
}

static int tcpcrypt_sysctl_defaults(struct tcpcrypt_net *tn)
{
	u16 teps[TCPCRYPT_TEPS_MAX], aeads[TCPCRYPT_AEADS_MAX];
	unsigned int n;
	int err;

	tn->enable_connect = TCPCRYPT_ENABLE_OFFER;
	tn->enable_listen = TCPCRYPT_ENABLE_OFFER;
	tn->loopback = 0;
	tn->syn_retries = 2;
	tn->path_lifetime = 600;
	tn->handshake_timeout_ms = 10000;
	tn->max_halfopen = 65536;
	tn->rekey_frames = 1ULL << 24;
	tn->rekey_bytes = 1ULL << 36;
	tn->frame_max = 32768;
	tn->resume = 1;
	tn->resume_cache = 16384;
	tn->resume_lifetime = 3600;
	tn->resume_nonce_len = ENO_RESUME_NONCE_MAX;
	tn->bad_connect_ports = tcpcrypt_sysctl_ports_alloc();
	tn->bad_listen_ports = tcpcrypt_sysctl_ports_alloc();
	if (!tn->bad_connect_ports || !tn->bad_listen_ports)
		return -ENOMEM;

	for (n = 0; tcpcrypt_teps[n] && n < TCPCRYPT_TEPS_MAX; n++)
		teps[n] = tcpcrypt_teps[n]->id;
	err = tcpcrypt_sysctl_teps_set(tn, teps, n);
	if (err)
		return err;
	n = tcpcrypt_aead_defaults(aeads);
	return tcpcrypt_sysctl_aeads_set(tn, aeads, n);
}

static void tcpcrypt_sysctl_free(struct tcpcrypt_net *tn)
{
	kfree(rcu_dereference_protected(tn->aeads, true));
	kfree(rcu_dereference_protected(tn->teps, true));
	bitmap_free(tn->bad_listen_ports);
	bitmap_free(tn->bad_connect_ports);
}

int tcpcrypt_sysctl_init(struct tcpcrypt_net *tn)
{
	const unsigned int n = ARRAY_SIZE(tcpcrypt_sysctl_table);
	struct ctl_table *table = NULL;
	unsigned int i;
	int err;

	err = tcpcrypt_sysctl_defaults(tn);
	if (err)
		goto free_settings;

	/* The empty entry at the end is for kernels before 6.6. */
	err = -ENOMEM;
	table = kcalloc(n + 1, sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		goto free_settings;
	memcpy(table, tcpcrypt_sysctl_table, sizeof(tcpcrypt_sysctl_table));
	for (i = 0; i < n; i++)
		table[i].data = (void *)tn + (unsigned long)table[i].data;

	tn->sysctl = register_net_sysctl_sz(tn->net, TCPCRYPT_SYSCTL_PATH, table, n);
	if (!tn->sysctl)
		goto free_table;
	return 0;

free_table:
	kfree(table);
free_settings:
	tcpcrypt_sysctl_free(tn);
	return err;
}

void tcpcrypt_sysctl_exit(struct tcpcrypt_net *tn)
{
	const struct ctl_table *table = tn->sysctl->ctl_table_arg;

	unregister_net_sysctl_table(tn->sysctl);
	kfree(table);
	tcpcrypt_sysctl_free(tn);
}
