// SPDX-License-Identifier: GPL-2.0
// The device under test's application side: requests to the agent program, and its answers.
#include "device.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <system_error>

namespace conformance {

[[noreturn]] static void fail(const char *what)
{
	throw std::system_error(errno, std::generic_category(), what);
}

Device::Device(Wire &wire, const std::string &command) : wire_(wire)
{
	int down[2];
	int up[2];
	if (pipe2(down, O_CLOEXEC) < 0 || pipe2(up, O_CLOEXEC) < 0)
		fail("pipe");
	process_ = fork();
	if (process_ < 0)
		fail("fork");
	if (process_ == 0) {
		dup2(down[0], STDIN_FILENO);
		dup2(up[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), nullptr);
		_exit(127);
	}
	close(down[0]);
	close(up[1]);
	to_ = down[1];
	from_ = up[0];
	wire_.watch(from_, [this] { readable(); });
}

Device::~Device()
{
	wire_.watch(-1, {});
	close(to_);
	close(from_);
	// The agent may sit in an uninterrupted call of a broken device; its sockets must go all the same.
	kill(process_, SIGKILL);
	waitpid(process_, nullptr, 0);
}

void Device::readable()
{
	char buffer[65536];
	ssize_t length = read(from_, buffer, sizeof(buffer));
	if (length <= 0)
		throw std::runtime_error("the agent ended");
	unread_.append(buffer, static_cast<std::size_t>(length));
	std::size_t end;
	while ((end = unread_.find('\n')) != std::string::npos) {
		std::istringstream line(unread_.substr(0, end));
		unread_.erase(0, end + 1);
		std::string tag;
		std::string status;
		Answer answer;
		line >> tag >> status >> answer.value;
		answer.ok = status == "ok";
		if (wire_.trace)
			fprintf(stderr, "# agent  %s: %s\n", requests_[tag].substr(0, 60).c_str(),
				answer.shown().substr(0, 60).c_str());
		answers_[tag] = answer;
	}
}

std::string Device::start(const std::string &request)
{
	std::string tag = std::to_string(++tags_);
	std::string line = tag + " " + request + "\n";
	requests_[tag] = request;
	for (std::size_t done = 0; done < line.size();) {
		ssize_t length = write(to_, line.data() + done, line.size() - done);
		if (length < 0)
			fail("writing to the agent");
		done += static_cast<std::size_t>(length);
	}
	return tag;
}

Answer Device::finish(const std::string &tag, Millis limit)
{
	wire_.wait([&] { return answered(tag); }, "the agent's answer to \"" + requests_[tag].substr(0, 60) + "\"", limit);
	return answers_[tag];
}

Answer Device::ask(const std::string &request, Millis limit)
{
	return finish(start(request), limit);
}

bool Device::recycle()
{
	// A thread that still blocks in a call would use the next case's sockets.
	if (answers_.size() != requests_.size())
		return false;
	answers_.clear();
	requests_.clear();
	try {
		return ask("reset").ok;
	} catch (const std::exception &) {
		return false;
	}
}

std::string Device::demand(const std::string &request, Millis limit)
{
	Answer answer = ask(request, limit);
	check(answer.ok, "the device's application got " + answer.value + " from \"" + request.substr(0, 60) + "\"");
	return answer.value;
}

int Device::demand_number(const std::string &request, Millis limit)
{
	return std::stoi(demand(request, limit));
}

Bytes Device::demand_bytes(const std::string &request, Millis limit)
{
	std::string value = demand(request, limit);
	if (value == "-")
		return {};
	auto bytes = from_hex(value);
	if (!bytes)
		throw std::runtime_error("the agent's answer is not in hexadecimal: " + value);
	return *bytes;
}

} // namespace conformance
