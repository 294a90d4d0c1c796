#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The conformance cases of tools/conformance as a suite, and the vectors in the tree as it makes them.
status=0
if tcpcrypt-conformance --vectors | cmp - "${TCPCRYPT_TOP:-.}/tests/vectors/tcpcrypt.json"; then
	echo "ok vectors-are-published"
else
	echo "not ok vectors-are-published: run tcpcrypt-conformance --vectors >tests/vectors/tcpcrypt.json"
	status=1
fi
tcpcrypt-conformance ${TCPCRYPT_TEST_QUICK:+--quick} || status=$?
exit $status
