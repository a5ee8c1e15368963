/* See the header. */
#include "stac/search/item_facts.h"

#include "datacube/base/instant.h"
#include "datacube/lonlat.h"
#include "stac/search/json_scan.h"
#include "stac/search/stored_items.h"

#include <math.h>
#include <string.h>

/* ---- place ------------------------------------------------------------------------------------------------------- */

struct extent box_nowhere(void)
{
  return (struct extent){-180, 99, 180, 99, NULL};
}

bool stored_box_read(const json_t *bbox, struct extent *out)
{
  const size_t count = json_array_size(bbox), half = count / 2;
  double edges[6];
  if (count != 4 && count != 6)
    return false;
  for (size_t i = 0; i < count; i++) {
    const json_t *number = json_array_get(bbox, i);
    if (!json_is_number(number))
      return false;
    edges[i] = json_number_value(number);
  }
  struct extent box = {edges[0], edges[1], edges[half], edges[half + 1], NULL};
  if (!(fabs(box.west) <= 540 && fabs(box.east) <= 540 && fabs(box.south) <= 91 && fabs(box.north) <= 91 &&
        box.south <= box.north))
    return false;
  box.east += box.west > box.east ? 360 : 0;
  *out = lonlat_normal(&box);
  return true;
}

/* Widens the box by all positions of coordinates; false where there is something else. */
static bool add_positions(const json_t *coordinates, struct extent *box)
{
  const size_t count = json_array_size(coordinates);
  if (count >= 2 && json_is_number(json_array_get(coordinates, 0))) {
    const double x = json_number_value(json_array_get(coordinates, 0)),
                 y = json_number_value(json_array_get(coordinates, 1));
    box->west = fmin(box->west, x);
    box->east = fmax(box->east, x);
    box->south = fmin(box->south, y);
    box->north = fmax(box->north, y);
    return json_is_number(json_array_get(coordinates, 1)) && fabs(x) <= 540 && fabs(y) <= 91;
  }
  for (size_t i = 0; i < count; i++)
    if (!add_positions(json_array_get(coordinates, i), box))
      return false;
  return json_is_array(coordinates);
}

static bool add_geometry(const json_t *geometry, struct extent *box)
{
  const json_t *members = json_object_get(geometry, "geometries");
  for (size_t i = 0; i < json_array_size(members); i++)
    if (!add_geometry(json_array_get(members, i), box))
      return false;
  return json_is_array(members) || add_positions(json_object_get(geometry, "coordinates"), box);
}

static int read_place(const json_t *item, struct extent *out, struct error *error)
{
  const json_t *geometry = json_object_get(item, "geometry"), *bbox = json_object_get(item, "bbox");
  struct extent box = {HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL, NULL};
  *out = box_nowhere();
  if (!geometry || (!json_is_null(geometry) && !json_is_object(geometry)))
    return error_set(error, ERROR_StacInvalid, "\"geometry\" must be a GeoJSON geometry or null");
  if (json_is_object(geometry) && !add_geometry(geometry, &box))
    return error_set(error, ERROR_StacInvalid, "\"geometry\" is no GeoJSON geometry in longitude and latitude");
  if (json_is_array(bbox))
    return stored_box_read(bbox, out)
               ? 0
               : error_set(error, ERROR_StacInvalid, "\"bbox\" must be 4 or 6 numbers: west, south, east, north");
  if (bbox && !json_is_null(bbox))
    return error_set(error, ERROR_StacInvalid, "\"bbox\" must be an array");
  if (box.west <= box.east)
    *out = lonlat_normal(&box);
  return 0;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

/* 1: there; 0: absent or null; -1: something else. */
static int read_instant(const json_t *properties, const char *name, int64_t *out, struct error *error)
{
  const json_t *value = json_object_get(properties, name);
  if (!value || json_is_null(value))
    return 0;
  if (json_is_string(value) && instant_parse(json_string_value(value), CALENDAR_GREGORIAN, out) == 0)
    return 1;
  return error_set(error, ERROR_StacInvalid, "\"%s\" must be a date and time as RFC 3339 writes them", name);
}

static int read_times(const json_t *item, struct item_times *out, struct error *error)
{
  const json_t *properties = json_object_get(item, "properties");
  int64_t instant = 0, start = 0, end = 0;
  const int dated = read_instant(properties, "datetime", &instant, error),
            starts = read_instant(properties, "start_datetime", &start, error),
            ends = read_instant(properties, "end_datetime", &end, error);
  if (dated < 0 || starts < 0 || ends < 0)
    return -1;
  if (!dated && !(starts && ends))
    return error_set(error, ERROR_StacInvalid,
                     "\"datetime\" must be there, or \"start_datetime\" and \"end_datetime\" where it is null");
  if (starts && ends && start > end)
    return error_set(error, ERROR_StacInvalid, "\"end_datetime\" lies before \"start_datetime\"");
  *out = item_times_of(properties, dated ? instant : start, false);
  return 0;
}

/* ---- items ------------------------------------------------------------------------------------------------------- */

static int read_identity(const json_t *item, struct stored_facts *out, struct error *error)
{
  const json_t *collection = json_object_get(item, "collection");
  const char *type = json_tree_text(item, "type");
  out->id = json_tree_text(item, "id");
  if (!type || strcmp(type, "Feature") != 0)
    return error_set(error, ERROR_StacInvalid, "\"type\" must be \"Feature\"");
  if (!out->id || !*out->id || strlen(out->id) > STORED_MAX_ID)
    return error_set(error, ERROR_StacInvalid, "\"id\" must be a text of 1 to %d bytes", (int)STORED_MAX_ID);
  if (!json_tree_text(item, "stac_version"))
    return error_set(error, ERROR_StacInvalid, "\"stac_version\" is missing");
  if (collection && !json_is_null(collection) && !json_is_string(collection))
    return error_set(error, ERROR_StacInvalid, "\"collection\" must be a text");
  out->collection = json_string_value(collection);
  return 0;
}

enum {
  WANTED_TYPE,
  WANTED_VERSION,
  WANTED_ID,
  WANTED_COLLECTION,
  WANTED_BBOX,
  WANTED_GEOMETRY,
  WANTED_DATETIME,
  WANTED_START,
  WANTED_END,
  WANTED_PARSED, /* all above become a tree; of those below it counts what they are */
  WANTED_ASSETS = WANTED_PARSED,
  WANTED_LINKS,
  WANTED_PROPERTIES,
  WANTED_COUNT
};

static const struct json_wanted wanted_parts[WANTED_COUNT] = {
    [WANTED_TYPE] = {NULL, "type"},
    [WANTED_VERSION] = {NULL, "stac_version"},
    [WANTED_ID] = {NULL, "id"},
    [WANTED_COLLECTION] = {NULL, "collection"},
    [WANTED_BBOX] = {NULL, "bbox"},
    [WANTED_GEOMETRY] = {NULL, "geometry"},
    [WANTED_DATETIME] = {"properties", "datetime"},
    [WANTED_START] = {"properties", "start_datetime"},
    [WANTED_END] = {"properties", "end_datetime"},
    [WANTED_ASSETS] = {NULL, "assets"},
    [WANTED_LINKS] = {NULL, "links"},
    [WANTED_PROPERTIES] = {NULL, "properties"},
};

static int check_members(const struct buffer *text, const struct json_span *spans, struct error *error)
{
  const struct json_span *assets = &spans[WANTED_ASSETS], *links = &spans[WANTED_LINKS],
                         *properties = &spans[WANTED_PROPERTIES];
  if (properties->to == properties->from || text->data[properties->from] != '{')
    return error_set(error, ERROR_StacInvalid, "\"properties\" must be an object");
  if (assets->to == assets->from || text->data[assets->from] != '{')
    return error_set(error, ERROR_StacInvalid, "\"assets\" must be an object");
  if (links->to != links->from && text->data[links->from] != '[')
    return error_set(error, ERROR_StacInvalid, "\"links\" must be an array");
  if (assets->members > STORED_MAX_MEMBERS || links->members > STORED_MAX_MEMBERS)
    return error_set(error, ERROR_StacInvalid, "the item has %zu assets and %zu links; %d of each are the most",
                     assets->members, links->members, (int)STORED_MAX_MEMBERS);
  return 0;
}

/* What is wanted of a document as a document of its own. */
static json_t *parse_wanted(const struct buffer *text, const struct json_span *spans)
{
  struct buffer part = {0};
  bool within = false;
  buffer_text(&part, "{\"links\":[]");
  for (size_t i = 0; i < WANTED_PARSED; i++) {
    if (spans[i].from == spans[i].to)
      continue;
    if (wanted_parts[i].within && !within)
      buffer_text(&part, ",\"properties\":{\"\":0");
    within = wanted_parts[i].within != NULL;
    buffer_printf(&part, ",\"%s\":", wanted_parts[i].key);
    buffer_add(&part, text->data + spans[i].from, spans[i].to - spans[i].from);
  }
  buffer_text(&part, within ? "}}" : "}");
  json_t *tree = part.failed ? NULL : json_loadb(part.data, part.length, 0, NULL);
  buffer_free(&part);
  return tree;
}

int stored_facts_read(const char *json, size_t length, struct stored_facts *out, struct error *error)
{
  struct json_span spans[WANTED_COUNT];
  *out = (struct stored_facts){0};
  if (json_scan(json, length, STORED_MAX_BYTES, wanted_parts, WANTED_COUNT, spans, &out->document, error) != 0 ||
      check_members(&out->document, spans, error) != 0)
    return -1;
  out->tree = parse_wanted(&out->document, spans);
  if (!out->tree)
    return error_memory(error);
  return read_identity(out->tree, out, error) || read_place(out->tree, &out->box, error) ||
                 read_times(out->tree, &out->times, error)
             ? -1
             : 0;
}

void stored_facts_free(struct stored_facts *facts)
{
  json_decref(facts->tree);
  buffer_free(&facts->document);
}

int stored_text_read(const char *json, size_t length, json_t **tree, struct buffer *out, struct error *error)
{
  struct json_span none[1];
  *tree = NULL;
  if (json_scan(json, length, STORED_MAX_BYTES, NULL, 0, none, out, error) != 0)
    return -1;
  *tree = json_loadb(out->data, out->length, 0, NULL);
  return *tree ? 0 : error_memory(error);
}
