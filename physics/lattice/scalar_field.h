/* A real scalar field on a periodic lattice of 1 to 4 dimensions: memory, action and force.
 *
 *   S = sum_x [ phi_x (2 d phi_x - sum_nn phi) + M2 phi_x^2 + lambda phi_x^4 ]      sum_nn over the 2 d neighbours
 *     = sum_x [ sum_mu (phi_{x+mu} - phi_x)^2 + M2 phi_x^2 + lambda phi_x^4 ]
 *   F_x = dS/dphi_x = (4 d + 2 M2) phi_x + 4 lambda phi_x^3 - 2 sum_nn phi
 *
 * Normalisation: there is no factor 1/2. The free field (lambda = 0) has
 *   <phi^2> = 1/V sum_p 1 / (2 (khat^2 + M2)),  khat^2 = sum_mu 4 sin^2(pi n_mu / L_mu),
 * half of the textbook propagator of S = 1/2 sum phi (khat^2 + m2) phi at M2 = m2. One site alone (extent 1) has
 * S = M2 phi^2 + lambda phi^4: the kinetic term vanishes.
 *
 * Layout: rows along the last dimension, [front pad | L values | pad to a multiple of 8], 8-aligned. The cells next to
 * both ends of a row are halo: copies of the row's other end, so the inner loops see neighbours i - 1 and i + 1 without
 * a branch. Neighbours in the other dimensions are whole rows, from a table of row numbers.
 *
 * A field may lie on several ranks in slabs of x0 (struct gauge_split, copies of one slice): own slices first, then
 * copies of the one above and the one below, as a torus has it. What makes a field brings them up to date, and sums are
 * those over all slabs; all ranks do the same at the same time.
 *
 * Units: lattice units. Thread rule: one caller at a time a field; work inside goes to `threads` threads by rows.
 * Sums go per row in eight lanes, then over the rows without rounding (exact_sum.h): the bits do not depend on threads,
 * SIMD level or ranks. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SCALAR_FIELD_H
#define TWINCUBE_PHYSICS_LATTICE_SCALAR_FIELD_H

#include "physics/lattice/gauge_slab.h"

enum { SCALAR_FIELD_MAX_DIMENSIONS = 4 };

struct scalar_action {
  size_t dimensions;                          /* 1 … 4 */
  size_t extent[SCALAR_FIELD_MAX_DIMENSIONS]; /* sites, each at least 1; the last one varies fastest */
  double m2;                                  /* M2 above, any sign */
  double lambda;                              /* at least 0; with 0, m2 must be positive */
};

struct scalar_sweep;
typedef void scalar_sweep_rows(const struct scalar_sweep *sweep, size_t first, size_t last);

struct scalar_field {
  struct scalar_action action; /* of the whole lattice */
  unsigned threads;            /* that share the rows; 1 after init, the caller may raise it */
  struct gauge_split split;    /* of a slab; else without ranks */
  size_t sites, rows;          /* of the whole lattice, and here, without copies */
  size_t begin, slice;         /* the first row's number on the whole lattice; rows of one slice of x0 */
  size_t length, stride;       /* values in a row; distance between rows, in doubles */
  double *phi;                 /* row r: phi[r * stride … + length) */
  double *trial, *other;       /* work: the proposal and its predecessor, layout of phi */
  double *momentum;            /* conjugate momenta, layout of phi */
  double *row_sum;             /* rows entries */
  uint32_t *neighbour;         /* [row][2 (d - 1)]: row numbers, forward and backward, dimension by dimension */
  double current_action;       /* S of phi */
  scalar_sweep_rows *step, *energy, *kinetic; /* loops for this machine and dimension */
};

/* Bytes of memory a field needs; 0 where the extents are out of range or the size overflows. split: all 0, or how the
 * lattice is dealt. */
size_t scalar_field_bytes(const struct scalar_action *action, const struct gauge_split *split);

/* The field phi = 0 in `memory` (scalar_field_bytes, aligned to 64, borrowed while the field lives). */
void scalar_field_init(struct scalar_field *field, const struct scalar_action *action, const struct gauge_split *split,
                       void *memory);

/* Pieces that the lattice can be dealt in, pairs of slices of x0; 1 where it cannot. */
size_t scalar_field_pieces(const struct scalar_action *action);

/* Brings the copies of a slab's field in that layout up to date; nothing to do without. */
void scalar_field_exchange(const struct scalar_field *field, double *phi);
/* The sum of numbers of the rows here, over all slabs. */
double scalar_field_sum(const struct scalar_field *field, const double *rows);

/* Copies values, row-major, last dimension fastest, in and out: in all of the lattice, of which a slab takes its own,
 * out those. Set also renews current_action. */
void scalar_field_set(struct scalar_field *field, const double *values);
void scalar_field_get(const struct scalar_field *field, double *values);

/* S, and sum of p^2 / 2, of any array in the field's layout with its halo filled. */
double scalar_field_action(struct scalar_field *field, const double *phi);
double scalar_field_kinetic(struct scalar_field *field, const double *momentum);

/* One fused pass over the lattice: p -= kick * F(from); to = from + drift * p; halo of `to` filled. */
void scalar_field_step(struct scalar_field *field, const double *from, double *to, double kick, double drift);

/* to = from + drift * p alone, halo filled. */
void scalar_field_drift(struct scalar_field *field, const double *from, double *to, double drift);

/* Does all rows, no copies, in equal ranges [first, last), one a thread, and returns when all are done. A row's task
 * must not touch what another's writes. */
typedef void scalar_rows_task(const void *context, size_t first, size_t last);
void scalar_field_rows(const struct scalar_field *field, scalar_rows_task *task, const void *context);

#endif
