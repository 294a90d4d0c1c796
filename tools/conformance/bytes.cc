// SPDX-License-Identifier: GPL-2.0
// Byte strings: big-endian fields, hexadecimal text, and the test pattern that both ends can make.
#include "bytes.hh"

#include <algorithm>

namespace conformance {

void append(Bytes &to, View more)
{
	to.insert(to.end(), more.begin(), more.end());
}

Bytes cat(std::initializer_list<View> parts)
{
	Bytes whole;
	for (View part : parts)
		append(whole, part);
	return whole;
}

Bytes slice(View from, std::size_t offset, std::size_t length)
{
	View part = from.subspan(offset, length);
	return Bytes(part.begin(), part.end());
}

Bytes text(std::string_view characters)
{
	return Bytes(characters.begin(), characters.end());
}

void put16(Bytes &to, std::uint16_t value)
{
	to.push_back(static_cast<std::uint8_t>(value >> 8));
	to.push_back(static_cast<std::uint8_t>(value));
}

void put32(Bytes &to, std::uint32_t value)
{
	put16(to, static_cast<std::uint16_t>(value >> 16));
	put16(to, static_cast<std::uint16_t>(value));
}

void put64(Bytes &to, std::uint64_t value)
{
	put32(to, static_cast<std::uint32_t>(value >> 32));
	put32(to, static_cast<std::uint32_t>(value));
}

std::uint16_t get16(View from, std::size_t offset)
{
	return static_cast<std::uint16_t>(from[offset] << 8 | from[offset + 1]);
}

std::uint32_t get32(View from, std::size_t offset)
{
	return static_cast<std::uint32_t>(get16(from, offset)) << 16 | get16(from, offset + 2);
}

std::string to_hex(View bytes)
{
	static constexpr char digits[] = "0123456789abcdef";
	std::string out;
	out.reserve(bytes.size() * 2);
	for (std::uint8_t byte : bytes) {
		out.push_back(digits[byte >> 4]);
		out.push_back(digits[byte & 15]);
	}
	return out;
}

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

std::optional<Bytes> from_hex(std::string_view digits)
{
	if (digits.size() % 2)
		return std::nullopt;
	Bytes out;
	out.reserve(digits.size() / 2);
	for (std::size_t i = 0; i < digits.size(); i += 2) {
		int high = digit_value(digits[i]);
		int low = digit_value(digits[i + 1]);
		if (high < 0 || low < 0)
			return std::nullopt;
		out.push_back(static_cast<std::uint8_t>(high << 4 | low));
	}
	return out;
}

Bytes pattern(std::uint64_t seed, std::uint64_t offset, std::size_t length)
{
	Bytes out(length);
	std::uint64_t word = 0;
	for (std::size_t i = 0; i < length; i++) {
		std::uint64_t at = offset + i;
		if (i == 0 || at % 8 == 0) {
			word = (seed << 40) + at / 8 + 1;
			word *= 0x9e3779b97f4a7c15U;
			word ^= word >> 29;
			word *= 0xbf58476d1ce4e5b9U;
			word ^= word >> 32;
		}
		out[i] = static_cast<std::uint8_t>(word >> (at % 8 * 8));
	}
	return out;
}

bool equal(View a, View b)
{
	return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

bool contains(View whole, View part)
{
	return std::search(whole.begin(), whole.end(), part.begin(), part.end()) != whole.end();
}

} // namespace conformance
