/* SPDX-License-Identifier: GPL-2.0 */
/* The work item and the timer of a connection. */
#ifndef TCPCRYPT_STREAM_WORKER_H
#define TCPCRYPT_STREAM_WORKER_H

#include "session/conn.h"

void tcpcrypt_worker(struct work_struct *work);
void tcpcrypt_worker_abort(struct work_struct *work);
void tcpcrypt_worker_timer(struct timer_list *timer);

#endif
