/* SPDX-License-Identifier: GPL-2.0 */
/* The enums of the uapi header, read from its text. */
#ifndef TCPCRYPT_TESTS_HEADER_HH
#define TCPCRYPT_TESTS_HEADER_HH

#include <cstdint>
#include <map>
#include <string>

/** Constants and their values, by the name of their enum. */
using Enums = std::map<std::string, std::map<std::string, std::int64_t>>;

/** Understands numbers, `1 << N`, and `NAME - 1`; throws std::runtime_error on other initializers. */
Enums read_enums(const std::string &header);

#endif
