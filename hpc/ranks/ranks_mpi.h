/* Ranks by MPI, whose library is opened while the program runs: nothing of it is needed to build, and a program that no
 * launcher has started in several tasks does not look for it. */
#ifndef TWINCUBE_HPC_RANKS_RANKS_MPI_H
#define TWINCUBE_HPC_RANKS_RANKS_MPI_H

#include "hpc/ranks/ranks.h"

/* Joins the ranks that mpirun or srun has started. *out is NULL where this process was started alone. `cancel` as in
 * struct ranks. Not twice in a process. Errors: FeatureUnsupported (there is no MPI here, or it sees other tasks than
 * the launcher started). */
int ranks_join(const volatile int *cancel, struct ranks **out, struct error *error);

/* Threads for this rank: its share of the machine's cores, and no more than the launcher lets it use. Where that lets
 * several ranks use the same part of the machine's cores, they are too many. */
unsigned ranks_threads(const struct ranks *ranks);

/* Leaves them: waits for the others; or, where something was given up, ends them all, and does not return then. NULL is
 * allowed. */
void ranks_leave(struct ranks *ranks, int status);

#endif
