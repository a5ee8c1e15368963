/* A collection's items as GeoJSON features: pages of a search in the order of their dates. Their documents are kept but
 * for the links. */
#include "stac/href.h"
#include "stac/index.h"
#include "stac/search/search.h"

#include <string.h>

struct items_writing { /* of one answer */
  const struct catalogue *catalogue;
  struct index *index; /* its own */
  struct json_writer *writer;
  const char *base, *collection;
  int64_t key;         /* of the collection */
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

static void write_item(struct items_writing *w, const char *id, const char *document, size_t length)
{
  struct buffer own = {0};
  item_text_without(document, length, "links", &own);
  json_write_object(w->writer);
  json_write_members(w->writer, own.data, own.length);
  w->writer->out->failed = w->writer->out->failed || own.failed;
  buffer_free(&own);
  json_write_members(w->writer, w->links.data, w->links.length);
  href_encode(id, w->writer->out); /* leaves nothing that JSON would escape */
  buffer_text(w->writer->out, "\"}]");
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
  if (found == 1)
    w->key = sqlite3_column_int64(row, 0);
  index_done(row);
  if (found == 0)
    error_parameter(error, ERROR_CollectionNotFound, "id", "collection '%s' does not exist", w->collection);
  if (found == 1)
    make_links(w);
  return found == 1 ? 0 : -1;
}

/* ---- pages ------------------------------------------------------------------------------------------------------- */

enum { PAGE_BYTES = 4 << 20 };

static int take_item(void *data, const struct found_item *item, struct error *error)
{
  (void)error;
  struct items_writing *w = data;
  write_item(w, item->id, item->document, item->length);
  return w->writer->out->length > PAGE_BYTES;
}

static int write_page(struct items_writing *w, const struct items_query *query, struct item_page *page,
                      struct error *error)
{
  static const struct item_sort by_date = {"datetime", false};
  const struct item_search search = {.collections = &query->collection,
                                     .collection_count = 1,
                                     .has_box = query->has_box,
                                     .box = query->box,
                                     .has_start = query->has_start,
                                     .has_end = query->has_end,
                                     .start = query->start,
                                     .end = query->end,
                                     .sort = &by_date,
                                     .sort_count = 1,
                                     .limit = query->limit,
                                     .token = query->token};
  *page = (struct item_page){.data = w, .take = take_item};
  return item_search_page(w->catalogue, &search, page, error);
}

static void write_page_link(struct items_writing *w, const char *rel, const struct items_query *query,
                            const char *token)
{
  struct buffer href = {0};
  buffer_printf(&href, "%s/collections/%s/items?limit=%ld%s", w->base, w->collection, query->limit, query->kept);
  if (token)
    buffer_printf(&href, "&token=%s", token);
  json_write_object(w->writer);
  json_kv_string(w->writer, "rel", rel);
  json_kv_string(w->writer, "href", href.data ? href.data : w->base);
  json_kv_string(w->writer, "type", "application/geo+json");
  json_end_object(w->writer);
  buffer_free(&href);
}

static int write_items(struct items_writing *w, const struct items_query *query, struct item_page *page,
                       struct error *error)
{
  json_write_object(w->writer);
  json_kv_string(w->writer, "type", "FeatureCollection");
  json_key(w->writer, "features");
  json_write_array(w->writer);
  if (write_page(w, query, page, error) != 0)
    return -1;
  json_end_array(w->writer);
  json_kv_integer(w->writer, "numberReturned", page->count);
  json_key(w->writer, "links");
  json_write_array(w->writer);
  write_page_link(w, "self", query, NULL);
  write_link(w, w->writer, "collection", "/collections/");
  write_link(w, w->writer, "root", "/");
  if (page->token.length)
    write_page_link(w, "next", query, page->token.data);
  json_end_array(w->writer);
  json_end_object(w->writer);
  return w->writer->out->failed || w->links.failed ? error_memory(error) : 0;
}

int catalogue_items_json(const struct catalogue *catalogue, const char *base_url, const struct items_query *query,
                         struct buffer *out, struct error *error)
{
  struct json_writer writer = {.out = out};
  struct items_writing w = {.catalogue = catalogue,
                            .index = catalogue->index,
                            .writer = &writer,
                            .base = base_url,
                            .collection = query->collection};
  struct item_page page = {0};
  int result = start_writing(&w, error) != 0 ? -1 : write_items(&w, query, &page, error);
  buffer_free(&w.links);
  buffer_free(&page.token);
  return result;
}

enum { ITEM_KEY, ITEM_ID, ITEM_INSTANT, ITEM_DOCUMENT }; /* columns of STATEMENT_ITEM */

int catalogue_item_json(const struct catalogue *catalogue, const char *base_url, const char *collection, const char *id,
                        struct buffer *out, struct error *error)
{
  struct json_writer writer = {.out = out};
  struct items_writing w = {
      .catalogue = catalogue, .index = catalogue->index, .writer = &writer, .base = base_url, .collection = collection};
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
    write_item(&w, (const char *)sqlite3_column_text(row, ITEM_ID),
               (const char *)sqlite3_column_text(row, ITEM_DOCUMENT), (size_t)sqlite3_column_bytes(row, ITEM_DOCUMENT));
  index_done(row);
  bool failed = out->failed || w.links.failed;
  buffer_free(&w.links);
  return found != 1 ? -1 : failed ? error_memory(error) : 0;
}
