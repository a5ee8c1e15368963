/* Gauge fixing: the transformation that makes the sum of Re Tr U(x, mu) over the axes concerned greatest: all axes for
 * the Landau gauge, all but axis 0 for the Coulomb gauge.
 *
 * Sites are turned one colour of the checkerboard after the other, by the SU(2) subgroups in their order, each to its
 * own maximum and beyond (over-relaxation: the rotation's angle times `overrelaxation`, from 1 to below 2).
 * The residual is the mean over the sites of Tr D D^dagger / N, D the anti-Hermitian traceless part (times 2) of
 * the sum over the axes of U(x - mu, mu) - U(x, mu): the divergence of the gauge potential.
 * Thread rule: one writer; work inside goes to threads by blocks, the same bits for any number. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_FIXING_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_FIXING_H

#include "physics/lattice/gauge_field.h"

enum gauge_condition { GAUGE_LANDAU, GAUGE_COULOMB };

struct gauge_fixing {
  enum gauge_condition condition;
  double overrelaxation;
  double tolerance; /* of the residual */
  size_t sweeps;    /* the most */
};

/* Bytes of scratch, aligned to 64, of both functions. */
size_t gauge_fixing_bytes(const struct lattice *lattice);

double gauge_residual(const struct gauge_field *field, enum gauge_condition condition, unsigned threads, void *scratch);

/* Fixes the field, on a lattice with parity; returns the residual that is left, after the last sweep or once *cancel
 * (may be NULL) is nonzero. */
double gauge_fix(struct gauge_field *field, const struct gauge_fixing *fixing, unsigned threads,
                 const volatile int *cancel, void *scratch);

#endif
