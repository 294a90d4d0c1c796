// SPDX-License-Identifier: GPL-2.0
// Cases about good frames: every size, reserved bits, the peeking reader, URG in TCP's header.
#include "cases.hh"

#include <poll.h>

namespace conformance {

namespace {

void established(Run &run, const std::function<void(Dialogue &)> &then)
{
	Dialogue dialogue(run);
	dialogue.establish();
	then(dialogue);
	dialogue.prove_encrypted();
}

void empty_frames(Run &run)
{
	established(run, [](Dialogue &d) {
		std::string reader = d.app_start("recv", "100");
		for (int i = 0; i < 5; i++)
			d.channel().send(Bytes{});
		d.tcp.wait_acknowledged();
		check(!d.run.device.answered(reader), "an empty frame woke recv()");
		Bytes data = text("data behind empty frames");
		d.channel().send(data);
		d.channel().send(Bytes{});
		Answer answer = d.run.device.finish(reader);
		check(answer.ok && answer.value == to_hex(data), "recv() gave " + answer.shown());
	});
}

void sizes_1_to_300(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes all;
		for (std::size_t size = 1; size <= 300; size++) {
			Bytes data = pattern(size, 0, size);
			append(all, data);
			d.channel().enqueue({.data = data});
		}
		std::string reader = d.app_start("recv", "1");
		d.tcp.flush();
		Answer first = d.run.device.finish(reader);
		check(first.ok && first.value == to_hex(View(all).first(1)), "recv() of one byte gave " + first.shown());
		d.app_receives(View(all).subspan(1));
	});
}

void one_frame_a_segment(Run &run)
{
	established(run, [](Dialogue &d) {
		for (std::size_t size = 0; size <= 300; size += 7) {
			Bytes data = pattern(size, 3, size);
			d.channel().send(data);
			if (size)
				d.app_receives(data);
		}
	});
}

void largest_frame(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes data = pattern(5, 0, 3 * frame_data_max);
		for (std::size_t i = 0; i < 3; i++)
			d.channel().enqueue({.data = slice(data, i * frame_data_max, frame_data_max)});
		std::string reader = d.app_start("drain", "5 0 " + std::to_string(data.size()));
		d.tcp.flush();
		Answer answer = d.run.device.finish(reader);
		check(answer.ok && answer.value == std::to_string(data.size()), "the reader got " + answer.shown());
	});
}

// A frame bigger than the receive buffer must not block for ever.
void largest_frame_small_buffer(Run &run)
{
	established(run, [](Dialogue &d) {
		// SOL_SOCKET 1, SO_RCVBUF 8, as on every Linux but a few old architectures.
		check(d.app("setsockopt", "1 8 00100000").ok, "SO_RCVBUF");
		Bytes data = pattern(6, 0, frame_data_max);
		d.channel().enqueue({.data = data});
		std::string reader = d.app_start("drain", "6 0 " + std::to_string(data.size()));
		d.tcp.flush(1000);
		Answer answer = d.run.device.finish(reader);
		check(answer.ok && answer.value == std::to_string(data.size()), "the reader got " + answer.shown());
	});
}

void reserved_control_bits(Run &run)
{
	established(run, [](Dialogue &d) {
		for (unsigned bit = 1; bit < 8; bit++) {
			Bytes data = text("reserved control bit " + std::to_string(bit));
			d.channel().send(Frame{.data = data, .control = static_cast<std::uint8_t>(1U << bit)});
			d.app_receives(data);
		}
		Bytes data = text("all reserved control bits");
		d.channel().send(Frame{.data = data, .control = control_reserved});
		d.app_receives(data);
	});
}

void reserved_flags(Run &run)
{
	established(run, [](Dialogue &d) {
		for (unsigned bit = 2; bit < 8; bit++) {
			Bytes data = text("reserved flag " + std::to_string(bit));
			d.channel().send(Frame{.data = data, .flags = static_cast<std::uint8_t>(1U << bit)});
			d.app_receives(data);
		}
		Bytes data = text("all reserved flags");
		d.channel().send(Frame{.data = data, .flags = flags_reserved});
		d.app_receives(data);
	});
}

void reserved_bits_with_finp(Run &run)
{
	Dialogue d(run);
	d.establish();
	d.prove_encrypted();
	Bytes data = text("the end");
	d.channel().send(Frame{.data = data, .control = control_reserved, .flags = flags_reserved | flag_fin});
	d.app_receives(data);
	d.app_reads_eof();
}

void peek_then_read(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes data = text("look twice");
		d.channel().send(data);
		Answer first = d.app("peek", "100");
		check(first.ok && first.value == to_hex(data), "recv(MSG_PEEK) gave " + first.shown());
		d.app_receives(data);
	});
}

void poll_sees_no_ciphertext(Run &run)
{
	established(run, [](Dialogue &d) {
		std::string pollin = std::to_string(POLLIN);
		Bytes data = text("0123456789");
		d.channel().enqueue({.data = data});
		std::uint64_t end = d.tcp.sent_length();
		d.tcp.send_range(end - frame_head - data.size() - 17, end - 1);
		d.tcp.wait_acknowledged();
		Answer early = d.app("poll", pollin + " 0");
		check(early.ok && early.value == "0", "poll() says readable before a frame is whole");
		std::string waiting = d.app_start("poll", pollin + " 9000");
		d.tcp.send_range(end - 1, end);
		Answer late = d.run.device.finish(waiting);
		check(late.ok && late.value == pollin, "poll() gave " + late.shown());
		d.app_receives(data);
	});
}

void reads_in_pieces(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes data = pattern(7, 0, 1000);
		d.channel().send(data);
		for (std::size_t at = 0, step = 1; at < data.size(); step++) {
			std::size_t length = std::min(step, data.size() - at);
			d.app_receives(View(data).subspan(at, length));
			at += length;
		}
	});
}

// F-07: urgent data only on the word of a frame. TCP's flag and pointer mean nothing, and eat no byte.
void urgent_pointer(Run &run)
{
	established(run, [](Dialogue &d) {
		std::string events = std::to_string(POLLIN | POLLPRI);
		Bytes all;
		for (std::uint16_t urgent : {1, 2, 3, 10, 20, 40}) {
			Bytes data = text("with URG set in the header");
			append(all, data);
			d.channel().enqueue({.data = data});
			Segment segment = d.tcp.blank(ACK | PSH | URG);
			segment.urgent = urgent;
			std::size_t length = frame_head + aead_tag_length + 1 + data.size();
			segment.payload = slice(d.tcp.sent(), d.tcp.sent_length() - length, length);
			d.tcp.transmit(segment);
			d.tcp.wait_acknowledged_to(d.tcp.sent_length());
		}
		Answer polled = d.app("poll", events + " 9000");
		check(polled.ok && polled.value == std::to_string(POLLIN), "poll() gave " + polled.shown() + ": POLLPRI?");
		d.app_receives(all);
	});
}

void urgent_pointer_on_init(Run &run)
{
	Dialogue d(run);
	d.open();
	check(d.encrypted(), "ENO failed");
	if (!d.is_passive())
		d.take_init();
	Bytes message = d.own_init();
	d.tcp.enqueue(message);
	Segment segment = d.tcp.blank(ACK | PSH | URG);
	segment.urgent = 5;
	segment.payload = message;
	d.tcp.transmit(segment);
	d.tcp.wait_acknowledged_to(message.size());
	if (d.is_passive())
		d.take_init();
	d.derive_keys(message);
	d.prove_encrypted();
}

} // namespace

void add_frame_cases(Cases &cases)
{
	cases.push_back({"F-01", "empty-frames", Roles::both, empty_frames});
	cases.push_back({"F-01", "frames-of-1-to-300-bytes", Roles::both, sizes_1_to_300});
	cases.push_back({"F-01", "one-frame-a-segment", Roles::both, one_frame_a_segment});
	cases.push_back({"F-01", "clen-65535", Roles::both, largest_frame});
	cases.push_back({"F-01", "clen-65535-small-buffer", Roles::both, largest_frame_small_buffer});
	cases.push_back({"F-03", "reserved-control-bits", Roles::both, reserved_control_bits});
	cases.push_back({"F-03", "reserved-flags", Roles::both, reserved_flags});
	cases.push_back({"F-03 F-06", "reserved-bits-with-finp", Roles::both, reserved_bits_with_finp});
	cases.push_back({"F-01", "peek-then-read", Roles::both, peek_then_read});
	cases.push_back({"F-01 F-04", "poll-sees-no-ciphertext", Roles::both, poll_sees_no_ciphertext});
	cases.push_back({"F-01", "reads-in-pieces", Roles::both, reads_in_pieces});
	cases.push_back({"F-07", "urgent-pointer-in-the-header", Roles::both, urgent_pointer});
	cases.push_back({"F-07", "urgent-pointer-on-init", Roles::both, urgent_pointer_on_init});
}

} // namespace conformance
