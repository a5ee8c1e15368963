/* Binding: names become processes and nodes, arguments become checked slots, nodes get an order.
 *
 * A process that is defined by a graph is bound once a request, whatever the number of its uses: its graph sees nothing
 * of its surroundings but its parameters. */
#include "processes/graph/bind.h"
#include "processes/graph/json.h"

#include <string.h>

enum { MAX_DEFINITION_DEPTH = 16, MAX_LOOKUPS = 1000 };

struct names { /* parameters in sight, innermost first */
  const struct names *outer;
  const char *const *names;
  size_t count;
};

struct place { /* path to a node, for messages */
  const struct place *outer;
  const char *name;
};

struct definition { /* of a process by a graph, met so far */
  struct definition *next;
  const struct process_entry *entry;
  const struct bound *bound;     /* NULL while in work, and where errors were found */
  const struct bound **defaults; /* of its parameters, where these are graphs */
};

struct finding { /* what a look-up gave */
  struct finding *next;
  const char *space, *id;
  const struct process_entry *entry; /* NULL: there is none */
};

struct binder {
  struct arena *arena;
  struct error *error;
  const struct graph_options *options;
  bind_report report; /* NULL: the first error ends the walk */
  void *report_data;
  size_t found; /* errors */
  size_t work;  /* spent on checks, at most GRAPH_MAX_WORK */
  struct definition *definitions;
  struct finding *findings;
  size_t lookups; /* at most MAX_LOOKUPS */
  unsigned depth; /* of definitions in work: */
  const struct definition *in_work[MAX_DEFINITION_DEPTH];
  bool built_in_only; /* inside the graph of a built-in process */
};

struct surroundings { /* of the graph in work */
  const struct graph *graph;
  const struct names *names;
  const struct place *place;
};

static int bind_graph(struct binder *b, const struct graph *graph, const struct names *names, const struct place *place,
                      const struct bound **out);

/* An error was set: gives it its path; then reports it and goes on (0), or ends (-1). */
static int found(struct binder *b, const struct place *place)
{
  for (; place; place = place->outer)
    error_within(b->error, place->name);
  b->found++;
  if (!b->report)
    return -1;
  b->report(b->report_data, b->error);
  *b->error = (struct error){{0}, {0}, {0}, {0}};
  return b->found < GRAPH_MAX_ERRORS ? 0 : -1;
}

/* ---- references ------------------------------------------------------------------------------------------------- */

static bool in_sight(const struct names *names, const char *name)
{
  for (; names; names = names->outer)
    for (size_t i = 0; i < names->count; i++)
      if (strcmp(names->names[i], name) == 0)
        return true;
  return false;
}

static int check_references(struct binder *b, const struct surroundings *in, const struct place *place,
                            const struct expression *e)
{
  if (e->kind == EXPRESSION_NODE && graph_find(in->graph, e->name) == SIZE_MAX) {
    error_set(b->error, ERROR_ProcessGraphInvalid, "from_node refers to '%s', which is no node of this graph", e->name);
    return found(b, place);
  }
  if (e->kind == EXPRESSION_PARAMETER && !in_sight(in->names, e->name)) {
    error_set(b->error, ERROR_ProcessParameterMissing, "from_parameter refers to '%s', which has no value here",
              e->name);
    return found(b, place);
  }
  for (size_t i = 0; i < e->count; i++)
    if (check_references(b, in, place, &e->items[i]) != 0)
      return -1;
  return 0;
}

/* Graphs inside an argument, which see the names of their parameter. */
static int bind_callbacks(struct binder *b, const struct expression *e, const struct names *names,
                          const struct place *place, struct bound_callback *callbacks)
{
  if (e->kind == EXPRESSION_GRAPH) {
    callbacks[e->callback].argument = place->name;
    return bind_graph(b, e->graph, names, place, &callbacks[e->callback].bound);
  }
  for (size_t i = 0; i < e->count; i++)
    if (bind_callbacks(b, &e->items[i], names, place, callbacks) != 0)
      return -1;
  return 0;
}

/* ---- arguments -------------------------------------------------------------------------------------------------- */

static bool checks_ranges(const struct process_entry *entry)
{
  return entry->process && entry->process->shape == PROCESS_CUBE;
}

static int check_value(struct binder *b, const struct parameter *parameter, const struct value *value, bool ranges)
{
  size_t weight = value_weight(value);
  if (weight > (GRAPH_MAX_WORK - b->work) / parameter->cost)
    return error_parameter(b->error, ERROR_ProcessGraphComplexity, parameter->name,
                           "there is too much to check in the arguments");
  b->work += weight * parameter->cost;
  return parameter_check(parameter, value, ranges, b->error);
}

/* Of what is written in the graph: the kind alone where the rest is not known yet. */
static int fill_slot(struct binder *b, const struct process_entry *entry, const struct parameter *parameter,
                     const struct expression *e, struct slot *out)
{
  static const struct value cube = {.kind = VALUE_CUBE}, callback = {.kind = VALUE_CALLBACK};
  *out = (struct slot){.kind = SLOT_LATE, .expression = e};
  const struct value *value = &e->value;
  switch (e->kind) {
  case EXPRESSION_CUBE:
    return check_value(b, parameter, &cube, false);
  case EXPRESSION_GRAPH:
    return check_value(b, parameter, &callback, false);
  case EXPRESSION_VALUE:
    if (parameter_inner_list(parameter, value) != NULL)
      value = parameter_inner_list(parameter, value);
    *out = (struct slot){.kind = SLOT_KNOWN, .value = value};
    if (process_takes(entry, parameter->name, value))
      return 0;
    if (!parameter_left_out(parameter, value))
      return check_value(b, parameter, value, checks_ranges(entry));
    *out = (struct slot){.kind = SLOT_ABSENT};
    return 0;
  default:
    return 0;
  }
}

struct use { /* of a process: the bound node in work */
  const struct graph_node *node;
  const struct process_entry *entry;
  struct place place;
  struct slot *slots;
  struct bound_callback *callbacks; /* of the node, then one for each parameter whose default may be a graph */
};

/* A default that is a graph, as if the node gave it. */
static int fill_default_graph(struct binder *b, const struct use *use, size_t k)
{
  const struct parameter *parameter = &use->entry->signature.parameters[k];
  struct expression *e = ARENA_NEW(b->arena, struct expression);
  if (!e)
    return error_memory(b->error);
  *e = (struct expression){.kind = EXPRESSION_GRAPH,
                           .graph = parameter->default_graph,
                           .callback = use->node->callback_count + k};
  use->callbacks[e->callback].argument = parameter->name;
  if (use->slots[k].kind == SLOT_ABSENT)
    use->slots[k] = (struct slot){.kind = SLOT_LATE, .expression = e};
  else
    use->slots[k].otherwise = e;
  return 0;
}

/* What a parameter is when nothing is given for it. The graph of a definition may refer to any, so it sees a null. */
static int fill_default(struct binder *b, const struct use *use, size_t k)
{
  static const struct value null = {.kind = VALUE_NULL};
  const struct parameter *parameter = &use->entry->signature.parameters[k];
  struct slot *slot = &use->slots[k];
  if (parameter->default_graph)
    return fill_default_graph(b, use, k);
  if (slot->kind != SLOT_ABSENT)
    return 0;
  if (parameter->has_default)
    *slot = (struct slot){.kind = SLOT_KNOWN, .value = &parameter->default_value};
  else if (use->entry->body)
    *slot = (struct slot){.kind = SLOT_KNOWN, .value = &null};
  return 0;
}

static int bind_argument(struct binder *b, const struct surroundings *in, const struct use *use, size_t i)
{
  const struct graph_node *node = use->node;
  const struct signature *signature = &use->entry->signature;
  const struct parameter *parameter = signature_find(signature, node->names[i]);
  const struct place inside = {&use->place, node->names[i]};
  struct names names = {.outer = in->names};
  if (!parameter) {
    error_parameter(b->error, ERROR_ProcessParameterUnsupported, node->names[i], "process '%s' has no parameter '%s'",
                    node->process, node->names[i]);
    return found(b, &use->place);
  }
  names.names = parameter->callback_parameters;
  names.count = parameter->callback_parameter_count;
  struct slot *slot = &use->slots[parameter - signature->parameters];
  if (fill_slot(b, use->entry, parameter, &node->arguments[i], slot) != 0 && found(b, &use->place) != 0)
    return -1;
  if (check_references(b, in, &use->place, &node->arguments[i]) != 0)
    return -1;
  return bind_callbacks(b, &node->arguments[i], &names, &inside, use->callbacks);
}

static bool is_given(const struct graph_node *node, const char *name)
{
  for (size_t i = 0; i < node->argument_count; i++)
    if (strcmp(node->names[i], name) == 0)
      return true;
  return false;
}

static bool may_be_spared(const struct process_entry *entry, const struct parameter *parameter)
{
  const struct value null = value_null();
  return entry->process && entry->process->spares_nulls && parameter->schema &&
         schema_fits(parameter->schema, &null, false);
}

static int bind_arguments(struct binder *b, const struct surroundings *in, const struct use *use)
{
  const struct signature *signature = &use->entry->signature;
  for (size_t i = 0; i < use->node->argument_count; i++)
    if (bind_argument(b, in, use, i) != 0)
      return -1;
  for (size_t k = 0; k < signature->count; k++) {
    const struct parameter *parameter = &signature->parameters[k];
    if (fill_default(b, use, k) != 0)
      return -1;
    if (parameter->optional || is_given(use->node, parameter->name) || may_be_spared(use->entry, parameter))
      continue;
    error_parameter(b->error, ERROR_ProcessParameterRequired, parameter->name, "process '%s' needs the parameter '%s'",
                    use->node->process, parameter->name);
    if (found(b, &use->place) != 0)
      return -1;
  }
  return 0;
}

/* ---- processes -------------------------------------------------------------------------------------------------- */

/* Each id is asked for once a request. NULL: there is none, or an error was set. */
static const struct process_entry *find_in(struct binder *b, const char *space, const char *id)
{
  const struct process_lookup *lookup = &b->options->lookup;
  for (const struct finding *f = b->findings; f; f = f->next)
    if (strcmp(f->id, id) == 0 && strcmp(f->space, space) == 0)
      return f->entry;
  if (!lookup->find)
    return NULL;
  struct finding *new = ARENA_NEW(b->arena, struct finding);
  if (!new)
    error_memory(b->error);
  else if (++b->lookups > MAX_LOOKUPS)
    error_set(b->error, ERROR_ProcessGraphComplexity, "the graph asks for more than %d different processes",
              (int)MAX_LOOKUPS);
  if (error_is_set(b->error))
    return NULL;
  *new = (struct finding){b->findings, space, id, lookup->find(lookup->context, b->arena, space, id, b->error)};
  b->findings = new;
  return new->entry;
}

/* Without a namespace a user's own process comes before a built-in one, as the openEO API has it. */
static const struct process_entry *find_process(struct binder *b, const struct graph_node *node)
{
  const struct process_entry *own = NULL;
  if (node->space && strcmp(node->space, "backend") != 0)
    return find_in(b, node->space, node->process);
  if (!node->space && !b->built_in_only)
    own = find_in(b, "user", node->process);
  return own || error_is_set(b->error) ? own : process_table_find(node->process);
}

/* Graphs that are defaults see what a callback for their parameter sees, and nothing of where the process is used. */
static int bind_defaults(struct binder *b, const struct place *place, const struct definition *d)
{
  const struct signature *signature = &d->entry->signature;
  for (size_t k = 0; k < signature->count; k++) {
    const struct parameter *parameter = &signature->parameters[k];
    const struct names names = {NULL, parameter->callback_parameters, parameter->callback_parameter_count};
    const struct place inside = {place, parameter->name};
    if (parameter->default_graph && bind_graph(b, parameter->default_graph, &names, &inside, &d->defaults[k]) != 0)
      return -1;
  }
  return 0;
}

static int bind_definition(struct binder *b, const struct place *place, struct definition *d)
{
  const struct signature *signature = &d->entry->signature;
  const char **names = ARENA_ARRAY(b->arena, const char *, signature->count);
  bool outer = b->built_in_only;
  d->defaults = ARENA_ARRAY(b->arena, const struct bound *, signature->count);
  if (!names || !d->defaults)
    return error_memory(b->error);
  for (size_t i = 0; i < signature->count; i++)
    names[i] = signature->parameters[i].name;
  b->built_in_only = d->entry == process_table_find(d->entry->id);
  b->in_work[b->depth++] = d;
  int status = bind_defaults(b, place, d);
  if (status == 0)
    status = bind_graph(b, d->entry->body, &(struct names){NULL, names, signature->count}, place, &d->bound);
  b->depth--;
  b->built_in_only = outer;
  return status;
}

/* How many definitions were in work when this one was begun; all where it is not in work. */
static unsigned depth_of(const struct binder *b, const struct definition *d)
{
  unsigned i = 0;
  while (i < b->depth && b->in_work[i] != d)
    i++;
  return i;
}

/* The definitions from the one in that place to the innermost lead back to it. */
static int report_circle(struct binder *b, const struct place *place, unsigned first)
{
  struct buffer way = {0};
  for (unsigned i = first; i < b->depth; i++)
    buffer_printf(&way, "%s → ", b->in_work[i]->entry->id);
  const char *id = b->in_work[first]->entry->id;
  error_set(b->error, ERROR_ProcessGraphInvalid, "process '%s' is defined by a graph that leads back to itself: %s%s",
            id, way.failed ? "… → " : way.data, id);
  buffer_free(&way);
  return found(b, place);
}

/* NULL where an error was reported. */
static int find_definition(struct binder *b, const struct place *place, const struct process_entry *entry,
                           const struct definition **out)
{
  struct definition *d = b->definitions;
  while (d && d->entry != entry)
    d = d->next;
  const unsigned begun = depth_of(b, d);
  if (begun < b->depth)
    return report_circle(b, place, begun);
  if (!d && b->depth >= MAX_DEFINITION_DEPTH) {
    error_set(b->error, ERROR_ProcessGraphComplexity, "processes defined by graphs are nested deeper than %d",
              (int)MAX_DEFINITION_DEPTH);
    return found(b, place);
  }
  if (!d) {
    d = ARENA_NEW(b->arena, struct definition);
    if (!d)
      return error_memory(b->error);
    *d = (struct definition){.next = b->definitions, .entry = entry};
    b->definitions = d;
    if (bind_definition(b, place, d) != 0)
      return -1;
  }
  *out = d;
  return 0;
}

static int bind_body(struct binder *b, const struct use *use, struct bound_node *out)
{
  const struct definition *d = NULL;
  if (find_definition(b, &use->place, use->entry, &d) != 0)
    return -1;
  for (size_t k = 0; d && k < use->entry->signature.count; k++)
    use->callbacks[use->node->callback_count + k].bound = d->defaults[k];
  out->body = d ? d->bound : NULL;
  return 0;
}

static int unsupported(struct binder *b, const struct place *place, const struct graph_node *node)
{
  if (node->space)
    error_set(b->error, ERROR_ProcessUnsupported, "process '%s' of namespace '%s' is not available here", node->process,
              node->space);
  else
    error_set(b->error, ERROR_ProcessUnsupported, "process '%s' is not available here", node->process);
  return found(b, place);
}

static int bind_node(struct binder *b, const struct surroundings *in, const struct graph_node *node,
                     struct bound_node *out)
{
  struct use use = {.node = node, .entry = find_process(b, node), .place = {in->place, node->id}};
  if (!use.entry)
    return error_is_set(b->error) ? found(b, &use.place) : unsupported(b, &use.place, node);
  use.slots = ARENA_ARRAY(b->arena, struct slot, use.entry->signature.count);
  const size_t defaults = use.entry->body ? use.entry->signature.count : 0;
  use.callbacks = ARENA_ARRAY(b->arena, struct bound_callback, node->callback_count + defaults);
  if (!use.slots || !use.callbacks)
    return error_memory(b->error);
  *out = (struct bound_node){.node = node, .entry = use.entry, .slots = use.slots, .callbacks = use.callbacks};
  if (bind_arguments(b, in, &use) != 0)
    return -1;
  return use.entry->process ? 0 : bind_body(b, &use, out);
}

/* ---- graphs ----------------------------------------------------------------------------------------------------- */

static int find_result(const struct graph *graph, size_t *out, struct error *error)
{
  size_t result = SIZE_MAX;
  for (size_t i = 0; i < graph->count; i++) {
    if (!graph->nodes[i].result)
      continue;
    if (result != SIZE_MAX)
      return error_set(error, ERROR_ProcessGraphInvalid, "both '%s' and '%s' are marked as the result",
                       graph->nodes[result].id, graph->nodes[i].id);
    result = i;
  }
  if (result == SIZE_MAX && graph->count == 1)
    result = 0;
  if (result == SIZE_MAX)
    return error_set(error, ERROR_ProcessGraphInvalid, "no node is marked with \"result\": true");
  *out = result;
  return 0;
}

static int bind_graph(struct binder *b, const struct graph *graph, const struct names *names, const struct place *place,
                      const struct bound **out)
{
  const struct surroundings in = {graph, names, place};
  struct bound *bound = ARENA_NEW(b->arena, struct bound);
  struct bound_node *nodes = ARENA_ARRAY(b->arena, struct bound_node, graph->count);
  if (!bound || !nodes)
    return error_memory(b->error);
  for (size_t i = 0; i < graph->count; i++)
    if (bind_node(b, &in, &graph->nodes[i], &nodes[i]) != 0)
      return -1;
  bound->graph = graph;
  bound->nodes = nodes;
  if (find_result(graph, &bound->result, b->error) != 0 || graph_order(b->arena, graph, &bound->order, b->error) != 0)
    return found(b, place);
  *out = bound;
  return 0;
}

/* ---- top level -------------------------------------------------------------------------------------------------- */

static int read_given(struct binder *b, const struct signature *signature, const struct graph_parameter *given,
                      struct value *out)
{
  const struct parameter *parameter = signature_find(signature, given->name);
  if (value_read(b->arena, given->json, b->options->official_encoding, out, b->error) != 0)
    return error_at_parameter(b->error, given->name);
  if (parameter)
    return check_value(b, parameter, out, true);
  if (given->is_offered || signature->count == 0) /* a bare graph declares nothing */
    return 0;
  return error_parameter(b->error, ERROR_ProcessParameterUnsupported, given->name, "the process has no parameter '%s'",
                         given->name);
}

static int read_default(struct binder *b, const struct parameter *parameter, struct value *out)
{
  const struct names names = {NULL, parameter->callback_parameters, parameter->callback_parameter_count};
  const struct place place = {NULL, parameter->name};
  *out = parameter->has_default ? parameter->default_value : value_null();
  if (!parameter->default_graph)
    return 0;
  struct callback *callback = ARENA_NEW(b->arena, struct callback);
  const char *path = arena_printf(b->arena, "%s/", parameter->name);
  if (!callback || !path)
    return error_memory(b->error);
  *callback = (struct callback){.argument = parameter->name, .path = path};
  *out = (struct value){.kind = VALUE_CALLBACK, .callback = callback};
  return bind_graph(b, parameter->default_graph, &names, &place, &callback->bound);
}

/* Values of the top level's parameters: those given, then the defaults of those that are not. */
static int read_parameters(struct binder *b, const struct signature *signature, struct argument *arguments,
                           size_t *count, bool *open)
{
  const struct graph_options *o = b->options;
  for (size_t i = 0; i < o->parameter_count; i++) {
    arguments[i].name = o->parameters[i].name;
    if (read_given(b, signature, &o->parameters[i], &arguments[i].value) != 0)
      return -1;
  }
  *count = o->parameter_count;
  for (size_t k = 0; k < signature->count; k++) {
    const struct parameter *parameter = &signature->parameters[k];
    bool known = false;
    for (size_t i = 0; i < o->parameter_count; i++)
      known = known || strcmp(o->parameters[i].name, parameter->name) == 0;
    if (known)
      continue;
    if (!parameter->optional && !b->report)
      return error_parameter(b->error, ERROR_ProcessParameterMissing, parameter->name,
                             "the parameter '%s' has no value", parameter->name);
    *open = *open || !parameter->optional;
    struct argument *argument = &arguments[(*count)++];
    argument->name = parameter->name;
    if (read_default(b, parameter, &argument->value) != 0)
      return -1;
  }
  return 0;
}

int graph_bind_report(struct arena *arena, const struct graph *graph, const struct graph_options *options,
                      const struct bound **out, bind_report report, void *data, struct error *error)
{
  struct binder b = {.arena = arena, .error = error, .options = options, .report = report, .report_data = data};
  size_t most = options->parameter_count + graph->signature.count, count = 0;
  struct argument *arguments = ARENA_ARRAY(arena, struct argument, most);
  const char **names = ARENA_ARRAY(arena, const char *, most);
  bool open = false;
  if (!arguments || !names)
    return error_memory(error);
  if (read_parameters(&b, &graph->signature, arguments, &count, &open) != 0)
    return -1;
  for (size_t i = 0; i < count; i++)
    names[i] = arguments[i].name;
  if (bind_graph(&b, graph, &(struct names){.names = names, .count = count}, NULL, out) != 0 || b.found > 0)
    return -1;
  struct bound *bound = (struct bound *)*out;
  bound->parameters = arguments;
  bound->parameter_count = count;
  bound->open = open;
  return 0;
}

int graph_bind(struct arena *arena, const struct graph *graph, const struct graph_options *options,
               const struct bound **out, struct error *error)
{
  return graph_bind_report(arena, graph, options, out, NULL, NULL, error);
}
