/* A function in C from an array to a few numbers, for what is no chain of the engine's own steps.
 *
 * It runs on the CPU, in f64, a position at a time. NA and NaN are handed in and taken as they are. */
#ifndef TWINCUBE_HPC_KERNEL_ARRAY_FUNCTION_H
#define TWINCUBE_HPC_KERNEL_ARRAY_FUNCTION_H

#include "datacube/base/hash.h"

#include <stddef.h>

struct array_function {
  const char *name; /* for EXPLAIN: "JACKKNIFE" */
  /* The same numbers for the same `in`, whatever the thread. `work`: work_bytes, aligned for doubles. */
  void (*run)(const void *data, const double *in, double *out, void *work);
  const void *data;
  size_t arguments, results; /* numbers of `in` and `out` */
  size_t work_bytes;
  struct hash hash; /* of all that data says; the name is added */
};

#endif
