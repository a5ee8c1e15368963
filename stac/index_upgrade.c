/* A catalogue of version 2 becomes one of version 3: items get their boxes and documents, which were made from their
 * grids for each request, and the search tree gets their instants. */
#include "stac/index.h"
#include "stac/item_document.h"

#include <stdlib.h>
#include <string.h>

static const char before[] = "ALTER TABLE items ADD COLUMN west REAL; ALTER TABLE items ADD COLUMN south REAL;"
                             "ALTER TABLE items ADD COLUMN east REAL; ALTER TABLE items ADD COLUMN north REAL;"
                             "ALTER TABLE items ADD COLUMN document TEXT;"
                             "DROP TABLE item_boxes; DROP INDEX items_instant;";
static const char after[] = "PRAGMA user_version = 3;";

enum { COLLECTIONS, ITEMS, GRIDS, UPDATE, QUESTION_COUNT };

static const char *const questions[QUESTION_COUNT] = {
    [COLLECTIONS] = ("SELECT key, id, dates,"
                     " json_extract(document, '$.extent.spatial.bbox[0][0]'),"
                     " json_extract(document, '$.extent.spatial.bbox[0][1]'),"
                     " json_extract(document, '$.extent.spatial.bbox[0][2]'),"
                     " json_extract(document, '$.extent.spatial.bbox[0][3]'),"
                     " json_extract(document, '$.extent.temporal.interval[0][0]'),"
                     " json_extract(document, '$.extent.temporal.interval[0][1]') FROM collections"),
    [ITEMS] = "SELECT key, id, instant, properties FROM items WHERE collection = ?1",
    [GRIDS] = ("SELECT crs, west, north, res_x, res_y, width, height FROM grids"
               " WHERE key IN (SELECT grid FROM assets WHERE item = ?1)"),
    [UPDATE] = "UPDATE items SET west = ?2, south = ?3, east = ?4, north = ?5, document = ?6 WHERE key = ?1"};

struct upgrade {
  struct index *index;
  sqlite3_stmt *statements[QUESTION_COUNT];
  int64_t collection;
  struct item_common common;
  struct extent whole;         /* of the collection, for items without grids */
  struct transform *to_lonlat; /* of the latest CRS */
  char crs[256];
};

/* NULL where the CRS, or its name, is none of those that work: the globe then. */
static struct transform *transform_of(struct upgrade *u, const char *crs)
{
  struct error ignored = {0};
  if (u->to_lonlat && strcmp(u->crs, crs) == 0)
    return u->to_lonlat;
  transform_free(u->to_lonlat);
  u->to_lonlat = NULL;
  if (strlen(crs) < sizeof u->crs && transform_new(crs, NULL, &u->to_lonlat, &ignored) == 0)
    memcpy(u->crs, crs, strlen(crs) + 1);
  return u->to_lonlat;
}

static struct extent grid_box(struct upgrade *u, sqlite3_stmt *row)
{
  const char *crs = (const char *)sqlite3_column_text(row, 0);
  double west = sqlite3_column_double(row, 1), north = sqlite3_column_double(row, 2);
  const struct extent own = {west, north - sqlite3_column_double(row, 4) * sqlite3_column_double(row, 6),
                             west + sqlite3_column_double(row, 3) * sqlite3_column_double(row, 5), north, NULL};
  struct extent box = lonlat_globe();
  struct transform *transform = crs ? transform_of(u, crs) : NULL;
  if (transform)
    lonlat_image(transform, &own, &box);
  return box;
}

static int item_box(struct upgrade *u, int64_t item, struct extent *out, struct error *error)
{
  sqlite3_stmt *row = u->statements[GRIDS];
  size_t count = 0;
  int more;
  *out = u->whole;
  sqlite3_bind_int64(row, 1, item);
  while ((more = index_step(u->index, row, error)) == 1) {
    struct extent box = grid_box(u, row);
    *out = count++ == 0 ? box : lonlat_union(out, &box);
  }
  index_done(row);
  return more;
}

static int upgrade_item(struct upgrade *u, sqlite3_stmt *item, struct error *error)
{
  const int64_t key = sqlite3_column_int64(item, 0), instant = sqlite3_column_int64(item, 2);
  struct item_facts facts = {.id = (const char *)sqlite3_column_text(item, 1), .instant = instant};
  const char *stored = (const char *)sqlite3_column_text(item, 3);
  sqlite3_stmt *row = u->statements[UPDATE];
  struct buffer document = {0};
  if (item_box(u, key, &facts.box, error) != 0)
    return -1;
  json_t *properties = stored ? json_loads(stored, 0, NULL) : NULL;
  item_document(&u->common, &facts, properties, &document);
  json_decref(properties);
  sqlite3_bind_int64(row, 1, key);
  sqlite3_bind_double(row, 2, facts.box.west);
  sqlite3_bind_double(row, 3, facts.box.south);
  sqlite3_bind_double(row, 4, facts.box.east);
  sqlite3_bind_double(row, 5, facts.box.north);
  sqlite3_bind_text(row, 6, document.data ? document.data : "", (int)document.length, SQLITE_STATIC);
  int result = document.failed ? error_memory(error) : index_run(u->index, row, error);
  buffer_free(&document);
  return result == 0 ? index_insert_box(u->index, key, u->collection, instant, &facts.box, error) : -1;
}

static int upgrade_collection(struct upgrade *u, sqlite3_stmt *collection, struct error *error)
{
  const char *start = (const char *)sqlite3_column_text(collection, 7),
             *end = (const char *)sqlite3_column_text(collection, 8);
  sqlite3_stmt *row = u->statements[ITEMS];
  int more;
  u->collection = sqlite3_column_int64(collection, 0);
  u->common = (struct item_common){.collection = (const char *)sqlite3_column_text(collection, 1),
                                   .undated = sqlite3_column_int64(collection, 2) == 0,
                                   .start = start && end ? start : "",
                                   .end = end ? end : ""};
  u->whole = (struct extent){sqlite3_column_double(collection, 3), sqlite3_column_double(collection, 4),
                             sqlite3_column_double(collection, 5), sqlite3_column_double(collection, 6), NULL};
  u->whole.east += u->whole.east < u->whole.west ? 360 : 0; /* across the antimeridian */
  sqlite3_bind_int64(row, 1, u->collection);
  while ((more = index_step(u->index, row, error)) == 1)
    if (upgrade_item(u, row, error) != 0)
      break;
  index_done(row);
  return more == 0 ? 0 : -1;
}

static int upgrade_items(struct upgrade *u, struct error *error)
{
  sqlite3_stmt *row = u->statements[COLLECTIONS];
  int more;
  while ((more = index_step(u->index, row, error)) == 1)
    if (upgrade_collection(u, row, error) != 0)
      return -1;
  return more;
}

int index_upgrade(struct index *index, struct error *error)
{
  struct upgrade u = {.index = index};
  int result = 0;
  if (sqlite3_exec(index->db, before, NULL, NULL, NULL) != SQLITE_OK ||
      sqlite3_exec(index->db, index_searches, NULL, NULL, NULL) != SQLITE_OK)
    return index_error(index, error);
  for (size_t i = 0; i < QUESTION_COUNT && result == 0; i++)
    if (sqlite3_prepare_v2(index->db, questions[i], -1, &u.statements[i], NULL) != SQLITE_OK)
      result = index_error(index, error);
  if (result == 0)
    result = upgrade_items(&u, error);
  for (size_t i = 0; i < QUESTION_COUNT; i++)
    sqlite3_finalize(u.statements[i]);
  transform_free(u.to_lonlat);
  if (result == 0 && sqlite3_exec(index->db, after, NULL, NULL, NULL) != SQLITE_OK)
    result = index_error(index, error);
  return result;
}
