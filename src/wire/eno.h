/* SPDX-License-Identifier: GPL-2.0 */
/* The TCP-ENO option (RFC 8547 section 4): find, read, write, and decide what two agree on. */
#ifndef TCPCRYPT_WIRE_ENO_H
#define TCPCRYPT_WIRE_ENO_H

#include "base.h"

#define ENO_KIND		69	/* RFC 8547 section 10 */
#define ENO_HDR_LEN		2	/* kind, length */
#define ENO_TCP_OPTIONS_MAX	40	/* doff 15: 60 bytes of header less 20 */
#define ENO_CONTENTS_MAX	(ENO_TCP_OPTIONS_MAX - ENO_HDR_LEN)
#define ENO_NONSYN_LEN		ENO_HDR_LEN	/* we send it empty (E-02) */

/* The first byte of a suboption: v, then glt. */
#define ENO_SUB_V		0x80
#define ENO_SUB_GLT		0x7f
#define ENO_GLT_TEP_MIN		0x20	/* below: global (v=0) or length (v=1) */
#define ENO_LEN_MASK		0x1f
#define ENO_GLOBAL_B		0x01
#define ENO_GLOBAL_A		0x02
#define ENO_GLOBAL_MASK		0x1f	/* with the z bits, as received */

#define ENO_ANSWER_LEN		(ENO_HDR_LEN + 2)	/* global suboption, one TEP */

/* Data of a tcpcrypt TEP with v=1: half of resume[i], then a nonce (RFC 8548 section 3.5). */
#define ENO_RESUME_HALF_LEN	9
#define ENO_RESUME_NONCE_MAX	8
#define ENO_RESUME_DATA_MAX	(ENO_RESUME_HALF_LEN + ENO_RESUME_NONCE_MAX)

/**
 * enum eno_role - which end of the connection we are (RFC 8547 section 4.3)
 * @ENO_ROLE_A: sent b=0
 * @ENO_ROLE_B: sent b=1
 */
enum eno_role { ENO_ROLE_A = 0, ENO_ROLE_B = 1 };

/**
 * enum eno_verdict - the outcome of one negotiation, or why there is none
 *
 * Every value but ENO_OK means plain TCP on this connection (E-13).
 */
enum eno_verdict {
	ENO_OK,
	ENO_ABSENT,		/* no ENO option */
	ENO_REPEATED,		/* two or more in one SYN (E-01) */
	ENO_MALFORMED,		/* E-08 */
	ENO_VACUOUS,		/* no TEP at all (E-16) */
	ENO_NO_COMMON_TEP,	/* E-10, E-11 */
	ENO_SAME_ROLE,		/* equal b bits (E-09), an echo included (E-22) */
	ENO_NOT_AWARE,		/* we demand an application-aware peer, its a is 0 (E-07) */
};

/**
 * struct eno_found - the ENO options of one TCP header
 * @opt: the first one, at its kind byte, NULL if there is none
 * @len: its length in bytes, kind and length bytes included
 * @count: how many there are (E-01)
 */
struct eno_found {
	const u8 *opt;
	u8 len;
	u8 count;
};

/**
 * struct eno_tep - one TEP suboption of a SYN-form option
 * @id: the TEP, 0x20 to 0x7f, without the v bit
 * @v: the v bit: data follow
 * @off: where its data start in &eno_syn.raw
 * @len: bytes of data, 0 if @v is 0
 */
struct eno_tep {
	u8 id;
	u8 v;
	u8 off;
	u8 len;
};

/**
 * struct eno_syn - a parsed SYN-form option
 * @raw: the option exactly as in the TCP header, for the transcript (E-19)
 * @raw_len: its length, 0 if there is no option
 * @global: the first global suboption, 0 if there is none (E-03)
 * @n_teps: entries in @teps
 * @teps: the TEP suboptions in wire order
 */
struct eno_syn {
	u8 raw[ENO_TCP_OPTIONS_MAX];
	u8 raw_len;
	u8 global;
	u8 n_teps;
	struct eno_tep teps[ENO_CONTENTS_MAX];
};

/**
 * struct eno_result - what was negotiated
 * @role: ours
 * @tep: the negotiated TEP without its v bit
 * @tep_byte: the byte that B sent for it, v bit included (session ID, R-12)
 * @peer_global: the peer's global suboption as received
 * @resumed: no key exchange: both sent their half (N-02)
 */
struct eno_result {
	enum eno_role role;
	u8 tep;
	u8 tep_byte;
	u8 peer_global;
	bool resumed;
};

/**
 * struct eno_resume - a resumption that we offer or agree to (RFC 8548 section 3.5)
 * @tep: the session's TEP
 * @own: the half of resume[i] that we send
 * @peer: the half that the peer sends
 * @nonce: our share of sn[i]
 * @nonce_len: its length, 0 to ENO_RESUME_NONCE_MAX
 */
struct eno_resume {
	u8 tep;
	u8 own[ENO_RESUME_HALF_LEN];
	u8 peer[ENO_RESUME_HALF_LEN];
	u8 nonce[ENO_RESUME_NONCE_MAX];
	u8 nonce_len;
};

/**
 * eno_options_find() - look for ENO in the options of a TCP header
 * @opts: the bytes after the 20 of the fixed header
 * @len: how many
 * @found: result, always filled
 *
 * A malformed option list ends the search, as it does in tcp_parse_options().
 * Kind 253 is not ours (E-23).
 */
void eno_options_find(const u8 *opts, unsigned int len, struct eno_found *found);

/**
 * eno_syn_parse() - read a SYN-form option (RFC 8547 section 4.1)
 * @opt: the option at its kind byte
 * @len: its length, kind and length bytes included
 * @syn: result; unusable unless ENO_OK is returned
 *
 * A vacuous option parses.
 *
 * Return: ENO_OK, or ENO_MALFORMED (E-08, also for a wrong kind or length byte)
 */
enum eno_verdict eno_syn_parse(const u8 *opt, unsigned int len, struct eno_syn *syn);

/**
 * eno_syn_from_options() - find and parse in one step, as a receiver of a SYN does
 *
 * Return: ENO_OK, ENO_ABSENT, ENO_REPEATED, ENO_MALFORMED
 */
enum eno_verdict eno_syn_from_options(const u8 *opts, unsigned int len, struct eno_syn *syn);

/**
 * eno_offer_build() - write an active opener's SYN-form option
 * @global: our global suboption; left out when 0 (E-03, E-05)
 * @teps: TEPs to offer, without data, best FIRST (on the wire the best is last)
 * @n_teps: how many
 * @buf: at least ENO_TCP_OPTIONS_MAX bytes
 * @room: bytes that the option may take in all
 *
 * The least preferred TEPs are left out when room is short.
 *
 * Return: the length written, 0 if not one TEP fits
 */
unsigned int eno_offer_build(u8 global, const u8 *teps, unsigned int n_teps, u8 *buf,
			     unsigned int room);

/**
 * eno_answer_build() - choose a TEP and write a passive opener's SYN-form option
 * @peer: the SYN's option
 * @global: our global suboption; b is set in it whatever it says (E-05), z bits are cleared (E-04)
 * @aware: mandatory application-aware mode (E-07); sets a in the answer
 * @teps: TEPs that we accept, best FIRST
 * @n_teps: how many
 * @buf: at least ENO_TCP_OPTIONS_MAX bytes
 * @len: length written
 *
 * The answer carries exactly one TEP, without data (E-11): it asks for fresh key exchange, also of
 * a peer that offered to resume (N-02, R-02, R-03).
 *
 * Return: ENO_OK and an option, or a verdict and *@len 0: then the SYN-ACK goes without ENO.
 */
enum eno_verdict eno_answer_build(const struct eno_syn *peer, u8 global, bool aware,
				  const u8 *teps, unsigned int n_teps, u8 *buf, unsigned int *len);

/**
 * eno_resume_offer_build() - write an active opener's SYN-form option that offers to resume
 * @global: our global suboption, as for eno_offer_build()
 * @resume: the offer
 * @teps: TEPs to offer beside it, best FIRST; that of @resume is passed over
 * @n_teps: how many
 * @buf: at least ENO_TCP_OPTIONS_MAX bytes
 * @room: bytes that the option may take in all
 *
 *   45 len | [global] | other TEPs, best last | TEP with v=1 | half (9) | nonce
 *
 * The offer comes last, where it needs no length byte (E-24) and is the best of all (E-11). The least
 * preferred of the others are left out when room is short.
 *
 * Return: the length written, 0 if the offer does not fit
 */
unsigned int eno_resume_offer_build(u8 global, const struct eno_resume *resume, const u8 *teps,
				    unsigned int n_teps, u8 *buf, unsigned int room);

/**
 * eno_resume_find() - the offer to resume with this TEP in a SYN's option
 * @peer: the SYN's option
 * @tep: a TEP
 *
 * Return: the suboption, whose data begin with a half; NULL if there is none, if it is too short to be one
 * or too long, or if the TEP is repeated (E-10)
 */
const struct eno_tep *eno_resume_find(const struct eno_syn *peer, u8 tep);

/**
 * eno_resume_answer_build() - write a passive opener's SYN-form option that agrees to resume
 * @global: our global suboption, as for eno_answer_build()
 * @aware: as there
 * @resume: what is agreed to
 * @buf: at least ENO_TCP_OPTIONS_MAX bytes
 *
 * Return: the length written
 */
unsigned int eno_resume_answer_build(u8 global, bool aware, const struct eno_resume *resume, u8 *buf);

/** eno_resume_answer_len() - the length that eno_resume_answer_build() will write */
static inline unsigned int eno_resume_answer_len(unsigned int nonce_len)
{
	return ENO_ANSWER_LEN + ENO_RESUME_HALF_LEN + nonce_len;
}

/** eno_resume_offer_min() - the least room that eno_resume_offer_build() needs, without a global suboption */
static inline unsigned int eno_resume_offer_min(unsigned int nonce_len)
{
	return ENO_HDR_LEN + 1 + ENO_RESUME_HALF_LEN + nonce_len;
}

/**
 * eno_resume_nonce() - the nonce in a resumption suboption
 * @syn: a SYN-form option that eno_negotiate_resume() took for a part of a resumption
 * @tep: the negotiated TEP
 * @len: its length
 *
 * Return: in @syn
 */
const u8 *eno_resume_nonce(const struct eno_syn *syn, u8 tep, unsigned int *len);

/**
 * eno_negotiate_resume() - what two SYN-form options agree on, for either end (RFC 8547 section 4.4)
 * @self: what we sent
 * @peer: what we received
 * @aware: mandatory application-aware mode (E-07)
 * @resume: the resumption in @self, NULL if there is none
 * @res: result
 *
 * The last TEP in B's option that is valid (E-10) is negotiated. A TEP repeated in one of the options is
 * not valid. v=1 from B is valid when both options have v=1 and the halves of @resume; v=1 from A
 * is an offer of fresh key exchange too (N-02), unless its data is too long.
 *
 * Return: ENO_OK, or why there is no agreement, and then @res is not touched
 */
enum eno_verdict eno_negotiate_resume(const struct eno_syn *self, const struct eno_syn *peer, bool aware,
				      const struct eno_resume *resume, struct eno_result *res);

/** eno_negotiate() - the same where we offered or agreed to no resumption */
static inline enum eno_verdict eno_negotiate(const struct eno_syn *self, const struct eno_syn *peer,
					     bool aware, struct eno_result *res)
{
	return eno_negotiate_resume(self, peer, aware, NULL, res);
}

/**
 * eno_transcript_build() - A's option, then B's, as in the TCP headers (E-19)
 * @a: A's
 * @b: B's
 * @buf: at least 2 * ENO_TCP_OPTIONS_MAX bytes
 *
 * Return: bytes written
 */
unsigned int eno_transcript_build(const struct eno_syn *a, const struct eno_syn *b, u8 *buf);

#endif
