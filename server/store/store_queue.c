/* Jobs on their way: queued, claimed by turns, finished or put back. Every change names the state it starts from, so of
 * two that compete only one takes effect. The order is that of the store's own counters: no clock can change it. */
#include "server/store/store_job_row.h"
#include "server/store/store_servers.h"

#include <stdio.h>
#include <string.h>

/* ---- into the queue ---------------------------------------------------------------------------------------------- */

static int drop_logs(struct store *store, const char *id, struct error *error)
{
  struct statement *drop = store_prepare(store, "DELETE FROM logs WHERE job = ?", error);
  if (drop == NULL)
    return -1;
  bind_text(drop, 1, id);
  return store_run(store, drop, error);
}

/* Queued jobs of an owner, or of all (NULL). */
static int count_queued(struct store *store, const char *owner, int64_t *out, struct error *error)
{
  static const char of_all[] = "SELECT count(*) FROM jobs WHERE status = 'queued'";
  static const char of_one[] = "SELECT count(*) FROM jobs WHERE status = 'queued' AND owner = ?";
  struct statement *count = store_prepare(store, owner == NULL ? of_all : of_one, error);
  if (count == NULL)
    return -1;
  if (owner != NULL)
    bind_text(count, 1, owner);
  int row = store_step(store, count, error);
  *out = row == 1 ? column_integer(count, 0) : 0;
  statement_end(count);
  return row < 0 ? -1 : 0;
}

/* The job at hand counts already. */
static int check_limits(struct store *store, const char *owner, const struct queue_limits *limits, struct error *error)
{
  int64_t own = 0, all = 0;
  if (count_queued(store, owner, &own, error) != 0 || count_queued(store, NULL, &all, error) != 0)
    return -1;
  if (limits->per_owner > 0 && own > limits->per_owner)
    return error_set(error, ERROR_TooManyRequests, "%ld of your jobs are queued, no more can be: please try again",
                     limits->per_owner);
  if (limits->all > 0 && all > limits->all)
    return error_set(error, ERROR_InfrastructureBusy, "%ld jobs are queued, no more can be: please try again",
                     limits->all);
  return 0;
}

/* Within a transaction. */
static int queue_job(struct store *store, const struct job_key *key, const struct queue_limits *limits, bool *started,
                     struct error *error)
{
  struct statement *start =
      store_prepare(store,
                    "UPDATE jobs SET status = 'queued', queued = ?1, updated = ?1, attempts = 0, progress = 0,"
                    " usage = NULL, result = NULL, started = NULL, ended = NULL, costs = NULL,"
                    " turn = (SELECT coalesce(max(turn), 0) + 1 FROM jobs)"
                    " WHERE id = ?2 AND owner = ?3 AND status NOT IN ('queued', 'running')",
                    error);
  if (start == NULL)
    return -1;
  bind_integer(start, 1, store_now());
  bind_text(start, 2, key->id);
  bind_text(start, 3, key->owner);
  if (store_run(store, start, error) != 0)
    return -1;
  *started = store->changes > 0;
  if (!*started)
    return 0;
  return check_limits(store, key->owner, limits, error) == 0 ? drop_logs(store, key->id, error) : -1;
}

int store_job_start(struct store *store, const struct job_key *key, const struct queue_limits *limits, bool *started,
                    struct error *error)
{
  *started = false;
  if (store_begin(store, error) != 0)
    return -1;
  if (store_end(store, queue_job(store, key, limits, started, error), error) != 0) {
    *started = false;
    return -1;
  }
  if (*started)
    return 0;
  struct job job = {0};
  int status = store_job_get(store, key->owner, key->id, &job, error); /* queued or running, or not there */
  job_free(&job);
  return status;
}

int store_job_prefer(struct store *store, const char *id, int64_t priority, struct error *error)
{
  struct statement *prefer = store_prepare(store, "UPDATE jobs SET priority = ? WHERE id = ?", error);
  if (prefer == NULL)
    return -1;
  bind_integer(prefer, 1, priority);
  bind_text(prefer, 2, id);
  if (store_run(store, prefer, error) != 0)
    return -1;
  return store->changes > 0 ? 0 : store_no_job(id, error);
}

/* ---- out of it --------------------------------------------------------------------------------------------------- */

/* Whose turn it is: *found is false where nothing is queued. */
static int next_owner(struct store *store, char owner[USER_NAME_SIZE], bool *found, struct error *error)
{
  struct statement *next =
      store_prepare(store,
                    "SELECT waiting.owner FROM (SELECT owner,"
                    " CASE WHEN max(priority) > 10 THEN max(priority) ELSE 10 END AS urgency, min(turn) AS first"
                    " FROM jobs WHERE status = 'queued' GROUP BY owner) AS waiting"
                    " LEFT JOIN served ON served.owner = waiting.owner ORDER BY urgency DESC,"
                    " (SELECT count(*) FROM jobs WHERE status = 'running' AND jobs.owner = waiting.owner),"
                    " coalesce(served.at, 0), first LIMIT 1",
                    error);
  if (next == NULL)
    return -1;
  int row = store_step(store, next, error);
  *found = row == 1;
  if (*found)
    column_copy(owner, USER_NAME_SIZE, next, 0);
  statement_end(next);
  return row < 0 ? -1 : 0;
}

static int note_turn(struct store *store, const char *owner, struct error *error)
{
  struct statement *note = store_prepare(store,
                                         "INSERT INTO served SELECT ?, coalesce(max(at), 0) + 1 FROM served WHERE true"
                                         " ON CONFLICT (owner) DO UPDATE SET at = excluded.at",
                                         error);
  if (note == NULL)
    return -1;
  bind_text(note, 1, owner);
  return store_run(store, note, error);
}

/* *found is false where all of the owner's jobs are being changed by others. */
static int take_first(struct store *store, const char *owner, struct job *out, bool *found, struct error *error)
{
  struct statement *take = store_prepare(
      store,
      "UPDATE jobs SET status = 'running', updated = ?1, started = ?1, attempts = attempts + 1,"
      " run = run + 1, progress = 0, server = ?3 WHERE seq = (SELECT seq FROM jobs WHERE status = 'queued'"
      " AND owner = ?2 ORDER BY priority DESC, turn, seq LIMIT 1 /*postgres FOR UPDATE SKIP LOCKED */) "
      "RETURNING " JOB_COLUMNS,
      error);
  if (take == NULL)
    return -1;
  bind_integer(take, 1, store_now());
  bind_text(take, 2, owner);
  bind_text(take, 3, store->server);
  int row = store_step(store, take, error);
  *found = row == 1;
  if (*found) {
    store_read_job(take, out);
    row = store_step(store, take, error); /* to the end: only then does it count */
  }
  statement_end(take);
  return row;
}

/* Within a transaction: what another claimed since it was looked at does not count. */
static int claim_next(struct store *store, struct job *out, bool *found, struct error *error)
{
  char owner[USER_NAME_SIZE];
  if (store->server != NULL && store_server_beat(store, error) != 0)
    return -1;
  if (next_owner(store, owner, found, error) != 0)
    return -1;
  if (!*found)
    return 0;
  if (take_first(store, owner, out, found, error) != 0)
    return -1;
  return *found ? note_turn(store, owner, error) : 0;
}

int store_job_claim(struct store *store, struct job *out, bool *found, struct error *error)
{
  int64_t queued = 0;
  *found = false;
  if (count_queued(store, NULL, &queued, error) != 0)
    return -1;
  if (queued == 0)
    return 0;
  store_hurry(store, true); /* a claim that is lost leaves the job in the queue */
  int status = store_begin(store, error);
  if (status == 0)
    status = store_end(store, claim_next(store, out, found, error), error);
  store_hurry(store, false);
  if (status == 0)
    return 0;
  job_free(out);
  *found = false;
  return -1;
}

int store_job_finish(struct store *store, const struct job *job, const char *status, bool *accepted,
                     struct error *error)
{
  *accepted = false;
  struct statement *finish = store_prepare(store,
                                           "UPDATE jobs SET status = ?1, updated = ?2, ended = ?2, progress = ?3,"
                                           " usage = ?4, result = ?5, costs = ?8"
                                           " WHERE id = ?6 AND run = ?7 AND status = 'running'",
                                           error);
  if (finish == NULL)
    return -1;
  bind_text(finish, 1, status);
  bind_integer(finish, 2, store_now());
  bind_known(finish, 3, job->progress);
  bind_text(finish, 4, job->usage);
  bind_text(finish, 5, job->result);
  bind_text(finish, 6, job->id);
  bind_integer(finish, 7, job->run);
  bind_known(finish, 8, job->costs);
  if (store_run(store, finish, error) != 0)
    return -1;
  *accepted = store->changes > 0;
  return 0;
}

/* Within a transaction. */
static int requeue(struct store *store, const struct job *job, bool count, const char *reason, struct error *error)
{
  const bool give_up = count && job->attempts >= JOB_MAX_ATTEMPTS;
  struct statement *queue = store_prepare(store,
                                          "UPDATE jobs SET status = ?1, updated = ?2, attempts = attempts - ?3,"
                                          " progress = CASE ?1 WHEN 'queued' THEN 0 ELSE progress END, server = NULL,"
                                          " ended = CASE ?1 WHEN 'queued' THEN NULL ELSE ?2 END"
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
  if (store->changes == 0 || reason == NULL)
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
  struct statement *next = store_prepare(store,
                                         "SELECT " JOB_COLUMNS " FROM jobs WHERE status = 'running' AND seq > ?1"
                                         " AND updated <= ?2 AND (?3 IS NULL OR server = ?3) ORDER BY seq LIMIT 1",
                                         error);
  if (next == NULL)
    return -1;
  bind_integer(next, 1, after);
  bind_integer(next, 2, before);
  bind_text(next, 3, store->server);
  int row = store_step(store, next, error);
  *found = row == 1;
  if (*found)
    store_read_job(next, out);
  statement_end(next);
  return row < 0 ? -1 : 0;
}

int store_job_note_progress(struct store *store, const char *id, int64_t run, double progress, struct error *error)
{
  struct statement *note = store_prepare(
      store, "UPDATE jobs SET progress = ?1 WHERE id = ?2 AND run = ?3 AND status = 'running' AND progress < ?1",
      error);
  if (note == NULL)
    return -1;
  bind_known(note, 1, progress);
  bind_text(note, 2, id);
  bind_integer(note, 3, run);
  return store_run(store, note, error);
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

int store_job_expire(struct store *store, int64_t before, char id[JOB_ID_SIZE], bool *found, struct error *error)
{
  struct statement *expire =
      store_prepare(store,
                    "UPDATE jobs SET result = NULL WHERE seq = (SELECT seq FROM jobs WHERE status = 'finished'"
                    " AND result IS NOT NULL AND coalesce(ended, updated) < ? LIMIT 1"
                    " /*postgres FOR UPDATE SKIP LOCKED */) RETURNING id",
                    error);
  if (expire == NULL)
    return -1;
  bind_integer(expire, 1, before);
  int row = store_step(store, expire, error);
  *found = row == 1;
  if (*found) {
    column_copy(id, JOB_ID_SIZE, expire, 0);
    row = store_step(store, expire, error); /* to the end: only then is it committed */
  }
  statement_end(expire);
  return row < 0 ? -1 : 0;
}
