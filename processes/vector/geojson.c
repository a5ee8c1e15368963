/* GeoJSON (RFC 7946) to geometry sets: one walk that counts the parts of a geometry, and one that reads them. */
#include "processes/vector/geojson.h"

#include <math.h>
#include <string.h>

enum { MOST_NESTED = 16 }; /* geometry collections in each other */

struct reader {
  struct call *call;
  const char *parameter;
  struct geometry_part *parts; /* of the geometry at work; NULL while counting */
  size_t count;                /* of its parts so far */
  size_t polygons;
  unsigned depth;
};

static const char *const type_names[] = {[GEOMETRY_POINT] = "Point",
                                         [GEOMETRY_MULTIPOINT] = "MultiPoint",
                                         [GEOMETRY_LINE] = "LineString",
                                         [GEOMETRY_MULTILINE] = "MultiLineString",
                                         [GEOMETRY_POLYGON] = "Polygon",
                                         [GEOMETRY_MULTIPOLYGON] = "MultiPolygon",
                                         [GEOMETRY_COLLECTION] = "GeometryCollection"};

static const char *type_text(const struct value *object)
{
  const struct value *type = value_member(object, "type");
  return type && type->kind == VALUE_TEXT ? type->text : "";
}

static enum geometry_type type_of(const struct value *object)
{
  const char *text = type_text(object);
  for (int type = GEOMETRY_POINT; type <= GEOMETRY_COLLECTION; type++)
    if (strcmp(text, type_names[type]) == 0)
      return (enum geometry_type)type;
  return GEOMETRY_NONE;
}

bool geojson_is(const struct value *value)
{
  const char *text = type_text(value);
  return type_of(value) != GEOMETRY_NONE || strcmp(text, "Feature") == 0 || strcmp(text, "FeatureCollection") == 0;
}

static int wrong(struct reader *reader, const char *what)
{
  return error_parameter(reader->call->error, ERROR_ProcessParameterInvalid, reader->parameter,
                         "this is no GeoJSON: %s", what);
}

/* ---- positions --------------------------------------------------------------------------------------------------- */

static int read_position(struct reader *reader, const struct value *value, double *x, double *y)
{
  bool fits = value->kind == VALUE_ARRAY && value->count >= 2 && value->items[0].kind == VALUE_NUMBER &&
              value->items[1].kind == VALUE_NUMBER;
  if (!fits || !isfinite(value->items[0].number) || !isfinite(value->items[1].number))
    return wrong(reader, "a position is an array of two finite numbers or more");
  *x = value->items[0].number;
  *y = value->items[1].number;
  return 0;
}

static int add_part(struct reader *reader, enum geometry_part_kind kind, const struct value *positions, size_t count)
{
  struct geometry_part *part = reader->parts ? &reader->parts[reader->count] : NULL;
  reader->count++;
  if (!part)
    return 0;
  double *x = ARENA_ARRAY(reader->call->arena, double, count), *y = ARENA_ARRAY(reader->call->arena, double, count);
  if (!x || !y)
    return error_memory(reader->call->error);
  for (size_t i = 0; i < count; i++)
    if (read_position(reader, &positions[i], &x[i], &y[i]) != 0)
      return -1;
  *part = (struct geometry_part){.kind = kind, .polygon = reader->polygons, .count = count, .x = x, .y = y};
  return 0;
}

static int add_path(struct reader *reader, enum geometry_part_kind kind, const struct value *value)
{
  size_t least = kind == PART_RING ? 3 : 2;
  if (value->kind != VALUE_ARRAY || value->count < least)
    return wrong(reader, kind == PART_RING ? "a ring has three positions or more" : "a line has two positions or more");
  return add_part(reader, kind, value->items, value->count);
}

static int add_polygon(struct reader *reader, const struct value *rings)
{
  if (rings->kind != VALUE_ARRAY)
    return wrong(reader, "a polygon is an array of rings");
  for (size_t i = 0; i < rings->count; i++)
    if (add_path(reader, PART_RING, &rings->items[i]) != 0)
      return -1;
  reader->polygons++;
  return 0;
}

/* ---- geometries -------------------------------------------------------------------------------------------------- */

static int add_geometry(struct reader *reader, const struct value *object);

static int add_members(struct reader *reader, const struct value *object)
{
  const struct value *members = value_member(object, "geometries");
  if (!members || members->kind != VALUE_ARRAY)
    return wrong(reader, "a GeometryCollection needs 'geometries'");
  if (reader->depth == MOST_NESTED)
    return wrong(reader, "geometry collections are nested too deeply");
  reader->depth++;
  for (size_t i = 0; i < members->count; i++)
    if (add_geometry(reader, &members->items[i]) != 0)
      return -1;
  reader->depth--;
  return 0;
}

static int add_member(struct reader *reader, enum geometry_type type, const struct value *value)
{
  if (type == GEOMETRY_MULTIPOINT)
    return add_part(reader, PART_POINT, value, 1);
  if (type == GEOMETRY_MULTILINE)
    return add_path(reader, PART_LINE, value);
  return add_polygon(reader, value);
}

static int add_geometry(struct reader *reader, const struct value *object)
{
  enum geometry_type type = type_of(object);
  if (type == GEOMETRY_NONE)
    return wrong(reader, "a geometry has the type Point, LineString, Polygon, one of their Multi types, or "
                         "GeometryCollection");
  if (type == GEOMETRY_COLLECTION)
    return add_members(reader, object);
  const struct value *coordinates = value_member(object, "coordinates");
  if (!coordinates || coordinates->kind != VALUE_ARRAY)
    return wrong(reader, "a geometry needs 'coordinates'");
  if (coordinates->count == 0)
    return 0;
  if (type == GEOMETRY_POINT)
    return add_part(reader, PART_POINT, coordinates, 1);
  if (type == GEOMETRY_LINE)
    return add_path(reader, PART_LINE, coordinates);
  if (type == GEOMETRY_POLYGON)
    return add_polygon(reader, coordinates);
  for (size_t i = 0; i < coordinates->count; i++)
    if (add_member(reader, type, &coordinates->items[i]) != 0)
      return -1;
  return 0;
}

static int read_geometry(struct call *call, const char *parameter, const struct value *object, struct geometry *out)
{
  struct reader counting = {.call = call, .parameter = parameter}, reading = counting;
  if (object->kind == VALUE_NULL)
    return 0;
  if (add_geometry(&counting, object) != 0)
    return -1;
  reading.parts = ARENA_ARRAY(call->arena, struct geometry_part, counting.count);
  if (!reading.parts)
    return error_memory(call->error);
  if (add_geometry(&reading, object) != 0)
    return -1;
  out->type = reading.count ? type_of(object) : GEOMETRY_NONE;
  out->part_count = reading.count;
  out->parts = reading.parts;
  return 0;
}

/* ---- features ---------------------------------------------------------------------------------------------------- */

/* JSON text of a host value in the arena. */
static int value_text_of(struct call *call, const struct value *value, const char **out)
{
  struct buffer text = {0};
  struct json_writer writer = {.out = &text};
  value_write(value, &writer);
  *out = text.failed ? NULL : arena_strdup(call->arena, text.data);
  buffer_free(&text);
  return *out ? 0 : error_memory(call->error);
}

static int read_feature(struct call *call, const char *parameter, const struct value *feature, struct geometry *out)
{
  const struct value *id = value_member(feature, "id"), *properties = value_member(feature, "properties");
  const struct value *geometry = value_member(feature, "geometry");
  if (!geometry || strcmp(type_text(feature), "Feature") != 0)
    return wrong(&(struct reader){.call = call, .parameter = parameter},
                 "a feature has the type Feature and a 'geometry'");
  out->id_is_number = id && id->kind == VALUE_NUMBER;
  if (id && id->kind == VALUE_TEXT)
    out->id = id->text;
  else if (id && id->kind == VALUE_NUMBER && value_text_of(call, id, &out->id) != 0)
    return -1;
  if (properties && properties->kind == VALUE_OBJECT && value_is_host(properties) &&
      value_text_of(call, properties, &out->properties) != 0)
    return -1;
  return read_geometry(call, parameter, geometry, out);
}

static int read_crs(struct call *call, const char *parameter, const struct value *value, const char **out)
{
  const struct value *crs = value_member(value, "crs");
  const struct value *inner = crs && crs->kind == VALUE_OBJECT ? value_member(crs, "properties") : NULL;
  const struct value *name = inner ? value_member(inner, "name") : crs;
  *out = "EPSG:4326";
  if (!crs || crs->kind == VALUE_NULL)
    return 0;
  if (!name || name->kind != VALUE_TEXT)
    return error_parameter(call->error, ERROR_CRSInvalid, parameter,
                           "the 'crs' of GeoJSON is {\"type\": \"name\", \"properties\": {\"name\": \"…\"}}");
  if (crs_canonical(call->arena, name->text, out, call->error) != 0)
    return error_at_parameter(call->error, parameter);
  return 0;
}

int geojson_read_items(struct call *call, const char *parameter, const struct value *items, size_t count,
                       struct geometry_set *out)
{
  struct geometry *geometries = ARENA_ARRAY(call->arena, struct geometry, count);
  if (!geometries)
    return error_memory(call->error);
  out->count = count;
  out->items = geometries;
  for (size_t i = 0; i < count; i++) {
    bool feature = strcmp(type_text(&items[i]), "Feature") == 0;
    if ((feature ? read_feature : read_geometry)(call, parameter, &items[i], &geometries[i]) != 0)
      return -1;
  }
  return 0;
}

int geojson_read(struct call *call, const char *parameter, const struct value *value, const struct geometry_set **out)
{
  bool collection = strcmp(type_text(value), "FeatureCollection") == 0;
  const struct value *features = collection ? value_member(value, "features") : NULL;
  struct geometry_set *set = ARENA_NEW(call->arena, struct geometry_set);
  if (!geojson_is(value) || (collection && (!features || features->kind != VALUE_ARRAY)))
    return wrong(&(struct reader){.call = call, .parameter = parameter},
                 "expected a geometry, a Feature or a FeatureCollection with 'features'");
  if (!set)
    return error_memory(call->error);
  for (size_t i = 0; collection && i < features->count; i++)
    if (strcmp(type_text(&features->items[i]), "Feature") != 0)
      return wrong(&(struct reader){.call = call, .parameter = parameter},
                   "a feature has the type Feature and a 'geometry'");
  if (read_crs(call, parameter, value, &set->crs) != 0 ||
      geojson_read_items(call, parameter, collection ? features->items : value, collection ? features->count : 1,
                         set) != 0)
    return -1;
  *out = set;
  return 0;
}
