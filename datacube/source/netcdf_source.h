/* netCDF files with dimensions as cubes, by CF: time, calendars, grid mapping, scale and offset kept as metadata.
 *
 * Complex variables are compounds of two equal floats, real part first; they make a cube of their own, apart from real
 * variables of the same dimensions, whichever are more.
 *
 * The file's variables that share one dimension list become the bands of one cube (dimensions of the file plus
 * "bands" in front of y and x). Raw HDF5 chunks are read under a lock and inflated in the workers. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_SOURCE_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_SOURCE_H

#include "datacube/source.h"

struct netcdf_selection {
  const struct extent *extent; /* pixels whose centres lie in it; NULL: all */
  bool has_start, has_end;     /* half-open */
  int64_t start, end;
  const char *const *bands; /* variables, in order; NULL: all */
  size_t band_count;
};

/* Description of the whole file: its cube (all variables as bands). Opens and closes the file. Variables that do not
 * share the commonest dimension list (lists with x and y come first), and bounds, grid mappings and auxiliary
 * coordinates, are left out. Files with a
 * "bands" dimension of their own keep it. x and y are called x and y whatever the file says (lon, longitude, …), the
 * time dimension t; other names stay. */
int netcdf_inspect(struct arena *arena, const char *path, const char *override_crs, const struct cube **out,
                   struct error *error);

/* nodata overrides the file's _FillValue where has_nodata. crs overrides the file's. Errors: NoDataAvailable,
 * BandNotAvailable, TemporalExtentEmpty, CRSInvalid, FileContentInvalid (missing, truncated, corrupt; names the file).
 * An extent over Greenwich or the date line finds its pixels whether the file counts from 0 to 360 or from -180. */
struct netcdf_file {
  const char *path;
  const char *crs; /* or NULL */
  bool has_nodata;
  double nodata;
  const char *title, *origin;
};
int netcdf_source(struct arena *arena, const struct netcdf_file *file, const struct netcdf_selection *selection,
                  const struct source **out, struct error *error);

#endif
