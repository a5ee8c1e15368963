/* The runners. A job's way:
 *
 *   claim (queued -> running) · run in the worker into run-<n>.part · sync · rename to run-<n> ·
 *   running -> finished
 *
 * A crash before the rename leaves a .part folder, one after it a folder that no finished row names: both are swept at
 * the next start or run, and the row still says running, so the job is queued again. The column `result` holds
 * {"files": [{"file": …, "type": …, "node": …, "size": …, "metadata": {…}}, …]}, one for each outcome. */
#include "server/job_queue.h"

#include "server/folder.h"
#include "server/worker_client.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { IDLE_POLL_SECONDS = 5 };

struct runner {
  struct job_queue *queue;
  pthread_t thread;
  bool started;
  struct store *store;
  struct worker_client client;
  int cancel_fd;        /* eventfd */
  char id[JOB_ID_SIZE]; /* the job at hand, "" when idle; guarded by the queue's lock */
  double progress;      /* likewise */
};

struct job_queue {
  struct job_queue_options options;
  pthread_mutex_t lock;
  pthread_cond_t wake;    /* a job was queued, or the queue ends */
  pthread_cond_t changed; /* a job ended */
  bool stopping;
  struct runner runners[];
};

void job_folder(const char *data, const char *id, char out[JOB_FOLDER_SIZE])
{
  snprintf(out, JOB_FOLDER_SIZE, "%.1900s/jobs/%s/", data, id);
}

void job_result_folder(const char *data, const struct job *job, char out[JOB_FOLDER_SIZE])
{
  snprintf(out, JOB_FOLDER_SIZE, "%.1900s/jobs/%s/run-%" PRId64 "/", data, job->id, job->run);
}

/* ---- what the worker tells on the way ---- */

struct listener {
  struct runner *runner;
  const struct job *job;
};

static void log_job(struct runner *runner, const struct job *job, enum log_level level, const struct error *found,
                    const char *message)
{
  const struct job_log entry = {.level = level,
                                .code = found && found->code[0] ? found->code : NULL,
                                .message = message,
                                .node = found && found->node[0] ? found->node : NULL,
                                .parameter = found && found->parameter[0] ? found->parameter : NULL};
  struct error error = {0};
  if (store_log_put(runner->store, job->id, &entry, &error) != 0)
    log_message(LOG_ERROR, "job %s: %s", job->id, error.message);
}

static void on_progress(void *data, double percent)
{
  struct runner *runner = ((struct listener *)data)->runner;
  pthread_mutex_lock(&runner->queue->lock);
  runner->progress = percent < 0 ? 0 : percent > 100 ? 100 : percent;
  pthread_mutex_unlock(&runner->queue->lock);
}

static void on_log(void *data, unsigned level, const char *text, size_t length)
{
  const struct listener *listener = data;
  char *copy = strndup(text, length);
  if (copy != NULL)
    log_job(listener->runner, listener->job, level > LOG_DEBUG ? LOG_DEBUG : (enum log_level)level, NULL, copy);
  free(copy);
}

/* ---- one job ---- */

static char *usage_json(const struct reply_header *header)
{
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  const struct {
    const char *name, *unit;
    double value;
  } rows[] = {{"cpu", "cpu-seconds", header->cpu_seconds},
              {"duration", "seconds", header->wall_seconds},
              {"max_memory", "mb", (double)header->resident_peak / 1048576.0}};
  json_write_object(&w);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    json_key(&w, rows[i].name);
    json_write_object(&w);
    json_kv_number(&w, "value", rows[i].value < 0 ? 0 : (double)(int64_t)(rows[i].value * 1000 + 0.5) / 1000);
    json_kv_string(&w, "unit", rows[i].unit);
    json_end_object(&w);
  }
  json_end_object(&w);
  return text.failed ? NULL : text.data;
}

static int write_file(struct json_writer *w, const char *part, const struct reply_file *file, const char *metadata,
                      struct error *error)
{
  uint64_t size = 0;
  int fd = folder_open_file(part, file->path, &size);
  if (fd < 0)
    return error_set(error, "Internal", "the worker left no result file");
  close(fd);
  json_write_object(w);
  json_kv_string(w, "file", strrchr(file->path, '/') + 1);
  json_kv_string(w, "type", file->media_type);
  json_kv_string(w, "node", file->name);
  json_kv_integer(w, "size", (int64_t)size);
  if (file->metadata_size > 0) {
    json_key(w, "metadata");
    json_write_raw(w, metadata, file->metadata_size);
  }
  json_end_object(w);
  return 0;
}

/* The row's `result`: the files that the worker left, checked. */
static char *result_json(const struct worker_reply *reply, const char *part, struct error *error)
{
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  struct reply_file file;
  const char *metadata;
  uint64_t at = 0;
  int status = 0;
  json_write_object(&w);
  json_key(&w, "files");
  json_write_array(&w);
  while (status == 0 && worker_reply_next(reply, &at, &file, &metadata))
    status = write_file(&w, part, &file, metadata, error);
  json_end_array(&w);
  json_end_object(&w);
  if (at == 0)
    error_set(error, "Internal", "the worker left no result file");
  if (text.failed)
    error_memory(error);
  if (!error_is_set(error))
    return text.data;
  buffer_free(&text);
  return NULL;
}

/* Checks what the worker left, makes it visible, and turns the job finished. */
static int publish(struct runner *runner, struct job *job, const char *part, const struct worker_reply *reply,
                   bool *accepted, struct error *error)
{
  char final[JOB_FOLDER_SIZE];
  job_result_folder(runner->queue->options.data, job, final);
  job->progress = 100.0;
  job->usage = usage_json(&reply->header);
  job->result = result_json(reply, part, error);
  if (job->usage == NULL || job->result == NULL)
    return error_is_set(error) ? -1 : error_memory(error);
  if (folder_sync(part, error) != 0)
    return -1;
  folder_remove(final); /* of a run that died between rename and commit */
  if (rename(part, final) != 0)
    return error_set(error, "StorageFailure", "the results cannot be published: %s", strerror(errno));
  return store_job_finish(runner->store, job, "finished", accepted, error);
}

static void fail(struct runner *runner, struct job *job, const struct error *found, const struct reply_header *header)
{
  struct error error = {0};
  bool accepted = false;
  pthread_mutex_lock(&runner->queue->lock);
  job->progress = runner->progress;
  pthread_mutex_unlock(&runner->queue->lock);
  if (header != NULL && job->usage == NULL)
    job->usage = usage_json(header);
  free(job->result);
  job->result = NULL;
  log_job(runner, job, LOG_ERROR, found, found->message); /* first, so that an `error` never lacks its reason */
  if (store_job_finish(runner->store, job, "error", &accepted, &error) != 0)
    log_message(LOG_ERROR, "job %s: %s", job->id, error.message);
}

static bool queue_is_stopping(struct job_queue *queue)
{
  pthread_mutex_lock(&queue->lock);
  bool stopping = queue->stopping;
  pthread_mutex_unlock(&queue->lock);
  return stopping;
}

static void conclude(struct runner *runner, struct job *job, const char *part, enum worker_outcome outcome,
                     const struct worker_reply *reply)
{
  struct error error = {0};
  bool accepted = false;
  if (outcome == WORKER_REPLIED && error_is_set(&reply->header.error)) {
    fail(runner, job, &reply->header.error, &reply->header);
  } else if (outcome == WORKER_REPLIED) {
    if (publish(runner, job, part, reply, &accepted, &error) != 0)
      fail(runner, job, &error, &reply->header);
    else if (accepted)
      log_job(runner, job, LOG_INFO, NULL, "the job is finished");
  } else if (outcome == WORKER_CANCELLED) {
    /* Cancelled in the store already, or the server ends: then the row still says running. */
    if (queue_is_stopping(runner->queue))
      store_job_requeue(runner->store, job, false, "the server was stopped", &error);
  } else {
    store_job_requeue(runner->store, job, true, "the worker process ended unexpectedly", &error);
  }
  if (error_is_set(&error))
    log_message(LOG_ERROR, "job %s: %s", job->id, error.message);
}

/* Keeps only the results that the row names. */
struct sweep {
  struct runner *runner;
  const char *folder;
  char keep[40];
};

static void sweep_entry(void *data, const char *name)
{
  const struct sweep *sweep = data;
  char path[JOB_FOLDER_SIZE + 300];
  if (strcmp(name, sweep->keep) == 0)
    return;
  snprintf(path, sizeof path, "%s%s", sweep->folder, name);
  folder_remove(path);
}

static void sweep_job(struct runner *runner, const char *id)
{
  char folder[JOB_FOLDER_SIZE];
  struct error error = {0};
  struct job job = {0};
  job_folder(runner->queue->options.data, id, folder);
  if (store_job_get(runner->store, NULL, id, &job, &error) != 0) {
    if (strcmp(error.code, "JobNotFound") == 0)
      folder_remove(folder);
    return;
  }
  struct sweep sweep = {.runner = runner, .folder = folder, .keep = ""};
  if (job.result != NULL)
    snprintf(sweep.keep, sizeof sweep.keep, "run-%" PRId64, job.run);
  /* A new run may have begun in another runner already: its folder must stay. */
  bool is_idle = strcmp(job.status, "running") != 0 && strcmp(job.status, "queued") != 0;
  if (is_idle)
    folder_each(folder, sweep_entry, &sweep);
  job_free(&job);
}

static void fill_task(const struct runner *runner, const struct job *job, const char *part, struct task_header *task)
{
  const struct job_queue_options *options = &runner->queue->options;
  *task = (struct task_header){.kind = TASK_EXECUTE,
                               .threads = options->threads,
                               .memory = options->memory,
                               .job = 1,
                               .debug = strcmp(job->log_level, "debug") == 0};
  snprintf(task->output, sizeof task->output, "%s", part);
  snprintf(task->history, sizeof task->history, "twincube " TWINCUBE_VERSION " job %s", job->id);
}

static void run_job(struct runner *runner, struct job *job, struct worker_reply *reply)
{
  char part[JOB_FOLDER_SIZE + 8];
  struct error error = {0};
  struct task_header task;
  struct listener listener = {.runner = runner, .job = job};
  const struct worker_watch watch = {
      .client_fd = -1, .cancel_fd = runner->cancel_fd, .progress = on_progress, .log = on_log, .data = &listener};
  job_result_folder(runner->queue->options.data, job, part);
  snprintf(part + strlen(part) - 1, 8, ".part/");
  log_job(runner, job, LOG_INFO, NULL, job->attempts > 1 ? "the job starts again" : "the job starts");
  folder_remove(part);
  const struct buffer graph = {.data = job->process, .length = strlen(job->process)};
  if (strlen(part) >= sizeof task.output) {
    error_set(&error, "StorageFailure", "the data folder's name is too long");
    fail(runner, job, &error, NULL);
  } else if (folder_make(part, &error) != 0) {
    fail(runner, job, &error, NULL);
  } else {
    fill_task(runner, job, part, &task);
    enum worker_outcome outcome = worker_client_call(&runner->client, &task, &graph, &watch, reply);
    conclude(runner, job, part, outcome, reply);
  }
  folder_remove(part);
  sweep_job(runner, job->id);
}

/* ---- the runners' loop ---- */

static void set_current(struct runner *runner, const char *id)
{
  uint64_t drained;
  pthread_mutex_lock(&runner->queue->lock);
  snprintf(runner->id, sizeof runner->id, "%s", id);
  runner->progress = 0;
  if (!runner->queue->stopping && read(runner->cancel_fd, &drained, sizeof drained) < 0)
    drained = 0; /* nothing was there */
  if (id[0] == '\0')
    pthread_cond_broadcast(&runner->queue->changed);
  pthread_mutex_unlock(&runner->queue->lock);
}

/* The job may have been cancelled between its claim and set_current. */
static bool still_running(struct runner *runner, const struct job *job)
{
  struct job now = {0};
  struct error error = {0};
  bool running = store_job_get(runner->store, NULL, job->id, &now, &error) == 0 && strcmp(now.status, "running") == 0 &&
                 now.run == job->run;
  job_free(&now);
  return running;
}

static void wait_for_work(struct job_queue *queue)
{
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += IDLE_POLL_SECONDS;
  pthread_mutex_lock(&queue->lock);
  if (!queue->stopping)
    pthread_cond_timedwait(&queue->wake, &queue->lock, &until);
  pthread_mutex_unlock(&queue->lock);
}

static void *run_runner(void *data)
{
  struct runner *runner = data;
  struct worker_reply *reply = malloc(sizeof *reply);
  struct error ignored = {0};
  worker_client_start(&runner->client, &ignored);
  while (reply != NULL && !queue_is_stopping(runner->queue)) {
    struct error error = {0};
    struct job job = {0};
    bool found = false;
    if (store_job_claim(runner->store, &job, &found, &error) != 0)
      log_message(LOG_ERROR, "the job queue: %s", error.message);
    if (!found) {
      wait_for_work(runner->queue);
      continue;
    }
    set_current(runner, job.id);
    if (still_running(runner, &job))
      run_job(runner, &job, reply);
    set_current(runner, "");
    job_free(&job);
    worker_client_renew(&runner->client);
  }
  free(reply);
  return NULL;
}

/* ---- start and stop ---- */

static void sweep_folder(void *data, const char *name)
{
  sweep_job(data, name);
}

static int start_runner(struct job_queue *queue, unsigned i, struct error *error)
{
  struct runner *runner = &queue->runners[i];
  runner->queue = queue;
  worker_client_open(&runner->client, queue->options.zygote, queue->options.resident_limit);
  runner->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (runner->cancel_fd < 0)
    return error_set(error, "Internal", "cannot make an eventfd");
  if (store_open(queue->options.data, &runner->store, error) != 0)
    return -1;
  if (i == 0) { /* before any job runs */
    char jobs[JOB_FOLDER_SIZE];
    snprintf(jobs, sizeof jobs, "%.1900s/jobs", queue->options.data);
    if (store_job_recover(runner->store, error) != 0)
      return -1;
    folder_each(jobs, sweep_folder, runner);
  }
  runner->started = pthread_create(&runner->thread, NULL, run_runner, runner) == 0;
  return runner->started ? 0 : error_set(error, "Internal", "cannot start threads");
}

int job_queue_start(const struct job_queue_options *options, struct job_queue **out, struct error *error)
{
  struct job_queue *queue = calloc(1, sizeof *queue + options->slots * sizeof queue->runners[0]);
  if (queue == NULL)
    return error_memory(error);
  queue->options = *options;
  for (unsigned i = 0; i < options->slots; i++)
    queue->runners[i].cancel_fd = queue->runners[i].client.fd = -1;
  pthread_mutex_init(&queue->lock, NULL);
  pthread_cond_init(&queue->wake, NULL);
  pthread_cond_init(&queue->changed, NULL);
  for (unsigned i = 0; i < options->slots; i++)
    if (start_runner(queue, i, error) != 0) {
      job_queue_stop(queue);
      return -1;
    }
  *out = queue;
  return 0;
}

static void poke(const struct runner *runner)
{
  const uint64_t one = 1;
  if (runner->cancel_fd >= 0 && write(runner->cancel_fd, &one, sizeof one) < 0)
    log_message(LOG_WARNING, "a job was not told to stop: %s", strerror(errno));
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
  pthread_mutex_unlock(&queue->lock);
  for (unsigned i = 0; i < queue->options.slots; i++) {
    struct runner *runner = &queue->runners[i];
    if (runner->started)
      pthread_join(runner->thread, NULL);
    worker_client_close(&runner->client);
    store_close(runner->store);
    if (runner->cancel_fd >= 0)
      close(runner->cancel_fd);
  }
  pthread_mutex_destroy(&queue->lock);
  pthread_cond_destroy(&queue->wake);
  pthread_cond_destroy(&queue->changed);
  free(queue);
}

void job_queue_wake(struct job_queue *queue)
{
  pthread_mutex_lock(&queue->lock);
  pthread_cond_signal(&queue->wake);
  pthread_mutex_unlock(&queue->lock);
}

void job_queue_cancel(struct job_queue *queue, const char *id)
{
  pthread_mutex_lock(&queue->lock);
  for (unsigned i = 0; i < queue->options.slots; i++)
    if (strcmp(queue->runners[i].id, id) == 0)
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

void job_queue_wait(struct job_queue *queue, struct store *store, const char *id, unsigned milliseconds)
{
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
  until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_mutex_lock(&queue->lock);
  for (int timeout = 0; timeout == 0 && !queue->stopping;) {
    struct job job = {0};
    struct error error = {0};
    bool waits = store_job_get(store, NULL, id, &job, &error) == 0 &&
                 (strcmp(job.status, "queued") == 0 || strcmp(job.status, "running") == 0);
    job_free(&job);
    if (!waits)
      break;
    timeout = pthread_cond_timedwait(&queue->changed, &queue->lock, &until);
  }
  pthread_mutex_unlock(&queue->lock);
}
