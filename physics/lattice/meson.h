/* Correlators of mesons psibar_1 G psi_2 with quarks of one mass, from one propagator S (propagator.h):
 *
 *   C_G(p, t) = - 1/w sum_x exp(-i p (x - x_s)) tr [ G S(x) Gbar gamma_5 S(x)^dagger gamma_5 ],
 *   Gbar = gamma_0 G^dagger gamma_0, x on the slice t behind the source's, real part; w: 1, for a stochastic source the
 *   sites of a slice
 * so that a state's contribution is positive forward in time, and C of the pion (gamma_5) is the sum of |S|^2. Where
 * quarks are antiperiodic, two of them are periodic. Without spin: the sum of |S|^2, the staggered pion.
 * Source: C. Gattringer and C. B. Lang, "Quantum Chromodynamics on the Lattice" (2010), section 6.1. */
#ifndef TWINCUBE_PHYSICS_LATTICE_MESON_H
#define TWINCUBE_PHYSICS_LATTICE_MESON_H

#include "physics/lattice/dirac.h"

/* Names and sets (gamma_product) of the structures: of 1, 4 or 16 by the number of spins. */
size_t meson_structures(size_t spins);
const char *const *meson_names(size_t spins);

struct meson_request {
  size_t source[LATTICE_MAX_DIMENSIONS];         /* x_s */
  size_t momenta;                                /* number of them */
  const int (*momentum)[LATTICE_MAX_DIMENSIONS]; /* p_k = 2 pi n_k / extent_k, n_0 not read */
  double weight;                                 /* 1 / w */
};

/* out[structure][momentum][t]; columns as in propagator_room, of the operator. Where fields lie in slabs all ranks add
 * up at the same time, and rank 0 has the correlators. */
void meson_correlators(const struct dirac *dirac, const double *columns, const struct meson_request *request,
                       double *out);

#endif
