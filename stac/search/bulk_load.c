/* See the header. A file is mapped and read from its beginning to its end once. */
#include "stac/search/bulk_load.h"

#include "datacube/base/logger.h"
#include "stac/index.h"
#include "stac/search/search.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_NAMED = 20, PLACE_SIZE = 512 };

int bulk_text_open(const char *path, struct bulk_text *out, struct error *error)
{
  struct stat status;
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    error_parameter(error, ERROR_FileNotFound, "path", "%s: %s", path, file < 0 ? strerror(errno) : "is no file");
    if (file >= 0)
      close(file);
    return -1;
  }
  const size_t size = (size_t)status.st_size;
  /* over zeros, so that there is one behind the last byte of a file that fills its pages */
  void *room = mmap(NULL, size + 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void *data = room != MAP_FAILED && size > 0 ? mmap(room, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) : room;
  close(file);
  if (data == MAP_FAILED) {
    error_set(error, ERROR_StorageFailure, "%s: %s", path, strerror(errno));
    if (room != MAP_FAILED)
      munmap(room, size + 1);
    return -1;
  }
  madvise(data, size, MADV_SEQUENTIAL);
  *out = (struct bulk_text){data, size};
  return 0;
}

void bulk_text_close(struct bulk_text *text)
{
  munmap((void *)text->data, text->length + 1);
}

int bulk_put(struct bulk_run *run, const struct bulk_text *text, bool is_collection, const char *place,
             struct error *error)
{
  struct error reason = {0};
  const enum item_writing writing = run->load->writing;
  const int result = is_collection
                         ? item_writer_put_collection(run->writer, NULL, ITEM_UPSERT, text->data, text->length, &reason)
                         : item_writer_put(run->writer, NULL, writing, text->data, text->length, &reason);
  if (result == 0) {
    *(is_collection ? &run->collections : &run->written) += 1;
    return 0;
  }
  if (!item_writer_refused(&reason)) {
    *error = reason;
    return -1;
  }
  if (run->load->is_strict || is_collection)
    return error_set(error, error_code_find(reason.code), "%s: %s", place, reason.message);
  if (run->refused++ < MOST_NAMED)
    log_message(LOG_WARNING, "%s: %s: the item is left out", place, reason.message);
  return 0;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static bool is_blank(const char *text, size_t length)
{
  return strspn(text, " \t\r\n") >= length;
}

static int load_lines(struct bulk_run *run, const char *path, const struct bulk_text *text, struct error *error)
{
  char place[PLACE_SIZE];
  long long number = 0;
  for (size_t at = 0; at < text->length;) {
    const char *end = memchr(text->data + at, '\n', text->length - at);
    const size_t length = end ? (size_t)(end - text->data) - at : text->length - at;
    const struct bulk_text line = {text->data + at, length};
    number++;
    at += length + 1;
    if (is_blank(line.data, length))
      continue;
    snprintf(place, sizeof place, "%.400s, line %lld", path, number);
    if (bulk_put(run, &line, false, place, error) != 0)
      return -1;
  }
  return 0;
}

/* ---- one document ------------------------------------------------------------------------------------------------ */

static int load_features(struct bulk_run *run, const char *path, const struct bulk_text *text, size_t at,
                         struct error *error)
{
  char place[PLACE_SIZE];
  long long number = 0;
  const char *data = text->data;
  for (;;) {
    at += strspn(data + at, " \t\r\n");
    if (data[at] == ']')
      return 0;
    const size_t end = item_text_skip(data, text->length, at);
    const struct bulk_text feature = {data + at, end - at};
    snprintf(place, sizeof place, "%.400s, feature %lld", path, ++number);
    if (bulk_put(run, &feature, false, place, error) != 0)
      return -1;
    at = end + strspn(data + end, " \t\r\n");
    if (data[at] != ',' && data[at] != ']')
      return error_set(error, ERROR_StacInvalid, "%s: the features end amid the text, behind feature %lld", path,
                       number);
    at += data[at] == ',';
  }
}

/* The value of a member that is a text; false: there is none. */
static bool text_member(const struct bulk_text *text, const char *key, const char *value)
{
  size_t from, to;
  const size_t length = strlen(value);
  return item_text_member(text->data, text->length, key, &from, &to) && to - from > length + 2 &&
         text->data[to - 1] == '"' && memcmp(text->data + to - 1 - length, value, length) == 0 &&
         text->data[to - 2 - length] == '"';
}

static int load_document(struct bulk_run *run, const char *path, const struct bulk_text *text, struct error *error)
{
  size_t from, to;
  if (text_member(text, "type", "Collection") || text_member(text, "type", "Catalog"))
    return bulk_folder(run, path, error);
  if (!item_text_member(text->data, text->length, "features", &from, &to))
    return bulk_put(run, text, false, path, error);
  from += strlen("\"features\"");
  from += strspn(text->data + from, " \t\r\n:");
  if (text->data[from] != '[')
    return error_set(error, ERROR_StacInvalid, "%s: \"features\" must be an array", path);
  return load_features(run, path, text, from + 1, error);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static bool ends_in(const char *path, const char *const *endings)
{
  const size_t length = strlen(path);
  for (; *endings; endings++)
    if (length > strlen(*endings) && strcasecmp(path + length - strlen(*endings), *endings) == 0)
      return true;
  return false;
}

static int load_file(struct bulk_run *run, const char *path, struct error *error)
{
  static const char *const lines[] = {".ndjson", ".jsonl", ".geojsonl", ".ndgeojson", NULL};
  static const char *const parquet[] = {".parquet", ".geoparquet", NULL};
  struct bulk_text text;
  if (ends_in(path, parquet))
    return error_parameter(error, ERROR_FeatureUnsupported, "path", "%s: Parquet is not read yet", path);
  if (bulk_text_open(path, &text, error) != 0)
    return -1;
  const int result =
      ends_in(path, lines) ? load_lines(run, path, &text, error) : load_document(run, path, &text, error);
  bulk_text_close(&text);
  return result;
}

static int load_all(struct bulk_run *run, const char *path, struct error *error)
{
  struct stat status;
  struct bulk_text text;
  if (run->load->collection) {
    if (bulk_text_open(run->load->collection, &text, error) != 0)
      return -1;
    const int result = bulk_put(run, &text, true, run->load->collection, error);
    bulk_text_close(&text);
    if (result != 0)
      return -1;
  }
  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
    return bulk_folder(run, path, error);
  return load_file(run, path, error);
}

int catalogue_load_items(struct catalogue *catalogue, const struct bulk_load *load, const char *path,
                         struct buffer *report, struct error *error)
{
  struct bulk_run run = {.load = load};
  if (item_writer_new(catalogue, &run.writer, error) != 0)
    return -1;
  item_writer_make_collections(run.writer);
  if (load_all(&run, path, error) != 0) {
    item_writer_abort(run.writer);
    return -1;
  }
  if (run.refused > MOST_NAMED)
    log_message(LOG_WARNING, "%lld more items are left out", (long long)run.refused - MOST_NAMED);
  if (item_writer_commit(run.writer, error) != 0)
    return -1;
  buffer_printf(report, "%lld item%s", (long long)run.written, run.written == 1 ? "" : "s");
  if (run.refused)
    buffer_printf(report, ", %lld left out", (long long)run.refused);
  buffer_text(report, "\n");
  return report->failed ? error_memory(error) : 0;
}
