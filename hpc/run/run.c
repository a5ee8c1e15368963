/* The scheduler: workers take output tiles in order from one counter until none is left or one fails. */
#include "hpc/run/run.h"

#include "hpc/run/worker.h"

#include <omp.h>

struct shared {
  const struct plan *plan;
  struct sink *sink;
  const struct run_limits *limits;
  struct run_progress *progress;
  struct error *error; /* the first worker's that failed; under the critical section */
  atomic_size_t next;
  atomic_bool stop;
};

static void fail(struct shared *s, const struct error *error)
{
#pragma omp critical(twincube_run_error)
  {
    if (!error_is_set(s->error))
      *s->error = *error;
  }
  atomic_store(&s->stop, true);
}

static void tile_done(struct shared *s)
{
  if (!s->progress)
    return;
  atomic_fetch_add(&s->progress->tiles_done, 1);
  if (s->progress->notify) {
#pragma omp critical(twincube_run_progress)
    s->progress->notify(s->progress, s->progress->data);
  }
}

static int run_tile(struct shared *s, struct worker *worker, size_t tile, struct error *error)
{
  struct region region;
  const void *data;
  plan_tile(s->plan, tile, &region);
  if (worker_fill(worker, &region, &data, error) != 0)
    return -1;
  struct box box = {.dimensions = region.dimensions};
  for (size_t d = 0; d < region.dimensions; d++) {
    box.start[d] = region.start[d];
    box.count[d] = region.count[d];
  }
  return s->sink->ops->put(s->sink, &box, data, error);
}

static void work(struct shared *s)
{
  struct error error = {0};
  struct worker *worker = NULL;
  if (worker_start(s->plan, &worker, &error) != 0) {
    fail(s, &error);
    return;
  }
  while (!atomic_load(&s->stop)) {
    size_t tile = atomic_fetch_add(&s->next, 1);
    if (tile >= s->plan->tile_count)
      break;
    if (s->limits && s->limits->cancel && *s->limits->cancel)
      error_set(&error, "RequestTimeout", "the run was cancelled");
    else if (run_tile(s, worker, tile, &error) == 0) {
      tile_done(s);
      continue;
    }
    fail(s, &error);
  }
  worker_stop(worker);
}

int plan_run(const struct plan *plan, struct sink *sink, const struct run_limits *limits, struct run_progress *progress,
             struct error *error)
{
  struct shared shared = {.plan = plan, .sink = sink, .limits = limits, .progress = progress, .error = error};
  unsigned threads = plan->tile_count < plan->threads ? (unsigned)plan->tile_count : plan->threads;
  if (progress) {
    progress->tiles = plan->tile_count;
    atomic_store(&progress->tiles_done, 0);
  }
  if (threads <= 1)
    work(&shared); /* no thread pool for small results */
  else {
#pragma omp parallel num_threads(threads)
    work(&shared);
  }
  return error_is_set(error) ? -1 : 0;
}
