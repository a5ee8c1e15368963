#include "datacube/base/file_refusal.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

const char *file_refusal(const char *path)
{
  const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd >= 0)
    close(fd);
  return fd >= 0 || (errno != EACCES && errno != EPERM)
             ? NULL
             : "access is refused: it is, or leads to, a file outside of what may be read here, the folders of "
               "collections and one's own files";
}
