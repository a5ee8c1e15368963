#include "hpc/device/residents.h"

#include <stdlib.h>

struct resident_copy { /* of one number on one device, in a list */
  struct resident_copy *next;
  struct device *device;
  uint64_t address; /* 0: it had no room, which is not tried again */
  size_t bytes;
};

struct residents {
  pthread_mutex_t lock;
  size_t count;
  struct resident_copy *copies[]; /* per number */
};

int residents_new(size_t count, struct residents **out, struct error *error)
{
  struct residents *residents = calloc(1, sizeof *residents + count * sizeof residents->copies[0]);
  if (!residents)
    return error_memory(error);
  pthread_mutex_init(&residents->lock, NULL);
  residents->count = count;
  *out = residents;
  return 0;
}

static void free_copy(struct resident_copy *copy)
{
  if (copy->address != 0) {
    device_release(copy->device, copy->address, copy->bytes);
    atomic_fetch_sub(&copy->device->resident, copy->bytes);
  }
  free(copy);
}

void residents_forget(struct residents *residents, size_t number)
{
  pthread_mutex_lock(&residents->lock);
  while (residents->copies[number]) {
    struct resident_copy *copy = residents->copies[number];
    residents->copies[number] = copy->next;
    free_copy(copy);
  }
  pthread_mutex_unlock(&residents->lock);
}

void residents_free(struct residents *residents)
{
  if (!residents)
    return;
  for (size_t number = 0; number < residents->count; number++)
    residents_forget(residents, number);
  pthread_mutex_destroy(&residents->lock);
  free(residents);
}

/* ---- copies ------------------------------------------------------------------------------------------------------ */

bool resident_fits(const struct device *device, size_t bytes)
{
  const size_t most = device->limit / 2, taken = atomic_load(&device->resident);
  return taken <= most && bytes <= most - taken;
}

/* Others may read it when this returns. */
static int upload(struct device_queue *queue, struct resident_copy *copy, const void *data, struct error *error)
{
  const struct device_ops *ops = copy->device->ops;
  if (device_alloc(copy->device, copy->bytes, &copy->address, error) != 0)
    return -1;
  if (ops->to_device(queue, copy->address, data, copy->bytes, error) == 0 && ops->sync(queue, error) == 0)
    return 0;
  device_release(copy->device, copy->address, copy->bytes);
  return -1;
}

static uint64_t add_copy(struct residents *residents, struct device_queue *queue, const struct resident *resident)
{
  struct error ignored = {0}; /* who reads goes on without, or meets the same on its way */
  struct resident_copy *copy = malloc(sizeof *copy);
  if (!copy)
    return 0;
  *copy = (struct resident_copy){residents->copies[resident->number], queue->device, 0, resident->bytes};
  if (!resident_fits(copy->device, copy->bytes) || upload(queue, copy, resident->data, &ignored) != 0)
    copy->address = 0;
  else
    atomic_fetch_add(&copy->device->resident, copy->bytes);
  residents->copies[resident->number] = copy;
  return copy->address;
}

uint64_t residents_find(struct residents *residents, struct device_queue *queue, const struct resident *resident)
{
  pthread_mutex_lock(&residents->lock);
  const struct resident_copy *copy = residents->copies[resident->number];
  while (copy && copy->device != queue->device)
    copy = copy->next;
  const uint64_t address = copy ? copy->address : add_copy(residents, queue, resident);
  pthread_mutex_unlock(&residents->lock);
  return address;
}
