/* SPDX-License-Identifier: GPL-2.0 */
/* The cryptography that RFC 8548 asks for, from OpenSSL's libcrypto. */
#ifndef CONFORMANCE_CRYPTO_HH
#define CONFORMANCE_CRYPTO_HH

#include "bytes.hh"

#include <memory>
#include <string_view>

struct evp_pkey_st;

namespace conformance {

Bytes random_bytes(std::size_t length);

/** RFC 5869 section 2.2 and 2.3, with SHA-256. */
Bytes hkdf_extract(View salt, View ikm);
Bytes hkdf_expand(View prk, View info, std::size_t length);

/** A TEP of tcpcrypt (RFC 8548 section 5): its key agreement, and sizes in bytes. */
struct Tep {
	std::uint8_t id;
	/** As in net.tcpcrypt.teps. */
	const char *name;
	/** OpenSSL's name of the algorithm, or of the group when the key is a compressed point. */
	const char *algorithm;
	std::size_t key_length;
	/** The key has a two-byte length before it, and is a compressed point. */
	bool is_point;
	/** Of ES (N-05). */
	std::size_t secret_length;

	/** Of the public key on the wire. */
	constexpr std::size_t public_length() const { return (is_point ? 2 : 0) + key_length; }
};

/** All of them; a device's default order of preference, best first. */
inline constexpr Tep all_teps[] = {
	{0x23, "curve25519", "X25519", 32, false, 32},
	{0x24, "curve448", "X448", 56, false, 56},
	{0x21, "p256", "P-256", 33, true, 32},
	{0x22, "p521", "P-521", 67, true, 66},
};
inline constexpr const Tep &curve25519 = all_teps[0];
inline constexpr const Tep &curve448 = all_teps[1];
inline constexpr const Tep &p256 = all_teps[2];
inline constexpr const Tep &p521 = all_teps[3];

/** Null when there is none. */
const Tep *find_tep(std::uint8_t id);
const Tep *find_tep(std::string_view name);

/** An ephemeral key pair. */
class KeyPair {
public:
	explicit KeyPair(const Tep &tep);
	/** From a private key, for known answers: as RFC 7748 has it, or a big-endian number. */
	KeyPair(const Tep &tep, View private_key);
	const Tep &tep() const { return *tep_; }
	/** As on the wire. */
	const Bytes &public_key() const { return public_; }
	/** ES with another public key as on the wire; without a value when that is not a valid one (N-03). */
	std::optional<Bytes> shared_secret(View other) const;

private:
	const Tep *tep_;
	std::shared_ptr<evp_pkey_st> key_;
	Bytes public_;
};

/** Of a TEP whose key is a point: the field's prime, big-endian, as long as a coordinate. */
Bytes field_prime(const Tep &tep);
/** 04 | X | Y, in the place of a compressed point. */
Bytes uncompressed(const Tep &tep, View compressed);

enum class AeadId : std::uint16_t {
	aes_128_gcm = 0x0001,
	aes_256_gcm = 0x0002,
	chacha20_poly1305 = 0x0010,
};

/** RFC 8548 section 7: sizes of the AEADs, all with a 12-byte nonce and a 16-byte tag. */
inline constexpr std::size_t aead_nonce_length = 12;
inline constexpr std::size_t aead_tag_length = 16;

bool aead_known(std::uint16_t id);
std::size_t aead_key_length(AeadId id);
/** The ciphertext with the tag behind it. */
Bytes aead_seal(AeadId id, View key, View nonce, View ad, View plaintext);
/** Without a value when the tag is wrong. */
std::optional<Bytes> aead_open(AeadId id, View key, View nonce, View ad, View ciphertext);

} // namespace conformance

#endif
