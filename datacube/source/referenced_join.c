/* Chunks of the files behind each other: see the header.
 *
 * A chunk of Zarr has one place in a regular grid, so the first dimension of all files but the last must be made of
 * whole chunks, of one size. What is not compressed can be cut into single rows, where that is not so. One-dimensional
 * arrays are short, and are put together here. */
#include "datacube/source/referenced_join.h"

#include "datacube/base/checked.h"
#include "datacube/source/zarr_chunk.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES_MOST = 1 << 22 /* bytes of a coordinate */ };

struct joined_file {                   /* open for its values */
  const struct zarr_references *table; /* NULL: not yet */
  struct zarr_store store;
};

struct joining {
  const struct referenced_file *files;
  struct joined_file *open; /* of each */
  const char *const *names;
  size_t count;
  const char *dimension, *folder;
  struct referenced_file *out;
  struct error *error;
};

static const struct referenced_array *find(const struct referenced_file *file, const char *path)
{
  for (const struct referenced_array *a = file->first; a; a = a->next)
    if (strcmp(a->path, path) == 0)
      return a;
  return NULL;
}

static bool is_same(const char *a, const char *b)
{
  return a == b || (a && b && strcmp(a, b) == 0);
}

static const char *own_name(const struct referenced_array *a)
{
  const char *slash = strrchr(a->path, '/');
  return slash ? slash + 1 : a->path;
}

static bool is_coordinate(const struct referenced_array *a)
{
  return a->rank == 1 && strcmp(a->names[0], own_name(a)) == 0;
}

/* Whether it goes along the dimension, as the first one. */
static bool is_joined(const struct joining *j, const struct referenced_array *a)
{
  return a->rank > 0 && strcmp(a->names[0], j->dimension) == 0;
}

static const struct zarr_json *attributes_of(const struct joining *j, const struct referenced_array *a)
{
  const char *text = arena_printf(j->out->arena, "{%s}", a->attributes);
  return text ? zarr_json_read(j->out->arena, text, strlen(text)) : NULL;
}

static int differs(const struct joining *j, size_t file, const char *path, const char *what)
{
  return error_set(j->error, ERROR_FeatureUnsupported, "%.150s: %s of %.100s is another one than in %.150s",
                   j->names[file], what, path, j->names[0]);
}

/* ---- which dimension --------------------------------------------------------------------------------------------- */

static int choose_dimension(struct joining *j)
{
  for (const struct referenced_array *a = j->files[0].first; a && !j->dimension; a = a->next) {
    const char *units = is_coordinate(a) ? zarr_json_text(attributes_of(j, a), "units") : NULL;
    if (units && strstr(units, " since "))
      j->dimension = a->names[0];
  }
  return j->dimension ? 0
                      : error_set(j->error, ERROR_FeatureUnsupported,
                                  "%.150s has no coordinate of time: name the dimension to join along", j->names[0]);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static int read_chunks(const struct zarr_array *z, struct zarr_reader *reader, unsigned char *out, size_t length)
{
  unsigned char fill[16], *chunk = malloc(saturated_mul(z->chunk[0], z->element_size));
  const size_t size = z->element_size;
  int status = chunk ? 0 : -1;
  zarr_fill(z, fill);
  for (size_t at = 0, index = 0; at < length && status == 0; at += z->chunk[0], index++) {
    const size_t many = length - at < z->chunk[0] ? length - at : z->chunk[0];
    const int found = zarr_chunk_read(reader, z, &index, chunk);
    if (found == 1)
      memcpy(out + at * size, chunk, many * size);
    for (size_t i = 0; found == 0 && i < many && size <= sizeof fill; i++)
      memcpy(out + (at + i) * size, fill, size);
    status = found < 0 ? -1 : 0;
  }
  free(chunk);
  return status;
}

static int open_values(const struct joining *j, size_t file)
{
  struct joined_file *open = &j->open[file];
  if (open->table)
    return 0;
  return referenced_table(&j->files[file], j->folder, &open->table, j->error) == 0
             ? zarr_store_of(j->out->arena, j->names[file], open->table, &open->store, j->error)
             : -1;
}

/* The elements of a one-dimensional array, of machine byte order, behind what the buffer holds. */
static int read_values(const struct joining *j, size_t file, const struct referenced_array *a, struct buffer *out)
{
  struct zarr_reader *reader = NULL;
  struct error reason = {0};
  if (open_values(j, file) != 0)
    return -1;
  const struct joined_file *open = &j->open[file];
  const char *slash = strrchr(a->path, '/');
  const char *group = slash ? arena_printf(j->out->arena, "/%.*s", (int)(slash - a->path), a->path) : "/";
  const struct zarr_array *z = group ? zarr_store_find(&open->store, group, own_name(a)) : NULL;
  const size_t bytes = z ? saturated_mul(z->shape[0], z->element_size) : 0;
  if (!z || z->why_not || z->kind == ZARR_TEXTS || bytes > VALUES_MOST)
    return error_set(j->error, ERROR_FeatureUnsupported, "%.150s: %.100s is no coordinate that can be joined",
                     j->names[file], a->path);
  const size_t chunk = saturated_mul(z->chunk[0], z->element_size);
  unsigned char *values = malloc(bytes);
  int status = values && zarr_reader_open(j->names[file], open->table, chunk, &reader, &reason) == 0 ? 0 : -1;
  if (status == 0)
    status = read_chunks(z, reader, values, z->shape[0]);
  if (status == 0)
    buffer_add(out, values, bytes);
  else if (!reader || zarr_reader_failure(reader, j->error) == 0)
    error_set(j->error, ERROR_FileContentInvalid, "%.150s: %.100s cannot be read", j->names[file], a->path);
  zarr_reader_close(reader);
  free(values);
  return status;
}

/* A one-dimensional array as one chunk that the document holds. */
static int join_values(const struct joining *j, struct referenced_array *out)
{
  struct buffer all = {.limit = VALUES_MOST};
  int status = 0;
  for (size_t i = 0; i < j->count && status == 0; i++)
    status = read_values(j, i, find(&j->files[i], out->path), &all);
  const struct referenced_chunk chunk = {.bytes = arena_copy(j->out->arena, all.data, all.length),
                                         .length = all.length};
  if (status == 0 && (all.failed || !chunk.bytes))
    status = error_memory(j->error);
  buffer_free(&all);
  if (status != 0)
    return -1;
  out->type[0] = out->type[0] == '>' ? '<' : out->type[0];
  out->chunk[0] = out->shape[0];
  out->filters = out->compressor = NULL;
  return referenced_add_chunk(j->out, out, &chunk, j->error);
}

/* ---- chunks ------------------------------------------------------------------------------------------------------ */

/* Chunks of a row of the array's grid. */
static uint64_t row_chunks(const struct referenced_array *a)
{
  uint64_t count = 1;
  for (size_t d = 1; d < a->rank; d++)
    count *= (a->shape[d] - 1) / a->chunk[d] + 1;
  return count;
}

/* Rows of one element along the first dimension, of an array without encoding. */
static int add_rows(const struct joining *j, const struct referenced_array *a, const struct referenced_chunk *c,
                    size_t before, struct referenced_array *out)
{
  const uint64_t per = row_chunks(a), bytes = c->length / a->chunk[0], first = c->number / per * a->chunk[0];
  for (uint64_t i = 0; i < a->chunk[0] && first + i < a->shape[0]; i++) {
    struct referenced_chunk row = *c;
    row.number = (before + first + i) * per + c->number % per;
    row.at += i * bytes;
    row.bytes = c->bytes ? c->bytes + i * bytes : NULL;
    row.length = bytes;
    if (referenced_add_chunk(j->out, out, &row, j->error) != 0)
      return -1;
  }
  return 0;
}

static int add_chunks(const struct joining *j, const struct referenced_array *a, size_t before,
                      struct referenced_array *out)
{
  for (size_t i = 0; i < a->chunk_count; i++) {
    struct referenced_chunk c = a->chunks[i];
    if (out->chunk[0] != a->chunk[0] || before % a->chunk[0] != 0) {
      if (add_rows(j, a, &c, before, out) != 0)
        return -1;
      continue;
    }
    c.number += before / a->chunk[0] * row_chunks(a);
    if (referenced_add_chunk(j->out, out, &c, j->error) != 0)
      return -1;
  }
  return 0;
}

/* Whether all chunks have their places as they are. */
static bool fits(const struct joining *j, const struct referenced_array *model)
{
  size_t before = 0;
  for (size_t i = 0; i < j->count; i++) {
    const struct referenced_array *a = find(&j->files[i], model->path);
    if (a->chunk[0] != model->chunk[0] || before % model->chunk[0] != 0)
      return false;
    before += a->shape[0];
  }
  return true;
}

static int join_chunks(const struct joining *j, struct referenced_array *out)
{
  size_t before = 0;
  if (!fits(j, find(&j->files[0], out->path))) {
    if (out->filters || out->compressor)
      return error_set(j->error, ERROR_FeatureUnsupported,
                       "%.100s is compressed in chunks of several steps of %.60s that do not meet where files do",
                       out->path, j->dimension);
    out->chunk[0] = 1;
  }
  for (size_t i = 0; i < j->count; i++) {
    const struct referenced_array *a = find(&j->files[i], out->path);
    if (add_chunks(j, a, before, out) != 0)
      return -1;
    before += a->shape[0];
  }
  return 0;
}

/* ---- what must be the same --------------------------------------------------------------------------------------- */

static bool is_same_json(const struct zarr_json *a, const struct zarr_json *b)
{
  if (!a || !b)
    return a == b;
  return a->kind == b->kind && is_same(a->text, b->text);
}

static int compare_attributes(const struct joining *j, size_t file, const struct referenced_array *model,
                              const struct referenced_array *a)
{
  static const char *const names[] = {"units", "calendar", "scale_factor", "add_offset", "_FillValue", "missing_value"};
  const struct zarr_json *first = attributes_of(j, model), *own = attributes_of(j, a);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (!is_same_json(zarr_json_member(first, names[i]), zarr_json_member(own, names[i])))
      return differs(j, file, a->path, names[i]);
  return 0;
}

static int compare_arrays(const struct joining *j, size_t file, const struct referenced_array *model, bool is_long)
{
  const struct referenced_array *a = find(&j->files[file], model->path);
  if (!a)
    return error_set(j->error, ERROR_FileContentInvalid, "%.150s has no variable %.100s", j->names[file], model->path);
  if (a->rank != model->rank || strcmp(a->type, model->type) != 0)
    return differs(j, file, a->path, "the type");
  for (size_t d = 0; d < a->rank; d++) {
    if (strcmp(a->names[d], model->names[d]) != 0 || (d >= is_long && a->shape[d] != model->shape[d]))
      return differs(j, file, a->path, "the shape");
    if (is_long && a->rank > 1 && d > 0 && a->chunk[d] != model->chunk[d])
      return differs(j, file, a->path, "the size of chunks");
  }
  if (is_long && a->rank > 1 &&
      (!is_same(a->filters, model->filters) || !is_same(a->compressor, model->compressor) ||
       !is_same(a->fill, model->fill) || a->is_by_column != model->is_by_column))
    return differs(j, file, a->path, "the encoding");
  return compare_attributes(j, file, model, a);
}

/* Coordinates of other dimensions have the values of the first file's. */
static int compare_values(const struct joining *j, size_t file, const struct referenced_array *model)
{
  struct buffer own = {.limit = VALUES_MOST}, first = {.limit = VALUES_MOST};
  int status = read_values(j, 0, model, &first);
  if (status == 0)
    status = read_values(j, file, find(&j->files[file], model->path), &own);
  if (status == 0 && (own.length != first.length || memcmp(own.data, first.data, own.length) != 0))
    status = differs(j, file, model->path, "the values");
  buffer_free(&own);
  buffer_free(&first);
  return status;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static int join_array(const struct joining *j, const struct referenced_array *model)
{
  const bool is_long = is_joined(j, model);
  struct referenced_array *out = referenced_add(j->out, model->path, j->error);
  if (!out)
    return -1;
  *out = *model;
  out->next = NULL;
  for (size_t d = 1; d < model->rank; d++)
    if (strcmp(model->names[d], j->dimension) == 0)
      return error_set(j->error, ERROR_FeatureUnsupported, "%.60s is not the first dimension of %.100s", j->dimension,
                       model->path);
  for (size_t i = 1; i < j->count; i++) {
    if (compare_arrays(j, i, model, is_long) != 0 ||
        (!is_long && is_coordinate(model) && compare_values(j, i, model) != 0))
      return -1;
    out->shape[0] += is_long ? find(&j->files[i], model->path)->shape[0] : 0;
  }
  if (!is_long) {
    j->out->chunk_count += out->chunk_count;
    return 0;
  }
  out->chunks = NULL;
  out->chunk_count = out->chunk_room = 0;
  return out->rank == 1 ? join_values(j, out) : join_chunks(j, out);
}

int referenced_join(const struct referenced_file *files, const char *const *names, size_t count, const char *dimension,
                    const char *folder, struct referenced_file *out, struct error *error)
{
  struct joining j = {.files = files,
                      .names = names,
                      .count = count,
                      .dimension = dimension,
                      .folder = folder,
                      .out = out,
                      .open = ARENA_ARRAY(out->arena, struct joined_file, count),
                      .error = error};
  out->attributes = files[0].attributes;
  if (!j.open)
    return error_memory(error);
  if (!j.dimension && choose_dimension(&j) != 0)
    return -1;
  size_t joined = 0;
  for (const struct referenced_array *a = files[0].first; a; a = a->next) {
    joined += is_joined(&j, a);
    if (join_array(&j, a) != 0)
      return -1;
  }
  for (size_t i = 1; i < count; i++)
    for (const struct referenced_array *a = files[i].first; a; a = a->next)
      if (!find(&files[0], a->path))
        return error_set(error, ERROR_FileContentInvalid, "%.150s has no variable %.100s", names[0], a->path);
  return joined > 0
             ? 0
             : error_set(error, ERROR_FileContentInvalid, "%.150s has no variable along %.60s", names[0], j.dimension);
}
