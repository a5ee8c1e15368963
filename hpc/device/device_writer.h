/* A kernel's text while it is written: device_text.c begins and ends it, device_steps.c writes what goes block by
 * block, device_arrays.c what takes arrays, device_rows.c the tables' rows as functions.
 *
 * In the text, gN is the array of register N, rN its value in a loop where it lives nowhere else; k is the block that a
 * loop is at, o and i the indexes [outer][n] that k consists of. */
#ifndef TWINCUBE_HPC_DEVICE_DEVICE_WRITER_H
#define TWINCUBE_HPC_DEVICE_DEVICE_WRITER_H

#include "hpc/device/device_loops.h"
#include "hpc/device/device_text.h"

struct device_writer {
  const struct kernel *kernel;
  const char *name; /* of its function; tables are named after it */
  struct buffer *out;
  struct device_loops loops;
  bool shared;   /* threads of a block share a lane */
  bool tiles;    /* a block takes tiles of lanes, whose windows are in shared memory */
  bool is_model; /* of a fit: its first step takes parameters `p`, its last one gives the values `to` */
};

/* The functions of all rows for one lane type, whose names (T, FN, …) are defined before. */
void device_write_rows(struct buffer *out);

/* `gN[index]`, counted from the block. */
void device_write_element(struct device_writer *w, uint32_t reg, uint32_t block, const char *index);
/* `rN` or `gN[…]`, block k of the operand. */
void device_write_operand(struct device_writer *w, const struct kernel_operand *operand);
/* What takes a step's block k: `const T rN = ` or `gN[…] = `. */
void device_write_target(struct device_writer *w, const struct kernel_step *step);
/* A step that works block by block, as one line. `once`: all threads that share the lane get here. */
void device_write_block(struct device_writer *w, size_t step, bool once);
/* Constants, weights, probabilities and maps that steps take from tables, and the models of fits. */
int device_write_tables(struct device_writer *w, struct error *error);
void device_write_loops(struct device_writer *w);

/* A reducer or series with a row, at each point of its loop. PART and MERGE are reached where the axis has parts. */
enum device_moment { ROW_BEGIN, ROW_PART, ROW_ELEMENT, ROW_MERGE, ROW_END };
void device_write_row(struct device_writer *w, size_t step, enum device_moment moment);
/* Marks the loads that read windows once a block, and says what that takes. */
void device_find_tiles(struct device_writer *w, struct device_launch *launch);
void device_write_tiles(struct device_writer *w); /* the function's body, with its loops */
/* Block k of a load: an expression. Of a window: from shared memory, where it is there. */
void device_write_load(struct device_writer *w, size_t step);
void device_write_window(struct device_writer *w, size_t step);

/* A step that takes whole arrays. */
void device_write_whole(struct device_writer *w, size_t step);

/* The model's kernel with steps of its own, which the caller frees: its last step has as many blocks as there are
 * values. */
int device_model_steps(const struct kernel_step *fit, struct kernel *out, struct error *error);
/* Bytes of a thread's scratch for the fit without its model. */
size_t device_fit_bytes(const struct kernel_step *fit);
/* struct NAME_mSTEP. */
int device_write_model(struct device_writer *w, size_t step, struct error *error);

#endif
