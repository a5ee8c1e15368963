/* Which members of a document are wanted: the fields extension.
 *
 * Paths have dots between names: "properties.eo:cloud_cover". What is included comes with what a document cannot be
 * told apart without; of a path that is both included and excluded the longer one counts, and of equals the included
 * one. */
#ifndef TWINCUBE_SERVER_STAC_API_STAC_FIELDS_H
#define TWINCUBE_SERVER_STAC_API_STAC_FIELDS_H

#include "datacube/base/error.h"

#include <jansson.h>

struct stac_fields {
  const json_t *include, *exclude; /* arrays of texts, or NULL; borrowed of the query */
  bool wants_standard;             /* where nothing is included: what an item cannot do without, not all of it */
};

/* Reads the query's `fields`. 1: some are given; 0: everything is wanted; -1: error QueryParameterInvalid. */
int stac_fields_read(const json_t *query, struct stac_fields *out, struct error *error);
/* What is wanted of a document: a new tree, NULL where memory is short. */
json_t *stac_fields_pick(const struct stac_fields *fields, const json_t *document);

/* The value at a path, "properties.a.b"; names may have dots themselves. Borrowed, or NULL. */
const json_t *stac_path_get(const json_t *document, const char *path);

#endif
