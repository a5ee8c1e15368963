/* The fuse at work on one variant: fuse.c walks the nodes, fuse_steps.c a program, fuse_load.c emits loads,
 * fuse_layout.c lays out registers, variant.c begins and ends it.
 *
 * Registers are laid out [outer axes …][array]. The axes of a register are kept in ascending order of their ids, and
 * an axis made inside is younger than those around it, so a program's array is always the innermost part of its
 * registers. */
#ifndef TWINCUBE_HPC_PLAN_FUSE_H
#define TWINCUBE_HPC_PLAN_FUSE_H

#include "hpc/plan/keep.h"
#include "hpc/stage/kernel_stage.h"

struct operand {
  uint32_t reg, block;
  size_t axes;
  int axis[CUBE_MAX_DIMENSIONS];
  size_t tail; /* elements of the array, innermost; 1 for a scalar */
};

struct memo {
  struct memo *next;
  const struct node *node;
  int component;
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
  const struct window *window[CUBE_MAX_DIMENSIONS];
};

enum { MOST_ONCE = 8 }; /* more constants would take the cache from what is computed */

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
  struct once_constant { /* set once a run, in a register of its own */
    double value;
    uint32_t reg;
  } once[MOST_ONCE];
  size_t once_count;
};

#define GROW(f, where, field, count_, capacity_)                                                                       \
  ((f)->field = arena_grow((f)->where, (f)->field, (f)->count_, &(f)->capacity_, sizeof *(f)->field))

/* Elements of a node under the bindings of its dimensions; of complex ones, one component. */
struct wanted {
  const struct node *node;
  const struct binding *binding;
  int component; /* 0 the number or its real part, 1 its imaginary part */
};

/* Emits what computes them. */
int fuse_generate(struct fuse *f, const struct wanted *wanted, struct operand *out);
/* A kernel node's program. */
int fuse_program(struct fuse *f, const struct wanted *wanted, struct operand *out);
/* A curve's model as a kernel of its own, on registers of its own. */
int fuse_curve(struct fuse *f, const struct program_curve *curve, struct kernel_curve *out);
/* Loads the elements of the node's own stage. */
int fuse_load(struct fuse *f, const struct wanted *wanted, struct operand *out);
/* NA. */
int fuse_missing(struct fuse *f, struct operand *out);
/* Elements of the array by index; NO_INDEX gives any. */
int fuse_pick(struct fuse *f, const struct operand *from, const size_t *indexes, size_t count, struct operand *out);
/* `from` in the layout of `to` (its axes and tail); to's register is set. tail_axis: the axis of `to` that is the tail
 * of `from`, or -1 (tail to tail). */
int fuse_relayout(struct fuse *f, const struct operand *from, struct operand *to, int tail_axis);
int fuse_add_axis(struct fuse *f, size_t length, int *out);
int fuse_add_register(struct fuse *f, size_t blocks, uint32_t *out);
struct kernel_step *fuse_add_step(struct fuse *f, enum kernel_step_kind kind); /* NULL: error set */
/* Block map[b] of `from` to block b of `to`'s register, from to->block on. map NULL: out of memory. */
int fuse_gather(struct fuse *f, const struct operand *from, const uint32_t *map, size_t blocks,
                const struct operand *to);
/* Product of the operand's axes; times the tail. */
size_t fuse_outer_blocks(const struct fuse *f, const struct operand *o);
size_t fuse_blocks(const struct fuse *f, const struct operand *o);
bool operand_has_axis(const struct operand *o, int axis);
/* Keeps the axes in ascending order. */
void operand_insert_axis(struct operand *o, int axis);

/* Binding of a view's input dimension; outer has `length` indexes. */
int binding_compose(struct arena *arena, const struct binding *outer, const struct view_dimension *view, size_t length,
                    struct binding *inner, struct error *error);
/* What a node's dimensions are bound to, seen from the input of a view. axis_length: of the variant's axes, or NULL. */
int binding_through(struct arena *arena, const struct node *view, const struct binding *binding,
                    const struct cube *root, const size_t *axis_length, struct binding *inner, struct error *error);

/* variant.c */
int make_variant(struct stage_list *list, const struct stage *stage, const size_t *fixed, enum lane_type type,
                 struct variant *variant, struct error *error);
/* registers.c: memory of the registers and lanes of a piece, for a kernel of f's steps. */
int allocate_registers(struct fuse *f, struct kernel *kernel);

#endif
