#include "hpc/device/device_kernels.h"

#include "hpc/device/device_modules.h"

#include <stdio.h>

enum { NAME_ROOM = 24 };

static void name_of(size_t kernel, char out[NAME_ROOM])
{
  snprintf(out, NAME_ROOM, "k%zu", kernel);
}

static int write_text(const struct kernel *const *kernels, size_t count, struct device_kernel *out, struct buffer *text,
                      struct error *error)
{
  char name[NAME_ROOM];
  device_text_begin(text);
  for (size_t i = 0; i < count; i++) {
    name_of(i, name);
    if (device_text_kernel(kernels[i], name, text, &out[i].needs, error) != 0)
      return -1;
  }
  return 0;
}

static int find_functions(struct device *device, void *module, size_t count, struct device_kernel *out,
                          struct error *error)
{
  char name[NAME_ROOM];
  for (size_t i = 0; i < count; i++) {
    name_of(i, name);
    if (device->ops->function(device, module, name, &out[i].function, error) != 0)
      return -1;
  }
  return 0;
}

int device_kernels(struct device *device, const struct kernel *const *kernels, size_t count, struct device_kernel *out,
                   struct error *error)
{
  struct buffer text = {0};
  void *module;
  if (count > DEVICE_MODULE_KERNELS)
    return error_set(error, ERROR_FeatureUnsupported, "%zu kernels; a device's stage may have %d", count,
                     (int)DEVICE_MODULE_KERNELS);
  int status = write_text(kernels, count, out, &text, error);
  if (status == 0)
    status = device_module(device, &text, &module, error);
  if (status == 0)
    status = find_functions(device, module, count, out, error);
  buffer_free(&text);
  return status;
}
