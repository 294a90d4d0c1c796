/* SPDX-License-Identifier: GPL-2.0 */
/* Until 6.12 this header went by the name of asm/unaligned.h. */
#if __has_include_next(<linux/unaligned.h>)
#include_next <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif
