/* Jobs whose rows are gone: a trigger notes each, so what their folders hold can be told from what nobody knows. */
#include "server/store/store_jobs.h"
#include "server/store/store_sql.h"

#include <stdio.h>

int store_dropped_next(struct store *store, int64_t *at, char id[JOB_ID_SIZE], bool *found, struct error *error)
{
  struct statement *next =
      store_prepare(store,
                    "SELECT number, id FROM dropped WHERE number > ?1 AND (?2 IS NULL OR server IS NULL OR server = ?2"
                    " OR NOT EXISTS (SELECT 1 FROM servers WHERE name = dropped.server)) ORDER BY number LIMIT 1",
                    error);
  if (next == NULL)
    return -1;
  bind_integer(next, 1, *at);
  bind_text(next, 2, store->server);
  int row = store_step(store, next, error);
  *found = row == 1;
  if (*found) {
    *at = column_integer(next, 0);
    column_copy(id, JOB_ID_SIZE, next, 1);
  }
  statement_end(next);
  return row < 0 ? -1 : 0;
}

int store_dropped_forget(struct store *store, int64_t number, struct error *error)
{
  struct statement *forget = store_prepare(store, "DELETE FROM dropped WHERE number = ?", error);
  if (forget == NULL)
    return -1;
  bind_integer(forget, 1, number);
  return store_run(store, forget, error);
}

/* Whether a statement finds a row. */
static int finds(struct store *store, struct statement *statement, bool *out, struct error *error)
{
  int row = store_step(store, statement, error);
  *out = row == 1;
  statement_end(statement);
  return row < 0 ? -1 : 0;
}

int store_job_is_known(struct store *store, const char *id, bool *known, struct error *error)
{
  struct statement *find = store_prepare(
      store, "SELECT 1 FROM jobs WHERE id = ?1 UNION ALL SELECT 1 FROM dropped WHERE id = ?1 LIMIT 1", error);
  if (find == NULL)
    return -1;
  bind_text(find, 1, id);
  return finds(store, find, known, error);
}

int store_had_jobs(struct store *store, bool *out, struct error *error)
{
  struct statement *find =
      store_prepare(store,
                    store_sql(store, "SELECT 1 FROM sqlite_sequence WHERE name = 'jobs' AND seq > 0",
                              "SELECT 1 FROM jobs_seq_seq WHERE is_called"),
                    error);
  return find == NULL ? -1 : finds(store, find, out, error);
}
