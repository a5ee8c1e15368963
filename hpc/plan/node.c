/* Makers of nodes, and the hashes of what they compute. */
#include "hpc/plan/node.h"

#include "datacube/base/buffer.h"
#include "datacube/source/memory_source.h"
#include "hpc/stage/stage.h"

static void hash_labels(struct hash *hash, const struct dimension *d)
{
  hash_word(hash, (uint64_t)d->labels << 1 | d->enumerated);
  hash_number(hash, d->start);
  hash_number(hash, d->step);
  if (d->labels == LABEL_NUMBER || (d->labels == LABEL_TEXT && d->numbers))
    hash_bytes(hash, d->numbers, d->size * sizeof *d->numbers);
  if (d->labels == LABEL_TIME) {
    hash_word(hash, d->calendar);
    hash_bytes(hash, d->times, d->size * sizeof *d->times);
  }
  for (size_t i = 0; d->texts && i < d->size; i++)
    hash_text(hash, d->texts[i]);
  if (d->labels == LABEL_GEOMETRY)
    hash_word(hash, (uintptr_t)d->geometries); /* like no other */
}

static void hash_dimension(struct hash *hash, const struct dimension *d)
{
  hash_word(hash, d->size);
  hash_text(hash, d->name);
  hash_word(hash, (uint64_t)d->type << 8 | (unsigned char)d->axis);
  hash_text(hash, d->unit);
  hash_text(hash, d->reference_system);
  hash_labels(hash, d);
}

static void hash_band(struct hash *hash, const struct band_info *band)
{
  hash_number(hash, band->scale);
  hash_number(hash, band->offset);
  hash_number(hash, band->wavelength);
  hash_text(hash, band->unit);
  hash_text(hash, band->long_name);
  hash_text(hash, band->standard_name);
  hash_text(hash, band->common_name);
}

/* All that a result says of itself. */
static void hash_cube(struct hash *hash, const struct cube *cube)
{
  size_t bands = cube_find_type(cube, DIMENSION_BANDS);
  hash_word(hash, (uint64_t)cube->type << 1 | cube->has_nodata);
  hash_number(hash, cube->has_nodata ? cube->nodata : 0);
  hash_text(hash, cube->crs);
  hash_text(hash, cube->title);
  hash_word(hash, cube->dimensions);
  for (size_t d = 0; d < cube->dimensions; d++)
    hash_dimension(hash, &cube->dimension[d]);
  for (size_t i = 0; cube->bands && i < (bands == SIZE_MAX ? 1 : cube->dimension[bands].size); i++)
    hash_band(hash, &cube->bands[i]);
}

static struct node *make(struct arena *arena, enum node_kind kind, struct node_origin origin, const struct cube *cube)
{
  struct node *node = ARENA_NEW(arena, struct node);
  if (!node)
    return NULL;
  *node =
      (struct node){.kind = kind, .id = origin.id, .process = origin.process, .cube = cube, .array_out = NO_DIMENSION};
  hash_word(&node->hash, kind);
  hash_cube(&node->hash, cube);
  return node;
}

const struct node *node_stage(struct arena *arena, struct node_origin origin, const struct cube *cube,
                              const struct stage_node *stage)
{
  struct node *node = make(arena, NODE_STAGE, origin, cube);
  if (!node)
    return NULL;
  node->ops = stage->ops;
  node->children = stage->inputs;
  node->child_count = stage->input_count;
  node->data = stage->data;
  hash_text(&node->hash, stage->ops->name);
  hash_add(&node->hash, stage->data_hash);
  for (size_t i = 0; i < stage->input_count; i++)
    hash_add(&node->hash, stage->inputs[i]->hash);
  return node;
}

/* What a source would give: its own word for it, or else itself alone. */
static struct hash source_hash(const struct source *source)
{
  struct hash hash = {0, 0};
  struct buffer text = {0};
  if (source->ops->identity)
    source->ops->identity(source, &text);
  if (text.failed || !source->ops->identity)
    hash_word(&hash, (uintptr_t)source);
  else
    hash_bytes(&hash, text.data, text.length);
  buffer_free(&text);
  return hash;
}

const struct node *node_source(struct arena *arena, struct node_origin origin, const struct source *source)
{
  struct stage_node stage = {.ops = &source_stage, .data = source, .data_hash = source_hash(source)};
  return node_stage(arena, origin, &source->cube, &stage);
}

const struct node *node_warp(struct arena *arena, struct node_origin origin, const struct node *input,
                             const struct cube *cube, const struct grid *grid, enum resampling method)
{
  struct warp_target *target = ARENA_NEW(arena, struct warp_target);
  const struct node **inputs = arena_copy(arena, &input, sizeof input);
  if (!target || !inputs)
    return NULL;
  *target = (struct warp_target){*grid, method};
  struct stage_node stage = {.ops = &warp_stage, .inputs = inputs, .input_count = 1, .data = target};
  const double numbers[] = {grid->west,  grid->north,         grid->res_x,
                            grid->res_y, (double)grid->width, (double)grid->height};
  hash_word(&stage.data_hash, method);
  hash_bytes(&stage.data_hash, numbers, sizeof numbers);
  hash_text(&stage.data_hash, grid->crs);
  return node_stage(arena, origin, cube, &stage);
}

static bool has_holes(const struct cube *cube, const struct view_dimension *view)
{
  for (size_t i = 0; view->out != NO_DIMENSION && view->indexes && i < cube->dimension[view->out].size; i++)
    if (view->indexes[i] == NO_INDEX)
      return true;
  return false;
}

static const struct node *plain_view(struct arena *arena, struct node_origin origin, const struct node *input,
                                     const struct cube *cube, const struct view_dimension *view)
{
  struct node *node = make(arena, NODE_VIEW, origin, cube);
  if (!node)
    return NULL;
  node->input = input;
  node->view = view;
  hash_add(&node->hash, input->hash);
  for (size_t d = 0; d < input->cube->dimensions; d++) {
    hash_word(&node->hash, (uint64_t)(int64_t)view[d].out);
    hash_word(&node->hash, view[d].out == NO_DIMENSION ? view[d].fixed : view[d].offset);
    if (view[d].out != NO_DIMENSION && view[d].indexes)
      hash_bytes(&node->hash, view[d].indexes, cube->dimension[view[d].out].size * sizeof(size_t));
  }
  return node;
}

/* A cube along one output dimension that is 1 where the view has a hole. */
static const struct node *hole_mask(struct arena *arena, struct node_origin origin, const struct dimension *dimension,
                                    const size_t *indexes)
{
  struct cube cube = {.dimensions = 1, .type = ELEMENT_U8};
  unsigned char *holes = ARENA_ARRAY(arena, unsigned char, dimension->size);
  cube.dimension[0] = *dimension;
  for (size_t i = 0; holes && i < dimension->size; i++)
    holes[i] = indexes[i] == NO_INDEX;
  const struct source *source = holes ? memory_source(arena, &cube, holes, "holes") : NULL;
  return source ? node_source(arena, origin, source) : NULL;
}

/* What lies under a hole is never looked at: a mask of the holes' own makes it NA. */
static const struct node *mask_holes(struct arena *arena, struct node_origin origin, const struct node *input,
                                     const struct node *seen, const struct view_dimension *view)
{
  struct kernel_input *inputs = ARENA_ARRAY(arena, struct kernel_input, CUBE_MAX_DIMENSIONS + 1);
  struct program *program = program_new(arena);
  size_t count = 1;
  if (!inputs || !program)
    return NULL;
  inputs[0] = (struct kernel_input){.node = seen, .array_dimension = NO_DIMENSION};
  for (size_t d = 0; d < seen->cube->dimensions; d++)
    inputs[0].to_output[d] = (int)d;
  struct lanes value = program_input(program, 0, false, 1, seen->cube->type, NULL);
  for (size_t d = 0; d < input->cube->dimensions; d++) {
    if (!has_holes(seen->cube, &view[d]))
      continue;
    const struct node *mask = hole_mask(arena, origin, &seen->cube->dimension[view[d].out], view[d].indexes);
    if (!mask)
      return NULL;
    inputs[count] = (struct kernel_input){.node = mask, .array_dimension = NO_DIMENSION, .to_output = {view[d].out}};
    value = program_binary(program, KOP_MASK, value, program_input(program, count++, false, 1, ELEMENT_U8, NULL));
  }
  if (program_failed(program))
    return NULL;
  return node_kernel(arena, origin, seen->cube, inputs, count, program, value, NO_DIMENSION);
}

const struct node *node_view(struct arena *arena, struct node_origin origin, const struct node *input,
                             const struct cube *cube, const struct view_dimension *view)
{
  const struct node *seen = plain_view(arena, origin, input, cube, view);
  for (size_t d = 0; seen && d < input->cube->dimensions; d++)
    if (has_holes(cube, &view[d]))
      return mask_holes(arena, origin, input, seen, view);
  return seen;
}

/* Depth: a curve's model has no curve inside. */
static void hash_step(struct hash *hash, const struct program_step *step)
{
  hash_word(hash, (uint64_t)step->kind << 32 | step->op);
  hash_word(hash, step->length);
  hash_bytes(hash, step->operand, sizeof step->operand);
  hash_word(hash, step->input);
  hash_word(hash, (uint64_t)step->component);
  hash_number(hash, step->constant);
  if (step->parameters)
    hash_bytes(hash, step->parameters,
               (step->kind == PROGRAM_CONSTANT ? step->length : step->parameter_count) * sizeof(double));
  if (step->indexes)
    hash_bytes(hash, step->indexes, step->length * sizeof(size_t));
  if (step->parts)
    hash_bytes(hash, step->parts, step->part_count * sizeof(int));
  for (size_t i = 0; step->curve && i < step->curve->model->count; i++)
    hash_step(hash, &step->curve->model->steps[i]);
  if (step->curve)
    hash_word(hash, (uint64_t)step->curve->values);
  if (step->function) {
    hash_text(hash, step->function->name);
    hash_add(hash, step->function->hash);
  }
}

void hash_program(struct hash *hash, const struct program *program)
{
  for (size_t i = 0; i < program->count; i++)
    hash_step(hash, &program->steps[i]);
}

static void hash_kernel(struct node *node)
{
  hash_word(&node->hash, (uint64_t)node->result.value);
  hash_word(&node->hash, node->result.is_complex ? (uint64_t)node->result.imaginary : UINT64_MAX);
  hash_word(&node->hash, (uint64_t)(int64_t)node->array_out);
  hash_program(&node->hash, node->program);
  for (size_t i = 0; i < node->input_count; i++) {
    const struct kernel_input *input = &node->inputs[i];
    hash_add(&node->hash, input->node->hash);
    hash_word(&node->hash, (uint64_t)(int64_t)input->array_dimension);
    hash_bytes(&node->hash, input->to_output, sizeof input->to_output);
    for (size_t w = 0; w < input->window_count; w++) {
      const struct window *window = &input->window[w];
      const uint64_t words[] = {(uint64_t)window->dimension, window->before, window->length, window->border};
      hash_bytes(&node->hash, words, sizeof words);
      hash_number(&node->hash, window->value);
    }
  }
}

const struct node *node_kernel(struct arena *arena, struct node_origin origin, const struct cube *cube,
                               const struct kernel_input *inputs, size_t count, const struct program *program,
                               struct lanes result, int array_out)
{
  struct node *node = make(arena, NODE_KERNEL, origin, cube);
  if (node) {
    node->inputs = inputs;
    node->input_count = count;
    node->program = program;
    node->result = result;
    node->array_out = array_out;
    hash_kernel(node);
  }
  return node;
}

const struct node *node_stack(struct arena *arena, struct node_origin origin, const struct cube *cube, int dimension,
                              const struct node *const *children)
{
  struct node *node = make(arena, NODE_STACK, origin, cube);
  if (node) {
    node->stack_dimension = dimension;
    node->children = children;
    hash_word(&node->hash, (uint64_t)dimension);
    for (size_t i = 0; i < cube->dimension[dimension].size; i++)
      hash_add(&node->hash, children[i]->hash);
  }
  return node;
}

const struct source *node_source_of(const struct node *node)
{
  return node->kind == NODE_STAGE && node->ops == &source_stage ? node->data : NULL;
}

const struct warp_target *node_warp_of(const struct node *node)
{
  return node->kind == NODE_STAGE && node->ops == &warp_stage ? node->data : NULL;
}

void node_mark_needed(const struct node *node, bool *needed)
{
  program_mark_needed(node->program, node->result.value, needed);
  if (node->result.is_complex)
    program_mark_needed(node->program, node->result.imaginary, needed);
}

size_t node_input_count(const struct node *node)
{
  switch (node->kind) {
  case NODE_VIEW:
    return 1;
  case NODE_KERNEL:
    return node->input_count;
  case NODE_STACK:
    return node->cube->dimension[node->stack_dimension].size;
  case NODE_STAGE:
    return node->child_count;
  }
  return 0;
}

const struct node *node_input(const struct node *node, size_t i)
{
  return node->kind == NODE_VIEW ? node->input : node->kind == NODE_KERNEL ? node->inputs[i].node : node->children[i];
}
