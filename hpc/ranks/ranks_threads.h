/* Ranks that are threads of one process, each with memory of its own: what runs on several tasks runs on these, without
 * MPI. A message waits in its receiver's letter box until it is asked for. */
#ifndef TWINCUBE_HPC_RANKS_RANKS_THREADS_H
#define TWINCUBE_HPC_RANKS_RANKS_THREADS_H

#include "hpc/ranks/ranks.h"

/* Fills all[0 … count - 1], one for each thread. `cancel` as in struct ranks. Error Internal. */
int ranks_threads_open(size_t count, const volatile int *cancel, struct ranks *all, struct error *error);
/* Behind the threads' end. */
void ranks_threads_close(struct ranks *all);

#endif
