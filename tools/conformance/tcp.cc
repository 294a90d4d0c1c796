// SPDX-License-Identifier: GPL-2.0
// One end of a TCP connection, entirely under the control of a test.
#include "tcp.hh"

#include "crypto.hh"
#include "eno.hh"

#include <algorithm>

namespace conformance {

static constexpr Millis retransmit_after{400};

Tcp::Tcp(Wire &wire, Address local, std::uint16_t local_port, Address remote, std::uint16_t remote_port)
	: iss(get32(random_bytes(4), 0)), wire_(wire), local_(std::move(local)), remote_(std::move(remote)),
	  local_port_(local_port), remote_port_(remote_port)
{
	wire_.attach(this);
}

Tcp::~Tcp()
{
	wire_.detach(this);
	if (leave || reset_ || remote_port_ == 0 || !(syn_sent_ || synchronized_))
		return;
	try {
		send_rst();
	} catch (const std::exception &) {
		// The link is gone, and so is the connection.
	}
}

std::uint32_t Tcp::next_seq() const
{
	return iss + (syn_sent_ ? 1 : 0) + static_cast<std::uint32_t>(pushed_) + (fin_sent_ ? 1 : 0);
}

std::uint32_t Tcp::next_ack() const
{
	if (!synchronized_)
		return 0;
	std::uint64_t offset = std::min<std::uint64_t>(contiguous_, acknowledge_limit);
	bool fin = finished() && offset == contiguous_ && acknowledge_limit > contiguous_;
	return irs + 1 + static_cast<std::uint32_t>(offset) + (fin ? 1 : 0);
}

Segment Tcp::blank(std::uint8_t flags) const
{
	Segment segment;
	segment.source = local_;
	segment.target = remote_;
	segment.source_port = local_port_;
	segment.target_port = remote_port_;
	segment.seq = next_seq();
	segment.flags = flags;
	segment.window = window;
	if (flags & ACK)
		segment.ack = next_ack();
	if (flags & SYN)
		return segment;
	if (timestamps_) {
		Bytes stamps;
		auto age = std::chrono::duration_cast<Millis>(Clock::now() - created_).count();
		put32(stamps, static_cast<std::uint32_t>(age + 2)); // later than the 1 of the SYNs here
		put32(stamps, timestamp_echo_);
		append(segment.options, Bytes{OPT_NOP, OPT_NOP});
		append(segment.options, option(OPT_TIMESTAMPS, stamps));
	}
	if (eno_until_heard && !heard_)
		append(segment.options, eno_ack());
	return segment;
}

void Tcp::transmit(const Segment &segment)
{
	wire_.send(segment);
}

void Tcp::note_options(View own)
{
	own_timestamps_ = !find_option(own, OPT_TIMESTAMPS).empty();
	own_wscale_ = !find_option(own, OPT_WSCALE).empty();
	agree_options();
}

/** What both SYNs have; either may be the first. */
void Tcp::agree_options()
{
	timestamps_ = own_timestamps_ && !find_option(syn_options, OPT_TIMESTAMPS).empty();
	Bytes wscale = find_option(syn_options, OPT_WSCALE);
	remote_shift_ = own_wscale_ && wscale.size() == 3 ? wscale[2] : 0;
}

void Tcp::send_syn(View options, View payload)
{
	note_options(options);
	syn_sent_ = true;
	Segment segment = blank(SYN);
	segment.seq = iss;
	append(segment.options, options);
	append(segment.payload, payload);
	transmit(segment);
}

void Tcp::send_syn_ack(View options, View payload)
{
	note_options(options);
	syn_sent_ = true;
	Segment segment = blank(SYN | ACK);
	segment.seq = iss;
	append(segment.options, options);
	append(segment.payload, payload);
	transmit(segment);
}

void Tcp::send_ack()
{
	transmit(blank(ACK));
}

void Tcp::send_ack(View options)
{
	Segment segment = blank(ACK);
	segment.options.assign(options.begin(), options.end());
	transmit(segment);
}

void Tcp::send_fin()
{
	Segment segment = blank(ACK | FIN);
	if (fin_sent_)
		segment.seq--;
	fin_sent_ = true;
	transmit(segment);
}

void Tcp::send_rst()
{
	transmit(blank(synchronized_ ? RST | ACK : RST));
}

std::uint64_t Tcp::enqueue(View bytes)
{
	std::uint64_t offset = sent_.size();
	append(sent_, bytes);
	return offset;
}

void Tcp::send_range(std::uint64_t from, std::uint64_t to, std::uint8_t extra_flags)
{
	Segment segment = blank(static_cast<std::uint8_t>(ACK | extra_flags));
	segment.seq = iss + 1 + static_cast<std::uint32_t>(from);
	segment.payload = slice(sent_, from, to - from);
	pushed_ = std::max(pushed_, to);
	fin_sent_ = fin_sent_ || (extra_flags & FIN);
	transmit(segment);
}

void Tcp::push(std::size_t chunk)
{
	chunk = chunk ? chunk : mss;
	while (pushed_ < sent_.size()) {
		std::uint64_t to = std::min<std::uint64_t>(pushed_ + chunk, sent_.size());
		send_range(pushed_, to, to == sent_.size() ? PSH : 0);
	}
}

void Tcp::send(View bytes)
{
	enqueue(bytes);
	push();
}

void Tcp::flush(std::size_t chunk)
{
	chunk = chunk ? chunk : mss;
	std::uint64_t next = pushed_;
	std::uint64_t in_flight_max = UINT64_MAX; // until the first loss
	for (int stalls = 0; acked_ < sent_.size();) {
		if (reset_)
			throw Failure("reset while we were sending");
		std::uint64_t limit = std::min<std::uint64_t>(remote_window_, in_flight_max);
		while (next < sent_.size() && next - acked_ < limit) {
			std::uint64_t room = std::min<std::uint64_t>(chunk, limit - (next - acked_));
			std::uint64_t to = std::min<std::uint64_t>(next + room, sent_.size());
			send_range(next, to, to == sent_.size() ? PSH : 0);
			next = to;
		}
		std::uint64_t before = acked_;
		std::uint32_t window_before = remote_window_;
		auto moved = [&] {
			return acked_ > before || reset_ || (next < sent_.size() && remote_window_ > window_before);
		};
		if (wire_.wait_for(moved, retransmit_after)) {
			stalls = 0;
			if (in_flight_max != UINT64_MAX)
				in_flight_max += chunk;
		} else {
			check(++stalls < 30, "the device does not acknowledge our data");
			// Again from the first byte that may be lost; into a closed window a single one, as a probe.
			if (remote_window_ == 0)
				send_range(acked_, acked_ + 1, PSH);
			else
				next = acked_;
			in_flight_max = 2 * chunk;
		}
		next = std::max(next, acked_);
	}
}

void Tcp::flush_until_reset()
{
	try {
		flush();
	} catch (const Failure &) {
		if (!reset_)
			throw;
	}
}

bool Tcp::receive(const Segment &segment)
{
	if (segment.target_port != local_port_ || segment.target != local_ || segment.source != remote_)
		return false;
	if (remote_port_ == 0 && segment.has(SYN))
		remote_port_ = segment.source_port;
	if (segment.source_port != remote_port_)
		return false;

	check(!segment.bad_checksum, "wrong checksum: " + describe(segment));
	seen.push_back(segment);
	if (segment.has(RST)) {
		// As any TCP: only a reset at the expected number, or of our SYN, counts.
		std::uint32_t expected = irs + 1 + static_cast<std::uint32_t>(contiguous_) + (finished() ? 1 : 0);
		if (!synchronized_ || segment.seq == next_ack() || segment.seq == expected)
			reset_ = true;
		return true;
	}
	if (segment.has(SYN))
		receive_syn(segment);
	else
		heard_ = true;
	receive_ack(segment);
	if (synchronized_)
		receive_payload(segment);
	// A keep-alive probe is of no length, and a number behind.
	bool probe = synchronized_ && segment.length() == 0 && segment.seq + 1 == next_ack();
	if (automatic && (segment.length() || probe) && !segment.has(SYN))
		send_ack();
	return true;
}

void Tcp::receive_syn(const Segment &segment)
{
	if (!synchronized_) {
		synchronized_ = true;
		irs = segment.seq;
	}
	syn_options = segment.options;
	agree_options();
}

void Tcp::receive_ack(const Segment &segment)
{
	Bytes stamps = find_option(segment.options, OPT_TIMESTAMPS);
	if (stamps.size() == 10)
		timestamp_echo_ = get32(stamps, 2);
	if (!segment.has(ACK))
		return;
	std::uint32_t distance = segment.ack - (iss + 1) - static_cast<std::uint32_t>(acked_);
	std::uint64_t acked = acked_ + distance;
	if (acked <= sent_.size() + 1) {
		fin_acked_ = fin_acked_ || (fin_sent_ && acked == sent_.size() + 1);
		acked_ = std::min<std::uint64_t>(acked, sent_.size());
		pushed_ = std::max(pushed_, acked_);
	}
	remote_window_ = static_cast<std::uint32_t>(segment.window) << (segment.has(SYN) ? 0 : remote_shift_);
}

void Tcp::store(std::uint64_t offset, View bytes)
{
	if (received_.size() < offset + bytes.size()) {
		received_.resize(offset + bytes.size());
		have_.resize(offset + bytes.size(), false);
	}
	for (std::size_t i = 0; i < bytes.size(); i++) {
		if (have_[offset + i])
			check(received_[offset + i] == bytes[i],
			      "stream offset " + std::to_string(offset + i) + " was sent again with another value (F-02)");
		received_[offset + i] = bytes[i];
		have_[offset + i] = true;
	}
	while (contiguous_ < have_.size() && have_[contiguous_])
		contiguous_++;
}

void Tcp::receive_payload(const Segment &segment)
{
	std::uint32_t first = irs + 1 + static_cast<std::uint32_t>(contiguous_);
	std::int32_t ahead = static_cast<std::int32_t>(segment.seq + (segment.has(SYN) ? 1 : 0) - first);
	std::int64_t offset = static_cast<std::int64_t>(contiguous_) + ahead;
	if (offset < 0)
		return; // a keep-alive probe of an idle connection
	if (!segment.payload.empty())
		store(static_cast<std::uint64_t>(offset), segment.payload);
	if (segment.has(FIN)) {
		std::size_t at = static_cast<std::size_t>(offset) + segment.payload.size();
		check(!fin_seen_ || fin_offset_ == at, "FIN at two different places");
		fin_seen_ = true;
		fin_offset_ = at;
	}
	check(!fin_seen_ || received_.size() <= fin_offset_, "data behind the FIN");
}

void Tcp::wait_reset()
{
	wire_.wait([this] { return reset_; }, "RST");
}

void Tcp::wait_finished()
{
	wire_.wait([this] { return finished() || reset_; }, "FIN");
	check(finished(), "RST instead of FIN");
}

void Tcp::wait_stream(std::size_t length)
{
	wire_.wait([this, length] { return contiguous_ >= length || reset_ || finished(); },
		   std::to_string(length) + " bytes of the device's stream");
	check(contiguous_ >= length, std::string(reset_ ? "RST" : "FIN") + " after " + std::to_string(contiguous_) +
					     " bytes of the device's stream, expected " + std::to_string(length));
}

void Tcp::wait_acknowledged()
{
	wait_acknowledged_to(pushed_);
}

void Tcp::wait_acknowledged_to(std::uint64_t offset)
{
	wire_.wait([&] { return acked_ >= offset || reset_; }, "acknowledgement of our data");
	check(acked_ >= offset, "RST before our data was acknowledged");
}

void Tcp::wait_fin_acknowledged()
{
	// As any TCP, again and again: a socket that is just let go of drops what arrives meanwhile.
	auto over = [this] { return fin_acked_ || reset_; };
	for (int tries = 0; !wire_.wait_for(over, retransmit_after); tries++) {
		check(tries < 25, "our FIN is not acknowledged");
		send_fin();
	}
	check(fin_acked_, "RST instead of the ACK of our FIN");
}

const Segment &Tcp::wait_segment(const std::function<bool(const Segment &)> &match, const std::string &what,
				 Millis limit)
{
	std::size_t found = 0;
	wire_.wait(
		[&] {
			while (cursor_ < seen.size())
				if (match(seen[cursor_++])) {
					found = cursor_ - 1;
					return true;
				}
			return false;
		},
		what, limit);
	return seen[found];
}

} // namespace conformance
