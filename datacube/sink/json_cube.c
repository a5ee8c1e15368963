/* JSON: the whole cube as one object with its dimensions, labels and nested arrays of values.
 *
 *   {"type": "datacube", "dtype": "float32", "nodata": -9999, "crs": "EPSG:32632",
 *    "dimensions": [{"name": "t", "type": "temporal", "labels": [...]}, ...],
 *    "data": [[...], ...]}
 *
 * The arrays nest in the order of the dimensions; missing values and what JSON has no number for (NaN, infinities) are
 * null; booleans are true and false; complex numbers are pairs [re, im]. A cube without dimensions is the bare value.
 * float32 is written with the fewest digits that read back to the same float32. */
#include "datacube/base/buffer.h"
#include "datacube/sink/formats.h"
#include "datacube/sink/output.h"
#include "datacube/sink/values.h"
#include "datacube/sink/whole.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ELEMENTS = 50 * 1000 * 1000 };

struct json_sink {
  struct sink sink;
  struct cube cube; /* only type and no-data are looked at after open */
  struct output output;
  struct whole whole;
  struct buffer head; /* the text up to the data */
};

static int json_check(const struct cube *cube, const struct sink_option *options, size_t count, struct error *error)
{
  (void)options;
  (void)count;
  return whole_check(cube, "JSON", MAX_ELEMENTS, error);
}

static void json_prefer(const struct cube *cube, const struct sink_option *options, size_t count, size_t tile[])
{
  (void)options;
  (void)count;
  for (size_t d = 0; d < cube->dimensions; d++)
    tile[d] = 0;
}

/* The head. */

static void write_labels(struct json_writer *w, const struct dimension *dimension)
{
  char room[LABEL_TEXT_ROOM];
  json_key(w, "labels");
  json_write_array(w);
  for (size_t i = 0; i < dimension->size; i++) {
    if (dimension_label_is_number(dimension, i))
      json_write_number(w, dimension_label_number(dimension, i));
    else
      json_write_string(w, dimension_label_text(dimension, i, room));
  }
  json_end_array(w);
}

static void write_dimension(struct json_writer *w, const struct dimension *dimension)
{
  json_write_object(w);
  json_kv_string(w, "name", dimension->name);
  json_kv_string(w, "type", dimension_type_name(dimension->type));
  if (dimension->axis != 0) {
    char axis[2] = {dimension->axis, '\0'};
    json_kv_string(w, "axis", axis);
  }
  if (dimension->unit != NULL)
    json_kv_string(w, "unit", dimension->unit);
  if (dimension->reference_system != NULL)
    json_kv_string(w, "reference_system", dimension->reference_system);
  write_labels(w, dimension);
  json_end_object(w);
}

static void write_head(const struct cube *cube, const char *history, struct buffer *out)
{
  struct json_writer w = {.out = out};
  char number[32];
  json_write_object(&w);
  json_kv_string(&w, "type", "datacube");
  if (cube->title != NULL)
    json_kv_string(&w, "title", cube->title);
  if (history != NULL)
    json_kv_string(&w, "history", history);
  json_kv_string(&w, "dtype", element_info(cube->type)->name);
  if (cube->has_nodata && isfinite(cube->nodata)) {
    element_mark_format(cube->type, cube->nodata, number);
    json_key(&w, "nodata");
    json_write_raw(&w, number, strlen(number));
  }
  json_kv_string(&w, "crs", cube->crs);
  json_key(&w, "dimensions");
  json_write_array(&w);
  for (size_t d = 0; d < cube->dimensions; d++)
    write_dimension(&w, &cube->dimension[d]);
  json_end_array(&w);
  json_key(&w, "data");
}

/* The data. */

static void write_f32(FILE *file, float value)
{
  char text[32];
  float_format(value, text);
  fputs(isfinite(value) ? text : "null", file);
}

static void write_f64(FILE *file, double value)
{
  char text[32];
  number_format(value, text);
  fputs(isfinite(value) ? text : "null", file);
}

static void write_pair(FILE *file, enum element_type type, const void *data, size_t i)
{
  for (size_t part = 0; part < 2; part++) {
    fputc(part ? ',' : '[', file);
    if (type == ELEMENT_C64)
      write_f32(file, ((const float *)data)[2 * i + part]);
    else
      write_f64(file, ((const double *)data)[2 * i + part]);
  }
  fputc(']', file);
}

static void write_value(FILE *file, const struct json_sink *sink, size_t i)
{
  const char *data = sink->whole.data;
  const enum element_type type = sink->cube.type;
  if (value_missing(&sink->cube, data, i))
    fputs("null", file);
  else if (type == ELEMENT_C64 || type == ELEMENT_C128)
    write_pair(file, type, data, i);
  else if (element_info(type)->is_float && !isfinite(value_load(type, data, i)))
    fputs("null", file);
  else
    value_print(file, type, data, i);
}

/* The array along dimension d that starts at element `at`, which moves on. Depth is at most CUBE_MAX_DIMENSIONS. */
static void write_array(FILE *file, const struct json_sink *sink, size_t d, size_t *at)
{
  if (d == sink->whole.box.dimensions) {
    write_value(file, sink, (*at)++);
    return;
  }
  fputc('[', file);
  for (size_t i = 0; i < sink->whole.box.count[d]; i++) {
    if (i > 0)
      fputc(',', file);
    write_array(file, sink, d + 1, at);
  }
  fputc(']', file);
}

static int write_file(const struct json_sink *sink, FILE *file, struct error *error)
{
  size_t at = 0;
  fwrite(sink->head.data, 1, sink->head.length, file);
  write_array(file, sink, 0, &at);
  fputs("}\n", file);
  if (fflush(file) != 0 || ferror(file))
    return output_error(error, "cannot write the JSON result");
  return 0;
}

/* The vtable. */

static int json_put(struct sink *base, const struct box *box, const void *data, struct error *error)
{
  (void)error;
  whole_put(&((struct json_sink *)base)->whole, box, data);
  return 0;
}

static int json_finish(struct sink *base, struct error *error)
{
  struct json_sink *sink = (struct json_sink *)base;
  if (whole_complete(&sink->whole, error) != 0)
    return -1;
  FILE *file = fopen(sink->output.temporary, "we");
  if (file == NULL)
    return output_error(error, "cannot write the JSON result");
  int status = write_file(sink, file, error);
  if (fclose(file) != 0 && status == 0)
    status = output_error(error, "cannot write the JSON result");
  return status == 0 ? output_commit(&sink->output, error) : -1;
}

static void json_close(struct sink *base)
{
  struct json_sink *sink = (struct json_sink *)base;
  if (sink == NULL)
    return;
  buffer_free(&sink->head);
  whole_end(&sink->whole);
  output_discard(&sink->output);
  free(sink);
}

static const struct sink_ops json_ops = {.put = json_put, .finish = json_finish, .close = json_close};

static int json_open(const struct sink_request *request, const struct cube *cube, struct sink **out,
                     struct error *error)
{
  *out = NULL;
  if (json_check(cube, request->options, request->option_count, error) != 0)
    return -1;
  struct json_sink *sink = calloc(1, sizeof *sink);
  if (sink == NULL)
    return error_memory(error);
  sink->sink = (struct sink){&json_ops, "application/json"};
  sink->cube = *cube;
  write_head(cube, request->history, &sink->head);
  if (sink->head.failed)
    error_memory(error);
  if (sink->head.failed || output_begin(&sink->output, request->path, error) != 0 ||
      whole_begin(&sink->whole, cube, request->path, error) != 0) {
    json_close(&sink->sink);
    return -1;
  }
  *out = &sink->sink;
  return 0;
}

const struct sink_format sink_format_json = {
    .name = "JSON",
    .title = "JSON",
    .description = "One object with the cube's dimensions and labels, and its values as arrays nested in the order of "
                   "the dimensions; missing values are null. Holds any cube of up to 50 million values.",
    .extension = "json",
    .media_type = "application/json",
    .parameters = "{}",
    .text = true,
    .vector = true,
    .check = json_check,
    .prefer = json_prefer,
    .open = json_open,
};
