/* Kernels as the text of a device's language: CUDA C++, for NVRTC.
 *
 * A module is a beginning and any number of kernels, each a function
 *   name(const void *const *bases, void *out, const long long *offsets, const long long *strides, u64 lanes)
 * that does what kernel_run does, a thread a lane. Where the elements lie is told at each launch: `offsets` holds those
 * of the blocks of every LOAD and STORE step, in the order of steps, `strides` the lane stride of each such step; so a
 * text depends on what is computed, not on tiles. Element operations, reducers and series are quoted from the rows of
 * hpc/kernel, which also make the CPU's loops. Results are the CPU's, but for the last bits of functions such as exp,
 * and of VARIANCE and SD, which take one pass. */
#ifndef TWINCUBE_HPC_DEVICE_DEVICE_TEXT_H
#define TWINCUBE_HPC_DEVICE_DEVICE_TEXT_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"
#include "hpc/kernel/kernel.h"

/* The beginning of a module. */
void device_text_begin(struct buffer *out);
/* A kernel's function. FeatureUnsupported with the reason for what does not run on a device: fitted curves, and
 * registers of more than DEVICE_LANE_BYTES bytes a lane. */
enum { DEVICE_LANE_BYTES = 64 * 1024 };
int device_text_kernel(const struct kernel *kernel, const char *name, struct buffer *out, struct error *error);

#endif
