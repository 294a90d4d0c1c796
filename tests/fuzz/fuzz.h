/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzz targets share. Each is one file, and seeds.c writes what they start from. */
#ifndef TCPCRYPT_TESTS_FUZZ_H
#define TCPCRYPT_TESTS_FUZZ_H

#include "wire/eno.h"
#include "wire/frame.h"
#include "wire/init.h"

#include <stdlib.h>

/* What must hold for any input. */
#define MUST(condition)			\
	do {				\
		if (!(condition))	\
			__builtin_trap(); \
	} while (0)

/* That [@p, @p + @n) is inside of [@start, @start + @len). */
static inline bool inside(const u8 *p, size_t n, const u8 *start, size_t len)
{
	return p >= start && n <= len && (size_t)(p - start) <= len - n;
}

/* That a parsed option is what its own bytes say. */
static inline void check_syn(const struct eno_syn *syn)
{
	unsigned int i, after = ENO_HDR_LEN;

	MUST(syn->raw_len >= ENO_HDR_LEN && syn->raw_len <= ENO_TCP_OPTIONS_MAX);
	MUST(syn->raw[0] == ENO_KIND && syn->raw[1] == syn->raw_len);
	MUST(syn->n_teps <= ENO_CONTENTS_MAX);
	for (i = 0; i < syn->n_teps; i++) {
		const struct eno_tep *tep = &syn->teps[i];

		MUST(tep->id >= ENO_GLT_TEP_MIN && tep->id <= ENO_SUB_GLT);
		MUST(tep->off > after && tep->off + tep->len <= syn->raw_len);
		MUST(syn->raw[tep->off - 1] == (tep->id | (tep->v ? ENO_SUB_V : 0)));
		MUST(tep->v || !tep->len);
		after = tep->off + tep->len - 1;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif
