/* SPDX-License-Identifier: GPL-2.0 */
/* The cryptography that RFC 8548 asks for, from OpenSSL's libcrypto. */
#ifndef CONFORMANCE_CRYPTO_HH
#define CONFORMANCE_CRYPTO_HH

#include "bytes.hh"

#include <memory>

struct evp_pkey_st;

namespace conformance {

Bytes random_bytes(std::size_t length);

/** RFC 5869 section 2.2 and 2.3, with SHA-256. */
Bytes hkdf_extract(View salt, View ikm);
Bytes hkdf_expand(View prk, View info, std::size_t length);

/** An ephemeral X25519 key pair (RFC 7748 section 5). */
class KeyPair {
public:
	KeyPair();
	/** From a private key, for known answers. */
	explicit KeyPair(View private_key);
	const Bytes &public_key() const { return public_; }
	/** Without a value when the shared secret would be all zeros (N-03). */
	std::optional<Bytes> shared_secret(View other) const;

private:
	std::shared_ptr<evp_pkey_st> key_;
	Bytes public_;
};

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
