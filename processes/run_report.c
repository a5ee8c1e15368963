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

enum { STAGES_TOLD = 30 };

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

void run_report_filled(struct run_report *report)
{
  if (report->log)
    report->filled = lap(report);
}

void run_report_file(struct run_report *report, const char *node, const char *path)
{
  const char *slash = strrchr(path, '/');
  struct stat state;
  if (report->log && stat(path, &state) == 0)
    tell(report, "outcome \"%s\" computed in %.2f s, file written in %.2f s more: %s, %lld bytes", node, report->filled,
         lap(report), slash ? slash + 1 : path, (long long)state.st_size);
  report->filled = 0;
}

/* ---- where the time went ------------------------------------------------------------------------------------------
 */

static void tell_phase(const struct run_report *report, size_t index, const struct phase_time *phase)
{
  char what[256] = "makes an output", writing[64] = "";
  if (phase->kept)
    snprintf(what, sizeof what, "makes what is kept of \"%s\"", phase->kept);
  else
    snprintf(writing, sizeof writing, ", %.3f s of all threads' time to encode and write", phase->writing);
  tell(report, "phase %zu %s: %.3f s, %zu tiles, threads: %u%s", index, what, phase->seconds, phase->tiles,
       phase->threads, writing);
}

struct stage_told {
  size_t index; /* in the plan */
  struct stage_time time;
};

static int compare_stages(const void *left, const void *right)
{
  const struct stage_told *a = left, *b = right;
  if (a->time.seconds != b->time.seconds)
    return a->time.seconds < b->time.seconds ? 1 : -1;
  return a->index < b->index ? -1 : a->index > b->index;
}

static void tell_stages(const struct run_report *report, const struct run *run)
{
  struct stage_time time;
  size_t count = 0, last = 0;
  double rest = 0;
  while (run_stage_time(run, count, &time))
    count++;
  struct stage_told *stages = calloc(count + 1, sizeof *stages);
  if (!stages)
    return;
  for (size_t s = 0; s < count; s++) {
    stages[s].index = s;
    run_stage_time(run, s, &stages[s].time);
  }
  qsort(stages, count, sizeof *stages, compare_stages);
  for (; last < count && last < STAGES_TOLD && stages[last].time.seconds > 0; last++)
    tell(report, "stage %zu, %s \"%s\": %.3f s of all threads' time, gave %.0f bytes", stages[last].index,
         stages[last].time.kind, stages[last].time.node, stages[last].time.seconds, stages[last].time.bytes);
  for (size_t s = last; s < count; s++)
    rest += stages[s].time.seconds;
  if (rest > 0)
    tell(report, "%zu other stages: %.3f s of all threads' time", count - last, rest);
  free(stages);
}

void run_report_run(const struct run_report *report, const struct run *run)
{
  struct phase_time phase;
  if (!report->log || !run)
    return;
  for (size_t p = 0; run_phase_time(run, p, &phase); p++)
    if (phase.taken)
      tell(report, "phase %zu: what is kept of \"%s\" was there, made by an earlier run of this job", p, phase.kept);
    else if (phase.seconds > 0)
      tell_phase(report, p, &phase);
  tell_stages(report, run);
}

void run_report_end(const struct run_report *report)
{
  if (report->log && report->read >= 0)
    tell(report, "%.0f bytes were read from files", bytes_read() - report->read);
}
