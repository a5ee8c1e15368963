/* The worker's loop. Memory and core dumps are limited; the kernel's out-of-memory killer is pointed here first. */
#include "server/workers/worker.h"

#include "server/services/map_worker.h"
#include "server/services/part_task.h"
#include "server/workers/spawn_self.h"
#include "server/workers/ticker.h"
#include "server/workers/worker_lookup.h"
#include "server/workers/worker_usage.h"

#include "datacube/base/hash.h"
#include "datacube/base/logger.h"
#include "hpc/device/device.h"
#include "hpc/udf/interpreters.h"
#include "datacube/remote/remote_file.h"
#include "datacube/remote/remote_states.h"
#include "processes/execute.h"
#include "stac/catalogue.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PROGRESS_INTERVAL_MS = 100, BUDGET_INTERVAL_MS = 100, LOG_ENTRIES = 1000, LOG_DATA = 64 * 1024 };
enum { LONG_VALUE = 1024 * 1024, EXPLAIN_MOST = 16 * 1024 * 1024, KERNEL_FOLDER = 1200 };
static const size_t trim_above = (size_t)64 << 20; /* resident bytes past which freed memory is given back */

struct worker {
  int fd;
  int remote_fd;                     /* socket to the fetcher, or -1 */
  struct interpreters *interpreters; /* of users' scripts; NULL: none */
  char script_user[72];              /* whose scripts they have run; "": nobody's */
  const struct worker_options *options;
  struct catalogue *catalogue; /* opened at the first task */
  struct devices *devices;     /* likewise; NULL: the CPU alone */
  char kernels[KERNEL_FOLDER]; /* the user's folder of what is compiled for devices, or "" */
  struct plan_cache *cache;    /* of runs, for the same request again; made at the first task, NULL: out of memory */
  struct open_maps *maps;      /* of services; made at the first task */
  struct buffer frame;
  int64_t progress_sent;          /* milliseconds, monotonic */
  unsigned log_entries;           /* sent for the task at hand */
  const struct task_header *task; /* at hand */
  struct usage begin;             /* of the task */
  atomic_bool is_over_budget;     /* the task was ended for that */
  bool is_confined;               /* to what the first task may */
};

static volatile int cancelled; /* set by the signal handler, and where the budget is used up */

static void on_cancel(int number)
{
  (void)number;
  cancelled = 1;
}

static int64_t now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void limit_process(const struct worker_options *options)
{
  /* Far above what a result may take, text and headers included: a write past it fails (EFBIG), and does not kill. */
  const rlim_t longest = 4 * (rlim_t)options->result_size + ((rlim_t)64 << 20);
  const struct rlimit file = {longest, longest};
  if (options->result_size > 0)
    setrlimit(RLIMIT_FSIZE, &file);
  signal(SIGXFSZ, SIG_IGN);
  /* Far above what a plan may take: this stops a runaway, the plan's own ceiling does the fine work. */
  spawned_bound(2 * options->memory + ((size_t)2 << 30));
}

/* What worker and interpreters have used so far. */
static struct usage used_by(const struct worker *worker)
{
  struct usage used = usage_now();
  used.cpu_seconds += interpreters_cpu_seconds(worker->interpreters);
  return used;
}

static struct usage used_by_task(const struct worker *worker)
{
  const struct usage now = used_by(worker);
  return usage_between(&worker->begin, &now);
}

/* A task that costs more than its budget ends. Any thread. */
static void watch_budget(void *data)
{
  struct worker *worker = data;
  const struct task_header *task = worker->task;
  if (!task->has_budget || cancelled)
    return;
  const struct usage used = used_by_task(worker);
  if (tariff_costs(&task->tariff, used.cpu_seconds, used.read_bytes) <= task->budget)
    return;
  worker->is_over_budget = true;
  cancelled = 1;
}

/* Called after each tile, serialised by the run. */
static void on_progress(struct run_progress *progress, void *data)
{
  struct worker *worker = data;
  int64_t now = now_ms();
  if (now - worker->progress_sent < PROGRESS_INTERVAL_MS || progress->tiles == 0)
    return;
  worker->progress_sent = now;
  const double percent = 100.0 * (double)atomic_load(&progress->tiles_done) / (double)progress->tiles;
  frame_send(worker->fd, FRAME_PROGRESS, &percent, sizeof percent, NULL, 0);
}

/* A graph may say more than anybody reads: after so many entries the log says that, and no more. */
static void on_log(void *data, const struct log_entry *entry)
{
  struct worker *worker = data;
  struct log_entry sent = *entry;
  if (worker->log_entries > LOG_ENTRIES)
    return;
  if (worker->log_entries++ == LOG_ENTRIES)
    sent = (struct log_entry){.level = LOG_WARNING, .message = "the log is full: what else the run says is left out"};
  else if (sent.data != NULL && strlen(sent.data) > LOG_DATA)
    sent.data = "\"(too long for the log)\"";
  frame_send_log(worker->fd, &sent);
}

static void log_plan(struct worker *worker, const struct execution *execution, enum log_level level)
{
  struct buffer text = {.limit = 256 * 1024};
  struct error ignored = {0};
  if (execute_explain(execution, &text, &ignored) == 0 && text.length > 0)
    on_log(worker, &(struct log_entry){.level = level, .message = text.data});
  buffer_free(&text);
}

/* A long value goes to the server as a file: the main process sends it on without ever holding it. */
static int spill_value(const struct task_header *task, const struct buffer *json, struct buffer *files,
                       struct error *error)
{
  struct reply_file head = {.is_result = 1};
  snprintf(head.path, sizeof head.path, "%svalue.json", task->output);
  snprintf(head.media_type, sizeof head.media_type, "application/json%s", task->official ? "; encoding=official" : "");
  FILE *stream = fopen(head.path, "wxe");
  bool written = stream != NULL && fwrite(json->data, 1, json->length, stream) == json->length;
  if (stream != NULL && fclose(stream) != 0)
    written = false;
  if (!written)
    return error_set(error, ERROR_StorageFailure, "the value of %zu bytes cannot be written", json->length);
  buffer_add(files, &head, sizeof head);
  return files->failed ? error_memory(error) : 0;
}

static int add_file(const struct execution_file *file, struct buffer *files, struct error *error)
{
  struct reply_file head = {.is_result = file->is_result, .metadata_size = file->metadata.length};
  if (snprintf(head.path, sizeof head.path, "%s", file->path) >= (int)sizeof head.path)
    return error_set(error, ERROR_StorageFailure, "the result's path is too long");
  snprintf(head.name, sizeof head.name, "%s", file->name);
  memcpy(head.media_type, file->media_type, sizeof head.media_type);
  buffer_add(files, &head, sizeof head);
  buffer_add(files, file->metadata.data, file->metadata.length);
  return files->failed || file->metadata.failed ? error_memory(error) : 0;
}

static void run_execute(struct worker *worker, const struct task_header *task, struct execution *execution,
                        struct reply_header *reply, struct buffer *json, struct buffer *files)
{
  struct run_progress progress = {.notify = on_progress, .data = worker};
  struct execution_result result;
  const struct run_log log = {.put = on_log, .data = worker};
  execution->progress = task->job ? &progress : NULL;  /* nobody hears of a request's */
  execution->log = task->job ? &log : NULL;            /* … nor reads its log */
  execution->cache = task->job ? NULL : worker->cache; /* jobs are run once */
  if (task->job && task->debug)
    log_plan(worker, execution, LOG_DEBUG);
  int status = execute(execution, &result, &reply->error);
  for (size_t i = 0; status == 0 && i < result.file_count; i++)
    status = add_file(&result.files[i], files, &reply->error);
  const bool is_long = status == 0 && result.json.length > LONG_VALUE;
  if (is_long)
    status = spill_value(task, &result.json, files, &reply->error);
  if (status == 0) {
    reply->is_value = result.is_value;
    if (!is_long) {
      *json = result.json;
      result.json = (struct buffer){0};
    }
  } else {
    buffer_free(files);
    if (task->job && !cancelled)
      log_plan(worker, execution, LOG_INFO);
  }
  execution_result_free(&result);
}

static void write_found_error(void *data, const struct error *error)
{
  struct json_writer *writer = data;
  json_write_object(writer);
  json_kv_string(writer, "code", error->code);
  struct buffer text = {0};
  if (error->node[0])
    buffer_printf(&text, "node \"%s\"%s", error->node, error->parameter[0] ? ", " : ": ");
  if (error->parameter[0])
    buffer_printf(&text, "parameter \"%s\": ", error->parameter);
  buffer_text(&text, error->message);
  json_kv_string(writer, "message", text.failed ? error->message : text.data);
  buffer_free(&text);
  json_end_object(writer);
}

static void run_validate(const struct execution *execution, struct buffer *json)
{
  struct json_writer writer = {.out = json};
  json_write_object(&writer);
  json_key(&writer, "errors");
  json_write_array(&writer);
  const struct graph_options options = {.lookup = execution->lookup,
                                        .catalogue = execution->catalogue,
                                        .files = execution->files,
                                        .workspaces = &execution->workspaces,
                                        .local = execution->local,
                                        .cancel = execution->cancel,
                                        .official_encoding = execution->official_encoding};
  graph_validate(execution->graph, execution->graph_length, &options, write_found_error, &writer);
  json_end_array(&writer);
  json_end_object(&writer);
}

static void run_estimate(const struct execution *execution, struct reply_header *reply)
{
  struct execution_estimate estimate = {0};
  if (execute_estimate(execution, &estimate, &reply->error) != 0)
    return;
  reply->is_value = estimate.is_value;
  reply->read_bytes = estimate.read_bytes;
  reply->write_bytes = estimate.write_bytes;
}

/* A part of the result as a file. */
static void run_part(struct worker *worker, const struct task_header *task, struct execution *execution,
                     struct reply_header *reply, struct buffer *json, struct buffer *files)
{
  struct part_task *part = malloc(sizeof *part);
  if (part == NULL) {
    error_memory(&reply->error);
    return;
  }
  if (part_task_read(execution->graph, execution->graph_length, part, &reply->error) == 0) {
    part->part.most = task->room_most;
    execution->graph = part->graph;
    execution->graph_length = part->graph_length;
    execution->parameters = part->parameters;
    execution->parameter_count = part->parameter_count;
    execution->part = &part->part;
    run_execute(worker, task, execution, reply, json, files);
  }
  part_task_free(part);
  free(part);
}

/* {"text": …, "plan": …}: the plan for people and for programs; the latter may be a value instead. */
static void run_explain(struct execution *execution, struct reply_header *reply, struct buffer *json)
{
  struct buffer text = {.limit = EXPLAIN_MOST}, plan = {.limit = EXPLAIN_MOST};
  struct json_writer w = {.out = json};
  int status = execute_explain(execution, &text, &reply->error);
  execution->explain = EXPLAIN_JSON;
  if (status == 0 && execute_explain(execution, &plan, &reply->error) == 0) {
    json_write_object(&w);
    json_kv_string(&w, "text", text.data);
    json_key(&w, "plan");
    json_write_raw(&w, plan.data, plan.length);
    json_end_object(&w);
    json->failed = json->failed || text.failed || plan.failed;
  }
  buffer_free(&text);
  buffer_free(&plan);
}

/* What of the result a service shows: a picture, or JSON. */
static void run_map(struct worker *worker, const struct task_header *task, const struct execution *execution,
                    struct reply_header *reply, struct buffer *out)
{
  if (worker->maps == NULL)
    worker->maps = open_maps_new();
  const struct map_surroundings around = {.maps = worker->maps,
                                          .catalogue = execution->catalogue,
                                          .files = execution->files,
                                          .local = execution->local,
                                          .cancel = execution->cancel,
                                          .memory = execution->memory,
                                          .devices = execution->devices,
                                          .user = task->user,
                                          .lookup = execution->lookup};
  if (map_work(&around, execution->graph, execution->graph_length, out, &reply->error) != 0)
    buffer_free(out);
}

/* Compiled kernels and speeds lie in the data folder. A confined worker reads those, and leaves its own in its user's
 * folder, so that what breaks into it spoils nothing of others. */
static int find_devices(struct worker *worker, struct error *error)
{
  struct device_options options = {.memory = worker->options->device_memory};
  char folder[KERNEL_FOLDER];
  const bool is_confined = worker->options->confinement.why_off == NULL;
  if (worker->devices != NULL || strcmp(worker->options->device, "cpu") == 0)
    return 0;
  device_choice_read(worker->options->device, &options);
  snprintf(folder, sizeof folder, "%.1000s/devices", worker->options->data);
  options.folder = !is_confined ? folder : worker->kernels[0] ? worker->kernels : NULL;
  options.beside = is_confined ? folder : NULL;
  return devices_new(&options, &worker->devices, error);
}

/* Made before the worker is confined. Strangers have none. */
static void make_kernel_folder(struct worker *worker, const char *user)
{
  struct hash hash = {0};
  char parent[KERNEL_FOLDER];
  if (!worker->options->rules.uses_devices || worker->options->confinement.why_off != NULL || user[0] == '\0')
    return;
  hash_text(&hash, user);
  snprintf(parent, sizeof parent, "%.1000s/devices", worker->options->data);
  snprintf(worker->kernels, sizeof worker->kernels, "%.1100s/user-%016" PRIx64, parent, hash.a);
  mkdir(parent, 0700);
  mkdir(worker->kernels, 0700);
}

static void do_task(struct worker *worker, const struct task_header *task, struct execution *execution,
                    struct reply_header *reply, struct buffer *json, struct buffer *files)
{
  if (worker->catalogue == NULL && catalogue_open(worker->options->data, false, &worker->catalogue, &reply->error) != 0)
    return;
  if (find_devices(worker, &reply->error) != 0)
    return;
  catalogue_show_to(worker->catalogue, task->user);
  execution->catalogue = worker->catalogue;
  execution->devices = worker->devices;
  if (worker->cache == NULL)
    worker->cache = plan_cache_new();
  if (task->kind == TASK_EXECUTE)
    run_execute(worker, task, execution, reply, json, files);
  else if (task->kind == TASK_VALIDATE)
    run_validate(execution, json);
  else if (task->kind == TASK_MAP && map_operation_of(execution->graph, execution->graph_length) == MAP_PART)
    run_part(worker, task, execution, reply, json, files);
  else if (task->kind == TASK_EXPLAIN)
    run_explain(execution, reply, json);
  else if (task->kind == TASK_MAP)
    run_map(worker, task, execution, reply, json);
  else
    run_estimate(execution, reply);
  if (json->failed)
    error_set(&reply->error, ERROR_ProcessGraphComplexity, "the result is too large to be sent as one value");
}

/* What the task took, and memory after it, freed pieces given back where the process has grown; not after a tile of a
 * map, for the next one wants them again. */
static void measure(struct worker *worker, const struct task_header *task, struct reply_header *reply)
{
  const struct usage used = used_by_task(worker);
  reply->cpu_seconds = used.cpu_seconds;
  reply->wall_seconds = used.wall_seconds;
  reply->disk_read = used.read_bytes;
  reply->disk_written = used.written_bytes;
  reply->resident = usage_resident();
  if (reply->resident > trim_above && task->kind != TASK_MAP) {
    malloc_trim(0);
    reply->resident = usage_resident();
  }
  reply->resident_peak = worker->task->job ? usage_peak() : reply->resident;
}

/* The budget's end looks like a cancel, until its reason is put in its place. */
static void judge_budget(const struct worker *worker, struct reply_header *reply)
{
  const struct tariff *tariff = &worker->task->tariff;
  if (!worker->is_over_budget || !error_is_set(&reply->error))
    return;
  reply->error = (struct error){0};
  error_set(&reply->error, ERROR_PaymentRequired, "the budget of %g %s is used up", worker->task->budget,
            tariff->currency);
}

/* An interpreter that ran a user's scripts runs nobody else's. */
static void own_interpreters(struct worker *worker, const struct task_header *task)
{
  if (strcmp(worker->script_user, task->user) != 0)
    interpreters_forget(worker->interpreters);
  snprintf(worker->script_user, sizeof worker->script_user, "%s", task->user);
}

static void run_task(struct worker *worker, const struct task_header *task, const char *graph, size_t length,
                     struct reply_header *reply)
{
  struct buffer json = {0}, files = {0};
  struct worker_lookup lookup = {.fd = worker->fd, .task = task};
  struct local_files local = worker->options->local;
  local.find_published = worker_lookup_results;
  local.compute_elsewhere = task->has_others ? worker_lookup_elsewhere : NULL;
  local.offered_elsewhere = task->has_others ? worker_lookup_offered : NULL;
  local.context = &lookup;
  local.interpreters = worker->interpreters;
  own_interpreters(worker, task);
  struct execution execution = {
      .graph = graph,
      .graph_length = length,
      .lookup = worker_lookup_make(&lookup),
      .memory = task->memory,
      .room = {.most = task->room_most, .has_quota = task->has_quota != 0, .left = task->room_left},
      .threads = task->threads,
      .output = task->output,
      .checkpoint = task->checkpoint[0] ? task->checkpoint : NULL,
      .files = task->files[0] ? task->files : NULL,
      .workspaces = {.folder = task->workspaces[0] ? task->workspaces : NULL,
                     .most = task->workspace_most,
                     .find = task->user[0] ? worker_lookup_workspace : NULL,
                     .check_collection = task->user[0] ? worker_lookup_collection : NULL,
                     .send = worker_lookup_send,
                     .context = &lookup},
      .local = &local,
      .only_result = task->job == 0,
      .value_file = task->job != 0,
      .official_encoding = task->official != 0,
      .cancel = &cancelled,
      .history = task->history,
  };
  worker->progress_sent = now_ms();
  worker->log_entries = 0;
  worker->task = task;
  worker->is_over_budget = false;
  if (task->job)
    usage_reset_peak();
  worker->begin = used_by(worker);
  remote_connect(task->user[0] ? worker->remote_fd : -1, &cancelled); /* strangers make us ask nobody */
  remote_states_begin();
  struct ticker *ticker = NULL; /* tiles and nodes may take long: the budget is looked at by the clock */
  if (!task->has_budget || ticker_start(BUDGET_INTERVAL_MS, watch_budget, worker, &ticker, &reply->error) == 0)
    do_task(worker, task, &execution, reply, &json, &files);
  ticker_stop(ticker);
  interpreters_tell(worker->interpreters, NULL, NULL); /* what nobody has heard */
  interpreters_rest(worker->interpreters);
  remote_rest();
  measure(worker, task, reply);
  judge_budget(worker, reply);
  reply->json_size = json.length;
  reply->files_size = files.length;
  frame_send3(worker->fd, FRAME_REPLY, reply, sizeof *reply, &json, &files);
  buffer_free(&json);
  buffer_free(&files);
}

/* Before the first task is looked at: from here on the process is for tasks of that user, with that folder. */
static int confine(struct worker *worker, const struct task_header *task, struct error *error)
{
  struct confine_rules rules = worker->options->rules;
  rules.files = task->files;
  rules.output = task->output;
  rules.checkpoint = task->checkpoint;
  rules.workspaces = task->workspaces;
  if (!worker->is_confined)
    make_kernel_folder(worker, task->user);
  rules.kernels = worker->kernels;
  worker->is_confined = worker->is_confined || confine_worker(&worker->options->confinement, &rules, error) == 0;
  return worker->is_confined ? 0 : -1;
}

/* Whether a task, or the end, can be received. Without its fetcher, or its host of interpreters, an idle worker ends,
 * for another is born with a new one. */
static bool wait_for_task(const int descriptors[WORKER_DESCRIPTORS])
{
  struct pollfd fds[WORKER_DESCRIPTORS];
  bool is_lost = false;
  for (size_t i = 0; i < WORKER_DESCRIPTORS; i++)
    fds[i] = (struct pollfd){.fd = descriptors[i], .events = i == WORKER_TASKS ? POLLIN : POLLRDHUP};
  while (poll(fds, WORKER_DESCRIPTORS, -1) < 0 && errno == EINTR)
    ;
  for (size_t i = 0; i < WORKER_DESCRIPTORS; i++)
    is_lost = is_lost || (i != WORKER_TASKS && fds[i].revents != 0);
  return fds[WORKER_TASKS].revents != 0 || !is_lost;
}

/* NULL: there is no host, or no memory. */
static struct interpreters *find_interpreters(struct worker *worker, int host)
{
  const struct interpreters_options options = {.host = host, .data = worker, .cancel = &cancelled};
  return host >= 0 ? interpreters_new(&options) : NULL;
}

int worker_main(const int descriptors[WORKER_DESCRIPTORS], const struct worker_options *options)
{
  const int fd = descriptors[WORKER_TASKS];
  const struct sigaction action = {.sa_handler = on_cancel};
  sigaction(SIGUSR1, &action, NULL);
  limit_process(options);
  struct worker worker = {.fd = fd,
                          .remote_fd = descriptors[WORKER_REMOTE],
                          .interpreters = find_interpreters(&worker, descriptors[WORKER_SCRIPTS]),
                          .options = options};
  struct task_header *task = malloc(sizeof *task);
  struct reply_header *answer = malloc(sizeof *answer);
  while (task != NULL && answer != NULL && wait_for_task(descriptors) &&
         frame_receive(fd, &worker.frame) == FRAME_TASK && worker.frame.length >= sizeof *task) {
    cancelled = 0;
    memcpy(task, worker.frame.data, sizeof *task);
    memset(answer, 0, sizeof *answer);
    if (confine(&worker, task, &answer->error) != 0) {
      log_message(LOG_ERROR, "%s", answer->error.message);
      _exit(1); /* the task is another worker's */
    }
    run_task(&worker, task, worker.frame.data + sizeof *task, worker.frame.length - sizeof *task, answer);
    if (worker.frame.capacity > (size_t)1 << 20)
      buffer_free(&worker.frame);
  }
  free(task);
  free(answer);
  buffer_free(&worker.frame);
  plan_cache_free(worker.cache);
  open_maps_free(worker.maps);
  interpreters_free(worker.interpreters);
  devices_free(worker.devices);
  if (worker.catalogue != NULL)
    catalogue_close(worker.catalogue);
  return 0;
}
