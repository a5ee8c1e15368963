/* Kept results that outlast the process: a file each in a folder, named by the hash of what it holds, so that a run
 * which begins again finds what an earlier one had made. The folder belongs to one job and to one version of the
 * program; whoever made it removes it. */
#ifndef TWINCUBE_HPC_RUN_CHECKPOINT_H
#define TWINCUBE_HPC_RUN_CHECKPOINT_H

#include "hpc/plan/plan_internal.h"

/* Room for a result that lies in a file. Error StorageFailure. Freed by spill_free. */
void *checkpoint_room(const char *folder, const struct keep *keep, struct error *error);
/* The whole result as an earlier run left it, for free or, where it lies in a file, spill_free; NULL: there is none. */
void *checkpoint_take(const char *folder, const struct keep *keep);
/* Leaves a result that is whole. Where that fails nothing is left: the run goes on. A room that lies in a file is
 * checkpoint_room's. */
void checkpoint_leave(const char *folder, const struct keep *keep, const void *room);
/* Forgets the file of such a room. */
void checkpoint_drop(const char *folder, const struct keep *keep);

#endif
