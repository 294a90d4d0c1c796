/* SPDX-License-Identifier: GPL-2.0 */
/* The device under test's application side: requests to the agent program, and its answers. */
#ifndef CONFORMANCE_DEVICE_HH
#define CONFORMANCE_DEVICE_HH

#include "wire.hh"

#include <map>
#include <sys/types.h>

namespace conformance {

struct Answer {
	bool ok = false;
	/** Of an ok: the value, if any. Of an error: errno's name. */
	std::string value;
	std::string shown() const { return (ok ? "ok " : "") + value; }
};

/** One agent process, for as many cases as leave it in order. */
class Device {
public:
	/** @command: run by the shell, reads requests and writes answers. */
	Device(Wire &wire, const std::string &command);
	~Device();
	Device(const Device &) = delete;
	Device &operator=(const Device &) = delete;

	/** Sends a request; the tag names its answer. */
	std::string start(const std::string &request);
	bool answered(const std::string &tag) const { return answers_.contains(tag); }
	/** Waits for the answer while the wire runs. */
	Answer finish(const std::string &tag, Millis limit = patience);
	/** start() and finish(). */
	Answer ask(const std::string &request, Millis limit = patience);
	/** Closes all that the case left open; false: this process is of no use any more. */
	bool recycle();
	/** The value; an error fails the case. */
	std::string demand(const std::string &request, Millis limit = patience);
	int demand_number(const std::string &request, Millis limit = patience);
	Bytes demand_bytes(const std::string &request, Millis limit = patience);

private:
	void readable();

	Wire &wire_;
	pid_t process_ = -1;
	int to_ = -1;
	int from_ = -1;
	unsigned tags_ = 0;
	std::string unread_;
	std::map<std::string, Answer> answers_;
	std::map<std::string, std::string> requests_;
};

} // namespace conformance

#endif
