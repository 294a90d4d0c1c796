// SPDX-License-Identifier: GPL-2.0
// Cases about keep-alive and new keys on request: what the device asks, and what it makes of the answers.
#include "cases.hh"

namespace conformance {

namespace {

/** SO_KEEPALIVE with TCP_KEEPIDLE 1, TCP_KEEPINTVL 1 and TCP_KEEPCNT 2. */
void keep_alive(Dialogue &d)
{
	for (const char *option : {"6 4 01000000", "6 5 01000000", "6 6 02000000", "1 9 01000000"})
		check(d.app("setsockopt", option).ok, std::string("setsockopt ") + option);
}

void established(Run &run, const std::function<void(Dialogue &)> &then)
{
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	then(dialogue);
}

/** The device asks: a frame with rekey=1 and no data, of this generation. */
void take_request(Dialogue &d, unsigned generation)
{
	Frame frame = d.channel().read_frame();
	check(frame.control & control_rekey, "no rekey=1 (F-12)");
	check(frame.data.empty(), "data from nowhere");
	check(frame.generation == generation, "generation " + std::to_string(frame.generation) + ", expected " +
						      std::to_string(generation));
}

void request_rekey(Dialogue &d)
{
	check(d.app("setsockopt", "0x454e 37 01000000").ok, "TCP_CRYPT_REKEY failed");
}

/** Nothing comes from the device in this time but acknowledgements. */
void nothing_comes(Dialogue &d, Millis time)
{
	Wire &wire = d.tcp.wire();
	wire.wait_for([&d] { return d.channel().frame_ready() || d.tcp.reset(); }, time / wire.scale);
	check(!d.tcp.reset(), "RST from nowhere");
	check(!d.channel().frame_ready(), "a frame from nowhere");
}

void probes_answered(Run &run)
{
	established(run, [](Dialogue &d) {
		keep_alive(d);
		for (unsigned generation = 1; generation <= 4; generation++)
			take_request(d, generation);
		d.prove_encrypted();
	});
}

// Any authentic frame is a sign of life, also one that answers nothing; but there is one question at a time.
void probe_met_by_data(Run &run)
{
	established(run, [](Dialogue &d) {
		d.channel().answer_rekeys = false;
		keep_alive(d);
		take_request(d, 1);
		for (int i = 0; i < 6; i++) {
			Bytes data = text("alive all the same");
			d.channel().send(data);
			d.app_receives(data);
			nothing_comes(d, Millis(700));
		}
		d.channel().send_rekey();
		take_request(d, 2);
	});
}

// Our TCP acknowledges everything, and our tcpcrypt is dead.
void probe_unanswered(Run &run)
{
	established(run, [](Dialogue &d) {
		d.channel().answer_rekeys = false;
		keep_alive(d);
		take_request(d, 1);
		std::size_t asked = d.channel().position();
		d.prove_abort("ETIMEDOUT");
		check(d.tcp.stream().size() == asked, "a second question before the first one was answered (F-10)");
	});
}

void probe_unanswered_while_polling(Run &run)
{
	established(run, [](Dialogue &d) {
		d.channel().answer_rekeys = false;
		keep_alive(d);
		Answer answer = d.app("poll", "1 20000");
		check(answer.ok && std::stoi(answer.value) & 0x8 /* POLLERR */, "poll() gave " + answer.shown());
		d.prove_abort("ETIMEDOUT");
	});
}

void not_asked_while_talking(Run &run)
{
	established(run, [](Dialogue &d) {
		keep_alive(d);
		for (int i = 0; i < 6; i++) {
			Bytes data = text("not idle");
			d.channel().send(data);
			d.app_receives(data);
			nothing_comes(d, Millis(400));
		}
	});
}

// After our FINp we would not have to answer: TCP's keep-alive is all there is.
void not_asked_after_peer_finp(Run &run)
{
	established(run, [](Dialogue &d) {
		d.channel().send_finp();
		d.app_reads_eof();
		keep_alive(d);
		nothing_comes(d, Millis(4000));
		Bytes data = text("the other direction goes on");
		d.app_sends(data);
		check(equal(d.channel().read(data.size()), data), "other data than was written");
	});
}

void not_asked_after_device_finp(Run &run)
{
	established(run, [](Dialogue &d) {
		keep_alive(d);
		check(d.app("shutdown", "wr").ok, "shutdown() failed");
		d.channel().read_to_finp();
		d.tcp.wait_finished();
		nothing_comes(d, Millis(4000));
		Bytes data = text("the other direction goes on");
		d.channel().send(data);
		d.app_receives(data);
	});
}

void one_request_at_a_time(Run &run)
{
	established(run, [](Dialogue &d) {
		d.channel().answer_rekeys = false;
		for (int i = 0; i < 5; i++)
			request_rekey(d);
		take_request(d, 1);
		Bytes data = text("the next frame, under the same key");
		d.app_sends(data);
		check(equal(d.channel().read(data.size()), data), "other data than was written");
		check(d.channel().receiving.generation() == 1, "a second rekey before the first one was answered (F-10)");
		request_rekey(d);
		nothing_comes(d, Millis(300));
		d.channel().send_rekey();
		d.channel().send(data);
		d.app_receives(data);
		request_rekey(d);
		take_request(d, 2);
	});
}

// A rekey of ours at the same time is the answer as well.
void requests_cross(Run &run)
{
	established(run, [](Dialogue &d) {
		d.channel().answer_rekeys = false;
		request_rekey(d);
		d.channel().send_rekey(text("x"));
		d.app_receives(text("x"));
		take_request(d, 1);
		nothing_comes(d, Millis(300));
		d.channel().answer_rekeys = true;
		request_rekey(d);
		take_request(d, 2);
		d.prove_encrypted();
	});
}

// The device's application reads nothing, and more arrived than is opened ahead of it: a question behind that has
// its answer all the same, once for each.
void rekeys_behind_unread_data(Run &run)
{
	established(run, [](Dialogue &d) {
		check(d.app("setsockopt", "1 8 204e0000").ok, "SO_RCVBUF 20000");
		Bytes all;
		for (unsigned generation = 1; generation <= 4; generation++) {
			for (int i = 0; i < (generation < 3 ? 9 : 3); i++) {
				Bytes data = pattern(generation, static_cast<std::uint64_t>(i) * 1000, 1000);
				append(all, data);
				d.channel().send(data);
			}
			d.channel().send_rekey();
			take_request(d, generation);
			nothing_comes(d, Millis(100));
		}
		d.app_receives(all);
		nothing_comes(d, Millis(100));
		d.prove_encrypted();
	});
}

// Two questions at once in front of a reader that reads nothing: each has its answer, in order.
void two_rekeys_behind_unread_data(Run &run)
{
	established(run, [](Dialogue &d) {
		check(d.app("setsockopt", "1 8 204e0000").ok, "SO_RCVBUF 20000");
		Bytes all;
		for (int i = 0; i < 14; i++) {
			Bytes data = pattern(1, static_cast<std::uint64_t>(i) * 1500, 1500);
			append(all, data);
			if (i == 13)
				d.channel().send_rekey(data);
			else
				d.channel().send(data);
		}
		take_request(d, 1);
		Bytes more = pattern(2, 0, 100);
		append(all, more);
		d.channel().sending.advance();
		d.channel().enqueue(Frame{.data = more, .control = control_rekey});
		d.channel().sending.advance();
		d.channel().enqueue(Frame{.control = control_rekey});
		d.tcp.push();
		take_request(d, 2);
		take_request(d, 3);
		d.app_receives(all);
		nothing_comes(d, Millis(100));
		d.prove_encrypted();
	});
}

// We ask on and on, and take no answer: the device remembers how many it owes, and not the answers.
void answers_into_a_closed_window(Run &run)
{
	established(run, [](Dialogue &d) {
		constexpr unsigned questions = 5000;
		constexpr std::size_t answer_size = 20, notsent_at = 144;	// tcpi_notsent_bytes
		check(d.app("setsockopt", "1 7 00120000").ok, "SO_SNDBUF 4608");
		d.tcp.window = 0;
		d.tcp.send_ack();
		for (unsigned i = 0; i < questions; i++) {
			d.channel().sending.advance();
			d.channel().enqueue(Frame{.control = control_rekey});
		}
		d.tcp.flush();
		Bytes info = from_hex(d.app("getsockopt", "6 11 240").value).value_or(Bytes{});
		check(info.size() >= notsent_at + 4, "TCP_INFO has no tcpi_notsent_bytes");
		std::size_t notsent = info[notsent_at] | info[notsent_at + 1] << 8 | info[notsent_at + 2] << 16;
		check(notsent >= answer_size, "the device made no answer");
		check(notsent < questions * answer_size - answer_size, std::to_string(notsent) + " bytes of answers wait");
		d.tcp.window = 65535;
		d.tcp.send_ack();
		for (unsigned generation = 1; generation <= questions; generation++)
			take_request(d, generation);
		d.prove_encrypted();
	});
}

} // namespace

void add_alive_cases(Cases &cases)
{
	cases.push_back({"F-12", "probes-answered", Roles::both, probes_answered, false, true});
	cases.push_back({"F-12 F-10", "probe-met-by-data", Roles::both, probe_met_by_data, true, true});
	cases.push_back({"F-12 F-10", "probe-unanswered", Roles::both, probe_unanswered, false, true});
	cases.push_back({"F-12", "probe-unanswered-while-polling", Roles::both, probe_unanswered_while_polling, true, true});
	cases.push_back({"F-12", "not-asked-while-talking", Roles::both, not_asked_while_talking, true, true});
	cases.push_back({"F-12 F-09", "not-asked-after-peer-finp", Roles::both, not_asked_after_peer_finp, true, true});
	cases.push_back({"F-12 F-05", "not-asked-after-device-finp", Roles::both, not_asked_after_device_finp, true, true});
	cases.push_back({"F-10 F-13", "one-request-at-a-time", Roles::both, one_request_at_a_time});
	cases.push_back({"F-10 F-13 F-08", "requests-cross", Roles::both, requests_cross});
	cases.push_back({"F-09 F-12", "rekeys-behind-unread-data", Roles::both, rekeys_behind_unread_data});
	cases.push_back({"F-09 F-12", "two-rekeys-behind-unread-data", Roles::both, two_rekeys_behind_unread_data});
	cases.push_back({"F-09", "answers-into-a-closed-window", Roles::both, answers_into_a_closed_window, true, true});
}

} // namespace conformance
