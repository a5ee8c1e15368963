/* Nodes: the cube-valued expressions of a graph, before fusing.
 *
 * A node describes its cube (describe forward happened when it was made) and how its elements come from other nodes.
 * The five kinds are all there is; every cube process is built from them:
 *   SOURCE  a reader of boxes
 *   VIEW    the same elements under other dimensions: selection, order, names, new and dropped dimensions
 *   KERNEL  a program per position; its inputs broadcast over dimensions they lack; one dimension of each input may be
 *           consumed as an array, one dimension of the output may be produced as an array
 *   STACK   along one dimension, each index is another node (periods of aggregate_temporal_period, merged labels)
 *   WARP    resampling of x and y onto another grid
 * Immutable, in the plan's arena. */
#ifndef TWINCUBE_HPC_PLAN_NODE_H
#define TWINCUBE_HPC_PLAN_NODE_H

#include "datacube/source.h"
#include "hpc/kernel/program.h"

enum node_kind { NODE_SOURCE, NODE_VIEW, NODE_KERNEL, NODE_STACK, NODE_WARP };

enum { NO_DIMENSION = -1 };

struct view_dimension {  /* one per dimension of the INPUT */
  int out;               /* output dimension it becomes, or NO_DIMENSION: fixed at index `fixed` */
  size_t fixed;
  const size_t *indexes; /* input index of each output index; NULL: identity plus offset */
  size_t offset;
};

struct kernel_input {
  const struct node *node;
  int array_dimension;                 /* dimension of the input that the program sees as an array, or NO_DIMENSION */
  int to_output[CUBE_MAX_DIMENSIONS];  /* output dimension of each input dimension (the array dimension: NO_DIMENSION) */
};

struct node {
  enum node_kind kind;
  const char *id;        /* graph node that made it, for EXPLAIN and errors */
  const char *process;   /* its process */
  const struct cube *cube;
  const struct source *source;             /* SOURCE */
  const struct node *input;                /* VIEW, WARP */
  const struct view_dimension *view;       /* VIEW: input->cube->dimensions entries */
  const struct kernel_input *inputs;       /* KERNEL */
  size_t input_count;
  const struct program *program;           /* KERNEL */
  struct lanes result;                     /* KERNEL: value of the program that becomes the output */
  int array_out;                           /* KERNEL: output dimension produced as an array, or NO_DIMENSION */
  int stack_dimension;                     /* STACK: of the output; each child has all output dimensions, size 1 there */
  const struct node *const *children;      /* STACK: one per index of stack_dimension */
  struct grid grid;                        /* WARP: target */
  enum resampling method;                  /* WARP */
};

/* Makers; everything given is borrowed and must live in the arena. NULL when out of memory. `like` gives id and
 * process. */
struct node_origin {
  const char *id, *process;
};
const struct node *node_source(struct arena *arena, struct node_origin origin, const struct source *source);
const struct node *node_view(struct arena *arena, struct node_origin origin, const struct node *input,
                             const struct cube *cube, const struct view_dimension *view);
const struct node *node_kernel(struct arena *arena, struct node_origin origin, const struct cube *cube,
                               const struct kernel_input *inputs, size_t count, const struct program *program,
                               struct lanes result, int array_out);
const struct node *node_stack(struct arena *arena, struct node_origin origin, const struct cube *cube, int dimension,
                              const struct node *const *children);
const struct node *node_warp(struct arena *arena, struct node_origin origin, const struct node *input,
                             const struct cube *cube, const struct grid *grid, enum resampling method);

#endif
