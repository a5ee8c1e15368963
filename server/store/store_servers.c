/* A row a server, with when it was last heard of. */
#include "server/store/store_servers.h"

#include "server/store/store_job_row.h"
#include "server/store/store_sql.h"

#include <sodium.h>
#include <string.h>

#define NOW "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

void store_set_server(struct store *store, const char *name)
{
  store->server = name;
}

int store_server_beat(struct store *store, struct error *error)
{
  struct statement *beat = store_prepare(
      store, "INSERT INTO servers VALUES (?, " NOW ") ON CONFLICT (name) DO UPDATE SET seen = excluded.seen", error);
  if (beat == NULL)
    return -1;
  bind_text(beat, 1, store->server);
  return store_run(store, beat, error);
}

int store_server_leave(struct store *store, struct error *error)
{
  struct statement *leave = store_prepare(store, "DELETE FROM servers WHERE name = ?", error);
  if (leave == NULL)
    return -1;
  bind_text(leave, 1, store->server);
  return store_run(store, leave, error);
}

int store_servers_bury(struct store *store, int64_t milliseconds, int64_t *count, struct error *error)
{
  struct statement *bury = store_prepare(store, "DELETE FROM servers WHERE seen < " NOW " - ?", error);
  if (bury == NULL)
    return -1;
  bind_integer(bury, 1, milliseconds);
  const int status = store_run(store, bury, error);
  *count = status == 0 ? store->changes : 0;
  return status;
}

int store_servers_count(struct store *store, int64_t *count, struct error *error)
{
  struct statement *find = store_prepare(store, "SELECT count(*) FROM servers", error);
  if (find == NULL)
    return -1;
  const int row = store_step(store, find, error);
  *count = row == 1 ? column_integer(find, 0) : 0;
  statement_end(find);
  return row < 0 ? -1 : 0;
}

int store_job_orphan(struct store *store, struct job *out, bool *found, struct error *error)
{
  struct statement *find = store_prepare(store,
                                         "SELECT " JOB_COLUMNS " FROM jobs WHERE status = 'running' AND NOT EXISTS"
                                         " (SELECT 1 FROM servers WHERE name = jobs.server) ORDER BY seq LIMIT 1",
                                         error);
  if (find == NULL)
    return -1;
  const int row = store_step(store, find, error);
  *found = row == 1;
  if (*found)
    store_read_job(find, out);
  statement_end(find);
  return row < 0 ? -1 : 0;
}

static int read_mark(struct store *store, char out[FOLDER_MARK_SIZE], bool *found, struct error *error)
{
  struct statement *find = store_prepare(store, "SELECT value FROM settings WHERE key = 'folder'", error);
  if (find == NULL)
    return -1;
  const int row = store_step(store, find, error);
  const struct store_value value = row == 1 ? find->engine->column(find, 0) : (struct store_value){0};
  *found = row == 1 && value.size == FOLDER_MARK_SIZE - 1;
  if (*found) {
    memcpy(out, value.bytes, FOLDER_MARK_SIZE - 1);
    out[FOLDER_MARK_SIZE - 1] = '\0';
  }
  statement_end(find);
  return row < 0 ? -1 : 0;
}

int store_folder_mark(struct store *store, char out[FOLDER_MARK_SIZE], bool *is_new, struct error *error)
{
  unsigned char random[16];
  bool found = false;
  *is_new = false;
  if (read_mark(store, out, &found, error) != 0 || found)
    return found ? 0 : -1;
  randombytes_buf(random, sizeof random);
  sodium_bin2hex(out, FOLDER_MARK_SIZE, random, sizeof random);
  struct statement *put =
      store_prepare(store, "INSERT INTO settings VALUES ('folder', ?) ON CONFLICT DO NOTHING", error);
  if (put == NULL)
    return -1;
  bind_blob(put, 1, out, FOLDER_MARK_SIZE - 1);
  if (store_run(store, put, error) != 0)
    return -1;
  *is_new = store->changes > 0;
  return read_mark(store, out, &found, error);
}
