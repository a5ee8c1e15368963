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

static const struct node *make_node(struct arena *arena, struct node_origin origin, const struct stage_ops *ops,
                                    const struct node *input, struct cube *cube, const struct zones_data *data)
{
  const struct node **inputs = arena_copy(arena, &input, sizeof input);
  const struct zones_data *kept = arena_copy(arena, data, sizeof *data);
  if (!inputs || !kept)
    return NULL;
  struct stage_node stage = {
      .ops = ops, .inputs = inputs, .input_count = 1, .data = kept, .data_hash = zones_hash(data->zones)};
  return node_stage(arena, origin, cube, &stage);
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
    node = make_node(maker->arena, m->origin, &zones_stage, before, cube, &data);
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

static int gather_pixels(struct arena *arena, struct node_origin origin, const struct node *input,
                         const struct zones_data *data, struct zone_pixels *out)
{
  struct cube *cube = arena_copy(arena, input->cube, sizeof *cube);
  if (!cube)
    return -1;
  cube->dimensions--;
  cube->dimension[cube->dimensions - 1] = dimension_enumerated("pixel", DIMENSION_OTHER, data->squares->pixels);
  cube->crs = NULL;
  *out = (struct zone_pixels){make_node(arena, origin, &gather_stage, input, cube, data), data->start};
  return out->node ? 0 : -1;
}

int zone_pixels_make(struct arena *arena, struct node_origin origin, const struct node *input,
                     const struct zones *zones, struct zone_pixels *out, struct error *error)
{
  struct zones_data data = {.zones = zones};
  if (zone_squares_make(arena, zones, &data.squares, error) != 0)
    return -1;
  data.start = zone_starts(arena, zones, data.squares);
  return data.start && gather_pixels(arena, origin, input, &data, out) == 0 ? 0 : error_memory(error);
}

const struct node *zone_pixels_of(struct arena *arena, struct node_origin origin, const struct zone_pixels *pixels,
                                  size_t zone)
{
  struct cube *cube = arena_copy(arena, pixels->node->cube, sizeof *cube);
  struct view_dimension *view = ARENA_ARRAY(arena, struct view_dimension, CUBE_MAX_DIMENSIONS);
  if (!cube || !view)
    return NULL;
  const size_t last = cube->dimensions - 1, first = pixels->start[zone];
  for (size_t d = 0; d <= last; d++)
    view[d].out = (int)d;
  view[last].offset = first;
  cube->dimension[last] = dimension_enumerated("pixel", DIMENSION_OTHER, pixels->start[zone + 1] - first);
  return node_view(arena, origin, pixels->node, cube, view);
}

/* The program over the pixels of one zone, with a dimension of size 1 for that. */
static const struct node *zone_result(const struct zones_making *m, const struct zone_pixels *pixels, size_t zone,
                                      struct error *error)
{
  struct arena *arena = m->maker.arena;
  struct kernel_input *input = ARENA_NEW(arena, struct kernel_input);
  struct cube *cube = arena_copy(arena, m->zonal->cube, sizeof *cube);
  const struct node *own = zone_pixels_of(arena, m->origin, pixels, zone);
  struct zonal_program made;
  if (!input || !cube || !own) {
    error_memory(error);
    return NULL;
  }
  if (m->zonal->make(m->zonal->context, pixels->start[zone + 1] - pixels->start[zone], &made, error) != 0)
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
  const size_t count = m->zonal->zones->count;
  const struct zones_data data = {
      .zones = m->zonal->zones, .squares = m->squares, .start = zone_starts(arena, m->zonal->zones, m->squares)};
  const struct node **children = ARENA_ARRAY(arena, const struct node *, count);
  struct zone_pixels pixels;
  if (!data.start || !children || gather_pixels(arena, m->origin, m->zonal->input, &data, &pixels) != 0) {
    error_memory(error);
    return NULL;
  }
  for (size_t z = 0; z < count; z++) {
    children[z] = zone_result(m, &pixels, z, error);
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
