/* The devices of a process: found at the first question, each opened at its first use. */
#include "hpc/device/device.h"

#include "datacube/base/logger.h"
#include "hpc/device/device_compiler.h"
#include "hpc/device/device_modules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct devices {
  struct device_options options;
  char *folder, *beside; /* the options' */
  pthread_mutex_t lock;
  bool searched; /* under `lock` until it is true, as what follows */
  struct error why;
  struct device **list;
  size_t count;
  struct device_compiler compiler;
  atomic_size_t next; /* device; of several processes, each begins with another */
};

int device_choice_read(const char *text, struct device_options *out)
{
  static const char cuda[] = "cuda:";
  char *end;
  out->number = -1;
  out->kind = strcmp(text, "cpu") == 0 ? DEVICE_CPU : strcmp(text, "auto") == 0 ? DEVICE_AUTO : DEVICE_CUDA;
  if (out->kind != DEVICE_CUDA || strcmp(text, "cuda") == 0)
    return 0;
  if (strncmp(text, cuda, strlen(cuda)) != 0 || text[strlen(cuda)] < '0' || text[strlen(cuda)] > '9')
    return -1;
  const long number = strtol(text + strlen(cuda), &end, 10);
  out->number = (int)number;
  return *end == '\0' && number < 1024 ? 0 : -1;
}

/* ---- launches ---------------------------------------------------------------------------------------------------- */

enum { THREADS = 128, SHARING = 32, BLOCKS_EACH = 32, FEW_EACH = 512, MOST_PARTS = 16, SHARED_MOST = 32 * 1024 };
static const size_t scratch_most = (size_t)256 << 20;

/* Few lanes with long arrays: several threads a lane, as far as their shared memory goes. */
static unsigned parts_of(const struct device *device, const struct device_launch *needs, uint64_t lanes)
{
  unsigned parts = 1;
  if (lanes >= (uint64_t)device->facts.multiprocessors * FEW_EACH)
    return 1;
  while (2 * parts <= needs->parts && 2 * parts <= MOST_PARTS &&
         2 * parts * SHARING * needs->shared_bytes <= SHARED_MOST)
    parts *= 2;
  return parts;
}

struct device_shape device_shape(const struct device *device, const struct device_launch *needs, uint64_t lanes)
{
  struct device_shape shape = {.parts = parts_of(device, needs, lanes)};
  shape.threads = shape.parts > 1 ? SHARING : THREADS;
  const uint64_t most = (uint64_t)device->facts.multiprocessors * BLOCKS_EACH;
  uint64_t blocks = (lanes + shape.threads - 1) / shape.threads;
  const size_t each = needs->scratch_bytes * shape.threads * shape.parts;
  blocks = blocks > most ? most : blocks;
  if (each > 0 && blocks > scratch_most / each)
    blocks = scratch_most / each;
  shape.blocks = blocks > 0 ? (unsigned)blocks : 1;
  shape.shared_bytes = shape.parts > 1 ? (unsigned)(shape.threads * shape.parts * needs->shared_bytes)
                                       : (unsigned)(shape.threads * needs->tile_bytes + needs->tile_edge);
  shape.scratch_bytes = shape.blocks * each;
  return shape;
}

int device_run(struct device_queue *queue, const struct device_run *run, struct error *error)
{
  struct device_run own = *run;
  void *parameters[] = {&own.bases,    &own.out,      &own.offsets,  &own.strides,
                        &own.lanes[0], &own.lanes[1], &own.lanes[2], &own.scratch};
  const struct device_grid grid = {.blocks = {run->shape.blocks, 1, 1},
                                   .threads = {run->shape.threads, run->shape.parts, 1},
                                   .shared_bytes = run->shape.shared_bytes};
  return queue->device->ops->launch(queue, run->function, &grid, parameters, error);
}

/* ---- one --------------------------------------------------------------------------------------------------------- */

static int open_once(struct device *device, struct error *error)
{
  size_t available = 0;
  if (device->opened)
    return 0;
  if (error_is_set(&device->refused)) {
    *error = device->refused;
    return -1;
  }
  if (device->ops->open(device, &available, error) != 0) {
    device->refused = *error;
    return -1;
  }
  const size_t wanted = device->all->options.memory;
  device->limit = wanted ? wanted : available / 5 * 4;
  device->opened = true;
  return 0;
}

int device_open(struct device *device, struct error *error)
{
  if (atomic_load(&device->lost))
    return error_set(error, ERROR_Internal, "the device has failed before");
  pthread_mutex_lock(&device->lock);
  const int status = open_once(device, error);
  pthread_mutex_unlock(&device->lock);
  return status;
}

int device_alloc(struct device *device, size_t bytes, uint64_t *out, struct error *error)
{
  const size_t before = atomic_fetch_add(&device->used, bytes);
  if (before > device->limit || bytes > device->limit - before) {
    atomic_fetch_sub(&device->used, bytes);
    return error_set(error, ERROR_ProcessGraphComplexity,
                     "%zu bytes more do not fit the %zu bytes that may be used of the device's memory", bytes,
                     device->limit);
  }
  if (device->ops->alloc(device, bytes ? bytes : 1, out, error) == 0)
    return 0;
  atomic_fetch_sub(&device->used, bytes);
  return -1;
}

void device_release(struct device *device, uint64_t address, size_t bytes)
{
  device->ops->release(device, address);
  atomic_fetch_sub(&device->used, bytes);
}

void device_complain(struct device *device, const struct error *error)
{
  if (!atomic_exchange(&device->told, true))
    log_message(LOG_WARNING, "%s: %s; the CPU goes on", device->facts.name, error->message);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

int devices_new(const struct device_options *options, struct devices **out, struct error *error)
{
  struct devices *devices = calloc(1, sizeof *devices);
  if (!devices)
    return error_memory(error);
  devices->options = *options;
  pthread_mutex_init(&devices->lock, NULL);
  atomic_init(&devices->next, (size_t)getpid());
  devices->options.folder = devices->folder = options->folder ? strdup(options->folder) : NULL;
  devices->options.beside = devices->beside = options->beside ? strdup(options->beside) : NULL;
  if (!devices->folder != !options->folder || !devices->beside != !options->beside) {
    devices_free(devices);
    return error_memory(error);
  }
  *out = devices;
  return 0;
}

void devices_free(struct devices *devices)
{
  for (size_t i = 0; devices && i < devices->count; i++) {
    struct device *device = devices->list[i];
    device_modules_free(device);
    if (device->opened)
      device->ops->close(device);
    pthread_mutex_destroy(&device->lock);
    free(device);
  }
  if (devices) {
    free(devices->list);
    free(devices->folder);
    free(devices->beside);
    pthread_mutex_destroy(&devices->lock);
  }
  free(devices);
}

const struct device_options *devices_options(const struct devices *devices)
{
  return &devices->options;
}

static void search(struct devices *devices)
{
  if (devices->options.kind == DEVICE_CPU) {
    error_set(&devices->why, ERROR_FeatureUnsupported, "the CPU alone is to be used");
    return;
  }
  if (cuda_devices(devices->options.number, &devices->list, &devices->count, &devices->why) != 0)
    return;
  for (size_t i = 0; i < devices->count; i++)
    devices->list[i]->all = devices;
  device_compiler_open(NULL, &devices->compiler, &devices->why);
}

static void search_once(struct devices *devices)
{
  pthread_mutex_lock(&devices->lock);
  if (!devices->searched)
    search(devices);
  devices->searched = true;
  pthread_mutex_unlock(&devices->lock);
}

size_t devices_count(struct devices *devices, struct error *why)
{
  search_once(devices);
  *why = devices->why;
  return error_is_set(why) ? 0 : devices->count;
}

struct device *devices_at(struct devices *devices, size_t index)
{
  search_once(devices);
  return index < devices->count ? devices->list[index] : NULL;
}

struct device *devices_next(struct devices *devices)
{
  struct error why = {0};
  const size_t count = devices_count(devices, &why);
  for (size_t tries = 0; tries < count; tries++) {
    struct device *device = devices->list[atomic_fetch_add(&devices->next, 1) % count];
    if (!atomic_load(&device->lost))
      return device;
  }
  return NULL;
}

const struct device_compiler *devices_compiler(const struct devices *devices)
{
  return &devices->compiler;
}
