/* Binding: names become processes and nodes, nodes get an order. */
#include "processes/graph/bind.h"

#include <stdlib.h>
#include <string.h>

struct names { /* parameters in sight, innermost first */
  const struct names *outer;
  const char *const *names;
  size_t count;
};

struct binder {
  struct arena *arena;
  struct error *error;
  bind_report report; /* NULL: the first error ends the walk */
  void *report_data;
  bool failed;
  const struct signature **signatures; /* read so far, in the order of the table */
  unsigned depth;                      /* of processes defined by graphs */
};

enum { MAX_DEFINITION_DEPTH = 16 };

static int bind_graph(struct binder *b, const struct graph *graph, const struct names *names, const struct bound **out);

/* Keeps an error: reports it and goes on (0), or ends (-1). */
static int keep(struct binder *b, const char *node)
{
  error_at_node(b->error, node);
  b->failed = true;
  if (!b->report)
    return -1;
  b->report(b->report_data, b->error);
  *b->error = (struct error){{0}, {0}, {0}, {0}};
  return 0;
}

static int signature_of(struct binder *b, const struct process_entry *entry, const struct signature **out)
{
  size_t index = (size_t)(entry - process_table_at(0));
  if (!b->signatures[index] && signature_read(b->arena, entry, &b->signatures[index], b->error) != 0)
    return -1;
  *out = b->signatures[index];
  return 0;
}

static bool in_sight(const struct names *names, const char *name)
{
  for (; names; names = names->outer)
    for (size_t i = 0; i < names->count; i++)
      if (strcmp(names->names[i], name) == 0)
        return true;
  return false;
}

/* ---- references ------------------------------------------------------------------------------------------------- */

static int check_expression(struct binder *b, const struct graph *graph, const struct graph_node *node,
                            const struct expression *expression, const struct names *names)
{
  switch (expression->kind) {
  case EXPRESSION_NODE:
    if (graph_find(graph, expression->name) == SIZE_MAX) {
      error_set(b->error, "ProcessGraphInvalid", "from_node refers to '%s', which is no node of this graph", expression->name);
      return keep(b, node->id);
    }
    return 0;
  case EXPRESSION_PARAMETER:
    if (!in_sight(names, expression->name)) {
      error_set(b->error, "ProcessParameterMissing", "from_parameter refers to '%s', which has no value here", expression->name);
      return keep(b, node->id);
    }
    return 0;
  case EXPRESSION_ARRAY:
  case EXPRESSION_OBJECT:
    for (size_t i = 0; i < expression->count; i++)
      if (check_expression(b, graph, node, &expression->items[i], names) != 0)
        return -1;
    return 0;
  case EXPRESSION_VALUE:
  case EXPRESSION_GRAPH:
    return 0;
  }
  return 0;
}

static int bind_callbacks(struct binder *b, const struct expression *expression, const struct names *names, const struct bound **callbacks)
{
  if (expression->kind == EXPRESSION_GRAPH)
    return bind_graph(b, expression->graph, names, &callbacks[expression->callback]);
  for (size_t i = 0; i < expression->count; i++)
    if (bind_callbacks(b, &expression->items[i], names, callbacks) != 0)
      return -1;
  return 0;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static int check_names(struct binder *b, const struct graph_node *node, const struct signature *signature)
{
  for (size_t i = 0; i < node->argument_count; i++)
    if (!signature_find(signature, node->names[i])) {
      error_parameter(b->error, "ProcessParameterUnsupported", node->names[i], "process '%s' has no parameter '%s'", node->process, node->names[i]);
      if (keep(b, node->id) != 0)
        return -1;
    }
  for (size_t k = 0; k < signature->count; k++) {
    const struct parameter *parameter = &signature->parameters[k];
    bool given = parameter->optional;
    for (size_t i = 0; !given && i < node->argument_count; i++)
      given = strcmp(node->names[i], parameter->name) == 0;
    if (given)
      continue;
    error_parameter(b->error, "ProcessParameterRequired", parameter->name, "process '%s' needs the parameter '%s'", node->process, parameter->name);
    if (keep(b, node->id) != 0)
      return -1;
  }
  return 0;
}

/* Graph of a process that is defined by one, with its parameters as names. */
static int bind_body(struct binder *b, const struct bound_node *node, const struct bound **out)
{
  const struct graph *graph;
  const char **names = ARENA_ARRAY(b->arena, const char *, node->signature->count);
  if (!names)
    return error_memory(b->error);
  if (b->depth >= MAX_DEFINITION_DEPTH)
    return error_set(b->error, "ProcessGraphComplexity", "processes defined by graphs are nested deeper than %d", (int)MAX_DEFINITION_DEPTH);
  for (size_t i = 0; i < node->signature->count; i++)
    names[i] = node->signature->parameters[i].name;
  if (graph_parse(b->arena, node->entry->spec, node->entry->spec_length, &graph, b->error) != 0)
    return -1;
  b->depth++;
  int status = bind_graph(b, graph, &(struct names){NULL, names, node->signature->count}, out);
  b->depth--;
  return status;
}

static int bind_node(struct binder *b, const struct graph *graph, const struct graph_node *node, const struct names *names,
                     struct bound_node *out)
{
  *out = (struct bound_node){.node = node, .entry = process_table_find(node->process)};
  if (!out->entry) {
    error_set(b->error, "ProcessUnsupported", "process '%s' is not available here", node->process);
    return keep(b, node->id);
  }
  const struct bound **callbacks = ARENA_ARRAY(b->arena, const struct bound *, node->callback_count);
  if (!callbacks)
    return error_memory(b->error);
  out->callbacks = callbacks;
  if (signature_of(b, out->entry, &out->signature) != 0 || check_names(b, node, out->signature) != 0)
    return -1;
  for (size_t i = 0; i < node->argument_count; i++) {
    const struct parameter *parameter = signature_find(out->signature, node->names[i]);
    struct names inner = {.outer = names};
    if (parameter) {
      inner.names = parameter->callback_parameters;
      inner.count = parameter->callback_parameter_count;
    }
    if (check_expression(b, graph, node, &node->arguments[i], names) != 0 || bind_callbacks(b, &node->arguments[i], &inner, callbacks) != 0)
      return error_at_node(b->error, node->id);
  }
  if (!out->entry->process)
    return bind_body(b, out, &out->body);
  return 0;
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

struct sorter { /* depth first without recursion: chains may be as long as the graph */
  const struct graph *graph;
  unsigned char *mark; /* 0 not seen, 1 on the path, 2 done */
  size_t *order, done;
  struct frame {
    size_t node, next; /* next reference to follow */
  } *stack;
  size_t *references, *first; /* references of node i: references[first[i] … first[i + 1]) */
};

static size_t count_references(const struct graph *graph, const struct expression *expression, size_t *out)
{
  size_t n = 0;
  if (expression->kind == EXPRESSION_NODE) {
    size_t target = graph_find(graph, expression->name);
    if (target == SIZE_MAX)
      return 0;
    if (out)
      *out = target;
    return 1;
  }
  for (size_t i = 0; i < expression->count; i++)
    n += count_references(graph, &expression->items[i], out ? out + n : NULL);
  return n;
}

static int list_references(struct binder *b, struct sorter *s)
{
  size_t total = 0;
  s->first = ARENA_ARRAY(b->arena, size_t, s->graph->count + 1);
  if (!s->first)
    return error_memory(b->error);
  for (size_t i = 0; i < s->graph->count; i++) {
    s->first[i] = total;
    for (size_t k = 0; k < s->graph->nodes[i].argument_count; k++)
      total += count_references(s->graph, &s->graph->nodes[i].arguments[k], NULL);
  }
  s->first[s->graph->count] = total;
  s->references = ARENA_ARRAY(b->arena, size_t, total);
  if (!s->references)
    return error_memory(b->error);
  for (size_t i = 0, at = 0; i < s->graph->count; i++)
    for (size_t k = 0; k < s->graph->nodes[i].argument_count; k++)
      at += count_references(s->graph, &s->graph->nodes[i].arguments[k], s->references + at);
  return 0;
}

static int visit(struct binder *b, struct sorter *s, size_t root)
{
  size_t depth = 1;
  s->stack[0] = (struct frame){root, s->first[root]};
  s->mark[root] = 1;
  while (depth > 0) {
    struct frame *frame = &s->stack[depth - 1];
    if (frame->next == s->first[frame->node + 1]) {
      s->mark[frame->node] = 2;
      s->order[s->done++] = frame->node;
      depth--;
      continue;
    }
    size_t target = s->references[frame->next++];
    if (s->mark[target] == 1) {
      error_set(b->error, "ProcessGraphInvalid", "the nodes '%s' and '%s' depend on each other: the graph has a cycle",
                s->graph->nodes[frame->node].id, s->graph->nodes[target].id);
      return error_at_node(b->error, s->graph->nodes[target].id);
    }
    if (s->mark[target] == 0) {
      s->mark[target] = 1;
      s->stack[depth++] = (struct frame){target, s->first[target]};
    }
  }
  return 0;
}

static int sort_nodes(struct binder *b, const struct graph *graph, const size_t **out)
{
  struct sorter s = {.graph = graph};
  s.mark = ARENA_ARRAY(b->arena, unsigned char, graph->count);
  s.order = ARENA_ARRAY(b->arena, size_t, graph->count);
  s.stack = ARENA_ARRAY(b->arena, struct frame, graph->count);
  if (!s.mark || !s.order || !s.stack)
    return error_memory(b->error);
  if (list_references(b, &s) != 0)
    return -1;
  for (size_t i = 0; i < graph->count; i++)
    if (s.mark[i] == 0 && visit(b, &s, i) != 0)
      return -1;
  *out = s.order;
  return 0;
}

static int find_result(struct binder *b, const struct graph *graph, size_t *out)
{
  size_t found = SIZE_MAX;
  for (size_t i = 0; i < graph->count; i++) {
    if (!graph->nodes[i].result)
      continue;
    if (found != SIZE_MAX)
      return error_set(b->error, "ProcessGraphInvalid", "both '%s' and '%s' are marked as the result", graph->nodes[found].id, graph->nodes[i].id);
    found = i;
  }
  if (found == SIZE_MAX && graph->count == 1)
    found = 0;
  if (found == SIZE_MAX)
    return error_set(b->error, "ProcessGraphInvalid", "no node is marked with \"result\": true");
  *out = found;
  return 0;
}

static int bind_graph(struct binder *b, const struct graph *graph, const struct names *names, const struct bound **out)
{
  struct bound *bound = ARENA_NEW(b->arena, struct bound);
  struct bound_node *nodes = ARENA_ARRAY(b->arena, struct bound_node, graph->count);
  if (!bound || !nodes)
    return error_memory(b->error);
  for (size_t i = 0; i < graph->count; i++)
    if (bind_node(b, graph, &graph->nodes[i], names, &nodes[i]) != 0)
      return error_at_node(b->error, graph->nodes[i].id);
  bound->graph = graph;
  bound->nodes = nodes;
  if (find_result(b, graph, &bound->result) != 0 || sort_nodes(b, graph, &bound->order) != 0)
    return -1;
  *out = bound;
  return 0;
}

/* ---- top level -------------------------------------------------------------------------------------------------- */

static int read_parameters(struct binder *b, const struct graph *graph, const struct graph_parameter *given, size_t count,
                           struct argument **out, size_t *out_count)
{
  struct argument *arguments = ARENA_ARRAY(b->arena, struct argument, count + graph->parameter_count);
  size_t n = 0;
  if (!arguments)
    return error_memory(b->error);
  for (size_t i = 0; i < count; i++) {
    arguments[n].name = given[i].name;
    if (value_read(b->arena, given[i].json, strlen(given[i].json), &arguments[n++].value, b->error) != 0)
      return error_at_parameter(b->error, given[i].name);
  }
  for (size_t i = 0; i < graph->parameter_count; i++) {
    bool known = !graph->parameters[i].has_value;
    for (size_t k = 0; k < count; k++)
      known = known || strcmp(given[k].name, graph->parameters[i].name) == 0;
    if (!known)
      arguments[n++] = (struct argument){graph->parameters[i].name, graph->parameters[i].value};
  }
  *out = arguments;
  *out_count = n;
  return 0;
}

int graph_bind_report(struct arena *arena, const struct graph *graph, const struct graph_options *options,
                      const struct bound **out, bind_report report, void *data, struct error *error)
{
  struct binder b = {.arena = arena, .error = error, .report = report, .report_data = data};
  struct argument *arguments = NULL;
  size_t n = 0;
  b.signatures = ARENA_ARRAY(arena, const struct signature *, process_table_size());
  if (!b.signatures)
    return error_memory(error);
  if (read_parameters(&b, graph, options->parameters, options->parameter_count, &arguments, &n) != 0)
    return -1;
  const char **names = ARENA_ARRAY(arena, const char *, n);
  for (size_t i = 0; names && i < n; i++)
    names[i] = arguments[i].name;
  struct names top = {.names = names, .count = n};
  if (!names || bind_graph(&b, graph, &top, out) != 0)
    return names ? -1 : error_memory(error);
  struct bound *bound = (struct bound *)*out;
  bound->parameters = arguments;
  bound->parameter_count = n;
  return b.failed ? -1 : 0;
}

int graph_bind(struct arena *arena, const struct graph *graph, const struct graph_options *options,
               const struct bound **out, struct error *error)
{
  return graph_bind_report(arena, graph, options, out, NULL, NULL, error);
}
