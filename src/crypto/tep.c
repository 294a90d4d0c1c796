// SPDX-License-Identifier: GPL-2.0
/* The table of key agreements, one row a TEP (RFC 8548 section 5). */
#include "tep.h"

const struct tcpcrypt_tep *const tcpcrypt_teps[] = {
	&tcpcrypt_tep_x25519,
	&tcpcrypt_tep_x448,
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
	const struct tcpcrypt_tep *const *tep;
	int err;

	for (tep = tcpcrypt_teps; *tep; tep++) {
		err = (*tep)->init ? (*tep)->init() : 0;
		if (err) {
			tcpcrypt_tep_undo(tep);
			return err;
		}
	}
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
