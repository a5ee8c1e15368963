/* What ecCodes has answered, for all files that this process reads: it takes milliseconds for each question, and the
 * files of a collection ask the same ones. A table behind a lock, as ecCodes' own are; what does not fit any more is
 * asked again. */
#ifndef TWINCUBE_DATACUBE_GRIB_GRIB_MEMORY_H
#define TWINCUBE_DATACUBE_GRIB_GRIB_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* The value of a key, whose size is always that of its kind. False where it is not known. Any thread. */
bool grib_recall(int kind, const void *key, size_t key_length, void *value, size_t value_length);
void grib_remember(int kind, const void *key, size_t key_length, const void *value, size_t value_length);

#endif
