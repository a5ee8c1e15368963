/* The flow's integrator, for a field wherever it lies.
 *
 * With Z_i = step Z(W_i), the three stages in two fields of storage (arXiv:1006.4518, C.2):
 *   K0 = Z_0 / 4                          W1 = exp(K0) W0
 *   K1 = 8/9 Z_1 - 17/9 K0                W2 = exp(K1) W1
 *   K2 = 3/4 Z_2 - K1                     W3 = exp(K2) W2
 * and of second order, with the same Z, V' = exp(-Z_0 + 2 Z_1) W0 = exp(9/4 K1 + 1/4 K0) W0. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_FLOW_STEPS_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_FLOW_STEPS_H

#include "datacube/base/error.h"
#include "physics/lattice/gauge_flow.h"

struct flow_stage {
  double of_z, of_k; /* K = of_z Z(U) + of_k K, then U = exp(K) U */
  double add_k;      /* with a tolerance: second += add_k K */
};

/* What has the field. K is 0 at first. Each 0 or -1; the last two and `keep` with a tolerance alone. */
struct flow_steps {
  void *context;
  int (*keep)(void *context, struct error *error);  /* W0 is the field as it is */
  int (*again)(void *context, struct error *error); /* the field is W0, second is 0 */
  int (*stage)(void *context, const struct flow_stage *stage, struct error *error);
  int (*distance)(void *context, double *out, struct error *error); /* of the field to exp(second) W0 */
  const volatile int *cancel; /* or NULL; looked at before each step and each shorter one */
};

/* As gauge_flow_on, which is told by *done. -1 where a step fails. */
int flow_steps_on(const struct flow_steps *steps, struct gauge_flow *flow, double time, bool *done,
                  struct error *error);

#endif
