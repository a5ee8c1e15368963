/* How fast kernels are on a device and on the CPU: measured once for each device and driver, in a fraction of a second,
 * and kept in the options' folder.
 *
 * A kernel's work is counted in values of five kinds; a value of a kind takes about the same time in every kernel. */
#ifndef TWINCUBE_HPC_DEVICE_DEVICE_SPEEDS_H
#define TWINCUBE_HPC_DEVICE_DEVICE_SPEEDS_H

#include "hpc/device/device.h"

enum work_kind {
  WORK_MEMORY, /* loaded, stored */
  WORK_PLAIN,  /* of arithmetic, comparisons, selections */
  WORK_DEAR,   /* of functions such as sin and pow */
  WORK_REDUCE, /* added up, counted, accumulated */
  WORK_ORDER,  /* sorted: median, quantiles */
  WORK_KINDS
};

struct device_speeds {
  double to_device, to_host;                  /* bytes a second */
  double launch;                              /* seconds of an empty one */
  double device[WORK_KINDS], cpu[WORK_KINDS]; /* seconds a value: of all the device, of one thread */
};

/* Without any measurement. */
extern const double rough_cpu[WORK_KINDS];

/* Adds the values of one lane, by kind. */
void kernel_work(const struct kernel *kernel, double *values);
/* The file's, else measured. */
int device_speeds(struct device *device, struct device_speeds *out, struct error *error);

#endif
