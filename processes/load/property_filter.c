/* What a condition says of null or of another type differs from CQL2 where something is negated; so nothing that
 * negates is said. Texts that are dates are not said either: others may compare them as dates. */
#include "processes/load/property_filter.h"
#include "processes/graph/bound.h"

#include "datacube/base/buffer.h"
#include "datacube/base/instant.h"

#include <string.h>

enum { MOST_STEPS = 200 }; /* of one condition */

struct saying {
  struct json_writer writer;
  const char *property;
  const struct bound *bound;
  size_t steps;
};

static const struct expression *argument_of(const struct graph_node *node, const char *name)
{
  for (size_t i = 0; i < node->argument_count; i++)
    if (strcmp(node->names[i], name) == 0)
      return &node->arguments[i];
  return NULL;
}

static bool is_property(const struct expression *argument)
{
  return argument && argument->kind == EXPRESSION_PARAMETER && strcmp(argument->name, "value") == 0;
}

/* A host value, or NULL. */
static const struct value *literal_of(const struct expression *argument)
{
  return argument && argument->kind == EXPRESSION_VALUE ? &argument->value : NULL;
}

static bool is_number(const struct value *value)
{
  return value && value->kind == VALUE_NUMBER;
}

static bool is_plain_text(const struct value *value)
{
  int64_t instant;
  return value && value->kind == VALUE_TEXT && instant_parse(value->text, CALENDAR_GREGORIAN, &instant) != 0;
}

static bool is_false(const struct value *value)
{
  return value && value->kind == VALUE_BOOLEAN && !value->boolean;
}

static void begin(struct saying *s, const char *op)
{
  json_write_object(&s->writer);
  json_kv_string(&s->writer, "op", op);
  json_key(&s->writer, "args");
  json_write_array(&s->writer);
}

static void end(struct saying *s)
{
  json_end_array(&s->writer);
  json_end_object(&s->writer);
}

static void write_property(struct saying *s)
{
  json_write_object(&s->writer);
  json_kv_string(&s->writer, "property", s->property);
  json_end_object(&s->writer);
}

/* The property beside a literal, whichever comes first. */
static bool say_comparison(struct saying *s, const struct graph_node *node, const char *op)
{
  const struct expression *x = argument_of(node, "x"), *y = argument_of(node, "y");
  const struct value *literal = literal_of(is_property(x) ? y : x);
  const bool equal = strcmp(op, "=") == 0;
  const struct value *delta = literal_of(argument_of(node, "delta"));
  if (is_property(x) == is_property(y) || !(is_number(literal) || (equal && is_plain_text(literal))) ||
      is_false(literal_of(argument_of(node, "case_sensitive"))) || (delta && delta->kind != VALUE_NULL))
    return false;
  begin(s, op);
  if (is_property(x))
    write_property(s);
  value_write(literal, &s->writer);
  if (!is_property(x))
    write_property(s);
  end(s);
  return true;
}

static bool say_between(struct saying *s, const struct graph_node *node)
{
  const struct value *low = literal_of(argument_of(node, "min")), *high = literal_of(argument_of(node, "max"));
  if (!is_property(argument_of(node, "x")) || !is_number(low) || !is_number(high))
    return false;
  begin(s, "between");
  write_property(s);
  value_write(low, &s->writer);
  value_write(high, &s->writer);
  end(s);
  return true;
}

/* Elements of one type. */
static bool say_contains(struct saying *s, const struct graph_node *node)
{
  const struct value *list = literal_of(argument_of(node, "data"));
  if (!is_property(argument_of(node, "value")) || !list || list->kind != VALUE_ARRAY || list->count == 0)
    return false;
  for (size_t i = 0; i < list->count; i++)
    if (list->items[i].kind != list->items[0].kind || !(is_number(&list->items[i]) || is_plain_text(&list->items[i])))
      return false;
  begin(s, "in");
  write_property(s);
  value_write(list, &s->writer);
  end(s);
  return true;
}

static bool say_begins(struct saying *s, const struct graph_node *node)
{
  const struct value *pattern = literal_of(argument_of(node, "pattern"));
  if (!is_property(argument_of(node, "data")) || !pattern || pattern->kind != VALUE_TEXT ||
      strlen(pattern->text) > 100 || is_false(literal_of(argument_of(node, "case_sensitive"))))
    return false;
  struct buffer like = {0};
  for (const char *c = pattern->text; *c; c++)
    buffer_printf(&like, "%s%c", *c == '%' || *c == '_' || *c == '\\' ? "\\" : "", *c);
  buffer_text(&like, "%");
  begin(s, "like");
  write_property(s);
  json_write_string(&s->writer, like.failed ? NULL : like.data);
  end(s);
  buffer_free(&like);
  return true;
}

static bool say_node(struct saying *s, size_t index);

static bool say_operand(struct saying *s, const struct expression *argument)
{
  const size_t index =
      argument && argument->kind == EXPRESSION_NODE ? graph_find(s->bound->graph, argument->name) : SIZE_MAX;
  return index != SIZE_MAX && say_node(s, index);
}

static bool say_joined(struct saying *s, const struct graph_node *node)
{
  begin(s, node->process);
  if (!say_operand(s, argument_of(node, "x")) || !say_operand(s, argument_of(node, "y")))
    return false;
  end(s);
  return true;
}

static bool say_node(struct saying *s, size_t index)
{
  static const struct {
    const char *process, *op;
  } comparisons[] = {{"eq", "="}, {"lt", "<"}, {"gt", ">"}, {"lte", "<="}, {"gte", ">="}};
  const struct graph_node *node = &s->bound->graph->nodes[index];
  if (++s->steps > MOST_STEPS || node->space || s->bound->nodes[index].body)
    return false;
  for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
    if (strcmp(node->process, comparisons[i].process) == 0)
      return say_comparison(s, node, comparisons[i].op);
  if (strcmp(node->process, "and") == 0 || strcmp(node->process, "or") == 0)
    return say_joined(s, node);
  return strcmp(node->process, "between") == 0          ? say_between(s, node)
         : strcmp(node->process, "array_contains") == 0 ? say_contains(s, node)
         : strcmp(node->process, "text_begins") == 0    ? say_begins(s, node)
                                                        : false;
}

/* One condition; what cannot be said, or not be read, is none. */
static int add_condition(struct call *call, const char *property, const struct callback *callback,
                         const struct cql2_filter **out)
{
  struct buffer text = {0};
  struct error reason = {0};
  const struct cql2_filter *filter = NULL;
  struct saying s = {.writer = {.out = &text}, .property = property, .bound = callback->bound};
  const bool said = say_node(&s, callback->bound->result) && !text.failed &&
                    cql2_of_json_text(call->arena, text.data, text.length, &filter, &reason) == 0;
  buffer_free(&text);
  if (!said)
    return error_is(&reason, ERROR_Internal) ? error_memory(call->error) : 0;
  const struct cql2_filter *both = filter;
  if (*out && cql2_both(call->arena, *out, filter, &both, &reason) != 0)
    return error_is(&reason, ERROR_Internal) ? error_memory(call->error) : 0; /* enough is said */
  *out = both;
  return 0;
}

int property_filter(struct call *call, const struct value *conditions, const struct cql2_filter **out)
{
  *out = NULL;
  for (size_t i = 0; i < conditions->count; i++)
    if (add_condition(call, conditions->keys[i], conditions->items[i].callback, out) != 0)
      return -1;
  return 0;
}
