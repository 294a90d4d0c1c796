// SPDX-License-Identifier: GPL-2.0
// TLS 1.3 by OpenSSL over the sockets of a measurement, to compare the set-up of connections with.
#include "tls.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <stdexcept>
#include <string>

#include "process.hh"

namespace bench {

static constexpr const char *cipher_suite = "TLS_AES_128_GCM_SHA256";
static constexpr const char *group = "X25519";
static constexpr const char *certificate_curve = "P-256";
static constexpr long certificate_seconds = 24 * 60 * 60;
static constexpr unsigned char filling = 'x';

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	char text[256] = "not as it should be";
	if (unsigned long error = ERR_get_error())
		ERR_error_string_n(error, text, sizeof(text));
	throw std::runtime_error(std::string("TLS: ") + what + ": " + text);
}

Tls::Tls(bool resume)
	: resume_(resume), server_(make_context(TLS_server_method())), client_(make_context(TLS_client_method()))
{
	make_certificate();
	// One ticket for one connection, none where nobody resumes.
	require(SSL_CTX_set_num_tickets(server_.get(), resume ? 1 : 0), "SSL_CTX_set_num_tickets");
	SSL_CTX_set_verify(client_.get(), SSL_VERIFY_PEER, nullptr);
	SSL_CTX_set_session_cache_mode(client_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(client_.get(), keep_session);
	SSL_CTX_set_app_data(client_.get(), this);
}

Tls::Context Tls::make_context(const SSL_METHOD *method) const
{
	Context context(SSL_CTX_new(method));
	require(context != nullptr, "SSL_CTX_new");
	require(SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION), "version");
	require(SSL_CTX_set_ciphersuites(context.get(), cipher_suite), cipher_suite);
	require(SSL_CTX_set1_groups_list(context.get(), group), group);
	return context;
}

void Tls::make_certificate()
{
	TlsOwned<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen(certificate_curve));
	TlsOwned<X509, X509_free> certificate(X509_new());
	require(key && certificate, "key and certificate");
	X509_NAME *name = X509_get_subject_name(certificate.get());
	bool made = X509_set_version(certificate.get(), X509_VERSION_3) &&
		    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1) &&
		    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -certificate_seconds) &&
		    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), certificate_seconds) &&
		    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					       reinterpret_cast<const unsigned char *>("server"), -1, -1, 0) &&
		    X509_set_issuer_name(certificate.get(), name) && X509_set_pubkey(certificate.get(), key.get()) &&
		    X509_sign(certificate.get(), key.get(), EVP_sha256());
	require(made, "certificate");
	require(SSL_CTX_use_certificate(server_.get(), certificate.get()) == 1, "certificate");
	require(SSL_CTX_use_PrivateKey(server_.get(), key.get()) == 1, "key");
	require(X509_STORE_add_cert(SSL_CTX_get_cert_store(client_.get()), certificate.get()), "certificate store");
}

int Tls::keep_session(SSL *connection, SSL_SESSION *session)
{
	Tls *tls = static_cast<Tls *>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
	if (!tls->resume_)
		return 0;
	tls->session_.reset(session);
	return 1;
}

Tls::Connection Tls::open(const Context &context, int fd) const
{
	// A handshake is several writes, none of which shall wait for the ACK of the last one.
	int on = 1;
	check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), "setsockopt(TCP_NODELAY)");
	Connection connection(SSL_new(context.get()));
	require(connection && SSL_set_fd(connection.get(), fd), "SSL_set_fd");
	return connection;
}

void Tls::drive(int fd)
{
	Connection connection = open(client_, fd);
	bool resumes = session_ != nullptr;
	unsigned char byte = filling;
	if (resumes)
		require(SSL_set_session(connection.get(), session_.get()), "SSL_set_session");
	require(SSL_connect(connection.get()) == 1, "SSL_connect");
	require(SSL_session_reused(connection.get()) == resumes, "the session that was resumed");
	require(SSL_write(connection.get(), &byte, 1) == 1, "SSL_write");
	require(SSL_read(connection.get(), &byte, 1) == 1 && byte == filling, "SSL_read");
	// A ticket came with it, which is for the next connection alone.
	require(!resume_ || session_.get() != nullptr, "no ticket");
	SSL_set_shutdown(connection.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void Tls::serve(int fd)
{
	Connection connection = open(server_, fd);
	unsigned char byte = 0;
	require(SSL_accept(connection.get()) == 1, "SSL_accept");
	require(SSL_read(connection.get(), &byte, 1) == 1 && byte == filling, "SSL_read");
	require(SSL_write(connection.get(), &byte, 1) == 1, "SSL_write");
	SSL_set_shutdown(connection.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

} // namespace bench
