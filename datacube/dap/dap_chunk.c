#include "datacube/dap/dap_chunk.h"

#include "datacube/base/buffer.h"
#include "datacube/base/byte_order.h"
#include "datacube/base/checked.h"
#include "datacube/dap/dap_address.h"
#include "datacube/source/zarr_place.h"

#include <stdio.h>
#include <string.h>

struct dap_answer {
  const struct zarr_array *array;
  const char *address;
  struct zarr_file file;
  uint64_t at;                       /* of the first byte behind its head */
  size_t count[CUBE_MAX_DIMENSIONS]; /* what was asked for */
  size_t elements;
  struct error *error;
};

size_t dap_sent_size(enum dap_type type)
{
  return type == DAP_BYTE ? 1 : type == DAP_FLOAT64 ? 8 : 4;
}

/* ---- questions --------------------------------------------------------------------------------------------------- */

static void counts_of(const struct zarr_array *a, const size_t *index, size_t *count)
{
  for (size_t d = 0; d < a->rank; d++) {
    const size_t left = a->shape[d] - index[d] * a->chunk[d];
    count[d] = left < a->chunk[d] ? left : a->chunk[d];
  }
}

/* The path of what is asked for. False where it would be too long. */
static bool question(const struct zarr_array *a, const size_t *index, char out[REMOTE_URL_SIZE])
{
  size_t count[CUBE_MAX_DIMENSIONS];
  counts_of(a, index, count);
  int more = snprintf(out, REMOTE_URL_SIZE, "%s?%s", a->dap->dataset, a->dap->path);
  size_t used = more > 0 ? (size_t)more : REMOTE_URL_SIZE;
  for (size_t d = 0; d < a->rank && used < REMOTE_URL_SIZE; d++) {
    const size_t first = a->dap->origin[d] + index[d] * a->chunk[d];
    more = snprintf(out + used, REMOTE_URL_SIZE - used, "%%5B%zu:1:%zu%%5D", first, first + count[d] - 1);
    used += more > 0 ? (size_t)more : REMOTE_URL_SIZE;
  }
  return used < REMOTE_URL_SIZE;
}

/* Bytes of an answer, at most. */
static uint64_t most_of(const struct zarr_array *a)
{
  size_t bytes = a->dap->type == DAP_TEXT ? 256 : dap_sent_size(a->dap->type);
  for (size_t d = 0; d < a->rank; d++)
    bytes = saturated_mul(bytes, a->chunk[d]);
  return saturated_add(bytes, DAP_HEAD_BYTES + 16);
}

bool dap_chunk_ahead(const struct zarr_array *array, const size_t *index)
{
  char path[REMOTE_URL_SIZE];
  return !question(array, index, path) || remote_prefetch(path, most_of(array));
}

uint64_t dap_chunk_state(const struct zarr_array *array, const size_t *index)
{
  char path[REMOTE_URL_SIZE];
  return question(array, index, path) ? zarr_remote_state(path) : 0;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static int wrong(const struct dap_answer *w, const char *what)
{
  return error_set(w->error, ERROR_FileContentInvalid, "%.300s: %s", w->address, what);
}

/* Where dates tell of changes: an answer that is dated is of the dataset's date. */
static int check_date(const struct dap_answer *w)
{
  const char *validator = remote_validator(w->file.remote), *date = w->array->dap->date;
  const bool is_etag = validator[0] == '"' || strncmp(validator, "W/", 2) == 0;
  return !date || validator[0] == '\0' || is_etag || strcmp(validator, date) == 0
             ? 0
             : wrong(w, "the dataset has changed while it was read: start again");
}

/* Where the head ends, and the values begin behind "Data:" on a line of its own. False: there is no such. */
static bool find_data(const char *text, size_t length, size_t *head, uint64_t *data)
{
  static const char mark[] = "\nData:";
  const char *found = memmem(text, length, mark, sizeof mark - 1);
  *head = found ? (size_t)(found - text) : length;
  size_t at = *head + sizeof mark - 1;
  if (at < length && text[at] == '\r')
    at++;
  *data = at + 1;
  return at < length && text[at] == '\n';
}

/* Bytes of a variable as they are sent; 0: its own texts tell. */
static uint64_t sent_bytes(const struct dap_variable *v)
{
  size_t bytes = dap_sent_size(v->type);
  for (size_t d = 0; d < v->rank; d++)
    bytes = saturated_mul(bytes, v->shape[d]);
  bytes = saturated_add(bytes, 3) / 4 * 4;
  return v->type == DAP_TEXT ? 0 : saturated_add(bytes, v->rank > 0 ? 8 : 0);
}

/* The first variable must be what was asked for, and all together be as long as the answer; a grid has its maps behind
 * its array. */
static int check_shape(const struct dap_answer *w, const struct dap_dataset *sent)
{
  const struct dap_variable *v = sent->count > 0 ? &sent->variables[0] : NULL;
  const size_t rank = w->array->rank;
  uint64_t bytes = 0;
  bool is_it = v && !v->why_not && v->type == w->array->dap->type && v->rank == rank;
  for (size_t d = 0; is_it && d < rank; d++)
    is_it = v->shape[d] == w->count[d];
  if (!is_it)
    return wrong(w, "its server sends another thing than was asked for");
  for (size_t i = 0; i < sent->count; i++)
    bytes = saturated_add(bytes, sent_bytes(&sent->variables[i]));
  if (v->type != DAP_TEXT && bytes != w->file.size - w->at)
    return wrong(w, "what its server sends is not as long as it should be");
  return 0;
}

static int read_head(struct dap_answer *w, const struct dap_room *room)
{
  const size_t most = room->size < DAP_HEAD_BYTES ? room->size : DAP_HEAD_BYTES;
  const size_t length = w->file.size < most ? (size_t)w->file.size : most;
  char *text = (char *)room->one;
  if (!zarr_file_read(&w->file, 0, length, text, w->error))
    return wrong(w, "it cannot be read");
  struct error reason = {0};
  struct dap_dataset sent;
  size_t head;
  if (!find_data(text, length, &head, &w->at))
    return dap_refusal(text, length, &reason) != 0 ? wrong(w, reason.message) : wrong(w, "it is no answer of DAP 2");
  struct arena *arena = arena_new(8 << 20);
  if (!arena)
    return error_memory(w->error);
  int status = dap_dataset_read(arena, text, head, &sent, &reason);
  if (status != 0)
    wrong(w, reason.message);
  if (status == 0)
    status = check_shape(w, &sent);
  arena_free(arena);
  return status;
}

/* Asks for the chunk and looks at the head of what comes. The caller closes the file, however this ends. */
static int open_answer(struct dap_answer *w, const size_t *index, const struct dap_room *room, char *path)
{
  const struct zarr_array *a = w->array;
  w->file = (struct zarr_file){.descriptor = -1};
  if (!question(a, index, path))
    return error_set(w->error, ERROR_FileContentInvalid, "%.300s: the names of its variables are too long",
                     remote_url(a->dap->dataset));
  w->address = remote_url(path);
  counts_of(a, index, w->count);
  w->elements = 1;
  for (size_t d = 0; d < a->rank; d++)
    w->elements *= w->count[d];
  if (remote_open_whole(path, most_of(a), &w->file.remote, w->error) != 0)
    return -1;
  w->file.size = remote_size(w->file.remote);
  return check_date(w) == 0 ? read_head(w, room) : -1;
}

static uint32_t large_first(const unsigned char *bytes)
{
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The count in front of an array, so many times. A byte alone is the last one of four. */
static int check_count(struct dap_answer *w, size_t times)
{
  unsigned char bytes[4];
  w->at += w->array->rank == 0 && w->array->dap->type == DAP_BYTE ? 3 : 0;
  for (size_t i = 0; i < times && w->array->rank > 0; i++, w->at += 4)
    if (!zarr_file_read(&w->file, w->at, 4, bytes, w->error) || large_first(bytes) != w->elements)
      return wrong(w, "its server sends another number of values than was asked for");
  return 0;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Elements as they were sent, in place of each other: numbers of 16 bits lie in the last two of four. */
static void decode(enum dap_type type, const unsigned char *from, size_t count, unsigned char *to)
{
  const size_t size = dap_sent_size(type);
  if (type != DAP_INT16 && type != DAP_UINT16) {
    memcpy(to, from, count * size);
    if (size > 1 && __BYTE_ORDER__ != __ORDER_BIG_ENDIAN__)
      bytes_turn(to, count, size);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    const uint16_t value = (uint16_t)((unsigned)from[4 * i + 2] << 8 | from[4 * i + 3]);
    memcpy(to + 2 * i, &value, sizeof value);
  }
}

/* `count` elements that were sent one behind the other, from number `first` on. */
static int read_run(struct dap_answer *w, const struct dap_room *room, size_t first, size_t count, unsigned char *to)
{
  const enum dap_type type = w->array->dap->type;
  const size_t size = dap_sent_size(type), at_once = room->size / size;
  for (size_t done = 0, many; done < count; done += many) {
    many = count - done < at_once ? count - done : at_once;
    if (!zarr_file_read(&w->file, w->at + (first + done) * size, many * size, room->one, w->error))
      return wrong(w, "it is cut short");
    decode(type, room->one, many, to + done * w->array->element_size);
  }
  return 0;
}

/* From the order of what was sent to that of the chunk, which may be larger: dimensions that are whole go as one. */
static int read_values(struct dap_answer *w, const struct dap_room *room, unsigned char *out)
{
  const struct zarr_array *a = w->array;
  size_t at[CUBE_MAX_DIMENSIONS] = {0}, outer = a->rank, run = 1;
  bool is_whole = true;
  while (outer > 0 && is_whole) {
    outer--;
    run *= w->count[outer];
    is_whole = w->count[outer] == a->chunk[outer];
  }
  for (size_t first = 0; first < w->elements; first += run) {
    size_t place = 0;
    for (size_t d = 0; d < a->rank; d++)
      place = place * a->chunk[d] + (d < outer ? at[d] : 0);
    if (read_run(w, room, first, run, out + place * a->element_size) != 0)
      return -1;
    for (size_t d = outer; d-- > 0; at[d] = 0)
      if (++at[d] < w->count[d])
        break;
  }
  return 0;
}

int dap_chunk_read(const struct zarr_array *array, const size_t *index, const struct dap_room *room, void *out,
                   struct error *error)
{
  struct dap_answer w = {.array = array, .error = error};
  char path[REMOTE_URL_SIZE];
  int status = open_answer(&w, index, room, path);
  if (status == 0)
    status = check_count(&w, 2);
  if (status == 0)
    status = read_values(&w, room, out);
  remote_close(w.file.remote);
  return status == 0 ? 1 : -1;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static void put_little(uint32_t number, unsigned char *to)
{
  for (int i = 0; i < 4; i++)
    to[i] = (unsigned char)(number >> 8 * i);
}

static int read_texts(struct dap_answer *w, const struct dap_room *room, size_t *length)
{
  const uint64_t end = w->file.size;
  unsigned char bytes[4];
  put_little((uint32_t)w->elements, room->other);
  *length = 4;
  for (size_t i = 0; i < w->elements; i++) {
    if (end - w->at < 4 || !zarr_file_read(&w->file, w->at, 4, bytes, w->error))
      return wrong(w, "it is cut short");
    const uint32_t own = large_first(bytes);
    const uint64_t padded = ((uint64_t)own + 3) / 4 * 4;
    w->at += 4;
    if (padded > end - w->at || own > room->size || *length + 4 > room->size - own)
      return wrong(w, "its texts are cut short, or too long");
    put_little(own, room->other + *length);
    if (!zarr_file_read(&w->file, w->at, own, room->other + *length + 4, w->error))
      return wrong(w, "it is cut short");
    *length += 4 + (size_t)own;
    w->at += padded;
  }
  return w->at == end ? 0 : wrong(w, "what its server sends is not as long as it should be");
}

int dap_chunk_texts(const struct zarr_array *array, const size_t *index, const struct dap_room *room, size_t *length,
                    struct error *error)
{
  struct dap_answer w = {.array = array, .error = error};
  char path[REMOTE_URL_SIZE];
  int status = open_answer(&w, index, room, path);
  if (status == 0)
    status = check_count(&w, 1);
  if (status == 0)
    status = read_texts(&w, room, length);
  remote_close(w.file.remote);
  return status == 0 ? 1 : -1;
}
