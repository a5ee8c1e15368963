#include "processes/graph/far_cube.h"

#include "datacube/base/instant.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { /* of dimensions of which nothing is said */
       USUAL_PIXELS = 10000,
       USUAL_BANDS = 10,
       USUAL_LABELS = 100,
       USUAL_DAYS = 5, /* from one date to the next */
       USUAL_BYTES = 2
};

/* ---- the collection ---------------------------------------------------------------------------------------------- */

static double number_at(const json_t *array, size_t i)
{
  return json_number_value(json_array_get(array, i));
}

static bool read_time(const json_t *text, double *out)
{
  int64_t instant;
  if (!json_is_string(text) || instant_parse(json_string_value(text), CALENDAR_GREGORIAN, &instant) != 0)
    return false;
  *out = (double)instant;
  return true;
}

static void read_range(const json_t *described, struct far_dimension *out)
{
  const json_t *extent = json_object_get(described, "extent");
  const json_t *values = json_object_get(described, "values");
  const bool is_time = out->kind == 't';
  double low, high;
  if (json_array_size(extent) != 2 && json_array_size(values) > 1)
    return;
  if (is_time && read_time(json_array_get(extent, 0), &low) && read_time(json_array_get(extent, 1), &high)) {
    out->low = low;
    out->high = high;
  } else if (!is_time && json_is_number(json_array_get(extent, 0)) && json_is_number(json_array_get(extent, 1))) {
    out->low = number_at(extent, 0);
    out->high = number_at(extent, 1);
  }
  if (!(out->low < out->high))
    out->low = out->high = 0;
}

static double usual_count(const struct far_dimension *dimension)
{
  const double days = (dimension->high - dimension->low) / (double)MS_PER_DAY;
  switch (dimension->kind) {
  case 'x':
  case 'y':
    return USUAL_PIXELS;
  case 't':
    return days > 0 ? fmax(1, days / USUAL_DAYS) : USUAL_LABELS;
  default:
    return USUAL_BANDS;
  }
}

static void read_count(const json_t *described, struct far_dimension *out, bool *is_assumed)
{
  const json_t *values = json_object_get(described, "values");
  const double step = fabs(json_number_value(json_object_get(described, "step")));
  const bool is_plane = out->kind == 'x' || out->kind == 'y';
  out->labels = out->kind == 'b' && json_is_array(values) ? values : NULL;
  out->count = (double)json_array_size(values);
  if (out->count == 0 && is_plane && step > 0)
    out->count = round((out->high - out->low) / step);
  if (out->count >= 1)
    return;
  out->count = usual_count(out);
  *is_assumed = true;
}

static char kind_of(const json_t *described)
{
  const char *type = json_string_value(json_object_get(described, "type"));
  const char *axis = json_string_value(json_object_get(described, "axis"));
  if (!type)
    return 'o';
  if (strcmp(type, "spatial") == 0)
    return axis && (axis[0] == 'x' || axis[0] == 'y') ? axis[0] : 'o';
  if (strcmp(type, "temporal") == 0)
    return 't';
  return strcmp(type, "bands") == 0 ? 'b' : strcmp(type, "geometry") == 0 ? 'g' : 'o';
}

static void read_dimensions(const json_t *described, struct far_cube *out)
{
  const char *name;
  json_t *one;
  json_object_foreach((json_t *)(uintptr_t)described, name, one)
  {
    if (out->count == FAR_DIMENSIONS_MOST)
      return;
    struct far_dimension *dimension = &out->dimension[out->count++];
    const json_t *code = json_object_get(one, "reference_system");
    *dimension = (struct far_dimension){.name = name, .kind = kind_of(one)};
    read_range(one, dimension);
    read_count(one, dimension, &out->is_assumed);
    if (dimension->kind == 'x' && json_is_integer(code))
      out->crs = json_number_value(code);
  }
}

/* One that does not say what it has is taken for what most are. */
static void assume_dimensions(struct far_cube *out)
{
  static const struct far_dimension usual[] = {{.name = "t", .kind = 't', .count = USUAL_LABELS},
                                               {.name = "bands", .kind = 'b', .count = USUAL_BANDS},
                                               {.name = "y", .kind = 'y', .count = USUAL_PIXELS},
                                               {.name = "x", .kind = 'x', .count = USUAL_PIXELS}};
  memcpy(out->dimension, usual, sizeof usual);
  out->count = sizeof usual / sizeof usual[0];
  out->is_assumed = true;
}

/* The bytes of the types that documents name, at their most: raster:bands, or bands, of the summaries or beside them.
 */
static double read_value_bytes(const json_t *document)
{
  static const char *const lists[] = {"raster:bands", "bands"};
  const json_t *places[] = {json_object_get(document, "summaries"), document};
  double most = 0;
  for (size_t i = 0; i < 4; i++) {
    const json_t *list = json_object_get(places[i / 2], lists[i % 2]), *band;
    size_t k;
    json_array_foreach(list, k, band)
    {
      const char *type = json_string_value(json_object_get(band, "data_type"));
      const char *bits = type ? strpbrk(type, "1368") : NULL;
      if (bits)
        most = fmax(most, strncmp(bits, "16", 2) == 0 ? 2 : strncmp(bits, "32", 2) == 0 ? 4 : bits[0] == '6' ? 8 : 1);
    }
  }
  return most > 0 ? most : USUAL_BYTES;
}

struct far_cube far_cube_load(const json_t *document, const json_t *arguments)
{
  const json_t *boxes = json_object_get(json_object_get(json_object_get(document, "extent"), "spatial"), "bbox");
  const json_t *box = json_array_get(boxes, 0);
  const size_t half = json_array_size(box) / 2;
  struct far_cube out = {.value_bytes = read_value_bytes(document)};
  read_dimensions(json_object_get(document, "cube:dimensions"), &out);
  if (out.count == 0)
    assume_dimensions(&out);
  if (half == 2 || half == 3)
    out.place =
        (struct extent){number_at(box, 0), number_at(box, 1), number_at(box, half), number_at(box, half + 1), NULL};
  far_cube_crop_place(&out, json_object_get(arguments, "spatial_extent"));
  far_cube_crop_time(&out, json_object_get(arguments, "temporal_extent"));
  far_cube_crop_bands(&out, json_object_get(arguments, "bands"));
  return out;
}

/* ---- dimensions -------------------------------------------------------------------------------------------------- */

double far_cube_bytes(const struct far_cube *cube)
{
  double bytes = cube->value_bytes;
  for (size_t i = 0; i < cube->count; i++)
    bytes *= cube->dimension[i].count;
  return bytes;
}

size_t far_cube_find(const struct far_cube *cube, char kind)
{
  for (size_t i = 0; i < cube->count; i++)
    if (cube->dimension[i].kind == kind)
      return i;
  return SIZE_MAX;
}

size_t far_cube_named(const struct far_cube *cube, const char *name)
{
  for (size_t i = 0; name && i < cube->count; i++)
    if (strcmp(cube->dimension[i].name, name) == 0)
      return i;
  return SIZE_MAX;
}

void far_cube_remove(struct far_cube *cube, size_t d)
{
  for (size_t i = d; i + 1 < cube->count; i++)
    cube->dimension[i] = cube->dimension[i + 1];
  cube->count--;
}

static bool are_texts(const json_t *labels)
{
  const json_t *label;
  size_t i;
  json_array_foreach(labels, i, label) if (!json_is_string(label)) return false;
  return json_array_size(labels) > 0;
}

bool far_cube_is_raster(const struct far_cube *cube)
{
  const size_t bands = far_cube_find(cube, 'b');
  return far_cube_find(cube, 'x') != SIZE_MAX && far_cube_find(cube, 'y') != SIZE_MAX &&
         cube->count == (bands != SIZE_MAX ? 3 : 2) && (bands == SIZE_MAX || are_texts(cube->dimension[bands].labels));
}

/* ---- crops ------------------------------------------------------------------------------------------------------- */

void far_cube_crop_bands(struct far_cube *cube, const json_t *bands)
{
  const size_t d = far_cube_find(cube, 'b');
  if (d == SIZE_MAX || json_array_size(bands) == 0)
    return;
  cube->dimension[d].count = (double)json_array_size(bands);
  cube->dimension[d].labels = bands;
}

/* What is left of a dimension between two of its coordinates. */
static void cut(struct far_dimension *dimension, double low, double high)
{
  const double from = fmax(low, dimension->low), to = fmin(high, dimension->high);
  if (!(dimension->low < dimension->high))
    return;
  const double share = to > from ? (to - from) / (dimension->high - dimension->low) : 0;
  dimension->count = fmax(1, dimension->count * share);
  if (share > 0) {
    dimension->low = from;
    dimension->high = to;
  }
}

void far_cube_crop_time(struct far_cube *cube, const json_t *extent)
{
  const size_t d = far_cube_find(cube, 't');
  double low = -INFINITY, high = INFINITY;
  if (d == SIZE_MAX || json_array_size(extent) != 2)
    return;
  read_time(json_array_get(extent, 0), &low);
  read_time(json_array_get(extent, 1), &high);
  cut(&cube->dimension[d], low, high);
}

/* Grows to hold a position, or all positions of arrays of them. */
static void hold(const json_t *coordinates, struct extent *out)
{
  const json_t *one;
  size_t i;
  if (json_is_number(json_array_get(coordinates, 0)) && json_array_size(coordinates) >= 2) {
    out->west = fmin(out->west, number_at(coordinates, 0));
    out->east = fmax(out->east, number_at(coordinates, 0));
    out->south = fmin(out->south, number_at(coordinates, 1));
    out->north = fmax(out->north, number_at(coordinates, 1));
    return;
  }
  json_array_foreach(coordinates, i, one) hold(one, out);
}

/* Of GeoJSON of any kind; its depth is that of a graph. */
static void hold_geometries(const json_t *geojson, struct extent *out)
{
  static const char *const inner[] = {"features", "geometries"};
  const json_t *one;
  size_t i;
  hold(json_object_get(geojson, "coordinates"), out);
  if (json_object_get(geojson, "geometry"))
    hold_geometries(json_object_get(geojson, "geometry"), out);
  for (size_t k = 0; k < 2; k++)
    json_array_foreach(json_object_get(geojson, inner[k]), i, one) hold_geometries(one, out);
}

static bool read_box(const json_t *place, struct extent *out, double *crs)
{
  const json_t *code = json_object_get(place, "crs");
  *crs = json_is_number(code) || !code || json_is_null(code) ? json_number_value(code) : -1;
  *crs = *crs == 0 ? 4326 : *crs;
  if (json_object_get(place, "west")) {
    *out = (struct extent){
        json_number_value(json_object_get(place, "west")), json_number_value(json_object_get(place, "south")),
        json_number_value(json_object_get(place, "east")), json_number_value(json_object_get(place, "north")), NULL};
    return *crs > 0 && out->west < out->east && out->south < out->north;
  }
  *out = (struct extent){INFINITY, INFINITY, -INFINITY, -INFINITY, NULL};
  if (*crs == 4326)
    hold_geometries(place, out);
  return *crs == 4326 && out->west < out->east && out->south < out->north;
}

/* A part of the place in degrees is about that part of the pixels. */
static void cut_degrees(struct far_cube *cube, const struct extent *box, struct far_dimension *x,
                        struct far_dimension *y)
{
  struct extent *place = &cube->place;
  struct far_dimension across = {.count = x->count, .low = place->west, .high = place->east};
  struct far_dimension up = {.count = y->count, .low = place->south, .high = place->north};
  cut(&across, box->west, box->east);
  cut(&up, box->south, box->north);
  *place = (struct extent){across.low, up.low, across.high, up.high, NULL};
  const double width = x->high - x->low, height = y->high - y->low;
  x->high = x->low + width * (x->count > 0 ? across.count / x->count : 1);
  y->high = y->low + height * (y->count > 0 ? up.count / y->count : 1);
  x->count = across.count;
  y->count = up.count;
}

void far_cube_crop_place(struct far_cube *cube, const json_t *place)
{
  const size_t x = far_cube_find(cube, 'x'), y = far_cube_find(cube, 'y');
  struct extent box;
  double crs;
  if (x == SIZE_MAX || y == SIZE_MAX || !json_is_object(place) || !read_box(place, &box, &crs))
    return;
  if (crs == cube->crs) {
    cut(&cube->dimension[x], box.west, box.east);
    cut(&cube->dimension[y], box.south, box.north);
  } else if (crs == 4326) {
    cut_degrees(cube, &box, &cube->dimension[x], &cube->dimension[y]);
  }
}
