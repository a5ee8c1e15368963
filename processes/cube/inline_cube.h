/* Cubes written into a graph (processes/graph/parse.c finds them), in the form of the official test cases, {"type":
 * "datacube", "order": […], "dimensions": {…}, "nodata": …, "data": […]}, or in that of the JSON format, whose
 * dimensions are an array, with their labels under "labels", beside "crs". */
#ifndef TWINCUBE_PROCESSES_CUBE_INLINE_CUBE_H
#define TWINCUBE_PROCESSES_CUBE_INLINE_CUBE_H

#include "hpc/plan/node.h"
#include "processes/value.h"

int inline_cube_value(struct arena *arena, struct node_origin origin, const struct value *value, struct value *out,
                      struct error *error);

#endif
