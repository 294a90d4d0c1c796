/* SPDX-License-Identifier: GPL-2.0 */
/* What is measured: a kind of connection, how a socket becomes one, and the proof that it is one. */
#ifndef TCPCRYPT_BENCH_SUBJECT_HH
#define TCPCRYPT_BENCH_SUBJECT_HH

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bench {

enum class Kind {
	plain,			/**< the module is not loaded */
	fallback_active,	/**< loaded, offered by the active end, not answered */
	fallback_passive,	/**< loaded, not offered to the passive end */
	ktls,			/**< the module is not loaded, keys set by hand */
	tls,			/**< the module is not loaded; OpenSSL, to compare the set-up of connections */
	tls_resumed,		/**< the same, each connection resumes the session of the one before */
	tcpcrypt,
	tcpcrypt_resumed,	/**< each connection resumes the session of the one before; elsewhere none is */
};

struct Aead {
	/** As net.tcpcrypt.aeads has it. */
	const char *name;
	/** For TCP_CRYPT_AEAD (RFC 8548 section 7). */
	int id;
	/** TLS_CIPHER_* */
	std::uint16_t tls_cipher;
	/** As the kernel's crypto API has it. */
	const char *algorithm;
};

std::span<const Aead> all_aeads();

/** A build of the module and its settings, where several are compared. */
struct Variant {
	struct Setting {
		std::string key;
		std::string value;
	};

	/** For the table; empty for the usual one. */
	std::string name;
	/** The .ko. */
	std::string module;
	/** Sysctls below net.tcpcrypt, of both ends. */
	std::vector<Setting> settings;
};

struct Subject {
	Kind kind;
	/** Null unless encrypted. */
	const Aead *aead = nullptr;
	/** Null unless the module is loaded. */
	const Variant *variant = nullptr;

	bool fallback() const { return kind == Kind::fallback_active || kind == Kind::fallback_passive; }
	bool tls() const { return kind == Kind::tls || kind == Kind::tls_resumed; }
	bool tcpcrypt() const { return kind == Kind::tcpcrypt || kind == Kind::tcpcrypt_resumed; }
	bool resumed() const { return kind == Kind::tls_resumed || kind == Kind::tcpcrypt_resumed; }
	bool loaded() const { return fallback() || tcpcrypt(); }
	/** plain, ktls, tls or tcpcrypt. */
	const char *transport() const;
	/** For messages: "tcpcrypt aes-128-gcm". */
	std::string text() const;
	bool operator==(const Subject &) const = default;
};

/** Both ends call it on a connected socket, before the first byte. */
void prepare_socket(const Subject &subject, int fd, bool active);

/** After a byte came from the other end: throws unless the connection is what it should be. */
void verify_socket(const Subject &subject, int fd);

/** The driver that the crypto API picks for the AEAD. */
std::string driver_of(const Aead &aead);

} // namespace bench

#endif
