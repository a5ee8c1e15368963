/* Fermion fields, and what is done with them site by site, in doubles and in floats.
 *
 * Layout: psi[block][spin][colour][re, im][lane], blocks and lanes as lattice.h says. A field is on all blocks or on
 * those of one parity: `first` is the first block that it has. Spins: 4 in three and four dimensions, 2 in two, 1 for
 * staggered quarks.
 *
 * The hopping term. links[block][direction][row][column][re, im][lane] holds for every site the matrix of each of its
 * 2 d hops, in the order of lattice.h's directions and in the site's own lanes: forward V = U(x, mu), backward
 * V = U(x - mu, mu)^dagger, with whatever sign the boundary or staggered phase has. So a sweep reads it straight
 * through and multiplies by it alone. With spin (hopping_direction, gamma.h):
 *
 *   (H psi)(x) = sum_mu (1 - gamma_mu) V_forward psi(x + mu) + (1 + gamma_mu) V_backward psi(x - mu)
 *
 * Half of a projected spinor is the other half turned, so a hop multiplies spins / 2 colour vectors. With one spin the
 * projectors are left out.
 * Kernels: one table an instruction set and a type, elementwise without fused operations: the same bits from each.
 * Thread rule: kernels read what is const; blocks of different tasks are disjoint. */
#ifndef TWINCUBE_PHYSICS_LATTICE_FERMION_FIELD_H
#define TWINCUBE_PHYSICS_LATTICE_FERMION_FIELD_H

#include "physics/lattice/lattice.h"

#include <complex.h>

enum fermion_type { FERMION_F64, FERMION_F32, FERMION_TYPES };

enum { FERMION_MAX_SPINS = 4, FERMION_MAX_COLOURS = 8 };

/* Numbers (re or im) of one site. */
struct fermion_shape {
  const struct lattice *lattice; /* borrowed */
  size_t spins, colours;
};

static inline size_t fermion_numbers(const struct fermion_shape *shape)
{
  return shape->spins * shape->colours * 2;
}

static inline size_t fermion_real_bytes(enum fermion_type type)
{
  return type == FERMION_F32 ? sizeof(float) : sizeof(double);
}

/* Blocks [first, last). */
struct block_range {
  size_t first, last;
};

enum parity { PARITY_EVEN, PARITY_ODD, PARITY_ALL };

struct block_range lattice_range(const struct lattice *lattice, enum parity parity);

/* Bytes of a field of so many blocks. */
size_t fermion_bytes(const struct fermion_shape *shape, enum fermion_type type, size_t blocks);

/* ---- kernels ----------------------------------------------------------------------------------------------------- */

/* out(x) = base(x) + factor (H in)(x) for the blocks of `out`; base NULL: 0. base and out may be the same. */
struct hop_task {
  struct fermion_shape shape;
  const void *links;     /* of block 0 */
  const void *in, *base; /* in begins with block in_first, base with out_first */
  void *out;
  size_t in_first, out_first;
  double factor;
};

/* out = x + factor y: fields that begin with the same block; out may be one of them. */
struct add_task {
  size_t numbers; /* fermion_numbers */
  const void *x, *y;
  double complex factor;
  void *out;
};

/* sum[block - first][re, im][lane] = conj(x) y of each site. */
struct dot_task {
  size_t numbers;
  const void *x, *y;
  double (*sum)[2][LATTICE_LANES];
  size_t first;
};

/* Multiplies by gamma_5 = (1, -1) on upper and lower spins. */
struct chiral_task {
  size_t numbers;
  const void *x;
  void *out;
};

/* out = A x: for each site two matrices, on upper and on lower spins (one on all, with one spin).
 * matrix[block][half][row][column][re, im][lane], rows of spin and colour; x and out differ. */
struct site_task {
  size_t halves, rows; /* 2, spins / 2 * colours; or 1, colours */
  const void *matrix, *x;
  void *out;
};

/* For one type. Blocks of hop are the lattice's; those of the others count from the first of their fields. */
struct fermion_kernels {
  lattice_task *hop, *add, *dot, *chiral, *site; /* of a struct of that name */
};

const struct fermion_kernels *fermion_kernels(enum fermion_type type);

/* Copies between types, `count` reals. */
void fermion_narrow(const double *from, size_t count, float *to);
void fermion_widen(const float *from, size_t count, double *to);

/* Copies in and out, all blocks, doubles: values[site][spin][colour][re, im], sites row-major. */
void fermion_set(const struct fermion_shape *shape, const double *values, double *field);
void fermion_get(const struct fermion_shape *shape, const double *field, double *values);

#endif
