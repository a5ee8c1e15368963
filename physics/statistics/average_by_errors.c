/* Average by errors. See average_by_errors.h. */
#include "physics/statistics/average_by_errors.h"

#include "physics/statistics/distributions.h"

#include <math.h>

struct weighted_average weighted_average(const double *values, const double *errors, size_t n)
{
  const double nan = (double)NAN;
  struct weighted_average out = {nan, nan, nan, (double)(n - 1), nan, nan};
  double weights = 0, sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++) {
    double weight = errors[i] > 0 ? 1.0 / (errors[i] * errors[i]) : nan;
    weights += weight;
    sum += weight * (values[i] - values[0]);
  }
  out.value = values[0] + sum / weights;
  out.error = 1.0 / sqrt(weights);
  if (isnan(out.value)) {
    out.value = out.error = nan;
    return out;
  }
  for (size_t i = 0; i < n; i++) {
    double off = (values[i] - out.value) / errors[i];
    squares += off * off;
  }
  out.chi_square = squares;
  out.p = n > 1 ? chi_square_tail(squares, out.degrees) : nan;
  out.scale = n > 1 && squares > out.degrees ? sqrt(squares / out.degrees) : 1;
  return out;
}
