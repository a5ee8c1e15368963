/* Synchronous work: bounded queues before a few worker processes, each with a thread that waits for it.
 *
 * Users take turns (see fair_queue.h). While all workers are busy, what comes new is tried for a moment in a worker
 * that is kept for this: small work is done there, the rest goes back to its place in the queue. What strangers ask for
 * (validation) has a queue and a worker of its own, so they take neither from users. */
#ifndef TWINCUBE_SERVER_WORKERS_WORKER_POOL_H
#define TWINCUBE_SERVER_WORKERS_WORKER_POOL_H

#include "server/workers/fair_queue.h"
#include "server/workers/worker_client.h"

struct worker_pool;
struct publish_place;      /* server/publish/published_document.h */
struct export_hub;         /* server/export/export_hub.h */
struct remote_definitions; /* server/definitions/remote_definitions.h */

struct worker_pool_options {
  struct zygote *zygote;
  const char *temporary;               /* folder; each worker gets a private one in it */
  const char *store;                   /* place: see store.h */
  const char *kept;                    /* folder of jobs */
  struct remote_definitions *remote;   /* processes that are published on the web */
  struct federation *federation;       /* or NULL */
  struct export_hub *exports;          /* workspaces that the operator names, or NULL */
  const struct publish_place *publish; /* where results are published as collections */
  unsigned workers;                    /* beside the two that are kept for small work and for strangers */
  struct fair_limits users;            /* tasks that may wait */
  struct fair_limits strangers;        /* … an owner is an address */
  size_t memory, small_memory;         /* bytes of one task, there and in the other two */
  size_t resident_limit;               /* bytes */
};

/* A task on its way. The owner embeds it, keeps `graph` alive, and gets `done` called once, on some thread. */
struct pool_task {
  struct fair_item item;     /* the pool's; first member */
  struct task_header header; /* kind, history, user; the pool fills in folder, memory and threads */
  const struct buffer *graph;
  char owner[FAIR_OWNER_SIZE]; /* whose turn it takes: user, or a stranger's address */
  bool is_stranger;
  bool is_alone;    /* for another back-end of the federation: none is asked in turn */
  bool was_tried;   /* the pool's, or said before: it is no small work */
  int client_fd;    /* its hang-up cancels; or -1 */
  double seconds;   /* time limit */
  unsigned threads; /* 0: default */
  /* reply is NULL unless outcome is WORKER_REPLIED. A file named by the reply is the callee's to open and unlink. */
  void (*done)(struct pool_task *task, enum worker_outcome outcome, const struct worker_reply *reply);
};

int worker_pool_start(const struct worker_pool_options *options, struct worker_pool **out, struct error *error);
/* Cancels what runs and what waits (done is called for each), and ends the workers. */
void worker_pool_stop(struct worker_pool *pool);
/* Where it is refused `done` is not called. Errors TooManyRequests (the owner has too much waiting), InfrastructureBusy
 * (all have, or the pool is ending). */
int worker_pool_submit(struct worker_pool *pool, struct pool_task *task, struct error *error);

/* Changes how many tasks of one user may wait. */
void worker_pool_set_user_requests(struct worker_pool *pool, unsigned most);

struct pool_load {
  unsigned workers, busy; /* of those for work of any length */
  unsigned waiting;       /* tasks of users */
};
struct pool_load worker_pool_load(struct worker_pool *pool);

#endif
