// SPDX-License-Identifier: GPL-2.0
/* The table of key agreements, one row a TEP (RFC 8548 section 5). */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "tep.h"

#include <linux/printk.h>

const struct tcpcrypt_tep *tcpcrypt_teps[] = {
	&tcpcrypt_tep_x25519,
	&tcpcrypt_tep_x448,
	&tcpcrypt_tep_p256,
	&tcpcrypt_tep_p521,
	NULL,
};

static void tcpcrypt_tep_undo(const struct tcpcrypt_tep *const *end)
{
	while (end-- != tcpcrypt_teps) {
		if ((*end)->exit)
			(*end)->exit();
	}
}

int tcpcrypt_tep_init(void)
{
	const struct tcpcrypt_tep **from, **to = tcpcrypt_teps;
	int err;

	for (from = tcpcrypt_teps; *from; from++) {
		err = (*from)->init ? (*from)->init() : 0;
		if (!err) {
			*to++ = *from;
			continue;
		}
		/* N-06: not without this one. */
		if ((*from)->id == TCPCRYPT_TEP_CURVE25519) {
			tcpcrypt_tep_undo(to);
			return err;
		}
		pr_info("this kernel has no support for %s, so it is not offered (error %d)\n",
			(*from)->name, err);
	}
	*to = NULL;
	return 0;
}

void tcpcrypt_tep_exit(void)
{
	const struct tcpcrypt_tep *const *tep = tcpcrypt_teps;

	while (*tep)
		tep++;
	tcpcrypt_tep_undo(tep);
}

const struct tcpcrypt_tep *tcpcrypt_tep_find(u8 id)
{
	const struct tcpcrypt_tep *const *tep;

	for (tep = tcpcrypt_teps; *tep; tep++) {
		if ((*tep)->id == id)
			break;
	}
	return *tep;
}

const struct tcpcrypt_tep *tcpcrypt_tep_find_name(const char *name)
{
	const struct tcpcrypt_tep *const *tep;

	for (tep = tcpcrypt_teps; *tep; tep++) {
		if (!strcmp((*tep)->name, name))
			break;
	}
	return *tep;
}
