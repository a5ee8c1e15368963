/* Rows of nearest, bilinear and cubic values where a target pixel is about a source pixel: the loops that vectorise.
 * Internal to warp.c. Coordinates are of the whole source grid, in source pixels. */
#ifndef TWINCUBE_DATACUBE_WARP_ROWS_H
#define TWINCUBE_DATACUBE_WARP_ROWS_H

#include "datacube/warp_kernels.h"

struct nearest_window { /* source pixels of any type */
  const unsigned char *pixels;
  size_t start[2], count[2];    /* in the source grid; [0] is y */
  size_t size;                  /* bytes of a pixel: 1, 2, 4, 8 or 16 */
  const unsigned char *missing; /* the pixel of a point outside the window */
};

/* The pixels that hold n points; NaN is outside. */
void nearest_row(const struct nearest_window *window, size_t n, const double *x, const double *y, unsigned char *to);

/* Bilinear or cubic values at n points. NaN where one of the 4 or 16 pixels is missing or outside the window: those are
 * for resampler_value to decide. Returns whether no value is NaN. */
bool interpolate_row(enum resampling method, const struct tap_window *window, size_t n, const double *x,
                     const double *y, double *out);

#endif
