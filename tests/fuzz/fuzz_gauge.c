/* Fuzzing the readers of gauge fields: whatever the file says of itself, it is described or refused, and what is
 * described is read or refused. */
#include "datacube/source/gauge_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char path[64];
  struct error error = {0};
  struct gauge_file file;
  int descriptor = memfd_create("gauge", MFD_CLOEXEC);
  if (descriptor < 0 || write(descriptor, data, size) != (ssize_t)size)
    abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
  if (gauge_file_inspect(path, &file, &error) == 0) {
    size_t bytes = gauge_file_bytes(&file, true);
    void *elements = bytes <= MOST_BYTES ? malloc(bytes) : NULL;
    if (elements)
      gauge_file_read(path, &file, true, elements, &error);
    free(elements);
  } else if (!error_is_set(&error))
    abort();
  close(descriptor);
  return 0;
}
