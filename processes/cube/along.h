/* A callback over the array along one dimension: what reduce_dimension, apply_dimension and the temporal aggregations
 * have in common. */
#ifndef TWINCUBE_PROCESSES_CUBE_ALONG_H
#define TWINCUBE_PROCESSES_CUBE_ALONG_H

#include "processes/cube/kernel_frame.h"

struct along {
  const struct node *data;
  size_t dimension;             /* of data, seen as the array */
  const struct callback *callback;
  const char *parameter;        /* the callback's argument name, for messages */
  const struct kernel_frame *model; /* see kernel_frame.h; or NULL */
};

/* Runs the callback once over the whole dimension: the value, and the frame (all zero, or with wants_single) whose
 * program computes it. */
int along_run(struct call *call, const struct along *along, struct kernel_frame *frame, struct value *value);

/* Node whose cube lacks the dimension (keep false), or has it with size 1 and the given label dimension. */
int along_reduce(struct call *call, const struct along *along, const struct dimension *kept, const struct node **out);

/* Node of what along_reduce gives with `kept`, without a value: for nothing that could be reduced. */
int along_missing(struct call *call, const struct along *along, const struct dimension *kept, const struct node **out);

#endif
