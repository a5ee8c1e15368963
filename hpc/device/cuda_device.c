/* Devices by the CUDA driver. A queue is a stream; the primary context of a device is shared by all its queues, and set
 * by each call, for workers move between threads. */
#include "hpc/device/device.h"

#include "hpc/device/cuda_driver.h"

#include <stdlib.h>
#include <string.h>

struct cuda_device {
  struct device device;
  struct cuda_driver driver;
  int handle;
  void *context;
};

struct cuda_queue {
  struct device_queue queue;
  void *stream, *event;
};

static struct cuda_device *cuda_of(struct device *device)
{
  return (struct cuda_device *)device; /* its first member */
}

static struct cuda_device *device_of(struct device_queue *queue)
{
  return cuda_of(queue->device);
}

static void *stream_of(struct device_queue *queue)
{
  return ((struct cuda_queue *)queue)->stream;
}

/* What fails for want of memory may go well another time; any other failure is the device's end. */
static int check(struct cuda_device *cuda, int status, const char *what, struct error *error)
{
  if (status != 0 && status != CUDA_OUT_OF_MEMORY)
    atomic_store(&cuda->device.lost, true);
  return cuda_check(&cuda->driver, status, what, error);
}

static int enter(struct cuda_device *cuda, struct error *error)
{
  if (atomic_load(&cuda->device.lost))
    return error_set(error, ERROR_Internal, "the device has failed before");
  return check(cuda, cuda->driver.context_set(cuda->context), "the device's context", error);
}

/* For what is given back, also of a lost device. */
static void enter_anyway(struct cuda_device *cuda)
{
  cuda->driver.context_set(cuda->context);
}

/* ---- the device -------------------------------------------------------------------------------------------------- */

static int cuda_open(struct device *device, size_t *available, struct error *error)
{
  struct cuda_device *cuda = cuda_of(device);
  size_t total;
  cuda->driver.context_flags(cuda->handle, CUDA_BLOCKING_SYNC);
  if (cuda_check(&cuda->driver, cuda->driver.context_retain(&cuda->context, cuda->handle), "the device does not open",
                 error) != 0)
    return -1;
  if (enter(cuda, error) == 0 &&
      check(cuda, cuda->driver.memory_info(available, &total), "the device's memory", error) == 0)
    return 0;
  cuda->driver.context_release(cuda->handle);
  return -1;
}

static void cuda_close(struct device *device)
{
  struct cuda_device *cuda = cuda_of(device);
  enter_anyway(cuda);
  cuda->driver.context_release(cuda->handle);
}

/* An image that this driver does not take is no failure of the device. */
static int cuda_load(struct device *device, const void *image, void **module, struct error *error)
{
  struct cuda_device *cuda = cuda_of(device);
  if (enter(cuda, error) != 0)
    return -1;
  return cuda_check(&cuda->driver, cuda->driver.module_load(module, image), "the kernels do not load", error);
}

static void cuda_unload(struct device *device, void *module)
{
  enter_anyway(cuda_of(device));
  cuda_of(device)->driver.module_unload(module);
}

static int cuda_function(struct device *device, void *module, const char *name, void **out, struct error *error)
{
  struct cuda_device *cuda = cuda_of(device);
  if (enter(cuda, error) != 0)
    return -1;
  return cuda_check(&cuda->driver, cuda->driver.function(out, module, name), name, error);
}

/* ---- queues ------------------------------------------------------------------------------------------------------ */

static void cuda_queue_free(struct device_queue *queue)
{
  struct cuda_device *cuda = device_of(queue);
  struct cuda_queue *own = (struct cuda_queue *)queue;
  enter_anyway(cuda);
  if (own->stream) {
    cuda->driver.stream_sync(own->stream);
    cuda->driver.stream_destroy(own->stream);
  }
  if (own->event)
    cuda->driver.event_destroy(own->event);
  free(own);
}

static int cuda_queue_new(struct device *device, struct device_queue **out, struct error *error)
{
  struct cuda_device *cuda = cuda_of(device);
  if (enter(cuda, error) != 0)
    return -1;
  struct cuda_queue *queue = calloc(1, sizeof *queue);
  if (!queue)
    return error_memory(error);
  queue->queue.device = device;
  if (check(cuda, cuda->driver.stream_create(&queue->stream, CUDA_STREAM_NON_BLOCKING), "a stream", error) == 0 &&
      check(cuda, cuda->driver.event_create(&queue->event, CUDA_EVENT_BLOCKING | CUDA_EVENT_NO_TIMING), "an event",
            error) == 0) {
    *out = &queue->queue;
    return 0;
  }
  cuda_queue_free(&queue->queue);
  return -1;
}

static int cuda_alloc(struct device *device, size_t bytes, uint64_t *out, struct error *error)
{
  struct cuda_device *cuda = cuda_of(device);
  return enter(cuda, error) == 0 ? check(cuda, cuda->driver.alloc(out, bytes), "memory of the device", error) : -1;
}

static void cuda_release(struct device *device, uint64_t address)
{
  enter_anyway(cuda_of(device));
  cuda_of(device)->driver.release(address);
}

static bool cuda_pin(struct device_queue *queue, void *data, size_t bytes)
{
  enter_anyway(device_of(queue));
  return device_of(queue)->driver.pin(data, bytes, 0) == 0;
}

static void cuda_unpin(struct device_queue *queue, void *data)
{
  enter_anyway(device_of(queue));
  device_of(queue)->driver.unpin(data);
}

static int cuda_to_device(struct device_queue *queue, uint64_t to, const void *from, size_t bytes, struct error *error)
{
  struct cuda_device *cuda = device_of(queue);
  if (enter(cuda, error) != 0)
    return -1;
  return check(cuda, cuda->driver.to_device(to, from, bytes, stream_of(queue)), "a copy to the device", error);
}

static int cuda_to_host(struct device_queue *queue, void *to, uint64_t from, size_t bytes, struct error *error)
{
  struct cuda_device *cuda = device_of(queue);
  if (enter(cuda, error) != 0)
    return -1;
  return check(cuda, cuda->driver.to_host(to, from, bytes, stream_of(queue)), "a copy from the device", error);
}

static int cuda_launch(struct device_queue *queue, void *function, const struct device_grid *grid, void **parameters,
                       struct error *error)
{
  struct cuda_device *cuda = device_of(queue);
  const unsigned *blocks = grid->blocks, *threads = grid->threads;
  if (enter(cuda, error) != 0)
    return -1;
  return check(cuda,
               cuda->driver.launch(function, blocks[0], blocks[1], blocks[2], threads[0], threads[1], threads[2],
                                   grid->shared_bytes, stream_of(queue), parameters, NULL),
               "a kernel", error);
}

static int cuda_mark(struct device_queue *queue, struct error *error)
{
  struct cuda_device *cuda = device_of(queue);
  if (enter(cuda, error) != 0)
    return -1;
  return check(cuda, cuda->driver.event_record(((struct cuda_queue *)queue)->event, stream_of(queue)), "an event",
               error);
}

static int cuda_await_mark(struct device_queue *queue, struct error *error)
{
  struct cuda_device *cuda = device_of(queue);
  if (enter(cuda, error) != 0)
    return -1;
  return check(cuda, cuda->driver.event_sync(((struct cuda_queue *)queue)->event), "waiting for a copy", error);
}

static int cuda_sync(struct device_queue *queue, struct error *error)
{
  struct cuda_device *cuda = device_of(queue);
  if (enter(cuda, error) != 0)
    return -1;
  return check(cuda, cuda->driver.stream_sync(stream_of(queue)), "waiting for the device", error);
}

static const struct device_ops cuda_ops = {.open = cuda_open,
                                           .close = cuda_close,
                                           .load = cuda_load,
                                           .unload = cuda_unload,
                                           .function = cuda_function,
                                           .queue_new = cuda_queue_new,
                                           .queue_free = cuda_queue_free,
                                           .alloc = cuda_alloc,
                                           .release = cuda_release,
                                           .pin = cuda_pin,
                                           .unpin = cuda_unpin,
                                           .to_device = cuda_to_device,
                                           .to_host = cuda_to_host,
                                           .launch = cuda_launch,
                                           .mark = cuda_mark,
                                           .await_mark = cuda_await_mark,
                                           .sync = cuda_sync};

/* ---- finding them ------------------------------------------------------------------------------------------------ */

static int find_facts(struct cuda_device *cuda, int number, struct error *error)
{
  struct device_facts *facts = &cuda->device.facts;
  const struct cuda_driver *driver = &cuda->driver;
  int major = 0, minor = 0;
  *facts = (struct device_facts){.number = number, .driver = driver->number};
  if (driver->get(&cuda->handle, number) == 0 && driver->name(facts->name, sizeof facts->name - 1, cuda->handle) == 0 &&
      driver->attribute(&major, CUDA_CAPABILITY_MAJOR, cuda->handle) == 0 &&
      driver->attribute(&minor, CUDA_CAPABILITY_MINOR, cuda->handle) == 0 &&
      driver->attribute(&facts->multiprocessors, CUDA_MULTIPROCESSORS, cuda->handle) == 0 &&
      driver->total_memory(&facts->memory, cuda->handle) == 0) {
    facts->architecture = 10 * major + minor;
    return 0;
  }
  return error_set(error, ERROR_FeatureUnsupported, "the CUDA driver does not tell what device %d is", number);
}

static int make_device(const struct cuda_driver *driver, int number, struct device **out, struct error *error)
{
  struct cuda_device *cuda = calloc(1, sizeof *cuda);
  if (!cuda)
    return error_memory(error);
  cuda->driver = *driver;
  cuda->device.ops = &cuda_ops;
  if (find_facts(cuda, number, error) != 0) {
    free(cuda);
    return -1;
  }
  pthread_mutex_init(&cuda->device.lock, NULL);
  *out = &cuda->device;
  return 0;
}

int cuda_devices(int number, struct device ***out, size_t *count, struct error *error)
{
  struct cuda_driver driver = {0};
  int found = 0;
  if (cuda_driver_open(&driver, error) != 0)
    return -1;
  if (driver.count(&found) != 0 || found < 1)
    return error_set(error, ERROR_FeatureUnsupported, "the CUDA driver has no device");
  if (number >= found)
    return error_set(error, ERROR_FeatureUnsupported, "there is no CUDA device %d; the last one is %d", number,
                     found - 1);
  const int first = number < 0 ? 0 : number, last = number < 0 ? found : number + 1;
  struct device **list = calloc((size_t)(last - first), sizeof(struct device *));
  if (!list)
    return error_memory(error);
  *count = 0;
  for (int i = first; i < last; i++)
    if (make_device(&driver, i, &list[*count], error) == 0)
      (*count)++;
    else
      break;
  *out = list;
  return *count == (size_t)(last - first) ? 0 : -1; /* the caller frees what is there */
}
