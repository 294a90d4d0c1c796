// SPDX-License-Identifier: GPL-2.0
// Cases about the public keys of Curve448, P-256 and P-521: invalid and unusual ones, and Init messages with them.
#include "cases.hh"

#include <algorithm>
#include <map>

namespace conformance {

namespace {

constexpr std::uint8_t even = 0x02;
constexpr std::uint8_t odd = 0x03;

/** Our Init message with @key in the place of our public key, whatever its length. */
Bytes init_with_key(const Dialogue &dialogue, View key)
{
	Bytes message = dialogue.own_init();
	message.resize(message.size() - dialogue.keys.public_key().size());
	append(message, key);
	store_length(message, message.size());
	return message;
}

/** A big-endian coordinate of a curve. */
Bytes coordinate(const Tep &tep, std::uint8_t value)
{
	Bytes x(tep.secret_length, 0);
	x.back() = value;
	return x;
}

Bytes point(std::uint8_t prefix, View x)
{
	Bytes key;
	put16(key, static_cast<std::uint16_t>(1 + x.size()));
	key.push_back(prefix);
	append(key, x);
	return key;
}

/** The smallest X above zero that is, or is not, that of a point. */
std::uint8_t small_x(const Tep &tep, bool on_curve)
{
	KeyPair pair(tep);
	for (std::uint8_t x = 1;; x++)
		if (pair.shared_secret(point(even, coordinate(tep, x))).has_value() == on_curve)
			return x;
}

/** Big-endian, of equal length, without overflow. */
Bytes sum(Bytes a, View b)
{
	unsigned carry = 0;
	for (std::size_t i = a.size(); i-- > 0;) {
		carry += a[i] + b[i];
		a[i] = static_cast<std::uint8_t>(carry);
		carry >>= 8;
	}
	return a;
}

Bytes with_length(std::uint16_t length, View rest)
{
	Bytes key;
	put16(key, length);
	append(key, rest);
	return key;
}

struct BadPoint {
	const char *ids;
	const char *name;
	/** @key: a valid one. */
	Bytes (*make)(const Tep &tep, Bytes key);
};

/* Each for P-256 and P-521. */
const BadPoint bad_points[] = {
	{"N-03", "x-not-on-the-curve", [](const Tep &t, Bytes) { return point(even, coordinate(t, small_x(t, false))); }},
	{"N-03", "x-not-on-the-curve-odd", [](const Tep &t, Bytes) { return point(odd, coordinate(t, small_x(t, false))); }},
	{"N-03", "x-is-p", [](const Tep &t, Bytes) { return point(even, field_prime(t)); }},
	{"N-03", "x-is-a-valid-one-plus-p",
	 [](const Tep &t, Bytes) { return point(even, sum(field_prime(t), coordinate(t, small_x(t, true)))); }},
	{"N-03", "x-is-all-ones", [](const Tep &t, Bytes) { return point(odd, Bytes(t.secret_length, 0xff)); }},
	{"N-03", "prefix-00", [](const Tep &, Bytes k) { return k[2] = 0x00, k; }},
	{"N-03", "prefix-01", [](const Tep &, Bytes k) { return k[2] = 0x01, k; }},
	{"N-03", "prefix-04", [](const Tep &, Bytes k) { return k[2] = 0x04, k; }},
	{"N-03", "prefix-05", [](const Tep &, Bytes k) { return k[2] = 0x05, k; }},
	{"N-03", "prefix-06", [](const Tep &, Bytes k) { return k[2] = 0x06, k; }},
	{"N-03", "prefix-82", [](const Tep &, Bytes k) { return k[2] = 0x82, k; }},
	{"N-03", "prefix-ff", [](const Tep &, Bytes k) { return k[2] = 0xff, k; }},
	{"N-03", "infinity", [](const Tep &, Bytes) { return Bytes{0, 1, 0}; }},
	{"N-03", "infinity-filled-up", [](const Tep &t, Bytes) { return point(0x00, coordinate(t, 0)); }},
	{"N-03 K-04", "uncompressed",
	 [](const Tep &t, Bytes k) {
		 Bytes whole = uncompressed(t, View(k).subspan(2));
		 return with_length(static_cast<std::uint16_t>(whole.size()), whole);
	 }},
	{"N-03", "uncompressed-under-the-right-length",
	 [](const Tep &t, Bytes k) {
		 return with_length(static_cast<std::uint16_t>(t.key_length), uncompressed(t, View(k).subspan(2)));
	 }},
	{"N-03", "hybrid",
	 [](const Tep &t, Bytes k) {
		 Bytes whole = uncompressed(t, View(k).subspan(2));
		 whole[0] = static_cast<std::uint8_t>(0x06 | (whole.back() & 1));
		 return with_length(static_cast<std::uint16_t>(t.key_length), whole);
	 }},
	{"K-04 N-03", "length-0", [](const Tep &, Bytes k) { return with_length(0, View(k).subspan(2)); }},
	{"K-04 N-03", "length-32", [](const Tep &, Bytes k) { return with_length(32, View(k).subspan(2)); }},
	{"K-04 N-03", "length-34", [](const Tep &, Bytes k) { return with_length(34, View(k).subspan(2)); }},
	{"K-04 N-03", "length-66", [](const Tep &, Bytes k) { return with_length(66, View(k).subspan(2)); }},
	{"K-04 N-03", "length-68", [](const Tep &, Bytes k) { return with_length(68, View(k).subspan(2)); }},
	{"K-04 N-03", "length-65535", [](const Tep &, Bytes k) { return with_length(65535, View(k).subspan(2)); }},
	{"K-04 N-03", "length-counts-itself",
	 [](const Tep &t, Bytes k) { return with_length(static_cast<std::uint16_t>(t.key_length + 2), View(k).subspan(2)); }},
	{"K-04 N-03", "length-byte-swapped", [](const Tep &, Bytes k) { return std::swap(k[0], k[1]), k; }},
	{"K-04 N-03", "length-missing", [](const Tep &, Bytes k) { return slice(k, 2, k.size() - 2); }},
	{"K-04 N-03", "point-truncated", [](const Tep &, Bytes k) { return k.pop_back(), k; }},
	{"K-04 N-03", "point-and-length-one-short", [](const Tep &, Bytes k) { return k.pop_back(), k[1]--, k; }},
	{"K-04 N-03", "point-missing", [](const Tep &, Bytes k) { return k.resize(2), k; }},
	{"K-04 N-03", "key-missing", [](const Tep &, Bytes) { return Bytes{}; }},
	{"K-04 N-03", "key-of-curve25519", [](const Tep &, Bytes) { return KeyPair(curve25519).public_key(); }},
};

/** Little-endian; the prime of Curve448 is 2^448 - 2^224 - 1. */
Bytes u448(std::uint8_t first, std::uint8_t low, std::uint8_t middle, std::uint8_t high)
{
	Bytes u(56, high);
	std::fill_n(u.begin(), 28, low);
	u[0] = first;
	u[28] = middle;
	return u;
}

/* X448: the points of low order, canonical and not, and keys that are not as long as they must be. */
const BadPoint bad_keys[] = {
	{"N-03", "curve448-low-order-0", [](const Tep &, Bytes) { return u448(0x00, 0x00, 0x00, 0x00); }},
	{"N-03", "curve448-low-order-1", [](const Tep &, Bytes) { return u448(0x01, 0x00, 0x00, 0x00); }},
	{"N-03", "curve448-low-order-p-minus-1", [](const Tep &, Bytes) { return u448(0xfe, 0xff, 0xfe, 0xff); }},
	{"N-03", "curve448-low-order-p", [](const Tep &, Bytes) { return u448(0xff, 0xff, 0xfe, 0xff); }},
	{"N-03", "curve448-low-order-p-plus-1", [](const Tep &, Bytes) { return u448(0x00, 0x00, 0xff, 0xff); }},
	{"K-04", "curve448-key-truncated", [](const Tep &, Bytes k) { return k.pop_back(), k; }},
	{"K-04", "curve448-key-of-curve25519", [](const Tep &, Bytes) { return KeyPair(curve25519).public_key(); }},
};

/** The device aborts with an error that is not end-of-file. */
void bad_key(Run &run, const Tep &tep, const BadPoint &bad)
{
	need(tep);
	Dialogue dialogue(run, tep);
	Bytes key = bad.make(tep, dialogue.keys.public_key());
	check(!KeyPair(tep).shared_secret(key), "this key is valid: " + to_hex(key));
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	if (!dialogue.is_passive())
		dialogue.take_init();
	dialogue.send_init(init_with_key(dialogue, key));
	dialogue.prove_abort("EPROTO");
}

/** The connection closes at once, so that many can follow each other. */
void close_at_once(Dialogue &dialogue)
{
	dialogue.app("linger", "0");
	dialogue.app("close");
}

/** How many bytes at the most significant end are zero. */
std::size_t leading_zeros(const Tep &tep, View number)
{
	if (tep.is_point)
		return static_cast<std::size_t>(
			std::find_if(number.begin(), number.end(), [](auto byte) { return byte != 0; }) - number.begin());
	return static_cast<std::size_t>(
		std::find_if(number.rbegin(), number.rend(), [](auto byte) { return byte != 0; }) - number.rbegin());
}

/** X or u of a public key as on the wire. */
View x_of(const Tep &tep, View key)
{
	return tep.is_point ? key.subspan(3) : key;
}

/** A P-521 coordinate's first byte is 0 or 1 anyway. */
const KeyPair &key_with_leading_zeros(const Tep &tep)
{
	static std::map<std::uint8_t, KeyPair> found;
	for (;;) {
		if (auto at = found.find(tep.id); at != found.end())
			return at->second;
		KeyPair pair(tep);
		if (leading_zeros(tep, x_of(tep, pair.public_key())) >= (&tep == &p521 ? 2U : 1U))
			found.emplace(tep.id, pair);
	}
}

void x_with_leading_zeros(Run &run, const Tep &tep)
{
	need(tep);
	Dialogue dialogue(run, tep);
	dialogue.keys = key_with_leading_zeros(tep);
	dialogue.establish();
	dialogue.prove_encrypted();
}

/** As A the device speaks first, and we choose among our keys; as B it must be met, which takes two tries with P-521. */
void secret_with_leading_zeros(Run &run, const Tep &tep)
{
	static constexpr unsigned tries = 64;
	need(tep);
	bool met = false;
	for (unsigned i = 0; i < tries && !met; i++) {
		Dialogue dialogue(run, tep);
		dialogue.open();
		check(dialogue.encrypted(), "ENO failed");
		if (!dialogue.is_passive()) {
			Bytes theirs = dialogue.take_init().pub;
			check(dialogue.keys.shared_secret(theirs).has_value(), "the device's public key is not valid");
			while (leading_zeros(tep, *dialogue.keys.shared_secret(theirs)) == 0)
				dialogue.keys = KeyPair(tep);
		}
		Bytes message = dialogue.own_init();
		dialogue.send_init(message);
		if (dialogue.is_passive())
			dialogue.take_init();
		auto secret = dialogue.keys.shared_secret(dialogue.device_init->pub);
		met = secret && leading_zeros(tep, *secret) != 0;
		dialogue.derive_keys(message);
		dialogue.prove_encrypted();
		close_at_once(dialogue);
	}
	check(met, "no secret with a leading zero in " + std::to_string(tries) + " connections");
}

/** Both points that have one X. */
void both_prefixes(Run &run, const Tep &tep)
{
	need(tep);
	for (std::uint8_t prefix : {even, odd}) {
		Dialogue dialogue(run, tep);
		dialogue.open();
		check(dialogue.encrypted(), "ENO failed");
		if (!dialogue.is_passive())
			dialogue.take_init();
		// The secret is the same for both: only X of the product counts.
		Bytes key = dialogue.keys.public_key();
		key[2] = prefix;
		Bytes message = init_with_key(dialogue, key);
		dialogue.send_init(message);
		if (dialogue.is_passive())
			dialogue.take_init();
		dialogue.derive_keys(message);
		dialogue.prove_encrypted();
	}
}

/** The base point as our key: then the secret is the device's own public key, or its X. */
void base_point(Run &run, const Tep &tep, View key)
{
	need(tep);
	Dialogue dialogue(run, tep);
	dialogue.open();
	check(dialogue.encrypted(), "ENO failed");
	if (!dialogue.is_passive())
		dialogue.take_init();
	Bytes message = init_with_key(dialogue, key);
	dialogue.send_init(message);
	if (dialogue.is_passive())
		dialogue.take_init();
	View x = x_of(tep, dialogue.device_init->pub);
	dialogue.known_secret = Bytes(x.begin(), x.end());
	dialogue.derive_keys(message);
	dialogue.prove_encrypted();
}

void base_point_of(Run &run, const Tep &tep)
{
	Bytes key;
	if (tep.is_point)
		key = KeyPair(tep, Bytes{1}).public_key();
	else
		key.assign({static_cast<std::uint8_t>(&tep == &curve448 ? 5 : 9)});
	key.resize(tep.public_length());
	base_point(run, tep, key);
}

// RFC 7748 section 5: a coordinate of p or more counts as reduced modulo p, yet is hashed as transmitted.
void base_point_not_reduced(Run &run)
{
	base_point(run, curve448, u448(0x04, 0x00, 0xff, 0xff));
}

void ignored_behind_the_key(Run &run, const Tep &tep)
{
	need(tep);
	for (std::size_t length : {1, 2, 69, 1000, 3000}) {
		Dialogue dialogue(run, tep);
		dialogue.establish({.ignored = pattern(9, 0, length)});
		dialogue.prove_encrypted();
		close_at_once(dialogue);
	}
}

// K-06, K-07: nothing of one key exchange comes again in another.
void fresh_each_time(Run &run, const Tep &tep)
{
	need(tep);
	std::vector<Bytes> values;
	for (int i = 0; i < 4; i++) {
		Dialogue dialogue(run, tep);
		dialogue.establish();
		dialogue.prove_encrypted();
		View x = x_of(tep, dialogue.device_init->pub);
		values.push_back(dialogue.device_init->nonce);
		values.emplace_back(x.begin(), x.end());
		values.push_back(dialogue.session().session_id);
	}
	std::sort(values.begin(), values.end());
	check(std::adjacent_find(values.begin(), values.end()) == values.end(), "a nonce, public key or session ID came twice");
}

struct ForTeps {
	const char *ids;
	const char *name;
	Roles roles;
	std::vector<const Tep *> teps;
	void (*body)(Run &run, const Tep &tep);
};

const ForTeps for_teps[] = {
	{"N-05", "x-with-leading-zeros", Roles::both, {&curve25519, &curve448, &p256, &p521}, x_with_leading_zeros},
	{"N-05", "secret-with-leading-zeros", Roles::active, {&curve25519, &curve448, &p256, &p521}, secret_with_leading_zeros},
	{"N-05", "secret-with-a-leading-zero", Roles::passive, {&p521}, secret_with_leading_zeros},
	{"N-03 N-05", "both-prefixes", Roles::both, {&p256, &p521}, both_prefixes},
	{"N-05", "base-point", Roles::both, {&curve25519, &curve448, &p256, &p521}, base_point_of},
	{"K-01", "ignored-behind-the-key", Roles::both, {&curve448, &p256, &p521}, ignored_behind_the_key},
	{"K-06 K-07 E-21", "fresh-each-time", Roles::both, {&curve448, &p256, &p521}, fresh_each_time},
};

} // namespace

void add_point_cases(Cases &cases)
{
	for (const BadPoint &bad : bad_keys)
		cases.push_back({bad.ids, bad.name, Roles::both, [&bad](Run &run) { bad_key(run, curve448, bad); }});
	for (const Tep *tep : {&p256, &p521})
		for (const BadPoint &bad : bad_points)
			cases.push_back({bad.ids, std::string(tep->name) + "-" + bad.name, Roles::both,
					 [tep, &bad](Run &run) { bad_key(run, *tep, bad); }});
	for (const ForTeps &entry : for_teps)
		for (const Tep *tep : entry.teps)
			cases.push_back({entry.ids, std::string(tep->name) + "-" + entry.name, entry.roles,
					 [tep, &entry](Run &run) { entry.body(run, *tep); }});
	cases.push_back({"N-05", "curve448-not-reduced", Roles::both, base_point_not_reduced});
}

} // namespace conformance
