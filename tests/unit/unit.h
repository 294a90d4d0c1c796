/* SPDX-License-Identifier: GPL-2.0 */
/* What the unit tests share: the code under test, the vectors, and tests made of tables. */
#ifndef TCPCRYPT_TESTS_UNIT_H
#define TCPCRYPT_TESTS_UNIT_H

#include "reference.h"

#include <gtest/gtest.h>

extern "C" {
#include "crypto/hkdf.h"
#include "crypto/keys.h"
#include "wire/eno.h"
#include "wire/frame.h"
#include "wire/init.h"
}

#include "vectors.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <random>
#include <string>

using reference::Bytes;
using reference::View;

/* A copy in memory of just its size: the sanitizer sees the first byte read too much. */
class Exact
{
public:
	explicit Exact(View bytes) : size_(bytes.size()), data_(new u8[bytes.size()])
	{
		std::copy(bytes.begin(), bytes.end(), data_.get());
	}
	explicit Exact(const vec_bytes &bytes) : Exact(View(bytes.data, bytes.len)) {}

	const u8 *data() const { return data_.get(); }
	unsigned int size() const { return static_cast<unsigned int>(size_); }

private:
	std::size_t size_;
	std::unique_ptr<u8[]> data_;
};

inline Bytes to_bytes(const vec_bytes &bytes)
{
	return Bytes(bytes.data, bytes.data + bytes.len);
}

inline Bytes to_bytes(const u8 *data, std::size_t len)
{
	return Bytes(data, data + len);
}

inline tcpcrypt_vec to_vec(const vec_bytes &bytes)
{
	return { bytes.data, bytes.len };
}

template <class Vector>
class TableTest : public testing::Test
{
public:
	TableTest(const Vector &vector, void (*check)(const Vector &))
	    : vector_(vector), check_(check)
	{
	}
	void TestBody() override { check_(vector_); }

private:
	const Vector &vector_;
	void (*check_)(const Vector &);
};

/* One test for each vector, named function__case and the requirements that it shows. */
template <class Vector, std::size_t n>
bool table(const char *file, const std::string &function, const Vector (&vectors)[n],
	   void (*check)(const Vector &))
{
	for (const Vector &vector : vectors) {
		std::string name = function + "__" + vector.name;

		if (*vector.reqs)
			name += std::string(" ") + vector.reqs;
		testing::RegisterTest(file, name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
				      [&vector, check]() -> testing::Test * {
					      return new TableTest<Vector>(vector, check);
				      });
	}
	return true;
}

#endif
