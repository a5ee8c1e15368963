/* What a job's log tells about a run: what is read, what was written, how long it took. */
#ifndef TWINCUBE_PROCESSES_RUN_REPORT_H
#define TWINCUBE_PROCESSES_RUN_REPORT_H

#include "hpc/plan/plan.h"
#include "processes/run_log.h"

#include <time.h>

struct run_report { /* of one run; all functions do nothing where log is NULL */
  const struct run_log *log;
  struct timespec start; /* of what is told next */
  double read;           /* bytes that the process had read from files before */
};

/* Takes the time, and what was read so far. */
void run_report_begin(struct run_report *report, const struct run_log *log);
/* Graph and plan are made: what is going to be read, in how many tiles. */
void run_report_plan(struct run_report *report, const struct plan *plan);
/* The outcome of a node lies in a file. */
void run_report_file(struct run_report *report, const char *node, const char *path);
/* All is done: how much was read. */
void run_report_end(const struct run_report *report);

#endif
