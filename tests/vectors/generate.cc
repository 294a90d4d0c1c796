// SPDX-License-Identifier: GPL-2.0
/* Writes tcpcrypt.txt: vectors of the key schedule and of frames, by the reference alone. */
#include "reference.h"

#include <algorithm>
#include <cstdio>

using namespace reference;

namespace
{

void begin(const char *kind, const std::string &name, const char *reqs = "")
{
	std::printf("\n%s: %s%s%s\n", kind, name.c_str(), *reqs ? " " : "", reqs);
}

void bytes(const char *field, View value)
{
	for (std::size_t at = 0; at < value.size(); at += 32) {
		std::printf("  %-12s ", field);
		for (std::uint8_t byte :
		     value.subspan(at, std::min<std::size_t>(32, value.size() - at)))
			std::printf("%02x", byte);
		std::printf("\n");
	}
}

void number(const char *field, unsigned value)
{
	std::printf("  %-12s #0x%04x\n", field, value);
}

constexpr struct {
	std::uint16_t id;
	const char *name;
} aeads[] = {
	{ 0x0001, "aes_128_gcm" },
	{ 0x0002, "aes_256_gcm" },
	{ 0x0010, "chacha20_poly1305" },
};

void keys_prk()
{
	for (std::size_t es_len : { 32, 56, 66 }) {
		const std::string name = "es_of_" + std::to_string(es_len);
		const Bytes n_a = noise(name + " n_a", 32), transcript = noise(name + " eno", 11),
			    init1 = noise(name + " init1", 75), init2 = noise(name + " init2", 74),
			    es = noise(name + " es", es_len);

		begin("keys_prk", name, "N-05");
		bytes("n_a", n_a);
		bytes("transcript", transcript);
		bytes("init1", init1);
		bytes("init2", init2);
		bytes("es", es);
		bytes("prk", prk(n_a, transcript, init1, init2, es));
	}
}

void keys_ss()
{
	for (std::size_t sn_len : { 0, 1, 8, 16 }) {
		const std::string name = "sn_of_" + std::to_string(sn_len);
		const std::uint8_t tep_byte = sn_len ? 0xa3 : 0x23;
		const Bytes ss = noise(name + " ss", 32), sn = noise(name + " sn", sn_len);

		begin("keys_ss", name, sn_len ? "R-12" : "E-21");
		bytes("ss", ss);
		bytes("sn", sn);
		number("tep_byte", tep_byte);
		bytes("next", next_ss(ss));
		bytes("mk0", mk0(ss, sn));
		bytes("session_id", session_id(ss, tep_byte, sn));
		bytes("resume", resume(ss));
	}
}

void keys_mk()
{
	for (const auto &aead : aeads) {
		const Bytes mk = noise(std::string(aead.name) + " mk", 32);
		const TrafficKey ab = k_ab(mk, aead.id), ba = k_ba(mk, aead.id);

		begin("keys_mk", aead.name, "F-08");
		number("aead", aead.id);
		bytes("mk", mk);
		bytes("next", next_mk(mk));
		bytes("ab_key", ab.key);
		bytes("ab_nr", ab.nr);
		bytes("ba_key", ba.key);
		bytes("ba_nr", ba.nr);
	}
}

void frames()
{
	constexpr struct {
		const char *name;
		const char *reqs;
		std::uint64_t offset;
		std::uint8_t control;
		std::uint8_t flags;
		std::size_t len;
	} cases[] = {
		{ "empty", "F-01", 75, 0, 0, 0 },
		{ "finp", "F-05", 75, 0, 1, 0 },
		{ "one_byte", "F-01", 0, 0, 0, 1 },
		{ "rekey", "F-08", 0x100000000, 1, 0, 0 },
		{ "reserved_bits", "F-03", 1000, 0xfe, 0xfc, 100 },
		{ "some_data", "F-02", 0xffffffffffffff00, 0, 0, 300 },
	};

	for (const auto &aead : aeads) {
		const TrafficKey key{ noise(aead.name, aead_key_len(aead.id)), noise("nr", 12) };

		for (const auto &c : cases) {
			const std::string name = std::string(aead.name) + "_" + c.name;
			const Bytes plain = concat({ View(&c.flags, 1), noise(name, c.len) });

			begin("frame", name, c.reqs);
			number("aead", aead.id);
			bytes("key", key.key);
			bytes("nr", key.nr);
			bytes("offset", big_endian(c.offset, 8));
			bytes("plain", plain);
			bytes("frame", frame(aead.id, key, c.offset, c.control, plain));
		}
	}
}

struct SessionCase {
	std::string name;
	std::uint8_t tep;
	std::uint16_t aead;
	Bytes opt_a;
	Bytes opt_b;
	/* The first private key of B's that makes so many bytes at the start of ES zero. */
	std::size_t es_zeros;
};

Bytes private_key(const std::string &seed, std::uint8_t tep)
{
	Bytes priv = noise(seed, tep == 0x22 ? 66 : tep == 0x24 ? 56 : 32);

	/* The order of P-521 has 521 bits; that noise is below it otherwise goes without saying. */
	if (tep == 0x22)
		priv[0] &= 1;
	return priv;
}

Bytes private_key_b(const SessionCase &c, View priv_a)
{
	for (unsigned int i = 0;; i++) {
		const std::string seed = c.name + " priv_b" + (i ? " " + std::to_string(i) : "");
		const Bytes priv = private_key(seed, c.tep);
		const Bytes es = tep_agree(c.tep, priv_a, tep_public(c.tep, priv));

		if (std::all_of(es.begin(), es.begin() + static_cast<std::ptrdiff_t>(c.es_zeros),
				[](std::uint8_t byte) { return !byte; }))
			return priv;
	}
}

/* A whole session: what goes over the wire, and all that comes of it. */
void session(const SessionCase &c)
{
	const Bytes priv_a = private_key(c.name + " priv_a", c.tep),
		    priv_b = private_key_b(c, priv_a), n_a = noise(c.name + " n_a", 32),
		    n_b = noise(c.name + " n_b", 32), pub_b = tep_public(c.tep, priv_b);
	const Bytes msg1 = init1({ 0x0001, 0x0002, 0x0010 }, n_a, tep_public(c.tep, priv_a)),
		    msg2 = init2(c.aead, n_b, pub_b);
	const Bytes es = tep_agree(c.tep, priv_a, pub_b);
	const Bytes ss = prk(n_a, concat({ c.opt_a, c.opt_b }), msg1, msg2, es);
	const Bytes mk_0 = mk0(ss, {}), mk_1 = next_mk(mk_0);
	const Bytes hello = noise(c.name + " data", 40), plain = concat({ Bytes{ 0 }, hello });
	const Bytes frame_b = frame(c.aead, k_ba(mk_0, c.aead), msg2.size(), 0, plain);

	begin("session", c.name, "E-19 K-01 N-05 F-02");
	bytes("priv_a", priv_a);
	bytes("priv_b", priv_b);
	bytes("opt_a", c.opt_a);
	bytes("opt_b", c.opt_b);
	number("aead", c.aead);
	bytes("init1", msg1);
	bytes("init2", msg2);
	bytes("session_id", session_id(ss, c.tep, {}));
	bytes("data", hello);
	bytes("frame_a", frame(c.aead, k_ab(mk_0, c.aead), msg1.size(), 0, plain));
	bytes("frame_b", frame_b);
	bytes("frame_b2",
	      frame(c.aead, k_ba(mk_1, c.aead), msg2.size() + frame_b.size(), 1, plain));
}

void sessions()
{
	/* All of ours, best last, and what B chose. */
	const Bytes all{ 0x45, 0x06, 0x22, 0x21, 0x24, 0x23 };
	const auto chosen = [](std::uint8_t tep) { return Bytes{ 0x45, 0x04, 0x01, tep }; };

	for (const auto &aead : aeads)
		session({ aead.name, 0x23, aead.id, { 0x45, 0x03, 0x23 }, chosen(0x23), 0 });
	session({ "curve448", 0x24, 0x0002, all, chosen(0x24), 0 });
	session({ "p256", 0x21, 0x0001, all, chosen(0x21), 0 });
	session({ "p521", 0x22, 0x0010, all, chosen(0x22), 0 });
	session({ "p256_es_with_a_leading_zero", 0x21, 0x0010, all, chosen(0x21), 1 });
	session({ "p521_es_with_leading_zeros", 0x22, 0x0001, all, chosen(0x22), 2 });
}

/*
 * A session resumed from ss[i]: the options of both SYNs, and all that comes of them. "Original" is whose role as A
 * the keys follow: with @swapped it is B now.
 */
void resumed(const std::string &name, std::uint16_t aead, std::size_t len_a, std::size_t len_b, bool swapped)
{
	const Bytes ss = noise(name + " ss", 32), id = resume(ss);
	const Bytes nonce_a = noise(name + " nonce_a", len_a), nonce_b = noise(name + " nonce_b", len_b);
	const Bytes half_a = concat({ View(id).first(9), nonce_a }), half_b = concat({ View(id).last(9), nonce_b });
	const auto option = [](const Bytes &contents) {
		return concat({ Bytes{ 0x45, static_cast<std::uint8_t>(2 + contents.size()) }, contents });
	};
	const Bytes opt_a = option(concat({ Bytes{ 0x24, 0xa3 }, swapped ? half_b : half_a }));
	const Bytes opt_b = option(concat({ Bytes{ 0x01, 0xa3 }, swapped ? half_a : half_b }));
	const Bytes sn = concat({ nonce_a, nonce_b }), mk_0 = mk0(ss, sn);
	const Bytes hello = noise(name + " data", 40), plain = concat({ Bytes{ 0 }, hello });

	begin("resumed", name, swapped ? "R-07 R-14 R-11" : "R-02 R-11 R-12");
	bytes("ss", ss);
	number("swapped", swapped);
	bytes("opt_a", opt_a);
	bytes("opt_b", opt_b);
	number("aead", aead);
	bytes("sn", sn);
	bytes("session_id", session_id(ss, 0xa3, sn));
	bytes("next", next_ss(ss));
	bytes("next_resume", resume(next_ss(ss)));
	bytes("data", hello);
	/* By the host that was A originally, and by the other: each the first of its stream. */
	bytes("frame_ab", frame(aead, k_ab(mk_0, aead), 0, 0, plain));
	bytes("frame_ba", frame(aead, k_ba(mk_0, aead), 0, 0, plain));
}

void resumptions()
{
	resumed("nonces_of_8", 0x0001, 8, 8, false);
	resumed("no_nonces", 0x0002, 0, 0, false);
	resumed("nonces_of_different_length", 0x0010, 3, 7, false);
	resumed("roles_swapped", 0x0001, 8, 5, true);
}

}

int main()
{
	std::printf("# Made by tests/vectors/generate.cc, over OpenSSL: do not edit.\n");
	keys_prk();
	keys_ss();
	keys_mk();
	frames();
	sessions();
	resumptions();
	return 0;
}
