/* The stored documents with their links. */
#include "stac/index.h"
#include "stac/search/stored_queryables.h"

#include <stdio.h>
#include <string.h>

static const char queryables_relation[] = "http://www.opengis.net/def/rel/ogc/1.0/queryables";
static const char items_relation[] = "items", child_relation[] = "child";

static void write_link(struct json_writer *writer, const char *rel, const char *type, const char *base,
                       const char *path, const char *id)
{
  struct buffer href = {0};
  buffer_printf(&href, "%s%s", base, path);
  if (id)
    buffer_printf(&href, "%s", id);
  if (id && rel == queryables_relation)
    buffer_text(&href, "/queryables");
  if (id && rel == items_relation)
    buffer_text(&href, "/items");
  if (id && rel == child_relation)
    buffer_text(&href, "/browse");
  json_write_object(writer);
  json_kv_string(writer, "rel", rel);
  json_kv_string(writer, "href", href.data ? href.data : base);
  json_kv_string(writer, "type", type);
  json_end_object(writer);
  buffer_free(&href);
}

/* The links of the source come last; they are stored as an array. */
static void write_links(struct json_writer *writer, const char *id, const char *stored, const char *base)
{
  size_t length = stored ? strlen(stored) : 0;
  json_write_array(writer);
  write_link(writer, "self", "application/json", base, "/collections/", id);
  write_link(writer, "root", "application/json", base, "/", NULL);
  write_link(writer, "parent", "application/json", base, "/", NULL);
  write_link(writer, items_relation, "application/geo+json", base, "/collections/", id);
  write_link(writer, child_relation, "application/json", base, "/collections/", id);
  write_link(writer, queryables_relation, "application/schema+json", base, "/collections/", id);
  if (length > 2)
    json_write_raw(writer, stored + 1, length - 2);
  json_end_array(writer);
}

/* Where the server shows it. */
static void write_picture(struct buffer *out, const char *id, const char *base)
{
  struct json_writer w = {.out = out};
  struct buffer href = {0};
  buffer_printf(&href, "%s/collections/%s/thumbnail", base, id);
  buffer_text(out, ",\"assets\":");
  json_write_object(&w);
  json_key(&w, "thumbnail");
  json_write_object(&w);
  json_kv_string(&w, "href", href.data ? href.data : base);
  json_kv_string(&w, "type", "image/png");
  json_kv_string(&w, "title", "A small picture of the last date");
  json_key(&w, "roles");
  json_write_raw(&w, "[\"thumbnail\"]", strlen("[\"thumbnail\"]"));
  json_end_object(&w);
  json_end_object(&w);
  buffer_free(&href);
}

/* The document is an object that lacks its links: it is reopened at its end. */
static void write_collection(struct json_writer *writer, sqlite3_stmt *row, const char *base,
                             const struct catalogue_further *further)
{
  const char *document = (const char *)sqlite3_column_text(row, COLLECTION_DOCUMENT);
  size_t length = (size_t)sqlite3_column_bytes(row, COLLECTION_DOCUMENT);
  struct buffer whole = {0};
  struct json_writer members = {.out = &whole, .depth = 1, .need_comma = true};
  if (length < 2)
    return;
  const char *id = (const char *)sqlite3_column_text(row, COLLECTION_ID);
  buffer_add(&whole, document, length - 1);
  if (sqlite3_column_int(row, COLLECTION_UNSEEN))
    write_picture(&whole, id, base);
  if (further)
    further->describe(further->data, id, &members);
  json_key(&members, "links");
  write_links(&members, id, (const char *)sqlite3_column_text(row, COLLECTION_LINKS), base);
  json_end_object(&members);
  if (whole.failed)
    writer->out->failed = true;
  else
    json_write_raw(writer, whole.data, whole.length);
  buffer_free(&whole);
}

enum { PAGE_BYTES = 4 * 1024 * 1024 };

struct written_page {
  long left;           /* collections that it still takes */
  struct buffer after; /* where the next one begins; nothing where this is the last */
};

static int write_own(struct index *index, struct json_writer *writer, const char *base,
                     const struct catalogue_page *page, struct written_page *written, struct error *error)
{
  int more = 0;
  sqlite3_stmt *row = index->db ? index_statement(index, STATEMENT_PAGE, error) : NULL;
  if (index->db && !row)
    return -1;
  if (row)
    sqlite3_bind_text(row, 1, page->after, -1, SQLITE_STATIC);
  struct buffer last = {0};
  while (row && (more = index_step(index, row, error)) == 1) {
    if (written->left == 0 || writer->out->length > PAGE_BYTES) {
      buffer_add(&written->after, last.data, last.length);
      break;
    }
    write_collection(writer, row, base, page->further);
    buffer_free(&last);
    buffer_text(&last, (const char *)sqlite3_column_text(row, COLLECTION_ID));
    written->left--;
  }
  index_done(row);
  buffer_free(&last);
  return more < 0 ? -1 : 0;
}

static int write_elements(struct index *index, struct json_writer *writer, const char *base,
                          const struct catalogue_page *page, struct written_page *written, struct error *error)
{
  const struct catalogue_further *further = page->further;
  if (!(further && further->is_behind) && write_own(index, writer, base, page, written, error) != 0)
    return -1;
  if (further && written->after.length == 0)
    further->add(further->data, written->left, writer, &written->after);
  return written->after.failed ? error_memory(error) : 0;
}

static void write_list_links(struct json_writer *writer, const char *base, long limit, const char *after)
{
  json_key(writer, "links");
  json_write_array(writer);
  write_link(writer, "self", "application/json", base, "/collections", NULL);
  write_link(writer, "root", "application/json", base, "/", NULL);
  if (after) {
    char path[64];
    snprintf(path, sizeof path, "/collections?limit=%ld&after=", limit);
    write_link(writer, "next", "application/json", base, path, after);
  }
  json_end_array(writer);
}

int catalogue_collections_json(const struct catalogue *catalogue, const char *base_url,
                               const struct catalogue_page *page, struct buffer *out, struct error *error)
{
  struct json_writer writer = {.out = out};
  struct written_page written = {.left = page->limit};
  if (index_open(catalogue->index, error) != 0)
    return -1;
  json_write_object(&writer);
  json_key(&writer, "collections");
  json_write_array(&writer);
  int status = write_elements(catalogue->index, &writer, base_url, page, &written, error);
  json_end_array(&writer);
  if (page->further)
    page->further->finish(page->further->data, &writer);
  write_list_links(&writer, base_url, page->limit, written.after.length > 0 ? written.after.data : NULL);
  json_end_object(&writer);
  buffer_free(&written.after);
  if (status != 0)
    return -1;
  return out->failed ? error_memory(error) : 0;
}

int catalogue_each(const struct catalogue *catalogue, bool (*report)(void *data, const char *id, const char *title),
                   void *data, struct error *error)
{
  struct index *index = catalogue->index;
  int more = 0;
  if (index_open(index, error) != 0)
    return -1;
  sqlite3_stmt *row = index->db ? index_statement(index, STATEMENT_NAMES, error) : NULL;
  if (index->db && !row)
    return -1;
  while (row && (more = index_step(index, row, error)) == 1)
    if (!report(data, (const char *)sqlite3_column_text(row, 0), (const char *)sqlite3_column_text(row, 1)))
      break;
  index_done(row);
  return more < 0 ? -1 : 0;
}

int catalogue_collection_json(const struct catalogue *catalogue, const char *id, const char *base_url,
                              struct buffer *out, struct error *error)
{
  struct json_writer writer = {.out = out};
  sqlite3_stmt *row = index_collection(catalogue->index, id, error);
  if (!row)
    return -1;
  write_collection(&writer, row, base_url, NULL);
  index_done(row);
  return out->failed ? error_memory(error) : 0;
}

int catalogue_queryables_json(const struct catalogue *catalogue, const char *id, const char *base_url,
                              struct buffer *out, struct error *error)
{
  struct json_writer writer = {.out = out};
  struct buffer self = {0};
  sqlite3_stmt *row = index_collection(catalogue->index, id, error);
  if (!row)
    return -1;
  const char *title = (const char *)sqlite3_column_text(row, COLLECTION_TITLE);
  buffer_printf(&self, "%s/collections/%s/queryables", base_url, id);
  json_write_object(&writer);
  json_kv_string(&writer, "$schema", "https://json-schema.org/draft/2019-09/schema");
  json_kv_string(&writer, "$id", self.data ? self.data : base_url);
  json_kv_string(&writer, "type", "object");
  json_kv_string(&writer, "title", title ? title : id);
  json_key(&writer, "properties");
  bool is_all = true;
  int status = 0;
  if (sqlite3_column_int(row, COLLECTION_STORED))
    status =
        stored_queryables_write(catalogue->index, sqlite3_column_int64(row, COLLECTION_KEY), &writer, &is_all, error);
  else
    json_write_raw(&writer, (const char *)sqlite3_column_text(row, COLLECTION_QUERYABLES),
                   (size_t)sqlite3_column_bytes(row, COLLECTION_QUERYABLES));
  json_kv_bool(&writer, "additionalProperties", !is_all);
  json_end_object(&writer);
  index_done(row);
  buffer_free(&self);
  if (status != 0)
    return -1;
  return out->failed ? error_memory(error) : 0;
}
