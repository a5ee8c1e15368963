/* Starting, stopping and asking the runners; what they do is in job_runner.c. */
#include "server/jobs/job_queue.h"

#include "server/jobs/job_keeper.h"
#include "server/jobs/job_pulse.h"

#include "server/store/folder.h"
#include "server/store/store_servers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SHARED_LOOK_MS = 50 };

static int start_runner(struct job_queue *queue, unsigned i, struct error *error)
{
  struct job_runner *runner = &queue->runners[i];
  runner->queue = queue;
  runner->client.serves_once = true; /* each job has a folder of its own */
  runner->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (runner->cancel_fd < 0)
    return error_set(error, ERROR_Internal, "cannot make an eventfd");
  if (store_open(queue->options.store, &runner->store, error) != 0)
    return -1;
  store_set_server(runner->store, queue->options.server);
  runner->desk = (struct definition_desk){.data = queue->options.data,
                                          .store = runner->store,
                                          .remote = queue->options.remote,
                                          .federation = queue->options.federation,
                                          .exports = queue->options.exports,
                                          .publish = queue->options.publish};
  if (i == 0 && job_keeper_recover(queue, runner->store, error) != 0)
    return -1;
  runner->started = pthread_create(&runner->thread, NULL, job_runner_work, runner) == 0;
  return runner->started ? 0 : error_set(error, ERROR_Internal, "cannot start threads");
}

static void make_conditions(struct job_queue *queue)
{
  pthread_condattr_t steady;
  pthread_condattr_init(&steady);
  pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
  pthread_mutex_init(&queue->lock, NULL);
  pthread_cond_init(&queue->wake, &steady);
  pthread_cond_init(&queue->changed, &steady);
  pthread_cond_init(&queue->untidy, &steady);
  pthread_condattr_destroy(&steady);
}

static int start_pulse(struct job_queue *queue, struct error *error)
{
  if (queue->options.server == NULL)
    return 0;
  if (store_open(queue->options.store, &queue->pulse_store, error) != 0)
    return -1;
  store_set_server(queue->pulse_store, queue->options.server);
  queue->pulse_started = pthread_create(&queue->pulse, NULL, job_pulse_work, queue) == 0;
  return queue->pulse_started ? 0 : error_set(error, ERROR_Internal, "cannot start threads");
}

static int start_keeper(struct job_queue *queue, struct error *error)
{
  if (store_open(queue->options.store, &queue->keeper_store, error) != 0)
    return -1;
  store_set_server(queue->keeper_store, queue->options.server);
  queue->keeper_started = pthread_create(&queue->keeper, NULL, job_keeper_work, queue) == 0;
  return queue->keeper_started ? 0 : error_set(error, ERROR_Internal, "cannot start threads");
}

int job_queue_start(const struct job_queue_options *options, struct job_queue **out, struct error *error)
{
  struct job_queue *queue = calloc(1, sizeof *queue + options->slots * sizeof queue->runners[0]);
  if (queue == NULL)
    return error_memory(error);
  queue->options = *options;
  for (unsigned i = 0; i < options->slots; i++) {
    queue->runners[i].cancel_fd = -1;
    worker_client_open(&queue->runners[i].client, options->zygote, options->resident_limit);
  }
  make_conditions(queue);
  int status = 0;
  for (unsigned i = 0; i < options->slots && status == 0; i++)
    status = start_runner(queue, i, error);
  if (status != 0 || start_pulse(queue, error) != 0 || start_keeper(queue, error) != 0) {
    job_queue_stop(queue);
    return -1;
  }
  *out = queue;
  return 0;
}

static void poke(const struct job_runner *runner)
{
  const uint64_t one = 1;
  if (runner->cancel_fd >= 0 && write(runner->cancel_fd, &one, sizeof one) < 0)
    log_message(LOG_WARNING, "a job was not told to stop: %s", strerror(errno));
}

/* Nothing runs here any more: no other server needs to wait. */
static void say_farewell(struct job_queue *queue)
{
  struct error error = {0};
  if (queue->pulse_started)
    pthread_join(queue->pulse, NULL);
  if (queue->pulse_started && store_server_leave(queue->pulse_store, &error) != 0)
    log_message(LOG_WARNING, "the store was not told that this server ends: %s", error.message);
}

void job_queue_stop(struct job_queue *queue)
{
  if (queue == NULL)
    return;
  pthread_mutex_lock(&queue->lock);
  queue->stopping = true;
  for (unsigned i = 0; i < queue->options.slots; i++)
    poke(&queue->runners[i]);
  pthread_cond_broadcast(&queue->wake);
  pthread_cond_broadcast(&queue->changed);
  pthread_cond_broadcast(&queue->untidy);
  pthread_mutex_unlock(&queue->lock);
  if (queue->keeper_started)
    pthread_join(queue->keeper, NULL);
  store_close(queue->keeper_store);
  for (unsigned i = 0; i < queue->options.slots; i++) {
    struct job_runner *runner = &queue->runners[i];
    if (runner->started)
      pthread_join(runner->thread, NULL);
    worker_client_close(&runner->client);
    definition_desk_close(&runner->desk); /* and the store */
    if (runner->cancel_fd >= 0)
      close(runner->cancel_fd);
  }
  say_farewell(queue);
  store_close(queue->pulse_store);
  pthread_mutex_destroy(&queue->lock);
  pthread_cond_destroy(&queue->wake);
  pthread_cond_destroy(&queue->changed);
  pthread_cond_destroy(&queue->untidy);
  free(queue);
}

void job_queue_wake(struct job_queue *queue)
{
  pthread_mutex_lock(&queue->lock);
  pthread_cond_broadcast(&queue->wake); /* one that pauses must not be the only one to hear it */
  pthread_mutex_unlock(&queue->lock);
}

void job_queue_tidy(struct job_queue *queue)
{
  pthread_mutex_lock(&queue->lock);
  pthread_cond_signal(&queue->untidy);
  pthread_mutex_unlock(&queue->lock);
}

void job_queue_cancel(struct job_queue *queue, const char *id, int64_t run)
{
  pthread_mutex_lock(&queue->lock);
  for (unsigned i = 0; i < queue->options.slots; i++)
    if (strcmp(queue->runners[i].id, id) == 0 && (run == JOB_ANY_RUN || queue->runners[i].run == run))
      poke(&queue->runners[i]);
  pthread_mutex_unlock(&queue->lock);
}

double job_queue_progress(struct job_queue *queue, const char *id)
{
  double progress = -1;
  pthread_mutex_lock(&queue->lock);
  for (unsigned i = 0; i < queue->options.slots; i++)
    if (strcmp(queue->runners[i].id, id) == 0)
      progress = queue->runners[i].progress;
  pthread_mutex_unlock(&queue->lock);
  return progress;
}

/* Asked without the lock: the store may take its time, and the runners go on meanwhile. */
static bool is_pending(struct store *store, const char *id)
{
  struct job job = {0};
  struct error error = {0};
  bool pending = store_job_get(store, NULL, id, &job, &error) == 0 &&
                 (strcmp(job.status, "queued") == 0 || strcmp(job.status, "running") == 0);
  job_free(&job);
  return pending;
}

/* ETIMEDOUT when the time is over. A job may end on another server, too, which only the store tells: where there may be
 * others, it is looked at again soon. */
static int await_change(struct job_queue *queue, unsigned seen, const struct timespec *until)
{
  const struct timespec soon = job_queue_deadline(SHARED_LOOK_MS);
  const bool is_short =
      queue->options.server != NULL &&
      (soon.tv_sec < until->tv_sec || (soon.tv_sec == until->tv_sec && soon.tv_nsec < until->tv_nsec));
  int timeout = 0;
  while (timeout == 0 && queue->ended == seen && !queue->stopping)
    timeout = pthread_cond_timedwait(&queue->changed, &queue->lock, is_short ? &soon : until);
  return is_short ? 0 : timeout;
}

void job_queue_wait(struct job_queue *queue, struct store *store, const char *id, unsigned milliseconds)
{
  struct timespec until = job_queue_deadline(milliseconds);
  pthread_mutex_lock(&queue->lock);
  for (int timeout = 0; timeout == 0 && !queue->stopping;) {
    unsigned seen = queue->ended;
    pthread_mutex_unlock(&queue->lock);
    bool pending = is_pending(store, id);
    pthread_mutex_lock(&queue->lock);
    if (!pending)
      break;
    timeout = await_change(queue, seen, &until);
  }
  pthread_mutex_unlock(&queue->lock);
}
