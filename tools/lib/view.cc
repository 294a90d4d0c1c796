// SPDX-License-Identifier: GPL-2.0
// How each part of the model looks, as JSON and as text.
#include "view.hh"

#include <algorithm>
#include <array>
#include <charconv>

#include "control/names.h"

namespace tcpcrypt {

namespace {

constexpr std::size_t short_id = 8;	/* bytes of a session ID in a table */

std::string hex_number(std::uint64_t number)
{
	std::array<char, 16> digits;
	auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
	return std::string(digits.data(), end);
}

std::string name_of(const std::map<std::uint32_t, std::string> &names, std::uint32_t id)
{
	auto found = names.find(id);
	return found == names.end() ? "0x" + hex_number(id) : found->second;
}

template <typename Value> Json or_null(const std::optional<Value> &value)
{
	return value ? Json(*value) : Json(nullptr);
}

const char *family_text(int family)
{
	switch (family) {
	case AF_INET:
		return "inet";
	case AF_INET6:
		return "inet6";
	default:
		return "-";
	}
}

std::optional<std::string> role_text(const Connection &connection)
{
	if (!connection.role)
		return std::nullopt;
	return *connection.role == 0 ? "A" : "B";
}

Style state_style(std::uint32_t state)
{
	switch (state) {
	case TCPCRYPT_STATE_ENCRYPTED:
		return Style::good;
	case TCPCRYPT_STATE_ABORTED:
		return Style::bad;
	default:
		return Style::pending;
	}
}

Json to_json(std::span<const Algorithm> algorithms)
{
	Json list = Json::array();
	for (const Algorithm &algorithm : algorithms)
		list.push_back({{"id", algorithm.id}, {"name", algorithm.name}});
	return list;
}

Json reasons_json(std::span<const Counter> counters)
{
	Json list = Json::array();
	for (const Counter &counter : counters)
		list.push_back({{"reason", counter.name}, {"id", counter.id}, {"count", counter.value}});
	return list;
}

Json features_json(std::uint64_t features)
{
	Json list = Json::array();
	if (features & TCPCRYPT_FEATURE_IPV6)
		list.push_back("ipv6");
	return list;
}

Json settings_json(std::span<const Setting> settings)
{
	Json object = Json::object();
	for (const Setting &setting : settings)
		object[setting.key] = to_json(setting);
	return object;
}

std::string value_of(std::span<const Setting> settings, const std::string &key)
{
	auto found = std::ranges::find(settings, key, &Setting::key);
	return found == settings.end() ? "-" : found->value;
}

/** "no-eno-in-synack 951, bad-port 20", most frequent first; empty when none occurred. */
std::string reasons_text(std::span<const Counter> counters)
{
	std::vector<Counter> sorted(counters.begin(), counters.end());
	std::ranges::stable_sort(sorted, std::greater{}, &Counter::value);
	std::string text;
	for (const Counter &counter : sorted)
		if (counter.value != 0)
			text += (text.empty() ? "" : ", ") + counter.name + " " + std::to_string(counter.value);
	return text;
}

Table counter_table(std::span<const Counter> counters, bool all)
{
	Table table{.columns = {{"", false}, {"", true}}, .rows = {}};
	for (const Counter &counter : counters)
		if (all || counter.value != 0)
			table.rows.push_back({{"  " + counter.name}, {std::to_string(counter.value)}});
	return table;
}

void print_counter_group(Printer &printer, const char *heading, std::span<const Counter> counters, bool all)
{
	Table table = counter_table(counters, all);
	printer.line(printer.styled(heading, Style::heading));
	if (table.rows.empty())
		printer.line("  none");
	printer.table(table);
}

} // namespace

Names::Names(const Info &info)
{
	for (const Algorithm &tep : info.teps)
		teps_[tep.id] = tep.name;
	for (const Algorithm &aead : info.aeads)
		aeads_[aead.id] = aead.name;
}

std::string Names::tep(std::uint32_t id) const
{
	return name_of(teps_, id);
}

std::string Names::aead(std::uint32_t id) const
{
	return name_of(aeads_, id);
}

std::string state_text(std::uint32_t state)
{
	const char *name = tcpcrypt_state_name(static_cast<tcpcrypt_state>(state));
	return name ? name : std::to_string(state);
}

std::string hex(std::span<const std::uint8_t> bytes)
{
	static constexpr char digits[] = "0123456789abcdef";
	std::string text;
	for (std::uint8_t byte : bytes) {
		text += digits[byte >> 4];
		text += digits[byte & 15];
	}
	return text;
}

std::string short_hex(std::span<const std::uint8_t> bytes, std::size_t limit)
{
	std::string text;
	for (std::size_t i = 0; i < std::min(bytes.size(), limit); i++)
		text += (i == 0 ? "" : ":") + hex(bytes.subspan(i, 1));
	return bytes.size() > limit ? text + "..." : text;
}

Json to_json(const Connection &connection, const Names &names)
{
	const Session *session = connection.session ? &*connection.session : nullptr;
	auto of_session = [&](auto member) { return session ? Json(session->*member) : Json(nullptr); };

	return {
		{"cookie", connection.cookie},
		{"family", family_text(connection.local.family)},
		{"local_address", connection.local.text()},
		{"local_port", connection.local_port},
		{"remote_address", connection.remote.text()},
		{"remote_port", connection.remote_port},
		{"state", state_text(connection.state)},
		{"uid", connection.uid},
		{"active", connection.active},
		{"closing", connection.closing},
		{"resumed", connection.resumed},
		{"role", or_null(role_text(connection))},
		{"tep", connection.tep ? Json(names.tep(*connection.tep)) : Json(nullptr)},
		{"aead", connection.aead ? Json(names.aead(*connection.aead)) : Json(nullptr)},
		{"tx_generation", of_session(&Session::tx_generation)},
		{"rx_generation", of_session(&Session::rx_generation)},
		{"tx_frames", of_session(&Session::tx_frames)},
		{"tx_bytes", of_session(&Session::tx_bytes)},
		{"rx_frames", of_session(&Session::rx_frames)},
		{"rx_bytes", of_session(&Session::rx_bytes)},
		{"handshake_us", of_session(&Session::handshake_us)},
		{"session_id", session && !session->id.empty() ? Json(hex(session->id)) : Json(nullptr)},
	};
}

Json to_json(const Counters &counters)
{
	Json stats = Json::object();
	for (const Counter &counter : counters.stats) {
		std::string key = counter.name;
		std::ranges::replace(key, '-', '_');
		stats[key] = counter.value;
	}
	return {
		{"stats", stats},
		{"fallbacks", reasons_json(counters.fallbacks)},
		{"aborts", reasons_json(counters.aborts)},
	};
}

Json to_json(const Setting &setting)
{
	if (setting.kind == SettingKind::list)
		return split_words(setting.value);
	std::uint64_t number;
	const char *end = setting.value.data() + setting.value.size();
	auto [rest, error] = std::from_chars(setting.value.data(), end, number);
	bool whole = error == std::errc() && rest == end;
	if (whole && (setting.kind == SettingKind::enable || setting.kind == SettingKind::number))
		return number;
	return setting.value;
}

Json to_json(const Status &status)
{
	const Info &info = status.info;
	return {
		{"version", info.version},
		{"kernel", status.kernel},
		{"draining", info.draining},
		{"features", features_json(info.features)},
		{"teps", to_json(info.teps)},
		{"aeads", to_json(info.aeads)},
		{"frame_data_limit_bytes", info.frame_data_limit},
		{"halfopen_limit", info.halfopen_limit},
		{"halfopen", info.halfopen},
		{"current", info.current},
		{"encrypted", info.encrypted},
		{"plain", info.plain},
		{"aborted", info.aborted},
		{"current_resumed", info.current_resumed},
		{"resumed", info.resumed},
		{"cached", info.cached},
		{"fallbacks", reasons_json(status.counters.fallbacks)},
		{"aborts", reasons_json(status.counters.aborts)},
		{"settings", settings_json(status.settings)},
	};
}

Json to_json(const Explanation &explanation)
{
	return {
		{"reason", tcpcrypt_reason_name(explanation.reason)},
		{"id", static_cast<int>(explanation.reason)},
		{"outcome", is_fallback(explanation.reason) ? "plain" : "aborted"},
		{"errno", explanation.error ? Json(explanation.error) : Json(nullptr)},
		{"meaning", explanation.meaning},
		{"advice", explanation.advice},
	};
}

void print_status(Printer &printer, const Status &status)
{
	printer.emit(to_json(status), [&] {
		const Info &info = status.info;
		auto setting = [&](const char *key) { return value_of(status.settings, key); };
		auto reasons = [&](const char *heading, std::span<const Counter> counters) {
			if (std::string text = reasons_text(counters); !text.empty())
				printer.line("  " + std::string(heading) + ": " + text);
		};

		printer.line(printer.styled("tcpcrypt " + info.version, Style::heading) + " loaded, kernel " +
			     status.kernel + (info.draining ? ", draining" : ""));
		printer.line("  connect " + enable_text(setting("enable_connect")) +
			     "   listen " + enable_text(setting("enable_listen")) +
			     "   teps " + setting("teps") + "   aeads " + setting("aeads"));
		printer.line("  now " + std::to_string(info.current) + " encrypted" +
			     (info.current_resumed ? " (" + std::to_string(info.current_resumed) + " resumed)" : "") +
			     (info.halfopen ? ", " + std::to_string(info.halfopen) + " half-open" : "") +
			     "   since load " + std::to_string(info.encrypted) + " encrypted, " +
			     std::to_string(info.plain) + " plain, " + std::to_string(info.aborted) + " aborted");
		reasons("why plain", status.counters.fallbacks);
		reasons("why aborted", status.counters.aborts);
	});
}

void print_connections(Printer &printer, std::span<const Connection> connections, const Names &names, bool wide)
{
	Json document = Json::array();
	Table table{.columns = {{"ID"}, {"LOCAL"}, {"REMOTE"}, {"STATE"}, {"TEP"}, {"AEAD"}, {"ROLE"}, {"KEYS"},
				{"SESSION"}}, .rows = {}};
	for (const Connection &connection : connections) {
		const auto &session = connection.session;
		document.push_back(to_json(connection, names));
		table.rows.push_back({
			{hex_number(connection.cookie)},
			{endpoint_text(connection.local, connection.local_port)},
			{endpoint_text(connection.remote, connection.remote_port)},
			{state_text(connection.state) + (connection.resumed ? ",resumed" : "") +
				 (connection.closing ? ",closing" : ""),
			 state_style(connection.state)},
			{connection.tep ? names.tep(*connection.tep) : "-"},
			{connection.aead ? names.aead(*connection.aead) : "-"},
			{role_text(connection).value_or("-")},
			{session ? std::to_string(session->tx_generation) + "/" + std::to_string(session->rx_generation) : "-"},
			{session && !session->id.empty() ?
				 short_hex(session->id, wide ? session->id.size() : short_id) : "-"},
		});
	}
	printer.emit(document, [&] { printer.table(table); });
}

void print_counters(Printer &printer, const Counters &counters, bool all)
{
	printer.emit(to_json(counters), [&] {
		print_counter_group(printer, "counters", counters.stats, true);
		print_counter_group(printer, "why plain", counters.fallbacks, all);
		print_counter_group(printer, "why aborted", counters.aborts, all);
	});
}

void print_cache(Printer &printer, const Info &info, const Counters &counters)
{
	auto count = [&](const char *name) {
		auto found = std::ranges::find(counters.stats, name, &Counter::name);
		return found == counters.stats.end() ? std::uint64_t{0} : found->value;
	};
	Json document = {
		{"cached", info.cached},
		{"offered", count("resume-offered")},
		{"refused", count("resume-refused")},
		{"agreed", count("resume-agreed")},
		{"missed", count("resume-missed")},
		{"evicted", count("resume-evicted")},
		{"resumed", info.resumed},
	};
	printer.emit(document, [&] {
		printer.line("cached " + std::to_string(info.cached) + ", dropped for want of room " +
			     std::to_string(count("resume-evicted")));
		printer.line("  as client: offered " + std::to_string(count("resume-offered")) + ", refused " +
			     std::to_string(count("resume-refused")));
		printer.line("  as server: agreed " + std::to_string(count("resume-agreed")) + ", missed " +
			     std::to_string(count("resume-missed")));
	});
}

void print_settings(Printer &printer, std::span<const Setting> settings)
{
	printer.emit(settings_json(settings), [&] {
		Table table{.columns = {{""}, {""}}, .rows = {}};
		for (const Setting &setting : settings) {
			std::string value = setting.value;
			if (setting.kind == SettingKind::enable)
				value += " (" + enable_text(setting.value) + ")";
			table.rows.push_back({{setting.key}, {value}});
		}
		printer.table(table);
	});
}

void print_explanations(Printer &printer, std::span<const Explanation> explanations)
{
	Json document = Json::array();
	for (const Explanation &explanation : explanations)
		document.push_back(to_json(explanation));
	printer.emit(document, [&] {
		for (const Explanation &explanation : explanations) {
			std::string outcome = is_fallback(explanation.reason) ? "the connection went on as plain TCP"
									      : "the connection was reset";
			if (explanation.error)
				outcome += std::string(", the program got ") + explanation.error;
			printer.line(printer.styled(tcpcrypt_reason_name(explanation.reason), Style::heading) + ": " + outcome);
			printer.line(std::string("  ") + explanation.meaning);
			printer.line(std::string("  What to do: ") + explanation.advice);
		}
	});
}

} // namespace tcpcrypt
