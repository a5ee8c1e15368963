/* Batch jobs on their way: threads that take queued jobs from the store and run each in a worker process. */
#ifndef TWINCUBE_SERVER_JOBS_JOB_QUEUE_H
#define TWINCUBE_SERVER_JOBS_JOB_QUEUE_H

#include "server/jobs/server_limits.h"
#include "server/store/store_jobs.h"
#include "server/workers/zygote.h"

struct job_queue;

struct publish_place;      /* server/publish/published_document.h */
struct export_hub;         /* server/export/export_hub.h */
struct remote_definitions; /* server/definitions/remote_definitions.h */

struct job_queue_options {
  struct zygote *zygote;
  const char *data;                    /* folder of jobs and files */
  const char *store;                   /* place: see store.h */
  const char *server;                  /* the name of this server, where several share the store; else NULL */
  double silence;                      /* seconds after which a server that says nothing is taken for dead */
  struct federation *federation;       /* or NULL */
  struct export_hub *exports;          /* workspaces that the operator names, or NULL */
  const struct publish_place *publish; /* where results are published as collections */
  const char *base;                    /* address of the API, for links in what is published */
  struct remote_definitions *remote;   /* processes that are published on the web */
  unsigned slots;                      /* jobs at a time */
  size_t memory;                       /* of one job, bytes */
  uint64_t result_size;                /* bytes that one job may write */
  const char *workspaces;              /* folder of users' workspaces, or NULL */
  const struct server_limits *limits;  /* borrowed */
  unsigned threads;                    /* of one job, 0: default */
  size_t resident_limit;               /* bytes */
  bool sweep; /* folders of jobs that the store does not know are removed at the start, not moved */
};

enum { JOB_ANY_RUN = -1 };

/* Recovers what a server that died left behind, then starts the threads. */
int job_queue_start(const struct job_queue_options *options, struct job_queue **out, struct error *error);
/* Running jobs go back into the queue. */
void job_queue_stop(struct job_queue *queue);

void job_queue_wake(struct job_queue *queue); /* a job was queued */
void job_queue_tidy(struct job_queue *queue); /* a job was deleted */
/* Run `run` of the job (or JOB_ANY_RUN) was cancelled or deleted in the store: its worker stops. A later run goes on.
 */
void job_queue_cancel(struct job_queue *queue, const char *id, int64_t run);
/* Percent of a running job, or negative where it does not run now. */
double job_queue_progress(struct job_queue *queue, const char *id);
/* Waits until the job is neither queued nor running, at most so long. */
void job_queue_wait(struct job_queue *queue, struct store *store, const char *id, unsigned milliseconds);

#endif
