/* netCDF files with dimensions as cubes, by CF: time, calendars, grid mapping. Packing (scale_factor, add_offset) is
 * storage: the cube has the numbers that are meant, as float32 where it tells them apart, else float64.
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

/* Description of the file: its cube (variables as bands). Opens and closes the file. The variables are those of the
 * commonest dimension list (lists with x and y come first), of any group; `path` may be file:variable, for those over
 * the dimensions of that variable. Bounds, grid mappings and auxiliary coordinates are left out; *left_out names the
 * data variables that are, "a, b (y, x)", or is NULL; left_out may be NULL. Files with a "bands" dimension of their own
 * keep it. x and y are called x and y whatever the file says (lon, longitude, …), the time dimension t; other names
 * stay. */
int netcdf_inspect(struct arena *arena, const char *path, const char *override_crs, const struct cube **out,
                   const char **left_out, struct error *error);

/* nodata overrides the file's _FillValue where has_nodata. crs overrides the file's. Errors: NoDataAvailable,
 * BandNotAvailable, TemporalExtentEmpty, CRSInvalid, FileContentInvalid (missing, truncated, corrupt; names the file),
 * FeatureUnsupported (a filter that is not there).
 * An extent over Greenwich or the date line finds its pixels whether the file counts from 0 to 360 or from -180. */
struct netcdf_file {
  const char *path; /* or file:variable */
  const char *crs;  /* or NULL */
  bool has_nodata;
  double nodata;
  const char *title, *origin;
};
int netcdf_source(struct arena *arena, const struct netcdf_file *file, const struct netcdf_selection *selection,
                  const struct source **out, struct error *error);

#endif
