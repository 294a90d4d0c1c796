/* SPDX-License-Identifier: GPL-2.0 */
/* The peer against itself and against published vectors, without a device under test. */
#ifndef CONFORMANCE_SELFTEST_HH
#define CONFORMANCE_SELFTEST_HH

#include "report.hh"

namespace conformance {

void selftest(Report &report, bool trace);

} // namespace conformance

#endif
