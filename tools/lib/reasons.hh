/* SPDX-License-Identifier: GPL-2.0 */
/* What each reason for a fallback or an abort means, and what to do about it. */
#ifndef TCPCRYPT_TOOLS_REASONS_HH
#define TCPCRYPT_TOOLS_REASONS_HH

#include <linux/tcpcrypt.h>

#include <span>
#include <string>

namespace tcpcrypt {

struct Explanation {
	tcpcrypt_reason reason;
	/** errno that the program sees, nullptr when the connection goes on as plain TCP. */
	const char *error;
	const char *meaning;
	const char *advice;
};

/** One for every reason, in order of their numbers. */
std::span<const Explanation> explanations();
/** By name or number; nullptr if there is none. */
const Explanation *explain(const std::string &reason);
inline bool is_fallback(tcpcrypt_reason reason)
{
	return reason <= TCPCRYPT_FALLBACK_LAST;
}

} // namespace tcpcrypt

#endif
