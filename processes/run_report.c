/* Bytes read are those of the whole process, as the kernel counts them (/proc/self/io): a worker has one task at a
 * time. */
#include "processes/run_report.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "rchar: N" is the first line; negative where it cannot be told. */
static double bytes_read(void)
{
  char text[64] = "";
  int fd = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
  ssize_t count = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
  if (fd >= 0)
    close(fd);
  return count > 0 && strncmp(text, "rchar: ", 7) == 0 ? strtod(text + 7, NULL) : -1;
}

static double lap(struct run_report *report)
{
  const struct timespec before = report->start;
  clock_gettime(CLOCK_MONOTONIC, &report->start);
  return (double)(report->start.tv_sec - before.tv_sec) + 1e-9 * (double)(report->start.tv_nsec - before.tv_nsec);
}

__attribute__((format(printf, 2, 3))) static void tell(const struct run_report *report, const char *format, ...)
{
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  run_log_put(report->log, &(struct log_entry){.level = LOG_INFO, .message = text});
}

void run_report_begin(struct run_report *report, const struct run_log *log)
{
  *report = (struct run_report){.log = log};
  if (!log)
    return;
  report->read = bytes_read();
  lap(report);
}

void run_report_plan(struct run_report *report, const struct plan *plan)
{
  size_t at = 0;
  const struct source *source;
  if (!report->log)
    return;
  tell(report, "planned in %.2f s: %zu tiles in %u threads, about %.0f bytes to read, at most %zu bytes of memory",
       lap(report), plan_tiles(plan), plan_threads(plan), plan_read_bytes(plan), plan_peak_memory(plan));
  while ((source = plan_source(plan, &at)) != NULL)
    tell(report, "reads %s%s%s", source->ops->name, source->origin ? ": " : "", source->origin ? source->origin : "");
}

void run_report_file(struct run_report *report, const char *node, const char *path)
{
  const char *slash = strrchr(path, '/');
  struct stat state;
  if (report->log && stat(path, &state) == 0)
    tell(report, "outcome \"%s\" computed and written in %.2f s: %s, %lld bytes", node, lap(report),
         slash ? slash + 1 : path, (long long)state.st_size);
}

void run_report_end(const struct run_report *report)
{
  if (report->log && report->read >= 0)
    tell(report, "%.0f bytes were read from files", bytes_read() - report->read);
}
