/* SPDX-License-Identifier: GPL-2.0 */
/* tcpcrypt's cryptography written a second time, over OpenSSL, to hold the module against. */
#ifndef TCPCRYPT_VECTORS_REFERENCE_H
#define TCPCRYPT_VECTORS_REFERENCE_H

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace reference
{

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

Bytes concat(std::initializer_list<View> parts);
Bytes big_endian(std::uint64_t value, std::size_t size);

/* RFC 5869 */
Bytes hkdf_extract(View salt, View ikm);
Bytes hkdf_expand(View prk, View info, std::size_t len);

/*
 * RFC 8548 section 5, by TEP. Public keys are as on the wire; a private key is as RFC 7748 has it, or
 * a big-endian number. agree gives nothing for a key that is not valid.
 */
std::size_t tep_pub_len(std::uint8_t tep);
bool tep_has_len(std::uint8_t tep);
Bytes tep_public(std::uint8_t tep, View priv);
Bytes tep_agree(std::uint8_t tep, View priv, View peer_pub);

/* RFC 8548 section 7; the result has the tag at its end. open gives false for a wrong tag. */
std::size_t aead_key_len(std::uint16_t aead);
Bytes aead_seal(std::uint16_t aead, View key, View nonce, View ad, View plain);
bool aead_open(std::uint16_t aead, View key, View nonce, View ad, View sealed, Bytes &plain);

/* RFC 8548 sections 3.3, 3.4 and 3.8. The caller names the side by the constant's value. */
struct TrafficKey {
	Bytes key;
	Bytes nr;
};
Bytes prk(View n_a, View transcript, View init1, View init2, View es);
Bytes next_ss(View ss);
Bytes mk0(View ss, View sn);
Bytes next_mk(View mk);
TrafficKey k_ab(View mk, std::uint16_t aead);
TrafficKey k_ba(View mk, std::uint16_t aead);
Bytes session_id(View ss, std::uint8_t tep_byte, View sn);
Bytes resume(View ss);

/* RFC 8548 section 4.1 and 4.2 */
Bytes init1(const std::vector<std::uint16_t> &ciphers, View nonce, View pub);
Bytes init2(std::uint16_t cipher, View nonce, View pub);
Bytes frame_nonce(View nr, std::uint64_t offset);
Bytes frame(std::uint16_t aead, const TrafficKey &key, std::uint64_t offset, std::uint8_t control,
	    View plain);

/* Bytes that look random and are the same each time. */
Bytes noise(const std::string &seed, std::size_t len);

}

#endif
