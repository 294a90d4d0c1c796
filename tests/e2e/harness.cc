// SPDX-License-Identifier: GPL-2.0
// Cases of an end-to-end suite: each in a process of its own, with a time limit, and audited by counters.
#include "harness.hh"

#include <fcntl.h>
#include <fnmatch.h>
#include <linux/tcpcrypt.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "control/names.h"
#include "error.hh"
#include "sniffer.hh"
#include "sockets.hh"

namespace e2e {

Options options;

namespace {

/* Where a failure is reported; -1 outside of a case. */
int report_fd = -1;
/* Set in a case, for what it prints when it fails. */
std::function<void()> describe_state;

std::vector<Case> &cases()
{
	static std::vector<Case> all;
	return all;
}

void note(const std::string &text)
{
	std::istringstream lines(text);
	std::string line;
	while (std::getline(lines, line))
		printf("#   %s\n", line.c_str());
	fflush(stdout);
}

/** A command's output as remarks, whatever it is. */
void note_command(const std::string &command)
{
	std::string output;
	FILE *pipe = popen(("exec 2>&1; " + command).c_str(), "r");
	if (!pipe)
		return;
	std::array<char, 4096> buffer;
	std::size_t got;
	while ((got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0)
		output.append(buffer.data(), got);
	pclose(pipe);
	if (!output.empty())
		note("$ " + command + "\n" + output);
}

/* The counters before and after */

constexpr const char *connect_counter = "encrypted-connect";
constexpr const char *accept_counter = "encrypted-accept";

bool is_reason(const std::string &name)
{
	for (int reason = 0; reason < TCPCRYPT_REASON_COUNT; reason++) {
		const char *known = tcpcrypt_reason_name(static_cast<tcpcrypt_reason>(reason));
		if (known && name == known)
			return true;
	}
	return false;
}

std::map<std::string, long> difference(const std::map<std::string, long> &before, std::map<std::string, long> after)
{
	for (const auto &[name, value] : before)
		after[name] -= value;
	return after;
}

/** What is not as expected at one end, in words; empty when all is. */
std::string deviations(const std::string &end, const std::map<std::string, long> &gone_up,
		       const std::string &counter, int connections, const std::map<std::string, int> &reasons)
{
	std::string text;
	auto compare = [&](const std::string &name, long wanted) {
		auto found = gone_up.find(name);
		long got = found == gone_up.end() ? 0 : found->second;
		if (got != wanted)
			text += (text.empty() ? "" : ", ") + name + " of the " + end + " went up by " +
				std::to_string(got) + " instead of " + std::to_string(wanted);
	};
	compare(counter, connections);
	for (const auto &[name, count] : reasons)
		compare(name, count);
	for (const auto &[name, value] : gone_up)
		if (is_reason(name) && !reasons.contains(name) && value != 0)
			compare(name, 0);
	return text;
}

class Audit {
public:
	explicit Audit(Run &run) : run_(run)
	{
		if (!active())
			return;
		client_ = run.client().counters();
		server_ = run.server().counters();
		sniffer_ = std::make_unique<Sniffer>(run.client(), run.client().device(), Sniffer::Store::nothing);
	}

	void finish()
	{
		if (!active())
			return;
		std::string wrong;
		wait_until([&] {
			wrong = compare();
			return wrong.empty();
		}, patience(5));
		check(wrong.empty(), wrong);
		if (run_.expect.wire == Wire::sealed)
			check(!sniffer_->saw_text(), "plaintext on the wire");
		if (run_.expect.wire == Wire::readable)
			check(sniffer_->saw_text(), "no plaintext on the wire");
	}

	/** For a failure: what the counters say. */
	void describe()
	{
		if (!active())
			return;
		for (auto [space, before] : {std::pair{&run_.client(), &client_}, std::pair{&run_.server(), &server_}}) {
			std::string line = space == &run_.client() ? "client:" : "server:";
			for (const auto &[name, value] : difference(*before, space->counters()))
				if (value != 0)
					line += " " + name + " " + std::to_string(value);
			note(line);
		}
	}

private:
	bool active() const { return !options.plain && run_.expect.counted; }

	std::string compare()
	{
		std::string client = deviations("client", difference(client_, run_.client().counters()), connect_counter,
						run_.expect.encrypted, run_.expect.client);
		std::string server = deviations("server", difference(server_, run_.server().counters()), accept_counter,
						run_.expect.encrypted, run_.expect.server);
		return client + (client.empty() || server.empty() ? "" : "; ") + server;
	}

	Run &run_;
	std::map<std::string, long> client_;
	std::map<std::string, long> server_;
	std::unique_ptr<Sniffer> sniffer_;
};

/* One case in its process */

[[noreturn]] void run_case(Network &network, const Case &item, int pipe)
{
	report_fd = pipe;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int signal : {SIGTERM, SIGINT, SIGHUP})
		::signal(signal, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	try {
		Run run(network, item.name, item.expect);
		for (Namespace *space : network.all())
			space->enter();		/* fails early if one is gone */
		if (!options.plain)
			for (Namespace *space : network.all())
				space->forget_sessions();
		run.client().enter();
		Audit audit(run);
		describe_state = [&] { audit.describe(); };
		item.body(run);
		audit.finish();
		for (Namespace *space : network.all())
			space->restore_settings();
	} catch (const std::exception &error) {
		fail(error.what());
	}
	_exit(0);
}

/** Who hangs, and where. */
void describe_hang(Network &network, pid_t group)
{
	std::string where;
	for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
		std::string name = entry.path().filename();
		if (name.find_first_not_of("0123456789") != name.npos || getpgid(std::stoi(name)) != group)
			continue;
		std::error_code gone;
		for (const auto &task : std::filesystem::directory_iterator(entry.path() / "task", gone)) {
			where += "thread " + task.path().filename().string() + "\n";
			for (const char *file : {"syscall", "stack"}) {
				std::ifstream in(task.path() / file);
				std::string line;
				for (int lines = 0; lines < 14 && std::getline(in, line); lines++)
					where += "  " + line + "\n";
			}
		}
	}
	note(where);
	for (Namespace *space : network.all()) {
		note_command("ip netns exec " + space->name() + " ss -tnoiea");
		if (!options.plain)
			note_command("tcpcryptctl -n " + space->name() + " -o conn show");
	}
	note_command("dmesg | tail -n 15");
}

pid_t case_group = 0;

/** The reason of a failure, or nothing. */
std::string supervise(Network &network, const Case &item)
{
	int pipes[2];
	sys(pipe2(pipes, O_CLOEXEC), "pipe");
	fflush(stdout);
	pid_t child = sys(fork(), "fork");
	if (child == 0) {
		close(pipes[0]);
		run_case(network, item, pipes[1]);
	}
	setpgid(child, child);
	case_group = child;
	close(pipes[1]);

	int limit = static_cast<int>(patience(item.limit).count());
	std::string reason;
	Stopwatch watch;
	for (;;) {
		pollfd wanted{pipes[0], POLLIN, 0};
		int left = limit - static_cast<int>(watch.elapsed().count());
		int ready = left > 0 ? poll(&wanted, 1, left) : 0;
		if (ready == 0) {
			reason += (reason.empty() ? "" : "; and then ") + std::string("no end after ") +
				  std::to_string(limit / 1000) + " s";
			describe_hang(network, child);
			break;
		}
		std::array<char, 1024> buffer;
		ssize_t got = read(pipes[0], buffer.data(), buffer.size());
		if (got > 0) {
			/* The first one to fail is right; the others fail because of it. */
			std::string text(buffer.data(), static_cast<std::size_t>(got));
			reason = text.substr(0, text.find('\n'));
			break;
		}
		if (got == 0)
			break;
	}
	close(pipes[0]);
	int status = 0;
	if (!reason.empty()) {
		wait_until([&] { return waitpid(child, &status, WNOHANG) != 0; }, seconds(1));
		kill(-child, SIGKILL);
	}
	bool ended = wait_until([&] { return waitpid(child, &status, WNOHANG) != 0; }, patience(20));
	kill(-child, SIGKILL);
	case_group = 0;
	if (!ended)
		reason += " (and the process cannot be killed)";
	else if (reason.empty() && WIFSIGNALED(status))
		reason = std::string("killed by SIG") + sigabbrev_np(WTERMSIG(status));
	else if (reason.empty() && WEXITSTATUS(status) != 0)
		reason = "exit status " + std::to_string(WEXITSTATUS(status));
	return reason;
}

/** Nothing of ours is left when all programs are gone: what close() kept must end by itself. */
std::string leftovers(Network &network)
{
	std::string left;
	wait_until([&] {
		left.clear();
		for (Namespace *space : {&network.client(), &network.server()}) {
			auto counters = space->counters();
			for (const char *name : {"current", "halfopen"})
				if (counters[name] != 0)
					left += std::string(left.empty() ? "" : ", ") + name + " " +
						std::to_string(counters[name]);
			if (std::size_t listed = space->connections().size(); listed != 0)
				left += (left.empty() ? "" : ", ") + std::to_string(listed) + " connections listed";
		}
		return left.empty();
	}, seconds(100));
	return left;
}

/* The suite */

bool module_is_loaded()
{
	return std::filesystem::exists("/sys/module/tcpcrypt");
}

std::unique_ptr<Network> network;

void interrupted(int signal)
{
	if (case_group > 0)
		kill(-case_group, SIGKILL);
	network.reset();
	_exit(128 + signal);
}

/** Anew, because a case that failed leaves settings, rules and sockets behind. */
void make_network(Shape shape)
{
	network.reset();
	network = std::make_unique<Network>(shape);
	/* What one case learns of a path is nothing for the next. */
	for (Namespace *space : network->all())
		space->try_set("path_lifetime", "0");
	if (options.plain && module_is_loaded())
		for (Namespace *space : network->all())
			space->try_set("enable_connect", "0");
}

void print_verdict(const std::string &name, const std::string &reason)
{
	if (reason.empty())
		printf("ok %s\n", name.c_str());
	else
		printf("not ok %s: %s\n", name.c_str(), reason.c_str());
	fflush(stdout);
}

void read_environment()
{
	auto variable = [](const char *name) {
		const char *value = getenv(name);
		return std::string(value ? value : "");
	};
	std::string kernel = variable("TCPCRYPT_KERNEL");
	options.quick = !variable("TCPCRYPT_TEST_QUICK").empty();
	options.slow = !kernel.empty() && kernel != "uml";
}

[[noreturn]] void usage(const char *program)
{
	fprintf(stderr,
		"usage: %s [--quick] [--plain] [-4 | -6] [-v] [--list] [CASE]...\n"
		"CASE may have wildcards. --plain: the same on plain TCP, the module off.\n", program);
	exit(2);
}

std::vector<std::string> read_arguments(int argc, char **argv, bool &list)
{
	std::vector<std::string> wanted;
	for (int i = 1; i < argc; i++) {
		std::string word = argv[i];
		if (word == "--quick")
			options.quick = true;
		else if (word == "--plain")
			options.plain = true;
		else if (word == "-4" || word == "-6")
			options.family = word[1] - '0';
		else if (word == "-v")
			options.verbose = true;
		else if (word == "--list")
			list = true;
		else if (word[0] == '-')
			usage(argv[0]);
		else
			wanted.push_back(word);
	}
	return wanted;
}

bool chosen(const Case &item, const std::vector<std::string> &wanted)
{
	if (wanted.empty())
		return !options.quick || item.quick;
	for (const std::string &pattern : wanted)
		if (fnmatch(pattern.c_str(), item.name.c_str(), 0) == 0)
			return true;
	return false;
}

} // namespace

void fail(const std::string &reason, Location where)
{
	std::string file = where.file_name();
	std::string text = reason;
	for (char &letter : text)
		if (letter == '\n')
			letter = ' ';
	text += " [" + file.substr(file.find_last_of('/') + 1) + ":" + std::to_string(where.line()) + "]";
	if (report_fd < 0) {
		printf("not ok setup: %s\n", text.c_str());
		fflush(stdout);
		network.reset();
		_exit(1);
	}
	static std::atomic_flag failing;
	if (failing.test_and_set())
		for (;;)
			pause();	/* another thread is at it already */
	text += "\n";
	if (describe_state && gettid() == getpid()) {
		auto describe = std::move(describe_state);
		describe_state = nullptr;
		try {
			describe();
		} catch (const std::exception &) {
		}
	}
	[[maybe_unused]] ssize_t written = write(report_fd, text.data(), text.size());
	_exit(1);
}

std::string errno_text(int error)
{
	const char *name = strerrorname_np(error);
	return name ? name : "errno " + std::to_string(error);
}

void check_errno(long result, int wanted, const std::string &what, Location where)
{
	int error = errno;
	if (result >= 0)
		fail(what + ": returned " + std::to_string(result) + " instead of " + errno_text(wanted), where);
	if (error != wanted)
		fail(what + ": " + errno_text(error) + " instead of " + errno_text(wanted), where);
}

bool wait_until(const std::function<bool()> &condition, milliseconds limit)
{
	Stopwatch watch;
	auto pause = std::chrono::microseconds(200);
	while (!condition()) {
		if (watch.elapsed() >= limit)
			return condition();
		std::this_thread::sleep_for(pause);
		pause = std::min(pause * 2, std::chrono::microseconds(20000));
	}
	return true;
}

void wait_for(const std::string &what, const std::function<bool()> &condition, milliseconds limit, Location where)
{
	if (!wait_until(condition, limit))
		fail("waited in vain: " + what, where);
}

milliseconds patience(double amount)
{
	return milliseconds(static_cast<long>(amount * 1000 * (options.slow ? 3 : 1)));
}

void check_between(milliseconds took, milliseconds least, milliseconds most, const std::string &what, Location where)
{
	if (took < least || took > most)
		fail(what + ": " + std::to_string(took.count()) + " ms, not between " + std::to_string(least.count()) +
		     " and " + std::to_string(most.count()), where);
}

Process::Process(const std::function<void()> &body)
{
	fflush(stdout);
	id_ = sys(fork(), "fork");
	if (id_ == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		describe_state = nullptr;
		body();
		_exit(0);
	}
}

Process::~Process()
{
	if (waited_)
		return;
	kill(id_, SIGKILL);
	waitpid(id_, nullptr, 0);
}

int Process::wait()
{
	int status;
	while (waitpid(id_, &status, 0) < 0)
		check(errno == EINTR, "waitpid: " + errno_text(errno));
	waited_ = true;
	return status;
}

void Process::wait_good(Location where)
{
	int status = wait();
	if (status != 0)
		fail("a process of the case ended with wait status " + std::to_string(status), where);
}

pid_t thread_id()
{
	return gettid();
}

bool asleep(pid_t thread)
{
	std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
	if (!stat)
		stat.open("/proc/" + std::to_string(thread) + "/stat");
	std::string line;
	std::getline(stat, line);
	std::size_t end = line.rfind(')');
	return end != line.npos && end + 2 < line.size() && line[end + 2] == 'S';
}

int Run::family() const
{
	if (options.family)
		return options.family;
	unsigned int sum = 0;
	for (char letter : name)
		sum = sum * 31 + static_cast<unsigned char>(letter);
	return sum % 2 ? 6 : 4;
}

Registration::Registration(const char *name, void (*body)(Run &), Expect expect, int limit, bool quick)
{
	cases().push_back({name, body, std::move(expect), limit, quick});
}

void add_case(Case item)
{
	cases().push_back(std::move(item));
}

int run_suite(int argc, char **argv, Shape shape)
{
	bool list = false;
	read_environment();
	std::vector<std::string> wanted = read_arguments(argc, argv, list);
	if (list) {
		for (const Case &item : cases())
			printf("%s\n", item.name.c_str());
		return 0;
	}
	if (!options.plain && !module_is_loaded()) {
		printf("not ok setup: the module is not loaded\n");
		return 1;
	}
	/* Commands that fail by themselves must not take the suite with them. */
	signal(SIGPIPE, SIG_IGN);
	for (int signal : {SIGTERM, SIGINT, SIGHUP})
		::signal(signal, interrupted);

	make_network(shape);
	int failed = 0;
	for (const Case &item : cases()) {
		if (!chosen(item, wanted))
			continue;
		Stopwatch watch;
		std::string reason = supervise(*network, item);
		print_verdict(item.name, reason);
		if (options.verbose)
			note(std::to_string(watch.elapsed().count()) + " ms");
		if (!reason.empty()) {
			failed++;
			make_network(shape);
		}
	}
	if (!options.plain) {
		std::string reason;
		try {
			reason = leftovers(*network);
		} catch (const std::exception &error) {
			reason = error.what();
		}
		print_verdict("nothing_left", reason);
		failed += !reason.empty();
	}
	network.reset();
	return failed ? 1 : 0;
}

} // namespace e2e
