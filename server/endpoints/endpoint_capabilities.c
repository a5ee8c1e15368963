/* What this server is and can do: discovery, capabilities, conformance, file formats. */
#include "server/endpoints/endpoints.h"
#include "server/federation/federation.h"
#include "server/http/route_table.h"
#include "server/pages/pages.h"

#include "datacube/sink.h"
#include "processes/load/input_format.h"

#include <stdio.h>
#include <string.h>

enum { MAX_CHILDREN = 1000 };

static void write_versions(struct json_writer *w, const struct exchange *exchange)
{
  json_key(w, "versions");
  json_write_array(w);
  for (size_t i = 0; i < api_version_count; i++) {
    char url[2 * BASE_URL_SIZE];
    snprintf(url, sizeof url, "%s%s", exchange->host, api_versions[i].root);
    json_write_object(w);
    json_kv_string(w, "url", url);
    json_kv_bool(w, "production", true);
    json_kv_string(w, "api_version", api_versions[i].number);
    json_end_object(w);
  }
  json_end_array(w);
}

void get_well_known(struct exchange *exchange)
{
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  write_versions(&w, exchange);
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}

/* What else is at this host, for people. */
static void write_page_links(struct json_writer *w, const struct exchange *exchange)
{
  static const char html[] = "text/html";
  write_link(w, "alternate", exchange->host, "/", html, "This document for people");
  write_link(w, "related", exchange->host, "/console", html, "Console: log in, run processes, look at jobs");
  if (exchange->server->settings.web_editor != NULL)
    write_link(w, "related", exchange->host, "/editor/", html, "openEO Web Editor");
}

void get_welcome(struct exchange *exchange)
{
  if (exchange->route->path[1] == '\0' && page_is_wanted(exchange)) {
    page_reply_landing(exchange);
    return;
  }
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  json_kv_string(&w, "title", "twincube");
  json_kv_string(&w, "description", "An openEO server. Point an openEO client at this address.");
  write_versions(&w, exchange);
  json_key(&w, "links");
  json_write_array(&w);
  write_link(&w, "version-history", exchange->host, "/.well-known/openeo", "application/json", "openEO versions");
  for (size_t i = 0; i < api_version_count; i++) {
    char title[32];
    snprintf(title, sizeof title, "openEO API %s", api_versions[i].number);
    write_link(&w, "service", exchange->host, api_versions[i].root, "application/json", title);
  }
  write_link(&w, "service", exchange->host, "/stac", "application/json", "STAC API 1.0.0");
  write_page_links(&w, exchange);
  json_end_array(&w);
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}

/* Classes of all versions; those of the API itself bear its number. */
static const struct conformance_class {
  const char *uri;
  unsigned major, minor;                                            /* of the API, from which on it is claimed */
  enum { NEEDS_NOTHING, NEEDS_NAMESPACES, NEEDS_FEDERATION } needs; /* claimed only where the operator set up some */
} conformance_classes[] = {
    {"https://api.stacspec.org/v1.0.0/core", 1, 0, NEEDS_NOTHING},
    {"https://api.stacspec.org/v1.0.0/collections", 1, 0, NEEDS_NOTHING},
    {"https://api.stacspec.org/v1.0.0/ogcapi-features", 1, 0, NEEDS_NOTHING},
    {"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core", 1, 0, NEEDS_NOTHING},
    {"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson", 1, 0, NEEDS_NOTHING},
    {"https://api.openeo.org/extensions/workspaces/0.1.0", 1, 3, NEEDS_NOTHING},
    {"https://api.openeo.org/extensions/processing-parameters/0.1.0", 1, 0, NEEDS_NOTHING},
    {"https://api.openeo.org/extensions/remote-process-definition/0.1.0", 1, 0, NEEDS_NAMESPACES},
    {"https://api.openeo.org/extensions/federation/0.1.0", 1, 0, NEEDS_FEDERATION},
    {"https://api.openeo.org/extensions/federation/0.2.0", 1, 3, NEEDS_FEDERATION},
    {"https://api.openeo.org/1.3.0/authentication/jwt", 1, 3,
     NEEDS_NOTHING}, /* tokens without oidc/PROVIDER/ before them */
};

static bool is_claimed(const struct conformance_class *class, const struct exchange *exchange)
{
  if (class->needs == NEEDS_NAMESPACES && !exchange->server->settings.reads_namespaces)
    return false;
  if (class->needs == NEEDS_FEDERATION && asked_federation(exchange) == NULL)
    return false;
  return api_version_reaches(exchange->api, class->major, class->minor);
}

static void write_conformance(struct json_writer *w, const struct exchange *exchange)
{
  char own[64];
  snprintf(own, sizeof own, "https://api.openeo.org/%s", exchange->api->number);
  json_key(w, "conformsTo");
  json_write_array(w);
  json_write_string(w, own);
  for (size_t i = 0; i < sizeof conformance_classes / sizeof conformance_classes[0]; i++)
    if (is_claimed(&conformance_classes[i], exchange))
      json_write_string(w, conformance_classes[i].uri);
  json_end_array(w);
}

static void write_endpoints(struct json_writer *w, const struct server *server)
{
  json_key(w, "endpoints");
  json_write_array(w);
  for (size_t i = 0; i < route_count; i++) {
    if (!route_is_first(i, server))
      continue;
    json_write_object(w);
    json_kv_string(w, "path", routes[i].path);
    json_key(w, "methods");
    json_write_array(w);
    for (size_t j = i; j < route_count; j++)
      if (routes[j].kind == ROUTE_API && strcmp(routes[j].path, routes[i].path) == 0)
        json_write_string(w, routes[j].method);
    json_end_array(w);
    json_end_object(w);
  }
  json_end_array(w);
}

struct children {
  struct json_writer *w;
  const struct exchange *exchange;
  unsigned count;
};

static bool write_child(void *data, const char *id, const char *title)
{
  struct children *children = data;
  char base[2 * BASE_URL_SIZE];
  struct buffer path = {0};
  snprintf(base, sizeof base, "%s/collections/", children->exchange->base);
  if (strchr(id, '|') != NULL)
    http_encode(id, &path);
  else
    buffer_text(&path, id);
  write_link(children->w, "child", base, path.failed ? id : path.data, "application/json", title);
  buffer_free(&path);
  return ++children->count < MAX_CHILDREN;
}

static int write_capability_links(struct json_writer *w, const struct exchange *exchange, struct error *error)
{
  struct children children = {.w = w, .exchange = exchange};
  static const char json[] = "application/json";
  json_key(w, "links");
  json_write_array(w);
  write_link(w, "self", exchange->base, "/", json, "This document");
  write_link(w, "root", exchange->base, "/", json, "This document");
  write_link(w, "version-history", exchange->host, "/.well-known/openeo", json, "openEO versions of this server");
  write_link(w, "conformance", exchange->base, "/conformance", json, "Conformance classes");
  write_link(w, "http://www.opengis.net/def/rel/ogc/1.0/conformance", exchange->base, "/conformance", json,
             "Conformance classes");
  write_link(w, "data", exchange->base, "/collections", json, "Collections");
  write_link(w, "service-desc", exchange->base, "/api", OPENAPI_MEDIA_TYPE, "OpenAPI document of this server");
  write_link(w, "related", exchange->host, "/stac", json, "The same collections for STAC clients");
  write_link(w, "search", exchange->host, "/stac/search", "application/geo+json", "Items of all collections");
  if (exchange->server->settings.reads_namespaces)
    write_link(w, "service-doc",
               "https://github.com/Open-EO/openeo-api/tree/master/extensions/remote-process-definition", "/README.md",
               "text/html", "How graphs use processes that are published on the web");
  int status = catalogue_each(exchange->catalogue, write_child, &children, error);
  if (asked_federation(exchange) != NULL && children.count < MAX_CHILDREN)
    federation_each(asked_federation(exchange), write_child, &children);
  json_end_array(w);
  return status;
}

/* The one plan, where computing costs something. */
static void write_billing(struct json_writer *w, const struct tariff *tariff)
{
  if (!tariff_has_prices(tariff))
    return;
  json_key(w, "billing");
  json_write_object(w);
  json_kv_string(w, "currency", tariff->currency);
  json_kv_string(w, "default_plan", tariff_plan(tariff));
  json_key(w, "plans");
  json_write_array(w);
  json_write_object(w);
  struct buffer text = {0};
  buffer_printf(&text, "Pay as you go: %g %s for an hour of a core, %g %s for a gigabyte read.", tariff->cpu_hour,
                tariff->currency, tariff->gb_read, tariff->currency);
  json_kv_string(w, "name", tariff_plan(tariff));
  json_kv_string(w, "description", text.failed ? "" : text.data);
  buffer_free(&text);
  json_kv_bool(w, "paid", true);
  json_end_object(w);
  json_end_array(w);
  json_end_object(w);
}

void get_capabilities(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  json_kv_string(&w, "api_version", exchange->api->number);
  json_kv_string(&w, "backend_version", TWINCUBE_VERSION);
  json_kv_string(&w, "stac_version", "1.0.0");
  json_kv_string(&w, "type", "Catalog");
  json_kv_string(&w, "id", "twincube");
  json_kv_string(&w, "title", "twincube");
  json_kv_string(&w, "description",
                 "Datacubes and digital twins as process graphs: collections of rasters and simulated ensembles, "
                 "computed tile by tile in one program.");
  json_kv_bool(&w, "production", true);
  write_conformance(&w, exchange);
  write_endpoints(&w, exchange->server);
  write_billing(&w, exchange->server->limits.tariff);
  if (asked_federation(exchange) != NULL)
    federation_write(asked_federation(exchange), exchange->base, &w);
  int status = write_capability_links(&w, exchange, &error);
  json_end_object(&w);
  reply_made(exchange, status, &json, &error);
}

void get_conformance(struct exchange *exchange)
{
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  write_conformance(&w, exchange);
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}

/* Of formats that the installed libraries do not write nothing is said. */
static void write_format(struct json_writer *w, struct federation *federation, const char *name,
                         const struct sink_format *format)
{
  if (format->available && !format->available())
    return;
  json_key(w, name);
  json_write_object(w);
  json_kv_string(w, "title", format->title);
  json_kv_string(w, "description", format->description);
  json_key(w, "gis_data_types");
  json_write_array(w);
  if (!format->no_raster)
    json_write_string(w, "raster");
  if (format->vector)
    json_write_string(w, "vector");
  if (format->text && !format->no_raster)
    json_write_string(w, "other");
  json_end_array(w);
  json_key(w, "parameters");
  const char *parameters = format->parameters != NULL ? format->parameters : "{}";
  json_write_raw(w, parameters, strlen(parameters));
  if (federation != NULL)
    federation_write_support(federation, SURVEY_FORMATS, name, w);
  json_end_object(w);
}

/* What load_uploaded_files reads. */
static void write_input(struct json_writer *w, const struct exchange *exchange)
{
  json_write_object(w);
  for (size_t i = 0; i < input_format_count; i++) {
    const struct input_format *format = &input_formats[i];
    json_key(w, format->name);
    json_write_object(w);
    json_kv_string(w, "title", format->title);
    json_key(w, "gis_data_types");
    json_write_array(w);
    json_write_string(w, format->kind == INPUT_FEATURES ? "vector" : "raster");
    json_end_array(w);
    json_key(w, "parameters");
    json_write_raw(w, format->parameters, strlen(format->parameters));
    write_own_backend(exchange, w);
    json_end_object(w);
  }
  json_end_object(w);
}

void get_file_formats(struct exchange *exchange)
{
  struct federation *federation = asked_federation(exchange);
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  json_key(&w, "input");
  write_input(&w, exchange);
  json_key(&w, "output");
  json_write_object(&w);
  for (size_t i = 0; sink_formats[i] != NULL; i++)
    write_format(&w, federation, sink_formats[i]->name, sink_formats[i]);
  for (size_t i = 0; sink_aliases[i].name != NULL; i++)
    if (sink_aliases[i].listed)
      write_format(&w, federation, sink_aliases[i].name, sink_aliases[i].format);
  json_end_object(&w);
  if (federation != NULL)
    federation_write_missing(federation, SURVEY_FORMATS, &w);
  json_end_object(&w);
  reply_json(exchange, 200, &json);
}
