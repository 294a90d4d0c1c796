/* SPDX-License-Identifier: GPL-2.0 */
/* The network of a suite: namespaces, links, addresses, and settings in them. */
#ifndef TCPCRYPT_E2E_NETWORK_HH
#define TCPCRYPT_E2E_NETWORK_HH

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client.hh"

namespace e2e {

/** A command for the shell; fails the case unless it exits with 0. */
void shell(const std::string &command);
/** What it printed. */
std::string shell_output(const std::string &command);

class Namespace {
public:
	Namespace(std::string name, std::string device, std::string ipv4, std::string ipv6);
	~Namespace();
	Namespace(const Namespace &) = delete;
	Namespace &operator=(const Namespace &) = delete;

	const std::string &name() const { return name_; }
	const std::string &device() const { return device_; }
	const std::string &ipv4() const { return ipv4_; }
	const std::string &ipv6() const { return ipv6_; }

	/** Run @p command of the shell inside. */
	void run(const std::string &command) const;
	std::string output(const std::string &command) const;

	/** net.tcpcrypt.KEY, or with slashes any sysctl below /proc/sys. */
	std::string setting(const std::string &key) const;
	void set(const std::string &key, const std::string &value);
	/** 0 or an errno. */
	int try_set(const std::string &key, const std::string &value) const;
	/** As they were before the first set(). */
	void restore_settings();

	/** Wipe the session secrets that earlier connections left: the next one makes a key exchange. */
	void forget_sessions() const;

	/** Counter or reason by its name; 0 for a reason that never occurred. */
	std::map<std::string, long> counters() const;
	long counter(const std::string &name) const;
	std::vector<tcpcrypt::Connection> connections() const;

	/** The calling thread goes there. */
	void enter() const;

private:
	std::string path_of(const std::string &key) const;

	std::string name_;
	std::string device_;
	std::string ipv4_;
	std::string ipv6_;
	int fd_;
	std::map<std::string, std::string> saved_;
};

/** The calling thread is in a namespace as long as this lives. */
class Inside {
public:
	explicit Inside(const Namespace &there);
	~Inside();
	Inside(const Inside &) = delete;
	Inside &operator=(const Inside &) = delete;

private:
	int back_;
};

enum class Shape {
	pair,	/* client - server */
	path,	/* client - middle - server */
};

class Network {
public:
	explicit Network(Shape shape);
	~Network();

	Namespace &client() { return *client_; }
	Namespace &server() { return *server_; }
	/** Only in a path. It forwards, and is where a middlebox goes. */
	Namespace &middle() { return *middle_; }
	bool has_middle() const { return middle_ != nullptr; }
	std::vector<Namespace *> all();
	void remove();

private:
	std::unique_ptr<Namespace> client_;
	std::unique_ptr<Namespace> server_;
	std::unique_ptr<Namespace> middle_;
};

} // namespace e2e

#endif
