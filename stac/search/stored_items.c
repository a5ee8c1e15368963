/* Writing documents to the index. See the header.
 *
 * Rows are written as they come. The boxes of new items enter the search tree at the end, from the rows. */
#include "stac/search/stored_items.h"

#include "stac/search/item_facts.h"
#include "stac/search/stored_writer.h"

#include "datacube/lonlat.h"

#include <stdlib.h>
#include <string.h>

/* ---- items ------------------------------------------------------------------------------------------------------- */

/* 1: there; 0: not; -1: an error. */
static int find_item(struct item_writer *writer, int64_t collection, const char *id, int64_t *key, struct error *error)
{
  sqlite3_stmt *row = index_statement(writer->index, STATEMENT_ITEM_KEY, error);
  if (!row)
    return -1;
  sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
  sqlite3_bind_int64(row, 2, collection);
  const int found = index_step(writer->index, row, error);
  if (found == 1)
    *key = sqlite3_column_int64(row, 0);
  index_done(row);
  return found;
}

static int refuse_scanned(const struct written_collection *collection, struct error *error)
{
  return collection->is_stored ? 0
                               : error_set(error, ERROR_StacConflict,
                                           "collection '%s' is made from files: it is not written to", collection->id);
}

/* The collection of an item that names its own, or is told it. */
static struct written_collection *collection_of(struct item_writer *writer, const char *told,
                                                const struct stored_facts *facts, struct error *error)
{
  if (!facts->collection[0]) {
    error_set(error, ERROR_StacInvalid, "\"collection\" is missing");
    return NULL;
  }
  if (told && strcmp(told, facts->collection) != 0) {
    error_set(error, ERROR_StacInvalid, "\"collection\" is '%s', not '%s'", facts->collection, told);
    return NULL;
  }
  struct written_collection *collection = writer_collection(writer, facts->collection, error);
  return collection && refuse_scanned(collection, error) == 0 ? collection : NULL;
}

static void note_extent(struct written_collection *collection, const struct index_item *item)
{
  const bool first = collection->count++ == 0;
  if (item->box.south <= 90)
    collection->box =
        collection->box.west == collection->box.east ? item->box : lonlat_union(&collection->box, &item->box);
  if (first || item->times.first < collection->extent.first)
    collection->extent.first = item->times.first;
  if (first || item->times.last > collection->extent.last)
    collection->extent.last = item->times.last;
}

static int put_item(struct item_writer *writer, struct written_collection *collection, enum item_writing writing,
                    const struct stored_facts *facts, struct error *error)
{
  struct index_item item = {.collection = collection->key, .id = facts->id, .times = facts->times, .box = facts->box};
  const int there = find_item(writer, collection->key, facts->id, &item.key, error);
  if (there < 0)
    return -1;
  if (there && writing == ITEM_INSERT)
    return error_set(error, ERROR_StacConflict, "collection '%s' has an item '%s'", collection->id, facts->id);
  if (!there && writing == ITEM_UPDATE)
    return error_parameter(error, ERROR_NotFound, "item_id", "collection '%s' has no item '%s'", collection->id,
                           facts->id);
  if (index_insert_item(writer->index, &item, &facts->document, NULL, error) != 0 ||
      (item.key <= writer->before && index_insert_box(writer->index, &item, error) != 0))
    return -1;
  const int64_t span = item_times_span(&item.times);
  note_extent(collection, &item);
  collection->added += !there;
  collection->span = span > collection->span ? span : collection->span;
  return 0;
}

int item_writer_put_read(struct item_writer *writer, const char *collection, enum item_writing writing,
                         const struct stored_facts *facts, struct error *error)
{
  struct written_collection *own = collection_of(writer, collection, facts, error);
  return own ? put_item(writer, own, writing, facts, error) : -1;
}

int item_writer_put(struct item_writer *writer, const char *collection, enum item_writing writing, const char *json,
                    size_t length, struct error *error)
{
  struct stored_facts facts = {0};
  int result = stored_facts_read(json, length, &facts, error);
  if (result == 0)
    result = item_writer_put_read(writer, collection, writing, &facts, error);
  stored_facts_free(&facts);
  return result;
}

static int remove_rows(struct index *index, int64_t key, struct error *error)
{
  static const enum statement steps[] = {STATEMENT_REMOVE_BOX, STATEMENT_REMOVE_DOCUMENT, STATEMENT_REMOVE_ITEM};
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    sqlite3_stmt *row = index_statement(index, steps[i], error);
    if (!row)
      return -1;
    sqlite3_bind_int64(row, 1, key);
    if (index_run(index, row, error) != 0)
      return -1;
  }
  return 0;
}

int item_writer_remove(struct item_writer *writer, const char *collection, const char *id, struct error *error)
{
  struct written_collection *own = writer_collection(writer, collection, error);
  int64_t key = 0;
  if (!own || refuse_scanned(own, error) != 0)
    return -1;
  const int there = find_item(writer, own->key, id, &key, error);
  if (there < 0)
    return -1;
  if (!there)
    return error_parameter(error, ERROR_NotFound, "item_id", "collection '%s' has no item '%s'", collection, id);
  own->added--;
  return remove_rows(writer->index, key, error);
}

bool item_writer_refused(const struct error *error)
{
  return error_is(error, ERROR_StacInvalid) || error_is(error, ERROR_StacConflict) ||
         error_is(error, ERROR_CollectionNotFound) || error_is(error, ERROR_NotFound);
}

void item_writer_make_collections(struct item_writer *writer)
{
  writer->makes_collections = true;
}

/* ---- the transaction --------------------------------------------------------------------------------------------- */

static void writer_free(struct item_writer *writer)
{
  for (size_t i = 0; i < writer->collection_count; i++)
    free(writer->collections[i].id);
  free(writer->collections);
  free(writer);
}

static int read_greatest_key(struct item_writer *writer, struct error *error)
{
  sqlite3_stmt *row = index_query(writer->index, "SELECT coalesce(max(key), 0) FROM items", error);
  const int found = row ? index_step(writer->index, row, error) : -1;
  if (found == 1)
    writer->before = sqlite3_column_int64(row, 0);
  index_done(row);
  return found == 1 ? 0 : -1;
}

int item_writer_new(struct catalogue *catalogue, struct item_writer **out, struct error *error)
{
  struct item_writer *writer = calloc(1, sizeof *writer);
  if (!writer)
    return error_memory(error);
  writer->index = catalogue->index;
  if (index_begin_change(writer->index, error) != 0) {
    writer_free(writer);
    return -1;
  }
  if (read_greatest_key(writer, error) != 0) {
    item_writer_abort(writer);
    return -1;
  }
  *out = writer;
  return 0;
}

int item_writer_commit(struct item_writer *writer, struct error *error)
{
  int result = index_add_boxes(writer->index, writer->before, error);
  if (result == 0)
    result = writer_finish_collections(writer, error);
  result = index_end_change(writer->index, result, error);
  writer_free(writer);
  return result;
}

void item_writer_abort(struct item_writer *writer)
{
  struct error ignored = {0};
  index_end_change(writer->index, -1, &ignored);
  writer_free(writer);
}
