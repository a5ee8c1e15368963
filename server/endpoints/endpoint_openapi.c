/* The server in the words of OpenAPI 3.0: its paths and methods, and who may ask. What the answers hold is the openEO
 * specification's to say. */
#include "server/endpoints/endpoints.h"
#include "server/http/route_table.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void write_parameters(struct json_writer *w, const char *path)
{
  json_key(w, "parameters");
  json_write_array(w);
  for (const char *open = strchr(path, '{'); open != NULL; open = strchr(open + 1, '{')) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(open + 1, "}"), open + 1);
    json_write_object(w);
    json_kv_string(w, "name", name);
    json_kv_string(w, "in", "path");
    json_kv_bool(w, "required", true);
    json_key(w, "schema");
    json_write_raw(w, "{\"type\":\"string\"}", 17);
    json_end_object(w);
  }
  json_end_array(w);
}

static void write_operation(struct json_writer *w, const struct route *route)
{
  static const char body[] = "{\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\"}}}}";
  static const char security[] = "[{\"Bearer\":[]}]";
  static const char responses[] = "{\"2XX\":{\"description\":\"As the openEO specification says.\"},"
                                  "\"default\":{\"description\":\"An error: code and message.\"}}";
  char method[16] = "";
  for (size_t i = 0; route->method[i] != '\0' && i + 1 < sizeof method; i++)
    method[i] = (char)tolower((unsigned char)route->method[i]);
  json_key(w, method);
  json_write_object(w);
  if (route->body) {
    json_key(w, "requestBody");
    json_write_raw(w, body, sizeof body - 1);
  }
  if (route->bearer) {
    json_key(w, "security");
    json_write_raw(w, security, sizeof security - 1);
  }
  json_key(w, "responses");
  json_write_raw(w, responses, sizeof responses - 1);
  json_end_object(w);
}

/* Beside what openEO knows: publishing, where that is switched on. */
static bool is_told(const struct route *route, const struct server *server)
{
  const bool publishes = route->handle == put_collection || route->handle == delete_collection;
  return route->kind == ROUTE_API || (publishes && server->settings.published != NULL);
}

static void write_paths(struct json_writer *w, const struct server *server)
{
  json_key(w, "paths");
  json_write_object(w);
  for (size_t i = 0; i < route_count; i++) {
    if (!route_is_first(i, server))
      continue;
    json_key(w, routes[i].path);
    json_write_object(w);
    write_parameters(w, routes[i].path);
    for (size_t j = i; j < route_count; j++)
      if (is_told(&routes[j], server) && strcmp(routes[j].path, routes[i].path) == 0)
        write_operation(w, &routes[j]);
    json_end_object(w);
  }
  json_end_object(w);
}

void get_openapi(struct exchange *exchange)
{
  static const char schemes[] = "{\"securitySchemes\":{\"Bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}}}";
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  json_kv_string(&w, "openapi", "3.0.3");
  json_key(&w, "info");
  json_write_object(&w);
  json_kv_string(&w, "title", "twincube");
  json_kv_string(&w, "version", exchange->api->number);
  json_end_object(&w);
  json_key(&w, "servers");
  json_write_array(&w);
  json_write_object(&w);
  json_kv_string(&w, "url", exchange->base);
  json_end_object(&w);
  json_end_array(&w);
  write_paths(&w, exchange->server);
  json_key(&w, "components");
  json_write_raw(&w, schemes, sizeof schemes - 1);
  json_end_object(&w);
  reply_typed(exchange, OPENAPI_MEDIA_TYPE, &json);
}
