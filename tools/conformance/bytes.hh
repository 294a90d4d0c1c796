/* SPDX-License-Identifier: GPL-2.0 */
/* Byte strings: big-endian fields, hexadecimal text, and the test pattern that both ends can make. */
#ifndef CONFORMANCE_BYTES_HH
#define CONFORMANCE_BYTES_HH

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace conformance {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

void append(Bytes &to, View more);
Bytes cat(std::initializer_list<View> parts);
Bytes slice(View from, std::size_t offset, std::size_t length);
Bytes text(std::string_view characters);

void put16(Bytes &to, std::uint16_t value);
void put32(Bytes &to, std::uint32_t value);
void put64(Bytes &to, std::uint64_t value);
std::uint16_t get16(View from, std::size_t offset);
std::uint32_t get32(View from, std::size_t offset);

std::string to_hex(View bytes);
/** Without a value when the text is not an even number of hexadecimal digits. */
std::optional<Bytes> from_hex(std::string_view digits);

/** Bytes @offset .. @offset + @length - 1 of the endless stream that @seed names. */
Bytes pattern(std::uint64_t seed, std::uint64_t offset, std::size_t length);

bool equal(View a, View b);
/** True when @part occurs in @whole. */
bool contains(View whole, View part);

} // namespace conformance

#endif
