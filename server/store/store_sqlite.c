/* SQLite as the store's engine: one file in the data folder, with a write-ahead log, for one server. */
#include "server/store/store_sql.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int fail(const struct store *store, struct error *error)
{
  return error_set(error, ERROR_StorageFailure, "the server's store: %s", sqlite3_errmsg(store->connection));
}

static int execute(struct store *store, const char *sql, struct error *error)
{
  return sqlite3_exec(store->connection, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(store, error);
}

/* The number that a PRAGMA answers, -1 where it does not. */
static int64_t read_pragma(const struct store *store, const char *pragma)
{
  sqlite3_stmt *statement = NULL;
  int64_t number = -1;
  if (sqlite3_prepare_v2(store->connection, pragma, -1, &statement, NULL) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW)
    number = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return number;
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* Made by hand first: nobody else may read hashes and keys. A file that is there is not opened: closing it would drop
 * the locks of this process's other connections, and a process that then ends takes their write-ahead log away. */
static int make_file(const char *path)
{
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0)
    return close(fd);
  return errno == EEXIST ? access(path, R_OK | W_OK) : -1;
}

/* Another writes. A change takes the time of a write to the disk, so it is soon looked for again: SQLite's own pauses
 * grow to a tenth of a second, and with many writers the unlucky ones meet them again and again. */
static int wait_for_others(void *unused, int tries)
{
  enum { PAUSE_US = 500, MOST_TRIES = 30000 }; /* 15 seconds */
  (void)unused;
  const struct timespec pause = {.tv_nsec = PAUSE_US * 1000};
  nanosleep(&pause, NULL);
  return tries < MOST_TRIES;
}

static int open_file(struct store *store, const char *place, struct error *error)
{
  char path[4096];
  sqlite3 *db = NULL;
  if (snprintf(path, sizeof path, "%s/server.sqlite", place) >= (int)sizeof path)
    return error_set(error, ERROR_StorageFailure, "the data folder's name is too long");
  if (make_file(path) != 0)
    return error_set(error, ERROR_StorageFailure, "cannot open %s for writing", path);
  const int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  store->connection = db;
  if (code != SQLITE_OK)
    return error_set(error, ERROR_StorageFailure, "cannot open %s", path);
  sqlite3_busy_handler(db, wait_for_others, NULL);
  return execute(store,
                 "PRAGMA auto_vacuum = INCREMENTAL;" /* counts for a store that is made now */
                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                 "PRAGMA journal_size_limit = 16777216;",
                 error);
}

static void close_file(struct store *store)
{
  sqlite3_close(store->connection);
}

/* Tables beside the versions are looked for each time: that is cheap here. */
static int version(struct store *store, const char *mark, int *out, bool *is_marked, struct error *error)
{
  (void)mark;
  *is_marked = false;
  *out = (int)read_pragma(store, "PRAGMA user_version");
  return *out >= 0 ? 0 : fail(store, error);
}

static int set_version(struct store *store, const char *mark, int number, struct error *error)
{
  char pragma[48];
  (void)mark;
  if (read_pragma(store, "PRAGMA user_version") == number)
    return 0;
  snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", number);
  return execute(store, pragma, error);
}

static bool shrink(struct store *store)
{
  enum { FEW_PAGES = 1000 }; /* that are not worth the while: new rows will fill them */
  struct error error = {0};
  if (read_pragma(store, "PRAGMA freelist_count") < FEW_PAGES)
    return false;
  if (read_pragma(store, "PRAGMA auto_vacuum") == 0) /* made by an older program: once and for all */
    return execute(store, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM;", &error) == 0;
  return execute(store, "PRAGMA incremental_vacuum(4000)", &error) == 0;
}

/* ---- statements ------------------------------------------------------------------------------------------------- */

static int prepare(struct store *store, struct statement *statement, struct error *error)
{
  sqlite3_stmt *made = NULL;
  if (sqlite3_prepare_v3(store->connection, statement->sql, -1, SQLITE_PREPARE_PERSISTENT, &made, NULL) != SQLITE_OK)
    return fail(store, error);
  statement->made = made;
  return 0;
}

static void forget(struct statement *statement)
{
  sqlite3_finalize(statement->made);
}

static void end(struct statement *statement)
{
  sqlite3_reset(statement->made);
}

static void clear(struct statement *statement)
{
  sqlite3_reset(statement->made);
  sqlite3_clear_bindings(statement->made);
}

static void bind(struct statement *statement, int position, const struct store_value *value)
{
  if (value->is_null)
    sqlite3_bind_null(statement->made, position);
  else if (value->kind == VALUE_INTEGER)
    sqlite3_bind_int64(statement->made, position, value->integer);
  else if (value->kind == VALUE_REAL)
    sqlite3_bind_double(statement->made, position, value->real);
  else if (value->kind == VALUE_TEXT)
    sqlite3_bind_text(statement->made, position, value->bytes, (int)value->size, SQLITE_STATIC);
  else
    sqlite3_bind_blob(statement->made, position, value->bytes, (int)value->size, SQLITE_STATIC);
}

static int step(struct store *store, struct statement *statement, struct error *error)
{
  const int code = sqlite3_step(statement->made);
  if (code == SQLITE_ROW)
    return 1;
  if (code != SQLITE_DONE)
    fail(store, error);
  else
    store->changes = sqlite3_changes(store->connection);
  sqlite3_reset(statement->made);
  return code == SQLITE_DONE ? 0 : -1;
}

static struct store_value column(struct statement *statement, int at)
{
  sqlite3_stmt *const row = statement->made;
  const int type = sqlite3_column_type(row, at);
  if (type == SQLITE_INTEGER)
    return (struct store_value){.kind = VALUE_INTEGER, .integer = sqlite3_column_int64(row, at)};
  if (type == SQLITE_FLOAT)
    return (struct store_value){.kind = VALUE_REAL, .real = sqlite3_column_double(row, at)};
  if (type == SQLITE_NULL)
    return (struct store_value){.kind = VALUE_ANY, .is_null = true};
  const char *const bytes =
      type == SQLITE_TEXT ? (const char *)sqlite3_column_text(row, at) : sqlite3_column_blob(row, at);
  return (struct store_value){.kind = type == SQLITE_TEXT ? VALUE_TEXT : VALUE_BLOB,
                              .is_null = type == SQLITE_TEXT && bytes == NULL, /* out of memory */
                              .bytes = bytes,
                              .size = (size_t)sqlite3_column_bytes(row, at)};
}

/* ---- transactions ------------------------------------------------------------------------------------------------ */

static int begin(struct store *store, struct error *error)
{
  return execute(store, "BEGIN IMMEDIATE", error);
}

static int commit(struct store *store, struct error *error)
{
  return execute(store, "COMMIT", error);
}

static void rollback(struct store *store)
{
  sqlite3_exec(store->connection, "ROLLBACK", NULL, NULL, NULL);
}

/* FULL: the log is written through to the disk with each change; NORMAL: with the next one that is FULL. */
static void hurry(struct store *store, bool is_hasty)
{
  struct error ignored = {0};
  if (sqlite3_get_autocommit(store->connection) != 0)
    execute(store, is_hasty ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", &ignored);
}

const struct store_engine store_engine_sqlite = {.name = "SQLite",
                                                 .open = open_file,
                                                 .close = close_file,
                                                 .prepare = prepare,
                                                 .forget = forget,
                                                 .clear = clear,
                                                 .end = end,
                                                 .bind = bind,
                                                 .step = step,
                                                 .column = column,
                                                 .execute = execute,
                                                 .begin = begin,
                                                 .commit = commit,
                                                 .rollback = rollback,
                                                 .version = version,
                                                 .set_version = set_version,
                                                 .shrink = shrink,
                                                 .hurry = hurry};
