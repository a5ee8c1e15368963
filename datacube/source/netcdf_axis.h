/* Dimensions of a netCDF file as dimensions of a cube. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_AXIS_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_AXIS_H

#include "datacube/base/error.h"
#include "datacube/box.h"
#include "datacube/dimension.h"
#include "datacube/source/netcdf_crs.h"

/* The dimensions of one variable, in the file's order. */
struct netcdf_axes {
  size_t count;
  int id[CUBE_MAX_DIMENSIONS]; /* the file's dimension ids */
  struct dimension dimension[CUBE_MAX_DIMENSIONS];
  double metres;   /* size of the unit of x and y: 1000 for kilometres, else 1 */
  bool geographic; /* x is longitude, y is latitude by name or unit */
  bool located;    /* x and y have labels of their own */
};

/* Finds x, y, z and t by the axis attribute, standard name, units or name of the coordinate variables and reads their
 * labels. `transform` (or NULL) gives x and y labels or a step where the file has none. Caller holds the lock.
 * Errors: FileContentInvalid (time that cannot be decoded), NoDataAvailable (a dimension of length 0). */
int netcdf_axes_read(struct arena *arena, int group, size_t count, const int *dimension_ids,
                     const struct netcdf_transform *transform, struct netcdf_axes *out, struct error *error);

/* Turns x and y from kilometres into metres, where they are in kilometres. */
int netcdf_axes_to_metres(struct arena *arena, struct netcdf_axes *axes, struct error *error);

/* 'x', 'y', 'z', 't', or 0, for one dimension. Caller holds the lock. */
char netcdf_axis_role(struct arena *arena, int group, int dimension_id);

/* Texts of a label variable: NC_STRING over one dimension, or NC_CHAR over two. NULL where it is neither. */
const char *const *netcdf_texts(struct arena *arena, int file, int variable, int dimension_id, size_t size);

#endif
