/* WMTS and WMS of web services: requests by key-value pairs, in any case, and WMTS by path. */
#include "server/endpoints/endpoints.h"

#include "server/services/ogc_documents.h"
#include "server/services/ogc_errors.h"
#include "server/services/wms_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void service_url(const struct exchange *exchange, const struct looking *at, char *out, size_t room)
{
  snprintf(out, room, "%s/services/%s%s", exchange->base, at->service.id, at->view.type->path);
}

/* `request` of the query, "" where there is none. */
static void read_request(const struct exchange *exchange, char out[32])
{
  if (http_query(exchange->http, "request", out, 32) <= 0)
    out[0] = '\0';
}

static void refuse_request(struct exchange *exchange, const char *request, const char *known)
{
  struct error error = {0};
  error_parameter(&error, ERROR_QueryParameterInvalid, "request", "there is no '%.30s'; wants one of %s", request,
                  known);
  reply_error(exchange, &error);
}

/* What the query names has to be what there is; where it names nothing, there is one choice. */
static int expect(const struct exchange *exchange, const char *name, const char *only, const char *other,
                  struct error *error)
{
  char given[64];
  const int found = http_query(exchange->http, name, given, sizeof given);
  if (found == 0 || (found > 0 && (strcmp(given, only) == 0 || (other != NULL && strcmp(given, other) == 0))))
    return 0;
  return error_parameter(error, ERROR_QueryParameterInvalid, name, "wants %s", only);
}

/* ---- WMTS -------------------------------------------------------------------------------------------------------- */

static void reply_wmts_capabilities(struct exchange *exchange, const struct looking *at)
{
  char url[2 * BASE_URL_SIZE];
  struct buffer out = {0};
  service_url(exchange, at, url, sizeof url);
  wmts_capabilities(&(struct ogc_document){.at = at, .url = url, .out = &out});
  reply_typed(exchange, "application/xml", &out);
}

static void reply_wmts_tile(struct exchange *exchange, const struct looking *at, const struct map_place *place)
{
  struct error error = {0};
  struct map_task task = {.zero = 0};
  if (map_tile_read(&at->view, place, &task, &error) != 0)
    reply_error(exchange, &error);
  else
    map_look(exchange, at, &task);
}

static void get_wmts_tile_by_query(struct exchange *exchange, const struct looking *at)
{
  char zoom[32] = "", row[32] = "", column[32] = "", format[64] = "";
  struct error error = {0};
  if (expect(exchange, "layer", MAP_LAYER, NULL, &error) != 0 ||
      expect(exchange, "style", "default", NULL, &error) != 0 ||
      expect(exchange, "tilematrixset", "WebMercatorQuad", NULL, &error) != 0) {
    reply_error(exchange, &error);
    return;
  }
  struct map_place place = {.zoom = zoom, .column = column, .row = row};
  http_query(exchange->http, "tilematrix", zoom, sizeof zoom);
  http_query(exchange->http, "tilerow", row, sizeof row);
  http_query(exchange->http, "tilecol", column, sizeof column);
  if (http_query(exchange->http, "format", format, sizeof format) > 0)
    place.format = format;
  reply_wmts_tile(exchange, at, &place);
}

void get_service_wmts(struct exchange *exchange)
{
  char request[32];
  struct looking at;
  if (looking_begin(exchange, "WMTS", &at) != 0)
    return;
  ogc_errors_begin(exchange, OGC_WMTS);
  read_request(exchange, request);
  if (request[0] == '\0' || strcasecmp(request, "GetCapabilities") == 0)
    reply_wmts_capabilities(exchange, &at);
  else if (strcasecmp(request, "GetTile") == 0)
    get_wmts_tile_by_query(exchange, &at);
  else
    refuse_request(exchange, request, "GetCapabilities and GetTile");
  looking_end(&at);
}

void get_service_wmts_capabilities(struct exchange *exchange)
{
  struct looking at;
  if (looking_begin(exchange, "WMTS", &at) != 0)
    return;
  reply_wmts_capabilities(exchange, &at);
  looking_end(&at);
}

void get_service_wmts_tile(struct exchange *exchange)
{
  struct looking at;
  if (looking_begin(exchange, "WMTS", &at) != 0)
    return;
  ogc_errors_begin(exchange, OGC_WMTS);
  const struct map_place place = {
      .zoom = exchange->parameters[1], .row = exchange->parameters[2], .column = exchange->parameters[3]};
  reply_wmts_tile(exchange, &at, &place);
  looking_end(&at);
}

/* ---- WMS --------------------------------------------------------------------------------------------------------- */

static void reply_wms_capabilities(struct exchange *exchange, const struct looking *at)
{
  char url[2 * BASE_URL_SIZE], version[16] = "";
  struct buffer out = {0};
  http_query(exchange->http, "version", version, sizeof version);
  service_url(exchange, at, url, sizeof url);
  wms_capabilities(&(struct ogc_document){.at = at, .url = url, .out = &out},
                   strncmp(version, "1.1", 3) == 0 ? "1.1.1" : "1.3.0");
  reply_typed(exchange, "text/xml", &out);
}

static void get_map(struct exchange *exchange, const struct looking *at)
{
  struct error error = {0};
  struct map_task task = {.zero = 0};
  if (expect(exchange, "layers", MAP_LAYER, NULL, &error) != 0 ||
      expect(exchange, "styles", "default", ",", &error) != 0 ||
      wms_window_read(exchange, &at->view, &task, &error) != 0)
    reply_error(exchange, &error);
  else
    map_look(exchange, at, &task);
}

struct info_call { /* names of the bands, and how they are written */
  json_t *bands;
  bool is_text;
};

/* values: [[[v]], [[v]], …], one a band. */
static void write_info(const struct info_call *call, const json_t *values, struct buffer *out)
{
  struct json_writer w = {.out = out};
  json_t *properties = json_object();
  const json_t *plane;
  size_t i;
  json_array_foreach(values, i, plane)
  {
    const char *name = json_string_value(json_array_get(call->bands, i));
    json_t *value = json_array_get(json_array_get(plane, 0), 0);
    json_object_set(properties, name != NULL ? name : "value", value);
    if (call->is_text && json_is_number(value))
      buffer_printf(out, "%s = %.9g\n", name != NULL ? name : "value", json_number_value(value));
    else if (call->is_text)
      buffer_printf(out, "%s = no data\n", name != NULL ? name : "value");
  }
  char *text = json_dumps(properties, JSON_COMPACT);
  if (!call->is_text) {
    json_write_object(&w);
    json_kv_string(&w, "type", "FeatureCollection");
    json_key(&w, "features");
    json_write_array(&w);
    json_write_object(&w);
    json_kv_string(&w, "type", "Feature");
    json_key(&w, "geometry");
    json_write_null(&w);
    json_key(&w, "properties");
    json_write_raw(&w, text != NULL ? text : "{}", text != NULL ? strlen(text) : 2);
    json_end_object(&w);
    json_end_array(&w);
    json_end_object(&w);
  }
  free(text);
  json_decref(properties);
}

static void info_answer(struct exchange *exchange, const struct map_reply *answer, const struct error *error,
                        void *data)
{
  struct info_call *call = data;
  if (error != NULL) {
    reply_error(exchange, error);
  } else {
    struct buffer out = {0};
    json_t *values = json_loadb(answer->bytes, answer->length, 0, NULL);
    write_info(call, values, &out);
    json_decref(values);
    reply_typed(exchange, call->is_text ? "text/plain; charset=utf-8" : "application/json", &out);
  }
  json_decref(call->bands);
  free(call);
}

static void get_feature_info(struct exchange *exchange, const struct looking *at)
{
  char format[64] = "";
  struct error error = {0};
  struct map_question question = {.service = &at->service, .task = {.operation = MAP_VALUES}};
  struct info_call *call = calloc(1, sizeof *call);
  json_t *choice = NULL;
  if (call == NULL)
    error_memory(&error);
  else if (expect(exchange, "query_layers", MAP_LAYER, NULL, &error) == 0 &&
           wms_window_read(exchange, &at->view, &question.task, &error) == 0 &&
           wms_pixel_read(exchange, &question.task, &error) == 0)
    choice = map_choice_read(exchange, &at->view, &error);
  if (choice == NULL) {
    free(call);
    reply_error(exchange, &error);
    return;
  }
  http_query(exchange->http, "info_format", format, sizeof format);
  *call = (struct info_call){.bands = json_deep_copy(json_object_get(at->view.shown, "bands")),
                             .is_text = strncmp(format, "text/", 5) == 0};
  question.task.operation = MAP_VALUES;
  question.task.method = at->view.method;
  question.choice = choice;
  if (map_ask(exchange, &question, info_answer, call) != 0) {
    json_decref(call->bands);
    free(call);
  }
  json_decref(choice);
}

void get_service_wms(struct exchange *exchange)
{
  char request[32];
  struct looking at;
  read_request(exchange, request);
  if (strcasecmp(request, "GetLegendGraphic") == 0) {
    get_service_legend(exchange);
    return;
  }
  if (looking_begin(exchange, "WMS", &at) != 0)
    return;
  ogc_errors_begin(exchange, OGC_WMS);
  if (request[0] == '\0' || strcasecmp(request, "GetCapabilities") == 0)
    reply_wms_capabilities(exchange, &at);
  else if (strcasecmp(request, "GetMap") == 0)
    get_map(exchange, &at);
  else if (strcasecmp(request, "GetFeatureInfo") == 0)
    get_feature_info(exchange, &at);
  else
    refuse_request(exchange, request, "GetCapabilities, GetMap, GetFeatureInfo and GetLegendGraphic");
  looking_end(&at);
}
