/* SPDX-License-Identifier: GPL-2.0 */
/* The frames that carry application data (RFC 8548 sections 3.6 and 4.2). */
#ifndef TCPCRYPT_WIRE_FRAME_H
#define TCPCRYPT_WIRE_FRAME_H

#include "base.h"

/*
 *   control (1) | clen (2) | ciphertext (clen)
 *                            = AEAD( flags (1) | [urgent (2)] | data ) with its tag
 */
#define TCPCRYPT_FRAME_HDR_LEN	3
#define TCPCRYPT_TAG_LEN	16	/* all three AEADs */
#define TCPCRYPT_AEAD_NONCE_LEN	12	/* all three AEADs */
#define TCPCRYPT_FLAGS_LEN	1
#define TCPCRYPT_URGENT_LEN	2
#define TCPCRYPT_CLEN_MAX	0xffff
#define TCPCRYPT_CLEN_MIN	(TCPCRYPT_FLAGS_LEN + TCPCRYPT_TAG_LEN)
#define TCPCRYPT_FRAME_DATA_MAX	(TCPCRYPT_CLEN_MAX - TCPCRYPT_CLEN_MIN)
#define TCPCRYPT_FRAME_OVERHEAD	(TCPCRYPT_FRAME_HDR_LEN + TCPCRYPT_FLAGS_LEN + TCPCRYPT_TAG_LEN)

#define TCPCRYPT_CONTROL_REKEY	0x01
#define TCPCRYPT_FLAG_FINP	0x01
#define TCPCRYPT_FLAG_URGP	0x02

/**
 * struct tcpcrypt_frame_hdr - a frame's header
 * @clen: bytes of ciphertext that follow, the tag included
 * @rekey: the rekey bit
 */
struct tcpcrypt_frame_hdr {
	u16 clen;
	bool rekey;
};

/** tcpcrypt_frame_hdr_build() - write the header, which is also the AD */
void tcpcrypt_frame_hdr_build(u8 *buf, u16 clen, bool rekey);

/**
 * tcpcrypt_frame_hdr_parse() - read the header (F-01, F-03)
 *
 * Return: 0, or -EBADMSG when clen cannot hold a flags byte and a tag
 */
int tcpcrypt_frame_hdr_parse(const u8 *buf, struct tcpcrypt_frame_hdr *hdr);

/**
 * tcpcrypt_frame_payload() - where the data start in an opened frame's plaintext
 * @plain: plaintext, flags byte first
 * @len: its length
 * @flags: result, reserved bits cleared (F-03)
 * @urgent: result, the urgent field if URGp is set, else 0
 *
 * Return: the offset of the data, or -EBADMSG (no room for flags or urgent, F-01)
 */
int tcpcrypt_frame_payload(const u8 *plain, unsigned int len, u8 *flags, u16 *urgent);

/**
 * tcpcrypt_frame_payload_build() - what a frame's plaintext has in front of the data
 * @buf: room for TCPCRYPT_FLAGS_LEN + TCPCRYPT_URGENT_LEN
 * @flags: TCPCRYPT_FLAG_*
 * @urgent: data bytes in front of the last urgent one, from this frame's first on (F-07); without URGp unused
 *
 * Return: bytes written, the offset of the data
 */
unsigned int tcpcrypt_frame_payload_build(u8 *buf, u8 flags, u16 urgent);

/**
 * tcpcrypt_frame_nonce() - frame_ID XOR NR (RFC 8548 section 4.2.3)
 * @nr: the nonce randomizer, TCPCRYPT_AEAD_NONCE_LEN bytes
 * @offset: of the frame's first byte in the TCP data stream of its direction
 * @nonce: result, TCPCRYPT_AEAD_NONCE_LEN bytes; may be @nr
 */
void tcpcrypt_frame_nonce(const u8 *nr, u64 offset, u8 *nonce);

#endif
