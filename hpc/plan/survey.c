/* The survey before fusing: tells for each output dimension of a run of nodes whether it can simply run with the tile
 * (OUT), must be given one index at a time because the program differs (FIXED: stacks), or must be produced whole
 * (AXIS: arrays), and whether the lanes must be f64. */
#include "hpc/plan/survey.h"

#include <string.h>

enum { SEEN_LISTS = 4096 };

struct seen {
  struct seen *next;
  const struct node *node;
  struct survey survey;
};

struct surveyor {
  struct arena *scratch;
  const struct node *root;
  const struct node_table *decisions;
  struct seen *seen[SEEN_LISTS]; /* by the node's address */
  bool wants_f64;
  unsigned depth;
  struct error *error;
};

static int survey_node(struct surveyor *s, const struct node *node, struct survey *out);

static bool needs_f64(enum element_type type)
{
  return type != ELEMENT_C64 && !element_info(type)->exact_in_f32;
}

static void raise_mode(enum dim_mode *mode, enum dim_mode to)
{
  if (to > *mode)
    *mode = to;
}

/* Whether a part of an index of dimension d costs the source less than all of it. */
static bool reads_apart(const struct node *node, size_t d)
{
  while (node->kind == NODE_VIEW) {
    size_t in = 0;
    while (in < node->input->cube->dimensions && node->view[in].out != (int)d)
      in++;
    if (in == node->input->cube->dimensions)
      return false;
    node = node->input;
    d = in;
  }
  const struct source *source = node_source_of(node);
  return source && source->block[d] == 1;
}

/* Whether the array is made of one number a label, each of indexes of its own (the mean of all Januaries): then a label
 * is made alone, and the elements of the others need not be there. */
static bool comes_by_label(const struct node *node)
{
  const struct program_step *steps = node->program->steps, *joined = &steps[node->result.value];
  bool apart = node->array_out != NO_DIMENSION && !node->result.is_complex && joined->kind == PROGRAM_CONCAT;
  for (size_t i = 0; apart && i < joined->part_count; i++) {
    const struct program_step *reduced = &steps[joined->parts[i]];
    const struct program_step *picked = reduced->kind == PROGRAM_REDUCE ? &steps[reduced->operand[0]] : NULL;
    const struct program_step *all = picked && picked->kind == PROGRAM_PICK ? &steps[picked->operand[0]] : NULL;
    const struct kernel_input *input = all && all->kind == PROGRAM_INPUT ? &node->inputs[all->input] : NULL;
    apart = input && input->array_dimension != NO_DIMENSION && reduced->length == 1 &&
            reads_apart(input->node, (size_t)input->array_dimension);
  }
  return apart;
}

static int survey_kernel(struct surveyor *s, const struct node *node, struct survey *out)
{
  bool *needed = ARENA_ARRAY(s->scratch, bool, node->program->count);
  if (!needed)
    return error_memory(s->error);
  node_mark_needed(node, needed);
  for (size_t i = 0; i < node->program->count; i++) {
    const struct program_step *step = &node->program->steps[i];
    if (!needed[i])
      continue;
    if (step->kind == PROGRAM_CONSTANT || step->kind == PROGRAM_FIT || step->kind == PROGRAM_FUNCTION)
      s->wants_f64 = s->wants_f64 || step->wants_f64;
    if (step->kind != PROGRAM_INPUT)
      continue;
    const struct kernel_input *input = &node->inputs[step->input];
    struct survey inner;
    if (input->window_count) { /* a stage of its own */
      s->wants_f64 = s->wants_f64 || needs_f64(input->node->cube->type);
      continue;
    }
    if (survey_node(s, input->node, &inner) != 0)
      return -1;
    for (size_t d = 0; d < input->node->cube->dimensions; d++)
      if ((int)d != input->array_dimension)
        raise_mode(&out->mode[input->to_output[d]], inner.mode[d]);
  }
  if (node->array_out != NO_DIMENSION)
    out->mode[node->array_out] = node == s->root && comes_by_label(node) ? MODE_FIXED : MODE_AXIS;
  for (size_t i = 0; i < node->input_count; i++) /* what does not run there becomes a stage of its own */
    for (size_t w = 0; w < node->inputs[i].window_count; w++)
      out->mode[node->inputs[i].to_output[node->inputs[i].window[w].dimension]] = MODE_OUT;
  return 0;
}

static int survey_children(struct surveyor *s, const struct node *node, struct survey *out)
{
  for (size_t k = 0; k < node->cube->dimension[node->stack_dimension].size; k++) {
    struct survey inner;
    if (survey_node(s, node->children[k], &inner) != 0)
      return -1;
    for (size_t d = 0; d < node->cube->dimensions; d++)
      if ((int)d != node->stack_dimension)
        raise_mode(&out->mode[d], inner.mode[d]);
  }
  raise_mode(&out->mode[node->stack_dimension], MODE_FIXED);
  return 0;
}

/* A stage of its own: it may be asked for one index at a time, but gives what it makes as arrays whole. */
static int survey_cut(struct surveyor *s, const struct node *node, struct survey *out)
{
  bool wanted_f64 = s->wants_f64;
  if (survey_kernel(s, node, out) != 0)
    return -1;
  s->wants_f64 = wanted_f64 || needs_f64(node->cube->type);
  for (size_t d = 0; d < node->cube->dimensions; d++)
    out->mode[d] = out->mode[d] == MODE_AXIS ? MODE_AXIS : MODE_OUT;
  return 0;
}

static int survey_inside(struct surveyor *s, const struct node *node, struct survey *out)
{
  enum node_decision decision = node == s->root ? DECIDE_FUSE : keep_decision(s->decisions, node);
  if (node->kind == NODE_STAGE || decision == DECIDE_KEEP) {
    s->wants_f64 = s->wants_f64 || needs_f64(node->cube->type);
    return 0;
  }
  if (decision == DECIDE_CUT)
    return survey_cut(s, node, out);
  if (node->kind == NODE_KERNEL)
    return survey_kernel(s, node, out);
  if (node->kind == NODE_STACK)
    return survey_children(s, node, out);
  struct survey inner;
  if (survey_node(s, node->input, &inner) != 0)
    return -1;
  for (size_t d = 0; d < node->input->cube->dimensions; d++)
    if (node->view[d].out != NO_DIMENSION)
      raise_mode(&out->mode[node->view[d].out], inner.mode[d]);
  return 0;
}

static int survey_node(struct surveyor *s, const struct node *node, struct survey *out)
{
  struct seen **list = &s->seen[(uintptr_t)node / 64 % SEEN_LISTS];
  memset(out, 0, sizeof *out);
  for (const struct seen *seen = *list; seen; seen = seen->next)
    if (seen->node == node) {
      *out = seen->survey;
      return 0;
    }
  if (s->depth >= MAX_DEPTH)
    return error_set(s->error, ERROR_ProcessGraphComplexity, "more than %d cube processes follow one another",
                     (int)MAX_DEPTH);
  s->depth++;
  int status = survey_inside(s, node, out);
  s->depth--;
  struct seen *seen = ARENA_NEW(s->scratch, struct seen);
  if (status != 0 || !seen)
    return status != 0 ? -1 : error_memory(s->error);
  *seen = (struct seen){.next = *list, .node = node, .survey = *out};
  *list = seen;
  return 0;
}

int survey_run(const struct stage_list *list, const struct node *root, struct survey *out, bool *wants_f64,
               struct error *error)
{
  struct arena *scratch = arena_new(0);
  struct surveyor *s = scratch ? ARENA_NEW(scratch, struct surveyor) : NULL;
  int status = s ? 0 : error_memory(error);
  if (status == 0) {
    s->scratch = scratch;
    s->root = root;
    s->decisions = list->decisions;
    s->depth = list->depth;
    s->error = error;
    status = survey_node(s, root, out);
    *wants_f64 = s->wants_f64;
  }
  arena_free(scratch);
  return status;
}
