/* Loading: a request becomes a source. No file is opened here; the index is read in one transaction.
 *
 *   bands, items, scenes -> dates -> grid -> raster series        (or the netCDF file with its selection)
 *
 * A collection whose scenes have no dates is one mosaic without a dimension of time, whatever interval is asked for.
 * A date is a UTC day, or an instant where the collection is sub-daily. Scenes are chosen by their own instants; a day
 * is named by the earliest instant that the collection has on it within the request's interval. So the name does not
 * depend on bands, box or filter, and filtering by the interval afterwards changes nothing. */
#include "stac/cube_files.h"
#include "stac/pixel_lattice.h"

#include "datacube/source/gauge_source.h"
#include "datacube/source/netcdf_source.h"
#include "datacube/source/vector_file.h"
#include "datacube/source/zarr_store.h"

#include <stdlib.h>
#include <string.h>

static int check_interval(const struct load_request *request, struct error *error)
{
  if (request->has_start && request->has_end && request->start >= request->end)
    return error_parameter(error, ERROR_TemporalExtentEmpty, "temporal_extent",
                           "the end of the temporal extent is not after its start");
  return 0;
}

static int nothing(const struct selection *s, const char *what, struct error *error)
{
  return error_set(error, ERROR_NoDataAvailable, "collection '%s' has no scene %s", s->request->collection, what);
}

static int compare_instant(const void *left, const void *right)
{
  const int64_t *a = left, *b = right;
  return *a < *b ? -1 : *a > *b;
}

/* Labels of the scenes' dates, ascending. */
static int make_labels(struct selection *s, int64_t **labels, size_t *count, struct error *error)
{
  int64_t *all = ARENA_ARRAY(s->arena, int64_t, s->scene_count + 1);
  if (!all)
    return error_memory(error);
  for (size_t i = 0; i < s->scene_count; i++)
    all[i] = s->items[s->scenes[i].date].label;
  qsort(all, s->scene_count, sizeof *all, compare_instant);
  *count = 0;
  for (size_t i = 0; i < s->scene_count; i++)
    if (*count == 0 || all[*count - 1] != all[i])
      all[(*count)++] = all[i];
  *labels = all;
  return 0;
}

/* Dates of the scenes that are left; scenes are numbered by them. */
static int number_dates(struct selection *s, struct raster_series *series, struct error *error)
{
  int64_t *labels = NULL;
  if (make_labels(s, &labels, &series->date_count, error) != 0)
    return -1;
  for (size_t i = 0; i < s->scene_count; i++) {
    const int64_t *label = &s->items[s->scenes[i].date].label;
    const int64_t *found = bsearch(label, labels, series->date_count, sizeof *labels, compare_instant);
    s->scenes[i].date = (size_t)(found - labels);
  }
  series->dates = s->undated ? NULL : labels;
  return 0;
}

static size_t count_items(const struct selection *s)
{
  size_t count = 0;
  for (size_t i = 0; i < s->scene_count; i++)
    if (i == 0 || s->scenes[i].date != s->scenes[i - 1].date)
      count++;
  return count;
}

static int fill_bands(const struct selection *s, struct raster_series *series, struct error *error)
{
  const char **names = ARENA_ARRAY(s->arena, const char *, s->band_count);
  struct band_info *infos = ARENA_ARRAY(s->arena, struct band_info, s->band_count);
  if (!names || !infos)
    return error_memory(error);
  for (size_t i = 0; i < s->band_count; i++) {
    names[i] = s->bands[i].name;
    infos[i] = s->bands[i].info;
  }
  series->bands = names;
  series->band_info = infos;
  series->band_count = s->band_count;
  return 0;
}

static int load_rasters(struct selection *s, const struct source **out, struct error *error)
{
  struct raster_series series = {.method = RESAMPLE_NEAREST, .title = s->title};
  if (s->scene_count == 0)
    return nothing(s, "for the given extents and filters", error);
  if (lattice_choose(s, &series.grid, error) != 0)
    return -1;
  lattice_drop_outside(s, &series.grid);
  if (s->scene_count == 0)
    return nothing(s, "with a pixel in the spatial extent", error);
  series.origin = arena_printf(s->arena, "collection %s, %zu items, %zu assets", s->request->collection, count_items(s),
                               s->scene_count);
  if (!series.origin)
    return error_memory(error);
  if (number_dates(s, &series, error) != 0 || fill_bands(s, &series, error) != 0)
    return -1;
  series.scenes = s->scenes;
  series.scene_count = s->scene_count;
  return raster_series_source(s->arena, &series, out, error);
}

static int load_netcdf(struct selection *s, const struct source **out, struct error *error)
{
  const struct load_request *request = s->request;
  const char **names = ARENA_ARRAY(s->arena, const char *, s->band_count);
  struct netcdf_file file = {.path = s->cube_path,
                             .crs = s->crs,
                             .has_nodata = s->has_nodata,
                             .nodata = s->nodata,
                             .title = s->title,
                             .origin = arena_printf(s->arena, "collection %s, one %s %s", request->collection,
                                                    cube_files_format(s->cube_path),
                                                    zarr_is(s->cube_path) ? "hierarchy" : "file")};
  struct netcdf_selection selection = {.extent = request->extent,
                                       .has_start = request->has_start,
                                       .has_end = request->has_end,
                                       .start = request->start,
                                       .end = request->end};
  if (!names || !file.origin)
    return error_memory(error);
  for (size_t i = 0; i < s->band_count; i++)
    names[i] = s->bands[i].name;
  selection.bands = request->bands ? names : NULL;
  selection.band_count = request->bands ? s->band_count : 0;
  return netcdf_source(s->arena, &file, &selection, out, error);
}

/* Features are chosen by place where the cube is a node: there is a geometry library at hand. */
static int load_vector(struct selection *s, const struct source **out, struct error *error)
{
  const char **names = ARENA_ARRAY(s->arena, const char *, s->band_count);
  struct vector_file file = {.path = s->cube_path,
                             .crs = s->crs,
                             .title = s->title,
                             .origin =
                                 arena_printf(s->arena, "collection %s, one file of features", s->request->collection)};
  if (!names || !file.origin)
    return error_memory(error);
  for (size_t i = 0; i < s->band_count; i++)
    names[i] = s->bands[i].name;
  const struct vector_selection selection = {.bands = names, .band_count = s->band_count, .cancel = s->request->cancel};
  return vector_file_source(s->arena, &file, &selection, out, error);
}

/* One gauge field, or several. */
static int load_gauge(struct selection *s, const struct source **out, struct error *error)
{
  if (!s->region.everywhere)
    return error_parameter(error, ERROR_FeatureUnsupported, "spatial_extent",
                           "collection %s is of lattice gauge fields, which lie nowhere on the Earth",
                           s->request->collection);
  if (cube_files_are_several(s->cube_path))
    return cube_files_load(s, out, error);
  return gauge_source(s->arena, &s->cube_path, 1, out, error);
}

static int select_all(struct index *index, struct selection *s, struct error *error)
{
  if (select_collection(index, s, error) != 0 || select_bands(index, s, error) != 0)
    return -1;
  if (s->cube_path && !s->request->filter)
    return 0;
  if (select_items(index, s, error) != 0)
    return -1;
  if (s->cube_path)
    return s->item_count > 0 ? 0 : nothing(s, "that the properties accept", error);
  return select_scenes(index, s, error);
}

/* One transaction: a collection replaced in between is seen whole, old or new. */
static int read_index(struct index *index, struct selection *s, struct error *error)
{
  struct error ignored = {0};
  if (index_open(index, error) != 0)
    return -1;
  if (!index->db) /* sets CollectionNotFound */
    return select_collection(index, s, error);
  if (index_execute(index, STATEMENT_BEGIN_READ, error) != 0)
    return -1;
  int result = select_all(index, s, error);
  index_execute(index, STATEMENT_COMMIT, &ignored);
  return result;
}

int catalogue_load(const struct catalogue *catalogue, struct arena *arena, const struct load_request *request,
                   const struct source **out, struct error *error)
{
  struct selection *s = ARENA_NEW(arena, struct selection);
  if (!s)
    return error_memory(error);
  s->arena = arena;
  s->request = request;
  if (check_interval(request, error) != 0 || region_make(request->extent, arena, &s->region, error) != 0 ||
      read_index(catalogue->index, s, error) != 0)
    return -1;
  if (!s->cube_path)
    return load_rasters(s, out, error);
  if (vector_file_is(s->cube_path) && !zarr_is(s->cube_path)) /* .json may be either */
    return load_vector(s, out, error);
  if (cube_files_are_gauge(s->arena, s->cube_path))
    return load_gauge(s, out, error);
  if (s->region.geographic && s->region.box.east > 180)
    return error_parameter(error, ERROR_FeatureUnsupported, "spatial_extent",
                           "the box crosses the antimeridian: load the two sides of a netCDF collection apart");
  return cube_files_are_several(s->cube_path) ? cube_files_load(s, out, error) : load_netcdf(s, out, error);
}
