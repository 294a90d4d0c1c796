/* SPDX-License-Identifier: GPL-2.0 */
/* TLS 1.3 by OpenSSL over the sockets of a measurement, to compare the set-up of connections with. */
#ifndef TCPCRYPT_BENCH_TLS_HH
#define TCPCRYPT_BENCH_TLS_HH

#include <openssl/ssl.h>

#include <memory>

namespace bench {

template <auto release> struct TlsRelease {
	template <typename T> void operator()(T *object) const { release(object); }
};
template <typename T, auto release> using TlsOwned = std::unique_ptr<T, TlsRelease<release>>;

/**
 * A server and its clients: X25519, AES-128-GCM, and a certificate with an ECDSA key on P-256, which the clients know
 * and verify. Resumed sessions have a key exchange too, as OpenSSL does it by default (psk_dhe_ke).
 */
class Tls {
public:
	/** @resume: clients resume the session of the connection before. */
	explicit Tls(bool resume);

	/** Handshake of the one end, a byte for the other and one back. Throws unless all is as it should be. */
	void drive(int fd);
	/** The other end. */
	void serve(int fd);

private:
	using Context = TlsOwned<SSL_CTX, SSL_CTX_free>;
	using Connection = TlsOwned<SSL, SSL_free>;

	Context make_context(const SSL_METHOD *method) const;
	Connection open(const Context &context, int fd) const;
	void make_certificate();
	static int keep_session(SSL *connection, SSL_SESSION *session);

	bool resume_;
	Context server_, client_;
	TlsOwned<SSL_SESSION, SSL_SESSION_free> session_;
};

} // namespace bench

#endif
