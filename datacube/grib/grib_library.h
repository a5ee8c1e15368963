/* Calls into ecCodes, whose own checks would end the process, and which writes what it finds to standard error.
 *
 * It reads its tables from files when it first needs them, and is safe for threads where it is built so (Debian's is).
 * What it asserts and finds false ends the work at hand: whatever it had allocated then is lost, which is little beside
 * a process that is gone. */
#ifndef TWINCUBE_DATACUBE_GRIB_GRIB_LIBRARY_H
#define TWINCUBE_DATACUBE_GRIB_GRIB_LIBRARY_H

#include <stdbool.h>

struct grib_handle;

/* Calls work(data), in which this thread may use ecCodes, and returns what it does. False where an assertion of ecCodes
 * did not hold. Not one within another. */
bool grib_library_call(bool (*work)(void *data), void *data);

/* Values of a message's keys; NULL, or false, where it has no such key. */
const char *grib_text(struct grib_handle *handle, const char *key, char out[256]);
bool grib_integer(struct grib_handle *handle, const char *key, long *out);
bool grib_real(struct grib_handle *handle, const char *key, double *out);

#endif
