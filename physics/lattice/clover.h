/* The clover term: a Hermitian matrix of spin and colour on every site. See dirac.h for its definition.
 *
 * In the chiral basis it does not mix upper and lower spins: two matrices of spins / 2 * colours rows a site, stored
 * whole, as struct site_task wants them: [block][half][row][column][re, im][lane]. */
#ifndef TWINCUBE_PHYSICS_LATTICE_CLOVER_H
#define TWINCUBE_PHYSICS_LATTICE_CLOVER_H

#include "physics/lattice/dirac.h"

/* Bytes of all sites' matrices; 0 where that overflows. */
size_t clover_bytes(const struct lattice *lattice, size_t colours);

/* site(x) = 1 + strength sum_(mu < nu) gamma_mu gamma_nu F_(mu nu)(x); dirac has its shape, threads and links. */
void clover_fill(const struct dirac *dirac, double strength, double *site);

/* inverse(x) = site(x)^-1. -1 where a matrix has none. */
int clover_invert(const struct dirac *dirac, const double *site, double *inverse);

#endif
