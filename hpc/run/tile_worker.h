/* A worker: the mutable side of a phase for one thread. States of stages are started at their first use and stopped
 * with the worker. */
#ifndef TWINCUBE_HPC_RUN_TILE_WORKER_H
#define TWINCUBE_HPC_RUN_TILE_WORKER_H

#include "hpc/plan/plan_internal.h"
#include "hpc/run/spent.h"

struct residents;
struct tile_worker;

/* kept: data of each kept result, NULL while it is not made; borrowed. threads: that a stage may use itself. */
int worker_new(const struct plan *plan, const void *const *kept, unsigned threads, struct tile_worker **out,
               struct error *error);
/* From now on the worker adds to spent[stage], borrowed, what it takes in that stage but not in those that the stage
 * reads. NULL, as at first: it measures nothing. */
void worker_measure(struct tile_worker *worker, struct spent *spent);
/* What workers of a run share, borrowed: where sources keep decoded blocks (NULL: each keeps its own), and what stays
 * of kept results on devices (NULL: nothing). */
void worker_share(struct tile_worker *worker, struct block_cache *blocks, struct residents *residents);
/* What becomes nonzero when the run is no longer wanted; borrowed; NULL, as at first: nothing does. */
void worker_heed(struct tile_worker *worker, const volatile int *cancel);
/* The elements of a region of a stage, dense; borrowed until the next fill. */
int worker_fill(struct tile_worker *worker, size_t stage, const struct region *region, const void **data,
                struct error *error);
/* Stops the states of stages first … last - 1 but the sources', and frees what they held: they start anew at their
 * next use. For a stage that is done with what it pulled. */
void worker_release(struct tile_worker *worker, size_t first, size_t last);
void worker_free(struct tile_worker *worker); /* NULL is allowed */

struct residents *worker_residents(const struct tile_worker *worker);
const void *worker_kept(const struct tile_worker *worker, size_t kept);

#endif
