// SPDX-License-Identifier: GPL-2.0
// Descriptors, commands, and the other end of a measurement: a child process in the server's namespace.
#include "process.hh"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <system_error>

extern char **environ;

namespace bench {

long check(long result, const char *what)
{
	if (result < 0)
		throw std::system_error(errno, std::generic_category(), what);
	return result;
}

void Descriptor::reset()
{
	if (fd_ >= 0)
		close(fd_);
	fd_ = -1;
}

void run_command(const std::vector<std::string> &words, bool may_fail)
{
	std::vector<char *> argv;
	std::string text;
	for (const std::string &word : words) {
		argv.push_back(const_cast<char *>(word.c_str()));
		text += (text.empty() ? "" : " ") + word;
	}
	argv.push_back(nullptr);
	pid_t pid;
	int status = posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ);
	if (status)
		throw std::system_error(status, std::generic_category(), text);
	check(waitpid(pid, &status, 0), "waitpid");
	if (status && !may_fail)
		throw std::runtime_error("'" + text + "' failed");
}

/* Message on the pipe: 'v' and the number, or 'e' and the text up to the end. */
void Peer::Channel::send(double value)
{
	char message[1 + sizeof(value)] = {'v'};
	std::memcpy(message + 1, &value, sizeof(value));
	check(write(fd_, message, sizeof(message)), "write to the parent");
}

static int run_child(int fd, const std::function<void(Peer::Channel &)> &body)
{
	std::string text = "e";
	try {
		Peer::Channel channel(fd);
		body(channel);
		return 0;
	} catch (const std::exception &error) {
		text += error.what();
	}
	return write(fd, text.data(), text.size()) < 0 ? 2 : 1;
}

Peer::Peer(const std::function<void(Channel &)> &body)
{
	int ends[2];
	check(pipe2(ends, O_CLOEXEC), "pipe");
	pipe_ = Descriptor(ends[0]);
	Descriptor writer(ends[1]);
	pid_ = static_cast<pid_t>(check(fork(), "fork"));
	if (pid_)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(run_child(writer.get(), body));
}

Peer::~Peer()
{
	if (pid_ <= 0)
		return;
	kill(pid_, SIGKILL);
	waitpid(pid_, nullptr, 0);
}

double Peer::receive()
{
	char message[512];
	ssize_t length = check(read(pipe_.get(), message, 1 + sizeof(double)), "read from the server");
	double value = 0;
	if (length == 1 + sizeof(double) && message[0] == 'v') {
		std::memcpy(&value, message + 1, sizeof(value));
		return value;
	}
	if (length > 0 && message[0] == 'e') {
		ssize_t more = read(pipe_.get(), message + length, sizeof(message) - length);
		length += more > 0 ? more : 0;
		throw std::runtime_error("server: " + std::string(message + 1, length - 1));
	}
	throw std::runtime_error("the server died");
}

void Peer::blame()
{
	pollfd waiting = {pipe_.get(), POLLIN, 0};
	if (poll(&waiting, 1, 1000) > 0)
		receive();
}

void Peer::join()
{
	int status;
	check(waitpid(pid_, &status, 0), "waitpid");
	pid_ = -1;
	if (status)
		throw std::runtime_error("the server failed");
}

} // namespace bench
