// SPDX-License-Identifier: GPL-2.0
// Cases about keys: bad public keys, the transcript, each AEAD with bulk data in both directions.
#include "cases.hh"

namespace conformance {

namespace {

constexpr std::size_t bulk_size = 256 * 1024;

/** The Init message with another public key. */
Bytes with_key(Bytes message, View pub)
{
	std::copy(pub.begin(), pub.end(), message.end() - static_cast<std::ptrdiff_t>(pub.size()));
	return message;
}

struct LowOrder {
	const char *name;
	const char *point;
};

/* The points of Curve25519 and its twist whose order divides 8, canonical and not: the shared secret is zero. */
constexpr LowOrder low_order_points[] = {
	{"low-order-zero", "0000000000000000000000000000000000000000000000000000000000000000"},
	{"low-order-one", "0100000000000000000000000000000000000000000000000000000000000000"},
	{"low-order-eight", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"},
	{"low-order-eight-other", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"},
	{"low-order-p-minus-1", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
	{"low-order-p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
	{"low-order-p-plus-1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
	{"low-order-zero-high-bit", "0000000000000000000000000000000000000000000000000000000000000080"},
	{"low-order-one-high-bit", "0100000000000000000000000000000000000000000000000000000000000080"},
	{"low-order-p-high-bit", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
	{"low-order-eight-high-bit", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880"},
	{"low-order-eight-other-high-bit", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7"},
};

void low_order(Run &run, const char *point)
{
	Bytes pub = *from_hex(point);
	check(!KeyPair(curve25519).shared_secret(pub), "this point is not of low order: " + std::string(point));
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	if (!dialogue.is_passive())
		dialogue.take_init();
	dialogue.send_init(with_key(dialogue.own_init(), pub));
	dialogue.prove_abort("EPROTO");
}

// RFC 7748 section 5: the top bit of a u-coordinate is ignored, yet hashed as transmitted.
void high_bit_of_key(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	if (!dialogue.is_passive())
		dialogue.take_init();
	Bytes pub = dialogue.keys.public_key();
	pub.back() |= 0x80;
	Bytes message = with_key(dialogue.own_init(), pub);
	dialogue.send_init(message);
	if (dialogue.is_passive())
		dialogue.take_init();
	dialogue.derive_keys(message);
	dialogue.prove_encrypted();
}

/** Another transcript on our side, as after an alteration in transit that negotiation survives. */
void altered_option(Run &run, View sent, View pretended)
{
	Dialogue dialogue(run);
	dialogue.open({.eno = Bytes(sent.begin(), sent.end())});
	check(dialogue.encrypted(), "ENO failed");
	Bytes own = eno_option(pretended);
	dialogue.forged_transcript = dialogue.is_passive() ? cat({own, dialogue.device_option})
							   : cat({dialogue.device_option, own});
	dialogue.exchange();
	dialogue.channel().send(text("under other keys"));
	dialogue.prove_abort("EBADMSG");
}

void altered_own_option(Run &run)
{
	if (run.role == Role::passive)
		altered_option(run, Bytes{0x23}, Bytes{0x25, 0x23});
	else
		altered_option(run, Bytes{0x01, 0x23}, Bytes{0x01, 0x25, 0x23});
}

void altered_global(Run &run)
{
	if (run.role == Role::passive)
		altered_option(run, Bytes{0x02, 0x23}, Bytes{0x00, 0x23});
	else
		altered_option(run, Bytes{0x01, 0x23}, Bytes{0x03, 0x23});
}

// E-19: the option as in the header, not a normal form of it.
void transcript_is_verbatim(Run &run)
{
	bool passive = run.role == Role::passive;
	expect_encrypted(run, {.eno = passive ? Bytes{0x1c, 0x00, 0x82, 0xf0, 1, 2, 3, 0x23, 0xa5}
					      : Bytes{0x1d, 0x00, 0x82, 0xf0, 1, 2, 3, 0x23, 0xa5}});
}

void transcript_in_wrong_order(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	dialogue.forged_transcript = dialogue.is_passive() ? cat({dialogue.device_option, dialogue.own_option})
							   : cat({dialogue.own_option, dialogue.device_option});
	dialogue.exchange();
	dialogue.channel().send(text("under other keys"));
	dialogue.prove_abort("EBADMSG");
}

void aead(Run &run, std::uint16_t id)
{
	Dialogue dialogue(run);
	dialogue.establish({.ciphers = {id}});
	if (dialogue.is_passive())
		check(dialogue.device_init->ciphers[0] == id, "the device chose another AEAD than the only one offered");
	dialogue.prove_encrypted();
	bulk(dialogue, bulk_size);
	dialogue.prove_encrypted();
}

void aead_aes_128_gcm(Run &run)
{
	aead(run, 0x0001);
}

void aead_aes_256_gcm(Run &run)
{
	aead(run, 0x0002);
}

void aead_chacha20_poly1305(Run &run)
{
	aead(run, 0x0010);
}

void bulk_with_small_mss(Run &run)
{
	Dialogue dialogue(run);
	dialogue.tcp.mss = 200;
	Bytes contents = dialogue.default_contents();
	dialogue.open({.options = cat({mss_option(300), eno_option(contents)})});
	dialogue.exchange();
	dialogue.prove_encrypted();
	bulk(dialogue, 100000);
}

void bulk_with_all_options(Run &run)
{
	Bytes area{OPT_SACK_PERMITTED, 2, OPT_TIMESTAMPS, 10, 0, 0, 0, 1, 0, 0, 0, 0, OPT_NOP, OPT_WSCALE, 3, 0};
	Dialogue dialogue(run);
	Bytes contents = dialogue.default_contents();
	append(area, mss_option(1400));
	append(area, eno_option(contents));
	dialogue.open({.options = area});
	dialogue.exchange();
	dialogue.prove_encrypted();
	bulk(dialogue, bulk_size);
}

// E-21: role, TEP and AEAD as getsockopt tells them.
void getsockopt_values(Run &run)
{
	static constexpr int negtep = 3;
	static constexpr int role = 10;
	static constexpr int aead_in_use = 33;
	Dialogue dialogue(run);
	dialogue.establish({.ciphers = {0x0002}});
	dialogue.prove_encrypted();
	check(dialogue.option_number(negtep) == tep_curve25519, "TCP_ENO_NEGTEP is not 0x23");
	check(dialogue.option_number(role) == (dialogue.is_passive() ? 1 : 0), "TCP_ENO_ROLE is wrong");
	check(dialogue.option_number(aead_in_use) == 0x0002, "TCP_CRYPT_AEAD is not the one in use");
}

void session_id_before_keys(Run &run)
{
	Dialogue dialogue(run);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	Answer answer = dialogue.getsockopt(2, 33);
	check(!answer.ok && answer.value == "ENOTCONN", "getsockopt(TCP_ENO_SESSID) before the keys gave " + answer.shown());
	dialogue.exchange();
	dialogue.prove_encrypted();
}

} // namespace

void add_key_cases(Cases &cases)
{
	for (const LowOrder &entry : low_order_points)
		cases.push_back({"N-03", entry.name, Roles::both, [&entry](Run &run) { low_order(run, entry.point); }});
	cases.push_back({"N-05 K-01", "high-bit-of-public-key", Roles::both, high_bit_of_key});
	cases.push_back({"E-26 F-04", "altered-option", Roles::both, altered_own_option});
	cases.push_back({"E-26 F-04", "altered-global", Roles::both, altered_global});
	cases.push_back({"E-19", "transcript-is-verbatim", Roles::both, transcript_is_verbatim});
	cases.push_back({"E-19 E-26", "transcript-in-wrong-order", Roles::both, transcript_in_wrong_order});
	cases.push_back({"N-06 F-01 F-02", "aes-128-gcm", Roles::both, aead_aes_128_gcm});
	cases.push_back({"N-04 F-01 F-02", "aes-256-gcm", Roles::both, aead_aes_256_gcm});
	cases.push_back({"N-04 F-01 F-02", "chacha20-poly1305", Roles::both, aead_chacha20_poly1305});
	cases.push_back({"F-02", "bulk-with-small-mss", Roles::both, bulk_with_small_mss});
	cases.push_back({"F-02 E-10", "bulk-with-all-options", Roles::both, bulk_with_all_options});
	cases.push_back({"E-21", "getsockopt-values", Roles::both, getsockopt_values});
	cases.push_back({"E-21", "no-session-id-before-keys", Roles::both, session_id_before_keys});
}

} // namespace conformance
