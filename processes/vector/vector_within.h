/* The geometries of a vector cube that lie in an extent: a bounding box or GeoJSON. */
#ifndef TWINCUBE_PROCESSES_VECTOR_VECTOR_WITHIN_H
#define TWINCUBE_PROCESSES_VECTOR_VECTOR_WITHIN_H

#include "processes/vector/vector_cube.h"

/* The cube without the geometries that are empty or do not lie wholly in the extent that the argument `parameter` is: a
 * box (corners in its own reference system), or the union of GeoJSON's geometries. Sets result. */
int vector_within(struct call *call, const char *parameter, const struct vector_cube *cube, struct value *result);

#endif
