#include "hpc/device/device_compiler.h"

#include "hpc/device/shared_library.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARCHITECTURES = 64, LOG_SHOWN = 300 };

static int find_newest(struct device_compiler *compiler)
{
  int list[ARCHITECTURES], count = 0;
  if (compiler->arch_count(&count) != 0 || count < 1 || count > ARCHITECTURES || compiler->archs(list) != 0)
    return -1;
  for (int i = 0; i < count; i++)
    compiler->newest = list[i] > compiler->newest ? list[i] : compiler->newest;
  return 0;
}

int device_compiler_open(const char *path, struct device_compiler *out, struct error *error)
{
  static const char *const usual[] = {"libnvrtc.so.13",   "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so.11.1",
                                      "libnvrtc.so.11.0", "libnvrtc.so.11", "libnvrtc.so",      NULL};
  const char *const named[] = {path ? path : getenv("TWINCUBE_NVRTC"), NULL};
  const struct library_symbol symbols[] = {
#define NVRTC(name, symbol, parameters) {#symbol, &out->name},
#include "hpc/device/nvrtc_functions.def"
#undef NVRTC
  };
  if (library_open("compiler of device kernels, NVRTC", named[0] ? named : usual, symbols,
                   sizeof symbols / sizeof symbols[0], error) != 0)
    return -1;
  if (out->version(&out->major, &out->minor) != 0 || find_newest(out) != 0)
    return error_set(error, ERROR_FeatureUnsupported, "NVRTC does not tell what it compiles for");
  return 0;
}

struct device_target device_compiler_target(const struct device_compiler *compiler, int architecture)
{
  const bool is_newer = architecture > compiler->newest;
  return (struct device_target){is_newer ? compiler->newest : architecture, is_newer};
}

static int fail(const struct device_compiler *compiler, void *program, struct error *error)
{
  size_t size = 0;
  char *log = NULL;
  if (compiler->log_size(program, &size) == 0 && size > 0)
    log = calloc(1, size + 1);
  if (log)
    compiler->log(program, log);
  error_set(error, ERROR_Internal, "the device's kernels do not compile: %.*s", LOG_SHOWN, log ? log : "no reason");
  free(log);
  return -1;
}

static int take_image(const struct device_compiler *compiler, void *program, bool portable, struct buffer *out,
                      struct error *error)
{
  size_t size = 0;
  if ((portable ? compiler->ptx_size : compiler->cubin_size)(program, &size) != 0 || size == 0)
    return error_set(error, ERROR_Internal, "the compiler gives no image of the device's kernels");
  char *image = malloc(size);
  if (!image)
    return error_memory(error);
  const int status = (portable ? compiler->ptx : compiler->cubin)(program, image);
  if (status == 0)
    buffer_add(out, image, size);
  free(image);
  return status != 0   ? error_set(error, ERROR_Internal, "the compiler gives no image of the device's kernels")
         : out->failed ? error_memory(error)
                       : 0;
}

/* No fused multiply-add: products and sums are rounded as the CPU's are. */
int device_compile(const struct device_compiler *compiler, const char *text, struct device_target target,
                   struct buffer *out, struct error *error)
{
  char architecture[48];
  void *program = NULL;
  snprintf(architecture, sizeof architecture, "--gpu-architecture=%s_%d", target.portable ? "compute" : "sm",
           target.architecture);
  const char *const options[] = {architecture, "--fmad=false", "--std=c++17", "-w"};
  if (compiler->create(&program, text, "kernels.cu", 0, NULL, NULL) != 0)
    return error_set(error, ERROR_Internal, "the compiler does not take the device's kernels");
  const int status = compiler->compile(program, sizeof options / sizeof options[0], options) != 0
                         ? fail(compiler, program, error)
                         : take_image(compiler, program, target.portable, out, error);
  compiler->destroy(&program);
  return status;
}
