/* Open runs of plans that were run, by the hash of what they compute: a worker that is asked the same again skips
 * planning and what phases have made, and finds its readers open.
 *
 * A few plans of little memory are remembered, the least recently used goes first. One owner, not thread safe. A
 * source's identity is part of the hash, so a file that has changed makes another key. */
#ifndef TWINCUBE_PROCESSES_PLAN_CACHE_H
#define TWINCUBE_PROCESSES_PLAN_CACHE_H

#include "hpc/run/run.h"

struct plan_cache;

struct cached_run {
  struct arena *arena; /* of the plan and of all it refers to */
  const struct plan *plan;
  struct run *run;
};

struct plan_cache *plan_cache_new(void);        /* NULL when out of memory */
void plan_cache_free(struct plan_cache *cache); /* NULL is allowed */

/* What makes two plans the same: outputs, tile shapes asked for, options. */
struct hash plan_key(const struct plan_output *outputs, size_t count, const struct plan_options *options);

/* Takes the run out of the cache: the caller's, until put back or freed. False where there is none. */
bool plan_cache_take(struct plan_cache *cache, struct hash key, struct cached_run *out);
/* Takes over arena and run, or frees them where the plan holds too much memory. */
void plan_cache_put(struct plan_cache *cache, struct hash key, const struct cached_run *run);

void cached_run_free(struct cached_run *run);

#endif
