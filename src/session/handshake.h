/* SPDX-License-Identifier: GPL-2.0 */
/* The key exchange, run by the worker (RFC 8548 sections 3.3 and 3.4). */
#ifndef TCPCRYPT_SESSION_HANDSHAKE_H
#define TCPCRYPT_SESSION_HANDSHAKE_H

#include "session/conn.h"

/**
 * tcpcrypt_handshake_run() - go as far as can be gone without waiting
 * @conn: connection; the caller is its worker and holds no lock
 *
 * Return: true once the connection is ENCRYPTED, false while it waits or when it has failed
 */
bool tcpcrypt_handshake_run(struct tcpcrypt_conn *conn);

/** tcpcrypt_handshake_start() - ENO succeeded; socket lock held, any context */
void tcpcrypt_handshake_start(struct tcpcrypt_conn *conn, const struct eno_result *res);

/**
 * tcpcrypt_handshake_provide() - a connection became plain: its key pair is for the next one; if it has none, and the
 * next one would have none, it is made
 * @conn: PLAIN; the caller is its worker and holds no lock
 */
void tcpcrypt_handshake_provide(struct tcpcrypt_conn *conn);

#endif
