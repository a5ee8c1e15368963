/* The products' loops and their choice. See su_products.h. */
#include "physics/lattice/su_products.h"

#include "physics/lattice/su_matrix.h"
#include "physics/simd.h"

#define PRODUCT(name, body, colours)                                                                                   \
  SIMD_BODY name##_body(size_t n, double *restrict out, const double *a, const double *b)                              \
  {                                                                                                                    \
    (void)n;                                                                                                           \
    body(colours, out, a, b);                                                                                          \
  }                                                                                                                    \
  SIMD_LEVELS(name, (size_t n, double *restrict out, const double *a, const double *b), (n, out, a, b))

PRODUCT(multiply_2, su_multiply, 2)
PRODUCT(multiply_3, su_multiply, 3)
PRODUCT(multiply_n, su_multiply, n)
PRODUCT(multiply_adjoint_2, su_multiply_adjoint, 2)
PRODUCT(multiply_adjoint_3, su_multiply_adjoint, 3)
PRODUCT(multiply_adjoint_n, su_multiply_adjoint, n)
PRODUCT(adjoint_multiply_2, su_adjoint_multiply, 2)
PRODUCT(adjoint_multiply_3, su_adjoint_multiply, 3)
PRODUCT(adjoint_multiply_n, su_adjoint_multiply, n)

#define SUM(name, body, colours)                                                                                       \
  SIMD_BODY name##_body(size_t n, double *restrict out, double factor, const double *a, const double *b)               \
  {                                                                                                                    \
    (void)n;                                                                                                           \
    body(colours, out, factor, a, b);                                                                                  \
  }                                                                                                                    \
  SIMD_LEVELS(name, (size_t n, double *restrict out, double factor, const double *a, const double *b),                 \
              (n, out, factor, a, b))

SUM(add_product_2, su_add_product, 2)
SUM(add_product_3, su_add_product, 3)
SUM(add_product_n, su_add_product, n)
SUM(add_product_adjoint_2, su_add_product_adjoint, 2)
SUM(add_product_adjoint_3, su_add_product_adjoint, 3)
SUM(add_product_adjoint_n, su_add_product_adjoint, n)

#define PERMUTE(name, colours)                                                                                         \
  SIMD_BODY name##_body(size_t n, double *restrict out, const double *a, const uint8_t *lane)                          \
  {                                                                                                                    \
    (void)n;                                                                                                           \
    su_permute(colours, out, a, lane);                                                                                 \
  }                                                                                                                    \
  SIMD_LEVELS(name, (size_t n, double *restrict out, const double *a, const uint8_t *lane), (n, out, a, lane))

PERMUTE(permute_2, 2)
PERMUTE(permute_3, 3)
PERMUTE(permute_n, n)

/* Those whose names end so. */
#define PRODUCTS(n)                                                                                                    \
  ((struct su_products){.multiply = SIMD_PICK(multiply_##n),                                                           \
                        .multiply_adjoint = SIMD_PICK(multiply_adjoint_##n),                                           \
                        .adjoint_multiply = SIMD_PICK(adjoint_multiply_##n),                                           \
                        .add_product = SIMD_PICK(add_product_##n),                                                     \
                        .add_product_adjoint = SIMD_PICK(add_product_adjoint_##n),                                     \
                        .permute = SIMD_PICK(permute_##n)})

struct su_products su_products_for(size_t colours)
{
  switch (colours) {
  case 2:
    return PRODUCTS(2);
  case 3:
    return PRODUCTS(3);
  default:
    return PRODUCTS(n);
  }
}
