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

struct su_products su_products_for(size_t colours)
{
  switch (colours) {
  case 2:
    return (struct su_products){SIMD_PICK(multiply_2), SIMD_PICK(multiply_adjoint_2), SIMD_PICK(adjoint_multiply_2)};
  case 3:
    return (struct su_products){SIMD_PICK(multiply_3), SIMD_PICK(multiply_adjoint_3), SIMD_PICK(adjoint_multiply_3)};
  default:
    return (struct su_products){SIMD_PICK(multiply_n), SIMD_PICK(multiply_adjoint_n), SIMD_PICK(adjoint_multiply_n)};
  }
}
