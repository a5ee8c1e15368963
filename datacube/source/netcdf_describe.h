/* What a netCDF file holds, as one cube: which variables are its bands, their types, their missing values. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_DESCRIBE_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_DESCRIBE_H

#include "datacube/cube.h"
#include "datacube/source/netcdf_axis.h"
#include "datacube/source/netcdf_missing.h"
#include "datacube/source/netcdf_source.h"
#include "datacube/source/zarr_store.h"

struct netcdf_variable {
  const char *name;                 /* of its band */
  const char *group, *name_in_file; /* "/" for the root */
  int id;                           /* in the group; the same for every handle on the file */
  int nc_type;                      /* as stored */
  enum element_type type;           /* of the stored bytes: _Unsigned and booleans honoured */
  enum element_type unpacked;       /* of the numbers that are meant */
  struct netcdf_packing packing;
  struct netcdf_missing missing;
  const struct zarr_array *zarr; /* where its chunks lie; NULL: in a file of netCDF */
  const char *zarr_document;     /* the path of the file that says so */
  struct band_info info;         /* without scale and offset: packing is storage, undone as values are read */
};

struct netcdf_description {
  const char *path;        /* of the file alone, or of a folder of Zarr */
  const char *left_out;    /* "a, b (y, x); …": variables over other dimensions, or NULL */
  struct netcdf_axes axes; /* of each variable, file order */
  struct netcdf_variable *variables;
  size_t variable_count;
  size_t insert; /* index of the variables' dimension in the cube; SIZE_MAX without one */
  const char *crs;
  const char *title;
};

/* Opens, reads, closes. `path` is a file of this machine, or file:variable for the variables over the dimensions of
 * that one; anything with a scheme is refused, and files that would have other files read in their place. Takes the
 * lock. Errors: FileContentInvalid, NoDataAvailable, CRSInvalid (override_crs), FeatureUnsupported (filters). */
int netcdf_describe(struct arena *arena, const char *path, const char *override_crs, struct netcdf_description *out,
                    struct error *error);

/* Keeps the variables named, in that order. Error BandNotAvailable. */
int netcdf_keep_variables(struct arena *arena, struct netcdf_description *description, const char *const *names,
                          size_t count, struct error *error);

/* The cube of the description: the narrowest type that holds every variable; one no-data value that is data in none,
 * or, where there is no such, float with NaN. */
int netcdf_cube(struct arena *arena, const struct netcdf_description *description, struct cube *out,
                struct error *error);

/* File name without its folder, for messages. */
const char *netcdf_base_name(const char *path);

#endif
