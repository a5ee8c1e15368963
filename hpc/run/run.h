/* Running a plan: workers pull the tiles of each phase and hand them to its kept result or to a sink.
 *
 * A run outlives a call: kept results, open readers and workers stay until run_close, so a service tile or a part of a
 * result is a box of an open run. One caller at a time a run. */
#ifndef TWINCUBE_HPC_RUN_RUN_H
#define TWINCUBE_HPC_RUN_RUN_H

#include "datacube/sink.h"
#include "hpc/plan/plan.h"

#include <stdatomic.h>

struct run;

struct run_progress { /* may be read by another thread while the run goes on */
  atomic_size_t tiles_done;
  size_t tiles;                                              /* of all phases that are planned */
  void (*notify)(struct run_progress *progress, void *data); /* after each tile, any worker, serialised; or NULL */
  void *data;
};

struct run_limits {
  const volatile int *cancel; /* becomes nonzero: the run ends with error code RequestTimeout; or NULL */
  const char *beside;         /* a path in whose folder kept results lie that memory does not hold; NULL: TMPDIR */
  const char *checkpoint;     /* a folder, '/' at its end, where kept results are left and found again; or NULL */
  double checkpoint_seconds;  /* … those that took so long, unless writing them takes about as long; 0: all */
  bool measured;              /* at run_open: run_stage_time and run_phase_time tell where the time went */
};

struct stage_time {        /* a stage of a run that is measured */
  const char *kind, *node; /* as EXPLAIN names it; borrowed from the plan */
  double seconds;          /* of all threads together, without the stages that it reads */
  double bytes;            /* of elements that it gave */
};

struct phase_time { /* a phase of a run that is measured */
  const char *kept; /* node whose elements it keeps, borrowed; NULL: it makes an output */
  bool taken;       /* an earlier run had made them: see checkpoint.h */
  double seconds;   /* by the clock on the wall */
  double writing;   /* of all threads together, in an output's sink: encoding, writing */
  size_t tiles;
  unsigned threads;
};

/* The plan is borrowed until run_close, limits and progress until then or run_renew. */
int run_open(const struct plan *plan, const struct run_limits *limits, struct run_progress *progress, struct run **out,
             struct error *error);
/* Fills the tiles of an output that meet the box (NULL: all of it) and puts their part inside the box into the sink, in
 * the box's own coordinates, not finished: the caller calls sink finish. Phases that it needs run first, once. */
int run_box(struct run *run, size_t output, const struct box *box, struct sink *sink, struct error *error);
/* For another call: its limits and progress, which are told of the phases that are made already. NULL while nobody
 * calls. */
void run_renew(struct run *run, const struct run_limits *limits, struct run_progress *progress);
/* The elements of the plan's given cube (plan_make_given), borrowed; results kept from others are forgotten. */
void run_give(struct run *run, const void *data);
/* What stage or phase `index` of the plan has taken since run_open; false where there is none, or the run
 * is not measured. */
bool run_stage_time(const struct run *run, size_t index, struct stage_time *out);
bool run_phase_time(const struct run *run, size_t index, struct phase_time *out);
void run_close(struct run *run); /* NULL is allowed */

/* Opens, fills output 0 and closes. */
int plan_run(const struct plan *plan, struct sink *sink, const struct run_limits *limits, struct run_progress *progress,
             struct error *error);
/* The same for all outputs: a sink each. */
int plan_run_outputs(const struct plan *plan, struct sink *const *sinks, const struct run_limits *limits,
                     struct run_progress *progress, struct error *error);

#endif
