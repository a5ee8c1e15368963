/* NVRTC of the tests: the host's C++ compiler makes a library of the text, behind fake_names.hpp. */
#include "fake_device.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define API __attribute__((visibility("default")))
/* As the program declares them. */
#define NVRTC(name, symbol, parameters) API int symbol parameters;
#include "hpc/device/nvrtc_functions.def"
#undef NVRTC

extern char **environ;

enum { COMPILATION = 6, INVALID = 3 };
static const int architectures[] = {75, 80, 86, 90};

struct program {
  char *text, *image;
  size_t image_bytes;
  bool is_portable;
  char log[200];
};

API int nvrtcVersion(int *major, int *minor)
{
  *major = 12, *minor = 9;
  return 0;
}

API int nvrtcGetNumSupportedArchs(int *count)
{
  *count = 4;
  return 0;
}

API int nvrtcGetSupportedArchs(int *out)
{
  memcpy(out, architectures, sizeof architectures);
  return 0;
}

API int nvrtcCreateProgram(void **out, const char *text, const char *name, int headers, const char *const *contents,
                           const char *const *names)
{
  struct program *program = calloc(1, sizeof *program);
  (void)name, (void)headers, (void)contents, (void)names;
  if (!program)
    return 1;
  program->text = strdup(text);
  *out = program;
  return 0;
}

API int nvrtcDestroyProgram(void **program)
{
  struct program *own = *program;
  free(own->text);
  free(own->image);
  free(own);
  *program = NULL;
  return 0;
}

/* Where TWINCUBE_FAKE_TEXTS is a folder: each text as it came, for other compilers. */
static int keep_text(const char *text)
{
  const char *const folder = getenv("TWINCUBE_FAKE_TEXTS");
  char path[512];
  if (!folder)
    return 0;
  snprintf(path, sizeof path, "%s/XXXXXX.cu", folder);
  const int file = mkstemps(path, 3);
  const bool done = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
  if (file >= 0)
    close(file);
  return done ? 0 : -1;
}

static int run_compiler(const char *source, const char *output)
{
  char *const arguments[] = {"c++",
                             "-std=c++17",
                             "-w",
                             "-O0",
                             "-ffp-contract=off",
                             "-shared",
                             "-fPIC",
                             "-o",
                             (char *)(uintptr_t)output,
                             (char *)(uintptr_t)source,
                             NULL};
  pid_t pid;
  int status = -1;
  if (posix_spawnp(&pid, "c++", NULL, NULL, arguments, environ) != 0 || waitpid(pid, &status, 0) != pid)
    return -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int write_source(const char *path, const char *text)
{
  FILE *file = fopen(path, "we");
  if (!file)
    return -1;
  fprintf(file, "#include \"%s/fake_names.hpp\"\n%s", TWINCUBE_FAKE_FOLDER, text);
  return fclose(file);
}

static int read_library(const char *path, int architecture, struct program *program)
{
  FILE *file = fopen(path, "re");
  struct fake_image head = {.magic = "FAKEDEV",
                            .architecture = architecture,
                            .barriers = strstr(program->text, "BARRIER") || strstr(program->text, "__syncthreads")};
  if (!file || fseek(file, 0, SEEK_END) != 0)
    return -1;
  head.bytes = (uint64_t)ftell(file);
  rewind(file);
  program->image_bytes = sizeof head + head.bytes;
  program->image = malloc(program->image_bytes);
  const bool done = program->image && fread(program->image + sizeof head, 1, head.bytes, file) == head.bytes;
  fclose(file);
  if (done)
    memcpy(program->image, &head, sizeof head);
  return done ? 0 : -1;
}

static int compile(struct program *program, int architecture)
{
  char folder[] = "/tmp/twincube-fake-XXXXXX", source[64], output[64];
  if (keep_text(program->text) != 0 || !mkdtemp(folder))
    return -1;
  snprintf(source, sizeof source, "%s/kernels.cpp", folder);
  snprintf(output, sizeof output, "%s/kernels.so", folder);
  int status = write_source(source, program->text) == 0 && run_compiler(source, output) == 0 ? 0 : -1;
  if (status == 0)
    status = read_library(output, architecture, program);
  unlink(source);
  unlink(output);
  rmdir(folder);
  return status;
}

static bool is_known(int architecture)
{
  for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
    if (architectures[i] == architecture)
      return true;
  return false;
}

API int nvrtcCompileProgram(void *program, int count, const char *const *options)
{
  static const char option[] = "--gpu-architecture=";
  struct program *own = program;
  const char *target = NULL;
  bool is_exact = false;
  for (int i = 0; i < count; i++) {
    if (strncmp(options[i], option, strlen(option)) == 0)
      target = options[i] + strlen(option);
    is_exact = is_exact || strcmp(options[i], "--fmad=false") == 0;
  }
  const char *digits = target ? strchr(target, '_') : NULL;
  const int architecture = digits ? (int)strtol(digits + 1, NULL, 10) : 0;
  own->is_portable = target && strncmp(target, "compute_", 8) == 0;
  if (!is_exact || !is_known(architecture) || (!own->is_portable && strncmp(target, "sm_", 3) != 0))
    return INVALID;
  const int status = compile(own, architecture);
  snprintf(own->log, sizeof own->log, "%s",
           status == 0 ? "" : "kernels.cu: the compiler of the tests does not take it");
  return status == 0 ? 0 : COMPILATION;
}

API int nvrtcGetProgramLogSize(void *program, size_t *out)
{
  *out = strlen(((struct program *)program)->log) + 1;
  return 0;
}

API int nvrtcGetProgramLog(void *program, char *out)
{
  memcpy(out, ((struct program *)program)->log, strlen(((struct program *)program)->log) + 1);
  return 0;
}

static int give(const struct program *program, bool is_portable, size_t *size, char *out)
{
  if (!program->image || program->is_portable != is_portable)
    return INVALID;
  if (size)
    *size = program->image_bytes;
  if (out)
    memcpy(out, program->image, program->image_bytes);
  return 0;
}

API int nvrtcGetPTXSize(void *program, size_t *out)
{
  return give(program, true, out, NULL);
}

API int nvrtcGetPTX(void *program, char *out)
{
  return give(program, true, NULL, out);
}

API int nvrtcGetCUBINSize(void *program, size_t *out)
{
  return give(program, false, out, NULL);
}

API int nvrtcGetCUBIN(void *program, char *out)
{
  return give(program, false, NULL, out);
}
