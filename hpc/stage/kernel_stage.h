/* Kernel stages: every maximal run of views, kernels and stacks, as one kernel for each combination of the output's
 * FIXED indexes. Made by hpc/plan/fuse.c, run by kernel_stage.c.
 *
 * An index of an input dimension is bound to one of
 *   BIND_OUT    the running index of output dimension `id`: the tile's position
 *   BIND_AXIS   an axis of the kernel: expanded over the blocks of a register (dates of a reducer, bands of a pick)
 *   BIND_FIXED  one index
 *   BIND_WINDOW the running index of output dimension `id`, plus `window[k] - before` along axis `axis`
 * through map[k], or k + offset where there is no map; a window has no map. */
#ifndef TWINCUBE_HPC_STAGE_KERNEL_STAGE_H
#define TWINCUBE_HPC_STAGE_KERNEL_STAGE_H

#include "hpc/kernel/kernel.h"
#include "hpc/stage/stage.h"

enum bind_kind { BIND_OUT, BIND_AXIS, BIND_FIXED, BIND_WINDOW };

struct binding {
  enum bind_kind kind;
  int id;               /* OUT, WINDOW: output dimension; AXIS: axis of the variant */
  const size_t *map;    /* OUT, AXIS: index of each position, or NULL; NO_INDEX: a hole, masked elsewhere */
  size_t offset;        /* OUT, AXIS, WINDOW without a map */
  size_t fixed;         /* FIXED */
  int axis;             /* WINDOW */
  const size_t *places; /* WINDOW: place in the window, 0 … length - 1, of each index of the axis */
  const struct window *window; /* WINDOW */
};

struct load { /* one LOAD step */
  size_t step;  /* index of the step in the kernel */
  size_t input; /* index into the variant's inputs */
  struct binding dim[CUBE_MAX_DIMENSIONS];
  const size_t *position[CUBE_MAX_DIMENSIONS]; /* AXIS, FIXED: positions in the need's list, per axis index; WINDOW: places */
  size_t axes;  /* axes of the register, outermost first */
  int axis[CUBE_MAX_DIMENSIONS];
  size_t components, component; /* 2 and 0 or 1: part of a complex element; else 1 and 0 */
};

struct variant { /* the kernel of one combination of the output's FIXED indexes */
  struct kernel kernel;
  const struct stage_input *inputs;
  const struct window *const (*windows)[CUBE_MAX_DIMENSIONS]; /* per input and dimension: its window, or NULL */
  size_t input_count;
  const struct load *loads; /* in the order of kernel_run's bases */
  size_t load_count;
  const size_t *axis_length;
  size_t axis_count;
  size_t store_step[2];     /* indexes of the STORE steps: one, or real and imaginary part */
  size_t store_count;
  int out_axis[CUBE_MAX_DIMENSIONS]; /* output dimensions that are AXIS: their axis; else -1 */
};

struct kernel_stage { /* stage->data */
  const struct variant *variants; /* row-major over the FIXED dimensions */
  size_t variant_count;
  size_t group;           /* variants along a FIXED dimension that read the same elements: they follow each other */
  size_t group_dimension; /* that dimension; where group is 1, any */
};

/* The stage's dimensions from the slowest to the fastest in which parts of it are best computed. */
void kernel_order(const struct stage *stage, size_t *order);

static inline size_t binding_index(const struct binding *binding, size_t k)
{
  return binding->kind == BIND_FIXED ? binding->fixed : binding->map ? binding->map[k] : k + binding->offset;
}

static inline const struct kernel_stage *kernel_stage_of(const struct stage *stage)
{
  return stage->ops == &kernel_stage ? (const struct kernel_stage *)stage->data : NULL;
}

/* Variant for the FIXED indexes of an output region (counts 1 there). */
const struct variant *stage_variant(const struct stage *stage, const struct region *out);

#endif
