/* The collections of a writer: documents that came, and those that are made of the names of items. */
#include "stac/search/stored_writer.h"

#include "datacube/base/instant.h"
#include "datacube/lonlat.h"
#include "stac/search/item_facts.h"
#include "stac/search/property_index.h"
#include "stac/search/search.h"

#include <stdlib.h>
#include <string.h>

static int find_row(struct index *index, const char *id, struct written_collection *out, struct error *error)
{
  sqlite3_stmt *row = index_statement(index, STATEMENT_KIND, error);
  if (!row)
    return -1;
  sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
  const int found = index_step(index, row, error);
  if (found == 1)
    *out = (struct written_collection){.key = sqlite3_column_int64(row, 0), .is_stored = sqlite3_column_int(row, 1)};
  index_done(row);
  return found;
}

static struct written_collection *add_row(struct item_writer *writer, const char *id,
                                          const struct written_collection *row, struct error *error)
{
  if (writer->collection_count == writer->collection_room) {
    const size_t room = writer->collection_room ? 2 * writer->collection_room : 16;
    struct written_collection *grown = realloc(writer->collections, room * sizeof *grown);
    if (!grown) {
      error_memory(error);
      return NULL;
    }
    writer->collections = grown;
    writer->collection_room = room;
  }
  struct written_collection *added = &writer->collections[writer->collection_count];
  *added = *row;
  added->id = strdup(id);
  if (!added->id) {
    error_memory(error);
    return NULL;
  }
  writer->latest = writer->collection_count++;
  return added;
}

static int make_collection(struct item_writer *writer, const char *id, struct written_collection *out,
                           struct error *error);

/* The latest one is asked for again and again. */
struct written_collection *writer_collection(struct item_writer *writer, const char *id, struct error *error)
{
  struct written_collection found = {0};
  if (writer->collection_count && strcmp(writer->collections[writer->latest].id, id) == 0)
    return &writer->collections[writer->latest];
  for (size_t i = 0; i < writer->collection_count; i++)
    if (strcmp(writer->collections[i].id, id) == 0) {
      writer->latest = i;
      return &writer->collections[i];
    }
  int status = find_row(writer->index, id, &found, error);
  if (status == 0 && writer->makes_collections)
    status = make_collection(writer, id, &found, error) == 0 ? 1 : -1;
  if (status == 0)
    error_parameter(error, ERROR_CollectionNotFound, "collection", "collection '%s' does not exist", id);
  return status == 1 ? add_row(writer, id, &found, error) : NULL;
}

static int count_items(struct item_writer *writer, const struct written_collection *collection, struct error *error)
{
  sqlite3_stmt *row = index_statement(writer->index, STATEMENT_COUNT_ITEMS, error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, collection->key);
  sqlite3_bind_int64(row, 2, collection->added);
  sqlite3_bind_int64(row, 3, collection->span);
  return index_run(writer->index, row, error);
}

static bool is_id_character(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_-.~/:", c));
}

static int check_id(const char *id, const char *wanted, struct error *error)
{
  const size_t length = id ? strlen(id) : 0;
  bool fits = length > 0 && length <= 255;
  for (size_t i = 0; i < length; i++)
    fits = fits && is_id_character(id[i]);
  if (!fits)
    return error_set(error, ERROR_StacInvalid,
                     "the \"id\" of a collection may have letters, digits and _ - . ~ / : only, 1 to 255");
  if (wanted && strcmp(id, wanted) != 0)
    return error_set(error, ERROR_StacInvalid, "the \"id\" is '%s', not '%s'", id, wanted);
  return 0;
}

/* Members without which no client reads a collection. */
static int check_collection(const json_t *tree, struct extent *box, struct error *error)
{
  const json_t *extent = json_object_get(tree, "extent"), *spatial = json_object_get(extent, "spatial");
  const json_t *boxes = json_object_get(spatial, "bbox");
  const char *type = json_tree_text(tree, "type");
  if (!type || strcmp(type, "Collection") != 0)
    return error_set(error, ERROR_StacInvalid, "\"type\" must be \"Collection\"");
  if (!json_tree_text(tree, "stac_version") || !json_tree_text(tree, "description"))
    return error_set(error, ERROR_StacInvalid, "\"stac_version\" and \"description\" must be texts");
  if (!stored_box_read(json_array_get(boxes, 0), box) ||
      !json_is_array(json_array_get(json_object_get(json_object_get(extent, "temporal"), "interval"), 0)))
    return error_set(error, ERROR_StacInvalid,
                     "\"extent\" must have spatial.bbox and temporal.interval: arrays of boxes and of intervals");
  return 0;
}

/* The links that lead elsewhere than into the catalogue that the document came from. */
static char *foreign_links(const json_t *tree)
{
  static const char *const own[] = {
      "self", "root", "parent", "child", "item", "items", "http://www.opengis.net/def/rel/ogc/1.0/queryables"};
  json_t *links = json_object_get(tree, "links"), *kept = json_array();
  for (size_t i = 0; i < json_array_size(links); i++) {
    const char *relation = json_tree_text(json_array_get(links, i), "rel");
    bool is_own = !relation;
    for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
      is_own = is_own || strcmp(relation, own[k]) == 0;
    if (!is_own)
      json_array_append(kept, json_array_get(links, i));
  }
  char *text = json_dumps(kept, JSON_COMPACT);
  json_decref(kept);
  return text;
}

static int write_collection(struct item_writer *writer, const json_t *tree, const struct buffer *text,
                            const struct extent *box, struct error *error)
{
  sqlite3_stmt *row = index_statement(writer->index, STATEMENT_PUT_COLLECTION, error);
  char *links = foreign_links(tree);
  struct buffer document = {0};
  int result = -1;
  buffer_text(&document, "{");
  item_text_without(text->data, text->length, "links", &document);
  buffer_text(&document, "}");
  if (!links || document.failed) {
    error_memory(error);
  } else if (row) {
    sqlite3_bind_text(row, 1, json_tree_text(tree, "id"), -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 2, json_tree_text(tree, "title"), -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 3, document.data, (int)document.length, SQLITE_STATIC);
    sqlite3_bind_text(row, 4, links, -1, SQLITE_STATIC);
    const double edges[] = {box->west, box->south, box->east, box->north};
    for (int i = 0; i < 4; i++)
      sqlite3_bind_double(row, 5 + i, edges[i]);
    result = index_run(writer->index, row, error);
  }
  free(links);
  buffer_free(&document);
  return result;
}

static int put_collection(struct item_writer *writer, const char *wanted, enum item_writing writing, const json_t *tree,
                          const struct buffer *text, struct error *error)
{
  const char *id = json_tree_text(tree, "id");
  struct written_collection found;
  struct extent box;
  if (check_id(id, wanted, error) != 0 || check_collection(tree, &box, error) != 0)
    return -1;
  const int there = find_row(writer->index, id, &found, error);
  if (there < 0)
    return -1;
  if (there && !found.is_stored)
    return error_set(error, ERROR_StacConflict, "collection '%s' is made from files: it is not written to", id);
  if (there && writing == ITEM_INSERT)
    return error_set(error, ERROR_StacConflict, "collection '%s' is there", id);
  if (!there && writing == ITEM_UPDATE)
    return error_parameter(error, ERROR_CollectionNotFound, "collection", "collection '%s' does not exist", id);
  return write_collection(writer, tree, text, &box, error);
}

int item_writer_put_collection(struct item_writer *writer, const char *id, enum item_writing writing, const char *json,
                               size_t length, struct error *error)
{
  struct buffer compact = {0};
  json_t *tree = NULL;
  int result = stored_text_read(json, length, &tree, &compact, error);
  if (result == 0)
    result = put_collection(writer, id, writing, tree, &compact, error);
  json_decref(tree);
  buffer_free(&compact);
  return result;
}

int item_writer_set_owner(struct item_writer *writer, const char *id, const char *owner, struct error *error)
{
  sqlite3_stmt *row = index_statement(writer->index, STATEMENT_SET_OWNER, error);
  if (!row)
    return -1;
  sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
  sqlite3_bind_text(row, 2, owner, -1, SQLITE_STATIC);
  return index_run(writer->index, row, error);
}

int item_writer_remove_collection(struct item_writer *writer, const char *id, struct error *error)
{
  struct written_collection found;
  const int there = find_row(writer->index, id, &found, error);
  if (there == 0)
    error_parameter(error, ERROR_CollectionNotFound, "collection", "collection '%s' does not exist", id);
  if (there == 1 && !found.is_stored)
    return error_set(error, ERROR_StacConflict, "collection '%s' is made from files: it is not written to", id);
  return there == 1 ? index_delete(writer->index, found.key, error) : -1;
}

/* ---- without a document ------------------------------------------------------------------------------------------ */

static int make_collection(struct item_writer *writer, const char *id, struct written_collection *out,
                           struct error *error)
{
  static const char extent[] = "{\"spatial\":{\"bbox\":[[-180,-90,180,90]]},\"temporal\":{\"interval\":[[null,null]]}}";
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  json_write_object(&w);
  json_kv_string(&w, "type", "Collection");
  json_kv_string(&w, "stac_version", "1.0.0");
  json_key(&w, "stac_extensions");
  json_write_array(&w);
  json_end_array(&w);
  json_kv_string(&w, "id", id);
  json_kv_string(&w, "description", "Items that came without the document of their collection");
  json_kv_string(&w, "license", "other");
  json_key(&w, "extent");
  json_write_raw(&w, extent, sizeof extent - 1);
  json_end_object(&w);
  int result = text.failed ? error_memory(error)
                           : item_writer_put_collection(writer, id, ITEM_INSERT, text.data, text.length, error);
  buffer_free(&text);
  if (result == 0 && find_row(writer->index, id, out, error) != 1)
    result = -1;
  out->is_made = true;
  return result;
}

static int tell_extent(struct item_writer *writer, const struct written_collection *collection, struct error *error)
{
  static const char text[] = "UPDATE collections SET west = ?2, south = ?3, east = ?4, north = ?5, document ="
                             " json_set(document, '$.extent', json(?6)) WHERE key = ?1";
  sqlite3_stmt *row = index_query(writer->index, text, error);
  struct buffer extent = {0};
  struct json_writer w = {.out = &extent};
  char first[40], last[40];
  double edges[4];
  const bool placed = collection->box.west < collection->box.east;
  const struct extent box = placed ? collection->box : lonlat_globe();
  lonlat_edges(&box, edges);
  instant_format(collection->extent.first, CALENDAR_GREGORIAN, first);
  instant_format(collection->extent.last, CALENDAR_GREGORIAN, last);
  json_write_object(&w);
  json_key(&w, "spatial");
  json_write_object(&w);
  json_key(&w, "bbox");
  json_write_array(&w);
  json_write_array(&w);
  for (int i = 0; i < 4; i++)
    json_write_number(&w, edges[i]);
  json_end_array(&w);
  json_end_array(&w);
  json_end_object(&w);
  json_key(&w, "temporal");
  buffer_printf(&extent, "{\"interval\":[[\"%s\",\"%s\"]]}}", first, last);
  int result = extent.failed ? error_memory(error) : row ? 0 : -1;
  if (result == 0) {
    sqlite3_bind_int64(row, 1, collection->key);
    const double sides[] = {box.west, box.south, box.east, box.north};
    for (int i = 0; i < 4; i++)
      sqlite3_bind_double(row, 2 + i, sides[i]);
    sqlite3_bind_text(row, 6, extent.data, (int)extent.length, SQLITE_STATIC);
    result = index_run(writer->index, row, error);
  }
  buffer_free(&extent);
  return result;
}

int writer_finish_collections(struct item_writer *writer, struct error *error)
{
  for (size_t i = 0; i < writer->collection_count; i++) {
    const struct written_collection *collection = &writer->collections[i];
    if (count_items(writer, collection, error) != 0 ||
        (collection->is_made && collection->count > 0 && tell_extent(writer, collection, error) != 0))
      return -1;
  }
  return 0;
}

int writer_index_properties(struct item_writer *writer, struct error *error)
{
  for (size_t i = 0; i < writer->collection_count; i++)
    if (property_index_usual(writer->index, writer->collections[i].key, error) != 0)
      return -1;
  return 0;
}
