/* Kernels of fermion fields for any machine. See fermion_kernel.inc. */
#include "physics/lattice/fermion_kernel.h"
#include "physics/lattice/gamma.h"

#include <string.h>

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

const struct fermion_kernels fermion_kernels_baseline[] = {
    [FERMION_F64] = FERMION_KERNELS(baseline_f64), [FERMION_F32] = FERMION_KERNELS(baseline_f32)};
