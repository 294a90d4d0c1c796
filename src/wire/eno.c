// SPDX-License-Identifier: GPL-2.0
/* The TCP-ENO option: find it, read it, write it, and decide what two of them agree on. */
#include "eno.h"

/* TCP options that are one byte long (RFC 9293 section 3.1). */
#define ENO_TCPOPT_EOL	0
#define ENO_TCPOPT_NOP	1

void eno_options_find(const u8 *opts, unsigned int len, struct eno_found *found)
{
	unsigned int i = 0;

	memset(found, 0, sizeof(*found));
	while (i < len && opts[i] != ENO_TCPOPT_EOL) {
		unsigned int size;

		if (opts[i] == ENO_TCPOPT_NOP) {
			i++;
			continue;
		}
		if (len - i < ENO_HDR_LEN)
			return;
		size = opts[i + 1];
		if (size < ENO_HDR_LEN || size > len - i)
			return;
		/* Kind 69 alone: 253 with ExID 0x454e means nothing (E-23). */
		if (opts[i] == ENO_KIND) {
			if (!found->count) {
				found->opt = opts + i;
				found->len = size;
			}
			if (found->count < 0xff)
				found->count++;
		}
		i += size;
	}
}

static void eno_syn_add_tep(struct eno_syn *syn, u8 byte, unsigned int off, unsigned int len)
{
	struct eno_tep *tep = &syn->teps[syn->n_teps++];

	tep->id = byte & ENO_SUB_GLT;
	tep->v = !!(byte & ENO_SUB_V);
	tep->off = off;
	tep->len = len;
}

/*
 * RFC 8547 section 4.1:
 *
 *   v=0, glt < 0x20    global        one byte
 *   v=1, glt < 0x20    length        then a TEP with v=1 and that many bytes of data
 *   v=0, glt >= 0x20   TEP           one byte
 *   v=1, glt >= 0x20   TEP           data up to the end of the option
 */
enum eno_verdict eno_syn_parse(const u8 *opt, unsigned int len, struct eno_syn *syn)
{
	bool have_global = false;
	unsigned int i = ENO_HDR_LEN;

	syn->raw_len = 0;
	syn->global = 0;
	syn->n_teps = 0;
	if (len < ENO_HDR_LEN || len > ENO_TCP_OPTIONS_MAX)
		return ENO_MALFORMED;
	if (opt[0] != ENO_KIND || opt[1] != len)
		return ENO_MALFORMED;

	while (i < len) {
		u8 byte = opt[i++];
		bool is_tep = (byte & ENO_SUB_GLT) >= ENO_GLT_TEP_MIN;
		unsigned int n;

		if (is_tep) {
			n = byte & ENO_SUB_V ? len - i : 0;
			eno_syn_add_tep(syn, byte, i, n);
			i += n;
			continue;
		}
		if (!(byte & ENO_SUB_V)) {
			/* E-03: only the first one counts. */
			if (!have_global)
				syn->global = byte & ENO_GLOBAL_MASK;
			have_global = true;
			continue;
		}
		/* A length byte; E-08 says what may follow it. */
		n = (byte & ENO_LEN_MASK) + 1;
		if (i == len || opt[i] < (ENO_SUB_V | ENO_GLT_TEP_MIN))
			return ENO_MALFORMED;
		byte = opt[i++];
		if (n > len - i)
			return ENO_MALFORMED;
		eno_syn_add_tep(syn, byte, i, n);
		i += n;
	}
	memcpy(syn->raw, opt, len);
	syn->raw_len = len;
	return ENO_OK;
}

enum eno_verdict eno_syn_from_options(const u8 *opts, unsigned int len, struct eno_syn *syn)
{
	struct eno_found found;

	syn->raw_len = 0;
	syn->global = 0;
	syn->n_teps = 0;
	eno_options_find(opts, len, &found);
	if (!found.count)
		return ENO_ABSENT;
	if (found.count > 1)
		return ENO_REPEATED;
	return eno_syn_parse(found.opt, found.len, syn);
}

unsigned int eno_offer_build(u8 global, const u8 *teps, unsigned int n_teps, u8 *buf,
			     unsigned int room)
{
	unsigned int len = ENO_HDR_LEN;

	/* E-04: z bits are sent as 0. */
	global &= ENO_GLOBAL_A | ENO_GLOBAL_B;
	if (room > ENO_TCP_OPTIONS_MAX)
		room = ENO_TCP_OPTIONS_MAX;
	if (room < ENO_HDR_LEN + !!global + 1 || !n_teps)
		return 0;

	if (global)
		buf[len++] = global;
	if (n_teps > room - len)
		n_teps = room - len;
	/* Best last: E-11 makes that our order of preference, should we turn out to be B. */
	while (n_teps)
		buf[len++] = teps[--n_teps];
	buf[0] = ENO_KIND;
	buf[1] = len;
	return len;
}

/* The one suboption of a SYN for this TEP; NULL if there is none, or more than one (E-10). */
static const struct eno_tep *eno_syn_find_tep(const struct eno_syn *syn, u8 id)
{
	const struct eno_tep *tep = NULL;
	unsigned int i;

	for (i = 0; i < syn->n_teps; i++) {
		if (syn->teps[i].id != id)
			continue;
		if (tep)
			return NULL;
		tep = &syn->teps[i];
	}
	return tep;
}

/*
 * Whether what A said about a TEP offers fresh key exchange. With v=0 it does (N-01). An offer to
 * resume does too (N-02), and one too short to be that counts as v=0; a nonce of more than
 * 8 bytes leaves neither.
 */
static bool eno_tep_offers_fresh(const struct eno_tep *tep)
{
	return tep && tep->len <= ENO_RESUME_DATA_MAX;
}

static enum eno_verdict eno_peer_check(const struct eno_syn *peer, bool self_b, bool aware)
{
	if (!peer->n_teps)
		return ENO_VACUOUS;
	if (!!(peer->global & ENO_GLOBAL_B) == self_b)
		return ENO_SAME_ROLE;
	if (aware && !(peer->global & ENO_GLOBAL_A))
		return ENO_NOT_AWARE;
	return ENO_OK;
}

enum eno_verdict eno_answer_build(const struct eno_syn *peer, u8 global, bool aware,
				  const u8 *teps, unsigned int n_teps, u8 *buf, unsigned int *len)
{
	enum eno_verdict verdict;
	unsigned int i;

	*len = 0;
	verdict = eno_peer_check(peer, true, aware);
	if (verdict != ENO_OK)
		return verdict;

	for (i = 0; i < n_teps; i++) {
		if (eno_tep_offers_fresh(eno_syn_find_tep(peer, teps[i])))
			break;
	}
	if (i == n_teps)
		return ENO_NO_COMMON_TEP;

	/* E-05: b=1, and so always a global suboption. E-07: who demands a=1 sends it. */
	global = (global & ENO_GLOBAL_A) | ENO_GLOBAL_B | (aware ? ENO_GLOBAL_A : 0);
	buf[(*len)++] = ENO_KIND;
	buf[(*len)++] = ENO_ANSWER_LEN;
	buf[(*len)++] = global;
	buf[(*len)++] = teps[i];
	return ENO_OK;
}

static unsigned int eno_resume_put(const struct eno_resume *resume, u8 *buf)
{
	buf[0] = ENO_SUB_V | resume->tep;
	memcpy(buf + 1, resume->own, ENO_RESUME_HALF_LEN);
	memcpy(buf + 1 + ENO_RESUME_HALF_LEN, resume->nonce, resume->nonce_len);
	return 1 + ENO_RESUME_HALF_LEN + resume->nonce_len;
}

unsigned int eno_resume_offer_build(u8 global, const struct eno_resume *resume, const u8 *teps,
				    unsigned int n_teps, u8 *buf, unsigned int room)
{
	unsigned int len = ENO_HDR_LEN, need, i, others = 0;

	global &= ENO_GLOBAL_A | ENO_GLOBAL_B;
	if (room > ENO_TCP_OPTIONS_MAX)
		room = ENO_TCP_OPTIONS_MAX;
	need = eno_resume_offer_min(resume->nonce_len) + !!global;
	if (room < need)
		return 0;

	if (global)
		buf[len++] = global;
	for (i = 0; i < n_teps && others < room - need; i++)
		others += teps[i] != resume->tep;
	while (i--) {
		if (teps[i] != resume->tep)
			buf[len++] = teps[i];
	}
	len += eno_resume_put(resume, buf + len);
	buf[0] = ENO_KIND;
	buf[1] = len;
	return len;
}

/* Long enough for a half, and not too long. */
static bool eno_tep_has_half(const struct eno_tep *tep)
{
	return tep && tep->v && tep->len >= ENO_RESUME_HALF_LEN && tep->len <= ENO_RESUME_DATA_MAX;
}

const struct eno_tep *eno_resume_find(const struct eno_syn *peer, u8 tep)
{
	const struct eno_tep *found = eno_syn_find_tep(peer, tep);

	return eno_tep_has_half(found) ? found : NULL;
}

unsigned int eno_resume_answer_build(u8 global, bool aware, const struct eno_resume *resume, u8 *buf)
{
	unsigned int len = ENO_HDR_LEN;

	/* E-05, E-07, as in eno_answer_build(). */
	buf[len++] = (global & ENO_GLOBAL_A) | ENO_GLOBAL_B | (aware ? ENO_GLOBAL_A : 0);
	len += eno_resume_put(resume, buf + len);
	buf[0] = ENO_KIND;
	buf[1] = len;
	return len;
}

const u8 *eno_resume_nonce(const struct eno_syn *syn, u8 tep, unsigned int *len)
{
	const struct eno_tep *found = eno_resume_find(syn, tep);

	*len = found ? found->len - ENO_RESUME_HALF_LEN : 0;
	return found ? syn->raw + found->off + ENO_RESUME_HALF_LEN : syn->raw;
}

static bool eno_tep_is_half(const struct eno_syn *syn, const struct eno_tep *tep, const u8 *half)
{
	return eno_tep_has_half(tep) && !memcmp(syn->raw + tep->off, half, ENO_RESUME_HALF_LEN);
}

/* N-02: v=1 on both sides, and both halves of one ss[i]. */
static bool eno_resume_agreed(const struct eno_syn *self, const struct eno_syn *peer, u8 tep,
			      const struct eno_resume *resume)
{
	return resume && resume->tep == tep &&
	       eno_tep_is_half(self, eno_syn_find_tep(self, tep), resume->own) &&
	       eno_tep_is_half(peer, eno_syn_find_tep(peer, tep), resume->peer);
}

enum eno_verdict eno_negotiate_resume(const struct eno_syn *self, const struct eno_syn *peer, bool aware,
				      const struct eno_resume *resume, struct eno_result *res)
{
	bool self_b = self->global & ENO_GLOBAL_B;
	const struct eno_syn *a = self_b ? peer : self;
	const struct eno_syn *b = self_b ? self : peer;
	enum eno_verdict verdict;
	unsigned int i;

	verdict = eno_peer_check(peer, self_b, aware);
	if (verdict != ENO_OK)
		return verdict;

	/* E-11: the last valid one. */
	for (i = b->n_teps; i--; ) {
		const struct eno_tep *tep = &b->teps[i];

		if (!eno_syn_find_tep(b, tep->id) || !eno_tep_offers_fresh(eno_syn_find_tep(a, tep->id)))
			continue;
		/* v=1 from B accepts what A must have offered. */
		if (tep->v && !eno_resume_agreed(self, peer, tep->id, resume))
			continue;
		res->role = self_b ? ENO_ROLE_B : ENO_ROLE_A;
		res->tep = tep->id;
		res->tep_byte = b->raw[tep->off - 1];
		res->peer_global = peer->global;
		res->resumed = tep->v;
		return ENO_OK;
	}
	return ENO_NO_COMMON_TEP;
}

unsigned int eno_transcript_build(const struct eno_syn *a, const struct eno_syn *b, u8 *buf)
{
	memcpy(buf, a->raw, a->raw_len);
	memcpy(buf + a->raw_len, b->raw, b->raw_len);
	return a->raw_len + b->raw_len;
}
