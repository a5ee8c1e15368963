/* A catalogue of version 2 becomes one of version 3: items get their boxes and documents, which were made from their
 * grids for each request. One of version 3 becomes one of version 4: documents lie in a table of their own and are
 * whole objects, items have an interval, and the search tree has it, too. */
#include "stac/index.h"
#include "stac/item_document.h"

#include <stdlib.h>
#include <string.h>

static const char before[] = "ALTER TABLE items ADD COLUMN west REAL; ALTER TABLE items ADD COLUMN south REAL;"
                             "ALTER TABLE items ADD COLUMN east REAL; ALTER TABLE items ADD COLUMN north REAL;"
                             "ALTER TABLE items ADD COLUMN document TEXT;";

#define FAR "9000000000000000"
static const char to_four[] =
    "DROP TABLE item_boxes; DROP INDEX IF EXISTS items_instant; DROP INDEX IF EXISTS items_date;"
    "DROP INDEX IF EXISTS items_id;"
    "ALTER TABLE collections ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE collections ADD COLUMN span INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE items ADD COLUMN first INTEGER; ALTER TABLE items ADD COLUMN last INTEGER;";
static const char documents[] = "INSERT INTO documents SELECT key, document, properties FROM items;"
                                "ALTER TABLE items DROP COLUMN document; ALTER TABLE items DROP COLUMN properties;"
                                "UPDATE items SET first = instant, last = instant;"
                                "UPDATE items SET first = -" FAR ", last = " FAR
                                " WHERE collection IN (SELECT key FROM collections WHERE dates = 0);";
static const char boxes[] =
    "UPDATE collections SET span = (SELECT coalesce(max(max(instant - first, last - instant)), 0) FROM items"
    " WHERE collection = collections.key);"
    "INSERT INTO item_boxes SELECT key, CASE WHEN east > 180 THEN -180 ELSE west END - 1e-4, min(east, 180) + 1e-4,"
    " south - 1e-4, north + 1e-4, collection - 0.25, collection + 0.25, first / 864e6 - 0.05, last / 864e6 + 0.05"
    " FROM items;"; /* as index_insert_box does */

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
  return result;
}

static int upgrade_collection(struct upgrade *u, sqlite3_stmt *collection, struct error *error)
{
  const char *start = (const char *)sqlite3_column_text(collection, 7),
             *end = (const char *)sqlite3_column_text(collection, 8);
  sqlite3_stmt *row = u->statements[ITEMS];
  int more;
  u->common = (struct item_common){.collection = (const char *)sqlite3_column_text(collection, 1),
                                   .undated = sqlite3_column_int64(collection, 2) == 0,
                                   .start = start && end ? start : "",
                                   .end = end ? end : ""};
  u->whole = (struct extent){sqlite3_column_double(collection, 3), sqlite3_column_double(collection, 4),
                             sqlite3_column_double(collection, 5), sqlite3_column_double(collection, 6), NULL};
  u->whole.east += u->whole.east < u->whole.west ? 360 : 0; /* across the antimeridian */
  sqlite3_bind_int64(row, 1, sqlite3_column_int64(collection, 0));
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

static int execute(struct index *index, const char *text, struct error *error)
{
  return sqlite3_exec(index->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : index_error(index, error);
}

static int make_documents(struct index *index, struct error *error)
{
  struct upgrade u = {.index = index};
  int result = execute(index, before, error);
  for (size_t i = 0; i < QUESTION_COUNT && result == 0; i++)
    if (sqlite3_prepare_v2(index->db, questions[i], -1, &u.statements[i], NULL) != SQLITE_OK)
      result = index_error(index, error);
  if (result == 0)
    result = upgrade_items(&u, error);
  for (size_t i = 0; i < QUESTION_COUNT; i++)
    sqlite3_finalize(u.statements[i]);
  transform_free(u.to_lonlat);
  return result;
}

static int set_interval(sqlite3_stmt *item, sqlite3_stmt *update, struct index *index, struct error *error)
{
  json_t *properties = json_loads((const char *)sqlite3_column_text(item, 2), 0, NULL);
  const struct item_times times = item_times_of(properties, sqlite3_column_int64(item, 1), false);
  json_decref(properties);
  sqlite3_bind_int64(update, 1, sqlite3_column_int64(item, 0));
  sqlite3_bind_int64(update, 2, times.first);
  sqlite3_bind_int64(update, 3, times.last);
  return index_run(index, update, error);
}

/* Of the items whose properties have more than one time. */
static int set_intervals(struct index *index, struct error *error)
{
  sqlite3_stmt *item = NULL, *update = NULL;
  int more = -1;
  if (sqlite3_prepare_v2(index->db,
                         "SELECT items.key, instant, properties FROM documents JOIN items ON items.key = documents.key"
                         " WHERE properties LIKE '%\"end_datetime\"%' AND first = instant",
                         -1, &item, NULL) != SQLITE_OK ||
      sqlite3_prepare_v2(index->db, "UPDATE items SET first = ?2, last = ?3 WHERE key = ?1", -1, &update, NULL) !=
          SQLITE_OK)
    index_error(index, error);
  else
    while ((more = index_step(index, item, error)) == 1)
      if ((more = set_interval(item, update, index, error)) != 0)
        break;
  sqlite3_finalize(item);
  sqlite3_finalize(update);
  return more;
}

int index_upgrade(struct index *index, int version, struct error *error)
{
  if (version == 4)
    return execute(index, INDEX_OWNERS, error);
  if (version == 2 && make_documents(index, error) != 0)
    return -1;
  if (execute(index, to_four, error) != 0)
    return -1;
  /* documents of version 3 lack the braces of an object */
  if (version == 3 && execute(index, "UPDATE items SET document = '{' || document || ',\"assets\":{}}'", error) != 0)
    return -1;
  return execute(index, index_searches, error) || execute(index, documents, error) || set_intervals(index, error)
             ? -1
             : execute(index, boxes, error);
}
