// SPDX-License-Identifier: GPL-2.0
// Cases about new keys in a running session: by the peer, by the device, by both, and rekeys that are wrong.
#include "cases.hh"

namespace conformance {

namespace {

void established(Run &run, const std::function<void(Dialogue &)> &then)
{
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	then(dialogue);
}

/** The device's answer to our rekey: a frame with rekey=1 and no data. */
void take_answer(Dialogue &d, unsigned generation)
{
	Frame frame = d.channel().read_frame();
	check(frame.control & control_rekey, "no rekey=1 in the device's next frame (F-09)");
	check(frame.data.empty(), "data from nowhere");
	check(frame.generation == generation, "generation " + std::to_string(frame.generation) + ", expected " +
						      std::to_string(generation));
}

void rekey_with_data(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes data = text("first data under the new key");
		d.channel().send_rekey(data);
		d.app_receives(data);
		take_answer(d, 1);
		d.prove_encrypted();
	});
}

void rekey_empty(Run &run)
{
	established(run, [](Dialogue &d) {
		std::string reader = d.app_start("recv", "100");
		d.channel().send_rekey();
		take_answer(d, 1);
		check(!d.run.device.answered(reader), "an empty rekey frame woke recv()");
		Bytes data = text("data under the new key");
		d.channel().send(data);
		Answer answer = d.run.device.finish(reader);
		check(answer.ok && answer.value == to_hex(data), "recv() gave " + answer.shown());
		d.prove_encrypted();
	});
}

void rekey_without_reader(Run &run)
{
	established(run, [](Dialogue &d) {
		d.channel().send_rekey();
		take_answer(d, 1);
		d.prove_encrypted();
	});
}

void rekey_with_data_without_reader(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes data = text("nobody reads this yet");
		d.channel().send(data);
		d.channel().send_rekey(data);
		take_answer(d, 1);
		d.app_receives(cat({data, data}));
		d.prove_encrypted();
	});
}

void rekey_many_times(Run &run)
{
	established(run, [](Dialogue &d) {
		for (unsigned generation = 1; generation <= 40; generation++) {
			Bytes data = text("generation " + std::to_string(generation));
			d.channel().send_rekey(data);
			d.app_receives(data);
			take_answer(d, generation);
		}
		d.prove_encrypted();
	});
}

// F-08: each generation has its own rekey=1 frame, also when the answer comes to several of ours.
void rekeys_in_a_row(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes all;
		for (unsigned generation = 1; generation <= 5; generation++) {
			Bytes data = text("generation " + std::to_string(generation));
			append(all, data);
			d.channel().sending.advance();
			d.channel().enqueue({.data = data, .control = control_rekey});
		}
		d.tcp.push();
		d.app_receives(all);
		for (unsigned generation = 1; generation <= 5; generation++)
			take_answer(d, generation);
		d.prove_encrypted();
	});
}

void rekey_with_reserved_bits(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes data = text("rekey and reserved bits");
		d.channel().sending.advance();
		d.channel().send(Frame{.data = data, .control = 0xff, .flags = flags_reserved});
		d.app_receives(data);
		take_answer(d, 1);
		d.prove_encrypted();
	});
}

void rekey_as_first_frame(Run &run)
{
	Dialogue d(run);
	d.establish();
	Bytes data = text("the very first frame");
	d.channel().send_rekey(data);
	d.app_receives(data);
	take_answer(d, 1);
	d.prove_encrypted();
}

void rekey_in_bulk(Run &run)
{
	established(run, [](Dialogue &d) {
		constexpr std::size_t size = 100000;
		constexpr std::size_t part = 1000;
		std::string count = std::to_string(size);
		std::string reader = d.app_start("drain", "1 0 " + count);
		std::string writer = d.app_start("fill", "2 0 " + count + " 3000");
		for (std::size_t at = 0; at < size; at += part) {
			bool rekey = at % (10 * part) == 0;
			if (rekey)
				d.channel().sending.advance();
			d.channel().enqueue({.data = pattern(1, at, part),
					     .control = static_cast<std::uint8_t>(rekey ? control_rekey : 0)});
		}
		d.tcp.flush();
		check(equal(d.channel().read(size), pattern(2, 0, size)), "other data than was written");
		check(d.run.device.finish(writer).ok, "the writer failed");
		Answer answer = d.run.device.finish(reader);
		check(answer.ok && answer.value == count, "the reader got " + answer.shown());
		while (d.channel().receiving.generation() < size / part / 10)
			d.channel().read_frame();
		d.prove_encrypted();
	});
}

// F-02: what was sent under the old key is retransmitted as it was.
void retransmission_across_rekey(Run &run)
{
	established(run, [](Dialogue &d) {
		// Or Nagle's algorithm holds the answer back.
		check(d.app("setsockopt", "6 1 01000000").ok, "TCP_NODELAY");
		std::size_t before = d.tcp.stream().size();
		d.tcp.acknowledge_limit = before;
		Bytes old_data = text("sent under the old key, not acknowledged");
		d.app_sends(old_data);
		std::size_t old_end = before + frame_head + 1 + old_data.size() + aead_tag_length;
		d.tcp.wait_stream(old_end);
		d.channel().send_rekey(text("x"));
		d.app_receives(text("x"));
		d.tcp.wait_stream(old_end + 1);
		d.tcp.skip_seen();
		std::uint32_t start = d.tcp.irs + 1 + static_cast<std::uint32_t>(before);
		for (int i = 0; i < 2; i++)
			d.tcp.wait_segment([&](const Segment &s) { return s.seq == start && !s.payload.empty(); },
					   "a retransmission of the old frame");
		d.tcp.acknowledge_limit = UINT64_MAX;
		d.tcp.send_ack();
		check(equal(d.channel().read(old_data.size()), old_data), "other data than was written");
		check(d.channel().receiving.generation() == 0, "the old frame is under the new key");
		take_answer(d, 1);
		d.prove_encrypted();
	});
}

// F-09: no frame may follow FINp, not even an answer.
void rekey_after_device_finp(Run &run)
{
	established(run, [](Dialogue &d) {
		check(d.app("shutdown", "wr").ok, "shutdown() failed");
		d.channel().read_to_finp();
		d.tcp.wait_finished();
		Bytes data = text("under a new key to a half-closed device");
		d.channel().send_rekey(data);
		d.app_receives(data);
		d.channel().send_rekey();
		d.channel().send(data);
		d.app_receives(data);
		check(d.tcp.stream().size() == d.channel().position(), "bytes behind the FINp frame");
	});
}

void rekey_with_finp(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes data = text("rekey, data and end in one");
		d.channel().sending.advance();
		d.channel().send(Frame{.data = data, .control = control_rekey, .flags = flag_fin});
		d.app_receives(data);
		d.app_reads_eof();
		take_answer(d, 1);
		Bytes more = text("the other direction goes on");
		d.app_sends(more);
		check(equal(d.channel().read(more.size()), more), "other data than was written");
	});
}

/** These bytes in the place of a frame, after one good rekey: EBADMSG. */
void wrong_rekey(Run &run, const std::function<Bytes(Dialogue &)> &make)
{
	established(run, [&make](Dialogue &d) {
		Bytes data = text("good rekey");
		d.channel().send_rekey(data);
		d.app_receives(data);
		take_answer(d, 1);
		d.tcp.send(make(d));
		d.prove_abort("EBADMSG");
	});
}

void rekey_skips_generation(Run &run)
{
	wrong_rekey(run, [](Dialogue &d) {
		d.channel().sending.advance();
		d.channel().sending.advance();
		return d.channel().sealed({.data = text("x"), .control = control_rekey});
	});
}

void new_key_without_rekey_bit(Run &run)
{
	wrong_rekey(run, [](Dialogue &d) {
		d.channel().sending.advance();
		return d.channel().sealed({.data = text("x")});
	});
}

void rekey_bit_without_new_key(Run &run)
{
	wrong_rekey(run, [](Dialogue &d) {
		return d.channel().sealed({.data = text("x"), .control = control_rekey});
	});
}

void old_key_after_rekey(Run &run)
{
	wrong_rekey(run, [](Dialogue &d) {
		const Direction &old = d.is_passive() ? d.session().ab : d.session().ba;
		return seal_frame(old, d.tcp.sent_length(), {.data = text("x")});
	});
}

void rekey_frame_replayed(Run &run)
{
	wrong_rekey(run, [](Dialogue &d) {
		std::size_t length = frame_head + 1 + text("good rekey").size() + aead_tag_length;
		return slice(d.tcp.sent(), d.tcp.sent_length() - length, length);
	});
}

void rekey_bit_forged(Run &run)
{
	wrong_rekey(run, [](Dialogue &d) {
		Bytes frame = d.channel().sealed({.data = text("x")});
		frame[0] |= control_rekey;
		return frame;
	});
}

/** The device rekeys by itself, with a small limit of frames a key. */
void device_rekeys(Run &run, bool answer)
{
	constexpr unsigned limit = 8;
	Setting setting("net.tcpcrypt.rekey_frames", std::to_string(limit));
	established(run, [answer](Dialogue &d) {
		d.channel().answer_rekeys = answer;
		std::size_t rounds = answer ? 50 : 12;
		for (std::size_t i = 0; i < rounds; i++) {
			Bytes data = text("write number " + std::to_string(i));
			d.app_sends(data);
			check(equal(d.channel().read(data.size()), data), "other data than was written");
		}
		unsigned generation = d.channel().receiving.generation();
		check(generation >= 1, "no rekey after " + std::to_string(d.channel().frames.size()) + " frames");
		std::vector<unsigned> frames(generation + 1);
		for (const Frame &frame : d.channel().frames)
			frames[frame.generation]++;
		if (answer)
			for (unsigned count : frames)
				check(count <= limit, std::to_string(count) + " frames under one key");
		Bytes data = text("the peer's data still arrives");
		d.channel().send(data);
		d.app_receives(data);
	});
}

void device_rekeys_by_frames(Run &run)
{
	device_rekeys(run, true);
}

void device_rekeys_without_answer(Run &run)
{
	device_rekeys(run, false);
}

void device_rekeys_by_bytes(Run &run)
{
	Setting setting("net.tcpcrypt.rekey_bytes", "100000");
	established(run, [](Dialogue &d) {
		constexpr std::size_t size = 600000;
		std::string writer = d.app_start("fill", "2 0 " + std::to_string(size) + " 50000");
		check(equal(d.channel().read(size), pattern(2, 0, size)), "other data than was written");
		check(d.run.device.finish(writer).ok, "the writer failed");
		check(d.channel().receiving.generation() >= 2, "generation " +
		      std::to_string(d.channel().receiving.generation()) + " after six times the limit");
		d.prove_encrypted();
	});
}

// Both sides begin a rekey at once: each answers the other's, nobody answers an answer.
void rekeys_cross(Run &run)
{
	Setting setting("net.tcpcrypt.rekey_frames", "4");
	established(run, [](Dialogue &d) {
		d.channel().answer_rekeys = false;
		while (d.channel().receiving.generation() == 0) {
			if (d.channel().frames.size() > 20)
				throw Failure("the device does not rekey");
			Bytes data = text("x");
			d.app_sends(data);
			Bytes same = text("our own rekey, before we saw the device's");
			d.tcp.wait_stream(d.channel().position() + frame_head + 18);
			View next = d.tcp.stream().subspan(d.channel().position());
			if (next[0] & control_rekey) {
				d.channel().send_rekey(same);
				d.app_receives(same);
			}
			check(equal(d.channel().read(1), data), "other data than was written");
		}
		check(d.channel().receiving.generation() == 1, "an answer to an answer");
		d.channel().answer_rekeys = true;
		d.prove_encrypted();
	});
}

} // namespace

void add_rekey_cases(Cases &cases)
{
	cases.push_back({"F-09 F-08", "rekey-with-data", Roles::both, rekey_with_data});
	cases.push_back({"F-09 F-08", "rekey-empty", Roles::both, rekey_empty});
	cases.push_back({"F-09", "rekey-without-reader", Roles::both, rekey_without_reader});
	cases.push_back({"F-09", "rekey-with-data-without-reader", Roles::both, rekey_with_data_without_reader});
	cases.push_back({"F-08 F-09 F-11", "rekey-40-times", Roles::both, rekey_many_times});
	cases.push_back({"F-08 F-09", "rekeys-in-a-row", Roles::both, rekeys_in_a_row});
	cases.push_back({"F-08 F-03", "rekey-with-reserved-bits", Roles::both, rekey_with_reserved_bits});
	cases.push_back({"F-08 F-09", "rekey-as-first-frame", Roles::both, rekey_as_first_frame});
	cases.push_back({"F-08 F-09", "rekey-in-bulk", Roles::both, rekey_in_bulk});
	cases.push_back({"F-02", "retransmission-across-rekey", Roles::both, retransmission_across_rekey});
	cases.push_back({"F-09 F-05", "rekey-after-device-finp", Roles::both, rekey_after_device_finp});
	cases.push_back({"F-09 F-06", "rekey-with-finp", Roles::both, rekey_with_finp});
	cases.push_back({"F-08 F-04", "rekey-skips-generation", Roles::both, rekey_skips_generation});
	cases.push_back({"F-08 F-04", "new-key-without-rekey-bit", Roles::both, new_key_without_rekey_bit});
	cases.push_back({"F-08 F-04", "rekey-bit-without-new-key", Roles::both, rekey_bit_without_new_key});
	cases.push_back({"F-08 F-04", "old-key-after-rekey", Roles::both, old_key_after_rekey});
	cases.push_back({"F-08 F-04", "rekey-frame-replayed", Roles::both, rekey_frame_replayed});
	cases.push_back({"F-08 F-04", "rekey-bit-forged", Roles::both, rekey_bit_forged});
	cases.push_back({"F-13 F-08", "device-rekeys-by-frames", Roles::both, device_rekeys_by_frames});
	cases.push_back({"F-13 F-10", "device-rekeys-unanswered", Roles::both, device_rekeys_without_answer});
	cases.push_back({"F-13 F-08", "device-rekeys-by-bytes", Roles::both, device_rekeys_by_bytes});
	cases.push_back({"F-09 F-13", "rekeys-cross", Roles::both, rekeys_cross});
}

} // namespace conformance
