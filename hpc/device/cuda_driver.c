#include "hpc/device/cuda_driver.h"

#include "hpc/device/shared_library.h"

int cuda_check(const struct cuda_driver *driver, int status, const char *what, struct error *error)
{
  const char *reason = NULL;
  if (status == 0)
    return 0;
  driver->error_text(status, &reason);
  return error_set(error, ERROR_Internal, "%s: %s (CUDA error %d)", what, reason ? reason : "unknown", status);
}

int cuda_driver_open(struct cuda_driver *out, struct error *error)
{
  static const char *const names[] = {"libcuda.so.1", NULL};
  const struct library_symbol symbols[] = {
#define CUDA(name, symbol, parameters) {#symbol, &out->name},
#include "hpc/device/cuda_functions.def"
#undef CUDA
  };
  const char *reason = NULL;
  if (library_open("CUDA driver", names, symbols, sizeof symbols / sizeof symbols[0], error) != 0)
    return -1;
  const int status = out->init(0);
  if (status == 0 && out->version(&out->number) == 0)
    return 0;
  out->error_text(status, &reason);
  return error_set(error, ERROR_FeatureUnsupported, "the CUDA driver does not start: %s (CUDA error %d)",
                   reason ? reason : "unknown", status);
}
