// SPDX-License-Identifier: GPL-2.0
// Many connections: at once, one after the other, and looked at meanwhile.
#include <fcntl.h>
#include <linux/tcpcrypt.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <set>
#include <unordered_map>

#include "sockets.hh"

using namespace e2e;

namespace {

constexpr std::size_t id_size = TCPCRYPT_SESSID_SIZE;

/** A request says in its first eight bytes who asks: number of the connection, in decimal. */
std::string request_of(int number)
{
	std::array<char, 9> head;
	snprintf(head.data(), head.size(), "%08d", number);
	return head.data() + text(static_cast<std::size_t>(number * 37 % 3000), 0, number);
}

/** The answer: the session ID as the server knows it, and text. */
std::string answer_text(int number)
{
	return text(static_cast<std::size_t>(number * 101 % 9000) + 1, 0, -number);
}

std::string session_id(int fd)
{
	if (options.plain)
		return std::string(id_size, '-');
	std::string id(id_size, '\0');
	socklen_t size = id_size;
	sys(getsockopt(fd, SOL_TCP_ENO, TCP_ENO_SESSID, id.data(), &size), "TCP_ENO_SESSID");
	return id;
}

/** One end of a connection in an event loop. */
struct End {
	Fd fd;
	int number = -1;
	std::string out;	/* to be written */
	std::size_t written = 0;
	std::string in;
	bool ended = false;	/* the peer's end of file */
};

/** Sockets by descriptor, edge-triggered. */
class Loop {
public:
	Loop() : epoll_(sys(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

	void add(int fd, std::uint32_t events)
	{
		epoll_event event{events, {.fd = fd}};
		sys(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
	}

	End &add(Fd fd, int number)
	{
		int key = fd;
		add(key, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
		End &end = ends_[key];
		end = {};
		end.fd = std::move(fd);
		end.number = number;
		return end;
	}

	End *find(int fd)
	{
		auto found = ends_.find(fd);
		return found == ends_.end() ? nullptr : &found->second;
	}

	void remove(End &end) { ends_.erase(end.fd); }
	std::size_t size() const { return ends_.size(); }

	void wait(const std::function<void(int)> &ready, int limit_ms)
	{
		std::array<epoll_event, 64> events;
		int count = sys(epoll_wait(epoll_, events.data(), events.size(), limit_ms), "epoll_wait");
		for (int i = 0; i < count; i++)
			ready(events[static_cast<std::size_t>(i)].data.fd);
	}

private:
	Fd epoll_;
	std::unordered_map<int, End> ends_;
};

/** As far as it goes now. */
void move(End &end)
{
	while (end.written < end.out.size()) {
		ssize_t wrote = send(end.fd, end.out.data() + end.written, end.out.size() - end.written, MSG_NOSIGNAL);
		if (wrote < 0 && errno == EAGAIN)
			break;
		end.written += static_cast<std::size_t>(sys(wrote, "send of number " + std::to_string(end.number)));
	}
	std::array<char, 16384> buffer;
	while (!end.ended) {
		ssize_t got = recv(end.fd, buffer.data(), buffer.size(), 0);
		if (got < 0 && errno == EAGAIN)
			break;
		sys(got, "recv of number " + std::to_string(end.number));
		end.ended = got == 0;
		end.in.append(buffer.data(), static_cast<std::size_t>(got));
	}
}

/** Answers each request when its end has come, until told to stop and nothing is left. */
void serve(int listener, std::atomic<bool> &stop)
{
	Loop loop;
	set_blocking(listener, false);
	loop.add(listener, EPOLLIN);
	auto answer = [&](End &end) {
		move(end);
		if (end.ended && end.out.empty()) {
			check(end.in.size() >= 8, "a request of " + std::to_string(end.in.size()) + " bytes");
			end.number = std::stoi(end.in.substr(0, 8));
			check(end.in == request_of(end.number), "request " + std::to_string(end.number) + " is wrong");
			end.out = session_id(end.fd) + answer_text(end.number);
			move(end);
		}
		if (!end.out.empty() && end.written == end.out.size())
			loop.remove(end);
	};
	while (!stop || loop.size() > 0)
		loop.wait([&](int fd) {
			if (End *end = loop.find(fd)) {
				answer(*end);
				return;
			}
			int child;
			while ((child = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
				answer(loop.add(Fd(child), -1));
			check(errno == EAGAIN || errno == ECONNABORTED, "accept: " + errno_text(errno));
		}, 100);
}

/** @p total connections, @p at_once of them at a time. */
void ask(Run &run, const Listener &listener, int total, int at_once)
{
	Loop loop;
	std::set<std::string> sessions;
	int begun = 0, done = 0;
	auto begin = [&] {
		Fd fd = connect_here(run, listener, [](int socket) { set_blocking(socket, false); });
		End &end = loop.add(std::move(fd), begun);
		end.out = request_of(begun++);
	};
	auto finish = [&](End &end) {
		std::string id = session_id(end.fd);
		check_equal(end.in.size(), id_size + answer_text(end.number).size(), "length of answer " + std::to_string(end.number));
		check(end.in.substr(0, id_size) == id, "the session IDs of number " + std::to_string(end.number) + " differ");
		check(end.in.substr(id_size) == answer_text(end.number), "answer " + std::to_string(end.number) + " is wrong");
		check(options.plain || sessions.insert(id).second, "a session ID for the second time");
		loop.remove(end);
		done++;
	};
	while (begun < std::min(at_once, total))
		begin();
	Stopwatch idle;
	while (done < total) {
		loop.wait([&](int fd) {
			idle = {};
			End *end = loop.find(fd);
			if (!end)
				return;
			bool written = end->written == end->out.size();
			move(*end);
			if (!written && end->written == end->out.size())
				sys(shutdown(end->fd, SHUT_WR), "shutdown of number " + std::to_string(end->number));
			if (!end->ended)
				return;
			finish(*end);
			if (begun < total)
				begin();
		}, 1000);
		check(idle.elapsed() < patience(15), std::to_string(done) + " done, " + std::to_string(loop.size()) + " stuck");
	}
}

void crowd(Run &run, int total, int at_once, const std::function<void()> &meanwhile = {})
{
	run.expect.encrypted = total;
	Listener listener = listen_here(run, {}, 1024);
	std::atomic<bool> stop = false;
	Thread server([&] { serve(listener.fd, stop); });
	Thread observer([&] {
		while (meanwhile && !stop)
			meanwhile();
	});
	ask(run, listener, total, at_once);
	stop = true;
}

} // namespace

E2E_CASE(thousand_connections, nothing(), 120)
{
	crowd(run, 1000, 200);
}

E2E_CASE(hundred_connections, nothing(), 60, true)
{
	crowd(run, 100, 50);
}

/* The dump goes on over a list that changes all the time: no connection twice, none of somebody else. */
E2E_CASE(dumps_meanwhile, nothing(), 120)
{
	std::atomic<long> dumps = 0, seen = 0;
	crowd(run, 300, 100, [&] {
		for (const Namespace *space : {&run.client(), &run.server()}) {
			std::set<std::uint64_t> cookies;
			for (const tcpcrypt::Connection &one : space->connections()) {
				check(cookies.insert(one.cookie).second, "a connection is listed twice");
				check(one.state >= TCPCRYPT_STATE_SYN_SENT && one.state <= TCPCRYPT_STATE_ABORTED, "a state that there is not");
				check(one.state != TCPCRYPT_STATE_ENCRYPTED || one.session, "encrypted without a session");
				seen++;
			}
			space->counters();
			dumps++;
		}
	});
	check(dumps > 2 && seen > 0, std::to_string(dumps) + " dumps with " + std::to_string(seen) + " connections");
}

/* All there at once, and all listed. */
E2E_CASE(open_together, nothing(), 90)
{
	int count = options.quick ? 50 : 200;
	run.expect.encrypted = count;
	Listener listener = listen_here(run, {}, 1024);
	std::vector<Pair> pairs(static_cast<std::size_t>(count));
	for (Pair &pair : pairs) {
		pair.client = connect_here(run, listener);
		pair.server = accept_from(listener.fd);
	}
	std::set<std::string> ids;
	for (Pair &pair : pairs) {
		check_session(pair.client, pair.server);
		ids.insert(session_id(pair.client));
	}
	if (!options.plain) {
		check_equal(ids.size(), pairs.size(), "different session IDs");
		for (const Namespace *space : {&run.client(), &run.server()}) {
			std::set<std::string> listed;
			for (const tcpcrypt::Connection &one : space->connections()) {
				check(one.session.has_value(), "a connection without a session");
				listed.emplace(one.session->id.begin(), one.session->id.end());
			}
			check(listed == ids, std::to_string(listed.size()) + " sessions are listed, and they are not those that there are");
			check_equal(space->counter("current"), static_cast<long>(count), "counter current");
		}
	}
	for (std::size_t i = 0; i < pairs.size(); i += 10)
		check_works(pairs[i].client, pairs[i].server);
}

/* Nobody accepts until all have been connected, and have written. */
E2E_CASE(accepted_late, nothing(), 90)
{
	int count = options.quick ? 50 : 200;
	run.expect.encrypted = count;
	Listener listener = listen_here(run, {}, 1024);
	std::vector<Fd> clients;
	for (int i = 0; i < count; i++) {
		clients.push_back(connect_here(run, listener));
		write_all(clients.back(), text(2000, 0, i));
		sys(shutdown(clients.back(), SHUT_WR), "shutdown");
	}
	for (int i = 0; i < count; i++) {
		Fd server = accept_from(listener.fd);
		std::string got = read_to_end(server);
		check_text(got, 2000, 0, std::stoi(got.substr(text_mark.size() + 18, 8), nullptr, 16));
		write_all(server, got);
	}
	for (int i = 0; i < count; i++)
		check_text(read_to_end(clients[static_cast<std::size_t>(i)]), 2000, 0, i);
}

/* The same ports again and again: what is left of one connection does no harm to the next. */
E2E_CASE(same_ports_again, nothing(), 60)
{
	int count = options.quick ? 5 : 30;
	run.expect.encrypted = count;
	Listener listener = listen_here(run);
	Address from = client_address(run, 6000);
	std::string last;
	for (int i = 0; i < count; i++) {
		/* The FIN of the last connection may still wait for its acknowledgement: then the ports are in use. */
		Fd client;
		wait_for("the ports to be free", [&] {
			client = socket_in(run.client(), from.family());
			set_option(client, SOL_SOCKET, SO_REUSEADDR, 1);
			sys(bind(client, from.get(), from.size()), "bind");
			if (connect(client, listener.address.get(), listener.address.size()) == 0)
				return true;
			check_equal(errno_text(errno), errno_text(EADDRNOTAVAIL), "errno of connect");
			return false;
		});
		Fd server = accept_from(listener.fd);
		check_works(client, server);
		check_session(client, server);
		std::string id = session_id(client);
		check(options.plain || id != last, "the session ID of the last connection");
		last = id;
		/* TIME_WAIT is at the server's end, where it hinders nobody, or nowhere. */
		if (i % 2 == 0) {
			linger hard{1, 0};
			sys(setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), "SO_LINGER");
			client.reset();
			char byte;
			check_errno(recv(server, &byte, 1, 0), ECONNRESET, "recv");
		} else {
			server.reset();
			check_end(client);
		}
	}
}

int main(int argc, char **argv)
{
	return run_suite(argc, argv, Shape::pair);
}
