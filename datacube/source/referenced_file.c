/* Arrays as references: see the header. */
#include "datacube/source/referenced_file.h"

#include "datacube/base/base64.h"
#include "datacube/base/checked.h"
#include "datacube/remote/remote_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 1 << 19, ARRAYS_MOST = 4096, KEY_ROOM = 2048, TEXT_MOST = 4096 };

void referenced_file_init(struct arena *arena, struct referenced_file *out)
{
  *out = (struct referenced_file){.arena = arena, .attributes = ""};
  out->end = &out->first;
}

struct referenced_array *referenced_add(struct referenced_file *file, const char *path, struct error *error)
{
  struct referenced_array *array = ARENA_NEW(file->arena, struct referenced_array);
  if (file->array_count == ARRAYS_MOST) {
    error_set(error, ERROR_FileContentInvalid, "it has more than %d variables", ARRAYS_MOST);
    return NULL;
  }
  *array = array ? (struct referenced_array){.path = arena_strdup(file->arena, path), .attributes = ""}
                 : (struct referenced_array){.path = NULL};
  if (!array->path) {
    error_memory(error);
    return NULL;
  }
  *file->end = array;
  file->end = &array->next;
  file->array_count++;
  return array;
}

int referenced_add_chunk(struct referenced_file *file, struct referenced_array *array,
                         const struct referenced_chunk *chunk, struct error *error)
{
  if (file->chunk_count + (2 + REFERENCED_DEEP_MOST) * ARRAYS_MOST + 2 >= ZARR_REFERENCES_MOST)
    return error_set(error, ERROR_FeatureUnsupported, "it has more chunks than %d references may name",
                     ZARR_REFERENCES_MOST);
  if (array->chunk_count == array->chunk_room) {
    const size_t room = array->chunk_room > 0 ? 2 * array->chunk_room : 16;
    struct referenced_chunk *rows = ARENA_ARRAY(file->arena, struct referenced_chunk, room);
    if (!rows)
      return error_memory(error);
    if (array->chunk_count > 0)
      memcpy(rows, array->chunks, array->chunk_count * sizeof *rows);
    array->chunks = rows;
    array->chunk_room = room;
  }
  array->chunks[array->chunk_count++] = *chunk;
  file->chunk_count++;
  return 0;
}

/* ---- pieces ------------------------------------------------------------------------------------------------------ */

static size_t largest_divisor(size_t number, size_t most)
{
  size_t best = 1;
  for (size_t k = 1; k <= number / k; k++) {
    if (number % k != 0)
      continue;
    best = k <= most && k > best ? k : best;
    best = number / k <= most && number / k > best ? number / k : best;
  }
  return best;
}

int referenced_add_piece(struct referenced_file *file, struct referenced_array *array, const char *target, uint64_t at,
                         struct error *error)
{
  size_t bytes = array->element_size, count = 1;
  bool is_whole = true; /* the dimensions behind */
  for (size_t d = array->rank; d-- > 0;) {
    const size_t room = bytes < PIECE_BYTES ? PIECE_BYTES / bytes : 1, size = array->shape[d];
    array->chunk[d] = !is_whole ? 1 : size <= room ? size : largest_divisor(size, room);
    is_whole = array->chunk[d] == size;
    bytes *= array->chunk[d];
    if (checked_mul(count, size / array->chunk[d], &count) != 0)
      return error_set(error, ERROR_FileContentInvalid, "the variable %.100s is too large", array->path);
  }
  for (size_t i = 0; i < count; i++) {
    const struct referenced_chunk chunk = {.number = i, .target = target, .at = at + i * bytes, .length = bytes};
    if (referenced_add_chunk(file, array, &chunk, error) != 0)
      return -1;
  }
  return 0;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

void referenced_join_characters(struct referenced_array *a)
{
  const size_t last = a->rank - 1;
  if (strcmp(a->type, "|S1") != 0 || a->rank == 0 || a->chunk[last] != a->shape[last] || a->shape[last] > TEXT_MOST)
    return;
  a->element_size = a->shape[last];
  snprintf(a->type, sizeof a->type, "|S%zu", a->element_size);
  a->rank--;
}

/* Bytes that are no UTF-8 would spoil the document. */
void referenced_write_text(struct json_writer *w, const char *text, size_t most)
{
  char *plain = strndup(text ? text : "", text ? most : 0);
  for (unsigned char *c = (unsigned char *)plain; c && *c;) {
    const size_t more = *c < 0x80 ? 0 : *c >= 0xF0 && *c < 0xF5 ? 3 : *c >= 0xE0 ? 2 : *c >= 0xC2 ? 1 : 9;
    size_t have = 0;
    while (more < 9 && have < more && (c[have + 1] & 0xC0) == 0x80)
      have++;
    if (have < more)
      *c = '?';
    c += have < more ? 1 : more + 1;
  }
  json_write_string(w, plain ? plain : "");
  free(plain);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static void write_sizes(struct json_writer *w, const char *key, const size_t *sizes, size_t count)
{
  json_key(w, key);
  json_write_array(w);
  for (size_t d = 0; d < count; d++)
    json_write_integer(w, (int64_t)sizes[d]);
  json_end_array(w);
}

static void write_raw(struct json_writer *w, const char *key, const char *json)
{
  json_key(w, key);
  if (json)
    json_write_raw(w, json, strlen(json));
  else
    json_write_null(w);
}

static void write_array(struct buffer *out, const struct referenced_array *array)
{
  struct json_writer w = {.out = out};
  json_write_object(&w);
  json_kv_integer(&w, "zarr_format", 2);
  write_sizes(&w, "shape", array->shape, array->rank);
  write_sizes(&w, "chunks", array->chunk, array->rank);
  json_kv_string(&w, "dtype", array->type);
  json_kv_string(&w, "order", array->is_by_column ? "F" : "C");
  write_raw(&w, "fill_value", array->fill);
  write_raw(&w, "filters", array->filters);
  write_raw(&w, "compressor", array->compressor);
  json_end_object(&w);
}

static void write_attributes(struct buffer *out, const char *members, const char *const *names, size_t rank)
{
  struct json_writer w = {.out = out};
  json_write_object(&w);
  if (*members)
    json_write_members(&w, members, strlen(members));
  if (names) {
    json_key(&w, "_ARRAY_DIMENSIONS");
    json_write_array(&w);
    for (size_t d = 0; d < rank; d++)
      json_write_string(&w, names[d]);
    json_end_array(&w);
  }
  json_end_object(&w);
}

struct table_making {
  struct arena *arena;
  struct zarr_reference *rows;
  size_t count;
};

/* Takes what the buffer holds. */
static int add_document(struct table_making *m, const char *path, const char *name, struct buffer *text)
{
  const char *key = arena_printf(m->arena, "%s%s%s", path, *path ? "/" : "", name);
  unsigned char *bytes = text->failed ? NULL : arena_copy(m->arena, text->data, text->length + 1);
  m->rows[m->count] = (struct zarr_reference){.key = key, .bytes = bytes, .length = text->length, .place = m->count};
  m->count++;
  buffer_free(text);
  *text = (struct buffer){0};
  return key && bytes ? 0 : -1;
}

static int add_group(struct table_making *m, const char *path)
{
  struct buffer text = {0};
  buffer_text(&text, "{\"zarr_format\":2}");
  return add_document(m, path, ".zgroup", &text);
}

/* "path/2.0.1" */
static const char *chunk_key(struct arena *arena, const struct referenced_array *array, uint64_t number)
{
  uint64_t index[CUBE_MAX_DIMENSIONS];
  char key[KEY_ROOM];
  size_t used = (size_t)snprintf(key, sizeof key, "%s/%s", array->path, array->rank == 0 ? "0" : "");
  for (size_t d = array->rank; d-- > 0;) {
    const uint64_t count = (array->shape[d] - 1) / array->chunk[d] + 1;
    index[d] = number % count;
    number /= count;
  }
  for (size_t d = 0; d < array->rank && used < sizeof key; d++)
    used += (size_t)snprintf(key + used, sizeof key - used, "%s%llu", d ? "." : "", (unsigned long long)index[d]);
  return used < sizeof key ? arena_strdup(arena, key) : NULL;
}

/* The groups that an array is in and no array before was. */
static int add_groups(struct table_making *m, const struct referenced_file *file, const struct referenced_array *array)
{
  for (const char *slash = strchr(array->path, '/'); slash; slash = strchr(slash + 1, '/')) {
    const size_t length = (size_t)(slash - array->path);
    const struct referenced_array *a = file->first;
    while (a != array && strncmp(a->path, array->path, length + 1) != 0)
      a = a->next;
    const char *group = a == array ? arena_strndup(m->arena, array->path, length) : NULL;
    if (a != array)
      continue;
    if (!group || add_group(m, group) != 0)
      return -1;
  }
  return 0;
}

static int add_array(struct table_making *m, const struct referenced_array *array)
{
  struct buffer text = {0};
  write_array(&text, array);
  if (add_document(m, array->path, ".zarray", &text) != 0)
    return -1;
  write_attributes(&text, array->attributes, array->names, array->rank);
  if (add_document(m, array->path, ".zattrs", &text) != 0)
    return -1;
  for (size_t i = 0; i < array->chunk_count; i++, m->count++) {
    const struct referenced_chunk *c = &array->chunks[i];
    m->rows[m->count] = (struct zarr_reference){.key = chunk_key(m->arena, array, c->number),
                                                .target = c->target,
                                                .bytes = c->bytes,
                                                .at = c->at,
                                                .length = c->length,
                                                .skipped = c->skipped,
                                                .part = c->part,
                                                .place = m->count};
    if (!m->rows[m->count].key)
      return -1;
  }
  return 0;
}

static int make_rows(const struct referenced_file *file, struct table_making *m)
{
  struct buffer text = {0};
  if (!m->rows || add_group(m, "") != 0)
    return -1;
  write_attributes(&text, file->attributes, NULL, 0);
  if (add_document(m, "", ".zattrs", &text) != 0)
    return -1;
  for (const struct referenced_array *a = file->first; a; a = a->next)
    if (add_groups(m, file, a) != 0 || add_array(m, a) != 0)
      return -1;
  return 0;
}

static struct table_making begin_table(const struct referenced_file *file)
{
  const size_t room = file->chunk_count + (2 + REFERENCED_DEEP_MOST) * file->array_count + 2;
  return (struct table_making){.arena = file->arena, .rows = ARENA_ARRAY(file->arena, struct zarr_reference, room)};
}

int referenced_table(const struct referenced_file *file, const char *folder, const struct zarr_references **out,
                     struct error *error)
{
  struct table_making m = begin_table(file);
  struct zarr_references *table = ARENA_NEW(file->arena, struct zarr_references);
  if (!table || make_rows(file, &m) != 0)
    return error_memory(error);
  *table = (struct zarr_references){.folder = folder, .state = file->state, .rows = m.rows, .count = m.count};
  zarr_references_sort(table);
  *out = table;
  return 0;
}

/* ---- the document ------------------------------------------------------------------------------------------------ */

static bool is_document(const char *key)
{
  const char *slash = strrchr(key, '/');
  return strncmp(slash ? slash + 1 : key, ".z", 2) == 0;
}

static void write_value(struct json_writer *w, const struct zarr_reference *row, bool is_text)
{
  json_key(w, row->key);
  if (row->bytes && is_text) {
    json_write_string_n(w, (const char *)row->bytes, (size_t)row->length);
  } else if (row->bytes) {
    struct buffer text = {0};
    buffer_text(&text, "base64:");
    base64_write(row->bytes, (size_t)row->length, &text);
    json_write_string_n(w, text.data, text.length);
    buffer_free(&text);
  } else {
    json_write_array(w);
    json_write_string(w, remote_url(row->target));
    json_write_integer(w, (int64_t)row->at);
    json_write_integer(w, (int64_t)row->length);
    json_end_array(w);
  }
}

int referenced_document(const struct referenced_file *file, struct buffer *out, struct error *error)
{
  struct table_making m = begin_table(file);
  struct json_writer w = {.out = out};
  if (make_rows(file, &m) != 0)
    return error_memory(error);
  json_write_object(&w);
  json_kv_integer(&w, "version", 1);
  json_key(&w, "refs");
  json_write_object(&w);
  for (size_t i = 0; i < m.count; i++) {
    const struct zarr_reference *row = &m.rows[i];
    if (row->skipped)
      return error_set(error, ERROR_FeatureUnsupported,
                       "%.100s is stored without the filters of its variable, which references cannot say", row->key);
    if (row->part)
      return error_set(error, ERROR_FeatureUnsupported,
                       "%.100s is not the first field of its GRIB message, which references cannot say", row->key);
    write_value(&w, row, is_document(row->key));
  }
  json_end_object(&w);
  json_end_object(&w);
  return out->failed ? error_memory(error) : 0;
}
