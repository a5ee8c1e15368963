/* Kernels of fermion fields by instruction set: one file each, so that they compile side by side. [enum fermion_type]
 */
#ifndef TWINCUBE_PHYSICS_LATTICE_FERMION_KERNEL_H
#define TWINCUBE_PHYSICS_LATTICE_FERMION_KERNEL_H

#include "physics/lattice/fermion_field.h"

/* What a hop's code is made for: constants wherever it is inlined. */
struct hop_shape {
  size_t spins, half, colours, numbers;
  size_t mu;
  bool backward, crosses;
};

/* The row of one instruction set and type, of functions whose names end so. */
#define FERMION_KERNELS(level)                                                                                         \
  {                                                                                                                    \
    .hop = hop_##level, .add = add_##level, .dot = dot_##level, .chiral = chiral_##level, .site = site_##level         \
  }

extern const struct fermion_kernels fermion_kernels_baseline[], fermion_kernels_avx2[], fermion_kernels_avx512[];

#endif
