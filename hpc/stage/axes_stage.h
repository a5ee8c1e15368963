/* A function of whole axes: at each position of the other dimensions, numbers go in and numbers come out. */
#ifndef TWINCUBE_HPC_STAGE_AXES_STAGE_H
#define TWINCUBE_HPC_STAGE_AXES_STAGE_H

#include "hpc/stage/stage.h"

struct axes_point {
  const double *in;           /* the elements along the axes taken, the first axis slowest; NA kept */
  double *out;                /* those along the axes made, likewise */
  void *work;                 /* work_bytes, 64-byte aligned; the thread's own */
  const volatile int *cancel; /* becomes nonzero when the run is no longer wanted; or NULL */
};

struct axes_function {
  const char *name; /* for EXPLAIN: "Gamma method" */
  /* The same numbers for the same `in`, whatever the thread. */
  int (*run)(const void *data, const struct axes_point *at, struct error *error);
  const void *data;
  size_t work_bytes;
  struct hash hash; /* of all that data says; the name is added */
};

struct axes {
  const struct axes_function *function;
  size_t taken[CUBE_MAX_DIMENSIONS]; /* dimensions of the input */
  size_t taken_count;
  size_t made_count; /* the last dimensions of the output */
};

/* The node whose cube has the input's dimensions but those taken, in their order, then those made. Its type is f64,
 * its no-data value NA. All given is borrowed. NULL when out of memory. */
const struct node *node_axes(struct arena *arena, struct node_origin origin, const struct node *input,
                             const struct cube *cube, const struct axes *axes);

/* -1, with error RequestTimeout, where the run is no longer wanted. For functions, now and then. */
int axes_go_on(const struct axes_point *at, struct error *error);

extern const struct stage_ops axes_stage;

#endif
