/* Jobs: reading rows and changing states. Every change names the state it starts from, so of two that compete only one
 * takes effect. */
#include "server/store/store_jobs.h"

#include "server/store/store_sql.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOB_COLUMNS                                                                                                    \
  "seq, id, owner, status, log_level, created, updated, run, attempts, budget, progress, title, description, plan,"    \
  " process, usage, result, options"

void job_free(struct job *job)
{
  free(job->title);
  free(job->description);
  free(job->plan);
  free(job->process);
  free(job->options);
  free(job->usage);
  free(job->result);
  *job = (struct job){0};
}

static void copy_column(char *out, size_t room, sqlite3_stmt *row, int column)
{
  const unsigned char *text = sqlite3_column_text(row, column);
  snprintf(out, room, "%s", text ? (const char *)text : "");
}

static void read_job(sqlite3_stmt *row, struct job *out)
{
  *out = (struct job){
      .seq = sqlite3_column_int64(row, 0),
      .created = sqlite3_column_int64(row, 5),
      .updated = sqlite3_column_int64(row, 6),
      .run = sqlite3_column_int64(row, 7),
      .attempts = sqlite3_column_int64(row, 8),
      .has_budget = sqlite3_column_type(row, 9) != SQLITE_NULL,
      .budget = sqlite3_column_double(row, 9),
      .progress = sqlite3_column_type(row, 10) == SQLITE_NULL ? -1.0 : sqlite3_column_double(row, 10),
      .title = column_text(row, 11),
      .description = column_text(row, 12),
      .plan = column_text(row, 13),
      .process = column_text(row, 14),
      .usage = column_text(row, 15),
      .result = column_text(row, 16),
      .options = column_text(row, 17),
  };
  copy_column(out->id, sizeof out->id, row, 1);
  copy_column(out->owner, sizeof out->owner, row, 2);
  copy_column(out->status, sizeof out->status, row, 3);
  copy_column(out->log_level, sizeof out->log_level, row, 4);
}

static int not_found(const char *id, struct error *error)
{
  return error_set(error, ERROR_JobNotFound, "there is no batch job '%s'", id);
}

static void bind_progress(sqlite3_stmt *statement, int position, double progress)
{
  if (progress < 0)
    sqlite3_bind_null(statement, position);
  else
    sqlite3_bind_double(statement, position, progress);
}

static void bind_budget(sqlite3_stmt *statement, int position, const struct job *job)
{
  if (job->has_budget)
    sqlite3_bind_double(statement, position, job->budget);
  else
    sqlite3_bind_null(statement, position);
}

int store_job_put(struct store *store, struct job *job, struct error *error)
{
  unsigned char random[12];
  randombytes_buf(random, sizeof random);
  snprintf(job->id, sizeof job->id, "j-");
  sodium_bin2hex(job->id + 2, sizeof job->id - 2, random, sizeof random);
  snprintf(job->status, sizeof job->status, "created");
  job->created = job->updated = store_now();
  sqlite3_stmt *put = store_prepare(store,
                                    "INSERT INTO jobs (id, owner, title, description, process, plan, budget,"
                                    " log_level, status, created, updated, options)"
                                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                    error);
  if (put == NULL)
    return -1;
  bind_text(put, 1, job->id);
  bind_text(put, 2, job->owner);
  bind_text(put, 3, job->title);
  bind_text(put, 4, job->description);
  bind_text(put, 5, job->process);
  bind_text(put, 6, job->plan);
  bind_budget(put, 7, job);
  bind_text(put, 8, job->log_level);
  bind_text(put, 9, job->status);
  bind_integer(put, 10, job->created);
  bind_integer(put, 11, job->updated);
  bind_text(put, 12, job->options);
  return store_run(store, put, error);
}

int store_job_get(struct store *store, const char *owner, const char *id, struct job *out, struct error *error)
{
  sqlite3_stmt *get =
      store_prepare(store, "SELECT " JOB_COLUMNS " FROM jobs WHERE id = ?1 AND (?2 IS NULL OR owner = ?2)", error);
  if (get == NULL)
    return -1;
  bind_text(get, 1, id);
  bind_text(get, 2, owner);
  int row = store_step(store, get, error);
  if (row == 1)
    read_job(get, out);
  sqlite3_reset(get);
  if (row == 0)
    return not_found(id, error);
  return row < 0 ? -1 : 0;
}

int store_job_list(struct store *store, const char *owner, int64_t before,
                   bool (*report)(void *data, const struct job *job), void *data, struct error *error)
{
  sqlite3_stmt *list =
      store_prepare(store,
                    "SELECT seq, id, owner, status, log_level, created, updated, run, attempts, budget,"
                    " progress, title, description, plan, NULL, NULL, NULL, NULL FROM jobs"
                    " WHERE owner = ?1 AND (?2 = 0 OR seq < ?2) ORDER BY seq DESC",
                    error);
  if (list == NULL)
    return -1;
  bind_text(list, 1, owner);
  bind_integer(list, 2, before);
  int row = 0;
  bool more = true;
  while (more && (row = store_step(store, list, error)) == 1) {
    struct job job;
    read_job(list, &job);
    more = report(data, &job);
    job_free(&job);
  }
  sqlite3_reset(list);
  return row < 0 ? -1 : 0;
}

int store_job_bytes(struct store *store, const char *owner, uint64_t *out, struct error *error)
{
  sqlite3_stmt *sum = store_prepare(store,
                                    "SELECT total(json_extract(file.value, '$.size')) FROM jobs,"
                                    " json_each(jobs.result, '$.files') AS file"
                                    " WHERE owner = ? AND json_valid(jobs.result)",
                                    error);
  if (sum == NULL)
    return -1;
  bind_text(sum, 1, owner);
  int row = store_step(store, sum, error);
  *out = row == 1 ? (uint64_t)sqlite3_column_double(sum, 0) : 0;
  sqlite3_reset(sum);
  return row < 0 ? -1 : 0;
}

int store_job_update(struct store *store, const struct job *job, struct error *error)
{
  sqlite3_stmt *put =
      store_prepare(store,
                    "UPDATE jobs SET title = ?1, description = ?2, process = ?3, plan = ?4, budget = ?5,"
                    " log_level = ?6, options = ?8 WHERE id = ?7 AND status NOT IN ('queued', 'running')",
                    error);
  if (put == NULL)
    return -1;
  bind_text(put, 1, job->title);
  bind_text(put, 2, job->description);
  bind_text(put, 3, job->process);
  bind_text(put, 4, job->plan);
  bind_budget(put, 5, job);
  bind_text(put, 6, job->log_level);
  bind_text(put, 7, job->id);
  bind_text(put, 8, job->options);
  if (store_run(store, put, error) != 0)
    return -1;
  return sqlite3_changes(store->db) > 0
             ? 0
             : error_set(error, ERROR_JobLocked, "the job is queued or running: cancel it first");
}

static int drop_logs(struct store *store, const char *id, struct error *error)
{
  sqlite3_stmt *drop = store_prepare(store, "DELETE FROM logs WHERE job = ?", error);
  if (drop == NULL)
    return -1;
  bind_text(drop, 1, id);
  return store_run(store, drop, error);
}

static int queue_job(struct store *store, const char *owner, const char *id, bool *started, struct error *error)
{
  sqlite3_stmt *start =
      store_prepare(store,
                    "UPDATE jobs SET status = 'queued', queued = ?1, updated = ?1, attempts = 0, progress = 0,"
                    " usage = NULL, result = NULL WHERE id = ?2 AND owner = ?3 AND status NOT IN ('queued', 'running')",
                    error);
  if (start == NULL)
    return -1;
  bind_integer(start, 1, store_now());
  bind_text(start, 2, id);
  bind_text(start, 3, owner);
  if (store_run(store, start, error) != 0)
    return -1;
  *started = sqlite3_changes(store->db) > 0;
  return *started ? drop_logs(store, id, error) : 0;
}

int store_job_start(struct store *store, const char *owner, const char *id, bool *started, struct error *error)
{
  *started = false;
  if (store_begin(store, error) != 0 || store_end(store, queue_job(store, owner, id, started, error), error) != 0)
    return -1;
  if (*started)
    return 0;
  struct job job = {0};
  int status = store_job_get(store, owner, id, &job, error); /* queued or running, or not there */
  job_free(&job);
  return status;
}

/* Runs a statement that returns at most one row, the number of a run: *run, 0 without a row. */
static int returned_run(struct store *store, sqlite3_stmt *statement, int64_t *run, bool *found, struct error *error)
{
  int row = store_step(store, statement, error);
  *found = row == 1;
  *run = *found ? sqlite3_column_int64(statement, 0) : 0;
  if (row == 1)
    row = store_step(store, statement, error); /* to the end: only then is it committed */
  sqlite3_reset(statement);
  return row < 0 ? -1 : 0;
}

/* Within a transaction. */
static int cancel_job(struct store *store, const struct job_key *key, double progress, int64_t *run, bool *found,
                      struct error *error)
{
  sqlite3_stmt *cancel =
      store_prepare(store,
                    "UPDATE jobs SET progress = CASE status WHEN 'running' THEN ?1 ELSE 0 END, updated = ?2,"
                    " status = CASE status WHEN 'running' THEN 'canceled' ELSE 'created' END"
                    " WHERE id = ?3 AND owner = ?4 AND status IN ('queued', 'running') RETURNING run",
                    error);
  if (cancel == NULL)
    return -1;
  bind_progress(cancel, 1, progress);
  bind_integer(cancel, 2, store_now());
  bind_text(cancel, 3, key->id);
  bind_text(cancel, 4, key->owner);
  if (returned_run(store, cancel, run, found, error) != 0)
    return -1;
  const struct job_log log = {.entry = {.level = LOG_INFO, .message = "the job was cancelled"}};
  return *found ? store_log_put(store, key->id, &log, error) : 0;
}

int store_job_cancel(struct store *store, const struct job_key *key, double progress, int64_t *run, struct error *error)
{
  bool found = false;
  if (store_begin(store, error) != 0 ||
      store_end(store, cancel_job(store, key, progress, run, &found, error), error) != 0)
    return -1;
  if (found)
    return 0;
  struct job job = {0};
  int status = store_job_get(store, key->owner, key->id, &job, error);
  job_free(&job);
  return status;
}

int store_job_delete(struct store *store, const struct job_key *key, int64_t *run, struct error *error)
{
  bool found;
  sqlite3_stmt *drop = store_prepare(store, "DELETE FROM jobs WHERE id = ? AND owner = ? RETURNING run", error);
  if (drop == NULL)
    return -1;
  bind_text(drop, 1, key->id);
  bind_text(drop, 2, key->owner);
  if (returned_run(store, drop, run, &found, error) != 0)
    return -1;
  return found ? 0 : not_found(key->id, error);
}

int store_job_claim(struct store *store, struct job *out, bool *found, struct error *error)
{
  *found = false;
  sqlite3_stmt *claim =
      store_prepare(store,
                    "UPDATE jobs SET status = 'running', updated = ?, attempts = attempts + 1, run = run + 1,"
                    " progress = 0 WHERE seq = (SELECT seq FROM jobs WHERE status = 'queued'"
                    " ORDER BY queued, seq LIMIT 1) AND status = 'queued' RETURNING " JOB_COLUMNS,
                    error);
  if (claim == NULL)
    return -1;
  bind_integer(claim, 1, store_now());
  int row = store_step(store, claim, error);
  if (row == 1) {
    read_job(claim, out);
    *found = true;
    row = store_step(store, claim, error); /* to the end: only then is it committed */
    if (row != 0) {
      job_free(out);
      *found = false;
    }
  }
  sqlite3_reset(claim);
  return row < 0 ? -1 : 0;
}

int store_job_finish(struct store *store, const struct job *job, const char *status, bool *accepted,
                     struct error *error)
{
  *accepted = false;
  sqlite3_stmt *finish = store_prepare(store,
                                       "UPDATE jobs SET status = ?1, updated = ?2, progress = ?3, usage = ?4,"
                                       " result = ?5 WHERE id = ?6 AND run = ?7 AND status = 'running'",
                                       error);
  if (finish == NULL)
    return -1;
  bind_text(finish, 1, status);
  bind_integer(finish, 2, store_now());
  bind_progress(finish, 3, job->progress);
  bind_text(finish, 4, job->usage);
  bind_text(finish, 5, job->result);
  bind_text(finish, 6, job->id);
  bind_integer(finish, 7, job->run);
  if (store_run(store, finish, error) != 0)
    return -1;
  *accepted = sqlite3_changes(store->db) > 0;
  return 0;
}

/* Within a transaction. */
static int requeue(struct store *store, const struct job *job, bool count, const char *reason, struct error *error)
{
  const bool give_up = count && job->attempts >= JOB_MAX_ATTEMPTS;
  sqlite3_stmt *queue = store_prepare(store,
                                      "UPDATE jobs SET status = ?1, updated = ?2, attempts = attempts - ?3,"
                                      " progress = CASE ?1 WHEN 'queued' THEN 0 ELSE progress END"
                                      " WHERE id = ?4 AND run = ?5 AND status = 'running'",
                                      error);
  if (queue == NULL)
    return -1;
  bind_text(queue, 1, give_up ? "error" : "queued");
  bind_integer(queue, 2, store_now());
  bind_integer(queue, 3, count ? 0 : 1);
  bind_text(queue, 4, job->id);
  bind_integer(queue, 5, job->run);
  if (store_run(store, queue, error) != 0)
    return -1;
  if (sqlite3_changes(store->db) == 0 || reason == NULL)
    return 0;
  char message[256];
  snprintf(message, sizeof message, "%s; %s", reason, give_up ? "the job is given up" : "the job is queued again");
  const struct log_entry entry = {
      .level = give_up ? LOG_ERROR : LOG_WARNING, .code = give_up ? "Internal" : NULL, .message = message};
  return store_log_put(store, job->id, &(struct job_log){.entry = entry}, error);
}

int store_job_requeue(struct store *store, const struct job *job, bool count, const char *reason, struct error *error)
{
  if (store_begin(store, error) != 0)
    return -1;
  return store_end(store, requeue(store, job, count, reason, error), error);
}

int store_job_running(struct store *store, int64_t after, int64_t before, struct job *out, bool *found,
                      struct error *error)
{
  sqlite3_stmt *next = store_prepare(store,
                                     "SELECT " JOB_COLUMNS " FROM jobs WHERE status = 'running' AND seq > ?1"
                                     " AND updated <= ?2 ORDER BY seq LIMIT 1",
                                     error);
  if (next == NULL)
    return -1;
  bind_integer(next, 1, after);
  bind_integer(next, 2, before);
  int row = store_step(store, next, error);
  *found = row == 1;
  if (*found)
    read_job(next, out);
  sqlite3_reset(next);
  return row < 0 ? -1 : 0;
}

int store_job_recover(struct store *store, struct error *error)
{
  for (;;) {
    struct job job = {0};
    bool found;
    if (store_job_running(store, 0, INT64_MAX, &job, &found, error) != 0 || !found)
      return error_is_set(error) ? -1 : 0;
    int status = store_job_requeue(store, &job, true, "the server ended while the job was running", error);
    job_free(&job);
    if (status != 0)
      return -1;
  }
}
