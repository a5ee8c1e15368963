/* Kernels as functions of a device. */
#ifndef TWINCUBE_HPC_DEVICE_DEVICE_KERNELS_H
#define TWINCUBE_HPC_DEVICE_DEVICE_KERNELS_H

#include "hpc/device/device.h"

struct device_kernel {
  void *function;
  struct device_launch needs;
};

enum { DEVICE_MODULE_KERNELS = 256 }; /* of one call, at most */

/* out[i] is kernels[i], for as long as the device is open. Waits where another thread compiles the same text. Error
 * FeatureUnsupported for what a device does not run. */
int device_kernels(struct device *device, const struct kernel *const *kernels, size_t count, struct device_kernel *out,
                   struct error *error);

#endif
