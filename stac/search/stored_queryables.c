/* What items of a stored collection may be searched by: what the properties of its first items have.
 *
 * Items come and go, so that this is looked up when it is asked for. Where there are more of them than are looked at,
 * names and types are told, but no bounds: others may lie outside. */
#include "stac/search/stored_queryables.h"

#include "stac/document.h"
#include "stac/search/search.h"
#include "stac/summary.h"

#include <stdlib.h>

enum { MOST_ITEMS = 1000, MOST_BYTES = 8 << 20 };

struct looked_at {
  json_t *trees; /* the properties of the items */
  size_t bytes;
  bool is_all;
};

static void take_document(struct looked_at *looked, const char *text, size_t length)
{
  static const char key[] = "\"properties\":";
  size_t from, to;
  if (!item_text_member(text, length, "properties", &from, &to) || to - from < sizeof key)
    return;
  from += sizeof key - 1; /* the text has no white space between its tokens */
  looked->bytes += to - from;
  json_array_append_new(looked->trees, json_loadb(text + from, to - from, 0, NULL));
}

static int look_at(struct index *index, int64_t collection, struct looked_at *looked, struct error *error)
{
  static const char text[] = "SELECT json FROM items JOIN documents ON documents.key = items.key WHERE collection = ?1"
                             " LIMIT ?2";
  sqlite3_stmt *row = index_query(index, text, error);
  int more = -1;
  size_t count = 0;
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, collection);
  sqlite3_bind_int64(row, 2, MOST_ITEMS + 1);
  while ((more = index_step(index, row, error)) == 1 && count < MOST_ITEMS && looked->bytes < MOST_BYTES) {
    take_document(looked, (const char *)sqlite3_column_text(row, 0), (size_t)sqlite3_column_bytes(row, 0));
    count++;
  }
  looked->is_all = more == 0;
  index_done(row);
  return more < 0 ? -1 : 0;
}

int stored_queryables_write(struct index *index, int64_t collection, struct json_writer *writer, bool *is_all,
                            struct error *error)
{
  struct looked_at looked = {.trees = json_array()};
  struct item_summary summary = {.properties = calloc(SUMMARY_MAX_PROPERTIES, sizeof *summary.properties)};
  int result = looked.trees && summary.properties ? look_at(index, collection, &looked, error) : error_memory(error);
  if (result == 0) {
    for (size_t i = 0; i < json_array_size(looked.trees); i++)
      summary_add(&summary, json_array_get(looked.trees, i));
    summary.is_partial = !looked.is_all;
    document_write_queryables(&summary, writer);
    *is_all = looked.is_all;
  }
  free(summary.properties);
  json_decref(looked.trees);
  return result;
}
