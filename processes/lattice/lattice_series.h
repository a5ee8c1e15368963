/* Numbers that are computed from a few others along named dimensions of a cube, for each position along all others:
 * scales of a flow, potentials of loops. Elements are taken as float64, missing ones as NaN; so are results. */
#ifndef TWINCUBE_PROCESSES_LATTICE_LATTICE_SERIES_H
#define TWINCUBE_PROCESSES_LATTICE_LATTICE_SERIES_H

#include "hpc/stage/frame_stage.h"
#include "processes/process.h"

struct lattice_series {
  const struct node *node; /* float64, the named dimensions last, in their order */
  size_t others;           /* dimensions before them */
  size_t count;            /* named ones, at most 2 */
  size_t size[2];
  const double *labels[2]; /* their labels as numbers, ascending; in the arena */
};

struct series_op {
  const char *name; /* EXPLAIN */
  void (*compute)(const struct lattice_series *series, const double *parameters, const double *in, double *out);
};

/* The cube of parameter "data" with the dimensions `names`. Error ProcessParameterInvalid where one is missing or its
 * labels are not numbers that ascend. */
int call_lattice_series(struct call *call, const char *const *names, size_t count, struct lattice_series *out);

/* What op gives from the series and `parameters` (copied): the other dimensions and then `to`, `to_count` of them. */
int lattice_series_apply(struct call *call, const struct lattice_series *series, const struct series_op *op,
                         const double *parameters, size_t parameter_count, const struct dimension *to, size_t to_count,
                         struct value *result);

#endif
