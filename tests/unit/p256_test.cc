// SPDX-License-Identifier: GPL-2.0
/* src/crypto/p256.c */
#include "nist.h"

extern "C" {
#include "crypto/p256.h"
}

namespace
{

const nist::Curve &curve()
{
	static const nist::Curve made(NID_X9_62_prime256v1);

	return made;
}

std::optional<Bytes> decompress(const Bytes &point)
{
	const Exact exact(point);
	Bytes xy(P256_XY_LEN);
	const int err = p256_decompress(exact.data(), xy.data());

	if (!err)
		return xy;
	EXPECT_EQ(err, -EPROTO);
	return {};
}

/* The secrets that the kernel's ECDH is to compute, from the point that it gets. */
void check_ecdh(const vec_ecdh_p256 &v)
{
	const Bytes pub = to_bytes(v.pub), point(pub.begin() + TCPCRYPT_PUB_HDR_LEN, pub.end());
	const std::optional<Bytes> xy = decompress(point);

	ASSERT_EQ(point.size(), std::size_t{ P256_POINT_LEN });
	ASSERT_EQ(xy.has_value(), !v.result);
	ASSERT_TRUE(p256_scalar_valid(v.scalar.data));
	if (!xy)
		return;
	const Bytes product = curve().multiply(nist::Number(to_bytes(v.scalar)), nist::join(4, *xy));

	EXPECT_EQ(Bytes(product.begin() + 1, product.end()), to_bytes(v.es));
}

const bool registered = table("p256", "p256_decompress", vecs_ecdh_p256, check_ecdh);

TEST(p256, p256_scalar_valid__edges)
{
	const nist::Number &n = curve().order(), all = nist::Number::power_of_2(256);

	for (BN_ULONG i = 1; i < 300; i++) {
		EXPECT_TRUE(p256_scalar_valid(nist::Number(i).bytes(P256_LEN).data())) << i;
		EXPECT_TRUE(p256_scalar_valid((n - i).bytes(P256_LEN).data())) << i;
		EXPECT_FALSE(p256_scalar_valid((n + (i - 1)).bytes(P256_LEN).data())) << i;
		EXPECT_FALSE(p256_scalar_valid((all - i).bytes(P256_LEN).data())) << i;
	}
	EXPECT_FALSE(p256_scalar_valid(nist::Number().bytes(P256_LEN).data()));
	for (int bit = 0; bit < 256; bit++) {
		const nist::Number power = nist::Number::power_of_2(bit);

		EXPECT_TRUE(p256_scalar_valid(power.bytes(P256_LEN).data())) << bit;
		EXPECT_TRUE(p256_scalar_valid((n - power).bytes(P256_LEN).data())) << bit;
		EXPECT_EQ(p256_scalar_valid(((n + power) % all).bytes(P256_LEN).data()),
			  (n + power) % all < n) << bit;
	}
}

TEST(p256, p256_decompress__random_points)
{
	std::mt19937_64 random(256);

	for (int i = 0; i < 500; i++) {
		const nist::Number scalar(nist::random_bytes(random, P256_LEN));
		const Bytes point = curve().multiply(scalar % curve().order());
		const std::optional<Bytes> xy = decompress(point);
		Bytes again(P256_POINT_LEN);

		ASSERT_TRUE(xy);
		EXPECT_EQ(*xy, *curve().decompress(point));
		p256_compress(xy->data(), again.data());
		EXPECT_EQ(again, point);
	}
}

/* About one in two is no point. */
TEST(p256, p256_decompress__random_coordinates)
{
	std::mt19937_64 random(2);
	int points = 0;

	for (int i = 0; i < 1000; i++) {
		const Bytes point = nist::join(2 + i % 2, nist::random_bytes(random, P256_LEN));

		EXPECT_EQ(decompress(point), curve().decompress(point));
		points += decompress(point).has_value();
	}
	EXPECT_GT(points, 400);
	EXPECT_LT(points, 600);
}

TEST(p256, p256_decompress__edges)
{
	for (const Bytes &x : nist::edge_coordinates(curve(), P256_LEN)) {
		for (u8 prefix : { 2, 3 }) {
			const Bytes point = nist::join(prefix, x);

			EXPECT_EQ(decompress(point), curve().decompress(point));
			if (!(nist::Number(x) < curve().prime())) {
				EXPECT_FALSE(decompress(point));
			}
		}
	}
}

TEST(p256, p256_decompress__every_prefix)
{
	const Bytes point = curve().multiply(5);

	for (unsigned int prefix = 0; prefix < 256; prefix++) {
		const Bytes other = nist::join(static_cast<u8>(prefix),
					       Bytes(point.begin() + 1, point.end()));

		EXPECT_EQ(decompress(other).has_value(), prefix == 2 || prefix == 3) << prefix;
	}
}

}
