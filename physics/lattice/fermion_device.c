/* Launches of fermion_hop.cu. See fermion_device.h. */
#include "physics/lattice/fermion_device.h"

extern const char fermion_hop_cu[];

static size_t link_reals(const struct fermion_shape *shape)
{
  return shape->lattice->blocks * 2 * shape->lattice->dimensions * shape->colours * shape->colours * 2 * LATTICE_LANES;
}

int fermion_device_init(struct fermion_device *d, struct science *science, const struct fermion_shape *shape,
                        enum fermion_type type, const void *links, struct error *error)
{
  const char *const parts[] = {fermion_hop_cu, NULL};
  const struct lattice_text text = {
      .colours = shape->colours, .spins = shape->spins, .real = type == FERMION_F32 ? "f32" : "f64", .parts = parts};
  *d = (struct fermion_device){0};
  if (shape->colours > 3) {
    return error_set(error, ERROR_FeatureUnsupported, "quarks of %zu colours stay on the CPU", shape->colours);
  }
  if (lattice_device_init(&d->at, science, shape->lattice, &text, error) != 0 ||
      lattice_device_kernel(&d->at, "fermion_hop", &d->hop, error) != 0 ||
      lattice_device_kernel(&d->at, "fermion_site", &d->site, error) != 0) {
    return -1;
  }
  return lattice_device_array(&d->at, links, link_reals(shape) * fermion_real_bytes(type), &d->links, error);
}

void fermion_device_free(struct fermion_device *d)
{
  if (d->at.science != NULL) {
    science_array_free(d->at.science, &d->links);
  }
  lattice_device_free(&d->at);
}

int fermion_device_hop(struct fermion_device *d, const struct device_hop *hop, struct error *error)
{
  uint64_t in = hop->in->address, base = hop->base != NULL ? hop->base->address : 0, out = hop->out->address;
  double factor = hop->factor;
  uint32_t in_first = (uint32_t)hop->in_first, out_first = (uint32_t)hop->range.first;
  uint32_t blocks = (uint32_t)(hop->range.last - hop->range.first), has_base = hop->base != NULL;
  void *parameters[] = {&d->links.address,
                        &d->at.link.address,
                        &d->at.permutation.address,
                        &in,
                        &base,
                        &out,
                        &factor,
                        &in_first,
                        &out_first,
                        &blocks,
                        &has_base};
  return lattice_device_launch(&d->at, &d->hop, (const size_t[]){blocks, 1}, parameters, error);
}

int fermion_device_site(struct fermion_device *d, const struct device_site *site, struct error *error)
{
  uint64_t matrices = site->matrices->address, x = site->x->address, out = site->out->address;
  uint32_t blocks = (uint32_t)site->blocks;
  void *parameters[] = {&matrices, &x, &out, &blocks};
  return lattice_device_launch(&d->at, &d->site, (const size_t[]){blocks, 1}, parameters, error);
}
