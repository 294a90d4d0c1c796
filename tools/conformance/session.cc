// SPDX-License-Identifier: GPL-2.0
// tcpcrypt: Init messages, key schedule, and frames (RFC 8548 sections 3.3, 3.6-3.8, 4).
#include "session.hh"

#include <stdexcept>

namespace conformance {

static constexpr std::uint8_t CONST_NEXTK = 0x01;
static constexpr std::uint8_t CONST_SESSID = 0x02;
static constexpr std::uint8_t CONST_REKEY = 0x03;
static constexpr std::uint8_t CONST_KEY_A = 0x04;
static constexpr std::uint8_t CONST_KEY_B = 0x05;
static constexpr std::uint8_t CONST_RESUME = 0x06;
static constexpr std::size_t K_LEN = 32;
/** No honest message comes near this. */
static constexpr std::size_t init_sane = 65536;

static Bytes cprf(View key, std::uint8_t constant, std::size_t length)
{
	const std::uint8_t info[] = {constant};
	return hkdf_expand(key, info, length);
}

static Bytes with_length(std::uint32_t magic, View body)
{
	Bytes message;
	put32(message, magic);
	put32(message, static_cast<std::uint32_t>(init_head + body.size()));
	append(message, body);
	return message;
}

Bytes make_init1(const std::vector<std::uint16_t> &ciphers, View nonce, View pub, View ignored)
{
	Bytes body{static_cast<std::uint8_t>(ciphers.size())};
	for (std::uint16_t cipher : ciphers)
		put16(body, cipher);
	append(body, nonce);
	append(body, pub);
	append(body, ignored);
	return with_length(init1_magic, body);
}

Bytes make_init2(std::uint16_t cipher, View nonce, View pub, View ignored)
{
	Bytes body;
	put16(body, cipher);
	append(body, nonce);
	append(body, pub);
	append(body, ignored);
	return with_length(init2_magic, body);
}

std::optional<std::size_t> init_length(View stream, std::uint32_t magic)
{
	if (stream.size() >= 4 && get32(stream, 0) != magic)
		throw std::runtime_error("wrong magic in an Init message: " + to_hex(stream.first(4)));
	if (stream.size() < init_head)
		return std::nullopt;
	std::size_t length = get32(stream, 4);
	if (length > init_sane)
		throw std::runtime_error("absurd message_len " + std::to_string(length));
	if (stream.size() < length)
		return std::nullopt;
	return length;
}

static Init parse_tail(const Tep &tep, View message, std::size_t at, std::vector<std::uint16_t> ciphers)
{
	std::size_t public_length = tep.public_length();
	if (message.size() < at + nonce_length + public_length)
		throw std::runtime_error("Init message of " + std::to_string(message.size()) + " bytes is too short");
	Init init;
	init.ciphers = std::move(ciphers);
	init.nonce = slice(message, at, nonce_length);
	init.pub = slice(message, at + nonce_length, public_length);
	if (tep.is_point && get16(init.pub, 0) != tep.key_length)
		throw std::runtime_error("Init message with a key of " + std::to_string(get16(init.pub, 0)) + " bytes");
	std::size_t used = at + nonce_length + public_length;
	init.ignored = slice(message, used, message.size() - used);
	init.wire.assign(message.begin(), message.end());
	return init;
}

Init parse_init1(const Tep &tep, View message)
{
	if (message.size() < init_head + 1)
		throw std::runtime_error("Init1 without nciphers");
	std::size_t count = message[init_head];
	std::size_t at = init_head + 1;
	if (count == 0 || message.size() < at + 2 * count)
		throw std::runtime_error("Init1 with a bad nciphers");
	std::vector<std::uint16_t> ciphers;
	for (std::size_t i = 0; i < count; i++, at += 2)
		ciphers.push_back(get16(message, at));
	return parse_tail(tep, message, at, std::move(ciphers));
}

Init parse_init2(const Tep &tep, View message)
{
	if (message.size() < init_head + 2)
		throw std::runtime_error("Init2 without sym_cipher");
	return parse_tail(tep, message, init_head + 2, {get16(message, init_head)});
}

Direction::Direction(AeadId aead, Bytes mk, std::uint8_t constant)
	: aead_(aead), mk_(std::move(mk)), constant_(constant)
{
	expand();
}

void Direction::expand()
{
	std::size_t key_length = aead_key_length(aead_);
	Bytes traffic = cprf(mk_, constant_, key_length + aead_nonce_length);
	key_ = slice(traffic, 0, key_length);
	nr_ = slice(traffic, key_length, aead_nonce_length);
}

void Direction::advance()
{
	mk_ = cprf(mk_, CONST_REKEY, K_LEN);
	generation_++;
	expand();
}

Bytes Direction::nonce(std::uint64_t offset) const
{
	Bytes frame_id(aead_nonce_length - 8, 0);
	put64(frame_id, offset);
	for (std::size_t i = 0; i < frame_id.size(); i++)
		frame_id[i] ^= nr_[i];
	return frame_id;
}

Session derive(std::uint8_t tep, AeadId aead, View transcript, View init1, View init2, View es, View nonce_a)
{
	Bytes prk = hkdf_extract(nonce_a, cat({transcript, init1, init2, es}));
	Bytes mk = cprf(prk, CONST_REKEY, K_LEN);
	Bytes session_id{tep};
	append(session_id, cprf(prk, CONST_SESSID, K_LEN));
	return Session{prk, session_id, Direction(aead, mk, CONST_KEY_A), Direction(aead, mk, CONST_KEY_B)};
}

Bytes Secret::half(bool of_a) const
{
	return slice(cprf(ss, CONST_RESUME, 2 * resume_half), of_a ? 0 : resume_half, resume_half);
}

Bytes Secret::own_half() const
{
	return half(is_a);
}

Bytes Secret::device_half() const
{
	return half(!is_a);
}

Secret Secret::next() const
{
	return {tep, aead, is_a, cprf(ss, CONST_NEXTK, K_LEN)};
}

Session Secret::session(std::uint8_t tep_byte, View nonce_a, View nonce_b) const
{
	Bytes sn = cat({nonce_a, nonce_b});
	Bytes mk = hkdf_expand(ss, cat({Bytes{CONST_REKEY}, sn}), K_LEN);
	Bytes session_id = cat({Bytes{tep_byte}, hkdf_expand(ss, cat({Bytes{CONST_SESSID}, sn}), K_LEN)});
	return Session{ss, session_id, Direction(aead, mk, CONST_KEY_A), Direction(aead, mk, CONST_KEY_B)};
}

Secret first_secret(const Session &session, std::uint8_t tep, AeadId aead, bool is_a)
{
	return Secret{tep, aead, is_a, session.prk}.next();
}

static Bytes frame_header(std::uint8_t control, std::size_t clen)
{
	Bytes header{control};
	put16(header, static_cast<std::uint16_t>(clen));
	return header;
}

Bytes seal_plaintext(const Direction &keys, std::uint64_t offset, std::uint8_t control, View plaintext)
{
	std::size_t clen = plaintext.size() + aead_tag_length;
	if (clen > 65535)
		throw std::length_error("frame too long");
	Bytes header = frame_header(control, clen);
	return cat({header, aead_seal(keys.aead(), keys.key(), keys.nonce(offset), header, plaintext)});
}

Bytes seal_frame(const Direction &keys, std::uint64_t offset, const Frame &frame)
{
	Bytes plaintext{frame.flags};
	if (frame.flags & flag_urgent)
		put16(plaintext, frame.urgent);
	append(plaintext, frame.data);
	return seal_plaintext(keys, offset, frame.control, plaintext);
}

std::optional<Frame> open_frame(Direction &keys, std::uint64_t offset, View stream)
{
	if (stream.size() < frame_head)
		return std::nullopt;
	std::size_t clen = get16(stream, 1);
	if (clen < aead_tag_length + 1)
		throw std::runtime_error("frame with clen " + std::to_string(clen));
	if (stream.size() < frame_head + clen)
		return std::nullopt;
	Frame frame;
	frame.control = stream[0];
	if (frame.control & control_rekey)
		keys.advance();
	frame.offset = offset;
	frame.wire_length = frame_head + clen;
	frame.generation = keys.generation();
	auto plaintext = aead_open(keys.aead(), keys.key(), keys.nonce(offset), stream.first(frame_head),
				   stream.subspan(frame_head, clen));
	if (!plaintext)
		throw std::runtime_error("the device's frame at offset " + std::to_string(offset) +
					 " does not authenticate under generation " +
					 std::to_string(frame.generation));
	frame.flags = (*plaintext)[0];
	std::size_t at = 1;
	if (frame.flags & flag_urgent) {
		if (plaintext->size() < 3)
			throw std::runtime_error("URGp without the urgent field");
		frame.urgent = get16(*plaintext, 1);
		at = 3;
	}
	frame.data = slice(*plaintext, at, plaintext->size() - at);
	return frame;
}

} // namespace conformance
