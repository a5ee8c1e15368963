/* Kernels of fermion fields for AVX2. See fermion_kernel.inc. */
#include "physics/lattice/fermion_kernel.h"
#include "physics/lattice/gamma.h"
#include "physics/simd.h"

#if SIMD_HAS_LEVELS
#include <immintrin.h>
#include <string.h>

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

const struct fermion_kernels fermion_kernels_avx2[] = {
    [FERMION_F64] = FERMION_KERNELS(avx2_f64), [FERMION_F32] = FERMION_KERNELS(avx2_f32)};
#endif
