/* Random node expressions: memory sources of random shapes, types and no-data values, then views with holes, kernels
 * with windows, stacks and warps over whatever was made before; hpc_stage_random.h has the other stages. Values are
 * small whole numbers, so that every order of computing gives the same. Indexes are kept in memory of their own where a
 * sanitizer sees a read past their end. */
#ifndef TWINCUBE_TESTS_UNIT_HPC_PLAN_RANDOM_H
#define TWINCUBE_TESTS_UNIT_HPC_PLAN_RANDOM_H

#include "datacube/source/memory_source.h"
#include "hpc/plan/node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POOL = 16, MAX_TEST_DIMENSIONS = 5 };

enum test_size {
  SMALL_CUBES,
  LARGE_CUBES, /* nested arrays become stages of their own */
  LONG_AXES    /* reductions become accumulators */
};

struct maker {
  struct arena *arena;
  uint64_t state;
  const struct node *pool[POOL];
  size_t count;
  enum test_size size;
  bool fractions;                       /* sums depend on their order: for equal bits alone */
  const struct definition *definitions; /* for the reference */
  struct test_chain *chains;            /* hpc_stage_random.h */
};

static size_t below(struct maker *m, size_t n)
{
  m->state ^= m->state << 13;
  m->state ^= m->state >> 7;
  m->state ^= m->state << 17;
  return (size_t)((m->state * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % n;
}

static bool chance(struct maker *m, size_t one_in)
{
  return below(m, one_in) == 0;
}

/* malloc'ed and freed with the arena. */
static void *own(struct maker *m, size_t bytes)
{
  void *memory = calloc(1, bytes ? bytes : 1);
  if (!memory || arena_on_free(m->arena, free, memory) != 0)
    abort();
  return memory;
}

static struct node_origin random_origin(struct maker *m)
{
  return (struct node_origin){arena_printf(m->arena, "n%zu", m->count), "test"};
}

static size_t random_size(struct maker *m)
{
  static const size_t sizes[] = {1, 2, 3, 5, 3, 2, 5, 7};
  if (m->size == LARGE_CUBES)
    return chance(m, 3) ? 2 : 60 + below(m, 20);
  if (m->size == LONG_AXES)
    return chance(m, 2) ? 4090 + below(m, 900) : 1 + below(m, 3);
  return chance(m, 60) ? 0 : sizes[below(m, 8)];
}

static void name_dimensions(struct maker *m, struct cube *cube)
{
  for (size_t d = 0; d < cube->dimensions; d++)
    cube->dimension[d] =
        dimension_enumerated(arena_printf(m->arena, "d%zu", d), DIMENSION_OTHER, cube->dimension[d].size);
}

static struct cube *float_cube(struct maker *m)
{
  struct cube *cube = ARENA_NEW(m->arena, struct cube);
  *cube = (struct cube){.type = ELEMENT_F64, .has_nodata = true, .nodata = NAN, .crs = "EPSG:32632"};
  return cube;
}

static const struct node *random_node(struct maker *m)
{
  return m->pool[below(m, m->count)];
}

/* ---- sources ---------------------------------------------------------------------------------------------------- */

static const struct node *make_source(struct maker *m)
{
  static const enum element_type types[] = {ELEMENT_U8, ELEMENT_I16, ELEMENT_I32, ELEMENT_F32, ELEMENT_F64, ELEMENT_BOOLEAN};
  struct cube cube = {
      .dimensions = 1 + below(m, m->size == SMALL_CUBES ? 4 : 2), .type = types[below(m, 6)], .crs = "EPSG:32632"};
  for (size_t d = 0; d < cube.dimensions; d++)
    cube.dimension[d].size = random_size(m);
  if (m->size == LONG_AXES && cube.dimensions == 2 && cube.dimension[0].size > 8)
    cube.dimension[1].size = 1 + below(m, 3);
  name_dimensions(m, &cube);
  bool is_float = element_info(cube.type)->is_float;
  cube.has_nodata = chance(m, 2);
  cube.nodata = cube.type == ELEMENT_BOOLEAN ? 255 : is_float && chance(m, 2) ? NAN : 7;
  size_t n = cube_elements(&cube);
  void *data = own(m, n * element_info(cube.type)->size);
  for (size_t i = 0; i < n; i++) {
    double value = (double)below(m, cube.type == ELEMENT_BOOLEAN ? 2 : 9);
    if (is_float && m->fractions)
      value /= 7;
    if (cube.type == ELEMENT_BOOLEAN && chance(m, 5))
      value = 255;
    if (is_float && (!cube.has_nodata || isnan(cube.nodata)) && chance(m, 5))
      value = NAN;
    store_value(cube.type, data, i, value);
  }
  struct source *source = arena_copy(m->arena, memory_source(m->arena, &cube, data, "random"), sizeof(struct source));
  for (size_t d = 0; d < cube.dimensions; d++)
    if (chance(m, 3)) {
      source->block[d] = 1 + below(m, 4);
      source->block_phase[d] = below(m, source->block[d]);
    }
  return node_source(m->arena, random_origin(m), source);
}

/* ---- views ------------------------------------------------------------------------------------------------------ */

/* A selection of `size` indexes, in any order, with repeats or holes. */
static void random_pick(struct maker *m, size_t size, struct view_dimension *view, size_t *count)
{
  bool holes = chance(m, 4);
  *count = size;
  if ((size == 0 && !holes) || chance(m, 2))
    return;
  *count = 1 + below(m, size ? size : 3);
  if (size > 0 && !holes && chance(m, 2)) {
    view->offset = below(m, size - *count + 1);
    return;
  }
  if (chance(m, 3))
    *count += 2;
  bool all = size == 0 || chance(m, 8);
  size_t *indexes = own(m, *count * sizeof *indexes);
  for (size_t i = 0; i < *count; i++)
    indexes[i] = holes && (all || chance(m, 3)) ? NO_INDEX : below(m, size);
  view->indexes = indexes;
}

/* A cube that a view may have holes in: it has a value for what is missing, none of its numbers. */
static void allow_holes(struct cube *cube)
{
  if (!cube->has_nodata)
    cube->nodata = element_info(cube->type)->is_float ? NAN : cube->type == ELEMENT_BOOLEAN ? 255 : 99;
  cube->has_nodata = true;
}

static const struct node *make_view(struct maker *m)
{
  const struct node *input = random_node(m);
  struct cube *cube = arena_copy(m->arena, input->cube, sizeof *cube);
  struct view_dimension *view = ARENA_ARRAY(m->arena, struct view_dimension, CUBE_MAX_DIMENSIONS);
  size_t order[CUBE_MAX_DIMENSIONS], sizes[CUBE_MAX_DIMENSIONS], n = 0;
  for (size_t d = 0; d < input->cube->dimensions; d++) {
    size_t size = input->cube->dimension[d].size;
    view[d].out = NO_DIMENSION;
    if (size > 0 && chance(m, 5))
      view[d].fixed = below(m, size);
    else {
      random_pick(m, size, &view[d], &sizes[n]);
      order[n++] = d;
    }
  }
  for (size_t i = n; chance(m, 2) && i > 1; i--) { /* another order */
    size_t k = below(m, i), d = order[k], s = sizes[k];
    order[k] = order[i - 1];
    sizes[k] = sizes[i - 1];
    order[i - 1] = d;
    sizes[i - 1] = s;
  }
  allow_holes(cube);
  cube->dimensions = 0;
  for (size_t i = 0; i < n; i++) {
    if (n < MAX_TEST_DIMENSIONS && cube->dimensions == i && chance(m, 6))
      cube->dimension[cube->dimensions++].size = 1; /* a new dimension */
    view[order[i]].out = (int)cube->dimensions;
    cube->dimension[cube->dimensions++].size = sizes[i];
  }
  name_dimensions(m, cube);
  return node_view(m->arena, random_origin(m), input, cube, view);
}

/* ---- kernels ---------------------------------------------------------------------------------------------------- */

static enum kernel_reducer random_reducer(struct maker *m)
{
  static const enum kernel_reducer exact[] = {KRED_SUM,  KRED_MIN, KRED_MAX, KRED_FIRST,
                                              KRED_LAST, KRED_ALL, KRED_ANY, KRED_MEDIAN};
  static const enum kernel_reducer others[] = {KRED_SUM, KRED_MEAN, KRED_VARIANCE, KRED_SD, KRED_MEDIAN};
  return m->fractions ? others[below(m, sizeof others / sizeof *others)]
                      : exact[below(m, sizeof exact / sizeof *exact)];
}

static struct lanes random_scalar(struct maker *m, struct program *p, const struct lanes *values, size_t count)
{
  struct lanes v = values[below(m, count)];
  if (!v.is_array)
    return v;
  double ignore = (double)below(m, 2);
  if (v.length > 0 && chance(m, 3))
    return program_element(p, v, below(m, v.length));
  if (chance(m, 8))
    return program_reduce(p, KRED_COUNT, v, (const double[]){ignore, 0}, 2);
  return program_reduce(p, random_reducer(m), v, &ignore, 1);
}

static struct lanes random_array(struct maker *m, struct program *p, struct lanes a, const struct lanes *values,
                                 size_t count)
{
  double ignore = (double)below(m, 2);
  size_t indexes[4], n = 1 + below(m, 3);
  switch (below(m, a.length > 0 ? 6 : 4)) {
  case 0:
    return program_series(p, KSER_CUMSUM, a, &ignore, 1);
  case 1:
    return program_series(p, KSER_SORT, a, (const double[]){1, 1}, 2);
  case 2:
    return program_series(p, KSER_REVERSE, a, NULL, 0);
  case 3: {
    struct lanes parts[] = {a, random_scalar(m, p, values, count), a};
    return program_concat(p, parts, 2 + below(m, 2));
  }
  default:
    for (size_t i = 0; i < n; i++)
      indexes[i] = below(m, a.length);
    return program_pick(p, a, indexes, n);
  }
}

static struct lanes random_element(struct maker *m, struct program *p, struct lanes a, struct lanes b)
{
  static const enum kernel_op ops[] = {KOP_ADD, KOP_SUB, KOP_MIN, KOP_MAX, KOP_GT};
  switch (below(m, 8)) {
  case 0:
    return program_unary(p, chance(m, 2) ? KOP_NEG : KOP_IS_NODATA, a);
  case 1:
    return program_binary(p, KOP_MASK, a, program_binary(p, KOP_GT, b, program_constant(p, (double)below(m, 6))));
  case 2:
    return program_ternary(p, KOP_SELECT, a, b, program_binary(p, KOP_GT, a, b));
  default:
    return program_binary(p, ops[below(m, 5)], a, b);
  }
}

static struct lanes random_program(struct maker *m, struct program *p, struct lanes *values, size_t count, bool array)
{
  struct lanes last = values[0];
  for (size_t steps = 1 + below(m, 5); steps > 0; steps--) {
    struct lanes a = values[below(m, count)], b = values[below(m, count)];
    if (a.is_array && chance(m, 2))
      last = random_array(m, p, a, values, count);
    else if (a.is_array && b.is_array && a.length != b.length)
      last = random_element(m, p, a, program_constant(p, 2));
    else
      last = random_element(m, p, a, b);
    values[count++] = last;
  }
  if (!array)
    return random_scalar(m, p, &last, 1);
  return last.is_array ? last : program_concat(p, (struct lanes[]){last, values[0]}, 2);
}

/* Maps the dimensions of an input to those of the output of the same size, or to new ones. */
static bool place_input(struct maker *m, struct kernel_input *input, struct cube *out)
{
  bool taken[CUBE_MAX_DIMENSIONS] = {false};
  for (size_t d = 0; d < input->node->cube->dimensions; d++) {
    size_t size = input->node->cube->dimension[d].size, at = SIZE_MAX;
    input->to_output[d] = NO_DIMENSION;
    if ((int)d == input->array_dimension)
      continue;
    for (size_t o = 0; o < out->dimensions; o++)
      if (!taken[o] && out->dimension[o].size == size && (at == SIZE_MAX || chance(m, 2)))
        at = o;
    if (at == SIZE_MAX && out->dimensions == MAX_TEST_DIMENSIONS)
      return false;
    if (at == SIZE_MAX) {
      at = out->dimensions++;
      out->dimension[at].size = size;
    }
    taken[at] = true;
    input->to_output[d] = (int)at;
  }
  return true;
}

/* Windows along some of the input's dimensions instead of an array dimension; the length of their array. */
static size_t add_windows(struct maker *m, struct kernel_input *input)
{
  static const double values[] = {NAN, 0, 3, 7, -2, 0.5};
  size_t dimensions = input->node->cube->dimensions, length = 1, first = below(m, dimensions);
  for (size_t k = 0; k < dimensions && k < 2 && (k == 0 || chance(m, 2)); k++) {
    size_t d = (first + k) % dimensions, size = input->node->cube->dimension[d].size;
    struct window *window = &input->window[input->window_count++];
    *window = (struct window){.dimension = (int)d, .length = 1 + below(m, chance(m, 6) && size < 8 ? 2 * size + 5 : 4)};
    window->before = below(m, window->length);
    window->border = (enum border_rule)below(m, BORDER_WRAP + 1);
    window->value = values[below(m, sizeof values / sizeof *values)];
    length *= window->length;
  }
  return length;
}

static struct lanes kernel_input(struct maker *m, struct program *p, size_t k, struct kernel_input *input)
{
  const struct cube *cube = input->node->cube;
  bool takes = input->array_dimension != NO_DIMENSION;
  size_t length = takes ? cube->dimension[input->array_dimension].size : 1;
  if (takes || cube->dimensions == 0 || !chance(m, 3))
    return program_input(p, k, takes, length, cube->type, NULL);
  return program_input(p, k, true, add_windows(m, input), cube->type, NULL);
}

static const struct node *make_kernel(struct maker *m)
{
  struct kernel_input *inputs = ARENA_ARRAY(m->arena, struct kernel_input, 3);
  struct program *p = program_new(m->arena);
  struct lanes values[32];
  struct cube *cube = float_cube(m);
  size_t count = 1 + below(m, 3), n = 0;
  bool array = chance(m, 3);
  for (size_t k = 0; k < count; k++) {
    const struct node *node = random_node(m);
    size_t dimensions = node->cube->dimensions;
    bool takes = dimensions > 0 && chance(m, 2);
    size_t d = takes ? below(m, dimensions) : 0;
    inputs[k] = (struct kernel_input){.node = node, .array_dimension = takes ? (int)d : NO_DIMENSION};
    if (!place_input(m, &inputs[k], cube))
      return NULL;
    values[n++] = kernel_input(m, p, k, &inputs[k]);
  }
  struct lanes result = random_program(m, p, values, n, array);
  int array_out = NO_DIMENSION;
  if (array) { /* somewhere among the output's dimensions */
    if (cube->dimensions == MAX_TEST_DIMENSIONS)
      return NULL;
    array_out = (int)below(m, cube->dimensions + 1);
    memmove(&cube->dimension[array_out + 1], &cube->dimension[array_out],
            (cube->dimensions - (size_t)array_out) * sizeof cube->dimension[0]);
    cube->dimension[array_out].size = result.length;
    cube->dimensions++;
    for (size_t k = 0; k < count; k++)
      for (size_t d = 0; d < CUBE_MAX_DIMENSIONS; d++)
        if (inputs[k].to_output[d] >= array_out)
          inputs[k].to_output[d]++;
  }
  if (program_failed(p))
    return NULL;
  name_dimensions(m, cube);
  return node_kernel(m->arena, random_origin(m), cube, inputs, count, p, result, array_out);
}

/* ---- stacks and warps ------------------------------------------------------------------------------------------- */

/* A reducer over some indexes of dimension s, which stays with size 1: a period. */
static const struct node *make_period(struct maker *m, const struct node *input, size_t s)
{
  struct cube *part = arena_copy(m->arena, input->cube, sizeof *part), *cube = float_cube(m);
  struct view_dimension *view = ARENA_ARRAY(m->arena, struct view_dimension, CUBE_MAX_DIMENSIONS);
  struct kernel_input *kernel = ARENA_NEW(m->arena, struct kernel_input);
  struct program *p = program_new(m->arena);
  size_t count;
  for (size_t d = 0; d < part->dimensions; d++)
    view[d].out = (int)d;
  random_pick(m, input->cube->dimension[s].size, &view[s], &count);
  allow_holes(part);
  part->dimension[s].size = count;
  name_dimensions(m, part);
  const struct node *picked = node_view(m->arena, random_origin(m), input, part, view);
  *kernel = (struct kernel_input){.node = picked, .array_dimension = (int)s};
  cube->dimensions = part->dimensions;
  for (size_t d = 0; d < part->dimensions; d++) {
    kernel->to_output[d] = d == s ? NO_DIMENSION : (int)d;
    cube->dimension[d].size = d == s ? 1 : part->dimension[d].size;
  }
  name_dimensions(m, cube);
  struct lanes array = program_input(p, 0, true, count, input->cube->type, NULL);
  struct lanes result = random_scalar(m, p, &array, 1);
  return node_kernel(m->arena, random_origin(m), cube, kernel, 1, p, result, NO_DIMENSION);
}

static const struct node *make_stack(struct maker *m)
{
  const struct node *input = random_node(m);
  if (input->cube->dimensions == 0)
    return NULL;
  size_t s = below(m, input->cube->dimensions), size = below(m, 4) + !chance(m, 10);
  const struct node **children = ARENA_ARRAY(m->arena, const struct node *, size);
  struct cube *cube = float_cube(m);
  cube->dimensions = input->cube->dimensions;
  for (size_t d = 0; d < cube->dimensions; d++)
    cube->dimension[d].size = d == s ? size : input->cube->dimension[d].size;
  name_dimensions(m, cube);
  for (size_t k = 0; k < size; k++)
    children[k] = k > 0 && chance(m, 4) ? children[k - 1] : make_period(m, input, s);
  return node_stack(m->arena, random_origin(m), cube, (int)s, children);
}

/* To pixels of 4 x 4 where the input has 10 x 10, or of 20 x 20; no centre falls on an edge. */
static const struct node *make_warp(struct maker *m)
{
  const struct node *input = random_node(m);
  size_t n = input->cube->dimensions;
  if (n < 2 || element_info(input->cube->type)->is_float == false || !input->cube->has_nodata)
    return NULL;
  size_t height = input->cube->dimension[n - 2].size, width = input->cube->dimension[n - 1].size;
  if (height == 0 || width == 0)
    return NULL;
  struct cube *from = arena_copy(m->arena, input->cube, sizeof *from),
              *cube = arena_copy(m->arena, input->cube, sizeof *cube);
  struct view_dimension *view = ARENA_ARRAY(m->arena, struct view_dimension, CUBE_MAX_DIMENSIONS);
  for (size_t d = 0; d < n; d++)
    view[d].out = (int)d;
  from->dimension[n - 2] = dimension_steps("y", 'y', 5e6 + 10 * (double)height - 5, -10, height);
  from->dimension[n - 1] = dimension_steps("x", 'x', 5e5 + 5, 10, width);
  double res = chance(m, 2) ? 4 : 20;
  struct grid grid = {5e5 + 1 - 4 * (double)below(m, 3),
                      5e6 + 10 * (double)height - 1,
                      res,
                      res,
                      1 + below(m, 8),
                      1 + below(m, 8),
                      "EPSG:32632"};
  cube->dimension[n - 2] = dimension_steps("y", 'y', grid.north - res / 2, -res, grid.height);
  cube->dimension[n - 1] = dimension_steps("x", 'x', grid.west + res / 2, res, grid.width);
  const struct node *placed = node_view(m->arena, random_origin(m), input, from, view);
  return node_warp(m->arena, random_origin(m), placed, cube, &grid, RESAMPLE_NEAREST);
}

#endif
