#include "stac/shared/shared_catalogue.h"

#include "datacube/base/logger.h"
#include "stac/search/property_index.h"
#include "stac/shared/touched_rows.h"
#include "stac/source_book.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { IDENTITY_SIZE = 40, NEVER = -1, CHANGES_MOST = 100000 };

struct shared_state {
  char identity[IDENTITY_SIZE]; /* "": there is none */
  int64_t version, first;
  int64_t schema;
};

struct shared_catalogue {
  struct index *index; /* the copy */
  struct postgres_link link;
  unsigned listening;           /* generation of the connection that does */
  char identity[IDENTITY_SIZE]; /* of the database's catalogue */
  int64_t version;              /* while a change is on its way: what it is made on */
  int64_t before[SHARED_KINDS]; /* … and the greatest keys then */
};

static const char copy_table[] = "CREATE TABLE IF NOT EXISTS shared_catalogue (identity TEXT NOT NULL, version INTEGER"
                                 " NOT NULL)";

/* ---- the database's side ----------------------------------------------------------------------------------------- */

static const char begin_reading[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0;"
                                    "SET LOCAL idle_in_transaction_session_timeout = 0";
static const char begin_writing[] = "BEGIN; SET LOCAL statement_timeout = 0;"
                                    "SET LOCAL idle_in_transaction_session_timeout = 0";
static const char lock[] = "SELECT pg_advisory_lock(hashtext('twincube catalogue'), hashtext(current_schema()))";
static const char unlock[] = "SELECT pg_advisory_unlock(hashtext('twincube catalogue'), hashtext(current_schema()))";

static int64_t number_at(const PGresult *result, int column)
{
  return strtoll(PQgetvalue(result, 0, column), NULL, 10);
}

/* An empty identity where there is no table yet, which makes the transaction fail if there is one. */
static int read_any_state(struct shared_catalogue *shared, bool locks_row, struct shared_state *out,
                          struct error *error)
{
  static const char no_table[] = "42P01";
  PGresult *result =
      PQexec(shared->link.connection, locks_row ? "SELECT identity, version, first, schema FROM catalogue_state"
                                                  " FOR UPDATE"
                                                : "SELECT identity, version, first, schema FROM catalogue_state");
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  int status = 0;
  *out = (struct shared_state){.version = NEVER};
  if (PQresultStatus(result) != PGRES_TUPLES_OK && !(state && strcmp(state, no_table) == 0)) {
    status = postgres_link_fail(&shared->link, result, error);
  } else if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0) {
    snprintf(out->identity, sizeof out->identity, "%s", PQgetvalue(result, 0, 0));
    out->version = number_at(result, 1);
    out->first = number_at(result, 2);
    out->schema = number_at(result, 3);
  }
  PQclear(result);
  return status;
}

/* … of a catalogue whose tables are those of this program. */
static int read_state(struct shared_catalogue *shared, bool locks_row, struct shared_state *out, struct error *error)
{
  if (read_any_state(shared, locks_row, out, error) != 0)
    return -1;
  if (out->identity[0] && out->schema != INDEX_VERSION)
    return error_set(error, ERROR_StorageFailure,
                     "the shared catalogue was made by another version of this program"
                     " (%lld, not %d)",
                     (long long)out->schema, (int)INDEX_VERSION);
  return 0;
}

/* Documents are long: this takes half of the time of PostgreSQL's own way. Not every database has it. */
static const char compress[] =
    "DO $$BEGIN EXECUTE 'ALTER TABLE catalogue_documents ALTER COLUMN json SET COMPRESSION lz4';"
    " EXCEPTION WHEN OTHERS THEN NULL; END$$;";

static int make_tables(struct shared_catalogue *shared, struct error *error)
{
  struct buffer sql = {0};
  shared_rows_schema(&sql);
  buffer_text(&sql, compress);
  buffer_text(&sql, "CREATE TABLE IF NOT EXISTS catalogue_properties (name TEXT COLLATE \"C\" PRIMARY KEY);"
                    "CREATE TABLE IF NOT EXISTS catalogue_changes (version BIGINT NOT NULL, kind SMALLINT NOT NULL,"
                    " low BIGINT NOT NULL, high BIGINT NOT NULL);"
                    "CREATE INDEX IF NOT EXISTS catalogue_changes_version ON catalogue_changes (version);"
                    "CREATE TABLE IF NOT EXISTS catalogue_state (identity TEXT NOT NULL, version BIGINT NOT NULL,"
                    " first BIGINT NOT NULL, schema BIGINT NOT NULL);");
  buffer_printf(&sql,
                "INSERT INTO catalogue_state SELECT md5(random()::text || clock_timestamp()::text), 0, 0, %d"
                " WHERE NOT EXISTS (SELECT 1 FROM catalogue_state)",
                (int)INDEX_VERSION);
  const int status = sql.failed ? error_memory(error) : postgres_link_send(&shared->link, sql.data, error);
  buffer_free(&sql);
  return status;
}

static void end_reading(struct shared_catalogue *shared)
{
  struct error ignored = {0};
  if (PQstatus(shared->link.connection) == CONNECTION_OK)
    postgres_link_send(&shared->link, "ROLLBACK", &ignored);
}

/* ---- the copy's side --------------------------------------------------------------------------------------------- */

int shared_catalogue_is_copy(struct index *index, struct error *error)
{
  sqlite3_stmt *row = index_query(index, "SELECT 1 FROM sqlite_schema WHERE name = 'shared_catalogue'", error);
  const int found = row ? index_step(index, row, error) : -1;
  index_done(row);
  return found;
}

/* An empty identity where it is no copy yet. */
static int read_copy(struct index *index, struct shared_state *out, struct error *error)
{
  *out = (struct shared_state){.version = NEVER};
  const int is_copy = shared_catalogue_is_copy(index, error);
  if (is_copy != 1)
    return is_copy;
  sqlite3_stmt *row = index_query(index, "SELECT identity, version FROM shared_catalogue", error);
  const int found = row ? index_step(index, row, error) : -1;
  if (found == 1) {
    snprintf(out->identity, sizeof out->identity, "%s", (const char *)sqlite3_column_text(row, 0));
    out->version = sqlite3_column_int64(row, 1);
  }
  index_done(row);
  return found < 0 ? -1 : 0;
}

static int note_version(struct shared_catalogue *shared, int64_t version, struct error *error)
{
  sqlite3_stmt *row = index_query(shared->index, "UPDATE shared_catalogue SET version = ?1", error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, version);
  return index_run(shared->index, row, error);
}

static int note_identity(struct shared_catalogue *shared, int64_t version, struct error *error)
{
  struct index *index = shared->index;
  if (index_run(index, index_query(index, copy_table, error), error) != 0 ||
      index_run(index, index_query(index, "DELETE FROM shared_catalogue", error), error) != 0)
    return -1;
  sqlite3_stmt *row = index_query(index, "INSERT INTO shared_catalogue VALUES (?1, ?2)", error);
  if (!row)
    return -1;
  sqlite3_bind_text(row, 1, shared->identity, -1, SQLITE_STATIC);
  sqlite3_bind_int64(row, 2, version);
  return index_run(index, row, error);
}

/* 1, 0, or -1 with an error. */
static int has_rows(struct index *index, struct error *error)
{
  sqlite3_stmt *row = index_query(index,
                                  "SELECT 1 WHERE EXISTS (SELECT 1 FROM collections)"
                                  " OR EXISTS (SELECT 1 FROM sources)",
                                  error);
  const int found = row ? index_step(index, row, error) : -1;
  index_done(row);
  return found;
}

static int begin_copy(struct index *index, struct error *error)
{
  return index_execute(index, STATEMENT_BEGIN_WRITE, error);
}

static int end_copy(struct index *index, int status, struct error *error)
{
  struct error ignored = {0};
  if (status == 0)
    status = index_execute(index, STATEMENT_COMMIT, error);
  if (status != 0)
    index_execute(index, STATEMENT_ROLLBACK, &ignored);
  return status;
}

/* ---- taking ------------------------------------------------------------------------------------------------------ */

static int read_ranges(struct shared_catalogue *shared, enum shared_kind kind, int64_t after, struct key_ranges *out,
                       struct error *error)
{
  char sql[160];
  snprintf(sql, sizeof sql, "SELECT low, high FROM catalogue_changes WHERE version > %lld AND kind = %d ORDER BY low",
           (long long)after, (int)kind);
  PGresult *result = PQexec(shared->link.connection, sql);
  int status = PQresultStatus(result) == PGRES_TUPLES_OK ? 0 : postgres_link_fail(&shared->link, result, error);
  for (int i = 0; i < PQntuples(result) && status == 0; i++)
    status = key_ranges_add(out, strtoll(PQgetvalue(result, i, 0), NULL, 10),
                            strtoll(PQgetvalue(result, i, 1), NULL, 10), error);
  PQclear(result);
  key_ranges_join(out);
  return status;
}

static int take_properties(struct shared_catalogue *shared, struct error *error)
{
  struct buffer names = {0};
  PGresult *result = PQexec(shared->link.connection, "SELECT name FROM catalogue_properties ORDER BY name");
  int status = PQresultStatus(result) == PGRES_TUPLES_OK ? 0 : postgres_link_fail(&shared->link, result, error);
  for (int i = 0; i < PQntuples(result); i++)
    buffer_printf(&names, "%s\n", PQgetvalue(result, i, 0));
  PQclear(result);
  if (status == 0)
    status =
        names.failed ? error_memory(error) : property_index_set(shared->index, names.length ? names.data : "", error);
  buffer_free(&names);
  return status;
}

/* Of rows: those that changes after the copy's version wrote, or all of them. */
static int take_kind(struct shared_catalogue *shared, enum shared_kind kind, bool all, int64_t after,
                     struct error *error)
{
  struct key_ranges ranges = {0};
  const struct key_range whole = key_range_all();
  int status =
      all ? key_ranges_add(&ranges, whole.low, whole.high, error) : read_ranges(shared, kind, after, &ranges, error);
  if (status == 0)
    status = shared_rows_pull(shared->index, &shared->link, kind, &ranges, error);
  key_ranges_free(&ranges);
  return status;
}

static int take(struct shared_catalogue *shared, const struct shared_state *copy, const struct shared_state *there,
                struct error *error)
{
  const bool all = copy->version < there->first || copy->version > there->version;
  if (all && index_expect_much(shared->index, error) != 0)
    return -1;
  for (int kind = 0; kind < SHARED_KINDS; kind++)
    if (take_kind(shared, (enum shared_kind)kind, all, copy->version, error) != 0)
      return -1;
  return take_properties(shared, error) != 0 || touched_rows_forget(shared->index, error) != 0
             ? -1
             : note_version(shared, there->version, error);
}

/* Within a transaction of the copy. */
static int take_snapshot(struct shared_catalogue *shared, struct error *error)
{
  struct shared_state copy, there;
  if (read_copy(shared->index, &copy, error) != 0 || postgres_link_send(&shared->link, begin_reading, error) != 0)
    return -1;
  int status = read_state(shared, false, &there, error);
  if (status == 0 && !copy.identity[0])
    status =
        error_set(error, ERROR_StorageFailure, "%s is no copy of a shared catalogue any more", shared->index->path);
  if (status == 0 && strcmp(there.identity, shared->identity) != 0)
    status = error_set(error, ERROR_StorageFailure, "the database has another shared catalogue than before");
  if (status == 0 && there.version != copy.version)
    status = take(shared, &copy, &there, error);
  end_reading(shared);
  return status;
}

int shared_catalogue_follow(struct shared_catalogue *shared, struct error *error)
{
  struct shared_state copy, there;
  if (postgres_link_ready(&shared->link, error) != 0 || read_state(shared, false, &there, error) != 0 ||
      read_copy(shared->index, &copy, error) != 0)
    return -1;
  if (there.version == copy.version && strcmp(there.identity, copy.identity) == 0)
    return 0;
  if (begin_copy(shared->index, error) != 0)
    return -1;
  return end_copy(shared->index, take_snapshot(shared, error), error);
}

/* ---- giving ------------------------------------------------------------------------------------------------------ */

static void add_changes(int64_t version, const struct key_ranges ranges[SHARED_KINDS], struct buffer *sql)
{
  size_t count = 0;
  for (int kind = 0; kind < SHARED_KINDS; kind++)
    for (size_t i = 0; i < ranges[kind].count; i++, count++)
      buffer_printf(sql, "%s(%lld, %d, %lld, %lld)", count ? ", " : "INSERT INTO catalogue_changes VALUES ",
                    (long long)version, kind, (long long)ranges[kind].all[i].low, (long long)ranges[kind].all[i].high);
  buffer_text(sql, count ? ";" : "");
}

/* Names are those of property_name_is_plain: nothing in them is to be escaped. */
static int add_properties(struct shared_catalogue *shared, struct buffer *sql, struct error *error)
{
  struct buffer names = {0};
  int status = property_index_names(shared->index, &names, error);
  buffer_text(sql, "DELETE FROM catalogue_properties;");
  for (const char *name = names.length ? names.data : ""; *name && status == 0; name += strcspn(name, "\n") + 1)
    buffer_printf(sql, "INSERT INTO catalogue_properties VALUES ('%.*s');", (int)strcspn(name, "\n"), name);
  buffer_free(&names);
  return status;
}

/* The news about a change, and the end of its transaction. */
static int tell(struct shared_catalogue *shared, const struct shared_state *there,
                const struct key_ranges ranges[SHARED_KINDS], struct error *error)
{
  struct buffer sql = {0};
  const int64_t version = there->version + 1;
  add_changes(version, ranges, &sql);
  int status = add_properties(shared, &sql, error);
  buffer_printf(&sql, "UPDATE catalogue_state SET version = %lld;", (long long)version);
  if (version - there->first > CHANGES_MOST) { /* who is further behind takes all */
    const long long first = (long long)version - CHANGES_MOST / 2;
    buffer_printf(&sql, "UPDATE catalogue_state SET first = %lld; DELETE FROM catalogue_changes WHERE version <= %lld;",
                  first, first);
  }
  buffer_text(&sql, "NOTIFY twincube_catalogue; COMMIT");
  if (status == 0)
    status = sql.failed ? error_memory(error) : note_version(shared, version, error);
  if (status == 0)
    status = postgres_link_send(&shared->link, sql.data, error);
  buffer_free(&sql);
  return status;
}

static int give(struct shared_catalogue *shared, const struct key_ranges ranges[SHARED_KINDS], struct error *error)
{
  struct shared_state there;
  if (postgres_link_send(&shared->link, begin_writing, error) != 0 || read_state(shared, true, &there, error) != 0)
    return -1;
  if (there.version != shared->version || strcmp(there.identity, shared->identity) != 0)
    return error_set(error, ERROR_InfrastructureBusy,
                     "another server changed the catalogue meanwhile; please try again");
  for (int kind = 0; kind < SHARED_KINDS; kind++)
    if (shared_rows_push(shared->index, &shared->link, (enum shared_kind)kind, &ranges[kind], error) != 0)
      return -1;
  return tell(shared, &there, ranges, error);
}

static int give_touched(struct shared_catalogue *shared, struct error *error)
{
  struct key_ranges ranges[SHARED_KINDS] = {0};
  int status = touched_rows_read(shared->index, shared->before, ranges, error);
  if (status == 0)
    status = postgres_link_ready(&shared->link, error);
  if (status == 0)
    status = give(shared, ranges, error);
  for (int kind = 0; kind < SHARED_KINDS; kind++)
    key_ranges_free(&ranges[kind]);
  return status;
}

/* ---- changes ----------------------------------------------------------------------------------------------------- */

static int take_lock(struct shared_catalogue *shared, struct error *error)
{
  struct error reason = {0};
  if (postgres_link_ready(&shared->link, error) != 0)
    return -1;
  if (postgres_link_send(&shared->link, lock, &reason) != 0) {
    if (PQstatus(shared->link.connection) == CONNECTION_OK)
      return error_set(error, ERROR_InfrastructureBusy, "others change the catalogue; please try again");
    *error = reason;
    return -1;
  }
  shared->link.in_transaction = true; /* another connection would not have the lock */
  return 0;
}

static void leave_lock(struct shared_catalogue *shared)
{
  struct error ignored = {0};
  if (PQstatus(shared->link.connection) == CONNECTION_OK) {
    if (PQtransactionStatus(shared->link.connection) != PQTRANS_IDLE)
      postgres_link_send(&shared->link, "ROLLBACK", &ignored);
    postgres_link_send(&shared->link, unlock, &ignored);
  }
  shared->link.in_transaction = false;
}

static int begin_change(struct shared_catalogue *shared, struct error *error)
{
  struct shared_state copy;
  if (shared_catalogue_follow(shared, error) != 0 || begin_copy(shared->index, error) != 0)
    return -1;
  int status = read_copy(shared->index, &copy, error);
  shared->version = copy.version;
  if (status == 0)
    status = touched_rows_begin(shared->index, shared->before, error);
  return status == 0 ? 0 : end_copy(shared->index, status, error);
}

int shared_catalogue_begin(struct shared_catalogue *shared, struct error *error)
{
  if (take_lock(shared, error) != 0)
    return -1;
  if (begin_change(shared, error) == 0)
    return 0;
  leave_lock(shared);
  return -1;
}

int shared_catalogue_end(struct shared_catalogue *shared, int status, struct error *error)
{
  if (status == 0)
    status = give_touched(shared, error);
  status = end_copy(shared->index, status, error);
  leave_lock(shared);
  return status;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* A new database gets all that the copy has. */
static int give_all(struct shared_catalogue *shared, struct error *error)
{
  struct key_ranges ranges[SHARED_KINDS] = {0};
  const struct key_range whole = key_range_all();
  int status = note_identity(shared, shared->version, error);
  for (int kind = 0; kind < SHARED_KINDS && status == 0; kind++)
    status = key_ranges_add(&ranges[kind], whole.low, whole.high, error);
  if (status == 0)
    status = give(shared, ranges, error);
  for (int kind = 0; kind < SHARED_KINDS; kind++)
    key_ranges_free(&ranges[kind]);
  return status;
}

/* Under the database's lock, within a transaction of the copy that has no identity yet. */
static int join(struct shared_catalogue *shared, struct error *error)
{
  struct shared_state there;
  const int own = has_rows(shared->index, error);
  if (own < 0 || make_tables(shared, error) != 0 || read_state(shared, false, &there, error) != 0)
    return -1;
  snprintf(shared->identity, sizeof shared->identity, "%s", there.identity);
  shared->version = there.version;
  if (there.version == 0)
    return give_all(shared, error);
  if (own)
    return error_set(
        error, ERROR_StorageFailure,
        "%s has collections that are not of the shared catalogue, which has some, too: remove the file, or "
        "use another data folder",
        shared->index->path);
  return note_identity(shared, NEVER, error);
}

static int join_locked(struct shared_catalogue *shared, struct error *error)
{
  if (take_lock(shared, error) != 0)
    return -1;
  int status = begin_copy(shared->index, error);
  if (status == 0)
    status = end_copy(shared->index, join(shared, error), error);
  leave_lock(shared);
  return status;
}

/* Tables of version 4 lack that of owners. */
static int upgrade(struct shared_catalogue *shared, struct error *error)
{
  struct shared_state there;
  struct buffer sql = {0};
  if (read_any_state(shared, false, &there, error) != 0)
    return -1;
  if (!there.identity[0] || there.schema != 4)
    return 0;
  if (take_lock(shared, error) != 0)
    return -1;
  shared_rows_schema(&sql);
  buffer_text(&sql, "UPDATE catalogue_state SET schema = 5 WHERE schema = 4");
  const int status = sql.failed ? error_memory(error) : postgres_link_send(&shared->link, sql.data, error);
  leave_lock(shared);
  buffer_free(&sql);
  return status;
}

static int find_place(struct shared_catalogue *shared, struct error *error)
{
  struct shared_state copy, there;
  if (upgrade(shared, error) != 0)
    return -1;
  if (source_book_make(shared->index, error) != 0 || touched_rows_watch(shared->index, error) != 0 ||
      read_copy(shared->index, &copy, error) != 0 || read_state(shared, false, &there, error) != 0)
    return -1;
  if (copy.identity[0] && strcmp(copy.identity, there.identity) != 0)
    return error_set(error, ERROR_StorageFailure,
                     "%s is the copy of another shared catalogue than that of the database: remove the file, or use "
                     "another data folder",
                     shared->index->path);
  snprintf(shared->identity, sizeof shared->identity, "%s", there.identity);
  return copy.identity[0] ? 0 : join_locked(shared, error);
}

int shared_catalogue_open(struct index *index, const char *uri, struct shared_catalogue **out, struct error *error)
{
  struct shared_catalogue *shared = calloc(1, sizeof *shared);
  if (!shared)
    return error_memory(error);
  shared->index = index;
  if (postgres_link_open(&shared->link, "the shared catalogue", uri, error) != 0 || find_place(shared, error) != 0 ||
      shared_catalogue_follow(shared, error) != 0) {
    shared_catalogue_close(shared);
    return -1;
  }
  *out = shared;
  return 0;
}

void shared_catalogue_close(struct shared_catalogue *shared)
{
  if (!shared)
    return;
  postgres_link_close(&shared->link);
  free(shared);
}

int shared_catalogue_leave(struct index *index, struct error *error)
{
  if (begin_copy(index, error) != 0)
    return -1;
  int status = shared_catalogue_is_copy(index, error);
  if (status == 0)
    status = error_parameter(error, ERROR_NotFound, "data", "%s is no copy of a shared catalogue", index->path);
  else if (status == 1)
    status = index_run(index, index_query(index, "DROP TABLE shared_catalogue", error), error);
  return end_copy(index, status, error);
}

/* ---- listening --------------------------------------------------------------------------------------------------- */

static void drop_news(PGconn *connection)
{
  PGnotify *news;
  PQconsumeInput(connection);
  while ((news = PQnotifies(connection)) != NULL)
    PQfreemem(news);
}

bool shared_catalogue_wait(struct shared_catalogue *shared, int descriptor, int milliseconds)
{
  struct error ignored = {0};
  PGconn *connection = shared->link.connection;
  const bool is_fine = PQstatus(connection) == CONNECTION_OK;
  if (is_fine && shared->listening != shared->link.generation &&
      postgres_link_send(&shared->link, "LISTEN twincube_catalogue", &ignored) == 0) {
    shared->listening = shared->link.generation;
    milliseconds = 0; /* what was told before is to be looked for */
  }
  struct pollfd sockets[] = {{.fd = descriptor, .events = POLLIN},
                             {.fd = is_fine ? PQsocket(connection) : -1, .events = POLLIN}};
  poll(sockets, 2, milliseconds);
  if (sockets[1].revents)
    drop_news(connection);
  return sockets[0].revents == 0;
}
