/* CSV (RFC 4180): the cube in long form, one line for each position.
 *
 *   t,y,x,B4,B8                          the dimensions by name, then a column for each band
 *   2020-01-01T00:00:00Z,990,505,0.25,
 *
 * Lines come in the order of the dimensions. Without text labels of bands there is one column, "value". Missing values
 * are empty; booleans are true and false; numbers have the fewest digits that read back to the same. In place of a
 * dimension of geometries stands what is known of the features, csv_features.h; their properties that became values
 * are columns as bands are. */
#include "datacube/sink/csv_features.h"
#include "datacube/sink/formats.h"
#include "datacube/sink/output.h"
#include "datacube/sink/values.h"
#include "datacube/sink/whole.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ELEMENTS = 50 * 1000 * 1000 };

struct csv_sink {
  struct sink sink;
  struct cube cube;              /* its labels are borrowed */
  size_t bands;                  /* the dimension whose labels are columns; SIZE_MAX: there is one column */
  size_t geometry;               /* dimension of geometries, or SIZE_MAX */
  struct csv_features *features; /* NULL: there are none */
  struct output output;
  struct whole whole;
};

static int csv_check(const struct cube *cube, const struct sink_option *options, size_t count, struct error *error)
{
  (void)options;
  (void)count;
  if (element_info(cube->type)->is_complex)
    return error_set(error, ERROR_FormatUnsuitable, "CSV cannot hold complex values. Use netCDF or JSON.");
  return whole_check(cube, "CSV", MAX_ELEMENTS, error);
}

static void csv_prefer(const struct cube *cube, const struct sink_option *options, size_t count, size_t tile[])
{
  (void)options;
  (void)count;
  memset(tile, 0, cube->dimensions * sizeof *tile);
}

static void write_label(FILE *file, const struct dimension *dimension, size_t i)
{
  char room[LABEL_TEXT_ROOM];
  csv_text(file, dimension_label_text(dimension, i, room), false);
}

/* A cube of geometries alone whose values are all missing has none. */
static bool has_values(const struct csv_sink *sink)
{
  if (!sink->features || sink->cube.dimensions > 1)
    return true;
  for (size_t i = 0; i < sink->whole.elements; i++)
    if (!value_missing(&sink->cube, sink->whole.data, i))
      return true;
  return false;
}

static void write_names(const struct csv_sink *sink, FILE *file, bool values)
{
  const struct cube *cube = &sink->cube;
  const char *separator = "";
  for (size_t d = 0; d < cube->dimensions; d++) {
    if (d == sink->bands)
      continue;
    fputs(separator, file);
    if (d == sink->geometry)
      csv_features_names(sink->features, file);
    else
      csv_text(file, cube->dimension[d].name, false);
    separator = ",";
  }
  if (sink->bands == SIZE_MAX && values)
    fprintf(file, "%svalue", separator);
  for (size_t b = 0; sink->bands != SIZE_MAX && b < cube->dimension[sink->bands].size; b++) {
    fputs(separator, file);
    write_label(file, &cube->dimension[sink->bands], b);
    separator = ",";
  }
  fputs("\r\n", file);
}

static void write_line(const struct csv_sink *sink, FILE *file, const size_t *index, bool values)
{
  const struct cube *cube = &sink->cube;
  const char *separator = "";
  size_t at = 0, step = 0, columns = values ? 1 : 0;
  for (size_t d = 0; d < cube->dimensions; d++) {
    at = at * cube->dimension[d].size + index[d];
    step = d == sink->bands ? 1 : step * cube->dimension[d].size;
    if (d == sink->bands) {
      columns = cube->dimension[d].size;
      continue;
    }
    fputs(separator, file);
    if (d == sink->geometry)
      csv_features_line(sink->features, file, index[d]);
    else
      write_label(file, &cube->dimension[d], index[d]);
    separator = ",";
  }
  for (size_t c = 0; c < columns; c++) {
    fputs(separator, file);
    if (!value_missing(cube, sink->whole.data, at + c * step))
      value_print(file, cube->type, sink->whole.data, at + c * step);
    separator = ",";
  }
  fputs("\r\n", file);
}

static void write_lines(const struct csv_sink *sink, FILE *file)
{
  size_t index[CUBE_MAX_DIMENSIONS] = {0};
  bool values = has_values(sink);
  if (!values)
    csv_features_restore(sink->features, "value");
  write_names(sink, file, values);
  for (bool more = sink->whole.elements > 0; more;) {
    write_line(sink, file, index, values);
    more = false;
    for (size_t d = sink->cube.dimensions; d-- > 0 && !more;) {
      if (d == sink->bands)
        continue;
      more = ++index[d] < sink->cube.dimension[d].size;
      index[d] = more ? index[d] : 0;
    }
  }
}

/* The vtable. */

static int csv_put(struct sink *base, const struct box *box, const void *data, struct error *error)
{
  (void)error;
  whole_put(&((struct csv_sink *)base)->whole, box, data);
  return 0;
}

static int csv_finish(struct sink *base, struct error *error)
{
  struct csv_sink *sink = (struct csv_sink *)base;
  if (whole_complete(&sink->whole, error) != 0)
    return -1;
  FILE *file = fopen(sink->output.temporary, "we");
  if (file == NULL)
    return output_error(error, "cannot write the CSV result");
  write_lines(sink, file);
  const bool failed = fflush(file) != 0 || ferror(file);
  if (fclose(file) != 0 || failed)
    return output_error(error, "cannot write the CSV result");
  if (sink->features && csv_features_failed(sink->features))
    return error_memory(error);
  return output_commit(&sink->output, error);
}

static void csv_close(struct sink *base)
{
  struct csv_sink *sink = (struct csv_sink *)base;
  if (sink == NULL)
    return;
  whole_end(&sink->whole);
  csv_features_close(sink->features);
  output_discard(&sink->output);
  free(sink);
}

static const struct sink_ops csv_ops = {.put = csv_put, .finish = csv_finish, .close = csv_close};

/* Whether the ids are the labels, and so tell the features apart. */
static bool labels_are_ids(const struct dimension *geometries)
{
  for (size_t i = 0; i < geometries->size; i++) {
    const char *id = geometries->geometries->items[i].id;
    if (!id || strcmp(id, geometries->texts[i]) != 0)
      return false;
  }
  return geometries->size > 0;
}

/* Shapes are not told again and again where a feature has several lines and an id that stands for it. */
static int open_features(struct csv_sink *sink, struct error *error)
{
  const struct cube *cube = &sink->cube;
  sink->geometry = cube_find_geometries(cube);
  if (sink->geometry == SIZE_MAX)
    return 0;
  const char **taken =
      calloc(CUBE_MAX_DIMENSIONS + (sink->bands != SIZE_MAX ? cube->dimension[sink->bands].size : 1), sizeof *taken);
  struct csv_features_wish wish = {.set = cube->dimension[sink->geometry].geometries, .taken = taken};
  size_t lines = 1;
  if (!taken)
    return error_memory(error);
  for (size_t d = 0; d < cube->dimensions; d++) {
    if (d == sink->geometry || d == sink->bands)
      continue;
    taken[wish.taken_count++] = cube->dimension[d].name;
    lines = lines > 1 ? lines : cube->dimension[d].size;
  }
  for (size_t b = 0; sink->bands != SIZE_MAX && b < cube->dimension[sink->bands].size; b++)
    taken[wish.taken_count++] = cube->dimension[sink->bands].texts[b];
  if (sink->bands == SIZE_MAX)
    taken[wish.taken_count++] = "value";
  wish.shapes = lines <= 1 || !labels_are_ids(&cube->dimension[sink->geometry]);
  int status = csv_features_open(&wish, &sink->features, error);
  free(taken);
  return status;
}

/* The dimension whose labels are columns: bands or, of a vector cube without any, what else has texts as labels. */
static size_t find_bands(const struct cube *cube)
{
  size_t found = cube_find_type(cube, DIMENSION_BANDS);
  bool vector = cube_find_geometries(cube) != SIZE_MAX;
  for (size_t d = 0; found == SIZE_MAX && vector && d < cube->dimensions; d++)
    if (cube->dimension[d].type == DIMENSION_OTHER && cube->dimension[d].labels == LABEL_TEXT)
      found = d;
  return found != SIZE_MAX && cube->dimension[found].labels == LABEL_TEXT ? found : SIZE_MAX;
}

static int csv_open(const struct sink_request *request, const struct cube *cube, struct sink **out, struct error *error)
{
  *out = NULL;
  if (csv_check(cube, request->options, request->option_count, error) != 0)
    return -1;
  struct csv_sink *sink = calloc(1, sizeof *sink);
  if (sink == NULL)
    return error_memory(error);
  sink->sink = (struct sink){&csv_ops, "text/csv"};
  sink->cube = *cube;
  sink->bands = find_bands(cube);
  if (open_features(sink, error) != 0 || output_begin(&sink->output, request->path, error) != 0 ||
      whole_begin(&sink->whole, cube, request->path, error) != 0) {
    csv_close(&sink->sink);
    return -1;
  }
  *out = &sink->sink;
  return 0;
}

const struct sink_format sink_format_csv = {
    .name = "CSV",
    .title = "Comma-separated values",
    .description = "A table with a line for each position: the labels of the dimensions, then a column for each band. "
                   "Missing values are empty. Features are told by id, well-known text in longitude and latitude (left "
                   "out where a feature has an id and several lines) and properties, unless another column has the "
                   "property's name. Holds any cube of up to 50 million real values.",
    .extension = "csv",
    .media_type = "text/csv",
    .parameters = "{}",
    .text = true,
    .vector = true,
    .check = csv_check,
    .prefer = csv_prefer,
    .open = csv_open,
};
