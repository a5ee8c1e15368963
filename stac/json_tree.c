/* JSON documents as trees. */
#include "stac/json_tree.h"

#include "datacube/remote/remote_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_bytes(FILE *file, size_t limit, struct buffer *text)
{
  char chunk[16384];
  for (;;) {
    size_t got = fread(chunk, 1, sizeof chunk, file);
    buffer_add(text, chunk, got);
    if (text->failed || text->length > limit)
      return -1;
    if (got < sizeof chunk)
      return ferror(file) ? -1 : 0;
  }
}

/* Its bytes, which are all there. */
static int read_remote(const struct remote_file *file, struct buffer *text)
{
  char chunk[16384];
  for (uint64_t at = 0; at < remote_size(file);) {
    const ssize_t got = remote_read(file, chunk, sizeof chunk, at);
    if (got == 0 || (got < 0 && errno != EINTR))
      return -1;
    at += got > 0 ? (uint64_t)got : 0;
    buffer_add(text, chunk, got > 0 ? (size_t)got : 0);
  }
  return text->failed ? -1 : 0;
}

static json_t *parse(const struct buffer *text, const char *name, struct error *error)
{
  json_error_t reason;
  json_t *tree = json_loadb(text->data ? text->data : "", text->length, 0, &reason);
  if (!tree)
    error_set(error, ERROR_ProcessParameterInvalid, "%s: no JSON, line %d: %s", name, reason.line, reason.text);
  return tree;
}

static int unreadable(const char *name, size_t limit, struct error *error)
{
  return error_set(error, ERROR_FileNotFound, "%s: cannot be read, or is longer than %zu bytes", name, limit);
}

static json_t *read_local(const char *name, size_t limit, struct error *error)
{
  struct buffer text = {0};
  json_t *tree = NULL;
  FILE *file = fopen(name, "rbe");
  if (!file) {
    error_set(error, ERROR_FileNotFound, "%s: %s", name, strerror(errno));
    return NULL;
  }
  if (read_bytes(file, limit, &text) != 0)
    unreadable(name, limit, error);
  else
    tree = parse(&text, name, error);
  buffer_free(&text);
  fclose(file);
  return tree;
}

json_t *json_tree_read(const char *path, size_t limit, struct error *error)
{
  struct remote_file *file;
  struct buffer text = {0};
  json_t *tree = NULL;
  if (!remote_is(path))
    return read_local(path, limit, error);
  if (remote_open_document(path, limit, &file, error) != 0)
    return NULL;
  if (read_remote(file, &text) != 0)
    unreadable(remote_url(path), limit, error);
  else
    tree = parse(&text, remote_url(path), error);
  buffer_free(&text);
  remote_close(file);
  return tree;
}

const char *json_tree_text(const json_t *object, const char *key)
{
  return json_string_value(json_object_get(object, key));
}

double json_tree_number(const json_t *object, const char *key, double otherwise)
{
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : otherwise;
}

const json_t *json_tree_array(const json_t *object, const char *key)
{
  const json_t *value = json_object_get(object, key);
  return json_is_array(value) ? value : NULL;
}

bool json_tree_nodata(const json_t *value, double *out)
{
  const char *text = json_string_value(value);
  char *end;
  if (json_is_number(value)) {
    *out = json_number_value(value);
    return true;
  }
  if (!text || !*text || isspace((unsigned char)*text))
    return false;
  const double number = strtod(text, &end);
  if (*end != '\0')
    return false;
  *out = number;
  return true;
}

bool json_tree_has_text(const json_t *array, const char *text)
{
  for (size_t i = 0; i < json_array_size(array); i++) {
    const char *entry = json_string_value(json_array_get(array, i));
    if (entry && strcmp(entry, text) == 0)
      return true;
  }
  return false;
}

static void write_object(struct json_writer *writer, const json_t *object)
{
  const char *key;
  json_t *member;
  json_write_object(writer);
  for (void *at = json_object_iter((json_t *)object); at; at = json_object_iter_next((json_t *)object, at)) {
    key = json_object_iter_key(at);
    member = json_object_iter_value(at);
    json_key(writer, key);
    json_tree_write(writer, member);
  }
  json_end_object(writer);
}

static void write_array(struct json_writer *writer, const json_t *array)
{
  json_write_array(writer);
  for (size_t i = 0; i < json_array_size(array); i++)
    json_tree_write(writer, json_array_get(array, i));
  json_end_array(writer);
}

void json_tree_write(struct json_writer *writer, const json_t *value)
{
  if (json_is_object(value))
    write_object(writer, value);
  else if (json_is_array(value))
    write_array(writer, value);
  else if (json_is_string(value))
    json_write_string_n(writer, json_string_value(value), json_string_length(value));
  else if (json_is_integer(value))
    json_write_integer(writer, json_integer_value(value));
  else if (json_is_real(value))
    json_write_number(writer, json_real_value(value));
  else if (json_is_boolean(value))
    json_write_bool(writer, json_is_true(value));
  else
    json_write_null(writer);
}
