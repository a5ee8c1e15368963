/* Fermion fields: kernels of three instruction sets and two types. See fermion_field.h. */
#include "physics/lattice/fermion_field.h"

#include "datacube/base/checked.h"
#include "physics/lattice/gamma.h"
#include "physics/simd.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__clang__)
#define UNROLL
#define UNROLL_SPINOR
#else
#define UNROLL _Pragma("GCC unroll 8")
#define UNROLL_SPINOR _Pragma("GCC unroll 24")
#endif

/* What a hop's code is made for: constants wherever it is inlined. */
struct hop_shape {
  size_t spins, half, colours, numbers;
  size_t mu;
  bool backward, crosses;
};

#define SHUFFLE 0
#define TARGET
#define REAL double
#define PIECES 2
#define LEVEL(name) name##_baseline_f64
#include "physics/lattice/fermion_kernel.inc"
#undef REAL
#undef PIECES
#undef LEVEL
#define REAL float
#define PIECES 1
#define LEVEL(name) name##_baseline_f32
#include "physics/lattice/fermion_kernel.inc"
#undef REAL
#undef PIECES
#undef LEVEL
#undef SHUFFLE
#undef TARGET

#if defined(__x86_64__)
#define SHUFFLE 1
#define TARGET __attribute__((target("avx2")))
#define REAL double
#define PIECES 2
#define LEVEL(name) name##_avx2_f64
#include "physics/lattice/fermion_kernel.inc"
#undef REAL
#undef PIECES
#undef LEVEL
#define REAL float
#define PIECES 1
#define LEVEL(name) name##_avx2_f32
#include "physics/lattice/fermion_kernel.inc"
#undef REAL
#undef PIECES
#undef LEVEL
#undef TARGET
#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#define REAL double
#define PIECES 2
#define LEVEL(name) name##_avx512_f64
#include "physics/lattice/fermion_kernel.inc"
#undef REAL
#undef PIECES
#undef LEVEL
#define REAL float
#define PIECES 1
#define LEVEL(name) name##_avx512_f32
#include "physics/lattice/fermion_kernel.inc"
#endif

const struct fermion_kernels *fermion_kernels(enum fermion_type type)
{
#if defined(__x86_64__)
  if (simd_level_is("avx512")) {
    return type == FERMION_F32 ? &kernels_avx512_f32 : &kernels_avx512_f64;
  }
  if (simd_level_is("avx2")) {
    return type == FERMION_F32 ? &kernels_avx2_f32 : &kernels_avx2_f64;
  }
#endif
  return type == FERMION_F32 ? &kernels_baseline_f32 : &kernels_baseline_f64;
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
