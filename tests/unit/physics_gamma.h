/* The Gamma method for one chain of a test. */
#ifndef TWINCUBE_TESTS_UNIT_PHYSICS_GAMMA_H
#define TWINCUBE_TESTS_UNIT_PHYSICS_GAMMA_H

#include "physics/statistics/gamma_estimate.h"

#include <stdlib.h>

static inline struct gamma_estimate gamma_of(const double *values, size_t n)
{
  const struct chains chains = {values, &n, 1, NULL};
  double *work = malloc(gamma_method_work(&chains) * sizeof *work);
  assert_non_null(work);
  struct gamma_estimate out = gamma_method(&chains, 1.5, work);
  free(work);
  return out;
}

#endif
