#include "stac/shared/touched_rows.h"

static const struct trigger {
  const char *event, *table, *row; /* the row whose key is noted */
  enum shared_kind kind;
} triggers[] = {
    {"UPDATE", "collections", "old.key", SHARED_COLLECTION},
    {"DELETE", "collections", "old.key", SHARED_COLLECTION},
    {"DELETE", "grids", "old.key", SHARED_GRID},
    {"UPDATE", "items", "old.key", SHARED_ITEM},
    {"DELETE", "items", "old.key", SHARED_ITEM},
    {"INSERT", "sources", "0", SHARED_SOURCE},
    {"UPDATE", "sources", "0", SHARED_SOURCE},
    {"DELETE", "sources", "0", SHARED_SOURCE},
};
enum { TRIGGERS = sizeof triggers / sizeof triggers[0] };

/* Tables whose rows have numbers; sources have none. */
static const char *const numbered[SHARED_KINDS] = {
    [SHARED_COLLECTION] = "collections", [SHARED_GRID] = "grids", [SHARED_ITEM] = "items"};

static int execute(struct index *index, const char *text, struct error *error)
{
  return sqlite3_exec(index->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : index_error(index, error);
}

int touched_rows_watch(struct index *index, struct error *error)
{
  struct buffer sql = {0};
  buffer_text(&sql, "PRAGMA temp_store = MEMORY;"
                    "CREATE TEMP TABLE touched (kind INTEGER NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (kind, key))"
                    " WITHOUT ROWID;");
  for (size_t i = 0; i < TRIGGERS; i++)
    buffer_printf(&sql,
                  "CREATE TEMP TRIGGER touched_%zu AFTER %s ON main.%s BEGIN"
                  " INSERT OR IGNORE INTO touched VALUES (%d, %s); END;",
                  i, triggers[i].event, triggers[i].table, (int)triggers[i].kind, triggers[i].row);
  const int status = sql.failed ? error_memory(error) : execute(index, sql.data, error);
  buffer_free(&sql);
  return status;
}

static int greatest_key(struct index *index, enum shared_kind kind, int64_t *out, struct error *error)
{
  struct buffer sql = {0};
  *out = 0;
  if (numbered[kind] == NULL)
    return 0;
  buffer_printf(&sql, "SELECT coalesce(max(key), 0) FROM %s", numbered[kind]);
  sqlite3_stmt *row = sql.failed ? NULL : index_query(index, sql.data, error);
  const int found = row != NULL ? index_step(index, row, error) : -1;
  if (found == 1)
    *out = sqlite3_column_int64(row, 0);
  index_done(row);
  buffer_free(&sql);
  return found == 1 ? 0 : -1;
}

int touched_rows_forget(struct index *index, struct error *error)
{
  return execute(index, "DELETE FROM touched", error);
}

int touched_rows_begin(struct index *index, int64_t before[SHARED_KINDS], struct error *error)
{
  for (int kind = 0; kind < SHARED_KINDS; kind++)
    if (greatest_key(index, (enum shared_kind)kind, &before[kind], error) != 0)
      return -1;
  return touched_rows_forget(index, error);
}

static int read_kind(struct index *index, enum shared_kind kind, int64_t before, struct key_ranges *out,
                     struct error *error)
{
  int64_t now = 0;
  sqlite3_stmt *row = index_query(index, "SELECT key FROM touched WHERE kind = ?1 ORDER BY key", error);
  int more = row != NULL ? 1 : -1;
  if (row != NULL)
    sqlite3_bind_int(row, 1, (int)kind);
  while (more == 1 && (more = index_step(index, row, error)) == 1) {
    const int64_t key = sqlite3_column_int64(row, 0);
    if (key <= before && key_ranges_add(out, key, key, error) != 0)
      more = -1;
  }
  index_done(row);
  if (more != 0 || greatest_key(index, kind, &now, error) != 0)
    return -1;
  if (now > before && key_ranges_add(out, before + 1, now, error) != 0)
    return -1;
  key_ranges_join(out);
  return 0;
}

int touched_rows_read(struct index *index, const int64_t before[SHARED_KINDS], struct key_ranges out[SHARED_KINDS],
                      struct error *error)
{
  for (int kind = 0; kind < SHARED_KINDS; kind++)
    if (read_kind(index, (enum shared_kind)kind, before[kind], &out[kind], error) != 0)
      return -1;
  return 0;
}
