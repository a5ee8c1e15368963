/* Processes that are defined by graphs: from the text of a definition to a row as the table has them. */
#include "processes/graph/bound.h"
#include "processes/graph/json.h"
#include "processes/graph/parse.h"

#include <string.h>

/* A default that its own schema refuses would be refused wherever it is used. */
static int check_defaults(const struct signature *signature, struct error *error)
{
  static const struct value callback = {.kind = VALUE_CALLBACK};
  for (size_t i = 0; i < signature->count; i++) {
    const struct parameter *parameter = &signature->parameters[i];
    const struct value *value = parameter->default_graph ? &callback : &parameter->default_value;
    if ((parameter->has_default || parameter->default_graph) && parameter_check(parameter, value, true, error) != 0)
      return -1;
  }
  return 0;
}

static int define(struct arena *arena, const json_t *json, struct process_entry *out, struct error *error)
{
  const struct graph *graph;
  if (!json_is_object(json))
    return error_set(error, ERROR_ProcessInvalid, "a process is a JSON object");
  if (!json_object_get(json, "process_graph"))
    return error_set(error, ERROR_ProcessGraphMissing, "the process has no process_graph");
  if (!json_is_string(json_object_get(json, "id")))
    return error_set(error, ERROR_ProcessInvalid, "the process has no id");
  if (graph_parse_process(arena, json, false, &graph, error) != 0 || check_defaults(&graph->signature, error) != 0)
    return -1;
  *out = (struct process_entry){.id = graph->id, .body = graph, .signature = graph->signature};
  return 0;
}

int process_define(struct arena *arena, const char *text, size_t length, struct process_entry *out, struct error *error)
{
  json_t *json = NULL;
  const size_t tree = json_tree_bytes(text, length);
  if (arena_reserve(arena, tree) != 0)
    return error_set(error, ERROR_ProcessGraphComplexity, "%zu bytes of JSON are more than there is memory for",
                     length);
  int status = json_read(text, length, false, &json, error);
  if (status == 0)
    status = define(arena, json, out, error);
  json_decref(json);
  arena_release(arena, tree);
  return status;
}

static int call_of_expression(const struct expression *e, int (*report)(void *, const struct graph_call *), void *data)
{
  int status = e->kind == EXPRESSION_GRAPH ? graph_calls(e->graph, report, data) : 0;
  for (size_t i = 0; i < e->count && status == 0; i++)
    status = call_of_expression(&e->items[i], report, data);
  return status;
}

int graph_calls(const struct graph *graph, int (*report)(void *data, const struct graph_call *call), void *data)
{
  int status = 0;
  for (size_t i = 0; i < graph->count && status == 0; i++) {
    const struct graph_node *node = &graph->nodes[i];
    status = report(data, &(struct graph_call){node->space, node->process});
    for (size_t k = 0; k < node->argument_count && status == 0; k++)
      status = call_of_expression(&node->arguments[k], report, data);
  }
  for (size_t i = 0; i < graph->signature.count && status == 0; i++)
    if (graph->signature.parameters[i].default_graph)
      status = graph_calls(graph->signature.parameters[i].default_graph, report, data);
  return status;
}
