// SPDX-License-Identifier: GPL-2.0
// Cases about how TCP carries frames: boundaries, order, overlap, loss, windows.
#include "cases.hh"

#include <algorithm>
#include <random>

namespace conformance {

namespace {

constexpr unsigned fixed_seed = 8548;

/** Several frames are enqueued, @transmit sends them somehow, and the application reads their data. */
void carried(Run &run, const std::function<void(Tcp &, std::uint64_t from, std::uint64_t to)> &transmit)
{
	Dialogue d(run);
	d.establish();
	d.prove_encrypted();
	Bytes all;
	std::uint64_t from = d.tcp.sent_length();
	for (std::size_t size : {1U, 50U, 0U, 200U, 7U, 1000U, 30U}) {
		Bytes data = pattern(size, 5, size);
		append(all, data);
		d.channel().enqueue({.data = data});
	}
	std::uint64_t to = d.tcp.sent_length();
	transmit(d.tcp, from, to);
	d.app_receives(all);
	d.tcp.wait_acknowledged_to(to);
	d.prove_encrypted();
}

void one_byte_segments(Run &run)
{
	carried(run, [](Tcp &tcp, std::uint64_t, std::uint64_t) { tcp.push(1); });
}

void backwards(Run &run)
{
	carried(run, [](Tcp &tcp, std::uint64_t from, std::uint64_t to) {
		for (std::uint64_t end = to; end > from; end -= std::min<std::uint64_t>(end - from, 37))
			tcp.send_range(end - std::min<std::uint64_t>(end - from, 37), end);
	});
}

void shuffled(Run &run)
{
	carried(run, [](Tcp &tcp, std::uint64_t from, std::uint64_t to) {
		std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
		for (std::uint64_t at = from; at < to; at += 60)
			ranges.emplace_back(at, std::min(at + 60, to));
		std::shuffle(ranges.begin(), ranges.end(), std::mt19937(fixed_seed));
		for (auto [first, last] : ranges)
			tcp.send_range(first, last);
	});
}

void duplicated(Run &run)
{
	carried(run, [](Tcp &tcp, std::uint64_t from, std::uint64_t to) {
		for (std::uint64_t at = from; at < to; at += 100)
			for (int i = 0; i < 3; i++)
				tcp.send_range(at, std::min(at + 100, to));
		tcp.send_range(from, to);
	});
}

void overlapping(Run &run)
{
	carried(run, [](Tcp &tcp, std::uint64_t from, std::uint64_t to) {
		std::mt19937 random(fixed_seed);
		for (int i = 0; i < 60; i++) {
			std::uint64_t first = from + random() % (to - from);
			std::uint64_t last = std::min<std::uint64_t>(to, first + 1 + random() % 400);
			tcp.send_range(first, last);
		}
		tcp.send_range(from, to);
	});
}

void lost_and_sent_again(Run &run)
{
	carried(run, [](Tcp &tcp, std::uint64_t from, std::uint64_t to) {
		// Every other piece is lost; then all comes again with other boundaries.
		for (std::uint64_t at = from; at < to; at += 160)
			tcp.send_range(at, std::min(at + 80, to));
		for (std::uint64_t at = from; at < to; at += 301)
			tcp.send_range(at, std::min(at + 301, to));
	});
}

// RFC 793: what lies before or behind the window is not data.
void outside_the_window(Run &run)
{
	carried(run, [](Tcp &tcp, std::uint64_t from, std::uint64_t to) {
		Segment segment = tcp.blank(ACK | PSH);
		segment.payload = Bytes(30, 'X');
		segment.seq -= 30;
		tcp.transmit(segment);
		segment.seq += far_away;
		tcp.transmit(segment);
		tcp.send_range(from, to);
	});
}

void wrong_checksum(Run &run)
{
	carried(run, [](Tcp &tcp, std::uint64_t from, std::uint64_t to) {
		Segment segment = tcp.blank(ACK | PSH);
		segment.payload = Bytes(static_cast<std::size_t>(to - from), 'X');
		segment.bad_checksum = true;
		tcp.transmit(segment);
		tcp.send_range(from, to);
	});
}

void cut_at_every_byte(Run &run)
{
	Dialogue d(run);
	d.establish();
	d.prove_encrypted();
	std::size_t length = frame_head + 1 + 10 + aead_tag_length;
	for (std::size_t cut = 1; cut < length; cut++) {
		Bytes data = pattern(cut, 0, 10);
		std::uint64_t from = d.tcp.sent_length();
		d.channel().enqueue({.data = data});
		std::string reader = d.app_start("recv", "100");
		d.tcp.send_range(from, from + cut, PSH);
		d.tcp.wait_acknowledged();
		check(!d.run.device.answered(reader), "recv() returned before the frame was whole");
		d.tcp.send_range(from + cut, from + length, PSH);
		Answer answer = d.run.device.finish(reader);
		check(answer.ok && answer.value == to_hex(data), "recv() gave " + answer.shown());
	}
	d.prove_encrypted();
}

// F-02: nothing is acknowledged for a while, and the device's writer goes on: same bytes each time (Tcp compares).
void retransmission_same_bytes(Run &run)
{
	Dialogue d(run);
	d.establish();
	d.prove_encrypted();
	std::size_t before = d.tcp.stream().size();
	d.tcp.acknowledge_limit = before;
	Bytes all;
	std::uint32_t start = d.tcp.irs + 1 + static_cast<std::uint32_t>(before);
	for (int i = 0; i < 4; i++) {
		Bytes data = pattern(static_cast<std::uint64_t>(i), 0, 700);
		append(all, data);
		d.app_sends(data);
		if (i == 0)
			d.tcp.wait_stream(before + 700);
	}
	d.tcp.skip_seen();
	for (int i = 0; i < 3; i++)
		d.tcp.wait_segment([&](const Segment &s) { return s.seq == start && !s.payload.empty(); },
				   "a retransmission");
	d.tcp.acknowledge_limit = UINT64_MAX;
	d.tcp.send_ack();
	check(equal(d.channel().read(all.size()), all), "other data than was written");
	d.prove_encrypted();
}

void partial_acknowledgement(Run &run)
{
	Dialogue d(run);
	d.establish();
	d.prove_encrypted();
	std::size_t before = d.tcp.stream().size();
	d.tcp.acknowledge_limit = before;
	Bytes data = pattern(1, 0, 4000);
	d.app_sends(data);
	d.tcp.wait_stream(before + 4000);
	// An odd number of bytes at a time, so that what is sent again begins inside of frames and segments.
	for (std::size_t step = 137; step < 4000; step += 977) {
		d.tcp.acknowledge_limit = before + step;
		d.tcp.skip_seen();
		d.tcp.send_ack();
		std::uint32_t next = d.tcp.irs + 1 + static_cast<std::uint32_t>(before + step);
		d.tcp.wait_segment([&](const Segment &s) { return s.seq == next && !s.payload.empty(); },
				   "a retransmission from the acknowledged byte on");
	}
	d.tcp.acknowledge_limit = UINT64_MAX;
	d.tcp.send_ack();
	check(equal(d.channel().read(data.size()), data), "other data than was written");
	d.prove_encrypted();
}

void closed_window(Run &run)
{
	Dialogue d(run);
	d.establish();
	d.prove_encrypted();
	// The ACK of new data carries the news: older kernels take no closing window from another one.
	d.tcp.window = 0;
	d.app_sends(text("x"));
	check(equal(d.channel().read(1), text("x")), "other data than was written");
	std::size_t before = d.tcp.stream().size();
	Bytes data = pattern(1, 0, 30000);
	d.app_sends(data);
	d.tcp.skip_seen();
	d.tcp.wait_segment([](const Segment &s) { return s.has(ACK); }, "a window probe");
	check(d.tcp.stream().size() <= before + 1, "data into a closed window");
	d.tcp.window = 500;
	d.tcp.send_ack();
	d.tcp.wait_stream(before + 2000);
	d.tcp.window = 65535;
	d.tcp.send_ack();
	check(equal(d.channel().read(data.size()), data), "other data than was written");
	d.prove_encrypted();
}

void window_closed_during_handshake(Run &run)
{
	Dialogue d(run);
	d.tcp.window = 40;
	d.open();
	check(d.encrypted(), "ENO failed");
	d.exchange();
	d.tcp.window = 65535;
	d.tcp.send_ack();
	d.prove_encrypted();
}

// A reader that never reads must stop the sender by TCP's window, and lose nothing.
void slow_reader(Run &run)
{
	Dialogue d(run);
	d.establish();
	d.prove_encrypted();
	check(d.app("setsockopt", "1 8 00200000").ok, "SO_RCVBUF");
	constexpr std::size_t size = 300000;
	for (std::size_t at = 0; at < size; at += 3000)
		d.channel().enqueue({.data = pattern(1, at, 3000)});
	std::string poller = d.app_start("poll", "1 9000");
	// Push until nothing is taken any more.
	bool stalled = false;
	std::uint64_t sent = d.tcp.acknowledged();
	while (!stalled && sent < d.tcp.sent_length()) {
		std::uint64_t to = std::min<std::uint64_t>(sent + 1400, d.tcp.sent_length());
		d.tcp.send_range(sent, to, PSH);
		stalled = !run.wire.wait_for([&] { return d.tcp.acknowledged() >= to; }, Millis(500));
		sent = d.tcp.acknowledged();
	}
	check(stalled, "the device takes data without end although nobody reads");
	check(run.device.finish(poller).value == "1", "poll() does not say readable");
	std::string reader = d.app_start("drain", "1 0 " + std::to_string(size));
	d.tcp.flush();
	Answer answer = run.device.finish(reader);
	check(answer.ok && answer.value == std::to_string(size), "the reader got " + answer.shown());
	d.prove_encrypted();
}

// Keep-alive probes of ours, the last old byte again, are acknowledged and change nothing.
void keepalive_probe(Run &run)
{
	carried(run, [](Tcp &tcp, std::uint64_t from, std::uint64_t to) {
		for (int i = 0; i < 3; i++) {
			tcp.skip_seen();
			tcp.send_range(from - 1, from);
			tcp.wait_segment([](const Segment &s) { return s.has(ACK); }, "the ACK of a keep-alive probe");
		}
		tcp.send_range(from, to);
	});
}

} // namespace

void add_segment_cases(Cases &cases)
{
	cases.push_back({"F-01", "frames-in-one-byte-segments", Roles::both, one_byte_segments});
	cases.push_back({"F-01", "frames-backwards", Roles::both, backwards});
	cases.push_back({"F-01", "frames-shuffled", Roles::both, shuffled});
	cases.push_back({"F-01", "frames-duplicated", Roles::both, duplicated});
	cases.push_back({"F-01", "frames-overlapping", Roles::both, overlapping});
	cases.push_back({"F-01", "frames-lost-and-sent-again", Roles::both, lost_and_sent_again});
	cases.push_back({"F-01", "frames-and-bytes-outside-the-window", Roles::both, outside_the_window});
	cases.push_back({"F-01", "frames-and-wrong-checksum", Roles::both, wrong_checksum});
	cases.push_back({"F-01", "frame-cut-at-every-byte", Roles::both, cut_at_every_byte});
	cases.push_back({"F-02", "retransmission-same-bytes", Roles::both, retransmission_same_bytes});
	cases.push_back({"F-02", "partial-acknowledgement", Roles::both, partial_acknowledgement});
	cases.push_back({"F-02", "closed-window", Roles::both, closed_window});
	cases.push_back({"K-02", "small-window-during-handshake", Roles::both, window_closed_during_handshake});
	cases.push_back({"F-01", "slow-reader", Roles::both, slow_reader, true, true});
	cases.push_back({"F-12", "peer-probes", Roles::both, keepalive_probe});
}

} // namespace conformance
