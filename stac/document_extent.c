/* Where and when a collection is: its cube:dimensions and bounds. */
#include "stac/document.h"

#include "datacube/geometry_operations.h"
#include "datacube/lonlat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED_LABELS = 1000 }; /* longer dimensions are given by their extent */

static void widen(struct extent *all, const struct extent *one)
{
  all->west = fmin(all->west, one->west);
  all->south = fmin(all->south, one->south);
  all->east = fmax(all->east, one->east);
  all->north = fmax(all->north, one->north);
}

static struct extent grid_extent(const struct grid *grid)
{
  return (struct extent){grid->west, grid->north - grid->res_y * (double)grid->height,
                         grid->west + grid->res_x * (double)grid->width, grid->north, grid->crs};
}

static struct extent nowhere(void)
{
  return (struct extent){INFINITY, INFINITY, -INFINITY, -INFINITY, NULL};
}

/* The globe where that cannot be told: a cube without a CRS is taken for one of degrees where it can be. */
static struct extent cube_lonlat(const struct cube *cube)
{
  struct extent box = {.crs = cube->crs}, out = lonlat_globe();
  struct transform *transform = NULL;
  struct error ignored = {0};
  if (!cube_bounds(cube, &box.west, &box.south, &box.east, &box.north))
    return lonlat_globe();
  if (!cube->crs)
    return fabs(box.west) + fabs(box.east) > 720 || fabs(box.south) > 91 || fabs(box.north) > 91 ? lonlat_globe()
                                                                                                 : lonlat_normal(&box);
  if (transform_new(cube->crs, NULL, &transform, &ignored) == 0)
    lonlat_image(transform, &box, &out);
  transform_free(transform);
  return out;
}

/* Bounds of all geometries; the globe where there is none. */
static struct extent features_lonlat(const struct geometry_set *set)
{
  struct extent bounds;
  return geometry_set_bounds(set, "EPSG:4326", &bounds) ? lonlat_normal(&bounds) : lonlat_globe();
}

static const struct geometry_set *features_of(const struct scan *scan)
{
  size_t d = scan->cube_path ? cube_find_type(scan->file_cube, DIMENSION_GEOMETRY) : SIZE_MAX;
  return d == SIZE_MAX ? NULL : scan->file_cube->dimension[d].geometries;
}

struct extent document_lonlat(const struct scan *scan)
{
  if (features_of(scan))
    return features_lonlat(features_of(scan));
  if (scan->cube_path)
    return cube_lonlat(scan->file_cube);
  struct extent all = scan->items[0].box;
  for (size_t i = 1; i < scan->item_count; i++)
    all = lonlat_union(&all, &scan->items[i].box);
  return all;
}

static bool cube_interval(const struct cube *cube, char first[40], char last[40])
{
  size_t t = cube_find_type(cube, DIMENSION_TEMPORAL);
  if (t == SIZE_MAX || cube->dimension[t].size == 0 || cube->dimension[t].labels != LABEL_TIME)
    return false;
  const struct dimension *times = &cube->dimension[t];
  int64_t low = times->times[0], high = low;
  for (size_t i = 1; i < times->size; i++) {
    low = times->times[i] < low ? times->times[i] : low;
    high = times->times[i] > high ? times->times[i] : high;
  }
  instant_format(low, times->calendar, first);
  instant_format(high, times->calendar, last);
  return true;
}

/* What the source document says of data without dates of its own. */
static bool declared_interval(const struct scan *scan, char first[40], char last[40])
{
  const json_t *temporal = json_object_get(json_object_get(scan->source, "extent"), "temporal");
  const json_t *interval = json_array_get(json_tree_array(temporal, "interval"), 0);
  const char *start = json_string_value(json_array_get(interval, 0)),
             *end = json_string_value(json_array_get(interval, 1));
  int64_t low, high;
  if (!start || !end || instant_parse(start, CALENDAR_GREGORIAN, &low) != 0 ||
      instant_parse(end, CALENDAR_GREGORIAN, &high) != 0)
    return false;
  instant_format(low, CALENDAR_GREGORIAN, first);
  instant_format(high, CALENDAR_GREGORIAN, last);
  return true;
}

bool document_interval(const struct scan *scan, char first[40], char last[40])
{
  if (scan->cube_path && cube_interval(scan->file_cube, first, last))
    return true;
  if (scan->item_count == 0 || scan->items[0].undated)
    return declared_interval(scan, first, last);
  int64_t low = scan->items[0].instant, high = low;
  for (size_t i = 1; i < scan->item_count; i++) {
    low = scan->items[i].instant < low ? scan->items[i].instant : low;
    high = scan->items[i].instant > high ? scan->items[i].instant : high;
  }
  instant_format(low, CALENDAR_GREGORIAN, first);
  instant_format(high, CALENDAR_GREGORIAN, last);
  return true;
}

static void write_reference_system(const char *crs, struct json_writer *writer)
{
  if (crs && strncmp(crs, "EPSG:", 5) == 0)
    json_kv_integer(writer, "reference_system", strtol(crs + 5, NULL, 10));
  else if (crs)
    json_kv_string(writer, "reference_system", crs);
}

static void write_numbers(const char *key, double low, double high, struct json_writer *writer)
{
  json_key(writer, key);
  json_write_array(writer);
  json_write_number(writer, low);
  json_write_number(writer, high);
  json_end_array(writer);
}

static void write_axis(char axis, double low, double high, double step, const char *crs, struct json_writer *writer)
{
  const char name[2] = {axis, '\0'};
  json_key(writer, name);
  json_write_object(writer);
  json_kv_string(writer, "type", "spatial");
  json_kv_string(writer, "axis", name);
  write_numbers("extent", low, high, writer);
  if (step > 0)
    json_kv_number(writer, "step", step);
  write_reference_system(crs, writer);
  json_end_object(writer);
}

static void write_times(const char *name, const char *first, const char *last, struct json_writer *writer)
{
  json_key(writer, name);
  json_write_object(writer);
  json_kv_string(writer, "type", "temporal");
  json_key(writer, "extent");
  json_write_array(writer);
  json_write_string(writer, first);
  json_write_string(writer, last);
  json_end_array(writer);
  json_end_object(writer);
}

static void write_bands(const char *name, const struct scan *scan, struct json_writer *writer)
{
  json_key(writer, name);
  json_write_object(writer);
  json_kv_string(writer, "type", "bands");
  json_key(writer, "values");
  json_write_array(writer);
  for (size_t i = 0; i < scan->band_count; i++)
    json_write_string(writer, scan->bands[i].name);
  json_end_array(writer);
  json_end_object(writer);
}

static void write_raster_dimensions(const struct scan *scan, struct json_writer *writer)
{
  struct extent all = nowhere();
  double res_x = scan->options->resolution, res_y = scan->options->resolution;
  char first[40], last[40];
  for (size_t i = 0; i < scan->grid_count; i++) {
    struct extent one = grid_extent(&scan->grids[i].grid), moved = one;
    struct error ignored = {0};
    if (strcmp(one.crs, scan->crs) != 0 && extent_transform(&one, scan->crs, &moved, &ignored) != 0)
      continue;
    widen(&all, &moved);
  }
  for (size_t i = 0; scan->options->resolution == 0 && i < scan->band_count; i++) {
    const struct scan_band *band = &scan->bands[i];
    res_x = res_x > 0 ? fmin(res_x, band->res_x) : band->res_x;
    res_y = res_y > 0 ? fmin(res_y, band->res_y) : band->res_y;
  }
  write_axis('x', all.west, all.east, res_x, scan->crs, writer);
  write_axis('y', all.south, all.north, res_y, scan->crs, writer);
  if (!scan->timeless && document_interval(scan, first, last))
    write_times("t", first, last, writer);
  write_bands("bands", scan, writer);
}

static void write_labels(const struct dimension *dimension, struct json_writer *writer)
{
  double low = INFINITY, high = -INFINITY;
  for (size_t i = 0; i < dimension->size; i++) {
    low = fmin(low, dimension_label_number(dimension, i));
    high = fmax(high, dimension_label_number(dimension, i));
  }
  if (low <= high && dimension->labels != LABEL_TEXT)
    write_numbers("extent", low, high, writer);
  if (dimension->size <= LISTED_LABELS && dimension->size > 0) {
    json_key(writer, "values");
    json_write_array(writer);
    for (size_t i = 0; i < dimension->size; i++) {
      char room[LABEL_TEXT_ROOM];
      if (dimension_label_is_number(dimension, i))
        json_write_number(writer, dimension_label_number(dimension, i));
      else
        json_write_string(writer, dimension_label_text(dimension, i, room));
    }
    json_end_array(writer);
  }
}

/* z, members of an ensemble and whatever else a file has. */
static void write_other(const struct dimension *dimension, struct json_writer *writer)
{
  const char axis[2] = {dimension->axis, '\0'};
  json_key(writer, dimension->name);
  json_write_object(writer);
  json_kv_string(writer, "type", dimension_type_name(dimension->type));
  if (dimension->type == DIMENSION_SPATIAL)
    json_kv_string(writer, "axis", axis);
  write_labels(dimension, writer);
  if (dimension->unit)
    json_kv_string(writer, "unit", dimension->unit);
  json_end_object(writer);
}

static void write_horizontal(const struct cube *cube, const struct dimension *dimension, struct json_writer *writer)
{
  double edge[4], step = dimension->labels == LABEL_STEP ? fabs(dimension->step) : 0;
  if (!cube_bounds(cube, &edge[0], &edge[1], &edge[2], &edge[3])) {
    edge[0] = edge[1] = dimension_label_number(dimension, 0);
    edge[2] = edge[3] = dimension_label_number(dimension, dimension->size - 1);
  }
  size_t low = dimension->axis == 'x' ? 0 : 1;
  write_axis(dimension->axis, fmin(edge[low], edge[low + 2]), fmax(edge[low], edge[low + 2]), step, cube->crs, writer);
}

static void write_geometries(const struct dimension *d, struct json_writer *writer)
{
  struct extent box;
  if (!geometry_set_bounds(d->geometries, d->geometries->crs, &box))
    box = lonlat_globe();
  const double edges[] = {box.west, box.south, box.east, box.north};
  json_key(writer, d->name);
  json_write_object(writer);
  json_kv_string(writer, "type", "geometry");
  json_key(writer, "axes");
  json_write_array(writer);
  json_write_string(writer, "x");
  json_write_string(writer, "y");
  json_end_array(writer);
  json_key(writer, "bbox");
  json_write_array(writer);
  for (size_t i = 0; i < 4; i++)
    json_write_number(writer, edges[i]);
  json_end_array(writer);
  write_reference_system(d->geometries->crs, writer);
  json_end_object(writer);
}

static void write_cube_dimensions(const struct scan *scan, struct json_writer *writer)
{
  const struct cube *cube = scan->file_cube;
  char first[40], last[40];
  for (size_t i = 0; i < cube->dimensions; i++) {
    const struct dimension *dimension = &cube->dimension[i];
    if (dimension->type == DIMENSION_SPATIAL && (dimension->axis == 'x' || dimension->axis == 'y') && dimension->size)
      write_horizontal(cube, dimension, writer);
    else if (dimension->type == DIMENSION_TEMPORAL && cube_interval(cube, first, last))
      write_times(dimension->name, first, last, writer);
    else if (dimension->type == DIMENSION_BANDS)
      write_bands(dimension->name, scan, writer);
    else if (dimension->labels == LABEL_GEOMETRY)
      write_geometries(dimension, writer);
    else
      write_other(dimension, writer);
  }
}

void document_write_dimensions(const struct scan *scan, struct json_writer *writer)
{
  json_key(writer, "cube:dimensions");
  json_write_object(writer);
  if (scan->cube_path)
    write_cube_dimensions(scan, writer);
  else
    write_raster_dimensions(scan, writer);
  json_end_object(writer);
}
