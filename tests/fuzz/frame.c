// SPDX-License-Identifier: GPL-2.0
/* The input: a frame's header, then a plaintext. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 again[TCPCRYPT_FRAME_HDR_LEN], nonce[TCPCRYPT_AEAD_NONCE_LEN];
	struct tcpcrypt_frame_hdr hdr;
	u8 flags = 0;
	u16 urgent = 0;
	int at;

	if (size < TCPCRYPT_FRAME_HDR_LEN)
		return 0;
	MUST(!tcpcrypt_frame_hdr_parse(data, &hdr) == (hdr.clen >= TCPCRYPT_CLEN_MIN));
	tcpcrypt_frame_hdr_build(again, hdr.clen, hdr.rekey);
	MUST(again[0] == (data[0] & TCPCRYPT_CONTROL_REKEY) && !memcmp(again + 1, data + 1, 2));
	data += TCPCRYPT_FRAME_HDR_LEN;
	size -= TCPCRYPT_FRAME_HDR_LEN;

	at = tcpcrypt_frame_payload(data, (unsigned int)size, &flags, &urgent);
	MUST(at == -EBADMSG || (at > 0 && (size_t)at <= size));
	MUST(!(flags & ~(TCPCRYPT_FLAG_FINP | TCPCRYPT_FLAG_URGP)));
	MUST(!urgent || (flags & TCPCRYPT_FLAG_URGP));

	if (size >= TCPCRYPT_AEAD_NONCE_LEN + 8) {
		u64 offset = get_unaligned_be64(data + TCPCRYPT_AEAD_NONCE_LEN);

		tcpcrypt_frame_nonce(data, offset, nonce);
		tcpcrypt_frame_nonce(nonce, offset, nonce);
		MUST(!memcmp(nonce, data, sizeof(nonce)));
	}
	return 0;
}
