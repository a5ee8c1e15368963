/* Trees as text and as JSON. What is printed reads back as the same tree, but for texts with a backslash before a quote
 * or at their end: CQL2 text has no way to write these. */
#include "stac/cql2/cql2_tree.h"
#include "stac/json_tree.h"

#include <string.h>

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void write_member(struct json_writer *w, const char *key, const char *text)
{
  json_write_object(w);
  json_kv_string(w, key, text);
  json_end_object(w);
}

static void write_node(struct json_writer *w, const struct cql2_node *node);

static void write_parts(struct json_writer *w, const struct cql2_node *node)
{
  json_write_array(w);
  for (size_t i = 0; i < node->count; i++)
    write_node(w, node->parts[i]);
  json_end_array(w);
}

static void write_interval(struct json_writer *w, const struct cql2_node *node)
{
  json_write_object(w);
  json_key(w, "interval");
  json_write_array(w);
  for (size_t i = 0; i < node->count; i++)
    if (node->parts[i]->kind == CQL2_PROPERTY)
      write_node(w, node->parts[i]);
    else
      json_write_string(w, node->parts[i]->kind == CQL2_OPEN ? ".." : node->parts[i]->text);
  json_end_array(w);
  json_end_object(w);
}

static void write_node(struct json_writer *w, const struct cql2_node *node)
{
  switch (node->kind) {
  case CQL2_BOOLEAN:
    json_write_bool(w, node->number != 0);
    break;
  case CQL2_NUMBER:
    json_write_number(w, node->number);
    break;
  case CQL2_TEXT:
    json_write_string_n(w, node->text, node->length);
    break;
  case CQL2_INSTANT:
    write_member(w, node->is_date ? "date" : "timestamp", node->text);
    break;
  case CQL2_OPEN:
    json_write_string(w, "..");
    break;
  case CQL2_INTERVAL:
    write_interval(w, node);
    break;
  case CQL2_GEOMETRY:
    json_write_raw(w, node->text, node->length);
    break;
  case CQL2_ARRAY:
    write_parts(w, node);
    break;
  case CQL2_PROPERTY:
    write_member(w, "property", node->text);
    break;
  case CQL2_OPERATION:
    json_write_object(w);
    json_kv_string(w, "op", cql2_ops[node->op].text);
    json_key(w, "args");
    write_parts(w, node);
    json_end_object(w);
  }
}

void cql2_write_json(const struct cql2_filter *filter, struct json_writer *out)
{
  write_node(out, filter->root);
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static void print_quoted(struct buffer *out, char quote, const char *text, size_t length)
{
  buffer_add(out, &quote, 1);
  for (size_t i = 0; i < length; i++) {
    if (text[i] == quote)
      buffer_add(out, &quote, 1);
    buffer_add(out, &text[i], 1);
  }
  buffer_add(out, &quote, 1);
}

static void print_number(struct buffer *out, double number)
{
  char digits[32];
  number_format(number, digits);
  buffer_text(out, digits);
}

static void print_positions(struct buffer *out, const json_t *list)
{
  const bool is_position = json_is_number(json_array_get(list, 0));
  if (!is_position)
    buffer_text(out, "(");
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *member = json_array_get(list, i);
    buffer_text(out, i == 0 ? "" : is_position ? " " : ", ");
    if (is_position && i < 3)
      print_number(out, json_number_value(member));
    else if (!is_position)
      print_positions(out, member);
  }
  if (!is_position)
    buffer_text(out, ")");
}

/* The names of types are those of well-known text, in small and capital letters. */
static void print_geometry(struct buffer *out, const json_t *geometry)
{
  const json_t *members = json_object_get(geometry, "geometries"), *list = json_object_get(geometry, "coordinates");
  const char *type = json_tree_text(geometry, "type");
  for (; *type; type++)
    buffer_printf(out, "%c", *type >= 'a' ? *type - ('a' - 'A') : *type);
  if (json_array_size(members) == 0 && json_array_size(list) == 0) {
    buffer_text(out, " EMPTY");
    return;
  }
  const bool is_point = json_is_number(json_array_get(list, 0));
  if (members || is_point)
    buffer_text(out, "(");
  if (!members)
    print_positions(out, list);
  for (size_t i = 0; i < json_array_size(members); i++) {
    buffer_text(out, i ? ", " : "");
    print_geometry(out, json_array_get(members, i));
  }
  if (members || is_point)
    buffer_text(out, ")");
}

static void print_shape(struct buffer *out, const struct cql2_node *node)
{
  json_t *geometry = json_loadb(node->text, node->length, 0, NULL);
  if (geometry)
    print_geometry(out, geometry);
  else
    out->failed = true;
  json_decref(geometry);
}

static void print_node(struct buffer *out, const struct cql2_node *node);

static void print_list(struct buffer *out, const struct cql2_node *node, const char *between)
{
  buffer_text(out, "(");
  for (size_t i = 0; i < node->count; i++) {
    buffer_text(out, i ? between : "");
    print_node(out, node->parts[i]);
  }
  buffer_text(out, ")");
}

static void print_operand(struct buffer *out, const struct cql2_node *node)
{
  const bool is_infix = node->kind == CQL2_OPERATION && cql2_ops[node->op].family <= CQL2_FAMILY_ARITHMETIC &&
                        cql2_ops[node->op].family != CQL2_FAMILY_TEXT;
  if (is_infix)
    buffer_text(out, "(");
  print_node(out, node);
  if (is_infix)
    buffer_text(out, ")");
}

static void print_operation(struct buffer *out, const struct cql2_node *node)
{
  const struct cql2_op_row *row = &cql2_ops[node->op];
  if (row->family >= CQL2_FAMILY_SPATIAL || row->family == CQL2_FAMILY_TEXT) {
    for (const char *c = row->text; *c; c++)
      buffer_printf(out, "%c", *c >= 'a' && *c <= 'z' ? *c - ('a' - 'A') : *c);
    print_list(out, node, ", ");
    return;
  }
  if (node->op == CQL2_NOT)
    buffer_text(out, "NOT ");
  print_operand(out, node->parts[0]);
  if (node->op == CQL2_IS_NULL)
    buffer_text(out, " IS NULL");
  for (size_t i = 1; i < node->count; i++) {
    const char *name = node->op == CQL2_AND || (node->op == CQL2_BETWEEN && i == 2) ? "AND"
                       : node->op == CQL2_OR                                        ? "OR"
                       : node->op == CQL2_BETWEEN                                   ? "BETWEEN"
                       : node->op == CQL2_LIKE                                      ? "LIKE"
                       : node->op == CQL2_IN                                        ? "IN"
                                                                                    : row->text;
    buffer_printf(out, " %s ", name);
    print_operand(out, node->parts[i]);
  }
}

static void print_interval(struct buffer *out, const struct cql2_node *node)
{
  buffer_text(out, "INTERVAL(");
  for (size_t i = 0; i < node->count; i++) {
    const struct cql2_node *end = node->parts[i];
    buffer_text(out, i ? ", " : "");
    if (end->kind == CQL2_PROPERTY)
      print_node(out, end);
    else
      print_quoted(out, '\'', end->kind == CQL2_OPEN ? ".." : end->text, end->kind == CQL2_OPEN ? 2 : end->length);
  }
  buffer_text(out, ")");
}

static void print_node(struct buffer *out, const struct cql2_node *node)
{
  switch (node->kind) {
  case CQL2_BOOLEAN:
    buffer_text(out, node->number != 0 ? "TRUE" : "FALSE");
    break;
  case CQL2_NUMBER:
    print_number(out, node->number);
    break;
  case CQL2_TEXT:
    print_quoted(out, '\'', node->text, node->length);
    break;
  case CQL2_INSTANT:
    buffer_text(out, node->is_date ? "DATE(" : "TIMESTAMP(");
    print_quoted(out, '\'', node->text, node->length);
    buffer_text(out, ")");
    break;
  case CQL2_OPEN:
    break; /* of intervals only */
  case CQL2_INTERVAL:
    print_interval(out, node);
    break;
  case CQL2_GEOMETRY:
    print_shape(out, node);
    break;
  case CQL2_ARRAY:
    print_list(out, node, ", ");
    break;
  case CQL2_PROPERTY:
    print_quoted(out, '"', node->text, node->length);
    break;
  case CQL2_OPERATION:
    print_operation(out, node);
  }
}

void cql2_write_text(const struct cql2_filter *filter, struct buffer *out)
{
  print_node(out, filter->root);
}
