/* SPDX-License-Identifier: GPL-2.0 */
/* Results: medians, ranges and ratios, as a table and as JSON. */
#ifndef TCPCRYPT_BENCH_REPORT_HH
#define TCPCRYPT_BENCH_REPORT_HH

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "subject.hh"
#include "workload.hh"

namespace bench {

/** The rates that were seen of one workload over one kind of connection, one for each round. */
struct Series {
	Workload workload;
	unsigned int connections;
	Subject subject;
	/** In bits, round trips or connections per second. */
	std::vector<double> rates;
};

struct Row {
	/** The workload; a fallback and a variant have their names appended. */
	std::string name;
	std::string transport;
	/** Empty unless encrypted. */
	std::string aead;
	unsigned int connections;
	double median, min, max;
	std::string unit;
	/**
	 * To plain TCP without the module, and to kTLS with the same AEAD: the median of what was seen round by round,
	 * so that what slows down the machine for a while does not count.
	 */
	std::optional<double> vs_plain, vs_ktls;
	/** To TLS 1.3 by OpenSSL, in the set-up of connections. */
	std::optional<double> vs_tls;
};

double median_of(std::vector<double> values);
std::vector<Row> make_rows(const std::vector<Series> &all);
void print_table(std::ostream &out, const std::vector<Row> &rows);
void write_json(const std::string &path, const std::vector<Row> &rows);

} // namespace bench

#endif
