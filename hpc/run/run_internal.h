/* The inside of a run. run.c runs phases, run_kept.c says which kept results must be made and holds them. */
#ifndef TWINCUBE_HPC_RUN_RUN_INTERNAL_H
#define TWINCUBE_HPC_RUN_RUN_INTERNAL_H

#include "hpc/plan/plan_internal.h"
#include "hpc/run/run.h"
#include "hpc/run/spent.h"

struct tile_worker;

struct run {
  const struct plan *plan;
  const struct run_limits *limits;
  struct run_progress *progress;
  void **kept;                   /* per kept result; NULL while it is not made */
  bool *taken;                   /* per kept result: an earlier run had made it */
  bool *wanted;                  /* per phase, for one call */
  struct block_cache *blocks;    /* of all workers' sources; NULL: none keeps any */
  struct residents *residents;   /* of kept results, on devices; NULL: nothing is kept, or there are none */
  struct tile_worker ***workers; /* per phase: NULL, or one per thread, each NULL before its first use */
  struct spent *spent;           /* per thread: stages, then the phases' sinks; NULL: not measured */
  struct spent *walls;           /* per phase: by the clock on the wall; NULL with spent */
};

struct tile_target {     /* where a phase's tiles go */
  struct sink *sink;     /* of an output */
  const struct box *box; /* part of the output that is wanted, or NULL */
  void *kept;            /* of a kept result */
};

/* run.c */
int run_phase(struct run *run, size_t p, const struct tile_target *target, struct error *error);
void run_end_phase(struct run *run, size_t p); /* frees its workers */
void run_tiles_done(struct run *run, size_t count);

/* run_kept.c */
int run_make_kept(struct run *run, size_t output, struct error *error); /* what the output needs and is not there */
int run_take_kept(struct run *run, struct error *error);                /* what an earlier run has left */
void run_free_kept(struct run *run, size_t k);

#endif
