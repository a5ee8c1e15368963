/* A clock that nobody sets: for waits, limits and what expires within the running server. */
#ifndef TWINCUBE_SERVER_CLOCK_H
#define TWINCUBE_SERVER_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Milliseconds since some start; never 0, never going back. */
static inline int64_t steady_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

static inline double steady_seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* A condition whose waits end by that clock. */
static inline void steady_condition_init(pthread_cond_t *condition)
{
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
}

/* Waits until the condition is signalled, or until a time of steady_now. */
static inline void steady_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until)
{
  const struct timespec end = {.tv_sec = (until - 1) / 1000, .tv_nsec = (long)((until - 1) % 1000) * 1000000};
  pthread_cond_timedwait(condition, lock, &end);
}

#endif
