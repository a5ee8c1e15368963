/* Bytes to a descriptor, all of them. */
#ifndef TWINCUBE_DATACUBE_BASE_WRITE_FULLY_H
#define TWINCUBE_DATACUBE_BASE_WRITE_FULLY_H

#include <stddef.h>

/* Goes on where a write took a part, or was interrupted. -1 with errno: not all of it is written. */
int write_fully(int fd, const void *bytes, size_t length);

#endif
