/* SPDX-License-Identifier: GPL-2.0 */
/* The model's tcpcrypt: one encrypted connection over a plain socket of the kernel. */
#ifndef CONFORMANCE_MODEL_HH
#define CONFORMANCE_MODEL_HH

#include "session.hh"

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace conformance {

/** Where the shim and the cases leave what the model must know; see shim.hh. */
struct ModelConfig {
	std::string directory;
	std::set<std::string> faults;

	bool fault(const char *name) const { return faults.contains(name); }
	std::string setting(const std::string &name) const;
	std::uint64_t number(const std::string &name) const;
};

/*
 * A thread of its own reads the socket: key exchange, then frames; it answers rekeys. Writers seal in their own
 * threads. state_lock_ guards what readers wait for, write_lock_ what goes out; write_lock_ is taken first.
 */
class ModelConnection {
public:
	ModelConnection(const ModelConfig &config, int fd, bool is_a, const Tep &tep, Bytes option_a, Bytes option_b);
	/** Waits for the thread, and closes the socket. */
	~ModelConnection();
	ModelConnection(const ModelConnection &) = delete;
	ModelConnection &operator=(const ModelConnection &) = delete;

	/** As the socket calls: -1 and errno. */
	ssize_t send(View data);
	ssize_t recv(void *data, std::size_t length, int flags);
	/** shutdown(SHUT_WR); @closing: nobody will read any more, either. */
	int finish_writing(bool closing);
	int poll(short events, int milliseconds);
	std::size_t unread();
	/** SO_ERROR. */
	int take_error();
	/** At level SOL_TCP_ENO; 0 or an errno. */
	int option(int number, Bytes &value);
	/** RST. */
	void reset();

private:
	void run();
	void handshake(Bytes &raw);
	void frames(Bytes &raw);
	bool more(Bytes &raw);
	void send_init(View message);
	Bytes shared_secret(View pub) const;
	void derive_keys(const Init &init1, const Init &init2, const Init &theirs);
	void accept_frame(const Frame &frame);
	void answer_rekey();
	Bytes whole_message(View raw, std::uint32_t magic) const;
	void abort_with(int error);
	void stop_with(int error);
	void write_all(View bytes);
	void seal(View data, std::uint8_t flags, bool rekey);
	void seal_data(View data);
	void seal_finp();
	std::vector<std::uint16_t> allowed_ciphers() const;

	const ModelConfig &config_;
	int fd_;
	bool is_a_;
	Bytes option_a_;
	Bytes option_b_;
	const Tep &tep_;
	KeyPair keys_;
	Bytes nonce_;

	std::mutex write_lock_;
	Bytes early_;
	bool finishing_ = false;
	bool closing_ = false;
	bool finp_sent_ = false;
	/** The errno of a write that failed. */
	std::atomic<int> broken_ = 0;
	std::uint64_t written_ = 0;
	std::uint64_t frames_sent_ = 0;
	std::uint64_t bytes_sealed_ = 0;

	std::mutex state_lock_;
	std::condition_variable changed_;
	bool ready_ = false;
	bool end_ = false;
	bool stopped_ = false;
	int error_ = 0;
	Bytes plain_;
	Bytes session_id_;
	std::optional<Session> session_;
	std::uint64_t consumed_ = 0;

	std::thread thread_;

	Direction &sending() { return is_a_ ? session_->ab : session_->ba; }
	Direction &receiving() { return is_a_ ? session_->ba : session_->ab; }
};

} // namespace conformance

#endif
