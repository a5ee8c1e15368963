/* CQL2 JSON to a tree. */
#include "stac/cql2/cql2_tree.h"
#include "stac/json_tree.h"

#include <stdio.h>
#include <string.h>

struct cql2_json_reader {
  struct cql2_builder builder;      /* first */
  size_t path[CQL2_MOST_DEPTH + 1]; /* of each level the argument that is read */
};

static const struct cql2_node *read_node(struct cql2_json_reader *reader, const json_t *json);

static void write_path(const struct cql2_builder *builder, char out[200])
{
  const struct cql2_json_reader *reader = (const struct cql2_json_reader *)builder;
  size_t length = 0;
  out[0] = '\0';
  for (unsigned i = 0; i < builder->depth && length < 180; i++)
    length += (size_t)snprintf(out + length, 200 - length, "%sargs[%zu]", i ? "." : "", reader->path[i]);
}

static const struct cql2_node *wrong(struct cql2_json_reader *reader, const char *what)
{
  cql2_wrong(&reader->builder, "%s", what);
  return NULL;
}

/* Elements of an array as nodes in the arena; their count is the array's size. */
static const struct cql2_node **read_nodes(struct cql2_json_reader *reader, const json_t *array)
{
  const size_t count = json_array_size(array);
  if (count > CQL2_MOST_NODES) {
    wrong(reader, "the list is too long");
    return NULL;
  }
  const struct cql2_node **nodes = ARENA_ARRAY(reader->builder.arena, const struct cql2_node *, count + 1);
  if (!nodes) {
    error_memory(reader->builder.error);
    return NULL;
  }
  if (cql2_enter(&reader->builder) != 0)
    return NULL;
  for (size_t i = 0; i < count; i++) {
    reader->path[reader->builder.depth - 1] = i;
    nodes[i] = read_node(reader, json_array_get(array, i));
    if (!nodes[i])
      return NULL;
  }
  cql2_leave(&reader->builder);
  return nodes;
}

/* Drafts of the standard, and clients that keep to them, have the bounds of "between" in an array. */
static const struct cql2_node *read_bounds(struct cql2_json_reader *reader, const struct cql2_node **parts)
{
  const struct cql2_node **all = ARENA_ARRAY(reader->builder.arena, const struct cql2_node *, 3);
  if (!all) {
    error_memory(reader->builder.error);
    return NULL;
  }
  if (parts[1]->kind != CQL2_ARRAY || parts[1]->count != 2)
    return cql2_operation(&reader->builder, CQL2_BETWEEN, parts, 2);
  all[0] = parts[0];
  all[1] = parts[1]->parts[0];
  all[2] = parts[1]->parts[1];
  return cql2_operation(&reader->builder, CQL2_BETWEEN, all, 3);
}

static const struct cql2_node *read_operation(struct cql2_json_reader *reader, const json_t *json)
{
  const char *name = json_tree_text(json, "op");
  const json_t *args = json_tree_array(json, "args");
  const enum cql2_op op = name ? cql2_op_find(name, strlen(name)) : CQL2_OP_COUNT;
  if (op == CQL2_OP_COUNT) {
    cql2_wrong(&reader->builder, "there is no operation '%.60s'", name ? name : "");
    return NULL;
  }
  if (!args)
    return wrong(reader, "an operation has 'args', an array");
  const struct cql2_node **parts = read_nodes(reader, args);
  if (parts && op == CQL2_BETWEEN && json_array_size(args) == 2)
    return read_bounds(reader, parts);
  return parts ? cql2_operation(&reader->builder, op, parts, json_array_size(args)) : NULL;
}

static const struct cql2_node *read_interval_end(struct cql2_json_reader *reader, const json_t *json)
{
  if (json_is_string(json))
    return cql2_interval_end(&reader->builder, json_string_value(json), json_string_length(json));
  const struct cql2_node *node = json_is_object(json) ? read_node(reader, json) : NULL;
  if (!node || node->kind == CQL2_PROPERTY || node->kind == CQL2_INSTANT)
    return node ? node : wrong(reader, "an end of an interval is a text or a property");
  return wrong(reader, "an end of an interval is a date, '..' or a property");
}

static const struct cql2_node *read_interval(struct cql2_json_reader *reader, const json_t *ends)
{
  if (json_array_size(ends) != 2)
    return wrong(reader, "an interval has two ends");
  const struct cql2_node *start = read_interval_end(reader, json_array_get(ends, 0));
  const struct cql2_node *end = start ? read_interval_end(reader, json_array_get(ends, 1)) : NULL;
  return end ? cql2_interval(&reader->builder, start, end) : NULL;
}

static const struct cql2_node *read_box(struct cql2_json_reader *reader, const json_t *box)
{
  double edges[6];
  const size_t count = json_array_size(box);
  for (size_t i = 0; i < count && i < 6; i++) {
    if (!json_is_number(json_array_get(box, i)))
      return wrong(reader, "a box is an array of numbers");
    edges[i] = json_number_value(json_array_get(box, i));
  }
  return cql2_box(&reader->builder, edges, count);
}

static const struct cql2_node *read_object(struct cql2_json_reader *reader, const json_t *json)
{
  struct cql2_builder *b = &reader->builder;
  const char *property = json_tree_text(json, "property"), *date = json_tree_text(json, "date");
  const char *timestamp = json_tree_text(json, "timestamp");
  if (json_object_get(json, "op"))
    return read_operation(reader, json);
  if (property)
    return cql2_property(b, property, strlen(property));
  if (date || timestamp)
    return cql2_instant(b, date != NULL, date ? date : timestamp, strlen(date ? date : timestamp));
  if (json_object_get(json, "interval"))
    return read_interval(reader, json_object_get(json, "interval"));
  if (json_object_get(json, "type"))
    return cql2_geometry(b, json);
  if (json_object_get(json, "bbox"))
    return read_box(reader, json_object_get(json, "bbox"));
  return wrong(reader, "an object has 'op', 'property', 'date', 'timestamp', 'interval', 'bbox', or is a geometry");
}

static const struct cql2_node *read_node(struct cql2_json_reader *reader, const json_t *json)
{
  struct cql2_builder *b = &reader->builder;
  if (json_is_object(json))
    return read_object(reader, json);
  if (json_is_array(json)) {
    const struct cql2_node **parts = read_nodes(reader, json);
    return parts ? cql2_array(b, parts, json_array_size(json)) : NULL;
  }
  if (json_is_string(json))
    return cql2_text(b, json_string_value(json), json_string_length(json));
  if (json_is_number(json))
    return cql2_number(b, json_number_value(json));
  return json_is_boolean(json) ? cql2_boolean(b, json_is_true(json)) : wrong(reader, "null is no operand");
}

int cql2_of_json(struct arena *arena, const json_t *json, const struct cql2_filter **out, struct error *error)
{
  struct cql2_json_reader *reader = ARENA_NEW(arena, struct cql2_json_reader);
  if (!reader)
    return error_memory(error);
  reader->builder = (struct cql2_builder){.arena = arena, .error = error, .place = write_path};
  const struct cql2_node *root = read_node(reader, json);
  return cql2_finish(&reader->builder, root, out);
}

int cql2_of_json_text(struct arena *arena, const char *text, size_t length, const struct cql2_filter **out,
                      struct error *error)
{
  json_error_t reason;
  if (length > CQL2_MOST_BYTES)
    return error_parameter(error, ERROR_FilterInvalid, "filter", "a filter has at most %d bytes", CQL2_MOST_BYTES);
  json_t *json = json_loadb(text, length, JSON_DECODE_ANY, &reason);
  if (!json)
    return error_parameter(error, ERROR_FilterInvalid, "filter", "at character %d: this is no JSON: %s",
                           reason.position, reason.text);
  int status = cql2_of_json(arena, json, out, error);
  json_decref(json);
  return status;
}

/* ---- joining ----------------------------------------------------------------------------------------------------- */

/* Geometries of the second filter are numbered behind those of the first. */
static const struct cql2_node *renumbered(struct cql2_builder *b, const struct cql2_node *node, size_t by)
{
  if (by == 0 || (node->kind != CQL2_GEOMETRY && node->count == 0))
    return node;
  struct cql2_node *copy = arena_copy(b->arena, node, sizeof *node);
  const struct cql2_node **parts = ARENA_ARRAY(b->arena, const struct cql2_node *, node->count + 1);
  if (!copy || !parts) {
    error_memory(b->error);
    return NULL;
  }
  copy->shape_index += by;
  copy->parts = parts;
  for (size_t i = 0; i < node->count; i++)
    if (!(parts[i] = renumbered(b, node->parts[i], by)))
      return NULL;
  return copy;
}

int cql2_both(struct arena *arena, const struct cql2_filter *a, const struct cql2_filter *b,
              const struct cql2_filter **out, struct error *error)
{
  struct cql2_builder builder = {.arena = arena, .error = error};
  const struct cql2_node **parts = ARENA_ARRAY(arena, const struct cql2_node *, 2);
  if (!parts)
    return error_memory(error);
  parts[0] = a->root;
  parts[1] = renumbered(&builder, b->root, a->shapes);
  builder.shapes = a->shapes + b->shapes;
  for (size_t i = 0; i < a->property_count + b->property_count; i++) {
    const char *name = i < a->property_count ? a->properties[i] : b->properties[i - a->property_count];
    if (cql2_note_property(&builder, name) != 0)
      return -1;
  }
  return parts[1] ? cql2_finish(&builder, cql2_operation(&builder, CQL2_AND, parts, 2), out) : -1;
}
