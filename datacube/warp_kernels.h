/* Resampling of one value from a window of source pixels. Internal to warp.c. */
#ifndef TWINCUBE_DATACUBE_WARP_KERNELS_H
#define TWINCUBE_DATACUBE_WARP_KERNELS_H

#include "datacube/base/error.h"
#include "datacube/element.h"
#include "datacube/grid.h"

/* Where a target pixel lies in the source, in source pixels: its centre and the source pixels per target pixel for the
 * interpolating methods, its bounding box for the others. x is NaN where it has no image. */
union foot {
  struct {
    double x, y, scale_x, scale_y;
  } kernel; /* scales at least 1 */
  struct {
    double x0, y0, x1, y1;
  } area;
};

struct tap_window { /* source pixels as doubles, NaN where missing */
  const double *values;
  size_t start[2], count[2]; /* in the source grid; [0] is y */
};

struct ranked_value { /* a value to be sorted, and its place in reading order */
  double value;
  size_t order;
};

struct resampler { /* scratch of one worker */
  enum resampling method;
  double *weight_x, *weight_y; /* room for a whole source row, column */
  struct ranked_value *values; /* of one footprint, for the ranking methods */
  size_t value_room;
};

bool method_interpolates(enum resampling method); /* bilinear, cubic, cubic spline, Lanczos */
double method_radius(enum resampling method);     /* of its kernel, in pixels; 0 for the others */
/* Range of source pixels [first, end) of the grid's 0 … size that a footprint touches along x (axis 1) or y (axis 0).
 */
void foot_range(enum resampling method, const union foot *foot, int axis, size_t size, size_t *first, size_t *end);

int resampler_init(struct resampler *r, enum resampling method, const struct grid *from, struct error *error);
void resampler_free(struct resampler *r);
/* The value, or NaN where no valid pixel contributes. */
int resampler_value(struct resampler *r, const struct tap_window *w, const union foot *foot, double *out,
                    struct error *error);

#endif
