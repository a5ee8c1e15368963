/* Fermion fields: in and out of the lanes, and which kernels this machine runs. See fermion_field.h. */
#include "physics/lattice/fermion_field.h"

#include "datacube/base/checked.h"
#include "physics/lattice/fermion_kernel.h"
#include "physics/simd.h"

const struct fermion_kernels *fermion_kernels(enum fermion_type type)
{
#if SIMD_HAS_LEVELS
  if (simd_level_is("avx512")) {
    return &fermion_kernels_avx512[type];
  }
  if (simd_level_is("avx2")) {
    return &fermion_kernels_avx2[type];
  }
#endif
  return &fermion_kernels_baseline[type];
}

struct block_range lattice_range(const struct lattice *lattice, enum parity parity)
{
  size_t half = lattice->blocks / 2;
  return parity == PARITY_EVEN  ? (struct block_range){0, half}
         : parity == PARITY_ODD ? (struct block_range){half, lattice->blocks}
                                : (struct block_range){0, lattice->blocks};
}

size_t fermion_bytes(const struct fermion_shape *shape, enum fermion_type type, size_t blocks)
{
  return saturated_mul(blocks, fermion_numbers(shape) * LATTICE_LANES * fermion_real_bytes(type));
}

void fermion_narrow(const double *from, size_t count, float *to)
{
  for (size_t i = 0; i < count; i++) {
    to[i] = (float)from[i];
  }
}

void fermion_widen(const float *from, size_t count, double *to)
{
  for (size_t i = 0; i < count; i++) {
    to[i] = (double)from[i];
  }
}

void fermion_set(const struct fermion_shape *shape, const double *values, double *field)
{
  size_t numbers = fermion_numbers(shape);
  for (size_t block = 0; block < shape->lattice->blocks; block++) {
    for (size_t lane = 0; lane < LATTICE_LANES; lane++) {
      const double *from = values + lattice_site(shape->lattice, block, lane) * numbers;
      for (size_t i = 0; i < numbers; i++) {
        field[(block * numbers + i) * LATTICE_LANES + lane] = from[i];
      }
    }
  }
}

void fermion_get(const struct fermion_shape *shape, const double *field, double *values)
{
  size_t numbers = fermion_numbers(shape);
  for (size_t block = 0; block < shape->lattice->blocks; block++) {
    for (size_t lane = 0; lane < shape->lattice->lanes; lane++) {
      double *to = values + lattice_site(shape->lattice, block, lane) * numbers;
      for (size_t i = 0; i < numbers; i++) {
        to[i] = field[(block * numbers + i) * LATTICE_LANES + lane];
      }
    }
  }
}
