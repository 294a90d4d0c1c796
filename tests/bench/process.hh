/* SPDX-License-Identifier: GPL-2.0 */
/* Descriptors, commands, and the other end of a measurement: a child process in the server's namespace. */
#ifndef TCPCRYPT_BENCH_PROCESS_HH
#define TCPCRYPT_BENCH_PROCESS_HH

#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/** Throws std::system_error with @what if @result is negative; returns it otherwise. */
long check(long result, const char *what);

class Descriptor {
public:
	explicit Descriptor(long fd = -1) : fd_(static_cast<int>(fd)) {}
	~Descriptor() { reset(); }
	Descriptor(Descriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Descriptor &operator=(Descriptor &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	int get() const { return fd_; }
	void reset();

private:
	int fd_;
};

/** Runs a command; throws if its exit status is not 0, unless @may_fail. */
void run_command(const std::vector<std::string> &words, bool may_fail = false);

/** What a child tells its parent: a number, or why there is none. */
class Peer {
public:
	/** What the child uses to send numbers. */
	class Channel {
	public:
		explicit Channel(int fd) : fd_(fd) {}
		void send(double value);

	private:
		int fd_;
	};

	/** Forks; the child runs @body and exits. */
	explicit Peer(const std::function<void(Channel &)> &body);
	/** Kills the child if it was not waited for. */
	~Peer();
	Peer(const Peer &) = delete;
	Peer &operator=(const Peer &) = delete;

	/** The child's next number; throws what the child threw. */
	double receive();
	/** Throws what the child threw, if it did within a second. */
	void blame();
	/** Waits for the child's end. */
	void join();

private:
	pid_t pid_;
	Descriptor pipe_;
};

} // namespace bench

#endif
