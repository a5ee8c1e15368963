/* Speeds in a file of the devices' folder: a line `name value` each, for people to read. */
#ifndef TWINCUBE_HPC_DEVICE_SPEEDS_FILE_H
#define TWINCUBE_HPC_DEVICE_SPEEDS_FILE_H

#include "hpc/device/device_speeds.h"

/* false where there are none of this device and driver. */
bool speeds_file_read(const struct device *device, struct device_speeds *out);
void speeds_file_write(const struct device *device, const struct device_speeds *speeds);

#endif
