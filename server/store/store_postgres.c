/* PostgreSQL as the store's engine: one connection a handle (stac/shared/postgres_link.h).
 *
 * A statement is prepared when it first runs, with the types of what is bound, and again on a new connection. Writers
 * hold one advisory lock, so that their transactions go one after the other, as in SQLite. */
#include "server/store/store_dialect.h"
#include "server/store/store_sql.h"

#include "datacube/base/utf8.h"
#include "stac/shared/postgres_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  OID_BYTEA = 17,
  OID_INT8 = 20,
  OID_INT2 = 21,
  OID_INT4 = 23,
  OID_TEXT = 25,
  OID_FLOAT8 = 701,
  OID_NUMERIC = 1700
};

struct postgres {
  struct postgres_link link;
  unsigned statements; /* counts their names */
};

struct bound_value {
  Oid type;
  const char *bytes; /* NULL for NULL */
  int size;
  char number[32];
  char *mended; /* owned: a text that was not valid UTF-8 */
};

struct postgres_statement {
  struct postgres *postgres;
  char *sql;
  char name[16];
  unsigned generation; /* of the connection that knows it */
  int count;
  struct bound_value parameters[STATEMENT_MAX_PARAMETERS];
  PGresult *result;
  int row;             /* the next one */
  unsigned char *blob; /* of the current row: decoded */
};

/* ---- the connection ---------------------------------------------------------------------------------------------- */

static struct postgres_link *link_of(const struct store *store)
{
  return &((struct postgres *)store->connection)->link;
}

static int open_link(struct store *store, const char *place, struct error *error)
{
  struct postgres *postgres = calloc(1, sizeof *postgres);
  store->connection = postgres;
  return postgres == NULL ? error_memory(error)
                          : postgres_link_open(&postgres->link, "the server's store", place, error);
}

static void close_link(struct store *store)
{
  struct postgres *postgres = store->connection;
  if (postgres == NULL)
    return;
  postgres_link_close(&postgres->link);
  free(postgres);
}

static int execute(struct store *store, const char *sql, struct error *error)
{
  struct buffer text = {0};
  store_dialect_postgres(sql, &text, NULL);
  int status = text.failed ? error_memory(error) : postgres_link_ready(link_of(store), error);
  if (status == 0)
    status = postgres_link_send(link_of(store), text.data, error);
  buffer_free(&text);
  return status;
}

/* ---- statements ------------------------------------------------------------------------------------------------- */

static int prepare(struct store *store, struct statement *statement, struct error *error)
{
  struct postgres_statement *made = calloc(1, sizeof *made);
  struct buffer text = {0};
  if (made == NULL)
    return error_memory(error);
  store_dialect_postgres(statement->sql, &text, &made->count);
  if (text.failed || made->count > STATEMENT_MAX_PARAMETERS) {
    free(made);
    buffer_free(&text);
    return error_set(error, ERROR_Internal, "a statement of the store has more than %d parameters",
                     (int)STATEMENT_MAX_PARAMETERS);
  }
  made->sql = text.data;
  made->postgres = store->connection;
  snprintf(made->name, sizeof made->name, "s%u", made->postgres->statements++);
  statement->made = made;
  return 0;
}

static void end(struct statement *statement)
{
  struct postgres_statement *made = statement->made;
  PQclear(made->result);
  PQfreemem(made->blob);
  made->result = NULL;
  made->blob = NULL;
}

static void clear(struct statement *statement)
{
  struct postgres_statement *made = statement->made;
  end(statement);
  for (int i = 0; i < made->count; i++) {
    free(made->parameters[i].mended);
    made->parameters[i].mended = NULL;
    made->parameters[i].bytes = NULL;
  }
}

static void forget(struct statement *statement)
{
  struct postgres_statement *made = statement->made;
  clear(statement);
  free(made->sql);
  free(made);
}

/* The database takes valid UTF-8 only: other bytes become U+FFFD. NULL where all is well, or memory is short. */
static char *mend_text(const char *text, size_t size)
{
  static const char unknown[] = "\xEF\xBF\xBD";
  size_t at = 0, length = 0;
  while (at < size && (length = utf8_length(text + at, size - at)) > 0)
    at += length;
  if (at == size)
    return NULL;
  struct buffer out = {0};
  for (at = 0; at<size; at += length> 0 ? length : 1) {
    length = utf8_length(text + at, size - at);
    buffer_add(&out, length > 0 ? text + at : unknown, length > 0 ? length : sizeof unknown - 1);
  }
  buffer_add(&out, "", 1);
  if (!out.failed)
    return out.data;
  buffer_free(&out);
  return NULL;
}

static void bind(struct statement *statement, int position, const struct store_value *value)
{
  static const Oid types[] = {[VALUE_ANY] = 0, OID_INT8, OID_FLOAT8, OID_TEXT, OID_BYTEA};
  struct postgres_statement *made = statement->made;
  struct bound_value *parameter = &made->parameters[position - 1];
  free(parameter->mended);
  *parameter = (struct bound_value){.type = types[value->kind]};
  if (value->is_null)
    return;
  parameter->bytes = parameter->number;
  if (value->kind == VALUE_INTEGER) {
    snprintf(parameter->number, sizeof parameter->number, "%" PRId64, value->integer);
  } else if (value->kind == VALUE_REAL) {
    snprintf(parameter->number, sizeof parameter->number, "%.17g", value->real);
  } else {
    parameter->mended = value->kind == VALUE_TEXT ? mend_text(value->bytes, value->size) : NULL;
    parameter->bytes = parameter->mended != NULL ? parameter->mended : value->bytes;
    parameter->size = (int)value->size;
  }
}

/* Tells the connection of the statement, once. */
static int make_known(struct postgres_statement *made, struct error *error)
{
  struct postgres *postgres = made->postgres;
  Oid types[STATEMENT_MAX_PARAMETERS];
  if (made->generation == postgres->link.generation)
    return 0;
  for (int i = 0; i < made->count; i++)
    types[i] = made->parameters[i].type;
  PGresult *result = PQprepare(postgres->link.connection, made->name, made->sql, made->count, types);
  const int status =
      PQresultStatus(result) == PGRES_COMMAND_OK ? 0 : postgres_link_fail(&postgres->link, result, error);
  PQclear(result);
  if (status == 0)
    made->generation = postgres->link.generation;
  return status;
}

static int run(struct store *store, struct statement *statement, struct error *error)
{
  struct postgres_statement *made = statement->made;
  const char *values[STATEMENT_MAX_PARAMETERS];
  int sizes[STATEMENT_MAX_PARAMETERS], formats[STATEMENT_MAX_PARAMETERS];
  if (postgres_link_ready(&made->postgres->link, error) != 0 || make_known(made, error) != 0)
    return -1;
  for (int i = 0; i < made->count; i++) {
    values[i] = made->parameters[i].bytes;
    sizes[i] = made->parameters[i].size;
    formats[i] = made->parameters[i].type == OID_BYTEA;
  }
  made->row = 0;
  made->result = PQexecPrepared(made->postgres->link.connection, made->name, made->count, values, sizes, formats, 0);
  const ExecStatusType status = PQresultStatus(made->result);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
    store->changes = strtoll(PQcmdTuples(made->result), NULL, 10);
    return 0;
  }
  postgres_link_fail(&made->postgres->link, made->result, error);
  end(statement);
  return -1;
}

static int step(struct store *store, struct statement *statement, struct error *error)
{
  struct postgres_statement *made = statement->made;
  if (made->result == NULL && run(store, statement, error) != 0)
    return -1;
  if (made->row < PQntuples(made->result)) {
    made->row++;
    return 1;
  }
  end(statement);
  return 0;
}

static struct store_value column_blob(struct postgres_statement *made, const char *text)
{
  size_t size = 0;
  PQfreemem(made->blob);
  made->blob = PQunescapeBytea((const unsigned char *)text, &size);
  return (struct store_value){
      .kind = VALUE_BLOB, .is_null = made->blob == NULL, .bytes = (const char *)made->blob, .size = size};
}

static struct store_value column(struct statement *statement, int at)
{
  struct postgres_statement *made = statement->made;
  const char *text = PQgetvalue(made->result, made->row - 1, at);
  if (PQgetisnull(made->result, made->row - 1, at))
    return (struct store_value){.kind = VALUE_ANY, .is_null = true};
  switch (PQftype(made->result, at)) {
  case OID_INT8:
  case OID_INT4:
  case OID_INT2:
    return (struct store_value){.kind = VALUE_INTEGER, .integer = strtoll(text, NULL, 10)};
  case OID_FLOAT8:
  case OID_NUMERIC:
    return (struct store_value){.kind = VALUE_REAL, .real = strtod(text, NULL)};
  case OID_BYTEA:
    return column_blob(made, text);
  default:
    return (struct store_value){
        .kind = VALUE_TEXT, .bytes = text, .size = (size_t)PQgetlength(made->result, made->row - 1, at)};
  }
}

/* ---- transactions ------------------------------------------------------------------------------------------------ */

static int begin(struct store *store, struct error *error)
{
  struct postgres *postgres = store->connection;
  if (postgres_link_ready(&postgres->link, error) != 0)
    return -1;
  postgres->link.in_transaction = true;
  if (postgres_link_send(&postgres->link,
                         "BEGIN; SELECT pg_advisory_xact_lock(hashtext('twincube'), hashtext(current_schema()))",
                         error) == 0)
    return 0;
  store->engine->rollback(store);
  return -1;
}

/* COMMIT of a transaction that failed answers ROLLBACK: that is no commit. */
static int commit(struct store *store, struct error *error)
{
  struct postgres *postgres = store->connection;
  if (PQtransactionStatus(postgres->link.connection) == PQTRANS_INERROR)
    return error_set(error, ERROR_StorageFailure, "the server's store: a transaction failed");
  if (postgres_link_send(&postgres->link, "COMMIT", error) != 0)
    return -1;
  postgres->link.in_transaction = false;
  return 0;
}

static void rollback(struct store *store)
{
  struct postgres *postgres = store->connection;
  struct error ignored = {0};
  if (PQstatus(postgres->link.connection) == CONNECTION_OK)
    postgres_link_send(&postgres->link, "ROLLBACK", &ignored);
  postgres->link.in_transaction = false;
}

/* ---- the schema's version ---------------------------------------------------------------------------------------- */

/* The first row's text of a column, NULL where there is none; the caller clears. */
static const char *first(const PGresult *result, int at)
{
  return PQntuples(result) > 0 ? PQgetvalue(result, 0, at) : NULL;
}

static int version(struct store *store, const char *mark, int *out, bool *is_marked, struct error *error)
{
  struct postgres *postgres = store->connection;
  *out = 0;
  *is_marked = false;
  if (postgres_link_ready(&postgres->link, error) != 0)
    return -1;
  PGresult *result = PQexec(postgres->link.connection, "SELECT to_regclass('store_version')");
  if (PQresultStatus(result) == PGRES_TUPLES_OK && !PQgetisnull(result, 0, 0)) {
    PQclear(result);
    result = PQexec(postgres->link.connection, "SELECT version, mark FROM store_version");
    *out = first(result, 0) != NULL ? (int)strtol(first(result, 0), NULL, 10) : 0;
    *is_marked = first(result, 1) != NULL && strcmp(first(result, 1), mark) == 0;
  }
  int status = PQresultStatus(result) == PGRES_TUPLES_OK ? 0 : postgres_link_fail(&postgres->link, result, error);
  PQclear(result);
  return status;
}

static int set_version(struct store *store, const char *mark, int number, struct error *error)
{
  char sql[256];
  snprintf(sql, sizeof sql,
           "CREATE TABLE IF NOT EXISTS store_version (version INTEGER NOT NULL, mark TEXT NOT NULL);"
           "DELETE FROM store_version; INSERT INTO store_version VALUES (%d, '%s')",
           number, mark);
  return execute(store, sql, error);
}

/* The database's own vacuum does that. */
static bool shrink(struct store *store)
{
  (void)store;
  return false;
}

const struct store_engine store_engine_postgres = {.name = "PostgreSQL",
                                                   .is_shared = true,
                                                   .open = open_link,
                                                   .close = close_link,
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
                                                   .shrink = shrink};
