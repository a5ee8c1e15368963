/* A program as a function of numbers: compiled once, run by whoever has numbers in hand. */
#ifndef TWINCUBE_HPC_PLAN_NUMBER_FUNCTION_H
#define TWINCUBE_HPC_PLAN_NUMBER_FUNCTION_H

#include "datacube/base/hash.h"
#include "hpc/kernel/program.h"

struct number_function {
  struct kernel kernel;
  size_t inputs, outputs;
  struct hash hash; /* of the program */
};

/* The program's first step is its input, an array, and its only one; `result` an array or a scalar of it. The function
 * lives in the arena. */
int number_function_make(struct arena *arena, const struct program *program, struct lanes result,
                         struct number_function *out, struct error *error);

/* Bytes of work space, 64-byte aligned; one a thread. */
size_t number_function_work(const struct number_function *function);

/* The function at `count` points: in [count][inputs], out [count][outputs], in f64, NA kept. The same bits whatever the
 * count. */
void number_function_run(const struct number_function *function, void *work, const double *in, double *out,
                         size_t count);

#endif
