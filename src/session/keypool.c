// SPDX-License-Identifier: GPL-2.0
/* Key pairs that were made for a connection and not needed: its peer did not speak ENO. */
#include "session/conn.h"

/*
 * An active opener has its key pair made while the SYN is on its way. Most peers do not answer, so the pair is
 * kept for the next connection: a host that talks to such peers makes one now and then, not one a connection.
 * Where the answer was there before the pair, the worker makes one all the same if there is none, for the same reason.
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

/* The youngest for @tep; NULL if there is none. */
static struct keypair *keypool_find(const struct tcpcrypt_tep *tep)
{
	unsigned int i;

	lockdep_assert_held(&keypool_lock);
	for (i = keypool_n; i--; )
		if (keypool[i].tep == tep)
			return &keypool[i];
	return NULL;
}

bool tcpcrypt_keypool_has(const struct tcpcrypt_tep *tep)
{
	bool has;

	spin_lock_bh(&keypool_lock);
	has = keypool_find(tep);
	spin_unlock_bh(&keypool_lock);
	return has;
}

bool tcpcrypt_keypool_take(struct tcpcrypt_handshake *hs)
{
	struct keypair *k, *last;

	spin_lock_bh(&keypool_lock);
	k = keypool_find(hs->guess);
	if (k) {
		hs->keyed = k->tep;
		memcpy(hs->priv, k->priv, sizeof(hs->priv));
		memcpy(hs->pub, k->pub, sizeof(hs->pub));
		last = &keypool[--keypool_n];
		if (k != last)
			*k = *last;
		memzero_explicit(last, sizeof(*last));
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
	k = &keypool[keypool_n < KEYPOOL_SIZE ? keypool_n++ : 0];	/* the first may be for a TEP of the past */
	k->tep = hs->keyed;
	memcpy(k->priv, hs->priv, sizeof(k->priv));
	memcpy(k->pub, hs->pub, sizeof(k->pub));
	spin_unlock_bh(&keypool_lock);
	memzero_explicit(hs->priv, sizeof(hs->priv));
	hs->keyed = NULL;	/* given once */
}

void tcpcrypt_keypool_wipe(void)
{
	memzero_explicit(keypool, sizeof(keypool));
	keypool_n = 0;
}
