/* A Dirac operator's parts on a device: hops, and the clover term's matrices; with the CPU's bits (fermion_field.h).
 * Thread rule: as struct science, of which one thread at a time orders. */
#ifndef TWINCUBE_PHYSICS_LATTICE_FERMION_DEVICE_H
#define TWINCUBE_PHYSICS_LATTICE_FERMION_DEVICE_H

#include "physics/lattice/fermion_field.h"
#include "physics/lattice/lattice_device.h"

struct fermion_device {
  struct lattice_device at;
  struct science_kernel hop, site;
  struct science_array links;
};

/* Copies the tables, and the links of hops, of the same type as all fields will be. Error FeatureUnsupported for more
 * than 3 colours. Release it with fermion_device_free, where this fails, too. */
int fermion_device_init(struct fermion_device *device, struct science *science, const struct fermion_shape *shape,
                        enum fermion_type type, const void *links, struct error *error);
void fermion_device_free(struct fermion_device *device);

/* As hop_task, on the blocks of a range, with which `out` and `base` begin. */
struct device_hop {
  const struct science_array *in, *base, *out; /* base NULL: 0 */
  size_t in_first;                             /* block with which `in` begins */
  struct block_range range;
  double factor;
};
int fermion_device_hop(struct fermion_device *device, const struct device_hop *hop, struct error *error);

/* As site_task, with spin, on the first `blocks` blocks of the arrays. */
struct device_site {
  const struct science_array *matrices, *x, *out;
  size_t blocks;
};
int fermion_device_site(struct fermion_device *device, const struct device_site *site, struct error *error);

#endif
