/* Processes that a worker does not know: its task's lookup asks the server for them. */
#ifndef TWINCUBE_SERVER_WORKERS_WORKER_LOOKUP_H
#define TWINCUBE_SERVER_WORKERS_WORKER_LOOKUP_H

#include "server/workers/worker_protocol.h"

#include "processes/graph/table.h"

struct worker_lookup {
  int fd; /* the worker's socket */
  const struct task_header *task;
};

/* Lives as long as `lookup` and its task. Definitions are made in the arena of who asks. */
struct process_lookup worker_lookup_make(struct worker_lookup *lookup);

#endif
