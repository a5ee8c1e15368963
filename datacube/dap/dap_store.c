#include "datacube/dap/dap_store.h"

#include "datacube/base/checked.h"
#include "datacube/base/logger.h"
#include "datacube/dap/dap_address.h"
#include "datacube/dap/dap_attributes.h"
#include "datacube/dap/dap_chunk.h"
#include "datacube/source/zarr_place.h"
#include "datacube/source/zarr_walk.h"

#include <string.h>
#include <time.h>

enum { SETTLED_SECONDS = 600 /* dates that are no older may be those of answers */ };

struct dap_reading {
  struct arena *arena;
  const char *path;
  struct dap_dataset dataset;
  const struct zarr_json *attributes;
  const char *date;
  struct error *error;
};

/* ---- documents --------------------------------------------------------------------------------------------------- */

static const char *read_all(const struct dap_reading *r, struct remote_file *file, size_t *length)
{
  const struct zarr_file all = {.descriptor = -1, .size = remote_size(file), .remote = file};
  char *text = arena_alloc(r->arena, (size_t)all.size + 1);
  *length = (size_t)all.size;
  if (!text)
    error_memory(r->error);
  else if (zarr_file_read(&all, 0, *length, text, r->error))
    return text;
  else if (!error_is_set(r->error))
    error_set(r->error, ERROR_FileContentInvalid, "what describes it cannot be read");
  return NULL;
}

/* A document of the dataset, and its date or ETag. NULL with an error. */
static const char *read_document(const struct dap_reading *r, const char *end, size_t *length,
                                 char validator[REMOTE_VALIDATOR_SIZE])
{
  const char *path = dap_with_end(r->arena, r->path, end);
  struct remote_file *file;
  if (!path) {
    error_memory(r->error);
    return NULL;
  }
  if (remote_open_document(path, ZARR_DOCUMENT_MOST, &file, r->error) != 0)
    return NULL;
  memcpy(validator, remote_validator(file), REMOTE_VALIDATOR_SIZE);
  const char *text = read_all(r, file, length);
  remote_close(file);
  return text;
}

/* Whether it is a date that has been over for a while. */
static bool is_settled(const char *validator)
{
  struct tm date = {.tm_sec = 0};
  const char *end = strptime(validator, "%a, %d %b %Y %H:%M:%S GMT", &date);
  return end && *end == '\0' && timegm(&date) < time(NULL) - SETTLED_SECONDS;
}

static int read_documents(struct dap_reading *r)
{
  char first[REMOTE_VALIDATOR_SIZE], second[REMOTE_VALIDATOR_SIZE];
  const char *attributes_path = dap_with_end(r->arena, r->path, "das");
  size_t length;
  if (attributes_path)
    remote_prefetch_document(attributes_path, ZARR_DOCUMENT_MOST);
  const char *text = read_document(r, "dds", &length, first);
  if (!text || dap_dataset_read(r->arena, text, length, &r->dataset, r->error) != 0)
    return -1;
  text = read_document(r, "das", &length, second);
  if (!text || !(r->attributes = dap_attributes_read(r->arena, text, length, r->error)))
    return -1;
  if (strcmp(first, second) == 0 && is_settled(first) && !(r->date = arena_strdup(r->arena, first)))
    return error_memory(r->error);
  if (!r->date)
    log_message(LOG_INFO,
                "%.300s: its server does not tell when it was changed, so a change while it is read cannot "
                "be seen",
                remote_url(r->path));
  return 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static int hex_value(char c)
{
  return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Without escapes ("%20"). */
static char *decoded(struct arena *arena, const char *name)
{
  char *out = arena_strdup(arena, name), *to = out;
  for (const char *from = name; out && *from; to++) {
    const int high = *from == '%' ? hex_value(from[1]) : -1, low = high >= 0 ? hex_value(from[2]) : -1;
    *to = low >= 0 && high * 16 + low > 0 ? (char)(high * 16 + low) : *from;
    from += low >= 0 && high * 16 + low > 0 ? 3 : 1;
  }
  if (out)
    *to = '\0';
  return out;
}

/* As part of what is asked for: escapes that are there stay. */
static const char *escaped(struct arena *arena, const char *path)
{
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%";
  static const char digits[] = "0123456789ABCDEF";
  char *out = arena_alloc(arena, 3 * strlen(path) + 1), *to = out;
  for (const unsigned char *c = (const unsigned char *)path; out && *c; c++)
    if (strchr(plain, *c)) {
      *to++ = (char)*c;
    } else {
      *to++ = '%';
      *to++ = digits[*c >> 4];
      *to++ = digits[*c & 15];
    }
  if (out)
    *to = '\0';
  return out;
}

/* What stands behind the last slash: servers write groups before it. */
static const char *name_alone(const char *name)
{
  const char *slash = strrchr(name, '/');
  return slash && slash[1] ? slash + 1 : name;
}

static int set_names(const struct dap_reading *r, const struct dap_variable *v, struct zarr_array *out)
{
  char *name = decoded(r->arena, v->name);
  const char *alone = name ? name_alone(name) : NULL;
  if (!name)
    return error_memory(r->error);
  out->name = alone;
  const size_t before = alone > name ? (size_t)(alone - name) - 1 : 0; /* bytes of the group, without its last slash */
  out->group = before == 0 ? "/" : arena_printf(r->arena, "%s%.*s", *name == '/' ? "" : "/", (int)before, name);
  for (size_t d = 0; d < v->rank; d++) {
    const char *own = v->names[d] ? decoded(r->arena, v->names[d]) : NULL;
    if (v->names[d] && !own)
      return error_memory(r->error);
    out->names[d] = own ? name_alone(own) : NULL;
  }
  return out->group ? 0 : error_memory(r->error);
}

/* ---- arrays ------------------------------------------------------------------------------------------------------ */

/* From the last dimension on, as many elements as one answer has, or `most`. */
static void choose_chunks(const struct zarr_array *a, const size_t *run, size_t most, size_t *chunk)
{
  size_t room = DAP_REQUEST_BYTES / dap_sent_size(a->dap->type);
  room = room < most ? room : most;
  for (size_t d = a->rank; d-- > 0;) {
    chunk[d] = run[d] < room ? run[d] : room;
    chunk[d] = chunk[d] > 0 ? chunk[d] : 1;
    room = room / chunk[d] > 0 ? room / chunk[d] : 1;
  }
}

#define NUMBER(digits)                                                                                                 \
  {                                                                                                                    \
    .kind = ZARR_JSON_NUMBER, .text = #digits, .number = (digits)                                                      \
  }

static const struct element_of_dap {
  enum element_type type;
  struct zarr_json fill; /* what is missing where the variable does not tell: what netCDF fills in */
} elements[DAP_TYPE_COUNT] = {[DAP_BYTE] = {ELEMENT_U8, {.kind = ZARR_JSON_NULL}},
                              [DAP_INT16] = {ELEMENT_I16, NUMBER(-32767)},
                              [DAP_UINT16] = {ELEMENT_U16, NUMBER(65535)},
                              [DAP_INT32] = {ELEMENT_I32, NUMBER(-2147483647)},
                              [DAP_UINT32] = {ELEMENT_U32, NUMBER(4294967295)},
                              [DAP_FLOAT32] = {ELEMENT_F32, NUMBER(9.9692099683868690e+36)},
                              [DAP_FLOAT64] = {ELEMENT_F64, NUMBER(9.9692099683868690e+36)},
                              [DAP_TEXT] = {ELEMENT_U8, {.kind = ZARR_JSON_NULL}}};

static int fill_array(const struct dap_reading *r, const struct dap_variable *v, struct zarr_array *out)
{
  const struct element_of_dap *element = &elements[v->type];
  struct dap_array *dap = ARENA_NEW(r->arena, struct dap_array);
  if (!dap)
    return error_memory(r->error);
  *dap = (struct dap_array){.dataset = r->path, .path = escaped(r->arena, v->path), .type = v->type, .date = r->date};
  *out = (struct zarr_array){.folder = "",
                             .why_not = v->why_not,
                             .rank = v->rank,
                             .kind = v->type == DAP_TEXT ? ZARR_TEXTS : ZARR_NUMBER,
                             .type = element->type,
                             .element_size = v->type == DAP_TEXT ? 0 : element_info(element->type)->size,
                             .big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
                             .separator = ".",
                             .prefix = "",
                             .version = 2,
                             .fill = element->fill.kind == ZARR_JSON_NUMBER ? &element->fill : NULL,
                             .attributes = dap_attributes_of(r->attributes, v),
                             .dap = dap};
  memcpy(out->shape, v->shape, sizeof out->shape);
  for (size_t d = 0; d < v->rank; d++)
    out->axis[d] = d;
  choose_chunks(out, out->shape, SIZE_MAX, out->chunk);
  memcpy(out->file_chunk, out->chunk, sizeof out->chunk);
  return dap->path ? set_names(r, v, out) : error_memory(r->error);
}

static bool has_array(const struct zarr_store *store, const struct zarr_array *array)
{
  for (size_t i = 0; i < store->array_count; i++)
    if (strcmp(store->arrays[i].name, array->name) == 0 && strcmp(store->arrays[i].group, array->group) == 0)
      return true;
  return false;
}

/* Maps of grids, which come after all others, only where nothing else has their name. */
static int add_arrays(const struct dap_reading *r, bool maps, struct zarr_store *out)
{
  for (size_t i = 0; i < r->dataset.count; i++) {
    const struct dap_variable *v = &r->dataset.variables[i];
    struct zarr_array *array = &out->arrays[out->array_count];
    if ((v->grid != NULL) != maps)
      continue;
    if (fill_array(r, v, array) != 0)
      return -1;
    out->array_count += !maps || !has_array(out, array);
  }
  return 0;
}

static bool is_coordinate(const struct zarr_array *a)
{
  return a->rank == 1 && a->names[0] && strcmp(a->names[0], a->name) == 0 && !a->why_not && a->shape[0] > 0;
}

/* All that will be read of it for its description. */
static void ask_ahead(const struct zarr_store *store)
{
  const size_t first[CUBE_MAX_DIMENSIONS] = {0};
  for (size_t i = 0; i < store->array_count; i++)
    if (is_coordinate(&store->arrays[i]))
      dap_chunk_ahead(&store->arrays[i], first);
}

int dap_store_read(struct arena *arena, const char *path, struct zarr_store *out, struct error *error)
{
  struct dap_reading r = {.arena = arena, .path = path, .error = error};
  *out = (struct zarr_store){.path = path};
  if (read_documents(&r) != 0)
    return -1;
  if (r.dataset.count > ZARR_ARRAYS_MOST)
    return error_set(error, ERROR_FileContentInvalid, "it has more than %d variables", ZARR_ARRAYS_MOST);
  out->arrays = ARENA_ARRAY(arena, struct zarr_array, r.dataset.count + 1);
  out->attributes = dap_attributes_global(r.attributes);
  if (!out->arrays)
    return error_memory(error);
  if (add_arrays(&r, false, out) != 0 || add_arrays(&r, true, out) != 0)
    return -1;
  ask_ahead(out);
  return 0;
}

/* ---- windows ----------------------------------------------------------------------------------------------------- */

static void set_window(const struct zarr_array *array, const struct dap_window *window, size_t most,
                       struct dap_array *dap, struct zarr_array *out)
{
  *dap = *array->dap;
  *out = *array;
  out->dap = dap;
  for (size_t d = 0; d < array->rank; d++) {
    dap->origin[d] += window->start[d];
    out->shape[d] = window->count[d];
  }
  choose_chunks(out, window->run, most, out->chunk);
  memcpy(out->file_chunk, out->chunk, sizeof out->chunk);
}

void dap_window_of(const struct zarr_array *array, const struct dap_window *window, struct dap_array *dap,
                   struct zarr_array *out)
{
  size_t most = 1;
  for (size_t d = 0; d < array->rank; d++)
    most *= array->chunk[d];
  set_window(array, window, most, dap, out);
}

int dap_window(struct arena *arena, const struct zarr_array *array, const struct dap_window *window,
               const struct zarr_array **out, struct error *error)
{
  struct dap_array *dap = ARENA_NEW(arena, struct dap_array);
  struct zarr_array *part = ARENA_NEW(arena, struct zarr_array);
  if (!dap || !part)
    return error_memory(error);
  set_window(array, window, SIZE_MAX, dap, part);
  *out = part;
  return 0;
}
