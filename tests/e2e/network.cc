// SPDX-License-Identifier: GPL-2.0
// The network of a suite: namespaces, links, addresses, and settings in them.
#include "network.hh"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "error.hh"
#include "harness.hh"
#include "sockets.hh"

namespace e2e {

namespace {

/** Exit status of a command of the shell, with what it printed. */
int run_shell(const std::string &command, std::string &output)
{
	FILE *pipe = popen(("exec 2>&1; " + command).c_str(), "r");
	check(pipe != nullptr, "popen: " + errno_text(errno));
	std::array<char, 4096> buffer;
	std::size_t got;
	while ((got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0)
		output.append(buffer.data(), got);
	int status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::string quoted(const std::string &text)
{
	std::string out = "'";
	for (char letter : text)
		out += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
	return out + "'";
}

/** Does the host answer, by a reset? Afterwards the neighbours know each other, too. */
bool reachable(const Namespace &from, const std::string &ip)
{
	Address address(ip, 9);
	Fd fd = socket_in(from, address.family());
	timeval limit{1, 0};
	sys(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), "SO_SNDTIMEO");
	return connect(fd, address.get(), address.size()) < 0 && errno == ECONNREFUSED;
}

} // namespace

void shell(const std::string &command)
{
	shell_output(command);
}

std::string shell_output(const std::string &command)
{
	std::string output;
	int status = run_shell(command, output);
	if (status != 0)
		fail("`" + command + "` exits with " + std::to_string(status) + ": " + output);
	return output;
}

Namespace::Namespace(std::string name, std::string device, std::string ipv4, std::string ipv6)
	: name_(std::move(name)), device_(std::move(device)), ipv4_(std::move(ipv4)), ipv6_(std::move(ipv6)),
	  fd_(sys(open(("/run/netns/" + name_).c_str(), O_RDONLY | O_CLOEXEC), "open namespace " + name_))
{
}

Namespace::~Namespace()
{
	close(fd_);
}

void Namespace::run(const std::string &command) const
{
	output(command);
}

std::string Namespace::output(const std::string &command) const
{
	return shell_output("ip netns exec " + name_ + " sh -c " + quoted(command));
}

std::string Namespace::path_of(const std::string &key) const
{
	return "/proc/sys/" + (key.find('/') == key.npos ? "net/tcpcrypt/" + key : key);
}

/* /proc/sys/net is that of the thread that opens it. */
std::string Namespace::setting(const std::string &key) const
{
	Inside inside(*this);
	int fd = sys(open(path_of(key).c_str(), O_RDONLY | O_CLOEXEC), "open " + key);
	std::array<char, 4096> buffer;
	std::string text(buffer.data(), sys(read(fd, buffer.data(), buffer.size()), "read " + key));
	close(fd);
	text.erase(text.find_last_not_of('\n') + 1);
	return text;
}

int Namespace::try_set(const std::string &key, const std::string &value) const
{
	Inside inside(*this);
	int fd = sys(open(path_of(key).c_str(), O_WRONLY | O_CLOEXEC), "open " + key);
	int error = write(fd, value.data(), value.size()) < 0 ? errno : 0;
	close(fd);
	return error;
}

void Namespace::set(const std::string &key, const std::string &value)
{
	if (options.plain && path_of(key).starts_with("/proc/sys/net/tcpcrypt/"))
		return;
	saved_.try_emplace(key, setting(key));
	int error = try_set(key, value);
	check(error == 0, "set " + key + " to " + value + ": " + errno_text(error));
}

void Namespace::restore_settings()
{
	for (const auto &[key, value] : saved_)
		try_set(key, value);
	saved_.clear();
}

void Namespace::forget_sessions() const
{
	Inside inside(*this);
	try {
		tcpcrypt::Client().flush_cache();
	} catch (const tcpcrypt::NotLoaded &) {	/* then there are none */
	}
}

std::map<std::string, long> Namespace::counters() const
{
	Inside inside(*this);
	std::map<std::string, long> all;
	tcpcrypt::Counters counters = tcpcrypt::Client().counters();
	for (const auto *group : {&counters.stats, &counters.fallbacks, &counters.aborts})
		for (const tcpcrypt::Counter &counter : *group)
			all[counter.name] = static_cast<long>(counter.value);
	return all;
}

long Namespace::counter(const std::string &name) const
{
	auto all = counters();
	check(all.contains(name), "there is no counter " + name);
	return all[name];
}

std::vector<tcpcrypt::Connection> Namespace::connections() const
{
	Inside inside(*this);
	return tcpcrypt::Client().connections({});
}

void Namespace::enter() const
{
	sys(setns(fd_, CLONE_NEWNET), "enter namespace " + name_);
}

Inside::Inside(const Namespace &there)
	: back_(sys(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "open own namespace"))
{
	there.enter();
}

Inside::~Inside()
{
	sys(setns(back_, CLONE_NEWNET), "leave namespace");
	close(back_);
}

Network::Network(Shape shape)
{
	std::string prefix = "e2e" + std::to_string(getpid());
	std::string client = prefix + "c", server = prefix + "s", middle = prefix + "m";
	std::string batch;
	auto no_detection = [](const std::string &name) {
		/* A tentative address answers nobody. */
		shell("ip netns exec " + name + " sysctl -q net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0");
	};
	auto add = [&](const std::string &line) { batch += line + "\n"; };
	auto inside = [&](const std::string &name, const std::vector<std::string> &lines) {
		std::string all;
		for (const std::string &line : lines)
			all += line + "\n";
		shell("printf '" + all + "' | ip -n " + name + " -batch -");
	};

	for (const std::string &name : {client, server})
		add("netns add " + name);
	if (shape == Shape::path)
		add("netns add " + middle);
	shell("printf '" + batch + "' | ip -batch -");
	for (const std::string &name : {client, server})
		no_detection(name);
	if (shape == Shape::path)
		no_detection(middle);
	batch.clear();
	if (shape == Shape::pair) {
		add("link add wire netns " + client + " type veth peer name wire netns " + server);
	} else {
		add("link add wire netns " + client + " type veth peer name left netns " + middle);
		add("link add wire netns " + server + " type veth peer name right netns " + middle);
	}
	shell("printf '" + batch + "' | ip -batch -");

	std::string net4 = "10.77.", net6 = "fd77:";
	std::string far = shape == Shape::path ? "2" : "1";
	std::string client4 = net4 + "1.1", server4 = net4 + far + ".2";
	std::string client6 = net6 + "1::1", server6 = net6 + far + "::2";
	auto end = [&](const std::string &name, const std::string &ipv4, const std::string &ipv6, const std::string &part) {
		std::vector<std::string> lines{
			"address add " + ipv4 + "/24 dev wire",
			"address add " + ipv6 + "/64 dev wire nodad",
			"link set lo up",
			"link set wire up",
		};
		if (shape == Shape::path) {
			lines.push_back("route add default via " + net4 + part + ".254");
			lines.push_back("route add default via inet6 " + net6 + part + "::254");
		}
		inside(name, lines);
	};
	if (shape == Shape::path)
		inside(middle, {
			"address add " + net4 + "1.254/24 dev left", "address add " + net6 + "1::254/64 dev left nodad",
			"address add " + net4 + "2.254/24 dev right", "address add " + net6 + "2::254/64 dev right nodad",
			"link set lo up", "link set left up", "link set right up",
		});
	end(client, client4, client6, "1");
	end(server, server4, server6, "2");

	client_ = std::make_unique<Namespace>(client, "wire", client4, client6);
	server_ = std::make_unique<Namespace>(server, "wire", server4, server6);
	if (shape == Shape::path) {
		middle_ = std::make_unique<Namespace>(middle, "right", net4 + "2.254", net6 + "2::254");
		for (const char *key : {"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"}) {
			int error = middle_->try_set(key, "1");
			check(error == 0, std::string(key) + ": " + errno_text(error));
		}
	}
	for (const std::string &address : {server4, server6})
		wait_for("a way from client to server", [&] { return reachable(*client_, address); }, seconds(30));
}

Network::~Network()
{
	remove();
}

std::vector<Namespace *> Network::all()
{
	std::vector<Namespace *> list{client_.get(), server_.get()};
	if (middle_)
		list.push_back(middle_.get());
	return list;
}

void Network::remove()
{
	for (auto *space : {&client_, &server_, &middle_}) {
		if (*space) {
			std::string output;
			run_shell("ip netns delete " + (*space)->name(), output);
		}
		space->reset();
	}
}

} // namespace e2e
