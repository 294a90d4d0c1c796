// SPDX-License-Identifier: GPL-2.0
// Results: medians, ranges and ratios, as a table and as JSON.
#include "report.hh"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace bench {

double median_of(std::vector<double> values)
{
	if (values.empty())
		throw std::logic_error("the median of nothing");
	std::sort(values.begin(), values.end());
	std::size_t half = values.size() / 2;
	return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/* What is to be compared with: the same work over another kind of connection. */
static const Series *find(const std::vector<Series> &all, const Series &like, const Subject &subject)
{
	for (const Series &series : all) {
		if (series.workload == like.workload && series.connections == like.connections &&
		    series.subject == subject)
			return &series;
	}
	return nullptr;
}

static std::optional<double> ratio(const Series &series, const Series *base)
{
	if (!base || base == &series)
		return std::nullopt;
	std::vector<double> ratios;
	for (std::size_t i = 0; i < std::min(series.rates.size(), base->rates.size()); i++)
		ratios.push_back(series.rates[i] / base->rates[i]);
	if (ratios.empty())
		return std::nullopt;
	return median_of(ratios);
}

static std::string name_of(const Series &series)
{
	std::string name = workload_name(series.workload);
	if (series.subject.kind == Kind::fallback_active)
		name += "-fallback-active";
	if (series.subject.kind == Kind::fallback_passive)
		name += "-fallback-passive";
	if (series.subject.resumed())
		name += "-resumed";
	if (series.subject.variant && !series.subject.variant->name.empty())
		name += " " + series.subject.variant->name;
	return name;
}

static const char *unit_of(Workload workload)
{
	switch (workload) {
	case Workload::bulk:
		return "Gbit/s";
	case Workload::ping_pong:
		return "round trips/s";
	default:
		return "connections/s";
	}
}

std::vector<Row> make_rows(const std::vector<Series> &all)
{
	std::vector<Row> rows;
	for (const Series &series : all) {
		if (series.rates.empty())
			continue;
		const double scale = series.workload == Workload::bulk ? 1e-9 : 1;
		const auto [min, max] = std::minmax_element(series.rates.begin(), series.rates.end());
		const Aead *aead = series.subject.aead;
		Row row{name_of(series), series.subject.transport(), aead ? aead->name : "", series.connections,
			median_of(series.rates) * scale, *min * scale, *max * scale, unit_of(series.workload),
			ratio(series, find(all, series, {Kind::plain})), std::nullopt, std::nullopt};
		if (series.subject.tcpcrypt()) {
			row.vs_ktls = ratio(series, find(all, series, {Kind::ktls, aead}));
			row.vs_tls = ratio(series, find(all, series, {series.subject.resumed() ? Kind::tls_resumed : Kind::tls}));
		}
		rows.push_back(row);
	}
	return rows;
}

static std::string ratio_text(const std::optional<double> &ratio)
{
	char text[32] = "";
	if (ratio)
		std::snprintf(text, sizeof(text), "%.3f", *ratio);
	return text;
}

void print_table(std::ostream &out, const std::vector<Row> &rows)
{
	static const char *const format = "%-25s %-9s %-18s %5s %10s %10s %10s  %-14s %8s %8s %8s\n";
	char line[160];
	auto number = [](double value) {
		char text[32];
		std::snprintf(text, sizeof(text), value < 100 ? "%.2f" : "%.0f", value);
		return std::string(text);
	};
	std::snprintf(line, sizeof(line), format, "NAME", "TRANSPORT", "AEAD", "CONNS", "MEDIAN", "MIN", "MAX", "UNIT",
		      "VS PLAIN", "VS KTLS", "VS TLS");
	out << line;
	for (const Row &row : rows) {
		std::snprintf(line, sizeof(line), format, row.name.c_str(), row.transport.c_str(), row.aead.c_str(),
			      std::to_string(row.connections).c_str(), number(row.median).c_str(),
			      number(row.min).c_str(), number(row.max).c_str(), row.unit.c_str(),
			      ratio_text(row.vs_plain).c_str(), ratio_text(row.vs_ktls).c_str(),
			      ratio_text(row.vs_tls).c_str());
		out << line;
	}
}

void write_json(const std::string &path, const std::vector<Row> &rows)
{
	using Json = nlohmann::ordered_json;
	auto or_null = [](const std::optional<double> &value) { return value ? Json(*value) : Json(); };
	Json list = Json::array();
	for (const Row &row : rows) {
		list.push_back({{"name", row.name},
				{"transport", row.transport},
				{"aead", row.aead.empty() ? Json() : Json(row.aead)},
				{"connections", row.connections},
				{"median", row.median},
				{"min", row.min},
				{"max", row.max},
				{"unit", row.unit},
				{"vs_plain", or_null(row.vs_plain)},
				{"vs_ktls", or_null(row.vs_ktls)},
				{"vs_tls", or_null(row.vs_tls)}});
	}
	std::ofstream file(path);
	file << list.dump(2) << std::endl;
	if (!file)
		throw std::runtime_error("cannot write " + path);
}

} // namespace bench
