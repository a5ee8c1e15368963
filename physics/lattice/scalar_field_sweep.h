/* The inner loops of the scalar field over a range of rows, for one dimension and SIMD level each. */
#ifndef TWINCUBE_PHYSICS_LATTICE_SCALAR_FIELD_SWEEP_H
#define TWINCUBE_PHYSICS_LATTICE_SCALAR_FIELD_SWEEP_H

#include "physics/lattice/scalar_field.h"

struct scalar_sweep {
  const struct scalar_field *field;
  const double *from; /* step and energy: the field, halo filled; kinetic: the momenta */
  double *to;         /* step: the new field */
  double kick, drift; /* step */
};

/* step: p -= kick * F(from), to = from + drift * p; energy, kinetic: row_sum of S and of p^2 / 2. */
void scalar_field_sweeps(struct scalar_field *field);

#endif
