/* Inspects all files, settles dates, bands and grid, and makes one raster series of them. */
#include "processes/load/raster_files.h"

#include "datacube/source/raster_series.h"
#include "processes/cube/shape.h"
#include "stac/name_pattern.h"
#include "stac/sensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct one_file {
  struct raster_file raster;
  const char *band; /* of its only band; NULL: it has several */
  bool is_named;    /* the band's name is known, not made up */
  int64_t instant;
};

struct file_set {
  struct call *call;
  const struct user_file *names;
  struct one_file *files;
  size_t count;
  bool has_dates;
  struct raster_series series;
  struct raster_scene *scenes;
  const char **bands; /* names, in the order in which they came */
  struct band_info *infos;
  size_t room; /* for scenes and bands */
};

/* ---- dates ------------------------------------------------------------------------------------------------------ */

static int by_instant(const void *a, const void *b)
{
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static int read_instants(struct file_set *set)
{
  struct error *error = set->call->error;
  struct name_pattern pattern;
  size_t dated = 0, without = 0;
  if (name_pattern_new(NULL, NULL, &pattern, error) != 0)
    return -1;
  for (size_t i = 0; i < set->count; i++)
    if (name_find_datetime(&pattern, set->names[i].name, &set->files[i].instant))
      dated++;
    else
      without = i;
  name_pattern_free(&pattern);
  set->has_dates = dated > 0;
  if (dated == 0 || dated == set->count)
    return 0;
  return error_parameter(error, ERROR_FormatUnsuitable, "paths",
                         "'%s' has no date in its name, others have: give all of them one, or none",
                         set->names[without].name);
}

static int number_dates(struct file_set *set)
{
  int64_t *dates = ARENA_ARRAY(set->call->arena, int64_t, set->count);
  size_t count = 0;
  if (!dates)
    return error_memory(set->call->error);
  for (size_t i = 0; i < set->count; i++)
    dates[i] = set->files[i].instant;
  qsort(dates, set->count, sizeof *dates, by_instant);
  for (size_t i = 0; i < set->count; i++)
    if (count == 0 || dates[i] != dates[count - 1])
      dates[count++] = dates[i];
  set->series.dates = dates;
  set->series.date_count = count;
  return 0;
}

/* ---- bands ------------------------------------------------------------------------------------------------------ */

static struct extent box_of(const struct grid *grid)
{
  return (struct extent){grid->west, grid->north - grid->res_y * (double)grid->height,
                         grid->west + grid->res_x * (double)grid->width, grid->north, grid->crs};
}

/* By half a pixel at least: neighbours that share an edge do not overlap. */
static bool overlap(const struct grid *a, const struct grid *b)
{
  const struct extent p = box_of(a), q = box_of(b);
  return !crs_equal(a->crs, b->crs) || (fmin(p.east, q.east) - fmax(p.west, q.west) > a->res_x / 2 &&
                                        fmin(p.north, q.north) - fmax(p.south, q.south) > a->res_y / 2);
}

/* The words of a file's name that are no date, tile or pixel size. */
static const char *words_of(struct call *call, const char *name)
{
  struct name_span words[NAME_MAX_WORDS];
  const char *text = "";
  const size_t count = name_words(name, words);
  for (size_t i = 0; text && i < count; i++)
    text = arena_printf(call->arena, "%s%s%.*s", text, i ? "_" : "", (int)(words[i].end - words[i].start),
                        name + words[i].start);
  return text && !*text ? "B1" : text;
}

/* A band that the file describes, or that is a sensor's by the file's name; else "B1" for the time being. */
static int name_band(struct file_set *set, const struct name_pattern *pattern, size_t i)
{
  struct one_file *file = &set->files[i];
  const char *const name = set->names[i].name;
  struct name_span span;
  bool is_known = false;
  if (file->raster.band_count != 1)
    return 0;
  file->is_named = true;
  if (raster_file_is_described(&file->raster))
    file->band = file->raster.bands[0].description;
  else if (name_find_band(pattern, name, &span, &is_known) && is_known)
    file->band = arena_strndup(set->call->arena, name + span.start, span.end - span.start);
  else {
    file->band = "B1";
    file->is_named = false;
  }
  return file->band ? 0 : error_memory(set->call->error);
}

static bool are_crowded(const struct file_set *set)
{
  for (size_t i = 0; i < set->count; i++)
    for (size_t j = 0; j < i; j++) {
      const struct one_file *a = &set->files[i], *b = &set->files[j];
      if (a->band && b->band && !a->is_named && !b->is_named && a->instant == b->instant &&
          overlap(&a->raster.grid, &b->raster.grid))
        return true;
    }
  return false;
}

static int name_bands(struct file_set *set)
{
  struct name_pattern pattern;
  int status = name_pattern_new(NULL, NULL, &pattern, set->call->error);
  if (status != 0)
    return -1;
  for (size_t i = 0; status == 0 && i < set->count; i++)
    status = name_band(set, &pattern, i);
  name_pattern_free(&pattern);
  if (status != 0 || !are_crowded(set))
    return status;
  for (size_t i = 0; i < set->count; i++)
    if (set->files[i].band && !set->files[i].is_named &&
        !(set->files[i].band = words_of(set->call, set->names[i].name)))
      return error_memory(set->call->error);
  return 0;
}

/* ---- scenes ----------------------------------------------------------------------------------------------------- */

static size_t find_band(struct file_set *set, size_t file, const char *name, const struct raster_file_band *band)
{
  for (size_t i = 0; i < set->series.band_count; i++)
    if (strcmp(set->bands[i], name) == 0)
      return i;
  struct band_info info = {.scale = band->scale, .offset = band->offset, .unit = band->unit};
  sensor_describe(set->names[file].name, name, &info);
  set->bands[set->series.band_count] = name;
  set->infos[set->series.band_count] = info;
  return set->series.band_count++;
}

static int add_scenes(struct file_set *set, size_t f)
{
  const struct one_file *file = &set->files[f];
  const bool described = raster_file_is_described(&file->raster);
  const int64_t *date = bsearch(&file->instant, set->series.dates, set->series.date_count, sizeof *date, by_instant);
  for (size_t i = 0; i < file->raster.band_count; i++) {
    const struct raster_file_band *band = &file->raster.bands[i];
    const char *name = file->band  ? file->band
                       : described ? band->description
                                   : arena_printf(set->call->arena, "B%zu", i + 1);
    if (!name)
      return error_memory(set->call->error);
    set->scenes[set->series.scene_count++] = (struct raster_scene){.path = set->names[f].path,
                                                                   .raster_band = (int)i + 1,
                                                                   .date = (size_t)(date - set->series.dates),
                                                                   .band = find_band(set, f, name, band),
                                                                   .grid = file->raster.grid,
                                                                   .type = band->type,
                                                                   .has_nodata = band->has_nodata,
                                                                   .nodata = band->nodata,
                                                                   .masked = band->masked,
                                                                   .scale = band->scale,
                                                                   .offset = band->offset};
  }
  return 0;
}

/* Values mean the same in all files of a band, or are loaded as what they mean. */
static void settle_packing(struct file_set *set)
{
  for (size_t b = 0; b < set->series.band_count; b++) {
    struct band_info *info = &set->infos[b];
    bool differ = false;
    for (size_t i = 0; i < set->series.scene_count; i++) {
      const struct raster_scene *scene = &set->scenes[i];
      differ = differ || (scene->band == b && (scene->scale != info->scale || scene->offset != info->offset));
    }
    for (size_t i = 0; differ && i < set->series.scene_count; i++)
      set->scenes[i].unpacks = set->scenes[i].unpacks || set->scenes[i].band == b;
    if (differ) {
      info->scale = 1;
      info->offset = 0;
    }
  }
}

/* Pixels of a lattice from `edge` on that cover from `low` to `high`: the first one's number and how many. */
static bool cover(double edge, double step, double low, double high, double *first, size_t *count)
{
  static const double slack = 1e-3, most = 1e9; /* of a pixel; pixels */
  *first = floor((low - edge) / step + slack);
  const double wanted = ceil((high - edge) / step - slack) - *first;
  *count = wanted >= 1 && wanted <= most ? (size_t)wanted : 0;
  return *count > 0;
}

/* The first file's lattice, over all of them. */
static int choose_grid(struct file_set *set)
{
  const struct grid *first = &set->files[0].raster.grid;
  struct extent all = box_of(first);
  for (size_t i = 1; i < set->count; i++) {
    struct extent box = box_of(&set->files[i].raster.grid);
    if (!crs_equal(box.crs, first->crs) && extent_transform_in_use(&box, first->crs, &box, set->call->error) != 0)
      return -1;
    all.west = fmin(all.west, box.west);
    all.south = fmin(all.south, box.south);
    all.east = fmax(all.east, box.east);
    all.north = fmax(all.north, box.north);
  }
  struct grid *grid = &set->series.grid;
  double column, row;
  *grid = *first;
  if (!cover(first->west, first->res_x, all.west, all.east, &column, &grid->width) ||
      !cover(-first->north, first->res_y, -all.north, -all.south, &row, &grid->height))
    return error_parameter(set->call->error, ERROR_ProcessGraphComplexity, "paths",
                           "the files lie too far apart for one grid of the first file's pixels");
  grid->west += column * first->res_x;
  grid->north -= row * first->res_y;
  return 0;
}

static int make_rows(struct file_set *set)
{
  struct arena *arena = set->call->arena;
  for (size_t i = 0; i < set->count; i++)
    set->room += set->files[i].raster.band_count;
  set->scenes = ARENA_ARRAY(arena, struct raster_scene, set->room);
  set->bands = ARENA_ARRAY(arena, const char *, set->room);
  set->infos = ARENA_ARRAY(arena, struct band_info, set->room);
  if (!set->scenes || !set->bands || !set->infos)
    return error_memory(set->call->error);
  for (size_t i = 0; i < set->count; i++)
    if (add_scenes(set, i) != 0)
      return -1;
  settle_packing(set);
  set->series.scenes = set->scenes;
  set->series.bands = set->bands;
  set->series.band_info = set->infos;
  return 0;
}

static int inspect_all(struct file_set *set)
{
  const volatile int *cancel = call_cancel(set->call);
  for (size_t i = 0; i < set->count; i++)
    if (cancel && *cancel)
      return error_set(set->call->error, ERROR_RequestTimeout, "the request was cancelled");
    else if (raster_file_inspect(set->call->arena, set->names[i].path, &set->files[i].raster, set->call->error) != 0)
      return -1;
  return 0;
}

/* Without dates the one date that the series has goes. */
static int make_node(struct file_set *set, const struct node **out)
{
  struct call *call = set->call;
  const struct source *source;
  set->series.method = RESAMPLE_NEAREST;
  set->series.origin = arena_printf(call->arena, "%zu files of the user", set->count);
  if (!set->series.origin)
    return error_memory(call->error);
  if (raster_series_source(call->arena, &set->series, &source, call->error) != 0)
    return -1;
  *out = node_source(call->arena, call_origin(call), source);
  if (!*out)
    return error_memory(call->error);
  return set->has_dates ? 0 : view_drop(call, *out, cube_find_type((*out)->cube, DIMENSION_TEMPORAL), 0, out);
}

int raster_files_load(struct call *call, const struct user_file *files, size_t count, const struct node **out)
{
  struct file_set set = {.call = call, .names = files, .count = count};
  set.files = ARENA_ARRAY(call->arena, struct one_file, count);
  if (!set.files)
    return error_memory(call->error);
  if (inspect_all(&set) != 0 || read_instants(&set) != 0 || number_dates(&set) != 0 || name_bands(&set) != 0 ||
      choose_grid(&set) != 0 || make_rows(&set) != 0)
    return -1;
  return make_node(&set, out);
}
