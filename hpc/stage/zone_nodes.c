/* Making nodes of zones: an accumulator by zone for each reducer of the program, or all pixels gathered by zone and the
 * program once a zone. */
#include "hpc/stage/zones_stage.h"

#include "datacube/base/missing.h"
#include "hpc/plan/cut_reduction.h"
#include "hpc/stage/accumulate_stage.h"
#include "hpc/stage/zone_squares.h"

#include <math.h>
#include <string.h>

struct zones_making {
  struct accumulator_maker maker; /* first: make() gets it back */
  struct node_origin origin;
  const struct zonal *zonal;
  const struct zone_squares *squares;
};

static struct hash zones_hash(const struct zones *zones)
{
  struct hash hash = {0, 0};
  hash_word(&hash, zones->count);
  for (size_t i = 0; i < zones->run_count; i++) {
    const uint64_t words[] = {zones->runs[i].zone, zones->runs[i].row, zones->runs[i].first, zones->runs[i].last};
    hash_bytes(&hash, words, sizeof words);
  }
  return hash;
}

static const struct node *make_node(const struct zones_making *m, const struct stage_ops *ops, const struct node *input,
                                    struct cube *cube, const struct zones_data *data)
{
  struct arena *arena = m->maker.arena;
  const struct node **inputs = arena_copy(arena, &input, sizeof input);
  const struct zones_data *kept = arena_copy(arena, data, sizeof *data);
  if (!inputs || !kept)
    return NULL;
  struct stage_node stage = {
      .ops = ops, .inputs = inputs, .input_count = 1, .data = kept, .data_hash = zones_hash(m->zonal->zones)};
  return node_stage(arena, m->origin, cube, &stage);
}

static const struct node *make_zones(const struct accumulator_maker *maker, const struct node *before,
                                     const struct program_step *reducer, struct error *error)
{
  const struct zones_making *m = (const struct zones_making *)(const void *)maker;
  struct cube *cube = arena_copy(maker->arena, m->zonal->cube, sizeof *cube);
  struct zones_data data = {{(enum kernel_reducer)reducer->op, reducer->parameters}, m->zonal->zones, m->squares, NULL};
  const struct node *node = NULL;
  if (cube) {
    cube->type = accumulated_type((enum kernel_reducer)reducer->op, before->cube->type);
    cube->has_nodata = true;
    cube->nodata = na_f64();
    node = make_node(m, &zones_stage, before, cube, &data);
  }
  if (!node)
    error_memory(error);
  return node;
}

/* The reduction over all pixels of the plane, whose array is x and y together: what is cut into accumulators. */
static const struct node *whole_reduction(struct zones_making *m, struct error *error)
{
  struct arena *arena = m->maker.arena;
  const struct cube *from = m->zonal->input->cube;
  struct kernel_input *input = ARENA_NEW(arena, struct kernel_input);
  struct zonal_program made;
  if (!input) {
    error_memory(error);
    return NULL;
  }
  if (m->zonal->make(m->zonal->context, m->zonal->probe, &made, error) != 0)
    return NULL;
  *input = (struct kernel_input){.node = m->zonal->input, .array_dimension = (int)from->dimensions - 1};
  for (size_t d = 0; d + 1 < from->dimensions; d++)
    input->to_output[d] = (int)d; /* y stands where the zones will */
  input->to_output[from->dimensions - 1] = NO_DIMENSION;
  const struct node *node =
      node_kernel(arena, m->origin, m->zonal->cube, input, 1, made.program, made.result, NO_DIMENSION);
  if (!node)
    error_memory(error);
  return node;
}

static bool steps_alike(const struct program_step *a, const struct program_step *b, size_t length)
{
  bool same_length = a->length == b->length || (a->length == length && b->length == length + 1);
  bool same = a->kind == b->kind && a->op == b->op && a->is_array == b->is_array && same_length &&
              memcmp(a->operand, b->operand, sizeof a->operand) == 0 && a->input == b->input &&
              a->component == b->component && memcmp(&a->constant, &b->constant, sizeof a->constant) == 0 &&
              a->parameter_count == b->parameter_count && a->part_count == b->part_count;
  if (!same || a->kind == PROGRAM_PICK || (a->kind == PROGRAM_CONSTANT && a->is_array))
    return false;
  return (a->parameter_count == 0 ||
          memcmp(a->parameters, b->parameters, a->parameter_count * sizeof *a->parameters) == 0) &&
         (a->part_count == 0 || memcmp(a->parts, b->parts, a->part_count * sizeof *a->parts) == 0);
}

/* Whether the program is the same for one pixel more: then it is for any number, and one serves all zones. */
static int is_same_for_all(const struct zones_making *m, const struct program *program, bool *out, struct error *error)
{
  const size_t length = m->zonal->probe;
  struct zonal_program longer;
  if (m->zonal->make(m->zonal->context, length + 1, &longer, error) != 0)
    return -1;
  *out = program->count == longer.program->count;
  for (size_t i = 0; *out && i < program->count; i++)
    *out = steps_alike(&program->steps[i], &longer.program->steps[i], length);
  return 0;
}

/* ---- gathering ----------------------------------------------------------------------------------------------------
 */

static size_t *zone_starts(struct arena *arena, const struct zones *zones, const struct zone_squares *squares)
{
  size_t *start = ARENA_ARRAY(arena, size_t, zones->count + 1);
  for (size_t i = 0; start && i < squares->pixels; i++)
    start[squares->zone[i] + 1]++;
  for (size_t z = 0; start && z < zones->count; z++)
    start[z + 1] += start[z];
  return start;
}

static const struct node *gather_pixels(const struct zones_making *m, const size_t *start)
{
  struct cube *cube = arena_copy(m->maker.arena, m->zonal->input->cube, sizeof *cube);
  struct zones_data data = {.zones = m->zonal->zones, .squares = m->squares, .start = start};
  if (!cube)
    return NULL;
  cube->dimensions--;
  cube->dimension[cube->dimensions - 1] = dimension_enumerated("pixel", DIMENSION_OTHER, m->squares->pixels);
  cube->crs = NULL;
  return make_node(m, &gather_stage, m->zonal->input, cube, &data);
}

/* The pixels of one zone, with a dimension of size 1 for it behind: what the program reduces. */
static const struct node *zone_pixels(const struct zones_making *m, const struct node *pixels, size_t first,
                                      size_t count)
{
  struct cube *cube = arena_copy(m->maker.arena, pixels->cube, sizeof *cube);
  struct view_dimension *view = ARENA_ARRAY(m->maker.arena, struct view_dimension, CUBE_MAX_DIMENSIONS);
  size_t last = pixels->cube->dimensions - 1;
  if (!cube || !view)
    return NULL;
  for (size_t d = 0; d <= last; d++)
    view[d].out = (int)d;
  view[last].offset = first;
  cube->dimension[last] = dimension_enumerated("pixel", DIMENSION_OTHER, count);
  return node_view(m->maker.arena, m->origin, pixels, cube, view);
}

static const struct node *zone_result(const struct zones_making *m, const struct node *pixels, size_t first,
                                      size_t count, struct error *error)
{
  struct arena *arena = m->maker.arena;
  struct kernel_input *input = ARENA_NEW(arena, struct kernel_input);
  struct cube *cube = arena_copy(arena, m->zonal->cube, sizeof *cube);
  const struct node *own = zone_pixels(m, pixels, first, count);
  struct zonal_program made;
  if (!input || !cube || !own) {
    error_memory(error);
    return NULL;
  }
  if (m->zonal->make(m->zonal->context, count, &made, error) != 0)
    return NULL;
  size_t last = own->cube->dimensions - 1;
  cube->dimension[last].size = 1;
  *input = (struct kernel_input){.node = own, .array_dimension = (int)last};
  for (size_t d = 0; d < last; d++)
    input->to_output[d] = (int)d;
  input->to_output[last] = NO_DIMENSION;
  const struct node *node = node_kernel(arena, m->origin, cube, input, 1, made.program, made.result, NO_DIMENSION);
  if (!node)
    error_memory(error);
  return node;
}

static const struct node *gathered(struct zones_making *m, struct error *error)
{
  struct arena *arena = m->maker.arena;
  size_t *start = zone_starts(arena, m->zonal->zones, m->squares), count = m->zonal->zones->count;
  const struct node *pixels = start ? gather_pixels(m, start) : NULL;
  const struct node **children = ARENA_ARRAY(arena, const struct node *, count);
  if (!pixels || !children) {
    error_memory(error);
    return NULL;
  }
  for (size_t z = 0; z < count; z++) {
    children[z] = zone_result(m, pixels, start[z], start[z + 1] - start[z], error);
    if (!children[z])
      return NULL;
  }
  const struct node *node = node_stack(arena, m->origin, m->zonal->cube, (int)m->zonal->cube->dimensions - 1, children);
  if (!node)
    error_memory(error);
  return node;
}

const struct node *node_zones(struct arena *arena, struct node_origin origin, const struct zonal *zonal,
                              struct error *error)
{
  struct zones_making m = {.maker = {.make = make_zones, .arena = arena}, .origin = origin, .zonal = zonal};
  int to_before[CUBE_MAX_DIMENSIONS];
  const struct node *out = NULL;
  size_t length;
  bool same = false;
  if (zone_squares_make(arena, zonal->zones, &m.squares, error) != 0)
    return NULL;
  m.maker.node = whole_reduction(&m, error);
  if (!m.maker.node || reduction_length(arena, m.maker.node, false, &length, error) != 0 ||
      is_same_for_all(&m, m.maker.node->program, &same, error) != 0)
    return NULL;
  if (length == 0 || !same)
    return gathered(&m, error);
  for (size_t d = 0; d < zonal->cube->dimensions; d++)
    to_before[d] = (int)d;
  m.maker.cube = zonal->input->cube;
  m.maker.to_before = to_before;
  m.maker.dimension = zonal->input->cube->dimensions - 1;
  return reduction_cut(&m.maker, &out, error) == 0 ? out : NULL;
}
