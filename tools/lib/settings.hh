/* SPDX-License-Identifier: GPL-2.0 */
/* The sysctls net.tcpcrypt.* of the network namespace that we are in. */
#ifndef TCPCRYPT_TOOLS_SETTINGS_HH
#define TCPCRYPT_TOOLS_SETTINGS_HH

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tcpcrypt {

/** How a setting's value is to be read. */
enum class SettingKind {
	enable,		/**< 0 off, 1 offer, 2 require */
	number,
	list,		/**< words, best first */
	ports,		/**< ranges */
	text,		/**< one that this program does not know */
};

/** What this program knows of a key. */
struct SettingInfo {
	const char *key;
	SettingKind kind;
	/** What may be written, for those whose write was refused. */
	const char *allowed;
};

struct Setting {
	std::string key;
	SettingKind kind = SettingKind::text;
	/** As in the file, without the newline. */
	std::string value;
};

std::span<const SettingInfo> known_settings();

class Settings {
public:
	static constexpr const char *default_directory = "/proc/sys/net/tcpcrypt";

	explicit Settings(std::string directory = default_directory) : directory_(std::move(directory)) {}

	/** All keys: the known ones first and in our order, then others. Throws NotLoaded. */
	std::vector<Setting> all() const;
	/** One key; nothing when there is none. */
	std::optional<Setting> get(const std::string &key) const;
	/** Throws NotLoaded, UsageError for a key that does not exist, or KernelError. */
	void set(const std::string &key, const std::string &value) const;

private:
	bool exists() const;

	std::string directory_;
};

/** "offer" for "1" and so on; what it does not know comes back as it is. */
std::string enable_text(const std::string &value);
std::vector<std::string> split_words(const std::string &value, const char *separators = " \t,");

} // namespace tcpcrypt

#endif
