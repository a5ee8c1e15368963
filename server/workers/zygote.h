/* The zygote: a single-threaded process that forks the workers.
 *
 * A process with threads cannot safely fork one that goes on working; this one can, at any time, so a worker that
 * crashed or grew too large is replaced by a fresh one. It is this program executed anew, so it can be replaced as well
 * when it dies, while the server has threads; the workers that it made die with it. When the server ends, however it
 * ends, zygote and workers end with it. */
#ifndef TWINCUBE_SERVER_WORKERS_ZYGOTE_H
#define TWINCUBE_SERVER_WORKERS_ZYGOTE_H

#include "server/workers/worker.h"

#include "datacube/base/error.h"
#include "datacube/base/logger.h"

#include <stdbool.h>

struct zygote;
struct fetch_process; /* server/fetch/fetch_process.h */
struct udf_host;      /* server/udf/udf_host.h */

struct zygote_options { /* borrowed for the zygote's life */
  struct worker_options worker;
  enum log_level level;
  enum log_format format;
  const char *specs; /* folder of --process-specs, or NULL */
  enum confine_mode confine;
  struct fetch_process *fetch; /* by which workers read from other hosts, or NULL */
  struct udf_host *scripts;    /* by which workers run users' scripts, or NULL */
};

/* Call on the main thread: the zygote dies with the thread that started it. */
int zygote_start(const struct zygote_options *options, struct zygote **out, struct error *error);
/* Replaces a zygote that has ended (SIGCHLD says so). Main thread. 0: there is one; -1: none could be started now. */
int zygote_revive(struct zygote *zygote, struct error *error);
/* Ends zygote and workers. */
void zygote_stop(struct zygote *zygote);

struct zygote_child { /* a worker process */
  int fd;             /* socket, or -1: none */
  int pidfd;
  unsigned generation; /* which zygote made it */
};

/* Forks a worker. Thread safe. Error Internal while there is no zygote, or the machine has no process or descriptor
 * left: worth another try later. */
int zygote_spawn(struct zygote *zygote, struct zygote_child *out, struct error *error);
/* The folder of the catalogue where workers are confined to their first task's rights, or NULL. */
const char *zygote_binds(const struct zygote *zygote);
/* Whether the zygote that made a worker is gone, and the worker with it through no fault of its own. Thread safe. */
bool zygote_is_lost(struct zygote *zygote, unsigned generation);

/* What `twincube zygote …` is: the process itself, started by the above and by nobody else. Returns its status. */
int zygote_main(int argc, char **argv);

#endif
