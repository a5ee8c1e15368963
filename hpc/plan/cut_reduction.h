/* A program cut at its reducers: elements before, accumulators, scalars after. See cut_reduction.c. */
#ifndef TWINCUBE_HPC_PLAN_CUT_REDUCTION_H
#define TWINCUBE_HPC_PLAN_CUT_REDUCTION_H

#include "hpc/plan/node.h"

/* The length of the arrays of the node's program where all have one length, are made element by element from its
 * inputs, and end in a reducer that has an accumulator; else 0. nested: a reducer may work on what another one gave. */
int reduction_length(struct arena *arena, const struct node *node, bool nested, size_t *out, struct error *error);

/* Makes the accumulator of `before`, whose cube has the array's dimension at index `dimension` (or whatever the maker
 * put there instead): a node with the dimensions of the reduction's result. NULL: error set. */
struct accumulator_maker {
  const struct node *(*make)(const struct accumulator_maker *maker, const struct node *before,
                             const struct program_step *reducer, struct error *error);
  struct arena *arena;
  const struct node *node; /* the reduction */
  const struct cube *cube; /* of the elements before: the result's dimensions and the array's */
  const int *to_before;    /* dimension of that cube for each dimension of the result */
  size_t dimension;        /* of the array in that cube */
};

/* The reduction as a kernel of accumulators. */
int reduction_cut(const struct accumulator_maker *maker, const struct node **out, struct error *error);

/* An ELEMENT step of another program once more, of these values of the other one's steps. */
struct lanes element_again(struct program *program, const struct program_step *step, const struct lanes *value);

#endif
