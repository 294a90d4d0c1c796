// SPDX-License-Identifier: GPL-2.0
/* Nothing is sent with ENO before the kernel's random generator is seeded (E-20). */
#include "option/option.h"
#include <linux/moduleparam.h>
#include <linux/random.h>

/* No machine at hand is so slow to seed it that a test could see that. What this does is safe: plain TCP, or none. */
static bool pretend_unseeded;
module_param(pretend_unseeded, bool, 0600);
MODULE_PARM_DESC(pretend_unseeded, "for tests: as if the kernel's random generator was not seeded yet");

bool tcpcrypt_random_ready(void)
{
	return rng_is_initialized() && !READ_ONCE(pretend_unseeded);
}
