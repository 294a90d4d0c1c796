/* SPDX-License-Identifier: GPL-2.0 */
/* A reader for the part of YAML that netlink specs use. */
#ifndef TCPCRYPT_TESTS_YAML_HH
#define TCPCRYPT_TESTS_YAML_HH

#include <nlohmann/json.hpp>
#include <string>

/**
 * Block mappings and sequences, plain scalars, folded text (`>-`), anchors and aliases, comments on lines of
 * their own. Throws std::runtime_error with the line's number on anything else that it notices. Integers
 * and booleans become such, all other scalars strings.
 */
nlohmann::ordered_json read_yaml(const std::string &text);

#endif
