/* Threads of the pool: take a task, call the worker, hand the reply on, tidy the worker's folder.
 *
 * Three kinds of thread: those for work of any length, the one that tries what is new for a moment while these are busy
 * (a request is without effect until it is answered, so it can be begun twice), and the strangers'. Of the first that
 * rest the last one to finish is called first: its worker has the same map open, and what it has read is near. */
#include "server/workers/worker_pool.h"

#include "server/workers/backoff.h"
#include "server/workers/definition_desk.h"
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
enum { SMALL_GRACE_MS = 50 };
static const double small_seconds = 0.1; /* of work that counts as small */

enum pool_role { ROLE_ANY, ROLE_SMALL, ROLE_STRANGERS };

struct pool_thread {
  struct worker_pool *pool;
  enum pool_role role;
  struct fair_queue *queue;
  pthread_cond_t called;
  struct pool_thread *next; /* that rests; of ROLE_ANY */
  bool is_resting;          /* is in the pool's list */
  pthread_t thread;
  bool started;
  struct worker_client client;
  struct definition_desk desk;
  char folder[1024]; /* private, ends with '/' */
};

struct worker_pool {
  struct worker_pool_options options;
  pthread_mutex_t lock;
  struct fair_queue *users, *strangers;
  struct pool_thread *resting; /* threads of ROLE_ANY that were not called for a task, the last to finish first */
  unsigned idle;               /* threads of ROLE_ANY that wait for a task: these, and those that were called */
  bool stopping;
  int stop_fd; /* eventfd: readable while the pool ends */
  unsigned thread_count;
  struct pool_thread threads[];
};

/* ---- queues ---- */

static struct pool_task *task_of(struct fair_item *item)
{
  return (struct pool_task *)item; /* its first member */
}

static bool is_untried(const struct fair_item *item)
{
  return !((const struct pool_task *)item)->was_tried;
}

/* With the lock. What a thread may take now, or NULL. */
static struct fair_item *take_item(struct pool_thread *thread)
{
  struct worker_pool *pool = thread->pool;
  if (thread->role != ROLE_SMALL)
    return fair_queue_take(thread->queue, NULL);
  return pool->idle > 0 || pool->stopping ? NULL : fair_queue_take(thread->queue, is_untried);
}

static void rest(struct pool_thread *thread)
{
  struct worker_pool *pool = thread->pool;
  thread->next = pool->resting;
  pool->resting = thread;
  thread->is_resting = true;
}

static void end_rest(struct pool_thread *thread)
{
  struct pool_thread **at = &thread->pool->resting;
  while (*at != thread)
    at = &(*at)->next;
  *at = thread->next;
  thread->is_resting = false;
}

/* With the lock. Who is to be woken for a task: one that rests, no more from now on, or the one for small work, which
 * looks itself whether all others are busy. */
static pthread_cond_t *call_for_users(struct worker_pool *pool)
{
  struct pool_thread *thread = pool->resting != NULL ? pool->resting : &pool->threads[pool->options.workers];
  if (thread->is_resting)
    end_rest(thread);
  return &thread->called;
}

static void wait_for_task(struct pool_thread *thread)
{
  struct worker_pool *pool = thread->pool;
  const unsigned idle = thread->role == ROLE_ANY;
  pool->idle += idle;
  if (idle > 0)
    rest(thread);
  pthread_cond_wait(&thread->called, &pool->lock);
  pool->idle -= idle;
  if (thread->is_resting)
    end_rest(thread);
}

static struct pool_task *next_task(struct pool_thread *thread)
{
  struct worker_pool *pool = thread->pool;
  struct fair_item *item;
  pthread_mutex_lock(&pool->lock);
  while ((item = take_item(thread)) == NULL && !pool->stopping)
    wait_for_task(thread);
  if (thread->role == ROLE_ANY && pool->idle == 0 && fair_queue_waiting(pool->users) > 0)
    pthread_cond_signal(call_for_users(pool));
  pthread_mutex_unlock(&pool->lock);
  return item != NULL ? task_of(item) : NULL;
}

static void end_task(struct pool_thread *thread, struct pool_task *task, enum worker_outcome outcome,
                     const struct worker_reply *reply)
{
  pthread_mutex_lock(&thread->pool->lock);
  fair_queue_done(thread->queue, &task->item);
  pthread_mutex_unlock(&thread->pool->lock);
  task->done(task, outcome, reply);
}

/* It is no small work: it waits for another worker, unless these end. */
static void give_back(struct pool_thread *thread, struct pool_task *task)
{
  struct worker_pool *pool = thread->pool;
  pthread_mutex_lock(&pool->lock);
  const bool is_late = pool->stopping;
  task->was_tried = true;
  if (!is_late)
    fair_queue_give_back(thread->queue, &task->item);
  pthread_cond_signal(call_for_users(pool));
  pthread_mutex_unlock(&pool->lock);
  if (is_late)
    end_task(thread, task, WORKER_CANCELLED, NULL);
}

/* ---- a task ---- */

static bool is_stopping(struct worker_pool *pool)
{
  struct pollfd wait = {.fd = pool->stop_fd, .events = POLLIN};
  return poll(&wait, 1, 0) > 0;
}

static bool has_hung_up(int fd)
{
  struct pollfd wait = {.fd = fd}; /* who has closed but its own direction still wants its answer */
  return fd >= 0 && poll(&wait, 1, 0) > 0;
}

static bool is_dead(const struct fair_item *item)
{
  return has_hung_up(((const struct pool_task *)item)->client_fd);
}

/* A pause; true when the pool ends or the client hangs up meanwhile. */
static bool pause_task(const struct worker_pool *pool, const struct pool_task *task, unsigned milliseconds)
{
  struct pollfd ends[] = {{.fd = pool->stop_fd, .events = POLLIN}, {.fd = task->client_fd}};
  return poll(ends, 2, (int)milliseconds) > 0;
}

/* A request is without effect until it is answered, so one whose worker was lost through the machine is tried again. */
static enum worker_outcome call_worker(struct pool_thread *thread, struct pool_task *task, struct worker_reply *reply)
{
  struct worker_pool *pool = thread->pool;
  const bool is_small = thread->role == ROLE_SMALL;
  const struct worker_watch watch = {.client_fd = task->client_fd,
                                     .cancel_fd = pool->stop_fd,
                                     .seconds = is_small ? small_seconds : task->seconds,
                                     .grace = is_small ? SMALL_GRACE_MS : 0,
                                     .define = definition_desk_answer,
                                     .data = &thread->desk};
  struct backoff backoff = {0};
  for (;;) {
    if (is_stopping(pool) || has_hung_up(task->client_fd))
      return WORKER_CANCELLED;
    enum worker_outcome outcome = worker_client_call(&thread->client, &task->header, task->graph, &watch, reply);
    if (outcome != WORKER_UNAVAILABLE || is_small || backoff.tries == MAX_TRIES)
      return outcome;
    folder_clear(thread->folder);
    if (pause_task(pool, task, backoff_next(&backoff)))
      return WORKER_CANCELLED;
  }
}

/* Whether a worker with more time and memory may say something else. */
static bool is_no_small_work(enum worker_outcome outcome, const struct worker_reply *reply)
{
  return outcome == WORKER_REPLIED ? strcmp(reply->header.error.code, "ProcessGraphComplexity") == 0
                                   : outcome != WORKER_CANCELLED;
}

static void run_task(struct pool_thread *thread, struct pool_task *task, struct worker_reply *reply)
{
  const bool is_any = thread->role == ROLE_ANY;
  snprintf(task->header.output, sizeof task->header.output, "%s", thread->folder);
  task->header.memory = is_any ? thread->pool->options.memory : thread->pool->options.small_memory;
  task->header.threads = is_any ? task->threads : 1;
  definition_desk_begin(&thread->desk, &(struct desk_task){.user = task->header.user[0] ? task->header.user : NULL,
                                                           .folder = thread->folder,
                                                           .client_fd = task->client_fd,
                                                           .cancel_fd = thread->pool->stop_fd,
                                                           .seconds = task->seconds,
                                                           .is_alone = task->is_alone,
                                                           .is_hurried = thread->role == ROLE_SMALL});
  task->header.has_own = definition_desk_has_own(&thread->desk);
  task->header.has_others = definition_desk_has_others(&thread->desk);
  enum worker_outcome outcome = call_worker(thread, task, reply);
  bool is_clean = outcome == WORKER_REPLIED && reply->header.files_size == 0 && !error_is_set(&reply->header.error) &&
                  !thread->desk.has_loaded;
  if (thread->role == ROLE_SMALL && (thread->desk.session.is_incomplete || is_no_small_work(outcome, reply)))
    give_back(thread, task);
  else
    end_task(thread, task, outcome, outcome == WORKER_REPLIED ? reply : NULL);
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
  while ((task = next_task(thread)) != NULL) {
    if (reply == NULL) {
      end_task(thread, task, WORKER_BROKEN, NULL);
      continue;
    }
    run_task(thread, task, reply);
    worker_client_renew(&thread->client);
  }
  definition_desk_close(&thread->desk);
  free(reply);
  return NULL;
}

struct pool_load worker_pool_load(struct worker_pool *pool)
{
  pthread_mutex_lock(&pool->lock);
  const struct pool_load load = {.workers = pool->options.workers,
                                 .busy = pool->options.workers - pool->idle,
                                 .waiting = fair_queue_waiting(pool->users)};
  pthread_mutex_unlock(&pool->lock);
  return load;
}

/* ---- start and end ---- */

static void set_role(struct worker_pool *pool, struct pool_thread *thread, unsigned i)
{
  const unsigned workers = pool->options.workers;
  thread->pool = pool;
  thread->role = i < workers ? ROLE_ANY : i == workers ? ROLE_SMALL : ROLE_STRANGERS;
  thread->queue = thread->role == ROLE_STRANGERS ? pool->strangers : pool->users;
}

static int start_thread(struct worker_pool *pool, unsigned i, struct error *error)
{
  struct pool_thread *thread = &pool->threads[i];
  set_role(pool, thread, i);
  thread->desk.place = pool->options.store;
  thread->desk.data = pool->options.kept;
  thread->desk.remote = pool->options.remote;
  thread->desk.federation = pool->options.federation;
  thread->desk.exports = pool->options.exports;
  thread->desk.publish = pool->options.publish;
  snprintf(thread->folder, sizeof thread->folder, "%s/worker-%u/", pool->options.temporary, i);
  if (folder_make(thread->folder, error) != 0)
    return -1;
  thread->started = pthread_create(&thread->thread, NULL, run_thread, thread) == 0;
  return thread->started ? 0 : error_set(error, ERROR_Internal, "cannot start threads");
}

static void make_conditions(struct worker_pool *pool)
{
  pthread_mutex_init(&pool->lock, NULL);
  for (unsigned i = 0; i < pool->thread_count; i++)
    pthread_cond_init(&pool->threads[i].called, NULL);
}

static int open_pool(struct worker_pool *pool, struct error *error)
{
  pool->users = fair_queue_new(&pool->options.users, pool->options.workers + 1);
  pool->strangers = fair_queue_new(&pool->options.strangers, 1);
  if (pool->users == NULL || pool->strangers == NULL)
    return error_memory(error);
  pool->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (pool->stop_fd < 0)
    return error_set(error, ERROR_Internal, "cannot make an eventfd");
  for (unsigned i = 0; i < pool->thread_count; i++)
    if (start_thread(pool, i, error) != 0)
      return -1;
  return 0;
}

int worker_pool_start(const struct worker_pool_options *options, struct worker_pool **out, struct error *error)
{
  const unsigned threads = options->workers + 2;
  struct worker_pool *pool = calloc(1, sizeof *pool + threads * sizeof pool->threads[0]);
  if (pool == NULL)
    return error_memory(error);
  pool->options = *options;
  pool->thread_count = threads;
  pool->stop_fd = -1;
  for (unsigned i = 0; i < threads; i++)
    worker_client_open(&pool->threads[i].client, options->zygote, options->resident_limit);
  make_conditions(pool);
  if (open_pool(pool, error) != 0) {
    worker_pool_stop(pool);
    return -1;
  }
  *out = pool;
  return 0;
}

/* Every role's threads wake up, and see that the pool ends. */
static void tell_end(struct worker_pool *pool)
{
  const uint64_t one = 1;
  pthread_mutex_lock(&pool->lock);
  pool->stopping = true;
  for (unsigned i = 0; i < pool->thread_count; i++)
    pthread_cond_signal(&pool->threads[i].called);
  pthread_mutex_unlock(&pool->lock);
  if (pool->stop_fd >= 0 && write(pool->stop_fd, &one, sizeof one) != (ssize_t)sizeof one)
    log_message(LOG_WARNING, "the workers were not told to stop");
}

void worker_pool_stop(struct worker_pool *pool)
{
  if (pool == NULL)
    return;
  tell_end(pool);
  for (unsigned i = 0; i < pool->thread_count; i++) {
    if (pool->threads[i].started)
      pthread_join(pool->threads[i].thread, NULL);
    worker_client_close(&pool->threads[i].client);
  }
  if (pool->stop_fd >= 0)
    close(pool->stop_fd);
  fair_queue_free(pool->users);
  fair_queue_free(pool->strangers);
  pthread_mutex_destroy(&pool->lock);
  for (unsigned i = 0; i < pool->thread_count; i++)
    pthread_cond_destroy(&pool->threads[i].called);
  free(pool);
}

/* ---- submitting ---- */

static void end_dropped(struct fair_item *dropped)
{
  while (dropped != NULL) {
    struct pool_task *task = task_of(dropped);
    dropped = dropped->next;
    task->done(task, WORKER_CANCELLED, NULL);
  }
}

/* Tasks whose clients are gone make room. */
static enum fair_answer put_task(struct fair_queue *queue, struct pool_task *task, struct fair_item **dropped)
{
  enum fair_answer answer = fair_queue_put(queue, &task->item, task->owner);
  if (answer == FAIR_TAKEN)
    return answer;
  *dropped = fair_queue_drop(queue, is_dead);
  return fair_queue_put(queue, &task->item, task->owner);
}

int worker_pool_submit(struct worker_pool *pool, struct pool_task *task, struct error *error)
{
  struct fair_item *dropped = NULL;
  const bool is_stranger = task->is_stranger; /* the task may be gone as soon as the lock is free */
  pthread_mutex_lock(&pool->lock);
  enum fair_answer answer =
      pool->stopping ? FAIR_FULL : put_task(is_stranger ? pool->strangers : pool->users, task, &dropped);
  pthread_cond_t *called = NULL;
  if (answer == FAIR_TAKEN)
    called = is_stranger ? &pool->threads[pool->options.workers + 1].called : call_for_users(pool);
  pthread_mutex_unlock(&pool->lock);
  if (called != NULL)
    pthread_cond_signal(called); /* who wakes finds the lock free */
  end_dropped(dropped);
  if (answer == FAIR_OWNER_FULL)
    return error_set(error, ERROR_TooManyRequests, "too many of your requests wait; please try again");
  return answer == FAIR_TAKEN
             ? 0
             : error_set(error, ERROR_InfrastructureBusy, "all workers are busy and the queue is full");
}

void worker_pool_set_user_requests(struct worker_pool *pool, unsigned most)
{
  pthread_mutex_lock(&pool->lock);
  fair_queue_set_per_owner(pool->users, most);
  pthread_mutex_unlock(&pool->lock);
}
