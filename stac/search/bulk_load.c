/* See the header. A file is mapped and read from its beginning to its end once, by a thread of its own, which looks at
 * each item; the caller's thread writes them. */
#include "stac/search/bulk_load.h"

#include "datacube/base/logger.h"
#include "datacube/base/packed_file.h"
#include "stac/index.h"
#include "stac/search/bulk_queue.h"
#include "stac/search/json_scan.h"
#include "stac/search/search.h"
#include "stac/search/stored_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  MOST_NAMED = 20,
  MOST_UNPACKED = 128, /* bytes of what is packed as a whole that a byte may become */
  BEHIND_BYTES = 64 << 20,
  MANY = 10000 /* items of a file for which indexes of their properties are worth it */
};

/* Takes the descriptor. */
static int map_file(int file, const char *path, struct bulk_text *out, struct error *error)
{
  struct stat status;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(file);
    return error_parameter(error, ERROR_FileNotFound, "path", "%s: is no file", path);
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

/* A file without a name; -1 with errno. */
static int temporary_file(void)
{
  const char *place = getenv("TMPDIR");
  char path[512];
  const int length = snprintf(path, sizeof path, "%.400s/twincube-items-XXXXXX", place && *place ? place : "/tmp");
  const int fd = length < (int)sizeof path ? mkostemp(path, O_CLOEXEC) : -1;
  if (fd >= 0)
    unlink(path);
  return fd;
}

static int unpack(const char *path, struct bulk_text *text, struct error *error)
{
  struct error reason = {0};
  struct bulk_text packed = *text;
  const int fd = temporary_file();
  int status = fd >= 0 ? 0 : error_set(&reason, ERROR_StorageFailure, "no file can be made: %s", strerror(errno));
  if (status == 0)
    status = packed_file_unpack(packed.data, packed.length, fd,
                                (uint64_t)packed.length * MOST_UNPACKED + ((uint64_t)1 << 26), &reason);
  bulk_text_close(&packed);
  if (status == 0)
    return map_file(fd, path, text, error);
  if (fd >= 0)
    close(fd);
  return error_parameter(error, error_code_find(reason.code), "path", "%.300s: %s", path, reason.message);
}

int bulk_text_open(const char *path, struct bulk_text *out, struct error *error)
{
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    return error_parameter(error, ERROR_FileNotFound, "path", "%s: %s", path, strerror(errno));
  if (map_file(file, path, out, error) != 0)
    return -1;
  return packed_file_is(out->data, out->length) ? unpack(path, out, error) : 0;
}

void bulk_text_close(struct bulk_text *text)
{
  munmap((void *)text->data, text->length + 1);
}

int bulk_put(struct bulk_queue *queue, const struct bulk_text *text, bool is_collection, const char *place,
             struct error *error)
{
  struct json_span none[1];
  struct bulk_entry *entry = bulk_queue_room(queue);
  if (!entry)
    return error_set(error, ERROR_StacInvalid, "the reading ends here");
  entry->is_collection = is_collection;
  snprintf(entry->place, sizeof entry->place, "%s", place);
  if (is_collection)
    json_scan(text->data, text->length, STORED_MAX_BYTES, NULL, 0, none, &entry->facts.document, &entry->error);
  else
    stored_facts_read(text->data, text->length, &entry->facts, &entry->error);
  bulk_queue_add(queue);
  return 0;
}

/* Pages of a file that have been read are not kept. */
static void leave_behind(const struct bulk_text *text, size_t at, size_t *left)
{
  if (at < *left + BEHIND_BYTES)
    return;
  madvise((void *)(text->data + *left), BEHIND_BYTES, MADV_DONTNEED);
  *left += BEHIND_BYTES;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static bool is_blank(const char *text, size_t length)
{
  return strspn(text, " \t\r\n") >= length;
}

static int load_lines(struct bulk_queue *queue, const char *path, const struct bulk_text *text, struct error *error)
{
  char place[BULK_PLACE_SIZE];
  long long number = 0;
  size_t left = 0;
  for (size_t at = 0; at < text->length;) {
    const char *end = memchr(text->data + at, '\n', text->length - at);
    const size_t length = end ? (size_t)(end - text->data) - at : text->length - at;
    const struct bulk_text line = {text->data + at, length};
    number++;
    at += length + 1;
    leave_behind(text, at, &left);
    if (is_blank(line.data, length))
      continue;
    snprintf(place, sizeof place, "%.400s, line %lld", path, number);
    if (bulk_put(queue, &line, false, place, error) != 0)
      return -1;
  }
  return 0;
}

/* ---- one document ------------------------------------------------------------------------------------------------ */

static int load_features(struct bulk_queue *queue, const char *path, const struct bulk_text *text, size_t at,
                         struct error *error)
{
  char place[BULK_PLACE_SIZE];
  long long number = 0;
  size_t left = 0;
  const char *data = text->data;
  for (;;) {
    at += strspn(data + at, " \t\r\n");
    if (data[at] == ']')
      return 0;
    const size_t end = item_text_skip(data, text->length, at);
    const struct bulk_text feature = {data + at, end - at};
    snprintf(place, sizeof place, "%.400s, feature %lld", path, ++number);
    if (bulk_put(queue, &feature, false, place, error) != 0)
      return -1;
    at = end + strspn(data + end, " \t\r\n");
    if (data[at] != ',' && data[at] != ']')
      return error_set(error, ERROR_StacInvalid, "%s: the features end amid the text, behind feature %lld", path,
                       number);
    at += data[at] == ',';
    leave_behind(text, at, &left);
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

static int load_document(struct bulk_queue *queue, const char *path, const struct bulk_text *text, struct error *error)
{
  size_t from, to;
  if (text_member(text, "type", "Collection") || text_member(text, "type", "Catalog"))
    return bulk_folder(queue, path, error);
  if (!item_text_member(text->data, text->length, "features", &from, &to))
    return bulk_put(queue, text, false, path, error);
  from += strlen("\"features\"");
  from += strspn(text->data + from, " \t\r\n:");
  if (text->data[from] != '[')
    return error_set(error, ERROR_StacInvalid, "%s: \"features\" must be an array", path);
  return load_features(queue, path, text, from + 1, error);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static const char *const line_endings[] = {".ndjson", ".jsonl", ".geojsonl", ".ndgeojson", NULL};
static const char *const parquet_endings[] = {".parquet", ".geoparquet", NULL};
static const char *const packed_endings[] = {".gz", ".zst", ".zstd", NULL};

/* The name before that ending; 0: it has none of them. */
static size_t before_ending(const char *name, size_t length, const char *const *endings)
{
  for (; *endings; endings++) {
    const size_t ending = strlen(*endings);
    if (length > ending && strncasecmp(name + length - ending, *endings, ending) == 0)
      return length - ending;
  }
  return 0;
}

static bool ends_in(const char *name, const char *const *endings)
{
  const size_t length = strlen(name), packed = before_ending(name, length, packed_endings);
  return before_ending(name, packed ? packed : length, endings) > 0;
}

bool bulk_is_file(const char *name)
{
  return ends_in(name, line_endings) || ends_in(name, parquet_endings);
}

static int load_file(struct bulk_queue *queue, const struct bulk_load *load, const char *path, struct error *error)
{
  char name[BULK_PLACE_SIZE];
  struct bulk_text text;
  if (bulk_text_open(path, &text, error) != 0)
    return -1;
  snprintf(name, sizeof name, "%.*s", load->name ? (int)strcspn(load->name, "?#") : -1, load->name ? load->name : path);
  const int result = ends_in(name, line_endings)      ? load_lines(queue, name, &text, error)
                     : ends_in(name, parquet_endings) ? bulk_parquet(queue, name, &text, !load->collection, error)
                                                      : load_document(queue, path, &text, error);
  bulk_text_close(&text);
  return result;
}

static int load_all(struct bulk_queue *queue, const struct bulk_load *load, const char *path, struct error *error)
{
  struct stat status;
  struct bulk_text text;
  if (load->collection) {
    if (bulk_text_open(load->collection, &text, error) != 0)
      return -1;
    const int result = bulk_put(queue, &text, true, load->collection, error);
    bulk_text_close(&text);
    if (result != 0)
      return -1;
  }
  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
    return bulk_folder(queue, path, error);
  return load_file(queue, load, path, error);
}

/* ---- two threads ------------------------------------------------------------------------------------------------- */

struct bulk_run {
  const struct bulk_load *load;
  const char *path;
  struct bulk_queue *queue;
  struct item_writer *writer;
  struct error read_error; /* of the thread that reads */
  int64_t written, refused;
};

static void *read_all(void *data)
{
  struct bulk_run *run = data;
  load_all(run->queue, run->load, run->path, &run->read_error);
  bulk_queue_end(run->queue);
  return NULL;
}

static int write_entry(struct bulk_run *run, const struct bulk_entry *entry, struct error *error)
{
  struct error reason = entry->error;
  const struct buffer *document = &entry->facts.document;
  int result = error_is_set(&reason) ? -1 : 0;
  if (result == 0)
    result = entry->is_collection
                 ? item_writer_put_collection(run->writer, NULL, ITEM_UPSERT, document->data, document->length, &reason)
                 : item_writer_put_read(run->writer, NULL, run->load->writing, &entry->facts, &reason);
  if (result == 0) {
    run->written += !entry->is_collection;
    return entry->is_collection || !run->load->note ||
                   run->load->note(run->load->note_data, entry->facts.collection, entry->facts.id) == 0
               ? 0
               : error_memory(error);
  }
  if (!item_writer_refused(&reason)) {
    *error = reason;
    return -1;
  }
  if (run->load->is_strict || entry->is_collection)
    return error_set(error, error_code_find(reason.code), "%s: %s", entry->place, reason.message);
  if (run->refused++ < MOST_NAMED)
    log_message(LOG_WARNING, "%s: %s: the item is left out", entry->place, reason.message);
  return 0;
}

static int write_all(struct bulk_run *run, struct error *error)
{
  pthread_t reader;
  const struct bulk_entry *entry;
  int result = 0;
  if (pthread_create(&reader, NULL, read_all, run) != 0)
    return error_set(error, ERROR_Internal, "no thread can be started");
  while (result == 0 && (entry = bulk_queue_next(run->queue)))
    result = write_entry(run, entry, error);
  bulk_queue_stop(run->queue);
  pthread_join(reader, NULL);
  if (result == 0 && error_is_set(&run->read_error)) {
    *error = run->read_error;
    result = -1;
  }
  return result;
}

static int load_in_transaction(struct bulk_run *run, struct catalogue *catalogue, struct error *error)
{
  if (item_writer_new(catalogue, &run->writer, error) != 0)
    return -1;
  item_writer_make_collections(run->writer);
  if (index_expect_much(catalogue->index, error) != 0 || write_all(run, error) != 0 ||
      (run->written >= MANY && writer_index_properties(run->writer, error) != 0)) {
    item_writer_abort(run->writer);
    return -1;
  }
  return item_writer_commit(run->writer, error);
}

int catalogue_load_items(struct catalogue *catalogue, const struct bulk_load *load, const char *path,
                         struct buffer *report, struct error *error)
{
  struct bulk_run run = {.load = load, .path = path};
  if (bulk_queue_new(&run.queue, error) != 0)
    return -1;
  const int result = load_in_transaction(&run, catalogue, error);
  bulk_queue_free(run.queue);
  if (result != 0)
    return -1;
  if (run.refused > MOST_NAMED)
    log_message(LOG_WARNING, "%lld more items are left out", (long long)run.refused - MOST_NAMED);
  buffer_printf(report, "%lld item%s", (long long)run.written, run.written == 1 ? "" : "s");
  if (run.refused)
    buffer_printf(report, ", %lld left out", (long long)run.refused);
  buffer_text(report, "\n");
  return report->failed ? error_memory(error) : 0;
}
