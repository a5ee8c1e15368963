/* A Zarr hierarchy as NetCDF-C knows files, so that one reader of the CF conventions serves both.
 *
 * The dataset lies in memory: dimensions, variables, attributes, and the values of coordinates. It has no data: these
 * are read chunk by chunk from the store (zarr_chunk.h). */
#ifndef TWINCUBE_DATACUBE_SOURCE_ZARR_NETCDF_H
#define TWINCUBE_DATACUBE_SOURCE_ZARR_NETCDF_H

#include "datacube/source/zarr_store.h"

/* Makes the dataset, which the caller closes; the caller holds the lock (netcdf_lock.h). *left_out: the first array
 * that cannot be read, and why, or NULL. Errors: FileContentInvalid; FeatureUnsupported (a coordinate that cannot be
 * read). */
int zarr_netcdf(struct arena *arena, const struct zarr_store *store, int *file, const char **left_out,
                struct error *error);

#endif
