/* Turns: a CRS repeats itself where equal steps of longitude are equal steps of x, at every latitude. */
#include "datacube/turn.h"

#include "datacube/grid.h"

#include <math.h>

double crs_turn(const char *crs)
{
  /* two steps of a degree a quarter of the globe apart, on two latitudes: at most one of them is torn */
  double x[] = {10, 11, 100, 101, 10, 11}, y[] = {0, 0, 0, 0, 50, 50};
  struct error ignored = {0};
  if (!crs || points_transform("EPSG:4326", crs, 6, x, y, &ignored) != 0)
    return 0;
  for (int i = 0; i < 6; i++)
    if (!isfinite(x[i]) || !isfinite(y[i]))
      return 0;
  double step = x[1] - x[0], slack = 1e-9 * fabs(step);
  bool repeats = step > 0 && fabs(x[3] - x[2] - step) <= slack && fabs(x[5] - x[4] - step) <= slack &&
                 fabs(y[1] - y[0]) <= slack && fabs(y[3] - y[0]) <= slack && fabs(y[5] - y[4]) <= slack;
  return repeats ? rint(360e6 * step) / 1e6 : 0;
}
