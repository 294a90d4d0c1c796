// SPDX-License-Identifier: GPL-2.0
/* src/wire/eno.c */
#include "unit.h"

#include <array>
#include <map>
#include <optional>

namespace
{

Bytes teps_of(const eno_syn &syn)
{
	Bytes out;

	for (unsigned int i = 0; i < syn.n_teps; i++) {
		const eno_tep &tep = syn.teps[i];
		out.insert(out.end(), { tep.id, tep.v, tep.off, tep.len });
	}
	return out;
}

eno_syn parsed(View opt)
{
	const Exact in(opt);
	eno_syn syn;

	EXPECT_EQ(eno_syn_parse(in.data(), in.size(), &syn), ENO_OK) << "the case itself is wrong";
	return syn;
}

eno_syn parsed(const vec_bytes &opt)
{
	return parsed(View(opt.data, opt.len));
}

void check_options_find(const vec_eno_options_find &v)
{
	const Exact opts(v.opts);
	eno_found found;

	eno_options_find(opts.data(), opts.size(), &found);
	EXPECT_EQ(found.count, v.count);
	EXPECT_EQ(found.opt ? found.opt - opts.data() : -1, v.off);
	EXPECT_EQ(found.len, v.len);
}

void check_syn_parse(const vec_eno_syn_parse &v)
{
	const Exact opt(v.opt);
	eno_syn syn;

	memset(&syn, 0xee, sizeof(syn));
	EXPECT_EQ(eno_syn_parse(opt.data(), opt.size(), &syn), v.verdict);
	if (v.verdict != ENO_OK) {
		EXPECT_EQ(syn.raw_len, 0);
		return;
	}
	EXPECT_EQ(to_bytes(syn.raw, syn.raw_len), to_bytes(v.opt));
	EXPECT_EQ(syn.global, v.global);
	EXPECT_EQ(teps_of(syn), to_bytes(v.teps));
}

void check_syn_from_options(const vec_eno_syn_from_options &v)
{
	const Exact opts(v.opts);
	eno_syn syn;

	memset(&syn, 0xee, sizeof(syn));
	EXPECT_EQ(eno_syn_from_options(opts.data(), opts.size(), &syn), v.verdict);
	EXPECT_EQ(to_bytes(syn.raw, syn.raw_len), to_bytes(v.opt));
}

void check_offer_build(const vec_eno_offer_build &v)
{
	const Exact teps(v.teps);
	u8 buf[ENO_TCP_OPTIONS_MAX];
	const unsigned int len = eno_offer_build(v.global, teps.data(), teps.size(), buf, v.room);

	EXPECT_EQ(to_bytes(buf, len), to_bytes(v.opt));
	if (len)
		parsed(View(buf, len)); /* E-24 */
}

void check_answer_build(const vec_eno_answer_build &v)
{
	const eno_syn peer = parsed(v.peer);
	const Exact teps(v.teps);
	u8 buf[ENO_TCP_OPTIONS_MAX];
	unsigned int len = 99;

	EXPECT_EQ(eno_answer_build(&peer, v.global, v.aware, teps.data(), teps.size(), buf, &len),
		  v.verdict);
	EXPECT_EQ(to_bytes(buf, len), to_bytes(v.opt));
	if (!len)
		return;

	/* What was answered is what both ends then find. */
	const eno_syn self = parsed(View(buf, len));
	eno_result res;
	ASSERT_EQ(eno_negotiate(&self, &peer, v.aware, &res), ENO_OK);
	EXPECT_EQ(res.tep, buf[3]);
	EXPECT_EQ(res.role, ENO_ROLE_B);
	ASSERT_EQ(eno_negotiate(&peer, &self, false, &res), ENO_OK);
	EXPECT_EQ(res.tep, buf[3]);
	EXPECT_EQ(res.role, ENO_ROLE_A);
}

void check_negotiate(const vec_eno_negotiate &v)
{
	const eno_syn self = parsed(v.self), peer = parsed(v.peer);
	eno_result res, mirrored;

	memset(&res, 0xee, sizeof(res));
	const eno_result before = res;
	ASSERT_EQ(eno_negotiate(&self, &peer, v.aware, &res), v.verdict);
	if (v.verdict != ENO_OK) {
		EXPECT_EQ(memcmp(&res, &before, sizeof(res)), 0);
		return;
	}
	EXPECT_EQ(res.role, v.role);
	EXPECT_EQ(res.tep, v.tep);
	EXPECT_EQ(res.tep_byte, v.tep_byte);
	EXPECT_EQ(res.peer_global, v.peer_global);

	/* The other end comes to the same. */
	ASSERT_EQ(eno_negotiate(&peer, &self, false, &mirrored), ENO_OK);
	EXPECT_NE(mirrored.role, res.role);
	EXPECT_EQ(mirrored.tep, res.tep);
	EXPECT_EQ(mirrored.tep_byte, res.tep_byte);
	EXPECT_EQ(mirrored.peer_global, self.global);
}

const bool registered =
	table("eno", "eno_options_find", vecs_eno_options_find, check_options_find) &&
	table("eno", "eno_syn_parse", vecs_eno_syn_parse, check_syn_parse) &&
	table("eno", "eno_syn_from_options", vecs_eno_syn_from_options, check_syn_from_options) &&
	table("eno", "eno_offer_build", vecs_eno_offer_build, check_offer_build) &&
	table("eno", "eno_answer_build", vecs_eno_answer_build, check_answer_build) &&
	table("eno", "eno_negotiate", vecs_eno_negotiate, check_negotiate);

/* Section 4.1 of RFC 8547 again, word by word and without regard for speed: nothing if ill-formed.
 */
struct Suboption {
	u8 byte;
	Bytes data;
	bool operator==(const Suboption &) const = default;
};

std::optional<std::vector<Suboption>> suboptions(Bytes contents)
{
	std::vector<Suboption> out;

	while (!contents.empty()) {
		const u8 first = contents.front();

		contents.erase(contents.begin());
		if (first < 0x80) {
			out.push_back({ first, {} });
		} else if (first >= 0xa0) {
			out.push_back({ first, contents });
			contents.clear();
		} else {
			const std::size_t len = (first & 0x1f) + 1;

			if (contents.empty() || contents.front() < 0xa0)
				return std::nullopt;
			const u8 tep = contents.front();
			contents.erase(contents.begin());
			if (contents.size() < len)
				return std::nullopt;
			out.push_back({ tep, Bytes(contents.begin(), contents.begin() + len) });
			contents.erase(contents.begin(), contents.begin() + len);
		}
	}
	return out;
}

void compare_with_model(const Bytes &contents)
{
	const auto model = suboptions(contents);
	Bytes opt{ ENO_KIND, static_cast<u8>(2 + contents.size()) };

	opt.insert(opt.end(), contents.begin(), contents.end());
	const Exact in(opt);
	eno_syn syn;
	const eno_verdict verdict = eno_syn_parse(in.data(), in.size(), &syn);
	ASSERT_EQ(verdict == ENO_OK, model.has_value()) << testing::PrintToString(opt);
	if (!model)
		return;

	std::vector<Suboption> teps;
	std::optional<u8> global;
	for (const Suboption &sub : *model) {
		if ((sub.byte & 0x7f) >= 0x20)
			teps.push_back(sub);
		else if (!global)
			global = sub.byte;
	}
	std::vector<Suboption> got;
	for (unsigned int i = 0; i < syn.n_teps; i++) {
		const eno_tep &tep = syn.teps[i];
		const u8 *data = syn.raw + tep.off;

		ASSERT_EQ(data[-1], tep.id | (tep.v ? 0x80 : 0));
		got.push_back({ data[-1], to_bytes(data, tep.len) });
	}
	EXPECT_EQ(got, teps) << testing::PrintToString(opt);
	EXPECT_EQ(syn.global, global.value_or(0));
	EXPECT_EQ(to_bytes(syn.raw, syn.raw_len), opt);
}

TEST(eno, eno_syn_parse__every_option_of_two_bytes)
{
	for (unsigned int i = 0; i < 0x10000 && !HasFailure(); i++)
		compare_with_model({ static_cast<u8>(i >> 8), static_cast<u8>(i) });
}

TEST(eno, eno_syn_parse__random_options)
{
	std::mt19937 random(8547);
	const auto pick = [&](unsigned int n) { return static_cast<unsigned int>(random() % n); };

	for (unsigned int i = 0; i < 300000 && !HasFailure(); i++) {
		Bytes contents(pick(ENO_CONTENTS_MAX + 1));
		const bool short_lengths = pick(2);

		for (u8 &byte : contents) {
			byte = static_cast<u8>(random());
			/* A length byte that reaches too far would be nearly all that there is. */
			if (short_lengths && (byte & 0xe0) == 0x80)
				byte &= 0x83;
		}
		compare_with_model(contents);
	}
}

/* E-10 and E-11 again: the last TEP of B that is once in both, with data that may be there. */
std::optional<u8> model_negotiate(const eno_syn &a, const eno_syn &b)
{
	const auto times = [](const eno_syn &syn, u8 id) {
		return std::count_if(syn.teps, syn.teps + syn.n_teps,
				     [&](const eno_tep &tep) { return tep.id == id; });
	};
	std::optional<u8> last;

	for (unsigned int i = 0; i < b.n_teps; i++) {
		const eno_tep &tep = b.teps[i];

		if (times(a, tep.id) != 1 || times(b, tep.id) != 1 || tep.v)
			continue;
		const eno_tep *offer =
			std::find_if(a.teps, a.teps + a.n_teps,
				     [&](const eno_tep &t) { return t.id == tep.id; });
		if (offer->len <= 17)
			last = tep.id;
	}
	return last;
}

TEST(eno, eno_negotiate__random_options)
{
	std::mt19937 random(8547);
	unsigned int agreed = 0;
	const auto option = [&]() -> std::optional<eno_syn> {
		Bytes opt{ ENO_KIND, 0 };
		const unsigned int len = random() % 12;

		for (unsigned int i = 0; i < len; i++) {
			static const u8 likely[] = {
				0x21, 0x22, 0x23, 0xa3, 0xa1, 0x80, 0x92, 0x70
			};
			opt.push_back(i ? likely[random() % sizeof(likely)] : random() % 4);
		}
		if (random() % 8 == 0)
			opt.resize(ENO_TCP_OPTIONS_MAX, 0x11);
		opt[1] = static_cast<u8>(opt.size());
		eno_syn syn;
		if (eno_syn_parse(opt.data(), static_cast<unsigned int>(opt.size()), &syn) !=
		    ENO_OK)
			return std::nullopt;
		return syn;
	};

	for (unsigned int i = 0; i < 300000; i++) {
		const auto self = option(), peer = option();
		eno_result res;

		if (!self || !peer)
			continue;
		const eno_verdict verdict = eno_negotiate(&*self, &*peer, false, &res);
		if (!peer->n_teps) {
			ASSERT_EQ(verdict, ENO_VACUOUS);
		} else if (((self->global ^ peer->global) & 1) == 0) {
			ASSERT_EQ(verdict, ENO_SAME_ROLE);
		} else {
			const bool is_a = peer->global & 1;
			const auto tep =
				model_negotiate(is_a ? *self : *peer, is_a ? *peer : *self);

			ASSERT_EQ(verdict, tep ? ENO_OK : ENO_NO_COMMON_TEP);
			if (tep) {
				ASSERT_EQ(res.tep, *tep);
				agreed++;
			}
		}
	}
	EXPECT_GT(agreed, 3000u) << "the random options hardly ever agree: the test shows little";
}

eno_resume resumption(unsigned int nonce_len)
{
	eno_resume resume = {};

	resume.tep = 0x23;
	memset(resume.own, 0x11, sizeof(resume.own));
	memset(resume.peer, 0x22, sizeof(resume.peer));
	memset(resume.nonce, 0x33, sizeof(resume.nonce));
	resume.nonce_len = static_cast<u8>(nonce_len);
	return resume;
}

/* R-05, E-24: in each room what fits, the others before the offer, the least preferred left out. */
TEST(eno, eno_resume_offer_build__every_room)
{
	const u8 teps[] = { 0x24, 0x23, 0x21, 0x22 };

	for (unsigned int nonce_len = 0; nonce_len <= ENO_RESUME_NONCE_MAX; nonce_len++) {
		for (unsigned int room = 0; room <= ENO_TCP_OPTIONS_MAX + 1; room++) {
			for (unsigned int global : { 0u, 2u, 0x1eu }) {
				const eno_resume resume = resumption(nonce_len);
				u8 buf[ENO_TCP_OPTIONS_MAX + 1];
				const unsigned int len = eno_resume_offer_build(static_cast<u8>(global), &resume, teps,
										sizeof(teps), buf, room);
				const unsigned int need = 2 + (global ? 1 : 0) + 10 + nonce_len;

				if (room < need) {
					ASSERT_EQ(len, 0u);
					continue;
				}
				const unsigned int others =
					std::min(std::min(room, unsigned{ ENO_TCP_OPTIONS_MAX }) - need, 3u);
				ASSERT_EQ(len, need + others);
				const eno_syn syn = parsed(View(buf, len));
				EXPECT_EQ(syn.global, global & 3); /* E-04 */
				ASSERT_EQ(syn.n_teps, others + 1);
				const u8 best_last[] = { 0x22, 0x21, 0x24 };
				for (unsigned int i = 0; i < others; i++)
					EXPECT_EQ(syn.teps[i].id, best_last[3 - others + i]);
				const eno_tep *offer = eno_resume_find(&syn, 0x23);
				ASSERT_EQ(offer, &syn.teps[others]);
				EXPECT_EQ(offer->len, 9 + nonce_len);
				EXPECT_EQ(memcmp(syn.raw + offer->off, resume.own, 9), 0);
				EXPECT_EQ(eno_resume_offer_min(nonce_len) + (global ? 1 : 0), need);
			}
		}
	}
}

TEST(eno, eno_resume_offer_build__alone)
{
	const eno_resume resume = resumption(0);
	u8 buf[ENO_TCP_OPTIONS_MAX];

	/* None of the others is there to choose from, or it is the same. */
	EXPECT_EQ(eno_resume_offer_build(0, &resume, nullptr, 0, buf, 40), 12u);
	EXPECT_EQ(eno_resume_offer_build(0, &resume, &resume.tep, 1, buf, 40), 12u);
	EXPECT_EQ(to_bytes(buf, 12), (Bytes{ 0x45, 12, 0xa3, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11 }));
}

/* E-05, E-07, E-11: b=1, one TEP, and room for it known before. */
TEST(eno, eno_resume_answer_build__every_nonce)
{
	for (unsigned int nonce_len = 0; nonce_len <= ENO_RESUME_NONCE_MAX; nonce_len++) {
		for (bool aware : { false, true }) {
			const eno_resume resume = resumption(nonce_len);
			u8 buf[ENO_TCP_OPTIONS_MAX];
			const unsigned int len = eno_resume_answer_build(0x1c, aware, &resume, buf);

			ASSERT_EQ(len, eno_resume_answer_len(nonce_len));
			const eno_syn syn = parsed(View(buf, len));
			EXPECT_EQ(syn.global, aware ? 3 : 1);
			ASSERT_EQ(syn.n_teps, 1);
			unsigned int got;
			const u8 *nonce = eno_resume_nonce(&syn, 0x23, &got);
			EXPECT_EQ(to_bytes(nonce, got), Bytes(nonce_len, 0x33));
		}
	}
}

/* R-03, E-10: too short, too long, without v, twice, another TEP. */
TEST(eno, eno_resume_find__what_is_none)
{
	const auto option = [](std::initializer_list<u8> before, std::size_t data) {
		Bytes opt{ 0x45, 0 };
		opt.insert(opt.end(), before);
		opt.resize(opt.size() + data, 0x11);
		opt[1] = static_cast<u8>(opt.size());
		return parsed(opt);
	};
	for (std::size_t data = 0; data < 30; data++) {
		const eno_syn syn = option({ 0xa3 }, data);
		EXPECT_EQ(eno_resume_find(&syn, 0x23) != nullptr, data >= 9 && data <= 17) << data;
		EXPECT_EQ(eno_resume_find(&syn, 0x24), nullptr);
	}
	const eno_syn twice = option({ 0x23, 0xa3 }, 10), none = option({ 0x23 }, 0);
	EXPECT_EQ(eno_resume_find(&twice, 0x23), nullptr);
	EXPECT_EQ(eno_resume_find(&none, 0x23), nullptr);
	unsigned int len = 99;
	eno_resume_nonce(&none, 0x23, &len);
	EXPECT_EQ(len, 0u);
}

/* each bit of both halves, either end; and v=1 in the answer alone. */
TEST(eno, eno_negotiate_resume__halves)
{
	const u8 teps[] = { 0x23, 0x21 };
	const eno_resume of_a = resumption(8);
	eno_resume of_b = of_a;
	u8 buf[ENO_TCP_OPTIONS_MAX];
	eno_result res;

	std::swap(of_b.own, of_b.peer);
	const eno_syn a = parsed(View(buf, eno_resume_offer_build(0, &of_a, teps, 2, buf, 40)));
	const eno_syn b = parsed(View(buf, eno_resume_answer_build(0, false, &of_b, buf)));
	ASSERT_EQ(eno_negotiate_resume(&a, &b, false, &of_a, &res), ENO_OK);
	EXPECT_TRUE(res.resumed);
	EXPECT_EQ(res.tep, 0x23);
	EXPECT_EQ(res.tep_byte, 0xa3); /* */
	ASSERT_EQ(eno_negotiate_resume(&b, &a, false, &of_b, &res), ENO_OK);
	EXPECT_TRUE(res.resumed);
	for (unsigned int bit = 0; bit < 72; bit++) {
		eno_resume bad = of_a;
		bad.peer[bit / 8] ^= static_cast<u8>(1 << bit % 8);
		EXPECT_EQ(eno_negotiate_resume(&a, &b, false, &bad, &res), ENO_NO_COMMON_TEP);
		bad = of_a;
		bad.own[bit / 8] ^= static_cast<u8>(1 << bit % 8);
		EXPECT_EQ(eno_negotiate_resume(&a, &b, false, &bad, &res), ENO_NO_COMMON_TEP);
	}
	EXPECT_EQ(eno_negotiate(&a, &b, false, &res), ENO_NO_COMMON_TEP); /* nothing was offered */
	eno_resume other = of_a;
	other.tep = 0x21;
	EXPECT_EQ(eno_negotiate_resume(&a, &b, false, &other, &res), ENO_NO_COMMON_TEP);

	/* N-02: an answer without v asks for a fresh one, with this TEP or another. */
	for (u8 tep : { 0x23, 0x21 }) {
		const eno_syn fresh = parsed(Bytes{ 0x45, 4, 1, tep });
		ASSERT_EQ(eno_negotiate_resume(&a, &fresh, false, &of_a, &res), ENO_OK);
		EXPECT_FALSE(res.resumed);
		EXPECT_EQ(res.tep_byte, tep);
	}
	/* E-11: a half that does not match is passed over. */
	const eno_syn both = parsed(Bytes{ 0x45, 14, 1, 0x21, 0xa3, 0, 0, 0, 0, 0, 0, 0, 0, 0 });
	ASSERT_EQ(eno_negotiate_resume(&a, &both, false, &of_a, &res), ENO_OK);
	EXPECT_FALSE(res.resumed);
	EXPECT_EQ(res.tep, 0x21);
}

/* E-22: an option that comes back as it went out never gives a session. */
TEST(eno, eno_negotiate__every_offer_echoed)
{
	const u8 teps[] = { 0x23, 0x24, 0x21, 0x22 };

	for (unsigned int global = 0; global < 4; global++) {
		for (unsigned int n = 1; n <= sizeof(teps); n++) {
			u8 buf[ENO_TCP_OPTIONS_MAX];
			const unsigned int len = eno_offer_build(global, teps, n, buf, sizeof(buf));
			const eno_syn syn = parsed(View(buf, len));
			eno_result res;

			EXPECT_EQ(eno_negotiate(&syn, &syn, false, &res), ENO_SAME_ROLE);
		}
	}
}

/* E-19 */
TEST(eno, eno_transcript_build__a_then_b)
{
	const eno_syn a = parsed(Bytes{ 0x45, 3, 0x23 }), b = parsed(Bytes{ 0x45, 4, 1, 0x23 });
	u8 buf[2 * ENO_TCP_OPTIONS_MAX];

	ASSERT_EQ(eno_transcript_build(&a, &b, buf), 7u);
	EXPECT_EQ(to_bytes(buf, 7), (Bytes{ 0x45, 3, 0x23, 0x45, 4, 1, 0x23 }));
}

TEST(eno, eno_transcript_build__longest)
{
	Bytes opt(ENO_TCP_OPTIONS_MAX, 0x23);
	u8 buf[2 * ENO_TCP_OPTIONS_MAX];

	opt[0] = ENO_KIND;
	opt[1] = ENO_TCP_OPTIONS_MAX;
	const eno_syn syn = parsed(opt);
	ASSERT_EQ(eno_transcript_build(&syn, &syn, buf), sizeof(buf));
	EXPECT_EQ(to_bytes(buf, 40), opt);
	EXPECT_EQ(to_bytes(buf + 40, 40), opt);
}

}
