#include "hpc/device/device_modules.h"

#include "datacube/base/hash.h"
#include "hpc/device/device_compiler.h"
#include "hpc/device/kernel_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { KERNEL_FOLDER = 1100 };

struct device_module { /* of one text, in a list */
  struct device_module *next;
  struct hash text;
  void *handle;     /* the driver's */
  struct error why; /* there is none; or "" */
};

/* ---- images ------------------------------------------------------------------------------------------------------ */

static struct hash image_key(const struct device_compiler *compiler, struct device_target target, struct hash text)
{
  hash_word(&text, (uint64_t)compiler->major * 1000 + (uint64_t)compiler->minor);
  hash_word(&text, (uint64_t)target.architecture * 2 + target.portable);
  return text;
}

static bool find_image(const char *parent, struct hash key, struct buffer *image)
{
  char folder[KERNEL_FOLDER];
  snprintf(folder, sizeof folder, "%.1000s/kernels", parent ? parent : "");
  return parent && kernel_cache_find(folder, key, image);
}

static void keep_image(const char *parent, struct hash key, const struct buffer *image)
{
  char folder[KERNEL_FOLDER];
  if (!parent)
    return;
  mkdir(parent, 0700);
  snprintf(folder, sizeof folder, "%.1000s/kernels", parent);
  kernel_cache_keep(folder, key, image->data, image->length);
}

/* Compiled, or from the disk; then loaded. */
static int load_image(struct device *device, const struct buffer *text, struct device_target target,
                      struct device_module *module, struct error *error)
{
  const struct device_compiler *compiler = devices_compiler(device->all);
  const struct device_options *options = devices_options(device->all);
  const struct hash key = image_key(compiler, target, module->text);
  struct buffer image = {0};
  int status = 0;
  const bool found = find_image(options->folder, key, &image) || find_image(options->beside, key, &image);
  if (!found)
    status = device_compile(compiler, text->data, target, &image, error);
  if (status == 0)
    status = device->ops->load(device, image.data, &module->handle, error);
  if (status == 0 && !found)
    keep_image(options->folder, key, &image);
  buffer_free(&image);
  return status;
}

/* The device's own code where the compiler knows it; where it does not load (a driver older than the compiler), PTX. */
static int load_module(struct device *device, const struct buffer *text, struct device_module *module,
                       struct error *error)
{
  struct device_target target = device_compiler_target(devices_compiler(device->all), device->facts.architecture);
  struct error first = {0};
  if (load_image(device, text, target, module, &first) == 0)
    return 0;
  if (target.portable || atomic_load(&device->lost)) {
    *error = first;
    return -1;
  }
  target.portable = true;
  return load_image(device, text, target, module, error);
}

/* ---- modules ----------------------------------------------------------------------------------------------------- */

static const struct device_module *find_module(const struct device *device, struct hash text)
{
  const struct device_module *module = device->modules;
  while (module && !hash_equal(module->text, text))
    module = module->next;
  return module;
}

/* The list's. NULL: out of memory. */
static const struct device_module *add_module(struct device *device, const struct buffer *text, struct hash hash)
{
  struct device_module *module = calloc(1, sizeof *module);
  if (!module)
    return NULL;
  module->text = hash;
  if (load_module(device, text, module, &module->why) != 0)
    module->handle = NULL;
  module->next = device->modules;
  device->modules = module;
  return module;
}

int device_module(struct device *device, const struct buffer *text, void **out, struct error *error)
{
  struct hash hash = {0, 0};
  if (text->failed)
    return error_memory(error);
  if (device_open(device, error) != 0)
    return -1;
  hash_bytes(&hash, text->data, text->length);
  pthread_mutex_lock(&device->lock);
  const struct device_module *module = find_module(device, hash);
  module = module ? module : add_module(device, text, hash);
  pthread_mutex_unlock(&device->lock);
  if (!module)
    return error_memory(error);
  *out = module->handle;
  if (module->handle)
    return 0;
  *error = module->why;
  return -1;
}

void device_modules_free(struct device *device)
{
  while (device->modules) {
    struct device_module *module = device->modules;
    device->modules = module->next;
    if (module->handle)
      device->ops->unload(device, module->handle);
    free(module);
  }
}
