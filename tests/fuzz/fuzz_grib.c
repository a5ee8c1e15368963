/* Fuzzing GRIB files: whatever the bytes, they are arrays or are refused with a reason, and each chunk of an array is
 * a message of the file whose values are read or refused. */
#include "datacube/base/checked.h"
#include "datacube/grib/grib_references.h"
#include "datacube/grib/grib_sections.h"
#include "datacube/grib/grib_values.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES_MOST = 1 << 16, CHUNKS_MOST = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
  if (!condition)
    abort();
}

/* As the reader of chunks does it. */
static void decode(const struct zarr_file *file, const struct referenced_array *array,
                   const struct referenced_chunk *chunk)
{
  const size_t rows = array->shape[array->rank - 2], columns = array->shape[array->rank - 1];
  must(chunk->at <= file->size && chunk->length <= file->size - chunk->at);
  if (rows * columns > VALUES_MOST)
    return;
  struct grib_decoding request = {.length = (size_t)chunk->length,
                                  .part = chunk->part,
                                  .count = rows * columns,
                                  .line = array->is_by_column ? rows : columns,
                                  .alternates = strstr(array->filters, "alternates") != NULL,
                                  .is_wide = array->element_size == 8};
  unsigned char *message = malloc(request.length); /* nothing is behind it */
  double *room = malloc(request.count * sizeof *room);
  void *values = malloc(request.count * array->element_size);
  must(message && room && values);
  memcpy(message, file->bytes + chunk->at, request.length);
  request.message = message;
  grib_decode(&request, room, values);
  free(message);
  free(room);
  free(values);
}

static void check_arrays(const struct zarr_file *file, const struct referenced_file *arrays)
{
  size_t left = CHUNKS_MOST;
  for (const struct referenced_array *a = arrays->first; a; a = a->next) {
    uint64_t places = 1;
    for (size_t d = 0; d < a->rank; d++) {
      must(a->chunk[d] > 0 && a->chunk[d] <= a->shape[d] && a->names[d]);
      places = saturated_mul(places, a->shape[d] / a->chunk[d]);
    }
    for (size_t i = 0; i < a->chunk_count; i++) {
      must(a->chunks[i].number < places && (i == 0 || a->chunks[i - 1].number < a->chunks[i].number));
      if (a->chunks[i].target && left > 0 && left-- > 0)
        decode(file, a, &a->chunks[i]);
    }
  }
}

static int take_message(void *data, struct grib_window *window, const struct grib_field *field, struct error *error)
{
  (void)data;
  for (int without_data = 0; without_data < 2; without_data++) {
    struct buffer message = {0};
    if (grib_field_message(window, field, without_data, &message, error) == 0)
      must(message.length >= 8 && memcmp(message.data, "GRIB", 4) == 0 &&
           memcmp(message.data + message.length - 4, "7777", 4) == 0);
    else
      must(error_is_set(error));
    buffer_free(&message);
  }
  return error_is_set(error) ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct arena *arena = arena_new(64 << 20);
  unsigned char *bytes = malloc(size + 1);
  must(arena && bytes);
  bytes = realloc(bytes, size ? size : 1);
  memcpy(bytes, data, size);
  const struct zarr_file file = {.descriptor = -1, .bytes = bytes, .size = size};
  struct referenced_file arrays;
  struct error first = {0}, second = {0};
  referenced_file_init(arena, &arrays);
  must((grib_scan(&file, take_message, NULL, &first) == 0) != error_is_set(&first));
  if (grib_references(&file, "a.grib", &arrays, &second) == 0)
    check_arrays(&file, &arrays);
  else
    must(error_is_set(&second));
  free(bytes);
  arena_free(arena);
  return 0;
}
