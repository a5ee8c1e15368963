/* The zygote: a single-threaded process, forked before the server has threads, that forks the workers.
 *
 * A process with threads cannot safely fork one that goes on working; this one can, at any time, so a worker that
 * crashed or grew too large is replaced by a fresh one. When the server ends, however it ends, the zygote and all
 * workers end with it. */
#ifndef TWINCUBE_SERVER_ZYGOTE_H
#define TWINCUBE_SERVER_ZYGOTE_H

#include "server/worker.h"

#include "datacube/base/error.h"

#include <sys/types.h>

struct zygote;

/* Call while the process has one thread. `keep_closed` is a descriptor the children must not hold (the listening
 * socket), or -1. */
int zygote_start(const struct worker_options *options, int keep_closed, struct zygote **out, struct error *error);
/* Ends zygote and workers. */
void zygote_stop(struct zygote *zygote);

/* Forks a worker: its socket and a pidfd. Thread safe. */
int zygote_spawn(struct zygote *zygote, int *fd, int *pidfd, struct error *error);

#endif
