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

/* ---- zarr_consolidated.c ---- */

/* All arrays by the consolidated metadata. Errors as of zarr_store_read. */
int zarr_walk_consolidated(struct zarr_walk *walk);

struct zarr_place;
enum zarr_found { ZARR_ABSENT = 0, ZARR_FOUND = 1, ZARR_FAILED = -1 };

/* A document below the place, which must be an object of JSON. FAILED with an error. */
enum zarr_found zarr_walk_document(const struct zarr_walk *walk, const struct zarr_place *place, const char *name,
                                   const struct zarr_json **out);
/* The array whose folder is the first `length` bytes of a key, which must be a path as it stands. The node has version,
 * document and attributes. */
int zarr_walk_add_folder(struct zarr_walk *walk, const char *key, size_t length, struct zarr_node *node);

/* ---- zarr_named.c ---- */

/* The arrays that are named behind the place's address, and those that these name: coordinates, grid mappings. Errors:
 * FeatureUnsupported (none is named), FileNotFound (one that is named). */
int zarr_walk_named(struct zarr_walk *walk, const struct zarr_place *place, int version);

#endif
