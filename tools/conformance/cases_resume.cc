// SPDX-License-Identifier: GPL-2.0
// Cases about resumption (RFC 8548 section 3.5): offers, answers, what is used and what is never used again.
#include "cases.hh"

#include <algorithm>
#include <memory>
#include <set>

namespace conformance {

namespace {

constexpr std::uint8_t v = 0x80;
constexpr std::size_t option_area = 40;
constexpr int tcp_crypt_aead = 33;
constexpr int tcp_crypt_resumed = 36;
constexpr int tcp_eno_negtep = 3;

/** Resumption as it is by default, in a cache that is empty before and after. */
struct Resumption {
	Setting on{"net.tcpcrypt.resume", "1"};
};

/** A fresh session, whose secret both sides keep. */
Secret first(Run &run, const Exchange &exchange = {})
{
	Dialogue dialogue(run);
	dialogue.establish(exchange);
	check(!dialogue.resumed(), "resumed, although there was nothing to resume");
	dialogue.prove_encrypted();
	check(dialogue.option_number(tcp_crypt_resumed) == 0, "TCP_CRYPT_RESUMED is not 0 after a key exchange");
	return dialogue.next_secret();
}

/** Everything that a resumed session is. */
void prove_resumed(Dialogue &dialogue)
{
	dialogue.prove_encrypted();
	check(dialogue.option_number(tcp_crypt_resumed) == 1, "TCP_CRYPT_RESUMED is not 1");
	check(dialogue.option_number(tcp_eno_negtep) == dialogue.secret->tep, "another TEP than the session's");
	check(dialogue.option_number(tcp_crypt_aead) == static_cast<int>(dialogue.secret->aead),
	      "another AEAD than the session's (R-08)");
	check(dialogue.session().session_id[0] == (v | dialogue.secret->tep), "v=0 in the session ID (R-12)");
}

/** The next session of the chain. */
Secret again(Run &run, const Secret &secret, const Opening &opening = {})
{
	Dialogue dialogue(run);
	dialogue.secret = secret;
	dialogue.reestablish(opening);
	prove_resumed(dialogue);
	return dialogue.next_secret();
}

bool is_offer(const std::optional<TepOffer> &offer)
{
	return offer && offer->v;
}

/** The device does not resume from this, and makes a key exchange: as A it offers none, as B it asks for one. */
void expect_fresh(Run &run, const Secret &secret)
{
	Dialogue dialogue(run);
	dialogue.secret = secret;
	dialogue.open();
	check(!is_offer(dialogue.device_offer(secret.tep)), "the device resumes from a secret that is not to be used");
	dialogue.exchange();
	dialogue.prove_encrypted();
}

void resumed(Run &run)
{
	Resumption on;
	again(run, first(run));
}

void resumed_in_a_chain(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	for (int i = 0; i < 3; i++)
		secret = again(run, secret);
}

// neither side's first choice, and the order of preference is another one by now.
void cipher_of_the_original(Run &run)
{
	Resumption on;
	auto aeads = read_sysctl("net.tcpcrypt.aeads");
	check(aeads.has_value(), "no sysctl net.tcpcrypt.aeads");
	Secret secret = first(run, {.ciphers = {0x0010}});
	check(secret.aead == AeadId::chacha20_poly1305, "the first session has another AEAD than was offered");
	Setting order("net.tcpcrypt.aeads", "aes-256-gcm aes-128-gcm chacha20-poly1305");
	again(run, secret);
}

// N-04: an AEAD that the administrator has switched off meanwhile is not used.
void cipher_switched_off(Run &run)
{
	Resumption on;
	Secret secret = first(run, {.ciphers = {0x0010}});
	Setting without("net.tcpcrypt.aeads", "aes-128-gcm aes-256-gcm");
	expect_fresh(run, secret);
}

void nonce_lengths(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	std::set<Bytes> nonces;
	for (std::size_t length = 0; length <= resume_nonce_max; length++) {
		Setting setting("net.tcpcrypt.resume_nonce_len", std::to_string(length));
		Dialogue dialogue(run);
		dialogue.secret = secret;
		dialogue.resume_nonce = random_bytes(resume_nonce_max - length);
		dialogue.reestablish();
		Bytes data = dialogue.device_offer(secret.tep)->data;
		check(data.size() == resume_half + length, "a nonce of " + std::to_string(data.size() - resume_half) +
								   " bytes, resume_nonce_len is " + std::to_string(length));
		nonces.insert(slice(data, resume_half, std::min<std::size_t>(length, 4)));
		prove_resumed(dialogue);
		secret = dialogue.next_secret();
	}
	// those of at least four bytes differ in them.
	check(nonces.size() >= 7, "nonces begin alike");
}

// Equal lengths, of which the sum is the longest that there is.
void nonce_of_eight(Run &run)
{
	Resumption on;
	Dialogue dialogue(run);
	dialogue.secret = first(run);
	dialogue.reestablish();
	check(dialogue.device_offer(curve25519.id)->data.size() == resume_half + resume_nonce_max,
	      "the nonce is not 8 bytes by default (R-01)");
	prove_resumed(dialogue);
}

/** The peer's offer, with other data. */
void offer_refused(Run &run, const Secret &secret, View suboption)
{
	Dialogue dialogue(run);
	dialogue.open({.eno = Bytes(suboption.begin(), suboption.end())});
	check(equal(View(dialogue.device_option).subspan(3), Bytes{secret.tep}), "the answer is " +
		      to_hex(dialogue.device_option) + " and not a fresh key exchange with the same TEP (R-02)");
	dialogue.exchange();
	dialogue.prove_encrypted();
}

Bytes suboption(std::uint8_t tep, View half, View nonce)
{
	return cat({Bytes{static_cast<std::uint8_t>(v | tep)}, half, nonce});
}

void wrong_half(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	Bytes half = secret.own_half();
	half[8] ^= 1;
	offer_refused(run, secret, suboption(secret.tep, half, random_bytes(8)));
	half[8] ^= 1;
	half[0] ^= 0x80;
	offer_refused(run, secret, suboption(secret.tep, half, random_bytes(8)));
	again(run, secret);
}

// the half that the device itself would send.
void half_reflected(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	offer_refused(run, secret, suboption(secret.tep, secret.device_half(), random_bytes(8)));
	again(run, secret);
}

void offer_replayed(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	Dialogue dialogue(run);
	dialogue.secret = secret;
	dialogue.reestablish();
	prove_resumed(dialogue);
	offer_refused(run, secret, dialogue.resume_suboption());
	offer_refused(run, secret, suboption(secret.tep, secret.own_half(), random_bytes(8)));
	again(run, dialogue.next_secret());
}

// agreed to, and then the third segment had no ENO: that was its use.
void agreed_then_plain(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	{
		Dialogue dialogue(run);
		dialogue.secret = secret;
		dialogue.open({.third = Bytes{}});
		check(dialogue.resumed(), "the device does not agree");
		dialogue.tcp.eno_until_heard = false;
		dialogue.prove_plain();
	}
	expect_fresh(run, secret);
	expect_fresh(run, secret.next());
}

void nonce_too_long(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	Bytes bad = suboption(secret.tep, secret.own_half(), random_bytes(9));
	expect_plain(run, {.eno = bad});
	again(run, secret);
}

void data_too_short(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	for (std::size_t length : {8, 1, 0})
		offer_refused(run, secret, suboption(secret.tep, View(secret.own_half()).first(length), {}));
	again(run, secret);
}

void other_tep_than_the_sessions(Run &run)
{
	need(p256);
	Resumption on;
	Secret secret = first(run);
	Dialogue dialogue(run, p256);
	dialogue.open({.eno = suboption(p256.id, secret.own_half(), random_bytes(8))});
	check(equal(View(dialogue.device_option).subspan(3), Bytes{p256.id}), "not a fresh key exchange (R-02)");
	dialogue.exchange();
	dialogue.prove_encrypted();
}

void repeated_tep(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	Bytes twice = cat({Bytes{secret.tep}, suboption(secret.tep, secret.own_half(), random_bytes(8))});
	expect_plain(run, {.eno = twice});
	again(run, secret);
}

/** A run with the device in the other role. */
Run swapped(const Run &run)
{
	Run other = run;
	other.role = run.role == Role::active ? Role::passive : Role::active;
	return other;
}

// who accepted connects, and the other way round; keys and their generations stay on their side.
void roles_swapped(Run &run)
{
	Resumption on;
	Run other = swapped(run);
	Secret secret = first(run);
	for (Run *now : {&other, &run, &other, &other}) {
		Dialogue dialogue(*now);
		dialogue.secret = secret;
		dialogue.reestablish();
		prove_resumed(dialogue);
		dialogue.channel().send_rekey(text("under the next key"));
		dialogue.app_receives(text("under the next key"));
		Frame answer = dialogue.channel().read_frame();
		check(answer.generation == 1, "the device does not answer our rekey");
		dialogue.prove_encrypted();
		secret = dialogue.next_secret();
	}
}

// the passive side looks for the half alone; an active one for the address, which it must know.
void other_address(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	Run other = run;
	other.listener_ = -1;
	other.family = run.family == Family::v4 ? Family::v6 : Family::v4;
	if (run.role == Role::passive) {
		again(run, again(other, secret));
		return;
	}
	Dialogue dialogue(other);
	dialogue.start_connect();
	dialogue.take_syn();
	check(!is_offer(dialogue.device_offer(secret.tep)), "the device offers another host's secret");
	dialogue.send_syn_ack();
	dialogue.take_third();
	dialogue.finish_connect();
	dialogue.exchange();
	dialogue.prove_encrypted();
	again(run, secret);
}

Bytes linux_options()
{
	return cat({mss_option(1460), Bytes{OPT_SACK_PERMITTED, 2}, option(OPT_TIMESTAMPS, Bytes{0, 0, 0, 1, 0, 0, 0, 0}),
		    Bytes{OPT_NOP}, option(OPT_WSCALE, Bytes{7})});
}

// As Linux sends it: the offer fills the SYN, and the answer the SYN-ACK, to the last byte.
void full_option_area(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	for (int i = 0; i < 2; i++) {
		Dialogue dialogue(run);
		dialogue.secret = secret;
		if (dialogue.is_passive()) {
			dialogue.open({.options = cat({linux_options(), eno_option(dialogue.resume_suboption())})});
			check(dialogue.tcp.syn_options.size() == option_area, "the SYN-ACK's options are not full");
		} else {
			dialogue.start_connect();
			dialogue.take_syn();
			dialogue.send_syn_ack({.options = cat({mss_option(1460), Bytes{OPT_SACK_PERMITTED, 2},
							       option(OPT_WSCALE, Bytes{7}),
							       eno_option(dialogue.default_contents())})});
			dialogue.take_third();
			dialogue.finish_connect();
		}
		check(dialogue.tcp.syn_options.size() <= option_area, "more than 40 bytes of options");
		for (std::uint8_t kind : {OPT_MSS, OPT_SACK_PERMITTED, OPT_TIMESTAMPS, OPT_WSCALE})
			check(count_options(dialogue.tcp.syn_options, kind) == 1,
			      "TCP's own option " + std::to_string(kind) + " gave way");
		dialogue.resume();
		prove_resumed(dialogue);
		secret = dialogue.next_secret();
	}
}

// R-05, E-10, E-24: other TEPs beside the offer, known ones and unknown, before it and behind it.
void beside_other_teps(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	auto with_length = [](View sub) {
		return cat({Bytes{static_cast<std::uint8_t>(v | (sub.size() - 2))}, sub});
	};
	auto sub = [&] { return suboption(secret.tep, secret.own_half(), random_bytes(6)); };
	secret = again(run, secret, {.eno = cat({Bytes{0x21, 0x7a, 0x24}, sub()})});
	secret = again(run, secret, {.eno = cat({with_length(sub()), Bytes{0x24, 0x21}})});
	secret = again(run, secret, {.eno = cat({Bytes{0x02}, with_length(sub()), suboption(0x7b, random_bytes(9), {})})});
	again(run, secret, {.eno = cat({Bytes{0x04, 0x81, 0xf0, 1, 2, 0x21}, sub()})});
}

// our own offer: one suboption with data, the other TEPs as far as they fit, each once.
void offer_beside_other_teps(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	auto teps = device_teps();
	for (std::size_t length : {8, 7, 0}) {
		Setting setting("net.tcpcrypt.resume_nonce_len", std::to_string(length));
		Dialogue dialogue(run);
		dialogue.secret = secret;
		dialogue.start_connect();
		dialogue.take_syn();
		SynForm form = parse_syn_form(View(dialogue.device_option).subspan(2));
		std::size_t data = 0, all = 0;
		for (const TepOffer &offer : form.teps) {
			check(form.count(offer.tep) == 1, "a TEP is offered twice (R-05, E-10)");
			data += offer.v;
		}
		check(data == 1, std::to_string(data) + " suboptions with data");
		check(form.teps.back().v, "the offer is not what the device likes best");
		for (const Tep *tep : teps)
			all += form.count(tep->id);
		// 19 bytes of TCP's own, and 2 + 1 + 9 + nonce.
		std::size_t fit = std::min(teps.size() - 1, option_area - 19 - 12 - length);
		check(all == fit + 1, std::to_string(all - 1) + " TEPs beside the offer, " + std::to_string(fit) + " fit");
		dialogue.send_syn_ack();
		dialogue.take_third();
		dialogue.finish_connect();
		dialogue.resume();
		prove_resumed(dialogue);
		secret = dialogue.next_secret();
	}
}

// E-14: the same bytes again, and the SYN-ACK to the second is the answer to both.
void syn_retransmitted(Run &run)
{
	Resumption on;
	Dialogue dialogue(run);
	dialogue.secret = first(run);
	dialogue.start_connect();
	dialogue.take_syn();
	Bytes before = dialogue.device_option;
	dialogue.take_syn();
	check(equal(before, dialogue.device_option), "another option in the SYN's retransmission (E-14)");
	check(is_offer(dialogue.device_offer(curve25519.id)), "no offer");
	dialogue.send_syn_ack();
	dialogue.take_third();
	dialogue.finish_connect();
	dialogue.resume();
	prove_resumed(dialogue);
}

void syn_ack_retransmitted(Run &run)
{
	Resumption on;
	Dialogue dialogue(run);
	dialogue.secret = first(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	Bytes before = dialogue.device_option;
	check(dialogue.resumed(), "the device does not agree");
	// The SYN again, then TCP's own time-out.
	Segment again = dialogue.tcp.blank(SYN);
	again.seq = dialogue.tcp.iss;
	append(again.options, dialogue.syn_area());
	dialogue.tcp.transmit(again);
	dialogue.take_syn_ack();
	check(equal(before, dialogue.device_option), "another option in the answer to the same SYN (E-14)");
	dialogue.take_syn_ack();
	check(equal(before, dialogue.device_option), "another option in the SYN-ACK's retransmission (E-14)");
	dialogue.send_third();
	dialogue.accept();
	dialogue.resume();
	prove_resumed(dialogue);
}

bool has_eno(const Segment &segment)
{
	return !find_option(segment.options, OPT_ENO).empty();
}

/*
 * R-11, E-12: a first flight of several full segments behind the third one, each with the option, whatever of it
 * is sent again; when one of ours was heard, no more of it, and the segments are full again.
 */
void first_flight(Run &run)
{
	Resumption on;
	constexpr std::size_t size = 9000;
	constexpr std::size_t link_mtu = 1500;
	std::size_t network = run.family == Family::v4 ? 20 : 40;
	Dialogue dialogue(run);
	dialogue.secret = first(run);
	dialogue.tcp.automatic = false;
	dialogue.open();
	dialogue.resume();
	std::string writer = dialogue.app_start("fill", "1 0 " + std::to_string(size) + " " + std::to_string(size));
	auto has_data = [](const Segment &s) { return !s.payload.empty(); };
	std::size_t bytes = 0;
	for (int segments = 0; segments < 5; segments++)
		bytes += dialogue.tcp.wait_segment(has_data, "a flight of segments").payload.size();
	check(bytes > 4000, "the first flight has " + std::to_string(bytes) + " bytes in 5 segments");
	// Nothing is acknowledged: the first one comes once more.
	std::uint32_t start = dialogue.tcp.irs + 1;
	dialogue.tcp.skip_seen();
	dialogue.tcp.wait_segment([&](const Segment &s) { return s.seq == start && has_data(s); }, "a retransmission");
	auto whole = [&](const Segment &s) { return network + 20 + s.options.size() + s.payload.size(); };
	std::size_t mtu = 0;	// of the path: the device may remember one that was made smaller
	for (const Segment &segment : dialogue.tcp.seen) {
		check(segment.has(SYN) || has_eno(segment), "a segment without ENO before anything was heard (E-12)");
		check(whole(segment) <= link_mtu, "a segment larger than the MTU: " + std::to_string(whole(segment)));
		mtu = std::max(mtu, whole(segment));
	}
	check(mtu >= 1280, "the largest segment of the first flight has " + std::to_string(mtu) + " bytes");
	dialogue.tcp.automatic = true;
	dialogue.tcp.send_ack();
	check(equal(dialogue.channel().read(size), pattern(1, 0, size)), "the first flight's data is not what was written");
	Answer written = dialogue.run.device.finish(writer);
	check(written.ok, "the writer failed with " + written.value);
	check(dialogue.channel().frames[0].offset == 0, "the first frame is not at the stream's start");
	dialogue.tcp.skip_seen();
	writer = dialogue.app_start("fill", "1 " + std::to_string(size) + " 60000 60000");
	check(equal(dialogue.channel().read(60000), pattern(1, size, 60000)), "other data than was written");
	check(dialogue.run.device.finish(writer).ok, "the second writer failed");
	std::size_t largest = 0;
	auto &seen = dialogue.tcp.seen;
	for (auto at = seen.rbegin(); at != seen.rend() && largest < mtu; at++)
		largest = std::max(largest, has_eno(*at) ? 0 : whole(*at));
	check(largest == mtu, "the largest segment without ENO has " + std::to_string(largest) + " bytes of " +
				      std::to_string(mtu));
	check(!has_eno(seen.back()), "ENO in a segment after one of ours was heard");
	dialogue.prove_encrypted();
}

// the peer's first frame is the first ACK that the device hears.
void frame_in_third_segment(Run &run)
{
	Resumption on;
	Dialogue dialogue(run);
	dialogue.secret = first(run);
	dialogue.send_syn();
	dialogue.take_syn_ack();
	check(dialogue.resumed(), "the device does not agree");
	dialogue.tcp.eno_until_heard = true;
	dialogue.resume();
	Bytes data = pattern(3, 0, 4000);
	dialogue.channel().enqueue({.data = data});
	// The last of three segments is the first that arrives.
	std::uint64_t length = dialogue.tcp.sent_length();
	dialogue.tcp.send_range(2800, length, PSH);
	dialogue.tcp.send_range(0, 1400);
	dialogue.tcp.send_range(1400, 2800);
	dialogue.accept();
	dialogue.app_receives(data);
	prove_resumed(dialogue);
}

// B writes before it has read anything.
void passive_sends_at_once(Run &run)
{
	Resumption on;
	Dialogue dialogue(run);
	dialogue.secret = first(run);
	dialogue.reestablish();
	dialogue.app_sends(text("220 ready"));
	check(equal(dialogue.channel().read(9), text("220 ready")), "other data than was written");
	check(dialogue.channel().frames[0].offset == 0, "the first frame is not at the stream's start");
	prove_resumed(dialogue);
}

void closes_at_once(Run &run)
{
	Resumption on;
	Dialogue dialogue(run);
	dialogue.secret = first(run);
	dialogue.reestablish();
	std::string closing = dialogue.app_start("close");
	check(dialogue.channel().read_to_finp().empty(), "data before FINp");
	dialogue.tcp.wait_finished();
	dialogue.channel().send_finp();
	dialogue.tcp.send_fin();
	dialogue.tcp.wait_fin_acknowledged();
	check(dialogue.run.device.finish(closing).ok, "close() failed");
}

/** The device offers; this is the answer, and @tep is used then, without resumption; null for plain TCP. */
void answered(Run &run, const std::function<Bytes(Dialogue &)> &answer, const Tep *tep)
{
	Resumption on;
	Setting nonce("net.tcpcrypt.resume_nonce_len", "0");
	Secret secret = first(run);
	Bytes half = secret.device_half();
	{
		Dialogue dialogue(run);
		dialogue.start_connect();
		dialogue.take_syn();
		auto offer = dialogue.device_offer(secret.tep);
		check(is_offer(offer) && equal(offer->data, half), "the device does not offer what it should");
		dialogue.secret = secret;
		dialogue.send_syn_ack({.eno = answer(dialogue)});
		check(!dialogue.resumed(), "the case is wrong");
		dialogue.take_third();
		dialogue.finish_connect();
		if (tep) {
			check(&dialogue.keys.tep() == tep, "the case is wrong");
			dialogue.exchange();
			dialogue.prove_encrypted();
			check(dialogue.option_number(tcp_crypt_resumed) == 0, "TCP_CRYPT_RESUMED after a refusal");
		} else {
			dialogue.prove_plain();
		}
	}
	// that was the use of it.
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	auto offer = dialogue.device_offer(secret.tep);
	check(!is_offer(offer) || !equal(View(offer->data).first(resume_half), half), "a secret is offered twice (R-06)");
	check(is_offer(offer) == (tep == &curve25519), "an offer of a session that there was not, or none");
	dialogue.send_syn_ack();
	dialogue.take_third();
	dialogue.finish_connect();
	dialogue.exchange();
	dialogue.prove_encrypted();
}

void refused(Run &run)
{
	answered(run, [](Dialogue &) { return Bytes{eno_global_b, curve25519.id}; }, &curve25519);
}

void refused_with_another_tep(Run &run)
{
	need(p256);
	answered(run, [](Dialogue &) { return Bytes{eno_global_b, p256.id}; }, &p256);
}

void answered_without_eno(Run &run)
{
	answered(run, [](Dialogue &) { return Bytes{eno_global_b}; }, nullptr);
}

void answered_with_wrong_half(Run &run)
{
	answered(run, [](Dialogue &d) {
		Bytes half = d.secret->own_half();
		half[4] ^= 0x10;
		return cat({Bytes{eno_global_b}, suboption(curve25519.id, half, random_bytes(8))});
	}, nullptr);
}

void answered_with_own_half(Run &run)
{
	answered(run, [](Dialogue &d) {
		return cat({Bytes{eno_global_b}, suboption(curve25519.id, d.secret->device_half(), {})});
	}, nullptr);
}

void answered_with_short_data(Run &run)
{
	answered(run, [](Dialogue &d) {
		return cat({Bytes{eno_global_b}, suboption(curve25519.id, View(d.secret->own_half()).first(8), {})});
	}, nullptr);
}

void answered_with_long_nonce(Run &run)
{
	answered(run, [](Dialogue &d) {
		return cat({Bytes{eno_global_b}, suboption(curve25519.id, d.secret->own_half(), random_bytes(9))});
	}, nullptr);
}

// R-04, E-11: what does not match is passed over, and what else is valid counts.
void wrong_half_beside_valid_tep(Run &run)
{
	need(p256);
	answered(run, [](Dialogue &) {
		return cat({Bytes{eno_global_b, p256.id}, suboption(curve25519.id, random_bytes(9), random_bytes(8))});
	}, &p256);
}

// nothing was offered.
void agreed_to_what_was_not_offered(Run &run)
{
	Resumption on;
	Setting without("net.tcpcrypt.resume_cache", "0");
	Secret secret = first(run);
	Dialogue dialogue(run);
	dialogue.start_connect();
	dialogue.take_syn();
	check(!is_offer(dialogue.device_offer(curve25519.id)), "an offer, though nothing is cached");
	dialogue.send_syn_ack({.eno = cat({Bytes{eno_global_b},
					   suboption(curve25519.id, secret.own_half(), random_bytes(8))})});
	dialogue.take_third();
	dialogue.finish_connect();
	dialogue.prove_plain();
}

// two offers of one ss[i] under way, each to the other: both make a key exchange.
/** Our SYN crosses the device's, with this suboption; up to what they agree on. */
void cross(Dialogue &dialogue, View suboption)
{
	dialogue.start_connect();
	dialogue.take_syn();
	check(is_offer(dialogue.device_offer(dialogue.secret->tep)), "no resumption is offered");
	dialogue.send_syn({.eno = cat({Bytes{eno_global_b}, suboption})});
	dialogue.tcp.wait_segment([](const Segment &s) { return s.has(SYN | ACK); }, "the device's SYN-ACK");
	dialogue.negotiate();
	dialogue.tcp.eno_until_heard = dialogue.encrypted();
	dialogue.tcp.send_syn_ack(dialogue.syn_area());
	dialogue.finish_connect();
}

// two offers that are one use of ss[i].
void crossing(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	{
		Dialogue dialogue(run);
		dialogue.secret = secret;
		cross(dialogue, dialogue.resume_suboption());
		dialogue.resume();
		prove_resumed(dialogue);
		secret = dialogue.next_secret();
	}
	again(run, secret);
}

/** The device resumes, and caches nothing. */
const Settings without_caching = {{crypt_resume, number_value(1)}};

void crossing_refused(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	with_settings(run, without_caching, [&](Dialogue &dialogue) {
		dialogue.secret = secret;
		cross(dialogue, Bytes{tep_curve25519});
		dialogue.exchange();
		dialogue.prove_encrypted();
	});
	expect_fresh(run, secret);
}

// Each end offers another chain's: by our reading of R-04 that is plain TCP, and neither secret is offered again.
void crossing_with_another(Run &run)
{
	Resumption on;
	Secret older = first(run);
	std::optional<Secret> newer;
	with_settings(run, {{crypt_resume, number_value(2)}}, [&](Dialogue &dialogue) {
		dialogue.establish();
		newer = dialogue.next_secret();
	});
	{
		Dialogue dialogue(run);
		dialogue.secret = older;
		Bytes ours = dialogue.resume_suboption();
		dialogue.secret = newer;
		cross(dialogue, ours);
		dialogue.prove_plain();
	}
	expect_fresh(run, older);
}

// Who sends b=1 offers none, which could cost it the encryption: the secret stays for another connection.
void not_offered_with_b(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	with_settings(run, {{eno_role_override, number_value(1)}}, [&](Dialogue &dialogue) {
		dialogue.device_is_b = true;
		dialogue.start_connect();
		dialogue.take_syn();
		check(!is_offer(dialogue.device_offer(secret.tep)), "a resumption is offered with b=1");
		dialogue.send_syn();
		dialogue.tcp.wait_segment([](const Segment &s) { return s.has(SYN | ACK); }, "the device's SYN-ACK");
		dialogue.tcp.send_rst();
		check(!run.device.finish(dialogue.connecting).ok, "connect() succeeded after RST");
		dialogue.tcp.leave = true;
	});
	again(run, secret);
}

void offers_cross(Run &run)
{
	Resumption on;
	Run active = run.role == Role::active ? run : swapped(run);
	Run passive = run.role == Role::passive ? run : swapped(run);
	Secret secret = first(run);
	Dialogue theirs(active);
	theirs.start_connect();
	theirs.take_syn();
	check(is_offer(theirs.device_offer(secret.tep)), "no offer");
	offer_refused(passive, secret, suboption(secret.tep, secret.own_half(), random_bytes(8)));
	theirs.send_syn_ack();
	theirs.take_third();
	theirs.finish_connect();
	theirs.exchange();
	theirs.prove_encrypted();
}

void expired(Run &run)
{
	Resumption on;
	Setting lifetime("net.tcpcrypt.resume_lifetime", "1");
	Secret secret = first(run);
	run.wire.wait_for([] { return false; }, Millis{2200});
	expect_fresh(run, secret);
}

// also while the connection lives, and what follows in its chain.
void flushed_by_application(Run &run)
{
	Resumption on;
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	Answer flush = dialogue.app("setsockopt", std::to_string(0x454e) + " 35 01000000");
	check(flush.ok, "setsockopt(TCP_CRYPT_CACHE_FLUSH) failed with " + flush.value);
	expect_fresh(run, dialogue.next_secret());
	dialogue.prove_encrypted();
}

/** Of TCP_CRYPT_RESUME. */
constexpr int use_alone = 1;
constexpr int cache_alone = 2;

/** A dialogue with a socket, or a listener, for which TCP_CRYPT_RESUME is @bits; other ones stay as they are. */
void with_resume(const Run &run, int bits, const std::function<void(Dialogue &)> &body)
{
	Run own = run;
	with_settings(own, {{crypt_resume, number_value(bits)}}, body);
}

void not_used_by_socket(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	with_resume(run, cache_alone, [&](Dialogue &dialogue) {
		dialogue.secret = secret;
		dialogue.open();
		check(!is_offer(dialogue.device_offer(secret.tep)), "the device resumes, although its application said no");
		dialogue.exchange();
		dialogue.prove_encrypted();
	});
}

void cached_by_socket(Run &run)
{
	Resumption on;
	std::optional<Secret> secret;
	with_resume(run, cache_alone, [&](Dialogue &dialogue) {
		dialogue.establish();
		dialogue.prove_encrypted();
		secret = dialogue.next_secret();
	});
	again(run, *secret);
}

void not_cached_by_socket(Run &run)
{
	Resumption on;
	std::optional<Secret> secret = first(run);
	with_resume(run, use_alone, [&](Dialogue &dialogue) {
		dialogue.secret = secret;
		dialogue.reestablish();
		prove_resumed(dialogue);
		secret = dialogue.next_secret();
	});
	expect_fresh(run, *secret);
}

void no_trace_of_socket(Run &run)
{
	Resumption on;
	std::optional<Secret> secret;
	with_resume(run, 0, [&](Dialogue &dialogue) {
		dialogue.establish();
		dialogue.prove_encrypted();
		secret = dialogue.next_secret();
	});
	expect_fresh(run, *secret);
}

// N-04: a session with a cipher that this application does not want is not resumed by it, but by others.
void not_with_this_cipher(Run &run)
{
	Resumption on;
	std::optional<Secret> secret = first(run, {.ciphers = {0x0001}});
	Run own = run;
	with_settings(own, {{crypt_aeads, Bytes{0x10, 0}}}, [&](Dialogue &dialogue) {
		if (dialogue.is_passive())
			dialogue.secret = secret;
		dialogue.open();
		check(!is_offer(dialogue.device_offer(secret->tep)), "resumed with a cipher that the application excludes");
		dialogue.exchange({.ciphers = {0x0010}});
		dialogue.prove_encrypted();
		check(dialogue.option_number(tcp_crypt_aead) == 0x10, "another AEAD than the application's");
	});
	if (run.role == Role::active) {		// there are two by now, and the other one is the newest
		Setting aeads("net.tcpcrypt.aeads", "aes-128-gcm");
		with_settings(own, {{crypt_aeads, Bytes{1, 0}}}, [&](Dialogue &dialogue) {
			dialogue.secret = secret;
			dialogue.reestablish();
			prove_resumed(dialogue);
		});
	}
}

void cache_full(Run &run)
{
	Resumption on;
	Setting two("net.tcpcrypt.resume_cache", "2");
	Run passive = run.role == Role::passive ? run : swapped(run);
	std::vector<Secret> secrets;
	{
		// All at a time: a connection that is made later would resume an earlier one.
		std::vector<std::unique_ptr<Dialogue>> dialogues;
		for (int i = 0; i < 3; i++) {
			dialogues.push_back(std::make_unique<Dialogue>(passive));
			dialogues.back()->establish();
			secrets.push_back(dialogues.back()->next_secret());
		}
	}
	offer_refused(passive, secrets[0], suboption(secrets[0].tep, secrets[0].own_half(), random_bytes(8)));
	// That session took the place of the second.
	offer_refused(passive, secrets[1], suboption(secrets[1].tep, secrets[1].own_half(), random_bytes(8)));
}

void newest_stays(Run &run)
{
	Resumption on;
	Setting one("net.tcpcrypt.resume_cache", "1");
	first(run);
	Dialogue dialogue(run);
	dialogue.establish();	/* as B, it refuses what the device offers */
	again(run, dialogue.next_secret());
}

void switched_off(Run &run)
{
	Resumption on;
	Secret secret = first(run);
	{
		Setting off("net.tcpcrypt.resume", "0");
		expect_fresh(run, secret);
	}
	// And what was cached is gone.
	expect_fresh(run, secret);
}

void switched_off_caches_nothing(Run &run)
{
	Setting off("net.tcpcrypt.resume", "0");
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.prove_encrypted();
	Setting on("net.tcpcrypt.resume", "1");
	expect_fresh(run, dialogue.next_secret());
}

// A session whose frames do not authenticate leaves nothing to resume from (E-26).
void nothing_of_a_forged_session(Run &run)
{
	Resumption on;
	Dialogue dialogue(run);
	dialogue.establish();
	dialogue.channel().enqueue_raw(Bytes(200, 0));
	dialogue.tcp.push();
	Answer answer = dialogue.app("recv", "1000");
	check(!answer.ok && answer.value == "EBADMSG", "recv() gave " + answer.shown());
	expect_fresh(run, dialogue.next_secret());
}

// Each connection takes one, and several chains go on side by side.
void parallel_chains(Run &run)
{
	Resumption on;
	Run passive = run.role == Role::passive ? run : swapped(run);
	std::vector<Secret> secrets;
	{
		std::vector<std::unique_ptr<Dialogue>> dialogues;
		for (int i = 0; i < 4; i++) {
			dialogues.push_back(std::make_unique<Dialogue>(passive));
			dialogues.back()->establish();
			secrets.push_back(dialogues.back()->next_secret());
		}
	}
	for (int round = 0; round < 2; round++) {
		std::vector<std::unique_ptr<Dialogue>> dialogues;
		std::vector<Secret> next;
		for (std::size_t i = 0; i < secrets.size(); i++) {
			dialogues.push_back(std::make_unique<Dialogue>(run));
			Dialogue &dialogue = *dialogues.back();
			if (dialogue.is_passive()) {
				dialogue.secret = secrets[i];
			} else {
				dialogue.start_connect();
				dialogue.take_syn();
				auto offer = dialogue.device_offer(curve25519.id);
				check(is_offer(offer), "a connection without an offer, though there is a secret left");
				for (std::size_t j = 0; j < secrets.size(); j++)
					if (equal(View(offer->data).first(resume_half), secrets[j].device_half()))
						dialogue.secret = secrets[j];
				check(dialogue.secret.has_value(), "an offer of an unknown secret");
				for (const auto &other : dialogues)
					check(other.get() == &dialogue || other->secret->ss != dialogue.secret->ss,
					      "one secret is offered on two connections (R-06)");
				continue;
			}
			dialogue.reestablish();
			prove_resumed(dialogue);
			next.push_back(dialogue.next_secret());
		}
		for (auto &dialogue : dialogues) {
			if (dialogue->is_passive())
				continue;
			dialogue->send_syn_ack();
			dialogue->take_third();
			dialogue->finish_connect();
			dialogue->resume();
			prove_resumed(*dialogue);
			next.push_back(dialogue->next_secret());
		}
		secrets = next;
	}
}

void bulk_after_resumption(Run &run)
{
	Resumption on;
	Dialogue dialogue(run);
	dialogue.secret = first(run);
	dialogue.reestablish();
	bulk(dialogue, run.quick ? 200000 : 2000000);
	prove_resumed(dialogue);
}

} // namespace

void add_resume_cases(Cases &cases)
{
	cases.push_back({"R-02 R-07 R-11 R-12 N-02", "resumed", Roles::both, resumed});
	cases.push_back({"R-06 R-14 K-08", "resumed-in-a-chain", Roles::both, resumed_in_a_chain});
	cases.push_back({"R-08", "cipher-of-the-original-session", Roles::both, cipher_of_the_original});
	cases.push_back({"R-08 N-04", "resumption-with-cipher-switched-off", Roles::both, cipher_switched_off});
	cases.push_back({"R-01", "resumption-nonce-lengths", Roles::both, nonce_lengths});
	cases.push_back({"R-01", "resumption-nonce-of-eight", Roles::both, nonce_of_eight});
	cases.push_back({"R-02 N-02", "resumption-wrong-half", Roles::passive, wrong_half});
	cases.push_back({"R-02", "resumption-half-reflected", Roles::passive, half_reflected});
	cases.push_back({"R-06 R-02", "resumption-replayed", Roles::passive, offer_replayed});
	cases.push_back({"R-06 E-13", "resumption-agreed-then-plain", Roles::passive, agreed_then_plain});
	cases.push_back({"R-03 E-10", "resumption-nonce-too-long-though-known", Roles::passive, nonce_too_long});
	cases.push_back({"R-03 E-10", "resumption-data-too-short", Roles::passive, data_too_short});
	cases.push_back({"R-02", "resumption-with-another-tep", Roles::passive, other_tep_than_the_sessions});
	cases.push_back({"E-10 R-05", "resumption-of-a-repeated-tep", Roles::passive, repeated_tep});
	cases.push_back({"R-07 R-14 F-08", "resumption-roles-swapped", Roles::both, roles_swapped});
	cases.push_back({"R-07", "resumption-other-address", Roles::both, other_address});
	cases.push_back({"R-02 E-24", "resumption-full-option-area", Roles::both, full_option_area});
	cases.push_back({"R-05 E-10 E-11 E-26", "resumption-beside-other-teps", Roles::passive, beside_other_teps});
	cases.push_back({"R-05 N-01 E-08 E-24", "resumption-offer-beside-other-teps", Roles::active,
			 offer_beside_other_teps});
	cases.push_back({"E-14", "resumption-syn-retransmitted", Roles::active, syn_retransmitted, false, true});
	cases.push_back({"E-14 R-06", "resumption-syn-ack-retransmitted", Roles::passive, syn_ack_retransmitted, false,
			 true});
	cases.push_back({"R-11 E-12", "resumption-first-flight", Roles::active, first_flight});
	cases.push_back({"R-11 E-12", "resumption-frame-in-third-segment", Roles::passive, frame_in_third_segment});
	cases.push_back({"R-11", "resumption-passive-sends-at-once", Roles::passive, passive_sends_at_once});
	cases.push_back({"R-11 F-05", "resumption-closes-at-once", Roles::both, closes_at_once});
	cases.push_back({"R-13 R-14", "simultaneous-resumption", Roles::active, crossing});
	cases.push_back({"R-04 E-05", "resumption-not-offered-with-b-set", Roles::active, not_offered_with_b});
	cases.push_back({"R-13 N-02 R-06", "simultaneous-resumption-refused", Roles::active, crossing_refused});
	cases.push_back({"R-04 R-06", "simultaneous-resumption-of-another", Roles::active, crossing_with_another});
	cases.push_back({"N-02 R-06", "resumption-refused", Roles::active, refused});
	cases.push_back({"N-02 R-06", "resumption-refused-with-another-tep", Roles::active, refused_with_another_tep});
	cases.push_back({"R-06 E-16", "resumption-answered-vacuously", Roles::active, answered_without_eno});
	cases.push_back({"R-04", "resumption-answered-with-wrong-half", Roles::active, answered_with_wrong_half});
	cases.push_back({"R-04", "resumption-answered-with-own-half", Roles::active, answered_with_own_half});
	cases.push_back({"R-04 R-03", "resumption-answered-with-short-data", Roles::active, answered_with_short_data});
	cases.push_back({"R-04 E-10", "resumption-answered-with-long-nonce", Roles::active, answered_with_long_nonce});
	cases.push_back({"R-04 E-11", "resumption-wrong-half-beside-valid-tep", Roles::active,
			 wrong_half_beside_valid_tep});
	cases.push_back({"R-04", "resumption-that-was-not-offered", Roles::active, agreed_to_what_was_not_offered});
	cases.push_back({"R-06", "resumption-offers-cross", Roles::both, offers_cross});
	cases.push_back({"R-10 K-08", "resumption-expired", Roles::both, expired, false, true});
	cases.push_back({"R-09", "resumption-flushed-by-application", Roles::both, flushed_by_application});
	cases.push_back({"R-10", "resumption-cache-full", Roles::passive, cache_full});
	cases.push_back({"R-10", "resumption-newest-stays", Roles::both, newest_stays});
	cases.push_back({"R-09", "resumption-not-used-by-socket", Roles::both, not_used_by_socket});
	cases.push_back({"R-09", "resumption-cached-by-socket", Roles::both, cached_by_socket});
	cases.push_back({"R-09", "resumption-not-cached-by-socket", Roles::both, not_cached_by_socket});
	cases.push_back({"R-09", "resumption-without-a-trace-of-socket", Roles::both, no_trace_of_socket});
	cases.push_back({"N-04 R-08", "resumption-not-with-an-excluded-cipher", Roles::both, not_with_this_cipher});
	cases.push_back({"R-09 R-10", "resumption-switched-off", Roles::both, switched_off});
	cases.push_back({"R-09 R-10", "resumption-switched-off-caches-nothing", Roles::both,
			 switched_off_caches_nothing});
	cases.push_back({"E-26 R-10", "resumption-nothing-of-a-forged-session", Roles::both,
			 nothing_of_a_forged_session});
	cases.push_back({"R-06", "resumption-parallel-chains", Roles::both, parallel_chains});
	cases.push_back({"R-11 F-02", "resumption-bulk", Roles::both, bulk_after_resumption});
}

} // namespace conformance
