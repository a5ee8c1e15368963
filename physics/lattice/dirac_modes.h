/* The lowest modes of the Hermitian positive operator A of a quark's even half (dirac_normal: K^dagger K, of staggered
 * quarks K), which light quarks' solvers spend most of their iterations on: found once, taken out of every right-hand
 * side (dirac_solve.h).
 *
 * A block Davidson method. A basis holds the Ritz vectors of the wanted modes and of some more (guards); those that are
 * not accurate yet, each through a polynomial of A that is small on the spectrum above the basis' and grows below it
 * (Chebyshev's T_n), make it twice as large, and the best of it are the next basis. Ritz values are never below the
 * values that they stand for, so the cut of the polynomial comes down by itself. Several vectors of one value are
 * found, as the basis starts from as many random fields as it has places. Sources: Y. Zhou, Y. Saad, SIAM J. Matrix
 * Anal. Appl. 29 (2007) 954; Y. Zhou, R.-C. Li, Linear Algebra Appl. 435 (2011) 480 for the upper end of the spectrum.
 * Thread rule: the same bits for any number of threads. */
#ifndef TWINCUBE_PHYSICS_LATTICE_DIRAC_MODES_H
#define TWINCUBE_PHYSICS_LATTICE_DIRAC_MODES_H

#include "physics/lattice/dirac.h"

enum { DIRAC_MOST_MODES = 128 };

struct dirac_modes {
  enum fermion_type type; /* of the vectors */
  size_t count;
  const void *vectors;  /* `count` fields on the even blocks, one behind the other, orthonormal */
  const double *values; /* ascending */
  double top;           /* no value of A is above */
  double off;           /* greatest |A v - value v| / value */
  size_t applications;  /* of A, that it took */
};

/* The most modes of that many numbers: an eighth of the even half's dimension, at most DIRAC_MOST_MODES. */
size_t dirac_modes_most(const struct fermion_shape *shape);

/* Bytes of the memory; saturated. */
size_t dirac_modes_bytes(const struct fermion_shape *shape, enum fermion_type type, size_t count);

/* The `count` lowest modes (1 to dirac_modes_most) in `memory` (aligned to 64, borrowed while they live): to
 * |A v - value v| <= DIRAC_MODE_ACCURACY value, as far as the type's rounding allows; `off` tells, and out->count,
 * where that is less. -1: `cancel`, which may be NULL, became nonzero. */
#define DIRAC_MODE_ACCURACY 1e-2
int dirac_modes_find(const struct dirac *dirac, enum fermion_type type, size_t count, const volatile int *cancel,
                     void *memory, struct dirac_modes *out);

#endif
