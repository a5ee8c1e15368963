#include "datacube/base/write_fully.h"

#include <errno.h>
#include <unistd.h>

int write_fully(int fd, const void *bytes, size_t length)
{
  const char *at = bytes;
  while (length > 0) {
    const ssize_t count = write(fd, at, length);
    if (count < 0 && errno == EINTR)
      continue;
    if (count == 0)
      errno = EIO;
    if (count <= 0)
      return -1;
    at += count;
    length -= (size_t)count;
  }
  return 0;
}
