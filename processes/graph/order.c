/* The order of a graph's nodes: depth first, without recursion, as chains may be as long as the graph. */
#include "processes/graph/bind.h"

struct frame {
  size_t node, next; /* next reference to follow */
};

struct sorter {
  const struct graph *graph;
  unsigned char *mark; /* 0 not seen, 1 on the path, 2 done */
  size_t *order, done;
  struct frame *stack;
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

static int list_references(struct arena *arena, struct sorter *s)
{
  size_t total = 0;
  s->first = ARENA_ARRAY(arena, size_t, s->graph->count + 1);
  if (!s->first)
    return -1;
  for (size_t i = 0; i < s->graph->count; i++) {
    s->first[i] = total;
    for (size_t k = 0; k < s->graph->nodes[i].argument_count; k++)
      total += count_references(s->graph, &s->graph->nodes[i].arguments[k], NULL);
  }
  s->first[s->graph->count] = total;
  s->references = ARENA_ARRAY(arena, size_t, total);
  if (!s->references)
    return -1;
  for (size_t i = 0, at = 0; i < s->graph->count; i++)
    for (size_t k = 0; k < s->graph->nodes[i].argument_count; k++)
      at += count_references(s->graph, &s->graph->nodes[i].arguments[k], s->references + at);
  return 0;
}

static int visit(struct sorter *s, size_t root, struct error *error)
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
      error_set(error, "ProcessGraphInvalid", "the nodes '%s' and '%s' depend on each other: the graph has a cycle",
                s->graph->nodes[frame->node].id, s->graph->nodes[target].id);
      return error_at_node(error, s->graph->nodes[target].id);
    }
    if (s->mark[target] == 0) {
      s->mark[target] = 1;
      s->stack[depth++] = (struct frame){target, s->first[target]};
    }
  }
  return 0;
}

int graph_order(struct arena *arena, const struct graph *graph, const size_t **out, struct error *error)
{
  struct sorter s = {.graph = graph};
  s.mark = ARENA_ARRAY(arena, unsigned char, graph->count);
  s.order = ARENA_ARRAY(arena, size_t, graph->count);
  s.stack = ARENA_ARRAY(arena, struct frame, graph->count);
  if (!s.mark || !s.order || !s.stack || list_references(arena, &s) != 0)
    return error_memory(error);
  for (size_t i = 0; i < graph->count; i++)
    if (s.mark[i] == 0 && visit(&s, i, error) != 0)
      return -1;
  *out = s.order;
  return 0;
}
