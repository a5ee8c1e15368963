/* Parquet files (stac-geoparquet): an item each row, and the collections that the writer noted. */
#include "stac/search/bulk_load.h"

#include "stac/json_tree.h"
#include "stac/search/bulk_queue.h"
#include "stac/search/parquet_items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int put_collection(struct bulk_queue *queue, const json_t *collection, const char *path, struct error *error)
{
  char *text = json_dumps(collection, JSON_COMPACT);
  char place[BULK_PLACE_SIZE];
  if (!text)
    return error_memory(error);
  snprintf(place, sizeof place, "%.400s, a collection", path);
  const int result = bulk_put(queue, &(struct bulk_text){text, strlen(text)}, true, place, error);
  free(text);
  return result;
}

/* One collection, or an object of them by their ids. */
static int put_collections(struct bulk_queue *queue, const char *note, const char *path, struct error *error)
{
  json_error_t reason;
  json_t *tree = note && strlen(note) <= STORED_MAX_BYTES ? json_loads(note, JSON_REJECT_DUPLICATES, &reason) : NULL;
  json_t *one = json_object_get(tree, "collection"), *many = json_object_get(tree, "collections");
  int result = json_is_object(one) ? put_collection(queue, one, path, error) : 0;
  for (void *at = json_object_iter(many); at && result == 0; at = json_object_iter_next(many, at))
    result = put_collection(queue, json_object_iter_value(at), path, error);
  json_decref(tree);
  return result;
}

static int put_row(struct bulk_queue *queue, const struct buffer *text, const struct error *refusal, const char *path,
                   long long row, struct error *error)
{
  struct bulk_entry *entry = bulk_queue_room(queue);
  if (!entry)
    return error_set(error, ERROR_StacInvalid, "the reading ends here");
  entry->is_collection = false;
  entry->error = *refusal;
  snprintf(entry->place, sizeof entry->place, "%.400s, row %lld", path, row);
  entry->facts.document.length = 0;
  if (!error_is_set(refusal))
    stored_facts_read(text->data, text->length, &entry->facts, &entry->error);
  bulk_queue_add(queue);
  return 0;
}

static int put_rows(struct bulk_queue *queue, struct parquet_items *items, const char *path,
                    const struct bulk_text *file, struct error *error)
{
  struct buffer text = {.limit = STORED_MAX_BYTES};
  uint64_t grown = 0;
  int result = 0;
  for (long long row = 1; result == 0; row++) {
    struct error refusal = {0};
    bool is_there;
    result = parquet_items_next(items, &text, &is_there, &refusal, error);
    if (result != 0 || !is_there)
      break;
    grown += text.length;
    result = grown / BULK_MOST_GROWTH > file->length
                 ? error_set(error, ERROR_FileContentInvalid, "its items would be %d times as long as the file",
                             BULK_MOST_GROWTH)
                 : put_row(queue, &text, &refusal, path, row, error);
  }
  buffer_free(&text);
  return result;
}

int bulk_parquet(struct bulk_queue *queue, const char *path, const struct bulk_text *file, bool with_collections,
                 struct error *error)
{
  struct parquet_items *items;
  struct error reason = {0};
  if (parquet_items_open(file->data, file->length, &items, &reason) != 0)
    return error_parameter(error, error_code_find(reason.code), "path", "%.300s: %s", path, reason.message);
  int result = with_collections ? put_collections(queue, parquet_items_note(items), path, &reason) : 0;
  if (result == 0)
    result = put_rows(queue, items, path, file, &reason);
  parquet_items_close(items);
  return result == 0 ? 0
                     : error_parameter(error, error_code_find(reason.code), "path", "%.300s: %s", path, reason.message);
}
