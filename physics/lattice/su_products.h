/* Products of N x N matrices in lanes and exchanges of lanes, compiled once for each SIMD level and N = 2, 3, any: what
 * sweeps call instead of inlining one in each of their places. See su_matrix.h for what they do. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SU_PRODUCTS_H
#define TWINCUBE_PHYSICS_LATTICE_SU_PRODUCTS_H

#include <stddef.h>
#include <stdint.h>

typedef void su_product_function(size_t n, double *restrict out, const double *a, const double *b);
typedef void su_sum_function(size_t n, double *restrict out, double factor, const double *a, const double *b);
typedef void su_permute_function(size_t n, double *restrict out, const double *a, const uint8_t *lane);

struct su_products {
  su_product_function *multiply;         /* a b */
  su_product_function *multiply_adjoint; /* a b^dagger */
  su_product_function *adjoint_multiply; /* a^dagger b */
  su_sum_function *add_product;          /* adds factor a b */
  su_sum_function *add_product_adjoint;  /* adds factor a b^dagger */
  su_permute_function *permute;
};

/* For this machine. */
struct su_products su_products_for(size_t colours);

#endif
