/* SPDX-License-Identifier: GPL-2.0 */
/* The NIST curves by OpenSSL, which shares no code with the module. */
#ifndef TCPCRYPT_TESTS_NIST_H
#define TCPCRYPT_TESTS_NIST_H

#include "unit.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <optional>
#include <stdexcept>

namespace nist
{

inline void check(bool ok)
{
	if (!ok)
		throw std::runtime_error("OpenSSL");
}

inline BN_CTX *ctx()
{
	static const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> made(BN_CTX_new(), BN_CTX_free);

	return made.get();
}

/* A whole number. */
class Number
{
public:
	Number(BN_ULONG value = 0) : bn_(BN_new(), BN_free) { check(BN_set_word(bn_.get(), value)); }
	explicit Number(const Bytes &bytes) : Number()
	{
		check(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), bn_.get()));
	}
	Number(const Number &other) : Number() { *this = other; }
	Number &operator=(const Number &other)
	{
		check(BN_copy(bn_.get(), other.bn_.get()));
		return *this;
	}
	static Number power_of_2(int bits)
	{
		Number number;

		check(BN_set_bit(number.bn_.get(), bits));
		return number;
	}

	BIGNUM *get() const { return bn_.get(); }
	Bytes bytes(int size) const
	{
		Bytes bytes(static_cast<std::size_t>(size));

		check(BN_bn2binpad(bn_.get(), bytes.data(), size) == size);
		return bytes;
	}
	bool operator==(const Number &other) const { return !BN_cmp(get(), other.get()); }
	bool operator<(const Number &other) const { return BN_cmp(get(), other.get()) < 0; }

	Number operator+(const Number &other) const
	{
		Number sum;

		check(BN_add(sum.get(), get(), other.get()));
		return sum;
	}
	Number operator-(const Number &other) const
	{
		Number difference;

		check(BN_sub(difference.get(), get(), other.get()));
		return difference;
	}
	Number operator*(const Number &other) const
	{
		Number product;

		check(BN_mul(product.get(), get(), other.get(), ctx()));
		return product;
	}
	/* Never negative. */
	Number operator%(const Number &modulus) const
	{
		Number rest;

		check(BN_nnmod(rest.get(), get(), modulus.get(), ctx()));
		return rest;
	}

private:
	std::unique_ptr<BIGNUM, decltype(&BN_free)> bn_;
};

class Curve
{
public:
	explicit Curve(int nid) : group_(EC_GROUP_new_by_curve_name(nid), EC_GROUP_free)
	{
		Number a, b;

		check(group_ && EC_GROUP_get_curve(group_.get(), prime_.get(), a.get(), b.get(), ctx()) &&
		      EC_GROUP_get_order(group_.get(), order_.get(), ctx()));
	}

	const Number &prime() const { return prime_; }
	const Number &order() const { return order_; }

	/* X | Y of a compressed point, or nothing if there is no such point. */
	std::optional<Bytes> decompress(const Bytes &point) const
	{
		const Point read = new_point();

		if (!EC_POINT_oct2point(group_.get(), read.get(), point.data(), point.size(), ctx()))
			return {};
		return encode(read.get(), POINT_CONVERSION_UNCOMPRESSED, 1);
	}

	/* The base point without @point. */
	Bytes multiply(const Number &scalar, const std::optional<Bytes> &point = {}) const
	{
		const Point product = new_point(), read = new_point();
		const BIGNUM *of_base = scalar.get(), *of_point = nullptr;

		if (point) {
			check(EC_POINT_oct2point(group_.get(), read.get(), point->data(),
						 point->size(), ctx()));
			std::swap(of_base, of_point);
		}
		check(EC_POINT_mul(group_.get(), product.get(), of_base, read.get(), of_point, ctx()));
		return encode(product.get(), POINT_CONVERSION_COMPRESSED, 0);
	}

private:
	using Point = std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)>;

	Point new_point() const { return Point(EC_POINT_new(group_.get()), EC_POINT_free); }

	Bytes encode(const EC_POINT *point, point_conversion_form_t form, std::size_t skip) const
	{
		Bytes bytes(2 * 66 + 1);
		const std::size_t size = EC_POINT_point2oct(group_.get(), point, form, bytes.data(),
							    bytes.size(), ctx());

		check(size);
		return Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(skip),
			     bytes.begin() + static_cast<std::ptrdiff_t>(size));
	}

	std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)> group_;
	Number prime_, order_;
};

inline Bytes join(u8 prefix, const Bytes &x)
{
	Bytes point(1, prefix);

	point.insert(point.end(), x.begin(), x.end());
	return point;
}

inline Bytes random_bytes(std::mt19937_64 &random, std::size_t size)
{
	Bytes bytes(size);

	std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<u8>(random()); });
	return bytes;
}

/* Coordinates where mistakes would be: at the ends of the range, above it, tops of zeros and of ones. */
inline std::vector<Bytes> edge_coordinates(const Curve &curve, int size)
{
	std::vector<Bytes> all;
	const Number &p = curve.prime();
	const Number limit = Number::power_of_2(8 * size);

	for (BN_ULONG i = 0; i < 40; i++) {
		for (const Number &x : { Number(i), p - Number(i + 1), p + Number(i), limit - Number(i + 1),
					 curve.order() + Number(i), curve.order() - Number(i) })
			all.push_back(x.bytes(size));
	}
	for (int bit = 0; bit < 8 * size; bit++) {
		all.push_back(Number::power_of_2(bit).bytes(size));
		all.push_back((Number::power_of_2(bit) - 1).bytes(size));
		all.push_back((p - Number::power_of_2(bit) % p).bytes(size));
	}
	return all;
}

}

#endif
