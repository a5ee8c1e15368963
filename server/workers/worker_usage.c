/* Small files below /proc/self, read whole. */
#include "server/workers/worker_usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_SIZE = 4096 };

static double clock_seconds(clockid_t clock)
{
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* "" where it cannot be read. */
static void read_file(const char *path, char text[TEXT_SIZE])
{
  text[0] = '\0';
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  ssize_t count = read(fd, text, TEXT_SIZE - 1);
  text[count < 0 ? 0 : count] = '\0';
  close(fd);
}

/* The number behind "name:", 0 where there is none. */
static double number_of(const char *text, const char *name)
{
  const char *found = strstr(text, name);
  return found != NULL ? strtod(found + strlen(name), NULL) : 0;
}

struct usage usage_now(void)
{
  char text[TEXT_SIZE];
  read_file("/proc/self/io", text);
  return (struct usage){.cpu_seconds = clock_seconds(CLOCK_PROCESS_CPUTIME_ID),
                        .wall_seconds = clock_seconds(CLOCK_MONOTONIC),
                        .read_bytes = number_of(text, "rchar:"),
                        .written_bytes = number_of(text, "wchar:")};
}

struct usage usage_between(const struct usage *begin, const struct usage *end)
{
  return (struct usage){.cpu_seconds = end->cpu_seconds - begin->cpu_seconds,
                        .wall_seconds = end->wall_seconds - begin->wall_seconds,
                        .read_bytes = end->read_bytes - begin->read_bytes,
                        .written_bytes = end->written_bytes - begin->written_bytes};
}

uint64_t usage_resident(void)
{
  char text[TEXT_SIZE];
  read_file("/proc/self/statm", text); /* pages: all, resident, … */
  return (uint64_t)number_of(text, " ") * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t usage_peak(void)
{
  char text[TEXT_SIZE];
  read_file("/proc/self/status", text);
  return (uint64_t)number_of(text, "VmHWM:") * 1024;
}

void usage_reset_peak(void)
{
  int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  const ssize_t written = write(fd, "5", 1);
  (void)written; /* where that fails the peak is that of the process */
  close(fd);
}
