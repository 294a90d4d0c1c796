// SPDX-License-Identifier: GPL-2.0
// The sysctls net.tcpcrypt.* of the network namespace that we are in.
#include "settings.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "error.hh"

namespace tcpcrypt {

namespace {

constexpr auto ports_allowed = "port numbers and ranges such as 22,443,8000-8010; nothing for none";

constexpr std::array known{
	SettingInfo{"enable_connect", SettingKind::enable, "0 (off), 1 (offer) or 2 (require)"},
	SettingInfo{"enable_listen", SettingKind::enable, "0 (off), 1 (offer) or 2 (require)"},
	SettingInfo{"loopback", SettingKind::number, "0 or 1"},
	SettingInfo{"bad_connect_ports", SettingKind::ports, ports_allowed},
	SettingInfo{"bad_listen_ports", SettingKind::ports, ports_allowed},
	SettingInfo{"teps", SettingKind::list, "names or numbers of TEPs that `tcpcryptctl status -j` lists, best first"},
	SettingInfo{"aeads", SettingKind::list, "names or numbers of AEADs that `tcpcryptctl status -j` lists, best first"},
	SettingInfo{"syn_retries", SettingKind::number, "0 to 6"},
	SettingInfo{"path_lifetime", SettingKind::number, "0 to 86400"},
	SettingInfo{"handshake_timeout_ms", SettingKind::number, "100 to 600000"},
	SettingInfo{"max_halfopen", SettingKind::number, "0 to 1048576"},
	SettingInfo{"rekey_frames", SettingKind::number, "1 or more"},
	SettingInfo{"rekey_bytes", SettingKind::number, "1 or more"},
	SettingInfo{"frame_max", SettingKind::number, "1024 to 65518"},
	SettingInfo{"resume", SettingKind::number, "0 or 1"},
	SettingInfo{"resume_cache", SettingKind::number, "0 to 65536 session secrets"},
	SettingInfo{"resume_lifetime", SettingKind::number, "1 to 604800 seconds"},
	SettingInfo{"resume_nonce_len", SettingKind::number, "0 to 8 bytes"},
};

/** Where a key stands in our order; behind all of them if it is not known. */
std::size_t rank(const std::string &key)
{
	auto found = std::ranges::find_if(known, [&](const SettingInfo &info) { return key == info.key; });
	return static_cast<std::size_t>(found - known.begin());
}

/** A key, and not a way out of the directory. */
bool is_key(const std::string &key)
{
	return !key.empty() && key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == key.npos;
}

} // namespace

std::span<const SettingInfo> known_settings()
{
	return known;
}

bool Settings::exists() const
{
	std::error_code error;
	return std::filesystem::is_directory(directory_, error);
}

std::vector<Setting> Settings::all() const
{
	if (!exists())
		throw NotLoaded();
	std::vector<Setting> settings;
	for (const auto &entry : std::filesystem::directory_iterator(directory_))
		if (auto setting = get(entry.path().filename()))
			settings.push_back(*setting);
	std::ranges::sort(settings, {}, [](const Setting &setting) {
		return std::pair(rank(setting.key), setting.key);
	});
	return settings;
}

std::optional<Setting> Settings::get(const std::string &key) const
{
	if (!is_key(key))
		return std::nullopt;
	std::ifstream file(directory_ + "/" + key);
	if (!file)
		return std::nullopt;
	std::string value(std::istreambuf_iterator<char>(file), {});
	while (!value.empty() && value.back() == '\n')
		value.pop_back();
	std::size_t place = rank(key);
	return Setting{key, place < known.size() ? known[place].kind : SettingKind::text, value};
}

void Settings::set(const std::string &key, const std::string &value) const
{
	if (!exists())
		throw NotLoaded();
	int fd = is_key(key) ? open((directory_ + "/" + key).c_str(), O_WRONLY | O_CLOEXEC) : (errno = ENOENT, -1);
	int error = errno;
	if (fd < 0 && error == ENOENT)
		throw UsageError("there is no setting '" + key + "'; `tcpcryptctl config show` lists them");

	// In one write: the kernel takes a value whole or not at all.
	std::string line = value + "\n";
	bool written = false;
	if (fd >= 0) {
		written = write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
		error = errno;
		close(fd);
	}
	if (written)
		return;
	std::string what = "the kernel refused '" + value + "' for " + key + ": " + std::strerror(error);
	if (error == EACCES || error == EPERM)
		what += "; this needs CAP_NET_ADMIN in the network namespace: run it as root";
	else if (std::size_t place = rank(key); place < known.size())
		what += std::string("; it takes ") + known[place].allowed;
	throw KernelError(error, what);
}

std::string enable_text(const std::string &value)
{
	static constexpr std::array names{"off", "offer", "require"};
	for (std::size_t i = 0; i < names.size(); i++)
		if (value == std::to_string(i))
			return names[i];
	return value;
}

std::vector<std::string> split_words(const std::string &value, const char *separators)
{
	std::vector<std::string> words;
	std::size_t start = 0;
	while ((start = value.find_first_not_of(separators, start)) != value.npos) {
		std::size_t end = std::min(value.find_first_of(separators, start), value.size());
		words.push_back(value.substr(start, end - start));
		start = end;
	}
	return words;
}

} // namespace tcpcrypt
