/* Nodes: the cube-valued expressions of a graph, before fusing.
 *
 * A node describes its cube (describe forward happened when it was made) and how its elements come from other nodes.
 * Three kinds fuse, everything else is a stage with an interface of its own:
 *   VIEW    the same elements under other dimensions: selection, order, names, new and dropped dimensions, holes
 *   KERNEL  a program per position; its inputs broadcast over dimensions they lack; one dimension of each input, or a
 *           window around the position, may be consumed as an array, one output dimension may be produced as an array
 *   STACK   along one dimension, each index is another node (periods of aggregate_temporal_period)
 *   STAGE   what fills regions in its own way: sources, warps, accumulators, zones, chunks (hpc/stage)
 * Immutable, in the plan's arena. */
#ifndef TWINCUBE_HPC_PLAN_NODE_H
#define TWINCUBE_HPC_PLAN_NODE_H

#include "datacube/base/hash.h"
#include "datacube/source.h"
#include "hpc/kernel/program.h"

struct stage_ops; /* hpc/stage/stage.h */

enum node_kind { NODE_VIEW, NODE_KERNEL, NODE_STACK, NODE_STAGE };

enum { NO_DIMENSION = -1 };
#define NO_INDEX SIZE_MAX /* in view_dimension.indexes: a hole, no element: NA */

struct view_dimension { /* one per dimension of the INPUT */
  int out;              /* output dimension it becomes, or NO_DIMENSION: fixed at index `fixed` */
  size_t fixed;
  const size_t *indexes; /* input index of each output index, or NO_INDEX; NULL: identity plus offset */
  size_t offset;
};

/* What lies beyond the edge of a windowed dimension. of 0 1 2 … : */
enum border_rule {
  BORDER_VALUE,         /* one value, or NA */
  BORDER_REPLICATE,     /* 0 0 0 | 0 1 2 */
  BORDER_REFLECT,       /* 2 1 0 | 0 1 2 */
  BORDER_REFLECT_PIXEL, /* 3 2 1 | 0 1 2 */
  BORDER_WRAP           /* the other end */
};

struct window {          /* a run of indexes around the position, along one dimension of the input */
  int dimension;         /* of the input; it still maps to an output dimension of the same size */
  size_t before, length; /* from position - before on */
  enum border_rule border;
  double value; /* BORDER_VALUE: NaN is NA */
};

enum { MAX_WINDOWS = 4 };

struct kernel_input {
  const struct node *node;
  int array_dimension;                /* dimension of the input that the program sees as an array, or NO_DIMENSION */
  int to_output[CUBE_MAX_DIMENSIONS]; /* output dimension of each input dimension (the array dimension: NO_DIMENSION) */
  struct window
      window[MAX_WINDOWS]; /* instead of an array dimension: the array is the windows' product, last fastest */
  size_t window_count;
};

struct node {
  enum node_kind kind;
  const char *id;      /* graph node that made it, for EXPLAIN and errors */
  const char *process; /* its process */
  const struct cube *cube;
  struct hash hash;                  /* of what it computes; differs wherever the values may */
  const struct node *input;          /* VIEW */
  const struct view_dimension *view; /* VIEW: input->cube->dimensions entries */
  const struct kernel_input *inputs; /* KERNEL */
  size_t input_count;
  const struct program *program;      /* KERNEL */
  struct lanes result;                /* KERNEL: value of the program that becomes the output */
  int array_out;                      /* KERNEL: output dimension produced as an array, or NO_DIMENSION */
  int stack_dimension;                /* STACK: of the output; each child has all output dimensions, size 1 there */
  const struct node *const *children; /* STACK: one per index of stack_dimension; STAGE: its inputs */
  size_t child_count;                 /* STAGE */
  const struct stage_ops *ops;        /* STAGE */
  const void *data;                   /* STAGE: the kind's own description */
};

struct warp_target { /* data of a warp's node */
  struct grid grid;
  enum resampling method;
};

/* Makers; everything given is borrowed and must live in the arena. NULL when out of memory. `origin` gives id and
 * process. */
struct node_origin {
  const char *id, *process;
};
const struct node *node_source(struct arena *arena, struct node_origin origin, const struct source *source);
/* A hole is NA: where the cube's type has no no-data value it is the caller's to give one (cube->has_nodata). */
const struct node *node_view(struct arena *arena, struct node_origin origin, const struct node *input,
                             const struct cube *cube, const struct view_dimension *view);
const struct node *node_kernel(struct arena *arena, struct node_origin origin, const struct cube *cube,
                               const struct kernel_input *inputs, size_t count, const struct program *program,
                               struct lanes result, int array_out);
const struct node *node_stack(struct arena *arena, struct node_origin origin, const struct cube *cube, int dimension,
                              const struct node *const *children);
const struct node *node_warp(struct arena *arena, struct node_origin origin, const struct node *input,
                             const struct cube *cube, const struct grid *grid, enum resampling method);
struct stage_node { /* what a stage of another kind is made of */
  const struct stage_ops *ops;
  const struct node *const *inputs;
  size_t input_count;
  const void *data;
  struct hash data_hash; /* of all that data says */
};
const struct node *node_stage(struct arena *arena, struct node_origin origin, const struct cube *cube,
                              const struct stage_node *stage);

/* Adds all that the program's steps say. */
void hash_program(struct hash *hash, const struct program *program);

/* The source of a source's node; NULL for others. */
const struct source *node_source_of(const struct node *node);
/* The target of a warp's node; NULL for others. */
const struct warp_target *node_warp_of(const struct node *node);
/* Marks the steps of a KERNEL's program that its result needs; needed has room for them all. */
void node_mark_needed(const struct node *node, bool *needed);
/* Inputs in order, whatever the kind; of a STACK its children. */
size_t node_input_count(const struct node *node);
const struct node *node_input(const struct node *node, size_t i);

#endif
