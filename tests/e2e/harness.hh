/* SPDX-License-Identifier: GPL-2.0 */
/* Cases of an end-to-end suite: each in a process of its own, with a time limit, and audited by counters. */
#ifndef TCPCRYPT_E2E_HARNESS_HH
#define TCPCRYPT_E2E_HARNESS_HH

#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <source_location>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "network.hh"

namespace e2e {

using Location = std::source_location;

/* What is known of a run */

/** From the environment and the command line; the same in all processes of a suite. */
struct Options {
	bool quick = false;	/* TCPCRYPT_TEST_QUICK */
	bool plain = false;	/* --plain: the same calls on plain TCP, to show that the expectations are TCP's */
	bool slow = false;	/* an emulated or instrumented machine: limits are longer, amounts smaller */
	int family = 0;		/* 4, 6, or 0 for either, by the name of the case */
	bool verbose = false;
};
extern Options options;

/* Failing: from any thread or process of a case, at once, without unwinding */

[[noreturn]] void fail(const std::string &reason, Location where = Location::current());

inline void check(bool held, const std::string &what, Location where = Location::current())
{
	if (!held)
		fail(what, where);
}

template <typename Value> std::string shown(const Value &value)
{
	std::ostringstream text;
	text << value;
	return text.str();
}

template <typename Got, typename Wanted>
void check_equal(const Got &got, const Wanted &wanted, const std::string &what, Location where = Location::current())
{
	if (!(got == static_cast<Got>(wanted)))
		fail(what + ": " + shown(got) + " instead of " + shown(wanted), where);
}

std::string errno_text(int error);

/** The result of a system call that must succeed. */
template <typename Result> Result sys(Result result, const std::string &what, Location where = Location::current())
{
	if (result < 0)
		fail(what + ": " + errno_text(errno), where);
	return result;
}

/** A system call that must fail with just this errno. */
void check_errno(long result, int wanted, const std::string &what, Location where = Location::current());

/* Time */

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

/** Until @p condition holds, at most this long; false when it never did. */
bool wait_until(const std::function<bool()> &condition, milliseconds limit = seconds(10));
void wait_for(const std::string &what, const std::function<bool()> &condition, milliseconds limit = seconds(10),
	      Location where = Location::current());

/** A second on a fast machine, more on a slow one. */
milliseconds patience(double seconds = 1);

class Stopwatch {
public:
	milliseconds elapsed() const { return std::chrono::duration_cast<milliseconds>(Clock::now() - start_); }

private:
	Clock::time_point start_ = Clock::now();
};

void check_between(milliseconds took, milliseconds least, milliseconds most, const std::string &what,
		   Location where = Location::current());

/* Others who act at the same time */

/** A thread that is waited for at the end of its scope. */
using Thread = std::jthread;

/** A process of the case; must exit with 0 unless waited for otherwise. */
class Process {
public:
	explicit Process(const std::function<void()> &body);
	~Process();
	Process(const Process &) = delete;
	Process &operator=(const Process &) = delete;

	pid_t id() const { return id_; }
	/** Wait status, as of waitpid(). */
	int wait();
	void wait_good(Location where = Location::current());

private:
	pid_t id_;
	bool waited_ = false;
};

/** Is a thread of this process asleep, as one that is blocked in a system call is? */
bool asleep(pid_t thread);
pid_t thread_id();

/* Cases */

enum class Wire {
	sealed,		/* no text of ours was seen between the namespaces */
	readable,	/* some was */
	any,
};

/** What the counters of both ends, and the wire, must say when a case is over. */
struct Expect {
	int encrypted = 0;
	std::map<std::string, int> client;	/* reasons and how often each, exactly */
	std::map<std::string, int> server;
	Wire wire = Wire::sealed;
	bool counted = true;	/* false: the case looks after the counters by itself */
};

inline Expect encrypted(int connections = 1)
{
	return {.encrypted = connections, .client = {}, .server = {}};
}
inline Expect plain(const std::string &client, const std::string &server, int connections = 1)
{
	Expect expect{.client = {}, .server = {}, .wire = Wire::readable};
	if (!client.empty())
		expect.client[client] = connections;
	if (!server.empty())
		expect.server[server] = connections;
	return expect;
}
/** No connection at all, and so nothing on the wire. */
inline Expect nothing() { return {.client = {}, .server = {}}; }
inline Expect unaudited() { return {.client = {}, .server = {}, .wire = Wire::any, .counted = false}; }

class Run {
public:
	Run(Network &network, std::string name, Expect wanted) : net(network), name(std::move(name)), expect(std::move(wanted)) {}

	Network &net;
	std::string name;
	Expect expect;	/* the case may change it while it runs */

	Namespace &client() { return net.client(); }
	Namespace &server() { return net.server(); }
	/** 4 or 6 */
	int family() const;
};

using Body = std::function<void(Run &)>;

struct Case {
	std::string name;
	Body body;
	Expect expect;
	int limit;	/* seconds on a fast machine */
	bool quick;	/* part of the shorter form */
};

struct Registration {
	Registration(const char *name, void (*body)(Run &), Expect expect, int limit = 20, bool quick = false);
};

/** For cases made from a table. */
void add_case(Case item);

#define E2E_CASE(name, ...)                                                                 \
	static void case_##name(::e2e::Run &run);                                            \
	static const ::e2e::Registration registration_##name(#name, case_##name, __VA_ARGS__); \
	static void case_##name([[maybe_unused]] ::e2e::Run &run)

/** The whole suite: options, network, cases, verdict. */
int run_suite(int argc, char **argv, Shape shape);

} // namespace e2e

#endif
