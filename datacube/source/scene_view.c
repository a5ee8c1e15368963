/* A scene of a raster series, or one of its overviews. See scene_view.h.
 *
 * Where the cube is coarser by two or more, pixels come from the coarsest overview that is still as fine as the cube;
 * an overview's pixel size is the file's extent over the overview's size. Pixels of plain GeoTIFFs of the cube's type
 * come by tiff_blocks, all others by GDAL. */
#include "datacube/source/scene_view.h"

#include "datacube/source/raster_file.h"

#include <math.h>
#include <string.h>

/* Grid of an overview: the scene's extent in fewer pixels. */
static struct grid level_grid(const struct grid *scene, GDALRasterBandH level)
{
  struct grid g = *scene;
  g.width = (size_t)GDALGetRasterBandXSize(level);
  g.height = (size_t)GDALGetRasterBandYSize(level);
  g.res_x = scene->res_x * (double)scene->width / (double)g.width;
  g.res_y = scene->res_y * (double)scene->height / (double)g.height;
  return g;
}

/* Sums and extremes are of all pixels; overviews hold a sample or a mean of them. */
static bool method_takes_overviews(enum resampling method)
{
  return method != RESAMPLE_SUM && method != RESAMPLE_MIN && method != RESAMPLE_MAX;
}

/* Takes the coarsest overview that is as fine as the cube, if any. */
static void choose_level(const struct grid *cube, enum resampling method, struct scene_view *view)
{
  const struct grid *scene = &view->scene->grid;
  const double slack = 1 + 1e-6;
  double most_x = view->place->scale_x * slack, most_y = view->place->scale_y * slack;
  if (view->place->on_lattice || most_x < 2 || most_y < 2 || !method_takes_overviews(method))
    return;
  GDALRasterBandH full = view->band;
  for (int i = 0; i < GDALGetOverviewCount(full); i++) {
    GDALRasterBandH level = GDALGetOverview(full, i);
    if (!level || GDALGetRasterBandXSize(level) < 1 || GDALGetRasterBandYSize(level) < 1)
      continue;
    struct grid g = level_grid(scene, level);
    if (g.res_x <= scene->res_x * most_x && g.res_y <= scene->res_y * most_y && g.width < view->grid.width) {
      view->grid = g;
      view->band = level;
      view->tiff = NULL;
    }
  }
  if (view->band == full || !view->place->same_crs)
    return;
  view->grid.crs = cube->crs; /* equal, and quicker to compare as the same text */
  if (!grid_same_lattice(cube, &view->grid))
    return;
  view->on_lattice = true;
  view->column = (ptrdiff_t)rint((cube->west - view->grid.west) / cube->res_x);
  view->row = (ptrdiff_t)rint((view->grid.north - cube->north) / cube->res_y);
}

int scene_view_open(const struct series_state *state, struct raster_handles *handles, size_t index,
                    struct scene_view *view, struct error *error)
{
  const struct raster_scene *scene = &state->series.scenes[index];
  const struct scene_place *place = &state->places[index];
  const struct raster_handle *file;
  if (raster_handles_get(handles, place->file, &file, error))
    return -1;
  GDALDatasetH dataset = file->dataset;
  if (scene->raster_band > GDALGetRasterCount(dataset) || (size_t)GDALGetRasterXSize(dataset) != scene->grid.width ||
      (size_t)GDALGetRasterYSize(dataset) != scene->grid.height) {
    const char *slash = strrchr(scene->path, '/');
    return error_set(error, ERROR_FileContentInvalid,
                     "%.200s is not the raster that was catalogued (%zu x %zu, band %d).",
                     slash ? slash + 1 : scene->path, scene->grid.width, scene->grid.height, scene->raster_band);
  }
  *view = (struct scene_view){.scene = scene,
                              .place = place,
                              .band = GDALGetRasterBand(dataset, scene->raster_band),
                              .tiff = file->tiff,
                              .blocks = handles->blocks,
                              .format = &state->format,
                              .grid = scene->grid,
                              .on_lattice = place->on_lattice,
                              .row = place->row,
                              .column = place->column};
  choose_level(&state->series.grid, state->series.method, view);
  return 0;
}

/* Stored no-data to the cube's, row by row. */
static void translate(const struct scene_view *view, size_t rows, size_t columns, size_t stride, unsigned char *to)
{
  const struct pixel_format *format = view->format;
  const struct scene_place *place = view->place;
  size_t size = element_info(format->type)->size;
  bool signs = view->scene->type == ELEMENT_I8 && format->type != ELEMENT_I8 && raster_unsigned_bytes(view->band);
  bool same = place->nodata == format->nodata || isnan(place->nodata);
  bool replaces = format->has_nodata && place->has_nodata && !same;
  for (size_t row = 0; (signs || replaces) && row < rows; row++) {
    unsigned char *line = to + row * stride * size;
    if (signs)
      pixels_sign_bytes(format->type, columns, line);
    if (replaces)
      pixels_replace(format, place->nodata, columns, line);
  }
}

/* Reads a region of the view's pixels into rows of `stride` bytes, in the cube's type. */
static CPLErr read_pixels(const struct scene_view *view, const struct raster_region *region, size_t stride,
                          unsigned char *to)
{
  GDALDataType type = raster_buffer_type(view->format->type);
  size_t size = element_info(view->format->type)->size;
  if (view->tiff && GDALGetRasterDataType(view->band) == type) {
    const struct tiff_window window = {
        .row = region->row, .column = region->column, .height = region->height, .width = region->width};
    return tiff_window_read(view->blocks, view->tiff, view->band, &window, stride, to);
  }
  return GDALRasterIOEx(view->band, GF_Read, (int)region->column, (int)region->row, (int)region->width,
                        (int)region->height, to, (int)region->width, (int)region->height, type, (GSpacing)size,
                        (GSpacing)stride, NULL);
}

int scene_view_read(const struct scene_view *view, const struct raster_region *region, size_t stride, unsigned char *to,
                    struct error *error)
{
  raster_quiet_begin();
  CPLErr status = read_pixels(view, region, stride * element_info(view->format->type)->size, to);
  int failed = status == CE_None ? 0 : raster_error(error, ERROR_FileContentInvalid, view->scene->path);
  raster_quiet_end();
  if (failed)
    return -1;
  translate(view, region->height, region->width, stride, to);
  return 0;
}
