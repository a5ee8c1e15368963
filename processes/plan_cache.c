/* A short list, newest first. */
#include "processes/plan_cache.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 8 };
static const size_t most_memory = (size_t)192 << 20; /* of a plan that is remembered, with what is always reserved */

struct plan_cache {
  size_t count;
  struct remembered_run {
    struct hash key;
    struct cached_run run;
  } entries[ENTRIES];
};

struct plan_cache *plan_cache_new(void)
{
  return calloc(1, sizeof(struct plan_cache));
}

void cached_run_free(struct cached_run *run)
{
  run_close(run->run);
  arena_free(run->arena);
  *run = (struct cached_run){0};
}

void plan_cache_free(struct plan_cache *cache)
{
  for (size_t i = 0; cache && i < cache->count; i++)
    cached_run_free(&cache->entries[i].run);
  free(cache);
}

struct hash plan_key(const struct plan_output *outputs, size_t count, const struct plan_options *options)
{
  struct hash key = {0, 0};
  hash_word(&key, options->memory);
  hash_word(&key, options->threads);
  for (size_t i = 0; i < count; i++) {
    hash_add(&key, outputs[i].node->hash);
    hash_bytes(&key, outputs[i].prefer, sizeof outputs[i].prefer);
  }
  return key;
}

static void remove_entry(struct plan_cache *cache, size_t i)
{
  cache->count--;
  memmove(&cache->entries[i], &cache->entries[i + 1], (cache->count - i) * sizeof cache->entries[0]);
}

bool plan_cache_take(struct plan_cache *cache, struct hash key, struct cached_run *out)
{
  for (size_t i = 0; cache && i < cache->count; i++)
    if (hash_equal(cache->entries[i].key, key)) {
      *out = cache->entries[i].run;
      remove_entry(cache, i);
      return true;
    }
  return false;
}

void plan_cache_put(struct plan_cache *cache, struct hash key, const struct cached_run *run)
{
  struct cached_run held = *run;
  if (!cache || plan_peak_memory(held.plan) > most_memory) {
    cached_run_free(&held);
    return;
  }
  if (cache->count == ENTRIES)
    cached_run_free(&cache->entries[--cache->count].run);
  memmove(&cache->entries[1], &cache->entries[0], cache->count * sizeof cache->entries[0]);
  cache->entries[0] = (struct remembered_run){key, held};
  cache->count++;
}
