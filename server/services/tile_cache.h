/* Tiles that were made lately, in memory: the least recently used go first. Thread safe. */
#ifndef TWINCUBE_SERVER_SERVICES_TILE_CACHE_H
#define TWINCUBE_SERVER_SERVICES_TILE_CACHE_H

#include "datacube/base/buffer.h"
#include "datacube/base/hash.h"

struct tile_cache;

/* At most `bytes` of tiles, each for `seconds`. NULL when out of memory. */
struct tile_cache *tile_cache_new(size_t bytes, double seconds);
void tile_cache_free(struct tile_cache *cache); /* NULL is allowed */

/* Adds the tile to `out` and tells its tag (the hash of its bytes); false where it is not there. */
bool tile_cache_get(struct tile_cache *cache, struct hash key, struct buffer *out, struct hash *tag);
/* Keeps a copy, if there is room for it. */
void tile_cache_put(struct tile_cache *cache, struct hash key, const void *bytes, size_t length, struct hash tag);

#endif
