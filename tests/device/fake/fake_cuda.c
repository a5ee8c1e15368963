/* The CUDA driver of the tests: devices, streams, events and modules. */
#include "fake_device.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define API __attribute__((visibility("default")))
/* As the program declares them. */
#define CUDA(name, symbol, parameters) API int symbol parameters;
#include "hpc/device/cuda_functions.def"
#undef CUDA

enum { MOST_CALLS = 64, NO_DEVICE = 100, BAD_CONTEXT = 201, NOT_FOUND = 500, NO_BINARY = 209 };

enum order_kind { TO_DEVICE, TO_HOST, LAUNCH };

struct order {
  struct order *next;
  enum order_kind kind;
  uint64_t device;
  void *host;     /* pinned, or a copy of what was there */
  bool owns_host; /* the copy */
  size_t bytes;
  struct fake_launch launch;
};

struct stream {
  int device;
  struct order *first, **last;
  size_t ordered, done;
  struct stream *next;
};

struct event {
  struct stream *stream; /* NULL: never recorded */
  size_t place;          /* what was ordered before it */
};

struct module {
  void *library;
  int fd; /* open, or the next one has its name and dlopen takes it for the same */
  struct fake_grid *grid;
  bool barriers;
};

struct function {
  struct function *next;
  const struct module *module;
  const struct fake_function *symbol;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int contexts[FAKE_DEVICES]; /* how often each is held */
static _Thread_local int current = -1;
static bool lost[FAKE_DEVICES];
static size_t launches[FAKE_DEVICES], copies[FAKE_DEVICES], copied[FAKE_DEVICES], objects;
static struct stream *streams;
static struct function *functions;
static struct {
  char name[48];
  size_t calls;
} counted[MOST_CALLS];

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static size_t count_call(const char *name)
{
  size_t i = 0;
  while (counted[i].name[0] && strcmp(counted[i].name, name) != 0)
    i++;
  snprintf(counted[i].name, sizeof counted[i].name, "%s", name);
  return ++counted[i].calls;
}

/* The error that the surroundings want of this call, or 0. */
static int injected(const char *name)
{
  const size_t calls = count_call(name), length = strlen(name);
  const char *at = getenv("TWINCUBE_FAKE_FAIL");
  for (; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    char *end;
    if (strncmp(at, name, length) != 0 || at[length] != ':' || strtoull(at + length + 1, &end, 10) != calls)
      continue;
    return *end == ':' ? (int)strtol(end + 1, NULL, 10) : FAKE_LOST;
  }
  return 0;
}

/* Takes the lock. Whether the call may go on: a context is current, nothing was lost, no error is wanted. */
static int enter(const char *name)
{
  pthread_mutex_lock(&lock);
  if (current < 0 || contexts[current] == 0)
    return BAD_CONTEXT;
  if (lost[current])
    return FAKE_LOST;
  const int wanted = injected(name);
  lost[current] = wanted != 0 && wanted != FAKE_OUT_OF_MEMORY;
  return wanted;
}

static int leave(int status)
{
  pthread_mutex_unlock(&lock);
  return status;
}

static void report(void)
{
  const char *path = getenv("TWINCUBE_FAKE_REPORT");
  FILE *file = path ? fopen(path, "we") : NULL;
  size_t held = objects + fake_left_behind();
  for (int d = 0; file && d < FAKE_DEVICES; d++) {
    fprintf(file, "launches:%d %zu\ncopies:%d %zu\ncopied:%d %zu\nmost_memory:%d %zu\n", d, launches[d], d, copies[d],
            d, copied[d], d, fake_used(d, true));
    held += (size_t)contexts[d];
  }
  if (file) {
    fprintf(file, "left_behind %zu\n", held);
    fclose(file);
  }
}

/* ---- devices ----------------------------------------------------------------------------------------------------- */

static int device_count(void)
{
  const char *text = getenv("TWINCUBE_FAKE_DEVICES");
  return text ? (int)strtol(text, NULL, 10) : 1;
}

API int cuInit(unsigned flags)
{
  static bool reports;
  if (!reports)
    atexit(report);
  reports = true;
  return flags == 0 ? (device_count() > 0 ? injected("cuInit") : NO_DEVICE) : FAKE_INVALID;
}

API int cuDriverGetVersion(int *out)
{
  *out = 12040;
  return 0;
}

API int cuGetErrorString(int status, const char **out)
{
  *out = status == FAKE_OUT_OF_MEMORY ? "out of memory"
         : status == NO_DEVICE        ? "no CUDA-capable device is detected"
         : status == FAKE_LOST        ? "unspecified launch failure"
                                      : "an error of the fake device";
  return 0;
}

API int cuDeviceGetCount(int *out)
{
  *out = device_count();
  return 0;
}

API int cuDeviceGet(int *out, int number)
{
  *out = number;
  return number >= 0 && number < device_count() ? 0 : 101;
}

API int cuDeviceGetName(char *out, int room, int device)
{
  snprintf(out, (size_t)room, "Fake %d", device);
  return 0;
}

API int cuDeviceGetAttribute(int *out, int attribute, int device)
{
  (void)device;
  *out = attribute == 75 ? 8 : attribute == 76 ? 0 : attribute == 16 ? 2 : -1;
  return *out < 0 ? FAKE_INVALID : 0;
}

API int cuDeviceTotalMem_v2(size_t *out, int device)
{
  (void)device;
  *out = fake_memory_size();
  return 0;
}

API int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags)
{
  (void)device, (void)flags;
  return 0;
}

API int cuDevicePrimaryCtxRetain(void **out, int device)
{
  pthread_mutex_lock(&lock);
  const int wanted = injected("cuDevicePrimaryCtxRetain");
  if (wanted == 0)
    contexts[device]++;
  *out = (void *)(uintptr_t)(device + 1);
  return leave(wanted);
}

API int cuDevicePrimaryCtxRelease_v2(int device)
{
  pthread_mutex_lock(&lock);
  contexts[device]--;
  return leave(0);
}

API int cuCtxSetCurrent(void *context)
{
  current = (int)(uintptr_t)context - 1;
  return current >= 0 && contexts[current] > 0 ? 0 : BAD_CONTEXT;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

API int cuMemGetInfo_v2(size_t *available, size_t *total)
{
  const int status = enter("cuMemGetInfo_v2");
  *total = fake_memory_size();
  *available = status == 0 ? *total - fake_used(current, false) : 0;
  return leave(status);
}

API int cuMemAlloc_v2(uint64_t *out, size_t bytes)
{
  int status = enter("cuMemAlloc_v2");
  *out = status == 0 ? fake_alloc(current, bytes) : 0;
  return leave(status == 0 && *out == 0 ? FAKE_OUT_OF_MEMORY : status);
}

static void refuse_in_use(const struct order *order, uint64_t address, const void *host)
{
  const bool is_copy = order->kind != LAUNCH;
  if (is_copy && host && order->host == host && !order->owns_host)
    fake_fail("memory of the host is let go while a copy of it is under way");
  if (is_copy && address && order->device == address)
    fake_fail("memory of the device is freed while a copy of it is under way");
  for (size_t i = 0; !is_copy && address && i < order->launch.function->count; i++)
    if (order->launch.function->parameters[i].is_pointer && order->launch.values[i].address == address)
      fake_fail("memory of the device is freed while a kernel may use it");
}

static void refuse_if_used(uint64_t address, const void *host)
{
  for (const struct stream *stream = streams; stream; stream = stream->next)
    for (const struct order *order = lost[stream->device] ? NULL : stream->first; order; order = order->next)
      refuse_in_use(order, address, host);
}

API int cuMemFree_v2(uint64_t address)
{
  pthread_mutex_lock(&lock);
  refuse_if_used(address, NULL);
  fake_free(address);
  return leave(0);
}

API int cuMemHostRegister_v2(void *data, size_t bytes, unsigned flags)
{
  const int status = enter("cuMemHostRegister_v2");
  (void)flags;
  return leave(status ? status : fake_pin(data, bytes) ? 0 : FAKE_INVALID);
}

API int cuMemHostUnregister(void *data)
{
  pthread_mutex_lock(&lock);
  refuse_if_used(0, data);
  return leave(fake_unpin(data) ? 0 : FAKE_INVALID);
}

/* ---- streams ----------------------------------------------------------------------------------------------------- */

static void do_order(struct order *order, int device)
{
  if (order->kind == LAUNCH) {
    fake_run(&order->launch);
  } else {
    if (fake_device_of(order->device, order->bytes) != device)
      fake_fail("a copy by another device's stream");
    void *const memory = (void *)(uintptr_t)order->device;
    memcpy(order->kind == TO_DEVICE ? memory : order->host, order->kind == TO_DEVICE ? order->host : memory,
           order->bytes);
    copies[device]++;
    copied[device] += order->bytes;
  }
  if (order->owns_host)
    free(order->host);
  free(order);
}

static void run_until(struct stream *stream, size_t place)
{
  while (stream->done < place) {
    struct order *order = stream->first;
    stream->first = order->next;
    if (!stream->first)
      stream->last = &stream->first;
    stream->done++;
    do_order(order, stream->device);
  }
}

static void add(struct stream *stream, const struct order *order)
{
  struct order *own = malloc(sizeof *own);
  if (!own)
    fake_fail("no memory");
  if (stream->device != current)
    fake_fail("a stream of device %d in the context of device %d", stream->device, current);
  *own = *order;
  own->next = NULL;
  *stream->last = own;
  stream->last = &own->next;
  stream->ordered++;
}

/* What is not pinned is read at once; so it is by the driver. */
API int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream)
{
  const int status = enter("cuMemcpyHtoDAsync_v2");
  struct order order = {.kind = TO_DEVICE, .device = to, .host = (void *)(uintptr_t)from, .bytes = bytes};
  if (status != 0)
    return leave(status);
  fake_device_of(to, bytes);
  if (!fake_is_pinned(from, bytes)) {
    order.host = malloc(bytes);
    order.owns_host = true;
    memcpy(order.host, from, bytes);
  }
  add(stream, &order);
  return leave(0);
}

API int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream)
{
  const int status = enter("cuMemcpyDtoHAsync_v2");
  struct stream *own = stream;
  if (status != 0)
    return leave(status);
  fake_device_of(from, bytes);
  add(own, &(struct order){.kind = TO_HOST, .device = from, .host = to, .bytes = bytes});
  if (!fake_is_pinned(to, bytes))
    run_until(own, own->ordered);
  return leave(0);
}

API int cuStreamCreate(void **out, unsigned flags)
{
  const int status = enter("cuStreamCreate");
  struct stream *stream = calloc(1, sizeof *stream);
  (void)flags;
  if (status != 0 || !stream) {
    free(stream);
    return leave(status ? status : FAKE_OUT_OF_MEMORY);
  }
  *stream = (struct stream){.device = current, .next = streams};
  stream->last = &stream->first;
  streams = stream;
  objects++;
  *out = stream;
  return leave(0);
}

API int cuStreamSynchronize(void *stream)
{
  const int status = enter("cuStreamSynchronize");
  if (status == 0)
    run_until(stream, ((struct stream *)stream)->ordered);
  return leave(status);
}

API int cuStreamDestroy_v2(void *stream)
{
  pthread_mutex_lock(&lock);
  struct stream **at = &streams, *own = stream;
  if (!lost[own->device] && own->first)
    fake_fail("a stream ends with work that nobody waited for");
  while (*at != own)
    at = &(*at)->next;
  *at = own->next;
  objects--;
  free(own); /* orders of a lost device are forgotten */
  return leave(0);
}

API int cuEventCreate(void **out, unsigned flags)
{
  const int status = enter("cuEventCreate");
  (void)flags;
  *out = status == 0 ? calloc(1, sizeof(struct event)) : NULL;
  objects += *out != NULL;
  return leave(status);
}

API int cuEventDestroy_v2(void *event)
{
  pthread_mutex_lock(&lock);
  objects--;
  free(event);
  return leave(0);
}

API int cuEventRecord(void *event, void *stream)
{
  const int status = enter("cuEventRecord");
  if (status == 0)
    *(struct event *)event = (struct event){stream, ((struct stream *)stream)->ordered};
  return leave(status);
}

API int cuEventSynchronize(void *event)
{
  const int status = enter("cuEventSynchronize");
  const struct event *own = event;
  if (status == 0 && own->stream)
    run_until(own->stream, own->place);
  return leave(status);
}

/* ---- modules ----------------------------------------------------------------------------------------------------- */

static void *open_library(const void *bytes, size_t count, int *out)
{
  char path[64];
  const int fd = *out = memfd_create("kernels", MFD_CLOEXEC);
  if (fd < 0 || write(fd, bytes, count) != (ssize_t)count)
    return NULL;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  return library;
}

API int cuModuleLoadData(void **out, const void *image)
{
  const int status = enter("cuModuleLoadData");
  const struct fake_image *head = image;
  if (status != 0)
    return leave(status);
  if (memcmp(head->magic, "FAKEDEV", sizeof head->magic) != 0)
    return leave(NO_BINARY);
  struct module *module = calloc(1, sizeof *module);
  module->library = open_library((const char *)image + sizeof *head, head->bytes, &module->fd);
  if (!module->library)
    fake_fail("a module does not open: %s", dlerror());
  module->grid = dlsym(module->library, "fake_grid_of_module");
  module->barriers = head->barriers;
  objects++;
  *out = module;
  return leave(0);
}

API int cuModuleUnload(void *module)
{
  pthread_mutex_lock(&lock);
  struct module *own = module;
  for (struct function **at = &functions; *at;) {
    struct function *function = *at;
    if (function->module == own) {
      *at = function->next;
      free(function);
    } else
      at = &function->next;
  }
  dlclose(own->library);
  close(own->fd);
  free(own);
  objects--;
  return leave(0);
}

API int cuModuleGetFunction(void **out, void *module, const char *name)
{
  const int status = enter("cuModuleGetFunction");
  struct function *function = calloc(1, sizeof *function);
  char symbol[128];
  if (status != 0 || !function) {
    free(function);
    return leave(status);
  }
  snprintf(symbol, sizeof symbol, "fake_%s", name);
  *function = (struct function){functions, module, dlsym(((struct module *)module)->library, symbol)};
  functions = function;
  *out = function;
  return leave(function->symbol ? 0 : NOT_FOUND);
}

/* Pointers are the device's own, or NULL. */
static void take_values(struct fake_launch *launch, void **parameters, int device)
{
  for (size_t i = 0; i < launch->function->count; i++) {
    const struct fake_parameter *parameter = &launch->function->parameters[i];
    memcpy(launch->values[i].bytes, parameters[i], parameter->bytes);
    if (parameter->is_pointer && launch->values[i].address && fake_device_of(launch->values[i].address, 1) != device)
      fake_fail("argument %zu of a kernel lies on another device", i);
  }
}

API int cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                       unsigned block_y, unsigned block_z, unsigned shared_bytes, void *stream, void **parameters,
                       void **extra)
{
  const int status = enter("cuLaunchKernel");
  const struct function *own = function;
  struct order order = {.kind = LAUNCH};
  if (status != 0)
    return leave(status);
  if (extra || shared_bytes > FAKE_SHARED)
    fake_fail("a launch with extra arguments, or %u bytes of shared memory", shared_bytes);
  order.launch.function = own->symbol;
  order.launch.grid = own->module->grid;
  order.launch.barriers = own->module->barriers && (shared_bytes > 0 || order.launch.function->waits);
  order.launch.blocks = (struct fake_index){grid_x, grid_y, grid_z};
  order.launch.threads = (struct fake_index){block_x, block_y, block_z};
  take_values(&order.launch, parameters, current);
  launches[current]++;
  add(stream, &order);
  return leave(0);
}
