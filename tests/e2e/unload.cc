// SPDX-License-Identifier: GPL-2.0
// Loading and unloading: refused while encrypted connections live, without a trace otherwise.
#include <fcntl.h>
#include <linux/tcp.h>
#include <linux/tls.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "client.hh"
#include "error.hh"
#include "sockets.hh"

using namespace e2e;

namespace {

/** The file that was, or could have been, given to insmod. */
std::string module_file()
{
	const char *file = getenv("TCPCRYPT_KO");
	const char *top = getenv("TCPCRYPT_TOP");
	return file && *file ? file : std::string(top ? top : ".") + "/tcpcrypt.ko";
}

int try_load()
{
	Fd fd(sys(open(module_file().c_str(), O_RDONLY | O_CLOEXEC), "open " + module_file()));
	return syscall(SYS_finit_module, static_cast<int>(fd), "", 0) < 0 ? errno : 0;
}

int try_unload()
{
	return syscall(SYS_delete_module, "tcpcrypt", O_NONBLOCK) < 0 ? errno : 0;
}

bool is_loaded()
{
	return std::filesystem::exists("/sys/module/tcpcrypt");
}

void load()
{
	int error = try_load();
	check(error == 0, "insmod: " + errno_text(error));
}

/** What is on its way to its end holds it up for a moment. */
void unload(milliseconds limit = seconds(10), Location where = Location::current())
{
	int error = 0;
	bool done = wait_until([&] { return (error = try_unload()) != EWOULDBLOCK; }, limit);
	if (!done || error)
		fail("rmmod: " + errno_text(error), where);
}

void check_refused(const std::string &why, Location where = Location::current())
{
	for (int i = 0; i < 5; i++)
		check_equal(errno_text(try_unload()), errno_text(EWOULDBLOCK), "rmmod " + why, where);
	check(is_loaded(), "the module has gone", where);
}

} // namespace

E2E_CASE(refused_while_encrypted, unaudited(), 30, true)
{
	Pair pair = encrypted_pair(run);
	check_refused("with an encrypted connection");
	check_works(pair.client, pair.server);
	check_session(pair.client, pair.server);
	pair.client.reset();
	check_refused("with one end left");
	check_end(pair.server);
	pair.server.reset();
	unload();
	load();
}

E2E_CASE(refused_during_exchange, unaudited(), 40)
{
	Listener listener = listen_here(run);
	hold_exchange(run);
	Fd client = connect_here(run, listener);
	Fd server = accept_from(listener.fd);
	check_refused("during the exchange");
	let_exchange_go(run);
	check_session(client, server);
	client.reset();
	server.reset();
	unload();
	load();
}

/* Secrets that are kept for later hold nothing, and nothing of them is left. */
E2E_CASE(full_cache, unaudited(), 40, true)
{
	for (Namespace *space : {&run.client(), &run.server()})
		space->set("resume_cache", "5");
	{
		/* All at a time, or each would resume the one before. */
		Listener listener = listen_here(run);
		std::vector<Pair> pairs = pairs_at_once(run, listener, 8);
		for (Namespace *space : {&run.client(), &run.server()})
			check_equal(space->counter("resume-cached"), 5, "secrets in the cache");
	}
	unload();
	load();
	for (Namespace *space : {&run.client(), &run.server()})
		check_equal(space->counter("resume-cached"), 0, "secrets in the cache of a module that was just loaded");
}

/* A SYN that offers, and nobody answers. */
E2E_CASE(refused_while_connecting, unaudited(), 30)
{
	Address nobody = run.family() == 6 ? Address("fd77:1::99", 9) : Address("10.77.1.99", 9);
	Fd client = connect_from(run.client(), nobody, [](int fd) { set_blocking(fd, false); });
	check_refused("while connecting");
	client.reset();
	unload();
	load();
}

/* What was closed, but not at both ends: nothing lives for longer than TCP's own states do. */
E2E_CASE(half_closed_ends, unaudited(), 40)
{
	Pair pair = encrypted_pair(run);
	write_all(pair.client, text(1000));
	pair.client.reset();
	check_text(read_to_end(pair.server), 1000);
	check_refused("with an end that is open");
	pair.server.reset();
	unload();
	load();
}

/* Listeners, idle sockets and plain connections do not hold it. */
E2E_CASE(plain_holds_nothing, unaudited(), 30)
{
	Listener listener = listen_here(run);
	Fd idle = socket_in(run.client(), AF_INET);
	run.server().set("enable_listen", "0");
	Fd client = connect_here(run, listener);
	Fd server = accept_from(listener.fd);
	check_works(client, server);
	check_plain(client);
	unload();
	check_works(client, server);
	check_plain(client);
	check_plain(server);
	load();
	check_works(client, server);
	client.reset();
	check_end(server);
	Fd second = connect_here(run, listener);
	Fd child = accept_from(listener.fd);
	check_works(second, child);
	check_session(second, child);
}

/*
 * Who waited in our functions when the connection became plain goes on waiting in TCP's. The module is refused to be
 * unloaded, or it is gone at once: it is not half gone until he returns.
 */
E2E_CASE(sleeper_of_plain, unaudited(), 60, true)
{
	run.server().set("enable_listen", "0");
	run.server().run("tc qdisc replace dev wire root netem delay 200ms");
	Listener listener = listen_here(run);
	int pipes[2];
	sys(pipe2(pipes, O_CLOEXEC), "pipe");
	Fd out(pipes[0]), in(pipes[1]);
	for (int i = 0; i < 8; i++) {
		Fd client = connect_from(run.client(), listener.address, [](int fd) { set_blocking(fd, false); });
		set_blocking(client, true);
		std::atomic<pid_t> id = 0;
		Thread reader([&] {
			id = thread_id();
			if (i % 2) {
				check_text(read_exactly(client, 100), 100);
				return;
			}
			check_equal(sys(splice(client, nullptr, in, nullptr, 100, 0), "splice"), 100, "spliced");
			std::string got(100, '\0');
			check_equal(read(out, got.data(), got.size()), 100, "read of the pipe");
			check_text(got, 100);
		});
		wait_for("a thread that sleeps", [&] { return id && asleep(id); });
		Stopwatch watch;
		int error;
		do {		/* no pause: as soon as it can be */
			error = try_unload();
		} while (error == EWOULDBLOCK && watch.elapsed() < seconds(1));
		check(!error || error == EWOULDBLOCK, "rmmod: " + errno_text(error));
		wait_for("the reader sleeps on", [&] { return asleep(id); });
		Fd server = accept_from(listener.fd);
		write_all(server, text(100));
		reader.join();
		check_works(client, server);
		check_plain(client);
		if (error)
			unload();
		load();
		run.server().set("enable_listen", "0");
	}
	run.server().run("tc qdisc delete dev wire root");
}

E2E_CASE(leaves_no_trace, unaudited(), 30, true)
{
	{
		Pair pair = encrypted_pair(run);
		check_works(pair.client, pair.server);
	}
	unload();
	check(!is_loaded(), "/sys/module/tcpcrypt is there");
	for (const Namespace *space : {&run.client(), &run.server()}) {
		Inside inside(*space);
		check(!std::filesystem::exists("/proc/sys/net/tcpcrypt"), "/proc/sys/net/tcpcrypt is there");
		bool known = true;
		try {
			tcpcrypt::Client client;
		} catch (const tcpcrypt::NotLoaded &) {
			known = false;
		}
		check(!known, "the netlink family is there");
	}
	Pair pair = connect_pair(run);
	check_works(pair.client, pair.server);
	check_plain(pair.client);
	sys(setsockopt(pair.client, IPPROTO_TCP, TCP_ULP, "tls", 3), "TCP_ULP tls");
	load();
	check_works(pair.client, pair.server);
	check_equal(run.client().counter("encrypted-connect"), 0, "counters of a module that was just loaded");
}

/* What was spliced into a pipe can be read when nothing of the module is left. */
E2E_CASE(pipe_outlives, unaudited(), 30, true)
{
	constexpr std::size_t size = 5000;
	int ends[2];
	sys(pipe2(ends, O_CLOEXEC), "pipe");
	Fd out(ends[0]), in(ends[1]);
	{
		Pair pair = encrypted_pair(run);
		write_all(pair.client, text(size));
		std::size_t done = 0;
		while (done < size)
			done += static_cast<std::size_t>(sys(splice(pair.server, nullptr, in, nullptr, size - done, 0), "splice"));
	}
	unload();
	std::string got(size, '\0');
	check_equal(read(out, got.data(), size), static_cast<ssize_t>(size), "read of the pipe");
	check_text(got, size);
	load();
}

E2E_CASE(loaded_twice, unaudited(), 20)
{
	check_equal(errno_text(try_load()), errno_text(EEXIST), "insmod again");
}

/* Connections that exist at insmod are left alone, in whatever state. */
E2E_CASE(existing_connections, unaudited(), 40, true)
{
	unload();
	Pair pair = connect_pair(run);
	Fd waiting = connect_here(run, pair.listener);	/* not accepted yet */
	Address nobody = run.family() == 6 ? Address("fd77:1::99", 9) : Address("10.77.1.99", 9);
	Fd connecting = connect_from(run.client(), nobody, [](int fd) { set_blocking(fd, false); });
	pid_t id = 0;
	Thread reader([&] {
		__atomic_store_n(&id, thread_id(), __ATOMIC_RELEASE);
		check_text(read_exactly(pair.server, 1000), 1000);
	});
	wait_for("a thread in recv()", [&] { return __atomic_load_n(&id, __ATOMIC_ACQUIRE) && asleep(id); });
	load();
	write_all(pair.client, text(1000));
	reader.join();
	Fd server = accept_from(pair.listener.fd);
	check_works(pair.client, pair.server);
	check_works(waiting, server);
	for (int fd : {static_cast<int>(pair.client), static_cast<int>(pair.server), static_cast<int>(waiting), static_cast<int>(server)})
		check_plain(fd);
	check(run.client().connections().empty() && run.server().connections().empty(), "a connection is listed");
	/* Those that come after, by the same listener and by a socket that was there, are encrypted. */
	Fd client = connect_here(run, pair.listener);
	Fd child = accept_from(pair.listener.fd);
	check_works(client, child);
	check_session(client, child);
	connecting.reset();
}

/* Half-open at insmod: its SYN went without the option. */
E2E_CASE(existing_half_open, unaudited(), 40)
{
	unload();
	Listener listener = listen_here(run);
	let_client_hear_nothing(run);
	Fd client = connect_from(run.client(), listener.address, [](int fd) { set_blocking(fd, false); });
	load();
	let_client_hear(run);
	check_equal(poll_now(client, POLLOUT, 15000) & (POLLOUT | POLLERR), POLLOUT, "events");
	set_blocking(client, true);
	Fd server = accept_from(listener.fd);
	check_works(client, server);
	check_plain(client);
	check_plain(server);
}

/* TIME_WAIT sockets of encrypted connections outlive the module, and still do their work. */
E2E_CASE(time_wait, unaudited(), 40)
{
	Listener listener = listen_here(run);
	Address from = client_address(run, 6001);
	auto connect_again = [&] {
		return connect_here(run, listener, [&](int fd) {
			set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
			sys(bind(fd, from.get(), from.size()), "bind");
		});
	};
	Fd client = connect_again();
	Fd server = accept_from(listener.fd);
	check_works(client, server);
	check_session(client, server);
	server.reset();		/* TIME_WAIT at the server */
	check_end(client);
	client.reset();
	unload();
	client = connect_again();
	server = accept_from(listener.fd);
	check_works(client, server);
	check_plain(client);
	load();
}

/* Loaded and unloaded while programs connect: each connection is encrypted or plain, and none has an error. */
E2E_CASE(under_traffic, unaudited(), 120, true)
{
	std::atomic<bool> stop = false, nobody_left = false;
	std::atomic<long> plain_ones = 0, encrypted_ones = 0, unloads = 0, refusals = 0;
	Listener listener = listen_here(run, {}, 256);
	Thread server([&] {
		set_blocking(listener.fd, false);
		while (!nobody_left) {
			poll_now(listener.fd, POLLIN, 50);
			int child = accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
			if (child < 0)
				continue;
			Fd fd(child);
			write_all(fd, read_to_end(fd));
		}
	});
	std::vector<Thread> clients;
	for (int i = 0; i < 2; i++)
		clients.emplace_back([&, i] {
			for (int n = 0; !stop; n++) {
				Fd client = connect_here(run, listener);
				std::string id(64, '\0');
				socklen_t size = static_cast<socklen_t>(id.size());
				write_all(client, text(2000, 0, n + i));
				sys(shutdown(client, SHUT_WR), "shutdown");
				check_text(read_to_end(client), 2000, 0, n + i);
				bool is_encrypted = getsockopt(client, 0x454e, 2, id.data(), &size) == 0;
				(is_encrypted ? encrypted_ones : plain_ones)++;
			}
		});
	auto some_of = [&](std::atomic<long> &kind) {
		long before = kind;
		wait_for("connections", [&] { return kind > before; }, patience(20));
	};
	int rounds = options.quick ? 3 : 10;
	for (int i = 0; i < rounds; i++) {
		if (!is_loaded())
			load();
		some_of(encrypted_ones);
		wait_for("rmmod", [&] {
			int error = try_unload();
			check(error == 0 || error == EWOULDBLOCK, "rmmod: " + errno_text(error));
			(error ? refusals : unloads)++;
			return error == 0;
		}, patience(20));
		some_of(plain_ones);
	}
	stop = true;
	clients.clear();
	nobody_left = true;
	server.join();
	load();
}

/* By itself, as often as can be. */
E2E_CASE(again_and_again, unaudited(), 60)
{
	for (int i = 0; i < (options.quick ? 3 : 15); i++) {
		unload();
		load();
	}
	Pair pair = encrypted_pair(run);
	check_works(pair.client, pair.server);
}

/* A namespace goes while its connections are open, and the module afterwards. */
E2E_CASE(namespace_goes, unaudited(), 40)
{
	shell("ip netns add e2egone; ip -n e2egone link set lo up; ip netns exec e2egone sysctl -q net.tcpcrypt.loopback=1");
	auto gone = std::make_unique<Namespace>("e2egone", "lo", "127.0.0.1", "::1");
	Listener listener = listen_at(*gone, Address("127.0.0.1", 0));
	Fd client = connect_from(*gone, listener.address);
	Fd server = accept_from(listener.fd);
	check_works(client, server);
	check_session(client, server);
	Fd unaccepted = connect_from(*gone, listener.address);
	write_all(unaccepted, text(100));
	gone.reset();
	shell("ip netns delete e2egone");
	/* Its sockets keep it. */
	check_works(client, server);
	listener.fd.reset();
	client.reset();
	server.reset();
	unaccepted.reset();
	unload();
	load();
}

int main(int argc, char **argv)
{
	int status = run_suite(argc, argv, Shape::pair);
	if (!is_loaded() && try_load() != 0)
		printf("not ok loaded_again\n");
	return status;
}
