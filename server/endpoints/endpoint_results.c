/* Starting and cancelling jobs, their results, and the signed downloads. */
#include "server/endpoints/endpoints.h"

#include "server/store/folder.h"
#include "server/jobs/job_folder.h"
#include "server/endpoints/result_document.h"
#include "server/http/reply_file.h"
#include "server/endpoints/job_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAG_SIZE = 64 };

enum { START_PATIENCE_MS = 300 };

/* Small jobs are often done when the client first asks: it is worth waiting a moment. */
void post_job_results(struct exchange *exchange)
{
  struct error error = {0};
  bool started = false;
  const char *id = exchange->parameters[0];
  const struct server_limits *now = &exchange->server->limits;
  const struct queue_limits limits = {.per_owner = now->user_jobs, .all = now->all_jobs};
  if (store_job_start(exchange->store, &(struct job_key){exchange->user, id}, &limits, &started, &error) != 0) {
    reply_error(exchange, &error);
    return;
  }
  if (started) {
    job_queue_wake(exchange->server->jobs);
    if (slow_enter(exchange->server, SLOW_START)) {
      job_queue_wait(exchange->server->jobs, exchange->store, id, START_PATIENCE_MS);
      slow_leave(exchange->server, SLOW_START);
    }
  }
  reply_empty(exchange, 202);
}

void delete_job_results(struct exchange *exchange)
{
  struct error error = {0};
  const char *id = exchange->parameters[0];
  double progress = job_queue_progress(exchange->server->jobs, id);
  int64_t run = 0;
  if (store_job_cancel(exchange->store, &(struct job_key){exchange->user, id}, progress, &run, &error) != 0) {
    reply_error(exchange, &error);
    return;
  }
  job_queue_cancel(exchange->server->jobs, id, run);
  reply_empty(exchange, 204);
}

/* ---- results ---- */

static void keep_last(void *data, const struct job_log *log)
{
  struct buffer *json = data;
  struct job_log told = *log;
  struct json_writer w = {.out = json};
  json->length = 0;
  if (told.entry.code == NULL)
    told.entry.code = "Internal";
  json_write_object(&w);
  write_log_members(&w, &told);
  json_key(&w, "links");
  json_write_array(&w);
  json_end_array(&w);
  json_end_object(&w);
}

/* 424 with the last error of the log. */
static void reply_failed_job(struct exchange *exchange, const struct job *job)
{
  struct error error = {0};
  struct buffer json = {0};
  if (store_log_list(exchange->store, job->id, 0, LOG_ERROR, 0, keep_last, &json, &error) != 0) {
    buffer_free(&json);
    reply_error(exchange, &error);
    return;
  }
  if (json.length == 0)
    keep_last(&json, &(struct job_log){.time = job->updated, .entry = {.message = "the job failed"}});
  reply_json(exchange, 424, &json);
}

static void reply_document(struct exchange *exchange, const struct job *job)
{
  struct error error = {0};
  struct http_response *response = http_response_new(200);
  if (response != NULL && result_document_write(exchange, job, &response->body, &error) != 0) {
    http_response_free(response);
    response = NULL;
  }
  if (response != NULL)
    snprintf(response->media_type, sizeof response->media_type, "application/json");
  http_response_header(response, "OpenEO-Costs", "%.10g", job->costs > 0 ? job->costs : 0);
  reply(exchange, response);
}

/* A finished job whose results were not kept. */
static bool has_expired(const struct job *job)
{
  return strcmp(job->status, "finished") == 0 && job->result == NULL;
}

static void reply_expired(struct exchange *exchange)
{
  reply_code(exchange, ERROR_ResultLinkExpired, "results are kept for %ld days; please start the job again",
             exchange->server->limits.keep_days);
}

static bool wants_partial(const struct exchange *exchange)
{
  char text[8];
  return http_query(exchange->http, "partial", text, sizeof text) == 1 && strcmp(text, "true") == 0;
}

void get_job_results(struct exchange *exchange)
{
  struct job job = {0};
  struct error error = {0};
  if (store_job_get(exchange->store, exchange->user, exchange->parameters[0], &job, &error) != 0)
    reply_error(exchange, &error);
  else if (strcmp(job.status, "error") == 0)
    reply_failed_job(exchange, &job);
  else if (has_expired(&job))
    reply_expired(exchange);
  else if (strcmp(job.status, "finished") == 0 || (wants_partial(exchange) && strcmp(job.status, "created") != 0))
    reply_document(exchange, &job);
  else
    reply_code(exchange, ERROR_JobNotFinished, "the job is %s; its results are there when it is finished", job.status);
  job_free(&job);
}

/* ---- downloads ---- */

static bool find_file(const struct job *job, const char *name, struct stored_file *file)
{
  size_t at = 0;
  while (stored_file_next(job, &at, file))
    if (strcmp(file->name, name) == 0)
      return true;
  return false;
}

/* Who reads a file piece by piece learns by it when the job has run again. */
static void write_tag(int fd, char out[TAG_SIZE])
{
  struct stat state;
  out[0] = '\0';
  if (fstat(fd, &state) == 0)
    snprintf(out, TAG_SIZE, "%" PRIx64 "-%" PRIx64 "-%" PRIx64, (uint64_t)state.st_ino, (uint64_t)state.st_size,
             (uint64_t)state.st_mtim.tv_sec * 1000000000 + (uint64_t)state.st_mtim.tv_nsec);
}

/* The signature has been checked. */
static void download_file(struct exchange *exchange, const struct job *job, const char *name)
{
  char folder[JOB_FOLDER_SIZE], path[JOB_FOLDER_SIZE + RESULT_FILE_SIZE];
  struct stored_file file;
  if (strcmp(job->status, "finished") != 0 || !find_file(job, name, &file)) {
    reply_code(exchange, ERROR_FileNotFound, "the job has no such file now");
    return;
  }
  uint64_t size = 0;
  job_result_folder(exchange->server->settings.data, job, folder);
  snprintf(path, sizeof path, "%s%s", folder, file.name);
  int fd = folder_open_file(folder, path, &size);
  if (fd < 0) {
    reply_code(exchange, ERROR_FileNotFound, "the job has no such file now");
    return;
  }
  char tag[TAG_SIZE];
  write_tag(fd, tag);
  const struct file_answer answer = {
      .fd = fd, .size = size, .media_type = file.media_type, .tag = tag[0] != '\0' ? tag : NULL};
  reply_file(exchange, &answer);
}

void get_download(struct exchange *exchange)
{
  char(*const p)[PATH_PARAMETER_SIZE] = exchange->parameters; /* job, expires, signature, file */
  struct job_link link = {.name = p[3], .expires = strtoll(p[1], NULL, 10)};
  char plain[24]; /* what was signed is written in one way only */
  struct job job = {0};
  struct error error = {0};
  snprintf(plain, sizeof plain, "%" PRId64, link.expires);
  link.signature = strcmp(plain, p[1]) == 0 ? p[2] : "";
  if (job_link_check(exchange, p[0], &link, &error) != 0 ||
      store_job_get(exchange->store, NULL, p[0], &job, &error) != 0 ||
      job_link_is_current(exchange, &job, job.run, &link, &error) != 0)
    reply_error(exchange, &error);
  else if (has_expired(&job))
    reply_expired(exchange);
  else if (strcmp(p[3], RESULT_THUMBNAIL_NAME) == 0 && strcmp(job.status, "finished") == 0)
    reply_result_thumbnail(exchange, &job);
  else if (strcmp(p[3], RESULT_DOCUMENT_NAME) != 0)
    download_file(exchange, &job, p[3]);
  else if (strcmp(job.status, "finished") == 0)
    reply_document(exchange, &job);
  else
    reply_code(exchange, ERROR_FileNotFound, "the job has no results now");
  job_free(&job);
}
