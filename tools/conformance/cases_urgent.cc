// SPDX-License-Identifier: GPL-2.0
// Cases about urgent data: what a frame says of it counts, what TCP's header says does not.
#include "cases.hh"

#include <poll.h>
#include <sys/socket.h>

namespace conformance {

namespace {

/** Frames, and where their marks are in the stream; all data stay in it (SO_OOBINLINE). */
struct Marked {
	const char *ids;
	const char *name;
	std::vector<Frame> frames;
	/** Reads end before this byte; no value: the byte does not come. */
	std::optional<std::size_t> mark;
};

Frame urgent(std::uint16_t distance, std::size_t length, std::uint8_t flags = 0)
{
	return {.data = pattern(7, distance, length), .flags = static_cast<std::uint8_t>(flag_urgent | flags),
		.urgent = distance};
}

Frame plain(std::size_t length)
{
	return {.data = pattern(8, length, length)};
}

const std::vector<Marked> &marked()
{
	static const std::vector<Marked> all{
		{"F-07", "urgent-0", {urgent(0, 10)}, 0},
		{"F-07", "urgent-0-of-one-byte", {urgent(0, 1)}, 0},
		{"F-07", "urgent-last-byte", {urgent(9, 10)}, 9},
		{"F-07", "urgent-in-the-middle", {plain(20), urgent(4, 10), plain(5)}, 24},
		{"F-07", "urgent-behind-its-frame", {urgent(10, 10), plain(10)}, 10},
		{"F-07", "urgent-far-behind-its-frame", {urgent(25, 10), plain(10), plain(1), plain(10)}, 25},
		{"F-07", "urgent-65535", {urgent(65535, 5), plain(30000), plain(30000), plain(6000)}, 65535},
		{"F-07", "urgent-65535-and-no-more", {urgent(65535, 5)}, {}},
		{"F-07", "urgent-0-of-an-empty-frame", {urgent(0, 0), plain(3)}, 0},
		{"F-07", "urgent-3-of-an-empty-frame", {plain(2), urgent(3, 0), plain(3), plain(3)}, 5},
		{"F-07", "urgent-of-many-empty-frames", {urgent(0, 0), urgent(1, 0), urgent(2, 0), plain(4)}, 2},
		{"F-07", "urgent-twice-the-newer-counts", {urgent(3, 10), urgent(2, 10)}, 12},
		{"F-07", "urgent-twice-the-farther-counts", {urgent(15, 10), urgent(1, 10)}, 15},
		{"F-07", "urgent-in-every-frame", {urgent(0, 1), urgent(0, 1), urgent(0, 1), urgent(1, 2), plain(1)}, 4},
		{"F-07", "urgent-in-a-large-frame", {urgent(20000, 30000), plain(10)}, 20000},
	};
	return all;
}

void inline_urgent(Dialogue &d)
{
	Answer answer = d.app("setsockopt", std::to_string(SOL_SOCKET) + " " + std::to_string(SO_OOBINLINE) + " 01000000");
	check(answer.ok, "SO_OOBINLINE: " + answer.shown());
}

void at_mark(Dialogue &d, bool wanted)
{
	Answer answer = d.app("atmark");
	check(answer.ok && answer.value == (wanted ? "1" : "0"), "SIOCATMARK gave " + answer.shown());
}

void told(Dialogue &d, bool wanted)
{
	Answer answer = d.app("poll", std::to_string(POLLPRI) + (wanted ? " 9000" : " 20"));
	check(answer.ok && answer.value == std::to_string(wanted ? POLLPRI : 0), "poll() gave " + answer.shown());
}

/** Sends the frames; what would fill the window is read, it is in front of the mark. Returns the rest. */
Bytes send_all(Dialogue &d, const std::vector<Frame> &frames, std::size_t &done)
{
	Bytes all;
	for (const Frame &frame : frames) {
		if (all.size() + frame.data.size() > 40000) {
			d.app_receives(all);
			done += all.size();
			all.clear();
		}
		append(all, frame.data);
		d.channel().enqueue(frame);
		d.tcp.flush();
	}
	return all;
}

/** The data come, whatever is said to be urgent of them. */
void data_comes(Run &run, const Marked &item)
{
	Dialogue d(run);
	d.establish();
	inline_urgent(d);
	std::size_t before = 0;
	Bytes rest = send_all(d, item.frames, before);
	d.app_receives(rest);
	d.prove_encrypted();
}

/** Reads end at the mark. The model knows of none: it has no such sysctl, and is skipped. */
void mark_is_there(Run &run, const Marked &item)
{
	Setting kernel_only("net.tcpcrypt.frame_max", "65518");
	Dialogue d(run);
	d.establish();
	inline_urgent(d);
	at_mark(d, false);
	std::size_t before = 0;
	Bytes rest = send_all(d, item.frames, before);
	told(d, item.mark.has_value());
	if (item.mark) {
		/* One read would take all, and goes to the mark. */
		std::size_t done = 0, length = *item.mark - before;
		while (done < length) {
			at_mark(d, false);
			Answer answer = d.app("recv", "200000");
			auto got = from_hex(answer.value);
			check(answer.ok && got && !got->empty() && got->size() <= length - done,
			      "recv() gave " + answer.shown().substr(0, 80) + ", " +
				      std::to_string(length - done) + " bytes in front of the mark");
			check(equal(*got, slice(rest, done, got->size())), "other bytes than were sent");
			done += got->size();
		}
		at_mark(d, true);
		told(d, true);
		d.app_receives(View(rest).subspan(done));
		at_mark(d, false);
		told(d, false);
	} else {
		d.app_receives(rest);
	}
	/* What was announced and has not come lies in this, and is an end for one read of it. */
	d.prove_encrypted();
}

void with_finp(Run &run, std::uint16_t distance)
{
	Dialogue d(run);
	d.establish();
	inline_urgent(d);
	d.channel().send(urgent(distance, 10, flag_fin));
	d.app_receives(urgent(distance, 10).data);
	d.app_reads_eof();
}

void with_rekey(Run &run)
{
	Dialogue d(run);
	d.establish();
	inline_urgent(d);
	d.channel().sending.advance();
	Frame frame = urgent(2, 10);
	frame.control = control_rekey;
	d.channel().send(frame);
	check(d.channel().read_frame().generation == 1, "the rekey was not answered");
	d.app_receives(frame.data);
	d.prove_encrypted();
}

/** Not a byte is lost, and nobody hears of urgent data. */
void header_says_urgent(Run &run)
{
	Dialogue d(run);
	d.establish();
	Bytes all;
	for (std::uint16_t pointer : {0, 1, 2, 5, 21, 30, 65535}) {
		Bytes data = text("with URG in the header");
		append(all, data);
		std::uint64_t before = d.tcp.sent_length();
		d.channel().enqueue({.data = data});
		Segment segment = d.tcp.blank(ACK | PSH | URG);
		segment.urgent = pointer;
		segment.payload = slice(d.tcp.sent(), before, d.tcp.sent_length() - before);
		d.tcp.transmit(segment);
		d.tcp.wait_acknowledged_to(d.tcp.sent_length());
		told(d, false);
		at_mark(d, false);
	}
	d.app_receives(all);
	at_mark(d, false);
	d.prove_encrypted();
}

void header_without_early_demux(Run &run)
{
	Setting setting("net.ipv4.ip_early_demux", "0");
	header_says_urgent(run);
}

} // namespace

void add_urgent_cases(Cases &cases)
{
	for (const Marked &item : marked()) {
		std::string name = item.name;
		cases.push_back({item.ids, name, Roles::both, [&item](Run &run) { data_comes(run, item); }});
		cases.push_back({item.ids, name + "-mark", Roles::both, [&item](Run &run) { mark_is_there(run, item); }});
	}
	cases.push_back({"F-07", "urgent-with-finp", Roles::both, [](Run &run) { with_finp(run, 4); }});
	cases.push_back({"F-07", "urgent-behind-finp", Roles::both, [](Run &run) { with_finp(run, 10); }});
	cases.push_back({"F-07 F-09", "urgent-with-rekey", Roles::both, with_rekey});
	cases.push_back({"F-07", "urgent-header-is-void", Roles::both, header_says_urgent});
	cases.push_back({"F-07", "urgent-header-is-void-without-early-demux", Roles::both, header_without_early_demux});
}

} // namespace conformance
