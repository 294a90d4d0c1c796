// SPDX-License-Identifier: GPL-2.0
/* The input: a SYN-form option. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct eno_syn syn;

	if (eno_syn_parse(data, (unsigned int)size, &syn) == ENO_OK)
		check_syn(&syn);
	else
		MUST(!syn.raw_len);
	return 0;
}
