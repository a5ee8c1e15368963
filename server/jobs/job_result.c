/* The row's columns `usage` and `result`. */
#include "server/jobs/job_result.h"

#include "server/store/folder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

char *job_usage_json(const struct reply_header *header)
{
  struct buffer text = {0};
  struct json_writer w = {.out = &text};
  const struct {
    const char *name, *unit;
    double value;
  } rows[] = {{"cpu", "cpu-seconds", header->cpu_seconds},
              {"duration", "seconds", header->wall_seconds},
              {"max_memory", "mb", (double)header->resident_peak / 1048576.0},
              {"read", "b", header->disk_read},
              {"disk", "b", header->disk_read + header->disk_written}};
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

static int write_file(struct json_writer *w, const char *folder, const struct reply_file *file, const char *metadata,
                      struct error *error)
{
  uint64_t size = 0;
  int fd = folder_open_file(folder, file->path, &size);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
    return error_set(error, ERROR_StorageFailure, "the result cannot be looked at: %s", strerror(errno));
  if (fd < 0)
    return error_set(error, ERROR_Internal, "the worker left no result file");
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

char *job_result_json(const struct worker_reply *reply, const char *folder, const struct buffer *definitions,
                      struct error *error)
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
    status = write_file(&w, folder, &file, metadata, error);
  json_end_array(&w);
  json_key(&w, "definitions");
  json_write_array(&w);
  if (definitions->length > 0)
    json_write_raw(&w, definitions->data, definitions->length);
  json_end_array(&w);
  json_end_object(&w);
  if (at == 0)
    error_set(error, ERROR_Internal, "the worker left no result file");
  if (text.failed)
    error_memory(error);
  if (!error_is_set(error))
    return text.data;
  buffer_free(&text);
  return NULL;
}
