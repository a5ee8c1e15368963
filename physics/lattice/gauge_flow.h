/* The Wilson flow of a gauge field: dV/dt = Z(V) V, Z = - projection on the algebra of the plaquettes at the link.
 *
 * Third-order Runge-Kutta of Luescher (arXiv:1006.4518, appendix C) in steps of `step`, or, with a tolerance, steps of
 * as much as the difference to the embedded second order allows (Fritzsch and Ramos, arXiv:1301.4388): the distance
 * max |V - V'| / N^2 of a step is at most the tolerance. A step ends at the time asked for.
 * A field in slabs (gauge_slab.h) flows on all ranks at the same time, in steps of the same length.
 * Thread rule: one writer; work inside goes to threads by blocks, the same bits for any number. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_FLOW_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_FLOW_H

#include "physics/lattice/gauge_field.h"

#include <stdbool.h>

struct gauge_flow {
  double step;      /* of the flow time, in units of the lattice spacing squared; with a tolerance the first, and the
                       greatest is FLOW_MAX_STEP */
  double tolerance; /* 0: fixed steps */
};

#define FLOW_MAX_STEP 0.2
#define FLOW_MIN_STEP 1e-8 /* far below what unitary links ask for with any tolerance beyond rounding */

/* Bytes of scratch, aligned to 64. */
size_t gauge_flow_bytes(const struct lattice *lattice, size_t colours, bool adaptive);

/* Flows the field on by `time`, at least 0; false where *cancel (may be NULL) became nonzero on the way, or no step
 * keeps the tolerance: flow->step is below FLOW_MIN_STEP then. flow->step is where the next call begins. */
bool gauge_flow_on(struct gauge_field *field, struct gauge_flow *flow, double time, unsigned threads,
                   const volatile int *cancel, void *scratch);

#endif
