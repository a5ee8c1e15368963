#include "hpc/device/device_kernels.h"

#include "datacube/base/hash.h"
#include "hpc/device/device_compiler.h"
#include "hpc/device/kernel_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_ROOM = 24 };

struct device_module { /* functions of one text, in a list */
  struct device_module *next;
  struct hash text;
  struct error why; /* it has none; or "" */
  void *functions[];
};

static const struct device_module *find_module(const struct device *device, struct hash text)
{
  const struct device_module *module = device->modules;
  while (module && !hash_equal(module->text, text))
    module = module->next;
  return module;
}

static int write_text(const struct kernel *const *kernels, size_t count, struct device_kernel *out, struct buffer *text,
                      struct error *error)
{
  char name[NAME_ROOM];
  device_text_begin(text);
  for (size_t i = 0; i < count; i++) {
    snprintf(name, sizeof name, "k%zu", i);
    if (device_text_kernel(kernels[i], name, text, &out[i].needs, error) != 0)
      return -1;
  }
  return text->failed ? error_memory(error) : 0;
}

/* ---- images ------------------------------------------------------------------------------------------------------ */

static struct hash image_key(const struct device_compiler *compiler, struct device_target target, struct hash text)
{
  hash_word(&text, (uint64_t)compiler->major * 1000 + (uint64_t)compiler->minor);
  hash_word(&text, (uint64_t)target.architecture * 2 + target.portable);
  return text;
}

/* Compiled, or from the disk; then loaded. */
static int load_image(struct device *device, const struct buffer *text, struct hash hash, struct device_target target,
                      const char *const *names, size_t count, struct device_module *module, struct error *error)
{
  const struct device_compiler *compiler = devices_compiler(device->all);
  const char *parent = devices_options(device->all)->folder;
  const struct hash key = image_key(compiler, target, hash);
  struct buffer image = {0};
  char folder[1100];
  snprintf(folder, sizeof folder, "%.1000s/kernels", parent ? parent : "");
  int status = 0;
  const bool found = parent && kernel_cache_find(folder, key, &image);
  if (!found)
    status = device_compile(compiler, text->data, target, &image, error);
  if (status == 0)
    status = device->ops->load(device, image.data, names, count, module->functions, error);
  if (status == 0 && !found && parent) {
    mkdir(parent, 0700);
    kernel_cache_keep(folder, key, image.data, image.length);
  }
  buffer_free(&image);
  return status;
}

/* The device's own code where the compiler knows it; where it does not load (a driver older than the compiler), PTX. */
static int load_module(struct device *device, const struct buffer *text, struct hash hash, size_t count,
                       struct device_module *module, struct error *error)
{
  char rows[DEVICE_MODULE_KERNELS][NAME_ROOM];
  const char *names[DEVICE_MODULE_KERNELS];
  for (size_t i = 0; i < count; i++) {
    snprintf(rows[i], NAME_ROOM, "k%zu", i);
    names[i] = rows[i];
  }
  struct device_target target = device_compiler_target(devices_compiler(device->all), device->facts.architecture);
  struct error first = {0};
  if (load_image(device, text, hash, target, names, count, module, &first) == 0)
    return 0;
  if (target.portable || atomic_load(&device->lost)) {
    *error = first;
    return -1;
  }
  target.portable = true;
  return load_image(device, text, hash, target, names, count, module, error);
}

/* ---- modules ----------------------------------------------------------------------------------------------------- */

static int make_module(struct device *device, const struct buffer *text, struct hash hash, size_t count,
                       struct error *error)
{
  struct device_module *module = calloc(1, sizeof *module + count * sizeof module->functions[0]);
  if (!module)
    return error_memory(error);
  module->text = hash;
  load_module(device, text, hash, count, module, &module->why);
  module->next = device->modules;
  device->modules = module;
  return 0;
}

static int take_functions(struct device *device, const struct buffer *text, size_t count, struct device_kernel *out,
                          struct error *error)
{
  struct hash hash = {0, 0};
  hash_bytes(&hash, text->data, text->length);
  if (!find_module(device, hash) && make_module(device, text, hash, count, error) != 0)
    return -1;
  const struct device_module *module = find_module(device, hash);
  if (error_is_set(&module->why)) {
    *error = module->why;
    return -1;
  }
  for (size_t i = 0; i < count; i++)
    out[i].function = module->functions[i];
  return 0;
}

int device_kernels(struct device *device, const struct kernel *const *kernels, size_t count, struct device_kernel *out,
                   struct error *error)
{
  struct buffer text = {0};
  if (count > DEVICE_MODULE_KERNELS)
    return error_set(error, ERROR_FeatureUnsupported, "%zu kernels; a device's stage may have %d", count,
                     (int)DEVICE_MODULE_KERNELS);
  int status = device_open(device, error);
  if (status == 0)
    status = write_text(kernels, count, out, &text, error);
  if (status == 0) {
    pthread_mutex_lock(&device->lock);
    status = take_functions(device, &text, count, out, error);
    pthread_mutex_unlock(&device->lock);
  }
  buffer_free(&text);
  return status;
}

void device_kernels_free(struct device *device)
{
  while (device->modules) {
    struct device_module *module = device->modules;
    device->modules = module->next;
    free(module);
  }
}
