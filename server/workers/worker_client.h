/* The server's end of one worker process: start it, give it a task, wait for the reply, replace it when it broke.
 *
 * Owned by one thread, which blocks in worker_client_call. */
#ifndef TWINCUBE_SERVER_WORKERS_WORKER_CLIENT_H
#define TWINCUBE_SERVER_WORKERS_WORKER_CLIENT_H

#include "server/workers/worker_protocol.h"
#include "server/workers/zygote.h"

#include "datacube/base/hash.h"

struct worker_process {
  struct zygote_child child; /* its fd is -1: no process */
  unsigned tasks;            /* served by this process */
  size_t resident;           /* bytes after its last task */
  struct hash binding;       /* of its tasks (worker_binding.h); all 0 where workers are not confined */
};

enum { WORKERS_PARKED = 3 };

struct worker_client {
  struct zygote *zygote;
  struct worker_process now;
  struct worker_process parked[WORKERS_PARKED]; /* of other bindings, the last used one first: users take turns */
  struct hash catalogue;                        /* its stamp when these were made */
  size_t resident_limit;                        /* bytes past which a process is replaced after its task */
  bool serves_once;                             /* no task is bound like the one before: none is parked */
  struct buffer frame;
};

/* What ends a wait early, and what is heard meanwhile. Descriptors that are not needed are -1. */
struct worker_watch {
  int client_fd;  /* a socket: its hang-up cancels */
  int cancel_fd;  /* an eventfd: readable cancels */
  double seconds; /* the task's time, 0: no limit */
  int64_t grace;  /* milliseconds that a process gets to give up a task before it is killed; 0: 900 */
  void (*progress)(void *data, double percent);
  void (*log)(void *data, const struct log_entry *entry);
  /* Answers what the task asks for: a process's definition as JSON; nothing where there is no such process. NULL: there
   * are no others than the built-in ones. */
  int (*define)(void *data, const char *space, const char *id, struct buffer *json, struct error *error);
  void *data;
};

enum worker_outcome {
  WORKER_REPLIED,   /* see the reply: it may hold an error */
  WORKER_CANCELLED, /* the client hung up, or cancel_fd */
  WORKER_TIMEOUT,
  WORKER_BROKEN,     /* it crashed or was killed: only this task is lost */
  WORKER_UNAVAILABLE /* none could be started, or it died with the zygote: no fault of the task, try again later */
};

/* The reply; json and files point into the client's frame and live until the next call. */
struct worker_reply {
  struct reply_header header;
  const char *json, *files;
};

/* Goes through the files of a reply: *at is 0 at first. false behind the last one. The metadata point into the
 * frame. */
bool worker_reply_next(const struct worker_reply *reply, uint64_t *at, struct reply_file *file, const char **metadata);

void worker_client_open(struct worker_client *client, struct zygote *zygote, size_t resident_limit);
void worker_client_close(struct worker_client *client); /* ends its processes */
/* Starts the process now rather than at the first call, or in place of one that died. Errors as zygote_spawn. */
int worker_client_ready(struct worker_client *client, struct error *error);
enum worker_outcome worker_client_call(struct worker_client *client, const struct task_header *task,
                                       const struct buffer *graph, const struct worker_watch *watch,
                                       struct worker_reply *reply);
/* Replaces a process that served many tasks or grew; call when nobody waits. */
void worker_client_renew(struct worker_client *client);

#endif
