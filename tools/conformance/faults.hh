/* SPDX-License-Identifier: GPL-2.0 */
/* The model device in a directory of its own, and the faults that the cases must find in it. */
#ifndef CONFORMANCE_FAULTS_HH
#define CONFORMANCE_FAULTS_HH

#include <set>
#include <span>
#include <string>

namespace conformance {

/** The directory that shim and model share, with its sysctls at their defaults; removed at the end of the scope. */
class ModelDirectory {
public:
	ModelDirectory();
	~ModelDirectory();
	ModelDirectory(const ModelDirectory &) = delete;
	ModelDirectory &operator=(const ModelDirectory &) = delete;

	const std::string &path() const { return path_; }
	/** The agent's command line. */
	std::string command(const std::string &program, const std::set<std::string> &faults) const;

private:
	std::string path_;
};

/** With this fault in the model, the case of this name must fail. */
struct Fault {
	const char *name;
	const char *found_by;
};

std::span<const Fault> all_faults();

/** What the model would need for the case of this name and does not have; null if it has all. */
const char *model_lacks(const std::string &name);

} // namespace conformance

#endif
