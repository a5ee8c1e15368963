/* The writer of a result's metadata: a group of members each for place, time, dimensions and bands. */
#include "processes/result_metadata.h"

#include "datacube/geometry_operations.h"
#include "datacube/lonlat.h"
#include "datacube/sink/layout.h"
#include "datacube/sink/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  MAX_LABELS = 10000, /* of a dimension */
  MAX_BANDS = 1000    /* a file with more has no list of them: documents stay small */
};

static bool epsg_code(const char *crs, int64_t *code)
{
  char *end;
  if (!crs || strncmp(crs, "EPSG:", 5) != 0)
    return false;
  *code = strtoll(crs + 5, &end, 10);
  return *end == '\0';
}

static void write_numbers(struct json_writer *w, const double *numbers, size_t count)
{
  json_write_array(w);
  for (size_t i = 0; i < count; i++)
    json_write_number(w, numbers[i]);
  json_end_array(w);
}

/* ---- place ------------------------------------------------------------------------------------------------------ */

/* The geometries of a vector cube, or NULL. */
static const struct geometry_set *features_of(const struct cube *cube)
{
  for (size_t d = 0; d < cube->dimensions; d++)
    if (cube->dimension[d].labels == LABEL_GEOMETRY)
      return cube->dimension[d].geometries;
  return NULL;
}

static bool lonlat_bounds(const struct extent *here, struct extent *out)
{
  struct transform *transform = NULL;
  struct error ignored = {{0}, {0}, {0}, {0}};
  bool found = transform_new(here->crs, NULL, &transform, &ignored) == 0 && lonlat_image(transform, here, out);
  transform_free(transform);
  return found;
}

/* crs: of the file. */
static void write_place(struct json_writer *w, const struct cube *cube, const char *crs)
{
  struct extent here = {.crs = cube->crs}, lonlat;
  const struct geometry_set *features = features_of(cube);
  int64_t code;
  bool placed = features || (cube->crs && cube_bounds(cube, &here.west, &here.south, &here.east, &here.north));
  if (!placed)
    return;
  if (epsg_code(crs, &code))
    json_kv_string(w, "proj:code", crs);
  if (features ? !geometry_set_bounds(features, "EPSG:4326", &lonlat) : !lonlat_bounds(&here, &lonlat))
    return;
  double box[4];
  lonlat = lonlat_normal(&lonlat);
  lonlat_edges(&lonlat, box);
  json_key(w, "bbox");
  write_numbers(w, box, 4);
  lonlat_write_geometry(&lonlat, w);
}

/* Columns and rows of the file, and how they lie in its CRS: pictures have north above, the others the cube's order. */
static void write_grid(struct json_writer *w, const struct cube *cube, const struct sink_format *format)
{
  struct layout layout;
  struct error ignored = {{0}, {0}, {0}, {0}};
  if (!cube->crs || format->text || format->no_raster || layout_of_cube(cube, "", "", &layout, &ignored) != 0)
    return;
  const bool as_cube = format->bands == FILE_BANDS_LABELS;
  const double step_x = as_cube ? cube->dimension[layout.x].step : layout.res_x;
  const double step_y = as_cube ? cube->dimension[layout.y].step : -layout.res_y;
  const double shape[] = {(double)layout.height, (double)layout.width};
  const double transform[] = {step_x, 0, layout.west + (step_x < 0 ? layout.res_x * (double)layout.width : 0),
                              0, step_y, layout.north - (step_y > 0 ? layout.res_y * (double)layout.height : 0)};
  json_key(w, "proj:shape");
  write_numbers(w, shape, 2);
  json_key(w, "proj:transform");
  write_numbers(w, transform, 6);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static void write_time(struct json_writer *w, const char *key, const struct dimension *time, int64_t instant)
{
  char text[40];
  instant_format(instant, time->calendar, text);
  json_kv_string(w, key, text);
}

/* Dates of a model's calendar are no dates of the world: they are in cube:dimensions only. */
static void write_times(struct json_writer *w, const struct cube *cube)
{
  size_t t = cube_find_type(cube, DIMENSION_TEMPORAL);
  const struct dimension *time = t == SIZE_MAX ? NULL : &cube->dimension[t];
  if (!time || time->labels != LABEL_TIME || time->size == 0 || time->calendar != CALENDAR_GREGORIAN)
    return;
  int64_t first = time->times[0], last = first;
  for (size_t i = 1; i < time->size; i++) {
    first = time->times[i] < first ? time->times[i] : first;
    last = time->times[i] > last ? time->times[i] : last;
  }
  if (first == last) {
    write_time(w, "datetime", time, first);
    return;
  }
  write_time(w, "start_datetime", time, first);
  write_time(w, "end_datetime", time, last);
}

/* ---- dimensions ------------------------------------------------------------------------------------------------- */

static void write_steps(struct json_writer *w, const struct dimension *d)
{
  double first = dimension_label_number(d, 0), last = dimension_label_number(d, d->size - 1);
  const double extent[] = {fmin(first, last), fmax(first, last)};
  json_key(w, "extent");
  write_numbers(w, extent, 2);
  json_kv_number(w, "step", d->step);
}

static void write_time_extent(struct json_writer *w, const struct dimension *d)
{
  char text[40];
  json_key(w, "extent");
  json_write_array(w);
  for (size_t i = 0; i < 2; i++) {
    instant_format(d->times[i ? d->size - 1 : 0], d->calendar, text);
    json_write_string(w, text);
  }
  json_end_array(w);
}

/* Their texts may be as long as the file: the bounds stand for them. */
static void write_geometries(struct json_writer *w, const struct dimension *d)
{
  struct extent bounds = {0};
  int64_t code;
  if (geometry_set_bounds(d->geometries, d->geometries->crs, &bounds)) {
    const double box[] = {bounds.west, bounds.south, bounds.east, bounds.north};
    json_key(w, "bbox");
    write_numbers(w, box, 4);
  }
  if (epsg_code(d->geometries->crs, &code))
    json_kv_integer(w, "reference_system", code);
}

static void write_labels(struct json_writer *w, const struct dimension *d)
{
  char room[LABEL_TEXT_ROOM];
  if (d->labels == LABEL_STEP && d->size > 0) {
    write_steps(w, d);
    return;
  }
  if (d->type == DIMENSION_TEMPORAL && d->size > 0 && d->labels == LABEL_TIME)
    write_time_extent(w, d);
  json_key(w, "values");
  json_write_array(w);
  for (size_t i = 0; i < d->size && i < MAX_LABELS; i++)
    if (d->labels == LABEL_NUMBER)
      json_write_number(w, d->numbers[i]);
    else
      json_write_string(w, dimension_label_text(d, i, room));
  json_end_array(w);
}

static void write_dimension(struct json_writer *w, const struct cube *cube, const struct dimension *d)
{
  const char axis[2] = {d->axis, '\0'};
  int64_t code;
  json_key(w, d->name);
  json_write_object(w);
  json_kv_string(w, "type", dimension_type_name(d->type));
  if (d->axis)
    json_kv_string(w, "axis", axis);
  if (d->labels == LABEL_GEOMETRY)
    write_geometries(w, d);
  else
    write_labels(w, d);
  if (d->type == DIMENSION_SPATIAL && d->axis != 'z' && epsg_code(cube->crs, &code))
    json_kv_integer(w, "reference_system", code);
  if (d->unit)
    json_kv_string(w, "unit", d->unit);
  json_end_object(w);
}

/* ---- bands ------------------------------------------------------------------------------------------------------ */

static const char *stac_type(enum element_type type)
{
  switch (type) {
  case ELEMENT_C64:
    return "cfloat32";
  case ELEMENT_C128:
    return "cfloat64";
  case ELEMENT_BOOLEAN:
    return "other";
  default:
    return element_info(type)->name;
  }
}

static void write_mark(struct json_writer *w, const struct cube *cube)
{
  char number[32];
  element_mark_format(cube->type, cube->nodata, number);
  json_key(w, "nodata");
  if (isfinite(cube->nodata))
    json_write_raw(w, number, strlen(number));
  else
    json_write_number(w, cube->nodata);
}

static void write_type(struct json_writer *w, const struct cube *cube)
{
  json_kv_string(w, "data_type", stac_type(cube->type));
  if (!cube->has_nodata)
    return;
  if (isnan(cube->nodata))
    json_kv_string(w, "nodata", "nan"); /* as STAC writes it */
  else
    write_mark(w, cube);
}

struct file { /* whose bands are written */
  const struct cube *cube;
  const struct sink *sink;
};

static void write_band(struct json_writer *w, const struct file *file, size_t band, const char *name)
{
  struct statistics statistics;
  json_write_object(w);
  if (name && name[0])
    json_kv_string(w, "name", name);
  write_type(w, file->cube);
  if (file->sink->ops->statistics && file->sink->ops->statistics(file->sink, band, &statistics)) {
    json_key(w, "statistics");
    statistics_write(&statistics, w);
  }
  json_end_object(w);
}

/* Each combination of labels beside x and y is a band of the file. */
static void write_planes(struct json_writer *w, const struct file *file)
{
  const struct cube *cube = file->cube;
  struct error ignored = {{0}, {0}, {0}, {0}};
  struct layout layout;
  if (layout_of_cube(cube, "", "", &layout, &ignored) != 0 || layout.planes > MAX_BANDS)
    return;
  json_key(w, "bands");
  json_write_array(w);
  for (size_t i = 0; i < layout.planes; i++) {
    struct buffer name = {0};
    layout_plane_name(&layout, cube, i, &name);
    write_band(w, file, i, name.failed ? NULL : name.data);
    buffer_free(&name);
  }
  json_end_array(w);
}

/* Each label of the bands is one of the file; a cube without them is one band without a name. */
static void write_bands(struct json_writer *w, const struct file *file)
{
  const struct cube *cube = file->cube;
  size_t b = cube_find_type(cube, DIMENSION_BANDS), count = b == SIZE_MAX ? 1 : cube->dimension[b].size;
  char room[LABEL_TEXT_ROOM];
  if (count > MAX_BANDS)
    return;
  json_key(w, "bands");
  json_write_array(w);
  for (size_t i = 0; i < count; i++)
    write_band(w, file, i, b == SIZE_MAX ? NULL : dimension_label_text(&cube->dimension[b], i, room));
  json_end_array(w);
}

void result_metadata_write(const struct cube *cube, const struct sink_format *format, const struct sink *sink,
                           struct buffer *out)
{
  const struct file file = {cube, sink};
  struct json_writer w = {.out = out};
  json_write_object(&w);
  write_place(&w, cube, format == sink_format_find("GeoJSON") ? "EPSG:4326" : cube->crs);
  write_grid(&w, cube, format);
  write_times(&w, cube);
  json_key(&w, "cube:dimensions");
  json_write_object(&w);
  for (size_t i = 0; i < cube->dimensions; i++)
    write_dimension(&w, cube, &cube->dimension[i]);
  json_end_object(&w);
  if (format->bands != FILE_BANDS_COLOURS)
    write_type(&w, cube);
  if (format->bands == FILE_BANDS_PLANES)
    write_planes(&w, &file);
  else if (format->bands == FILE_BANDS_LABELS)
    write_bands(&w, &file);
  json_end_object(&w);
}
