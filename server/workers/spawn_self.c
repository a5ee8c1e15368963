#include "server/workers/spawn_self.h"

#include "datacube/base/logger.h"
#include "datacube/base/sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

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
    "ECCODES_DEFINITION_PATH=",
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

/* A list that ends in NULL, of borrowed strings; the caller frees the list. */
static char **environment_of_it(void)
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

/* 0, or a number of errno. */
static int spawn(const char *const *arguments, int fd, int control, pid_t *pid)
{
  char **environment = environment_of_it();
  posix_spawn_file_actions_t actions;
  int code = environment ? posix_spawn_file_actions_init(&actions) : ENOMEM;
  if (code == 0) {
    code = posix_spawn_file_actions_adddup2(&actions, fd, control);
    if (code == 0) /* posix_spawn takes the arguments as char *, and only reads them */
      code = posix_spawn(pid, "/proc/self/exe", &actions, NULL, (char **)(uintptr_t)arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
  }
  free(environment);
  return code;
}

int spawn_self(const char *const *arguments, int control, const char *purpose, pid_t *pid, struct error *error)
{
  int pair[2];
  int code = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 ? 0 : errno;
  if (code == 0) {
    code = spawn(arguments, pair[1], control, pid);
    close(pair[1]);
    if (code == 0)
      return pair[0];
    close(pair[0]);
  }
  return error_set(error, ERROR_Internal, "the process that %s cannot be started: %s", purpose, strerror(code));
}

void spawned_die_with(pid_t parent)
{
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(0);
}

void spawned_leave_signals(pid_t parent)
{
  static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
  sigset_t none;
  for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
    signal(ignored[i], SIG_IGN);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  spawned_die_with(parent);
}

void spawned_bound(size_t memory)
{
  const struct rlimit no_core = {0, 0}, most = {memory, memory};
  setrlimit(RLIMIT_CORE, &no_core);
  if (!is_sanitized) /* whose shadow is larger */
    setrlimit(RLIMIT_DATA, &most);
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  if (write(fd, "500", 3) != 3)
    log_message(LOG_DEBUG, "oom_score_adj cannot be set");
  close(fd);
}
