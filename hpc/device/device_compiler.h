/* The compiler of device kernels, NVRTC, opened while the program runs. */
#ifndef TWINCUBE_HPC_DEVICE_DEVICE_COMPILER_H
#define TWINCUBE_HPC_DEVICE_DEVICE_COMPILER_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

struct device_compiler {
#define NVRTC(name, symbol, parameters) int(*name) parameters;
#include "hpc/device/nvrtc_functions.def"
#undef NVRTC
  int major, minor; /* version */
  int newest;       /* architecture that it knows, as 90 */
};

/* path: of the library, or NULL: $TWINCUBE_NVRTC, else where systems have it. Error FeatureUnsupported. */
int device_compiler_open(const char *path, struct device_compiler *out, struct error *error);

struct device_target {
  int architecture; /* of the device, 10 * major + minor capability */
  bool portable;    /* PTX, which the driver translates, and not the device's own code */
};

/* What the compiler can make for a device of that architecture. */
struct device_target device_compiler_target(const struct device_compiler *compiler, int architecture);
/* Adds the image of a module, as cuModuleLoadData takes it. Error Internal with the compiler's first lines. */
int device_compile(const struct device_compiler *compiler, const char *text, struct device_target target,
                   struct buffer *out, struct error *error);

#endif
