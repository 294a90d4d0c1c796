// SPDX-License-Identifier: GPL-2.0
// Cases about bad frames: each field altered, too short, replayed, reflected.
#include "cases.hh"

#include <algorithm>

namespace conformance {

namespace {

/**
 * A good frame, then these bytes in the place of the next one: the application gets the good one's data and nothing
 * of the bad one, then EBADMSG, and the wire RST.
 */
void bad_frame(Run &run, const std::function<void(Dialogue &, Bytes &)> &spoil)
{
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	Bytes good = text("the good frame");
	dialogue.channel().enqueue({.data = good});
	Bytes bytes = dialogue.channel().sealed({.data = text("the altered frame, of some length")});
	spoil(dialogue, bytes);
	dialogue.channel().enqueue_raw(bytes);
	std::string reader = dialogue.app_start("recv", "1000");
	dialogue.tcp.flush_until_reset();
	// The abort may overtake data that the application has not read yet, so it need not get the good frame.
	Answer answer = run.device.finish(reader);
	if (answer.ok) {
		check(answer.value == to_hex(good), "recv() gave " + answer.shown());
		dialogue.prove_abort("EBADMSG");
	} else {
		check(answer.value == "EBADMSG", "recv() failed with " + answer.value + ", expected EBADMSG");
		dialogue.tcp.wait_reset();
	}
}

struct Tamper {
	const char *ids;
	const char *name;
	void (*spoil)(Dialogue &dialogue, Bytes &frame);
};

/* control (0) | clen (1, 2) | flags (3) | data | tag (the last 16) */
const Tamper tamper_table[] = {
	{"F-04 F-03", "control-reserved-bit", [](Dialogue &, Bytes &f) { f[0] ^= 0x80; }},
	{"F-04 F-03", "control-lowest-reserved-bit", [](Dialogue &, Bytes &f) { f[0] ^= 0x02; }},
	{"F-04 F-08", "control-rekey-bit", [](Dialogue &, Bytes &f) { f[0] ^= control_rekey; }},
	{"F-04", "clen-one-less", [](Dialogue &, Bytes &f) { f[2]--; }},
	{"F-04", "clen-one-more",
	 [](Dialogue &, Bytes &f) {
		 f[2]++;
		 append(f, Bytes(10, 0));
	 }},
	{"F-04", "clen-high-byte",
	 [](Dialogue &, Bytes &f) {
		 f[1] = 1;
		 append(f, Bytes(256, 0x5a));
	 }},
	{"F-04", "ciphertext-first-byte", [](Dialogue &, Bytes &f) { f[3] ^= 0x01; }},
	{"F-04", "ciphertext-second-byte", [](Dialogue &, Bytes &f) { f[4] ^= 0x80; }},
	{"F-04", "ciphertext-last-byte", [](Dialogue &, Bytes &f) { f[f.size() - 17] ^= 0x01; }},
	{"F-04", "tag-first-byte", [](Dialogue &, Bytes &f) { f[f.size() - 16] ^= 0x01; }},
	{"F-04", "tag-last-byte", [](Dialogue &, Bytes &f) { f.back() ^= 0x80; }},
	{"F-04", "tag-all-zero", [](Dialogue &, Bytes &f) { std::fill(f.end() - 16, f.end(), std::uint8_t{0}); }},
	{"F-04", "zeros-in-the-place-of-a-frame", [](Dialogue &, Bytes &f) { f.assign(200, 0); }},
	{"F-04", "ff-in-the-place-of-a-frame", [](Dialogue &, Bytes &f) { f.assign(65538, 0xff); }},
	{"F-01 F-04", "clen-0", [](Dialogue &, Bytes &f) { f = {0, 0, 0}; }},
	{"F-01 F-04", "clen-1", [](Dialogue &, Bytes &f) { f = {0, 0, 1, 0x55}; }},
	{"F-01 F-04", "clen-15", [](Dialogue &, Bytes &f) { f = Bytes{0, 0, 15}, f.resize(18, 0x55); }},
	{"F-01 F-04", "clen-16-tag-of-nothing",
	 [](Dialogue &d, Bytes &f) { f = seal_plaintext(d.channel().sending, d.tcp.sent_length(), 0, {}); }},
	{"F-01 F-04", "clen-0-then-good-frame",
	 [](Dialogue &d, Bytes &f) {
		 f = {0, 0, 0};
		 append(f, seal_frame(d.channel().sending, d.tcp.sent_length() + 3, {.data = text("behind it")}));
	 }},
	{"F-01", "urgent-flag-without-room",
	 [](Dialogue &d, Bytes &f) {
		 f = seal_plaintext(d.channel().sending, d.tcp.sent_length(), 0, Bytes{flag_urgent});
	 }},
	{"F-01", "urgent-flag-with-one-byte",
	 [](Dialogue &d, Bytes &f) {
		 f = seal_plaintext(d.channel().sending, d.tcp.sent_length(), 0, Bytes{flag_urgent, 0});
	 }},
	// The frame before this one, again: its offset is another one now.
	{"F-04 F-02", "frame-replayed",
	 [](Dialogue &d, Bytes &f) {
		 std::size_t length = frame_head + aead_tag_length + 1 + text("the good frame").size();
		 f = slice(d.tcp.sent(), d.tcp.sent_length() - length, length);
	 }},
	{"F-04 F-02", "offset-one-less",
	 [](Dialogue &d, Bytes &f) { f = seal_frame(d.channel().sending, d.tcp.sent_length() - 1, {.data = text("x")}); }},
	{"F-04 F-02", "offset-without-init",
	 [](Dialogue &d, Bytes &f) {
		 Bytes init = d.own_init();
		 f = seal_frame(d.channel().sending, d.tcp.sent_length() - init.size(), {.data = text("x")});
	 }},
	{"F-04 F-02", "offset-zero",
	 [](Dialogue &d, Bytes &f) { f = seal_frame(d.channel().sending, 0, {.data = text("x")}); }},
	// Each direction has its own keys.
	{"F-04", "sealed-with-the-devices-key",
	 [](Dialogue &d, Bytes &f) { f = seal_frame(d.channel().receiving, d.tcp.sent_length(), {.data = text("x")}); }},
	{"F-04", "devices-frame-reflected",
	 [](Dialogue &d, Bytes &f) {
		 std::size_t init = d.device_init->wire.size();
		 f = slice(d.tcp.stream(), init, d.tcp.stream().size() - init);
	 }},
};

// The first frame of all is bad: also then an error, and no data.
void first_frame_bad(Run &run)
{
	Dialogue dialogue(run);
	dialogue.establish();
	Bytes bytes = dialogue.channel().sealed({.data = text("never good")});
	bytes.back() ^= 1;
	dialogue.tcp.send(bytes);
	dialogue.prove_abort("EBADMSG");
}

void frames_swapped(Run &run)
{
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	std::uint64_t at = dialogue.tcp.sent_length();
	Bytes first = seal_frame(dialogue.channel().sending, at, {.data = text("first")});
	Bytes second = seal_frame(dialogue.channel().sending, at + first.size(), {.data = text("other")});
	dialogue.tcp.send(cat({second, first}));
	dialogue.prove_abort("EBADMSG");
}

void bad_finp(Run &run)
{
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	Bytes bytes = dialogue.channel().sealed({.flags = flag_fin});
	bytes[3] ^= 0x40;
	dialogue.tcp.send(bytes);
	dialogue.tcp.send_fin();
	dialogue.prove_abort("EBADMSG");
}

// Every bit of a small frame, one connection each.
void every_byte_altered(Run &run)
{
	std::size_t length = frame_head + 1 + 4 + aead_tag_length;
	for (std::size_t at = 0; at < length; at++) {
		Dialogue dialogue(run);
		dialogue.establish();
		Bytes bytes = dialogue.channel().sealed({.data = text("four")});
		bytes[at] ^= static_cast<std::uint8_t>(1U << at % 8);
		// What follows completes the frame when clen grew.
		append(bytes, Bytes(70000, 0));
		dialogue.tcp.enqueue(bytes);
		try {
			std::string reader = dialogue.app_start("recv", "1000");
			dialogue.tcp.flush_until_reset();
			Answer answer = run.device.finish(reader);
			check(!answer.ok && answer.value == "EBADMSG", "recv() gave " + answer.shown());
			dialogue.tcp.wait_reset();
		} catch (const Failure &failure) {
			throw Failure("byte " + std::to_string(at) + " altered: " + failure.what());
		}
		dialogue.app("close");
	}
}

// F-04: after the abort the connection is gone for the writer too.
void writer_after_abort(Run &run)
{
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	Bytes bytes = dialogue.channel().sealed({.data = text("altered")});
	bytes.back() ^= 1;
	std::string reader = dialogue.app_start("recv", "100");
	dialogue.tcp.send(bytes);
	dialogue.tcp.wait_reset();
	Answer answer = run.device.finish(reader);
	check(!answer.ok && answer.value == "EBADMSG", "recv() gave " + answer.shown());
	Answer written = dialogue.app("send", "00");
	check(!written.ok, "send() succeeds on an aborted connection");
	Answer again = dialogue.app("recv", "100");
	check(!(again.ok && again.value != "-"), "recv() gave data after the abort");
}

} // namespace

void add_tamper_cases(Cases &cases)
{
	for (const Tamper &entry : tamper_table)
		cases.push_back({entry.ids, entry.name, Roles::both,
				 [&entry](Run &run) { bad_frame(run, entry.spoil); }});
	cases.push_back({"F-04", "first-frame-altered", Roles::both, first_frame_bad});
	cases.push_back({"F-04 F-02", "frames-swapped", Roles::both, frames_swapped});
	cases.push_back({"F-04 F-06", "finp-frame-altered", Roles::both, bad_finp});
	cases.push_back({"F-04", "every-byte-altered", Roles::both, every_byte_altered, true});
	cases.push_back({"F-04", "writer-after-abort", Roles::both, writer_after_abort});
}

} // namespace conformance
