/* What statements are to the store's own files: prepared once, bound by position, stepped, read by column. */
#include "server/store/store_sql.h"

#include <stdio.h>
#include <string.h>

const char *store_sql(const struct store *store, const char *sqlite, const char *postgres)
{
  return store->engine == &store_engine_sqlite ? sqlite : postgres;
}

struct statement *store_prepare(struct store *store, const char *sql, struct error *error)
{
  for (size_t i = 0; i < store->cached; i++)
    if (store->cache[i].sql == sql) {
      store->engine->clear(&store->cache[i]);
      return &store->cache[i];
    }
  if (store->cached == STORE_MAX_STATEMENTS) {
    error_set(error, ERROR_Internal, "more than %d statements in the store", STORE_MAX_STATEMENTS);
    return NULL;
  }
  struct statement *statement = &store->cache[store->cached];
  *statement = (struct statement){.engine = store->engine, .sql = sql};
  if (store->engine->prepare(store, statement, error) != 0)
    return NULL;
  store->cached++;
  return statement;
}

/* ---- binding ---------------------------------------------------------------------------------------------------- */

void bind_text(struct statement *statement, int position, const char *text)
{
  const struct store_value value = {
      .kind = VALUE_TEXT, .is_null = text == NULL, .bytes = text, .size = text != NULL ? strlen(text) : 0};
  statement->engine->bind(statement, position, &value);
}

void bind_known(struct statement *statement, int position, double number)
{
  const struct store_value value = {.kind = VALUE_REAL, .is_null = number < 0, .real = number};
  statement->engine->bind(statement, position, &value);
}

void bind_integer(struct statement *statement, int position, int64_t number)
{
  statement->engine->bind(statement, position, &(struct store_value){.kind = VALUE_INTEGER, .integer = number});
}

void bind_blob(struct statement *statement, int position, const void *bytes, size_t size)
{
  statement->engine->bind(statement, position, &(struct store_value){.kind = VALUE_BLOB, .bytes = bytes, .size = size});
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

int store_step(struct store *store, struct statement *statement, struct error *error)
{
  return store->engine->step(store, statement, error);
}

int store_run(struct store *store, struct statement *statement, struct error *error)
{
  int code = store_step(store, statement, error);
  statement_end(statement);
  return code < 0 ? -1 : 0;
}

void statement_end(struct statement *statement)
{
  statement->engine->end(statement);
}

int store_begin(struct store *store, struct error *error)
{
  return store->engine->begin(store, error);
}

int store_end(struct store *store, int status, struct error *error)
{
  if (status == 0 && store->engine->commit(store, error) == 0)
    return 0;
  store->engine->rollback(store);
  return -1;
}

void store_hurry(struct store *store, bool is_hasty)
{
  if (store->engine->hurry != NULL)
    store->engine->hurry(store, is_hasty);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

bool column_is_null(struct statement *statement, int column)
{
  return statement->engine->column(statement, column).is_null;
}

int64_t column_integer(struct statement *statement, int column)
{
  const struct store_value value = statement->engine->column(statement, column);
  return value.kind == VALUE_INTEGER ? value.integer : (int64_t)value.real;
}

double column_number(struct statement *statement, int column)
{
  const struct store_value value = statement->engine->column(statement, column);
  return value.kind == VALUE_INTEGER ? (double)value.integer : value.real;
}

const char *column_view(struct statement *statement, int column)
{
  const struct store_value value = statement->engine->column(statement, column);
  return value.kind == VALUE_TEXT ? value.bytes : NULL;
}

char *column_text(struct statement *statement, int column)
{
  const char *text = column_view(statement, column);
  return text == NULL ? NULL : strdup(text);
}

void column_copy(char *out, size_t room, struct statement *statement, int column)
{
  const char *text = column_view(statement, column);
  snprintf(out, room, "%s", text != NULL ? text : "");
}
