/* The grid of a field: two axes, the order in which its points stand, and a CRS where it has one of its own.
 *
 * Regular grids of longitude and latitude, also rotated ones, of Gaussian latitudes, and those of Lambert's conformal
 * and azimuthal equal-area, of the polar stereographic and of Mercator's projection, on the earth that the message
 * tells. Axes run as the points do, so that a message's values are an array as they are. */
#ifndef TWINCUBE_DATACUBE_GRIB_GRIB_GRID_H
#define TWINCUBE_DATACUBE_GRIB_GRIB_GRID_H

#include "datacube/grib/grib_product.h"

enum grib_frame { GRIB_GEOGRAPHIC, GRIB_ROTATED, GRIB_PROJECTED };

struct grib_axis {
  size_t size;
  const double *values; /* degrees, or metres of the projection */
};

struct grib_grid {
  const unsigned char *octets; /* of its section */
  size_t length;
  enum grib_frame frame;
  struct grib_axis y, x;
  bool is_by_column;   /* points of one column follow each other, not those of a row */
  bool alternates;     /* every other row (or column) runs back */
  const char *mapping; /* members of an object, JSON: attributes of a grid mapping of CF; or NULL */
  struct grib_grid *next;
};

struct grib_grids {
  struct arena *arena;
  struct grib_grid *first;
  size_t count;
};

/* The grid of a field, the same for all fields that have it. Errors: FeatureUnsupported (others, reduced ones and
 * spectral coefficients among them), FileContentInvalid. */
int grib_grid_read(struct grib_grids *grids, struct grib_products *products, struct grib_window *window,
                   const struct grib_field *field, const struct grib_grid **out, struct error *error);

#endif
