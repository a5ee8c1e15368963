/* How the steps of a kernel become the loops of a text.
 *
 * Steps that work block by block go into one loop where they have as many blocks: what is loaded, computed and reduced
 * there never leaves it. A reducer gives its loop the shape [outer][n]. What needs a whole array (medians, sorting,
 * fits) stands alone. A register that lives in one loop is a variable of it; others are arrays, and long ones lie far:
 * in the scratch memory of a launch.
 *
 * A long axis is reduced in parts, which are merged in their order: so many threads may share a lane, and the result
 * does not say how many did. */
#ifndef TWINCUBE_HPC_DEVICE_DEVICE_LOOPS_H
#define TWINCUBE_HPC_DEVICE_DEVICE_LOOPS_H

#include "datacube/base/error.h"
#include "hpc/kernel/kernel.h"

enum {
  DEVICE_NEAR = 64, /* blocks of the longest array that a thread holds itself; one part of an axis up to this length */
  DEVICE_PART = 32, /* elements of a part of a longer axis */
  DEVICE_STATE_BYTES = 32 /* of a reducer, at most */
};

struct device_loop {
  uint32_t outer, n; /* blocks: outer * n */
  bool is_shaped;    /* a reducer or a series says what outer and n are */
  bool is_whole;     /* one step that takes whole arrays */
  bool is_serial;    /* elements follow from those before: one part */
  bool reduces;
  size_t first, count; /* its steps, in device_loops.steps */
};

struct device_place { /* of a step */
  size_t loop;
  size_t memory, offsets; /* LOAD, STORE: the number of this one, and of its first block */
  bool is_tiled;          /* LOAD: its windows are read once a block: device_window.c */
};

struct device_register {
  size_t blocks;
  size_t writers, writer; /* steps that write it; the last one */
  size_t after;           /* its last writer's loop */
  bool is_local;          /* written and read, block by block, in one loop */
  bool is_far;
  size_t scratch; /* is_far: bytes of a thread's scratch before it */
};

struct device_loops {          /* arrays owned: device_loops_free */
  struct device_place *places; /* per step */
  struct device_register *registers;
  struct device_loop *loops;
  size_t loop_count;
  size_t *steps;  /* in the order of loops */
  size_t work;    /* bytes of a thread's scratch before the work space of whole steps */
  size_t scratch; /* bytes of a thread's scratch in all */
  size_t parts;   /* threads that may share a lane */
};

/* before: bytes of a thread's scratch that are taken. */
int device_loops_find(const struct kernel *kernel, size_t before, struct device_loops *out, struct error *error);
void device_loops_free(struct device_loops *loops);

/* Parts of the loop's axis. */
uint32_t device_loop_parts(const struct device_loop *loop);
/* Whether the step takes an array element by element: a reducer or a series with a row. */
bool device_step_streams(const struct kernel_step *step);

#endif
