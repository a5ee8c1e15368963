/* A collection's items as GeoJSON features. Their documents are made when the collection is added (item_document.h) but
 * for the links.
 *
 * They come in the order of their dates, and a page goes on behind the date and key of the last item before it, so
 * pages do not get slower, and none is seen twice. A box that few items meet is looked up in the search tree; where
 * many do, the items are gone through in order until the page is full. */
#include "stac/href.h"
#include "stac/index.h"

#include "datacube/lonlat.h"

#include <math.h>
#include <string.h>

struct items_writing { /* of one answer */
  struct index *index;
  struct json_writer *writer;
  const char *base, *collection;
  int64_t key, count;  /* of the collection; its items */
  bool undated;        /* nothing in it has a date */
  struct buffer links; /* member of every item, open where the item's id ends it */
};

/* ---- one item ---------------------------------------------------------------------------------------------------- */

/* A link that is open behind its address; "/…/" as path leads to the collection. */
static void open_link(struct items_writing *w, struct json_writer *writer, const char *rel, const char *type,
                      const char *path, const char *below)
{
  struct buffer href = {0};
  buffer_printf(&href, "%s%s%s%s", w->base, path, path[1] ? w->collection : "", below);
  json_write_object(writer);
  json_kv_string(writer, "rel", rel);
  json_kv_string(writer, "type", type);
  json_kv_string(writer, "href", href.data ? href.data : w->base);
  buffer_free(&href);
}

static void write_link(struct items_writing *w, struct json_writer *writer, const char *rel, const char *path)
{
  open_link(w, writer, rel, "application/json", path, "");
  json_end_object(writer);
}

/* Ends within the quotes of the link to the item itself. */
static void make_links(struct items_writing *w)
{
  struct json_writer writer = {.out = &w->links};
  json_key(&writer, "links");
  json_write_array(&writer);
  write_link(w, &writer, "parent", "/collections/");
  write_link(w, &writer, "collection", "/collections/");
  write_link(w, &writer, "root", "/");
  open_link(w, &writer, "self", "application/geo+json", "/collections/", "/items/");
  if (w->links.length > 0)
    w->links.length--;
}

enum { ITEM_KEY, ITEM_ID, ITEM_INSTANT, ITEM_DOCUMENT }; /* columns of STATEMENT_ITEM and of the pages' */

static void write_item(struct items_writing *w, sqlite3_stmt *row)
{
  const char *id = (const char *)sqlite3_column_text(row, ITEM_ID);
  const char *document = (const char *)sqlite3_column_text(row, ITEM_DOCUMENT);
  json_write_object(w->writer);
  json_write_members(w->writer, document, (size_t)sqlite3_column_bytes(row, ITEM_DOCUMENT));
  json_write_members(w->writer, w->links.data, w->links.length);
  href_encode(id, w->writer->out); /* leaves nothing that JSON would escape */
  buffer_text(w->writer->out, "\"}],\"assets\":{}");
  json_end_object(w->writer);
}

static int start_writing(struct items_writing *w, struct error *error)
{
  if (index_open(w->index, error) != 0)
    return -1;
  sqlite3_stmt *row = w->index->db ? index_statement(w->index, STATEMENT_ITEMS_OF, error) : NULL;
  if (w->index->db && !row)
    return -1;
  if (row)
    sqlite3_bind_text(row, 1, w->collection, -1, SQLITE_STATIC);
  int found = row ? index_step(w->index, row, error) : 0;
  if (found == 1) {
    w->key = sqlite3_column_int64(row, 0);
    w->count = sqlite3_column_int64(row, 1);
    w->undated = sqlite3_column_int64(row, 2) == 0;
  }
  index_done(row);
  if (found == 0)
    error_parameter(error, ERROR_CollectionNotFound, "id", "collection '%s' does not exist", w->collection);
  if (found == 1)
    make_links(w);
  return found == 1 ? 0 : -1;
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
  sqlite3_bind_double(row, 7, query->box.west);
  sqlite3_bind_double(row, 8, query->box.south);
  sqlite3_bind_double(row, 9, query->box.east);
  sqlite3_bind_double(row, 10, query->box.north);
}

/* The way through the index that sees fewest items: of n, m of which meet the box, the search tree gives all m, and
 * going through them in order sees n / m for each one that is found. */
static int choose_way(const struct items_writing *w, const struct items_query *query, enum statement *out,
                      struct error *error)
{
  const int64_t even = (int64_t)sqrt((double)w->count * (double)query->limit) + 1;
  *out = STATEMENT_ITEM_PAGE;
  if (!query->has_box)
    return 0;
  sqlite3_stmt *row = index_statement(w->index, STATEMENT_ITEM_COUNT, error);
  if (!row)
    return -1;
  bind_query(w, query, row);
  sqlite3_bind_int64(row, 6, even);
  const int more = index_step(w->index, row, error);
  if (more == 1)
    *out = sqlite3_column_int64(row, 0) < even ? STATEMENT_ITEM_PAGE_AMONG : STATEMENT_ITEM_PAGE_MEETING;
  index_done(row);
  return more == 1 ? 0 : -1;
}

struct page_end {
  long written;
  int64_t instant, key; /* of the last item */
  bool more;
};

static int write_page(struct items_writing *w, const struct items_query *query, struct page_end *page,
                      struct error *error)
{
  enum statement way;
  if (choose_way(w, query, &way, error) != 0)
    return -1;
  sqlite3_stmt *row = index_statement(w->index, way, error);
  int more = row ? 1 : -1;
  if (row)
    bind_query(w, query, row);
  while (more == 1 && (more = index_step(w->index, row, error)) == 1) {
    page->more = page->written == query->limit || w->writer->out->length > PAGE_BYTES;
    if (page->more)
      break;
    page->key = sqlite3_column_int64(row, ITEM_KEY);
    page->instant = sqlite3_column_int64(row, ITEM_INSTANT);
    write_item(w, row);
    page->written++;
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
  write_link(w, w->writer, "collection", "/collections/");
  write_link(w, w->writer, "root", "/");
  if (page.more)
    write_page_link(w, "next", query, &page);
  json_end_array(w->writer);
  json_end_object(w->writer);
  return w->writer->out->failed || w->links.failed ? error_memory(error) : 0;
}

int catalogue_items_json(const struct catalogue *catalogue, const char *base_url, const struct items_query *query,
                         struct buffer *out, struct error *error)
{
  struct json_writer writer = {.out = out};
  struct items_writing w = {
      .index = catalogue->index, .writer = &writer, .base = base_url, .collection = query->collection};
  int result = start_writing(&w, error) != 0 ? -1 : write_items(&w, query, error);
  buffer_free(&w.links);
  return result;
}

int catalogue_item_json(const struct catalogue *catalogue, const char *base_url, const char *collection, const char *id,
                        struct buffer *out, struct error *error)
{
  struct json_writer writer = {.out = out};
  struct items_writing w = {.index = catalogue->index, .writer = &writer, .base = base_url, .collection = collection};
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
  if (found == 1)
    write_item(&w, row);
  index_done(row);
  bool failed = out->failed || w.links.failed;
  buffer_free(&w.links);
  return found != 1 ? -1 : failed ? error_memory(error) : 0;
}
