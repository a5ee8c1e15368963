/* Where gauge chains begin. Links that leave the last slice of an open axis are zero in all of them. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_START_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_START_H

#include "physics/lattice/gauge_field.h"
#include "physics/random/philox.h"

enum gauge_start { GAUGE_COLD, GAUGE_HOT, GAUGE_INSTANTON };

struct gauge_instanton {
  int charge;    /* U(1) in two dimensions: any; SU(N), N > 1, in four: 1 or -1 */
  double radius; /* SU(N): rho, in lattice units, positive */
};

/* Zeroes the links that leave the last slice of the axes that are open. */
void gauge_start_open(struct gauge_field *field, const bool *open);

/* All links that are not zero from the Haar measure. */
void gauge_start_hot(struct gauge_field *field, struct philox_stream stream, unsigned threads);

/* U(1): the plaquettes' constant field of that charge. SU(N): an instanton in singular gauge in the first SU(2),
 * centred between the sites in the middle of the lattice; its links are the exact parallel transporters along straight
 * lines (A. A. Belavin et al., Phys. Lett. B 59 (1975) 85; G. 't Hooft, Phys. Rev. D 14 (1976) 3432). Ignores open
 * axes. */
void gauge_start_instanton(struct gauge_field *field, const struct gauge_instanton *instanton);

#endif
