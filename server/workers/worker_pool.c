/* Threads of the pool: take a task, call the worker, hand the reply on, tidy the worker's folder. */
#include "server/workers/worker_pool.h"

#include "server/workers/backoff.h"
#include "server/store/folder.h"

#include "datacube/base/logger.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MAX_TRIES = 7 }; /* 13 seconds */

struct pool_thread {
  struct worker_pool *pool;
  pthread_t thread;
  bool started;
  struct worker_client client;
  char folder[1024]; /* private, ends with '/' */
};

struct worker_pool {
  struct worker_pool_options options;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  struct pool_task *first, **last;
  unsigned waiting;
  bool stopping;
  int stop_fd; /* eventfd: readable while the pool ends */
  struct pool_thread threads[];
};

static struct pool_task *next_task(struct worker_pool *pool)
{
  pthread_mutex_lock(&pool->lock);
  while (pool->first == NULL && !pool->stopping)
    pthread_cond_wait(&pool->wake, &pool->lock);
  struct pool_task *task = pool->first;
  if (task != NULL) {
    pool->waiting--;
    pool->first = task->next;
    if (pool->first == NULL)
      pool->last = &pool->first;
  }
  pthread_mutex_unlock(&pool->lock);
  return task;
}

static bool is_stopping(struct worker_pool *pool)
{
  struct pollfd wait = {.fd = pool->stop_fd, .events = POLLIN};
  return poll(&wait, 1, 0) > 0;
}

static bool has_hung_up(int fd)
{
  struct pollfd wait = {.fd = fd, .events = POLLRDHUP};
  return fd >= 0 && poll(&wait, 1, 0) > 0;
}

/* A pause; true when the pool ends or the client hangs up meanwhile. */
static bool pause_task(const struct worker_pool *pool, const struct pool_task *task, unsigned milliseconds)
{
  struct pollfd ends[] = {{.fd = pool->stop_fd, .events = POLLIN}, {.fd = task->client_fd, .events = POLLRDHUP}};
  return poll(ends, 2, (int)milliseconds) > 0;
}

/* A request is without effect until it is answered, so one whose worker was lost through the machine is tried again. */
static enum worker_outcome call_worker(struct pool_thread *thread, struct pool_task *task, struct worker_reply *reply)
{
  struct worker_pool *pool = thread->pool;
  const struct worker_watch watch = {
      .client_fd = task->client_fd, .cancel_fd = pool->stop_fd, .seconds = task->seconds};
  struct backoff backoff = {0};
  for (;;) {
    if (is_stopping(pool) || has_hung_up(task->client_fd))
      return WORKER_CANCELLED;
    enum worker_outcome outcome = worker_client_call(&thread->client, &task->header, task->graph, &watch, reply);
    if (outcome != WORKER_UNAVAILABLE || backoff.tries == MAX_TRIES)
      return outcome;
    folder_clear(thread->folder);
    if (pause_task(pool, task, backoff_next(&backoff)))
      return WORKER_CANCELLED;
  }
}

static void run_task(struct pool_thread *thread, struct pool_task *task, struct worker_reply *reply)
{
  snprintf(task->header.output, sizeof task->header.output, "%s", thread->folder);
  enum worker_outcome outcome = call_worker(thread, task, reply);
  bool is_clean = outcome == WORKER_REPLIED && reply->header.files_size == 0 && !error_is_set(&reply->header.error);
  task->done(task, outcome, outcome == WORKER_REPLIED ? reply : NULL);
  if (!is_clean)
    folder_clear(thread->folder);
}

static void *run_thread(void *data)
{
  struct pool_thread *thread = data;
  struct worker_reply *reply = malloc(sizeof *reply);
  struct error error = {0};
  worker_client_ready(&thread->client, &error);
  struct pool_task *task;
  while ((task = next_task(thread->pool)) != NULL) {
    if (reply == NULL) {
      task->done(task, WORKER_BROKEN, NULL);
      continue;
    }
    run_task(thread, task, reply);
    worker_client_renew(&thread->client);
  }
  free(reply);
  return NULL;
}

static int start_thread(struct worker_pool *pool, unsigned i, struct error *error)
{
  struct pool_thread *thread = &pool->threads[i];
  thread->pool = pool;
  worker_client_open(&thread->client, pool->options.zygote, pool->options.resident_limit);
  snprintf(thread->folder, sizeof thread->folder, "%s/tmp/worker-%u/", pool->options.data, i);
  if (folder_make(thread->folder, error) != 0)
    return -1;
  thread->started = pthread_create(&thread->thread, NULL, run_thread, thread) == 0;
  return thread->started ? 0 : error_set(error, ERROR_Internal, "cannot start threads");
}

int worker_pool_start(const struct worker_pool_options *options, struct worker_pool **out, struct error *error)
{
  struct worker_pool *pool = calloc(1, sizeof *pool + options->workers * sizeof pool->threads[0]);
  if (pool == NULL)
    return error_memory(error);
  pool->options = *options;
  pool->last = &pool->first;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pool->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int status = pool->stop_fd < 0 ? error_set(error, ERROR_Internal, "cannot make an eventfd") : 0;
  for (unsigned i = 0; i < options->workers && status == 0; i++)
    status = start_thread(pool, i, error);
  if (status != 0) {
    worker_pool_stop(pool);
    return -1;
  }
  *out = pool;
  return 0;
}

void worker_pool_stop(struct worker_pool *pool)
{
  if (pool == NULL)
    return;
  pthread_mutex_lock(&pool->lock);
  pool->stopping = true;
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
  const uint64_t one = 1;
  if (write(pool->stop_fd, &one, sizeof one) != (ssize_t)sizeof one)
    log_message(LOG_WARNING, "the workers were not told to stop");
  for (unsigned i = 0; i < pool->options.workers; i++) {
    if (pool->threads[i].started)
      pthread_join(pool->threads[i].thread, NULL);
    worker_client_close(&pool->threads[i].client);
  }
  close(pool->stop_fd);
  pthread_mutex_destroy(&pool->lock);
  pthread_cond_destroy(&pool->wake);
  free(pool);
}

int worker_pool_submit(struct worker_pool *pool, struct pool_task *task)
{
  task->next = NULL;
  pthread_mutex_lock(&pool->lock);
  bool refused = pool->stopping || pool->waiting >= pool->options.queue;
  if (!refused) {
    pool->waiting++;
    *pool->last = task;
    pool->last = &task->next;
    pthread_cond_signal(&pool->wake);
  }
  pthread_mutex_unlock(&pool->lock);
  return refused ? -1 : 0;
}
