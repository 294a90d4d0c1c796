// SPDX-License-Identifier: GPL-2.0
// The model's tcpcrypt: one encrypted connection over a plain socket of the kernel.
#include "model.hh"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace conformance {

static constexpr std::size_t unread_max = 65536;
static constexpr std::size_t frame_data = 16000;
static constexpr std::size_t init_absurd = 65536;
static constexpr int end_patience_s = 3;

/** What ends a connection: the errno that its user gets. */
struct Ended {
	int error;
};

std::string ModelConfig::setting(const std::string &name) const
{
	std::ifstream file(directory + "/" + name);
	std::string value;
	std::getline(file, value);
	return value;
}

std::uint64_t ModelConfig::number(const std::string &name) const
{
	return std::strtoull(setting(name).c_str(), nullptr, 10);
}

ModelConnection::ModelConnection(const ModelConfig &config, int fd, bool is_a, const Tep &tep, Bytes option_a,
				 Bytes option_b)
	: config_(config), fd_(fd), is_a_(is_a), option_a_(std::move(option_a)), option_b_(std::move(option_b)),
	  tep_(tep), keys_(tep), nonce_(random_bytes(nonce_length))
{
	if (config_.fault("nonce-repeated"))
		nonce_.assign(nonce_length, 7);
	if (config_.fault("key-repeated"))
		keys_ = KeyPair(tep_, Bytes(tep_.is_point ? 32 : tep_.key_length, 9));
	thread_ = std::thread([this] { run(); });
}

ModelConnection::~ModelConnection()
{
	thread_.join();
	close(fd_);
}

void ModelConnection::stop_with(int error)
{
	std::lock_guard guard(state_lock_);
	error_ = error;
	stopped_ = true;
	changed_.notify_all();
}

void ModelConnection::reset()
{
	sockaddr none{};
	none.sa_family = AF_UNSPEC;
	// Unlike close(), this leaves the descriptor's number to the application.
	connect(fd_, &none, sizeof(none));
}

void ModelConnection::abort_with(int error)
{
	stop_with(error);
	reset();
}

void ModelConnection::run()
{
	Bytes raw;
	try {
		handshake(raw);
		frames(raw);
	} catch (const Ended &ended) {
		if (ended.error == ECONNRESET)
			stop_with(config_.fault("eof-on-reset") ? 0 : ended.error);
		else
			abort_with(config_.fault("wrong-errno") ? EIO : ended.error);
		if (config_.fault("eof-on-reset")) {
			std::lock_guard guard(state_lock_);
			end_ = true;
		}
	}
}

/** False at FIN. */
bool ModelConnection::more(Bytes &raw)
{
	Bytes buffer(65536);
	ssize_t length = ::recv(fd_, buffer.data(), buffer.size(), 0);
	if (length <= 0 && broken_)
		throw Ended{broken_};
	if (length < 0)
		throw Ended{errno == ECONNRESET ? ECONNRESET : ECONNABORTED};
	append(raw, View(buffer).first(static_cast<std::size_t>(length)));
	return length > 0;
}

std::vector<std::uint16_t> ModelConnection::allowed_ciphers() const
{
	if (config_.setting("aeads") == "aes-128-gcm")
		return {0x0001};
	return {0x0001, 0x0002, 0x0010};
}

void ModelConnection::send_init(View message)
{
	std::lock_guard guard(write_lock_);
	write_all(message);
}

/** The whole message at the start of what was received; empty when more is needed. */
Bytes ModelConnection::whole_message(View raw, std::uint32_t magic) const
{
	if (raw.size() < 4)
		return {};
	if (get32(raw, 0) != magic)
		throw Ended{EPROTO};
	if (raw.size() < 8)
		return {};
	std::size_t length = get32(raw, 4);
	if (length > init_absurd || length < 8 + 2 + nonce_length + tep_.public_length())
		throw Ended{EPROTO};
	return raw.size() < length ? Bytes{} : slice(raw, 0, length);
}

void ModelConnection::handshake(Bytes &raw)
{
	using namespace std::chrono;
	auto until = steady_clock::now() + milliseconds(config_.number("handshake_timeout_ms"));
	Bytes own;
	if (is_a_) {
		std::vector<std::uint16_t> ciphers = allowed_ciphers();
		own = make_init1(ciphers, nonce_, keys_.public_key());
		send_init(own);
	}
	Bytes message;
	while ((message = whole_message(raw, is_a_ ? init2_magic : init1_magic)).empty()) {
		auto left = duration_cast<milliseconds>(until - steady_clock::now()).count();
		pollfd one{fd_, POLLIN, 0};
		if (left <= 0 || ::poll(&one, 1, static_cast<int>(left)) == 0)
			throw Ended{ETIMEDOUT};
		if (!more(raw))
			throw Ended{ECONNABORTED};
	}
	raw.erase(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(message.size()));
	consumed_ = message.size();
	Init theirs;
	try {
		theirs = is_a_ ? parse_init2(tep_, message) : parse_init1(tep_, message);
	} catch (const std::runtime_error &) {
		throw Ended{EPROTO};
	}
	if (is_a_) {
		derive_keys(parse_init1(tep_, own), theirs, theirs);
		return;
	}
	std::vector<std::uint16_t> preferred = allowed_ciphers();
	auto shared = std::find_if(preferred.begin(), preferred.end(), [&](std::uint16_t cipher) {
		return std::find(theirs.ciphers.begin(), theirs.ciphers.end(), cipher) != theirs.ciphers.end();
	});
	if (shared == preferred.end())
		throw Ended{EPROTO};
	std::uint16_t chosen = *shared;
	if (config_.fault("first-offered-cipher") && aead_known(theirs.ciphers[0]))
		chosen = theirs.ciphers[0];
	Bytes ignored = config_.fault("ignored-bytes-sent") ? Bytes{1} : Bytes{};
	own = make_init2(chosen, nonce_, keys_.public_key(), ignored);
	send_init(own);
	derive_keys(theirs, parse_init2(tep_, own), theirs);
}

Bytes ModelConnection::shared_secret(View pub) const
{
	auto es = keys_.shared_secret(pub);
	if (!es && !config_.fault(tep_.is_point ? "point-not-checked" : "zero-secret-accepted"))
		throw Ended{EPROTO};
	if (!es)
		return Bytes(tep_.secret_length, 0);
	if (config_.fault("secret-without-leading-zeros") && tep_.is_point)
		while (es->front() == 0)
			es->erase(es->begin());
	return *es;
}

void ModelConnection::derive_keys(const Init &init1, const Init &init2, const Init &theirs)
{
	std::uint16_t cipher = init2.ciphers[0];
	auto allowed = allowed_ciphers();
	if (std::find(allowed.begin(), allowed.end(), cipher) == allowed.end())
		throw Ended{EPROTO};
	Bytes es = shared_secret(theirs.pub);
	Bytes transcript = config_.fault("transcript-without-options") ? Bytes{} : cat({option_a_, option_b_});
	Bytes wire1 = init1.wire;
	if (config_.fault("ignored-bytes-not-hashed"))
		wire1.resize(wire1.size() - init1.ignored.size());
	std::lock_guard writing(write_lock_);
	std::lock_guard guard(state_lock_);
	session_ = derive(tep_.id, AeadId{cipher}, transcript, wire1, init2.wire, es, init1.nonce);
	session_id_ = session_->session_id;
	if (config_.fault("session-id-without-tep"))
		session_id_[0] = 0;
	ready_ = true;
	changed_.notify_all();
	Bytes early = std::move(early_);
	seal_data(early);
	if (finishing_)
		seal_finp();
}

void ModelConnection::frames(Bytes &raw)
{
	for (bool ended = false;;) {
		{
			std::unique_lock guard(state_lock_);
			changed_.wait(guard, [this] { return plain_.size() < unread_max || closing_; });
		}
		while (true) {
			if (end_ && !raw.empty() && !config_.fault("data-behind-finp-accepted"))
				throw Ended{ECONNABORTED};
			if (raw.size() >= frame_head && get16(raw, 1) == 0)
				throw Ended{EBADMSG};
			std::optional<Frame> frame;
			try {
				frame = open_frame(receiving(), consumed_, raw);
			} catch (const std::runtime_error &) {
				if (!config_.fault("bad-frame-skipped"))
					throw Ended{EBADMSG};
				frame = Frame{.wire_length = std::min(raw.size(), frame_head + get16(raw, 1))};
			}
			if (!frame)
				break;
			raw.erase(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(frame->wire_length));
			consumed_ += frame->wire_length;
			accept_frame(*frame);
		}
		if (ended) {
			if (!end_ && !config_.fault("eof-on-fin"))
				throw Ended{ECONNABORTED};
			std::lock_guard guard(state_lock_);
			end_ = true;
			changed_.notify_all();
			return;
		}
		ended = !more(raw);
	}
}

void ModelConnection::accept_frame(const Frame &frame)
{
	if (config_.fault("reserved-bits-refused") && ((frame.control & control_reserved) || (frame.flags & flags_reserved)))
		throw Ended{EBADMSG};
	if (config_.fault("empty-frame-is-eof") && frame.data.empty()) {
		std::lock_guard guard(state_lock_);
		end_ = true;
	}
	if ((frame.control & control_rekey) && !config_.fault("rekey-unanswered"))
		answer_rekey();
	std::lock_guard guard(state_lock_);
	append(plain_, frame.data);
	if ((frame.flags & flag_fin) && !config_.fault("finp-ignored"))
		end_ = true;
	changed_.notify_all();
}

void ModelConnection::answer_rekey()
{
	std::lock_guard writing(write_lock_);
	if (receiving().generation() <= sending().generation() || finp_sent_)
		return;
	sending().advance();
	frames_sent_ = 0;
	bytes_sealed_ = 0;
	seal({}, 0, !config_.fault("answer-without-rekey-bit"));
}

void ModelConnection::write_all(View bytes)
{
	written_ += bytes.size();
	while (!bytes.empty()) {
		ssize_t done = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
		if (done < 0) {
			// The reading thread ends the connection; the socket's error is gone with this call.
			broken_ = errno == ECONNRESET ? ECONNRESET : ECONNABORTED;
			return;
		}
		bytes = bytes.subspan(static_cast<std::size_t>(done));
	}
}

void ModelConnection::seal(View data, std::uint8_t flags, bool rekey)
{
	Frame frame{.data = Bytes(data.begin(), data.end()),
		    .control = static_cast<std::uint8_t>(rekey ? control_rekey : 0),
		    .flags = flags};
	if (config_.fault("reserved-bits-sent"))
		frame.flags |= 0x80;
	std::uint64_t offset = config_.fault("offset-from-first-frame") ? written_ - 100 : written_;
	frames_sent_++;
	bytes_sealed_ += data.size();
	write_all(config_.fault("plaintext-sent") ? Bytes(data.begin(), data.end())
						  : seal_frame(sending(), offset, frame));
}

void ModelConnection::seal_data(View data)
{
	while (!data.empty()) {
		std::size_t length = std::min(data.size(), frame_data);
		bool rekey = frames_sent_ >= config_.number("rekey_frames") ||
			     bytes_sealed_ + length > config_.number("rekey_bytes");
		if (rekey) {
			sending().advance();
			frames_sent_ = 0;
			bytes_sealed_ = 0;
		}
		seal(data.first(length), 0, rekey);
		data = data.subspan(length);
	}
}

void ModelConnection::seal_finp()
{
	if (!config_.fault("no-finp"))
		seal({}, flag_fin, false);
	finp_sent_ = true;
	if (config_.fault("frame-behind-finp"))
		seal({}, 0, false);
	if (!config_.fault("no-fin"))
		::shutdown(fd_, SHUT_WR);
}

ssize_t ModelConnection::send(View data)
{
	std::lock_guard writing(write_lock_);
	std::unique_lock guard(state_lock_);
	if (finishing_ || stopped_) {
		errno = EPIPE;
		return -1;
	}
	bool ready = ready_;
	guard.unlock();
	if (ready)
		seal_data(data);
	else if (config_.fault("plaintext-before-keys"))
		write_all(data);
	else
		append(early_, data);
	return static_cast<ssize_t>(data.size());
}

ssize_t ModelConnection::recv(void *data, std::size_t length, int flags)
{
	std::unique_lock guard(state_lock_);
	changed_.wait(guard, [this] { return !plain_.empty() || end_ || stopped_; });
	if (plain_.empty()) {
		if (!error_)
			return 0;
		errno = error_;
		return -1;
	}
	std::size_t taken = std::min(length, plain_.size());
	std::memcpy(data, plain_.data(), taken);
	if (!(flags & MSG_PEEK))
		plain_.erase(plain_.begin(), plain_.begin() + static_cast<std::ptrdiff_t>(taken));
	changed_.notify_all();
	return static_cast<ssize_t>(taken);
}

int ModelConnection::finish_writing(bool closing)
{
	std::lock_guard writing(write_lock_);
	std::unique_lock guard(state_lock_);
	bool first = !finishing_;
	bool ready = ready_;
	finishing_ = true;
	closing_ = closing_ || closing;
	changed_.notify_all();
	guard.unlock();
	// The peer may never end its side; nobody waits for it longer than this.
	timeval limit{end_patience_s, 0};
	if (closing)
		setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (ready && first)
		seal_finp();
	return 0;
}

int ModelConnection::poll(short events, int milliseconds)
{
	std::unique_lock guard(state_lock_);
	auto now = [&] {
		int ready = 0;
		if (!plain_.empty() || end_ || stopped_)
			ready |= POLLIN;
		if (end_)
			ready |= POLLRDHUP;
		if (ready_ && !finishing_)
			ready |= POLLOUT;
		return (ready & events) | (error_ ? POLLERR | POLLHUP : 0);
	};
	changed_.wait_for(guard, std::chrono::milliseconds(milliseconds), [&] { return now() != 0; });
	return now();
}

std::size_t ModelConnection::unread()
{
	std::lock_guard guard(state_lock_);
	return plain_.size();
}

int ModelConnection::take_error()
{
	std::lock_guard guard(state_lock_);
	return std::exchange(error_, 0);
}

int ModelConnection::option(int number, Bytes &value)
{
	std::lock_guard guard(state_lock_);
	auto integer = [&value](int content) {
		value.resize(sizeof(content));
		std::memcpy(value.data(), &content, sizeof(content));
		return 0;
	};
	if (!ready_)
		return ENOTCONN;
	switch (number) {
	case 2:
		value = session_id_;
		return 0;
	case 3:
		return integer(tep_.id);
	case 10:
		return integer(is_a_ ? 0 : 1);
	case 33:
		return integer(static_cast<int>(session_->ab.aead()));
	default:
		return ENOPROTOOPT;
	}
}

} // namespace conformance
