/* Tables in an order in which rows refer to earlier ones; each is read page by page, by its key. A test makes sure that
 * no table and no column is missing here. */
#include "server/store/store_migrate.h"

#include "server/store/store_sql.h"

#include "datacube/base/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ROWS = 500, KEYS_MOST = 2 };

static const struct table {
  const char *name, *columns; /* the key first */
  size_t keys;                /* columns of the key */
  bool counts;                /* the key counts by itself */
} tables[] = {
    {"users", "name, password, created", 1, false},
    {"tokens", "hash, user, expires", 1, false},
    {"settings", "key, value", 1, false},
    {"jobs",
     "seq, id, owner, title, description, process, plan, budget, log_level, status, created, updated, queued, attempts,"
     " run, progress, usage, result, options, turn, priority, started, ended, costs, server",
     1, true},
    {"logs", "id, job, level, time, code, message, node, parameter, data", 1, true},
    {"dropped", "number, id, server", 1, true},
    {"served", "owner, at", 1, false},
    {"file_folders", "user, folder", 1, false},
    {"dropped_folders", "folder", 1, false},
    {"identities", "issuer, subject, user, name", 2, false},
    {"rights", "user, roles, results", 1, false},
    {"processes", "owner, id, document, brief, calls", 2, false},
    {"services",
     "seq, id, owner, type, title, description, process, configuration, shown, enabled, plan, budget, log_level,"
     " created, version",
     1, true},
    {"service_logs", "id, service, level, time, code, message, node, parameter", 1, true},
    {"workspaces", "id, owner, title, description", 1, false},
};
enum { TABLES = sizeof tables / sizeof tables[0] };

static size_t count_columns(const struct table *table)
{
  size_t count = 1;
  for (const char *at = table->columns; (at = strchr(at, ',')) != NULL; at++)
    count++;
  return count;
}

/* ---- statements that are made here ------------------------------------------------------------------------------- */

static int prepare(struct store *store, const char *sql, struct statement *out, struct error *error)
{
  *out = (struct statement){.engine = store->engine, .sql = sql};
  return store->engine->prepare(store, out, error);
}

/* The only number of a statement, or `otherwise`. */
static int read_number(struct store *store, const char *sql, int64_t otherwise, int64_t *out, struct error *error)
{
  struct statement statement;
  if (prepare(store, sql, &statement, error) != 0)
    return -1;
  const int row = store_step(store, &statement, error);
  *out = row == 1 ? column_integer(&statement, 0) : otherwise;
  store->engine->forget(&statement);
  return row < 0 ? -1 : 0;
}

/* ---- one table --------------------------------------------------------------------------------------------------- */

struct copy {
  const struct table *table;
  struct store *from, *to;
  size_t columns, key_length; /* key_length: bytes of the key's columns in the list of columns */
  struct statement first, next, insert;
  struct store_value key[KEYS_MOST]; /* of the last row */
  char *key_bytes[KEYS_MOST];        /* owned: theirs */
  int64_t rows;
};

static size_t find_key_length(const struct table *table)
{
  const char *end = table->columns;
  for (size_t i = 0; i < table->keys; i++)
    end += strcspn(end + (i > 0), ",") + (i > 0);
  return (size_t)(end - table->columns);
}

static void write_select(struct buffer *sql, const struct copy *copy, bool is_first)
{
  const struct table *table = copy->table;
  buffer_printf(sql, "SELECT %s FROM %s", table->columns, table->name);
  if (!is_first)
    buffer_printf(sql, " WHERE (%.*s) > (%s)", (int)copy->key_length, table->columns, table->keys > 1 ? "?, ?" : "?");
  buffer_printf(sql, " ORDER BY %.*s LIMIT %d", (int)copy->key_length, table->columns, PAGE_ROWS);
}

static void write_insert(struct buffer *sql, const struct copy *copy)
{
  buffer_printf(sql, "INSERT INTO %s (%s) VALUES (?", copy->table->name, copy->table->columns);
  for (size_t i = 1; i < copy->columns; i++)
    buffer_text(sql, ", ?");
  buffer_text(sql, ")");
}

static int keep_key(struct copy *copy, struct statement *row, struct error *error)
{
  for (int i = 0; i < (int)copy->table->keys; i++) {
    struct store_value value = row->engine->column(row, i);
    free(copy->key_bytes[i]);
    copy->key_bytes[i] = NULL;
    if (value.bytes != NULL) {
      copy->key_bytes[i] = malloc(value.size + 1);
      if (copy->key_bytes[i] == NULL)
        return error_memory(error);
      memcpy(copy->key_bytes[i], value.bytes, value.size);
      copy->key_bytes[i][value.size] = '\0';
      value.bytes = copy->key_bytes[i];
    }
    copy->key[i] = value;
  }
  return 0;
}

static int copy_row(struct copy *copy, struct statement *row, struct error *error)
{
  copy->to->engine->clear(&copy->insert);
  for (int i = 0; i < (int)copy->columns; i++) {
    const struct store_value value = row->engine->column(row, i);
    copy->to->engine->bind(&copy->insert, i + 1, &value);
  }
  if (store_run(copy->to, &copy->insert, error) != 0)
    return -1;
  copy->rows++;
  return keep_key(copy, row, error);
}

/* *count: rows of this page. */
static int copy_page(struct copy *copy, int *count, struct error *error)
{
  struct statement *page = copy->rows == 0 ? &copy->first : &copy->next;
  copy->from->engine->clear(page);
  for (int i = 0; i < (int)copy->table->keys && copy->rows > 0; i++)
    copy->from->engine->bind(page, i + 1, &copy->key[i]);
  int row, status = 0;
  for (*count = 0; status == 0 && (row = store_step(copy->from, page, error)) != 0; ++*count)
    status = row == 1 ? copy_row(copy, page, error) : -1;
  statement_end(page);
  return status;
}

/* Numbers that were once given to rows are not given again. */
static int move_counter(const struct copy *copy, struct error *error)
{
  const struct table *table = copy->table;
  char sql[256], column[16];
  int64_t number = 0;
  snprintf(column, sizeof column, "%.*s", (int)copy->key_length, table->columns);
  snprintf(sql, sizeof sql,
           store_sql(copy->from, "SELECT seq FROM sqlite_sequence WHERE name = '%s'",
                     "SELECT last_value FROM %s_%s_seq WHERE is_called"),
           table->name, column);
  if (read_number(copy->from, sql, 0, &number, error) != 0)
    return -1;
  if (copy->rows > 0 && copy->key[0].integer > number)
    number = copy->key[0].integer;
  if (number == 0)
    return 0;
  snprintf(sql, sizeof sql,
           store_sql(copy->to,
                     "DELETE FROM sqlite_sequence WHERE name = '%1$s';"
                     "INSERT INTO sqlite_sequence VALUES ('%1$s', %3$" PRId64 ")",
                     "SELECT setval('%1$s_%2$s_seq', %3$" PRId64 ")"),
           table->name, column, number);
  return copy->to->engine->execute(copy->to, sql, error);
}

static int copy_all(struct copy *copy, struct error *error)
{
  int count = PAGE_ROWS;
  while (count == PAGE_ROWS)
    if (copy_page(copy, &count, error) != 0)
      return -1;
  return copy->table->counts ? move_counter(copy, error) : 0;
}

static void free_copy(struct copy *copy)
{
  if (copy->first.made != NULL)
    copy->from->engine->forget(&copy->first);
  if (copy->next.made != NULL)
    copy->from->engine->forget(&copy->next);
  if (copy->insert.made != NULL)
    copy->to->engine->forget(&copy->insert);
  for (int i = 0; i < KEYS_MOST; i++)
    free(copy->key_bytes[i]);
}

static int copy_table(const struct table *table, struct store *from, struct store *to, int64_t *rows,
                      struct error *error)
{
  struct copy copy = {
      .table = table, .from = from, .to = to, .columns = count_columns(table), .key_length = find_key_length(table)};
  struct buffer first = {0}, next = {0}, insert = {0};
  write_select(&first, &copy, true);
  write_select(&next, &copy, false);
  write_insert(&insert, &copy);
  int status = first.failed || next.failed || insert.failed ? error_memory(error) : 0;
  if (status == 0 &&
      (prepare(from, first.data, &copy.first, error) != 0 || prepare(from, next.data, &copy.next, error) != 0 ||
       prepare(to, insert.data, &copy.insert, error) != 0))
    status = -1;
  if (status == 0)
    status = copy_all(&copy, error);
  *rows = copy.rows;
  free_copy(&copy);
  buffer_free(&first);
  buffer_free(&next);
  buffer_free(&insert);
  return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static int count_table(struct store *store, const struct table *table, int64_t *rows, struct error *error)
{
  char sql[64];
  snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table->name);
  return read_number(store, sql, 0, rows, error);
}

int store_count_rows(struct store *store, store_count *report, void *data, struct error *error)
{
  for (size_t i = 0; i < TABLES; i++) {
    int64_t rows;
    if (count_table(store, &tables[i], &rows, error) != 0)
      return -1;
    report(data, tables[i].name, rows);
  }
  return 0;
}

/* The server's secret, which every store has from its first use on, does not count. */
static void add_rows(void *data, const char *table, int64_t rows)
{
  if (strcmp(table, "settings") != 0)
    *(int64_t *)data += rows;
}

static int check_both(struct store *from, struct store *to, struct error *error)
{
  int64_t in_from = 0, in_to = 0;
  if (store_count_rows(from, add_rows, &in_from, error) != 0 || store_count_rows(to, add_rows, &in_to, error) != 0)
    return -1;
  if (in_from == 0)
    return error_set(error, ERROR_StorageFailure, "there is nothing in the store to be migrated");
  if (in_to > 0)
    return error_set(error, ERROR_StorageFailure, "the store to migrate into is not empty: it has %" PRId64 " rows",
                     in_to);
  return to->engine->execute(to, "DELETE FROM settings", error);
}

/* Within a transaction. */
static int copy_tables(struct store *from, struct store *to, int64_t rows[TABLES], struct error *error)
{
  if (check_both(from, to, error) != 0)
    return -1;
  for (size_t i = 0; i < TABLES; i++)
    if (copy_table(&tables[i], from, to, &rows[i], error) != 0)
      return -1;
  return 0;
}

int store_migrate(struct store *from, struct store *to, store_count *report, void *data, struct error *error)
{
  int64_t rows[TABLES];
  if (store_begin(to, error) != 0 || store_end(to, copy_tables(from, to, rows, error), error) != 0)
    return -1;
  for (size_t i = 0; i < TABLES; i++)
    report(data, tables[i].name, rows[i]);
  return 0;
}

/* ---- the check --------------------------------------------------------------------------------------------------- */

/* The first text of a statement is "ok", or there is no row. */
static int expect_ok(struct store *store, const char *sql, struct error *error)
{
  struct statement statement;
  if (prepare(store, sql, &statement, error) != 0)
    return -1;
  const int row = store_step(store, &statement, error);
  const char *text = row == 1 ? column_view(&statement, 0) : NULL;
  int status = row < 0 ? -1 : 0;
  if (row == 1 && (text == NULL || strcmp(text, "ok") != 0))
    status = error_set(error, ERROR_StorageFailure, "the store is damaged: %s", text != NULL ? text : "");
  store->engine->forget(&statement);
  return status;
}

/* PostgreSQL keeps its own promises; that it answers is known once rows were counted. */
int store_check(struct store *store, struct error *error)
{
  if (store->engine != &store_engine_sqlite)
    return 0;
  return expect_ok(store, "PRAGMA integrity_check", error) != 0
             ? -1
             : expect_ok(store,
                         "SELECT 'rows of ' || \"table\" || ' refer to rows that are not there'"
                         " FROM pragma_foreign_key_check",
                         error);
}
