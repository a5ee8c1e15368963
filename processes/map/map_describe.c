/* A map's cube in words: for the documents in which services say what they show. */
#include "processes/map/map_result.h"

#include "processes/cube/unpacked.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { MOST_LABELS = 10000 };

static void write_numbers(struct json_writer *w, const char *key, const double *numbers, size_t count)
{
  json_key(w, key);
  json_write_array(w);
  for (size_t i = 0; i < count; i++)
    json_write_number(w, numbers[i]);
  json_end_array(w);
}

static void write_dimension(struct json_writer *w, const struct dimension *dimension)
{
  char room[LABEL_TEXT_ROOM];
  json_write_object(w);
  json_kv_string(w, "name", dimension->name);
  json_kv_string(w, "type", dimension_type_name(dimension->type));
  json_kv_integer(w, "size", (int64_t)dimension->size);
  if (dimension->unit)
    json_kv_string(w, "unit", dimension->unit);
  json_key(w, "labels");
  json_write_array(w);
  for (size_t i = 0; i < dimension->size && i < MOST_LABELS; i++)
    json_write_string(w, dimension_label_text(dimension, i, room));
  json_end_array(w);
  json_end_object(w);
}

/* What files of it hold: type and no-data before unpacking, and units, one a band. */
static void write_stored(struct json_writer *w, const struct cube *stored)
{
  const size_t bands = cube_find_type(stored, DIMENSION_BANDS);
  char number[32];
  json_key(w, "stored");
  json_write_object(w);
  json_kv_string(w, "type", element_info(stored->type)->name);
  if (stored->has_nodata && isfinite(stored->nodata)) {
    element_mark_format(stored->type, stored->nodata, number);
    json_key(w, "nodata");
    json_write_raw(w, number, strlen(number));
  }
  json_key(w, "units");
  json_write_array(w);
  for (size_t i = 0; stored->bands && i < (bands == SIZE_MAX ? 1 : stored->dimension[bands].size); i++)
    json_write_string(w, stored->bands[i].unit);
  json_end_array(w);
  json_end_object(w);
}

static void write_cube(struct json_writer *w, const struct cube *cube, const struct cube *stored,
                       const struct extent *lonlat)
{
  struct grid grid;
  double box[4];
  cube_bounds(cube, &box[0], &box[1], &box[2], &box[3]);
  grid_under_cube(cube, &grid);
  json_write_object(w);
  json_kv_string(w, "crs", cube->crs);
  json_kv_string(w, "x_name", cube->dimension[cube_find_axis(cube, 'x')].name);
  json_kv_string(w, "y_name", cube->dimension[cube_find_axis(cube, 'y')].name);
  write_numbers(w, "bbox", box, 4);
  write_numbers(w, "lonlat", (double[]){lonlat->west, lonlat->south, lonlat->east, lonlat->north}, 4);
  write_numbers(w, "resolution", (double[]){grid.res_x, grid.res_y}, 2);
  write_numbers(w, "size", (double[]){(double)grid.width, (double)grid.height}, 2);
  json_kv_string(w, "type", element_info(cube->type)->name);
  write_stored(w, stored);
  json_key(w, "dimensions");
  json_write_array(w);
  for (size_t d = 0; d < cube->dimensions; d++)
    if (cube->dimension[d].axis != 'x' && cube->dimension[d].axis != 'y')
      write_dimension(w, &cube->dimension[d]);
  json_end_array(w);
  json_end_object(w);
}

int map_describe(const struct map_request *request, struct buffer *out, struct error *error)
{
  struct arena *arena = arena_new(request->options.memory ? request->options.memory : (size_t)2 << 30);
  struct json_writer w = {.out = out};
  struct extent own, lonlat;
  const struct node *stored = NULL, *node = NULL;
  int status = arena ? map_stored_result(arena, request, &stored, error) : error_memory(error);
  if (status == 0 && (node = unpacked(arena, stored)) == NULL)
    status = error_memory(error);
  if (status == 0) {
    own.crs = node->cube->crs;
    if (!cube_bounds(node->cube, &own.west, &own.south, &own.east, &own.north))
      status = error_set(error, ERROR_NoDataAvailable, "the result has no pixels");
    else
      status = extent_transform_in_use(&own, NULL, &lonlat, error);
  }
  if (status == 0)
    write_cube(&w, node->cube, stored->cube, &lonlat);
  arena_free(arena);
  return status == 0 && out->failed ? error_memory(error) : status;
}
