/* SPDX-License-Identifier: GPL-2.0 */
/* Session secrets kept for later connections (RFC 8548 section 3.5), in memory only. */
#ifndef TCPCRYPT_SESSION_RESUME_H
#define TCPCRYPT_SESSION_RESUME_H

#include <linux/list.h>
#include <linux/in6.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include "control/net.h"
#include "crypto/aead.h"
#include "crypto/keys.h"
#include "wire/eno.h"

/*
 *   key exchange: ss[0] --> alloc(ss[1]) --put--> cache --take--> connection: offered, or agreed to
 *                                                   ^                 |
 *                                                   |             keys from ss[i]
 *                                                   +--put-- advance: ss[i] becomes ss[i+1], in place
 *
 * Who takes a secret owns it and never gives the same back: it is used, or freed. An offer is a use.
 */

/**
 * struct tcpcrypt_peer - where another host is, as far as what was learnt of it is for it alone
 * @addr: IPv6, or IPv4-mapped
 * @dif: what the socket is bound to, 0 for nothing: behind another interface, or VRF, the address is another host's
 */
struct tcpcrypt_peer {
	struct in6_addr addr;
	int dif;
};

/** tcpcrypt_peer_of() - the other end of a socket that has one */
void tcpcrypt_peer_of(const struct sock *sk, struct tcpcrypt_peer *peer);

static inline bool tcpcrypt_peer_equal(const struct tcpcrypt_peer *a, const struct tcpcrypt_peer *b)
{
	return a->dif == b->dif && ipv6_addr_equal(&a->addr, &b->addr);
}

/**
 * struct tcpcrypt_secret - ss[i], not used yet, and what belongs to it
 * @by_half: in the cache, by the half that the peer sends
 * @by_peer: in the cache, by where the peer is
 * @age: in its namespace's list, newest first
 * @tn: whose cache it is in, NULL for none
 * @made: when it was put there, seconds of CLOCK_BOOTTIME
 * @peer: where the other end is
 * @aead: of the session
 * @side: of the keys, that is our role in the original session
 * @tep: of the session
 * @ss: ss[i]
 * @id: resume[i]
 *
 * The lock of resume.c guards the first five of one that is in the cache; the rest is constant there.
 */
struct tcpcrypt_secret {
	struct hlist_node by_half;
	struct hlist_node by_peer;
	struct list_head age;
	struct tcpcrypt_net *tn;
	u64 made;
	struct tcpcrypt_peer peer;
	const struct tcpcrypt_aead *aead;
	enum eno_role side;
	u8 tep;
	u8 ss[TCPCRYPT_K_LEN];
	u8 id[TCPCRYPT_RESUME_LEN];
};

#define TCPCRYPT_RESUME_CACHE_MAX	65536	/* of one namespace, whatever its root sets resume_cache to */

/** tcpcrypt_secret_own() - the half of resume[i] that we send: A's first (RFC 8548 section 3.5) */
static inline const u8 *tcpcrypt_secret_own(const struct tcpcrypt_secret *secret)
{
	return secret->id + (secret->side == ENO_ROLE_A ? 0 : ENO_RESUME_HALF_LEN);
}

/** tcpcrypt_secret_peer() - the half that the peer sends */
static inline const u8 *tcpcrypt_secret_peer(const struct tcpcrypt_secret *secret)
{
	return secret->id + (secret->side == ENO_ROLE_A ? ENO_RESUME_HALF_LEN : 0);
}

/**
 * tcpcrypt_secret_alloc() - what follows a fresh key exchange: ss[1]
 * @ss: ss[0]
 * @tep: its TEP
 * @aead: its AEAD
 * @side: our role
 *
 * Process context. Return: NULL without memory
 */
struct tcpcrypt_secret *tcpcrypt_secret_alloc(const u8 ss[TCPCRYPT_K_LEN], u8 tep,
					      const struct tcpcrypt_aead *aead, enum eno_role side);

/** tcpcrypt_secret_advance() - erase ss[i], which was used, and have ss[i+1] instead; any context */
void tcpcrypt_secret_advance(struct tcpcrypt_secret *secret);

/** tcpcrypt_secret_free() - wipe and free one that is in no cache; NULL is fine; any context */
void tcpcrypt_secret_free(struct tcpcrypt_secret *secret);

/** tcpcrypt_secret_describe() - as a suboption of ours, with a new nonce; @nonce_len at most 8 */
void tcpcrypt_secret_describe(const struct tcpcrypt_secret *secret, unsigned int nonce_len,
			      struct eno_resume *resume);

/**
 * tcpcrypt_resume_put() - keep a secret for a later connection
 * @tn: namespace
 * @secret: in no cache; this function owns it from here on
 * @sk: the connection it comes from, for the peer's address
 *
 * Makes room by dropping the oldest. Wiped instead if the namespace keeps none. Any context.
 *
 * Return: whether it was kept
 */
bool tcpcrypt_resume_put(struct tcpcrypt_net *tn, struct tcpcrypt_secret *secret, const struct sock *sk);

struct tcpcrypt_settings;

/**
 * tcpcrypt_resume_take_peer() - the newest secret that we share with the other end of @sk, out of the cache
 *
 * One whose TEP or AEAD was switched off meanwhile is dropped; with @set, NULL for none, those that the application
 * does not want stay where they are. Any context. Return: NULL if there is none
 */
struct tcpcrypt_secret *tcpcrypt_resume_take_peer(struct tcpcrypt_net *tn, const struct sock *sk,
						  const struct tcpcrypt_settings *set);

/**
 * tcpcrypt_resume_take_half() - the secret of which a peer sent this half, out of the cache
 * @tn: namespace
 * @tep: the TEP that it came with; it must be the secret's
 * @half: ENO_RESUME_HALF_LEN bytes
 * @set: what the application wants, NULL for anything
 *
 * Any context. Return: NULL if there is none, or none that may be used
 */
struct tcpcrypt_secret *tcpcrypt_resume_take_half(struct tcpcrypt_net *tn, u8 tep, const u8 *half,
						  const struct tcpcrypt_settings *set);

/** tcpcrypt_resume_forget() - wipe the secret with this peer's half if it is still cached; any context */
void tcpcrypt_resume_forget(struct tcpcrypt_net *tn, const u8 *half);

/** tcpcrypt_resume_flush() - wipe all of a namespace; process context */
void tcpcrypt_resume_flush(struct tcpcrypt_net *tn);

/** tcpcrypt_resume_changed() - resume, resume_cache or resume_lifetime was written; process context */
void tcpcrypt_resume_changed(struct tcpcrypt_net *tn);

void tcpcrypt_resume_init(void);
void tcpcrypt_resume_net_init(struct tcpcrypt_net *tn);
void tcpcrypt_resume_net_exit(struct tcpcrypt_net *tn);

#endif
