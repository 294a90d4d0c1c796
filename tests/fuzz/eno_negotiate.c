// SPDX-License-Identifier: GPL-2.0
/* The input: mode, our global suboption, the length of the first option, and two options. */
#include "fuzz.h"

static const u8 teps[] = { 0x23, 0x24, 0x21, 0x22 };

/* Both ends must come to the same, whatever they sent. */
static void check_agreement(const struct eno_syn *self, const struct eno_syn *peer)
{
	struct eno_result ours, theirs;
	u8 transcript[2][2 * ENO_TCP_OPTIONS_MAX];
	enum eno_verdict verdict = eno_negotiate(self, peer, false, &ours);
	const struct eno_syn *a, *b;
	unsigned int len;

	if (verdict != ENO_OK) {
		MUST(eno_negotiate(peer, self, false, &theirs) != ENO_OK);
		return;
	}
	MUST(eno_negotiate(peer, self, false, &theirs) == ENO_OK);
	MUST(ours.tep == theirs.tep && ours.tep_byte == theirs.tep_byte);
	MUST(ours.role != theirs.role);
	MUST(ours.peer_global == peer->global && theirs.peer_global == self->global);

	a = ours.role == ENO_ROLE_A ? self : peer;
	b = ours.role == ENO_ROLE_A ? peer : self;
	MUST(!(a->global & ENO_GLOBAL_B) && (b->global & ENO_GLOBAL_B));
	len = eno_transcript_build(a, b, transcript[0]);
	MUST(len == (unsigned int)a->raw_len + b->raw_len);
	MUST(!memcmp(transcript[0], a->raw, a->raw_len));
}

static void check_answer(const struct eno_syn *peer, u8 global, bool aware, unsigned int n_teps)
{
	struct eno_syn self;
	struct eno_result res;
	u8 buf[ENO_TCP_OPTIONS_MAX];
	unsigned int len = 99;
	enum eno_verdict verdict;

	verdict = eno_answer_build(peer, global, aware, teps, n_teps, buf, &len);
	MUST((verdict == ENO_OK) == (len != 0));
	if (!len)
		return;
	MUST(eno_syn_parse(buf, len, &self) == ENO_OK);
	MUST(self.n_teps == 1 && (self.global & ENO_GLOBAL_B));
	MUST(eno_negotiate(&self, peer, aware, &res) == ENO_OK);
	MUST(res.tep == self.teps[0].id && res.role == ENO_ROLE_B);
	check_agreement(&self, peer);
}

/* With the halves that the options themselves have, both ends resume, or neither does. */
static void check_resumption(const struct eno_syn *self, const struct eno_syn *peer)
{
	struct eno_resume ours = {}, theirs;
	struct eno_result res, mirrored;
	const struct eno_tep *mine = NULL, *other = NULL;
	enum eno_verdict verdict;
	unsigned int i, len;
	u8 buf[ENO_TCP_OPTIONS_MAX];
	const u8 *nonce;

	for (i = 0; i < sizeof(teps) && !(mine && other); i++) {
		ours.tep = teps[i];
		mine = eno_resume_find(self, ours.tep);
		other = eno_resume_find(peer, ours.tep);
	}
	if (mine)
		memcpy(ours.own, self->raw + mine->off, sizeof(ours.own));
	if (other)
		memcpy(ours.peer, peer->raw + other->off, sizeof(ours.peer));
	theirs = ours;
	memcpy(theirs.own, ours.peer, sizeof(theirs.own));
	memcpy(theirs.peer, ours.own, sizeof(theirs.peer));
	verdict = eno_negotiate_resume(self, peer, false, &ours, &res);
	if (verdict != ENO_OK) {
		MUST(eno_negotiate_resume(peer, self, false, &theirs, &mirrored) != ENO_OK);
	} else {
		MUST(eno_negotiate_resume(peer, self, false, &theirs, &mirrored) == ENO_OK);
		MUST(res.tep_byte == mirrored.tep_byte && res.resumed == mirrored.resumed);
		MUST(!res.resumed || (mine && other && res.tep == ours.tep));
	}
	if (!other)
		return;
	nonce = eno_resume_nonce(peer, ours.tep, &len);
	MUST(len <= ENO_RESUME_NONCE_MAX && nonce >= peer->raw && nonce + len <= peer->raw + peer->raw_len);
	theirs.nonce_len = len;
	memcpy(theirs.nonce, nonce, len);
	MUST(eno_resume_answer_build(peer->global, false, &theirs, buf) == eno_resume_answer_len(len));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct eno_syn self, peer;
	bool aware;
	u8 first, global;

	if (size < 3)
		return 0;
	aware = data[0] & 1;
	global = data[1];
	first = data[2];
	data += 3;
	size -= 3;
	if (first > size)
		return 0;
	if (eno_syn_parse(data, first, &self) == ENO_OK) {
		u8 buf[ENO_TCP_OPTIONS_MAX];
		struct eno_syn offer;
		unsigned int len = eno_offer_build(global, teps, sizeof(teps), buf, first);

		check_answer(&self, global, aware, data[0] % (sizeof(teps) + 1));
		if (len) {
			MUST(len <= first && eno_syn_parse(buf, len, &offer) == ENO_OK);
			check_agreement(&offer, &self);
			check_resumption(&offer, &self);
		}
		if (eno_syn_parse(data + first, (unsigned int)size - first, &peer) == ENO_OK) {
			check_agreement(&self, &peer);
			check_resumption(&self, &peer);
		}
	}
	return 0;
}
