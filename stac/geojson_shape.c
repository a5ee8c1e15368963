/* One walk that counts the parts, and one that reads them. */
#include "stac/geojson_shape.h"
#include "stac/json_tree.h"

#include <math.h>
#include <string.h>

enum { MOST_NESTED = 16 };

struct shape_reader {
  struct arena *arena;
  struct error *error;
  struct geometry_part *parts; /* NULL while counting */
  size_t count, polygons;
};

static int no_shape(struct shape_reader *reader, const char *what)
{
  return error_set(reader->error, ERROR_ProcessParameterInvalid, "this is no GeoJSON geometry: %s", what);
}

static int read_position(struct shape_reader *reader, const json_t *position, double *x, double *y)
{
  const json_t *first = json_array_get(position, 0), *second = json_array_get(position, 1);
  if (!json_is_number(first) || !json_is_number(second) || !isfinite(json_number_value(first)) ||
      !isfinite(json_number_value(second)))
    return no_shape(reader, "a position is an array of two numbers or more");
  *x = json_number_value(first);
  *y = json_number_value(second);
  return 0;
}

static int read_positions(struct shape_reader *reader, const json_t *positions, struct geometry_part *part)
{
  double *x = ARENA_ARRAY(reader->arena, double, part->count), *y = ARENA_ARRAY(reader->arena, double, part->count);
  if (!x || !y)
    return error_memory(reader->error);
  for (size_t i = 0; i < part->count; i++)
    if (read_position(reader, json_array_get(positions, i), &x[i], &y[i]) != 0)
      return -1;
  part->x = x;
  part->y = y;
  return 0;
}

/* Positions of a line or ring. */
static int add_path(struct shape_reader *reader, enum geometry_part_kind kind, const json_t *positions)
{
  const struct geometry_part part = {.kind = kind, .polygon = reader->polygons, .count = json_array_size(positions)};
  if (part.count < (kind == PART_RING ? 3 : 2))
    return no_shape(reader, kind == PART_RING ? "a ring has three positions or more" : "a line has two or more");
  struct geometry_part *to = reader->parts ? &reader->parts[reader->count] : NULL;
  reader->count++;
  if (!to)
    return 0;
  *to = part;
  return read_positions(reader, positions, to);
}

static int add_point(struct shape_reader *reader, const json_t *position)
{
  struct geometry_part *to = reader->parts ? &reader->parts[reader->count] : NULL;
  reader->count++;
  if (!to)
    return 0;
  double *xy = ARENA_ARRAY(reader->arena, double, 2);
  if (!xy)
    return error_memory(reader->error);
  *to = (struct geometry_part){.kind = PART_POINT, .count = 1, .x = xy, .y = xy + 1};
  return read_position(reader, position, &xy[0], &xy[1]);
}

static int add_polygon(struct shape_reader *reader, const json_t *rings)
{
  if (!json_is_array(rings))
    return no_shape(reader, "a polygon is an array of rings");
  for (size_t i = 0; i < json_array_size(rings); i++)
    if (add_path(reader, PART_RING, json_array_get(rings, i)) != 0)
      return -1;
  reader->polygons++;
  return 0;
}

static int add_line(struct shape_reader *reader, const json_t *positions)
{
  return add_path(reader, PART_LINE, positions);
}

static const struct shape_row {
  const char *name;
  enum geometry_type type;
  int (*add)(struct shape_reader *, const json_t *coordinates); /* of one member; NULL: a collection */
  bool many;
} rows[] = {{"Point", GEOMETRY_POINT, add_point, false},
            {"MultiPoint", GEOMETRY_MULTIPOINT, add_point, true},
            {"LineString", GEOMETRY_LINE, add_line, false},
            {"MultiLineString", GEOMETRY_MULTILINE, add_line, true},
            {"Polygon", GEOMETRY_POLYGON, add_polygon, false},
            {"MultiPolygon", GEOMETRY_MULTIPOLYGON, add_polygon, true},
            {"GeometryCollection", GEOMETRY_COLLECTION, NULL, true}};

static const struct shape_row *row_of(const json_t *geometry)
{
  const char *type = json_tree_text(geometry, "type");
  for (size_t i = 0; type && i < sizeof rows / sizeof *rows; i++)
    if (strcmp(rows[i].name, type) == 0)
      return &rows[i];
  return NULL;
}

static int add_geometry(struct shape_reader *reader, const json_t *geometry, unsigned depth)
{
  const struct shape_row *row = row_of(geometry);
  if (!row)
    return no_shape(reader, "its type is none of GeoJSON's");
  const json_t *members = json_tree_array(geometry, row->add ? "coordinates" : "geometries");
  if (!members)
    return no_shape(reader, row->add ? "it has no coordinates" : "a collection has geometries");
  if (depth > MOST_NESTED)
    return no_shape(reader, "collections are nested too deeply");
  if (!row->many) /* an empty one has no coordinates */
    return json_array_size(members) == 0 ? 0 : row->add(reader, members);
  for (size_t i = 0; i < json_array_size(members); i++) {
    const json_t *member = json_array_get(members, i);
    if ((row->add ? row->add(reader, member) : add_geometry(reader, member, depth + 1)) != 0)
      return -1;
  }
  return 0;
}

int geojson_shape_read(struct arena *arena, const json_t *geometry, const struct geometry_set **out,
                       struct error *error)
{
  struct shape_reader reader = {.arena = arena, .error = error};
  if (add_geometry(&reader, geometry, 0) != 0)
    return -1;
  struct geometry_set *set = ARENA_NEW(arena, struct geometry_set);
  struct geometry *item = ARENA_NEW(arena, struct geometry);
  reader.parts = ARENA_ARRAY(arena, struct geometry_part, reader.count + 1);
  if (!set || !item || !reader.parts)
    return error_memory(error);
  const size_t parts = reader.count;
  reader.count = reader.polygons = 0;
  if (add_geometry(&reader, geometry, 0) != 0)
    return -1;
  *item = (struct geometry){
      .type = parts ? row_of(geometry)->type : GEOMETRY_NONE, .part_count = parts, .parts = reader.parts};
  *set = (struct geometry_set){1, item, "EPSG:4326"};
  *out = set;
  return 0;
}
