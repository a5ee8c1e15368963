/* What a netCDF file holds, as one cube: which variables are its bands, their types, their missing values. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_DESCRIBE_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_DESCRIBE_H

#include "datacube/cube.h"
#include "datacube/source/netcdf_axis.h"
#include "datacube/source/netcdf_source.h"

enum { NETCDF_MAX_MISSING = 2 };

struct netcdf_variable {
  const char *name;
  int id;                 /* in the file; the same for every handle on it */
  int nc_type;            /* as stored */
  enum element_type type; /* as meant: _Unsigned and booleans honoured; the bytes are the same */
  struct band_info info;
  size_t missing_count;
  double missing[NETCDF_MAX_MISSING]; /* stored values that mean no data; the first is the cube's, where it can be */
};

struct netcdf_description {
  struct netcdf_axes axes; /* of each variable, file order */
  struct netcdf_variable *variables;
  size_t variable_count;
  size_t insert; /* index of the variables' dimension in the cube; SIZE_MAX without one */
  const char *crs;
  const char *title;
};

/* Opens, reads, closes. `path` is a file of this machine; anything with a scheme is refused. Takes the lock.
 * Errors: FileContentInvalid, NoDataAvailable, CRSInvalid (override_crs). */
int netcdf_describe(struct arena *arena, const char *path, const char *override_crs, struct netcdf_description *out,
                    struct error *error);

/* Keeps the variables named, in that order. Error BandNotAvailable. */
int netcdf_keep_variables(struct arena *arena, struct netcdf_description *description, const char *const *names,
                          size_t count, struct error *error);

/* The cube of the description: the narrowest type that holds every variable; one no-data value, or, where they differ,
 * float with NaN. */
int netcdf_cube(struct arena *arena, const struct netcdf_description *description, struct cube *out,
                struct error *error);

/* File name without its folder, for messages. */
const char *netcdf_base_name(const char *path);

#endif
