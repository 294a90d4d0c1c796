// SPDX-License-Identifier: GPL-2.0
// What is measured: a kind of connection, how a socket becomes one, and the proof that it is one.
#include "subject.hh"

#include <linux/tcpcrypt.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "process.hh"

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

namespace bench {

static constexpr Aead aeads[] = {
	{"aes-128-gcm", 1, TLS_CIPHER_AES_GCM_128, "gcm(aes)"},
	{"aes-256-gcm", 2, TLS_CIPHER_AES_GCM_256, "gcm(aes)"},
	{"chacha20-poly1305", 16, TLS_CIPHER_CHACHA20_POLY1305, "rfc7539(chacha20,poly1305)"},
};

std::span<const Aead> all_aeads()
{
	return aeads;
}

const char *Subject::transport() const
{
	switch (kind) {
	case Kind::ktls:
		return "ktls";
	case Kind::tls:
	case Kind::tls_resumed:
		return "tls";
	case Kind::tcpcrypt:
	case Kind::tcpcrypt_resumed:
		return "tcpcrypt";
	default:
		return "plain";
	}
}

std::string Subject::text() const
{
	switch (kind) {
	case Kind::fallback_active:
		return "plain, fallback of the active end";
	case Kind::fallback_passive:
		return "plain, fallback of the passive end";
	default:
		return transport() + (aead ? std::string(" ") + aead->name : "") + (resumed() ? ", resumed" : "") +
		       (variant && !variant->name.empty() ? " " + variant->name : "");
	}
}

/* TLS 1.3 application data with fixed keys, one for each direction. */
template <typename Info> static void set_tls_key(int fd, int direction, std::uint16_t cipher, bool from_active)
{
	Info info{};
	info.info.version = TLS_1_3_VERSION;
	info.info.cipher_type = cipher;
	std::memset(info.key, from_active ? 0x11 : 0x22, sizeof(info.key));
	std::memset(info.iv, from_active ? 0x33 : 0x44, sizeof(info.iv));
	check(setsockopt(fd, SOL_TLS, direction, &info, sizeof(info)),
	      direction == TLS_TX ? "setsockopt(TLS_TX)" : "setsockopt(TLS_RX)");
}

static void set_tls_keys(int fd, std::uint16_t cipher, bool active)
{
	for (int direction : {TLS_TX, TLS_RX}) {
		bool from_active = active == (direction == TLS_TX);
		switch (cipher) {
		case TLS_CIPHER_AES_GCM_128:
			set_tls_key<tls12_crypto_info_aes_gcm_128>(fd, direction, cipher, from_active);
			break;
		case TLS_CIPHER_AES_GCM_256:
			set_tls_key<tls12_crypto_info_aes_gcm_256>(fd, direction, cipher, from_active);
			break;
		default:
			set_tls_key<tls12_crypto_info_chacha20_poly1305>(fd, direction, cipher, from_active);
		}
	}
}

void prepare_socket(const Subject &subject, int fd, bool active)
{
	int on = 1;
	check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), "setsockopt(TCP_NODELAY)");
	if (subject.kind != Kind::ktls)
		return;
	check(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")), "setsockopt(TCP_ULP, tls)");
	set_tls_keys(fd, subject.aead->tls_cipher, active);
	// Lets kTLS decrypt straight into the reader's pages with TLS 1.3.
	check(setsockopt(fd, SOL_TLS, TLS_RX_EXPECT_NO_PAD, &on, sizeof(on)), "setsockopt(TLS_RX_EXPECT_NO_PAD)");
}

static void verify_tls(int fd, const Aead &aead)
{
	for (int direction : {TLS_TX, TLS_RX}) {
		tls_crypto_info info{};
		socklen_t length = sizeof(info);
		check(getsockopt(fd, SOL_TLS, direction, &info, &length), "getsockopt of kTLS");
		if (info.version != TLS_1_3_VERSION || info.cipher_type != aead.tls_cipher)
			throw std::runtime_error("kTLS has another cipher than was set");
	}
}

void verify_socket(const Subject &subject, int fd)
{
	int id = -1;
	socklen_t length = sizeof(id);
	bool failed = getsockopt(fd, SOL_TCP_ENO, TCP_CRYPT_AEAD, &id, &length) < 0;
	int error = errno;
	if (subject.tcpcrypt()) {
		if (failed)
			throw std::runtime_error(std::string("the connection is not encrypted: TCP_CRYPT_AEAD: ") +
						 std::strerror(error));
		if (id != subject.aead->id)
			throw std::runtime_error("the connection uses AEAD " + std::to_string(id) + ", not " +
						 std::to_string(subject.aead->id));
		return;
	}
	// Plain TCP over IPv4 has another error for an unknown level than over IPv6.
	if (!failed || (error != ENOPROTOOPT && error != EOPNOTSUPP))
		throw std::runtime_error("the connection should not be encrypted by tcpcrypt, but is");
	if (subject.kind == Kind::ktls)
		verify_tls(fd, *subject.aead);
}

std::string driver_of(const Aead &aead)
{
	std::ifstream file("/proc/crypto");
	std::string line, name, driver, best;
	int highest = -1;
	while (std::getline(file, line)) {
		std::size_t colon = line.find(':');
		if (colon == line.npos || colon + 2 > line.size())
			continue;
		std::string value = line.substr(colon + 2);
		if (line.starts_with("name ")) {
			name = value;
		} else if (line.starts_with("driver ")) {
			driver = value;
		} else if (line.starts_with("priority ") && name == aead.algorithm && std::stoi(value) > highest) {
			highest = std::stoi(value);
			best = driver;
		}
	}
	return best;
}

} // namespace bench
