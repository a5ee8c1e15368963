/* What a job's log tells about a run: what is read, what was written, how long it took. */
#ifndef TWINCUBE_PROCESSES_RUN_REPORT_H
#define TWINCUBE_PROCESSES_RUN_REPORT_H

#include "hpc/run/run.h"
#include "processes/run_log.h"

#include <time.h>

struct run_report { /* of one run; all functions do nothing where log is NULL */
  const struct run_log *log;
  struct timespec start; /* of what is told next */
  double filled;         /* seconds that the outcome under way took until its file had all elements */
  double read;           /* bytes that the process had read from files before */
};

/* Takes the time, and what was read so far. */
void run_report_begin(struct run_report *report, const struct run_log *log);
/* Graph and plan are made: what is going to be read, in how many tiles. */
void run_report_plan(struct run_report *report, const struct plan *plan);
/* All elements of an outcome are computed, and with its sink; it has to finish the file. */
void run_report_filled(struct run_report *report);
/* The outcome of a node lies in a file. */
void run_report_file(struct run_report *report, const char *node, const char *path);
/* The run has ended, well or not: what its phases and stages took, the slowest first. NULL: there was none. */
void run_report_run(const struct run_report *report, const struct run *run);
/* All has ended: how much was read. */
void run_report_end(const struct run_report *report);

#endif
