/* Lowering: nodes in order, late arguments evaluated and checked, each process called once. Host values fold here: a
 * value process whose arguments are all known gets a program of its own, which is run at once on one lane. */
#include "processes/graph/lower.h"

#include "datacube/base/missing.h"
#include "hpc/plan/node.h"
#include "hpc/plan/plan.h"
#include "processes/cube/given_labels.h"
#include "processes/cube/inline_cube.h"
#include "processes/graph/bind.h"
#include "processes/graph/elsewhere.h"
#include "processes/graph/saves.h"

#include <string.h>

struct walk { /* one graph on its way */
  struct lowering *lowering;
  const struct bound *bound;
  const struct scope *scope;
  struct program *program; /* of the callback, or NULL at the top */
  const char *path;        /* before a node's id: "" at the top, "a/reducer/" in a callback */
  struct value *values;    /* per node */
};

static int lower_graph(struct walk *walk, struct value *result);

static const struct value *find_parameter(const struct scope *scope, const char *name)
{
  for (; scope; scope = scope->outer)
    for (size_t i = 0; i < scope->count; i++)
      if (strcmp(scope->arguments[i].name, name) == 0)
        return &scope->arguments[i].value;
  return NULL;
}

/* ---- budget ----------------------------------------------------------------------------------------------------- */

/* Whatever a call does with its arguments before the first tile, it walks each a few times at most. */
static int pay(struct lowering *l, size_t work)
{
  if (work > GRAPH_MAX_WORK - l->work)
    return error_set(l->error, ERROR_ProcessGraphComplexity,
                     "the process graph asks for too much work before anything is computed");
  l->work += work;
  if (l->options->cancel && *l->options->cancel)
    return error_set(l->error, ERROR_RequestTimeout, "the request was cancelled");
  return 0;
}

/* ---- expressions ------------------------------------------------------------------------------------------------ */

static int evaluate(const struct walk *w, const struct bound_node *node, const struct expression *e, struct value *out);

static int evaluate_items(const struct walk *w, const struct bound_node *node, const struct expression *e,
                          struct value *out)
{
  struct value *items = ARENA_ARRAY(w->lowering->arena, struct value, e->count);
  if (!items)
    return error_memory(w->lowering->error);
  for (size_t i = 0; i < e->count; i++)
    if (evaluate(w, node, &e->items[i], &items[i]) != 0)
      return -1;
  if (e->kind == EXPRESSION_OBJECT)
    return value_object(w->lowering->arena, e->keys, items, e->count, out) == 0 ? 0 : error_memory(w->lowering->error);
  *out = value_array(items, e->count);
  return 0;
}

static int evaluate_graph(const struct walk *w, const struct bound_node *node, const struct expression *e,
                          struct value *out)
{
  struct callback *callback = ARENA_NEW(w->lowering->arena, struct callback);
  if (!callback)
    return error_memory(w->lowering->error);
  const struct bound_callback *bound = &node->callbacks[e->callback];
  const char *path = arena_printf(w->lowering->arena, "%s%s/%s/", w->path, node->node->id, bound->argument);
  if (!path)
    return error_memory(w->lowering->error);
  *callback = (struct callback){.bound = bound->bound, .scope = w->scope, .argument = bound->argument, .path = path};
  *out = (struct value){.kind = VALUE_CALLBACK, .callback = callback};
  return 0;
}

/* The node's id with its path, for EXPLAIN and the errors of a plan; NULL when out of memory. */
static const char *path_of(const struct walk *w, const struct bound_node *node)
{
  return w->path[0] ? arena_printf(w->lowering->arena, "%s%s", w->path, node->node->id) : node->node->id;
}

static int evaluate_cube(const struct walk *w, const struct bound_node *node, const struct expression *e,
                         struct value *out)
{
  const struct node_origin origin = {path_of(w, node), node->node->process};
  if (!origin.id)
    return error_memory(w->lowering->error);
  if (pay(w->lowering, value_weight(&e->value)) != 0)
    return -1;
  return inline_cube_value(w->lowering->arena, origin, &e->value, out, w->lowering->error);
}

static int evaluate(const struct walk *w, const struct bound_node *node, const struct expression *e, struct value *out)
{
  const struct value *parameter;
  switch (e->kind) {
  case EXPRESSION_VALUE:
    *out = e->value;
    return 0;
  case EXPRESSION_CUBE:
    return evaluate_cube(w, node, e, out);
  case EXPRESSION_NODE:
    *out = w->values[graph_find(w->bound->graph, e->name)];
    return 0;
  case EXPRESSION_PARAMETER:
    parameter = find_parameter(w->scope, e->name);
    if (!parameter)
      return error_set(w->lowering->error, ERROR_ProcessParameterMissing, "the parameter '%s' has no value", e->name);
    *out = *parameter;
    return 0;
  case EXPRESSION_GRAPH:
    return evaluate_graph(w, node, e, out);
  case EXPRESSION_ARRAY:
  case EXPRESSION_OBJECT:
    return evaluate_items(w, node, e, out);
  }
  return error_set(w->lowering->error, ERROR_Internal, "unknown expression");
}

/* ---- arguments -------------------------------------------------------------------------------------------------- */

/* A value that was not known when the graph was bound, checked; `left_out` where it counts as not given. */
static int late_argument(const struct walk *w, const struct bound_node *node, size_t k, struct value *out,
                         bool *left_out)
{
  struct lowering *l = w->lowering;
  const struct parameter *parameter = &node->entry->signature.parameters[k];
  const struct expression *e = node->slots[k].expression;
  bool ranges = node->entry->process && node->entry->process->shape == PROCESS_CUBE;
  if (evaluate(w, node, e, out) != 0)
    return error_at_parameter(l->error, parameter->name);
  if (value_weight(out) > GRAPH_MAX_WEIGHT)
    return error_parameter(l->error, ERROR_ProcessGraphComplexity, parameter->name,
                           "the value of '%s' has more than %d elements, counted through all its levels",
                           parameter->name, (int)GRAPH_MAX_WEIGHT);
  const struct value *inner = parameter_inner_list(parameter, out);
  if (inner)
    *out = *inner;
  *left_out = parameter_left_out(parameter, out);
  if (process_takes(node->entry, parameter->name, out))
    return 0;
  if (*left_out || e->kind == EXPRESSION_GRAPH || e->kind == EXPRESSION_CUBE) /* their kind was checked before */
    return 0;
  if (parameter->cost > 1 && pay(l, value_weight(out) * (parameter->cost - 1)) != 0)
    return -1;
  return parameter_check(parameter, out, ranges, l->error);
}

static size_t work_of_call(const struct walk *w, const struct process_entry *entry)
{
  if (!entry->process || entry->process->shape != PROCESS_CUBE)
    return GRAPH_CALL_WORK;
  return w->program ? GRAPH_INNER_WORK : GRAPH_CUBE_WORK;
}

static int collect(const struct walk *w, const struct bound_node *node, struct argument **out, size_t *count)
{
  const struct signature *signature = &node->entry->signature;
  struct argument *arguments = ARENA_ARRAY(w->lowering->arena, struct argument, signature->count);
  size_t n = 0, work = work_of_call(w, node->entry);
  if (!arguments)
    return error_memory(w->lowering->error);
  for (size_t k = 0; k < signature->count; k++) {
    const struct parameter *parameter = &signature->parameters[k];
    const struct value *value = node->slots[k].value;
    struct value late;
    bool left_out = false;
    if (node->slots[k].kind == SLOT_ABSENT)
      continue;
    if (node->slots[k].kind == SLOT_LATE) {
      if (late_argument(w, node, k, &late, &left_out) != 0 ||
          (left_out && node->slots[k].otherwise && evaluate(w, node, node->slots[k].otherwise, &late) != 0))
        return -1;
      value = left_out && parameter->has_default ? &parameter->default_value
              : left_out && !node->entry->body   ? NULL
                                                 : &late;
    }
    if (!value)
      continue;
    work += value_weight(value);
    arguments[n++] = (struct argument){parameter->name, *value};
  }
  *out = arguments;
  *count = n;
  return pay(w->lowering, work);
}

/* ---- folding ---------------------------------------------------------------------------------------------------- */

static struct value folded(double number, enum lane_class class)
{
  if (is_na_f64(number))
    return value_null();
  return class == LANES_BOOLEAN ? value_boolean(number != 0) : value_number(number);
}

/* Runs the program and turns lanes into a host value. */
static int fold(struct lowering *l, const struct program *program, struct value *value)
{
  struct lanes lanes = value->lanes;
  double *numbers = ARENA_ARRAY(l->arena, double, lanes.length);
  struct value *items = ARENA_ARRAY(l->arena, struct value, lanes.length);
  struct value *labels = lanes.labels ? ARENA_ARRAY(l->arena, struct value, lanes.length) : NULL;
  if (!numbers || !items || (lanes.labels && !labels))
    return error_memory(l->error);
  if (program_evaluate(program, lanes, numbers, l->error) != 0)
    return -1;
  if (!lanes.is_array) {
    *value = folded(numbers[0], lanes.class);
    return 0;
  }
  for (size_t i = 0; i < lanes.length; i++) {
    items[i] = folded(numbers[i], lanes.class);
    if (labels && dimension_label_value(l->arena, lanes.labels, i, &labels[i], l->error) != 0)
      return -1;
  }
  *value = value_labelled(items, labels, lanes.length);
  return 0;
}

static bool any_lanes(const struct argument *arguments, size_t count);

/* A callback has lanes where the parameters of its surroundings, which it may use, do. */
static bool callback_has_lanes(const struct callback *callback)
{
  for (const struct scope *scope = callback->scope; scope; scope = scope->outer)
    if (any_lanes(scope->arguments, scope->count))
      return true;
  return false;
}

static bool any_lanes(const struct argument *arguments, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    const struct value *value = &arguments[i].value;
    if (value_has_lanes(value) || (value->kind == VALUE_CALLBACK && callback_has_lanes(value->callback)))
      return true;
  }
  return false;
}

/* A value with lanes of a folding program inside: the lanes become numbers. */
static int fold_inside(struct lowering *l, const struct program *program, struct value *value)
{
  if (value->kind == VALUE_LANES)
    return fold(l, program, value);
  if (value->kind != VALUE_ARRAY || !value_has_lanes(value))
    return 0;
  struct value *items = ARENA_ARRAY(l->arena, struct value, value->count);
  if (!items)
    return error_memory(l->error);
  for (size_t i = 0; i < value->count; i++) {
    items[i] = value->items[i];
    if (fold_inside(l, program, &items[i]) != 0)
      return -1;
  }
  *value = value_labelled(items, value->labels, value->count);
  return 0;
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static int call_process(const struct walk *w, const struct bound_node *node, struct argument *arguments, size_t count,
                        struct value *result)
{
  struct lowering *l = w->lowering;
  struct call call = {.process = node->entry->process,
                      .node = path_of(w, node),
                      .arguments = arguments,
                      .argument_count = count,
                      .arena = l->arena,
                      .program = w->program,
                      .catalogue = l->options->catalogue,
                      .files = l->options->files,
                      .workspaces = l->options->workspaces,
                      .local = l->options->local,
                      .lowering = l,
                      .error = l->error};
  bool folds = call.process->shape != PROCESS_CUBE && (!w->program || !any_lanes(arguments, count));
  if (folds)
    call.program = program_new(l->arena);
  if (!call.node || (folds && !call.program))
    return error_memory(l->error);
  if (call.process->call(&call, result) != 0)
    return error_is_set(l->error)
               ? -1
               : error_set(l->error, ERROR_Internal, "process '%s' failed without saying why", call.process->id);
  if (call.program && program_failed(call.program))
    return program_error(call.program, l->error);
  if (folds)
    return fold_inside(l, call.program, result);
  return 0;
}

const volatile int *call_cancel(const struct call *call)
{
  return call->lowering->options->cancel;
}

struct ranks *call_ranks(const struct call *call)
{
  return call->lowering->options->ranks;
}

size_t call_memory(const struct call *call)
{
  size_t memory = call->lowering->options->memory;
  return memory > 0 ? memory : PLAN_MEMORY;
}

bool call_has_log(const struct call *call)
{
  return call->lowering->options->log != NULL;
}

void call_log(const struct call *call, const struct log_entry *entry)
{
  struct log_entry placed = *entry;
  placed.node = call->node;
  run_log_put(call->lowering->options->log, &placed);
}

static int lower_node(const struct walk *w, const struct bound_node *node, struct value *result)
{
  struct argument *arguments = NULL;
  size_t count = 0;
  if (collect(w, node, &arguments, &count) != 0)
    return -1;
  if (node->entry->process)
    return call_process(w, node, arguments, count, result);
  struct scope *scope = ARENA_NEW(w->lowering->arena, struct scope); /* callbacks that leave the body refer to it */
  struct walk body = {.lowering = w->lowering,
                      .bound = node->body,
                      .scope = scope,
                      .program = w->program,
                      .path = arena_printf(w->lowering->arena, "%s%s/", w->path, node->node->id)};
  if (!scope || !body.path)
    return error_memory(w->lowering->error);
  *scope = (struct scope){.arguments = arguments, .count = count};
  return lower_graph(&body, result);
}

static int lower_graph(struct walk *w, struct value *result)
{
  const struct bound *bound = w->bound;
  struct error *error = w->lowering->error;
  w->values = ARENA_ARRAY(w->lowering->arena, struct value, bound->graph->count);
  if (!w->values)
    return error_memory(error);
  for (size_t i = 0; i < bound->graph->count; i++) {
    size_t n = bound->order[i];
    if (lower_node(w, &bound->nodes[n], &w->values[n]) != 0)
      return error_within(error, bound->graph->nodes[n].id);
  }
  *result = w->values[bound->result];
  return 0;
}

int call_run_callback(struct call *call, const struct callback *callback, struct program *program,
                      const struct argument *parameters, size_t count, struct value *result)
{
  struct scope *scope = ARENA_NEW(call->arena, struct scope);
  struct argument *copy = arena_copy(call->arena, parameters, count * sizeof *parameters);
  if (!scope || !copy)
    return error_memory(call->error);
  if (program && program_failed(program)) /* no room for the parameters' own steps */
    return program_error(program, call->error);
  *scope = (struct scope){.outer = callback->scope, .arguments = copy, .count = count};
  struct walk walk = {
      .lowering = call->lowering, .bound = callback->bound, .scope = scope, .program = program, .path = callback->path};
  call->lowering->callbacks++;
  const int status = lower_graph(&walk, result);
  call->lowering->callbacks--;
  return status == 0 ? 0 : error_within(call->error, callback->argument);
}

/* ---- top level -------------------------------------------------------------------------------------------------- */

/* A value that is saved and the result, too, is written as the result. */
static bool is_result_value(const struct outcome *out, const struct outcome_output *output)
{
  return out->is_value && !output->node && strcmp(output->name, out->name) == 0;
}

/* The saves in their order, and the result's cube where no save_result made it. */
static int collect_outputs(const struct lowering *l, struct outcome *out)
{
  struct outcome_output *outputs = ARENA_ARRAY(l->arena, struct outcome_output, l->save_count + 1);
  bool is_saved = out->is_value;
  size_t count = 0;
  if (!outputs)
    return error_memory(l->error);
  for (const struct save *save = l->saves; save; save = save->next) /* the last first */
    count += is_result_value(out, &save->output) ? 0 : 1;
  size_t at = count;
  for (const struct save *save = l->saves; save; save = save->next) {
    if (is_result_value(out, &save->output))
      continue;
    outputs[--at] = save->output;
    outputs[at].is_result = !is_saved && save->output.node && save->output.node == out->value.cube;
    is_saved = is_saved || outputs[at].is_result || (save->output.part_of && save->output.part_of == out->value.cube);
  }
  if (!is_saved)
    outputs[count++] = (struct outcome_output){.node = out->value.cube, .name = out->name, .is_result = true};
  out->outputs = outputs;
  out->output_count = count;
  return 0;
}

const struct outcome_output *outcome_result(const struct outcome *outcome)
{
  for (size_t i = 0; i < outcome->output_count; i++)
    if (outcome->outputs[i].is_result)
      return &outcome->outputs[i];
  return NULL;
}

int graph_lower(struct arena *arena, const struct bound *bound, const struct graph_options *options,
                struct outcome *out, struct error *error)
{
  struct lowering l = {.arena = arena, .options = options, .error = error};
  struct scope scope = {.arguments = bound->parameters, .count = bound->parameter_count};
  struct walk walk = {.lowering = &l, .bound = bound, .scope = &scope, .path = ""};
  struct value result;
  if (lower_graph(&walk, &result) != 0 || saves_check(&l) != 0)
    return -1;
  saves_unwrap(&l, &result);
  if (result.kind == VALUE_CALLBACK || result.kind == VALUE_LANES || result.kind == VALUE_HANDLE)
    return error_set(error, ERROR_ProcessGraphInvalid, "the result is neither a value nor a data cube");
  if (value_weight(&result) > GRAPH_MAX_WEIGHT)
    return error_set(error, ERROR_ProcessGraphComplexity, "the result has more than %d elements",
                     (int)GRAPH_MAX_WEIGHT);
  *out = (struct outcome){
      .is_value = result.kind != VALUE_CUBE, .value = result, .name = bound->graph->nodes[bound->result].id};
  return collect_outputs(&l, out);
}

void graph_validate(const char *json, size_t length, const struct graph_options *options,
                    void (*report)(void *data, const struct error *error), void *data)
{
  struct error error = {{0}, {0}, {0}, {0}};
  struct arena *arena = arena_new((size_t)1 << 30);
  const struct graph *graph;
  const struct bound *bound;
  struct outcome outcome;
  struct graph_shares shares;
  struct graph_options describing = *options;
  bool has_guessed = false;
  describing.describes_only = true;
  describing.has_guessed = &has_guessed;
  if (!arena)
    error_memory(&error);
  else if (graph_parse(arena, json, length, options->official_encoding, &graph, &error) == 0 &&
           graph_bind_report(arena, graph, options, &bound, report, data, &error) == 0 && !bound->open &&
           graph_share(arena, json, length, options, &shares, &error) == 0 && shares.count == 0 &&
           graph_lower(arena, bound, &describing, &outcome, &error) != 0 && has_guessed)
    error = (struct error){{0}, {0}, {0}, {0}}; /* behind a script it may be none */
  if (error_is_set(&error)) {
    if (arena)
      graph_blame(arena, &error);
    report(data, &error);
  }
  arena_free(arena);
}
