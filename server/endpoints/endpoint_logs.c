/* The logs of batch jobs. */
#include "server/endpoints/endpoints.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void write_log_members(struct json_writer *w, const struct job_log *log)
{
  const struct log_entry *entry = &log->entry;
  char id[24];
  snprintf(id, sizeof id, "%" PRId64, log->id);
  json_kv_string(w, "id", id);
  json_kv_string(w, "level", log_level_name(entry->level));
  json_kv_string(w, "message", entry->message);
  write_time(w, "time", log->time);
  if (entry->code != NULL)
    json_kv_string(w, "code", entry->code);
  if (entry->data != NULL) {
    json_key(w, "data");
    json_write_raw(w, entry->data, strlen(entry->data));
  }
  if (entry->node == NULL)
    return;
  json_key(w, "path");
  json_write_array(w);
  json_write_object(w);
  json_kv_string(w, "node_id", entry->node);
  if (entry->parameter != NULL)
    json_kv_string(w, "parameter", entry->parameter);
  json_end_object(w);
  json_end_array(w);
}

static void write_log(void *data, const struct job_log *log)
{
  struct json_writer *w = data;
  json_write_object(w);
  write_log_members(w, log);
  json_end_object(w);
}

static int read_log_query(const struct exchange *exchange, const struct job *job, int64_t *after, enum log_level *level,
                          long *limit, struct error *error)
{
  char text[24], *end = text;
  *after = 0;
  *level = LOG_DEBUG;
  if (read_limit(exchange, limit, error) != 0)
    return -1;
  int given = http_query(exchange->http, "offset", text, sizeof text);
  if (given > 0)
    *after = strtoll(text, &end, 10);
  if (given < 0 || (given > 0 && (*end != '\0' || end == text)))
    return error_parameter(error, ERROR_QueryParameterInvalid, "offset", "wants the id of a log entry");
  given = http_query(exchange->http, "level", text, sizeof text);
  if (given < 0 || (given > 0 && log_level_parse(text, level) != 0))
    return error_parameter(error, ERROR_QueryParameterInvalid, "level", "wants error, warning, info or debug");
  enum log_level stored = LOG_INFO;
  if (log_level_parse(job->log_level, &stored) == 0 && stored < *level)
    *level = stored;
  return 0;
}

void get_job_logs(struct exchange *exchange)
{
  struct job job = {0};
  struct error error = {0};
  if (get_own_job(exchange, &job) != 0)
    return;
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  int64_t after = 0;
  long limit = 0;
  enum log_level level = LOG_DEBUG;
  int status = read_log_query(exchange, &job, &after, &level, &limit, &error);
  json_write_object(&w);
  json_kv_string(&w, "level", log_level_name(level));
  json_key(&w, "logs");
  json_write_array(&w);
  if (status == 0)
    status = store_log_list(exchange->store, job.id, after, level, limit, write_log, &w, &error);
  json_end_array(&w);
  json_key(&w, "links");
  json_write_array(&w);
  json_end_array(&w);
  json_end_object(&w);
  job_free(&job);
  if (status == 0) {
    reply_json(exchange, 200, &json);
    return;
  }
  buffer_free(&json);
  reply_error(exchange, &error);
}
