/* What a process has used so far, by the kernel's counters. */
#ifndef TWINCUBE_SERVER_WORKERS_WORKER_USAGE_H
#define TWINCUBE_SERVER_WORKERS_WORKER_USAGE_H

#include <stdint.h>

struct usage {
  double cpu_seconds;  /* of all threads */
  double wall_seconds; /* steady */
  double read_bytes, written_bytes; /* by system calls, from disk or its cache; zero where the kernel does not count */
};

struct usage usage_now(void);
struct usage usage_between(const struct usage *begin, const struct usage *end);

/* Bytes of memory the process has now, and the most it has had since usage_reset_peak (or its start). */
uint64_t usage_resident(void);
uint64_t usage_peak(void);
void usage_reset_peak(void);

#endif
