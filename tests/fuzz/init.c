// SPDX-License-Identifier: GPL-2.0
/* The input: which message and what kind of key, then what arrived. */
#include "fuzz.h"

static const struct {
	unsigned int pub_len;
	bool has_len;
} keys[] = { { 32, false }, { 56, false }, { 35, true }, { 69, true } };

/* However much has arrived, the answer is the same as with all of it, or not yet there. */
static void check_prefixes(const u8 *data, size_t size, u32 magic)
{
	u32 whole = 0, len;
	int err = tcpcrypt_init_length(data, size, magic, &whole);
	size_t have;

	for (have = 0; have < size && have <= TCPCRYPT_INIT_HDR_LEN; have++) {
		int early = tcpcrypt_init_length(data, have, magic, &len);

		MUST(early == err || early == -EAGAIN);
		MUST(early || len == whole);
	}
	if (!err)
		MUST(whole >= TCPCRYPT_INIT2_MIN && whole <= TCPCRYPT_INIT_MAX);
}

static void check_choice(const struct tcpcrypt_init1 *msg)
{
	static const u16 prefs[] = { 0x0010, 0x0001, 0x0002 };
	u16 choice = tcpcrypt_cipher_choose(msg->ciphers, msg->n_ciphers, prefs, 3);
	bool offered = false;
	unsigned int i;

	for (i = 0; i < msg->n_ciphers; i++)
		offered |= get_unaligned_be16(msg->ciphers + 2 * i) == choice;
	MUST(!choice || offered);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct tcpcrypt_init1 init1;
	struct tcpcrypt_init2 init2;
	unsigned int pub_len;
	bool has_len;
	u8 mode;

	if (!size)
		return 0;
	mode = *data++;
	size--;
	pub_len = keys[mode >> 1 & 3].pub_len;
	has_len = keys[mode >> 1 & 3].has_len;
	check_prefixes(data, size, mode & 1 ? TCPCRYPT_INIT2_MAGIC : TCPCRYPT_INIT1_MAGIC);

	if (mode & 1) {
		if (tcpcrypt_init2_parse(data, (u32)size, pub_len, has_len, &init2))
			return 0;
		MUST(inside(init2.nonce, TCPCRYPT_NONCE_LEN, data, size));
		MUST(inside(init2.pub, init2.pub_len, data, size));
		MUST(init2.pub_len == pub_len);
	} else {
		if (tcpcrypt_init1_parse(data, (u32)size, pub_len, has_len, &init1))
			return 0;
		MUST(init1.n_ciphers && inside(init1.ciphers, 2 * init1.n_ciphers, data, size));
		MUST(inside(init1.nonce, TCPCRYPT_NONCE_LEN, data, size));
		MUST(inside(init1.pub, init1.pub_len, data, size));
		MUST(init1.pub_len == pub_len);
		check_choice(&init1);
	}
	return 0;
}
