#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The conformance peer against itself, and against a model of a device that has one fault at a time: a case that does
# not find its fault cannot fail. As root, for a network namespace and a TUN device; no module may be loaded here.
status=0
tcpcrypt-conformance --selftest || status=$?
tcpcrypt-conformance --faults || status=$?
exit $status
