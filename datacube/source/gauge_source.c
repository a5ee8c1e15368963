/* Gauge fields from files, box by box. See gauge_source.h. */
#include "datacube/source/gauge_source.h"

#include "datacube/source/gauge_file.h"
#include "datacube/source/identity.h"

#include <stdlib.h>
#include <string.h>

static const char *const axis_names[GAUGE_FILE_AXES] = {"x0", "x1", "x2", "x3"};

struct gauge_files { /* state */
  const char *const *paths;
  const struct gauge_file *headers;
  size_t count;
};

struct source_reader {
  const struct source *source;
  void *elements; /* of one configuration; NULL before the first read */
  size_t held;    /* its number; SIZE_MAX: none */
};

static int gauge_open(const struct source *source, unsigned threads, struct source_reader **out, struct error *error)
{
  struct source_reader *reader = malloc(sizeof *reader);
  (void)threads;
  if (!reader)
    return error_memory(error);
  *reader = (struct source_reader){.source = source, .held = SIZE_MAX};
  *out = reader;
  return 0;
}

static void gauge_close(struct source_reader *reader)
{
  free(reader->elements);
  free(reader);
}

static bool is_wide(const struct source *source)
{
  return source->cube.type == ELEMENT_C128;
}

/* Reads configuration i, unless it is there. */
static int hold(struct source_reader *reader, size_t i, struct error *error)
{
  const struct gauge_files *files = reader->source->state;
  bool wide = is_wide(reader->source);
  if (reader->held == i)
    return 0;
  reader->held = SIZE_MAX;
  if (!reader->elements && !(reader->elements = malloc(gauge_file_bytes(&files->headers[i], wide))))
    return error_memory(error);
  if (gauge_file_read(files->paths[i], &files->headers[i], wide, reader->elements, error) != 0)
    return -1;
  reader->held = i;
  return 0;
}

/* The box's part of a configuration, dimensions 1 …; returns what lies behind it in `to`. */
static unsigned char *copy_part(const struct source *source, const struct box *box, const unsigned char *from,
                                unsigned char *to)
{
  const struct cube *cube = &source->cube;
  size_t size = element_info(cube->type)->size, last = cube->dimensions - 1, at[CUBE_MAX_DIMENSIONS] = {0};
  for (;;) {
    size_t place = 0, d = last;
    for (size_t k = 1; k < cube->dimensions; k++)
      place = place * cube->dimension[k].size + box->start[k] + at[k];
    memcpy(to, from + place * size, box->count[last] * size);
    to += box->count[last] * size;
    while (d > 1 && ++at[d - 1] == box->count[d - 1])
      at[--d] = 0;
    if (d == 1)
      return to;
  }
}

static int gauge_read(struct source_reader *reader, const struct box *box, void *data, struct error *error)
{
  unsigned char *to = data;
  if (box_elements(box) == 0)
    return 0;
  for (size_t i = 0; i < box->count[0]; i++) {
    if (hold(reader, box->start[0] + i, error) != 0)
      return -1;
    to = copy_part(reader->source, box, reader->elements, to);
  }
  return 0;
}

static void gauge_identity(const struct source *source, struct buffer *out)
{
  const struct gauge_files *files = source->state;
  identity_text(out, "gauge files");
  for (size_t i = 0; i < files->count; i++)
    identity_file(out, files->paths[i]);
}

static const struct source_ops gauge_ops = {
    .name = "gauge files", .open = gauge_open, .read = gauge_read, .close = gauge_close, .identity = gauge_identity};

/* ---- making ------------------------------------------------------------------------------------------------------ */

static int inspect_files(const struct gauge_files *files, struct gauge_file *headers, bool *wide, struct error *error)
{
  *wide = false;
  for (size_t i = 0; i < files->count; i++) {
    if (gauge_file_inspect(files->paths[i], &headers[i], error) != 0)
      return -1;
    *wide = *wide || headers[i].is_double;
    if (memcmp(headers[i].extent, headers[0].extent, sizeof headers[0].extent) != 0)
      return error_set(error, ERROR_FileContentInvalid, "%s and %s are of lattices of different shapes",
                       files->paths[0], files->paths[i]);
  }
  return 0;
}

static void describe_cube(const struct gauge_files *files, bool wide, struct source *source)
{
  struct cube *cube = &source->cube;
  cube->type = wide ? ELEMENT_C128 : ELEMENT_C64;
  cube->dimensions = 4 + GAUGE_FILE_AXES;
  cube->dimension[0] = dimension_enumerated("configuration", DIMENSION_OTHER, files->count);
  for (size_t k = 0; k < GAUGE_FILE_AXES; k++)
    cube->dimension[1 + k] = dimension_enumerated(axis_names[k], DIMENSION_OTHER, files->headers[0].extent[k]);
  cube->dimension[5] = dimension_texts("direction", DIMENSION_OTHER, axis_names, GAUGE_FILE_AXES);
  cube->dimension[6] = dimension_enumerated("row", DIMENSION_OTHER, GAUGE_FILE_COLOURS);
  cube->dimension[7] = dimension_enumerated("column", DIMENSION_OTHER, GAUGE_FILE_COLOURS);
  source->block[0] = 1; /* a configuration is read as a whole */
  for (size_t d = 1; d < cube->dimensions; d++)
    source->block[d] = cube->dimension[d].size;
}

int gauge_source(struct arena *arena, const char *const *paths, size_t count, const struct source **out,
                 struct error *error)
{
  struct source *source = ARENA_NEW(arena, struct source);
  struct gauge_files *files = ARENA_NEW(arena, struct gauge_files);
  struct gauge_file *headers = ARENA_ARRAY(arena, struct gauge_file, count);
  const char *const *copies = arena_copy(arena, paths, count * sizeof *paths);
  bool wide;
  if (!source || !files || !headers || !copies)
    return error_memory(error);
  *files = (struct gauge_files){copies, headers, count};
  if (inspect_files(files, headers, &wide, error) != 0)
    return -1;
  describe_cube(files, wide, source);
  source->ops = &gauge_ops;
  source->state = files;
  /* the configuration, as doubles while it is verified, and of HDF5 a part of an axis while it is read */
  source->reader_bytes = gauge_file_bytes(&headers[0], wide) + (wide ? 0 : gauge_file_bytes(&headers[0], true));
  for (size_t i = 0; i < count && source->reader_bytes < SIZE_MAX / 2; i++)
    if (headers[i].dataset[0]) {
      source->reader_bytes += gauge_file_bytes(&headers[i], true);
      break;
    }
  source->origin = arena_printf(arena, "%zu %s file%s", count, headers[0].format, count == 1 ? "" : "s");
  source->cube.title = arena_printf(arena, "%s gauge field", headers[0].format);
  *out = source;
  return source->origin && source->cube.title ? 0 : error_memory(error);
}
