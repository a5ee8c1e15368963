#include "processes/graph/far_steps.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { COMPUTED_BYTES = 4 };

static const char *text_of(const json_t *arguments, const char *name)
{
  return json_string_value(json_object_get(arguments, name));
}

static bool is_given(const json_t *arguments, const char *name)
{
  const json_t *value = json_object_get(arguments, name);
  return value && !json_is_null(value);
}

static void compute(struct far_cube *cube)
{
  cube->value_bytes = fmax(cube->value_bytes, COMPUTED_BYTES);
}

/* Whether labels along time are what their instants say. */
static bool has_own_labels(const struct far_cube *cube)
{
  return cube->labels || cube->period;
}

/* ---- filters ----------------------------------------------------------------------------------------------------- */

static bool apply_filter_bands(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  (void)other;
  if (!is_given(arguments, "wavelengths"))
    far_cube_crop_bands(cube, json_object_get(arguments, "bands"));
  return far_cube_find(cube, 'b') != SIZE_MAX;
}

static bool apply_filter_bbox(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  (void)other;
  far_cube_crop_place(cube, json_object_get(arguments, "extent"));
  return !cube->geometries;
}

static bool apply_filter_spatial(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  (void)other;
  far_cube_crop_place(cube, json_object_get(arguments, "geometries"));
  return !cube->geometries;
}

static bool apply_filter_temporal(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  (void)other;
  far_cube_crop_time(cube, json_object_get(arguments, "extent"));
  return !has_own_labels(cube);
}

/* ---- same cube, other values ------------------------------------------------------------------------------------- */

static bool apply_apply(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  (void)other, (void)arguments;
  compute(cube);
  return true;
}

static bool apply_mask(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  (void)arguments;
  return !cube->geometries && (!other || !other->geometries);
}

/* ---- fewer dimensions -------------------------------------------------------------------------------------------- */

/* A file has variables of something: of the bands alone it would be none. */
static bool has_dimensions(const struct far_cube *cube)
{
  return cube->count > (far_cube_find(cube, 'b') != SIZE_MAX ? 1 : 0);
}

static bool remove_kind(struct far_cube *cube, size_t d)
{
  if (d == SIZE_MAX)
    return false;
  const char kind = cube->dimension[d].kind;
  far_cube_remove(cube, d);
  if (kind == 't') {
    cube->period = NULL;
    cube->labels = NULL;
  }
  if (kind == 'g')
    cube->geometries = NULL;
  return has_dimensions(cube);
}

/* Reducers that give one of the values they take. */
static bool selects(const json_t *callback)
{
  static const char *const those[] = {"min", "max", "first", "last"};
  const json_t *graph = json_object_get(callback, "process_graph");
  const char *id, *process;
  json_t *node;
  if (json_object_size(graph) != 1)
    return false;
  json_object_foreach((json_t *)(uintptr_t)graph, id, node)
  {
    process = text_of(node, "process_id");
    for (size_t i = 0; process && i < sizeof those / sizeof those[0]; i++)
      if (strcmp(process, those[i]) == 0)
        return true;
  }
  return false;
}

static void reduce(struct far_cube *cube, const json_t *arguments)
{
  if (!selects(json_object_get(arguments, "reducer")))
    compute(cube);
}

static bool apply_reduce_dimension(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  (void)other;
  reduce(cube, arguments);
  return remove_kind(cube, far_cube_named(cube, text_of(arguments, "dimension")));
}

static bool apply_reduce_spatial(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  (void)other;
  reduce(cube, arguments);
  const bool has_x = remove_kind(cube, far_cube_find(cube, 'x'));
  return has_x && remove_kind(cube, far_cube_find(cube, 'y'));
}

static bool apply_drop_dimension(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  (void)other;
  return remove_kind(cube, far_cube_named(cube, text_of(arguments, "name")));
}

static bool apply_ndvi(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  const size_t d = far_cube_find(cube, 'b');
  (void)other;
  compute(cube);
  if (d == SIZE_MAX || is_given(arguments, "target_band"))
    return false;
  return remove_kind(cube, d);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static bool is_time(const struct far_cube *cube, const json_t *arguments, size_t *d)
{
  *d = far_cube_find(cube, 't');
  return *d != SIZE_MAX &&
         (!is_given(arguments, "dimension") || far_cube_named(cube, text_of(arguments, "dimension")) == *d);
}

static bool apply_aggregate_temporal_period(struct far_cube *cube, const struct far_cube *other,
                                            const json_t *arguments)
{
  static const struct {
    const char *name;
    double days;
  } periods[] = {{"hour", 1. / 24},
                 {"day", 1},
                 {"week", 7},
                 {"dekad", 10},
                 {"month", 30.4375},
                 {"season", 91.3},
                 {"tropical-season", 182.6},
                 {"year", 365.2425},
                 {"decade", 3652.4},
                 {"decade-ad", 3652.4}};
  const char *period = text_of(arguments, "period");
  size_t d;
  (void)other;
  if (!is_time(cube, arguments, &d) || has_own_labels(cube) || !period)
    return false;
  reduce(cube, arguments);
  struct far_dimension *t = &cube->dimension[d];
  for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
    if (strcmp(periods[i].name, period) != 0)
      continue;
    cube->period = period;
    if (t->low < t->high)
      t->count = fmin(t->count, 1 + floor((t->high - t->low) / (periods[i].days * 86400e3)));
  }
  return cube->period != NULL;
}

static bool is_label(const json_t *label)
{
  return json_is_string(label) || json_is_string(json_array_get(label, 0));
}

static bool apply_aggregate_temporal(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  const json_t *intervals = json_object_get(arguments, "intervals"), *labels = json_object_get(arguments, "labels");
  const json_t *label;
  size_t d, i;
  (void)other;
  if (!is_time(cube, arguments, &d) || has_own_labels(cube))
    return false;
  cube->labels = json_array_size(labels) > 0 ? labels : intervals;
  if (json_array_size(cube->labels) == 0 || json_array_size(cube->labels) != json_array_size(intervals))
    return false;
  json_array_foreach(cube->labels, i, label) if (!is_label(label)) return false;
  reduce(cube, arguments);
  cube->dimension[d].count = (double)json_array_size(intervals);
  return true;
}

/* ---- space ------------------------------------------------------------------------------------------------------- */

static double count_geometries(const json_t *geojson)
{
  const json_t *features = json_object_get(geojson, "features"), *parts = json_object_get(geojson, "geometries");
  return json_is_array(features) ? (double)json_array_size(features)
         : json_is_array(parts)  ? (double)json_array_size(parts)
                                 : 1;
}

static bool apply_aggregate_spatial(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  const json_t *geometries = json_object_get(arguments, "geometries");
  (void)other;
  if (!json_is_object(geometries) || is_given(arguments, "target_dimension") || cube->geometries)
    return false;
  const size_t x = far_cube_find(cube, 'x');
  if (x == SIZE_MAX || far_cube_find(cube, 'y') == SIZE_MAX)
    return false;
  compute(cube);
  far_cube_remove(cube, x);
  cube->dimension[far_cube_find(cube, 'y')] =
      (struct far_dimension){.name = "geometry", .kind = 'g', .count = count_geometries(geometries)};
  cube->geometries = geometries;
  return true;
}

/* Pixels of that size, in degrees or metres, over the place. */
static void resample(struct far_cube *cube, const struct far_dimension size[2], double crs)
{
  enum { METRES = 111320 }; /* of a degree of latitude */
  const size_t at[] = {far_cube_find(cube, 'x'), far_cube_find(cube, 'y')};
  const struct extent *place = &cube->place;
  const double middle = cos((place->south + place->north) / 2 * M_PI / 180);
  const double degrees[] = {place->east - place->west, place->north - place->south};
  const double unit[] = {crs == 4326 ? 1 : METRES * middle, crs == 4326 ? 1 : METRES};
  for (size_t i = 0; i < 2; i++) {
    struct far_dimension *one = &cube->dimension[at[i]];
    const bool is_same = crs == 0 || crs == cube->crs;
    const double length = is_same ? one->high - one->low : degrees[i] * unit[i];
    if (size[i].count > 0 && length > 0)
      one->count = fmax(1, ceil(length / size[i].count));
    if (!is_same)
      one->low = one->high = 0;
  }
  cube->crs = crs == 0 ? cube->crs : crs;
}

static bool apply_resample_spatial(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  const json_t *resolution = json_object_get(arguments, "resolution");
  const json_t *projection = json_object_get(arguments, "projection");
  struct far_dimension size[2] = {{.count = json_number_value(resolution)}, {.count = json_number_value(resolution)}};
  (void)other;
  for (size_t i = 0; i < 2 && json_is_array(resolution); i++)
    size[i].count = json_number_value(json_array_get(resolution, i));
  if (far_cube_find(cube, 'x') == SIZE_MAX || far_cube_find(cube, 'y') == SIZE_MAX)
    return false;
  resample(cube, size,
           json_is_number(projection)          ? json_number_value(projection)
           : is_given(arguments, "projection") ? -1
                                               : 0);
  return true;
}

static bool apply_resample_cube_spatial(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  static const char plane[] = "xy";
  (void)arguments;
  for (size_t i = 0; i < 2; i++) {
    const size_t to = far_cube_find(cube, plane[i]), from = other ? far_cube_find(other, plane[i]) : SIZE_MAX;
    if (to == SIZE_MAX || from == SIZE_MAX)
      return false;
    cube->dimension[to] = other->dimension[from];
  }
  cube->crs = other->crs;
  cube->place = other->place;
  return true;
}

/* ---- two cubes --------------------------------------------------------------------------------------------------- */

static bool has_label(const json_t *labels, const char *label)
{
  const json_t *one;
  size_t i;
  json_array_foreach(labels, i, one) if (json_is_string(one) && strcmp(json_string_value(one), label) == 0) return true;
  return false;
}

/* Bands of both, as far as they are named; else as many as both have. */
static void join_bands(struct far_dimension *bands, const struct far_dimension *others)
{
  const json_t *one;
  size_t i;
  double count = bands->count;
  json_array_foreach(others->labels, i, one)
  {
    count += !json_is_string(one) || !has_label(bands->labels, json_string_value(one));
  }
  bands->count = others->labels ? count : bands->count + others->count;
  bands->labels = NULL;
}

/* Cubes of the same dimensions; in another order, or with fewer, they are joined here. */
static bool apply_merge_cubes(struct far_cube *cube, const struct far_cube *other, const json_t *arguments)
{
  (void)arguments;
  if (!other || other->count != cube->count || cube->geometries || other->geometries || has_own_labels(cube) ||
      has_own_labels(other))
    return false;
  for (size_t i = 0; i < cube->count; i++) {
    struct far_dimension *one = &cube->dimension[i];
    if (one->kind != other->dimension[i].kind || strcmp(one->name, other->dimension[i].name) != 0)
      return false;
    if (one->kind == 'b')
      join_bands(one, &other->dimension[i]);
    else
      one->count = fmax(one->count, other->dimension[i].count);
  }
  cube->value_bytes = fmax(cube->value_bytes, other->value_bytes);
  cube->is_assumed = cube->is_assumed || other->is_assumed;
  return true;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const struct far_step steps[] = {
    {"filter_bands", {"data"}, true, apply_filter_bands},
    {"filter_bbox", {"data"}, true, apply_filter_bbox},
    {"filter_spatial", {"data"}, true, apply_filter_spatial},
    {"filter_temporal", {"data"}, true, apply_filter_temporal},
    {"apply", {"data"}, false, apply_apply},
    {"apply_kernel", {"data"}, false, apply_apply},
    {"mask_polygon", {"data"}, false, apply_mask},
    {"mask", {"data", "mask"}, false, apply_mask},
    {"reduce_dimension", {"data"}, true, apply_reduce_dimension},
    {"reduce_spatial", {"data"}, true, apply_reduce_spatial},
    {"drop_dimension", {"data"}, true, apply_drop_dimension},
    {"ndvi", {"data"}, false, apply_ndvi},
    {"aggregate_temporal_period", {"data"}, false, apply_aggregate_temporal_period},
    {"aggregate_temporal", {"data"}, false, apply_aggregate_temporal},
    {"aggregate_spatial", {"data"}, false, apply_aggregate_spatial},
    {"resample_spatial", {"data"}, false, apply_resample_spatial},
    {"resample_cube_spatial", {"data", "target"}, false, apply_resample_cube_spatial},
    {"merge_cubes", {"cube1", "cube2"}, false, apply_merge_cubes},
};

const struct far_step *far_step_find(const char *process)
{
  for (size_t i = 0; process && i < sizeof steps / sizeof steps[0]; i++)
    if (strcmp(steps[i].process, process) == 0)
      return &steps[i];
  return NULL;
}
