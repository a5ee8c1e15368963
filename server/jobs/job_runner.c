/* One job after the other:
 *
 *   a worker is there · claim (queued -> running) · run in it, into run-<n>.part · sync · rename to run-<n> ·
 *   running -> finished
 *
 * Before the claim a worker is made sure of, so a machine without processes or descriptors leaves the queue as it is.
 * What fails through the machine later on (the zygote died, the disk is full, the store does not answer) puts the job
 * back without counting the attempt, and the runner pauses. An ending that the store does not take is tried again until
 * it is taken: no row says running for ever. A crash before the rename leaves a .part folder, one after it a folder
 * that no finished row names: both are swept at the next start or run. */
#include "server/jobs/job_runner.h"

#include "server/files/workspace_folder.h"
#include "server/store/folder.h"
#include "server/jobs/job_folder.h"
#include "server/jobs/job_result.h"
#include "server/jobs/loaded_results.h"
#include "server/publish/publish.h"
#include "server/publish/publish_option.h"
#include "server/publish/published_files.h"
#include "server/store/store_identities.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { IDLE_POLL_MS = 5000, SHARED_POLL_MS = 500 };   /* shared: other servers queue jobs, too */
static const uint64_t full_disk = (uint64_t)16 << 20; /* free bytes under which the disk, not the job, is at fault */

/* ---- time ------------------------------------------------------------------------------------------------------- */

struct timespec job_queue_deadline(unsigned milliseconds)
{
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
  until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  return until;
}

static bool queue_is_stopping(struct job_queue *queue)
{
  pthread_mutex_lock(&queue->lock);
  bool stopping = queue->stopping;
  pthread_mutex_unlock(&queue->lock);
  return stopping;
}

/* The next pause of the runner's row of them; the queue's end cuts it short. */
static void pause_runner(struct job_runner *runner)
{
  struct job_queue *queue = runner->queue;
  struct timespec until = job_queue_deadline(backoff_next(&runner->backoff));
  pthread_mutex_lock(&queue->lock);
  while (!queue->stopping && pthread_cond_timedwait(&queue->wake, &queue->lock, &until) == 0)
    ;
  pthread_mutex_unlock(&queue->lock);
}

static void wait_for_work(struct job_queue *queue)
{
  struct timespec until = job_queue_deadline(queue->options.server != NULL ? SHARED_POLL_MS : IDLE_POLL_MS);
  pthread_mutex_lock(&queue->lock);
  if (!queue->stopping)
    pthread_cond_timedwait(&queue->wake, &queue->lock, &until);
  pthread_mutex_unlock(&queue->lock);
}

/* ---- what the worker tells on the way --------------------------------------------------------------------------- */

struct listener {
  struct job_runner *runner;
  const struct job *job;
};

/* What is for the operator, not for the job's own log. */
static void tell_log(const struct job *job, const struct error *error)
{
  log_fields(LOG_ERROR, error->message, &(struct log_field){"job", job->id, NULL}, 1);
}

static int put_log(struct job_runner *runner, const struct job *job, const struct log_entry *entry)
{
  struct error error = {0};
  int status = store_log_put(runner->store, job->id, &(struct job_log){.entry = *entry}, &error);
  if (status != 0)
    tell_log(job, &error);
  return status;
}

static void on_progress(void *data, double percent)
{
  struct job_runner *runner = ((struct listener *)data)->runner;
  pthread_mutex_lock(&runner->queue->lock);
  runner->progress = percent < 0 ? 0 : percent > 100 ? 100 : percent;
  pthread_mutex_unlock(&runner->queue->lock);
}

static int put_info(struct job_runner *runner, const struct job *job, const char *message)
{
  return put_log(runner, job, &(struct log_entry){.level = LOG_INFO, .message = message});
}

static int put_error(struct job_runner *runner, const struct job *job, const struct error *error)
{
  return put_log(runner, job,
                 &(struct log_entry){.level = LOG_ERROR,
                                     .message = error->message,
                                     .code = error->code[0] ? error->code : NULL,
                                     .node = error->node[0] ? error->node : NULL,
                                     .parameter = error->parameter[0] ? error->parameter : NULL});
}

static void put_web_process(const struct listener *listener, const char *space, const char *id)
{
  struct buffer text = {0};
  buffer_printf(&text, "process '%s' is the one published at %s", id, space);
  if (!text.failed)
    put_info(listener->runner, listener->job, text.data);
  buffer_free(&text);
}

/* What a process of the user's, or of the web, is, a run finds out when it starts. */
static int on_question(void *data, const char *space, const char *id, struct buffer *json, struct error *error)
{
  const struct listener *listener = data;
  const struct buffer *used = &listener->runner->desk.session.used;
  const size_t before = used->length;
  if (definition_desk_answer(&listener->runner->desk, space, id, json, error) != 0)
    return -1;
  if (used->length > before)
    put_web_process(listener, space, id);
  return 0;
}

static void on_log(void *data, const struct log_entry *entry)
{
  const struct listener *listener = data;
  put_log(listener->runner, listener->job, entry);
}

/* ---- how a run ends --------------------------------------------------------------------------------------------- */

struct ending {
  enum { ENDING_FINISHED, ENDING_ERROR, ENDING_QUEUED } kind;
  struct error error; /* ERROR: found */
  const char *reason; /* QUEUED, for the job's log; NULL: nothing new to say */
  bool counts;        /* QUEUED: as one of the job's attempts */
  bool is_machine;    /* QUEUED: the runner pauses */
  bool is_logged;     /* ERROR: its reason stands in the log already */
};

static struct ending back_to_queue(const struct job_runner *runner, const char *reason)
{
  return (struct ending){
      .kind = ENDING_QUEUED, .reason = runner->backoff.tries == 0 ? reason : NULL, .is_machine = true};
}

static bool disk_is_full(const struct job_runner *runner)
{
  struct statvfs state;
  return statvfs(runner->queue->options.data, &state) == 0 &&
         (uint64_t)state.f_bavail * (uint64_t)state.f_frsize < full_disk;
}

/* What the run took, and what that costs. */
static void note_usage(const struct job_runner *runner, struct job *job, const struct reply_header *reply)
{
  const struct tariff *tariff = &runner->tariff;
  job->usage = job_usage_json(reply);
  if (tariff_has_prices(tariff))
    job->costs = tariff_charge(tariff, reply->cpu_seconds, reply->disk_read, job->has_budget ? &job->budget : NULL);
}

/* Checks what the worker left and makes it visible; the row is still to be told. */
static int publish(struct job_runner *runner, struct job *job, const char *part, const struct worker_reply *reply,
                   struct error *error)
{
  char final[JOB_FOLDER_SIZE], loaded[JOB_FOLDER_SIZE + 16];
  job_result_folder(runner->queue->options.data, job, final);
  snprintf(loaded, sizeof loaded, "%s" LOADED_RESULTS_FOLDER, part);
  folder_remove(loaded);
  job->progress = 100.0;
  note_usage(runner, job, &reply->header);
  job->result = job_result_json(reply, part, &runner->desk.session.used, error);
  if (job->usage == NULL || job->result == NULL)
    return error_is_set(error) ? -1 : error_memory(error);
  if (folder_sync(part, error) != 0)
    return -1;
  folder_remove(final); /* of a run that died between rename and commit */
  if (rename(part, final) != 0)
    return error_set(error, ERROR_StorageFailure, "the results cannot be published: %s", strerror(errno));
  return folder_sync_name(final, error); /* before the row says that they are there */
}

/* The job's result with the files of one export alone; a new string, or NULL where memory is short. */
static char *pick_files(const struct job *job, const json_t *wanted)
{
  json_t *result = json_loads(job->result, 0, NULL), *picked = json_array(), *file, *one;
  size_t i, k;
  json_array_foreach(json_object_get(wanted, "results"), i, one)
  {
    json_array_foreach(json_object_get(result, "files"), k, file)
    {
      if (json_equal(json_object_get(file, "file"), json_object_get(one, "file")))
        json_array_append(picked, file);
    }
  }
  json_object_set_new(result, "files", picked);
  char *text = json_dumps(result, JSON_COMPACT);
  json_decref(result);
  return text;
}

/* Publishes results that are in place now; the log tells where. */
static int publish_files(struct job_runner *runner, const struct job *job, char *result, const struct publication *p,
                         struct error *error)
{
  const struct job_queue_options *options = &runner->queue->options;
  char folder[JOB_FOLDER_SIZE], message[200];
  struct job seen = *job; /* as it will be */
  seen.ended = job->updated > job->started ? job->updated : job->started;
  seen.result = result;
  snprintf(seen.status, sizeof seen.status, "finished");
  job_result_folder(options->data, job, folder);
  if (publish_results(options->publish, p, &seen, folder, error) != 0)
    return -1;
  snprintf(message, sizeof message, "the results are in collection '%.100s' now", p->id);
  put_info(runner, job, message);
  return 0;
}

/* What export_collection asked for. */
static int publish_collection(struct job_runner *runner, const struct job *job, const json_t *wanted,
                              struct error *error)
{
  const json_t *changes = json_object_get(json_array_get(json_object_get(wanted, "results"), 0), "changes");
  const char *id = json_string_value(json_object_get(wanted, "collection"));
  char *patches = changes != NULL ? json_dumps(changes, JSON_COMPACT) : NULL, *result = pick_files(job, wanted);
  const struct publication p = {.id = id != NULL ? id : "",
                                .user = job->owner,
                                .audience = PUBLISH_AS_BEFORE_OR_ALL,
                                .adds = true,
                                .base = runner->queue->options.base,
                                .changes = patches};
  int status = result != NULL ? publish_files(runner, job, result, &p, error) : error_memory(error);
  if (status != 0) {
    const char *node = json_string_value(json_object_get(wanted, "name"));
    error_at_node(error, node != NULL ? node : "");
  }
  free(result);
  free(patches);
  return status;
}

/* What the job's option "publish" asks for: all of its results. */
static int publish_by_option(struct job_runner *runner, const struct job *job, struct error *error)
{
  json_t *options = job->options != NULL ? json_loads(job->options, 0, NULL) : NULL;
  const json_t *option = publish_option_find(options);
  struct publication p = {.user = job->owner, .base = runner->queue->options.base};
  int status = option != NULL ? publish_option_read(option, &p, error) : 0;
  if (status == 0 && option != NULL)
    status = publish_files(runner, job, job->result, &p, error);
  json_decref(options);
  return status;
}

static int publish_collections(struct job_runner *runner, const struct job *job, struct error *error)
{
  const json_t *all = runner->desk.collections;
  int status = 0;
  for (size_t i = 0; i < json_array_size(all) && status == 0; i++)
    status = publish_collection(runner, job, json_array_get(all, i), error);
  return status;
}

static struct ending failed(struct job_runner *runner, struct job *job, const struct error *found)
{
  pthread_mutex_lock(&runner->queue->lock);
  job->progress = runner->progress;
  pthread_mutex_unlock(&runner->queue->lock);
  free(job->result);
  job->result = NULL;
  return (struct ending){.kind = ENDING_ERROR, .error = *found};
}

/* An error that the worker found. The job's own results may have filled the disk: they are gone before it is looked at,
 * and a disk that is full without them is no fault of the job. */
static struct ending replied_error(struct job_runner *runner, struct job *job, const char *part,
                                   const struct worker_reply *reply)
{
  folder_remove(part);
  if (strcmp(reply->header.error.code, "StorageFailure") == 0 && disk_is_full(runner))
    return back_to_queue(runner, "the disk is full");
  note_usage(runner, job, &reply->header);
  return failed(runner, job, &reply->header.error);
}

static struct ending replied(struct job_runner *runner, struct job *job, const char *part,
                             const struct worker_reply *reply)
{
  struct error error = {0};
  if (error_is_set(&reply->header.error))
    return replied_error(runner, job, part, reply);
  if (publish(runner, job, part, reply, &error) == 0 && publish_collections(runner, job, &error) == 0 &&
      publish_by_option(runner, job, &error) == 0)
    return (struct ending){.kind = ENDING_FINISHED};
  if (!error_is(&error, ERROR_StorageFailure))
    return failed(runner, job, &error);
  tell_log(job, &error);
  return back_to_queue(runner, "the results could not be stored");
}

static struct ending out_of_time(struct job_runner *runner, struct job *job, const char *part)
{
  struct error error = {0};
  folder_remove(part);
  error_set(&error, ERROR_RequestTimeout, "the job took longer than the %.0f s that a job may take", runner->seconds);
  return failed(runner, job, &error);
}

static struct ending judge(struct job_runner *runner, struct job *job, const char *part, enum worker_outcome outcome,
                           const struct worker_reply *reply)
{
  switch (outcome) {
  case WORKER_REPLIED:
    return replied(runner, job, part, reply);
  case WORKER_UNAVAILABLE:
    return back_to_queue(runner, "no worker process was to be had");
  case WORKER_CANCELLED: /* most often the row says so already; else the server ends, or the cancel was another run's */
    return (struct ending){.kind = ENDING_QUEUED, .reason = "the run was interrupted"};
  case WORKER_TIMEOUT:
    return out_of_time(runner, job, part);
  case WORKER_BROKEN:
    break;
  }
  return (struct ending){.kind = ENDING_QUEUED, .reason = "the worker process ended unexpectedly", .counts = true};
}

/* ---- telling the store ------------------------------------------------------------------------------------------ */

/* One try. What was cancelled, restarted or deleted meanwhile stays as it is. */
static int tell_store(struct job_runner *runner, const struct job *job, struct ending *ending, struct error *error)
{
  bool accepted = false;
  if (ending->kind == ENDING_QUEUED)
    return store_job_requeue(runner->store, job, ending->counts, ending->reason, error);
  if (ending->kind == ENDING_FINISHED) {
    if (store_job_finish(runner->store, job, "finished", &accepted, error) != 0)
      return -1;
    if (accepted)
      put_info(runner, job, "the job is finished");
    return 0;
  }
  /* The reason first, so that an `error` never lacks it. */
  if (!ending->is_logged && put_error(runner, job, &ending->error) != 0)
    return error_set(error, ERROR_StorageFailure, "the job's log cannot be written");
  ending->is_logged = true;
  return store_job_finish(runner->store, job, "error", &accepted, error);
}

/* Until the store takes it. At the server's end a row is left to the next start, which queues it again. */
static void settle(struct job_runner *runner, const struct job *job, struct ending *ending)
{
  for (;;) {
    struct error error = {0};
    if (tell_store(runner, job, ending, &error) == 0)
      return;
    tell_log(job, &error);
    if (queue_is_stopping(runner->queue))
      return;
    pause_runner(runner);
  }
}

/* ---- one job ---------------------------------------------------------------------------------------------------- */

struct quota {
  bool is_set;
  uint64_t left; /* bytes */
};

/* Bytes of results that the job's owner may still keep: as the user's own rights say, else as for everybody. */
static int read_quota(struct job_runner *runner, const struct job *job, struct quota *out, struct error *error)
{
  struct user_rights rights;
  uint64_t used = 0;
  if (store_user_rights(runner->store, job->owner, &rights, NULL, error) != 0)
    return -1;
  const uint64_t most = rights.results > 0 ? rights.results : runner->queue->options.limits->user_results;
  if (most > 0 && store_job_bytes(runner->store, job->owner, &used, error) != 0)
    return -1;
  if (most > 0)
    used += published_bytes(runner->queue->options.publish->folder, job->owner);
  *out = (struct quota){.is_set = most > 0, .left = used < most ? most - used : 0};
  return 0;
}

static void fill_task(const struct job_runner *runner, const struct job *job, const char *part,
                      const struct quota *quota, struct task_header *task)
{
  const struct job_queue_options *options = &runner->queue->options;
  *task = (struct task_header){.kind = TASK_EXECUTE,
                               .threads = options->threads,
                               .memory = options->memory,
                               .room_most = options->result_size,
                               .has_quota = quota->is_set,
                               .has_budget = job->has_budget && tariff_has_prices(&runner->tariff),
                               .budget = job->budget,
                               .tariff = runner->tariff,
                               .room_left = quota->left,
                               .workspace_most = options->limits->user_files,
                               .job = 1,
                               .debug = strcmp(job->log_level, "debug") == 0};
  snprintf(task->output, sizeof task->output, "%s", part);
  job_kept_folder(options->data, job, task->checkpoint);
  snprintf(task->history, sizeof task->history, "twincube " TWINCUBE_VERSION " job %s", job->id);
}

static void add_names(struct buffer *text, const json_t *options, const char *before)
{
  const char *name;
  json_t *member;
  json_object_foreach((json_t *)(uintptr_t)options, name, member)
  {
    if (strcmp(name, "priority") == 0 || strcmp(name, PUBLISH_OPTION) == 0)
      continue;
    if (json_is_object(member) && before[0] == '\0' && strcmp(name, "job_options") == 0)
      add_names(text, member, "job_options.");
    else
      buffer_printf(text, "%s%s%s", text->length > 0 ? ", " : "these options have no effect here: ", before, name);
  }
}

/* Options that mean nothing here do nothing: the log says so, by name. */
static void warn_of_options(struct job_runner *runner, const struct job *job)
{
  json_t *options = job->options != NULL ? json_loads(job->options, 0, NULL) : NULL;
  struct buffer text = {.limit = 4096};
  add_names(&text, options, "");
  if (text.length > 0)
    put_log(runner, job, &(struct log_entry){.level = LOG_WARNING, .message = text.data});
  buffer_free(&text);
  json_decref(options);
}

static struct ending try_job(struct job_runner *runner, struct job *job, const char *part, struct worker_reply *reply)
{
  struct error error = {0};
  struct task_header task;
  struct listener listener = {.runner = runner, .job = job};
  runner->tariff = *runner->queue->options.limits->tariff;
  runner->seconds = runner->queue->options.limits->job_seconds;
  const struct worker_watch watch = {.client_fd = -1,
                                     .cancel_fd = runner->cancel_fd,
                                     .seconds = runner->seconds,
                                     .progress = on_progress,
                                     .log = on_log,
                                     .define = on_question,
                                     .data = &listener};
  const struct buffer graph = {.data = job->process, .length = strlen(job->process)};
  if (strlen(part) >= sizeof task.output) {
    error_set(&error, ERROR_StorageFailure, "the data folder's name is too long");
    return failed(runner, job, &error);
  }
  struct quota quota = {0};
  if (folder_make(part, &error) != 0 || read_quota(runner, job, &quota, &error) != 0) {
    tell_log(job, &error);
    return back_to_queue(runner, "no room could be made for the results");
  }
  fill_task(runner, job, part, &quota, &task);
  if (folder_make(task.checkpoint, &error) != 0)
    return back_to_queue(runner, "no room could be made for what the run keeps");
  snprintf(task.user, sizeof task.user, "%s", job->owner);
  definition_desk_begin(
      &runner->desk,
      &(struct desk_task){
          .user = job->owner, .folder = part, .client_fd = -1, .cancel_fd = runner->cancel_fd, .is_job = true});
  task.has_own = definition_desk_has_own(&runner->desk);
  task.has_others = definition_desk_has_others(&runner->desk);
  if (file_tree_path(runner->store, runner->queue->options.data, job->owner, task.files, &error) != 0 ||
      workspace_folder(runner->store, runner->queue->options.workspaces, job->owner, task.workspaces, &error) != 0)
    return back_to_queue(runner, "the store did not answer");
  enum worker_outcome outcome = worker_client_call(&runner->client, &task, &graph, &watch, reply);
  return judge(runner, job, part, outcome, reply);
}

static void run_job(struct job_runner *runner, struct job *job, struct worker_reply *reply)
{
  char part[JOB_FOLDER_SIZE + 8];
  job_result_folder(runner->queue->options.data, job, part);
  snprintf(part + strlen(part) - 1, 8, ".part/");
  if (runner->backoff.tries == 0) {
    put_info(runner, job, job->attempts > 1 ? "the job starts again" : "the job starts");
    warn_of_options(runner, job);
  }
  folder_remove(part);
  struct ending ending = try_job(runner, job, part, reply);
  folder_remove(part);
  settle(runner, job, &ending);
  job_folder_sweep(runner->queue->options.data, runner->store, job->id);
  if (ending.is_machine)
    pause_runner(runner);
  else
    runner->backoff = (struct backoff){0};
}

/* ---- the loop --------------------------------------------------------------------------------------------------- */

static void set_current(struct job_runner *runner, const char *id, int64_t run)
{
  uint64_t drained;
  pthread_mutex_lock(&runner->queue->lock);
  snprintf(runner->id, sizeof runner->id, "%s", id);
  runner->run = run;
  runner->progress = 0;
  if (!runner->queue->stopping && read(runner->cancel_fd, &drained, sizeof drained) < 0)
    drained = 0; /* nothing was there */
  if (id[0] == '\0') {
    runner->queue->ended++;
    pthread_cond_broadcast(&runner->queue->changed);
  }
  pthread_mutex_unlock(&runner->queue->lock);
}

/* The job may have been cancelled between its claim and set_current. Where the store does not say, it runs. */
static bool still_running(struct job_runner *runner, const struct job *job)
{
  struct job now = {0};
  struct error error = {0};
  if (store_job_get(runner->store, NULL, job->id, &now, &error) != 0)
    return !error_is(&error, ERROR_JobNotFound);
  bool running = strcmp(now.status, "running") == 0 && now.run == job->run;
  job_free(&now);
  return running;
}

/* A worker that lives, before a job is taken for it. */
static bool has_worker(struct job_runner *runner)
{
  struct error error = {0};
  if (worker_client_ready(&runner->client, &error) == 0)
    return true;
  if (runner->backoff.tries == 0)
    log_message(LOG_ERROR, "the job queue: %s", error.message);
  return false;
}

static void take_job(struct job_runner *runner, struct worker_reply *reply)
{
  struct error error = {0};
  struct job job = {0};
  bool found = false;
  if (store_job_claim(runner->store, &job, &found, &error) != 0) {
    log_message(LOG_ERROR, "the job queue: %s", error.message);
    pause_runner(runner);
    return;
  }
  if (!found) {
    runner->backoff = (struct backoff){0};
    wait_for_work(runner->queue);
    return;
  }
  set_current(runner, job.id, job.run);
  if (still_running(runner, &job))
    run_job(runner, &job, reply);
  set_current(runner, "", 0);
  job_free(&job);
  worker_client_renew(&runner->client);
}

void *job_runner_work(void *data)
{
  struct job_runner *runner = data;
  struct worker_reply *reply = malloc(sizeof *reply);
  while (reply != NULL && !queue_is_stopping(runner->queue)) {
    if (has_worker(runner))
      take_job(runner, reply);
    else
      pause_runner(runner);
  }
  free(reply);
  return NULL;
}
