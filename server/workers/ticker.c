/* A thread that waits on a condition until the next tick is due, so that it ends at once when it is to end. */
#include "server/workers/ticker.h"

#include "server/clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct ticker {
  pthread_mutex_t lock;
  pthread_cond_t stopped;
  pthread_t thread;
  bool is_stopped;
  unsigned milliseconds;
  void (*tick)(void *data);
  void *data;
};

/* False: the ticker is stopped. */
static bool wait_for_tick(struct ticker *it)
{
  const int64_t due = steady_now() + it->milliseconds;
  pthread_mutex_lock(&it->lock);
  while (!it->is_stopped && steady_now() < due)
    steady_wait(&it->stopped, &it->lock, due);
  const bool goes_on = !it->is_stopped;
  pthread_mutex_unlock(&it->lock);
  return goes_on;
}

static void *run_ticker(void *data)
{
  struct ticker *it = data;
  while (wait_for_tick(it))
    it->tick(it->data);
  return NULL;
}

static int start_without_signals(struct ticker *it)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int status = pthread_create(&it->thread, NULL, run_ticker, it);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return status;
}

static void free_ticker(struct ticker *it)
{
  pthread_cond_destroy(&it->stopped);
  pthread_mutex_destroy(&it->lock);
  free(it);
}

int ticker_start(unsigned milliseconds, void (*tick)(void *data), void *data, struct ticker **out, struct error *error)
{
  struct ticker *it = malloc(sizeof *it);
  *out = NULL;
  if (it == NULL)
    return error_memory(error);
  *it = (struct ticker){.milliseconds = milliseconds, .tick = tick, .data = data};
  pthread_mutex_init(&it->lock, NULL);
  steady_condition_init(&it->stopped);
  if (start_without_signals(it) != 0) {
    free_ticker(it);
    return error_set(error, ERROR_Internal, "no thread can be started");
  }
  *out = it;
  return 0;
}

void ticker_stop(struct ticker *ticker)
{
  if (ticker == NULL)
    return;
  pthread_mutex_lock(&ticker->lock);
  ticker->is_stopped = true;
  pthread_cond_signal(&ticker->stopped);
  pthread_mutex_unlock(&ticker->lock);
  pthread_join(ticker->thread, NULL);
  free_ticker(ticker);
}
