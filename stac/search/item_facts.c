/* See the header. */
#include "stac/search/item_facts.h"

#include "datacube/base/instant.h"
#include "datacube/lonlat.h"
#include "stac/search/json_scan.h"
#include "stac/search/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the parts of a document ------------------------------------------------------------------------------------- */

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
  WANTED_ASSETS,
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

/* A document whose parts were found. Its text is sound JSON without white space, so that a reader of it needs to look
 * at the first byte of a value only. */
struct scanned {
  const char *text;
  struct json_span spans[WANTED_COUNT];
};

/* The first byte of a part; NUL where it is not there. */
static char kind_of(const struct scanned *item, int part)
{
  const struct json_span *span = &item->spans[part];
  return span->to > span->from ? item->text[span->from] : '\0';
}

static bool is_there(const struct scanned *item, int part)
{
  const char kind = kind_of(item, part);
  return kind != '\0' && kind != 'n';
}

/* The part as a text; false where it is none, or longer than there is room for. */
static bool read_text(const struct scanned *item, int part, char *out, size_t room)
{
  const struct json_span *span = &item->spans[part];
  if (kind_of(item, part) != '"')
    return false;
  const char *token = item->text + span->from;
  size_t length = span->to - span->from - 2;
  if (!memchr(token, '\\', length + 2)) {
    if (length >= room)
      return false;
    memcpy(out, token + 1, length);
    out[length] = '\0';
    return true;
  }
  json_t *decoded = json_loadb(token, length + 2, JSON_DECODE_ANY, NULL);
  length = json_string_length(decoded);
  const bool fits = decoded && length < room;
  if (fits)
    memcpy(out, json_string_value(decoded), length + 1);
  json_decref(decoded);
  return fits;
}

static bool begins_number(char c)
{
  return c == '-' || (c >= '0' && c <= '9');
}

static bool read_number(const char **at, double *out)
{
  char *end;
  if (!begins_number(**at))
    return false;
  *out = strtod(*at, &end);
  *at = end;
  return true;
}

/* ---- place ------------------------------------------------------------------------------------------------------- */

struct extent box_nowhere(void)
{
  return (struct extent){-180, 99, 180, 99, NULL};
}

static bool box_of_edges(const double *edges, size_t count, struct extent *out)
{
  const size_t half = count / 2;
  if (count != 4 && count != 6)
    return false;
  struct extent box = {edges[0], edges[1], edges[half], edges[half + 1], NULL};
  if (!(fabs(box.west) <= 540 && fabs(box.east) <= 540 && fabs(box.south) <= 91 && fabs(box.north) <= 91 &&
        box.south <= box.north))
    return false;
  box.east += box.west > box.east ? 360 : 0;
  *out = lonlat_normal(&box);
  return true;
}

bool stored_box_read(const json_t *bbox, struct extent *out)
{
  const size_t count = json_array_size(bbox);
  double edges[6] = {0};
  for (size_t i = 0; i < count && i < 6; i++) {
    const json_t *number = json_array_get(bbox, i);
    if (!json_is_number(number))
      return false;
    edges[i] = json_number_value(number);
  }
  return box_of_edges(edges, count, out);
}

static bool read_bbox(const char *at, size_t count, struct extent *out)
{
  double edges[6] = {0};
  for (size_t i = 0; i < count && i < 6; i++) {
    at++; /* behind the bracket or the comma */
    if (!read_number(&at, &edges[i]))
      return false;
  }
  return box_of_edges(edges, count, out);
}

static bool add_position(const char **at, struct extent *box)
{
  double x, y, height;
  if (!read_number(at, &x) || *(*at)++ != ',' || !read_number(at, &y))
    return false;
  while (**at == ',') {
    ++*at;
    if (!read_number(at, &height))
      return false;
  }
  box->west = fmin(box->west, x);
  box->east = fmax(box->east, x);
  box->south = fmin(box->south, y);
  box->north = fmax(box->north, y);
  return fabs(x) <= 540 && fabs(y) <= 91;
}

/* Widens the box by all positions of coordinates; false where there is something else. */
static bool add_positions(const char **at, struct extent *box)
{
  if (**at != '[')
    return false;
  ++*at;
  if (begins_number(**at)) {
    if (!add_position(at, box))
      return false;
  } else {
    while (**at != ']') {
      if (!add_positions(at, box))
        return false;
      *at += **at == ',';
    }
  }
  return *(*at)++ == ']';
}

static bool add_geometry(const char **at, const char *end, struct extent *box);

static bool add_geometries(const char **at, const char *end, struct extent *box)
{
  if (**at != '[')
    return false;
  ++*at;
  while (**at != ']') {
    if (!add_geometry(at, end, box))
      return false;
    *at += **at == ',';
  }
  ++*at;
  return true;
}

/* One of its members tells where it lies. */
static bool add_geometry(const char **at, const char *end, struct extent *box)
{
  static const char coordinates[] = "\"coordinates\":", geometries[] = "\"geometries\":";
  bool found = false;
  if (**at != '{')
    return false;
  ++*at;
  while (**at != '}') {
    if (strncmp(*at, coordinates, sizeof coordinates - 1) == 0) {
      *at += sizeof coordinates - 1;
      found = add_positions(at, box);
    } else if (strncmp(*at, geometries, sizeof geometries - 1) == 0) {
      *at += sizeof geometries - 1;
      found = add_geometries(at, end, box);
    } else {
      *at += item_text_skip(*at, (size_t)(end - *at), 0);
    }
    if (**at != ',' && **at != '}')
      return false;
    *at += **at == ',';
  }
  ++*at;
  return found;
}

static int read_place(const struct scanned *item, struct extent *out, struct error *error)
{
  const struct json_span *geometry = &item->spans[WANTED_GEOMETRY], *bbox = &item->spans[WANTED_BBOX];
  const char *at = item->text + geometry->from;
  struct extent box = {HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL, NULL};
  *out = box_nowhere();
  if (kind_of(item, WANTED_GEOMETRY) != 'n' && kind_of(item, WANTED_GEOMETRY) != '{')
    return error_set(error, ERROR_StacInvalid, "\"geometry\" must be a GeoJSON geometry or null");
  if (*at == '{' && !add_geometry(&at, item->text + geometry->to, &box))
    return error_set(error, ERROR_StacInvalid, "\"geometry\" is no GeoJSON geometry in longitude and latitude");
  if (kind_of(item, WANTED_BBOX) == '[')
    return read_bbox(item->text + bbox->from, bbox->members, out)
               ? 0
               : error_set(error, ERROR_StacInvalid, "\"bbox\" must be 4 or 6 numbers: west, south, east, north");
  if (is_there(item, WANTED_BBOX))
    return error_set(error, ERROR_StacInvalid, "\"bbox\" must be an array");
  if (box.west <= box.east)
    *out = lonlat_normal(&box);
  return 0;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

/* 1: there; 0: absent or null; -1: something else. */
static int read_instant(const struct scanned *item, int part, int64_t *out, struct error *error)
{
  char text[128];
  if (!is_there(item, part))
    return 0;
  if (read_text(item, part, text, sizeof text) && instant_parse(text, CALENDAR_GREGORIAN, out) == 0)
    return 1;
  return error_set(error, ERROR_StacInvalid, "\"%s\" must be a date and time as RFC 3339 writes them",
                   wanted_parts[part].key);
}

static int read_times(const struct scanned *item, struct item_times *out, struct error *error)
{
  int64_t instant = 0, start = 0, end = 0;
  const int dated = read_instant(item, WANTED_DATETIME, &instant, error),
            starts = read_instant(item, WANTED_START, &start, error),
            ends = read_instant(item, WANTED_END, &end, error);
  if (dated < 0 || starts < 0 || ends < 0)
    return -1;
  if (!dated && !(starts && ends))
    return error_set(error, ERROR_StacInvalid,
                     "\"datetime\" must be there, or \"start_datetime\" and \"end_datetime\" where it is null");
  if (starts && ends && start > end)
    return error_set(error, ERROR_StacInvalid, "\"end_datetime\" lies before \"start_datetime\"");
  instant = dated ? instant : start;
  *out =
      (struct item_times){instant, starts && start < instant ? start : instant, ends && end > instant ? end : instant};
  return 0;
}

/* ---- items ------------------------------------------------------------------------------------------------------- */

static int read_identity(const struct scanned *item, struct stored_facts *out, struct error *error)
{
  char type[16];
  out->collection[0] = '\0';
  if (!read_text(item, WANTED_TYPE, type, sizeof type) || strcmp(type, "Feature") != 0)
    return error_set(error, ERROR_StacInvalid, "\"type\" must be \"Feature\"");
  if (!read_text(item, WANTED_ID, out->id, sizeof out->id) || !*out->id)
    return error_set(error, ERROR_StacInvalid, "\"id\" must be a text of 1 to %d bytes", (int)STORED_MAX_ID);
  if (kind_of(item, WANTED_VERSION) != '"')
    return error_set(error, ERROR_StacInvalid, "\"stac_version\" is missing");
  if (is_there(item, WANTED_COLLECTION) &&
      (!read_text(item, WANTED_COLLECTION, out->collection, sizeof out->collection) || !*out->collection))
    return error_set(error, ERROR_StacInvalid, "\"collection\" must be a text of 1 to %d bytes", (int)STORED_MAX_ID);
  return 0;
}

static int check_members(const struct scanned *item, struct error *error)
{
  const struct json_span *assets = &item->spans[WANTED_ASSETS], *links = &item->spans[WANTED_LINKS];
  if (kind_of(item, WANTED_PROPERTIES) != '{')
    return error_set(error, ERROR_StacInvalid, "\"properties\" must be an object");
  if (kind_of(item, WANTED_ASSETS) != '{')
    return error_set(error, ERROR_StacInvalid, "\"assets\" must be an object");
  if (links->to != links->from && kind_of(item, WANTED_LINKS) != '[')
    return error_set(error, ERROR_StacInvalid, "\"links\" must be an array");
  if (assets->members > STORED_MAX_MEMBERS || links->members > STORED_MAX_MEMBERS)
    return error_set(error, ERROR_StacInvalid, "the item has %zu assets and %zu links; %d of each are the most",
                     assets->members, links->members, (int)STORED_MAX_MEMBERS);
  return 0;
}

int stored_facts_read(const char *json, size_t length, struct stored_facts *out, struct error *error)
{
  struct scanned item;
  if (json_scan(json, length, STORED_MAX_BYTES, wanted_parts, WANTED_COUNT, item.spans, &out->document, error) != 0)
    return -1;
  item.text = out->document.data;
  return check_members(&item, error) || read_identity(&item, out, error) || read_place(&item, &out->box, error) ||
                 read_times(&item, &out->times, error)
             ? -1
             : 0;
}

void stored_facts_free(struct stored_facts *facts)
{
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
