/* Stages: which nodes become stages, and what those read. */
#include "hpc/plan/fuse.h"
#include "hpc/plan/survey.h"

#include "datacube/base/checked.h"

#include <string.h>

enum { MAX_VARIANTS = 200000 };

struct arena *stage_list_arena(const struct stage_list *list)
{
  return list->arena;
}

const struct stage *stage_at(const struct stage_list *list, size_t index)
{
  return &list->stages[index];
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

/* ---- inputs -------------------------------------------------------------------------------------------------------
 */

int stage_set_inputs(struct stage_list *list, struct stage *stage, const struct stage_input *const *inputs,
                     size_t count, struct error *error)
{
  stage->inputs = arena_copy(list->arena, inputs, count * sizeof *inputs);
  stage->input_count = count;
  return stage->inputs ? 0 : error_memory(error);
}

static const size_t *all_indexes(struct arena *arena, size_t count)
{
  size_t *list = ARENA_ARRAY(arena, size_t, count);
  for (size_t i = 0; list && i < count; i++)
    list[i] = i;
  return list;
}

struct stage_input *stage_reads(struct stage_list *list, const struct node *node, struct error *error)
{
  struct stage_input *input = ARENA_NEW(list->arena, struct stage_input);
  if (!input) {
    error_memory(error);
    return NULL;
  }
  if (stage_of(list, node, &input->stage, error) != 0)
    return NULL;
  for (size_t d = 0; d < node->cube->dimensions; d++) {
    size_t size = node->cube->dimension[d].size;
    input->need[d] =
        (struct need){.kind = NEED_LIST, .list = all_indexes(list->arena, size), .count = size, .size = size};
    if (!input->need[d].list) {
      error_memory(error);
      return NULL;
    }
  }
  return input;
}

/* ---- kernels ------------------------------------------------------------------------------------------------------
 */

static int make_variants(struct stage_list *list, struct stage *stage, enum lane_type type, struct error *error)
{
  struct kernel_stage *data = ARENA_NEW(list->arena, struct kernel_stage);
  size_t count = 1, fixed[CUBE_MAX_DIMENSIONS] = {0};
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    if (stage->mode[d] == MODE_FIXED)
      count = saturated_mul(count, stage->cube->dimension[d].size);
  if (count > MAX_VARIANTS)
    return error_set(error, ERROR_ProcessGraphComplexity, "%zu periods or merged labels are too many for one request",
                     count);
  struct variant *variants = ARENA_ARRAY(list->arena, struct variant, count);
  if (!data || !variants)
    return error_memory(error);
  for (size_t v = 0; v < count; v++) {
    if (list->cancel && *list->cancel)
      return error_set(error, ERROR_RequestTimeout, "the request was cancelled while it was planned");
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
  data->variants = variants;
  data->variant_count = count;
  stage->data = data;
  return 0;
}

static bool same_need(const struct need *a, const struct need *b)
{
  if (a->kind != b->kind || a->count != b->count || a->out != b->out || a->map != b->map || a->offset != b->offset)
    return false;
  return a->kind != NEED_LIST || memcmp(a->list, b->list, a->count * sizeof *a->list) == 0;
}

static bool same_input(const struct stage_list *list, const struct stage_input *a, const struct stage_input *b)
{
  if (a->stage != b->stage)
    return false;
  for (size_t d = 0; d < list->stages[a->stage].cube->dimensions; d++)
    if (!same_need(&a->need[d], &b->need[d]))
      return false;
  return true;
}

/* Whether the two variants have an input in common. */
static bool share_input(const struct stage_list *list, const struct variant *a, const struct variant *b)
{
  for (size_t i = 0; i < a->input_count; i++)
    for (size_t k = 0; k < b->input_count; k++)
      if (same_input(list, &a->inputs[i], &b->inputs[k]))
        return true;
  return false;
}

/* Variants from one index of dimension d to the next. */
static size_t variant_stride(const struct stage *stage, size_t d)
{
  size_t stride = 1;
  for (size_t k = d + 1; k < stage->cube->dimensions; k++)
    if (stage->mode[k] == MODE_FIXED)
      stride *= stage->cube->dimension[k].size;
  return stride;
}

static bool neighbours_share(const struct stage_list *list, const struct stage *stage, size_t d)
{
  const struct kernel_stage *data = stage->data;
  size_t stride = variant_stride(stage, d);
  for (size_t k = 0; k + 1 < stage->cube->dimension[d].size; k++)
    if (!share_input(list, &data->variants[k * stride], &data->variants[(k + 1) * stride]))
      return false;
  return true;
}

/* Variants go together along the last FIXED dimension where neighbours read the same. */
static void find_group(const struct stage_list *list, const struct stage *stage, struct kernel_stage *data)
{
  data->group = 1;
  for (size_t d = stage->cube->dimensions; data->group == 1 && data->variant_count > 0 && d-- > 0;) {
    data->group_dimension = d;
    if (stage->mode[d] == MODE_FIXED && stage->cube->dimension[d].size > 1 && neighbours_share(list, stage, d))
      data->group = stage->cube->dimension[d].size;
  }
}

/* Whether one of inputs[from …) is the same. */
static bool is_listed(const struct stage_list *list, const struct stage_input **inputs, size_t from, size_t count,
                      const struct stage_input *input)
{
  for (size_t i = from; i < count; i++)
    if (same_input(list, inputs[i], input))
      return true;
  return false;
}

/* All inputs of the variants; those of one group each once, for they are read once. */
static int list_inputs(struct stage_list *list, struct stage *stage, struct error *error)
{
  struct kernel_stage *data = (struct kernel_stage *)(uintptr_t)stage->data;
  size_t count = 0;
  for (size_t v = 0; v < data->variant_count; v++)
    count += data->variants[v].input_count;
  const struct stage_input **inputs = ARENA_ARRAY(list->arena, const struct stage_input *, count);
  if (!inputs)
    return error_memory(error);
  find_group(list, stage, data);
  count = 0;
  size_t stride = variant_stride(stage, data->group_dimension);
  for (size_t first = 0; first < data->variant_count; first++) {
    if (first / stride % data->group != 0) /* not the first of its group */
      continue;
    for (size_t k = 0, start = count; k < data->group; k++) {
      const struct variant *variant = &data->variants[first + k * stride];
      for (size_t i = 0; i < variant->input_count; i++)
        if (data->group == 1 || !is_listed(list, inputs, start, count, &variant->inputs[i]))
          inputs[count++] = &variant->inputs[i];
    }
  }
  stage->inputs = inputs;
  stage->input_count = count;
  return 0;
}

static int fuse_kernel(struct stage_list *list, struct stage *stage, struct error *error)
{
  struct survey survey = {{0}};
  bool wants_f64;
  stage->ops = &kernel_stage;
  if (survey_run(list, stage->node, &survey, &wants_f64, error) != 0)
    return -1;
  memcpy(stage->mode, survey.mode, sizeof stage->mode);
  if (make_variants(list, stage, wants_f64 ? LANE_F64 : LANE_F32, error) != 0)
    return -1;
  return list_inputs(list, stage, error);
}

/* ---- views that need no kernel ------------------------------------------------------------------------------------
 */

/* Needs of the input under the bindings; false where its dimensions come in another order. */
static bool pass_needs(struct stage_list *list, const struct stage *stage, const struct node *node,
                       const struct binding *binding, struct stage_input *input)
{
  bool taken[CUBE_MAX_DIMENSIONS] = {false};
  int last = -1;
  for (size_t d = 0; d < node->cube->dimensions; d++) {
    const struct binding *b = &binding[d];
    if (b->kind == BIND_FIXED) {
      const size_t *index = arena_copy(list->arena, &b->fixed, sizeof b->fixed);
      if (!index || b->fixed == NO_INDEX)
        return false;
      input->need[d] =
          (struct need){.kind = NEED_LIST, .list = index, .count = 1, .size = node->cube->dimension[d].size};
      continue;
    }
    if (b->id <= last)
      return false;
    input->need[d] = (struct need){
        .kind = NEED_RUN, .out = b->id, .map = b->map, .offset = b->offset, .size = node->cube->dimension[d].size};
    last = b->id;
    taken[b->id] = true;
  }
  for (size_t d = 0; d < stage->cube->dimensions; d++)
    if (!taken[d] && stage->cube->dimension[d].size != 1)
      return false;
  return true;
}

static bool has_holes(const struct binding *binding, size_t count, const struct cube *root)
{
  for (size_t d = 0; d < count; d++)
    for (size_t k = 0; binding[d].kind == BIND_OUT && binding[d].map && k < root->dimension[binding[d].id].size; k++)
      if (binding[d].map[k] == NO_INDEX)
        return true;
  return false;
}

/* Views over a stage that keep the order of dimensions: its elements pass through untouched. */
static int fuse_pass(struct stage_list *list, struct stage *stage, bool *fits, struct error *error)
{
  struct binding binding[CUBE_MAX_DIMENSIONS], inner[CUBE_MAX_DIMENSIONS];
  const struct node *node = stage->node;
  struct stage_input *input = ARENA_NEW(list->arena, struct stage_input);
  if (!input)
    return error_memory(error);
  for (size_t d = 0; d < node->cube->dimensions; d++)
    binding[d] = (struct binding){.kind = BIND_OUT, .id = (int)d};
  do {
    if (binding_through(list->arena, node, binding, stage->cube, NULL, inner, error) != 0)
      return -1;
    memcpy(binding, inner, sizeof binding);
    node = node->input;
  } while (node->kind == NODE_VIEW && keep_decision(list->decisions, node) == DECIDE_FUSE);
  bool own = node->kind == NODE_STAGE || keep_decision(list->decisions, node) != DECIDE_FUSE;
  *fits =
      own && !has_holes(binding, node->cube->dimensions, stage->cube) && pass_needs(list, stage, node, binding, input);
  if (!*fits)
    return 0;
  if (stage_of(list, node, &input->stage, error) != 0)
    return -1;
  const struct stage *upstream = &list->stages[input->stage];
  const struct cube *from = upstream->cube, *to = stage->cube;
  *fits = from->type == to->type && from->has_nodata == to->has_nodata &&
          (!from->has_nodata || memcmp(&from->nodata, &to->nodata, sizeof to->nodata) == 0);
  for (size_t d = 0; d < node->cube->dimensions; d++)
    *fits = *fits && upstream->mode[d] == MODE_OUT;
  stage->ops = &pass_stage;
  const struct stage_input *inputs[] = {input};
  return stage_set_inputs(list, stage, inputs, 1, error);
}

/* ---- making -------------------------------------------------------------------------------------------------------
 */

static int describe_stage(struct stage_list *list, const struct node *node, size_t *out, struct error *error)
{
  struct stage stage = {.node = node, .cube = node->cube};
  bool fits = false;
  for (size_t d = 0; d < CUBE_MAX_DIMENSIONS; d++)
    stage.slab[d] = SIZE_MAX;
  if (node->kind == NODE_STAGE) {
    stage.ops = node->ops;
    if (node->ops->make(list, &stage, error) != 0)
      return -1;
    return add_stage(list, &stage, out, error);
  }
  if (node->kind == NODE_VIEW && fuse_pass(list, &stage, &fits, error) != 0)
    return -1;
  if (!fits && fuse_kernel(list, &stage, error) != 0)
    return -1;
  return add_stage(list, &stage, out, error);
}

int make_stage(struct stage_list *list, const struct node *node, size_t *out, struct error *error)
{
  if (list->depth + STAGE_DEPTH > MAX_DEPTH) {
    error_set(error, ERROR_ProcessGraphComplexity, "more than %d resampled cubes follow one another",
              (int)(MAX_DEPTH / STAGE_DEPTH));
    return error_at_node(error, node->id);
  }
  list->depth += STAGE_DEPTH;
  int status = describe_stage(list, node, out, error);
  list->depth -= STAGE_DEPTH;
  return status == 0 ? 0 : error_at_node(error, node->id);
}

static int kept_stage_of(struct stage_list *list, const struct node *node, size_t keep, size_t *out,
                         struct error *error)
{
  size_t *number = arena_copy(list->arena, &keep, sizeof keep);
  struct stage stage = {.ops = &kept_stage, .node = node, .cube = list->keeps[keep].cube, .data = number};
  if (!number)
    return error_memory(error);
  return add_stage(list, &stage, out, error);
}

int stage_of(struct stage_list *list, const struct node *node, size_t *out, struct error *error)
{
  size_t keep = keep_index(list->decisions, node);
  for (size_t i = 0; i < list->count; i++)
    if (list->stages[i].node == node && (keep == SIZE_MAX || list->stages[i].ops == &kept_stage)) {
      *out = i;
      return 0;
    }
  return keep == SIZE_MAX ? make_stage(list, node, out, error) : kept_stage_of(list, node, keep, out, error);
}
