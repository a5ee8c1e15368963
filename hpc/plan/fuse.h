/* The fuse at work on one variant: shared by fuse.c, which emits its steps, and variant.c, which begins and ends it. */
#ifndef TWINCUBE_HPC_PLAN_FUSE_H
#define TWINCUBE_HPC_PLAN_FUSE_H

#include "hpc/plan/plan_internal.h"

struct operand {
  uint32_t reg, block;
  size_t axes;
  int axis[CUBE_MAX_DIMENSIONS];
  size_t tail; /* elements of the array, innermost; 1 for a scalar */
};

struct memo {
  struct memo *next;
  const struct node *node;
  struct binding binding[CUBE_MAX_DIMENSIONS];
  struct operand result;
};

struct index_list { /* growing; owned by the fuse's scratch arena */
  size_t *items;
  size_t count, capacity;
};

struct draft_input { /* a stage_input whose lists still grow */
  struct stage_input input;
  struct index_list list[CUBE_MAX_DIMENSIONS];
};

struct fuse {
  const struct node *root; /* what the kernel computes */
  struct stage_list *list;
  struct arena *arena;   /* lives as long as the plan */
  struct arena *scratch; /* dies with the fuse */
  struct error *error;
  struct kernel_step *steps;
  size_t step_count, step_capacity;
  uint32_t *reg_blocks;
  size_t reg_count, reg_capacity;
  size_t *axis_length;
  size_t axis_count, axis_capacity;
  struct load *loads;
  size_t load_count, load_capacity;
  struct draft_input *inputs;
  size_t input_count, input_capacity;
  struct memo *memos;
};

/* Emits what computes a node's elements under the bindings of its dimensions. */
int fuse_generate(struct fuse *f, const struct node *node, const struct binding *binding, struct operand *out);
/* `from` in the layout of `to` (its axes and tail); to's register is set. tail_axis: the axis of `to` that is the tail of
 * `from`, or -1 (tail to tail). */
int fuse_relayout(struct fuse *f, const struct operand *from, struct operand *to, int tail_axis);
int fuse_add_axis(struct fuse *f, size_t length, int *out);
struct kernel_step *fuse_add_step(struct fuse *f, enum kernel_step_kind kind); /* NULL: error set */
/* Product of the operand's axes. */
size_t fuse_outer_blocks(const struct fuse *f, const struct operand *o);
/* Keeps the axes in ascending order. */
void operand_insert_axis(struct operand *o, int axis);

#endif
