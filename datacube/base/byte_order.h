/* Bytes of numbers of the other order. */
#ifndef TWINCUBE_DATACUBE_BASE_BYTE_ORDER_H
#define TWINCUBE_DATACUBE_BASE_BYTE_ORDER_H

#include <stddef.h>

/* Turns the bytes of each of `count` numbers of `size` bytes round, in place. */
static inline void bytes_turn(unsigned char *data, size_t count, size_t size)
{
  for (size_t i = 0; i < count; i++, data += size)
    for (size_t b = 0; b < size / 2; b++) {
      const unsigned char byte = data[b];
      data[b] = data[size - 1 - b];
      data[size - 1 - b] = byte;
    }
}

#endif
