/* The links of a hopping term, made of a gauge field: see fermion_field.h for what they are. */
#ifndef TWINCUBE_PHYSICS_LATTICE_HOPPING_H
#define TWINCUBE_PHYSICS_LATTICE_HOPPING_H

#include "physics/lattice/gauge_field.h"

/* How quarks go around an axis: what multiplies the links that lead from its last slice to its first. */
enum fermion_boundary { BOUNDARY_PERIODIC, BOUNDARY_ANTIPERIODIC, BOUNDARY_OPEN };

struct hopping_rule {
  enum fermion_boundary boundary[LATTICE_MAX_DIMENSIONS];
  bool staggered; /* eta_mu(x) / 2 forward and -eta_mu(x) / 2 backward, eta_mu = (-1)^(x_0 + … + x_(mu-1)) */
};

/* Bytes of the links in doubles; half of it in floats. 0 where that overflows. */
size_t hopping_bytes(const struct gauge_field *gauge);

/* Fills `links` (hopping_bytes). */
void hopping_fill(const struct gauge_field *gauge, const struct hopping_rule *rule, unsigned threads, double *links);

#endif
