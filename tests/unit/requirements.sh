#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Every requirement has a test or a note, and Documentation/conformance.md says which.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)

if reason=$("$top/scripts/conformance-table" --check 2>&1); then
	echo "ok every_requirement_is_shown"
else
	echo "not ok every_requirement_is_shown: $reason"
	exit 1
fi
