/* SPDX-License-Identifier: GPL-2.0 */
/* How each part of the model looks, as JSON and as text. */
#ifndef TCPCRYPT_TOOLS_VIEW_HH
#define TCPCRYPT_TOOLS_VIEW_HH

#include <span>

#include "model.hh"
#include "print.hh"
#include "reasons.hh"
#include "settings.hh"

namespace tcpcrypt {

/** Names of TEPs and AEADs, as the module tells them. */
class Names {
public:
	Names() = default;
	explicit Names(const Info &info);

	/** "0x24" for one that has no name here. */
	std::string tep(std::uint32_t id) const;
	std::string aead(std::uint32_t id) const;

private:
	std::map<std::uint32_t, std::string> teps_;
	std::map<std::uint32_t, std::string> aeads_;
};

/** All that `status` tells. */
struct Status {
	/** Of the running kernel, as uname(2) has it. */
	std::string kernel;
	Info info;
	Counters counters;
	/** Empty when they cannot be read. */
	std::vector<Setting> settings;
};

Json to_json(const Connection &connection, const Names &names);
Json to_json(const Counters &counters);
Json to_json(const Setting &setting);
Json to_json(const Status &status);
Json to_json(const Explanation &explanation);

void print_status(Printer &printer, const Status &status);
/** @p wide: session IDs in full. */
void print_connections(Printer &printer, std::span<const Connection> connections, const Names &names, bool wide);
/** @p all: reasons that never occurred, too. */
void print_counters(Printer &printer, const Counters &counters, bool all);
/** The cache of session secrets: its numbers, never what is in it. */
void print_cache(Printer &printer, const Info &info, const Counters &counters);
void print_settings(Printer &printer, std::span<const Setting> settings);
void print_explanations(Printer &printer, std::span<const Explanation> explanations);

/** "encrypted"; a number for a state that has no name here. */
std::string state_text(std::uint32_t state);
/** "239f41": the whole ID */
std::string hex(std::span<const std::uint8_t> bytes);
/** "23:9f:41": with colons, and dots behind the first @p limit bytes if there are more */
std::string short_hex(std::span<const std::uint8_t> bytes, std::size_t limit);

} // namespace tcpcrypt

#endif
