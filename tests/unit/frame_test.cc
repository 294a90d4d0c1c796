// SPDX-License-Identifier: GPL-2.0
/* src/wire/frame.c */
#include "unit.h"

namespace
{

void check_hdr_build(const vec_frame_hdr_build &v)
{
	u8 buf[TCPCRYPT_FRAME_HDR_LEN];

	tcpcrypt_frame_hdr_build(buf, static_cast<u16>(v.clen), v.rekey);
	EXPECT_EQ(to_bytes(buf, sizeof(buf)), to_bytes(v.buf));
}

void check_hdr_parse(const vec_frame_hdr_parse &v)
{
	const Exact buf(v.buf);
	tcpcrypt_frame_hdr hdr;

	EXPECT_EQ(tcpcrypt_frame_hdr_parse(buf.data(), &hdr), v.result);
	EXPECT_EQ(hdr.clen, v.clen);
	EXPECT_EQ(hdr.rekey, v.rekey);
}

void check_payload(const vec_frame_payload &v)
{
	const Exact plain(v.plain);
	u8 flags = 0;
	u16 urgent = 0;

	EXPECT_EQ(tcpcrypt_frame_payload(plain.data(), plain.size(), &flags, &urgent), v.result);
	EXPECT_EQ(flags, v.flags);
	EXPECT_EQ(urgent, v.urgent);
	if (v.result < 0)
		return;
	/* The way back: the same bytes, reserved bits aside. */
	u8 built[TCPCRYPT_FLAGS_LEN + TCPCRYPT_URGENT_LEN];
	Bytes wanted = to_bytes(plain.data(), static_cast<size_t>(v.result));
	wanted[0] &= TCPCRYPT_FLAG_FINP | TCPCRYPT_FLAG_URGP;
	EXPECT_EQ(tcpcrypt_frame_payload_build(built, flags, urgent), static_cast<unsigned int>(v.result));
	EXPECT_EQ(to_bytes(built, static_cast<size_t>(v.result)), wanted);
}

void check_nonce(const vec_frame_nonce &v)
{
	const Exact nr(v.nr);
	const u64 offset = get_unaligned_be64(v.offset.data);
	u8 nonce[TCPCRYPT_AEAD_NONCE_LEN];

	tcpcrypt_frame_nonce(nr.data(), offset, nonce);
	EXPECT_EQ(to_bytes(nonce, sizeof(nonce)), to_bytes(v.nonce));
	EXPECT_EQ(reference::frame_nonce(to_bytes(v.nr), offset), to_bytes(v.nonce));
}

const bool registered =
	table("frame", "tcpcrypt_frame_hdr_build", vecs_frame_hdr_build, check_hdr_build) &&
	table("frame", "tcpcrypt_frame_hdr_parse", vecs_frame_hdr_parse, check_hdr_parse) &&
	table("frame", "tcpcrypt_frame_payload", vecs_frame_payload, check_payload) &&
	table("frame", "tcpcrypt_frame_nonce", vecs_frame_nonce, check_nonce);

TEST(frame, tcpcrypt_frame_hdr_parse__every_length_and_control)
{
	for (unsigned int control = 0; control < 0x100; control++) {
		for (unsigned int clen = 0; clen <= TCPCRYPT_CLEN_MAX; clen += control ? 13 : 1) {
			const u8 buf[] = { static_cast<u8>(control), static_cast<u8>(clen >> 8),
					   static_cast<u8>(clen) };
			tcpcrypt_frame_hdr hdr;

			ASSERT_EQ(tcpcrypt_frame_hdr_parse(buf, &hdr), clen < 17 ? -EBADMSG : 0);
			ASSERT_EQ(hdr.clen, clen);
			ASSERT_EQ(hdr.rekey, control % 2 == 1);
		}
	}
}

/* F-01: the limits are what the RFC's fields leave. */
TEST(frame, limits__fit_the_fields)
{
	static_assert(TCPCRYPT_FRAME_DATA_MAX == 0xffff - 17);
	static_assert(TCPCRYPT_FRAME_OVERHEAD == 20);
}

TEST(frame, tcpcrypt_frame_nonce__in_place)
{
	u8 nonce[TCPCRYPT_AEAD_NONCE_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	const Bytes nr = to_bytes(nonce, sizeof(nonce));

	tcpcrypt_frame_nonce(nonce, 0x1122334455667788, nonce);
	EXPECT_EQ(to_bytes(nonce, sizeof(nonce)), reference::frame_nonce(nr, 0x1122334455667788));
}

/* F-02 */
TEST(frame, tcpcrypt_frame_nonce__differs_with_the_offset)
{
	const Bytes nr = reference::noise("nr", TCPCRYPT_AEAD_NONCE_LEN);
	Bytes seen[64];

	for (unsigned int bit = 0; bit < 64; bit++) {
		seen[bit].resize(TCPCRYPT_AEAD_NONCE_LEN);
		tcpcrypt_frame_nonce(nr.data(), u64{ 1 } << bit, seen[bit].data());
	}
	std::sort(std::begin(seen), std::end(seen));
	EXPECT_EQ(std::unique(std::begin(seen), std::end(seen)), std::end(seen));
}

}
