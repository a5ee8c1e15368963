/* A beat a second. A server that was silent too long is forgotten, and its jobs are queued again. While the database
 * was away nobody could say that they live, so nobody is judged before it has answered without a gap for as long. */
#include "server/jobs/job_pulse.h"

#include "server/jobs/job_runner.h"
#include "server/store/store_servers.h"

#include "server/clock.h"

enum { BEAT_MS = 1000, BEATS = 4 /* in the time of silence, at least */ };

static void requeue_orphans(struct job_queue *queue, struct store *store, struct error *error)
{
  int64_t buried = 0;
  if (store_servers_bury(store, (int64_t)(queue->options.silence * 1000), &buried, error) != 0)
    return;
  if (buried > 0)
    log_message(LOG_WARNING, "%d servers were silent too long: their jobs are queued again", (int)buried);
  for (bool found = true; found;) {
    struct job job = {0};
    if (store_job_orphan(store, &job, &found, error) != 0 || !found)
      return;
    if (store_job_requeue(store, &job, true, "the server ended while the job was running", error) != 0)
      found = false;
    job_free(&job);
  }
}

/* *since: from when on the store has answered without a gap, negative: it does not; steady seconds. */
static void beat(struct job_queue *queue, double *since)
{
  struct error error = {0};
  const double now = steady_seconds();
  if (store_server_beat(queue->pulse_store, &error) == 0 && *since < 0)
    *since = now;
  else if (!error_is_set(&error) && now - *since > queue->options.silence)
    requeue_orphans(queue, queue->pulse_store, &error);
  if (!error_is_set(&error))
    return;
  if (*since >= 0)
    log_message(LOG_ERROR, "the job queue: %s", error.message);
  *since = -1;
}

static bool wait_for_beat(struct job_queue *queue)
{
  const double shortest = queue->options.silence * 1000 / BEATS;
  const struct timespec until = job_queue_deadline(shortest < BEAT_MS ? (unsigned)shortest : BEAT_MS);
  pthread_mutex_lock(&queue->lock);
  int timeout = 0;
  while (timeout == 0 && !queue->stopping)
    timeout = pthread_cond_timedwait(&queue->wake, &queue->lock, &until);
  const bool goes_on = !queue->stopping;
  pthread_mutex_unlock(&queue->lock);
  return goes_on;
}

void *job_pulse_work(void *data)
{
  struct job_queue *queue = data;
  double since = -1;
  do
    beat(queue, &since);
  while (wait_for_beat(queue));
  return NULL;
}
