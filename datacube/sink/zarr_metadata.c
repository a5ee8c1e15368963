/* Zarr documents (Zarr storage specification 2 and 3; attributes by CF and as xarray writes them).
 *
 * Version 2: .zgroup, .zattrs and, for each array, NAME/.zarray, NAME/.zattrs; all of them once more in .zmetadata.
 * Version 3: zarr.json and NAME/zarr.json, those of the arrays once more in the group's.
 * Coordinates are one chunk each, not compressed: doubles, 64-bit counts of time, or texts (length and bytes each). */
#include "datacube/sink/zarr_metadata.h"

#include "datacube/grid.h"
#include "datacube/sink/values.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct documents { /* on their way into the archive */
  struct archive *archive;
  const struct netcdf_plan *plan;
  int version;
  struct buffer all; /* members of the consolidated object */
  struct error *error;
};

struct written_array {     /* what a document tells of one */
  const char *name, *type; /* type: "float32", …, "string" */
  size_t rank, shape[CUBE_MAX_DIMENSIONS], chunk[CUBE_MAX_DIMENSIONS];
  const char *dimensions[CUBE_MAX_DIMENSIONS];
  const char *fill; /* JSON */
  size_t element_size;
  bool is_data; /* compressed by the plan's codec */
};

/* ---- documents ----------------------------------------------------------------------------------------------------
 */

/* Adds a document as a member, and to the consolidated ones under `key`. */
static int add_document(struct documents *to, const char *name, const char *key, struct buffer *json)
{
  int status = json->failed ? error_memory(to->error) : 0;
  if (status == 0)
    status = archive_add(to->archive, name, json->data, json->length, to->error);
  if (key != NULL && status == 0) {
    struct json_writer w = {.out = &to->all};
    if (to->all.length > 0)
      buffer_text(&to->all, ",");
    json_write_string(&w, key);
    buffer_text(&to->all, ":");
    buffer_add(&to->all, json->data, json->length);
  }
  buffer_free(json);
  return status;
}

static void write_sizes(struct json_writer *w, const char *key, const size_t *sizes, size_t count)
{
  json_key(w, key);
  json_write_array(w);
  for (size_t i = 0; i < count; i++)
    json_write_integer(w, (int64_t)sizes[i]);
  json_end_array(w);
}

static void write_raw(struct json_writer *w, const char *key, const char *json)
{
  json_key(w, key);
  json_write_raw(w, json, strlen(json));
}

static const char *numpy_type(const char *name)
{
  static const char *const types[][2] = {
      {"uint8", "|u1"}, {"int8", "|i1"},      {"uint16", "<u2"},     {"int16", "<i2"},   {"uint32", "<u4"},
      {"int32", "<i4"}, {"uint64", "<u8"},    {"int64", "<i8"},      {"float32", "<f4"}, {"float64", "<f8"},
      {"string", "|O"}, {"complex64", "<c8"}, {"complex128", "<c16"}};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
    if (strcmp(types[i][0], name) == 0)
      return types[i][1];
  return "|u1";
}

static void write_codecs_2(struct json_writer *w, const struct netcdf_plan *plan, const struct written_array *array)
{
  char text[128] = "null";
  const bool packs = array->is_data && plan->level > 0;
  if (packs)
    snprintf(text, sizeof text, "{\"id\":\"%s\",\"level\":%d}", plan->codec == CODEC_ZSTD ? "zstd" : "zlib",
             plan->level);
  write_raw(w, "compressor", text);
  snprintf(text, sizeof text, "null");
  if (strcmp(array->type, "string") == 0)
    snprintf(text, sizeof text, "[{\"id\":\"vlen-utf8\"}]");
  else if (packs && plan->shuffles && array->element_size > 1)
    snprintf(text, sizeof text, "[{\"id\":\"shuffle\",\"elementsize\":%zu}]", array->element_size);
  write_raw(w, "filters", text);
}

static void write_codecs_3(struct json_writer *w, const struct netcdf_plan *plan, const struct written_array *array)
{
  char text[256];
  const char *first = strcmp(array->type, "string") == 0
                          ? "{\"name\":\"vlen-utf8\"}"
                          : "{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}}";
  if (!array->is_data || plan->level == 0)
    snprintf(text, sizeof text, "[%s]", first);
  else if (plan->codec == CODEC_ZSTD)
    snprintf(text, sizeof text, "[%s,{\"name\":\"zstd\",\"configuration\":{\"level\":%d,\"checksum\":false}}]", first,
             plan->level);
  else
    snprintf(text, sizeof text, "[%s,{\"name\":\"gzip\",\"configuration\":{\"level\":%d}}]", first, plan->level);
  write_raw(w, "codecs", text);
}

static int add_array_2(struct documents *to, const struct written_array *array, const struct buffer *attributes)
{
  struct buffer json = {0}, copy = {0}, name = {0};
  struct json_writer w = {.out = &json}, names = {.out = &copy};
  json_write_object(&w);
  json_kv_integer(&w, "zarr_format", 2);
  write_sizes(&w, "shape", array->shape, array->rank);
  write_sizes(&w, "chunks", array->chunk, array->rank);
  json_kv_string(&w, "dtype", numpy_type(array->type));
  write_codecs_2(&w, to->plan, array);
  write_raw(&w, "fill_value", array->fill != NULL ? array->fill : "null");
  json_kv_string(&w, "order", "C");
  json_end_object(&w);
  buffer_printf(&name, "%s/.zarray", array->name);
  int status = name.failed ? error_memory(to->error) : add_document(to, name.data, name.data, &json);
  /* the attributes' members behind the names of the dimensions */
  json_write_object(&names);
  json_key(&names, "_ARRAY_DIMENSIONS");
  json_write_array(&names);
  for (size_t d = 0; d < array->rank; d++)
    json_write_string(&names, array->dimensions[d]);
  json_end_array(&names);
  if (attributes->length > 2) {
    buffer_text(&copy, ",");
    buffer_add(&copy, attributes->data + 1, attributes->length - 1);
  } else
    json_end_object(&names);
  name.length = 0;
  buffer_printf(&name, "%s/.zattrs", array->name);
  if (status == 0 && !name.failed)
    status = add_document(to, name.data, name.data, &copy);
  buffer_free(&copy);
  buffer_free(&name);
  return status;
}

static int add_array_3(struct documents *to, const struct written_array *array, const struct buffer *attributes)
{
  struct buffer json = {0}, name = {0};
  struct json_writer w = {.out = &json};
  json_write_object(&w);
  json_kv_integer(&w, "zarr_format", 3);
  json_kv_string(&w, "node_type", "array");
  write_sizes(&w, "shape", array->shape, array->rank);
  json_kv_string(&w, "data_type", array->type);
  json_key(&w, "chunk_grid");
  json_write_object(&w);
  json_kv_string(&w, "name", "regular");
  json_key(&w, "configuration");
  json_write_object(&w);
  write_sizes(&w, "chunk_shape", array->chunk, array->rank);
  json_end_object(&w);
  json_end_object(&w);
  write_raw(&w, "chunk_key_encoding", "{\"name\":\"default\",\"configuration\":{\"separator\":\"/\"}}");
  write_raw(&w, "fill_value", array->fill != NULL ? array->fill : strcmp(array->type, "string") == 0 ? "\"\"" : "0");
  write_codecs_3(&w, to->plan, array);
  write_raw(&w, "attributes", attributes->length > 0 ? attributes->data : "{}");
  json_key(&w, "dimension_names");
  json_write_array(&w);
  for (size_t d = 0; d < array->rank; d++)
    json_write_string(&w, array->dimensions[d]);
  json_end_array(&w);
  write_raw(&w, "storage_transformers", "[]");
  json_end_object(&w);
  buffer_printf(&name, "%s/zarr.json", array->name);
  int status = name.failed ? error_memory(to->error) : add_document(to, name.data, array->name, &json);
  buffer_free(&name);
  return status;
}

static int add_array(struct documents *to, const struct written_array *array, struct buffer *attributes)
{
  int status = attributes->failed ? error_memory(to->error)
               : to->version == 2 ? add_array_2(to, array, attributes)
                                  : add_array_3(to, array, attributes);
  buffer_free(attributes);
  return status;
}

/* ---- coordinates --------------------------------------------------------------------------------------------------
 */

static void add_little(struct buffer *out, uint64_t number, size_t bytes)
{
  for (size_t i = 0; i < bytes; i++) {
    const unsigned char byte = (unsigned char)(number >> (8 * i));
    buffer_add(out, &byte, 1);
  }
}

/* The one chunk of an array of rank 0 or 1. */
static int add_single_chunk(struct documents *to, const struct written_array *array, struct buffer *bytes)
{
  struct buffer name = {0};
  buffer_printf(&name, to->version == 2 ? "%s/0" : array->rank > 0 ? "%s/c/0" : "%s/c", array->name);
  int status = name.failed || bytes->failed
                   ? error_memory(to->error)
                   : archive_add(to->archive, name.data, bytes->data, bytes->length, to->error);
  buffer_free(&name);
  buffer_free(bytes);
  return status;
}

/* Milliseconds of the coarsest unit that counts all times whole. */
static int64_t time_unit(const struct dimension *d)
{
  int64_t unit = MS_PER_DAY;
  for (size_t i = 0; i < d->size; i++)
    while (d->times[i] % unit != 0)
      unit = unit == MS_PER_DAY ? MS_PER_SECOND : 1;
  return unit;
}

static void write_time_attributes(struct json_writer *w, const struct dimension *d)
{
  const int64_t unit = time_unit(d);
  json_kv_string(w, "standard_name", "time");
  json_kv_string(w, "axis", "T");
  json_kv_string(w, "units",
                 unit == MS_PER_DAY      ? "days since 1970-01-01"
                 : unit == MS_PER_SECOND ? "seconds since 1970-01-01"
                                         : "milliseconds since 1970-01-01");
  json_kv_string(w, "calendar", calendar_name(d->calendar));
}

static void write_axis_attributes(struct json_writer *w, const struct cube *cube, const struct dimension *d)
{
  const char axis[2] = {(char)(d->axis - 'a' + 'A'), '\0'};
  const bool x = d->axis == 'x', y = d->axis == 'y';
  if (d->axis != 0)
    json_kv_string(w, "axis", axis);
  if ((!x && !y) || cube->crs == NULL) {
    if (d->unit != NULL)
      json_kv_string(w, "units", d->unit);
    return;
  }
  if (crs_is_geographic(cube->crs)) {
    json_kv_string(w, "standard_name", x ? "longitude" : "latitude");
    json_kv_string(w, "units", x ? "degrees_east" : "degrees_north");
    return;
  }
  const double metres = crs_unit_metres(cube->crs);
  char unit[32];
  snprintf(unit, sizeof unit, "%.12g m", metres);
  json_kv_string(w, "standard_name", x ? "projection_x_coordinate" : "projection_y_coordinate");
  json_kv_string(w, "units", metres == 1 ? "m" : unit);
}

static void encode_labels(const struct dimension *d, struct buffer *out)
{
  const int64_t unit = d->labels == LABEL_TIME ? time_unit(d) : 1;
  const bool is_text = d->labels == LABEL_TEXT || d->labels == LABEL_GEOMETRY;
  char room[LABEL_TEXT_ROOM];
  if (is_text)
    add_little(out, d->size, 4);
  for (size_t i = 0; i < d->size; i++) {
    if (is_text) {
      const char *text = dimension_label_text(d, i, room);
      add_little(out, strlen(text), 4);
      buffer_text(out, text);
    } else if (d->labels == LABEL_TIME) {
      add_little(out, (uint64_t)(d->times[i] / unit), 8);
    } else {
      const double number = dimension_label_number(d, i);
      buffer_add(out, &number, sizeof number);
    }
  }
}

static int add_coordinate(struct documents *to, size_t index)
{
  const struct dimension *d = &to->plan->cube.dimension[index];
  const bool is_text = d->labels == LABEL_TEXT || d->labels == LABEL_GEOMETRY;
  struct written_array array = {.name = to->plan->dimension_names[index],
                                .type = is_text                   ? "string"
                                        : d->labels == LABEL_TIME ? "int64"
                                                                  : "float64",
                                .rank = 1,
                                .shape = {d->size},
                                .chunk = {d->size},
                                .dimensions = {to->plan->dimension_names[index]},
                                .element_size = 8};
  struct buffer attributes = {0}, bytes = {0};
  struct json_writer w = {.out = &attributes};
  json_write_object(&w);
  if (d->labels == LABEL_TIME)
    write_time_attributes(&w, d);
  else
    write_axis_attributes(&w, &to->plan->cube, d);
  json_end_object(&w);
  encode_labels(d, &bytes);
  if (add_array(to, &array, &attributes) != 0) {
    buffer_free(&bytes);
    return -1;
  }
  return add_single_chunk(to, &array, &bytes);
}

/* The variable whose attributes are the CRS. */
static int add_mapping(struct documents *to)
{
  const struct cube *cube = &to->plan->cube;
  struct error ignored = {0};
  struct arena *arena = arena_new(0);
  struct written_array array = {.name = to->plan->mapping, .type = "int32", .element_size = 4};
  struct buffer attributes = {0}, bytes = {0};
  struct json_writer w = {.out = &attributes};
  struct grid grid;
  const char *wkt = cube->crs;
  if (arena == NULL)
    return error_memory(to->error);
  if (crs_wkt(arena, cube->crs, &wkt, &ignored) != 0)
    wkt = cube->crs;
  json_write_object(&w);
  json_kv_string(&w, "crs_wkt", wkt);
  json_kv_string(&w, "spatial_ref", wkt);
  if (grid_of_cube(cube, &grid) == 0) {
    char text[256];
    snprintf(text, sizeof text, "%.17g %.17g 0 %.17g 0 %.17g", grid.west, grid.res_x, grid.north, -grid.res_y);
    json_kv_string(&w, "GeoTransform", text);
  }
  json_end_object(&w);
  arena_free(arena);
  add_little(&bytes, 0, 4);
  if (add_array(to, &array, &attributes) != 0) {
    buffer_free(&bytes);
    return -1;
  }
  return add_single_chunk(to, &array, &bytes);
}

/* ---- the arrays ----------------------------------------------------------------------------------------------------
 */

/* Eight bytes in base64, which is how xarray has the _FillValue of floats in attributes. */
static void base64_of(double number, char out[13])
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned char bytes[9] = {0};
  memcpy(bytes, &number, sizeof number);
  for (size_t i = 0; i < 3; i++) {
    const unsigned three = (unsigned)bytes[3 * i] << 16 | (unsigned)bytes[3 * i + 1] << 8 | bytes[3 * i + 2];
    for (size_t k = 0; k < 4; k++)
      out[4 * i + k] = digits[three >> (18 - 6 * k) & 63];
  }
  out[11] = '=';
  out[12] = '\0';
}

/* The fill value as JSON: NULL where nothing is missing. */
static const char *fill_of(const struct cube *cube, char out[80])
{
  const struct element_info *info = element_info(cube->type);
  const double value = cube->type == ELEMENT_BOOLEAN ? 255 : cube->has_nodata ? cube->nodata : NAN;
  char number[32] = "\"NaN\"";
  if (cube->type != ELEMENT_BOOLEAN && !cube->has_nodata && !info->is_float && !info->is_complex)
    return NULL;
  if (isfinite(value))
    element_mark_format(cube->type, value, number);
  else if (!isnan(value))
    snprintf(number, sizeof number, "\"%sInfinity\"", value < 0 ? "-" : "");
  snprintf(out, 80, info->is_complex ? "[%s,%s]" : "%s", number, number);
  return out;
}

static void write_meaning(struct json_writer *w, const struct documents *to, size_t i)
{
  const struct netcdf_plan *plan = to->plan;
  const struct cube *cube = &plan->cube;
  const bool has_bands = plan->bands != SIZE_MAX;
  const struct band_info *info =
      cube->bands != NULL && (has_bands || cube_find_type(cube, DIMENSION_BANDS) == SIZE_MAX) ? &cube->bands[i] : NULL;
  if (info != NULL && info->long_name != NULL)
    json_kv_string(w, "long_name", info->long_name);
  else if (has_bands)
    json_kv_string(w, "long_name", cube->dimension[plan->bands].texts[i]);
  if (info != NULL && info->standard_name != NULL)
    json_kv_string(w, "standard_name", info->standard_name);
  if (info != NULL && info->unit != NULL)
    json_kv_string(w, "units", info->unit);
  if (info != NULL && info->scale != 0 && (info->scale != 1 || info->offset != 0)) {
    json_kv_number(w, "scale_factor", info->scale);
    json_kv_number(w, "add_offset", info->offset);
  }
  if (plan->mapping != NULL)
    json_kv_string(w, "grid_mapping", plan->mapping);
}

static int add_variable(struct documents *to, size_t i)
{
  const struct netcdf_plan *plan = to->plan;
  const struct element_info *info = element_info(plan->cube.type);
  char fill[80], base64[13];
  struct written_array array = {.name = plan->variables[i],
                                .type = plan->cube.type == ELEMENT_BOOLEAN ? "uint8" : info->name,
                                .rank = plan->rank,
                                .fill = fill_of(&plan->cube, fill),
                                .element_size = info->size,
                                .is_data = true};
  struct buffer attributes = {0};
  struct json_writer w = {.out = &attributes};
  for (size_t v = 0; v < plan->rank; v++) {
    array.shape[v] = plan->shape[v];
    array.chunk[v] = plan->chunk[v];
    array.dimensions[v] = plan->dimension_names[plan->dimension[v]];
  }
  json_write_object(&w);
  write_meaning(&w, to, i);
  if (to->version == 3 && array.fill != NULL && !info->is_complex && fill[0] != '"') {
    base64_of(plan->cube.nodata, base64);
    if (info->is_float)
      json_kv_string(&w, "_FillValue", base64);
    else
      write_raw(&w, "_FillValue", fill);
  }
  json_end_object(&w);
  return add_array(to, &array, &attributes);
}

static void write_about(struct json_writer *w, const struct cube *cube, const char *history)
{
  json_write_object(w);
  json_kv_string(w, "Conventions", "CF-1.8");
  if (cube->title != NULL)
    json_kv_string(w, "title", cube->title);
  if (history != NULL)
    json_kv_string(w, "history", history);
  json_end_object(w);
}

/* The group's documents come last: they hold the others. */
static int add_group(struct documents *to, const char *history)
{
  struct buffer about = {0}, json = {0};
  struct json_writer w = {.out = &about};
  write_about(&w, &to->plan->cube, history);
  if (to->version == 3) {
    buffer_text(&json, "{\"zarr_format\":3,\"node_type\":\"group\",\"attributes\":");
    buffer_add(&json, about.data, about.length);
    buffer_text(&json, ",\"consolidated_metadata\":{\"kind\":\"inline\",\"must_understand\":false,\"metadata\":{");
    buffer_add(&json, to->all.data, to->all.length);
    buffer_text(&json, "}}}");
    buffer_free(&about);
    return add_document(to, "zarr.json", NULL, &json);
  }
  buffer_text(&json, "{\"zarr_format\":2}");
  if (add_document(to, ".zgroup", ".zgroup", &json) != 0 || add_document(to, ".zattrs", ".zattrs", &about) != 0) {
    buffer_free(&about);
    return -1;
  }
  buffer_text(&json, "{\"zarr_consolidated_format\":1,\"metadata\":{");
  buffer_add(&json, to->all.data, to->all.length);
  buffer_text(&json, "}}");
  return add_document(to, ".zmetadata", NULL, &json);
}

int zarr_write_metadata(struct archive *archive, const struct netcdf_plan *plan, int version, const char *history,
                        struct error *error)
{
  struct documents to = {.archive = archive, .plan = plan, .version = version, .error = error};
  int status = plan->mapping != NULL ? add_mapping(&to) : 0;
  for (size_t d = 0; d < plan->cube.dimensions && status == 0; d++)
    if (d != plan->bands && !plan->cube.dimension[d].enumerated)
      status = add_coordinate(&to, d);
  for (size_t i = 0; i < plan->variable_count && status == 0; i++)
    status = add_variable(&to, i);
  if (status == 0)
    status = add_group(&to, history);
  if (status == 0 && to.all.failed)
    status = error_memory(error);
  buffer_free(&to.all);
  return status;
}

void zarr_chunk_name(const struct netcdf_plan *plan, int version, size_t variable, const size_t *start,
                     struct buffer *out)
{
  buffer_printf(out, version == 2 ? "%s/" : "%s/c", plan->variables[variable]);
  if (version == 2 && plan->rank == 0)
    buffer_text(out, "0");
  for (size_t v = 0; v < plan->rank; v++)
    buffer_printf(out, version == 3 ? "/%zu" : v > 0 ? ".%zu" : "%zu", start[v] / plan->chunk[v]);
}
