/* One table. What a definition calls is kept beside it, so a way that leads back to where it began is found without
 * reading definitions. */
#include "server/store/store_processes.h"

#include "server/store/store_sql.h"

#include "datacube/base/buffer.h"

#include <stdlib.h>
#include <string.h>

const char store_processes_schema[] =
    "CREATE TABLE IF NOT EXISTS processes (owner TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE,"
    " id TEXT NOT NULL, document TEXT NOT NULL, brief TEXT NOT NULL, calls TEXT NOT NULL,"
    " PRIMARY KEY (owner, id));";

/* A statement about one process of one owner. */
static struct statement *about(struct store *store, const char *sql, const char *owner, const char *id,
                               struct error *error)
{
  struct statement *statement = store_prepare(store, sql, error);
  if (statement != NULL) {
    bind_text(statement, 1, owner);
    bind_text(statement, 2, id);
  }
  return statement;
}

/* The first column of the only row as a new string, NULL where there is no row. */
static int read_text(struct store *store, struct statement *statement, char **out, struct error *error)
{
  *out = NULL;
  int row = statement == NULL ? -1 : store_step(store, statement, error);
  if (row == 1) {
    *out = column_text(statement, 0);
    statement_end(statement);
    return *out != NULL ? 0 : error_memory(error);
  }
  return row;
}

/* ---- ways that lead back ---------------------------------------------------------------------------------------- */

struct search {
  struct store *store;
  const char *owner, *goal;
  struct buffer way;  /* "a, b, ": from the goal to where the search is */
  struct buffer seen; /* "\na\nb\n" */
};

static bool was_seen(struct search *search, const char *id, size_t length)
{
  const char *at = search->seen.data;
  while ((at = strstr(at, "\n")) != NULL && at[1] != '\0')
    if (strncmp(++at, id, length) == 0 && at[length] == '\n')
      return true;
  buffer_printf(&search->seen, "%.*s\n", (int)length, id);
  return false;
}

/* Follows the calls of one process depth first, each process once; there are PROCESS_MAX_COUNT at most. */
static int follow(struct search *search, const char *calls, struct error *error)
{
  static const char sql[] = "SELECT calls FROM processes WHERE owner = ? AND id = ?";
  for (const char *id = calls; *id != '\0'; id += strcspn(id, "\n") + 1) {
    const size_t length = strcspn(id, "\n"), way = search->way.length;
    char name[PROCESS_ID_SIZE], *further = NULL;
    if (length >= sizeof name || was_seen(search, id, length))
      continue;
    memcpy(name, id, length);
    name[length] = '\0';
    if (strcmp(name, search->goal) == 0)
      return error_set(error, ERROR_ProcessGraphInvalid, "process '%s' would lead back to itself: %s → %s%s",
                       search->goal, search->goal, way > 0 ? search->way.data : "", search->goal);
    int status = read_text(search->store, about(search->store, sql, search->owner, name, error), &further, error);
    buffer_printf(&search->way, "%s → ", name);
    if (status == 0 && further != NULL)
      status = follow(search, further, error);
    free(further);
    if (status != 0)
      return -1;
    search->way.length = way;
    if (search->way.data != NULL)
      search->way.data[way] = '\0';
  }
  return search->way.failed || search->seen.failed ? error_memory(error) : 0;
}

static int check_ways(struct store *store, const char *owner, const struct stored_process *process, struct error *error)
{
  struct search search = {.store = store, .owner = owner, .goal = process->id};
  buffer_text(&search.seen, "\n");
  int status = search.seen.failed ? error_memory(error) : follow(&search, process->calls, error);
  buffer_free(&search.way);
  buffer_free(&search.seen);
  return status;
}

/* ---- changes ---------------------------------------------------------------------------------------------------- */

static int check_quota(struct store *store, const char *owner, const struct stored_process *process,
                       struct error *error)
{
#define COUNTED " FROM processes WHERE owner = ? AND id <> ?"
  static const char sqlite[] = "SELECT count(*), coalesce(sum(length(CAST(document AS BLOB))), 0)" COUNTED;
  static const char postgres[] = "SELECT count(*), coalesce(sum(octet_length(document)), 0)" COUNTED;
#undef COUNTED
  struct statement *statement = about(store, store_sql(store, sqlite, postgres), owner, process->id, error);
  if (statement == NULL || store_step(store, statement, error) != 1)
    return -1;
  const int64_t count = column_integer(statement, 0), bytes = column_integer(statement, 1);
  statement_end(statement);
  if (count >= PROCESS_MAX_COUNT)
    return error_set(error, ERROR_StorageQuotaExceeded, "a user keeps at most %d processes", (int)PROCESS_MAX_COUNT);
  if (bytes + (int64_t)strlen(process->document) > PROCESS_MAX_STORED)
    return error_set(error, ERROR_StorageQuotaExceeded, "the processes of a user take at most %d bytes",
                     (int)PROCESS_MAX_STORED);
  return 0;
}

static int write_row(struct store *store, const char *owner, const struct stored_process *process, struct error *error)
{
  static const char sql[] = "INSERT INTO processes (owner, id, document, brief, calls) VALUES (?, ?, ?, ?, ?)"
                            " ON CONFLICT (owner, id) DO UPDATE SET document = excluded.document,"
                            " brief = excluded.brief, calls = excluded.calls";
  struct statement *statement = about(store, sql, owner, process->id, error);
  if (statement == NULL)
    return -1;
  bind_text(statement, 3, process->document);
  bind_text(statement, 4, process->brief);
  bind_text(statement, 5, process->calls);
  return store_run(store, statement, error);
}

int store_process_put(struct store *store, const char *owner, const struct stored_process *process, struct error *error)
{
  if (store_begin(store, error) != 0)
    return -1;
  bool is_fine = check_quota(store, owner, process, error) == 0 && check_ways(store, owner, process, error) == 0;
  return store_end(store, is_fine ? write_row(store, owner, process, error) : -1, error);
}

int store_process_delete(struct store *store, const char *owner, const char *id, bool *found, struct error *error)
{
  struct statement *statement = about(store, "DELETE FROM processes WHERE owner = ? AND id = ?", owner, id, error);
  if (statement == NULL || store_run(store, statement, error) != 0)
    return -1;
  *found = store->changes > 0;
  return 0;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

int store_process_get(struct store *store, const char *owner, const char *id, char **document, struct error *error)
{
  static const char sql[] = "SELECT document FROM processes WHERE owner = ? AND id = ?";
  return read_text(store, about(store, sql, owner, id, error), document, error);
}

int store_process_list(struct store *store, const char *owner, const char *after,
                       bool (*report)(void *data, const char *id, const char *brief), void *data, struct error *error)
{
  static const char sql[] = "SELECT id, brief FROM processes WHERE owner = ? AND id > ? ORDER BY id";
  struct statement *statement = about(store, sql, owner, after, error);
  int row = -1;
  while (statement != NULL && (row = store_step(store, statement, error)) == 1)
    if (!report(data, column_view(statement, 0), column_view(statement, 1)))
      break;
  if (statement != NULL)
    statement_end(statement);
  return row < 0 ? -1 : 0;
}

int store_process_any(struct store *store, const char *owner, bool *out, struct error *error)
{
  struct statement *statement = store_prepare(store, "SELECT 1 FROM processes WHERE owner = ? LIMIT 1", error);
  if (statement == NULL)
    return -1;
  bind_text(statement, 1, owner);
  int row = store_step(store, statement, error);
  statement_end(statement);
  *out = row == 1;
  return row < 0 ? -1 : 0;
}
