/* Tiles that were made once, in files: they outlive the server. Thread safe.
 *
 * A file is named by the hash of all that the request says, and tells of which data the tile is: whether these are
 * still the same is for a worker to say (map_hash). Files appear by rename; one that is damaged is as good as none. */
#ifndef TWINCUBE_SERVER_SERVICES_TILE_FOLDER_H
#define TWINCUBE_SERVER_SERVICES_TILE_FOLDER_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"
#include "datacube/base/hash.h"

#include <stdint.h>

struct tile_folder;

/* The folder PATH, made where it is missing, with at most about `bytes` of tiles. */
int tile_folder_open(const char *path, uint64_t bytes, struct tile_folder **out, struct error *error);
void tile_folder_close(struct tile_folder *folder); /* NULL is allowed, here and below: it holds nothing */

/* Adds the tile to `out` and tells which data it is of; false where it is not there. Counts as use. */
bool tile_folder_get(struct tile_folder *folder, struct hash key, struct buffer *out, struct hash *revision);
/* Keeps the tile; the ones that were not used for the longest time make room. What cannot be written is not kept. */
void tile_folder_put(struct tile_folder *folder, struct hash key, struct hash revision, const void *bytes,
                     size_t length);

#endif
