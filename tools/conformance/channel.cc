// SPDX-License-Identifier: GPL-2.0
// Frames in both directions over one TCP connection after the key exchange.
#include "channel.hh"

namespace conformance {

Channel::Channel(Tcp &tcp, Direction sending_keys, Direction receiving_keys, std::uint64_t consumed)
	: sending(std::move(sending_keys)), receiving(std::move(receiving_keys)), tcp_(tcp), position_(consumed)
{
}

Bytes Channel::sealed(const Frame &frame) const
{
	return seal_frame(sending, tcp_.sent_length(), frame);
}

void Channel::enqueue(const Frame &frame)
{
	tcp_.enqueue(sealed(frame));
}

void Channel::send(const Frame &frame)
{
	enqueue(frame);
	tcp_.push();
}

void Channel::send_rekey(View data)
{
	sending.advance();
	send(Frame{.data = Bytes(data.begin(), data.end()), .control = control_rekey});
}

bool Channel::frame_ready() const
{
	View rest = tcp_.stream().subspan(position_);
	return rest.size() >= frame_head && rest.size() >= frame_head + get16(rest, 1);
}

void Channel::check_frame(const Frame &frame) const
{
	check((frame.control & control_reserved) == 0, "reserved bits of control are set (F-03)");
	check((frame.flags & flags_reserved) == 0, "reserved bits of flags are set (F-03)");
	check(frames.empty() || (frames.back().flags & flag_fin) == 0, "a frame behind the FINp frame (F-05)");
}

Frame Channel::read_frame()
{
	tcp_.wire().wait([this] { return frame_ready() || tcp_.reset() || tcp_.finished(); }, "a frame");
	check(frame_ready(), std::string(tcp_.reset() ? "RST" : "FIN") + " instead of a frame");
	std::optional<Frame> frame;
	try {
		frame = open_frame(receiving, position_, tcp_.stream().subspan(position_));
	} catch (const std::runtime_error &error) {
		throw Failure(error.what());
	}
	check_frame(*frame);
	position_ += frame->wire_length;
	frames.push_back(*frame);
	if (answer_rekeys && (frame->control & control_rekey) && sending.generation() < receiving.generation())
		send_rekey();
	return *frame;
}

Bytes Channel::read(std::size_t length)
{
	Bytes data = std::move(pending_);
	pending_.clear();
	while (data.size() < length) {
		Frame frame = read_frame();
		append(data, frame.data);
		check((frame.flags & flag_fin) == 0 || data.size() >= length,
		      "FINp after " + std::to_string(data.size()) + " bytes, expected " + std::to_string(length));
	}
	pending_.assign(data.begin() + static_cast<std::ptrdiff_t>(length), data.end());
	data.resize(length);
	return data;
}

Bytes Channel::read_to_finp()
{
	Bytes data = std::move(pending_);
	pending_.clear();
	for (;;) {
		Frame frame = read_frame();
		append(data, frame.data);
		if (frame.flags & flag_fin)
			return data;
	}
}

} // namespace conformance
