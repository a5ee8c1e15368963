/* A collection's items as GeoJSON features: STAC items without assets, since the files are the server's own.
 *
 * They come in the order of their dates, and a page goes on behind the date and key of the last item before it, so
 * pages do not get slower, and none is seen twice. Boxes are made from the items' grids: those in the search tree are
 * of single precision, and go all round where an item crosses the antimeridian. */
#include "stac/href.h"
#include "stac/index.h"

#include "datacube/lonlat.h"

#include <math.h>
#include <string.h>

struct items_writing { /* of one answer */
  struct index *index;
  struct json_writer *writer;
  const char *base, *collection;
  int64_t key;                 /* of the collection */
  bool undated;                /* nothing in it has a date … */
  char start[40], end[40];     /* … but this interval is told of it, or "" */
  struct extent whole;         /* of a file that is a cube, which has no grids */
  struct transform *to_lonlat; /* of the latest CRS */
  char crs[256];
};

/* ---- boxes ------------------------------------------------------------------------------------------------------- */

/* NULL where the CRS, or its name, is none of those that work: the globe then. */
static struct transform *transform_of(struct items_writing *w, const char *crs)
{
  struct error ignored = {0};
  if (w->to_lonlat && strcmp(w->crs, crs) == 0)
    return w->to_lonlat;
  transform_free(w->to_lonlat);
  w->to_lonlat = NULL;
  if (strlen(crs) < sizeof w->crs && transform_new(crs, NULL, &w->to_lonlat, &ignored) == 0)
    memcpy(w->crs, crs, strlen(crs) + 1);
  return w->to_lonlat;
}

/* Columns as in STATEMENT_ITEM_GRIDS. */
static struct extent grid_box(struct items_writing *w, sqlite3_stmt *row)
{
  const char *crs = (const char *)sqlite3_column_text(row, 0);
  double west = sqlite3_column_double(row, 1), north = sqlite3_column_double(row, 2);
  const struct extent own = {west, north - sqlite3_column_double(row, 4) * sqlite3_column_double(row, 6),
                             west + sqlite3_column_double(row, 3) * sqlite3_column_double(row, 5), north, NULL};
  struct extent box = lonlat_globe();
  struct transform *transform = crs ? transform_of(w, crs) : NULL;
  if (transform)
    lonlat_image(transform, &own, &box);
  return box;
}

static int item_box(struct items_writing *w, int64_t item, struct extent *out, struct error *error)
{
  sqlite3_stmt *row = index_statement(w->index, STATEMENT_ITEM_GRIDS, error);
  int more = row ? 1 : -1;
  size_t count = 0;
  *out = w->whole;
  if (row)
    sqlite3_bind_int64(row, 1, item);
  while (more == 1 && (more = index_step(w->index, row, error)) == 1) {
    struct extent box = grid_box(w, row);
    *out = count++ == 0 ? box : lonlat_union(out, &box);
  }
  index_done(row);
  return more;
}

static bool boxes_meet(const struct extent *a, const struct extent *b)
{
  bool meet = false;
  for (int k = -1; k <= 1; k++)
    meet = meet || (a->west <= b->east + 360 * k && a->east >= b->west + 360 * k);
  return meet && a->south <= b->north && a->north >= b->south;
}

/* ---- one item ---------------------------------------------------------------------------------------------------- */

static void write_link(struct items_writing *w, const char *rel, const char *type, const char *path, const char *item)
{
  struct buffer href = {0};
  buffer_printf(&href, "%s%s", w->base, path);
  if (*path == '/' && path[1])
    buffer_printf(&href, "%s", w->collection);
  if (item) {
    buffer_text(&href, "/items/");
    href_encode(item, &href);
  }
  json_write_object(w->writer);
  json_kv_string(w->writer, "rel", rel);
  json_kv_string(w->writer, "href", href.data ? href.data : w->base);
  json_kv_string(w->writer, "type", type);
  json_end_object(w->writer);
  buffer_free(&href);
}

static void write_date(struct items_writing *w, int64_t instant)
{
  char text[40];
  instant_format(instant, CALENDAR_GREGORIAN, text);
  json_kv_string(w->writer, "datetime", w->undated ? NULL : text);
  if (w->undated && w->start[0]) {
    json_kv_string(w->writer, "start_datetime", w->start);
    json_kv_string(w->writer, "end_datetime", w->end);
  }
}

/* The properties of the source as they are, with a date where they have none. */
static void write_properties(struct items_writing *w, const char *stored, int64_t instant)
{
  static const char *const written[] = {"datetime", "start_datetime", "end_datetime"};
  json_t *tree = stored ? json_loads(stored, 0, NULL) : NULL;
  json_key(w->writer, "properties");
  json_write_object(w->writer);
  if (!json_tree_text(tree, "datetime") && !json_tree_text(tree, "start_datetime")) {
    write_date(w, instant);
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++)
      json_object_del(tree, written[i]);
  }
  for (void *at = json_object_iter(tree); at; at = json_object_iter_next(tree, at)) {
    json_key(w->writer, json_object_iter_key(at));
    json_tree_write(w->writer, json_object_iter_value(at));
  }
  json_end_object(w->writer);
  json_decref(tree);
}

/* Columns as in STATEMENT_ITEM. */
static void write_item(struct items_writing *w, sqlite3_stmt *row, const struct extent *box)
{
  const char *id = (const char *)sqlite3_column_text(row, 1);
  double edges[4];
  lonlat_edges(box, edges);
  json_write_object(w->writer);
  json_kv_string(w->writer, "type", "Feature");
  json_kv_string(w->writer, "stac_version", "1.0.0");
  json_kv_string(w->writer, "id", id);
  json_kv_string(w->writer, "collection", w->collection);
  json_key(w->writer, "bbox");
  json_write_array(w->writer);
  for (size_t i = 0; i < 4; i++)
    json_write_number(w->writer, edges[i]);
  json_end_array(w->writer);
  lonlat_write_geometry(box, w->writer);
  write_properties(w, (const char *)sqlite3_column_text(row, 3), sqlite3_column_int64(row, 2));
  json_key(w->writer, "links");
  json_write_array(w->writer);
  write_link(w, "self", "application/geo+json", "/collections/", id);
  write_link(w, "parent", "application/json", "/collections/", NULL);
  write_link(w, "collection", "application/json", "/collections/", NULL);
  write_link(w, "root", "application/json", "/", NULL);
  json_end_array(w->writer);
  json_key(w->writer, "assets");
  json_write_object(w->writer);
  json_end_object(w->writer);
  json_end_object(w->writer);
}

/* ---- the collection ---------------------------------------------------------------------------------------------- */

/* What the document says of the time of data without dates. */
static void read_interval(struct items_writing *w, const char *document)
{
  json_t *tree = document ? json_loads(document, 0, NULL) : NULL;
  const json_t *temporal = json_object_get(json_object_get(tree, "extent"), "temporal");
  const json_t *interval = json_array_get(json_tree_array(temporal, "interval"), 0);
  const char *start = json_string_value(json_array_get(interval, 0)),
             *end = json_string_value(json_array_get(interval, 1));
  if (start && end && strlen(start) < sizeof w->start && strlen(end) < sizeof w->end) {
    memcpy(w->start, start, strlen(start) + 1);
    memcpy(w->end, end, strlen(end) + 1);
  }
  json_decref(tree);
}

static int start_writing(struct items_writing *w, struct error *error)
{
  sqlite3_stmt *row = index_collection(w->index, w->collection, error);
  if (!row)
    return -1;
  w->key = sqlite3_column_int64(row, COLLECTION_KEY);
  w->undated = sqlite3_column_int64(row, COLLECTION_DATES) == 0;
  w->whole =
      (struct extent){sqlite3_column_double(row, COLLECTION_WEST), sqlite3_column_double(row, COLLECTION_SOUTH),
                      sqlite3_column_double(row, COLLECTION_EAST), sqlite3_column_double(row, COLLECTION_NORTH), NULL};
  if (w->undated)
    read_interval(w, (const char *)sqlite3_column_text(row, COLLECTION_DOCUMENT));
  index_done(row);
  return 0;
}

/* ---- pages ------------------------------------------------------------------------------------------------------- */

enum { PAGE_BYTES = 4 << 20 };

static void bind_query(const struct items_writing *w, const struct items_query *query, sqlite3_stmt *row)
{
  const bool timed = !w->undated; /* what has no date is of any time */
  sqlite3_bind_int64(row, 1, w->key);
  sqlite3_bind_int64(row, 2, timed && query->has_start ? query->start : INT64_MIN);
  sqlite3_bind_int64(row, 3, timed && query->has_end ? query->end : INT64_MAX);
  sqlite3_bind_int64(row, 4, query->has_after ? query->after_instant : INT64_MIN);
  sqlite3_bind_int64(row, 5, query->has_after ? query->after_key : INT64_MIN);
  sqlite3_bind_int64(row, 6, query->limit + 1);
  if (!query->has_box)
    return;
  const struct extent *box = &query->box;
  const double edges[] = {box->west,
                          fmin(box->east, 180),
                          box->east > 180 ? -180 : box->west,
                          box->east > 180 ? box->east - 360 : box->east,
                          box->south,
                          box->north};
  for (int i = 0; i < 6; i++)
    sqlite3_bind_double(row, 7 + i, edges[i]);
}

struct page_end {
  long written;
  int64_t instant, key; /* of the last item looked at */
  bool more;
};

static int write_page(struct items_writing *w, const struct items_query *query, struct page_end *page,
                      struct error *error)
{
  sqlite3_stmt *row =
      index_statement(w->index, query->has_box ? STATEMENT_ITEM_PAGE_IN_BOX : STATEMENT_ITEM_PAGE, error);
  int more = row ? 1 : -1;
  if (row)
    bind_query(w, query, row);
  for (long looked_at = 0; more == 1 && (more = index_step(w->index, row, error)) == 1; looked_at++) {
    struct extent box;
    page->more = looked_at == query->limit || w->writer->out->length > PAGE_BYTES;
    if (page->more)
      break;
    page->key = sqlite3_column_int64(row, 0);
    page->instant = sqlite3_column_int64(row, 2);
    if (item_box(w, page->key, &box, error) != 0)
      more = -1;
    else if (!query->has_box || boxes_meet(&box, &query->box)) {
      write_item(w, row, &box);
      page->written++;
    }
  }
  index_done(row);
  return more < 0 ? -1 : 0;
}

static void write_page_link(struct items_writing *w, const char *rel, const struct items_query *query,
                            const struct page_end *next)
{
  struct buffer href = {0};
  buffer_printf(&href, "%s/collections/%s/items?limit=%ld%s", w->base, w->collection, query->limit, query->kept);
  if (next)
    buffer_printf(&href, "&after=%lld_%lld", (long long)next->instant, (long long)next->key);
  json_write_object(w->writer);
  json_kv_string(w->writer, "rel", rel);
  json_kv_string(w->writer, "href", href.data ? href.data : w->base);
  json_kv_string(w->writer, "type", "application/geo+json");
  json_end_object(w->writer);
  buffer_free(&href);
}

static int write_items(struct items_writing *w, const struct items_query *query, struct error *error)
{
  struct page_end page = {0};
  json_write_object(w->writer);
  json_kv_string(w->writer, "type", "FeatureCollection");
  json_key(w->writer, "features");
  json_write_array(w->writer);
  if (write_page(w, query, &page, error) != 0)
    return -1;
  json_end_array(w->writer);
  json_kv_integer(w->writer, "numberReturned", page.written);
  json_key(w->writer, "links");
  json_write_array(w->writer);
  write_page_link(w, "self", query, NULL);
  write_link(w, "collection", "application/json", "/collections/", NULL);
  write_link(w, "root", "application/json", "/", NULL);
  if (page.more)
    write_page_link(w, "next", query, &page);
  json_end_array(w->writer);
  json_end_object(w->writer);
  return w->writer->out->failed ? error_memory(error) : 0;
}

int catalogue_items_json(const struct catalogue *catalogue, const char *base_url, const struct items_query *query,
                         struct buffer *out, struct error *error)
{
  struct json_writer writer = {.out = out};
  struct items_writing w = {
      .index = catalogue->index, .writer = &writer, .base = base_url, .collection = query->collection};
  int result = start_writing(&w, error) != 0 ? -1 : write_items(&w, query, error);
  transform_free(w.to_lonlat);
  return result;
}

int catalogue_item_json(const struct catalogue *catalogue, const char *base_url, const char *collection, const char *id,
                        struct buffer *out, struct error *error)
{
  struct json_writer writer = {.out = out};
  struct items_writing w = {.index = catalogue->index, .writer = &writer, .base = base_url, .collection = collection};
  struct extent box;
  if (start_writing(&w, error) != 0)
    return -1;
  sqlite3_stmt *row = index_statement(w.index, STATEMENT_ITEM, error);
  int found = -1;
  if (row) {
    sqlite3_bind_int64(row, 1, w.key);
    sqlite3_bind_text(row, 2, id, -1, SQLITE_STATIC);
    found = index_step(w.index, row, error);
  }
  if (found == 0)
    error_parameter(error, ERROR_NotFound, "item_id", "collection '%s' has no item '%s'", collection, id);
  int result = found == 1 ? item_box(&w, sqlite3_column_int64(row, 0), &box, error) : -1;
  if (result == 0)
    write_item(&w, row, &box);
  index_done(row);
  transform_free(w.to_lonlat);
  return result == 0 && out->failed ? error_memory(error) : result;
}
