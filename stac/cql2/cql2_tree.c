/* Nodes are made and checked here. */
#include "stac/cql2/cql2_tree.h"
#include "stac/geojson_shape.h"
#include "stac/json_tree.h"

#include "datacube/base/instant.h"
#include "datacube/lonlat.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct cql2_op_row cql2_ops[CQL2_OP_COUNT] = {
#define OP(name, text, family, least, most) [CQL2_##name] = {text, CQL2_FAMILY_##family, least, most},
#include "stac/cql2/cql2_ops.def"
#undef OP
};

enum cql2_op cql2_op_find(const char *name, size_t length)
{
  int op = 0;
  while (op < CQL2_OP_COUNT &&
         !(strlen(cql2_ops[op].text) == length && strncasecmp(cql2_ops[op].text, name, length) == 0))
    op++;
  return (enum cql2_op)op;
}

int cql2_wrong(struct cql2_builder *b, const char *format, ...)
{
  char place[200] = "", what[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  if (b->place)
    b->place(b, place);
  return error_parameter(b->error, ERROR_FilterInvalid, "filter", "%s%s%s", place, place[0] ? ": " : "", what);
}

int cql2_enter(struct cql2_builder *b)
{
  if (b->depth >= CQL2_MOST_DEPTH)
    return cql2_wrong(b, "the filter is nested too deeply; %d levels are the most", CQL2_MOST_DEPTH);
  b->depth++;
  return 0;
}

void cql2_leave(struct cql2_builder *b)
{
  b->depth--;
}

/* ---- types ------------------------------------------------------------------------------------------------------- */

/* What a node may be, as a set of bits; a property may be anything. */
enum {
  TYPE_BOOLEAN = 1,
  TYPE_NUMBER = 2,
  TYPE_TEXT = 4,
  TYPE_INSTANT = 8,
  TYPE_INTERVAL = 16,
  TYPE_GEOMETRY = 32,
  TYPE_ARRAY = 64,
  TYPE_ANY = 127,
  TYPE_SCALAR = TYPE_BOOLEAN | TYPE_NUMBER | TYPE_TEXT | TYPE_INSTANT
};

static unsigned type_of(const struct cql2_node *node)
{
  static const unsigned kinds[] = {[CQL2_BOOLEAN] = TYPE_BOOLEAN,
                                   [CQL2_NUMBER] = TYPE_NUMBER,
                                   [CQL2_TEXT] = TYPE_TEXT,
                                   [CQL2_INSTANT] = TYPE_INSTANT,
                                   [CQL2_OPEN] = 0,
                                   [CQL2_INTERVAL] = TYPE_INTERVAL,
                                   [CQL2_GEOMETRY] = TYPE_GEOMETRY,
                                   [CQL2_ARRAY] = TYPE_ARRAY,
                                   [CQL2_PROPERTY] = TYPE_ANY};
  if (node->kind != CQL2_OPERATION)
    return kinds[node->kind];
  switch (cql2_ops[node->op].family) {
  case CQL2_FAMILY_TEXT:
    return TYPE_TEXT;
  case CQL2_FAMILY_ARITHMETIC:
    return TYPE_NUMBER;
  default:
    return TYPE_BOOLEAN;
  }
}

static const char *type_name(unsigned type)
{
  static const char *const names[] = {"true or false", "a number",   "a text",  "a date or timestamp",
                                      "an interval",   "a geometry", "an array"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (type & 1u << i)
      return names[i];
  return "nothing";
}

/* What an operand may be. */
static unsigned wanted_type(enum cql2_op op, size_t operand)
{
  switch (cql2_ops[op].family) {
  case CQL2_FAMILY_LOGIC:
    return TYPE_BOOLEAN;
  case CQL2_FAMILY_TEXT:
    return TYPE_TEXT;
  case CQL2_FAMILY_ARITHMETIC:
    return TYPE_NUMBER;
  case CQL2_FAMILY_SPATIAL:
    return TYPE_GEOMETRY;
  case CQL2_FAMILY_TEMPORAL:
    return TYPE_INSTANT | TYPE_INTERVAL;
  case CQL2_FAMILY_ARRAY:
    return TYPE_ARRAY;
  case CQL2_FAMILY_COMPARISON:
    break;
  }
  if (op == CQL2_LIKE)
    return TYPE_TEXT;
  if (op == CQL2_IS_NULL)
    return TYPE_ANY;
  return op == CQL2_IN && operand == 1 ? TYPE_ARRAY : TYPE_SCALAR;
}

static int check_operands(struct cql2_builder *b, enum cql2_op op, const struct cql2_node *const *parts, size_t count)
{
  const struct cql2_op_row *row = &cql2_ops[op];
  if (count < row->least || (row->most && count > row->most))
    return cql2_wrong(b, "'%s' has %zu operands, and takes %zu%s", row->text, count, row->least,
                      row->most ? "" : " or more");
  for (size_t i = 0; i < count; i++)
    if (!(type_of(parts[i]) & wanted_type(op, i)))
      return cql2_wrong(b, "operand %zu of '%s' is %s, and must be %s", i + 1, row->text, type_name(type_of(parts[i])),
                        type_name(wanted_type(op, i)));
  return 0;
}

/* Scalars that are compared are of one type. */
static int check_alike(struct cql2_builder *b, enum cql2_op op, const struct cql2_node *const *parts, size_t count)
{
  unsigned common = type_of(parts[0]) & TYPE_SCALAR;
  const bool in = op == CQL2_IN;
  const struct cql2_node *const *others = in ? parts[1]->parts : parts + 1;
  for (size_t i = 0; i < (in ? parts[1]->count : count - 1); i++) {
    if (!(common & type_of(others[i])))
      return cql2_wrong(b, "'%s' compares %s with %s", cql2_ops[op].text, type_name(common),
                        type_name(type_of(others[i])));
    common &= type_of(others[i]);
  }
  return 0;
}

/* A pattern is a literal, with casei and accenti around it perhaps. */
static int check_pattern(struct cql2_builder *b, const struct cql2_node *pattern)
{
  size_t characters = 0;
  while (pattern->kind == CQL2_OPERATION)
    pattern = pattern->parts[0];
  if (pattern->kind != CQL2_TEXT)
    return cql2_wrong(b, "the pattern of 'like' is a literal text");
  for (size_t i = 0; i < pattern->length; i++)
    characters += ((unsigned char)pattern->text[i] & 0xC0) != 0x80;
  if (characters > CQL2_MOST_PATTERN)
    return cql2_wrong(b, "a pattern of 'like' has at most %d characters", CQL2_MOST_PATTERN);
  return 0;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

static struct cql2_node *new_node(struct cql2_builder *b, enum cql2_kind kind)
{
  if (++b->nodes > CQL2_MOST_NODES) {
    cql2_wrong(b, "the filter has more than %d parts", CQL2_MOST_NODES);
    return NULL;
  }
  struct cql2_node *node = ARENA_NEW(b->arena, struct cql2_node);
  if (!node) {
    error_memory(b->error);
    return NULL;
  }
  node->kind = kind;
  node->depth = 1;
  return node;
}

static struct cql2_node *new_text(struct cql2_builder *b, enum cql2_kind kind, const char *text, size_t length)
{
  struct cql2_node *node = new_node(b, kind);
  if (!node)
    return NULL;
  node->text = arena_strndup(b->arena, text, length);
  node->length = length;
  if (!node->text) {
    error_memory(b->error);
    return NULL;
  }
  return node;
}

static struct cql2_node *new_parts(struct cql2_builder *b, enum cql2_kind kind, const struct cql2_node *const *parts,
                                   size_t count)
{
  struct cql2_node *node = new_node(b, kind);
  if (!node)
    return NULL;
  node->parts = parts;
  node->count = count;
  for (size_t i = 0; i < count; i++)
    if (parts[i]->depth >= node->depth)
      node->depth = parts[i]->depth + 1;
  if (node->depth > CQL2_MOST_DEPTH) {
    cql2_wrong(b, "the filter is nested too deeply; %d levels are the most", CQL2_MOST_DEPTH);
    return NULL;
  }
  return node;
}

const struct cql2_node *cql2_boolean(struct cql2_builder *b, bool value)
{
  struct cql2_node *node = new_node(b, CQL2_BOOLEAN);
  if (node)
    node->number = value;
  return node;
}

const struct cql2_node *cql2_number(struct cql2_builder *b, double value)
{
  struct cql2_node *node = new_node(b, CQL2_NUMBER);
  if (!node)
    return NULL;
  node->number = value;
  if (!isfinite(value)) {
    cql2_wrong(b, "the number is too large");
    return NULL;
  }
  return node;
}

const struct cql2_node *cql2_text(struct cql2_builder *b, const char *text, size_t length)
{
  return new_text(b, CQL2_TEXT, text, length);
}

int cql2_note_property(struct cql2_builder *b, const char *name)
{
  for (size_t i = 0; i < b->property_count; i++)
    if (strcmp(b->properties[i], name) == 0)
      return 0;
  if (b->property_count == 500)
    return cql2_wrong(b, "the filter looks at more than 500 properties");
  const char **grown = arena_grow(b->arena, b->properties, b->property_count, &b->property_room, sizeof *b->properties);
  if (!grown)
    return error_memory(b->error);
  b->properties = grown;
  b->properties[b->property_count++] = name;
  return 0;
}

const struct cql2_node *cql2_property(struct cql2_builder *b, const char *name, size_t length)
{
  static const char prefix[] = "properties.";
  if (length > sizeof prefix - 1 && memcmp(name, prefix, sizeof prefix - 1) == 0) {
    name += sizeof prefix - 1;
    length -= sizeof prefix - 1;
  }
  if (length == 0 || length > 300) {
    cql2_wrong(b, "the name of a property has 1 to 300 bytes");
    return NULL;
  }
  struct cql2_node *node = new_text(b, CQL2_PROPERTY, name, length);
  return node && cql2_note_property(b, node->text) == 0 ? node : NULL;
}

bool cql2_read_instant(const char *text, bool *is_date, struct cql2_span *out)
{
  const size_t length = strlen(text);
  if (length < 10 || length > 40 || instant_parse(text, CALENDAR_GREGORIAN, &out->first) != 0 ||
      out->first <= -CQL2_FAR || out->first >= CQL2_FAR)
    return false;
  *is_date = !strchr(text, 'T') && !strchr(text, 't') && !strchr(text, ' ');
  out->last = *is_date ? out->first + MS_PER_DAY - 1 : out->first;
  return true;
}

const struct cql2_node *cql2_instant(struct cql2_builder *b, bool is_date, const char *text, size_t length)
{
  struct cql2_node *node = new_text(b, CQL2_INSTANT, text, length);
  if (!node)
    return NULL;
  if (cql2_read_instant(node->text, &node->is_date, &node->span) && node->is_date == is_date)
    return node;
  cql2_wrong(b, "'%.60s' is no %s", node->text, is_date ? "date (2020-01-31)" : "timestamp (2020-01-31T12:00:00Z)");
  return NULL;
}

const struct cql2_node *cql2_interval_end(struct cql2_builder *b, const char *text, size_t length)
{
  struct cql2_span span;
  bool is_date = false;
  if (length == 2 && memcmp(text, "..", 2) == 0)
    return new_node(b, CQL2_OPEN);
  const char *copy = arena_strndup(b->arena, text, length);
  if (!copy) {
    error_memory(b->error);
    return NULL;
  }
  cql2_read_instant(copy, &is_date, &span);
  return cql2_instant(b, is_date, text, length);
}

const struct cql2_node *cql2_interval(struct cql2_builder *b, const struct cql2_node *start,
                                      const struct cql2_node *end)
{
  const struct cql2_node **parts = ARENA_ARRAY(b->arena, const struct cql2_node *, 2);
  if (!parts) {
    error_memory(b->error);
    return NULL;
  }
  if (start->kind == CQL2_INSTANT && end->kind == CQL2_INSTANT && start->span.first > end->span.last) {
    cql2_wrong(b, "the interval ends before it starts");
    return NULL;
  }
  parts[0] = start;
  parts[1] = end;
  return new_parts(b, CQL2_INTERVAL, parts, 2);
}

const struct cql2_node *cql2_array(struct cql2_builder *b, const struct cql2_node *const *parts, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (parts[i]->kind == CQL2_GEOMETRY || parts[i]->kind == CQL2_INTERVAL) {
      cql2_wrong(b, "an array holds no geometries or intervals");
      return NULL;
    }
  return new_parts(b, CQL2_ARRAY, parts, count);
}

const struct cql2_node *cql2_geometry(struct cql2_builder *b, const json_t *geojson)
{
  struct cql2_node *node = new_node(b, CQL2_GEOMETRY);
  struct error reason = {0};
  struct buffer text = {.limit = (size_t)64 << 20};
  if (!node)
    return NULL;
  if (geojson_shape_read(b->arena, geojson, &node->shape, &reason) != 0) {
    if (error_is(&reason, ERROR_Internal))
      error_memory(b->error);
    cql2_wrong(b, "%s", reason.message);
    return NULL;
  }
  json_tree_write(&(struct json_writer){.out = &text}, geojson);
  node->text = text.failed ? NULL : arena_strndup(b->arena, text.data, text.length);
  node->length = text.length;
  node->shape_index = b->shapes++;
  buffer_free(&text);
  if (!node->text) {
    error_memory(b->error);
    return NULL;
  }
  return node;
}

/* A box without width or height is a line or a point: polygons have an inside. */
static void write_flat_box(struct json_writer *w, const double edges[4])
{
  const bool is_point = edges[0] == edges[2] && edges[1] == edges[3];
  json_key(w, "geometry");
  json_write_object(w);
  json_kv_string(w, "type", is_point ? "Point" : "LineString");
  json_key(w, "coordinates");
  if (!is_point)
    json_write_array(w);
  for (int i = 0; i < (is_point ? 1 : 2); i++) {
    json_write_array(w);
    json_write_number(w, edges[2 * i]);
    json_write_number(w, edges[2 * i + 1]);
    json_end_array(w);
  }
  if (!is_point)
    json_end_array(w);
  json_end_object(w);
}

/* The writer of boxes makes two polygons where one crosses the antimeridian. */
static json_t *box_geometry(const double edges[4], bool crosses)
{
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  const struct extent box = {edges[0], edges[1], crosses ? edges[2] + 360 : edges[2], edges[3], NULL};
  json_write_object(&w);
  if (edges[0] == edges[2] || edges[1] == edges[3])
    write_flat_box(&w, edges);
  else
    lonlat_write_geometry(&box, &w);
  json_end_object(&w);
  json_t *whole = text.failed ? NULL : json_loadb(text.data, text.length, 0, NULL);
  json_t *geometry = json_incref(json_object_get(whole, "geometry"));
  json_decref(whole);
  buffer_free(&text);
  return geometry;
}

const struct cql2_node *cql2_box(struct cql2_builder *b, const double *e, size_t count)
{
  const size_t half = count / 2;
  if (count != 4 && count != 6) {
    cql2_wrong(b, "a box has 4 or 6 numbers");
    return NULL;
  }
  const double edges[] = {e[0], e[1], e[half], e[half + 1]};
  const bool crosses = edges[0] > edges[2];
  if (edges[1] > edges[3] || (half == 3 && e[2] > e[5]) ||
      (crosses && (edges[0] > 180 || edges[2] < -180 || edges[1] == edges[3]))) {
    cql2_wrong(b, "the box ends before it starts");
    return NULL;
  }
  json_t *geometry = box_geometry(edges, crosses);
  if (!geometry) {
    error_memory(b->error);
    return NULL;
  }
  const struct cql2_node *node = cql2_geometry(b, geometry);
  json_decref(geometry);
  return node;
}

const struct cql2_node *cql2_operation(struct cql2_builder *b, enum cql2_op op, const struct cql2_node *const *parts,
                                       size_t count)
{
  const bool compares = op == CQL2_IN || op == CQL2_BETWEEN || (op >= CQL2_EQUAL && op <= CQL2_AT_LEAST);
  if (check_operands(b, op, parts, count) != 0)
    return NULL;
  if (op == CQL2_IN && parts[1]->kind != CQL2_ARRAY) {
    cql2_wrong(b, "'in' takes a list");
    return NULL;
  }
  if (compares && check_alike(b, op, parts, count) != 0)
    return NULL;
  if (op == CQL2_LIKE && check_pattern(b, parts[1]) != 0)
    return NULL;
  struct cql2_node *node = new_parts(b, CQL2_OPERATION, parts, count);
  if (node)
    node->op = op;
  return node;
}

int cql2_finish(struct cql2_builder *b, const struct cql2_node *root, const struct cql2_filter **out)
{
  if (!root)
    return -1;
  if (!(type_of(root) & TYPE_BOOLEAN))
    return cql2_wrong(b, "a filter says true or false, and this is %s", type_name(type_of(root)));
  struct cql2_filter *filter = ARENA_NEW(b->arena, struct cql2_filter);
  if (!filter)
    return error_memory(b->error);
  *filter = (struct cql2_filter){root, b->shapes, b->properties, b->property_count};
  *out = filter;
  return 0;
}

const char *const *cql2_properties(const struct cql2_filter *filter, size_t *count)
{
  *count = filter->property_count;
  return filter->properties;
}
