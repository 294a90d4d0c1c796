/* SPDX-License-Identifier: GPL-2.0 */
/* The socket calls that the agent makes, so that a model of a device can answer them instead of the kernel. */
#ifndef CONFORMANCE_STACK_HH
#define CONFORMANCE_STACK_HH

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>

namespace conformance {

/** As the system calls of these names: -1 and errno. Calls come from many threads. */
class Stack {
public:
	virtual ~Stack() = default;
	virtual int socket(int family);
	virtual int bind(int fd, const sockaddr *address, socklen_t length);
	virtual int listen(int fd, int backlog);
	virtual int accept(int fd);
	virtual int connect(int fd, const sockaddr *address, socklen_t length);
	virtual ssize_t send(int fd, const void *data, std::size_t length);
	virtual ssize_t recv(int fd, void *data, std::size_t length, int flags);
	virtual int shutdown(int fd, int how);
	virtual int close(int fd);
	virtual int getsockopt(int fd, int level, int option, void *value, socklen_t *length);
	virtual int setsockopt(int fd, int level, int option, const void *value, socklen_t length);
	virtual int poll(pollfd *one, int milliseconds);
	virtual int ioctl(int fd, unsigned long request, int *value);
};

/** Reads requests from standard input and answers them, until its end. */
int serve_agent(Stack &stack);

} // namespace conformance

#endif
