// SPDX-License-Identifier: GPL-2.0
/* src/wire/init.c */
#include "unit.h"

namespace
{

void check_length(const vec_init_length &v)
{
	const Exact buf(v.buf);
	u32 len = 0;

	EXPECT_EQ(tcpcrypt_init_length(buf.data(), buf.size(), static_cast<u32>(v.magic), &len),
		  v.result);
	EXPECT_EQ(len, v.len);
}

void check_init1_parse(const vec_init1_parse &v)
{
	const Exact msg(v.msg);
	tcpcrypt_init1 out;

	ASSERT_EQ(tcpcrypt_init1_parse(msg.data(), msg.size(), static_cast<unsigned int>(v.pub_len),
				       v.has_len, &out),
		  v.result);
	if (v.result)
		return;
	EXPECT_EQ(to_bytes(out.ciphers, 2u * out.n_ciphers), to_bytes(v.ciphers));
	EXPECT_EQ(out.nonce - msg.data(), v.nonce);
	EXPECT_EQ(out.pub - msg.data(), v.pub);
	EXPECT_EQ(out.pub_len, v.pub_len);
}

void check_init2_parse(const vec_init2_parse &v)
{
	const Exact msg(v.msg);
	tcpcrypt_init2 out;

	ASSERT_EQ(tcpcrypt_init2_parse(msg.data(), msg.size(), static_cast<unsigned int>(v.pub_len),
				       v.has_len, &out),
		  v.result);
	if (v.result)
		return;
	EXPECT_EQ(out.cipher, v.cipher);
	EXPECT_EQ(out.nonce - msg.data(), v.nonce);
	EXPECT_EQ(out.pub - msg.data(), v.pub);
	EXPECT_EQ(out.pub_len, v.pub_len);
}

std::vector<u16> ids(const vec_bytes &list)
{
	std::vector<u16> out;

	for (std::size_t i = 0; i < list.len; i += 2)
		out.push_back(get_unaligned_be16(list.data + i));
	return out;
}

void check_init1_build(const vec_init1_build &v)
{
	const std::vector<u16> ciphers = ids(v.ciphers);
	u8 buf[TCPCRYPT_INIT_SEND_MAX];
	const unsigned int len = tcpcrypt_init1_build(
		ciphers.data(), static_cast<unsigned int>(ciphers.size()), v.nonce.data, v.pub.data,
		static_cast<unsigned int>(v.pub.len), buf);

	EXPECT_EQ(to_bytes(buf, len), to_bytes(v.msg));
	EXPECT_EQ(reference::init1(ciphers, to_bytes(v.nonce), to_bytes(v.pub)), to_bytes(v.msg));
}

void check_init2_build(const vec_init2_build &v)
{
	u8 buf[TCPCRYPT_INIT_SEND_MAX];
	const unsigned int len =
		tcpcrypt_init2_build(static_cast<u16>(v.cipher), v.nonce.data, v.pub.data,
				     static_cast<unsigned int>(v.pub.len), buf);

	EXPECT_EQ(to_bytes(buf, len), to_bytes(v.msg));
	EXPECT_EQ(reference::init2(static_cast<u16>(v.cipher), to_bytes(v.nonce), to_bytes(v.pub)),
		  to_bytes(v.msg));
}

void check_choose(const vec_cipher_choose &v)
{
	const Exact offered(v.offered);
	const std::vector<u16> prefs = ids(v.prefs);

	EXPECT_EQ(tcpcrypt_cipher_choose(offered.data(), offered.size() / 2, prefs.data(),
					 static_cast<unsigned int>(prefs.size())),
		  v.choice);
}

const bool registered =
	table("init", "tcpcrypt_init_length", vecs_init_length, check_length) &&
	table("init", "tcpcrypt_init1_parse", vecs_init1_parse, check_init1_parse) &&
	table("init", "tcpcrypt_init2_parse", vecs_init2_parse, check_init2_parse) &&
	table("init", "tcpcrypt_init1_build", vecs_init1_build, check_init1_build) &&
	table("init", "tcpcrypt_init2_build", vecs_init2_build, check_init2_build) &&
	table("init", "tcpcrypt_cipher_choose", vecs_cipher_choose, check_choose);

const Bytes nonce(TCPCRYPT_NONCE_LEN, 0xaa), pub(32, 0xbb);

/* K-02: whatever has arrived so far, the answer is right and final. */
TEST(init, tcpcrypt_init_length__split_at_every_byte)
{
	const Bytes msg = reference::init1({ 1, 2, 16 }, nonce, pub);

	for (std::size_t have = 0; have <= msg.size(); have++) {
		const Exact in(View(msg).first(have));
		u32 len = 0;
		const int err = tcpcrypt_init_length(in.data(), have, TCPCRYPT_INIT1_MAGIC, &len);

		EXPECT_EQ(err, have < TCPCRYPT_INIT_HDR_LEN ? -EAGAIN : 0) << have;
		EXPECT_EQ(len, err ? 0 : msg.size()) << have;
	}
}

/* K-04: no bit of the magic may differ, and it is told from the first byte that does. */
TEST(init, tcpcrypt_init_length__every_bit_of_the_magic)
{
	for (std::size_t bit = 0; bit < 32; bit++) {
		Bytes msg = reference::init2(1, nonce, pub);

		msg[bit / 8] ^= static_cast<u8>(1 << bit % 8);
		for (std::size_t have = bit / 8 + 1; have <= msg.size(); have++) {
			u32 len;

			EXPECT_EQ(
				tcpcrypt_init_length(msg.data(), have, TCPCRYPT_INIT2_MAGIC, &len),
				-EPROTO);
		}
	}
}

TEST(init, tcpcrypt_init_length__every_number)
{
	for (u32 n = 0; n <= 0x20000; n++) {
		const Bytes msg =
			reference::concat({ reference::big_endian(TCPCRYPT_INIT1_MAGIC, 4),
					    reference::big_endian(n, 4) });
		const bool good = n >= TCPCRYPT_INIT1_MIN && n <= TCPCRYPT_INIT_MAX;
		u32 len = 0;

		ASSERT_EQ(tcpcrypt_init_length(msg.data(), msg.size(), TCPCRYPT_INIT1_MAGIC, &len),
			  good ? 0 : -EPROTO);
		ASSERT_EQ(len, good ? n : 0);
	}
}

/* Cut anywhere, with a message_len that says so: nothing is read beyond it. */
TEST(init, tcpcrypt_init1_parse__cut_at_every_byte)
{
	const Bytes msg = reference::init1({ 1, 2, 16 }, nonce, pub);

	for (std::size_t len = 0; len < msg.size(); len++) {
		Bytes cut(msg.begin(), msg.begin() + static_cast<std::ptrdiff_t>(len));
		tcpcrypt_init1 out;

		if (len >= TCPCRYPT_INIT_HDR_LEN)
			put_unaligned_be32(static_cast<u32>(len), cut.data() + 4);
		const Exact in(cut);
		EXPECT_EQ(tcpcrypt_init1_parse(in.data(), in.size(), 32, false, &out), -EPROTO)
			<< len;
	}
}

TEST(init, tcpcrypt_init2_parse__cut_at_every_byte)
{
	const Bytes msg = reference::init2(1, nonce, pub);

	for (std::size_t len = 0; len < msg.size(); len++) {
		Bytes cut(msg.begin(), msg.begin() + static_cast<std::ptrdiff_t>(len));
		tcpcrypt_init2 out;

		if (len >= TCPCRYPT_INIT_HDR_LEN)
			put_unaligned_be32(static_cast<u32>(len), cut.data() + 4);
		const Exact in(cut);
		EXPECT_EQ(tcpcrypt_init2_parse(in.data(), in.size(), 32, false, &out), -EPROTO)
			<< len;
	}
}

/* What the longest list of ours and the longest key come to, and that it can be read back. */
TEST(init, tcpcrypt_init1_build__largest_is_what_the_limit_says)
{
	const std::vector<u16> ciphers(16, 1);
	Bytes key(TCPCRYPT_PUB_MAX, 0xbb);
	u8 buf[TCPCRYPT_INIT_SEND_MAX];
	tcpcrypt_init1 out;

	put_unaligned_be16(67, key.data());
	const unsigned int len = tcpcrypt_init1_build(ciphers.data(), 16, nonce.data(), key.data(),
						      TCPCRYPT_PUB_MAX, buf);
	EXPECT_EQ(len, static_cast<unsigned int>(TCPCRYPT_INIT_SEND_MAX));
	ASSERT_EQ(tcpcrypt_init1_parse(buf, len, TCPCRYPT_PUB_MAX, true, &out), 0);
	EXPECT_EQ(out.n_ciphers, 16);
	EXPECT_EQ(to_bytes(out.pub, out.pub_len), key);
}

}
