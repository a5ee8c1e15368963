/* Random expressions with every kind of stage: those of hpc_plan_random.h, and chains, chunks and zones.
 *
 * Chunks and zones are made of nodes that the engine chooses; the reference knows them by their definitions. */
#ifndef TWINCUBE_TESTS_UNIT_HPC_STAGE_RANDOM_H
#define TWINCUBE_TESTS_UNIT_HPC_STAGE_RANDOM_H

#include "hpc_plan_reference.h"

#include "hpc_plan_random.h"
#include "hpc_stage_chain.h"

#include "hpc/stage/chunk_stage.h"
#include "hpc/stage/zones_stage.h"

/* ---- chunks -------------------------------------------------------------------------------------------------------
 */

struct chunks_definition {
  const struct node *input;
  struct chunks chunks;
};

/* The chunk whose first own index is `first`, NA beyond the input's edges. */
static void cut_chunk(const struct chunks_definition *c, struct numbers in, const size_t *first, struct numbers chunk)
{
  const struct cube *cube = c->chunks.chunk->cube;
  size_t at[CUBE_MAX_DIMENSIONS] = {0}, from[CUBE_MAX_DIMENSIONS];
  for (size_t i = 0; i < chunk.n; i++) {
    bool outside = false;
    index_of_offset(cube, i, at);
    for (size_t d = 0; d < cube->dimensions; d++) {
      from[d] = first[d] + at[d] - c->chunks.overlap[d]; /* may wrap: outside then too */
      outside = outside || from[d] >= c->input->cube->dimension[d].size;
    }
    chunk.v[i] = outside ? NAN : in.v[offset_of(c->input->cube, from)];
  }
}

/* Element by element: each one's own chunk, evaluated where it is the chunk's first element. */
static void evaluate_chunks(struct evaluation *e, const void *data, struct numbers out)
{
  const struct chunks_definition *c = data;
  const struct cube *cube = c->input->cube, *chunk = c->chunks.chunk->cube;
  struct numbers in = reference(e, c->input);
  size_t at[CUBE_MAX_DIMENSIONS] = {0}, first[CUBE_MAX_DIMENSIONS], other[CUBE_MAX_DIMENSIONS],
         from[CUBE_MAX_DIMENSIONS];
  for (size_t i = 0; i < out.n; i++) {
    bool is_first = true;
    index_of_offset(cube, i, first);
    for (size_t d = 0; d < cube->dimensions; d++)
      is_first = is_first && first[d] % c->chunks.size[d] == 0;
    if (!is_first)
      continue;
    struct evaluation body = {.arena = arena_new(0), .definitions = e->definitions, .given = c->chunks.chunk};
    body.numbers = numbers_new(body.arena, cube_elements(chunk));
    cut_chunk(c, in, first, body.numbers);
    struct numbers result = reference(&body, c->chunks.body);
    for (size_t k = 0; k < result.n; k++) {
      bool inside = true;
      index_of_offset(chunk, k, at);
      for (size_t d = 0; d < cube->dimensions; d++) {
        from[d] = at[d] - c->chunks.overlap[d];
        other[d] = first[d] + from[d];
        inside = inside && from[d] < c->chunks.size[d] && other[d] < cube->dimension[d].size;
      }
      if (inside)
        out.v[offset_of(cube, other)] = result.v[k];
    }
    arena_free(body.arena);
  }
}

static struct cube *cube_like(struct maker *m, const struct node *node)
{
  struct cube *cube = float_cube(m);
  cube->dimensions = node->cube->dimensions;
  memcpy(cube->dimension, node->cube->dimension, sizeof cube->dimension);
  return cube;
}

/* A kernel over the node's elements and, where `beside`, those of a node without dimension d. */
static const struct node *body_elements(struct maker *m, const struct node *node, const struct node *beside, size_t d)
{
  struct kernel_input *inputs = ARENA_ARRAY(m->arena, struct kernel_input, 2);
  struct program *p = program_new(m->arena);
  inputs[0] = (struct kernel_input){.node = node, .array_dimension = NO_DIMENSION};
  inputs[1] = (struct kernel_input){.node = beside, .array_dimension = NO_DIMENSION};
  for (size_t k = 0; k < node->cube->dimensions; k++) {
    inputs[0].to_output[k] = (int)k;
    inputs[1].to_output[k] = (int)(k < d ? k : k + 1);
  }
  struct lanes a = program_input(p, 0, false, 1, node->cube->type, NULL);
  struct lanes b = beside ? program_input(p, 1, false, 1, beside->cube->type, NULL) : program_constant(p, 2);
  struct lanes value = random_element(m, p, a, b);
  if (beside)
    value = program_binary(p, KOP_SUB, value, b);
  return node_kernel(m->arena, random_origin(m), cube_like(m, node), inputs, beside ? 2 : 1, p, value, NO_DIMENSION);
}

/* A reducer over dimension d, or what an array operation makes of it. */
static const struct node *body_array(struct maker *m, const struct node *node, size_t d, bool reduce)
{
  struct kernel_input *input = ARENA_NEW(m->arena, struct kernel_input);
  struct program *p = program_new(m->arena);
  struct cube *cube = cube_like(m, node);
  *input = (struct kernel_input){.node = node, .array_dimension = (int)d};
  for (size_t k = 0; k < node->cube->dimensions; k++)
    input->to_output[k] = k == d ? NO_DIMENSION : (int)(reduce && k > d ? k - 1 : k);
  struct lanes array = program_input(p, 0, true, cube->dimension[d].size, node->cube->type, NULL);
  double ignore = (double)below(m, 2);
  if (!reduce)
    return node_kernel(m->arena, random_origin(m), cube, input, 1, p, program_series(p, KSER_CUMSUM, array, &ignore, 1),
                       (int)d);
  memmove(&cube->dimension[d], &cube->dimension[d + 1], (cube->dimensions - d - 1) * sizeof cube->dimension[0]);
  cube->dimensions--;
  struct lanes value = program_reduce(p, random_reducer(m), array, &ignore, 1);
  return node_kernel(m->arena, random_origin(m), cube, input, 1, p, value, NO_DIMENSION);
}

static const struct node *body_window(struct maker *m, const struct node *node)
{
  struct kernel_input *input = ARENA_NEW(m->arena, struct kernel_input);
  struct program *p = program_new(m->arena);
  *input = (struct kernel_input){.node = node, .array_dimension = NO_DIMENSION};
  for (size_t k = 0; k < node->cube->dimensions; k++)
    input->to_output[k] = (int)k;
  struct lanes array = program_input(p, 0, true, add_windows(m, input), node->cube->type, NULL);
  double ignore = 1;
  return node_kernel(m->arena, random_origin(m), cube_like(m, node), input, 1, p,
                     program_reduce(p, KRED_SUM, array, &ignore, 1), NO_DIMENSION);
}

static const struct node *make_chunks_of(struct maker *m, const struct node *input, unsigned depth);

/* Something of the chunk's dimensions and sizes. */
static const struct node *make_body(struct maker *m, const struct node *chunk, unsigned depth)
{
  const struct node *node = chunk;
  for (size_t steps = 1 + below(m, 2); node && steps > 0; steps--) {
    size_t d = below(m, node->cube->dimensions);
    switch (below(m, 5)) {
    case 0:
      node = body_array(m, node, d, false);
      break;
    case 1:
      node = body_elements(m, node, body_array(m, node, d, true), d);
      break;
    case 2:
      node = body_window(m, node);
      break;
    case 3:
      node = depth > 0 ? make_chunks_of(m, node, depth - 1) : node;
      break;
    default:
      node = body_elements(m, node, NULL, 0);
    }
  }
  return node;
}

static const struct node *make_chunks_of(struct maker *m, const struct node *input, unsigned depth)
{
  struct chunks_definition *c = ARENA_NEW(m->arena, struct chunks_definition);
  size_t elements = 1, most = m->size == SMALL_CUBES ? 3000 : 30000;
  c->input = input;
  for (size_t d = 0; d < input->cube->dimensions; d++) {
    size_t size = input->cube->dimension[d].size;
    c->chunks.size[d] = chance(m, 3) ? (size ? size : 1) : 1 + below(m, size + 2);
    c->chunks.overlap[d] = chance(m, 2) ? below(m, 3) : 0;
    elements *= c->chunks.size[d] + 2 * c->chunks.overlap[d];
  }
  if (input->cube->dimensions == 0 || elements > most)
    return NULL;
  struct cube *cube = arena_copy(m->arena, input->cube, sizeof *cube);
  c->chunks.chunk = node_chunk(m->arena, random_origin(m), input->cube, c->chunks.size, c->chunks.overlap);
  c->chunks.body = make_body(m, c->chunks.chunk, depth);
  if (!c->chunks.body)
    return NULL;
  cube->type = c->chunks.body->cube->type;
  cube->has_nodata = c->chunks.body->cube->has_nodata;
  cube->nodata = c->chunks.body->cube->nodata;
  const struct node *node = node_chunks(m->arena, random_origin(m), input, cube, &c->chunks);
  define(m, node, evaluate_chunks, c);
  return node;
}

/* ---- zones --------------------------------------------------------------------------------------------------------
 */

struct zones_definition {
  struct arena *arena;
  struct zonal zonal;
  uint64_t seed;
  bool fractions;
};

/* Elements, then reducers, then scalars: the same program whatever the length. */
static int make_zonal_program(void *context, size_t length, struct zonal_program *out, struct error *error)
{
  const struct zones_definition *z = context;
  struct maker m = {.arena = z->arena, .state = z->seed, .fractions = z->fractions};
  struct program *p = program_new(m.arena);
  struct lanes array = program_input(p, 0, true, length, z->zonal.input->cube->type, NULL), a = array,
               result = program_constant(p, 0);
  for (size_t n = 1 + below(&m, 2); n > 0; n--) {
    double ignore = (double)below(&m, 2);
    if (chance(&m, 2))
      a = program_binary(p, chance(&m, 2) ? KOP_SUB : KOP_MAX, a, chance(&m, 2) ? array : program_constant(p, 2));
    if (chance(&m, 8))
      a = program_series(p, KSER_REVERSE, a, NULL, 0);
    struct lanes r = program_reduce(p, random_reducer(&m), a, &ignore, 1);
    result = chance(&m, 2) ? r : program_binary(p, KOP_SUB, r, result);
    if (chance(&m, 6)) /* what a reducer gave goes into another one */
      a = program_binary(p, KOP_SUB, array, r);
  }
  *out = (struct zonal_program){p, result};
  return program_failed(p) ? program_error(p, error) : 0;
}

static const struct zones *random_zones(struct maker *m, size_t height, size_t width)
{
  struct zones *zones = ARENA_NEW(m->arena, struct zones);
  zones->count = chance(m, 20) ? 0 : 1 + below(m, 4);
  struct zone_span *runs = own(m, height * (zones->count + 1) * 2 * sizeof *runs);
  for (size_t row = 0; width > 0 && row < height; row++)
    for (uint32_t z = 0; z < zones->count; z++) {
      size_t at = below(m, width);
      for (size_t k = below(m, z == 2 ? 1 : 3); k > 0 && at < width; k--) { /* zone 2 has none */
        size_t last = at + 1 + below(m, width - at);
        runs[zones->run_count++] = (struct zone_span){z, row, at, last};
        at = last + 1;
      }
    }
  zones->runs = runs;
  return zones;
}

static struct numbers zone_numbers(struct arena *arena, const struct zonal *zonal, struct numbers in, size_t plane,
                                   size_t zone)
{
  const struct cube *cube = zonal->input->cube;
  size_t height = cube->dimension[cube->dimensions - 2].size, width = cube->dimension[cube->dimensions - 1].size;
  struct numbers out = numbers_new(arena, height * width);
  out.n = 0;
  for (size_t i = 0; i < zonal->zones->run_count; i++) { /* the planes are smaller than a square: row by row */
    const struct zone_span *run = &zonal->zones->runs[i];
    for (size_t x = run->first; run->zone == zone && x < run->last; x++)
      out.v[out.n++] = in.v[(plane * height + run->row) * width + x];
  }
  return out;
}

static void evaluate_zones(struct evaluation *e, const void *data, struct numbers out)
{
  const struct zones_definition *z = data;
  struct numbers in = reference(e, z->zonal.input);
  for (size_t i = 0; i < out.n; i++) {
    struct arena *arena = arena_new(0);
    struct zones_definition own = *z;
    struct zonal_program made;
    struct error error = {0};
    struct numbers pixels = zone_numbers(arena, &z->zonal, in, i / z->zonal.zones->count, i % z->zonal.zones->count);
    own.arena = arena;
    if (make_zonal_program(&own, pixels.n, &made, &error) != 0)
      abort();
    struct numbers *values = ARENA_ARRAY(arena, struct numbers, made.program->count);
    for (size_t s = 0; s < made.program->count; s++)
      values[s] = run_program_step(arena, made.program, &made.program->steps[s], values, &pixels);
    out.v[i] = values[made.result.value].v[0];
    arena_free(arena);
  }
}

static const struct node *make_zones_of(struct maker *m)
{
  struct zones_definition *z = ARENA_NEW(m->arena, struct zones_definition);
  const struct node *input = random_node(m);
  struct error error = {0};
  size_t n = input->cube->dimensions;
  if (n < 2)
    return NULL;
  struct cube *cube = cube_like(m, input);
  const struct zones *zones = random_zones(m, cube->dimension[n - 2].size, cube->dimension[n - 1].size);
  cube->dimensions = n - 1;
  cube->dimension[n - 2].size = zones->count;
  name_dimensions(m, cube);
  *z = (struct zones_definition){.arena = m->arena, .seed = below(m, SIZE_MAX) | 1, .fractions = m->fractions};
  z->zonal = (struct zonal){input, cube, zones, make_zonal_program, z, 2};
  const struct node *node = node_zones(m->arena, random_origin(m), &z->zonal, &error);
  if (!node)
    abort();
  define(m, node, evaluate_zones, z);
  return node;
}

/* ---- expressions --------------------------------------------------------------------------------------------------
 */

static const struct node *make_node(struct maker *m)
{
  switch (below(m, 14)) {
  case 0:
  case 1:
  case 2:
    return make_view(m);
  case 3:
    return make_stack(m);
  case 4:
    return make_warp(m);
  case 5:
    return make_chunks_of(m, random_node(m), 1);
  case 6:
    return make_zones_of(m);
  default:
    return make_kernel(m);
  }
}

static void add_node(struct maker *m)
{
  static const size_t most[] = {[SMALL_CUBES] = 3000, [LARGE_CUBES] = 12000, [LONG_AXES] = 16000};
  const struct node *node = make_node(m);
  if (node && cube_elements(node->cube) <= most[m->size] && node->cube->dimensions <= MAX_TEST_DIMENSIONS)
    m->pool[m->count++] = node;
}

static const struct node *random_expression(struct maker *m)
{
  m->count = 0;
  while (m->count < 3)
    m->pool[m->count++] = chance(m, 8) ? make_chain(m) : make_source(m);
  size_t nodes = 4 + below(m, m->size == SMALL_CUBES ? 8 : 5);
  for (size_t tries = 0; tries < 40 && m->count < nodes; tries++)
    add_node(m);
  return m->pool[m->count - 1];
}

#endif
