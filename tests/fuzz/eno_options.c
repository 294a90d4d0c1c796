// SPDX-License-Identifier: GPL-2.0
/* The input: the options of a TCP header. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct eno_found found;
	enum eno_verdict verdict;
	struct eno_syn syn;

	eno_options_find(data, (unsigned int)size, &found);
	MUST(!found.opt == !found.count);
	if (found.opt) {
		MUST(found.len >= ENO_HDR_LEN && inside(found.opt, found.len, data, size));
		MUST(found.opt[0] == ENO_KIND && found.opt[1] == found.len);
	}

	verdict = eno_syn_from_options(data, (unsigned int)size, &syn);
	MUST((verdict == ENO_ABSENT) == (found.count == 0));
	MUST((verdict == ENO_REPEATED) == (found.count > 1));
	if (verdict == ENO_OK) {
		check_syn(&syn);
		MUST(!memcmp(syn.raw, found.opt, found.len));
	} else {
		MUST(!syn.raw_len);
	}
	return 0;
}
