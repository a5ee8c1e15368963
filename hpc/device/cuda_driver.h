/* The CUDA driver (libcuda.so.1) as a table of functions, opened while the program runs. */
#ifndef TWINCUBE_HPC_DEVICE_CUDA_DRIVER_H
#define TWINCUBE_HPC_DEVICE_CUDA_DRIVER_H

#include "datacube/base/error.h"

#include <stddef.h>
#include <stdint.h>

enum cuda_constant { /* as the driver numbers them */
                     CUDA_OUT_OF_MEMORY = 2,
                     CUDA_NO_BINARY = 209,
                     CUDA_MULTIPROCESSORS = 16,
                     CUDA_CAPABILITY_MAJOR = 75,
                     CUDA_CAPABILITY_MINOR = 76,
                     CUDA_BLOCKING_SYNC = 4,       /* of contexts: a thread that waits leaves its core to others */
                     CUDA_STREAM_NON_BLOCKING = 1, /* beside the default stream */
                     CUDA_EVENT_BLOCKING = 1,
                     CUDA_EVENT_NO_TIMING = 2
};

struct cuda_driver {
#define CUDA(name, symbol, parameters) int(*name) parameters;
#include "hpc/device/cuda_functions.def"
#undef CUDA
  int number; /* version, 1000 * major + 10 * minor */
};

/* Opens and starts the driver. Not in a process that forks later. Error FeatureUnsupported with the reason. */
int cuda_driver_open(struct cuda_driver *out, struct error *error);
/* 0, or error Internal `what: reason`. */
int cuda_check(const struct cuda_driver *driver, int status, const char *what, struct error *error);

#endif
