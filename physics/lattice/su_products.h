/* Products of N x N matrices in lanes and exchanges of lanes, compiled once for each SIMD level, type and N = 2, 3,
 * any: what sweeps call instead of inlining one in each of their places. See su_matrix.h for what they do. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SU_PRODUCTS_H
#define TWINCUBE_PHYSICS_LATTICE_SU_PRODUCTS_H

#include <stddef.h>
#include <stdint.h>

/* struct name, of matrices of that type: a b, a b^dagger, a^dagger b; what adds factor a b, factor a b^dagger. */
#define SU_PRODUCTS_OF(name, real)                                                                                     \
  struct name {                                                                                                        \
    void (*multiply)(size_t n, real *restrict out, const real *a, const real *b);                                      \
    void (*multiply_adjoint)(size_t n, real *restrict out, const real *a, const real *b);                              \
    void (*adjoint_multiply)(size_t n, real *restrict out, const real *a, const real *b);                              \
    void (*add_product)(size_t n, real *restrict out, double factor, const real *a, const real *b);                    \
    void (*add_product_adjoint)(size_t n, real *restrict out, double factor, const real *a, const real *b);            \
    void (*permute)(size_t n, real *restrict out, const real *a, const uint8_t *lane);                                 \
  }

SU_PRODUCTS_OF(su_products_f64, double);
SU_PRODUCTS_OF(su_products_f32, float);

/* For this machine. */
struct su_products_f64 su_products_for_f64(size_t colours);
struct su_products_f32 su_products_for_f32(size_t colours);

#endif
