/* SPDX-License-Identifier: GPL-2.0 */
/* Errors that end a command, and the exit status that each of them gives. */
#ifndef TCPCRYPT_TOOLS_ERROR_HH
#define TCPCRYPT_TOOLS_ERROR_HH

#include <cerrno>
#include <stdexcept>
#include <string>

namespace tcpcrypt {

/** Exit status of the tools; part of their interface. */
enum class Exit {
	done = 0,
	usage = 1,
	refused = 2,
	not_loaded = 3,
	permission = 4,
	check_failed = 5,
};

class Error : public std::runtime_error {
public:
	Error(Exit status, const std::string &what) : std::runtime_error(what), status_(status) {}
	Exit status() const { return status_; }

private:
	Exit status_;
};

class UsageError : public Error {
public:
	explicit UsageError(const std::string &what) : Error(Exit::usage, what) {}
};

class NotLoaded : public Error {
public:
	NotLoaded()
		: Error(Exit::not_loaded, "tcpcrypt is not loaded; as root: modprobe tcpcrypt, or insmod tcpcrypt.ko")
	{
	}
};

/** The kernel said no: with its own words where it had any. */
class KernelError : public Error {
public:
	KernelError(int error, const std::string &what)
		: Error(error == EPERM || error == EACCES ? Exit::permission : Exit::refused, what), error_(error)
	{
	}
	/** A positive errno. */
	int error() const { return error_; }

private:
	int error_;
};

} // namespace tcpcrypt

#endif
