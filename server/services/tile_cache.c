/* A table of lists by key, and a ring by use. */
#include "server/services/tile_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LISTS = 4096, OVERHEAD = 128 };

struct kept_tile {
  struct kept_tile *next;          /* in its list */
  struct kept_tile *newer, *older; /* in the ring, whose head is the cache's own */
  struct hash key, tag;
  double made; /* seconds */
  size_t length;
  char bytes[];
};

struct tile_cache {
  pthread_mutex_t lock;
  struct kept_tile *lists[LISTS];
  struct kept_tile *ring; /* a head without a tile: older is the newest tile, newer the oldest */
  size_t bytes, most_bytes;
  double seconds;
};

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

struct tile_cache *tile_cache_new(size_t bytes, double seconds)
{
  struct tile_cache *cache = calloc(1, sizeof *cache);
  struct kept_tile *ring = calloc(1, sizeof *ring);
  if (cache == NULL || ring == NULL) {
    free(cache);
    free(ring);
    return NULL;
  }
  pthread_mutex_init(&cache->lock, NULL);
  ring->newer = ring->older = ring;
  cache->ring = ring;
  cache->most_bytes = bytes;
  cache->seconds = seconds;
  return cache;
}

static struct kept_tile **place_of(struct tile_cache *cache, struct hash key)
{
  struct kept_tile **place = &cache->lists[key.a % LISTS];
  while (*place != NULL && !hash_equal((*place)->key, key))
    place = &(*place)->next;
  return place;
}

static void leave_ring(struct kept_tile *tile)
{
  tile->newer->older = tile->older;
  tile->older->newer = tile->newer;
}

static void join_ring(struct tile_cache *cache, struct kept_tile *tile)
{
  tile->newer = cache->ring;
  tile->older = cache->ring->older;
  tile->older->newer = tile;
  cache->ring->older = tile;
}

static void drop(struct tile_cache *cache, struct kept_tile **place)
{
  struct kept_tile *tile = *place;
  *place = tile->next;
  leave_ring(tile);
  cache->bytes -= tile->length + OVERHEAD;
  free(tile);
}

void tile_cache_free(struct tile_cache *cache)
{
  if (cache == NULL)
    return;
  for (size_t i = 0; i < LISTS; i++)
    while (cache->lists[i] != NULL)
      drop(cache, &cache->lists[i]);
  free(cache->ring);
  pthread_mutex_destroy(&cache->lock);
  free(cache);
}

bool tile_cache_get(struct tile_cache *cache, struct hash key, struct buffer *out, struct hash *tag)
{
  pthread_mutex_lock(&cache->lock);
  struct kept_tile **place = place_of(cache, key), *tile = *place;
  if (tile != NULL && now() - tile->made > cache->seconds) {
    drop(cache, place);
    tile = NULL;
  }
  if (tile != NULL) {
    leave_ring(tile);
    join_ring(cache, tile);
    buffer_add(out, tile->bytes, tile->length);
    *tag = tile->tag;
  }
  pthread_mutex_unlock(&cache->lock);
  return tile != NULL;
}

void tile_cache_put(struct tile_cache *cache, struct hash key, const void *bytes, size_t length, struct hash tag)
{
  struct kept_tile *tile = length <= cache->most_bytes / 16 ? malloc(sizeof *tile + length) : NULL;
  if (tile == NULL)
    return;
  *tile = (struct kept_tile){.key = key, .tag = tag, .made = now(), .length = length};
  memcpy(tile->bytes, bytes, length);
  pthread_mutex_lock(&cache->lock);
  struct kept_tile **place = place_of(cache, key);
  if (*place != NULL)
    drop(cache, place);
  while (cache->bytes + length + OVERHEAD > cache->most_bytes && cache->ring->newer != cache->ring)
    drop(cache, place_of(cache, cache->ring->newer->key));
  place = place_of(cache, key);
  *place = tile;
  join_ring(cache, tile);
  cache->bytes += length + OVERHEAD;
  pthread_mutex_unlock(&cache->lock);
}
