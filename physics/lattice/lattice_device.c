/* Tables, texts and launches. See lattice_device.h. */
#include "physics/lattice/lattice_device.h"

extern const char lane_site_cu[]; /* lane_site.cu */

static void write_text(struct buffer *out, const struct lattice *lattice, const struct lattice_text *text)
{
  buffer_printf(out, "#define DIMENSIONS %zu\n#define COLOURS %zu\n#define SPINS %zu\n#define REAL %s\n",
                lattice->dimensions, text->colours, text->spins, text->real);
  buffer_text(out, lane_site_cu);
  for (const char *const *part = text->parts; *part != NULL; part++) {
    buffer_text(out, *part);
  }
}

int lattice_device_init(struct lattice_device *device, struct science *science, const struct lattice *lattice,
                        const struct lattice_text *text, struct error *error)
{
  const size_t directions = 2 * lattice->dimensions;
  *device = (struct lattice_device){.science = science, .lattice = lattice};
  write_text(&device->text, lattice, text);
  if (device->text.failed) {
    return error_memory(error);
  }
  if (lattice_device_array(device, lattice->link, lattice->blocks * directions * sizeof *lattice->link, &device->link,
                           error) != 0) {
    return -1;
  }
  return lattice_device_array(device, lattice->permutation, directions * sizeof lattice->permutation[0],
                              &device->permutation, error);
}

void lattice_device_free(struct lattice_device *device)
{
  if (device->science != NULL) {
    science_array_free(device->science, &device->link);
    science_array_free(device->science, &device->permutation);
  }
  buffer_free(&device->text);
}

int lattice_device_kernel(const struct lattice_device *device, const char *name, struct science_kernel *out,
                          struct error *error)
{
  return science_kernel(device->science, device->text.data, name, out, error);
}

int lattice_device_array(const struct lattice_device *device, const void *from, size_t bytes, struct science_array *out,
                         struct error *error)
{
  return science_array_new(device->science, bytes, out, error) == 0
             ? science_put(device->science, out, from, bytes, error)
             : -1;
}

int lattice_device_launch(const struct lattice_device *device, const struct science_kernel *kernel,
                          const size_t blocks_axes[2], void **parameters, struct error *error)
{
  const size_t threads = blocks_axes[0] * LATTICE_LANES;
  const struct device_grid grid = {
      .blocks = {(unsigned)((threads + LATTICE_DEVICE_THREADS - 1) / LATTICE_DEVICE_THREADS), (unsigned)blocks_axes[1],
                 1},
      .threads = {LATTICE_DEVICE_THREADS, 1, 1}};
  return science_launch(device->science, kernel, &grid, parameters, error);
}
