// SPDX-License-Identifier: GPL-2.0
/* Key pairs that were made for a connection and not needed: its peer did not speak ENO. */
#include "session/conn.h"

/*
 * An active opener has its key pair made while the SYN is on its way. Most peers do not answer, so the pair is
 * kept for the next connection: a host that talks to such peers makes one now and then, not one a connection.
 * A pair that went into an Init message is never kept, so each serves one connection (K-06).
 */
#define KEYPOOL_SIZE	16

struct keypair {
	const struct tcpcrypt_tep *tep;
	u8 priv[TCPCRYPT_PRIV_MAX];
	u8 pub[TCPCRYPT_PUB_MAX];
};

static struct keypair keypool[KEYPOOL_SIZE];
static unsigned int keypool_n;
static DEFINE_SPINLOCK(keypool_lock);	/* both */

bool tcpcrypt_keypool_take(struct tcpcrypt_handshake *hs)
{
	struct keypair *k = NULL;

	spin_lock_bh(&keypool_lock);
	if (keypool_n && keypool[keypool_n - 1].tep == hs->guess) {
		k = &keypool[--keypool_n];
		hs->keyed = k->tep;
		memcpy(hs->priv, k->priv, sizeof(hs->priv));
		memcpy(hs->pub, k->pub, sizeof(hs->pub));
		memzero_explicit(k, sizeof(*k));
		hs->phase = TCPCRYPT_HS_SEND_INIT1;
	}
	spin_unlock_bh(&keypool_lock);
	return k;
}

void tcpcrypt_keypool_give(struct tcpcrypt_handshake *hs)
{
	struct keypair *k;

	if (hs->phase != TCPCRYPT_HS_SEND_INIT1 || !hs->keyed || hs->own_len)
		return;
	spin_lock_bh(&keypool_lock);
	if (keypool_n < KEYPOOL_SIZE) {
		k = &keypool[keypool_n++];
		k->tep = hs->keyed;
		memcpy(k->priv, hs->priv, sizeof(k->priv));
		memcpy(k->pub, hs->pub, sizeof(k->pub));
	}
	spin_unlock_bh(&keypool_lock);
	memzero_explicit(hs->priv, sizeof(hs->priv));
	hs->keyed = NULL;	/* given once */
}

void tcpcrypt_keypool_wipe(void)
{
	memzero_explicit(keypool, sizeof(keypool));
	keypool_n = 0;
}
