// SPDX-License-Identifier: GPL-2.0
// The peer against itself and against published vectors, without a device under test.
#include "selftest.hh"

#include "channel.hh"
#include "eno.hh"

#include <exception>
#include <functional>
#include <thread>

namespace conformance {

namespace {

Bytes hex(std::string_view digits)
{
	auto value = from_hex(digits);
	check(value.has_value(), "bad hexadecimal in a vector");
	return *value;
}

// RFC 5869, test cases 1 and 3.
void hkdf_vectors()
{
	Bytes prk = hkdf_extract(hex("000102030405060708090a0b0c"), Bytes(22, 0x0b));
	check(prk == hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"), "extract");
	Bytes okm = hkdf_expand(prk, hex("f0f1f2f3f4f5f6f7f8f9"), 42);
	check(okm == hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
	      "expand");
	prk = hkdf_extract({}, Bytes(22, 0x0b));
	check(hkdf_expand(prk, {}, 42) ==
		      hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
	      "expand without salt and info");
}

struct Agreement {
	const Tep &tep;
	const char *private_key;
	const char *public_key;
	const char *other;
	const char *secret;
};

/* RFC 7748 sections 6.1 and 6.2, Bob's side; RFC 5903 sections 8.1 and 8.3, the initiator's. */
const Agreement agreements[] = {
	{curve25519, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
	 "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
	 "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
	 "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
	{curve448,
	 "1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d",
	 "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
	 "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0",
	 "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a449a5037514a879d"},
	{p256, "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
	 "002103dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180",
	 "002103d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63",
	 "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"},
	{p521,
	 "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a0"
	 "95aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52",
	 "0043020015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbe"
	 "e1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4195d176ced3e",
	 "00430200d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a21"
	 "9b97c356436adc6e95bb0352f6be64a6c2912d4ef2d0433ced2b6171640012d9460f",
	 "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04"
	 "d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea"},
};

void agreement(const Agreement &vector)
{
	const Tep &tep = vector.tep;
	KeyPair pair(tep, hex(vector.private_key));
	check(pair.public_key() == hex(vector.public_key), "public key");
	check(pair.shared_secret(hex(vector.other)) == hex(vector.secret), "shared secret");
	Bytes bad = hex(vector.other);
	bad.pop_back();
	check(!pair.shared_secret(bad), "a short key is accepted");
	if (!tep.is_point) {
		check(!pair.shared_secret(Bytes(tep.key_length, 0)), "an all-zero secret is accepted");
		return;
	}
	bad = hex(vector.other);
	bad[2] = 4;
	check(!pair.shared_secret(bad), "a wrong prefix is accepted");
	bad[2] = 2;
	bad[1]--;
	check(!pair.shared_secret(bad), "a wrong length is accepted");
	bad = cat({View(pair.public_key()).first(3), field_prime(tep)});
	check(!pair.shared_secret(bad), "X = p is accepted");
}

void aead_vector(AeadId id, View key, View nonce, View ad, View plaintext, View sealed)
{
	check(equal(aead_seal(id, key, nonce, ad, plaintext), sealed), "seal");
	auto opened = aead_open(id, key, nonce, ad, sealed);
	check(opened && equal(*opened, plaintext), "open");
	for (std::size_t i = 0; i < sealed.size(); i++) {
		Bytes altered(sealed.begin(), sealed.end());
		altered[i] ^= 1;
		check(!aead_open(id, key, nonce, ad, altered), "an altered byte is not noticed");
	}
}

// Test cases 4 and 16 of McGrew and Viega's GCM submission to NIST; RFC 8439 section 2.8.2.
void aead_vectors()
{
	Bytes key = hex("feffe9928665731c6d6a8f9467308308");
	Bytes nonce = hex("cafebabefacedbaddecaf888");
	Bytes ad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
	Bytes plaintext = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
			      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
	aead_vector(AeadId::aes_128_gcm, key, nonce, ad, plaintext,
		    hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
			"21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
			"5bc94fbc3221a5db94fae95ae7121a47"));
	aead_vector(AeadId::aes_256_gcm, cat({key, key}), nonce, ad, plaintext,
		    hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
			"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
			"76fc6ece0f4e1768cddf8853bb2d551b"));
	aead_vector(AeadId::chacha20_poly1305, hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
		    hex("070000004041424344454647"), hex("50515253c0c1c2c3c4c5c6c7"),
		    text("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
			 "sunscreen would be it."),
		    hex("d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
			"3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
			"92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
			"3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"));
}

void option_parser()
{
	struct Sample {
		const char *contents;
		bool well_formed;
		std::size_t teps;
	};
	static constexpr Sample samples[] = {
		{"", true, 0},		 {"01", true, 0},	    {"2322", true, 2},	     {"0123", true, 1},
		{"81f0aabb23", true, 2}, {"f0aabb23", true, 1},	    {"80", false, 0},	     {"8023", false, 0},
		{"8000", false, 0},	 {"8080f000", false, 0},    {"80a000", true, 1},     {"80a0", false, 0},
		{"9ff000", false, 0},	 {"2380f00025", true, 3},   {"23a3", true, 2},	     {"019f", false, 0},
	};
	for (const Sample &sample : samples) {
		SynForm form = parse_syn_form(hex(sample.contents));
		check(form.well_formed == sample.well_formed, std::string("well-formed: ") + sample.contents);
		check(!form.well_formed || form.teps.size() == sample.teps, std::string("TEPs: ") + sample.contents);
	}
	check(parse_syn_form(hex("001f23")).global == 0, "the first global counts");
	Bytes twice = cat({eno_option(hex("23")), eno_option(hex("23"))});
	check(!syn_form_of(twice), "two options are not none");
}

void packets()
{
	for (const AddressPair &pair : {addresses_v4, addresses_v6}) {
		Segment segment;
		segment.source = parse_address(pair.device);
		segment.target = parse_address(pair.peer);
		segment.source_port = 1;
		segment.target_port = 65535;
		segment.seq = 0xfffffff0;
		segment.flags = ACK | PSH;
		segment.options = eno_option(hex("0123"));
		segment.payload = pattern(1, 0, 999);
		auto back = decode(encode(segment));
		check(back && !back->bad_checksum, "checksum");
		check(back->payload == segment.payload && back->seq == segment.seq, "segment");
		check(equal(find_option(back->options, OPT_ENO), segment.options), "options");
		segment.bad_checksum = true;
		back = decode(encode(segment));
		check(back && back->bad_checksum, "a wrong checksum is not noticed");
	}
}

/** One side of a conversation over an in-process link. */
struct Side {
	Side(const Tep &tep, Link &link, const char *local, std::uint16_t local_port, const char *remote, std::uint16_t remote_port)
		: wire(link), tcp(wire, parse_address(local), local_port, parse_address(remote), remote_port), keys(tep)
	{
		tcp.leave = true;
	}
	Wire wire;
	Tcp tcp;
	KeyPair keys;
	Bytes nonce = random_bytes(nonce_length);
	Bytes session_id;
};

constexpr std::size_t talk_size = 200000;

/** Data both ways, a rekey from each side, and the end. @first: begins the rekey. */
void talk(Side &side, Channel &channel, bool first)
{
	std::uint64_t out = first ? 1 : 2;
	std::uint64_t in = first ? 2 : 1;
	for (std::size_t at = 0; at < talk_size; at += 10000)
		channel.enqueue({.data = pattern(out, at, 10000)});
	side.tcp.flush();
	check(equal(channel.read(talk_size), pattern(in, 0, talk_size)), "data");
	if (first)
		channel.send_rekey(text("new key"));
	check(equal(channel.read(7), text("new key")), "data after the rekey");
	if (!first)
		channel.send(text("new key"));
	channel.send(Frame{.data = text("end"), .flags = flag_fin});
	side.tcp.send_fin();
	check(equal(channel.read_to_finp(), text("end")), "data in the last frame");
	side.tcp.wait_finished();
	check(channel.sending.generation() == 1 && channel.receiving.generation() == 1, "generations");
}

Bytes take_message(Side &side, std::uint32_t magic)
{
	side.wire.wait([&] { return init_length(side.tcp.stream(), magic).has_value(); }, "Init message");
	return slice(side.tcp.stream(), 0, *init_length(side.tcp.stream(), magic));
}

void play_a(Side &side, AeadId aead)
{
	const Tep &tep = side.keys.tep();
	Bytes own = eno_option(Bytes{tep.id});
	side.tcp.send_syn(cat({mss_option(1400), own}));
	side.tcp.wait_segment([](const Segment &s) { return s.has(SYN | ACK); }, "SYN-ACK");
	side.tcp.eno_until_heard = true;
	side.tcp.send_ack();
	Bytes init1 = make_init1({0x7777, static_cast<std::uint16_t>(aead)}, side.nonce, side.keys.public_key());
	side.tcp.send(init1);
	Bytes init2 = take_message(side, init2_magic);
	Init parsed = parse_init2(tep, init2);
	Bytes transcript = cat({own, find_option(side.tcp.syn_options, OPT_ENO)});
	Session session = derive(tep.id, AeadId{parsed.ciphers[0]}, transcript, init1, init2,
				 *side.keys.shared_secret(parsed.pub), side.nonce);
	side.session_id = session.session_id;
	Channel channel(side.tcp, session.ab, session.ba, init2.size());
	talk(side, channel, true);
}

void play_b(Side &side)
{
	side.tcp.wait_segment([](const Segment &s) { return s.has(SYN); }, "SYN");
	const Tep &tep = side.keys.tep();
	Bytes own = eno_option(Bytes{eno_global_b, tep.id});
	side.tcp.send_syn_ack(cat({mss_option(1400), own}));
	const Segment &third = side.tcp.wait_segment([](const Segment &s) { return !s.has(SYN); }, "third segment");
	check(!find_option(third.options, OPT_ENO).empty(), "third segment without ENO");
	Bytes init1 = take_message(side, init1_magic);
	Init parsed = parse_init1(tep, init1);
	AeadId aead{parsed.ciphers.at(1)};
	Bytes init2 = make_init2(parsed.ciphers[1], side.nonce, side.keys.public_key(), text("ignored"));
	side.tcp.send(init2);
	Bytes transcript = cat({find_option(side.tcp.syn_options, OPT_ENO), own});
	Session session = derive(tep.id, aead, transcript, init1, init2, *side.keys.shared_secret(parsed.pub), parsed.nonce);
	side.session_id = session.session_id;
	Channel channel(side.tcp, session.ba, session.ab, init1.size());
	talk(side, channel, false);
}

void conversation(const Tep &tep, AeadId aead, const AddressPair &pair, bool trace)
{
	auto [left, right] = open_pair();
	Side a(tep, left, pair.peer.c_str(), 2000, pair.device.c_str(), 1000);
	Side b(tep, right, pair.device.c_str(), 1000, pair.peer.c_str(), 0);
	a.wire.trace = trace;
	std::exception_ptr problem;
	std::thread other([&] {
		try {
			play_b(b);
		} catch (...) {
			problem = std::current_exception();
		}
	});
	try {
		play_a(a, aead);
	} catch (...) {
		other.join();
		if (problem)
			std::rethrow_exception(problem);
		throw;
	}
	other.join();
	if (problem)
		std::rethrow_exception(problem);
	check(a.session_id == b.session_id && a.session_id.size() == 33, "session IDs differ");
}

void one(Report &report, const std::string &name, const std::function<void()> &body)
{
	Result result{"selftest." + name, Verdict::passed, "", 0};
	try {
		body();
	} catch (const std::exception &error) {
		result.verdict = Verdict::failed;
		result.reason = error.what();
	}
	report.add(result);
}

} // namespace

void selftest(Report &report, bool trace)
{
	one(report, "hkdf", hkdf_vectors);
	for (const Agreement &vector : agreements)
		one(report, vector.tep.name, [&] { agreement(vector); });
	one(report, "aead", aead_vectors);
	one(report, "option-parser", option_parser);
	one(report, "packets", packets);
	one(report, "aes-128-gcm.v4", [&] { conversation(curve25519, AeadId::aes_128_gcm, addresses_v4, trace); });
	one(report, "aes-256-gcm.v6", [&] { conversation(curve25519, AeadId::aes_256_gcm, addresses_v6, trace); });
	one(report, "chacha20-poly1305.v4", [&] { conversation(curve25519, AeadId::chacha20_poly1305, addresses_v4, trace); });
	one(report, "talk-with-curve448.v6", [&] { conversation(curve448, AeadId::aes_128_gcm, addresses_v6, trace); });
	one(report, "talk-with-p256.v4", [&] { conversation(p256, AeadId::aes_256_gcm, addresses_v4, trace); });
	one(report, "talk-with-p521.v6", [&] { conversation(p521, AeadId::chacha20_poly1305, addresses_v6, trace); });
}

} // namespace conformance
