/* A runner: a thread of the job queue that takes one job after the other. Private to job_queue.c and job_runner.c. */
#ifndef TWINCUBE_SERVER_JOBS_JOB_RUNNER_H
#define TWINCUBE_SERVER_JOBS_JOB_RUNNER_H

#include "server/workers/backoff.h"
#include "server/jobs/job_queue.h"
#include "server/workers/definition_desk.h"
#include "server/workers/worker_client.h"

#include <pthread.h>

struct job_runner {
  struct job_queue *queue;
  pthread_t thread;
  bool started;
  struct store *store;
  struct worker_client client;
  struct definition_desk desk; /* uses `store` */
  struct backoff backoff; /* while the machine lacks something: processes, descriptors, disk */
  int cancel_fd;          /* eventfd */
  char id[JOB_ID_SIZE];   /* the job at hand, "" when idle; guarded by the queue's lock */
  int64_t run;            /* likewise */
  double progress;        /* likewise */
  struct tariff tariff;   /* of the run at hand … */
  double seconds;         /* … and the most time that it may take */
};

struct job_queue {
  struct job_queue_options options;
  pthread_mutex_t lock;
  pthread_cond_t wake;    /* a job was queued, or the queue ends; CLOCK_MONOTONIC */
  pthread_cond_t changed; /* a job ended; CLOCK_MONOTONIC */
  pthread_cond_t untidy;  /* a job was deleted, or the queue ends; CLOCK_MONOTONIC */
  bool stopping;
  unsigned ended; /* counts the jobs that ended: who waits sees that it missed none */
  pthread_t keeper;
  bool keeper_started;
  struct store *keeper_store;
  pthread_t pulse; /* where servers share the store */
  bool pulse_started;
  struct store *pulse_store;
  struct job_runner runners[];
};

/* The thread; `data` is the runner. */
void *job_runner_work(void *data);

/* A monotonic point of time so many milliseconds from now, for the queue's conditions. */
struct timespec job_queue_deadline(unsigned milliseconds);

#endif
