// SPDX-License-Identifier: GPL-2.0
/* The suites, which run when the module is loaded. */
#include "kunit.h"

#include <linux/module.h>

kunit_test_suites(&eno_suite, &init_suite, &frame_suite, &hkdf_suite, &keys_suite, &x25519_suite,
		  &x448_suite, &nist_suite, &aead_suite, &session_suite, &keypool_suite);

MODULE_DESCRIPTION("KUnit tests of tcpcrypt");
MODULE_LICENSE("GPL");
