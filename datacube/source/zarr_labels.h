/* Values of a Zarr hierarchy's coordinates, put into the dataset that stands for it (zarr_netcdf.h). */
#ifndef TWINCUBE_DATACUBE_SOURCE_ZARR_LABELS_H
#define TWINCUBE_DATACUBE_SOURCE_ZARR_LABELS_H

#include "datacube/base/error.h"
#include "datacube/source/zarr_store.h"

/* Of arrays of one dimension and its name, of texts, and of bounds of one cell. Errors: FileContentInvalid. The caller
 * holds the lock. */
int zarr_labels_put(struct arena *arena, const struct zarr_store *store, int file, struct error *error);

#endif
