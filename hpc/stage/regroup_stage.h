/* The elements of a cube under other dimensions, of which several make one or one makes several: see regroup_stage.c.
 */
#ifndef TWINCUBE_HPC_STAGE_REGROUP_STAGE_H
#define TWINCUBE_HPC_STAGE_REGROUP_STAGE_H

#include "hpc/stage/stage.h"

enum { REGROUP_MAX_AXES = 3 * CUBE_MAX_DIMENSIONS };

/* What dimensions are made of: an index along a dimension is a number whose digits are indexes along its axes. */
struct regroup_axis {
  size_t size;
  int from, to; /* dimension of the input and of the output */
};

struct regroup {
  /* In the order of the output: those of dimension 0, then of dimension 1 …; those of one dimension, of the input
   * too, from the slowest to the fastest. Every dimension has one at least, and the product of their sizes is its own;
   * there is a dimension. */
  const struct regroup_axis *axes;
  size_t count;
};

/* The node whose cube has the axes in their other grouping. All given is borrowed. NULL when out of memory. */
const struct node *node_regroup(struct arena *arena, struct node_origin origin, const struct node *input,
                                const struct cube *cube, const struct regroup *regroup);

extern const struct stage_ops regroup_stage;

#endif
