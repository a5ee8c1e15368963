/* What items are searched by: of a collection what its items have, of all what every item may have. */
#include "server/stac_api/stac_api.h"

#include <string.h>

/* Named here are those that most items have; any other property may be asked for, too. */
static void write_all(const struct exchange *exchange, struct buffer *out)
{
  static const char properties[] =
      "{\"id\":{\"type\":\"string\",\"description\":\"Identifier of the item.\"},"
      "\"collection\":{\"type\":\"string\",\"description\":\"Identifier of its collection.\"},"
      "\"geometry\":{\"$ref\":\"https://geojson.org/schema/Geometry.json\"},"
      "\"datetime\":{\"type\":\"string\",\"format\":\"date-time\",\"description\":\"When it was taken.\"},"
      "\"eo:cloud_cover\":{\"type\":\"number\",\"minimum\":0,\"maximum\":100,"
      "\"description\":\"Percentage that clouds cover.\"}}";
  struct buffer self = {0};
  struct json_writer w = {.out = out};
  buffer_printf(&self, "%s/queryables", exchange->base);
  json_write_object(&w);
  json_kv_string(&w, "$schema", "https://json-schema.org/draft/2019-09/schema");
  json_kv_string(&w, "$id", self.failed ? exchange->base : self.data);
  json_kv_string(&w, "type", "object");
  json_kv_string(&w, "title", "Items of all collections");
  json_key(&w, "properties");
  json_write_raw(&w, properties, strlen(properties));
  json_kv_bool(&w, "additionalProperties", true);
  json_end_object(&w);
  buffer_free(&self);
}

void stac_get_queryables(struct exchange *exchange)
{
  struct buffer json = {0};
  struct error error = {0};
  int status = 0;
  if (strstr(exchange->route->path, "{collection_id}") == NULL)
    write_all(exchange, &json);
  else
    status = catalogue_queryables_json(exchange->catalogue, exchange->parameters[0], exchange->base, &json, &error);
  stac_reply(exchange, status, "application/schema+json", &json, &error);
}
