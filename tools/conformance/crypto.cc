// SPDX-License-Identifier: GPL-2.0
// The cryptography that RFC 8548 asks for, from OpenSSL's libcrypto.
#include "crypto.hh"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace conformance {

static void must(bool done, const char *what)
{
	if (!done)
		throw std::runtime_error(std::string("libcrypto: ") + what);
}

Bytes random_bytes(std::size_t length)
{
	Bytes out(length);
	must(RAND_bytes(out.data(), static_cast<int>(length)) == 1, "RAND_bytes");
	return out;
}

static Bytes hmac_sha256(View key, View message)
{
	Bytes out(32);
	unsigned int length = 0;
	must(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), message.size(),
		  out.data(), &length) != nullptr && length == out.size(), "HMAC");
	return out;
}

Bytes hkdf_extract(View salt, View ikm)
{
	return hmac_sha256(salt, ikm);
}

Bytes hkdf_expand(View prk, View info, std::size_t length)
{
	Bytes okm;
	Bytes block;
	for (std::uint8_t counter = 1; okm.size() < length; counter++) {
		const std::uint8_t last[] = {counter};
		block = hmac_sha256(prk, cat({block, info, last}));
		append(okm, block);
	}
	okm.resize(length);
	return okm;
}

static Bytes raw_public(EVP_PKEY *key)
{
	Bytes out(32);
	std::size_t length = out.size();
	must(EVP_PKEY_get_raw_public_key(key, out.data(), &length) == 1 && length == out.size(),
	     "EVP_PKEY_get_raw_public_key");
	return out;
}

static std::shared_ptr<EVP_PKEY> own(EVP_PKEY *key)
{
	must(key != nullptr, "X25519 key");
	return std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free);
}

KeyPair::KeyPair() : KeyPair(random_bytes(32))
{
}

KeyPair::KeyPair(View private_key)
	: key_(own(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, private_key.data(),
						private_key.size()))),
	  public_(raw_public(key_.get()))
{
}

std::optional<Bytes> KeyPair::shared_secret(View other) const
{
	auto peer = own(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, other.data(), other.size()));
	std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
		EVP_PKEY_CTX_new(key_.get(), nullptr), EVP_PKEY_CTX_free);
	must(context && EVP_PKEY_derive_init(context.get()) == 1, "EVP_PKEY_derive_init");
	must(EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1, "EVP_PKEY_derive_set_peer");
	Bytes secret(32);
	std::size_t length = secret.size();
	if (EVP_PKEY_derive(context.get(), secret.data(), &length) != 1)
		return std::nullopt;
	must(length == secret.size(), "EVP_PKEY_derive");
	if (std::all_of(secret.begin(), secret.end(), [](std::uint8_t byte) { return byte == 0; }))
		return std::nullopt;
	return secret;
}

bool aead_known(std::uint16_t id)
{
	return id == 0x0001 || id == 0x0002 || id == 0x0010;
}

std::size_t aead_key_length(AeadId id)
{
	return id == AeadId::aes_128_gcm ? 16 : 32;
}

static const EVP_CIPHER *cipher_of(AeadId id)
{
	switch (id) {
	case AeadId::aes_128_gcm:
		return EVP_aes_128_gcm();
	case AeadId::aes_256_gcm:
		return EVP_aes_256_gcm();
	case AeadId::chacha20_poly1305:
		return EVP_chacha20_poly1305();
	}
	throw std::runtime_error("no such AEAD");
}

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

static CipherContext cipher_start(AeadId id, View key, View nonce, View ad, int encrypt)
{
	CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
	int length = 0;
	must(key.size() == aead_key_length(id) && nonce.size() == aead_nonce_length, "key or nonce size");
	must(context && EVP_CipherInit_ex(context.get(), cipher_of(id), nullptr, key.data(), nonce.data(),
					  encrypt) == 1, "EVP_CipherInit_ex");
	must(EVP_CipherUpdate(context.get(), nullptr, &length, ad.data(), static_cast<int>(ad.size())) == 1,
	     "additional data");
	return context;
}

Bytes aead_seal(AeadId id, View key, View nonce, View ad, View plaintext)
{
	CipherContext context = cipher_start(id, key, nonce, ad, 1);
	Bytes out(plaintext.size() + aead_tag_length);
	int length = 0;
	int rest = 0;
	must(EVP_CipherUpdate(context.get(), out.data(), &length, plaintext.data(),
			      static_cast<int>(plaintext.size())) == 1, "EVP_CipherUpdate");
	must(EVP_CipherFinal_ex(context.get(), out.data() + length, &rest) == 1, "EVP_CipherFinal_ex");
	must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, aead_tag_length,
				 out.data() + plaintext.size()) == 1, "tag");
	return out;
}

std::optional<Bytes> aead_open(AeadId id, View key, View nonce, View ad, View ciphertext)
{
	if (ciphertext.size() < aead_tag_length)
		return std::nullopt;
	CipherContext context = cipher_start(id, key, nonce, ad, 0);
	std::size_t body = ciphertext.size() - aead_tag_length;
	Bytes tag(ciphertext.begin() + static_cast<std::ptrdiff_t>(body), ciphertext.end());
	Bytes out(body);
	int length = 0;
	int rest = 0;
	Bytes slack(aead_tag_length);
	must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, aead_tag_length, tag.data()) == 1,
	     "tag");
	must(body == 0 || EVP_CipherUpdate(context.get(), out.data(), &length, ciphertext.data(),
					   static_cast<int>(body)) == 1, "EVP_CipherUpdate");
	if (EVP_CipherFinal_ex(context.get(), slack.data(), &rest) != 1)
		return std::nullopt;
	return out;
}

} // namespace conformance
