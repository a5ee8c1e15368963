/* A worker: the mutable side of a plan for one thread. Start allocates, fill does not (buffers grow only where a
 * projection needs more than planned), stop frees. */
#ifndef TWINCUBE_HPC_RUN_WORKER_H
#define TWINCUBE_HPC_RUN_WORKER_H

#include "hpc/plan/plan_internal.h"

struct worker;

int worker_start(const struct plan *plan, struct worker **out, struct error *error);
/* The elements of output tile `tile` (region from plan_tile), dense; borrowed until the next fill. */
int worker_fill(struct worker *worker, const struct region *tile, const void **data, struct error *error);
void worker_stop(struct worker *worker);

#endif
