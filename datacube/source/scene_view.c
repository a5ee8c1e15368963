/* A scene of a raster series. See scene_view.h.
 *
 * Pixels come from the file's full resolution, whatever the cube's: what overviews and JPEG2000 levels hold is a sample
 * of them or a mean, made by a rule that files do not tell, and no method's value is made of those. Only a series that
 * says so (a map's) takes them where they suit. Pixels of plain
 * GeoTIFFs of the cube's type come by tiff_blocks, all others by GDAL, which need not even open the former. Grids run
 * from north to south; the rows of a file that runs the other way are turned as they are read. */
#include "datacube/source/scene_view.h"

#include "datacube/remote/remote_file.h"
#include "datacube/source/raster_file.h"
#include "datacube/source/raster_mask.h"

#include <math.h>
#include <string.h>

/* Pixels of the file per pixel of the cube, about; 1 where that cannot be told. */
static double shrinking(const struct scene_view *view)
{
  const struct scene_place *place = view->place;
  const double across = (double)view->scene->grid.width / (place->x1 - place->x0);
  const double down = (double)view->scene->grid.height / (place->y1 - place->y0);
  return isfinite(across) && isfinite(down) && across > 0 && down > 0 ? fmin(across, down) : 1;
}

static void take_overview(const struct series_state *state, const struct raster_handle *file, struct scene_view *view)
{
  struct raster_level level;
  if (!file->levels || view->place->on_lattice || view->scene->type == ELEMENT_I8 ||
      !raster_level_find(file->levels, view->scene->raster_band, view->mask, &view->scene->grid, shrinking(view),
                         state->series.method, &level))
    return;
  view->number = GDALGetBandNumber(level.band);
  view->band = level.band;
  view->mask = level.mask;
  view->tiff = level.tiff;
  view->grid = level.grid;
}

static bool runs_north(GDALDatasetH dataset)
{
  double t[6];
  return GDALGetGeoTransform(dataset, t) == CE_None && t[5] > 0;
}

/* Whether a file with a grid of its own has the scene's, to a hundredth of a pixel. */
static bool lies_there(const struct grid *grid, const double t[6])
{
  if (t[1] == 1 && fabs(t[5]) == 1)
    return true;
  const double north = fmax(t[3], t[3] + (double)grid->height * t[5]), across = (double)grid->width;
  return fabs(t[0] - grid->west) < 0.01 * grid->res_x && fabs(north - grid->north) < 0.01 * grid->res_y &&
         fabs(t[1] - grid->res_x) * across < 0.01 * grid->res_x &&
         fabs(fabs(t[5]) - grid->res_y) * (double)grid->height < 0.01 * grid->res_y;
}

/* Documents describe what is in other files, and files change. */
static bool is_catalogued(const struct raster_scene *scene, GDALDatasetH dataset)
{
  double t[6];
  return scene->raster_band <= GDALGetRasterCount(dataset) &&
         (size_t)GDALGetRasterXSize(dataset) == scene->grid.width &&
         (size_t)GDALGetRasterYSize(dataset) == scene->grid.height &&
         raster_element_type(GDALGetRasterBand(dataset, scene->raster_band)) == scene->type &&
         (GDALGetGeoTransform(dataset, t) != CE_None || lies_there(&scene->grid, t)) &&
         (scene->masked || !remote_is(scene->path) || !raster_mask_band(dataset, scene->raster_band));
}

/* Whether the file's own tags tell all: of a scene of the cube's type, without mask and overviews. */
static bool is_image(const struct series_state *state, const struct raster_scene *scene, const struct tiff_image *image)
{
  return !scene->masked && !state->series.overviews && scene->type == state->format.type &&
         image->type == scene->type && (size_t)scene->raster_band <= image->bands &&
         image->width == scene->grid.width && image->height == scene->grid.height &&
         lies_there(&scene->grid, image->transform);
}

/* The catalogued raster as GDAL has it. */
static int view_dataset(const struct series_state *state, struct raster_handles *handles, struct scene_view *view,
                        struct error *error)
{
  const struct raster_scene *scene = view->scene;
  const struct raster_handle *file;
  if (raster_handles_get(handles, view->place->file, &file, error))
    return -1;
  GDALDatasetH dataset = file->dataset;
  if (!is_catalogued(scene, dataset)) {
    const char *slash = strrchr(scene->path, '/');
    return error_set(error, ERROR_FileContentInvalid,
                     "%.200s is not the raster that was catalogued, or that its item describes (band %d: %zu x %zu of "
                     "type %s, from %g, %g).",
                     slash ? slash + 1 : scene->path, scene->raster_band, scene->grid.width, scene->grid.height,
                     element_info(scene->type)->name, scene->grid.west, scene->grid.north);
  }
  view->band = GDALGetRasterBand(dataset, scene->raster_band);
  view->mask = scene->masked ? raster_mask_band(dataset, scene->raster_band) : NULL;
  view->tiff = file->tiff;
  view->south_up = runs_north(dataset);
  if (element_is_word(state->format.type))
    view->stored = scene->type == state->format.type ? raster_nodata_word(view->band, scene->type, view->place->nodata)
                                                     : element_word(state->format.type, view->place->nodata);
  if (state->series.overviews)
    take_overview(state, file, view);
  return 0;
}

int scene_view_open(const struct series_state *state, struct raster_handles *handles, size_t index,
                    struct scene_view *view, struct error *error)
{
  const struct raster_scene *scene = &state->series.scenes[index];
  const struct scene_place *place = &state->places[index];
  *view = (struct scene_view){.scene = scene,
                              .place = place,
                              .grid = scene->grid,
                              .number = scene->raster_band,
                              .blocks = handles->blocks,
                              .format = &state->format};
  const struct raster_handle *file = raster_handles_image(handles, place->file);
  if (!file || !is_image(state, scene, &file->image))
    return view_dataset(state, handles, view, error);
  view->tiff = file->tiff;
  return 0;
}

/* Stored no-data to the cube's, codes to what they stand for, row by row. */
static void translate(const struct scene_view *view, size_t rows, size_t columns, size_t stride, unsigned char *to)
{
  const struct pixel_format *format = view->format;
  const struct scene_place *place = view->place;
  size_t size = element_info(format->type)->size;
  bool signs = view->scene->type == ELEMENT_I8 && format->type != ELEMENT_I8 && raster_unsigned_bytes(view->band);
  const bool words = element_is_word(format->type);
  bool same = words ? view->stored == element_word(format->type, format->nodata)
                    : place->nodata == format->nodata || isnan(place->nodata);
  bool replaces = format->has_nodata && place->has_nodata && !same;
  for (size_t row = 0; (signs || replaces || view->scene->unpacks) && row < rows; row++) {
    unsigned char *line = to + row * stride * size;
    if (signs)
      pixels_sign_bytes(format->type, columns, line);
    if (replaces && words)
      pixels_replace_word(format, view->stored, columns, line);
    else if (replaces)
      pixels_replace(format, place->nodata, columns, line);
    if (view->scene->unpacks)
      pixels_unpack(format->type, view->scene->scale, view->scene->offset, columns, line);
  }
}

static size_t first_row(const struct scene_view *view, const struct raster_region *region)
{
  return view->south_up ? view->grid.height - region->row - region->height : region->row;
}

/* Reads a region of the view's pixels into rows of `stride` bytes, in the cube's type; the region is the
 * file's. */
static CPLErr read_pixels(const struct scene_view *view, const struct raster_region *region, size_t stride,
                          unsigned char *to)
{
  GDALDataType type = raster_buffer_type(view->format->type);
  size_t size = element_info(view->format->type)->size;
  if (view->tiff && (!view->band || GDALGetRasterDataType(view->band) == type)) {
    const struct tiff_window window = {
        .row = region->row, .column = region->column, .height = region->height, .width = region->width};
    return tiff_window_read(view->blocks, view->tiff, view->number, &window, stride, to);
  }
  return GDALRasterIOEx(view->band, GF_Read, (int)region->column, (int)region->row, (int)region->width,
                        (int)region->height, to, (int)region->width, (int)region->height, type, (GSpacing)size,
                        (GSpacing)stride, NULL);
}

/* The last row first. */
static void turn_rows(size_t rows, size_t bytes, size_t stride, unsigned char *data)
{
  for (size_t row = 0; row < rows / 2; row++) {
    unsigned char *a = data + row * stride, *b = data + (rows - 1 - row) * stride;
    for (size_t i = 0; i < bytes; i++) {
      unsigned char kept = a[i];
      a[i] = b[i];
      b[i] = kept;
    }
  }
}

/* In the cube's type, from the north, what holds nothing being the cube's no-data. */
static CPLErr read_values(const struct scene_view *view, const struct raster_region *region, size_t stride,
                          unsigned char *to)
{
  size_t size = element_info(view->format->type)->size;
  struct raster_region in_file = *region;
  in_file.row = first_row(view, region);
  if (read_pixels(view, &in_file, stride * size, to) != CE_None)
    return CE_Failure;
  if (view->south_up)
    turn_rows(region->height, region->width * size, stride * size, to);
  translate(view, region->height, region->width, stride, to);
  const struct mask_target target = {to, stride, view->south_up};
  return view->mask ? raster_mask_apply(view->mask, view->format, &in_file, &target) : CE_None;
}

int scene_view_read(const struct scene_view *view, const struct raster_region *region, size_t stride, unsigned char *to,
                    struct error *error)
{
  raster_quiet_begin();
  CPLErr status = read_values(view, region, stride, to);
  int failed = status == CE_None ? 0 : raster_error(error, ERROR_FileContentInvalid, view->scene->path);
  raster_quiet_end();
  return failed ? -1 : 0;
}

void scene_view_ahead(const struct scene_view *view, const struct raster_region *region)
{
  if (!view->tiff)
    return;
  const struct tiff_window window = {
      .row = first_row(view, region), .column = region->column, .height = region->height, .width = region->width};
  tiff_window_ahead(view->blocks, view->tiff, view->number, &window);
}
