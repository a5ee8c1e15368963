/* A lattice's tables on a device, and how its kernels are made and launched: one thread a lane of a block, fields as
 * they lie on the host (lane_site.cu says why). What a device is and who may use it: science_kernel.h. */
#ifndef TWINCUBE_PHYSICS_LATTICE_LATTICE_DEVICE_H
#define TWINCUBE_PHYSICS_LATTICE_LATTICE_DEVICE_H

#include "hpc/device/science_kernel.h"
#include "physics/lattice/lattice.h"

enum { LATTICE_DEVICE_THREADS = 128 }; /* of a device's block */

struct lattice_device {
  struct science *science;                /* borrowed */
  const struct lattice *lattice;          /* borrowed */
  struct buffer text;                     /* of its kernels */
  struct science_array link, permutation; /* lattice.h's */
};

/* What a kernel's text is made for, defined before it. */
struct lattice_text {
  size_t colours, spins;    /* spins 0: links alone */
  const char *real;         /* "f64" or "f32" */
  const char *const *parts; /* texts, NULL behind the last */
};

/* Copies the tables. Release it with lattice_device_free, where this fails, too. */
int lattice_device_init(struct lattice_device *device, struct science *science, const struct lattice *lattice,
                        const struct lattice_text *text, struct error *error);
void lattice_device_free(struct lattice_device *device);

/* Kernel `name` of the text. */
int lattice_device_kernel(const struct lattice_device *device, const char *name, struct science_kernel *out,
                          struct error *error);

/* A new array with these bytes in it. */
int lattice_device_array(const struct lattice_device *device, const void *from, size_t bytes, struct science_array *out,
                         struct error *error);

/* Threads for the lanes of `blocks` blocks, for each of `axes`. */
int lattice_device_launch(const struct lattice_device *device, const struct science_kernel *kernel,
                          const size_t blocks_axes[2], void **parameters, struct error *error);

#endif
