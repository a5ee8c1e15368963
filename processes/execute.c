/* Execute: parse, bind, lower, plan, run, encode. */
#include "processes/execute.h"

#include "datacube/base/checked.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

/* The graph's own memory: no more than the plan's. */
static size_t arena_limit(const struct execution *e)
{
  return e->memory ? e->memory : (size_t)2 << 30;
}

static int lower_text(struct arena *arena, const struct execution *e, struct outcome *out, struct error *error)
{
  const struct graph *graph;
  const struct bound *bound;
  const struct graph_options options = {.parameters = e->parameters, .parameter_count = e->parameter_count,
                                        .catalogue = e->catalogue, .cancel = e->cancel, .official_encoding = true};
  if (graph_parse(arena, e->graph, e->graph_length, options.official_encoding, &graph, error) != 0 ||
      graph_bind(arena, graph, &options, &bound, error) != 0)
    return -1;
  return graph_lower(arena, bound, &options, out, error);
}

/* ---- where the result goes -------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
  size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

/* Format of a cube that the graph does not save: by the output's name, else JSON. */
static const struct sink_format *format_of(const struct outcome *outcome, const char *output)
{
  static const struct {
    const char *extension, *format;
  } known[] = {{".tif", "GTiff"}, {".tiff", "GTiff"}, {".nc", "netCDF"}, {".png", "PNG"}};
  if (outcome->format)
    return sink_format_find(outcome->format);
  for (size_t i = 0; output && i < sizeof known / sizeof *known; i++)
    if (ends_with(output, known[i].extension))
      return sink_format_find(known[i].format);
  return sink_format_find("JSON");
}

static int place(const struct execution *e, const struct sink_format *format, char *path, size_t room, struct error *error)
{
  int n = ends_with(e->output, "/") ? snprintf(path, room, "%sresult.%s", e->output, format->extension) : snprintf(path, room, "%s", e->output);
  if (n < 0 || (size_t)n >= room)
    return error_set(error, "StorageFailure", "the output path is too long");
  return 0;
}

/* ---- metadata of the result ------------------------------------------------------------------------------------- */

static void write_labels(struct json_writer *w, const struct dimension *d)
{
  char room[LABEL_TEXT_ROOM];
  if (d->labels == LABEL_STEP && d->size > 0) {
    double first = dimension_label_number(d, 0), last = dimension_label_number(d, d->size - 1);
    json_key(w, "extent");
    json_write_array(w);
    json_write_number(w, fmin(first, last));
    json_write_number(w, fmax(first, last));
    json_end_array(w);
    json_kv_number(w, "step", d->step);
    return;
  }
  if (d->type == DIMENSION_TEMPORAL && d->size > 0 && d->labels == LABEL_TIME) {
    char text[40];
    json_key(w, "extent");
    json_write_array(w);
    for (size_t i = 0; i < 2; i++) {
      instant_format(d->times[i ? d->size - 1 : 0], d->calendar, text);
      json_write_string(w, text);
    }
    json_end_array(w);
  }
  json_key(w, "values");
  json_write_array(w);
  for (size_t i = 0; i < d->size && i < 10000; i++)
    if (d->labels == LABEL_NUMBER)
      json_write_number(w, d->numbers[i]);
    else
      json_write_string(w, dimension_label_text(d, i, room));
  json_end_array(w);
}

static bool epsg_code(const char *crs, int64_t *code)
{
  char *end;
  if (!crs || strncmp(crs, "EPSG:", 5) != 0)
    return false;
  *code = strtoll(crs + 5, &end, 10);
  return *end == '\0';
}

static void write_dimensions(struct json_writer *w, const struct cube *cube)
{
  int64_t code;
  json_key(w, "cube:dimensions");
  json_write_object(w);
  for (size_t i = 0; i < cube->dimensions; i++) {
    const struct dimension *d = &cube->dimension[i];
    char axis[2] = {d->axis, '\0'};
    json_key(w, d->name);
    json_write_object(w);
    json_kv_string(w, "type", dimension_type_name(d->type));
    if (d->axis)
      json_kv_string(w, "axis", axis);
    write_labels(w, d);
    if (d->type == DIMENSION_SPATIAL && d->axis != 'z' && epsg_code(cube->crs, &code))
      json_kv_integer(w, "reference_system", code);
    if (d->unit)
      json_kv_string(w, "unit", d->unit);
    json_end_object(w);
  }
  json_end_object(w);
}

static void write_polygon(struct json_writer *w, const struct extent *e)
{
  const double ring[5][2] = {{e->west, e->south}, {e->east, e->south}, {e->east, e->north}, {e->west, e->north}, {e->west, e->south}};
  json_key(w, "geometry");
  json_write_object(w);
  json_kv_string(w, "type", "Polygon");
  json_key(w, "coordinates");
  json_write_array(w);
  json_write_array(w);
  for (size_t i = 0; i < 5; i++) {
    json_write_array(w);
    json_write_number(w, ring[i][0]);
    json_write_number(w, ring[i][1]);
    json_end_array(w);
  }
  json_end_array(w);
  json_end_array(w);
  json_end_object(w);
}

static void write_place(struct json_writer *w, const struct cube *cube)
{
  struct extent here = {.crs = cube->crs}, lonlat;
  struct error ignored = {{0}, {0}, {0}, {0}};
  int64_t code;
  if (!cube->crs || !cube_bounds(cube, &here.west, &here.south, &here.east, &here.north))
    return;
  if (epsg_code(cube->crs, &code))
    json_kv_integer(w, "proj:epsg", code);
  if (extent_transform(&here, "EPSG:4326", &lonlat, &ignored) != 0)
    return;
  const double box[] = {lonlat.west, lonlat.south, lonlat.east, lonlat.north};
  json_key(w, "bbox");
  json_write_array(w);
  for (size_t i = 0; i < 4; i++)
    json_write_number(w, box[i]);
  json_end_array(w);
  write_polygon(w, &lonlat);
}

static void write_times(struct json_writer *w, const struct cube *cube)
{
  size_t t = cube_find_type(cube, DIMENSION_TEMPORAL);
  char text[40];
  if (t == SIZE_MAX || cube->dimension[t].labels != LABEL_TIME || cube->dimension[t].size == 0)
    return;
  const struct dimension *time = &cube->dimension[t];
  instant_format(time->times[0], time->calendar, text);
  json_kv_string(w, time->size == 1 ? "datetime" : "start_datetime", text);
  instant_format(time->times[time->size - 1], time->calendar, text);
  if (time->size > 1)
    json_kv_string(w, "end_datetime", text);
}

static void write_bands(struct json_writer *w, const struct cube *cube)
{
  size_t b = cube_find_type(cube, DIMENSION_BANDS);
  char room[LABEL_TEXT_ROOM];
  json_key(w, "bands");
  json_write_array(w);
  for (size_t i = 0; b != SIZE_MAX && i < cube->dimension[b].size; i++) {
    json_write_object(w);
    json_kv_string(w, "name", dimension_label_text(&cube->dimension[b], i, room));
    json_end_object(w);
  }
  json_end_array(w);
}

static void write_metadata(const struct cube *cube, struct buffer *out)
{
  struct json_writer w = {.out = out, .nonfinite_as_null = true};
  json_write_object(&w);
  write_place(&w, cube);
  write_times(&w, cube);
  write_dimensions(&w, cube);
  write_bands(&w, cube);
  json_kv_string(&w, "data_type", element_info(cube->type)->name);
  if (cube->has_nodata && !isnan(cube->nodata))
    json_kv_number(&w, "nodata", cube->nodata);
  json_end_object(&w);
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static int make_plan(struct arena *arena, const struct execution *e, const struct outcome *outcome, const struct sink_format *format,
                     const struct plan **out, struct error *error)
{
  struct plan_options options = {.memory = e->memory, .threads = e->threads};
  if (format->prefer)
    format->prefer(outcome->cube->cube, outcome->options, outcome->option_count, options.prefer);
  return plan_make(arena, outcome->cube, &options, out, error);
}

static int run_cube(struct arena *arena, const struct execution *e, const struct outcome *outcome, struct execution_result *out,
                    struct error *error)
{
  const struct sink_format *format = format_of(outcome, e->output);
  const struct plan *plan;
  struct sink *sink;
  if (!e->output)
    return error_set(error, "StorageFailure", "the result is a data cube: name a file for it");
  if (!outcome->format && format->check(outcome->cube->cube, NULL, 0, error) != 0)
    return -1;
  if (make_plan(arena, e, outcome, format, &plan, error) != 0 || place(e, format, out->path, sizeof out->path, error) != 0)
    return -1;
  struct sink_request request = {.format = outcome->format ? outcome->format : format->name, .options = outcome->options,
                                 .option_count = outcome->option_count, .path = out->path, .history = e->history, .threads = plan_threads(plan)};
  struct run_limits limits = {.cancel = e->cancel};
  if (format->open(&request, plan_cube(plan), &sink, error) != 0)
    return -1;
  snprintf(out->media_type, sizeof out->media_type, "%s", sink->media_type ? sink->media_type : format->media_type);
  int status = plan_run(plan, sink, &limits, e->progress, error);
  if (status == 0)
    status = sink->ops->finish(sink, error);
  sink->ops->close(sink);
  if (status == 0)
    write_metadata(plan_cube(plan), &out->metadata);
  return status;
}

int execute(const struct execution *e, struct execution_result *out, struct error *error)
{
  struct arena *arena = arena_new(arena_limit(e));
  struct outcome outcome;
  *out = (struct execution_result){0};
  int status = arena ? lower_text(arena, e, &outcome, error) : error_memory(error);
  if (status == 0 && outcome.is_cube)
    status = run_cube(arena, e, &outcome, out, error);
  else if (status == 0) {
    struct json_writer writer = {.out = &out->json};
    out->is_value = true;
    value_write(&outcome.value, &writer);
    if (out->json.failed)
      status = error_memory(error);
  }
  arena_free(arena);
  return status;
}

int execute_explain(const struct execution *e, struct buffer *out, struct error *error)
{
  struct arena *arena = arena_new(arena_limit(e));
  struct outcome outcome;
  const struct plan *plan;
  int status = arena ? lower_text(arena, e, &outcome, error) : error_memory(error);
  if (status == 0 && !outcome.is_cube) {
    struct json_writer writer = {.out = out};
    buffer_text(out, "value known without running: ");
    value_write(&outcome.value, &writer);
    buffer_text(out, "\n");
  } else if (status == 0) {
    status = make_plan(arena, e, &outcome, format_of(&outcome, e->output), &plan, error);
    if (status == 0)
      plan_print(plan, out);
  }
  arena_free(arena);
  return status;
}

int execute_estimate(const struct execution *e, struct execution_estimate *out, struct error *error)
{
  struct arena *arena = arena_new(arena_limit(e));
  struct outcome outcome;
  const struct plan *plan;
  *out = (struct execution_estimate){0};
  int status = arena ? lower_text(arena, e, &outcome, error) : error_memory(error);
  if (status == 0) {
    out->is_value = !outcome.is_cube;
    if (outcome.is_cube)
      status = make_plan(arena, e, &outcome, format_of(&outcome, e->output), &plan, error);
  }
  if (status == 0 && outcome.is_cube) {
    out->read_bytes = plan_read_bytes(plan);
    out->write_bytes = (double)cube_bytes(plan_cube(plan));
    out->peak_memory = plan_peak_memory(plan);
    out->tiles = plan_tiles(plan);
  }
  arena_free(arena);
  return status;
}
