/* Functions of x and parameters that a graph gives: run once, then put where their values are wanted. */
#ifndef TWINCUBE_PROCESSES_MATH_CURVE_H
#define TWINCUBE_PROCESSES_MATH_CURVE_H

#include "processes/process.h"

struct curve {
  struct call *call;
  const struct program *program; /* the function's steps, from `first` on */
  size_t first;
  int x, parameters; /* stand for the arguments */
  struct lanes result;
};

/* Runs the callback in a program with so many parameters. It must not use what depends on the pixel besides. */
int curve_make(struct call *call, const struct callback *function, struct program *program, size_t parameters,
               struct curve *out);
/* The function's values at each x, as an array in another program, of the array `parameters` there. */
int curve_values(const struct curve *curve, struct program *to, struct lanes parameters, const double *x, size_t count,
                 struct lanes *out);

/* The labels as numbers: numbers as they are, dates (texts that are dates, too) as seconds since 1970-01-01T00:00:00Z.
 * NULL: error set, at the parameter. */
const double *curve_positions(struct call *call, const struct dimension *labels, const char *parameter);

#endif
