/* CoverageJSON (OGC 21-069r2): a grid's axes, its parameters, and for each the values as one flat array.
 *
 *   {"type": "Coverage",
 *    "domain": {"type": "Domain", "domainType": "Grid", "axes": {"t": …, "y": …, "x": …}, "referencing": […]},
 *    "parameters": {"B04": …},
 *    "ranges": {"B04": {"type": "NdArray", "axisNames": ["t", "y", "x"], "shape": […], "values": […]}}}
 *
 * Bands become parameters; a cube without bands has one, "value". Missing values are null. */
#include "datacube/base/buffer.h"
#include "datacube/grid.h"
#include "datacube/sink/formats.h"
#include "datacube/sink/output.h"
#include "datacube/sink/values.h"
#include "datacube/sink/whole.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ELEMENTS = 50 * 1000 * 1000 };

struct coverage_json {
  struct sink sink;
  struct cube cube; /* type, no-data and sizes are looked at after open */
  size_t bands;     /* dimension; SIZE_MAX: none */
  struct output output;
  struct whole whole;
  struct buffer head;  /* the text up to the ranges */
  struct buffer frame; /* of a range: from its type to "values" */
  struct buffer names; /* of the parameters, each as JSON with a NUL at its end */
};

static int coverage_check(const struct cube *cube, const struct sink_option *options, size_t count, struct error *error)
{
  (void)options;
  (void)count;
  if (cube_find_axis(cube, 'x') == SIZE_MAX || cube_find_axis(cube, 'y') == SIZE_MAX)
    return error_set(error, ERROR_FormatUnsuitable, "CovJSON holds cubes with the dimensions x and y");
  if (cube_find_type(cube, DIMENSION_GEOMETRY) != SIZE_MAX || element_info(cube->type)->is_complex)
    return error_set(error, ERROR_FormatUnsuitable, "CovJSON holds rasters of real numbers");
  return whole_check(cube, "CovJSON", MOST_ELEMENTS, error);
}

/* Whole: the file comes in the order of the bands. */
static void coverage_prefer(const struct cube *cube, const struct sink_option *options, size_t count, size_t tile[])
{
  (void)options;
  (void)count;
  for (size_t d = 0; d < cube->dimensions; d++)
    tile[d] = 0;
}

/* ---- the head ---------------------------------------------------------------------------------------------------- */

/* Names that the standard gives to axes, else the dimension's. */
static const char *axis_name(const struct dimension *dimension)
{
  switch (dimension->axis) {
  case 'x':
    return "x";
  case 'y':
    return "y";
  case 'z':
    return "z";
  default:
    return dimension->type == DIMENSION_TEMPORAL ? "t" : dimension->name;
  }
}

static void write_axis(struct json_writer *w, const struct dimension *dimension)
{
  char room[LABEL_TEXT_ROOM];
  json_key(w, axis_name(dimension));
  json_write_object(w);
  if (dimension->labels == LABEL_STEP && dimension->size > 1) {
    json_kv_number(w, "start", dimension_label_number(dimension, 0));
    json_kv_number(w, "stop", dimension_label_number(dimension, dimension->size - 1));
    json_kv_integer(w, "num", (int64_t)dimension->size);
  } else {
    json_key(w, "values");
    json_write_array(w);
    for (size_t i = 0; i < dimension->size; i++) {
      if (dimension_label_is_number(dimension, i))
        json_write_number(w, dimension_label_number(dimension, i));
      else
        json_write_string(w, dimension_label_text(dimension, i, room));
    }
    json_end_array(w);
  }
  json_end_object(w);
}

static void write_reference(struct json_writer *w, const char *const *axes, const char *type, const char *key,
                            const char *value)
{
  json_write_object(w);
  json_key(w, "coordinates");
  json_write_array(w);
  for (; *axes != NULL; axes++)
    json_write_string(w, *axes);
  json_end_array(w);
  json_key(w, "system");
  json_write_object(w);
  json_kv_string(w, "type", type);
  if (value != NULL)
    json_kv_string(w, key, value);
  json_end_object(w);
  json_end_object(w);
}

/* Of the dates: the standard's own name, or CF's. */
static const char *calendar_of(const struct cube *cube)
{
  const enum calendar calendar = cube->dimension[cube_find_type(cube, DIMENSION_TEMPORAL)].calendar;
  return calendar == CALENDAR_GREGORIAN ? "Gregorian" : calendar_name(calendar);
}

static void write_references(struct json_writer *w, const struct cube *cube)
{
  static const char *const plane[] = {"x", "y", NULL}, *const time[] = {"t", NULL};
  char id[128];
  const bool has_code = cube->crs != NULL && strncmp(cube->crs, "EPSG:", 5) == 0;
  snprintf(id, sizeof id, "http://www.opengis.net/def/crs/EPSG/0/%s", has_code ? cube->crs + 5 : "");
  json_key(w, "referencing");
  json_write_array(w);
  if (cube->crs != NULL)
    write_reference(w, plane, crs_is_geographic(cube->crs) ? "GeographicCRS" : "ProjectedCRS",
                    has_code ? "id" : "description", has_code ? id : cube->crs);
  if (cube_find_type(cube, DIMENSION_TEMPORAL) != SIZE_MAX)
    write_reference(w, time, "TemporalRS", "calendar", calendar_of(cube));
  json_end_array(w);
}

static void write_domain(struct json_writer *w, const struct cube *cube)
{
  bool is_grid = true;
  for (size_t d = 0; d < cube->dimensions; d++)
    is_grid = is_grid && cube->dimension[d].type != DIMENSION_OTHER;
  json_key(w, "domain");
  json_write_object(w);
  json_kv_string(w, "type", "Domain");
  if (is_grid)
    json_kv_string(w, "domainType", "Grid");
  json_key(w, "axes");
  json_write_object(w);
  for (size_t d = 0; d < cube->dimensions; d++)
    if (cube->dimension[d].type != DIMENSION_BANDS)
      write_axis(w, &cube->dimension[d]);
  json_end_object(w);
  write_references(w, cube);
  json_end_object(w);
}

static void write_parameter(struct json_writer *w, const char *name, const struct band_info *band)
{
  json_key(w, name);
  json_write_object(w);
  json_kv_string(w, "type", "Parameter");
  json_key(w, "observedProperty");
  json_write_object(w);
  json_key(w, "label");
  json_write_object(w);
  json_kv_string(w, "en", band != NULL && band->long_name != NULL ? band->long_name : name);
  json_end_object(w);
  json_end_object(w);
  if (band != NULL && band->unit != NULL) {
    json_key(w, "unit");
    json_write_object(w);
    json_kv_string(w, "symbol", band->unit);
    json_end_object(w);
  }
  json_end_object(w);
}

static size_t count_bands(const struct coverage_json *s)
{
  return s->bands == SIZE_MAX ? 1 : s->cube.dimension[s->bands].size;
}

static void write_head(struct coverage_json *s, const struct cube *cube)
{
  struct json_writer w = {.out = &s->head};
  char room[LABEL_TEXT_ROOM];
  json_write_object(&w);
  json_kv_string(&w, "type", "Coverage");
  write_domain(&w, cube);
  json_key(&w, "parameters");
  json_write_object(&w);
  for (size_t i = 0; i < count_bands(s); i++) {
    const char *name = s->bands == SIZE_MAX ? "value" : dimension_label_text(&cube->dimension[s->bands], i, room);
    struct json_writer own = {.out = &s->names};
    json_write_string(&own, name);
    buffer_add(&s->names, "", 1);
    write_parameter(&w, name, cube->bands != NULL ? &cube->bands[i] : NULL);
  }
  json_end_object(&w);
  json_key(&w, "ranges");
}

static void write_frame(struct coverage_json *s, const struct cube *cube)
{
  struct json_writer w = {.out = &s->frame};
  json_write_object(&w);
  json_kv_string(&w, "type", "NdArray");
  json_kv_string(&w, "dataType", element_info(cube->type)->is_float ? "float" : "integer");
  json_key(&w, "axisNames");
  json_write_array(&w);
  for (size_t d = 0; d < cube->dimensions; d++)
    if (d != s->bands)
      json_write_string(&w, axis_name(&cube->dimension[d]));
  json_end_array(&w);
  json_key(&w, "shape");
  json_write_array(&w);
  for (size_t d = 0; d < cube->dimensions; d++)
    if (d != s->bands)
      json_write_integer(&w, (int64_t)cube->dimension[d].size);
  json_end_array(&w);
  json_key(&w, "values");
}

/* ---- the values -------------------------------------------------------------------------------------------------- */

static void write_value(FILE *file, const struct coverage_json *s, size_t i)
{
  char text[32];
  const enum element_type type = s->cube.type;
  const double value = element_info(type)->is_float ? value_load(type, s->whole.data, i) : 0;
  if (value_missing(&s->cube, s->whole.data, i) || !isfinite(value))
    fputs("null", file);
  else if (type == ELEMENT_BOOLEAN)
    fputs(value_load(type, s->whole.data, i) != 0 ? "1" : "0", file);
  else if (type == ELEMENT_F32) {
    float_format((float)value, text);
    fputs(text, file);
  } else
    value_print(file, type, s->whole.data, i);
}

/* The values of one band: the others lie between its runs. */
static void write_range(FILE *file, const struct coverage_json *s, size_t band)
{
  size_t run = 1, runs = 1;
  for (size_t d = 0; d < s->cube.dimensions; d++) {
    if (s->bands != SIZE_MAX && d < s->bands)
      runs *= s->cube.dimension[d].size;
    else if (d != s->bands)
      run *= s->cube.dimension[d].size;
  }
  fwrite(s->frame.data, 1, s->frame.length, file);
  fputc('[', file);
  for (size_t r = 0; r < runs; r++)
    for (size_t i = 0; i < run; i++) {
      if (r + i > 0)
        fputc(',', file);
      write_value(file, s, (r * count_bands(s) + band) * run + i);
    }
  fputs("]}", file);
}

static int write_file(const struct coverage_json *s, FILE *file, struct error *error)
{
  const char *name = s->names.data;
  fwrite(s->head.data, 1, s->head.length, file);
  fputc('{', file);
  for (size_t band = 0; band < count_bands(s); band++, name += strlen(name) + 1) {
    fprintf(file, "%s%s:", band > 0 ? "," : "", name);
    write_range(file, s, band);
  }
  fputs("}}\n", file);
  return fflush(file) != 0 || ferror(file) ? output_error(error, "cannot write the coverage") : 0;
}

/* ---- the vtable -------------------------------------------------------------------------------------------------- */

static int coverage_put(struct sink *base, const struct box *box, const void *data, struct error *error)
{
  (void)error;
  whole_put(&((struct coverage_json *)base)->whole, box, data);
  return 0;
}

static int coverage_finish(struct sink *base, struct error *error)
{
  struct coverage_json *s = (struct coverage_json *)base;
  if (whole_complete(&s->whole, error) != 0)
    return -1;
  FILE *file = fopen(s->output.temporary, "we");
  if (file == NULL)
    return output_error(error, "cannot write the coverage");
  int status = write_file(s, file, error);
  if (fclose(file) != 0 && status == 0)
    status = output_error(error, "cannot write the coverage");
  return status == 0 ? output_commit(&s->output, error) : -1;
}

static void coverage_close(struct sink *base)
{
  struct coverage_json *s = (struct coverage_json *)base;
  if (s == NULL)
    return;
  buffer_free(&s->head);
  buffer_free(&s->frame);
  buffer_free(&s->names);
  whole_end(&s->whole);
  output_discard(&s->output);
  free(s);
}

static const struct sink_ops coverage_ops = {.put = coverage_put, .finish = coverage_finish, .close = coverage_close};

static int coverage_open(const struct sink_request *request, const struct cube *cube, struct sink **out,
                         struct error *error)
{
  *out = NULL;
  if (coverage_check(cube, request->options, request->option_count, error) != 0)
    return -1;
  struct coverage_json *s = calloc(1, sizeof *s);
  if (s == NULL)
    return error_memory(error);
  s->sink = (struct sink){&coverage_ops, "application/prs.coverage+json"};
  s->cube = *cube;
  s->bands = cube_find_type(cube, DIMENSION_BANDS);
  write_head(s, cube);
  write_frame(s, cube);
  if (s->head.failed || s->frame.failed || s->names.failed)
    error_memory(error);
  if (error_is_set(error) || output_begin(&s->output, request->path, error) != 0 ||
      whole_begin(&s->whole, cube, request->path, error) != 0) {
    coverage_close(&s->sink);
    return -1;
  }
  *out = &s->sink;
  return 0;
}

const struct sink_format sink_format_coverage_json = {
    .name = "CovJSON",
    .title = "CoverageJSON",
    .description = "A grid as the OGC's CoverageJSON: axes, a parameter a band, and its values as one array; missing "
                   "values are null. Holds rasters of up to 50 million values.",
    .extension = "covjson",
    .media_type = "application/prs.coverage+json",
    .parameters = "{}",
    .text = true,
    .check = coverage_check,
    .prefer = coverage_prefer,
    .open = coverage_open,
};
