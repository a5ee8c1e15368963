#include "hpc/device/science_kernel.h"

#include "hpc/device/device_modules.h"

#include <assert.h>
#include <stdlib.h>

struct science {
  struct device *device;
  struct device_queue *queue;
};

extern const char science_cu[]; /* science.cu */

int science_open(struct devices *devices, struct science **out, struct error *error)
{
  if (devices_count(devices, error) == 0)
    return -1;
  struct device *device = devices_next(devices);
  if (!device)
    return error_set(error, ERROR_FeatureUnsupported, "every device has failed before");
  struct science *science = calloc(1, sizeof *science);
  if (!science)
    return error_memory(error);
  science->device = device;
  if (device_open(device, error) == 0 && device->ops->queue_new(device, &science->queue, error) == 0) {
    *out = science;
    return 0;
  }
  free(science);
  return -1;
}

void science_close(struct science *science)
{
  struct error ignored = {0};
  if (!science)
    return;
  science->device->ops->sync(science->queue, &ignored);
  science->device->ops->queue_free(science->queue);
  free(science);
}

int science_kernel(struct science *science, const char *text, const char *name, struct science_kernel *out,
                   struct error *error)
{
  struct buffer module_text = {0};
  void *module;
  buffer_text(&module_text, science_cu);
  buffer_text(&module_text, text);
  const int status = device_module(science->device, &module_text, &module, error);
  buffer_free(&module_text);
  return status == 0 ? science->device->ops->function(science->device, module, name, &out->function, error) : -1;
}

/* ---- arrays ------------------------------------------------------------------------------------------------------ */

int science_array_new(struct science *science, size_t bytes, struct science_array *out, struct error *error)
{
  *out = (struct science_array){0};
  if (device_alloc(science->device, bytes, &out->address, error) != 0)
    return -1;
  out->bytes = bytes;
  return 0;
}

void science_array_free(struct science *science, struct science_array *array)
{
  struct error ignored = {0};
  if (array->address == 0)
    return;
  science->device->ops->sync(science->queue, &ignored);
  device_release(science->device, array->address, array->bytes);
  *array = (struct science_array){0};
}

int science_put(struct science *science, const struct science_array *array, const void *from, size_t bytes,
                struct error *error)
{
  assert(bytes <= array->bytes);
  return bytes > 0 ? science->device->ops->to_device(science->queue, array->address, from, bytes, error) : 0;
}

int science_take(struct science *science, const struct science_array *array, void *to, size_t bytes,
                 struct error *error)
{
  assert(bytes <= array->bytes);
  if (bytes > 0 && science->device->ops->to_host(science->queue, to, array->address, bytes, error) != 0)
    return -1;
  return science_wait(science, error);
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

int science_launch(struct science *science, const struct science_kernel *kernel, const struct device_grid *grid,
                   void **parameters, struct error *error)
{
  return science->device->ops->launch(science->queue, kernel->function, grid, parameters, error);
}

int science_wait(struct science *science, struct error *error)
{
  return science->device->ops->sync(science->queue, error);
}

void science_complain(struct science *science, const struct error *error)
{
  device_complain(science->device, error);
}

const struct device_facts *science_device(const struct science *science)
{
  return &science->device->facts;
}
