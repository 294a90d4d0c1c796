/* SPDX-License-Identifier: GPL-2.0 */
/* One run of a case: the family, the device's role, its agent, ports nobody used yet, and settings to be undone. */
#ifndef CONFORMANCE_RUN_HH
#define CONFORMANCE_RUN_HH

#include "device.hh"

namespace conformance {

/** The role of the device under test in TCP's handshake. */
enum class Role { active, passive };

/** A sysctl, or a file by its whole path, that has another value during a scope. */
class Setting {
public:
	/** Throws Skip when the sysctl does not exist. */
	Setting(const std::string &name, const std::string &value);
	~Setting();
	Setting(const Setting &) = delete;
	Setting &operator=(const Setting &) = delete;

private:
	std::string path_;
	std::string before_;
};

/** The model's net.tcpcrypt sysctls are files in this directory. */
void redirect_sysctls(const std::string &directory);

std::optional<std::string> read_sysctl(const std::string &name);

struct Run {
	Wire &wire;
	Family family;
	Role role;
	Device &device;
	/** The shorter form of what can be shorter. */
	bool quick = false;

	std::string family_digit() const { return family == Family::v4 ? "4" : "6"; }
	const AddressPair &addresses() const { return family == Family::v4 ? addresses_v4 : addresses_v6; }
	Address device_address() const { return parse_address(addresses().device); }
	Address peer_address() const { return parse_address(addresses().peer); }

	/** The listening socket of this run and its port; made at the first call. */
	int listener();
	std::uint16_t listener_port();
	/** A port of ours that no connection used in a long time. */
	std::uint16_t fresh_port();

	int listener_ = -1;
	std::uint16_t listener_port_ = 0;
};

} // namespace conformance

#endif
