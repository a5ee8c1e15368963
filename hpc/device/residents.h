/* Data of the host of which a copy stays on the devices that read it, made once a device at the first use there.
 *
 * Copies take at most half of what may be used of a device's memory: the rest is for what is computed. What has no room
 * is copied by those who read it, part by part. Any thread may call. */
#ifndef TWINCUBE_HPC_DEVICE_RESIDENTS_H
#define TWINCUBE_HPC_DEVICE_RESIDENTS_H

#include "hpc/device/device.h"

struct residents;

struct resident { /* what is to stay */
  size_t number;  /* below the count; the same data have the same number */
  const void *data;
  size_t bytes;
};

int residents_new(size_t count, struct residents **out, struct error *error);
void residents_free(struct residents *residents); /* nothing that reads them is under way; NULL is allowed */
/* Address on the queue's device, whole for all that is ordered from now on; 0: there is none. */
uint64_t residents_find(struct residents *residents, struct device_queue *queue, const struct resident *resident);
void residents_forget(struct residents *residents, size_t number); /* before the data go or change; likewise */

/* Whether so many bytes have room on the device, which is open. */
bool resident_fits(const struct device *device, size_t bytes);

#endif
