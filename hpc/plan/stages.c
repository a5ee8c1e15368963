/* Stages: which nodes become sources, warps, passes and kernels, and how a kernel's output dimensions are driven.
 *
 * A survey before fusing tells for each output dimension whether it can simply run with the tile (OUT), must be given
 * one index at a time because the program differs (FIXED: stacks), or must be produced whole (AXIS: arrays). */
#include "hpc/plan/plan_internal.h"

#include "datacube/base/checked.h"

#include <string.h>

enum { MAX_VARIANTS = 200000, SEEN_LISTS = 4096 };

int stage_of(struct stage_list *list, const struct node *node, size_t *out, struct error *error)
{
  for (size_t i = 0; i < list->count; i++)
    if (list->stages[i].node == node) {
      *out = i;
      return 0;
    }
  return fuse_stage(list, node, out, error);
}

struct survey { /* what the fused run under a node asks of the kernel */
  enum dim_mode mode[CUBE_MAX_DIMENSIONS];
};

struct seen {
  struct seen *next;
  const struct node *node;
  struct survey survey;
};

struct surveyor {
  struct arena *scratch;
  struct seen *seen[SEEN_LISTS]; /* by the node's address */
  bool wants_f64;
  unsigned depth;
  struct error *error;
};

static int survey_node(struct surveyor *s, const struct node *node, struct survey *out);

static void raise(enum dim_mode *mode, enum dim_mode to)
{
  if (to > *mode)
    *mode = to;
}

static int survey_kernel(struct surveyor *s, const struct node *node, struct survey *out)
{
  bool *needed = ARENA_ARRAY(s->scratch, bool, node->program->count);
  if (!needed)
    return error_memory(s->error);
  program_mark_needed(node->program, node->result.value, needed);
  for (size_t i = 0; i < node->program->count; i++) {
    const struct program_step *step = &node->program->steps[i];
    if (!needed[i])
      continue;
    if (step->kind == PROGRAM_CONSTANT)
      s->wants_f64 = s->wants_f64 || step->wants_f64;
    if (step->kind != PROGRAM_INPUT)
      continue;
    const struct kernel_input *input = &node->inputs[step->input];
    struct survey inner;
    if (survey_node(s, input->node, &inner) != 0)
      return -1;
    for (size_t d = 0; d < input->node->cube->dimensions; d++)
      if ((int)d != input->array_dimension)
        raise(&out->mode[input->to_output[d]], inner.mode[d]);
  }
  if (node->array_out != NO_DIMENSION)
    out->mode[node->array_out] = MODE_AXIS;
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
        raise(&out->mode[d], inner.mode[d]);
  }
  raise(&out->mode[node->stack_dimension], MODE_FIXED);
  return 0;
}

static int survey_inside(struct surveyor *s, const struct node *node, struct survey *out)
{
  if (node->kind == NODE_SOURCE || node->kind == NODE_WARP) {
    s->wants_f64 = s->wants_f64 || !element_info(node->cube->type)->exact_in_f32;
    return 0;
  }
  if (node->kind == NODE_KERNEL)
    return survey_kernel(s, node, out);
  if (node->kind == NODE_STACK)
    return survey_children(s, node, out);
  struct survey inner;
  if (survey_node(s, node->input, &inner) != 0)
    return -1;
  for (size_t d = 0; d < node->input->cube->dimensions; d++)
    if (node->view[d].out != NO_DIMENSION)
      raise(&out->mode[node->view[d].out], inner.mode[d]);
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
    return error_set(s->error, "ProcessGraphComplexity", "more than %d cube processes follow one another", (int)MAX_DEPTH);
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

static int make_variants(struct stage_list *list, struct stage *stage, enum lane_type type, struct error *error)
{
  size_t count = 1, fixed[CUBE_MAX_DIMENSIONS] = {0};
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    if (stage->mode[d] == MODE_FIXED)
      count = saturated_mul(count, stage->cube->dimension[d].size);
  if (count > MAX_VARIANTS)
    return error_set(error, "ProcessGraphComplexity", "%zu periods or merged labels are too many for one request", count);
  struct variant *variants = ARENA_ARRAY(list->arena, struct variant, count);
  if (!variants)
    return error_memory(error);
  for (size_t v = 0; v < count; v++) {
    if (make_variant(list, stage, fixed, type, &variants[v], error) != 0)
      return -1;
    for (size_t d = stage->cube->dimensions; d-- > 0;) {
      if (stage->mode[d] != MODE_FIXED)
        continue;
      if (++fixed[d] < stage->cube->dimension[d].size)
        break;
      fixed[d] = 0;
    }
  }
  stage->variants = variants;
  stage->variant_count = count;
  return 0;
}

static int add_stage(struct stage_list *list, const struct stage *stage, size_t *out, struct error *error)
{
  struct stage *stages = arena_grow(list->arena, list->stages, list->count, &list->capacity, sizeof *stages);
  if (!stages)
    return error_memory(error);
  list->stages = stages;
  list->stages[list->count] = *stage;
  *out = list->count++;
  return 0;
}

static int fuse_kernel(struct stage_list *list, struct stage *stage, struct error *error)
{
  struct arena *scratch = arena_new(0);
  struct surveyor *s = scratch ? ARENA_NEW(scratch, struct surveyor) : NULL;
  struct survey survey;
  int status = s ? 0 : error_memory(error);
  if (status == 0) {
    *s = (struct surveyor){.scratch = scratch, .depth = list->depth, .error = error};
    status = survey_node(s, stage->node, &survey);
  }
  if (status == 0) {
    memcpy(stage->mode, survey.mode, sizeof stage->mode);
    status = make_variants(list, stage, s->wants_f64 ? LANE_F64 : LANE_F32, error);
  }
  arena_free(scratch);
  return status;
}

/* Views over a source or warp that keep the order of dimensions need no kernel: elements pass through untouched. */
static int fuse_pass(struct stage_list *list, struct stage *stage, bool *fits, struct error *error)
{
  struct binding binding[CUBE_MAX_DIMENSIONS], inner[CUBE_MAX_DIMENSIONS];
  const struct node *node = stage->node;
  bool taken[CUBE_MAX_DIMENSIONS] = {false};
  for (size_t d = 0; d < node->cube->dimensions; d++)
    binding[d] = (struct binding){.kind = BIND_OUT, .id = (int)d};
  for (; node->kind == NODE_VIEW; node = node->input) {
    for (size_t d = 0; d < node->input->cube->dimensions; d++) {
      const struct view_dimension *view = &node->view[d];
      inner[d] = (struct binding){.kind = BIND_FIXED, .fixed = view->fixed};
      if (view->out == NO_DIMENSION)
        continue;
      const struct binding *outer = &binding[view->out];
      size_t length = outer->kind == BIND_FIXED ? 1 : stage->cube->dimension[outer->id].size;
      if (binding_compose(list->arena, outer, view, length, &inner[d], error) != 0)
        return -1;
    }
    memcpy(binding, inner, sizeof binding);
  }
  int last = -1;
  *fits = node->kind == NODE_SOURCE || node->kind == NODE_WARP;
  for (size_t d = 0; *fits && d < node->cube->dimensions; d++) {
    struct need *need = &stage->pass.need[d];
    *need = (struct need){.is_static = binding[d].kind == BIND_FIXED, .out = binding[d].id, .map = binding[d].map, .offset = binding[d].offset};
    if (need->is_static) {
      need->list = arena_copy(list->arena, &binding[d].fixed, sizeof binding[d].fixed);
      need->count = 1;
      if (!need->list)
        return error_memory(error);
      continue;
    }
    *fits = binding[d].id > last;
    last = binding[d].id;
    taken[binding[d].id] = true;
  }
  for (size_t d = 0; *fits && d < stage->cube->dimensions; d++)
    *fits = taken[d] || stage->cube->dimension[d].size == 1;
  if (*fits && stage_of(list, node, &stage->upstream, error) != 0)
    return -1;
  stage->pass.stage = stage->upstream;
  return 0;
}

static int fuse_warp(struct stage_list *list, struct stage *stage, struct error *error)
{
  if (grid_of_cube(stage->node->input->cube, &stage->from) != 0)
    return error_set(error, "Internal", "warp of a cube without a grid");
  const struct grid *from = &stage->from, *to = &stage->node->grid;
  bool same = from->crs && to->crs && strcmp(from->crs, to->crs) == 0;
  double units = same ? 1 : crs_unit_metres(to->crs) / crs_unit_metres(from->crs);
  stage->ratio[0] = to->res_y * units / from->res_y;
  stage->ratio[1] = to->res_x * units / from->res_x;
  if (fuse_stage(list, stage->node->input, &stage->upstream, error) != 0)
    return -1;
  const struct stage *upstream = &list->stages[stage->upstream];
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    stage->mode[d] = upstream->kind == STAGE_KERNEL && upstream->mode[d] == MODE_AXIS ? MODE_AXIS : MODE_OUT;
  return 0;
}

static int make_stage(struct stage_list *list, const struct node *node, size_t *out, struct error *error)
{
  struct stage stage = {.node = node, .cube = node->cube};
  bool fits = false;
  if (node->kind == NODE_SOURCE) {
    stage.kind = STAGE_SOURCE;
    return add_stage(list, &stage, out, error);
  }
  if (node->kind == NODE_WARP) {
    stage.kind = STAGE_WARP;
    if (fuse_warp(list, &stage, error) != 0)
      return -1;
    return add_stage(list, &stage, out, error);
  }
  if (node->kind == NODE_VIEW && fuse_pass(list, &stage, &fits, error) != 0)
    return -1;
  stage.kind = fits ? STAGE_PASS : STAGE_KERNEL;
  if (!fits && fuse_kernel(list, &stage, error) != 0)
    return -1;
  return add_stage(list, &stage, out, error);
}

int fuse_stage(struct stage_list *list, const struct node *node, size_t *out, struct error *error)
{
  if (list->depth + STAGE_DEPTH > MAX_DEPTH) {
    error_set(error, "ProcessGraphComplexity", "more than %d resampled cubes follow one another", (int)(MAX_DEPTH / STAGE_DEPTH));
    return error_at_node(error, node->id);
  }
  list->depth += STAGE_DEPTH;
  int status = make_stage(list, node, out, error);
  list->depth -= STAGE_DEPTH;
  return status;
}
