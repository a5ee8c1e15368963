/* Cubes under other dimensions, of which several make one or one makes several (hpc/stage/regroup_stage.h). */
#ifndef TWINCUBE_PROCESSES_CUBE_REGROUPING_H
#define TWINCUBE_PROCESSES_CUBE_REGROUPING_H

#include "hpc/stage/regroup_stage.h"
#include "processes/cube/shape.h"

/* A cube on its way: its output dimensions are added from the first to the last, each with its axes. */
struct regrouping {
  struct call *call;
  const struct node *input;
  struct cube *cube; /* of the output */
  struct regroup_axis *axes;
  size_t count;
};

/* Begins an output without dimensions. */
int regrouping_begin(struct call *call, const struct node *input, struct regrouping *out);
/* The next output dimension. Error ProcessGraphComplexity where there are too many. */
int regrouping_add(struct regrouping *r, const struct dimension *dimension);
/* An axis, faster than those before it, of the output dimension added last: so many indexes of input dimension d. */
void regrouping_axis(struct regrouping *r, size_t d, size_t size);
/* The input dimension d as it is. */
int regrouping_keep(struct regrouping *r, size_t d);
int regrouping_end(struct regrouping *r, const struct node **out);

/* The node with its plane of x and y as one last dimension, row by row, whose size is that of both. */
int plane_as_array(struct call *call, const struct node *input, const struct node **out);

#endif
