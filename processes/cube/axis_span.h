/* The labels of a dimension that lie within two numbers: what a box leaves of an axis. */
#ifndef TWINCUBE_PROCESSES_CUBE_AXIS_SPAN_H
#define TWINCUBE_PROCESSES_CUBE_AXIS_SPAN_H

#include "processes/cube/shape.h"

struct axis_span { /* closed; turn: of the CRS, so that 350 degrees are -10, or 0 */
  double low, high, turn;
};

/* A view of the node with the labels of dimension d that lie in the span. They are one run, for the labels of an axis
 * are monotonic; two where a box goes round the globe past the cube's edge. None is no error. Sets *node. */
int axis_span_crop(struct call *call, size_t d, const struct axis_span *span, const struct node **node);

#endif
