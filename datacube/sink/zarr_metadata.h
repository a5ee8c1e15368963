/* The documents of a Zarr hierarchy, version 2 or 3, and its coordinates: all but the values. */
#ifndef TWINCUBE_DATACUBE_SINK_ZARR_METADATA_H
#define TWINCUBE_DATACUBE_SINK_ZARR_METADATA_H

#include "datacube/base/buffer.h"
#include "datacube/sink/archive.h"
#include "datacube/sink/netcdf_plan.h"

/* Arrays are the plan's variables. Errors: StorageFailure, Internal (memory). */
int zarr_write_metadata(struct archive *archive, const struct netcdf_plan *plan, int version, const char *history,
                        struct error *error);

/* Name of the chunk of a variable that begins at `start`. */
void zarr_chunk_name(const struct netcdf_plan *plan, int version, size_t variable, const size_t *start,
                     struct buffer *out);

#endif
