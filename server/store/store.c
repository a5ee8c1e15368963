/* Opening the store, its schema, users and tokens. */
#include "server/store/store_files.h"
#include "server/store/store_identities.h"
#include "server/store/store_processes.h"
#include "server/store/store_services.h"
#include "server/store/store_sql.h"
#include "server/store/store_workspaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char schema[] =
    "CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE tokens (hash BLOB PRIMARY KEY, user TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE,"
    " expires INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX tokens_by_user ON tokens(user);"
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    /* attempts: runs since the user's start; run: counts all runs, names the result folder */
    "CREATE TABLE jobs (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " owner TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE, title TEXT, description TEXT,"
    " process TEXT NOT NULL, plan TEXT, budget REAL, log_level TEXT NOT NULL, status TEXT NOT NULL,"
    " created INTEGER NOT NULL, updated INTEGER NOT NULL, queued INTEGER, attempts INTEGER NOT NULL DEFAULT 0,"
    " run INTEGER NOT NULL DEFAULT 0, progress REAL, usage TEXT, result TEXT);"
    "CREATE INDEX jobs_by_owner ON jobs(owner, seq);"
    "CREATE INDEX jobs_queue ON jobs(status, queued);"
    "CREATE TABLE logs (id INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,"
    " level INTEGER NOT NULL, time INTEGER NOT NULL, code TEXT, message TEXT NOT NULL, node TEXT, parameter TEXT);"
    "CREATE INDEX logs_by_job ON logs(job, id);";

/* What each version of the store has over the one before. */
static const char *const versions[] = {
    schema,
    "ALTER TABLE logs ADD COLUMN data TEXT;"     /* JSON */
    "ALTER TABLE jobs ADD COLUMN options TEXT;", /* job_options as they were sent: a JSON object */
    /* jobs that are gone, for who removes their folders */
    "CREATE TABLE dropped (number INTEGER PRIMARY KEY, id TEXT NOT NULL);"
    "CREATE TRIGGER jobs_dropped AFTER DELETE ON jobs BEGIN INSERT INTO dropped (id) VALUES (OLD.id); END;",
    /* turn: order of queueing, whatever the clock says; started, ended: of the last run */
    "ALTER TABLE jobs ADD COLUMN turn INTEGER; ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE jobs ADD COLUMN started INTEGER; ALTER TABLE jobs ADD COLUMN ended INTEGER;"
    "ALTER TABLE jobs ADD COLUMN costs REAL; UPDATE jobs SET turn = seq;"
    "CREATE INDEX jobs_waiting ON jobs(status, owner, priority, turn); CREATE INDEX jobs_by_turn ON jobs(turn);"
    /* when an owner's turn was, in turns of all */
    "CREATE TABLE served (owner TEXT PRIMARY KEY REFERENCES users(name) ON DELETE CASCADE, at INTEGER NOT NULL)"
    " WITHOUT ROWID;",
};
enum { STORE_VERSION = sizeof versions / sizeof versions[0] };

/* Tables that stand beside these versions, each made where it is missing. */
static const char *const tables[] = {store_files_schema, store_workspaces_schema, store_identities_schema,
                                     store_processes_schema, store_services_schema};

int64_t store_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int store_failure(struct store *store, struct error *error)
{
  return error_set(error, ERROR_StorageFailure, "the server's store: %s", sqlite3_errmsg(store->db));
}

sqlite3_stmt *store_prepare(struct store *store, const char *sql, struct error *error)
{
  for (size_t i = 0; i < store->cached; i++)
    if (store->cache[i].sql == sql) {
      sqlite3_reset(store->cache[i].statement);
      sqlite3_clear_bindings(store->cache[i].statement);
      return store->cache[i].statement;
    }
  sqlite3_stmt *statement = NULL;
  if (store->cached == STORE_MAX_STATEMENTS) {
    error_set(error, ERROR_Internal, "more than %d statements in the store", STORE_MAX_STATEMENTS);
    return NULL;
  }
  if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) {
    store_failure(store, error);
    return NULL;
  }
  store->cache[store->cached].sql = sql;
  store->cache[store->cached++].statement = statement;
  return statement;
}

void bind_text(sqlite3_stmt *statement, int position, const char *text)
{
  if (text == NULL)
    sqlite3_bind_null(statement, position);
  else
    sqlite3_bind_text(statement, position, text, -1, SQLITE_STATIC);
}

void bind_integer(sqlite3_stmt *statement, int position, int64_t number)
{
  sqlite3_bind_int64(statement, position, number);
}

int store_step(struct store *store, sqlite3_stmt *statement, struct error *error)
{
  int code = sqlite3_step(statement);
  if (code == SQLITE_ROW)
    return 1;
  if (code != SQLITE_DONE)
    store_failure(store, error);
  sqlite3_reset(statement);
  return code == SQLITE_DONE ? 0 : -1;
}

int store_run(struct store *store, sqlite3_stmt *statement, struct error *error)
{
  int code = store_step(store, statement, error);
  sqlite3_reset(statement);
  return code < 0 ? -1 : 0;
}

int store_begin(struct store *store, struct error *error)
{
  sqlite3_stmt *statement = store_prepare(store, "BEGIN IMMEDIATE", error);
  return statement == NULL ? -1 : store_run(store, statement, error);
}

int store_end(struct store *store, int status, struct error *error)
{
  if (status == 0) {
    sqlite3_stmt *commit = store_prepare(store, "COMMIT", error);
    if (commit != NULL && store_run(store, commit, error) == 0)
      return 0;
  }
  sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
  return -1;
}

void bind_known(sqlite3_stmt *statement, int position, double number)
{
  if (number < 0)
    sqlite3_bind_null(statement, position);
  else
    sqlite3_bind_double(statement, position, number);
}

void column_copy(char *out, size_t room, sqlite3_stmt *statement, int column)
{
  const unsigned char *text = sqlite3_column_text(statement, column);
  snprintf(out, room, "%s", text != NULL ? (const char *)text : "");
}

char *column_text(sqlite3_stmt *statement, int column)
{
  const unsigned char *text = sqlite3_column_text(statement, column);
  return text == NULL ? NULL : strdup((const char *)text);
}

/* The number that a PRAGMA answers, -1 where it does not. */
static int64_t read_pragma(struct store *store, const char *pragma)
{
  sqlite3_stmt *statement = NULL;
  int64_t number = -1;
  if (sqlite3_prepare_v2(store->db, pragma, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
    number = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return number;
}

static int make_schema(struct store *store, struct error *error)
{
  if ((int)read_pragma(store, "PRAGMA user_version") == STORE_VERSION)
    return 0;
  if (store_begin(store, error) != 0)
    return -1;
  int version = (int)read_pragma(store, "PRAGMA user_version"), status = 0; /* another process may have been first */
  if (version < 0 || version > STORE_VERSION)
    status = error_set(error, ERROR_StorageFailure, "the store has version %d, this program knows %d", version,
                       (int)STORE_VERSION);
  for (; status == 0 && version < STORE_VERSION; version++)
    if (sqlite3_exec(store->db, versions[version], NULL, NULL, NULL) != SQLITE_OK)
      status = store_failure(store, error);
  char pragma[48];
  snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", (int)STORE_VERSION);
  if (status == 0 && sqlite3_exec(store->db, pragma, NULL, NULL, NULL) != SQLITE_OK)
    status = store_failure(store, error);
  return store_end(store, status, error);
}

static int make_tables(struct store *store, struct error *error)
{
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
    if (sqlite3_exec(store->db, tables[i], NULL, NULL, NULL) != SQLITE_OK)
      return store_failure(store, error);
  return 0;
}

/* Made by hand first: nobody else may read hashes and keys. A file that is there is not opened: closing it would drop
 * the locks of this process's other connections, and a process that then ends takes their write-ahead log away. */
static int make_file(const char *path)
{
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0)
    return close(fd);
  return errno == EEXIST ? access(path, R_OK | W_OK) : -1;
}

int store_open(const char *data_dir, struct store **out, struct error *error)
{
  char path[4096];
  if (snprintf(path, sizeof path, "%s/server.sqlite", data_dir) >= (int)sizeof path)
    return error_set(error, ERROR_StorageFailure, "the data folder's name is too long");
  if (make_file(path) != 0)
    return error_set(error, ERROR_StorageFailure, "cannot open %s for writing", path);
  struct store *store = calloc(1, sizeof *store);
  if (store == NULL)
    return error_memory(error);
  int status = 0;
  if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
    status = error_set(error, ERROR_StorageFailure, "cannot open %s", path);
  } else {
    sqlite3_busy_timeout(store->db, 15000);
    if (sqlite3_exec(store->db,
                     "PRAGMA auto_vacuum = INCREMENTAL;" /* counts for a store that is made now */
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
                     "PRAGMA journal_size_limit = 16777216;",
                     NULL, NULL, NULL) != SQLITE_OK)
      status = store_failure(store, error);
    else
      status = make_schema(store, error) == 0 ? make_tables(store, error) : -1;
  }
  if (status != 0) {
    store_close(store);
    return -1;
  }
  *out = store;
  return 0;
}

bool store_shrink(struct store *store)
{
  enum { FEW_PAGES = 1000 }; /* that are not worth the while: new rows will fill them */
  if (read_pragma(store, "PRAGMA freelist_count") < FEW_PAGES)
    return false;
  if (read_pragma(store, "PRAGMA auto_vacuum") == 0) /* made by an older program: once and for all */
    return sqlite3_exec(store->db, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM;", NULL, NULL, NULL) == SQLITE_OK;
  return sqlite3_exec(store->db, "PRAGMA incremental_vacuum(4000)", NULL, NULL, NULL) == SQLITE_OK;
}

void store_close(struct store *store)
{
  if (store == NULL)
    return;
  for (size_t i = 0; i < store->cached; i++)
    sqlite3_finalize(store->cache[i].statement);
  sqlite3_close(store->db);
  free(store);
}

static int read_secret(struct store *store, unsigned char out[32], struct error *error)
{
  sqlite3_stmt *statement = store_prepare(store, "SELECT value FROM settings WHERE key = 'secret'", error);
  if (statement == NULL)
    return -1;
  int row = store_step(store, statement, error);
  if (row == 1 && sqlite3_column_bytes(statement, 0) == 32)
    memcpy(out, sqlite3_column_blob(statement, 0), 32);
  else if (row == 1)
    row = error_set(error, ERROR_StorageFailure, "the server's secret is damaged");
  sqlite3_reset(statement);
  return row;
}

int store_secret(struct store *store, unsigned char out[32], struct error *error)
{
  int row = read_secret(store, out, error);
  if (row != 0)
    return row == 1 ? 0 : -1;
  randombytes_buf(out, 32);
  sqlite3_stmt *statement = store_prepare(store, "INSERT OR IGNORE INTO settings VALUES ('secret', ?)", error);
  if (statement == NULL)
    return -1;
  sqlite3_bind_blob(statement, 1, out, 32, SQLITE_TRANSIENT);
  if (store_run(store, statement, error) != 0)
    return -1;
  return read_secret(store, out, error) == 1 ? 0 : -1;
}

bool user_name_is_valid(const char *name)
{
  size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~");
  return length > 0 && name[length] == '\0' && length < USER_NAME_SIZE;
}

int store_user_put(struct store *store, const char *name, const char *password_hash, struct error *error)
{
  if (store_begin(store, error) != 0)
    return -1;
  int status = -1;
  sqlite3_stmt *put = store_prepare(store,
                                    "INSERT INTO users VALUES (?, ?, ?)"
                                    " ON CONFLICT (name) DO UPDATE SET password = excluded.password",
                                    error);
  sqlite3_stmt *end = store_prepare(store, "DELETE FROM tokens WHERE user = ?", error);
  if (put != NULL && end != NULL) {
    bind_text(put, 1, name);
    bind_text(put, 2, password_hash);
    bind_integer(put, 3, store_now());
    bind_text(end, 1, name);
    status = store_run(store, put, error) == 0 && store_run(store, end, error) == 0 ? 0 : -1;
  }
  return store_end(store, status, error);
}

int store_user_remove(struct store *store, const char *name, bool *found, struct error *error)
{
  sqlite3_stmt *statement = store_prepare(store, "DELETE FROM users WHERE name = ?", error);
  if (statement == NULL)
    return -1;
  bind_text(statement, 1, name);
  int status = store_run(store, statement, error);
  *found = status == 0 && sqlite3_changes(store->db) > 0;
  return status;
}

int store_user_list(struct store *store, void (*report)(void *data, const char *name, int64_t created), void *data,
                    struct error *error)
{
  sqlite3_stmt *statement = store_prepare(store, "SELECT name, created FROM users ORDER BY name", error);
  if (statement == NULL)
    return -1;
  int row;
  while ((row = store_step(store, statement, error)) == 1)
    report(data, (const char *)sqlite3_column_text(statement, 0), sqlite3_column_int64(statement, 1));
  return row;
}

int store_user_hash(struct store *store, const char *name, char out[PASSWORD_HASH_SIZE], bool *found,
                    struct error *error)
{
  sqlite3_stmt *statement = store_prepare(store, "SELECT password FROM users WHERE name = ?", error);
  if (statement == NULL)
    return -1;
  bind_text(statement, 1, name);
  int row = store_step(store, statement, error);
  *found = row == 1;
  if (row == 1)
    column_copy(out, PASSWORD_HASH_SIZE, statement, 0);
  sqlite3_reset(statement);
  return row < 0 ? -1 : 0;
}

int store_token_put(struct store *store, const unsigned char hash[TOKEN_HASH_BYTES], const char *user, int64_t expires,
                    struct error *error)
{
  if (store_begin(store, error) != 0)
    return -1;
  int status = -1;
  sqlite3_stmt *clean = store_prepare(store, "DELETE FROM tokens WHERE expires < ?", error);
  sqlite3_stmt *put = store_prepare(store, "INSERT INTO tokens VALUES (?, ?, ?)", error);
  if (clean != NULL && put != NULL) {
    bind_integer(clean, 1, store_now());
    sqlite3_bind_blob(put, 1, hash, TOKEN_HASH_BYTES, SQLITE_STATIC);
    bind_text(put, 2, user);
    bind_integer(put, 3, expires);
    status = store_run(store, clean, error) == 0 && store_run(store, put, error) == 0 ? 0 : -1;
  }
  return store_end(store, status, error);
}

int store_token_user(struct store *store, const unsigned char hash[TOKEN_HASH_BYTES], char user[USER_NAME_SIZE],
                     bool *found, struct error *error)
{
  sqlite3_stmt *statement = store_prepare(store, "SELECT user FROM tokens WHERE hash = ? AND expires >= ?", error);
  if (statement == NULL)
    return -1;
  sqlite3_bind_blob(statement, 1, hash, TOKEN_HASH_BYTES, SQLITE_STATIC);
  bind_integer(statement, 2, store_now());
  int row = store_step(store, statement, error);
  *found = row == 1;
  if (row == 1)
    column_copy(user, USER_NAME_SIZE, statement, 0);
  sqlite3_reset(statement);
  return row < 0 ? -1 : 0;
}
