/* Geometries in text: well-known text and BBOX(…), as GeoJSON. */
#include "stac/cql2/cql2_lexer.h"

#include <string.h>
#include <strings.h>

enum { MOST_GEOMETRY_LISTS = 3 };

static const struct wkt_type {
  const char *word, *name; /* in text, in GeoJSON */
  unsigned lists;          /* lists around positions */
  bool is_collection;
} wkt_types[] = {{"POINT", "Point", 0, false},
                 {"LINESTRING", "LineString", 1, false},
                 {"POLYGON", "Polygon", 2, false},
                 {"MULTIPOINT", "MultiPoint", 1, false},
                 {"MULTILINESTRING", "MultiLineString", 2, false},
                 {"MULTIPOLYGON", "MultiPolygon", MOST_GEOMETRY_LISTS, false},
                 {"GEOMETRYCOLLECTION", "GeometryCollection", 1, true}};

static const struct wkt_type *type_here(const struct cql2_lexer *lexer)
{
  for (size_t i = 0; i < sizeof wkt_types / sizeof *wkt_types; i++)
    if (cql2_at_word(lexer, wkt_types[i].word))
      return &wkt_types[i];
  return NULL;
}

bool cql2_at_geometry(const struct cql2_lexer *lexer)
{
  struct cql2_lexer ahead = *lexer;
  struct error ignored = {0};
  if (cql2_at_call(lexer))
    return type_here(lexer) || cql2_at_word(lexer, "BBOX");
  ahead.builder.error = &ignored;
  return type_here(lexer) && cql2_advance(&ahead) == 0 &&
         (cql2_at_word(&ahead, "EMPTY") || (cql2_at_word(&ahead, "Z") && cql2_at_call(&ahead)));
}

static int read_signed(struct cql2_lexer *lexer, double *out)
{
  const int minus = cql2_take_symbol(lexer, "-");
  if (minus < 0)
    return -1;
  if (minus == 0 && cql2_take_symbol(lexer, "+") < 0)
    return -1;
  if (lexer->token != CQL2_TOKEN_NUMBER)
    return cql2_wrong(&lexer->builder, "a number is expected");
  *out = minus ? -lexer->number : lexer->number;
  return cql2_advance(lexer);
}

/* Two or three numbers, added to the list. */
static int read_position(struct cql2_lexer *lexer, json_t *list)
{
  double number;
  while (json_array_size(list) < 3 && !cql2_at_symbol(lexer, ",") && !cql2_at_symbol(lexer, ")"))
    if (read_signed(lexer, &number) != 0)
      return -1;
    else if (json_array_append_new(list, json_real(number)) != 0)
      return cql2_wrong(&lexer->builder, "the number is too large");
  return json_array_size(list) >= 2 ? 0 : cql2_wrong(&lexer->builder, "a position has two numbers or three");
}

/* "(" positions, or lists of them, ")"; points of a MULTIPOINT may have parentheses of their own. */
static int read_list(struct cql2_lexer *lexer, json_t *out, unsigned lists)
{
  if (cql2_expect(lexer, "(") != 0)
    return -1;
  if (lists == 0) {
    if (read_position(lexer, out) != 0)
      return -1;
    return cql2_expect(lexer, ")");
  }
  for (int more = 1; more == 1; more = cql2_take_symbol(lexer, ",")) {
    json_t *member = json_array();
    if (!member || json_array_append_new(out, member) != 0)
      return error_memory(lexer->builder.error);
    const bool bare = lists == 1 && !cql2_at_symbol(lexer, "(");
    if ((bare ? read_position(lexer, member) : read_list(lexer, member, lists - 1)) != 0)
      return -1;
  }
  return error_is_set(lexer->builder.error) ? -1 : cql2_expect(lexer, ")");
}

static int read_members(struct cql2_lexer *lexer, json_t *out);

static int read_wkt(struct cql2_lexer *lexer, json_t *out)
{
  const struct wkt_type *type = type_here(lexer);
  if (!type)
    return cql2_wrong(&lexer->builder, "a geometry is expected");
  json_t *list = json_array();
  if (!list || json_object_set_new(out, type->is_collection ? "geometries" : "coordinates", list) != 0 ||
      json_object_set_new(out, "type", json_string(type->name)) != 0)
    return error_memory(lexer->builder.error);
  if (cql2_advance(lexer) != 0 || (cql2_at_word(lexer, "Z") && cql2_advance(lexer) != 0))
    return -1;
  if (cql2_at_word(lexer, "EMPTY"))
    return cql2_advance(lexer);
  return type->is_collection ? read_members(lexer, list) : read_list(lexer, list, type->lists);
}

static int read_members(struct cql2_lexer *lexer, json_t *out)
{
  if (cql2_enter(&lexer->builder) != 0 || cql2_expect(lexer, "(") != 0)
    return -1;
  for (int more = 1; more == 1; more = cql2_take_symbol(lexer, ",")) {
    json_t *member = json_object();
    if (!member || json_array_append_new(out, member) != 0)
      return error_memory(lexer->builder.error);
    if (read_wkt(lexer, member) != 0)
      return -1;
  }
  cql2_leave(&lexer->builder);
  return error_is_set(lexer->builder.error) ? -1 : cql2_expect(lexer, ")");
}

static const struct cql2_node *read_box(struct cql2_lexer *lexer)
{
  double edges[6];
  size_t count = 0;
  if (cql2_advance(lexer) != 0 || cql2_expect(lexer, "(") != 0)
    return NULL;
  for (int more = 1; more == 1; more = cql2_take_symbol(lexer, ",")) {
    if (count == 6) {
      cql2_wrong(&lexer->builder, "a box has 4 or 6 numbers");
      return NULL;
    }
    if (read_signed(lexer, &edges[count++]) != 0)
      return NULL;
  }
  if (error_is_set(lexer->builder.error) || cql2_expect(lexer, ")") != 0)
    return NULL;
  return cql2_box(&lexer->builder, edges, count);
}

const struct cql2_node *cql2_read_geometry(struct cql2_lexer *lexer)
{
  const struct cql2_node *node = NULL;
  if (cql2_at_word(lexer, "BBOX"))
    return read_box(lexer);
  json_t *geometry = json_object();
  if (!geometry)
    error_memory(lexer->builder.error);
  else if (read_wkt(lexer, geometry) == 0)
    node = cql2_geometry(&lexer->builder, geometry);
  json_decref(geometry);
  return node;
}
