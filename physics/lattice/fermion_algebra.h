/* Linear algebra of fermion fields of one kind, on so many blocks: sums in a fixed order, so that the bits are the same
 * for any number of threads. Thread rule: calls of one algebra come one after the other (its sums are work space). */
#ifndef TWINCUBE_PHYSICS_LATTICE_FERMION_ALGEBRA_H
#define TWINCUBE_PHYSICS_LATTICE_FERMION_ALGEBRA_H

#include "physics/lattice/fermion_field.h"

struct fermion_algebra {
  struct fermion_shape shape;
  unsigned threads;
  size_t blocks;        /* of a field */
  double complex *sums; /* one a block */
  double *parts;        /* one a block */
};

/* Bytes of the sums, a multiple of 64; saturated. */
size_t fermion_algebra_bytes(size_t blocks);
/* Over that memory, aligned to 64. */
struct fermion_algebra fermion_algebra_over(const struct fermion_shape *shape, unsigned threads, size_t blocks,
                                            void *memory);

/* Numbers (re or im) of a field with its lanes. */
size_t fermion_reals(const struct fermion_algebra *algebra);

/* out = x + factor y; out may be one of them. */
void fermion_add(const struct fermion_algebra *algebra, enum fermion_type type, const void *x, double complex factor,
                 const void *y, void *out);

/* Sum of conj(x) y, and of |x|^2. */
double complex fermion_dot(const struct fermion_algebra *algebra, enum fermion_type type, const void *x, const void *y);
double fermion_square(const struct fermion_algebra *algebra, enum fermion_type type, const void *x);

enum { FERMION_MOST_FIELDS = 336 };

/* The first `out` of `in` <= FERMION_MOST_FIELDS fields, one behind the other, become sums of all of them:
 * new f_i = sum_j matrix[j * out + i] f_j. */
void fermion_rotate(const struct fermion_algebra *algebra, enum fermion_type type, void *fields, size_t in, size_t out,
                    const double complex *matrix);

#endif
