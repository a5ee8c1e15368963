/* A worker process: takes tasks from its socket, one after the other, until the socket closes.
 *
 * It alone reads what strangers send: graphs, and the files they name. It may crash, loop or run out of memory; the
 * server then replaces it. SIGUSR1 asks it to give up the task at hand. */
#ifndef TWINCUBE_SERVER_WORKERS_WORKER_H
#define TWINCUBE_SERVER_WORKERS_WORKER_H

#include "server/confine/confine.h"

#include "processes/local_files.h"

#include <stddef.h>
#include <stdint.h>

struct worker_options {
  const char *data;         /* folder with the catalogue */
  const char *remote;       /* folder of what was fetched from other hosts, or NULL */
  size_t memory;            /* bytes a task may plan with */
  uint64_t result_size;     /* bytes that a task may write; 0: no limit */
  const char *device;       /* as device_choice_read takes it */
  size_t device_memory;     /* bytes of each device; 0: most of what is free */
  struct local_files local; /* that graphs may name */
  struct confinement confinement;
  struct confine_rules rules; /* but for what a task brings; the zygote fills them in */
};

enum worker_descriptor { /* sockets that a worker is born with; all but the first may be -1 */
                         WORKER_TASKS,
                         WORKER_REMOTE,  /* to the fetcher: remote_file.h */
                         WORKER_SCRIPTS, /* to the host of interpreters: hpc/udf/interpreters.h */
                         WORKER_DESCRIPTORS
};

/* Runs in the process forked for it, and returns its exit status. */
int worker_main(const int descriptors[WORKER_DESCRIPTORS], const struct worker_options *options);

#endif
