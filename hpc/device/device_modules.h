/* Texts as modules of a device: compiled, or found on disk, and loaded; each text once a process. */
#ifndef TWINCUBE_HPC_DEVICE_DEVICE_MODULES_H
#define TWINCUBE_HPC_DEVICE_DEVICE_MODULES_H

#include "hpc/device/device.h"

/* For as long as the device is open; opens it. Waits where another thread compiles the same text. Error Internal with
 * the compiler's first lines, again and again for a text that it does not take. */
int device_module(struct device *device, const struct buffer *text, void **out, struct error *error);
void device_modules_free(struct device *device); /* before the device is closed */

#endif
