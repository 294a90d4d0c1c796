// SPDX-License-Identifier: GPL-2.0
/* src/crypto/fe521.c, src/crypto/p521.c */
#include "nist.h"

extern "C" {
#include "crypto/p521.h"
}

namespace
{

const nist::Curve &curve()
{
	static const nist::Curve made(NID_secp521r1);

	return made;
}

const nist::Number &prime()
{
	return curve().prime();
}

/* No limb may reach this. */
constexpr u64 limb_end = (u64{ 1 } << FE521_BITS) + (u64{ 1 } << 6);

nist::Number value(const fe521 &a)
{
	nist::Number sum;

	for (int i = 0; i < FE521_LIMBS; i++)
		sum = sum + nist::Number(a.v[i]) * nist::Number::power_of_2(FE521_BITS * i);
	return sum;
}

fe521 all_limbs(u64 limb)
{
	fe521 a;

	std::fill(std::begin(a.v), std::end(a.v), limb);
	return a;
}

fe521 to_element(const nist::Number &number)
{
	const Exact bytes(number.bytes(FE521_LEN));
	fe521 a;

	fe521_from_bytes(&a, bytes.data());
	return a;
}

Bytes encoded(const fe521 &a)
{
	Bytes bytes(FE521_LEN);

	fe521_to_bytes(&a, bytes.data());
	return bytes;
}

/* Any form of any number, from both ends of what a limb may be and from between. */
std::vector<fe521> elements()
{
	constexpr u64 limbs[] = { 0, 1, limb_end - 1, limb_end - 2, (1ULL << 58), (1ULL << 58) - 1,
				  (1ULL << 57), (1ULL << 57) - 1 };
	std::vector<fe521> all;
	std::mt19937_64 random(521);

	for (u64 limb : limbs)
		all.push_back(all_limbs(limb));
	for (u64 rest : { u64{ 0 }, (u64{ 1 } << 58) - 1, limb_end - 1 }) {
		for (u64 limb : { u64{ 0 }, u64{ 1 } << 57, limb_end - 1 }) {
			for (int i = 0; i < FE521_LIMBS; i++) {
				fe521 a = all_limbs(rest);

				a.v[i] = limb;
				all.push_back(a);
			}
		}
	}
	for (int i = 0; i < 40; i++) {
		fe521 a;

		for (u64 &limb : a.v)
			limb = random() % 2 ? random() % limb_end : limbs[random() % std::size(limbs)];
		all.push_back(a);
	}
	/* 0 and 1, once more: p and p + 1, 2p and 2p + 1 */
	for (u64 low : { 1ULL << 58, (1ULL << 58) - 1, (1ULL << 58) - 2 }) {
		fe521 a = all_limbs((1ULL << 58) - 1);

		a.v[0] = low;
		all.push_back(a);
		a.v[8] = (1ULL << 57) - 1;
		all.push_back(a);
	}
	return all;
}

void expect(const fe521 &a, const nist::Number &want)
{
	for (u64 limb : a.v)
		EXPECT_LT(limb, limb_end);
	EXPECT_EQ(encoded(a), (want % prime()).bytes(FE521_LEN));
}

TEST(fe521, fe521_to_bytes__below_p)
{
	for (const fe521 &a : elements())
		expect(a, value(a));
}

TEST(fe521, fe521_from_bytes__edges)
{
	for (const Bytes &bytes : nist::edge_coordinates(curve(), FE521_LEN)) {
		const Exact exact(bytes);
		const nist::Number number(bytes);
		fe521 a;

		EXPECT_EQ(fe521_from_bytes(&a, exact.data()), number < prime());
		if (number < prime()) {
			EXPECT_EQ(value(a), number);
		}
	}
}

/* Each place of each byte. */
TEST(fe521, fe521_from_bytes__one_byte)
{
	for (int i = 0; i < FE521_LEN; i++) {
		for (int byte = 0; byte < 256; byte++) {
			Bytes bytes(FE521_LEN);
			fe521 a;

			bytes[i] = static_cast<u8>(byte);
			EXPECT_EQ(fe521_from_bytes(&a, bytes.data()), i || byte <= 1);
			if (i || byte <= 1) {
				EXPECT_EQ(encoded(a), bytes);
			}
		}
	}
}

TEST(fe521, fe521_mul__all_pairs)
{
	const std::vector<fe521> all = elements();

	for (const fe521 &a : all) {
		const nist::Number number = value(a);

		for (const fe521 &b : all) {
			const nist::Number other = value(b);
			fe521 out;

			fe521_mul(&out, &a, &b);
			expect(out, number * other);
			fe521_add(&out, &a, &b);
			expect(out, number + other);
			fe521_sub(&out, &a, &b);
			expect(out, number - other);
			EXPECT_EQ(fe521_equal(&a, &b), number % prime() == other % prime());
			if (testing::Test::HasFailure())
				return;
		}
	}
}

TEST(fe521, fe521_mul__in_place)
{
	for (const fe521 &a : elements()) {
		const nist::Number number = value(a);
		fe521 out = a;

		fe521_mul(&out, &out, &out);
		expect(out, number * number);
		out = a;
		fe521_add(&out, &out, &out);
		expect(out, number + number);
		out = a;
		fe521_sub(&out, &out, &out);
		expect(out, 0);
		out = a;
		fe521_invert(&out, &out);
		fe521_mul(&out, &out, &a);
		expect(out, number % prime() == 0 ? 0 : 1);
	}
}

TEST(fe521, fe521_invert__product_is_1)
{
	for (const fe521 &a : elements()) {
		fe521 out;

		fe521_invert(&out, &a);
		fe521_mul(&out, &out, &a);
		expect(out, value(a) % prime() == 0 ? 0 : 1);
	}
}

TEST(fe521, fe521_sqrt__of_squares)
{
	for (const fe521 &a : elements()) {
		fe521 square, root;

		fe521_mul(&square, &a, &a);
		fe521_sqrt(&root, &square);
		fe521_mul(&root, &root, &root);
		EXPECT_TRUE(fe521_equal(&root, &square));
	}
}

TEST(fe521, fe521_select__mask)
{
	const fe521 a = to_element(12345), b = to_element(prime() - 1);
	fe521 out = a;

	fe521_select(&out, &b, 0);
	EXPECT_EQ(value(out), value(a));
	fe521_select(&out, &b, ~0ULL);
	EXPECT_EQ(value(out), value(b));
}

std::optional<Bytes> decompress(const Bytes &point)
{
	const Exact exact(point);
	fe521 x, y;
	const int err = p521_decompress(exact.data(), &x, &y);
	Bytes xy = encoded(x);

	if (err) {
		EXPECT_EQ(err, -EPROTO);
		return {};
	}
	for (u8 byte : encoded(y))
		xy.push_back(byte);
	return xy;
}

/* Compressed; nothing when @point is refused. */
std::optional<Bytes> multiply(const Bytes &scalar, const std::optional<Bytes> &point = {})
{
	const Exact exact_scalar(scalar), exact_point(point.value_or(Bytes{ 0 }));
	const auto work = std::make_unique<p521_work>();
	Bytes product(P521_POINT_LEN);
	int err;

	std::fill_n(reinterpret_cast<u8 *>(work.get()), sizeof(*work), u8{ 0xa5 });
	EXPECT_TRUE(p521_scalar_valid(exact_scalar.data()));
	err = p521_multiply(work.get(), exact_scalar.data(), point ? exact_point.data() : nullptr,
			    product.data());
	if (err) {
		EXPECT_EQ(err, -EPROTO);
		return {};
	}
	EXPECT_EQ(to_bytes(reinterpret_cast<u8 *>(work.get()), sizeof(*work)), Bytes(sizeof(*work)));
	return product;
}

void check_ecdh(const vec_ecdh_p521 &v)
{
	const Bytes pub = to_bytes(v.pub), point(pub.begin() + TCPCRYPT_PUB_HDR_LEN, pub.end());
	const std::optional<Bytes> product = multiply(to_bytes(v.scalar), point);

	ASSERT_EQ(point.size(), std::size_t{ P521_POINT_LEN });
	EXPECT_EQ(curve().decompress(point).has_value(), !v.result);
	ASSERT_EQ(product.has_value(), !v.result);
	if (!product)
		return;
	EXPECT_EQ(Bytes(product->begin() + 1, product->end()), to_bytes(v.es));
	EXPECT_EQ(*product, curve().multiply(nist::Number(to_bytes(v.scalar)), point));
}

const bool registered = table("p521", "p521_multiply", vecs_ecdh_p521, check_ecdh);

TEST(p521, p521_scalar_valid__edges)
{
	const nist::Number &n = curve().order(), all = nist::Number::power_of_2(528);

	for (BN_ULONG i = 1; i < 300; i++) {
		EXPECT_TRUE(p521_scalar_valid(nist::Number(i).bytes(P521_LEN).data())) << i;
		EXPECT_TRUE(p521_scalar_valid((n - i).bytes(P521_LEN).data())) << i;
		EXPECT_FALSE(p521_scalar_valid((n + (i - 1)).bytes(P521_LEN).data())) << i;
		EXPECT_FALSE(p521_scalar_valid((all - i).bytes(P521_LEN).data())) << i;
	}
	EXPECT_FALSE(p521_scalar_valid(nist::Number().bytes(P521_LEN).data()));
	for (int bit = 0; bit < 528; bit++) {
		const nist::Number power = nist::Number::power_of_2(bit);

		EXPECT_EQ(p521_scalar_valid(power.bytes(P521_LEN).data()), bit < 521) << bit;
		EXPECT_FALSE(p521_scalar_valid(((n + power) % all).bytes(P521_LEN).data())) << bit;
		if (bit < 521) {
			EXPECT_TRUE(p521_scalar_valid((n - power).bytes(P521_LEN).data())) << bit;
		}
	}
}

TEST(p521, p521_decompress__random_points)
{
	std::mt19937_64 random(521);

	for (int i = 0; i < 400; i++) {
		const nist::Number scalar(nist::random_bytes(random, P521_LEN));
		const Bytes point = curve().multiply(scalar % curve().order());

		ASSERT_TRUE(decompress(point));
		EXPECT_EQ(*decompress(point), *curve().decompress(point));
	}
}

/* About one in two is no point. */
TEST(p521, p521_decompress__random_coordinates)
{
	std::mt19937_64 random(2);
	int points = 0;

	for (int i = 0; i < 600; i++) {
		Bytes x = nist::random_bytes(random, P521_LEN);

		x[0] &= 1;
		const Bytes point = nist::join(2 + i % 2, x);

		EXPECT_EQ(decompress(point), curve().decompress(point));
		points += decompress(point).has_value();
	}
	EXPECT_GT(points, 230);
	EXPECT_LT(points, 370);
}

TEST(p521, p521_decompress__edges)
{
	for (const Bytes &x : nist::edge_coordinates(curve(), P521_LEN)) {
		for (u8 prefix : { 2, 3 }) {
			const Bytes point = nist::join(prefix, x);

			EXPECT_EQ(decompress(point), curve().decompress(point));
			if (!(nist::Number(x) < prime())) {
				EXPECT_FALSE(decompress(point));
			}
		}
	}
}

TEST(p521, p521_decompress__every_prefix)
{
	const Bytes point = curve().multiply(5);

	for (unsigned int prefix = 0; prefix < 256; prefix++) {
		const Bytes other = nist::join(static_cast<u8>(prefix),
					       Bytes(point.begin() + 1, point.end()));

		EXPECT_EQ(decompress(other).has_value(), prefix == 2 || prefix == 3) << prefix;
	}
}

TEST(p521, p521_multiply__random)
{
	std::mt19937_64 random(1);

	for (int i = 0; i < 100; i++) {
		const nist::Number scalar = nist::Number(nist::random_bytes(random, 80)) % curve().order();
		const nist::Number other = nist::Number(nist::random_bytes(random, 80)) % curve().order();
		const Bytes own = curve().multiply(scalar), peer = curve().multiply(other);

		EXPECT_EQ(*multiply(scalar.bytes(P521_LEN)), own);
		EXPECT_EQ(*multiply(scalar.bytes(P521_LEN), peer), curve().multiply(scalar, peer));
		EXPECT_EQ(*multiply(scalar.bytes(P521_LEN), peer), *multiply(other.bytes(P521_LEN), own));
	}
}

std::vector<nist::Number> edge_scalars()
{
	const nist::Number &n = curve().order();
	std::vector<nist::Number> all;

	for (BN_ULONG i = 1; i < 34; i++) {
		all.push_back(i);
		all.push_back(n - i);
	}
	/* One digit, wherever it is; digits that are all the same; all ones */
	for (int bit = 0; bit < 521; bit += 13)
		all.push_back(nist::Number::power_of_2(bit));
	for (u8 byte : { 0x11, 0x77, 0x88, 0xf0, 0x0f, 0xff }) {
		Bytes bytes(P521_LEN, byte);

		bytes[0] = 0;
		all.push_back(nist::Number(bytes));
		bytes[0] = 1;
		if (nist::Number(bytes) < n)
			all.push_back(nist::Number(bytes));
	}
	all.push_back(nist::Number::power_of_2(521) - nist::Number::power_of_2(300));
	return all;
}

TEST(p521, p521_multiply__edge_scalars)
{
	const Bytes point = curve().multiply(987654321);

	for (const nist::Number &scalar : edge_scalars()) {
		if (!(scalar < curve().order()))
			continue;
		EXPECT_EQ(*multiply(scalar.bytes(P521_LEN)), curve().multiply(scalar));
		EXPECT_EQ(*multiply(scalar.bytes(P521_LEN), point), curve().multiply(scalar, point));
	}
}

/* X with tops of zeros or of ones, as peers and as results. */
TEST(p521, p521_multiply__edge_points)
{
	const Bytes scalar = (curve().order() - 3).bytes(P521_LEN);
	int points = 0;

	for (const Bytes &x : nist::edge_coordinates(curve(), P521_LEN)) {
		const Bytes point = nist::join(3, x);

		if (points == 100)
			break;
		if (!curve().decompress(point))
			continue;
		points++;
		EXPECT_EQ(*multiply(scalar, point), curve().multiply(nist::Number(scalar), point));
		EXPECT_EQ(*multiply(nist::Number(1).bytes(P521_LEN), point), point);
	}
	EXPECT_EQ(points, 100);
}

}
