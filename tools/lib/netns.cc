// SPDX-License-Identifier: GPL-2.0
// Going to another network namespace, as ip(8) does with -n.
#include "netns.hh"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstring>

#include "error.hh"

namespace tcpcrypt {

void enter_netns(const std::string &name)
{
	std::string path = name.find('/') == name.npos ? "/run/netns/" + name : name;
	int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		int error = errno;
		std::string what = "cannot open network namespace '" + name + "': " + std::strerror(error);
		if (error == ENOENT)
			throw UsageError(what + "; `ip netns list` shows the names that there are");
		throw KernelError(error, what);
	}
	int status = setns(fd, CLONE_NEWNET);
	int error = errno;
	close(fd);
	if (status == 0)
		return;
	std::string what = "cannot enter network namespace '" + name + "': " + std::strerror(error);
	if (error == EPERM)
		what += "; this needs CAP_SYS_ADMIN: run it as root";
	throw KernelError(error, what);
}

} // namespace tcpcrypt
