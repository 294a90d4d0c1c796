// SPDX-License-Identifier: GPL-2.0
// Results: one line for each case, a summary, and a JUnit file.
#include "report.hh"

#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace conformance {

void Report::add(Result result)
{
	switch (result.verdict) {
	case Verdict::passed:
		std::printf("ok %s\n", result.name.c_str());
		break;
	case Verdict::failed:
		std::printf("not ok %s: %s\n", result.name.c_str(), result.reason.c_str());
		failed_++;
		break;
	case Verdict::skipped:
		std::printf("skip %s: %s\n", result.name.c_str(), result.reason.c_str());
		skipped_++;
		break;
	}
	std::fflush(stdout);
	results_.push_back(std::move(result));
}

void Report::summarize() const
{
	std::printf("%zu passed, %u failed", results_.size() - failed_ - skipped_, failed_);
	if (skipped_)
		std::printf(", %u skipped", skipped_);
	std::printf("\n");
}

static std::string escaped(const std::string &raw)
{
	std::string out;
	for (char c : raw) {
		switch (c) {
		case '&':
			out += "&amp;";
			break;
		case '<':
			out += "&lt;";
			break;
		case '>':
			out += "&gt;";
			break;
		case '"':
			out += "&quot;";
			break;
		default:
			out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
		}
	}
	return out;
}

void Report::write_junit(const std::string &path) const
{
	std::ofstream file(path);
	file << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
	file << "<testsuite name=\"conformance\" tests=\"" << results_.size() << "\" failures=\"" << failed_
	     << "\" skipped=\"" << skipped_ << "\">\n";
	for (const Result &result : results_) {
		file << "  <testcase classname=\"conformance\" name=\"" << escaped(result.name) << "\" time=\""
		     << result.seconds << "\"";
		if (result.verdict == Verdict::passed) {
			file << "/>\n";
			continue;
		}
		const char *element = result.verdict == Verdict::failed ? "failure" : "skipped";
		file << "><" << element << " message=\"" << escaped(result.reason) << "\"/></testcase>\n";
	}
	file << "</testsuite>\n";
	file.close();
	if (!file)
		throw std::runtime_error("cannot write " + path);
}

} // namespace conformance
