/* Jobs: rows made, read, changed, cancelled and dropped; their way through the queue is in store_queue.c. Every change
 * names the state it starts from, so of two that compete only one takes effect. */
#include "server/store/store_job_row.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void store_read_job(struct statement *row, struct job *out)
{
  *out = (struct job){
      .seq = column_integer(row, 0),
      .created = column_integer(row, 5),
      .updated = column_integer(row, 6),
      .run = column_integer(row, 7),
      .attempts = column_integer(row, 8),
      .has_budget = !column_is_null(row, 9),
      .budget = column_number(row, 9),
      .progress = column_is_null(row, 10) ? -1.0 : column_number(row, 10),
      .title = column_text(row, 11),
      .description = column_text(row, 12),
      .plan = column_text(row, 13),
      .process = column_text(row, 14),
      .usage = column_text(row, 15),
      .result = column_text(row, 16),
      .options = column_text(row, 17),
      .queued = column_integer(row, 18),
      .started = column_integer(row, 19),
      .ended = column_integer(row, 20),
      .priority = column_integer(row, 21),
      .costs = column_is_null(row, 22) ? -1.0 : column_number(row, 22),
  };
  column_copy(out->id, sizeof out->id, row, 1);
  column_copy(out->owner, sizeof out->owner, row, 2);
  column_copy(out->status, sizeof out->status, row, 3);
  column_copy(out->log_level, sizeof out->log_level, row, 4);
}

int store_no_job(const char *id, struct error *error)
{
  return error_set(error, ERROR_JobNotFound, "there is no batch job '%s'", id);
}

int store_job_put(struct store *store, struct job *job, struct error *error)
{
  unsigned char random[12];
  randombytes_buf(random, sizeof random);
  snprintf(job->id, sizeof job->id, "j-");
  sodium_bin2hex(job->id + 2, sizeof job->id - 2, random, sizeof random);
  snprintf(job->status, sizeof job->status, "created");
  job->created = job->updated = store_now();
  struct statement *put = store_prepare(store,
                                        "INSERT INTO jobs (id, owner, title, description, process, plan, budget,"
                                        " log_level, status, created, updated, options, priority)"
                                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                        error);
  if (put == NULL)
    return -1;
  bind_text(put, 1, job->id);
  bind_text(put, 2, job->owner);
  bind_text(put, 3, job->title);
  bind_text(put, 4, job->description);
  bind_text(put, 5, job->process);
  bind_text(put, 6, job->plan);
  bind_known(put, 7, job->has_budget ? job->budget : -1);
  bind_text(put, 8, job->log_level);
  bind_text(put, 9, job->status);
  bind_integer(put, 10, job->created);
  bind_integer(put, 11, job->updated);
  bind_text(put, 12, job->options);
  bind_integer(put, 13, job->priority);
  return store_run(store, put, error);
}

int store_job_get(struct store *store, const char *owner, const char *id, struct job *out, struct error *error)
{
  struct statement *get =
      store_prepare(store, "SELECT " JOB_COLUMNS " FROM jobs WHERE id = ?1 AND (?2 IS NULL OR owner = ?2)", error);
  if (get == NULL)
    return -1;
  bind_text(get, 1, id);
  bind_text(get, 2, owner);
  int row = store_step(store, get, error);
  if (row == 1)
    store_read_job(get, out);
  statement_end(get);
  if (row == 0)
    return store_no_job(id, error);
  return row < 0 ? -1 : 0;
}

int store_job_state(struct store *store, const char *id, struct job_state *out, struct error *error)
{
  struct statement *get = store_prepare(store, "SELECT status, updated, progress FROM jobs WHERE id = ?", error);
  if (get == NULL)
    return -1;
  bind_text(get, 1, id);
  int row = store_step(store, get, error);
  if (row == 1) {
    column_copy(out->status, sizeof out->status, get, 0);
    out->updated = column_integer(get, 1);
    out->progress = column_is_null(get, 2) ? -1.0 : column_number(get, 2);
  }
  statement_end(get);
  if (row == 0)
    return store_no_job(id, error);
  return row < 0 ? -1 : 0;
}

struct job_page { /* of a list */
  int64_t before; /* seq of the last job */
  bool is_last;
};

/* The next page: a long list is never read at once, as it may end early. */
static int list_page(struct store *store, const char *owner, struct job_page *page,
                     bool (*report)(void *data, const struct job *job), void *data, struct error *error)
{
  enum { PAGE_JOBS = 250 };
#define SHORT_JOBS                                                                                                     \
  "SELECT seq, id, owner, status, log_level, created, updated, run, attempts, budget, progress, title, description,"   \
  " plan, NULL, NULL, NULL, NULL, queued, started, ended, priority, costs FROM jobs WHERE "
  static const char of_all[] = SHORT_JOBS "seq < ?1 ORDER BY seq DESC LIMIT ?2";
  static const char of_one[] = SHORT_JOBS "seq < ?1 AND owner = ?3 ORDER BY seq DESC LIMIT ?2";
#undef SHORT_JOBS
  struct statement *list = store_prepare(store, owner == NULL ? of_all : of_one, error);
  if (list == NULL)
    return -1;
  bind_integer(list, 1, page->before);
  bind_integer(list, 2, PAGE_JOBS);
  if (owner != NULL)
    bind_text(list, 3, owner);
  int row = 0, count = 0;
  bool more = true;
  while (more && (row = store_step(store, list, error)) == 1) {
    struct job job;
    store_read_job(list, &job);
    more = report(data, &job);
    page->before = job.seq;
    count++;
    job_free(&job);
  }
  statement_end(list);
  page->is_last = !more || count < PAGE_JOBS;
  return row < 0 ? -1 : 0;
}

int store_job_list(struct store *store, const char *owner, int64_t before,
                   bool (*report)(void *data, const struct job *job), void *data, struct error *error)
{
  struct job_page page = {.before = before > 0 ? before : INT64_MAX};
  while (!page.is_last)
    if (list_page(store, owner, &page, report, data, error) != 0)
      return -1;
  return 0;
}

int store_job_counts(struct store *store, struct job_counts *out, struct error *error)
{
  struct statement *count = store_prepare(
      store,
      "SELECT count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'running') FROM jobs"
      " WHERE status IN ('queued', 'running')",
      error);
  if (count == NULL)
    return -1;
  int row = store_step(store, count, error);
  *out = (struct job_counts){0};
  if (row == 1)
    *out = (struct job_counts){column_integer(count, 0), column_integer(count, 1)};
  statement_end(count);
  return row < 0 ? -1 : 0;
}

int store_job_bytes(struct store *store, const char *owner, uint64_t *out, struct error *error)
{
  static const char sqlite[] = "SELECT total(json_extract(file.value, '$.size')) FROM jobs,"
                               " json_each(jobs.result, '$.files') AS file"
                               " WHERE owner = ? AND json_valid(jobs.result)";
  static const char postgres[] = "SELECT sum((file ->> 'size')::double precision) FROM jobs,"
                                 " json_array_elements(jobs.result::json -> 'files') AS file WHERE owner = ?";
  struct statement *sum = store_prepare(store, store_sql(store, sqlite, postgres), error);
  if (sum == NULL)
    return -1;
  bind_text(sum, 1, owner);
  int row = store_step(store, sum, error);
  *out = row == 1 ? (uint64_t)column_number(sum, 0) : 0;
  statement_end(sum);
  return row < 0 ? -1 : 0;
}

int store_job_update(struct store *store, const struct job *job, struct error *error)
{
  struct statement *put =
      store_prepare(store,
                    "UPDATE jobs SET title = ?1, description = ?2, process = ?3, plan = ?4, budget = ?5,"
                    " log_level = ?6, options = ?8, priority = ?9"
                    " WHERE id = ?7 AND status NOT IN ('queued', 'running')",
                    error);
  if (put == NULL)
    return -1;
  bind_text(put, 1, job->title);
  bind_text(put, 2, job->description);
  bind_text(put, 3, job->process);
  bind_text(put, 4, job->plan);
  bind_known(put, 5, job->has_budget ? job->budget : -1);
  bind_text(put, 6, job->log_level);
  bind_text(put, 7, job->id);
  bind_text(put, 8, job->options);
  bind_integer(put, 9, job->priority);
  if (store_run(store, put, error) != 0)
    return -1;
  return store->changes > 0 ? 0 : error_set(error, ERROR_JobLocked, "the job is queued or running: cancel it first");
}

/* Runs a statement that returns at most one row, the number of a run: *run, 0 without a row. */
static int returned_run(struct store *store, struct statement *statement, int64_t *run, bool *found,
                        struct error *error)
{
  int row = store_step(store, statement, error);
  *found = row == 1;
  *run = *found ? column_integer(statement, 0) : 0;
  if (row == 1)
    row = store_step(store, statement, error); /* to the end: only then is it committed */
  statement_end(statement);
  return row < 0 ? -1 : 0;
}

/* Within a transaction. */
static int cancel_job(struct store *store, const struct job_key *key, double progress, int64_t *run, bool *found,
                      struct error *error)
{
  struct statement *cancel = store_prepare(
      store,
      "UPDATE jobs SET progress = CASE status WHEN 'running' THEN coalesce(?1, progress) ELSE 0 END, updated = ?2,"
      " ended = ?2,"
      " status = CASE status WHEN 'running' THEN 'canceled' ELSE 'created' END"
      " WHERE id = ?3 AND (?4 IS NULL OR owner = ?4) AND status IN ('queued', 'running') RETURNING run",
      error);
  if (cancel == NULL)
    return -1;
  bind_known(cancel, 1, progress);
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
  struct statement *drop = store_prepare(store, "DELETE FROM jobs WHERE id = ? AND owner = ? RETURNING run", error);
  if (drop == NULL)
    return -1;
  bind_text(drop, 1, key->id);
  bind_text(drop, 2, key->owner);
  if (returned_run(store, drop, run, &found, error) != 0)
    return -1;
  return found ? 0 : store_no_job(key->id, error);
}
