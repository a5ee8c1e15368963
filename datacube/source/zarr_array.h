/* What the document of one array of a Zarr hierarchy says. */
#ifndef TWINCUBE_DATACUBE_SOURCE_ZARR_ARRAY_H
#define TWINCUBE_DATACUBE_SOURCE_ZARR_ARRAY_H

#include "datacube/source/zarr_store.h"

struct zarr_node {
  const char *folder, *group, *name; /* as in struct zarr_array */
  int version;
  const struct zarr_json *document;   /* .zarray or zarr.json */
  const struct zarr_json *attributes; /* or NULL */
};

/* Error FileContentInvalid for a document that is wrong. An array with types or codecs that are unknown is none:
 * `why_not` tells. */
int zarr_array_read(struct arena *arena, const struct zarr_node *node, struct zarr_array *out, struct error *error);

#endif
