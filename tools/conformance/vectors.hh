/* SPDX-License-Identifier: GPL-2.0 */
/* The published test vectors, since the RFCs have none: made by the peer's own cryptography. */
#ifndef CONFORMANCE_VECTORS_HH
#define CONFORMANCE_VECTORS_HH

#include <string>

namespace conformance {

/** As JSON, one member a line, and the same bytes each time. */
std::string make_vectors();

} // namespace conformance

#endif
