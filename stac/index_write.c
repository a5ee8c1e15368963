/* Writing a scan to the index. */
#include "stac/document.h"
#include "stac/index.h"
#include "stac/item_document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
  if (text)
    sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
  else
    sqlite3_bind_null(statement, column);
}

static void bind_buffer(sqlite3_stmt *statement, int column, const struct buffer *buffer)
{
  sqlite3_bind_text(statement, column, buffer->data ? buffer->data : "", (int)buffer->length, SQLITE_STATIC);
}

int index_delete(struct index *index, int64_t collection, struct error *error)
{
  static const enum statement steps[] = {STATEMENT_DELETE_BOXES, STATEMENT_DELETE_ASSETS,    STATEMENT_DELETE_DOCUMENTS,
                                         STATEMENT_DELETE_ITEMS, STATEMENT_DELETE_GRIDS,     STATEMENT_DELETE_BANDS,
                                         STATEMENT_DELETE_OWNER, STATEMENT_DELETE_COLLECTION};
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    sqlite3_stmt *statement = index_statement(index, steps[i], error);
    if (!statement)
      return -1;
    sqlite3_bind_int64(statement, 1, collection);
    if (index_run(index, statement, error) != 0)
      return -1;
  }
  return 0;
}

struct extent index_search_box(struct extent box)
{
  if (box.east > 180) {
    box.west = -180;
    box.east = 180;
  }
  return box;
}

/* The no-data of every band, for netCDF. */
static bool common_nodata(const struct catalogue_add_options *options, double *value)
{
  bool given = false;
  for (size_t i = 0; i < options->nodata_count; i++)
    if (!options->nodata[i].band) {
      *value = options->nodata[i].value;
      given = true;
    }
  return given;
}

/* `key`: that of the row, 0 for a new one. */
static int insert_collection(struct index *index, const struct scan *scan, const struct index_documents *documents,
                             int64_t *key, struct error *error)
{
  double nodata = 0;
  bool given = common_nodata(scan->options, &nodata);
  sqlite3_stmt *row = index_statement(index, STATEMENT_INSERT_COLLECTION, error);
  if (!row)
    return -1;
  bind_text(row, 1, scan->id);
  bind_text(row, 2, scan->title);
  bind_text(row, 3, scan->crs);
  sqlite3_bind_int(row, 4, scan->options->crs != NULL);
  sqlite3_bind_double(row, 5, scan->options->resolution);
  sqlite3_bind_int(row, 6, scan->sub_daily);
  bind_text(row, 7, scan->cube_path);
  sqlite3_bind_int(row, 8, given);
  sqlite3_bind_double(row, 9, nodata);
  sqlite3_bind_int64(row, 10, (int64_t)scan->item_count);
  sqlite3_bind_int64(row, 11, (int64_t)scan->band_count);
  sqlite3_bind_int64(row, 12, (int64_t)scan->date_count);
  bind_buffer(row, 13, &documents->document);
  bind_buffer(row, 14, &documents->links);
  bind_buffer(row, 15, &documents->queryables);
  struct extent box = index_search_box(document_lonlat(scan));
  sqlite3_bind_double(row, 16, box.west);
  sqlite3_bind_double(row, 17, box.south);
  sqlite3_bind_double(row, 18, box.east);
  sqlite3_bind_double(row, 19, box.north);
  if (*key)
    sqlite3_bind_int64(row, 20, *key);
  int result = index_run(index, row, error);
  *key = sqlite3_last_insert_rowid(index->db);
  return result;
}

static int insert_bands(struct index *index, const struct scan *scan, int64_t collection, struct error *error)
{
  for (size_t i = 0; i < scan->band_count; i++) {
    const struct scan_band *band = &scan->bands[i];
    sqlite3_stmt *row = index_statement(index, STATEMENT_INSERT_BAND, error);
    if (!row)
      return -1;
    sqlite3_bind_int64(row, 1, collection);
    sqlite3_bind_int64(row, 2, (int64_t)i);
    bind_text(row, 3, band->name);
    bind_text(row, 4, band->info.common_name);
    sqlite3_bind_double(row, 5, band->info.wavelength);
    sqlite3_bind_double(row, 6, band->info.scale);
    sqlite3_bind_double(row, 7, band->info.offset);
    bind_text(row, 8, band->info.unit);
    bind_text(row, 9, band->info.long_name);
    bind_text(row, 10, band->info.standard_name);
    sqlite3_bind_double(row, 11, band->res_x);
    sqlite3_bind_double(row, 12, band->res_y);
    if (index_run(index, row, error) != 0)
      return -1;
  }
  return 0;
}

/* keys[i]: the row of grid i. */
static int insert_grids(struct index *index, const struct scan *scan, int64_t collection, int64_t *keys,
                        struct error *error)
{
  for (size_t i = 0; i < scan->grid_count; i++) {
    const struct grid *grid = &scan->grids[i].grid;
    sqlite3_stmt *row = index_statement(index, STATEMENT_INSERT_GRID, error);
    if (!row)
      return -1;
    sqlite3_bind_int64(row, 1, collection);
    bind_text(row, 2, grid->crs);
    sqlite3_bind_double(row, 3, grid->west);
    sqlite3_bind_double(row, 4, grid->north);
    sqlite3_bind_double(row, 5, grid->res_x);
    sqlite3_bind_double(row, 6, grid->res_y);
    sqlite3_bind_int64(row, 7, (int64_t)grid->width);
    sqlite3_bind_int64(row, 8, (int64_t)grid->height);
    if (index_run(index, row, error) != 0)
      return -1;
    keys[i] = sqlite3_last_insert_rowid(index->db);
  }
  return 0;
}

static int insert_document(struct index *index, int64_t item, const struct buffer *document, const char *properties,
                           struct error *error)
{
  sqlite3_stmt *row = index_statement(index, STATEMENT_INSERT_DOCUMENT, error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, item);
  bind_buffer(row, 2, document);
  bind_text(row, 3, properties);
  return index_run(index, row, error);
}

int index_insert_item(struct index *index, struct index_item *item, const struct buffer *document,
                      const char *properties, struct error *error)
{
  /* "or replace" would have SQLite keep a copy of each page that it changes */
  sqlite3_stmt *row = index_statement(index, item->key ? STATEMENT_UPDATE_ITEM : STATEMENT_INSERT_ITEM, error);
  if (!row)
    return -1;
  if (!item->key) {
    sqlite3_bind_int64(row, 1, item->collection);
    bind_text(row, 2, item->id);
  }
  sqlite3_bind_int64(row, 3, item->times.instant);
  sqlite3_bind_int64(row, 4, item->times.first);
  sqlite3_bind_int64(row, 5, item->times.last);
  sqlite3_bind_double(row, 6, item->box.west);
  sqlite3_bind_double(row, 7, item->box.south);
  sqlite3_bind_double(row, 8, item->box.east);
  sqlite3_bind_double(row, 9, item->box.north);
  if (item->key)
    sqlite3_bind_int64(row, 10, item->key);
  if (index_run(index, row, error) != 0)
    return -1;
  item->key = item->key ? item->key : sqlite3_last_insert_rowid(index->db);
  return insert_document(index, item->key, document, properties, error);
}

static int insert_scene(struct index *index, const struct scan_item *scene, const struct item_common *common,
                        struct index_item *item, struct error *error)
{
  const struct item_facts facts = {.id = scene->id, .instant = scene->instant, .box = scene->box};
  struct buffer document = {0};
  char *properties = scene->properties ? json_dumps(scene->properties, JSON_COMPACT) : NULL;
  item_document(common, &facts, scene->properties, &document);
  int result = document.failed ? error_memory(error) : index_insert_item(index, item, &document, properties, error);
  free(properties);
  buffer_free(&document);
  return result == 0 ? index_insert_box(index, item, error) : -1;
}

static int insert_asset(struct index *index, const struct scan_asset *asset, int64_t item, int64_t grid,
                        struct error *error)
{
  sqlite3_stmt *row = index_statement(index, STATEMENT_INSERT_ASSET, error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, item);
  sqlite3_bind_int64(row, 2, (int64_t)asset->band);
  sqlite3_bind_int64(row, 3, grid);
  bind_text(row, 4, asset->path);
  sqlite3_bind_int(row, 5, asset->raster_band);
  bind_text(row, 6, element_info(asset->type)->name);
  sqlite3_bind_int(row, 7, asset->has_nodata);
  sqlite3_bind_double(row, 8, asset->nodata); /* a NaN becomes NULL, and is read as NaN again */
  sqlite3_bind_int(row, 9, asset->masked);
  sqlite3_bind_int(row, 10, asset->unpacks);
  sqlite3_bind_double(row, 11, asset->scale);
  sqlite3_bind_double(row, 12, asset->offset);
  return index_run(index, row, error);
}

int index_note_span(struct index *index, int64_t collection, int64_t span, struct error *error)
{
  sqlite3_stmt *row = index_statement(index, STATEMENT_SPAN, error);
  if (!row)
    return -1;
  sqlite3_bind_int64(row, 1, collection);
  sqlite3_bind_int64(row, 2, span);
  return index_run(index, row, error);
}

/* Assets are sorted by item. */
static int insert_items(struct index *index, const struct scan *scan, int64_t collection, const int64_t *grids,
                        struct error *error)
{
  char start[40] = "", end[40] = "";
  struct item_common common = {.collection = scan->id, .undated = scan->date_count == 0, .start = start, .end = end};
  size_t asset = 0;
  int64_t span = 0;
  if (!document_interval(scan, start, end))
    start[0] = '\0';
  for (size_t i = 0; i < scan->item_count; i++) {
    const struct scan_item *scene = &scan->items[i];
    struct index_item item = {.collection = collection,
                              .id = scene->id,
                              .times = item_times_of(scene->properties, scene->instant, common.undated),
                              .box = scene->box};
    const int64_t own = item_times_span(&item.times);
    span = own > span ? own : span;
    if (insert_scene(index, scene, &common, &item, error) != 0)
      return -1;
    for (; asset < scan->asset_count && scan->assets[asset].item == i; asset++)
      if (insert_asset(index, &scan->assets[asset], item.key, grids[scan->assets[asset].grid], error) != 0)
        return -1;
  }
  return index_note_span(index, collection, span, error);
}

/* The key is kept for the new one: pages of searches go on behind it. 0: there was none. */
static int delete_old(struct index *index, const char *id, int64_t *out, struct error *error)
{
  struct error none = {0};
  sqlite3_stmt *old = index_collection(index, id, &none);
  const int64_t key = old ? sqlite3_column_int64(old, COLLECTION_KEY) : 0;
  index_done(old);
  *out = key;
  if (!old && !error_is(&none, ERROR_CollectionNotFound)) {
    *error = none;
    return -1;
  }
  return old ? index_delete(index, key, error) : 0;
}

static int write_rows(struct index *index, const struct scan *scan, const struct index_documents *documents,
                      struct error *error)
{
  int64_t key = 0;
  int64_t *grids = calloc(scan->grid_count + 1, sizeof *grids);
  int result = grids ? 0 : error_memory(error);
  if (result == 0)
    result = delete_old(index, scan->id, &key, error);
  if (result == 0)
    result = insert_collection(index, scan, documents, &key, error);
  if (result == 0)
    result = insert_bands(index, scan, key, error);
  if (result == 0)
    result = insert_grids(index, scan, key, grids, error) || insert_items(index, scan, key, grids, error) ? -1 : 0;
  free(grids);
  return result;
}

int index_replace(struct index *index, const struct scan *scan, const struct index_documents *documents,
                  struct error *error)
{
  if (index_begin_change(index, error) != 0)
    return -1;
  return index_end_change(index, write_rows(index, scan, documents, error), error);
}
