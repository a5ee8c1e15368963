#include "server/workers/worker_environment.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* A name, or how names begin. */
static const char *const wanted[] = {
    "PATH=",
    "HOME=",
    "LANG=",
    "LANGUAGE=",
    "LC_",
    "TZ=",
    "TZDIR=",
    "TMPDIR=",
    "LD_",
    "SSL_CERT_FILE=",
    "SSL_CERT_DIR=",
    "MALLOC_",
    "OMP_",
    "GOMP_",
    "GDAL_DATA=",
    "GDAL_CACHEMAX=",
    "GDAL_DRIVER_PATH=",
    "GDAL_NUM_THREADS=",
    "PROJ_DATA=",
    "PROJ_LIB=",
    "HDF5_",
    "CUDA_",
    "NVIDIA_",
    "TWINCUBE_SIMD=",
    "TWINCUBE_NVRTC=",
    "TWINCUBE_NVRTC=",
    "ASAN_OPTIONS=",
    "UBSAN_OPTIONS=",
    "LSAN_OPTIONS=",
    "TSAN_OPTIONS=",
};

static bool is_wanted(const char *variable)
{
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (strncmp(variable, wanted[i], strlen(wanted[i])) == 0)
      return true;
  return false;
}

char **worker_environment(void)
{
  static const char policy[] = "OMP_WAIT_POLICY";
  size_t count = 0, kept = 0;
  while (environ[count])
    count++;
  char **list = calloc(count + 2, sizeof *list);
  if (!list)
    return NULL;
  for (size_t i = 0; i < count; i++)
    if (is_wanted(environ[i]))
      list[kept++] = environ[i];
  if (!getenv(policy))
    list[kept] = (char *)(uintptr_t) "OMP_WAIT_POLICY=passive"; /* posix_spawn only reads it */
  return list;
}
