/* Kernels of simulators on a device: text of CUDA C++, compiled when it is first asked for, launched over arrays that
 * stay on the device. No simulator has any yet: all of them compute by the CPU, and only tests/device/science_check.c
 * uses this.
 *
 * The text lies in .cu files of the room that it belongs to. The build makes a string of each, physics/lattice/sweep.cu
 * becomes `extern const char sweep_cu[]`. Names are CUDA's (threadIdx, __shared__, __syncthreads), but each kernel is
 *
 *   SCIENCE_KERNEL(name, double a, const double *x, double *y, unsigned long long n) { … }
 *
 * and memory that a block shares is declared with its size. Products and sums are rounded one by one, as the CPU's are.
 *
 * One thread at a time uses a `struct science`: what it orders is done in that order, while it goes on. What fails is
 * told, and from then on everything fails: the simulator goes on by the CPU, from what it has on the host. */
#ifndef TWINCUBE_HPC_DEVICE_SCIENCE_KERNEL_H
#define TWINCUBE_HPC_DEVICE_SCIENCE_KERNEL_H

#include "hpc/device/device.h"

struct science;

/* On one of the devices, in turn. Error FeatureUnsupported with the reason where there is none. */
int science_open(struct devices *devices, struct science **out, struct error *error);
void science_close(struct science *science); /* waits for what is under way; arrays are freed before. NULL is allowed */

struct science_kernel {
  void *function;
};

/* Kernel `name` of the text: compiled once a process and a device, and kept on disk. */
int science_kernel(struct science *science, const char *text, const char *name, struct science_kernel *out,
                   struct error *error);

struct science_array { /* bytes of the device's memory, aligned for every type; {0}: none */
  uint64_t address;    /* what a kernel takes as a pointer */
  size_t bytes;
};

/* Its elements are undefined. Error ProcessGraphComplexity where --device-memory has no room for it. */
int science_array_new(struct science *science, size_t bytes, struct science_array *out, struct error *error);
void science_array_free(struct science *science, struct science_array *array); /* waits; {0} is allowed */
/* The first bytes of an array. What lies at `from` may be changed at once; `to` is filled when the call returns. */
int science_put(struct science *science, const struct science_array *array, const void *from, size_t bytes,
                struct error *error);
int science_take(struct science *science, const struct science_array *array, void *to, size_t bytes,
                 struct error *error);

/* parameters[i] points to the kernel's parameter i, of exactly its type; &array.address to a pointer. */
int science_launch(struct science *science, const struct science_kernel *kernel, const struct device_grid *grid,
                   void **parameters, struct error *error);
int science_wait(struct science *science, struct error *error); /* until all is done */
const struct device_facts *science_device(const struct science *science);
/* Tells the log, once a device, that and why the CPU goes on in its place. */
void science_complain(struct science *science, const struct error *error);

#endif
