/* A scene of a raster series. See scene_view.h.
 *
 * Pixels come from the file's full resolution, whatever the cube's: what overviews and JPEG2000 levels hold is a sample
 * of them or a mean, made by a rule that files do not tell, and no method's value is made of those. Pixels of plain
 * GeoTIFFs of the cube's type come by tiff_blocks, all others by GDAL. Grids run from north to south; the rows of a
 * file that runs the other way are turned as they are read. */
#include "datacube/source/scene_view.h"

#include "datacube/source/raster_file.h"

#include <math.h>
#include <string.h>

static bool runs_north(GDALDatasetH dataset)
{
  double t[6];
  return GDALGetGeoTransform(dataset, t) == CE_None && t[5] > 0;
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
                              .south_up = runs_north(dataset)};
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

/* Reads a region of the view's pixels into rows of `stride` bytes, in the cube's type, in the file's order. */
static CPLErr read_pixels(const struct scene_view *view, const struct raster_region *region, size_t stride,
                          unsigned char *to)
{
  GDALDataType type = raster_buffer_type(view->format->type);
  size_t size = element_info(view->format->type)->size;
  size_t row = view->south_up ? view->scene->grid.height - region->row - region->height : region->row;
  if (view->tiff && GDALGetRasterDataType(view->band) == type) {
    const struct tiff_window window = {
        .row = row, .column = region->column, .height = region->height, .width = region->width};
    return tiff_window_read(view->blocks, view->tiff, view->band, &window, stride, to);
  }
  return GDALRasterIOEx(view->band, GF_Read, (int)region->column, (int)row, (int)region->width, (int)region->height, to,
                        (int)region->width, (int)region->height, type, (GSpacing)size, (GSpacing)stride, NULL);
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

int scene_view_read(const struct scene_view *view, const struct raster_region *region, size_t stride, unsigned char *to,
                    struct error *error)
{
  size_t size = element_info(view->format->type)->size;
  raster_quiet_begin();
  CPLErr status = read_pixels(view, region, stride * size, to);
  int failed = status == CE_None ? 0 : raster_error(error, ERROR_FileContentInvalid, view->scene->path);
  raster_quiet_end();
  if (failed)
    return -1;
  if (view->south_up)
    turn_rows(region->height, region->width * size, stride * size, to);
  translate(view, region->height, region->width, stride, to);
  return 0;
}
