// SPDX-License-Identifier: GPL-2.0
// The socket calls that the agent makes, so that a model of a device can answer them instead of the kernel.
#include "stack.hh"

#include <sys/ioctl.h>
#include <unistd.h>

namespace conformance {

int Stack::socket(int family)
{
	return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int Stack::bind(int fd, const sockaddr *address, socklen_t length)
{
	return ::bind(fd, address, length);
}

int Stack::listen(int fd, int backlog)
{
	return ::listen(fd, backlog);
}

int Stack::accept(int fd)
{
	return ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
}

int Stack::connect(int fd, const sockaddr *address, socklen_t length)
{
	return ::connect(fd, address, length);
}

ssize_t Stack::send(int fd, const void *data, std::size_t length)
{
	return ::send(fd, data, length, MSG_NOSIGNAL);
}

ssize_t Stack::recv(int fd, void *data, std::size_t length, int flags)
{
	return ::recv(fd, data, length, flags);
}

int Stack::shutdown(int fd, int how)
{
	return ::shutdown(fd, how);
}

int Stack::close(int fd)
{
	return ::close(fd);
}

int Stack::getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
	return ::getsockopt(fd, level, option, value, length);
}

int Stack::setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	return ::setsockopt(fd, level, option, value, length);
}

int Stack::poll(pollfd *one, int milliseconds)
{
	return ::poll(one, 1, milliseconds);
}

int Stack::ioctl(int fd, unsigned long request, int *value)
{
	return ::ioctl(fd, request, value);
}

} // namespace conformance
