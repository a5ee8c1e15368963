/* The STAC API in the words of OpenAPI 3.0: its paths and methods, which parameters they take, and who may ask. What
 * the answers hold is the STAC API specification's to say. */
#include "server/stac_api/stac_api.h"
#include "server/stac_api/stac_query.h"

#include "server/endpoints/endpoints.h"
#include "server/http/route_table.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool is_described(const struct route *route, const struct server *server)
{
  return route->kind == ROUTE_STAC && strncmp(route->path, STAC_API_ROOT, strlen(STAC_API_ROOT)) == 0 &&
         (!route->bearer || stac_is_editable(server));
}

static void write_parameter(struct json_writer *w, const char *name, const char *in, const char *schema)
{
  json_write_object(w);
  json_kv_string(w, "name", name);
  json_kv_string(w, "in", in);
  json_kv_bool(w, "required", strcmp(in, "path") == 0);
  json_key(w, "schema");
  json_write_raw(w, schema, strlen(schema));
  json_end_object(w);
}

static void write_parameters(struct json_writer *w, const struct route *route)
{
  json_key(w, "parameters");
  json_write_array(w);
  for (const char *open = strchr(route->path, '{'); open != NULL; open = strchr(open + 1, '{')) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(open + 1, "}"), open + 1);
    write_parameter(w, name, "path", "{\"type\":\"string\"}");
  }
  const unsigned takes = strcmp(route->method, "GET") == 0 ? stac_query_of(route) : 0;
  for (size_t i = 0; i < stac_parameter_count; i++)
    if ((stac_parameters[i].takers & takes) != 0)
      write_parameter(w, stac_parameters[i].name, "query", stac_parameters[i].schema);
  json_end_array(w);
}

static void write_operation(struct json_writer *w, const struct route *route)
{
  static const char body[] = "{\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\"}}}}";
  static const char security[] = "[{\"Bearer\":[]}]";
  static const char responses[] = "{\"2XX\":{\"description\":\"As the STAC API specification says.\"},"
                                  "\"default\":{\"description\":\"An error: code and description.\"}}";
  char method[16] = "";
  for (size_t i = 0; route->method[i] != '\0' && i + 1 < sizeof method; i++)
    method[i] = (char)tolower((unsigned char)route->method[i]);
  json_key(w, method);
  json_write_object(w);
  write_parameters(w, route);
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

/* The rows of one path stand together in the table. */
static void write_paths(struct json_writer *w, const struct server *server)
{
  const char *path = NULL;
  json_key(w, "paths");
  json_write_object(w);
  for (size_t i = 0; i < route_count; i++) {
    if (!is_described(&routes[i], server))
      continue;
    if (path == NULL || strcmp(path, routes[i].path) != 0) {
      if (path != NULL)
        json_end_object(w);
      path = routes[i].path;
      json_key(w, path[strlen(STAC_API_ROOT)] != '\0' ? path + strlen(STAC_API_ROOT) : "/");
      json_write_object(w);
    }
    write_operation(w, &routes[i]);
  }
  if (path != NULL)
    json_end_object(w);
  json_end_object(w);
}

void stac_get_openapi(struct exchange *exchange)
{
  static const char schemes[] = "{\"securitySchemes\":{\"Bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}}}";
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  json_kv_string(&w, "openapi", "3.0.3");
  json_key(&w, "info");
  json_write_object(&w);
  json_kv_string(&w, "title", "twincube: STAC API");
  json_kv_string(&w, "version", "1.0.0");
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
