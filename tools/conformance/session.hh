/* SPDX-License-Identifier: GPL-2.0 */
/* tcpcrypt: Init messages, key schedule, and frames (RFC 8548 sections 3.3, 3.6-3.8, 4). */
#ifndef CONFORMANCE_SESSION_HH
#define CONFORMANCE_SESSION_HH

#include "crypto.hh"

namespace conformance {

inline constexpr std::uint32_t init1_magic = 0x15101a0e;
inline constexpr std::uint32_t init2_magic = 0x097105e0;
inline constexpr std::size_t nonce_length = 32;
inline constexpr std::size_t init_head = 8;

/** A received Init1 or Init2; for Init2 @ciphers has one entry. */
struct Init {
	std::vector<std::uint16_t> ciphers;
	Bytes nonce;
	/** As on the wire, with the length field if the TEP has one. */
	Bytes pub;
	Bytes ignored;
	Bytes wire;
};

/*
 * Init1: 15101a0e | message_len (4) | nciphers (1) | sym_cipher[nciphers] (2 each) | N_A (32) | Pub_A | ignored
 * Init2: 097105e0 | message_len (4) | sym_cipher (2)                              | N_B (32) | Pub_B | ignored
 */
Bytes make_init1(const std::vector<std::uint16_t> &ciphers, View nonce, View pub, View ignored = {});
Bytes make_init2(std::uint16_t cipher, View nonce, View pub, View ignored = {});
/** How many bytes the message that begins @stream has, once that can be seen; throws std::runtime_error for a bad one. */
std::optional<std::size_t> init_length(View stream, std::uint32_t magic);
/** Of a whole message with @tep's key; throws std::runtime_error when it is malformed. */
Init parse_init1(const Tep &tep, View message);
Init parse_init2(const Tep &tep, View message);

/** The keys of one direction, and their generations (F-08). */
class Direction {
public:
	Direction(AeadId aead, Bytes mk, std::uint8_t constant);
	/** To the next generation: mk[j] = CPRF(mk[j-1], CONST_REKEY, 32). */
	void advance();
	unsigned generation() const { return generation_; }
	AeadId aead() const { return aead_; }
	const Bytes &key() const { return key_; }
	/** frame_ID XOR NR. */
	Bytes nonce(std::uint64_t offset) const;
	const Bytes &nonce_randomizer() const { return nr_; }
	/** mk[j] of this generation. */
	const Bytes &master() const { return mk_; }

private:
	void expand();

	AeadId aead_;
	Bytes mk_;
	std::uint8_t constant_;
	unsigned generation_ = 0;
	Bytes key_;
	Bytes nr_;
};

/** What both sides derive from a fresh key exchange. */
struct Session {
	Bytes prk;
	Bytes session_id;
	/** k_ab and k_ba. */
	Direction ab;
	Direction ba;
};

/** @transcript: A's ENO option, then B's, whole (E-19). */
Session derive(std::uint8_t tep, AeadId aead, View transcript, View init1, View init2, View es, View nonce_a);

/** ss[i], not used yet, as our side of a session keeps it (RFC 8548 section 3.5). */
struct Secret {
	std::uint8_t tep;
	AeadId aead;
	/** We were A in the session that all others come from. */
	bool is_a;
	Bytes ss;

	/** The halves of resume[i]: what we send, and what the device sends. */
	Bytes own_half() const;
	Bytes device_half() const;
	/** ss[i+1]. */
	Secret next() const;
	/** With the byte that B sent for the TEP, and sn[i]. */
	Session session(std::uint8_t tep_byte, View nonce_a, View nonce_b) const;

private:
	Bytes half(bool of_a) const;
};

/** ss[1], of a session with a fresh key exchange. */
Secret first_secret(const Session &session, std::uint8_t tep, AeadId aead, bool is_a);

/** 9 bytes of resume[i] and a nonce of 0 to 8 bytes are the data of a TEP with v=1. */
inline constexpr std::size_t resume_half = 9;
inline constexpr std::size_t resume_nonce_max = 8;

enum FrameBits : std::uint8_t {
	control_rekey = 0x01,
	control_reserved = 0xfe,
	flag_fin = 0x01,
	flag_urgent = 0x02,
	flags_reserved = 0xfc,
};

inline constexpr std::size_t frame_head = 3;
/** Of application data in a frame without URGp: clen is at most 65535. */
inline constexpr std::size_t frame_data_max = 65535 - aead_tag_length - 1;

struct Frame {
	Bytes data{};
	std::uint8_t control = 0;
	std::uint8_t flags = 0;
	/** Only with flag_urgent. */
	std::uint16_t urgent = 0;
	/** Of a received frame: where it began, its size on the wire, and the generation that opened it. */
	std::uint64_t offset = 0;
	std::size_t wire_length = 0;
	unsigned generation = 0;
};

/** The frame's bytes when it begins at @offset of the direction's stream. */
Bytes seal_frame(const Direction &keys, std::uint64_t offset, const Frame &frame);
/** A frame whose plaintext is exactly @plaintext, flags and all. */
Bytes seal_plaintext(const Direction &keys, std::uint64_t offset, std::uint8_t control, View plaintext);
/**
 * The frame at the start of @stream, without a value while it is not whole. A frame with rekey=1 advances @keys.
 * Throws std::runtime_error when it does not authenticate or is malformed.
 */
std::optional<Frame> open_frame(Direction &keys, std::uint64_t offset, View stream);

} // namespace conformance

#endif
