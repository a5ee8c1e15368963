/* Batch jobs and their logs in the store. Each function that changes something is one transaction.
 *
 * States: created -> queued -> running -> finished | error; a cancelled job is `canceled` when it was running,
 * `created` when it was queued. A job that was running when the server died is queued again. */
#ifndef TWINCUBE_SERVER_STORE_STORE_JOBS_H
#define TWINCUBE_SERVER_STORE_STORE_JOBS_H

#include "server/store/store.h"

#include "processes/run_log.h"

enum { JOB_ID_SIZE = 40, JOB_STATUS_SIZE = 16, JOB_LEVEL_SIZE = 8, JOB_MAX_ATTEMPTS = 3 };
/* A priority orders the jobs of one owner. One above JOB_MAX_PRIORITY is an operator's: it goes before all turns. */
enum { JOB_MAX_PRIORITY = 10, JOB_OPERATOR_PRIORITY = 100 };

struct job {
  int64_t seq; /* order of creation */
  char id[JOB_ID_SIZE];
  char owner[USER_NAME_SIZE];
  char status[JOB_STATUS_SIZE];
  char log_level[JOB_LEVEL_SIZE];
  int64_t created, updated;       /* Unix milliseconds; updated: the last change of state */
  int64_t queued, started, ended; /* likewise, of the last run; 0: not yet */
  int64_t priority;
  int64_t run;      /* counts the runs; names the result folder */
  int64_t attempts; /* runs since the user started it */
  bool has_budget;
  double budget;
  double progress; /* percent, negative: none */
  double costs;    /* of the last run; negative: none */
  /* Owned texts, NULL where there is none. */
  char *title, *description, *plan;
  char *process; /* JSON */
  char *options; /* members of the request that the API does not define, as a JSON object */
  char *usage;   /* JSON object */
  char *result;  /* JSON object, see job_queue.c */
};

struct job_key { /* a job of somebody, as a request names it */
  const char *owner, *id;
};

void job_free(struct job *job);

/* Stores a new job: owner, texts, budget, log level. Id, times and state are set here and in `job`. */
int store_job_put(struct store *store, struct job *job, struct error *error);
/* A job of an owner (NULL: of anybody). Error JobNotFound. The caller frees. */
int store_job_get(struct store *store, const char *owner, const char *id, struct job *out, struct error *error);
struct job_state { /* what changes while a job is on its way */
  char status[JOB_STATUS_SIZE];
  int64_t updated; /* Unix milliseconds */
  double progress; /* percent, negative: none */
};
int store_job_state(struct store *store, const char *id, struct job_state *out, struct error *error);
/* Of an owner, or of all (NULL): newest first, those before `before` (0: all), until `report` answers false; process,
 * usage and result are left out. */
int store_job_list(struct store *store, const char *owner, int64_t before,
                   bool (*report)(void *data, const struct job *job), void *data, struct error *error);
struct job_counts {
  int64_t queued, running; /* of all users */
};
int store_job_counts(struct store *store, struct job_counts *out, struct error *error);
/* Bytes of the results that the owner's jobs keep. */
int store_job_bytes(struct store *store, const char *owner, uint64_t *out, struct error *error);
/* Writes the changed texts, budget and log level of a job that was read. Errors JobNotFound, JobLocked. */
int store_job_update(struct store *store, const struct job *job, struct error *error);
struct queue_limits { /* jobs that may be queued; 0: no limit */
  long per_owner, all;
};
/* Queues it and drops results and logs of earlier runs; nothing happens to one that is queued or running. *started
 * tells. Errors JobNotFound, TooManyRequests (the owner's limit), InfrastructureBusy (that of all). */
int store_job_start(struct store *store, const struct job_key *key, const struct queue_limits *limits, bool *started,
                    struct error *error);
/* Ends it where it is queued or running. `progress` is kept. *run is the run that was ended, 0 where there was none.
 * With an owner NULL: anybody's. Error JobNotFound. */
int store_job_cancel(struct store *store, const struct job_key *key, double progress, int64_t *run,
                     struct error *error);
/* *run is the job's last run. Error JobNotFound. */
int store_job_delete(struct store *store, const struct job_key *key, int64_t *run, struct error *error);

/* An operator's: changes the priority of a job that waits or will. Error JobNotFound. */
int store_job_prefer(struct store *store, const char *id, int64_t priority, struct error *error);

/* For the queue. The owners of queued jobs take turns: first who has fewest running, then who was served longest ago;
 * of an owner's, the highest priority, then the first queued becomes running. *found is false where none waits. */
int store_job_claim(struct store *store, struct job *out, bool *found, struct error *error);
/* Ends run `run` of a job with a state, unless it was cancelled, restarted or deleted meanwhile: *accepted tells. */
int store_job_finish(struct store *store, const struct job *job, const char *status, bool *accepted,
                     struct error *error);
/* Back into the queue, unless it was cancelled, restarted or deleted meanwhile; `count` tells whether the attempt
 * counts. With JOB_MAX_ATTEMPTS counted, it ends as error. The reason goes into the job's log; NULL: nothing does. */
int store_job_requeue(struct store *store, const struct job *job, bool count, const char *reason, struct error *error);
/* Writes down how far a run is, for other servers; nothing where it has ended, or was further. */
int store_job_note_progress(struct store *store, const char *id, int64_t run, double progress, struct error *error);
/* At the start of the server: every running job of its own is queued again, or given up after JOB_MAX_ATTEMPTS. */
int store_job_recover(struct store *store, struct error *error);
/* The server's own next running job with seq > `after` whose state is as it was before `before` (Unix milliseconds). */
int store_job_running(struct store *store, int64_t after, int64_t before, struct job *out, bool *found,
                      struct error *error);

/* Forgets the results of one job that finished before then (Unix milliseconds); it stays finished, with result NULL.
 * *found tells whether there was one. */
int store_job_expire(struct store *store, int64_t before, char id[JOB_ID_SIZE], bool *found, struct error *error);

/* Jobs whose rows are gone, however that came about (also with their user), until they are forgotten: the next one with
 * a number greater than *at, which becomes its number. */
int store_dropped_next(struct store *store, int64_t *at, char id[JOB_ID_SIZE], bool *found, struct error *error);
int store_dropped_forget(struct store *store, int64_t number, struct error *error);
/* Whether a job has a row, or had one until it was dropped. */
int store_job_is_known(struct store *store, const char *id, bool *known, struct error *error);
/* Whether there has ever been a job. */
int store_had_jobs(struct store *store, bool *out, struct error *error);

struct job_log {
  int64_t id, time; /* time: Unix milliseconds; 0 when put: now */
  struct log_entry entry;
};

/* Keeps an entry if the job still exists and its log level asks for it. */
int store_log_put(struct store *store, const char *job, const struct job_log *log, struct error *error);
/* In order, those after `after`, at least as severe as `level`, at most `limit` (0: all). */
int store_log_list(struct store *store, const char *job, int64_t after, enum log_level level, long limit,
                   void (*report)(void *data, const struct job_log *log), void *data, struct error *error);

/* "error", "warning", "info", "debug". */
const char *log_level_name(enum log_level level);
/* 0, or -1 where the name is none of them. */
int log_level_parse(const char *name, enum log_level *out);

#endif
