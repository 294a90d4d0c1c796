// SPDX-License-Identifier: GPL-2.0
/* The names of reasons, counters and states: one table for the module and for the tools. */
#include "names.h"

#include "wire/base.h"

/*
 * Switches without a default, so that the compiler (-Wswitch) finds the value that nobody named.
 */
const char *tcpcrypt_reason_name(enum tcpcrypt_reason reason)
{
	switch (reason) {
	case TCPCRYPT_FALLBACK_NO_ENO_IN_SYN:
		return "no-eno-in-syn";
	case TCPCRYPT_FALLBACK_NO_ENO_IN_SYNACK:
		return "no-eno-in-synack";
	case TCPCRYPT_FALLBACK_NO_ENO_IN_ACK:
		return "no-eno-in-ack";
	case TCPCRYPT_FALLBACK_MALFORMED:
		return "malformed";
	case TCPCRYPT_FALLBACK_REPEATED:
		return "repeated";
	case TCPCRYPT_FALLBACK_VACUOUS:
		return "vacuous";
	case TCPCRYPT_FALLBACK_NO_COMMON_TEP:
		return "no-common-tep";
	case TCPCRYPT_FALLBACK_SAME_ROLE:
		return "same-role";
	case TCPCRYPT_FALLBACK_NOT_AWARE:
		return "not-aware";
	case TCPCRYPT_FALLBACK_SYN_RETRIED:
		return "syn-retried";
	case TCPCRYPT_FALLBACK_SYN_CHANGED:
		return "syn-changed";
	case TCPCRYPT_FALLBACK_SIMULTANEOUS:
		return "simultaneous";
	case TCPCRYPT_FALLBACK_DISABLED:
		return "disabled";
	case TCPCRYPT_FALLBACK_BAD_PORT:
		return "bad-port";
	case TCPCRYPT_FALLBACK_LOOPBACK:
		return "loopback";
	case TCPCRYPT_FALLBACK_NO_ROOM:
		return "no-room";
	case TCPCRYPT_FALLBACK_OTHER_OPTION:
		return "other-option";
	case TCPCRYPT_FALLBACK_BUSY_SOCKET:
		return "busy-socket";
	case TCPCRYPT_FALLBACK_KERNEL_SOCKET:
		return "kernel-socket";
	case TCPCRYPT_FALLBACK_HALFOPEN_LIMIT:
		return "halfopen-limit";
	case TCPCRYPT_FALLBACK_NO_MEMORY:
		return "no-memory";
	case TCPCRYPT_FALLBACK_SYN_COOKIE:
		return "syn-cookie";
	case TCPCRYPT_FALLBACK_NO_RANDOM:
		return "no-random";
	case TCPCRYPT_FALLBACK_DRAINING:
		return "draining";
	case TCPCRYPT_FALLBACK_PATH:
		return "path";
	case TCPCRYPT_ABORT_AUTH:
		return "abort-auth";
	case TCPCRYPT_ABORT_BAD_FRAME:
		return "abort-bad-frame";
	case TCPCRYPT_ABORT_TRUNCATED:
		return "abort-truncated";
	case TCPCRYPT_ABORT_AFTER_FINP:
		return "abort-after-finp";
	case TCPCRYPT_ABORT_BAD_INIT:
		return "abort-bad-init";
	case TCPCRYPT_ABORT_BAD_KEY:
		return "abort-bad-key";
	case TCPCRYPT_ABORT_NO_CIPHER:
		return "abort-no-cipher";
	case TCPCRYPT_ABORT_TIMEOUT:
		return "abort-timeout";
	case TCPCRYPT_ABORT_NO_MEMORY:
		return "abort-no-memory";
	case TCPCRYPT_ABORT_CRYPTO:
		return "abort-crypto";
	case TCPCRYPT_ABORT_FOREIGN_DATA:
		return "abort-foreign-data";
	case TCPCRYPT_ABORT_CLOSED:
		return "abort-closed";
	case TCPCRYPT_ABORT_KEEPALIVE:
		return "abort-keepalive";
	case TCPCRYPT_ABORT_REQUIRED:
		return "abort-required";
	case TCPCRYPT_REASON_NONE:
	case TCPCRYPT_FALLBACK_LAST:
	case TCPCRYPT_ABORT_LAST:
	case TCPCRYPT_REASON_COUNT:
		break;
	}
	return NULL;
}

const char *tcpcrypt_stat_name(enum tcpcrypt_stat stat)
{
	switch (stat) {
	case TCPCRYPT_STAT_ENCRYPTED_CONNECT:
		return "encrypted-connect";
	case TCPCRYPT_STAT_ENCRYPTED_ACCEPT:
		return "encrypted-accept";
	case TCPCRYPT_STAT_CURRENT:
		return "current";
	case TCPCRYPT_STAT_HALFOPEN:
		return "halfopen";
	case TCPCRYPT_STAT_SYN_OFFERED:
		return "syn-offered";
	case TCPCRYPT_STAT_SYNACK_ANSWERED:
		return "synack-answered";
	case TCPCRYPT_STAT_FRAMES_SEALED:
		return "frames-sealed";
	case TCPCRYPT_STAT_BYTES_SEALED:
		return "bytes-sealed";
	case TCPCRYPT_STAT_FRAMES_OPENED:
		return "frames-opened";
	case TCPCRYPT_STAT_BYTES_OPENED:
		return "bytes-opened";
	case TCPCRYPT_STAT_REKEYS_SENT:
		return "rekeys-sent";
	case TCPCRYPT_STAT_REKEYS_RECEIVED:
		return "rekeys-received";
	case TCPCRYPT_STAT_KEY_AGREEMENTS:
		return "key-agreements";
	case TCPCRYPT_STAT_RESUME_OFFERED:
		return "resume-offered";
	case TCPCRYPT_STAT_RESUME_REFUSED:
		return "resume-refused";
	case TCPCRYPT_STAT_RESUME_AGREED:
		return "resume-agreed";
	case TCPCRYPT_STAT_RESUME_MISSED:
		return "resume-missed";
	case TCPCRYPT_STAT_RESUMED_CONNECT:
		return "resumed-connect";
	case TCPCRYPT_STAT_RESUMED_ACCEPT:
		return "resumed-accept";
	case TCPCRYPT_STAT_CURRENT_RESUMED:
		return "current-resumed";
	case TCPCRYPT_STAT_RESUME_CACHED:
		return "resume-cached";
	case TCPCRYPT_STAT_RESUME_EVICTED:
		return "resume-evicted";
	case TCPCRYPT_STAT_PATHS:
		return "paths";
	case TCPCRYPT_STAT_COUNT:
		break;
	}
	return NULL;
}

const char *tcpcrypt_state_name(enum tcpcrypt_state state)
{
	switch (state) {
	case TCPCRYPT_STATE_SYN_SENT:
		return "syn-sent";
	case TCPCRYPT_STATE_EXCHANGE:
		return "exchange";
	case TCPCRYPT_STATE_ENCRYPTED:
		return "encrypted";
	case TCPCRYPT_STATE_ABORTED:
		return "aborted";
	}
	return NULL;
}
