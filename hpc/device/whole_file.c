#include "hpc/device/whole_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

bool whole_file_open(const char *path, struct whole_file *out)
{
  *out = (struct whole_file){.path = path};
  snprintf(out->temporary, sizeof out->temporary, "%s.XXXXXX", path);
  const int fd = mkostemp(out->temporary, O_CLOEXEC);
  out->stream = fd >= 0 ? fdopen(fd, "w") : NULL;
  if (fd >= 0 && !out->stream) {
    close(fd);
    unlink(out->temporary);
  }
  return out->stream != NULL;
}

void whole_file_close(struct whole_file *file)
{
  const bool written = !ferror(file->stream);
  if (fclose(file->stream) != 0 || !written || rename(file->temporary, file->path) != 0)
    unlink(file->temporary);
}
