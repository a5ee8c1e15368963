/* Percentiles of a sample, by sorting it. */
#include "server/services/map_range.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 256, MOST_PLANES = 16 };

static int compare(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

bool map_range_find(double *values, size_t count, double range[2])
{
  size_t known = 0;
  for (size_t i = 0; i < count; i++)
    if (isfinite(values[i]))
      values[known++] = values[i];
  if (known == 0)
    return false;
  qsort(values, known, sizeof *values, compare);
  range[0] = values[(size_t)(0.02 * (double)(known - 1))];
  range[1] = values[(size_t)(0.98 * (double)(known - 1))];
  if (!(range[0] < range[1]))
    range[1] = range[0] + 1;
  return true;
}

/* A window of SIDE pixels around a place of the map, in parts of its size. */
static struct map_window window_at(const struct cube *cube, double x, double y)
{
  const size_t width = cube->dimension[cube_find_axis(cube, 'x')].size;
  const size_t height = cube->dimension[cube_find_axis(cube, 'y')].size;
  struct map_window window = {.width = width < SIDE ? width : SIDE, .height = height < SIDE ? height : SIDE};
  window.column = (int64_t)(x * (double)(width - window.width));
  window.row = (int64_t)(y * (double)(height - window.height));
  return window;
}

static size_t count_planes(const struct cube *cube)
{
  size_t planes = 1;
  for (size_t d = 0; d < cube->dimensions; d++)
    planes *= cube->dimension[d].axis == 'x' || cube->dimension[d].axis == 'y' ? 1 : cube->dimension[d].size;
  return planes;
}

/* Looks at one place after the other until every band has a value. */
static int find_ranges(struct map *map, const struct map_request *request, double (*ranges)[2], size_t planes,
                       struct error *error)
{
  static const double places[][2] = {{0.5, 0.5}, {0.25, 0.25}, {0.75, 0.25}, {0.25, 0.75}, {0.75, 0.75}};
  bool found = false;
  for (size_t i = 0; !found && i < sizeof places / sizeof places[0]; i++) {
    const struct map_window window = window_at(map_cube(map), places[i][0], places[i][1]);
    struct map_pixels pixels;
    if (map_read(map, &window, request->options.cancel, &pixels, error) != 0)
      return -1;
    found = true;
    for (size_t p = 0; p < planes; p++)
      found =
          map_range_find(pixels.values + p * window.width * window.height, window.width * window.height, ranges[p]) &&
          found;
    map_pixels_free(&pixels);
  }
  return 0;
}

static int measure(const struct map_request *request, double (**ranges)[2], size_t *planes, struct error *error)
{
  struct map_request own = *request;
  struct map *map;
  own.lattice.crs = NULL; /* its own pixels */
  if (map_open(&own, &map, error) != 0)
    return -1;
  const enum element_type type = map_cube(map)->type;
  *planes = count_planes(map_cube(map));
  *ranges = calloc(*planes + 1, sizeof **ranges);
  int status = *ranges != NULL ? 0 : error_memory(error);
  for (size_t p = 0; status == 0 && p < *planes; p++)
    (*ranges)[p][1] = type == ELEMENT_U8 ? 255 : 1;
  if (status == 0 && type != ELEMENT_U8 && type != ELEMENT_BOOLEAN && *planes <= MOST_PLANES)
    status = find_ranges(map, request, *ranges, *planes, error);
  map_close(map);
  return status;
}

int map_describe_with_range(const struct map_request *request, struct buffer *out, struct error *error)
{
  struct buffer cube = {0};
  struct json_writer w = {.out = out};
  double(*ranges)[2] = NULL;
  size_t planes = 0;
  int status = map_describe(request, &cube, error);
  if (status == 0)
    status = measure(request, &ranges, &planes, error);
  json_write_object(&w);
  json_key(&w, "cube");
  json_write_raw(&w, cube.data, cube.length);
  json_key(&w, "range");
  json_write_array(&w);
  for (size_t p = 0; status == 0 && p < planes; p++) {
    json_write_array(&w);
    json_write_number(&w, ranges[p][0]);
    json_write_number(&w, ranges[p][1]);
    json_end_array(&w);
  }
  json_end_array(&w);
  json_end_object(&w);
  free(ranges);
  buffer_free(&cube);
  return status;
}
