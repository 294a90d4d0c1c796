// SPDX-License-Identifier: GPL-2.0
/* src/wire/eno.c */
#include "kunit.h"

static void eno_options_find__vectors(struct kunit *test)
{
	const struct vec_eno_options_find *v;

	for_each_vector(v, eno_options_find) {
		const u8 *opts = tcpcrypt_exact_vec(test, v->opts);
		struct eno_found found;

		eno_options_find(opts, v->opts.len, &found);
		EXPECT_VEC_EQ(test, v, found.count, v->count);
		EXPECT_VEC_EQ(test, v, found.opt ? found.opt - opts : -1, v->off);
		EXPECT_VEC_EQ(test, v, found.len, v->len);
	}
}

static void eno_syn_parse__vectors(struct kunit *test)
{
	const struct vec_eno_syn_parse *v;

	for_each_vector(v, eno_syn_parse) {
		const u8 *opt = tcpcrypt_exact_vec(test, v->opt);
		struct eno_syn syn;
		unsigned int i;

		memset(&syn, 0xee, sizeof(syn));
		EXPECT_VEC_EQ(test, v, eno_syn_parse(opt, v->opt.len, &syn), v->verdict);
		if (v->verdict != ENO_OK) {
			EXPECT_VEC_EQ(test, v, syn.raw_len, 0);
			continue;
		}
		EXPECT_VEC_BYTES(test, v, syn.raw, syn.raw_len, v->opt);
		EXPECT_VEC_EQ(test, v, syn.global, v->global);
		EXPECT_VEC_EQ(test, v, 4 * syn.n_teps, v->teps.len);
		for (i = 0; i < syn.n_teps && 4 * i < v->teps.len; i++) {
			const struct eno_tep *tep = &syn.teps[i];

			EXPECT_VEC_EQ(test, v, tep->id, v->teps.data[4 * i]);
			EXPECT_VEC_EQ(test, v, tep->v, v->teps.data[4 * i + 1]);
			EXPECT_VEC_EQ(test, v, tep->off, v->teps.data[4 * i + 2]);
			EXPECT_VEC_EQ(test, v, tep->len, v->teps.data[4 * i + 3]);
		}
	}
}

static void eno_syn_from_options__vectors(struct kunit *test)
{
	const struct vec_eno_syn_from_options *v;

	for_each_vector(v, eno_syn_from_options) {
		const u8 *opts = tcpcrypt_exact_vec(test, v->opts);
		struct eno_syn syn;

		memset(&syn, 0xee, sizeof(syn));
		EXPECT_VEC_EQ(test, v, eno_syn_from_options(opts, v->opts.len, &syn), v->verdict);
		EXPECT_VEC_BYTES(test, v, syn.raw, syn.raw_len, v->opt);
	}
}

static void eno_offer_build__vectors(struct kunit *test)
{
	const struct vec_eno_offer_build *v;

	for_each_vector(v, eno_offer_build) {
		const u8 *teps = tcpcrypt_exact_vec(test, v->teps);
		u8 buf[ENO_TCP_OPTIONS_MAX];
		struct eno_syn syn;
		unsigned int len;

		len = eno_offer_build(v->global, teps, v->teps.len, buf, v->room);
		EXPECT_VEC_BYTES(test, v, buf, len, v->opt);
		/* E-24 */
		if (len)
			EXPECT_VEC_EQ(test, v, eno_syn_parse(buf, len, &syn), ENO_OK);
	}
}

static void eno_answer_build__vectors(struct kunit *test)
{
	const struct vec_eno_answer_build *v;

	for_each_vector(v, eno_answer_build) {
		const u8 *opt = tcpcrypt_exact_vec(test, v->peer);
		const u8 *teps = tcpcrypt_exact_vec(test, v->teps);
		struct eno_syn peer, self;
		u8 buf[ENO_TCP_OPTIONS_MAX];
		struct eno_result res;
		unsigned int len = 99;

		EXPECT_VEC_EQ(test, v, eno_syn_parse(opt, v->peer.len, &peer), ENO_OK);
		EXPECT_VEC_EQ(test, v,
			      eno_answer_build(&peer, v->global, v->aware, teps, v->teps.len, buf,
					       &len),
			      v->verdict);
		EXPECT_VEC_BYTES(test, v, buf, len, v->opt);
		if (!len)
			continue;

		/* What was answered is what both ends then find. */
		EXPECT_VEC_EQ(test, v, eno_syn_parse(buf, len, &self), ENO_OK);
		EXPECT_VEC_EQ(test, v, eno_negotiate(&self, &peer, v->aware, &res), ENO_OK);
		EXPECT_VEC_EQ(test, v, res.role, ENO_ROLE_B);
		EXPECT_VEC_EQ(test, v, res.tep, buf[3]);
		EXPECT_VEC_EQ(test, v, eno_negotiate(&peer, &self, false, &res), ENO_OK);
		EXPECT_VEC_EQ(test, v, res.role, ENO_ROLE_A);
		EXPECT_VEC_EQ(test, v, res.tep, buf[3]);
	}
}

static void eno_negotiate__vectors(struct kunit *test)
{
	const struct vec_eno_negotiate *v;

	for_each_vector(v, eno_negotiate) {
		const u8 *opt_self = tcpcrypt_exact_vec(test, v->self);
		const u8 *opt_peer = tcpcrypt_exact_vec(test, v->peer);
		struct eno_syn self, peer;
		struct eno_result res, mirrored;

		EXPECT_VEC_EQ(test, v, eno_syn_parse(opt_self, v->self.len, &self), ENO_OK);
		EXPECT_VEC_EQ(test, v, eno_syn_parse(opt_peer, v->peer.len, &peer), ENO_OK);
		memset(&res, 0, sizeof(res));
		EXPECT_VEC_EQ(test, v, eno_negotiate(&self, &peer, v->aware, &res), v->verdict);
		EXPECT_VEC_EQ(test, v, res.role, v->role);
		EXPECT_VEC_EQ(test, v, res.tep, v->tep);
		EXPECT_VEC_EQ(test, v, res.tep_byte, v->tep_byte);
		EXPECT_VEC_EQ(test, v, res.peer_global, v->peer_global);
		if (v->verdict != ENO_OK)
			continue;

		/* The other end comes to the same. */
		EXPECT_VEC_EQ(test, v, eno_negotiate(&peer, &self, false, &mirrored), ENO_OK);
		EXPECT_VEC_EQ(test, v, mirrored.role, !res.role);
		EXPECT_VEC_EQ(test, v, mirrored.tep, res.tep);
		EXPECT_VEC_EQ(test, v, mirrored.tep_byte, res.tep_byte);
	}
}

/* E-19 */
static void eno_transcript_build__a_then_b(struct kunit *test)
{
	static const u8 opt_a[] = { ENO_KIND, 3, 0x23 }, opt_b[] = { ENO_KIND, 4, 1, 0x23 };
	struct eno_syn a, b;
	u8 buf[2 * ENO_TCP_OPTIONS_MAX];

	KUNIT_ASSERT_EQ(test, (int)eno_syn_parse(opt_a, sizeof(opt_a), &a), (int)ENO_OK);
	KUNIT_ASSERT_EQ(test, (int)eno_syn_parse(opt_b, sizeof(opt_b), &b), (int)ENO_OK);
	KUNIT_ASSERT_EQ(test, eno_transcript_build(&a, &b, buf),
			(unsigned int)(sizeof(opt_a) + sizeof(opt_b)));
	KUNIT_EXPECT_EQ(test, memcmp(buf, opt_a, sizeof(opt_a)), 0);
	KUNIT_EXPECT_EQ(test, memcmp(buf + sizeof(opt_a), opt_b, sizeof(opt_b)), 0);
}

static struct kunit_case eno_cases[] = {
	KUNIT_CASE(eno_options_find__vectors),
	KUNIT_CASE(eno_syn_parse__vectors),
	KUNIT_CASE(eno_syn_from_options__vectors),
	KUNIT_CASE(eno_offer_build__vectors),
	KUNIT_CASE(eno_answer_build__vectors),
	KUNIT_CASE(eno_negotiate__vectors),
	KUNIT_CASE(eno_transcript_build__a_then_b),
	{}
};

struct kunit_suite eno_suite = {
	.name = "tcpcrypt_eno",
	.test_cases = eno_cases,
};
