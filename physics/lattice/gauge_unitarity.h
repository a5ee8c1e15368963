/* Whether numbers that came from outside are a gauge field.
 *
 * Steps of the flow, of solvers and of gauge fixing are bounded by links that are unitary: with others sums grow beyond
 * all numbers, or mean nothing. Thread rule: the field is only read; work inside goes to threads by blocks. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_UNITARITY_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_UNITARITY_H

#include "physics/lattice/gauge_field.h"

#include <stdbool.h>

struct gauge_fault {
  size_t site, mu; /* row-major number of the site, x0 slowest */
  double off;      /* greatest entry of |U U^dagger - 1|; NaN where a number is not finite */
  bool turned;     /* it is unitary, but its determinant is not 1: off is |det U - 1| */
};

/* Whether all links are of the group (up to GAUGE_UNITARITY): U(1), or SU(N) of two colours or more; or zero where they
 * leave the last slice of their axis, as on open axes. Else *fault is the first that is not, by blocks: the same for
 * any number of threads. */
bool gauge_links_of_group(const struct gauge_field *field, unsigned threads, struct gauge_fault *fault);

/* Whether no entry of the field is a number: of each a part is NaN. */
bool gauge_links_missing(const struct gauge_field *field);

#endif
