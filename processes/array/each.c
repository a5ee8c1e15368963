/* Element by element the callback is walked as often as the array has elements. Where it only computes with a pixel's
 * element, one walk suffices: what it emitted is taken for the whole array. */
#include "processes/array/each.h"

#include "processes/array/elements.h"
#include "processes/array/kept.h"
#include "processes/graph/bound.h"

#include <string.h>

/* ---- what the callback asks for --------------------------------------------------------------------------------- */

static bool graph_uses(const struct graph *graph, const char *name);

static bool expression_uses(const struct expression *e, const char *name)
{
  if (e->kind == EXPRESSION_PARAMETER)
    return strcmp(e->name, name) == 0;
  if (e->kind == EXPRESSION_GRAPH)
    return graph_uses(e->graph, name);
  for (size_t i = 0; i < e->count; i++)
    if (expression_uses(&e->items[i], name))
      return true;
  return false;
}

static bool graph_uses(const struct graph *graph, const char *name)
{
  for (size_t i = 0; i < graph->count; i++)
    for (size_t k = 0; k < graph->nodes[i].argument_count; k++)
      if (expression_uses(&graph->nodes[i].arguments[k], name))
        return true;
  return false;
}

/* ---- walking ---------------------------------------------------------------------------------------------------- */

struct each {
  struct call *call;
  const struct value *data;
  const struct callback *callback;
  struct lanes indexes; /* where elements are left out: each one's index among those left */
  bool wants_index;
};

static int ask(const struct each *each, size_t i, const struct value *x, struct value *answer)
{
  struct call *call = each->call;
  const struct value *context = call_argument(call, "context"), *data = each->data;
  struct value index = value_number((double)i);
  if (data->kind == VALUE_LANES && data->kept != NULL && each->wants_index)
    index = value_lanes(program_element(call->program, each->indexes, i));
  struct argument parameters[] = {{"x", *x},
                                  {"index", index},
                                  {"label", array_is_labelled(data) ? array_label(call, data, i) : value_null()},
                                  {"context", context == NULL ? value_null() : *context}};
  return call_run_callback(call, each->callback, call->program, parameters, 4, answer);
}

/* One walk for all. False where that is not possible. */
static int ask_once(const struct each *each, bool *done, struct value *out)
{
  struct program *p = each->call->program;
  const struct lanes array = each->data->lanes;
  struct value x = value_lanes(program_element(p, array, 0)), answer;
  struct lanes all;
  if (ask(each, 0, &x, &answer) != 0)
    return -1;
  *done = answer.kind == VALUE_LANES && program_spread(p, array, x.lanes, answer.lanes, &all);
  if (*done)
    *out = value_lanes(all);
  return 0;
}

static int ask_each(const struct each *each, struct value *out)
{
  struct call *call = each->call;
  size_t count = array_length(each->data);
  struct value *items = ARENA_ARRAY(call->arena, struct value, count);
  const struct value *labels;
  if (items == NULL)
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++) {
    struct value x = array_item(call, each->data, i);
    if (ask(each, i, &x, &items[i]) != 0)
      return -1;
  }
  if (array_labels_list(call, each->data, &labels) != 0)
    return -1;
  *out = value_labelled(items, labels, count);
  return 0;
}

int each_element(struct call *call, const struct value *data, const struct callback *callback, struct value *out)
{
  const struct graph *graph = callback->bound->graph;
  struct each each = {.call = call, .data = data, .callback = callback, .wants_index = graph_uses(graph, "index")};
  bool done = false;
  if (data->kind == VALUE_LANES && data->kept != NULL && each.wants_index)
    each.indexes = kept_indexes(call->program, *data->kept);
  if (data->kind == VALUE_LANES && array_length(data) > 1 && !each.wants_index && !graph_uses(graph, "label") &&
      ask_once(&each, &done, out) != 0)
    return -1;
  return done ? 0 : ask_each(&each, out);
}
