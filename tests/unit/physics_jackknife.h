/* The jackknife of the mean of a test's values. */
#ifndef TWINCUBE_TESTS_UNIT_PHYSICS_JACKKNIFE_H
#define TWINCUBE_TESTS_UNIT_PHYSICS_JACKKNIFE_H

#include "physics/statistics/jackknife_bins.h"

#include <stdlib.h>

static inline struct estimate jackknife_of(const double *values, size_t n, size_t bin)
{
  const struct samples samples = {values, n, 1};
  double *work = malloc(bins_work(&samples, bin) * sizeof *work);
  assert_non_null(work);
  struct binned bins = bins_of(&samples, bin, work);
  struct estimate out = jackknife_mean(&bins);
  free(work);
  return out;
}

#endif
