/* From text to graph: nodes, references and nested graphs; nothing is looked up yet. Each JSON value is visited once.
 */
#include "processes/graph/bound.h"
#include "processes/graph/compile.h"
#include "processes/graph/json.h"
#include "processes/graph/parse.h"

#include <stdlib.h>
#include <string.h>

struct parser {
  struct arena *arena;
  struct error *error;
  bool official;    /* encoding */
  size_t nodes;     /* seen so far, nested graphs included */
  size_t callbacks; /* of the node in work */
};

static int parse_graph(struct parser *p, const json_t *json, const struct graph **out);
static int parse_expression(struct parser *p, const json_t *json, struct expression *out);

/* ---- arrays and objects ----------------------------------------------------------------------------------------- */

/* The items of an array or object in work: values as long as there are no others, then expressions. */
struct items {
  size_t count;
  struct value *values;
  struct expression *expressions; /* NULL so far: all are values */
};

static int add_item(struct parser *p, struct items *items, size_t i, const json_t *json)
{
  struct expression item;
  if (parse_expression(p, json, &item) != 0)
    return -1;
  if (item.kind == EXPRESSION_VALUE && !items->expressions) {
    items->values[i] = item.value;
    return 0;
  }
  if (!items->expressions) {
    items->expressions = ARENA_ARRAY(p->arena, struct expression, items->count);
    if (!items->expressions)
      return error_memory(p->error);
    for (size_t k = 0; k < i; k++)
      items->expressions[k] = (struct expression){.kind = EXPRESSION_VALUE, .value = items->values[k]};
  }
  items->expressions[i] = item;
  return 0;
}

static int parse_array(struct parser *p, const json_t *json, struct expression *out)
{
  struct items items = {.count = json_array_size(json)};
  if (json_check_length(items.count, p->error) != 0)
    return -1;
  items.values = ARENA_ARRAY(p->arena, struct value, items.count);
  if (!items.values)
    return error_memory(p->error);
  for (size_t i = 0; i < items.count; i++)
    if (add_item(p, &items, i, json_array_get(json, i)) != 0)
      return -1;
  if (items.expressions)
    *out = (struct expression){.kind = EXPRESSION_ARRAY, .count = items.count, .items = items.expressions};
  else
    *out = (struct expression){.kind = EXPRESSION_VALUE, .value = value_array(items.values, items.count)};
  return 0;
}

/* {"type": "datacube", "dimensions": …}: a cube, as the JSON format and the official cases write them. */
static bool is_cube(const struct value *value)
{
  const struct value *type = value_member(value, "type");
  return type && type->kind == VALUE_TEXT && strcmp(type->text, "datacube") == 0 && value_member(value, "dimensions");
}

static int parse_object(struct parser *p, const json_t *json, struct expression *out)
{
  struct items items = {.count = json_object_size(json)};
  const char **keys = ARENA_ARRAY(p->arena, const char *, items.count), *key;
  json_t *item;
  size_t i = 0;
  items.values = ARENA_ARRAY(p->arena, struct value, items.count);
  if (!items.values || !keys)
    return error_memory(p->error);
  json_object_foreach((json_t *)json, key, item)
  {
    keys[i] = arena_strdup(p->arena, key);
    if (!keys[i])
      return error_memory(p->error);
    if (add_item(p, &items, i++, item) != 0)
      return -1;
  }
  *out = (struct expression){.kind = EXPRESSION_OBJECT, .count = items.count, .items = items.expressions, .keys = keys};
  if (items.expressions)
    return 0;
  *out = (struct expression){.kind = EXPRESSION_VALUE};
  if (json_object_value(p->arena, keys, items.values, items.count, p->official, &out->value) != 0)
    return error_memory(p->error);
  if (is_cube(&out->value))
    out->kind = EXPRESSION_CUBE;
  return 0;
}

/* ---- references ------------------------------------------------------------------------------------------------- */

static bool single_key(const json_t *json, const char *key, const char **value)
{
  if (json_object_size(json) != 1)
    return false;
  *value = json_string_value(json_object_get(json, key));
  return *value != NULL;
}

static int parse_reference(struct parser *p, enum expression_kind kind, const char *name, struct expression *out)
{
  *out = (struct expression){.kind = kind, .name = arena_strdup(p->arena, name)};
  return out->name ? 0 : error_memory(p->error);
}

static int parse_callback(struct parser *p, const json_t *json, struct expression *out)
{
  *out = (struct expression){.kind = EXPRESSION_GRAPH, .callback = p->callbacks++};
  size_t callbacks = p->callbacks;
  if (parse_graph(p, json, &out->graph) != 0)
    return -1;
  p->callbacks = callbacks;
  return 0;
}

static int parse_expression(struct parser *p, const json_t *json, struct expression *out)
{
  const char *name;
  if (json_is_array(json))
    return parse_array(p, json, out);
  if (!json_is_object(json)) {
    *out = (struct expression){.kind = EXPRESSION_VALUE};
    return json_to_value(p->arena, json, p->official, &out->value, p->error);
  }
  if (single_key(json, "from_node", &name))
    return parse_reference(p, EXPRESSION_NODE, name, out);
  if (single_key(json, "from_parameter", &name))
    return parse_reference(p, EXPRESSION_PARAMETER, name, out);
  if (compile_is_graph(json))
    return parse_callback(p, json_object_get(json, "process_graph"), out);
  return parse_object(p, json, out);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static int parse_arguments(struct parser *p, const json_t *json, struct graph_node *out)
{
  size_t count = json_object_size(json), i = 0;
  struct expression *expressions = ARENA_ARRAY(p->arena, struct expression, count);
  const char **names = ARENA_ARRAY(p->arena, const char *, count), *name;
  json_t *argument;
  if (!expressions || !names)
    return error_memory(p->error);
  p->callbacks = 0;
  json_object_foreach((json_t *)json, name, argument)
  {
    names[i] = arena_strdup(p->arena, name);
    if (!names[i])
      return error_memory(p->error);
    if (parse_expression(p, argument, &expressions[i++]) == 0)
      continue;
    return p->error->node[0] ? error_within(p->error, name) : error_at_parameter(p->error, name);
  }
  out->argument_count = count;
  out->names = names;
  out->arguments = expressions;
  out->callback_count = p->callbacks;
  return 0;
}

static int parse_node(struct parser *p, const char *id, const json_t *json, struct graph_node *out)
{
  const char *process = json_string_value(json_object_get(json, "process_id"));
  const json_t *arguments = json_object_get(json, "arguments"), *space = json_object_get(json, "namespace");
  if (!json_is_object(json) || !process)
    return error_set(p->error, ERROR_ProcessGraphInvalid, "a node is an object with process_id and arguments");
  if (arguments && !json_is_object(arguments))
    return error_set(p->error, ERROR_ProcessGraphInvalid, "arguments are an object");
  if (space && !json_is_string(space) && !json_is_null(space))
    return error_set(p->error, ERROR_ProcessGraphInvalid, "a namespace is a string or null");
  *out = (struct graph_node){.id = arena_strdup(p->arena, id),
                             .process = arena_strdup(p->arena, process),
                             .result = json_is_true(json_object_get(json, "result"))};
  if (json_is_string(space))
    out->space = arena_strdup(p->arena, json_string_value(space));
  if (!out->id || !out->process || (json_is_string(space) && !out->space))
    return error_memory(p->error);
  return parse_arguments(p, arguments, out);
}

static int by_id(const void *a, const void *b, void *nodes)
{
  const struct graph_node *n = nodes;
  return strcmp(n[*(const size_t *)a].id, n[*(const size_t *)b].id);
}

static int parse_graph(struct parser *p, const json_t *json, const struct graph **out)
{
  size_t count = json_object_size(json), i = 0;
  if (!json_is_object(json))
    return error_set(p->error, ERROR_ProcessGraphInvalid, "a process graph is an object of nodes");
  if (count == 0)
    return error_set(p->error, ERROR_ProcessGraphMissing, "the process graph has no nodes");
  p->nodes += count;
  if (p->nodes > GRAPH_MAX_NODES)
    return error_set(p->error, ERROR_ProcessGraphComplexity, "the process graph has more than %d nodes",
                     (int)GRAPH_MAX_NODES);
  struct graph *graph = ARENA_NEW(p->arena, struct graph);
  struct graph_node *nodes = ARENA_ARRAY(p->arena, struct graph_node, count);
  size_t *sorted = ARENA_ARRAY(p->arena, size_t, count);
  const char *id;
  json_t *node;
  if (!graph || !nodes || !sorted)
    return error_memory(p->error);
  json_object_foreach((json_t *)json, id, node)
  {
    sorted[i] = i;
    if (parse_node(p, id, node, &nodes[i++]) != 0)
      return error_within(p->error, id);
  }
  qsort_r(sorted, count, sizeof *sorted, by_id, nodes);
  *graph = (struct graph){.count = count, .nodes = nodes, .by_id = sorted};
  *out = graph;
  return 0;
}

size_t graph_find(const struct graph *graph, const char *id)
{
  size_t low = 0, high = graph->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    int order = strcmp(graph->nodes[graph->by_id[middle]].id, id);
    if (order == 0)
      return graph->by_id[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return SIZE_MAX;
}

/* ---- the whole text --------------------------------------------------------------------------------------------- */

/* The process, or bare graph, that a request holds. */
static int find_process(const json_t *json, const json_t **out, struct error *error)
{
  const json_t *process = json_object_get(json, "process");
  *out = json;
  if (!json_is_object(json))
    return error_set(error, ERROR_ProcessGraphInvalid, "a process graph is a JSON object");
  if (!process || json_object_get(process, "process_id"))
    return 0;
  if (!json_is_object(process))
    return error_set(error, ERROR_ProcessGraphInvalid, "'process' is an object with a process_graph");
  if (!json_object_get(process, "process_graph"))
    return error_set(error, ERROR_ProcessGraphMissing, "the process has no process_graph");
  *out = process;
  return 0;
}

/* Parameters and their defaults. */
static int parse_parameters(struct parser *p, const json_t *json, struct signature *out)
{
  if (signature_compile(p->arena, json, out, p->error) != 0)
    return -1;
  struct parameter *parameters = (struct parameter *)out->parameters;
  for (size_t i = 0; i < out->count; i++) {
    const json_t *value = json_object_get(json_array_get(json, i), "default");
    if (compile_is_graph(value) &&
        parse_graph(p, json_object_get(value, "process_graph"), &parameters[i].default_graph) != 0)
      return p->error->node[0] ? error_within(p->error, parameters[i].name)
                               : error_at_parameter(p->error, parameters[i].name);
  }
  return 0;
}

int graph_parse_process(struct arena *arena, const json_t *json, bool official, const struct graph **out,
                        struct error *error)
{
  struct parser parser = {.arena = arena, .error = error, .official = official}, *p = &parser;
  const json_t *inner = json_object_get(json, "process_graph"), *id = json_object_get(json, "id");
  if (!inner || json_object_get(inner, "process_id")) /* no process, or a node of that name */
    return parse_graph(p, json, out);
  if (parse_graph(p, inner, out) != 0)
    return -1;
  struct graph *graph = (struct graph *)*out;
  if (json_is_string(id)) {
    graph->id = arena_strdup(p->arena, json_string_value(id));
    if (!graph->id)
      return error_memory(p->error);
  }
  return parse_parameters(p, json_object_get(json, "parameters"), &graph->signature);
}

int graph_parse(struct arena *arena, const char *text, size_t length, bool official, const struct graph **out,
                struct error *error)
{
  const json_t *process = NULL;
  json_t *json = NULL;
  const size_t tree = json_tree_bytes(text, length);
  if (arena_reserve(arena, tree) != 0)
    return error_set(error, ERROR_ProcessGraphComplexity, "%zu bytes of JSON are more than there is memory for",
                     length);
  int status = json_read(text, length, official, &json, error);
  if (status == 0)
    status = find_process(json, &process, error);
  if (status == 0)
    status = graph_parse_process(arena, process, official, out, error);
  json_decref(json);
  arena_release(arena, tree);
  return status;
}

int graph_blame(const struct arena *arena, struct error *error)
{
  if (!arena_refused(arena) || !error_is(error, ERROR_Internal))
    return -1;
  const struct error found = *error;
  *error = (struct error){{0}, {0}, {0}, {0}};
  error_set(error, ERROR_ProcessGraphComplexity,
            "the process graph needs more memory than it may have before anything is computed");
  memcpy(error->node, found.node, sizeof error->node);
  memcpy(error->parameter, found.parameter, sizeof error->parameter);
  return -1;
}
