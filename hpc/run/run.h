/* Running a plan: workers pull the output tiles and hand them to the sink. */
#ifndef TWINCUBE_HPC_RUN_RUN_H
#define TWINCUBE_HPC_RUN_RUN_H

#include "datacube/sink.h"
#include "hpc/plan/plan.h"

#include <stdatomic.h>

struct run_progress {             /* may be read by another thread while the run goes on */
  atomic_size_t tiles_done;
  size_t tiles;
  void (*notify)(struct run_progress *progress, void *data); /* after each tile, any worker, serialised; or NULL */
  void *data;
};

struct run_limits {
  const volatile int *cancel;     /* becomes nonzero: the run ends with error code RequestTimeout; or NULL */
};

/* Fills every tile and puts it into the sink (not finished: the caller calls sink finish). */
int plan_run(const struct plan *plan, struct sink *sink, const struct run_limits *limits, struct run_progress *progress,
             struct error *error);

#endif
