// SPDX-License-Identifier: GPL-2.0
/* src/crypto/keys.c, against a reference that shares no code with it */
#include "unit.h"

namespace
{

Bytes prk_of(View n_a, View transcript, View init1, View init2, View es)
{
	const auto vec = [](View v) { return tcpcrypt_vec{ v.data(), v.size() }; };
	const tcpcrypt_vec t = vec(transcript), i1 = vec(init1), i2 = vec(init2), e = vec(es);
	Bytes prk(TCPCRYPT_K_LEN);

	tcpcrypt_keys_prk(n_a.data(), &t, &i1, &i2, &e, prk.data());
	return prk;
}

void check_traffic(const Bytes &mk, enum eno_role side, View key, View nr)
{
	tcpcrypt_traffic_key tk;

	memset(&tk, 0xee, sizeof(tk));
	tcpcrypt_keys_traffic(mk.data(), side, static_cast<unsigned int>(key.size()), &tk);
	EXPECT_EQ(to_bytes(tk.key, key.size()), Bytes(key.begin(), key.end()));
	EXPECT_EQ(to_bytes(tk.nr, sizeof(tk.nr)), Bytes(nr.begin(), nr.end()));
	for (std::size_t i = key.size(); i < sizeof(tk.key); i++)
		EXPECT_EQ(tk.key[i], 0);
}

/* Both sides' keys of one generation. */
void check_generation(const Bytes &mk, const vec_bytes &want, const vec_bytes &ab_key, const vec_bytes &ab_nr,
		      const vec_bytes &ba_key, const vec_bytes &ba_nr)
{
	EXPECT_EQ(mk, to_bytes(want));
	check_traffic(mk, ENO_ROLE_A, to_bytes(ab_key), to_bytes(ab_nr));
	check_traffic(mk, ENO_ROLE_B, to_bytes(ba_key), to_bytes(ba_nr));
}

/* ss[i+1], and what offers it. */
void check_next(const Bytes &ss, const vec_bytes &next, const vec_bytes &resume)
{
	Bytes k(TCPCRYPT_K_LEN), id(TCPCRYPT_RESUME_LEN);

	tcpcrypt_keys_next_ss(ss.data(), k.data());
	EXPECT_EQ(k, to_bytes(next));
	tcpcrypt_keys_resume(k.data(), id.data());
	EXPECT_EQ(id, to_bytes(resume));
}

/* From what went over the wire to the session ID and the keys, as an end that knows ES does it. */
void check_session(const vec_session &v)
{
	const Exact opt_a(v.opt_a), opt_b(v.opt_b), init1(v.init1), init2(v.init2);
	tcpcrypt_init1 parsed1;
	tcpcrypt_init2 parsed2;
	eno_syn syn_a, syn_b;
	eno_result eno;
	u8 transcript[2 * ENO_TCP_OPTIONS_MAX];

	ASSERT_EQ(eno_syn_parse(opt_a.data(), opt_a.size(), &syn_a), ENO_OK);
	ASSERT_EQ(eno_syn_parse(opt_b.data(), opt_b.size(), &syn_b), ENO_OK);
	ASSERT_EQ(eno_negotiate(&syn_a, &syn_b, false, &eno), ENO_OK);
	const auto pub_len = static_cast<unsigned int>(reference::tep_pub_len(eno.tep));
	const bool has_len = reference::tep_has_len(eno.tep);
	ASSERT_EQ(tcpcrypt_init1_parse(init1.data(), init1.size(), pub_len, has_len, &parsed1), 0);
	ASSERT_EQ(tcpcrypt_init2_parse(init2.data(), init2.size(), pub_len, has_len, &parsed2), 0);
	ASSERT_EQ(parsed2.cipher, v.aead);
	const View pub_a(parsed1.pub, parsed1.pub_len), pub_b(parsed2.pub, parsed2.pub_len);
	EXPECT_EQ(Bytes(pub_a.begin(), pub_a.end()),
		  reference::tep_public(eno.tep, to_bytes(v.priv_a)));
	EXPECT_EQ(Bytes(pub_b.begin(), pub_b.end()),
		  reference::tep_public(eno.tep, to_bytes(v.priv_b)));

	const Bytes es = reference::tep_agree(eno.tep, to_bytes(v.priv_a), pub_b);
	EXPECT_EQ(reference::tep_agree(eno.tep, to_bytes(v.priv_b), pub_a), es);
	EXPECT_EQ(es, to_bytes(v.es));
	Bytes ss = prk_of(View(parsed1.nonce, TCPCRYPT_NONCE_LEN),
			  View(transcript, eno_transcript_build(&syn_a, &syn_b, transcript)),
			  to_bytes(v.init1), to_bytes(v.init2), es);
	EXPECT_EQ(ss, to_bytes(v.ss0));
	check_next(ss, v.ss1, v.resume1);
	u8 id[TCPCRYPT_SESSID_LEN];
	tcpcrypt_keys_session_id(ss.data(), eno.tep_byte, nullptr, 0, id);
	EXPECT_EQ(to_bytes(id, sizeof(id)), to_bytes(v.session_id));

	/* The frames, opened by OpenSSL with the module's keys and nonces. */
	const std::size_t key_len = reference::aead_key_len(static_cast<u16>(v.aead));
	Bytes mk(TCPCRYPT_K_LEN);
	tcpcrypt_keys_mk0(ss.data(), nullptr, 0, mk.data());
	const auto open = [&](const vec_bytes &frame, enum eno_role side, u64 offset, bool rekey) {
		tcpcrypt_traffic_key tk;
		tcpcrypt_frame_hdr hdr;
		u8 nonce[TCPCRYPT_AEAD_NONCE_LEN];
		Bytes plain;
		u8 flags;
		u16 urgent;

		tcpcrypt_keys_traffic(mk.data(), side, static_cast<unsigned int>(key_len), &tk);
		ASSERT_EQ(tcpcrypt_frame_hdr_parse(frame.data, &hdr), 0);
		ASSERT_EQ(hdr.clen + 3u, frame.len);
		EXPECT_EQ(hdr.rekey, rekey);
		tcpcrypt_frame_nonce(tk.nr, offset, nonce);
		ASSERT_TRUE(reference::aead_open(static_cast<u16>(v.aead), View(tk.key, key_len),
						 nonce, View(frame.data, 3),
						 View(frame.data + 3, hdr.clen), plain));
		const int at = tcpcrypt_frame_payload(
			plain.data(), static_cast<unsigned int>(plain.size()), &flags, &urgent);
		ASSERT_EQ(at, 1);
		EXPECT_EQ(Bytes(plain.begin() + at, plain.end()), to_bytes(v.data));
	};
	check_generation(mk, v.mk0, v.ab_key, v.ab_nr, v.ba_key, v.ba_nr);
	open(v.frame_a, ENO_ROLE_A, v.init1.len, false);
	open(v.frame_b, ENO_ROLE_B, v.init2.len, false);
	tcpcrypt_keys_next_mk(mk.data(), mk.data());
	check_generation(mk, v.mk1, v.ab1_key, v.ab1_nr, v.ba1_key, v.ba1_nr);
	open(v.frame_b2, ENO_ROLE_B, v.init2.len + v.frame_b.len, true);
}

/* As either end does it: from the options to the nonces, the keys and the next secret. */
void check_resumed(const vec_resumed &v)
{
	const Bytes ss = to_bytes(v.ss);
	const Exact opt_a(v.opt_a), opt_b(v.opt_b);
	const bool swapped = v.swapped;
	eno_syn syn_a, syn_b;
	eno_resume of_a = {}, of_b = {};
	eno_result res;
	u8 id[TCPCRYPT_RESUME_LEN], sessid[TCPCRYPT_SESSID_LEN];

	tcpcrypt_keys_resume(ss.data(), id);
	EXPECT_EQ(to_bytes(id, sizeof(id)), to_bytes(v.resume));
	of_a.tep = of_b.tep = static_cast<u8>(v.tep);
	memcpy(swapped ? of_b.own : of_a.own, id, ENO_RESUME_HALF_LEN);
	memcpy(swapped ? of_a.own : of_b.own, id + ENO_RESUME_HALF_LEN, ENO_RESUME_HALF_LEN);
	memcpy(of_a.peer, of_b.own, ENO_RESUME_HALF_LEN);
	memcpy(of_b.peer, of_a.own, ENO_RESUME_HALF_LEN);

	ASSERT_EQ(eno_syn_parse(opt_a.data(), opt_a.size(), &syn_a), ENO_OK);
	ASSERT_EQ(eno_syn_parse(opt_b.data(), opt_b.size(), &syn_b), ENO_OK);
	ASSERT_EQ(eno_negotiate_resume(&syn_a, &syn_b, false, &of_a, &res), ENO_OK);
	EXPECT_TRUE(res.resumed);
	EXPECT_EQ(res.role, ENO_ROLE_A);
	ASSERT_EQ(eno_negotiate_resume(&syn_b, &syn_a, false, &of_b, &res), ENO_OK);
	EXPECT_TRUE(res.resumed);
	EXPECT_EQ(res.role, ENO_ROLE_B);
	EXPECT_EQ(res.tep_byte, v.tep | 0x80);

	/* sn[i] = nonce_a | nonce_b, by the original roles. */
	unsigned int len_a, len_b;
	const u8 *nonce_a = eno_resume_nonce(swapped ? &syn_b : &syn_a, res.tep, &len_a);
	const u8 *nonce_b = eno_resume_nonce(swapped ? &syn_a : &syn_b, res.tep, &len_b);
	Bytes sn = to_bytes(nonce_a, len_a);
	sn.insert(sn.end(), nonce_b, nonce_b + len_b);
	EXPECT_EQ(sn, to_bytes(v.sn));
	const auto sn_len = static_cast<unsigned int>(sn.size());
	tcpcrypt_keys_session_id(ss.data(), res.tep_byte, sn.data(), sn_len, sessid);
	EXPECT_EQ(to_bytes(sessid, sizeof(sessid)), to_bytes(v.session_id));

	Bytes mk(TCPCRYPT_K_LEN);
	tcpcrypt_keys_mk0(ss.data(), sn.data(), sn_len, mk.data());
	check_generation(mk, v.mk0, v.ab_key, v.ab_nr, v.ba_key, v.ba_nr);
	check_next(ss, v.next, v.next_resume);

	const auto aead = static_cast<u16>(v.aead);
	const std::size_t key_len = reference::aead_key_len(aead);
	for (enum eno_role side : { ENO_ROLE_A, ENO_ROLE_B }) {
		const vec_bytes &frame = side == ENO_ROLE_A ? v.frame_ab : v.frame_ba;
		tcpcrypt_traffic_key tk;
		u8 nonce[TCPCRYPT_AEAD_NONCE_LEN];
		Bytes plain;

		tcpcrypt_keys_traffic(mk.data(), side, static_cast<unsigned int>(key_len), &tk);
		tcpcrypt_frame_nonce(tk.nr, 0, nonce);
		ASSERT_TRUE(reference::aead_open(aead, View(tk.key, key_len), nonce, View(frame.data, 3),
						 View(frame.data + 3, frame.len - 3), plain));
		EXPECT_EQ(Bytes(plain.begin() + 1, plain.end()), to_bytes(v.data));
	}
}

const bool registered = table("keys", "session", vecs_session, check_session) &&
			table("keys", "resumed", vecs_resumed, check_resumed);

/* K-01, E-19: every byte of the transcript counts. */
TEST(keys, tcpcrypt_keys_prk__every_byte_counts)
{
	Bytes parts[5] = { Bytes(32, 1), Bytes(7, 2), Bytes(75, 3), Bytes(74, 4), Bytes(32, 5) };
	const Bytes prk = prk_of(parts[0], parts[1], parts[2], parts[3], parts[4]);

	EXPECT_EQ(prk, reference::prk(parts[0], parts[1], parts[2], parts[3], parts[4]));
	for (Bytes &part : parts) {
		for (u8 &byte : part) {
			byte ^= 0x80;
			EXPECT_NE(prk_of(parts[0], parts[1], parts[2], parts[3], parts[4]), prk);
			byte ^= 0x80;
		}
	}
}

TEST(keys, tcpcrypt_keys__random_against_the_reference)
{
	for (unsigned int i = 0; i < 300; i++) {
		const std::string seed = std::to_string(i);
		const Bytes ss = reference::noise(seed + "ss", 32),
			    sn = reference::noise(seed + "sn", i % (TCPCRYPT_SN_MAX + 1));
		const auto sn_len = static_cast<unsigned int>(sn.size());
		Bytes mk(32), id(TCPCRYPT_SESSID_LEN), next(32);

		tcpcrypt_keys_mk0(ss.data(), sn.data(), sn_len, mk.data());
		ASSERT_EQ(mk, reference::mk0(ss, sn));
		tcpcrypt_keys_session_id(ss.data(), 0xa3, sn.data(), sn_len, id.data());
		ASSERT_EQ(id, reference::session_id(ss, 0xa3, sn));
		tcpcrypt_keys_next_mk(mk.data(), next.data());
		ASSERT_EQ(next, reference::next_mk(mk));
		for (u16 aead : { 0x0001, 0x0002, 0x0010 }) {
			const auto ab = reference::k_ab(mk, aead), ba = reference::k_ba(mk, aead);

			check_traffic(mk, ENO_ROLE_A, ab.key, ab.nr);
			check_traffic(mk, ENO_ROLE_B, ba.key, ba.nr);
		}
	}
}

/* What nobody should pass is cut to what there is room for. */
TEST(keys, tcpcrypt_keys_mk0__sn_too_long)
{
	const Bytes ss(32, 1), sn(TCPCRYPT_SN_MAX + 1, 2);
	Bytes mk(32);

	tcpcrypt_keys_mk0(ss.data(), sn.data(), TCPCRYPT_SN_MAX + 1, mk.data());
	EXPECT_EQ(mk, reference::mk0(ss, View(sn).first(TCPCRYPT_SN_MAX)));
}

/* The chain ss[0], ss[1], ... in place, as the cache keeps it. */
TEST(keys, tcpcrypt_keys_next_ss__in_place)
{
	Bytes ss = reference::noise("ss", 32), want = ss;

	for (unsigned int i = 0; i < 5; i++) {
		want = reference::next_ss(want);
		tcpcrypt_keys_next_ss(ss.data(), ss.data());
		EXPECT_EQ(ss, want);
	}
}

}
