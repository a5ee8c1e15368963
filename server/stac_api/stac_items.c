/* Items: searched over all collections, the list of one collection, one item. */
#include "server/stac_api/stac_api.h"
#include "server/stac_api/stac_items_reply.h"

#include "stac/href.h"
#include "stac/json_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTED_MOST = 10000 };

static int take_item(void *data, const struct found_item *item, struct error *error)
{
  struct items_reply *p = data;
  if (stac_item_write(&p->writer, item, p->w, error) != 0)
    return -1;
  return p->w->out->length > ITEMS_PAGE_BYTES;
}

/* ---- the page's links ------------------------------------------------------------------------------------------- */

/* Where the search itself is, without its parameters. */
static void write_place(const struct exchange *exchange, struct buffer *out)
{
  const char *path = exchange->route->path;
  buffer_text(out, exchange->base);
  if (strstr(path, "{collection_id}") == NULL) {
    buffer_text(out, path + strlen(STAC_API_ROOT));
    return;
  }
  buffer_text(out, "/collections/");
  href_encode(exchange->parameters[0], out);
  buffer_text(out, "/items");
}

/* A GET is asked again by its address, a POST by its body. */
static void write_page_link(const struct items_reply *p, const char *rel, const char *token)
{
  const bool is_post = strcmp(http_method(p->exchange->http), "POST") == 0;
  struct buffer href = {0};
  write_place(p->exchange, &href);
  if (!is_post)
    stac_query_write(p->exchange, token, &href);
  json_write_object(p->w);
  json_kv_string(p->w, "rel", rel);
  json_kv_string(p->w, "type", GEOJSON_MEDIA_TYPE);
  json_kv_string(p->w, "href", href.failed ? p->exchange->base : href.data);
  json_kv_string(p->w, "method", is_post ? "POST" : "GET");
  if (is_post) {
    json_t *body = json_copy((json_t *)(uintptr_t)p->query); /* its members are shared */
    json_object_set_new(body, "token", json_string(token));
    json_key(p->w, "body");
    json_tree_write(p->w, body);
    json_decref(body);
  }
  json_end_object(p->w);
  buffer_free(&href);
}

void items_write_links(const struct items_reply *p, const char *next, const char *back)
{
  const char *const *parent = strstr(p->exchange->route->path, "{collection_id}") != NULL
                                  ? (const char *const[]){"collections", p->exchange->parameters[0], NULL}
                                  : NULL;
  json_key(p->w, "links");
  json_write_array(p->w);
  write_link(p->w, "root", p->exchange->base, "/", "application/json", NULL);
  if (strcmp(http_method(p->exchange->http), "POST") != 0) {
    const char *token = p->search.items.token;
    write_page_link(p, "self", token);
  }
  if (parent != NULL)
    stac_write_link(p->exchange, p->w, "collection", "application/json", parent);
  if (next != NULL)
    write_page_link(p, "next", next);
  if (back != NULL)
    write_page_link(p, "prev", back);
  json_end_array(p->w);
}

/* ---- the page --------------------------------------------------------------------------------------------------- */

/* The first page tells how many items there are, where that is counted quickly. */
static void write_count(const struct items_reply *p, const struct item_page *page)
{
  if (page->matched >= 0)
    json_kv_integer(p->w, "numberMatched", page->matched);
}

static int write_items(struct items_reply *p, struct error *error)
{
  struct buffer back = {0};
  struct item_page page = {.data = p, .take = take_item, .back = &back, .count_most = COUNTED_MOST};
  json_write_object(p->w);
  json_kv_string(p->w, "type", "FeatureCollection");
  json_key(p->w, "features");
  json_write_array(p->w);
  int status = item_search_page(p->exchange->catalogue, &p->search.items, &page, error);
  json_end_array(p->w);
  if (status == 0) {
    items_write_links(p, page.token.length > 0 ? page.token.data : NULL, back.length > 0 ? back.data : NULL);
    json_kv_integer(p->w, "numberReturned", page.count);
    write_count(p, &page);
  }
  json_end_object(p->w);
  buffer_free(&page.token);
  buffer_free(&back);
  return status;
}

/* `collection`: the one that is searched, which must be there; NULL: all. */
static void reply_items(struct exchange *exchange, unsigned taker, const char *collection)
{
  struct buffer json = {0};
  struct error error = {0};
  struct json_writer w = {.out = &json};
  struct items_reply p = {.exchange = exchange, .writer = {.base = exchange->base}, .w = &w};
  json_t *query = stac_query_read(exchange, taker, &error);
  int status = query == NULL ? -1 : stac_search_make(query, collection, &p.search, &error);
  const int fields = status == 0 ? stac_fields_read(query, &p.fields, &error) : -1;
  p.query = query;
  if (fields == 1)
    p.writer.fields = &p.fields;
  const bool is_federated = fields >= 0 && federated_reply_is_wanted(&p, collection);
  if (fields >= 0 && collection != NULL && !is_federated)
    status = stac_check_collection(exchange, collection, &error);
  if (fields < 0 || status != 0)
    status = -1;
  else
    status = is_federated ? federated_write_items(&p, collection, &error) : write_items(&p, &error);
  stac_search_free(&p.search);
  json_decref(query);
  stac_reply(exchange, status, GEOJSON_MEDIA_TYPE, &json, &error);
}

void stac_get_search(struct exchange *exchange)
{
  reply_items(exchange, STAC_SEARCH, NULL);
}

void stac_post_search(struct exchange *exchange)
{
  reply_items(exchange, STAC_SEARCH, NULL);
}

void stac_get_items(struct exchange *exchange)
{
  reply_items(exchange, STAC_ITEMS, exchange->parameters[0]);
}

/* ---- one item --------------------------------------------------------------------------------------------------- */

int stac_item_find(const struct exchange *exchange, const char *id, struct item_page *page, struct error *error)
{
  const char *const collection = exchange->parameters[0];
  const struct item_search search = {
      .collections = &collection, .collection_count = 1, .ids = &id, .id_count = 1, .limit = 1};
  if (item_search_page(exchange->catalogue, &search, page, error) != 0)
    return -1;
  if (page->count == 1)
    return 0;
  if (stac_check_collection(exchange, collection, error) != 0)
    return -1;
  return error_parameter(error, ERROR_NotFound, "item_id", "collection '%s' has no item '%s'", collection, id);
}

struct item_writing {
  struct stac_item_writer writer;
  struct json_writer w;
  struct stac_item_reading *out;
};

static int take_one(void *data, const struct found_item *item, struct error *error)
{
  struct item_writing *writing = data;
  stac_item_etag(item->document, item->length, writing->out->etag);
  return stac_item_write(&writing->writer, item, &writing->w, error);
}

int stac_item_read(const struct exchange *exchange, const char *id, struct stac_item_reading *out, struct error *error)
{
  struct item_writing writing = {.writer = {.base = exchange->base}, .w = {.out = &out->json}, .out = out};
  struct item_page page = {.data = &writing, .take = take_one};
  int status = stac_item_find(exchange, id, &page, error);
  buffer_free(&page.token);
  return status;
}

void stac_get_item(struct exchange *exchange)
{
  struct error error = {0};
  struct stac_item_reading item = {.etag = ""};
  int status = stac_item_read(exchange, exchange->parameters[1], &item, &error);
  if (status != 0 && error_is(&error, ERROR_CollectionNotFound) &&
      federated_has_collection(exchange, exchange->parameters[0])) {
    struct json_writer w = {.out = &item.json};
    error = (struct error){0};
    status = federated_write_item(exchange, &w, &error);
    stac_reply(exchange, status, GEOJSON_MEDIA_TYPE, &item.json, &error);
    return;
  }
  if (status == 0)
    stac_reply_state(exchange, 200, GEOJSON_MEDIA_TYPE, &(struct stac_state){item.etag, NULL}, &item.json);
  else
    stac_reply(exchange, status, GEOJSON_MEDIA_TYPE, &item.json, &error);
}
