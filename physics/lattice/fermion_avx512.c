/* Kernels of fermion fields for AVX-512. See fermion_kernel.inc. */
#include "physics/lattice/fermion_kernel.h"
#include "physics/lattice/gamma.h"
#include "physics/simd.h"

#if SIMD_HAS_LEVELS
#include <immintrin.h>
#include <string.h>

#define SHUFFLE 1
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

const struct fermion_kernels fermion_kernels_avx512[] = {
    [FERMION_F64] = FERMION_KERNELS(avx512_f64), [FERMION_F32] = FERMION_KERNELS(avx512_f32)};
#endif
