/* Euclidean gamma matrices in a chiral basis.
 *
 *   gamma_mu = (0, a_mu; a_mu^dagger, 0),  gamma_5 = (1, 0; 0, -1),  all Hermitian, {gamma_mu, gamma_nu} = 2 delta
 *   four spins (3 or 4 dimensions): a_0 = 1, a_k = i sigma_k;  gamma_5 = gamma_0 gamma_1 gamma_2 gamma_3
 *   two spins (2 dimensions):       a_0 = 1, a_1 = -i, so gamma = sigma_1, sigma_2;  gamma_5 = -i gamma_0 gamma_1
 * Index 0 is x0, the Euclidean time. Each a_mu has one entry a row, a power of i, and swaps rows in pairs. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAMMA_H
#define TWINCUBE_PHYSICS_LATTICE_GAMMA_H

#include <complex.h>
#include <stddef.h>

enum { GAMMA_MAX_SPINS = 4, GAMMA_STRUCTURES = 16 };

struct gamma_entry {
  size_t column;
  int power; /* the entry is i^power */
};

/* Row `row` of a_mu. Of the adjoint: row r has the entry i^-gamma_upper(column).power in the same column. */
static inline __attribute__((always_inline)) struct gamma_entry gamma_upper(size_t spins, size_t mu, size_t row)
{
  if (spins == 2) {
    return (struct gamma_entry){0, mu == 0 ? 0 : 3};
  }
  switch (mu) {
  case 0:
    return (struct gamma_entry){row, 0};
  case 1:
    return (struct gamma_entry){1 - row, 1};
  case 2:
    return (struct gamma_entry){1 - row, row == 0 ? 0 : 2};
  default:
    return (struct gamma_entry){row, row == 0 ? 1 : 3};
  }
}

/* A product of gamma matrices: one entry a row. */
struct gamma_product {
  size_t spins;
  size_t column[GAMMA_MAX_SPINS];
  int power[GAMMA_MAX_SPINS]; /* the entry is i^power */
};

/* The product, in the order of their indices, of the gamma_mu whose bit mu is set in `set` (below 1 << dimensions);
 * bit 4 multiplies by gamma_5 from the right. */
struct gamma_product gamma_product(size_t spins, unsigned set);

/* gamma_0 G^dagger gamma_0: what turns psibar G psi into its conjugate. */
struct gamma_product gamma_bar(const struct gamma_product *gamma);

/* The product a b. */
struct gamma_product gamma_times(const struct gamma_product *a, const struct gamma_product *b);

/* re + i im, whatever the two are (CMPLX of C11, which clang 14 lacks). */
static inline double complex complex_of(double re, double im)
{
  return __builtin_complex(re, im);
}

/* i^power times a number. */
static inline double complex gamma_turn(double complex z, int power)
{
  switch (power & 3) {
  case 0:
    return z;
  case 1:
    return complex_of(-cimag(z), creal(z));
  case 2:
    return -z;
  default:
    return complex_of(cimag(z), -creal(z));
  }
}

#endif
