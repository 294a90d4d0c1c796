// SPDX-License-Identifier: GPL-2.0
// One run of a case: the family, the device's role, its agent, ports nobody used yet, and settings to be undone.
#include "run.hh"

#include <algorithm>
#include <fstream>

namespace conformance {

static std::string model_directory;

void redirect_sysctls(const std::string &directory)
{
	model_directory = directory;
}

static std::string sysctl_path(std::string name)
{
	static const std::string ours = "net.tcpcrypt.";
	if (!model_directory.empty() && name.starts_with(ours))
		return model_directory + "/" + name.substr(ours.size());
	if (name[0] == '/')
		return name;
	std::replace(name.begin(), name.end(), '.', '/');
	return "/proc/sys/" + name;
}

std::optional<std::string> read_sysctl(const std::string &name)
{
	std::ifstream file(sysctl_path(name));
	std::string value;
	if (!file || !std::getline(file, value))
		return std::nullopt;
	return value;
}

Setting::Setting(const std::string &name, const std::string &value) : path_(sysctl_path(name))
{
	auto before = read_sysctl(name);
	if (!before)
		throw Skip("no sysctl " + name);
	before_ = *before;
	std::ofstream file(path_);
	file << value << std::flush;
	check(file.good(), "sysctl " + name + " refuses " + value);
}

Setting::~Setting()
{
	std::ofstream file(path_);
	file << before_;
}

int Run::listener()
{
	static std::uint16_t next_port = 10000;
	if (listener_ < 0) {
		listener_port_ = next_port++;
		if (next_port == 19000)
			next_port = 10000;
		listener_ = device.demand_number("socket " + family_digit());
		device.demand("bind " + std::to_string(listener_) + " " + addresses().device + " " +
			      std::to_string(listener_port_));
		device.demand("listen " + std::to_string(listener_) + " 64");
	}
	return listener_;
}

std::uint16_t Run::listener_port()
{
	listener();
	return listener_port_;
}

std::uint16_t Run::fresh_port()
{
	static std::uint16_t next_port = 20000;
	std::uint16_t port = next_port++;
	if (next_port == 60000)
		next_port = 20000;
	return port;
}

} // namespace conformance
