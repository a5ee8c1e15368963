/* Linear algebra of fermion fields of one kind, on so many blocks: sums are exact (exact_sum.h), so that the bits are
 * the same for any number of threads, and of ranks where fields lie in slabs (fermion_slab.h): all of them add up at
 * the same time. Thread rule: as for its operator. */
#ifndef TWINCUBE_PHYSICS_LATTICE_FERMION_ALGEBRA_H
#define TWINCUBE_PHYSICS_LATTICE_FERMION_ALGEBRA_H

#include "physics/lattice/dirac.h"

struct fermion_algebra {
  struct fermion_shape shape;
  unsigned threads;
  size_t first, blocks;    /* blocks of a field */
  struct gauge_slab *slab; /* or NULL */
};

/* Of the operator's fields on those blocks. */
struct fermion_algebra fermion_algebra_of(const struct dirac *dirac, size_t first, size_t blocks);

/* Numbers (re or im) of a field with its lanes. */
size_t fermion_reals(const struct fermion_algebra *algebra);

/* out = x + factor y; out may be one of them. */
void fermion_add(const struct fermion_algebra *algebra, enum fermion_type type, const void *x, double complex factor,
                 const void *y, void *out);

/* Sum of conj(x) y, its real part, and the sum of |x|^2. */
double complex fermion_dot(const struct fermion_algebra *algebra, enum fermion_type type, const void *x, const void *y);
double fermion_real_dot(const struct fermion_algebra *algebra, enum fermion_type type, const void *x, const void *y);
double fermion_square(const struct fermion_algebra *algebra, enum fermion_type type, const void *x);

enum { FERMION_MOST_FIELDS = 336 };

/* The first `out` of `in` <= FERMION_MOST_FIELDS fields, one behind the other, become sums of all of them:
 * new f_i = sum_j matrix[j * out + i] f_j. */
void fermion_rotate(const struct fermion_algebra *algebra, enum fermion_type type, void *fields, size_t in, size_t out,
                    const double complex *matrix);

#endif
