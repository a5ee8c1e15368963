/* Cubes written into a graph: {"type": "datacube", "order": […], "dimensions": {…}, "nodata": …, "data": […]}, the form
 * of the official test cases. processes/graph/parse.c finds them where that encoding was asked for. */
#ifndef TWINCUBE_PROCESSES_CUBE_INLINE_CUBE_H
#define TWINCUBE_PROCESSES_CUBE_INLINE_CUBE_H

#include "hpc/plan/node.h"
#include "processes/value.h"

int inline_cube_value(struct arena *arena, struct node_origin origin, const struct value *value, struct value *out,
                      struct error *error);

#endif
