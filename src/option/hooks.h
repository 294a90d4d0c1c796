/* SPDX-License-Identifier: GPL-2.0 */
/* The netfilter hooks of a network namespace. */
#ifndef TCPCRYPT_OPTION_HOOKS_H
#define TCPCRYPT_OPTION_HOOKS_H

struct net;

int tcpcrypt_hooks_net_init(struct net *net);
void tcpcrypt_hooks_net_exit(struct net *net);

/** tcpcrypt_path_forget_all() - what is known of paths that drop ENO, in one namespace */
void tcpcrypt_path_forget_all(const struct net *net);

struct tcpcrypt_conn;

/** tcpcrypt_simultaneous_free() - with @conn, which nobody sees any more */
void tcpcrypt_simultaneous_free(struct tcpcrypt_conn *conn);

#endif
