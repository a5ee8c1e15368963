/* Kernels as the text of a device's language: CUDA C++, for NVRTC.
 *
 * A module is a beginning and any number of kernels, each a function
 *
 *   name(const void *const *bases, void *out, const i64 *offsets, const i64 *strides, u64 nx, u64 ny, u64 nz,
 *        void *scratch)                                       i64: long long, u64: unsigned long long
 *
 * that does what kernel_run does for nx * ny * nz lanes, of which x runs fastest. Where the elements lie is told at
 * each launch: `offsets` holds those of the blocks of every LOAD and STORE step, in the order of steps, and `strides`
 * three numbers for each such step: elements from a lane to the next along x, y and z. So a text depends on what is
 * computed, not on tiles. bases, offsets and strides lie in the device's memory.
 *
 * A block is (threads, parts, 1), a grid (blocks, 1, 1), both of any size that struct device_launch allows: threads
 * take lanes until none is left, and the result is the same for every shape.
 *
 * Element operations, reducers and series are quoted from the rows of hpc/kernel, which also make the CPU's loops.
 * Results are the CPU's bits, compiled without fused multiply-add, but for
 *   EXP, LN, LOG, POW and the functions of angles                           the last bits: device_op_ulp
 *   VARIANCE, SD                 one pass in f64 where the CPU takes two: a few roundings of the mean, by the spread
 *   sums of more than 64 elements          in parts of 32, merged in their order: a few roundings in f64
 * MIN, MAX, counts, medians, quantiles and sorting are the same however long. */
#ifndef TWINCUBE_HPC_DEVICE_DEVICE_TEXT_H
#define TWINCUBE_HPC_DEVICE_DEVICE_TEXT_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"
#include "hpc/kernel/kernel.h"

struct plan;

struct device_launch {  /* what a launch of the kernel must give */
  size_t parts;         /* threads of a block along y, at most: they share a lane's long arrays; 1: nothing to share */
  size_t shared_bytes;  /* dynamic shared memory for each thread of a block, where it has more than one along y */
  size_t scratch_bytes; /* global memory behind `scratch` for each thread of the grid; a multiple of 8 */
  size_t tile_bytes;    /* dynamic shared memory in any case: for each of up to DEVICE_TILE_THREADS threads */
  size_t tile_edge;     /* and for the block beside */
};

enum {
  DEVICE_TILE_THREADS = 256, /* of a block, at most, where tile_bytes is not 0 */
  DEVICE_TILE_ROWS = 8       /* rows of lanes that such a block takes at a time, along y */
};

/* The beginning of a module. */
void device_text_begin(struct buffer *out);
/* A kernel's function. FeatureUnsupported with the reason for what does not run on a device. */
int device_text_kernel(const struct kernel *kernel, const char *name, struct buffer *out, struct device_launch *launch,
                       struct error *error);

/* Distance of an element operation's result from the CPU's, at most, in units of the last place; 0: the same bits. A
 * kernel's results are as far as the arithmetic behind it makes of that. */
unsigned device_op_ulp(enum kernel_op op, enum lane_type type);

/* The module of a plan: kernel s2_v0 is the first variant of stage 2. A comment says why where one does not run on a
 * device. */
int device_text_plan(const struct plan *plan, struct buffer *out, struct error *error);

#endif
