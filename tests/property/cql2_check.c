/* What filters say of items, both ways: for test_cql2.py.
 *
 * Reads a line with a JSON array of items, then filters, one a line: text, or JSON. For each it writes a line: of each
 * item t, f or ? as cql2_test has it, a blank, and of each item 1 or 0 as the condition for searches has it, a blank,
 * and what decides there: "sql", "both" or "document". A filter that does not read: "error" and why. */
#include "datacube/base/instant.h"
#include "datacube/gdal_init.h"
#include "stac/cql2/cql2_condition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] = "CREATE TABLE collections (key INTEGER PRIMARY KEY, id TEXT);"
                             "CREATE TABLE item (key INTEGER PRIMARY KEY, collection INTEGER, id TEXT);"
                             "CREATE TABLE document (key INTEGER PRIMARY KEY, json TEXT);";

static void demand(bool holds, const char *what)
{
  if (holds)
    return;
  fprintf(stderr, "cql2_check: %s\n", what);
  exit(1);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
  sqlite3_stmt *statement = NULL;
  demand(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, sqlite3_errmsg(db));
  return statement;
}

static void put(sqlite3 *db, const char *sql, sqlite3_int64 key, const char *text, sqlite3_int64 other)
{
  sqlite3_stmt *statement = prepare(db, sql);
  sqlite3_bind_int64(statement, 1, key);
  sqlite3_bind_text(statement, 2, text, -1, SQLITE_TRANSIENT);
  if (sqlite3_bind_parameter_count(statement) > 2)
    sqlite3_bind_int64(statement, 3, other);
  demand(sqlite3_step(statement) == SQLITE_DONE, sqlite3_errmsg(db));
  sqlite3_finalize(statement);
}

/* Each item is in a collection of its own row. */
static sqlite3 *store(const json_t *items)
{
  sqlite3 *db = NULL;
  demand(sqlite3_open(":memory:", &db) == SQLITE_OK && cql2_register(db) == SQLITE_OK &&
             sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK,
         "no database");
  for (size_t i = 0; i < json_array_size(items); i++) {
    const json_t *item = json_array_get(items, i);
    char *document = json_dumps(item, JSON_COMPACT);
    const char *id = json_string_value(json_object_get(item, "id"));
    const char *collection = json_string_value(json_object_get(item, "collection"));
    put(db, "INSERT INTO collections VALUES (?, ?)", (sqlite3_int64)i + 1, collection, 0);
    put(db, "INSERT INTO item (key, id, collection) VALUES (?, ?, ?)", (sqlite3_int64)i, id, (sqlite3_int64)i + 1);
    put(db, "INSERT INTO document VALUES (?, ?)", (sqlite3_int64)i, document, 0);
    free(document);
  }
  return db;
}

static void bind(sqlite3_stmt *statement, const struct item_condition *condition)
{
  for (int i = 0; i < (int)condition->value_count; i++) {
    const struct item_value *value = &condition->values[i];
    if (value->kind == ITEM_VALUE_TEXT)
      sqlite3_bind_text(statement, i + 1, value->text, -1, SQLITE_STATIC);
    else if (value->kind == ITEM_VALUE_REAL)
      sqlite3_bind_double(statement, i + 1, value->real);
    else
      sqlite3_bind_int64(statement, i + 1, value->integer);
  }
}

static bool is_found(const struct item_condition *condition, sqlite3_stmt *row)
{
  struct error error = {0};
  if (!condition->accept)
    return true;
  const char *document = (const char *)sqlite3_column_text(row, 1);
  const int found = condition->accept(condition->data, document, strlen(document), &error);
  demand(found >= 0, error.message);
  return found == 1;
}

static void ask_database(struct arena *arena, sqlite3 *db, const struct item_condition *condition, char *found)
{
  const char *text = arena_printf(arena, "SELECT item.key, json FROM item JOIN document USING (key) WHERE %s",
                                  condition->sql ? condition->sql : "1");
  sqlite3_stmt *row = prepare(db, text);
  int code;
  bind(row, condition);
  while ((code = sqlite3_step(row)) == SQLITE_ROW)
    if (is_found(condition, row))
      found[sqlite3_column_int64(row, 0)] = '1';
  demand(code == SQLITE_DONE, sqlite3_errmsg(db));
  sqlite3_finalize(row);
}

static bool is_listed(const char *const *list, size_t count, const char *text)
{
  for (size_t i = 0; i < count; i++)
    if (strcmp(list[i], text) == 0)
      return true;
  return count == 0;
}

static bool instant_of(const json_t *item, const char *name, int64_t *out)
{
  const char *text = json_string_value(json_object_get(json_object_get(item, "properties"), name));
  return text && instant_parse(text, CALENDAR_GREGORIAN, out) == 0;
}

/* A search that was narrowed to what the filter implies has lost no item that is wanted. */
static void check_narrowed(const struct item_search *search, const json_t *item)
{
  int64_t first, last;
  if (!instant_of(item, "datetime", &first)) {
    demand(instant_of(item, "start_datetime", &first) && instant_of(item, "end_datetime", &last), "an undated item");
  } else
    last = first;
  demand((!search->has_start || last >= search->start) && (!search->has_end || first <= search->end),
         "narrowed to the wrong interval");
  demand(is_listed(search->ids, search->id_count, json_string_value(json_object_get(item, "id"))) &&
             is_listed(search->collections, search->collection_count,
                       json_string_value(json_object_get(item, "collection"))),
         "narrowed to the wrong ids or collections");
}

static void ask(const json_t *items, sqlite3 *db, const char *text)
{
  struct arena *arena = arena_new(0);
  struct error error = {0};
  const struct cql2_filter *filter = NULL;
  struct item_condition condition;
  struct item_search search = {0};
  const int status = text[0] == '{' ? cql2_of_json_text(arena, text, strlen(text), &filter, &error)
                                    : cql2_of_text(arena, text, strlen(text), &filter, &error);
  if (status != 0)
    printf("error %s\n", error.message);
  else {
    const size_t count = json_array_size(items);
    char *truths = arena_alloc(arena, count + 1), *found = arena_alloc(arena, count + 1);
    struct cql2_tester *tester = cql2_tester_new(filter, &error);
    demand(truths && found && tester && cql2_condition(arena, filter, &condition, &error) == 0 &&
               cql2_narrow(arena, filter, &search, &error) == 0,
           "no condition");
    for (size_t i = 0; i < count; i++) {
      enum cql2_truth truth;
      demand(cql2_test(tester, json_array_get(items, i), &truth, &error) == 0, error.message);
      truths[i] = "ft?"[truth];
      if (truth == CQL2_TRUE)
        check_narrowed(&search, json_array_get(items, i));
      found[i] = '0';
    }
    ask_database(arena, db, &condition, found);
    printf("%s %s %s\n", truths, found, !condition.accept ? "sql" : condition.sql ? "both" : "document");
    cql2_tester_free(tester);
  }
  arena_free(arena);
}

int main(void)
{
  char *line = NULL;
  size_t room = 0;
  gdal_init();
  demand(getline(&line, &room, stdin) > 0, "no items");
  json_t *items = json_loads(line, 0, NULL);
  demand(json_is_array(items), "no array of items");
  sqlite3 *db = store(items);
  for (ssize_t length; (length = getline(&line, &room, stdin)) > 0;) {
    line[strcspn(line, "\n")] = '\0';
    ask(items, db, line);
  }
  sqlite3_close(db);
  json_decref(items);
  free(line);
  return 0;
}
