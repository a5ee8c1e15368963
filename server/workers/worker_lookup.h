/* What a worker does not know, its task's lookup asks the server for: processes, and where results of jobs lie. */
#ifndef TWINCUBE_SERVER_WORKERS_WORKER_LOOKUP_H
#define TWINCUBE_SERVER_WORKERS_WORKER_LOOKUP_H

#include "server/workers/worker_protocol.h"

#include "processes/graph/table.h"
#include "processes/local_files.h"

struct worker_lookup {
  int fd; /* the worker's socket */
  const struct task_header *task;
};

/* As local_files' find_published; `lookup` is a struct worker_lookup. */
int worker_lookup_results(void *lookup, struct arena *arena, const char *url, const char **out, struct error *error);

/* As local_files' compute_elsewhere, where the task has others to ask. Only a task that computes asks: what is checked
 * or explained costs nobody else. */
int worker_lookup_elsewhere(void *lookup, struct arena *arena, const struct elsewhere *wanted, const char **out,
                            struct error *error);

/* As local_files' offered_elsewhere. */
int worker_lookup_offered(void *lookup, struct arena *arena, const char *collection, const char **out,
                          struct error *error);

/* As workspace_room's find, check_collection and send. */
int worker_lookup_collection(void *lookup, const char *id, struct error *error);
int worker_lookup_workspace(void *lookup, const char *name, bool *is_there, struct error *error);
int worker_lookup_send(void *lookup, const char *request, struct error *error);

/* Lives as long as `lookup` and its task. Definitions are made in the arena of who asks. */
struct process_lookup worker_lookup_make(struct worker_lookup *lookup);

#endif
