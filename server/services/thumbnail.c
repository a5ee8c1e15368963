/* The map is opened twice: on its own pixels, to learn its place, and on larger ones, to read it. */
#include "server/services/thumbnail.h"

#include "server/services/map_range.h"
#include "server/services/style.h"

#include <stdlib.h>
#include <string.h>

enum { COLOURS = 3 };

struct sketch { /* what is to be read */
  char *crs, *bands[COLOURS]; /* owned */
  size_t count;               /* of bands; 0: there is one only, without a name */
  struct map_lattice lattice;
  struct map_window window;
};

static size_t find_common_name(const struct cube *cube, size_t bands, const char *name)
{
  for (size_t i = 0; cube->bands && i < cube->dimension[bands].size; i++)
    if (cube->bands[i].common_name && strcmp(cube->bands[i].common_name, name) == 0)
      return i;
  return SIZE_MAX;
}

static int choose_bands(const struct cube *cube, struct sketch *out, struct error *error)
{
  static const char *const colours[COLOURS] = {"red", "green", "blue"};
  const size_t bands = cube_find_type(cube, DIMENSION_BANDS);
  if (bands == SIZE_MAX)
    return 0;
  size_t index[COLOURS] = {0};
  for (out->count = 0; out->count < COLOURS; out->count++) {
    index[out->count] = find_common_name(cube, bands, colours[out->count]);
    if (index[out->count] == SIZE_MAX)
      break;
  }
  if (out->count < COLOURS) {
    index[0] = 0;
    out->count = 1;
  }
  for (size_t i = 0; i < out->count; i++) {
    char room[LABEL_TEXT_ROOM];
    out->bands[i] = strdup(dimension_label_text(&cube->dimension[bands], index[i], room));
    if (out->bands[i] == NULL)
      return error_memory(error);
  }
  return 0;
}

/* Whole pixels of the cube make one of the picture. */
static int choose_lattice(const struct cube *cube, struct sketch *out, struct error *error)
{
  const size_t width = cube->dimension[cube_find_axis(cube, 'x')].size;
  const size_t height = cube->dimension[cube_find_axis(cube, 'y')].size;
  const size_t step = ((width > height ? width : height) + THUMBNAIL_SIDE - 1) / THUMBNAIL_SIDE;
  double south = 0, east = 0;
  struct map_lattice *lattice = &out->lattice;
  if (cube->crs == NULL || !cube_bounds(cube, &lattice->west, &south, &east, &lattice->north))
    return error_set(error, ERROR_FormatUnsuitable, "there is nothing to be seen in a cube without a place");
  lattice->res_x = (east - lattice->west) / (double)width * (double)step;
  lattice->res_y = (lattice->north - south) / (double)height * (double)step;
  out->window.width = (width + step - 1) / step;
  out->window.height = (height + step - 1) / step;
  lattice->crs = out->crs = strdup(cube->crs);
  return out->crs != NULL ? 0 : error_memory(error);
}

static int make_sketch(const struct map_request *request, struct sketch *out, struct error *error)
{
  struct map *map;
  if (map_open(request, &map, error) != 0)
    return -1;
  int status = choose_lattice(map_cube(map), out, error);
  if (status == 0)
    status = choose_bands(map_cube(map), out, error);
  map_close(map);
  return status;
}

/* Of each plane; 0 … 1 where it holds nothing. */
static int find_ranges(const struct map_pixels *pixels, double ranges[COLOURS][2], struct error *error)
{
  const size_t count = pixels->width * pixels->height;
  double *copy = malloc(count * sizeof *copy);
  if (copy == NULL)
    return error_memory(error);
  for (size_t p = 0; p < pixels->planes; p++) {
    memcpy(copy, pixels->values + p * count, count * sizeof *copy);
    ranges[p][0] = 0;
    ranges[p][1] = 1;
    map_range_find(copy, count, ranges[p]);
  }
  free(copy);
  return 0;
}

static int paint(const struct map_pixels *pixels, struct buffer *out, struct error *error)
{
  double ranges[COLOURS][2];
  struct style *style = malloc(sizeof *style);
  int status = style != NULL ? find_ranges(pixels, ranges, error) : error_memory(error);
  if (status == 0)
    status = style_read(NULL, pixels->planes, (const double(*)[2])ranges, style, error);
  if (status == 0)
    status = style_paint(style, pixels, TILE_PNG, out, error);
  free(style);
  return status;
}

static int look(struct map *map, const struct sketch *sketch, const volatile int *cancel, struct buffer *out,
                struct error *error)
{
  struct map_pixels pixels;
  if (map_read(map, &sketch->window, cancel, &pixels, error) != 0)
    return -1;
  int status = paint(&pixels, out, error);
  map_pixels_free(&pixels);
  return status;
}

static int open_and_look(const struct map_request *request, const struct sketch *sketch, struct hash have,
                         struct buffer *out, struct error *error)
{
  struct map *map;
  if (map_open(request, &map, error) != 0)
    return -1;
  const struct hash revision = map_hash(map);
  buffer_add(out, &revision, sizeof revision);
  int status = hash_equal(revision, have) ? 0 : look(map, sketch, request->options.cancel, out, error);
  map_close(map);
  return status;
}

int thumbnail_paint(const struct map_request *request, struct hash have, struct buffer *out, struct error *error)
{
  struct map_request own = *request;
  struct sketch sketch = {.crs = NULL};
  own.lattice = (struct map_lattice){.crs = NULL};
  own.choice = (struct map_choice){.bands = NULL};
  own.method = RESAMPLE_NEAREST;
  int status = make_sketch(&own, &sketch, error);
  own.lattice = sketch.lattice;
  own.choice = (struct map_choice){.bands = (const char *const *)sketch.bands, .band_count = sketch.count};
  if (status == 0)
    status = open_and_look(&own, &sketch, have, out, error);
  free(sketch.crs);
  for (size_t i = 0; i < COLOURS; i++)
    free(sketch.bands[i]);
  return status;
}
