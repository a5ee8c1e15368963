/* The chiral condensate: tr M^-1 / V and tr gamma_5 M^-1 / V, estimated by noise on all sites, spins and colours.
 *
 *   tr G M^-1 = < eta^dagger G M^-1 eta >;  mean over `sources` noise fields, and its standard error (NaN of one
 * field). Number n of source i is noise of the site's spin and colour, [site][spin][colour] row-major. */
#ifndef TWINCUBE_PHYSICS_LATTICE_CONDENSATE_H
#define TWINCUBE_PHYSICS_LATTICE_CONDENSATE_H

#include "physics/lattice/propagator.h"

struct condensate_noise {
  size_t kind, sources; /* enum noise_kind */
  uint64_t seed;
};

/* Mean and error of the scalar, mean and error of the pseudoscalar (NaN without spin). */
enum { CONDENSATE_NUMBERS = 4 };

/* Bytes of the work space; 0 where that overflows. */
size_t condensate_bytes(const struct fermion_shape *shape);

/* out[CONDENSATE_NUMBERS], per site. -1 where a solution does not converge (report). */
int condensate_estimate(const struct dirac *dirac, const struct gauge_field *gauge, const struct solver *solver,
                        const struct condensate_noise *noise, void *work, double *out, struct solver_report *report);

#endif
