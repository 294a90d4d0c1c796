/* SPDX-License-Identifier: GPL-2.0 */
/* Results: one line for each case, a summary, and a JUnit file. */
#ifndef CONFORMANCE_REPORT_HH
#define CONFORMANCE_REPORT_HH

#include <string>
#include <vector>

namespace conformance {

enum class Verdict { passed, failed, skipped };

struct Result {
	std::string name;
	Verdict verdict;
	std::string reason;
	double seconds;
};

class Report {
public:
	/** Prints the line. */
	void add(Result result);
	bool failed() const { return failed_ > 0; }
	void summarize() const;
	/** Throws std::runtime_error when the file cannot be written. */
	void write_junit(const std::string &path) const;

private:
	std::vector<Result> results_;
	unsigned failed_ = 0;
	unsigned skipped_ = 0;
};

} // namespace conformance

#endif
