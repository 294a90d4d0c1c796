// SPDX-License-Identifier: GPL-2.0
// The published test vectors: sessions of every TEP with every AEAD, chains of resumed ones, and frames.
#include "vectors.hh"

#include "eno.hh"
#include "session.hh"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace conformance {

namespace {

using Json = nlohmann::ordered_json;

struct Aead {
	AeadId id;
	const char *name;
};
constexpr Aead all_aeads[] = {
	{AeadId::aes_128_gcm, "aes_128_gcm"},
	{AeadId::aes_256_gcm, "aes_256_gcm"},
	{AeadId::chacha20_poly1305, "chacha20_poly1305"},
};

/** Bytes that look random and are the same each time. */
Bytes noise(const std::string &seed, std::size_t length)
{
	return hkdf_expand(hkdf_extract({}, text(seed)), text("noise"), length);
}

class Vector {
public:
	Vector(const char *kind, const std::string &name, const char *requirements)
	{
		json_["kind"] = kind;
		json_["name"] = name;
		json_["requirements"] = requirements;
	}
	void bytes(const char *field, View value) { json_[field] = to_hex(value); }
	void number(const char *field, unsigned value) { json_[field] = value; }
	void aead(AeadId id) { number("aead", static_cast<std::uint16_t>(id)); }
	/** A key and the bytes that randomize its nonces. */
	void keys(const std::string &side, const Direction &keys)
	{
		bytes((side + "_key").c_str(), keys.key());
		bytes((side + "_nr").c_str(), keys.nonce_randomizer());
	}
	const Json &json() const { return json_; }

private:
	Json json_;
};

Frame frame_of(Bytes data, std::uint8_t control = 0)
{
	Frame frame;
	frame.data = std::move(data);
	frame.control = control;
	return frame;
}

Bytes private_key(const Tep &tep, const std::string &seed)
{
	Bytes key = noise(seed, tep.is_point ? tep.secret_length : tep.key_length);
	/* The order of P-521 has 521 bits; that noise is below it otherwise goes without saying. */
	if (tep.id == p521.id)
		key[0] &= 1;
	return key;
}

struct SessionCase {
	std::string name;
	const Tep &tep;
	AeadId aead;
	/** B's private key is the first one that makes so many bytes at the start of ES zero. */
	std::size_t zeros = 0;
};

Bytes private_key_b(const SessionCase &c, const KeyPair &a)
{
	for (unsigned i = 0;; i++) {
		Bytes key = private_key(c.tep, c.name + " priv_b" + (i ? " " + std::to_string(i) : ""));
		Bytes es = a.shared_secret(KeyPair(c.tep, key).public_key()).value();
		auto end = es.begin() + static_cast<std::ptrdiff_t>(c.zeros);
		if (std::all_of(es.begin(), end, [](std::uint8_t byte) { return byte == 0; }))
			return key;
	}
}

/** What A offers, best last: Curve25519 alone where that is to be chosen, else all TEPs. */
Bytes offer(const Tep &tep)
{
	if (tep.id == curve25519.id)
		return eno_option(Bytes{tep.id});
	return eno_option(Bytes{p521.id, p256.id, curve448.id, curve25519.id});
}

Bytes answer(const Tep &tep)
{
	return eno_option(Bytes{eno_global_b, tep.id});
}

/** What every session has: its ID, its first keys, and the data of its frames, which is returned. */
Bytes session_members(Vector &out, const Session &session, const std::string &name)
{
	out.bytes("session_id", session.session_id);
	out.bytes("mk0", session.ab.master());
	out.keys("ab", session.ab);
	out.keys("ba", session.ba);
	Bytes data = noise(name + " data", 40);
	out.bytes("data", data);
	return data;
}

/** A session with a fresh key exchange, from private keys to frames. */
Json session_vector(const SessionCase &c, Secret &next)
{
	Bytes priv_a = private_key(c.tep, c.name + " priv_a");
	KeyPair a(c.tep, priv_a);
	Bytes priv_b = private_key_b(c, a);
	KeyPair b(c.tep, priv_b);
	Bytes n_a = noise(c.name + " n_a", nonce_length), n_b = noise(c.name + " n_b", nonce_length);
	Bytes opt_a = offer(c.tep), opt_b = answer(c.tep);
	std::vector<std::uint16_t> ciphers;
	for (const Aead &aead : all_aeads)
		ciphers.push_back(static_cast<std::uint16_t>(aead.id));
	Bytes init1 = make_init1(ciphers, n_a, a.public_key());
	Bytes init2 = make_init2(static_cast<std::uint16_t>(c.aead), n_b, b.public_key());
	Bytes es = a.shared_secret(b.public_key()).value();
	Session session = derive(c.tep.id, c.aead, cat({opt_a, opt_b}), init1, init2, es, n_a);
	next = first_secret(session, c.tep.id, c.aead, true);

	Vector out("session", c.name, "E-19 K-01 N-05 F-02 F-08");
	out.number("tep", c.tep.id);
	out.aead(c.aead);
	out.bytes("priv_a", priv_a);
	out.bytes("priv_b", priv_b);
	out.bytes("opt_a", opt_a);
	out.bytes("opt_b", opt_b);
	out.bytes("init1", init1);
	out.bytes("init2", init2);
	out.bytes("es", es);
	out.bytes("ss0", session.prk);
	Bytes data = session_members(out, session, c.name);
	out.bytes("frame_a", seal_frame(session.ab, init1.size(), frame_of(data)));
	Bytes frame_b = seal_frame(session.ba, init2.size(), frame_of(data));
	out.bytes("frame_b", frame_b);
	session.ab.advance();
	session.ba.advance();
	out.bytes("mk1", session.ba.master());
	out.keys("ab1", session.ab);
	out.keys("ba1", session.ba);
	/* B's second frame begins its generation 1. */
	out.bytes("frame_b2", seal_frame(session.ba, init2.size() + frame_b.size(), frame_of(data, control_rekey)));
	out.bytes("ss1", next.ss);
	out.bytes("resume1", cat({next.own_half(), next.device_half()}));
	return out.json();
}

struct ResumedCase {
	std::string name;
	std::size_t nonce_a;
	std::size_t nonce_b;
	/** Who was A in the original session is the passive opener now, and so B. */
	bool swapped;
};

/** A session resumed from ss[i]: both options, and all that comes of them. "ab" is by the original role. */
Json resumed_vector(const ResumedCase &c, const Secret &secret)
{
	Bytes nonce_a = noise(c.name + " nonce_a", c.nonce_a), nonce_b = noise(c.name + " nonce_b", c.nonce_b);
	Bytes half_a = cat({secret.own_half(), nonce_a}), half_b = cat({secret.device_half(), nonce_b});
	std::uint8_t tep_byte = secret.tep | 0x80;
	const Tep &other = secret.tep == curve25519.id ? curve448 : curve25519;
	Bytes opt_a = eno_option(cat({Bytes{other.id, tep_byte}, c.swapped ? half_b : half_a}));
	Bytes opt_b = eno_option(cat({Bytes{eno_global_b, tep_byte}, c.swapped ? half_a : half_b}));
	Session session = secret.session(tep_byte, nonce_a, nonce_b);
	Secret next = secret.next();

	Vector out("resumed", c.name, c.swapped ? "R-02 R-07 R-11 R-12 R-14" : "R-02 R-11 R-12");
	out.number("tep", secret.tep);
	out.aead(secret.aead);
	out.number("swapped", c.swapped);
	out.bytes("ss", secret.ss);
	out.bytes("resume", cat({secret.own_half(), secret.device_half()}));
	out.bytes("opt_a", opt_a);
	out.bytes("opt_b", opt_b);
	out.bytes("sn", cat({nonce_a, nonce_b}));
	Bytes data = session_members(out, session, c.name);
	/* Each the first of its stream. */
	out.bytes("frame_ab", seal_frame(session.ab, 0, frame_of(data)));
	out.bytes("frame_ba", seal_frame(session.ba, 0, frame_of(data)));
	out.bytes("next", next.ss);
	out.bytes("next_resume", cat({next.own_half(), next.device_half()}));
	return out.json();
}

void sessions(Json &all)
{
	for (const Tep &tep : all_teps)
		for (const Aead &aead : all_aeads) {
			Secret secret;
			std::string name = std::string(tep.name) + "_" + aead.name;
			all.push_back(session_vector({name, tep, aead.id}, secret));
			/* ss[1] and ss[2] of the same chain. */
			all.push_back(resumed_vector({name + "_1", 8, 8, false}, secret));
			all.push_back(resumed_vector({name + "_2", 8, 5, true}, secret.next()));
		}
	Secret unused;
	all.push_back(session_vector({"p256_es_with_a_leading_zero", p256, AeadId::chacha20_poly1305, 1}, unused));
	all.push_back(session_vector({"p521_es_with_leading_zeros", p521, AeadId::aes_128_gcm, 2}, unused));
	Secret secret{curve25519.id, AeadId::aes_256_gcm, true, noise("ss", 32)};
	all.push_back(resumed_vector({"no_nonces", 0, 0, false}, secret));
	all.push_back(resumed_vector({"nonces_of_different_length", 3, 7, false}, secret));
	all.push_back(resumed_vector({"one_nonce_swapped", 0, 8, true}, secret));
}

/** Frames by themselves: the plaintext with its flags, and what goes over the wire. */
void frames(Json &all)
{
	constexpr struct {
		const char *name;
		const char *requirements;
		std::uint64_t offset;
		std::uint8_t control;
		std::uint8_t flags;
		std::size_t length;
	} cases[] = {
		{"empty", "F-01", 75, 0, 0, 0},
		{"finp", "F-05", 75, 0, flag_fin, 0},
		{"one_byte", "F-01", 0, 0, 0, 1},
		{"rekey", "F-08", 0x100000000, control_rekey, 0, 0},
		{"urgent", "F-07", 4711, 0, flag_urgent, 12},
		{"reserved_bits", "F-03", 1000, control_reserved, flags_reserved, 100},
		{"some_data", "F-02", 0xffffffffffffff00, 0, 0, 300},
	};
	for (const Aead &aead : all_aeads) {
		Direction keys(aead.id, noise(std::string(aead.name) + " mk", 32), 0x04);
		for (const auto &c : cases) {
			std::string name = std::string(aead.name) + "_" + c.name;
			Bytes offset, plain{c.flags};
			put64(offset, c.offset);
			if (c.flags == flag_urgent)
				put16(plain, static_cast<std::uint16_t>(c.length - 1));
			append(plain, noise(name, c.length));
			Vector out("frame", name, c.requirements);
			out.aead(aead.id);
			out.bytes("key", keys.key());
			out.bytes("nr", keys.nonce_randomizer());
			out.bytes("offset", offset);
			out.bytes("plain", plain);
			out.bytes("frame", seal_plaintext(keys, c.offset, c.control, plain));
			all.push_back(out.json());
		}
	}
}

} // namespace

std::string make_vectors()
{
	Json all = Json::array();
	sessions(all);
	frames(all);
	Json root;
	root["about"] = "Test vectors of tcpcrypt (RFC 8548), made by tcpcrypt-conformance --vectors; bytes are in "
			"hexadecimal, Documentation/vectors.md says what each is";
	root["vectors"] = all;
	return root.dump(1, '\t') + "\n";
}

} // namespace conformance
