/* Packed bands as what their values stand for. See unpacked.h.
 *
 * Scales and offsets are two small cubes along the bands, so one kernel serves all bands. */
#include "processes/cube/unpacked.h"

#include "processes/cube/shape.h"

#include "datacube/base/missing.h"
#include "datacube/source/memory_source.h"

/* A cube of one number a band. */
static const struct node *numbers_of_bands(struct arena *arena, const struct node *node, bool scales)
{
  const struct cube *cube = node->cube;
  size_t bands = cube_find_type(cube, DIMENSION_BANDS), count = bands == SIZE_MAX ? 1 : cube->dimension[bands].size;
  struct cube of_bands = {.dimensions = bands != SIZE_MAX, .type = ELEMENT_F64};
  double *numbers = ARENA_ARRAY(arena, double, count);
  if (bands != SIZE_MAX)
    of_bands.dimension[0] = cube->dimension[bands];
  for (size_t i = 0; numbers && i < count; i++) {
    bool packed = band_is_packed(&cube->bands[i]);
    numbers[i] = scales ? (packed ? cube->bands[i].scale : 1) : packed ? cube->bands[i].offset : 0;
  }
  const struct source *source = numbers ? memory_source(arena, &of_bands, numbers, "packing of bands") : NULL;
  return source ? node_source(arena, (struct node_origin){node->id, node->process}, source) : NULL;
}

/* The node's cube as floats whose bands are not packed; their units stay: they are those of the unpacked values. */
static struct cube *plain_cube(struct arena *arena, const struct cube *packed)
{
  size_t bands = cube_find_type(packed, DIMENSION_BANDS), count = bands == SIZE_MAX ? 1 : packed->dimension[bands].size;
  struct cube *cube = cube_copy(arena, packed);
  struct band_info *infos = arena_copy(arena, packed->bands, count * sizeof *infos);
  if (!cube || !infos)
    return NULL;
  for (size_t i = 0; i < count; i++) {
    infos[i].scale = 1;
    infos[i].offset = 0;
  }
  cube->bands = infos;
  cube->type = element_info(packed->type)->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
  cube->has_nodata = true;
  cube->nodata = na_f64();
  return cube;
}

const struct node *unpacked(struct arena *arena, const struct node *node)
{
  if (!cube_is_packed(node->cube) || element_info(node->cube->type)->is_complex)
    return node;
  struct program *program = program_new(arena);
  struct kernel_input *inputs = ARENA_ARRAY(arena, struct kernel_input, 3);
  const struct node *nodes[] = {node, numbers_of_bands(arena, node, true), numbers_of_bands(arena, node, false)};
  struct cube *cube = plain_cube(arena, node->cube);
  if (!program || !inputs || !cube || !nodes[1] || !nodes[2])
    return NULL;
  struct lanes in[3];
  for (size_t i = 0; i < 3; i++)
    in[i] = program_input(program, i, false, 1, nodes[i]->cube->type, NULL);
  struct lanes value = program_binary(program, KOP_ADD, program_binary(program, KOP_MUL, in[0], in[1]), in[2]);
  if (program_failed(program))
    return NULL;
  kernel_inputs_by_names(cube, nodes, 3, inputs);
  return node_kernel(arena, (struct node_origin){node->id, node->process}, cube, inputs, 3, program, value,
                     NO_DIMENSION);
}
