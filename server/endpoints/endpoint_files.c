/* /files: what users upload, read and remove. A body goes to the disk as it comes (server/files/upload.h). */
#include "server/endpoints/endpoints.h"

#include "server/files/upload.h"
#include "server/http/reply_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The root of the user's files; -1 where nothing was uploaded yet, or with an error. */
static int open_root(const struct exchange *exchange, struct error *error)
{
  char folder[USER_FOLDER_SIZE];
  if (store_user_folder(exchange->store, exchange->user, false, folder, error) != 0 || folder[0] == '\0')
    return -1;
  return file_tree_open(exchange->server->settings.data, folder);
}

/* ---- the list --------------------------------------------------------------------------------------------------- */

static void write_file(struct json_writer *w, const char *path, const struct file_entry *file)
{
  json_write_object(w);
  json_kv_string(w, "path", path);
  json_kv_integer(w, "size", (int64_t)file->size);
  write_time(w, "modified", file->modified);
  json_end_object(w);
}

static void write_next(struct json_writer *w, const struct exchange *exchange, const char *last, long limit)
{
  struct buffer href = {0};
  buffer_printf(&href, "%s/files?limit=%ld&after=", exchange->base, limit);
  http_encode(last, &href);
  json_write_object(w);
  json_kv_string(w, "rel", "next");
  json_kv_string(w, "href", href.failed ? "" : href.data);
  json_kv_string(w, "type", "application/json");
  json_end_object(w);
  buffer_free(&href);
}

/* The files behind `after`; limit 0: all of them. */
static void write_page(struct json_writer *w, const struct exchange *exchange, const struct file_listing *list,
                       const char *after, long limit)
{
  size_t i = 0, end = list->count;
  while (i < list->count && strcmp(list->entries[i].path, after) <= 0)
    i++;
  if (limit > 0 && end - i > (size_t)limit)
    end = i + (size_t)limit;
  json_write_object(w);
  json_key(w, "files");
  json_write_array(w);
  for (; i < end; i++)
    write_file(w, list->entries[i].path, &list->entries[i]);
  json_end_array(w);
  json_key(w, "links");
  json_write_array(w);
  if (end < list->count)
    write_next(w, exchange, list->entries[end - 1].path, limit);
  json_end_array(w);
  json_end_object(w);
}

void get_files(struct exchange *exchange)
{
  struct error error = {0};
  struct file_listing list = {0};
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  char after[ROOTED_PATH_SIZE] = "";
  long limit = 0;
  int root = -1, status = read_limit(exchange, &limit, &error);
  if (status == 0 && http_query(exchange->http, "after", after, sizeof after) < 0)
    status = error_parameter(&error, ERROR_QueryParameterInvalid, "after", "is no path of a file");
  if (status == 0)
    root = open_root(exchange, &error);
  if (root >= 0)
    status = file_tree_list(root, &list, &error);
  if (root >= 0)
    close(root);
  if (status != 0 || error_is_set(&error)) {
    reply_error(exchange, &error);
  } else {
    write_page(&w, exchange, &list, after, limit);
    reply_json(exchange, 200, &json);
  }
  file_listing_free(&list);
}

/* ---- reading and removing --------------------------------------------------------------------------------------- */

/* The path in normal form and the root to look it up from. */
static int find_path(const struct exchange *exchange, char path[ROOTED_PATH_SIZE], int *root, struct error *error)
{
  if (rooted_path_read(exchange->parameters[0], path, error) != 0)
    return -1;
  *root = open_root(exchange, error);
  if (*root >= 0)
    return 0;
  return error_is_set(error) ? -1 : error_set(error, ERROR_FileNotFound, "there is no file '%s'", path);
}

void get_file(struct exchange *exchange)
{
  struct error error = {0};
  struct file_entry file = {0};
  char path[ROOTED_PATH_SIZE];
  int root = -1, fd = -1;
  int status = find_path(exchange, path, &root, &error);
  if (status == 0)
    status = file_tree_read(root, path, &fd, &file, &error);
  if (root >= 0)
    close(root);
  if (status != 0)
    reply_error(exchange, &error);
  else
    reply_file(exchange, &(struct file_answer){.fd = fd,
                                               .size = file.size,
                                               .media_type = "application/octet-stream",
                                               .tag = file.tag,
                                               .is_download = true});
}

void delete_file(struct exchange *exchange)
{
  struct error error = {0};
  char path[ROOTED_PATH_SIZE];
  int root = -1, status = find_path(exchange, path, &root, &error);
  if (status == 0)
    status = uploads_remove(exchange->server->uploads, root, path, &error);
  if (root >= 0)
    close(root);
  if (status == 0)
    reply_empty(exchange, 204);
  else
    reply_error(exchange, &error);
}

/* ---- uploading -------------------------------------------------------------------------------------------------- */

static int begin(const struct exchange *exchange, struct upload **upload, struct error *error)
{
  char path[ROOTED_PATH_SIZE], folder[USER_FOLDER_SIZE];
  if (http_header(exchange->http, "Content-Range") != NULL) /* RFC 9110, 14.5: it must not be taken for the whole */
    return error_set(error, ERROR_FileOperationUnsupported, "a file is sent whole, not in parts");
  if (rooted_path_read(exchange->parameters[0], path, error) != 0 ||
      store_user_folder(exchange->store, exchange->user, true, folder, error) != 0)
    return -1;
  return upload_begin(exchange->server->uploads, folder, path, http_body_length(exchange->http), upload, error);
}

/* The head is there: the body is asked for, or refused. */
static void start_upload(struct exchange *exchange)
{
  struct error error = {0};
  struct upload *upload;
  if (begin(exchange, &upload, &error) != 0) {
    reply_error(exchange, &error);
  } else if (!http_stream(exchange->http, &upload->sink)) {
    upload->sink.ending.work(&upload->sink.ending);
    reply_code(exchange, ERROR_InfrastructureBusy, "too many bodies are being received; please try again");
  } else {
    exchange_free(exchange);
  }
}

static void reply_stored(struct exchange *exchange, const char *path, const struct file_entry *file)
{
  struct http_response *response = http_response_new(200);
  if (response != NULL) {
    struct json_writer w = {.out = &response->body};
    write_file(&w, path, file);
    snprintf(response->media_type, sizeof response->media_type, "application/json");
    http_response_header(response, "ETag", "\"%s\"", file->tag);
  }
  reply(exchange, response);
}

void put_file(struct exchange *exchange)
{
  if (http_body_is_pending(exchange->http)) {
    start_upload(exchange);
    return;
  }
  struct error error = {0};
  struct file_entry file;
  struct upload *upload = (struct upload *)http_sink(exchange->http), *empty = NULL;
  if (upload == NULL && begin(exchange, &empty, &error) == 0)
    upload = empty; /* there is no body */
  if (upload == NULL || upload_publish(upload, &file, &error) != 0)
    reply_error(exchange, &error);
  else
    reply_stored(exchange, upload->path, &file);
  if (empty != NULL)
    empty->sink.ending.work(&empty->sink.ending);
}
