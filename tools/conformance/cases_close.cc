// SPDX-License-Identifier: GPL-2.0
// Cases about the end of a stream: FINp and FIN, without each other, and what must not follow them.
#include "cases.hh"

#include <poll.h>

namespace conformance {

namespace {

/** Established, and shown to be encrypted. */
void established(Run &run, const std::function<void(Dialogue &)> &then)
{
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	then(dialogue);
}

/** The device's stream ends as it must: a FINp frame, the last, then FIN. */
Bytes device_ends(Dialogue &d)
{
	Bytes data = d.channel().read_to_finp();
	d.tcp.wait_finished();
	check(d.tcp.stream().size() == d.channel().position(), "bytes between the FINp frame and the FIN (F-05)");
	return data;
}

void finp_then_fin(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes data = text("the last data");
		d.channel().send(data);
		d.channel().send_finp();
		d.tcp.send_fin();
		d.app_receives(data);
		d.app_reads_eof();
		d.app_reads_eof();
	});
}

void finp_with_data(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes data = text("data and end in one frame");
		d.channel().send(Frame{.data = data, .flags = flag_fin});
		d.tcp.send_fin();
		d.app_receives(data);
		d.app_reads_eof();
	});
}

void finp_with_fin_in_one_segment(Run &run)
{
	established(run, [](Dialogue &d) {
		d.channel().enqueue({.flags = flag_fin});
		std::uint64_t end = d.tcp.sent_length();
		d.tcp.send_range(end - frame_head - 1 - aead_tag_length, end, PSH | FIN);
		d.app_reads_eof();
	});
}

void finp_without_fin(Run &run)
{
	established(run, [](Dialogue &d) {
		std::string reader = d.app_start("recv", "100");
		d.channel().send_finp();
		Answer answer = d.run.device.finish(reader);
		check(answer.ok && answer.value == "-", "recv() gave " + answer.shown() + " and not end-of-file");
		// The other direction goes on.
		Bytes data = text("still going");
		d.app_sends(data);
		check(equal(d.channel().read(data.size()), data), "other data than was written");
	});
}

void fin_without_finp(Run &run)
{
	established(run, [](Dialogue &d) {
		d.tcp.send_fin();
		d.prove_abort("ECONNABORTED");
	});
}

void fin_without_finp_while_reading(Run &run)
{
	established(run, [](Dialogue &d) {
		std::string reader = d.app_start("recv", "100");
		d.tcp.send_fin();
		Answer answer = d.run.device.finish(reader);
		check(!answer.ok && answer.value == "ECONNABORTED", "recv() gave " + answer.shown());
		d.tcp.wait_reset();
	});
}

void fin_behind_data_without_finp(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes data = text("all that the attacker let through");
		d.channel().send(data);
		d.tcp.wait_acknowledged();
		d.app_receives(data);
		d.tcp.send_fin();
		d.prove_abort("ECONNABORTED");
	});
}

void fin_in_frame(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes frame = d.channel().sealed({.data = Bytes(100, 'x')});
		frame.resize(60);
		d.tcp.send(frame);
		d.tcp.send_fin();
		d.prove_abort("ECONNABORTED");
	});
}

void fin_in_finp_frame(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes frame = d.channel().sealed({.flags = flag_fin});
		frame.pop_back();
		d.tcp.send(frame);
		d.tcp.send_fin();
		d.prove_abort("ECONNABORTED");
	});
}

void fin_without_finp_right_behind_handshake(Run &run)
{
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.tcp.send_fin();
	dialogue.prove_abort("ECONNABORTED");
}

/** Something behind FINp, after the application has or has not taken the end-of-file. */
void behind_finp(Run &run, const Frame &frame)
{
	established(run, [&frame](Dialogue &d) {
		d.channel().enqueue({.flags = flag_fin});
		d.channel().enqueue(frame);
		d.tcp.push();
		Answer answer = d.app("recv", "1000");
		d.tcp.wait_reset();
		bool authentic_end = answer.ok && answer.value == "-";
		check(authentic_end || (!answer.ok && answer.value == "ECONNABORTED"),
		      "recv() gave " + answer.shown() + ", expected ECONNABORTED");
		if (authentic_end) {
			Answer error = d.app_error();
			check(error.value == "ECONNABORTED", "end-of-file, and SO_ERROR is " + error.value);
		}
	});
}

void data_behind_finp(Run &run)
{
	behind_finp(run, {.data = text("more")});
}

void empty_frame_behind_finp(Run &run)
{
	behind_finp(run, {});
}

void second_finp(Run &run)
{
	behind_finp(run, {.flags = flag_fin});
}

void data_after_eof_was_read(Run &run)
{
	established(run, [](Dialogue &d) {
		d.channel().send_finp();
		d.app_reads_eof();
		d.channel().send(text("more"));
		d.tcp.wait_reset();
		Answer error = d.app_error();
		check(error.value == "ECONNABORTED", "SO_ERROR is " + error.value + ", expected ECONNABORTED");
	});
}

void raw_bytes_behind_finp(Run &run)
{
	established(run, [](Dialogue &d) {
		d.channel().send_finp();
		d.app_reads_eof();
		d.tcp.send(Bytes(40, 0));
		d.tcp.send_fin();
		d.tcp.wait_reset();
		Answer error = d.app_error();
		check(error.value == "ECONNABORTED" || error.value == "EBADMSG",
		      "SO_ERROR is " + error.value + ", expected ECONNABORTED");
	});
}

void device_closes(Run &run)
{
	established(run, [](Dialogue &d) {
		check(d.app("close").ok, "close() failed");
		check(device_ends(d).empty(), "data from nowhere");
		d.channel().send_finp();
		d.tcp.send_fin();
		d.tcp.wait_fin_acknowledged();
	});
}

void device_writes_and_closes(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes data = pattern(4, 0, 20000);
		d.app_sends(data);
		check(d.app("close").ok, "close() failed");
		check(equal(device_ends(d), data), "other data than was written");
	});
}

void device_closes_with_full_window(Run &run)
{
	established(run, [](Dialogue &d) {
		// What the device may send is used up, the rest waits in its buffer while it closes.
		std::size_t have = d.tcp.stream().size();
		d.tcp.acknowledge_limit = have;
		d.tcp.window = 3000;
		d.tcp.send_ack();
		Bytes data = pattern(4, 0, 12000);
		d.app_sends(data);
		check(d.app("close").ok, "close() failed");
		d.tcp.acknowledge_limit = UINT64_MAX;
		d.tcp.window = 65535;
		d.tcp.send_ack();
		check(equal(device_ends(d), data), "other data than was written");
	});
}

void half_close(Run &run)
{
	established(run, [](Dialogue &d) {
		Bytes last = text("the device's last words");
		d.app_sends(last);
		check(d.app("shutdown", "wr").ok, "shutdown() failed");
		check(equal(device_ends(d), last), "other data than was written");
		for (int i = 0; i < 3; i++) {
			Bytes data = text("to the half-closed device " + std::to_string(i));
			d.channel().send(data);
			d.app_receives(data);
		}
		Answer written = d.app("send", "00");
		check(!written.ok && written.value == "EPIPE", "send() after shutdown() gave " + written.shown());
		d.channel().send_finp();
		d.tcp.send_fin();
		d.app_reads_eof();
	});
}

void peer_half_closes(Run &run)
{
	established(run, [](Dialogue &d) {
		d.channel().send_finp();
		d.tcp.send_fin();
		d.app_reads_eof();
		Bytes data = pattern(4, 0, 5000);
		d.app_sends(data);
		check(equal(d.channel().read(data.size()), data), "other data than was written");
		check(d.app("close").ok, "close() failed");
		check(device_ends(d).empty(), "data from nowhere");
	});
}

void both_close_at_once(Run &run)
{
	established(run, [](Dialogue &d) {
		check(d.app("shutdown", "wr").ok, "shutdown() failed");
		d.channel().send_finp();
		d.tcp.send_fin();
		check(device_ends(d).empty(), "data from nowhere");
		d.app_reads_eof();
	});
}

void poll_at_the_end(Run &run)
{
	established(run, [](Dialogue &d) {
		std::string wanted = std::to_string(POLLIN | POLLRDHUP);
		std::string waiting = d.app_start("poll", wanted + " 9000");
		d.channel().send_finp();
		d.tcp.send_fin();
		Answer answer = d.run.device.finish(waiting);
		check(answer.ok && (std::stoi(answer.value) & POLLIN), "poll() gave " + answer.shown());
		check((std::stoi(answer.value) & POLLERR) == 0, "POLLERR at an orderly end");
		d.app_reads_eof();
	});
}

// Connect and close before there are keys: the handshake goes on, and the end is authentic.
void close_before_keys(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	check(dialogue.app("close").ok, "close() failed");
	dialogue.exchange();
	check(device_ends(dialogue).empty(), "data from nowhere");
}

void write_and_close_before_keys(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	Bytes data = text("written and closed before the keys were there");
	dialogue.app_sends(data);
	check(dialogue.app("close").ok, "close() failed");
	dialogue.exchange();
	check(equal(device_ends(dialogue), data), "other data than was written");
	check(!contains(dialogue.tcp.stream(), data), "plaintext on the wire");
}

void shutdown_before_keys(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	Bytes data = text("request");
	dialogue.app_sends(data);
	check(dialogue.app("shutdown", "wr").ok, "shutdown() failed");
	dialogue.exchange();
	check(equal(device_ends(dialogue), data), "other data than was written");
	Bytes response = text("response");
	dialogue.channel().send(Frame{.data = response, .flags = flag_fin});
	dialogue.app_receives(response);
	dialogue.app_reads_eof();
}

// F-05: none when it aborts.
void abortive_close(Run &run)
{
	established(run, [](Dialogue &d) {
		std::size_t before = d.tcp.stream().size();
		check(d.app("linger", "0").ok, "SO_LINGER");
		check(d.app("close").ok, "close() failed");
		d.tcp.wait_reset();
		check(d.tcp.stream().size() == before, "a frame before the RST of an abortive close");
	});
}

void reset_after_finp(Run &run)
{
	established(run, [](Dialogue &d) {
		check(d.app("shutdown", "wr").ok, "shutdown() failed");
		check(device_ends(d).empty(), "data from nowhere");
		std::string reader = d.app_start("recv", "100");
		d.tcp.send_rst();
		Answer answer = d.run.device.finish(reader);
		check(!answer.ok && answer.value == "ECONNRESET", "recv() gave " + answer.shown());
	});
}

} // namespace

void add_close_cases(Cases &cases)
{
	cases.push_back({"F-06 F-05", "finp-then-fin", Roles::both, finp_then_fin});
	cases.push_back({"F-06", "finp-with-data", Roles::both, finp_with_data});
	cases.push_back({"F-06", "finp-and-fin-in-one-segment", Roles::both, finp_with_fin_in_one_segment});
	cases.push_back({"F-06", "finp-without-fin", Roles::both, finp_without_fin});
	cases.push_back({"F-06", "fin-without-finp", Roles::both, fin_without_finp});
	cases.push_back({"F-06", "fin-without-finp-while-reading", Roles::both, fin_without_finp_while_reading});
	cases.push_back({"F-06", "fin-behind-data-without-finp", Roles::both, fin_behind_data_without_finp});
	cases.push_back({"F-06", "fin-in-frame", Roles::both, fin_in_frame});
	cases.push_back({"F-06", "fin-in-finp-frame", Roles::both, fin_in_finp_frame});
	cases.push_back({"F-06", "fin-right-behind-handshake", Roles::both, fin_without_finp_right_behind_handshake});
	cases.push_back({"F-06", "data-behind-finp", Roles::both, data_behind_finp});
	cases.push_back({"F-06", "empty-frame-behind-finp", Roles::both, empty_frame_behind_finp});
	cases.push_back({"F-06", "second-finp", Roles::both, second_finp});
	cases.push_back({"F-06", "data-after-eof-was-read", Roles::both, data_after_eof_was_read});
	cases.push_back({"F-06", "raw-bytes-behind-finp", Roles::both, raw_bytes_behind_finp});
	cases.push_back({"F-05", "device-closes", Roles::both, device_closes});
	cases.push_back({"F-05", "device-writes-and-closes", Roles::both, device_writes_and_closes});
	cases.push_back({"F-05", "device-closes-with-full-window", Roles::both, device_closes_with_full_window});
	cases.push_back({"F-05 F-06", "half-close", Roles::both, half_close});
	cases.push_back({"F-06", "peer-half-closes", Roles::both, peer_half_closes});
	cases.push_back({"F-05 F-06", "both-close-at-once", Roles::both, both_close_at_once});
	cases.push_back({"F-06", "poll-at-the-end", Roles::both, poll_at_the_end});
	cases.push_back({"F-05 K-05", "close-before-keys", Roles::both, close_before_keys});
	cases.push_back({"F-05 E-15", "write-and-close-before-keys", Roles::both, write_and_close_before_keys});
	cases.push_back({"F-05 E-15", "shutdown-before-keys", Roles::both, shutdown_before_keys});
	cases.push_back({"F-05 F-14", "abortive-close", Roles::both, abortive_close});
	cases.push_back({"F-14", "reset-after-own-finp", Roles::both, reset_after_finp});
}

} // namespace conformance
