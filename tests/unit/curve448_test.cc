// SPDX-License-Identifier: GPL-2.0
/* src/crypto/curve448.c: the field against OpenSSL's numbers, X448 against RFC 7748 and OpenSSL */
#include "unit.h"

extern "C" {
#include "crypto/curve448.h"
}

#include <openssl/bn.h>
#include <openssl/evp.h>

#include <stdexcept>

namespace
{

constexpr std::size_t len = TCPCRYPT_CURVE448_LEN;

/* A number of any size. */
class Number
{
public:
	Number(u64 value = 0) { check(BN_set_word(bn_.get(), value)); }
	Number(const Number &other) { check(BN_copy(bn_.get(), other.get())); }
	explicit Number(const tcpcrypt_fe448 &fe)
	{
		for (std::size_t i = TCPCRYPT_FE448_LIMBS; i-- > 0;)
			*this = (*this << TCPCRYPT_FE448_BITS) + fe.l[i];
	}
	explicit Number(const Bytes &bytes)
	{
		check(BN_lebin2bn(bytes.data(), static_cast<int>(bytes.size()), bn_.get()));
	}
	Number &operator=(const Number &other)
	{
		check(BN_copy(bn_.get(), other.get()));
		return *this;
	}

	static Number prime() { return (Number(1) << 448) - (Number(1) << 224) - 1; }

	Number operator+(const Number &other) const
	{
		Number out;

		check(BN_add(out.get(), get(), other.get()));
		return out;
	}
	Number operator-(const Number &other) const
	{
		Number out;

		check(BN_sub(out.get(), get(), other.get()));
		return out;
	}
	Number operator*(const Number &other) const
	{
		Number out;

		check(BN_mul(out.get(), get(), other.get(), context()));
		return out;
	}
	Number operator<<(int bits) const
	{
		Number out;

		check(BN_lshift(out.get(), get(), bits));
		return out;
	}
	Number mod_p() const
	{
		Number out;

		check(BN_nnmod(out.get(), get(), prime().get(), context()));
		return out;
	}
	Number inverse() const
	{
		Number out;

		check(BN_mod_inverse(out.get(), get(), prime().get(), context()));
		return out;
	}
	bool operator==(const Number &other) const { return !BN_cmp(get(), other.get()); }
	bool is_zero() const { return BN_is_zero(get()); }
	Bytes bytes() const
	{
		Bytes out(len);

		if (BN_bn2lebinpad(get(), out.data(), static_cast<int>(len)) < 0)
			throw std::runtime_error("more than 56 bytes");
		return out;
	}
	/* Of 56 bits, but for the last, which is what remains. */
	tcpcrypt_fe448 limbs() const
	{
		Number rest = *this;
		tcpcrypt_fe448 out;

		for (u64 &limb : out.l) {
			limb = BN_get_word(rest.get());
			if (&limb == std::end(out.l) - 1)
				break;
			limb = BN_mod_word(rest.get(), 1ULL << TCPCRYPT_FE448_BITS);
			check(BN_rshift(rest.get(), rest.get(), TCPCRYPT_FE448_BITS));
		}
		return out;
	}
	BIGNUM *get() const { return bn_.get(); }

private:
	template <class Result>
	static void check(Result result)
	{
		if (!result)
			throw std::runtime_error("BN");
	}
	static BN_CTX *context()
	{
		static const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> ctx(BN_CTX_new(),
										 BN_CTX_free);

		return ctx.get();
	}

	std::unique_ptr<BIGNUM, decltype(&BN_free)> bn_{ BN_new(), BN_free };
};

void PrintTo(const Number &number, std::ostream *out)
{
	const std::unique_ptr<char, void (*)(char *)> hex(BN_bn2hex(number.get()),
							  [](char *p) { OPENSSL_free(p); });

	*out << hex.get();
}

std::mt19937_64 &generator()
{
	static std::mt19937_64 engine(448);

	return engine;
}

Bytes random_bytes()
{
	Bytes out(len);

	for (u8 &byte : out)
		byte = static_cast<u8>(generator()());
	return out;
}

/* One more than a limb of that size can be. */
constexpr u64 limit(u64 size)
{
	return size * ((1ULL << TCPCRYPT_FE448_BITS) + (1ULL << 8));
}

bool is_of_size_1(const tcpcrypt_fe448 &fe)
{
	return std::all_of(std::begin(fe.l), std::end(fe.l), [](u64 l) { return l < limit(1); });
}

tcpcrypt_fe448 random_element(u64 size)
{
	tcpcrypt_fe448 fe;

	for (u64 &limb : fe.l)
		limb = generator()() % limit(size);
	return fe;
}

/* The corners of what a size allows, the numbers about p, and some at random. */
std::vector<tcpcrypt_fe448> elements(u64 size, int random = 8)
{
	constexpr u64 mask = (1ULL << TCPCRYPT_FE448_BITS) - 1;
	const u64 max = limit(size) - 1;
	std::vector<tcpcrypt_fe448> out;

	out.push_back({});
	out.push_back({ { 1 } });
	out.push_back({ { max, max, max, max, max, max, max, max } });
	out.push_back({ { max, max, max, max } });
	out.push_back({ { 0, 0, 0, 0, max, max, max, max } });
	out.push_back({ { max, 0, max, 0, max, 0, max, 0 } });
	out.push_back({ { 0, max, 0, max, 0, max, 0, max } });
	for (int i = 0; i < TCPCRYPT_FE448_LIMBS; i++) {
		tcpcrypt_fe448 fe{};

		fe.l[i] = max;
		out.push_back(fe);
	}
	for (u64 low : { mask - 1, mask, mask + 1, mask + 2 })
		out.push_back({ { low, mask, mask, mask, mask - 1, mask, mask, mask } });
	for (u64 mid : { mask - 2, mask - 1, mask, mask + 1 })
		out.push_back({ { mask, mask, mask, mask, mid, mask, mask, mask } });
	for (int i = 0; i < random; i++)
		out.push_back(random_element(size));
	return out;
}

bool equal(const tcpcrypt_fe448 &a, const tcpcrypt_fe448 &b)
{
	return std::equal(std::begin(a.l), std::end(a.l), std::begin(b.l));
}

Bytes encode(const tcpcrypt_fe448 &fe)
{
	Bytes out(len);

	tcpcrypt_fe448_encode(out.data(), &fe);
	return out;
}

struct Result {
	bool other_than_zero;
	Bytes out;
};

Result curve448(const Bytes &k, const Bytes &u)
{
	const Exact exact_k(k), exact_u(u);
	Result result{ false, Bytes(len) };

	result.other_than_zero =
		tcpcrypt_curve448(result.out.data(), exact_k.data(), exact_u.data());
	return result;
}

/* OpenSSL's X448, which gives nothing for a point of low order. */
Bytes openssl_x448(const Bytes &k, const Bytes &u)
{
	using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
	using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
	const Key own(EVP_PKEY_new_raw_private_key(EVP_PKEY_X448, nullptr, k.data(), k.size()),
		      EVP_PKEY_free);
	const Key peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X448, nullptr, u.data(), u.size()),
		       EVP_PKEY_free);
	const Context ctx(EVP_PKEY_CTX_new(own.get(), nullptr), EVP_PKEY_CTX_free);
	Bytes out(len);
	std::size_t size = out.size();

	if (!own || !peer || !ctx || EVP_PKEY_derive_init(ctx.get()) <= 0 ||
	    EVP_PKEY_derive_set_peer(ctx.get(), peer.get()) <= 0)
		throw std::runtime_error("X448");
	if (EVP_PKEY_derive(ctx.get(), out.data(), &size) <= 0)
		return {};
	return out;
}

void expect_like_openssl(const Bytes &k, const Bytes &u)
{
	const Bytes want = openssl_x448(k, u);
	const Result got = curve448(k, u);

	EXPECT_EQ(got.other_than_zero, !want.empty());
	EXPECT_EQ(got.out, want.empty() ? Bytes(len) : want);
}

Bytes small(u8 value)
{
	Bytes out(len);

	out[0] = value;
	return out;
}

void check_x448(const vec_x448 &v)
{
	const Result got = curve448(to_bytes(v.scalar), to_bytes(v.point));

	EXPECT_EQ(got.other_than_zero ? 0 : -EPROTO, v.result);
	EXPECT_EQ(got.out, v.result ? Bytes(len) : to_bytes(v.out));
	EXPECT_EQ(openssl_x448(to_bytes(v.scalar), to_bytes(v.point)), to_bytes(v.out));
}

void check_x448_iterated(const vec_x448_iterated &v)
{
	Bytes k = small(5), u = k;

	for (int i = 0; i < v.times; i++) {
		const Bytes next = curve448(k, u).out;

		u = k;
		k = next;
	}
	EXPECT_EQ(k, to_bytes(v.out));
}

const bool registered =
	table("curve448", "tcpcrypt_curve448", vecs_x448, check_x448) &&
	table("curve448", "tcpcrypt_curve448", vecs_x448_iterated, check_x448_iterated);

TEST(curve448, tcpcrypt_curve448__like_openssl)
{
	for (int i = 0; i < 400; i++)
		expect_like_openssl(random_bytes(), random_bytes());
}

/* u near 0, p, 2^224 and 2^448, so all of the low order too, and in encodings not reduced. */
TEST(curve448, tcpcrypt_curve448__edges_of_u)
{
	const Number p = Number::prime(), half = Number(1) << 224, end = Number(1) << 448;
	std::vector<Number> us;

	for (u64 i = 0; i < 6; i++) {
		us.insert(us.end(), { Number(i), p + i, half + i, p + half - i, end - 1 - i });
		us.insert(us.end(), { p - i, half - i });
	}
	for (const Number &u : us) {
		const Bytes k = random_bytes();

		expect_like_openssl(k, u.bytes());
		EXPECT_EQ(curve448(k, u.bytes()).out, curve448(k, u.mod_p().bytes()).out);
	}
}

/* Whatever the scalar; their neighbours are not of low order. */
TEST(curve448, tcpcrypt_curve448__low_order)
{
	const Number p = Number::prime();

	for (int i = 0; i < 20; i++) {
		const Bytes k = random_bytes();

		for (const Number &u : { Number(0), Number(1), p - 1, p, p + 1 }) {
			const Result got = curve448(k, u.bytes());

			EXPECT_FALSE(got.other_than_zero);
			EXPECT_EQ(got.out, Bytes(len));
		}
		for (const Number &u : { Number(2), p - 2, p + 2, (Number(1) << 448) - 1 })
			EXPECT_TRUE(curve448(k, u.bytes()).other_than_zero);
	}
}

TEST(curve448, tcpcrypt_curve448__edges_of_k)
{
	std::vector<Bytes> ks = { Bytes(len), Bytes(len, 0xff), Bytes(len, 0xaa), Bytes(len, 0x55) };

	for (std::size_t bit = 0; bit < 8 * len; bit += 37) {
		ks.push_back(Bytes(len));
		ks.back()[bit / 8] = static_cast<u8>(1 << bit % 8);
	}
	for (const Bytes &k : ks) {
		expect_like_openssl(k, small(5));
		expect_like_openssl(k, random_bytes());
	}
}

/* The bits that clamping sets make no difference, all others do. */
TEST(curve448, tcpcrypt_curve448__clamps)
{
	const Bytes k = random_bytes(), u = random_bytes(), out = curve448(k, u).out;

	for (std::size_t bit = 0; bit < 8 * len; bit++) {
		Bytes other = k;

		other[bit / 8] = static_cast<u8>(other[bit / 8] ^ 1 << bit % 8);
		EXPECT_EQ(curve448(other, u).out == out, bit < 2 || bit == 447) << bit;
	}
}

TEST(curve448, tcpcrypt_curve448__in_place)
{
	const Bytes k = random_bytes(), u = random_bytes(), out = curve448(k, u).out;
	Bytes in_k = k, in_u = u, in_both = k;

	EXPECT_TRUE(tcpcrypt_curve448(in_k.data(), in_k.data(), u.data()));
	EXPECT_EQ(in_k, out);
	EXPECT_TRUE(tcpcrypt_curve448(in_u.data(), k.data(), in_u.data()));
	EXPECT_EQ(in_u, out);
	EXPECT_TRUE(tcpcrypt_curve448(in_both.data(), in_both.data(), in_both.data()));
	EXPECT_EQ(in_both, curve448(k, k).out);
}

TEST(curve448, tcpcrypt_curve448_public__exchange)
{
	for (int i = 0; i < 50; i++) {
		const Bytes a = random_bytes(), b = random_bytes();
		Bytes pub_a(len), pub_b(len);

		EXPECT_TRUE(tcpcrypt_curve448_public(pub_a.data(), a.data()));
		EXPECT_TRUE(tcpcrypt_curve448_public(pub_b.data(), b.data()));
		EXPECT_EQ(pub_a, openssl_x448(a, small(5)));
		EXPECT_EQ(curve448(a, pub_b).out, curve448(b, pub_a).out);
	}
}

TEST(curve448, tcpcrypt_curve448_clamp__bits)
{
	Bytes zeros(len), ones(len, 0xff), want_zeros(len), want_ones(len, 0xff);

	want_zeros[len - 1] = 0x80;
	want_ones[0] = 0xfc;
	tcpcrypt_curve448_clamp(zeros.data());
	tcpcrypt_curve448_clamp(ones.data());
	EXPECT_EQ(zeros, want_zeros);
	EXPECT_EQ(ones, want_ones);
}

TEST(curve448, tcpcrypt_fe448_decode__value)
{
	std::vector<Bytes> inputs = { Bytes(len), Bytes(len, 0xff), Number::prime().bytes() };

	for (int i = 0; i < 100; i++)
		inputs.push_back(random_bytes());
	for (const Bytes &in : inputs) {
		const Exact exact(in);
		tcpcrypt_fe448 fe;

		tcpcrypt_fe448_decode(&fe, exact.data());
		EXPECT_EQ(Number(fe), Number(in));
		EXPECT_TRUE(is_of_size_1(fe));
	}
}

TEST(curve448, tcpcrypt_fe448_encode__reduces)
{
	for (const tcpcrypt_fe448 &a : elements(1, 1000))
		EXPECT_EQ(encode(a), Number(a).mod_p().bytes());
}

/* The same about p, 2^448 and 2^224, where a carry or the question whether to subtract p turns. */
TEST(curve448, tcpcrypt_fe448_encode__edges)
{
	for (const Number &edge : { Number::prime(), Number(1) << 448, Number(1) << 224 }) {
		for (u64 i = 0; i < 40; i++) {
			const Number value = edge + i - 20;
			const tcpcrypt_fe448 fe = value.limbs();

			EXPECT_EQ(Number(fe), value);
			EXPECT_TRUE(is_of_size_1(fe));
			EXPECT_EQ(encode(fe), value.mod_p().bytes());
		}
	}
}

TEST(curve448, tcpcrypt_fe448_add__sizes)
{
	for (u64 size : { 1, 2, 100, 254 }) {
		for (const tcpcrypt_fe448 &a : elements(size)) {
			for (const tcpcrypt_fe448 &b : elements(255 - size)) {
				tcpcrypt_fe448 out, in_a = a, in_b = b;

				tcpcrypt_fe448_add(&out, &a, &b);
				EXPECT_EQ(Number(out), Number(a) + Number(b));
				tcpcrypt_fe448_add(&in_a, &in_a, &b);
				tcpcrypt_fe448_add(&in_b, &a, &in_b);
				EXPECT_TRUE(equal(in_a, out) && equal(in_b, out));
			}
		}
	}
}

TEST(curve448, tcpcrypt_fe448_sub__sizes)
{
	const Number p2 = Number::prime() + Number::prime();

	for (u64 size : { 1, 2, 100, 253 }) {
		for (const tcpcrypt_fe448 &a : elements(size)) {
			for (const tcpcrypt_fe448 &b : elements(1)) {
				tcpcrypt_fe448 out, in_a = a, in_b = b;

				tcpcrypt_fe448_sub(&out, &a, &b);
				EXPECT_EQ(Number(out), Number(a) + p2 - Number(b));
				for (u64 limb : out.l)
					EXPECT_LT(limb, limit(size + 2));
				tcpcrypt_fe448_sub(&in_a, &in_a, &b);
				tcpcrypt_fe448_sub(&in_b, &a, &in_b);
				EXPECT_TRUE(equal(in_a, out) && equal(in_b, out));
			}
		}
	}
}

void expect_mul(const tcpcrypt_fe448 &a, const tcpcrypt_fe448 &b)
{
	tcpcrypt_fe448_scratch w;
	tcpcrypt_fe448 out, in_a = a, in_b = b;

	tcpcrypt_fe448_mul(&out, &a, &b, &w);
	EXPECT_EQ(Number(out).mod_p(), (Number(a) * Number(b)).mod_p());
	EXPECT_TRUE(is_of_size_1(out));
	tcpcrypt_fe448_mul(&in_a, &in_a, &b, &w);
	tcpcrypt_fe448_mul(&in_b, &a, &in_b, &w);
	EXPECT_TRUE(equal(in_a, out) && equal(in_b, out));
}

TEST(curve448, tcpcrypt_fe448_mul__sizes)
{
	for (u64 m : { 1, 2, 3, 4, 6, 12 }) {
		for (u64 n : { u64{ 1 }, 12 / m }) {
			for (const tcpcrypt_fe448 &a : elements(m)) {
				for (const tcpcrypt_fe448 &b : elements(n))
					expect_mul(a, b);
			}
		}
	}
}

TEST(curve448, tcpcrypt_fe448_mul__random)
{
	for (int i = 0; i < 4000; i++)
		expect_mul(random_element(3), random_element(4));
}

TEST(curve448, tcpcrypt_fe448_sqr__sizes)
{
	for (u64 size : { 1, 2, 3 }) {
		for (const tcpcrypt_fe448 &a : elements(size, 1000)) {
			tcpcrypt_fe448_scratch w;
			tcpcrypt_fe448 out, in_a = a, product;

			tcpcrypt_fe448_sqr(&out, &a, &w);
			EXPECT_EQ(Number(out).mod_p(), (Number(a) * Number(a)).mod_p());
			EXPECT_TRUE(is_of_size_1(out));
			tcpcrypt_fe448_sqr(&in_a, &in_a, &w);
			tcpcrypt_fe448_mul(&product, &a, &a, &w);
			EXPECT_TRUE(equal(in_a, out) && equal(product, out));
		}
	}
}

TEST(curve448, tcpcrypt_fe448_mul_a24__sizes)
{
	for (u64 size : { 1, 3, 12 }) {
		for (const tcpcrypt_fe448 &a : elements(size, 1000)) {
			tcpcrypt_fe448_scratch w;
			tcpcrypt_fe448 out, in_a = a;

			tcpcrypt_fe448_mul_a24(&out, &a, &w);
			EXPECT_EQ(Number(out).mod_p(), (Number(a) * 39081).mod_p());
			EXPECT_TRUE(is_of_size_1(out));
			tcpcrypt_fe448_mul_a24(&in_a, &in_a, &w);
			EXPECT_TRUE(equal(in_a, out));
		}
	}
}

TEST(curve448, tcpcrypt_fe448_invert__all)
{
	for (const tcpcrypt_fe448 &a : elements(1, 100)) {
		const Number value = Number(a).mod_p();
		tcpcrypt_fe448_scratch w;
		tcpcrypt_fe448 out, t[2];

		tcpcrypt_fe448_invert(&out, &a, t, &w);
		EXPECT_EQ(Number(out).mod_p(), value.is_zero() ? Number(0) : value.inverse());
		EXPECT_TRUE(is_of_size_1(out));
	}
}

TEST(curve448, tcpcrypt_fe448_cswap__both)
{
	for (const tcpcrypt_fe448 &a : elements(255)) {
		for (const tcpcrypt_fe448 &b : elements(3)) {
			tcpcrypt_fe448 x = a, y = b;

			tcpcrypt_fe448_cswap(0, &x, &y);
			EXPECT_TRUE(equal(x, a) && equal(y, b));
			tcpcrypt_fe448_cswap(1, &x, &y);
			EXPECT_TRUE(equal(x, b) && equal(y, a));
		}
	}
}

}
