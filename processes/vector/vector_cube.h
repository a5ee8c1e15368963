/* What processes on vector cubes share: finding the geometries of a cube, and putting others in their place. */
#ifndef TWINCUBE_PROCESSES_VECTOR_VECTOR_CUBE_H
#define TWINCUBE_PROCESSES_VECTOR_VECTOR_CUBE_H

#include "datacube/geometry_operations.h"
#include "hpc/plan/node.h"
#include "processes/process.h"

struct vector_cube {
  const struct node *node;
  size_t at;                      /* its dimension of geometries, the first one */
  const struct dimension *labels; /* that dimension */
  const struct geometry_set *set; /* its geometries */
};

/* The argument as a vector cube. Error ProcessParameterInvalid where the cube has no geometries. */
int call_vector_cube(struct call *call, const char *parameter, struct vector_cube *out);

/* The same of a node that has geometries. */
int vector_cube_of(struct call *call, const struct node *node, struct vector_cube *out);

/* The cube with other geometries. indexes: which of the old labels' values each has; NULL where there are as many as
 * before, in the same order. Sets result. */
int vector_cube_with(struct call *call, const struct vector_cube *cube, const struct geometry_set *set,
                     const size_t *indexes, struct value *result);

/* UnitMismatch unless the CRS of the geometries is in metres. */
int vector_cube_in_metres(struct call *call, const struct vector_cube *cube);

/* Arena and cancellation of the call. */
struct geometry_work vector_cube_work(const struct call *call);

#endif
