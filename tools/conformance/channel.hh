/* SPDX-License-Identifier: GPL-2.0 */
/* Frames in both directions over one TCP connection after the key exchange. */
#ifndef CONFORMANCE_CHANNEL_HH
#define CONFORMANCE_CHANNEL_HH

#include "session.hh"
#include "tcp.hh"

namespace conformance {

class Channel {
public:
	/** @sending, @receiving: our side's directions; @consumed: bytes of the other end's Init message. */
	Channel(Tcp &tcp, Direction sending, Direction receiving, std::uint64_t consumed);

	/** Seals at the end of our stream; the frame is enqueued, not transmitted. */
	void enqueue(const Frame &frame);
	/** Any bytes in the place of a frame. */
	void enqueue_raw(View bytes) { tcp_.enqueue(bytes); }
	/** enqueue() and transmit. */
	void send(const Frame &frame);
	void send(View data) { send(Frame{.data = Bytes(data.begin(), data.end())}); }
	/** FINp in an empty frame. */
	void send_finp() { send(Frame{.flags = flag_fin}); }
	/** The keys of the next generation, and the frame that says so. */
	void send_rekey(View data = {});
	/** A frame's bytes as enqueue() would make them now, to be altered. */
	Bytes sealed(const Frame &frame) const;

	/** The next frame; keeps generations by F-08 and F-09, without answering a rekey. */
	Frame read_frame();
	/** Application data of the following frames, exactly @length bytes; fails when a frame ends beyond. */
	Bytes read(std::size_t length);
	/** A frame with FINp that is the stream's last one, with the data in front of it. */
	Bytes read_to_finp();
	/** True when a frame is there, whole. */
	bool frame_ready() const;
	/** Bytes of the other end's stream that were consumed. */
	std::uint64_t position() const { return position_; }

	Direction sending;
	Direction receiving;
	/** Answer every rekey of the other end at once, as F-09 asks. */
	bool answer_rekeys = true;
	/** Every frame received. */
	std::vector<Frame> frames;

private:
	void check_frame(const Frame &frame) const;

	Tcp &tcp_;
	std::uint64_t position_;
	Bytes pending_;
};

} // namespace conformance

#endif
