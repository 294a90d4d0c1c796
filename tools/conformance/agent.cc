// SPDX-License-Identifier: GPL-2.0
// The application on the device under test: does on sockets what lines on standard input say.
//
// A request is "TAG VERB ARGUMENT...", its answer "TAG ok VALUE..." or "TAG err ERRNO-NAME". Answers may come in
// another order than the requests: every request that can block has a thread of its own. Bytes are hexadecimal, "-"
// for none. The program ends at the end of its input; what is open is then closed as for any process.
//
//	socket FAMILY                      ok ID       FAMILY is 4 or 6
//	bind ID ADDRESS PORT               ok
//	listen ID BACKLOG                  ok
//	accept ID                          ok ID       blocks
//	connect ID ADDRESS PORT            ok          blocks
//	send ID BYTES                      ok COUNT    blocks until all is written
//	fill ID SEED OFFSET COUNT CHUNK    ok COUNT    as send, of the pattern that SEED names
//	recv ID MAX                        ok BYTES    blocks; "-" is end-of-file
//	peek ID MAX                        ok BYTES    the same without consuming
//	drain ID SEED OFFSET COUNT         ok COUNT    blocks; reads and compares with the pattern; fewer at end-of-file
//	shutdown ID rd|wr|rdwr             ok
//	close ID                           ok
//	linger ID SECONDS                  ok
//	getsockopt ID LEVEL OPTION MAX     ok BYTES
//	setsockopt ID LEVEL OPTION BYTES   ok
//	error ID                           ok NAME     SO_ERROR, "0" for none
//	poll ID EVENTS MILLISECONDS        ok EVENTS   blocks; EVENTS and the answer are poll(2)'s bits, decimal
//	atmark ID                          ok 0|1      SIOCATMARK
//	unread ID                          ok COUNT    SIOCINQ
//	reset                              ok          closes all that is open, with RST where that is possible
#include "stack.hh"

#include "bytes.hh"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

namespace conformance {

namespace {

Stack *stack;

/** A failed system call, or EINVAL for a malformed request. */
struct Error {
	int number;
};

using Words = std::vector<std::string>;

std::mutex output;

/** What reset closes. */
std::mutex open_lock;
std::set<int> open_sockets;

int opened(long fd)
{
	std::lock_guard guard(open_lock);
	open_sockets.insert(static_cast<int>(fd));
	return static_cast<int>(fd);
}

void answer(const std::string &tag, const std::string &what)
{
	std::lock_guard guard(output);
	std::cout << tag << ' ' << what << std::endl;
}

long number(const Words &words, std::size_t at)
{
	if (at >= words.size())
		throw Error{EINVAL};
	return std::stol(words[at], nullptr, 0);
}

int descriptor(const Words &words)
{
	return static_cast<int>(number(words, 0));
}

Bytes bytes(const Words &words, std::size_t at)
{
	if (at >= words.size())
		throw Error{EINVAL};
	if (words[at] == "-")
		return {};
	auto value = from_hex(words[at]);
	if (!value)
		throw Error{EINVAL};
	return *value;
}

std::string shown(View value)
{
	return value.empty() ? "-" : to_hex(value);
}

long checked(long result)
{
	if (result < 0)
		throw Error{errno};
	return result;
}

std::pair<sockaddr_storage, socklen_t> address(const Words &words, std::size_t at)
{
	sockaddr_storage storage{};
	std::uint16_t port = htons(static_cast<std::uint16_t>(number(words, at + 1)));
	sockaddr_in v4{};
	v4.sin_family = AF_INET;
	v4.sin_port = port;
	if (inet_pton(AF_INET, words[at].c_str(), &v4.sin_addr) == 1) {
		std::memcpy(&storage, &v4, sizeof(v4));
		return {storage, sizeof(v4)};
	}
	sockaddr_in6 v6{};
	v6.sin6_family = AF_INET6;
	v6.sin6_port = port;
	if (inet_pton(AF_INET6, words[at].c_str(), &v6.sin6_addr) == 1) {
		std::memcpy(&storage, &v6, sizeof(v6));
		return {storage, sizeof(v6)};
	}
	throw Error{EINVAL};
}

std::string cmd_socket(const Words &words)
{
	int family = number(words, 0) == 6 ? AF_INET6 : AF_INET;
	return std::to_string(opened(checked(stack->socket(family))));
}

std::string cmd_bind(const Words &words)
{
	int on = 1;
	checked(stack->setsockopt(descriptor(words), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	auto [storage, length] = address(words, 1);
	checked(stack->bind(descriptor(words), reinterpret_cast<sockaddr *>(&storage), length));
	return "";
}

std::string cmd_listen(const Words &words)
{
	checked(stack->listen(descriptor(words), static_cast<int>(number(words, 1))));
	return "";
}

std::string cmd_accept(const Words &words)
{
	return std::to_string(opened(checked(stack->accept(descriptor(words)))));
}

std::string cmd_connect(const Words &words)
{
	auto [storage, length] = address(words, 1);
	checked(stack->connect(descriptor(words), reinterpret_cast<sockaddr *>(&storage), length));
	return "";
}

void send_all(int to, View data)
{
	for (std::size_t done = 0; done < data.size();)
		done += static_cast<std::size_t>(checked(stack->send(to, data.data() + done, data.size() - done)));
}

std::string cmd_send(const Words &words)
{
	Bytes data = bytes(words, 1);
	send_all(descriptor(words), data);
	return std::to_string(data.size());
}

std::string cmd_fill(const Words &words)
{
	auto seed = static_cast<std::uint64_t>(number(words, 1));
	auto offset = static_cast<std::uint64_t>(number(words, 2));
	auto count = static_cast<std::size_t>(number(words, 3));
	auto chunk = static_cast<std::size_t>(number(words, 4));
	for (std::size_t done = 0; done < count; done += chunk)
		send_all(descriptor(words), pattern(seed, offset + done, std::min(chunk, count - done)));
	return std::to_string(count);
}

std::string receive(const Words &words, int flags)
{
	Bytes data(static_cast<std::size_t>(number(words, 1)));
	long length = checked(stack->recv(descriptor(words), data.data(), data.size(), flags));
	data.resize(static_cast<std::size_t>(length));
	return shown(data);
}

std::string cmd_recv(const Words &words)
{
	return receive(words, 0);
}

std::string cmd_peek(const Words &words)
{
	return receive(words, MSG_PEEK);
}

std::string cmd_drain(const Words &words)
{
	auto seed = static_cast<std::uint64_t>(number(words, 1));
	auto offset = static_cast<std::uint64_t>(number(words, 2));
	auto count = static_cast<std::size_t>(number(words, 3));
	Bytes data(65536);
	std::size_t done = 0;
	while (done < count) {
		long length = checked(stack->recv(descriptor(words), data.data(), std::min(data.size(), count - done), 0));
		if (length == 0)
			break;
		View got = View(data).first(static_cast<std::size_t>(length));
		if (!equal(got, pattern(seed, offset + done, got.size())))
			throw Error{EILSEQ};
		done += got.size();
	}
	return std::to_string(done);
}

std::string cmd_shutdown(const Words &words)
{
	if (words.size() < 2)
		throw Error{EINVAL};
	int how = words[1] == "rd" ? SHUT_RD : words[1] == "wr" ? SHUT_WR : SHUT_RDWR;
	checked(stack->shutdown(descriptor(words), how));
	return "";
}

std::string cmd_close(const Words &words)
{
	{
		std::lock_guard guard(open_lock);
		open_sockets.erase(descriptor(words));
	}
	checked(stack->close(descriptor(words)));
	return "";
}

std::string cmd_linger(const Words &words)
{
	linger value{1, static_cast<int>(number(words, 1))};
	checked(stack->setsockopt(descriptor(words), SOL_SOCKET, SO_LINGER, &value, sizeof(value)));
	return "";
}

std::string cmd_getsockopt(const Words &words)
{
	Bytes value(static_cast<std::size_t>(number(words, 3)));
	socklen_t length = static_cast<socklen_t>(value.size());
	checked(stack->getsockopt(descriptor(words), static_cast<int>(number(words, 1)), static_cast<int>(number(words, 2)),
			   value.data(), &length));
	value.resize(std::min<std::size_t>(length, value.size()));
	return shown(value);
}

std::string cmd_setsockopt(const Words &words)
{
	Bytes value = bytes(words, 3);
	checked(stack->setsockopt(descriptor(words), static_cast<int>(number(words, 1)), static_cast<int>(number(words, 2)),
			   value.data(), static_cast<socklen_t>(value.size())));
	return "";
}

std::string cmd_error(const Words &words)
{
	int value = 0;
	socklen_t length = sizeof(value);
	checked(stack->getsockopt(descriptor(words), SOL_SOCKET, SO_ERROR, &value, &length));
	return value ? strerrorname_np(value) : "0";
}

std::string cmd_poll(const Words &words)
{
	pollfd one{descriptor(words), static_cast<short>(number(words, 1)), 0};
	checked(stack->poll(&one, static_cast<int>(number(words, 2))));
	return std::to_string(one.revents);
}

std::string cmd_atmark(const Words &words)
{
	int value = 0;
	checked(stack->ioctl(descriptor(words), SIOCATMARK, &value));
	return std::to_string(value);
}

std::string cmd_unread(const Words &words)
{
	int value = 0;
	checked(stack->ioctl(descriptor(words), FIONREAD, &value));
	return std::to_string(value);
}

std::string cmd_reset(const Words &)
{
	std::lock_guard guard(open_lock);
	linger value{1, 0};
	for (int fd : open_sockets) {
		stack->setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, sizeof(value));
		stack->close(fd);
	}
	open_sockets.clear();
	return "";
}

struct Command {
	std::string (*run)(const Words &);
	bool blocks;
};

const std::map<std::string, Command> commands = {
	{"socket", {cmd_socket, false}},	 {"bind", {cmd_bind, false}},
	{"listen", {cmd_listen, false}},	 {"accept", {cmd_accept, true}},
	{"connect", {cmd_connect, true}},	 {"send", {cmd_send, true}},
	{"fill", {cmd_fill, true}},		 {"recv", {cmd_recv, true}},
	{"peek", {cmd_peek, true}},		 {"drain", {cmd_drain, true}},
	{"shutdown", {cmd_shutdown, false}},	 {"close", {cmd_close, true}},
	{"linger", {cmd_linger, false}},	 {"getsockopt", {cmd_getsockopt, false}},
	{"setsockopt", {cmd_setsockopt, false}}, {"error", {cmd_error, false}},
	{"poll", {cmd_poll, true}},		 {"atmark", {cmd_atmark, false}},
	{"unread", {cmd_unread, false}},	 {"reset", {cmd_reset, true}},
};

void run(const std::string &tag, const Command &command, const Words &words)
{
	try {
		std::string value = command.run(words);
		answer(tag, value.empty() ? "ok" : "ok " + value);
	} catch (const Error &error) {
		const char *name = strerrorname_np(error.number);
		answer(tag, std::string("err ") + (name ? name : "?"));
	} catch (const std::exception &) {
		answer(tag, "err EINVAL");
	}
}

} // namespace

int serve_agent(Stack &calls)
{
	stack = &calls;
	std::signal(SIGPIPE, SIG_IGN);
	std::string line;
	while (std::getline(std::cin, line)) {
		std::istringstream in(line);
		std::string tag;
		std::string verb;
		Words words;
		in >> tag >> verb;
		for (std::string word; in >> word;)
			words.push_back(word);
		auto found = commands.find(verb);
		if (found == commands.end())
			answer(tag, "err ENOSYS");
		else if (found->second.blocks)
			std::thread(run, tag, std::cref(found->second), words).detach();
		else
			run(tag, found->second, words);
	}
	// Threads may still be blocked in system calls: end without waiting for them.
	_exit(0);
}

} // namespace conformance
