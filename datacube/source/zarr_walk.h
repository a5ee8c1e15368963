/* A Zarr hierarchy while its documents are read: what the two ways of finding them share. */
#ifndef TWINCUBE_DATACUBE_SOURCE_ZARR_WALK_H
#define TWINCUBE_DATACUBE_SOURCE_ZARR_WALK_H

#include "datacube/source/zarr_array.h"

enum { ZARR_ARRAYS_MOST = 4096, ZARR_DEEP_MOST = 4, ZARR_DOCUMENT_MOST = 16 << 20 /* bytes */ };

struct zarr_walk {
  struct arena *arena;
  struct zarr_store *store;
  int root;                                 /* descriptor of its folder */
  const struct zarr_references *references; /* or NULL */
  size_t room, entries;
  struct error *error;
};

/* An array was found. Error FileContentInvalid. */
int zarr_walk_add(struct zarr_walk *walk, const struct zarr_node *node);

/* All arrays by the consolidated metadata: zarr_consolidated.c. Errors as of zarr_store_read. */
int zarr_walk_consolidated(struct zarr_walk *walk);

#endif
