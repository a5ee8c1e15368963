/* The landing page, what the API conforms to, and the collections as children of the catalogue. */
#include "server/stac_api/stac_api.h"

#include "server/endpoints/endpoints.h"
#include "server/stac_api/stac_query.h"

#include <stdio.h>
#include <string.h>

enum { CHILDREN_MOST = 1000 };

#define CQL2 "http://www.opengis.net/spec/cql2/1.0/conf/"
#define OGC_FILTER "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/"

static const char *const classes[] = {
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/browseable",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#fields",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#sort",
    "https://api.stacspec.org/v1.0.0/item-search",
    "https://api.stacspec.org/v1.0.0/item-search#fields",
    "https://api.stacspec.org/v1.0.0/item-search#sort",
    "https://api.stacspec.org/v1.0.0/item-search#query",
    "https://api.stacspec.org/v1.0.0/item-search#filter",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#query",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#filter",
    OGC_FILTER "filter",
    OGC_FILTER "features-filter",
    OGC_FILTER "queryables",
    CQL2 "cql2-text",
    CQL2 "cql2-json",
    CQL2 "basic-cql2",
    CQL2 "advanced-comparison-operators",
    CQL2 "case-insensitive-comparison",
    CQL2 "accent-insensitive-comparison",
    CQL2 "basic-spatial-functions",
    CQL2 "spatial-functions",
    CQL2 "temporal-functions",
    CQL2 "array-functions",
    CQL2 "property-property",
    CQL2 "arithmetic",
    "https://api.stacspec.org/v0.3.0/aggregation",
    "https://api.stacspec.org/v1.0.0-rc.2/children",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search#free-text",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search#fields",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search#sort",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/simple-query",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
};

/* Claimed where somebody may change anything. */
static const char *const editing_classes[] = {
    "https://api.stacspec.org/v1.0.0/ogcapi-features/extensions/transaction",
    "https://api.stacspec.org/v1.0.0/collections/extensions/transaction",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/simpletx",
};

static void write_classes(const struct exchange *exchange, struct json_writer *w)
{
  json_key(w, "conformsTo");
  json_write_array(w);
  for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
    json_write_string(w, classes[i]);
  for (size_t i = 0; stac_is_editable(exchange->server) && i < sizeof editing_classes / sizeof editing_classes[0]; i++)
    json_write_string(w, editing_classes[i]);
  json_end_array(w);
}

void stac_get_conformance(struct exchange *exchange)
{
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  write_classes(exchange, &w);
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}

/* ---- the landing page ------------------------------------------------------------------------------------------- */

struct child_links {
  const struct exchange *exchange;
  struct json_writer *w;
  const char *after; /* id before the first one; "": from the first on */
  size_t count;
  struct buffer last; /* id of the latest one */
  bool is_full;       /* there are more */
};

static bool write_child_link(void *data, const char *id, const char *title)
{
  struct child_links *links = data;
  (void)title;
  if (strcmp(id, links->after) <= 0)
    return true;
  links->is_full = links->count == CHILDREN_MOST;
  if (links->is_full)
    return false;
  stac_write_link(links->exchange, links->w, "child", "application/json",
                  (const char *const[]){"collections", id, NULL});
  buffer_free(&links->last);
  buffer_text(&links->last, id);
  links->count++;
  return true;
}

/* The collections behind a place, and a catalogue of those that are too many for one. */
static int write_child_links(const struct exchange *exchange, const char *after, struct json_writer *w,
                             struct error *error)
{
  struct child_links children = {.exchange = exchange, .w = w, .after = after};
  int status = catalogue_each(exchange->catalogue, write_child_link, &children, error);
  if (status == 0 && children.is_full) {
    struct buffer path = {0};
    buffer_text(&path, "/more?after=");
    http_encode(children.last.failed ? "" : children.last.data, &path);
    write_link(w, "child", exchange->base, path.failed ? "/more" : path.data, "application/json", "More collections");
    status = path.failed || children.last.failed ? error_memory(error) : 0;
    buffer_free(&path);
  }
  buffer_free(&children.last);
  return status;
}

static const struct landing_link {
  const char *rel, *path, *type, *title;
} landing_links[] = {
    {"self", "/", "application/json", "This catalogue"},
    {"root", "/", "application/json", "This catalogue"},
    {"conformance", "/conformance", "application/json", "Conformance classes"},
    {"data", "/collections", "application/json", "Collections"},
    {"children", "/children", "application/json", "Collections, whole"},
    {"http://www.opengis.net/def/rel/ogc/1.0/queryables", "/queryables", "application/schema+json",
     "What items of all collections are searched by"},
    {"aggregate", "/aggregate", "application/json", "What items have in common, counted"},
    {"aggregations", "/aggregations", "application/json", "What can be counted"},
    {"service-desc", "/api", OPENAPI_MEDIA_TYPE, "OpenAPI document"},
};

/* Both ways to search. */
static void write_search_links(const struct exchange *exchange, struct json_writer *w)
{
  static const char *const methods[] = {"GET", "POST"};
  struct buffer href = {0};
  buffer_printf(&href, "%s/search", exchange->base);
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
    json_write_object(w);
    json_kv_string(w, "rel", "search");
    json_kv_string(w, "type", GEOJSON_MEDIA_TYPE);
    json_kv_string(w, "title", "Search of items");
    json_kv_string(w, "href", href.failed ? exchange->base : href.data);
    json_kv_string(w, "method", methods[i]);
    json_end_object(w);
  }
  buffer_free(&href);
}

static int write_links(const struct exchange *exchange, struct json_writer *w, struct error *error)
{
  json_key(w, "links");
  json_write_array(w);
  for (size_t i = 0; i < sizeof landing_links / sizeof landing_links[0]; i++) {
    const struct landing_link *link = &landing_links[i];
    write_link(w, link->rel, exchange->base, link->path, link->type, link->title);
  }
  write_search_links(exchange, w);
  write_link(w, "describedby", exchange->base, "/opensearch.xml", "application/opensearchdescription+xml",
             "The searches, as OpenSearch describes them");
  write_link(w, "service-doc", exchange->host, "/console", "text/html", "What this server has, for people");
  write_link(w, "alternate", exchange->host, "/dcat", "application/ld+json", "The collections as DCAT-AP");
  write_link(w, "related", exchange->host, exchange->api->root, "application/json",
             "The same collections for openEO clients");
  int status = write_child_links(exchange, "", w, error);
  json_end_array(w);
  return status;
}

void stac_get_landing(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  json_kv_string(&w, "type", "Catalog");
  json_kv_string(&w, "stac_version", "1.0.0");
  json_kv_string(&w, "id", "twincube");
  json_kv_string(&w, "title", "twincube");
  json_kv_string(&w, "description", "The collections of this server and their items.");
  write_classes(exchange, &w);
  int status = write_links(exchange, &w, &error);
  json_end_object(&w);
  stac_reply(exchange, status, "application/json", &json, &error);
}

/* ---- more collections than the landing page links to ------------------------------------------------------------ */

static int write_more(const struct exchange *exchange, const char *after, struct json_writer *w, struct error *error)
{
  struct buffer self = {0}, id = {0};
  buffer_text(&self, "/more?after=");
  http_encode(after, &self);
  buffer_printf(&id, "twincube: after %s", after);
  json_write_object(w);
  json_kv_string(w, "type", "Catalog");
  json_kv_string(w, "stac_version", "1.0.0");
  json_kv_string(w, "id", id.failed ? "twincube" : id.data);
  json_kv_string(w, "title", "More collections");
  json_kv_string(w, "description", "Collections of this server behind those of the catalogue above.");
  json_key(w, "links");
  json_write_array(w);
  write_link(w, "self", exchange->base, self.failed ? "/more" : self.data, "application/json", NULL);
  write_link(w, "root", exchange->base, "/", "application/json", NULL);
  write_link(w, "parent", exchange->base, "/", "application/json", NULL);
  const int status = write_child_links(exchange, after, w, error);
  json_end_array(w);
  json_end_object(w);
  buffer_free(&self);
  buffer_free(&id);
  return status;
}

void stac_get_more(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  struct json_writer w = {.out = &json};
  char after[PATH_PARAMETER_SIZE] = "";
  int status = http_query(exchange->http, "after", after, sizeof after) < 0
                   ? error_parameter(&error, ERROR_QueryParameterInvalid, "after", "is no collection's id")
                   : write_more(exchange, after, &w, &error);
  stac_reply(exchange, status, "application/json", &json, &error);
}

/* ---- children --------------------------------------------------------------------------------------------------- */

enum { CHILDREN_BYTES = 32 << 20 }; /* of one answer */

/* A page begins behind the child that its token names. */
struct child_documents {
  const struct exchange *exchange;
  struct json_writer *w;
  struct error *error;
  const char *after; /* NULL: the first page */
  long limit, count;
  struct buffer last; /* id of the latest one; empty where there are no more */
  bool is_full;
  int status;
};

static bool write_child(void *data, const char *id, const char *title)
{
  struct child_documents *children = data;
  struct buffer json = {0};
  (void)title;
  if (children->after != NULL && strcmp(id, children->after) <= 0)
    return true;
  children->is_full = children->count == children->limit || children->w->out->length > CHILDREN_BYTES;
  if (children->is_full)
    return false;
  children->status =
      catalogue_collection_json(children->exchange->catalogue, id, children->exchange->base, &json, children->error);
  if (children->status == 0)
    json_write_raw(children->w, json.data, json.length);
  buffer_free(&json);
  buffer_free(&children->last);
  buffer_text(&children->last, id);
  children->count++;
  return children->status == 0;
}

static void write_children_links(const struct child_documents *children)
{
  const struct exchange *exchange = children->exchange;
  struct buffer href = {0};
  json_key(children->w, "links");
  json_write_array(children->w);
  write_link(children->w, "self", exchange->base, "/children", "application/json", NULL);
  write_link(children->w, "root", exchange->base, "/", "application/json", NULL);
  if (children->is_full && !children->last.failed) {
    buffer_text(&href, "/children");
    stac_query_write(exchange, children->last.data, &href);
    write_link(children->w, "next", exchange->base, href.failed ? "/children" : href.data, "application/json", NULL);
  }
  json_end_array(children->w);
  buffer_free(&href);
}

static int write_children(struct child_documents *children, struct error *error)
{
  json_write_object(children->w);
  json_key(children->w, "children");
  json_write_array(children->w);
  const int status = catalogue_each(children->exchange->catalogue, write_child, children, error);
  json_end_array(children->w);
  write_children_links(children);
  json_end_object(children->w);
  return status != 0 ? status : children->status;
}

void stac_get_children(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  struct json_writer w = {.out = &json};
  struct child_documents children = {.exchange = exchange, .w = &w, .error = &error};
  json_t *query = stac_query_read(exchange, STAC_CHILDREN, &error);
  const bool is_read = query != NULL &&
                       stac_query_limit(query, CHILDREN_MOST, CHILDREN_MOST, &children.limit, &error) >= 0 &&
                       stac_query_text(query, "token", &children.after, &error) >= 0;
  const int status = is_read ? write_children(&children, &error) : -1;
  json_decref(query);
  buffer_free(&children.last);
  stac_reply(exchange, status, "application/json", &json, &error);
}
