// SPDX-License-Identifier: GPL-2.0
/* tcpcrypt's cryptography written a second time, over OpenSSL, to hold the module against. */
#include "reference.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>

namespace reference
{
namespace
{

template <auto Free>
struct Deleter {
	template <class T>
	void operator()(T *p) const
	{
		Free(p);
	}
};

template <class T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;

using Kdf = Owned<EVP_KDF, EVP_KDF_free>;
using KdfContext = Owned<EVP_KDF_CTX, EVP_KDF_CTX_free>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Group = Owned<EC_GROUP, EC_GROUP_free>;
using Point = Owned<EC_POINT, EC_POINT_free>;
using Number = Owned<BIGNUM, BN_clear_free>;
using Cipher = Owned<EVP_CIPHER, EVP_CIPHER_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

void check(bool ok, const char *what)
{
	if (!ok)
		throw std::runtime_error(std::string("OpenSSL: ") + what);
}

/* OpenSSL takes no null pointer, not even for nothing. */
unsigned char *data(View v)
{
	static unsigned char none;
	return v.empty() ? &none : const_cast<unsigned char *>(v.data());
}

Bytes hkdf(int mode, View key, const char *param, View value, std::size_t len)
{
	const Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
	const KdfContext ctx(EVP_KDF_CTX_new(kdf.get()));
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, data(key), key.size()),
		OSSL_PARAM_construct_octet_string(param, data(value), value.size()),
		OSSL_PARAM_construct_end(),
	};
	Bytes out(len);

	check(ctx && EVP_KDF_derive(ctx.get(), out.data(), out.size(), params) > 0, "HKDF");
	return out;
}

Cipher fetch(std::uint16_t aead)
{
	const char *name = aead == 0x0001   ? "AES-128-GCM"
			   : aead == 0x0002 ? "AES-256-GCM"
			   : aead == 0x0010 ? "ChaCha20-Poly1305"
					    : throw std::invalid_argument("no such AEAD");
	Cipher cipher(EVP_CIPHER_fetch(nullptr, name, nullptr));

	check(cipher != nullptr, name);
	return cipher;
}

Bytes cprf(View key, std::uint8_t constant, std::size_t len)
{
	return hkdf_expand(key, View(&constant, 1), len);
}

TrafficKey traffic_key(View mk, std::uint8_t constant, std::uint16_t aead)
{
	const std::size_t key_len = aead_key_len(aead);
	const Bytes k = cprf(mk, constant, key_len + 12);
	const auto split = k.begin() + static_cast<std::ptrdiff_t>(key_len);

	return { Bytes(k.begin(), split), Bytes(split, k.end()) };
}

/* A TEP's key: raw as RFC 7748 has it, or a compressed point of a curve after its length. */
struct Tep {
	std::uint8_t id;
	const char *raw;
	int curve;
	std::size_t pub_len;
	std::size_t es_len;
};

constexpr Tep teps[] = {
	{ 0x21, nullptr, NID_X9_62_prime256v1, 2 + 33, 32 },
	{ 0x22, nullptr, NID_secp521r1, 2 + 67, 66 },
	{ 0x23, "X25519", 0, 32, 32 },
	{ 0x24, "X448", 0, 56, 56 },
};

const Tep &find_tep(std::uint8_t id)
{
	for (const Tep &tep : teps) {
		if (tep.id == id)
			return tep;
	}
	throw std::invalid_argument("no such TEP");
}

Bytes raw_public(const Tep &tep, View priv)
{
	const Key key(EVP_PKEY_new_raw_private_key_ex(nullptr, tep.raw, nullptr, priv.data(),
						      priv.size()));
	Bytes pub(tep.pub_len);
	std::size_t len = pub.size();

	check(key && EVP_PKEY_get_raw_public_key(key.get(), pub.data(), &len) > 0, tep.raw);
	return pub;
}

Bytes raw_agree(const Tep &tep, View priv, View peer_pub)
{
	const Key own(EVP_PKEY_new_raw_private_key_ex(nullptr, tep.raw, nullptr, priv.data(),
						      priv.size()));
	const Key peer(EVP_PKEY_new_raw_public_key_ex(nullptr, tep.raw, nullptr, peer_pub.data(),
						      peer_pub.size()));
	const KeyContext ctx(EVP_PKEY_CTX_new(own.get(), nullptr));
	Bytes es(tep.es_len);
	std::size_t len = es.size();

	check(own && peer && ctx && EVP_PKEY_derive_init(ctx.get()) > 0 &&
		      EVP_PKEY_derive_set_peer(ctx.get(), peer.get()) > 0,
	      tep.raw);
	if (EVP_PKEY_derive(ctx.get(), es.data(), &len) <= 0)
		return {};
	return es;
}

Group group_of(const Tep &tep)
{
	Group group(EC_GROUP_new_by_curve_name(tep.curve));

	check(group != nullptr, "curve");
	return group;
}

Number number(View bytes)
{
	Number n(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));

	check(n != nullptr, "number");
	return n;
}

Bytes point_public(const Tep &tep, View priv)
{
	const Group group = group_of(tep);
	const Point point(EC_POINT_new(group.get()));
	Bytes compressed(tep.pub_len - 2);

	check(point &&
		      EC_POINT_mul(group.get(), point.get(), number(priv).get(), nullptr, nullptr,
				   nullptr) > 0 &&
		      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_COMPRESSED,
					 compressed.data(), compressed.size(),
					 nullptr) == compressed.size(),
	      "point");
	return concat({ big_endian(compressed.size(), 2), compressed });
}

Bytes point_agree(const Tep &tep, View priv, View peer_pub)
{
	const Group group = group_of(tep);
	const Point point(EC_POINT_new(group.get())), product(EC_POINT_new(group.get()));
	const Number x(BN_new());
	const View compressed = peer_pub.subspan(2);
	Bytes es(tep.es_len);

	if (concat({ big_endian(compressed.size(), 2), compressed }) !=
	    Bytes(peer_pub.begin(), peer_pub.end()))
		return {};
	if (EC_POINT_oct2point(group.get(), point.get(), compressed.data(), compressed.size(),
			       nullptr) <= 0)
		return {};
	check(x &&
		      EC_POINT_mul(group.get(), product.get(), nullptr, point.get(),
				   number(priv).get(), nullptr) > 0 &&
		      EC_POINT_get_affine_coordinates(group.get(), product.get(), x.get(), nullptr,
						      nullptr) > 0 &&
		      BN_bn2binpad(x.get(), es.data(), static_cast<int>(es.size())) > 0,
	      "product");
	return es;
}

Bytes message(std::uint32_t magic, View body)
{
	return concat({ big_endian(magic, 4), big_endian(8 + body.size(), 4), body });
}

}

Bytes concat(std::initializer_list<View> parts)
{
	Bytes out;

	for (View part : parts)
		out.insert(out.end(), part.begin(), part.end());
	return out;
}

Bytes big_endian(std::uint64_t value, std::size_t size)
{
	Bytes out(size);

	for (; size; value >>= 8)
		out[--size] = static_cast<std::uint8_t>(value);
	return out;
}

Bytes hkdf_extract(View salt, View ikm)
{
	return hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, ikm, OSSL_KDF_PARAM_SALT, salt, 32);
}

Bytes hkdf_expand(View prk, View info, std::size_t len)
{
	return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, prk, OSSL_KDF_PARAM_INFO, info, len);
}

std::size_t tep_pub_len(std::uint8_t tep)
{
	return find_tep(tep).pub_len;
}

bool tep_has_len(std::uint8_t tep)
{
	return !find_tep(tep).raw;
}

Bytes tep_public(std::uint8_t tep, View priv)
{
	const Tep &t = find_tep(tep);

	return t.raw ? raw_public(t, priv) : point_public(t, priv);
}

Bytes tep_agree(std::uint8_t tep, View priv, View peer_pub)
{
	const Tep &t = find_tep(tep);

	if (peer_pub.size() != t.pub_len)
		return {};
	return t.raw ? raw_agree(t, priv, peer_pub) : point_agree(t, priv, peer_pub);
}

std::size_t aead_key_len(std::uint16_t aead)
{
	return static_cast<std::size_t>(EVP_CIPHER_get_key_length(fetch(aead).get()));
}

Bytes aead_seal(std::uint16_t aead, View key, View nonce, View ad, View plain)
{
	const Cipher cipher = fetch(aead);
	const CipherContext ctx(EVP_CIPHER_CTX_new());
	Bytes out(plain.size() + 16);
	int len = 0;

	check(ctx &&
		      EVP_EncryptInit_ex2(ctx.get(), cipher.get(), key.data(), nonce.data(),
					  nullptr) > 0 &&
		      EVP_EncryptUpdate(ctx.get(), nullptr, &len, data(ad),
					static_cast<int>(ad.size())) > 0 &&
		      EVP_EncryptUpdate(ctx.get(), out.data(), &len, data(plain),
					static_cast<int>(plain.size())) > 0 &&
		      EVP_EncryptFinal_ex(ctx.get(), out.data() + plain.size(), &len) > 0 &&
		      EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_AEAD_GET_TAG, 16,
					  out.data() + plain.size()) > 0,
	      "seal");
	return out;
}

bool aead_open(std::uint16_t aead, View key, View nonce, View ad, View sealed, Bytes &plain)
{
	const Cipher cipher = fetch(aead);
	const CipherContext ctx(EVP_CIPHER_CTX_new());
	int len = 0;

	if (sealed.size() < 16)
		return false;
	const View text = sealed.first(sealed.size() - 16), tag = sealed.last(16);
	/* One byte more, so that there is an address also for an empty plaintext. */
	Bytes out(text.size() + 1);
	check(ctx &&
		      EVP_DecryptInit_ex2(ctx.get(), cipher.get(), key.data(), nonce.data(),
					  nullptr) > 0 &&
		      EVP_DecryptUpdate(ctx.get(), nullptr, &len, data(ad),
					static_cast<int>(ad.size())) > 0 &&
		      EVP_DecryptUpdate(ctx.get(), out.data(), &len, data(text),
					static_cast<int>(text.size())) > 0 &&
		      EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_AEAD_SET_TAG, 16, data(tag)) > 0,
	      "open");
	if (EVP_DecryptFinal_ex(ctx.get(), out.data() + text.size(), &len) <= 0)
		return false;
	out.resize(text.size());
	plain = out;
	return true;
}

Bytes prk(View n_a, View transcript, View init1, View init2, View es)
{
	return hkdf_extract(n_a, concat({ transcript, init1, init2, es }));
}

Bytes next_ss(View ss)
{
	return cprf(ss, 1, 32);
}

Bytes mk0(View ss, View sn)
{
	return hkdf_expand(ss, concat({ Bytes{ 3 }, sn }), 32);
}

Bytes next_mk(View mk)
{
	return cprf(mk, 3, 32);
}

TrafficKey k_ab(View mk, std::uint16_t aead)
{
	return traffic_key(mk, 4, aead);
}

TrafficKey k_ba(View mk, std::uint16_t aead)
{
	return traffic_key(mk, 5, aead);
}

Bytes session_id(View ss, std::uint8_t tep_byte, View sn)
{
	return concat({ View(&tep_byte, 1), hkdf_expand(ss, concat({ Bytes{ 2 }, sn }), 32) });
}

Bytes resume(View ss)
{
	return cprf(ss, 6, 18);
}

Bytes init1(const std::vector<std::uint16_t> &ciphers, View nonce, View pub)
{
	Bytes list{ static_cast<std::uint8_t>(ciphers.size()) };

	for (std::uint16_t cipher : ciphers) {
		const Bytes id = big_endian(cipher, 2);
		list.insert(list.end(), id.begin(), id.end());
	}
	return message(0x15101a0e, concat({ list, nonce, pub }));
}

Bytes init2(std::uint16_t cipher, View nonce, View pub)
{
	return message(0x097105e0, concat({ big_endian(cipher, 2), nonce, pub }));
}

Bytes frame_nonce(View nr, std::uint64_t offset)
{
	const Bytes frame_id = big_endian(offset, 12);
	Bytes nonce(12);

	std::transform(nr.begin(), nr.end(), frame_id.begin(), nonce.begin(), std::bit_xor<>());
	return nonce;
}

Bytes frame(std::uint16_t aead, const TrafficKey &key, std::uint64_t offset, std::uint8_t control,
	    View plain)
{
	const Bytes header = concat({ View(&control, 1), big_endian(plain.size() + 16, 2) });

	return concat(
		{ header, aead_seal(aead, key.key, frame_nonce(key.nr, offset), header, plain) });
}

Bytes noise(const std::string &seed, std::size_t len)
{
	Bytes out;

	for (std::uint32_t block = 0; out.size() < len; block++) {
		const Bytes in = concat(
			{ View(reinterpret_cast<const std::uint8_t *>(seed.data()), seed.size()),
			  big_endian(block, 4) });
		unsigned char hash[32];

		check(EVP_Q_digest(nullptr, "SHA256", nullptr, in.data(), in.size(), hash,
				   nullptr) > 0,
		      "SHA256");
		out.insert(out.end(), hash, hash + sizeof(hash));
	}
	out.resize(len);
	return out;
}

}
