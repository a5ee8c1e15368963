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

struct log_page {
  struct json_writer *w;
  int64_t after;        /* entries up to here are not on the page */
  enum log_level level; /* at least as severe */
  long limit, count;    /* entries that it may have, 0: all; that it has */
  int64_t last;         /* entry on it */
  bool more;            /* there is one behind it */
};

static void write_log(void *data, const struct job_log *log)
{
  struct log_page *page = data;
  page->more = page->limit > 0 && page->count == page->limit;
  if (page->more)
    return;
  json_write_object(page->w);
  write_log_members(page->w, log);
  json_end_object(page->w);
  page->count++;
  page->last = log->id;
}

static int read_log_query(const struct exchange *exchange, const struct job *job, struct log_page *page,
                          struct error *error)
{
  char text[24], *end = text;
  page->level = LOG_DEBUG;
  if (read_limit(exchange, &page->limit, error) != 0)
    return -1;
  int given = http_query(exchange->http, "offset", text, sizeof text);
  if (given > 0)
    page->after = strtoll(text, &end, 10);
  if (given < 0 || (given > 0 && (*end != '\0' || end == text)))
    return error_parameter(error, ERROR_QueryParameterInvalid, "offset", "wants the id of a log entry");
  given = http_query(exchange->http, "level", text, sizeof text);
  if (given < 0 || (given > 0 && log_level_parse(text, &page->level) != 0))
    return error_parameter(error, ERROR_QueryParameterInvalid, "level", "wants error, warning, info or debug");
  enum log_level stored = LOG_INFO;
  if (log_level_parse(job->log_level, &stored) == 0 && stored < page->level)
    page->level = stored;
  return 0;
}

static void write_log_links(struct json_writer *w, const struct exchange *exchange, const struct job *job,
                            const struct log_page *page)
{
  char path[256];
  json_key(w, "links");
  json_write_array(w);
  if (page->more) {
    snprintf(path, sizeof path, "/jobs/%s/logs?limit=%ld&offset=%" PRId64 "&level=%s", job->id, page->limit, page->last,
             log_level_name(page->level));
    write_link(w, "next", exchange->base, path, "application/json", NULL);
  }
  json_end_array(w);
}

void get_job_logs(struct exchange *exchange)
{
  struct job job = {0};
  struct error error = {0};
  if (get_own_job(exchange, &job) != 0)
    return;
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  struct log_page page = {.w = &w};
  int status = read_log_query(exchange, &job, &page, &error);
  json_write_object(&w);
  json_kv_string(&w, "level", log_level_name(page.level));
  json_key(&w, "logs");
  json_write_array(&w);
  if (status == 0) /* one more than asked for tells whether there is another page */
    status = store_log_list(exchange->store, job.id, page.after, page.level, page.limit > 0 ? page.limit + 1 : 0,
                            write_log, &page, &error);
  json_end_array(&w);
  write_log_links(&w, exchange, &job, &page);
  json_end_object(&w);
  job_free(&job);
  reply_made(exchange, status, &json, &error);
}
