/* Where a cube has values: known only from its elements. */
#ifndef TWINCUBE_PROCESSES_CUBE_OCCUPIED_H
#define TWINCUBE_PROCESSES_CUBE_OCCUPIED_H

#include "processes/cube/shape.h"

struct occupied { /* in the call's arena: per dimension, one flag a label: whether some element there is not no-data */
  const unsigned char *labels[CUBE_MAX_DIMENSIONS];
};

/* Computes all elements once, with a plan of their own, while the graph is lowered. Where only a description is asked
 * for (graph_options.describes_only) nothing is read and every label counts as occupied. */
int cube_find_occupied(struct call *call, const struct node *node, struct occupied *out);

#endif
