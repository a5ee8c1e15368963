/* Bytes as text of RFC 4648, section 4. */
#ifndef TWINCUBE_DATACUBE_BASE_BASE64_H
#define TWINCUBE_DATACUBE_BASE_BASE64_H

#include "datacube/base/buffer.h"

#include <stddef.h>

void base64_write(const unsigned char *bytes, size_t count, struct buffer *out);

/* Bytes that a text of that length stands for, at most. */
size_t base64_most(size_t length);
/* Reads a text, with or without its padding, into `out` with room for base64_most. The number of bytes; SIZE_MAX where
 * it is no such text. */
size_t base64_read(const char *text, size_t length, unsigned char *out);

#endif
