/* From text to graph: nodes, references and nested graphs; nothing is looked up yet. */
#include "processes/graph/bound.h"
#include "processes/graph/json.h"

#include <stdlib.h>
#include <string.h>

struct parser {
  struct arena *arena;
  struct error *error;
  size_t nodes;     /* seen so far, nested graphs included */
  size_t callbacks; /* of the node in work */
};

static int parse_graph(struct parser *p, const json_t *json, const struct graph **out);
static int parse_expression(struct parser *p, const json_t *json, struct expression *out);

static bool single_key(const json_t *json, const char *key, const char **value)
{
  if (json_object_size(json) != 1)
    return false;
  *value = json_string_value(json_object_get(json, key));
  return *value != NULL;
}

static int parse_items(struct parser *p, const json_t *json, struct expression *out)
{
  size_t count = json_is_array(json) ? json_array_size(json) : json_object_size(json), i = 0;
  struct expression *items = ARENA_ARRAY(p->arena, struct expression, count);
  const char **keys = ARENA_ARRAY(p->arena, const char *, count);
  const char *key;
  json_t *item;
  if (!items || !keys)
    return error_memory(p->error);
  if (json_is_array(json)) {
    for (; i < count; i++)
      if (parse_expression(p, json_array_get(json, i), &items[i]) != 0)
        return -1;
  } else {
    json_object_foreach((json_t *)json, key, item) {
      keys[i] = arena_strdup(p->arena, key);
      if (!keys[i] || parse_expression(p, item, &items[i++]) != 0)
        return error_memory(p->error);
    }
  }
  *out = (struct expression){.kind = json_is_array(json) ? EXPRESSION_ARRAY : EXPRESSION_OBJECT, .count = count, .items = items, .keys = keys};
  return 0;
}

/* Whether a reference or a graph hides in the value. */
static bool has_reference(const json_t *json)
{
  const char *name, *key;
  json_t *item;
  size_t i;
  if (json_is_array(json)) {
    json_array_foreach(json, i, item) if (has_reference(item)) return true;
    return false;
  }
  if (!json_is_object(json))
    return false;
  if (single_key(json, "from_node", &name) || single_key(json, "from_parameter", &name) || json_object_get(json, "process_graph"))
    return true;
  json_object_foreach((json_t *)json, key, item) if (has_reference(item)) return true;
  return false;
}

static int parse_reference(struct parser *p, enum expression_kind kind, const char *name, struct expression *out)
{
  *out = (struct expression){.kind = kind, .name = arena_strdup(p->arena, name)};
  return out->name ? 0 : error_memory(p->error);
}

static int parse_expression(struct parser *p, const json_t *json, struct expression *out)
{
  const char *name;
  if (json_is_object(json)) {
    if (single_key(json, "from_node", &name))
      return parse_reference(p, EXPRESSION_NODE, name, out);
    if (single_key(json, "from_parameter", &name))
      return parse_reference(p, EXPRESSION_PARAMETER, name, out);
    const json_t *graph = json_object_get(json, "process_graph");
    if (graph) {
      *out = (struct expression){.kind = EXPRESSION_GRAPH, .callback = p->callbacks++};
      size_t callbacks = p->callbacks;
      if (parse_graph(p, graph, &out->graph) != 0)
        return -1;
      p->callbacks = callbacks;
      return 0;
    }
  }
  if ((json_is_object(json) || json_is_array(json)) && has_reference(json))
    return parse_items(p, json, out);
  *out = (struct expression){.kind = EXPRESSION_VALUE};
  return json_to_value(p->arena, json, &out->value, p->error);
}

static int parse_node(struct parser *p, const char *id, const json_t *json, struct graph_node *out)
{
  const char *process = json_string_value(json_object_get(json, "process_id"));
  const json_t *arguments = json_object_get(json, "arguments"), *space = json_object_get(json, "namespace");
  if (!json_is_object(json) || !process)
    return error_set(p->error, "ProcessGraphInvalid", "a node is an object with process_id and arguments");
  if (arguments && !json_is_object(arguments))
    return error_set(p->error, "ProcessGraphInvalid", "arguments are an object");
  if (json_is_string(space) && strcmp(json_string_value(space), "backend") != 0)
    return error_set(p->error, "ProcessUnsupported", "process '%s' of namespace '%s' is not available", process, json_string_value(space));
  *out = (struct graph_node){.id = arena_strdup(p->arena, id), .process = arena_strdup(p->arena, process),
                             .result = json_is_true(json_object_get(json, "result")), .argument_count = json_object_size(arguments)};
  struct expression *expressions = ARENA_ARRAY(p->arena, struct expression, out->argument_count);
  const char **names = ARENA_ARRAY(p->arena, const char *, out->argument_count);
  const char *name;
  json_t *argument;
  size_t i = 0;
  if (!out->id || !out->process || !expressions || !names)
    return error_memory(p->error);
  p->callbacks = 0;
  json_object_foreach((json_t *)arguments, name, argument) {
    names[i] = arena_strdup(p->arena, name);
    if (!names[i])
      return error_memory(p->error);
    if (parse_expression(p, argument, &expressions[i++]) != 0)
      return error_at_parameter(p->error, name);
  }
  out->names = names;
  out->arguments = expressions;
  out->callback_count = p->callbacks;
  return 0;
}

static int by_id(const void *a, const void *b, void *nodes)
{
  const struct graph_node *n = nodes;
  return strcmp(n[*(const size_t *)a].id, n[*(const size_t *)b].id);
}

static int parse_graph(struct parser *p, const json_t *json, const struct graph **out)
{
  size_t count = json_object_size(json), i = 0;
  if (!json_is_object(json) || count == 0)
    return error_set(p->error, json_is_object(json) ? "ProcessGraphMissing" : "ProcessGraphInvalid",
                     json_is_object(json) ? "the process graph has no nodes" : "a process graph is an object of nodes");
  p->nodes += count;
  if (p->nodes > GRAPH_MAX_NODES)
    return error_set(p->error, "ProcessGraphComplexity", "the process graph has more than %d nodes", (int)GRAPH_MAX_NODES);
  struct graph *graph = ARENA_NEW(p->arena, struct graph);
  struct graph_node *nodes = ARENA_ARRAY(p->arena, struct graph_node, count);
  size_t *sorted = ARENA_ARRAY(p->arena, size_t, count);
  const char *id;
  json_t *node;
  if (!graph || !nodes || !sorted)
    return error_memory(p->error);
  json_object_foreach((json_t *)json, id, node) {
    sorted[i] = i;
    if (parse_node(p, id, node, &nodes[i++]) != 0)
      return error_at_node(p->error, id);
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

static int parse_parameters(struct parser *p, const json_t *json, struct graph *graph)
{
  size_t count = json_array_size(json);
  struct graph_default *parameters = ARENA_ARRAY(p->arena, struct graph_default, count);
  if (!parameters)
    return error_memory(p->error);
  for (size_t i = 0; i < count; i++) {
    const json_t *item = json_array_get(json, i), *value = json_object_get(item, "default");
    const char *name = json_string_value(json_object_get(item, "name"));
    if (!name)
      return error_set(p->error, "ProcessGraphInvalid", "a parameter has no name");
    parameters[i].name = arena_strdup(p->arena, name);
    parameters[i].has_value = value != NULL || json_is_true(json_object_get(item, "optional"));
    if (value && json_to_value(p->arena, value, &parameters[i].value, p->error) != 0)
      return error_at_parameter(p->error, name);
  }
  graph->parameters = parameters;
  graph->parameter_count = count;
  return 0;
}

/* The graph and its parameters inside a request, a process, or by itself. */
static int find_graph(const json_t *json, const json_t **graph, const json_t **parameters, struct error *error)
{
  const json_t *process = json_object_get(json, "process");
  *parameters = NULL;
  if (!json_is_object(json))
    return error_set(error, "ProcessGraphInvalid", "a process graph is a JSON object");
  if (process && !json_object_get(process, "process_id")) {
    if (!json_is_object(process))
      return error_set(error, "ProcessGraphInvalid", "'process' is an object with a process_graph");
    json = process;
    if (!json_object_get(json, "process_graph"))
      return error_set(error, "ProcessGraphMissing", "the process has no process_graph");
  }
  *graph = json;
  const json_t *inner = json_object_get(json, "process_graph");
  if (inner && !json_object_get(inner, "process_id")) {
    *graph = inner;
    *parameters = json_object_get(json, "parameters");
  }
  return 0;
}

int graph_parse(struct arena *arena, const char *text, size_t length, const struct graph **out, struct error *error)
{
  struct parser p = {.arena = arena, .error = error};
  const json_t *graph = NULL, *parameters = NULL;
  json_t *json;
  if (json_read(text, length, &json, error) != 0)
    return -1;
  int status = find_graph(json, &graph, &parameters, error);
  if (status == 0)
    status = parse_graph(&p, graph, out);
  if (status == 0 && parameters)
    status = parse_parameters(&p, parameters, (struct graph *)*out);
  json_decref(json);
  return status;
}
