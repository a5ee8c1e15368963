/* Functions of SQL that filters use. */
#include "stac/cql2/cql2_condition.h"
#include "stac/cql2/cql2_tree.h"
#include "stac/cql2/like_match.h"
#include "stac/cql2/text_fold.h"

#include <string.h>

static const char *text_of(sqlite3_value *value)
{
  return sqlite3_value_type(value) == SQLITE_TEXT ? (const char *)sqlite3_value_text(value) : NULL;
}

/* First or last instant of a date's text; NULL where it is none. The data of the function is not NULL for the last. */
static void edge_of_date(sqlite3_context *context, int count, sqlite3_value **values)
{
  const char *text = text_of(values[0]);
  struct cql2_span span;
  bool is_date;
  (void)count;
  if (text && cql2_read_instant(text, &is_date, &span))
    sqlite3_result_int64(context, sqlite3_user_data(context) ? span.last : span.first);
}

static void fold_text(sqlite3_context *context, int count, sqlite3_value **values)
{
  const char *text = text_of(values[0]), *what = text_of(values[1]);
  (void)count;
  if (!text || !what)
    return;
  struct arena *arena = arena_new(0);
  const char *folded = !arena                      ? NULL
                       : strcmp(what, "case") == 0 ? text_fold_case(arena, text)
                                                   : text_fold_accents(arena, text);
  if (folded)
    sqlite3_result_text(context, folded, -1, SQLITE_TRANSIENT);
  else
    sqlite3_result_error_nomem(context);
  if (arena)
    arena_free(arena);
}

static void match_text(sqlite3_context *context, int count, sqlite3_value **values)
{
  const char *text = text_of(values[0]), *pattern = text_of(values[1]);
  (void)count;
  if (text && pattern)
    sqlite3_result_int(context, like_matches(text, pattern));
}

/* The text of that member of an item's document, which is found without reading the others, as assets mostly make up a
 * document. */
static void properties_of(sqlite3_context *context, int count, sqlite3_value **values)
{
  const char *document = text_of(values[0]);
  size_t from, to;
  (void)count;
  if (!document || !item_text_member(document, (size_t)sqlite3_value_bytes(values[0]), "properties", &from, &to))
    return;
  from += strlen("\"properties\"");
  from += strspn(document + from, " \t\r\n:");
  sqlite3_result_text(context, document + from, (int)(to - from), SQLITE_TRANSIENT);
}

int cql2_register(sqlite3 *db)
{
  static char last;
  static const struct {
    const char *name;
    int arguments;
    void *data;
    void (*call)(sqlite3_context *, int, sqlite3_value **);
  } functions[] = {{"item_properties", 1, NULL, properties_of},
                   {"cql2_first", 1, NULL, edge_of_date},
                   {"cql2_last", 1, &last, edge_of_date},
                   {"cql2_fold", 2, NULL, fold_text},
                   {"cql2_like", 2, NULL, match_text}};
  const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    const int code = sqlite3_create_function_v2(db, functions[i].name, functions[i].arguments, flags, functions[i].data,
                                                functions[i].call, NULL, NULL, NULL);
    if (code != SQLITE_OK)
      return code;
  }
  return SQLITE_OK;
}
