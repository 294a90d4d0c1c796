// SPDX-License-Identifier: GPL-2.0
// The cryptography that RFC 8548 asks for, from OpenSSL's libcrypto.
#include "crypto.hh"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
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

const Tep *find_tep(std::uint8_t id)
{
	auto at = std::find_if(std::begin(all_teps), std::end(all_teps), [id](const Tep &tep) { return tep.id == id; });
	return at == std::end(all_teps) ? nullptr : at;
}

const Tep *find_tep(std::string_view name)
{
	auto at = std::find_if(std::begin(all_teps), std::end(all_teps),
			       [name](const Tep &tep) { return tep.name == name; });
	return at == std::end(all_teps) ? nullptr : at;
}

using Key = std::shared_ptr<EVP_PKEY>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
using Group = std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)>;
using Point = std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)>;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_clear_free)>;

static Key own(EVP_PKEY *key)
{
	return {key, EVP_PKEY_free};
}

static Group group_of(const Tep &tep)
{
	Group group(EC_GROUP_new_by_curve_name(EC_curve_nist2nid(tep.algorithm)), EC_GROUP_free);
	must(group != nullptr, "EC_GROUP_new_by_curve_name");
	return group;
}

static Bytes encoded(const Group &group, const Point &point, point_conversion_form_t form)
{
	Bytes out(EC_POINT_point2oct(group.get(), point.get(), form, nullptr, 0, nullptr));
	must(!out.empty() && EC_POINT_point2oct(group.get(), point.get(), form, out.data(), out.size(), nullptr) ==
			     out.size(), "EC_POINT_point2oct");
	return out;
}

/** The point of a private key, compressed. */
static Bytes point_of(const Tep &tep, const BIGNUM *scalar)
{
	Group group = group_of(tep);
	Point point(EC_POINT_new(group.get()), EC_POINT_free);
	must(point && EC_POINT_mul(group.get(), point.get(), scalar, nullptr, nullptr, nullptr) == 1, "EC_POINT_mul");
	return encoded(group, point, POINT_CONVERSION_COMPRESSED);
}

/** @scalar null: a public key. Null when @point is not one. */
static Key key_of_point(const Tep &tep, View point, BIGNUM *scalar)
{
	std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> build(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
	must(build && OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, tep.algorithm, 0) == 1 &&
	     OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1 &&
	     (!scalar || OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1), "OSSL_PARAM_BLD");
	std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(OSSL_PARAM_BLD_to_param(build.get()),
									   OSSL_PARAM_free);
	KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), EVP_PKEY_CTX_free);
	must(context && EVP_PKEY_fromdata_init(context.get()) == 1, "EVP_PKEY_fromdata_init");
	EVP_PKEY *key = nullptr;
	if (EVP_PKEY_fromdata(context.get(), &key, scalar ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
		return nullptr;
	return own(key);
}

static Bytes random_private(const Tep &tep)
{
	if (!tep.is_point)
		return random_bytes(tep.key_length);
	Group group = group_of(tep);
	Number scalar(BN_new(), BN_clear_free);
	do
		must(scalar && BN_priv_rand_range(scalar.get(), EC_GROUP_get0_order(group.get())) == 1,
		     "BN_priv_rand_range");
	while (BN_is_zero(scalar.get()));
	Bytes out(tep.secret_length);
	must(BN_bn2binpad(scalar.get(), out.data(), static_cast<int>(out.size())) > 0, "BN_bn2binpad");
	return out;
}

KeyPair::KeyPair(const Tep &tep) : KeyPair(tep, random_private(tep))
{
}

KeyPair::KeyPair(const Tep &tep, View private_key) : tep_(&tep)
{
	if (tep.is_point) {
		Number scalar(BN_bin2bn(private_key.data(), static_cast<int>(private_key.size()), nullptr), BN_clear_free);
		must(scalar != nullptr, "BN_bin2bn");
		Bytes point = point_of(tep, scalar.get());
		key_ = key_of_point(tep, point, scalar.get());
		must(key_ && point.size() == tep.key_length, "EVP_PKEY_fromdata");
		put16(public_, static_cast<std::uint16_t>(point.size()));
		append(public_, point);
		return;
	}
	key_ = own(EVP_PKEY_new_raw_private_key_ex(nullptr, tep.algorithm, nullptr, private_key.data(), private_key.size()));
	must(key_ != nullptr, "EVP_PKEY_new_raw_private_key_ex");
	public_.resize(tep.key_length);
	std::size_t length = public_.size();
	must(EVP_PKEY_get_raw_public_key(key_.get(), public_.data(), &length) == 1 && length == public_.size(),
	     "EVP_PKEY_get_raw_public_key");
}

/** Null when it is not valid. */
static Key public_of(const Tep &tep, View wire)
{
	if (wire.size() != tep.public_length())
		return nullptr;
	if (!tep.is_point)
		return own(EVP_PKEY_new_raw_public_key_ex(nullptr, tep.algorithm, nullptr, wire.data(), wire.size()));
	View point = wire.subspan(2);
	if (get16(wire, 0) != tep.key_length || (point[0] != 2 && point[0] != 3))
		return nullptr;
	return key_of_point(tep, point, nullptr);
}

std::optional<Bytes> KeyPair::shared_secret(View other) const
{
	Key peer = public_of(*tep_, other);
	if (!peer)
		return std::nullopt;
	KeyContext context(EVP_PKEY_CTX_new(key_.get(), nullptr), EVP_PKEY_CTX_free);
	must(context && EVP_PKEY_derive_init(context.get()) == 1, "EVP_PKEY_derive_init");
	if (EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1)
		return std::nullopt;
	Bytes secret(tep_->secret_length);
	std::size_t length = secret.size();
	if (EVP_PKEY_derive(context.get(), secret.data(), &length) != 1)
		return std::nullopt;
	must(length == secret.size(), "EVP_PKEY_derive");
	// N-03 says this of the Montgomery curves; X = 0 is an honest coordinate of the others, met by nobody.
	if (!tep_->is_point && std::all_of(secret.begin(), secret.end(), [](std::uint8_t byte) { return byte == 0; }))
		return std::nullopt;
	return secret;
}

Bytes field_prime(const Tep &tep)
{
	Number prime(BN_new(), BN_clear_free);
	Bytes out(tep.secret_length);
	must(prime && EC_GROUP_get_curve(group_of(tep).get(), prime.get(), nullptr, nullptr, nullptr) == 1 &&
	     BN_bn2binpad(prime.get(), out.data(), static_cast<int>(out.size())) > 0, "EC_GROUP_get_curve");
	return out;
}

Bytes uncompressed(const Tep &tep, View compressed)
{
	Group group = group_of(tep);
	Point point(EC_POINT_new(group.get()), EC_POINT_free);
	must(point && EC_POINT_oct2point(group.get(), point.get(), compressed.data(), compressed.size(), nullptr) == 1,
	     "EC_POINT_oct2point");
	return encoded(group, point, POINT_CONVERSION_UNCOMPRESSED);
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
