// SPDX-License-Identifier: GPL-2.0
// The module under test: loaded and unloaded between runs, and set up for the next one.
#include "module.hh"

#include <fcntl.h>
#include <linux/tcpcrypt.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>

#include "client.hh"
#include "process.hh"

namespace bench {

static constexpr const char *module_name = "tcpcrypt";
static constexpr int unload_attempts = 200;
static constexpr useconds_t unload_pause = 50000;

bool Module::loaded() const
{
	return access("/sys/module/tcpcrypt", F_OK) == 0;
}

void Module::load(const Variant &variant)
{
	if (variant.module.empty())
		throw std::runtime_error("which module? TCPCRYPT_KO is not set");
	Descriptor file(check(open(variant.module.c_str(), O_RDONLY | O_CLOEXEC), variant.module.c_str()));
	check(syscall(SYS_finit_module, file.get(), "", 0), "loading tcpcrypt");
	variant_ = &variant;
}

void Module::unload()
{
	for (int i = 0; loaded(); i++) {
		if (syscall(SYS_delete_module, module_name, O_NONBLOCK) == 0)
			return;
		if (i == unload_attempts || (errno != EBUSY && errno != EAGAIN))
			check(-1, "unloading tcpcrypt");
		usleep(unload_pause);
	}
}

void Module::arrange(const Subject &subject)
{
	if (!subject.loaded() || subject.variant != variant_)
		unload();
	if (!subject.loaded())
		return;
	if (!loaded())
		load(*subject.variant);
	for (const auto &[key, value] : subject.variant->settings)
		network_.set_both("tcpcrypt/" + key, value);
	network_.set(Network::End::client, "tcpcrypt/enable_connect", subject.kind == Kind::fallback_passive ? "0" : "1");
	network_.set(Network::End::server, "tcpcrypt/enable_listen", subject.kind == Kind::fallback_active ? "0" : "1");
	network_.set_both("tcpcrypt/resume", subject.resumed() ? "1" : "0");
	if (subject.aead)
		network_.set_both("tcpcrypt/aeads", subject.aead->name);
}

static std::uint64_t find(const std::vector<tcpcrypt::Counter> &counters, std::uint32_t id)
{
	for (const tcpcrypt::Counter &counter : counters) {
		if (counter.id == id)
			return counter.value;
	}
	throw std::runtime_error("the module lacks counter " + std::to_string(id));
}

std::vector<std::uint64_t> Module::counters(const Subject &subject) const
{
	if (!subject.loaded())
		return {};
	tcpcrypt::Counters client, server;
	network_.in(Network::End::client, [&] { client = tcpcrypt::Client().counters(); });
	network_.in(Network::End::server, [&] { server = tcpcrypt::Client().counters(); });
	switch (subject.kind) {
	case Kind::tcpcrypt:
		return {find(client.stats, TCPCRYPT_STAT_ENCRYPTED_CONNECT),
			find(server.stats, TCPCRYPT_STAT_ENCRYPTED_ACCEPT)};
	case Kind::tcpcrypt_resumed:
		return {find(client.stats, TCPCRYPT_STAT_RESUMED_CONNECT),
			find(server.stats, TCPCRYPT_STAT_RESUMED_ACCEPT)};
	case Kind::fallback_active:
		return {find(client.fallbacks, TCPCRYPT_FALLBACK_NO_ENO_IN_SYNACK)};
	default:
		return {find(server.fallbacks, TCPCRYPT_FALLBACK_NO_ENO_IN_SYN)};
	}
}

} // namespace bench
