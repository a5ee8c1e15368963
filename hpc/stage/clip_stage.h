/* A plane's pixels without those that a coverage leaves out: see clip_stage.c. */
#ifndef TWINCUBE_HPC_STAGE_CLIP_STAGE_H
#define TWINCUBE_HPC_STAGE_CLIP_STAGE_H

#include "datacube/coverage.h"
#include "hpc/stage/stage.h"

/* The input, with no-data at the pixels of its plane that the coverage (of one zone, in its arena) does not hold. The
 * input has x and y, of the coverage's size, and admits missing elements. NULL: out of memory. */
const struct node *node_clip(struct arena *arena, struct node_origin origin, const struct node *input,
                             const struct coverage *kept);

extern const struct stage_ops clip_stage;

#endif
