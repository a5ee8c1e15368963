/* Attributes of Zarr nodes as attributes of NetCDF-C's. The callers hold the lock. */
#ifndef TWINCUBE_DATACUBE_SOURCE_ZARR_ATTRIBUTES_H
#define TWINCUBE_DATACUBE_SOURCE_ZARR_ATTRIBUTES_H

#include "datacube/base/error.h"
#include "datacube/source/zarr_store.h"

struct zarr_variable {
  int group, id; /* NC_GLOBAL: the group itself */
  int type;
};

/* Texts, numbers, and lists of one of them; all else, and what NetCDF-C keeps for itself, is passed over. */
int zarr_attributes_put_all(struct arena *arena, const struct zarr_json *attributes,
                            const struct zarr_variable *variable, struct error *error);
/* Those of an array, with what its type, its fill value and its CRS, which some writers have elsewhere, stand for. */
int zarr_attributes_put(struct arena *arena, const struct zarr_store *store, const struct zarr_array *array,
                        const struct zarr_variable *variable, struct error *error);

#endif
