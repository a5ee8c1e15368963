/* What a thread spends: added up where somebody wants to know, else (NULL) the clock is not read. */
#ifndef TWINCUBE_HPC_RUN_SPENT_H
#define TWINCUBE_HPC_RUN_SPENT_H

#include <stdint.h>
#include <time.h>

struct spent {          /* by one thread, on one thing */
  uint64_t nanoseconds; /* of a clock that never goes back */
  uint64_t bytes;       /* of elements that a stage gave; a sink: 0 */
};

static inline uint64_t spent_begin(const struct spent *spent)
{
  struct timespec now = {0};
  if (spent)
    clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Adds the time since spent_begin, and returns it. */
static inline uint64_t spent_end(struct spent *spent, uint64_t begin)
{
  const uint64_t took = spent_begin(spent) - begin;
  if (spent)
    spent->nanoseconds += took;
  return took;
}

#endif
