// SPDX-License-Identifier: GPL-2.0
// Cases about Init1 and Init2: malformed ones, boundaries, ignored bytes, the choice of the AEAD.
#include "cases.hh"

#include <algorithm>

namespace conformance {

namespace {

/** The cases of the table use TEP 0x23. */
constexpr std::size_t public_length = curve25519.public_length();

void store32(Bytes &in, std::size_t offset, std::uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		in[offset + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

/** Our Init message, changed by @spoil, makes the device abort with EPROTO. */
void malformed(Run &run, const std::function<void(Bytes &)> &spoil, const Exchange &parameters = {})
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	if (!dialogue.is_passive())
		dialogue.take_init();
	Bytes message = dialogue.own_init(parameters);
	spoil(message);
	dialogue.send_init(message);
	dialogue.prove_abort("EPROTO");
}

struct Malformed {
	const char *ids;
	const char *name;
	Roles roles;
	void (*spoil)(Bytes &message);
};

/* Init1: nciphers is at offset 8; with the three default AEADs its nonce begins at 15. Init2: sym_cipher is at 8. */
const Malformed malformed_table[] = {
	{"K-04", "magic-byte-0", Roles::both, [](Bytes &m) { m[0] ^= 0x01; }},
	{"K-04", "magic-byte-1", Roles::both, [](Bytes &m) { m[1] ^= 0x80; }},
	{"K-04", "magic-byte-2", Roles::both, [](Bytes &m) { m[2] ^= 0x10; }},
	{"K-04", "magic-byte-3", Roles::both, [](Bytes &m) { m[3] ^= 0x01; }},
	{"K-04", "magic-of-the-other-message", Roles::both,
	 [](Bytes &m) { store32(m, 0, get32(m, 0) == init1_magic ? init2_magic : init1_magic); }},
	{"K-04", "http-in-the-place-of-init", Roles::both,
	 [](Bytes &m) { m = text("GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: something older\r\nAccept: */*\r\n\r\n"); }},
	{"K-04", "message-len-zero", Roles::both, [](Bytes &m) { store32(m, 4, 0); }},
	{"K-04", "message-len-seven", Roles::both, [](Bytes &m) { store32(m, 4, 7); }},
	{"K-04", "message-len-eight", Roles::both, [](Bytes &m) { store32(m, 4, 8); }},
	{"K-04", "message-len-nine", Roles::both, [](Bytes &m) { store32(m, 4, 9); }},
	{"K-04", "message-len-without-key", Roles::both,
	 [](Bytes &m) { store32(m, 4, static_cast<std::uint32_t>(m.size() - public_length)); }},
	{"K-04", "message-len-one-short", Roles::both,
	 [](Bytes &m) { store32(m, 4, static_cast<std::uint32_t>(m.size() - 1)); }},
	{"K-04", "message-len-2-31", Roles::both, [](Bytes &m) { store32(m, 4, 0x80000000); }},
	{"K-04", "message-len-2-31-minus-1", Roles::both, [](Bytes &m) { store32(m, 4, 0x7fffffff); }},
	{"K-04", "message-len-2-32-minus-1", Roles::both, [](Bytes &m) { store32(m, 4, 0xffffffff); }},
	{"K-04", "message-len-byte-swapped", Roles::both,
	 [](Bytes &m) { store32(m, 4, static_cast<std::uint32_t>(m.size()) << 24); }},
	{"K-04", "key-truncated", Roles::both,
	 [](Bytes &m) {
		 m.pop_back();
		 store32(m, 4, static_cast<std::uint32_t>(m.size()));
	 }},
	{"K-04", "key-and-nonce-missing", Roles::both,
	 [](Bytes &m) {
		 m.resize(m.size() - public_length - nonce_length);
		 store32(m, 4, static_cast<std::uint32_t>(m.size()));
	 }},
	{"K-04", "zero-ciphers", Roles::passive,
	 [](Bytes &m) {
		 m[8] = 0;
		 m.erase(m.begin() + 9, m.begin() + 15);
		 store32(m, 4, static_cast<std::uint32_t>(m.size()));
	 }},
	{"K-04", "nciphers-past-end", Roles::passive, [](Bytes &m) { m[8] = 255; }},
	{"K-04", "nciphers-one-too-many", Roles::passive, [](Bytes &m) { m[8] = 4; }},
	{"K-03", "no-shared-cipher", Roles::passive,
	 [](Bytes &m) {
		 for (std::size_t i = 9; i < 15; i++)
			 m[i] = 0xff;
	 }},
	{"K-03 N-06", "null-cipher-offered", Roles::passive,
	 [](Bytes &m) {
		 for (std::size_t i = 9; i < 15; i++)
			 m[i] = 0;
	 }},
	{"K-03", "ciphers-byte-swapped", Roles::passive,
	 [](Bytes &m) {
		 for (std::size_t i = 9; i < 15; i += 2)
			 std::swap(m[i], m[i + 1]);
	 }},
	{"K-03 N-06", "cipher-zero-chosen", Roles::active, [](Bytes &m) { m[8] = 0, m[9] = 0; }},
	{"K-03", "cipher-unknown-chosen", Roles::active, [](Bytes &m) { m[8] = 0, m[9] = 3; }},
	{"K-03", "cipher-byte-swapped", Roles::active, [](Bytes &m) { m[8] = 1, m[9] = 0; }},
	{"K-03", "cipher-ffff-chosen", Roles::active, [](Bytes &m) { m[8] = 0xff, m[9] = 0xff; }},
};

// K-03: known to the device, but not what it offered on this connection.
void cipher_not_offered(Run &run)
{
	Setting setting("net.tcpcrypt.aeads", "aes-128-gcm");
	malformed(run, [](Bytes &m) { m[8] = 0, m[9] = 2; });
}

void cipher_disabled(Run &run)
{
	Setting setting("net.tcpcrypt.aeads", "aes-128-gcm");
	malformed(run, [](Bytes &) {}, {.ciphers = {0x0002, 0x0010}});
}

/** One connection whose Init message goes out in two segments, for each boundary. */
void split_everywhere(Run &run, const Tep &tep)
{
	need(tep);
	std::size_t length = 0;
	for (std::size_t at = 1; at == 1 || at < length; at++) {
		Dialogue dialogue(run, tep);
		try {
			dialogue.open();
			check(dialogue.encrypted(), "ENO failed");
			if (!dialogue.is_passive())
				dialogue.take_init();
			Bytes message = dialogue.own_init({.ciphers = {0x0001}});
			length = message.size();
			dialogue.tcp.enqueue(message);
			dialogue.tcp.send_range(0, at);
			dialogue.tcp.wait_acknowledged();
			dialogue.tcp.send_range(at, length, PSH);
			if (dialogue.is_passive())
				dialogue.take_init();
			dialogue.derive_keys(message);
			dialogue.prove_encrypted();
		} catch (const Failure &failure) {
			throw Failure("cut at " + std::to_string(at) + ": " + failure.what());
		}
		dialogue.app("linger", "0");
		dialogue.app("close");
	}
}

void send_pieces(Run &run, const std::function<void(Tcp &, std::size_t)> &transmit, const Tep &tep = curve25519)
{
	need(tep);
	Dialogue dialogue(run, tep);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	if (!dialogue.is_passive())
		dialogue.take_init();
	Bytes message = dialogue.own_init();
	dialogue.tcp.enqueue(message);
	transmit(dialogue.tcp, message.size());
	if (dialogue.is_passive())
		dialogue.take_init();
	dialogue.derive_keys(message);
	dialogue.prove_encrypted();
}

void one_byte_segments(Run &run, const Tep &tep)
{
	send_pieces(run, [](Tcp &tcp, std::size_t) { tcp.push(1); }, tep);
}

void pieces_backwards(Run &run)
{
	send_pieces(run, [](Tcp &tcp, std::size_t length) {
		for (std::size_t end = length; end > 0; end -= std::min<std::size_t>(end, 11))
			tcp.send_range(end - std::min<std::size_t>(end, 11), end);
	});
}

void pieces_overlapping(Run &run)
{
	send_pieces(run, [](Tcp &tcp, std::size_t length) {
		for (std::size_t at = 0; at < length; at += 10)
			tcp.send_range(at / 2, std::min(length, at + 17));
		tcp.send_range(0, length);
		tcp.send_range(0, length);
	});
}

void trailing(Run &run, std::size_t length)
{
	Dialogue dialogue(run);
	dialogue.establish({.ignored = pattern(9, 0, length)});
	dialogue.prove_encrypted();
}

void trailing_1(Run &run)
{
	trailing(run, 1);
}

void trailing_100(Run &run)
{
	trailing(run, 100);
}

void trailing_1000(Run &run)
{
	trailing(run, 1000);
}

void trailing_3000(Run &run)
{
	trailing(run, 3000);
}

// The transcript holds the transmitted bytes: leave the ignored ones out and nothing authenticates.
void trailing_is_hashed(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	if (!dialogue.is_passive())
		dialogue.take_init();
	dialogue.send_init(dialogue.own_init({.ignored = pattern(9, 0, 20)}));
	if (dialogue.is_passive())
		dialogue.take_init();
	Bytes other = dialogue.own_init({.ignored = pattern(8, 0, 20)});
	dialogue.derive_keys(other);
	dialogue.channel().send(text("under the wrong keys"));
	dialogue.prove_abort("EBADMSG");
}

void init_has_push(Run &run)
{
	Dialogue dialogue(run);
	dialogue.establish();
	std::uint32_t last = dialogue.tcp.irs + static_cast<std::uint32_t>(dialogue.device_init->wire.size());
	bool found = false;
	for (const Segment &segment : dialogue.tcp.seen) {
		std::uint32_t distance = last - segment.seq;
		if (segment.has(SYN) || distance >= segment.payload.size())
			continue;
		found = true;
		check(segment.has(PSH), "no PSH on the segment with the Init message's last byte");
	}
	check(found, "no segment has the Init message's last byte");
	dialogue.prove_encrypted();
}

std::uint16_t chosen_from(Run &run, const std::vector<std::uint16_t> &ciphers)
{
	Dialogue dialogue(run);
	dialogue.establish({.ciphers = ciphers});
	dialogue.prove_encrypted();
	return dialogue.device_init->ciphers[0];
}

// K-03: B's own preference, whatever order A has.
void own_preference(Run &run)
{
	std::uint16_t first = chosen_from(run, {0x0001, 0x0002, 0x0010});
	std::uint16_t second = chosen_from(run, {0x0010, 0x0002, 0x0001});
	std::uint16_t third = chosen_from(run, {0x0002, 0x0010, 0x0001});
	check(first == second && second == third, "the choice follows the order of the offer");
}

void unknown_ciphers_passed_over(Run &run)
{
	check(chosen_from(run, {0xffff, 0x0000, 0x0002, 0x0003, 0x1234}) == 0x0002, "not the only shared AEAD");
}

void cipher_repeated(Run &run)
{
	check(chosen_from(run, {0x0010, 0x0010, 0x0010}) == 0x0010, "not the only shared AEAD");
}

void many_ciphers(Run &run)
{
	std::vector<std::uint16_t> ciphers;
	for (std::uint16_t i = 0; i < 254; i++)
		ciphers.push_back(static_cast<std::uint16_t>(0x4000 + i));
	ciphers.push_back(0x0001);
	check(chosen_from(run, ciphers) == 0x0001, "not the only shared AEAD");
}

// N-06: an implementation's offer has TEP 0x23's required AEAD.
void required_cipher_offered(Run &run)
{
	Dialogue dialogue(run);
	dialogue.establish({.ciphers = {0x0001}});
	auto offered = dialogue.device_init->ciphers;
	std::sort(offered.begin(), offered.end());
	check(std::adjacent_find(offered.begin(), offered.end()) == offered.end(), "an AEAD is offered twice");
	for (std::uint16_t cipher : offered)
		check(aead_known(cipher), "the device offers the unknown AEAD " + std::to_string(cipher));
	dialogue.prove_encrypted();
}

// K-05: frames may be in the very segment that ends Init2.
void frames_behind_init2(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	dialogue.take_init();
	Bytes message = dialogue.own_init();
	dialogue.tcp.enqueue(message);
	dialogue.derive_keys(message);
	Bytes first = text("right behind Init2");
	Bytes second = text(", and another frame");
	dialogue.channel().enqueue({.data = first});
	dialogue.channel().enqueue({.data = second});
	dialogue.tcp.push();
	dialogue.app_receives(cat({first, second}));
	dialogue.prove_encrypted();
}

// Written before there are keys: sealed later, and never seen on the wire.
void written_before_keys(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	Bytes secret = text("written before the keys were there");
	std::string writer = dialogue.app_start("send", to_hex(secret));
	dialogue.exchange();
	Bytes got = dialogue.channel().read(secret.size());
	check(equal(got, secret), "other data than was written");
	check(run.device.finish(writer).ok, "send() failed");
	check(!contains(dialogue.tcp.stream(), secret), "plaintext on the wire");
	dialogue.prove_encrypted();
}

// K-07: nothing of one key exchange comes again in another.
void fresh_each_time(Run &run)
{
	std::vector<Bytes> values;
	for (int i = 0; i < 4; i++) {
		Dialogue dialogue(run);
		dialogue.establish();
		dialogue.prove_encrypted();
		values.push_back(dialogue.device_init->nonce);
		values.push_back(dialogue.device_init->pub);
		values.push_back(dialogue.session().session_id);
	}
	std::sort(values.begin(), values.end());
	check(std::adjacent_find(values.begin(), values.end()) == values.end(),
	      "a nonce, public key or session ID came twice");
}

} // namespace

void add_init_cases(Cases &cases)
{
	for (const Malformed &entry : malformed_table)
		cases.push_back({entry.ids, entry.name, entry.roles,
				 [&entry](Run &run) { malformed(run, entry.spoil); }});
	cases.push_back({"K-03 N-04", "cipher-not-offered", Roles::active, cipher_not_offered});
	cases.push_back({"K-03 N-04", "only-disabled-ciphers-offered", Roles::passive, cipher_disabled});
	/* With the usual key, and with the longest one. */
	cases.push_back({"K-02", "init-split-at-every-byte", Roles::both,
			 [](Run &run) { split_everywhere(run, curve25519); }, false, true});
	cases.push_back({"K-02", "p521-init-split-at-every-byte", Roles::both,
			 [](Run &run) { split_everywhere(run, p521); }, true});
	for (const Tep &tep : all_teps)
		cases.push_back({"K-02", std::string(tep.name) + "-in-one-byte-segments", Roles::both,
				 [&tep](Run &run) { one_byte_segments(run, tep); }});
	cases.push_back({"K-02", "init-backwards", Roles::both, pieces_backwards});
	cases.push_back({"K-02", "init-overlapping", Roles::both, pieces_overlapping});
	cases.push_back({"K-02", "init-has-push", Roles::both, init_has_push});
	cases.push_back({"K-01", "ignored-1-byte", Roles::both, trailing_1});
	cases.push_back({"K-01", "ignored-100-bytes", Roles::both, trailing_100});
	cases.push_back({"K-01", "ignored-1000-bytes", Roles::both, trailing_1000});
	cases.push_back({"K-01", "ignored-3000-bytes", Roles::both, trailing_3000});
	cases.push_back({"K-01 F-04", "ignored-bytes-are-hashed", Roles::both, trailing_is_hashed});
	cases.push_back({"K-03", "own-preference", Roles::passive, own_preference});
	cases.push_back({"K-03", "unknown-ciphers-passed-over", Roles::passive, unknown_ciphers_passed_over});
	cases.push_back({"K-03", "cipher-repeated", Roles::passive, cipher_repeated});
	cases.push_back({"K-03 K-04", "255-ciphers", Roles::passive, many_ciphers});
	cases.push_back({"N-06 K-03", "required-cipher-offered", Roles::active, required_cipher_offered});
	cases.push_back({"K-05", "frames-behind-init2", Roles::active, frames_behind_init2});
	cases.push_back({"K-05 E-15", "written-before-keys", Roles::both, written_before_keys});
	cases.push_back({"K-07 K-06 E-21", "fresh-each-time", Roles::both, fresh_each_time});
}

} // namespace conformance
