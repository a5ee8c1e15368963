/* Synchronous work: a bounded queue before a few worker processes, each with a thread that waits for it. */
#ifndef TWINCUBE_SERVER_WORKERS_WORKER_POOL_H
#define TWINCUBE_SERVER_WORKERS_WORKER_POOL_H

#include "server/workers/worker_client.h"

struct worker_pool;

struct worker_pool_options {
  struct zygote *zygote;
  const char *data; /* folder; each worker gets a private one below data/tmp */
  unsigned workers;
  unsigned queue;        /* tasks that may wait */
  size_t resident_limit; /* bytes */
};

/* A task on its way. The owner embeds it, keeps `graph` alive, and gets `done` called once, on a thread of the pool. */
struct pool_task {
  struct task_header header; /* kind, memory, threads, history; the pool fills in the folder */
  const struct buffer *graph;
  int client_fd;  /* its hang-up cancels; or -1 */
  double seconds; /* time limit */
  /* reply is NULL unless outcome is WORKER_REPLIED. A file named by the reply is the callee's to open and unlink. */
  void (*done)(struct pool_task *task, enum worker_outcome outcome, const struct worker_reply *reply);
  struct pool_task *next;
};

int worker_pool_start(const struct worker_pool_options *options, struct worker_pool **out, struct error *error);
/* Cancels what runs and what waits (done is called for each), and ends the workers. */
void worker_pool_stop(struct worker_pool *pool);
/* 0, or -1 when too many wait (or the pool is ending): done is then not called. */
int worker_pool_submit(struct worker_pool *pool, struct pool_task *task);

#endif
