/* Both ways go by COPY, in PostgreSQL's text format: a line a row, a tab between its columns, \N for null. */
#include "stac/shared/shared_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MOST = 24, COPY_BYTES = 1 << 18, RANGES_MOST = 400 };

enum column_type { WHOLE, REAL, TEXT };

struct shared_column {
  const char *name;
  enum column_type type;
};

/* As index.c makes them; keys are rows' own numbers there. */
static const struct shared_table {
  enum shared_kind kind;
  const char *name, *key, *primary; /* the column by which ranges go; NULL: all of its rows go together */
  struct shared_column columns[COLUMNS_MOST];
} tables[] = {
    {SHARED_COLLECTION,
     "collections",
     "key",
     "\"key\"",
     {{"key", WHOLE},       {"id", TEXT},         {"title", TEXT},  {"crs", TEXT},           {"explicit_crs", WHOLE},
      {"resolution", REAL}, {"sub_daily", WHOLE}, {"netcdf", TEXT}, {"nodata_given", WHOLE}, {"nodata", REAL},
      {"items", WHOLE},     {"bands", WHOLE},     {"dates", WHOLE}, {"document", TEXT},      {"links", TEXT},
      {"queryables", TEXT}, {"west", REAL},       {"south", REAL},  {"east", REAL},          {"north", REAL},
      {"stored", WHOLE},    {"span", WHOLE}}},
    {SHARED_COLLECTION, "private_collections", "key", "\"key\"", {{"key", WHOLE}, {"owner", TEXT}}},
    {SHARED_COLLECTION,
     "bands",
     "collection",
     "\"collection\", \"position\"",
     {{"collection", WHOLE},
      {"position", WHOLE},
      {"name", TEXT},
      {"common_name", TEXT},
      {"wavelength", REAL},
      {"scale", REAL},
      {"offset", REAL},
      {"unit", TEXT},
      {"long_name", TEXT},
      {"standard_name", TEXT},
      {"res_x", REAL},
      {"res_y", REAL}}},
    {SHARED_GRID,
     "grids",
     "key",
     "\"key\"",
     {{"key", WHOLE},
      {"collection", WHOLE},
      {"crs", TEXT},
      {"west", REAL},
      {"north", REAL},
      {"res_x", REAL},
      {"res_y", REAL},
      {"width", WHOLE},
      {"height", WHOLE}}},
    {SHARED_ITEM,
     "items",
     "key",
     "\"key\"",
     {{"key", WHOLE},
      {"collection", WHOLE},
      {"id", TEXT},
      {"instant", WHOLE},
      {"west", REAL},
      {"south", REAL},
      {"east", REAL},
      {"north", REAL},
      {"first", WHOLE},
      {"last", WHOLE}}},
    {SHARED_ITEM, "documents", "key", "\"key\"", {{"key", WHOLE}, {"json", TEXT}, {"properties", TEXT}}},
    {SHARED_ITEM,
     "assets",
     "item",
     "\"item\", \"band\"",
     {{"item", WHOLE},
      {"band", WHOLE},
      {"grid", WHOLE},
      {"path", TEXT},
      {"raster_band", WHOLE},
      {"type", TEXT},
      {"nodata_given", WHOLE},
      {"nodata", REAL},
      {"masked", WHOLE},
      {"unpacks", WHOLE},
      {"scale", REAL},
      {"offset", REAL}}},
    {SHARED_SOURCE,
     "sources",
     NULL,
     "\"name\"",
     {{"name", TEXT},
      {"kind", TEXT},
      {"address", TEXT},
      {"options", TEXT},
      {"every", WHOLE},
      {"digest", TEXT},
      {"refreshed", WHOLE},
      {"failure", TEXT}}},
};
enum { TABLES = sizeof tables / sizeof tables[0] };

static int column_count(const struct shared_table *table)
{
  int count = 0;
  while (count < COLUMNS_MOST && table->columns[count].name != NULL)
    count++;
  return count;
}

static void add_columns(const struct shared_table *table, struct buffer *out)
{
  for (int i = 0; i < column_count(table); i++)
    buffer_printf(out, "%s\"%s\"", i > 0 ? ", " : "", table->columns[i].name);
}

void shared_rows_schema(struct buffer *out)
{
  static const char *const types[] = {"BIGINT", "DOUBLE PRECISION", "TEXT COLLATE \"C\""};
  for (size_t t = 0; t < TABLES; t++) {
    buffer_printf(out, "CREATE TABLE IF NOT EXISTS catalogue_%s (", tables[t].name);
    for (int i = 0; i < column_count(&tables[t]); i++)
      buffer_printf(out, "\"%s\" %s, ", tables[t].columns[i].name, types[tables[t].columns[i].type]);
    buffer_printf(out, "PRIMARY KEY (%s));", tables[t].primary);
  }
}

/* ---- ranges ------------------------------------------------------------------------------------------------------ */

void key_ranges_free(struct key_ranges *ranges)
{
  free(ranges->all);
  *ranges = (struct key_ranges){0};
}

int key_ranges_add(struct key_ranges *ranges, int64_t low, int64_t high, struct error *error)
{
  struct key_range *last = ranges->count > 0 ? &ranges->all[ranges->count - 1] : NULL;
  if (last != NULL && (last->high == INT64_MAX || low <= last->high + 1)) {
    last->high = high > last->high ? high : last->high;
    return 0;
  }
  if (ranges->count == ranges->room) {
    const size_t room = ranges->room > 0 ? 2 * ranges->room : 16;
    struct key_range *grown = realloc(ranges->all, room * sizeof *grown);
    if (grown == NULL)
      return error_memory(error);
    ranges->all = grown;
    ranges->room = room;
  }
  ranges->all[ranges->count++] = (struct key_range){low, high};
  return 0;
}

static void join_within(struct key_ranges *ranges, int64_t gap)
{
  size_t kept = 0;
  for (size_t i = 0; i < ranges->count; i++) {
    struct key_range *last = kept > 0 ? &ranges->all[kept - 1] : NULL;
    if (last != NULL && ranges->all[i].low - last->high <= gap)
      last->high = ranges->all[i].high;
    else
      ranges->all[kept++] = ranges->all[i];
  }
  ranges->count = kept;
}

void key_ranges_join(struct key_ranges *ranges)
{
  for (int64_t gap = 8; gap == 8 || ranges->count > RANGES_MOST; gap *= 4)
    join_within(ranges, gap);
}

/* ---- to the database --------------------------------------------------------------------------------------------- */

static void add_text(struct buffer *out, const char *text, size_t length)
{
  static const char marked[] = "\\\n\r\t", letters[] = "\\nrt";
  for (size_t at = 0; at < length;) {
    const size_t plain = strcspn(text + at, marked);
    const size_t run = plain < length - at ? plain : length - at;
    buffer_add(out, text + at, run);
    at += run;
    if (at < length) {
      const char escaped[] = {'\\', letters[strchr(marked, text[at]) - marked]};
      buffer_add(out, escaped, sizeof escaped);
      at++;
    }
  }
}

static void add_real(struct buffer *out, double number)
{
  char text[32];
  if (isfinite(number)) {
    number_format(number, text);
    buffer_text(out, text);
  } else {
    buffer_text(out, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
  }
}

/* A line of COPY. A text that a zero byte cuts short is one that no document has. */
static void add_row(const struct shared_table *table, sqlite3_stmt *row, struct buffer *out)
{
  for (int i = 0; i < column_count(table); i++) {
    buffer_text(out, i > 0 ? "\t" : "");
    const char *text = table->columns[i].type == TEXT ? (const char *)sqlite3_column_text(row, i) : NULL;
    if (sqlite3_column_type(row, i) == SQLITE_NULL)
      buffer_text(out, "\\N");
    else if (table->columns[i].type == WHOLE)
      buffer_printf(out, "%lld", (long long)sqlite3_column_int64(row, i));
    else if (table->columns[i].type == REAL)
      add_real(out, sqlite3_column_double(row, i));
    else if (text != NULL)
      add_text(out, text, strlen(text));
    else
      out->failed = true; /* out of memory */
  }
  buffer_text(out, "\n");
}

struct copying {
  struct postgres_link *link;
  const struct shared_table *table;
  bool is_begun; /* the database expects rows */
  struct buffer rows;
};

static int begin_copy(struct copying *copying, struct error *error)
{
  struct buffer sql = {0};
  buffer_printf(&sql, "COPY catalogue_%s (", copying->table->name);
  add_columns(copying->table, &sql);
  buffer_text(&sql, ") FROM STDIN");
  PGresult *result = sql.failed ? NULL : PQexec(copying->link->connection, sql.data);
  copying->is_begun = PQresultStatus(result) == PGRES_COPY_IN;
  const int status = sql.failed ? error_memory(error) : copying->is_begun ? 0 : -1;
  if (status != 0 && !sql.failed)
    postgres_link_fail(copying->link, result, error);
  PQclear(result);
  buffer_free(&sql);
  return status;
}

static int send_rows(struct copying *copying, struct error *error)
{
  if (copying->rows.failed)
    return error_memory(error);
  if (copying->rows.length == 0)
    return 0;
  if (!copying->is_begun && begin_copy(copying, error) != 0)
    return -1;
  const int sent = PQputCopyData(copying->link->connection, copying->rows.data, (int)copying->rows.length);
  copying->rows.length = 0;
  return sent == 1 ? 0 : postgres_link_fail(copying->link, NULL, error);
}

/* What the database says of all rows. */
static int end_copy(struct copying *copying, int status, struct error *error)
{
  PGconn *connection = copying->link->connection;
  PGresult *result;
  if (!copying->is_begun)
    return status;
  if (PQputCopyEnd(connection, status == 0 ? NULL : "given up") != 1 && status == 0)
    status = postgres_link_fail(copying->link, NULL, error);
  while ((result = PQgetResult(connection)) != NULL) {
    if (PQresultStatus(result) != PGRES_COMMAND_OK && status == 0)
      status = postgres_link_fail(copying->link, result, error);
    PQclear(result);
  }
  return status;
}

static int copy_range(struct index *index, struct copying *copying, const char *sql, struct key_range range,
                      struct error *error)
{
  sqlite3_stmt *row = index_query(index, sql, error);
  int more = row != NULL ? 1 : -1;
  if (row != NULL && copying->table->key != NULL) {
    sqlite3_bind_int64(row, 1, range.low);
    sqlite3_bind_int64(row, 2, range.high);
  }
  while (more == 1 && (more = index_step(index, row, error)) == 1) {
    add_row(copying->table, row, &copying->rows);
    if ((copying->rows.failed || copying->rows.length >= COPY_BYTES) && send_rows(copying, error) != 0)
      more = -1;
  }
  index_done(row);
  return more;
}

static int push_table(struct index *index, struct postgres_link *link, const struct shared_table *table,
                      const struct key_ranges *ranges, struct error *error)
{
  struct copying copying = {.link = link, .table = table};
  struct buffer sql = {0};
  buffer_text(&sql, "SELECT ");
  add_columns(table, &sql);
  buffer_printf(&sql, " FROM %s", table->name);
  if (table->key != NULL)
    buffer_printf(&sql, " WHERE \"%s\" BETWEEN ?1 AND ?2", table->key);
  int status = sql.failed ? error_memory(error) : 0;
  for (size_t i = 0; i < ranges->count && status == 0; i++)
    status = copy_range(index, &copying, sql.data, ranges->all[i], error);
  if (status == 0)
    status = send_rows(&copying, error);
  status = end_copy(&copying, status, error);
  buffer_free(&copying.rows);
  buffer_free(&sql);
  return status;
}

static void add_range(struct buffer *sql, const char *key, struct key_range range)
{
  if (key != NULL)
    buffer_printf(sql, " WHERE \"%s\" BETWEEN %lld AND %lld", key, (long long)range.low, (long long)range.high);
}

int shared_rows_push(struct index *index, struct postgres_link *link, enum shared_kind kind,
                     const struct key_ranges *ranges, struct error *error)
{
  struct buffer sql = {0};
  if (ranges->count == 0)
    return 0;
  for (size_t t = 0; t < TABLES; t++)
    for (size_t i = 0; i < ranges->count && tables[t].kind == kind; i++) {
      buffer_printf(&sql, "DELETE FROM catalogue_%s", tables[t].name);
      add_range(&sql, tables[t].key, ranges->all[i]);
      buffer_text(&sql, ";");
    }
  int status = sql.failed ? error_memory(error) : postgres_link_send(link, sql.data, error);
  buffer_free(&sql);
  for (size_t t = 0; t < TABLES && status == 0; t++)
    if (tables[t].kind == kind)
      status = push_table(index, link, &tables[t], ranges, error);
  return status;
}

/* ---- from the database ------------------------------------------------------------------------------------------- */

/* Takes the marks out of a text, in place; its length. */
static int take_marks(char *text)
{
  char *to = text;
  for (const char *from = text; *from != '\0'; from++) {
    static const char letters[] = "bfnrtv", bytes[] = "\b\f\n\r\t\v";
    const char *letter = *from == '\\' && from[1] != '\0' ? strchr(letters, from[1]) : NULL;
    if (*from == '\\' && from[1] != '\0')
      from++;
    *to++ = letter != NULL ? bytes[letter - letters] : *from;
  }
  *to = '\0';
  return (int)(to - text);
}

/* Binds the columns of a line, which it takes apart. False: it has others. */
static bool bind_line(const struct shared_table *table, char *line, sqlite3_stmt *row)
{
  const int count = column_count(table);
  line[strcspn(line, "\n")] = '\0'; /* those of texts are marked */
  for (int i = 0; i < count; i++) {
    char *value = strsep(&line, "\t");
    if (value == NULL)
      return false;
    if (strcmp(value, "\\N") == 0)
      sqlite3_bind_null(row, i + 1);
    else if (table->columns[i].type == WHOLE)
      sqlite3_bind_int64(row, i + 1, strtoll(value, NULL, 10));
    else if (table->columns[i].type == REAL)
      sqlite3_bind_double(row, i + 1, strtod(value, NULL));
    else
      sqlite3_bind_text(row, i + 1, value, take_marks(value), SQLITE_STATIC);
  }
  return line == NULL;
}

static int insert_line(struct index *index, const struct shared_table *table, const char *sql, char *line,
                       struct error *error)
{
  sqlite3_stmt *row = index_query(index, sql, error);
  if (row == NULL)
    return -1;
  if (!bind_line(table, line, row)) {
    index_done(row);
    return error_set(error, ERROR_StorageFailure, "a row of the shared catalogue has other columns than its table");
  }
  return index_run(index, row, error);
}

/* The rest of a COPY whose rows are not wanted any more is read, too: the connection is used again. */
static int read_lines(struct index *index, struct postgres_link *link, const struct shared_table *table,
                      const char *insert, struct error *error)
{
  char *line = NULL;
  PGresult *result;
  int status = 0, length;
  while ((length = PQgetCopyData(link->connection, &line, 0)) > 0) {
    if (status == 0)
      status = insert_line(index, table, insert, line, error);
    PQfreemem(line);
  }
  if (length == -2 && status == 0)
    status = postgres_link_fail(link, NULL, error);
  while ((result = PQgetResult(link->connection)) != NULL) {
    if (PQresultStatus(result) != PGRES_COMMAND_OK && status == 0)
      status = postgres_link_fail(link, result, error);
    PQclear(result);
  }
  return status;
}

static int pull_range(struct index *index, struct postgres_link *link, const struct shared_table *table,
                      const char *insert, struct key_range range, struct error *error)
{
  struct buffer sql = {0};
  buffer_text(&sql, "COPY (SELECT ");
  add_columns(table, &sql);
  buffer_printf(&sql, " FROM catalogue_%s", table->name);
  add_range(&sql, table->key, range);
  buffer_printf(&sql, " ORDER BY %s) TO STDOUT", table->primary);
  if (sql.failed) {
    buffer_free(&sql);
    return error_memory(error);
  }
  PGresult *result = PQexec(link->connection, sql.data);
  const bool is_begun = PQresultStatus(result) == PGRES_COPY_OUT;
  int status = is_begun ? 0 : postgres_link_fail(link, result, error);
  PQclear(result);
  buffer_free(&sql);
  return is_begun ? read_lines(index, link, table, insert, error) : status;
}

static int pull_table(struct index *index, struct postgres_link *link, const struct shared_table *table,
                      const struct key_ranges *ranges, struct error *error)
{
  struct buffer insert = {0};
  buffer_printf(&insert, "INSERT INTO %s (", table->name);
  add_columns(table, &insert);
  buffer_text(&insert, ") VALUES (");
  for (int i = 1; i <= column_count(table); i++)
    buffer_printf(&insert, "%s?%d", i > 1 ? ", " : "", i);
  buffer_text(&insert, ")");
  int status = insert.failed ? error_memory(error) : 0;
  for (size_t i = 0; i < ranges->count && status == 0; i++)
    status = pull_range(index, link, table, insert.data, ranges->all[i], error);
  buffer_free(&insert);
  return status;
}

static int delete_range(struct index *index, const char *table, const char *where, struct key_range range,
                        struct error *error)
{
  struct buffer sql = {0};
  buffer_printf(&sql, "DELETE FROM %s%s", table, where);
  sqlite3_stmt *row = sql.failed ? NULL : index_query(index, sql.data, error);
  if (sql.failed)
    error_memory(error);
  buffer_free(&sql);
  if (row == NULL)
    return -1;
  if (where[0] != '\0') {
    sqlite3_bind_int64(row, 1, range.low);
    sqlite3_bind_int64(row, 2, range.high);
  }
  return index_run(index, row, error);
}

/* Boxes first: which ones the rows tell. */
static int delete_rows(struct index *index, enum shared_kind kind, const struct key_ranges *ranges, struct error *error)
{
  int status = 0;
  for (size_t i = 0; i < ranges->count && status == 0 && kind == SHARED_ITEM; i++)
    status = delete_range(index, "item_boxes", " WHERE item IN (SELECT key FROM items WHERE key BETWEEN ?1 AND ?2)",
                          ranges->all[i], error);
  for (size_t t = 0; t < TABLES; t++)
    for (size_t i = 0; i < ranges->count && status == 0 && tables[t].kind == kind; i++) {
      char where[64] = "";
      if (tables[t].key != NULL)
        snprintf(where, sizeof where, " WHERE \"%s\" BETWEEN ?1 AND ?2", tables[t].key);
      status = delete_range(index, tables[t].name, where, ranges->all[i], error);
    }
  return status;
}

static int greatest_item(struct index *index, int64_t *out, struct error *error)
{
  sqlite3_stmt *row = index_query(index, "SELECT coalesce(max(key), 0) FROM items", error);
  const int found = row != NULL ? index_step(index, row, error) : -1;
  *out = found == 1 ? sqlite3_column_int64(row, 0) : 0;
  index_done(row);
  return found == 1 ? 0 : -1;
}

/* `before`: the greatest key of an item that has its box. */
static int add_boxes(struct index *index, const struct key_ranges *ranges, int64_t before, struct error *error)
{
  for (size_t i = 0; i < ranges->count; i++) {
    const struct key_range *range = &ranges->all[i];
    if (range->low <= before &&
        index_add_boxes_between(index, range->low, range->high < before ? range->high : before, error) != 0)
      return -1;
  }
  return index_add_boxes(index, before, error);
}

int shared_rows_pull(struct index *index, struct postgres_link *link, enum shared_kind kind,
                     const struct key_ranges *ranges, struct error *error)
{
  int64_t before = 0;
  if (ranges->count == 0)
    return 0;
  if (delete_rows(index, kind, ranges, error) != 0 ||
      (kind == SHARED_ITEM && greatest_item(index, &before, error) != 0))
    return -1;
  for (size_t t = 0; t < TABLES; t++)
    if (tables[t].kind == kind && pull_table(index, link, &tables[t], ranges, error) != 0)
      return -1;
  return kind == SHARED_ITEM ? add_boxes(index, ranges, before, error) : 0;
}
