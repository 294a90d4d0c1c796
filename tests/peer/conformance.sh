#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The conformance cases of tools/conformance as a suite.
exec tcpcrypt-conformance ${TCPCRYPT_TEST_QUICK:+--quick}
