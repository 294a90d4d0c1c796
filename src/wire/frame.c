// SPDX-License-Identifier: GPL-2.0
/* The frames that carry application data (RFC 8548 sections 3.6 and 4.2). */
#include "frame.h"

void tcpcrypt_frame_hdr_build(u8 *buf, u16 clen, bool rekey)
{
	buf[0] = rekey ? TCPCRYPT_CONTROL_REKEY : 0;
	put_unaligned_be16(clen, buf + 1);
}

int tcpcrypt_frame_hdr_parse(const u8 *buf, struct tcpcrypt_frame_hdr *hdr)
{
	/* F-03: the reserved bits mean nothing here; being in the AD, they are authenticated. */
	hdr->rekey = buf[0] & TCPCRYPT_CONTROL_REKEY;
	hdr->clen = get_unaligned_be16(buf + 1);
	return hdr->clen < TCPCRYPT_CLEN_MIN ? -EBADMSG : 0;
}

int tcpcrypt_frame_payload(const u8 *plain, unsigned int len, u8 *flags, u16 *urgent)
{
	if (len < TCPCRYPT_FLAGS_LEN)
		return -EBADMSG;
	*flags = plain[0] & (TCPCRYPT_FLAG_FINP | TCPCRYPT_FLAG_URGP);
	*urgent = 0;
	if (!(*flags & TCPCRYPT_FLAG_URGP))
		return TCPCRYPT_FLAGS_LEN;
	if (len < TCPCRYPT_FLAGS_LEN + TCPCRYPT_URGENT_LEN)
		return -EBADMSG;
	*urgent = get_unaligned_be16(plain + TCPCRYPT_FLAGS_LEN);
	return TCPCRYPT_FLAGS_LEN + TCPCRYPT_URGENT_LEN;
}

unsigned int tcpcrypt_frame_payload_build(u8 *buf, u8 flags, u16 urgent)
{
	buf[0] = flags;
	if (!(flags & TCPCRYPT_FLAG_URGP))
		return TCPCRYPT_FLAGS_LEN;
	put_unaligned_be16(urgent, buf + TCPCRYPT_FLAGS_LEN);
	return TCPCRYPT_FLAGS_LEN + TCPCRYPT_URGENT_LEN;
}

/*
 * RFC 8548 section 4.2.3:
 *
 *   frame_ID   00 00 00 00 | offset (8)
 *   nonce      frame_ID XOR NR
 */
void tcpcrypt_frame_nonce(const u8 *nr, u64 offset, u8 *nonce)
{
	u8 *low = nonce + TCPCRYPT_AEAD_NONCE_LEN - sizeof(offset);

	memmove(nonce, nr, TCPCRYPT_AEAD_NONCE_LEN);
	put_unaligned_be64(get_unaligned_be64(low) ^ offset, low);
}
