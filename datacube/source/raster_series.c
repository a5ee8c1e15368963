/* Raster series: the description. Reading is in raster_series_reader.c.
 *
 * At making, every scene gets its place on the cube: whether it shares the lattice, its footprint in cube
 * pixels. So a read looks only at the scenes of its dates and bands, and opens only those that meet its window. The
 * arrays of struct raster_series are borrowed for the arena's life. */
#include "datacube/source/raster_series_state.h"

#include "datacube/base/checked.h"
#include "datacube/source/identity.h"
#include "datacube/source/raster_clip.h"
#include "datacube/source/raster_file.h"
#include "datacube/source/raster_handles.h"
#include "datacube/transform.h"
#include "datacube/warp.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- Order of scenes, files and CRSs --------------------------------------------------------------------------- */

static int check_series(const struct raster_series *s, struct error *error)
{
  if (s->date_count == 0 || s->band_count == 0 || s->scene_count == 0)
    return error_set(error, ERROR_NoDataAvailable, "There are no scenes.");
  if (s->grid.width == 0 || s->grid.height == 0 || !(s->grid.res_x > 0 && s->grid.res_y > 0) || !s->grid.crs)
    return error_set(error, ERROR_NoDataAvailable, "The grid of the scenes is empty.");
  if ((size_t)s->method >= RESAMPLE_COUNT || s->method == RESAMPLE_GEOCODE)
    return error_parameter(error, ERROR_FeatureUnsupported, "method", "The resampling method \"%s\" is not supported.",
                           resampling_name(s->method));
  for (size_t i = 0; i < s->scene_count; i++) {
    const struct raster_scene *scene = &s->scenes[i];
    if (scene->date >= s->date_count || scene->band >= s->band_count || !scene->path || !scene->grid.crs ||
        scene->raster_band < 1 || !(scene->grid.res_x > 0 && scene->grid.res_y > 0) || scene->grid.width == 0 ||
        scene->grid.height == 0)
      return error_set(error, ERROR_Internal, "Scene %zu of the series is not described fully.", i);
  }
  return 0;
}

/* Counting sort by date and band; keeps item order within. */
static int order_scenes(struct arena *arena, struct series_state *state, struct error *error)
{
  const struct raster_series *s = &state->series;
  size_t cells;
  if (checked_mul(s->date_count, s->band_count, &cells))
    return error_memory(error);
  size_t *first = ARENA_ARRAY(arena, size_t, cells + 1), *order = ARENA_ARRAY(arena, size_t, s->scene_count);
  if (!first || !order)
    return error_memory(error);
  for (size_t i = 0; i < s->scene_count; i++)
    first[s->scenes[i].date * s->band_count + s->scenes[i].band]++;
  for (size_t cell = 0, sum = 0; cell <= cells; cell++) {
    sum += first[cell];
    first[cell] = sum; /* the end of the cell, until filled from behind */
  }
  for (size_t i = s->scene_count; i-- > 0;)
    order[--first[s->scenes[i].date * s->band_count + s->scenes[i].band]] = i;
  state->first = first;
  state->order = order;
  return 0;
}

struct named { /* a path and who has it */
  const char *path;
  size_t scene;
};

static int compare_named(const void *a, const void *b)
{
  return strcmp(((const struct named *)a)->path, ((const struct named *)b)->path);
}

static int number_files(struct arena *arena, struct series_state *state, struct error *error)
{
  size_t n = state->series.scene_count;
  struct named *named = calloc(n, sizeof *named);
  state->files = ARENA_ARRAY(arena, const char *, n);
  if (!named || !state->files) {
    free(named);
    return error_memory(error);
  }
  for (size_t i = 0; i < n; i++)
    named[i] = (struct named){state->series.scenes[i].path, i};
  qsort(named, n, sizeof *named, compare_named);
  for (size_t i = 0; i < n; i++) {
    if (i == 0 || strcmp(named[i].path, named[i - 1].path) != 0)
      state->files[state->file_count++] = named[i].path;
    state->places[named[i].scene].file = state->file_count - 1;
  }
  free(named);
  return 0;
}

static int number_crs(struct arena *arena, struct series_state *state, struct error *error)
{
  size_t room = 8;
  state->crs = ARENA_ARRAY(arena, const char *, room);
  for (size_t i = 0; state->crs && i < state->series.scene_count; i++) {
    const char *crs = state->series.scenes[i].grid.crs;
    size_t k = 0;
    while (k < state->crs_count && strcmp(crs, state->crs[k]) != 0)
      k++;
    if (k == room) {
      const char **more = ARENA_ARRAY(arena, const char *, 2 * room);
      if (!more)
        return error_memory(error);
      memcpy(more, state->crs, room * sizeof *more);
      state->crs = more;
      room *= 2;
    }
    if (k == state->crs_count)
      state->crs[state->crs_count++] = crs;
    state->places[i].crs = k;
  }
  return state->crs ? 0 : error_memory(error);
}

/* ---- Type and no-data ------------------------------------------------------------------------------------------ */

/* Whether the scene fills the whole cube, so that no pixel is left without a value. */
static bool scene_covers(const struct series_state *state, size_t i)
{
  const struct scene_place *place = &state->places[i];
  const struct grid *cube = &state->series.grid, *own = &state->series.scenes[i].grid;
  const double slack = 1e-6; /* of a pixel */
  if (place->same_crs)
    return place->x0 <= slack && place->y0 <= slack && place->x1 >= (double)cube->width - slack &&
           place->y1 >= (double)cube->height - slack && isfinite(place->x0);
  struct extent whole = raster_grid_extent(cube), image, scene = raster_grid_extent(own);
  if (!raster_extent_image(&whole, own->crs, &image))
    return false;
  return image.west >= scene.west && image.east <= scene.east && image.south >= scene.south &&
         image.north <= scene.north;
}

/* Whether some pixel of some date and band has no scene, is cropped away, or is left by the first scene to a later one.
 */
static bool has_holes(const struct series_state *state)
{
  size_t cells = state->series.date_count * state->series.band_count;
  if (state->crop_count > 0)
    return true;
  for (size_t cell = 0; cell < cells; cell++)
    if (state->first[cell] == state->first[cell + 1] || !scene_covers(state, state->order[state->first[cell]]))
      return true;
  return false;
}

static enum element_type wider(enum element_type a, enum element_type b)
{
  const struct element_info *ia = element_info(a), *ib = element_info(b);
  if (a == b)
    return a;
  bool in_f32 = (ia->exact_in_f32 || a == ELEMENT_C64) && (ib->exact_in_f32 || b == ELEMENT_C64);
  if (ia->is_complex || ib->is_complex)
    return in_f32 ? ELEMENT_C64 : ELEMENT_C128;
  if (ia->is_float || ib->is_float)
    return in_f32 ? ELEMENT_F32 : ELEMENT_F64;
  if (ia->is_signed == ib->is_signed)
    return ia->size >= ib->size ? a : b;
  size_t other = ia->is_signed ? ib->size : ia->size, own = ia->is_signed ? ia->size : ib->size;
  size_t size = own > other ? own : 2 * other; /* the signed type that also holds the unsigned values */
  return size == 2 ? ELEMENT_I16 : size == 4 ? ELEMENT_I32 : size == 8 ? ELEMENT_I64 : ELEMENT_F64;
}

static enum element_type with_nan(enum element_type type)
{
  const struct element_info *info = element_info(type);
  if (info->is_float)
    return type;
  return info->exact_in_f32 ? ELEMENT_F32 : ELEMENT_F64;
}

static void choose_format(struct series_state *state)
{
  const struct raster_series *s = &state->series;
  enum element_type type = s->scenes[0].type;
  const struct scene_place *one = &state->places[0];
  bool agree = true, masked = false, unpacks = false;
  for (size_t i = 0; i < s->scene_count; i++) {
    const struct scene_place *place = &state->places[i];
    type = wider(type, s->scenes[i].type);
    masked = masked || s->scenes[i].masked;
    unpacks = unpacks || s->scenes[i].unpacks;
    bool same_value = place->nodata == one->nodata || (isnan(place->nodata) && isnan(one->nodata));
    agree = agree && place->has_nodata == one->has_nodata && (!one->has_nodata || same_value);
  }
  struct pixel_format format = {.type = type, .has_nodata = one->has_nodata, .nodata = one->nodata};
  if (!agree || unpacks || (!one->has_nodata && (masked || has_holes(state))))
    format = (struct pixel_format){.type = with_nan(type), .has_nodata = true, .nodata = (double)NAN};
  if (!format.has_nodata)
    format.nodata = 0;
  state->format = format;
}

/* ---- The source ------------------------------------------------------------------------------------------------ */

static void make_cube(const struct series_state *state, struct cube *cube)
{
  const struct raster_series *s = &state->series;
  const struct grid *g = &s->grid;
  const size_t bands = s->dates ? 1 : 0;
  *cube = (struct cube){.dimensions = bands + 3,
                        .type = state->format.type,
                        .has_nodata = state->format.has_nodata,
                        .nodata = state->format.nodata,
                        .crs = g->crs,
                        .bands = s->band_info,
                        .title = s->title};
  if (s->dates)
    cube->dimension[0] = dimension_times("t", s->dates, s->date_count, CALENDAR_GREGORIAN);
  cube->dimension[bands] = dimension_texts("bands", DIMENSION_BANDS, s->bands, s->band_count);
  cube->dimension[bands + 1] = dimension_steps("y", 'y', g->north - g->res_y / 2, -g->res_y, g->height);
  cube->dimension[bands + 2] = dimension_steps("x", 'x', g->west + g->res_x / 2, g->res_x, g->width);
}

static size_t block_phase(ptrdiff_t offset, size_t block)
{
  ptrdiff_t b = (ptrdiff_t)block, inside = ((offset % b) + b) % b;
  return (size_t)((b - inside) % b);
}

/* Bands of the cube that lie side by side in the blocks of a scene's file, where they are the cube's only ones; else 1.
 */
static size_t bands_beside(const struct series_state *state, size_t i)
{
  const struct raster_series *s = &state->series;
  size_t bands = 0;
  for (size_t band = 0; band < s->band_count; band++) {
    const size_t cell = s->scenes[i].date * s->band_count + band;
    for (size_t k = state->first[cell]; k < state->first[cell + 1]; k++)
      if (state->places[state->order[k]].file == state->places[i].file) {
        bands++;
        break;
      }
  }
  return bands == s->band_count ? bands : 1;
}

/* Block size of a file as GDAL tells it, and its stored bytes per pixel; opens one file. Nothing where it fails: the
 * reader will say why. */
static void probe_blocks(const struct series_state *state, struct source *source)
{
  size_t i = 0;
  while (i + 1 < state->series.scene_count && !state->places[i].on_lattice)
    i++;
  const struct raster_scene *scene = &state->series.scenes[i];
  struct error none = {.code = ""};
  GDALDatasetH dataset;
  const size_t y = source->cube.dimensions - 2, x = y + 1;
  for (size_t d = 0; d < y; d++)
    source->block[d] = 1;
  if (raster_open(scene->path, ERROR_Internal, &dataset, &none))
    return;
  GDALRasterBandH band = GDALGetRasterCount(dataset) > 0 ? GDALGetRasterBand(dataset, 1) : NULL;
  int block_x = 0, block_y = 0;
  if (band)
    GDALGetBlockSize(band, &block_x, &block_y);
  if (state->places[i].on_lattice && block_x > 0 && block_y > 0) {
    source->block[y] = (size_t)block_y;
    source->block[x] = (size_t)block_x;
    source->block_phase[y] = block_phase(state->places[i].row, (size_t)block_y);
    source->block_phase[x] = block_phase(state->places[i].column, (size_t)block_x);
  }
  const char *interleave = GDALGetMetadataItem(dataset, "INTERLEAVE", "IMAGE_STRUCTURE");
  if (interleave && strcmp(interleave, "PIXEL") == 0)
    source->block[y - 1] = bands_beside(state, i);
  struct stat status;
  double pixels = (double)scene->grid.width * (double)scene->grid.height * GDALGetRasterCount(dataset);
  if (stat(scene->path, &status) == 0 && pixels > 0)
    source->bytes_per_element = (double)status.st_size / pixels;
  GDALClose(dataset);
}

/* Open files, a block buffer of GDAL's for each, and the scratch of decoding, merging and resampling. */
static size_t reader_bytes(const struct series_state *state, const struct source *source)
{
  size_t size = element_info(state->format.type)->size;
  const size_t y = source->cube.dimensions - 2;
  size_t block = source->block[y] ? saturated_mul(source->block[y], source->block[y + 1]) : 256 * 256;
  size_t files = state->file_count < RASTER_OPEN_FILES ? state->file_count : RASTER_OPEN_FILES;
  size_t buffers = saturated_mul(files, saturated_mul(block, size));
  size_t bytes = saturated_add(saturated_mul(files, RASTER_FILE_BYTES), buffers);
  bytes = saturated_add(bytes, saturated_mul(2 * size, block));
  bytes = saturated_add(bytes, saturated_mul(size, WARP_BOX_PIXELS + RASTER_SOURCE_PIXELS));
  if (state->crop_count > 0)
    bytes = saturated_add(bytes, (size_t)RASTER_PART * RASTER_PART);
  size_t warpers = state->series.method == RESAMPLE_NEAREST ? RASTER_WARPERS : RASTER_KERNEL_WARPERS;
  if (state->resamples)
    bytes = saturated_add(
        bytes, saturated_mul(warpers, warper_bytes(state->series.method, &state->series.grid, RASTER_SOURCE_PIXELS)));
  return bytes;
}

static int source_with_crops(struct arena *arena, const struct raster_series *series, const struct series_crop *crops,
                             size_t crop_count, const struct source **out, struct error *error);

/* Whether the scenes have pixels outside the extent: then it cuts something away. */
static bool extent_cuts(const struct series_state *state, const struct extent *clip)
{
  for (size_t i = 0; i < state->series.scene_count; i++) {
    const struct grid *grid = &state->series.scenes[i].grid;
    const struct extent own = raster_grid_extent(grid);
    double slack_x = 1e-6 * grid->res_x, slack_y = 1e-6 * grid->res_y;
    if (!state->places[i].same_crs || own.west < clip->west - slack_x || own.east > clip->east + slack_x ||
        own.south < clip->south - slack_y || own.north > clip->north + slack_y)
      return true;
  }
  return false;
}

/* The crops so far and the request's, without those that hold the whole grid or cut nothing. */
static int crops_of_regrid(struct arena *arena, const struct series_state *state, const struct regrid_request *request,
                           const struct series_crop **out, size_t *count, struct error *error)
{
  struct series_crop *crops = ARENA_ARRAY(arena, struct series_crop, state->crop_count + 1);
  size_t n = 0;
  if (!crops)
    return error_memory(error);
  for (size_t i = 0; i < state->crop_count; i++)
    if (!series_crop_holds(&state->crops[i], request->grid))
      crops[n++] = state->crops[i];
  const struct grid *own = &state->series.grid;
  crops[n] = (struct series_crop){.extent = *request->clip, .res_x = own->res_x, .res_y = own->res_y};
  if (!(request->clip->east > request->clip->west && request->clip->north > request->clip->south))
    return error_set(error, ERROR_Internal, "A crop of a series is empty.");
  if (extent_cuts(state, request->clip) && !series_crop_holds(&crops[n], request->grid))
    n++;
  *out = crops;
  *count = n;
  return 0;
}

static int regrid(const struct source *source, struct arena *arena, const struct regrid_request *request,
                  const struct source **out, struct error *error)
{
  const struct series_state *state = source->state;
  const struct series_crop *crops = NULL;
  size_t crop_count = 0;
  struct raster_series series = state->series;
  series.grid = *request->grid;
  series.method = request->method;
  series.overviews = request->overviews;
  /* A kernel that reaches over the rim must not find there what was cut away. Scenes on the cube's own lattice lose
   * nothing by being warped as its pixels; others would be resampled twice. */
  if (request->method != RESAMPLE_NEAREST && !state->resamples && extent_cuts(state, request->clip)) {
    *out = NULL;
    return 0;
  }
  if (crops_of_regrid(arena, state, request, &crops, &crop_count, error))
    return -1;
  return source_with_crops(arena, &series, crops, crop_count, out, error);
}

static void identity_scene(const struct series_state *state, size_t i, struct buffer *out)
{
  const struct raster_scene *scene = &state->series.scenes[i];
  identity_count(out, state->places[i].file);
  buffer_printf(out, "%d %zu %zu %d %d ", scene->raster_band, scene->date, scene->band, (int)scene->type,
                scene->has_nodata);
  identity_number(out, scene->has_nodata ? scene->nodata : 0);
  buffer_printf(out, "%d %d ", scene->masked, scene->unpacks);
  if (scene->unpacks) {
    identity_number(out, scene->scale);
    identity_number(out, scene->offset);
  }
  identity_grid(out, &scene->grid);
}

static void identity(const struct source *source, struct buffer *out)
{
  const struct series_state *state = source->state;
  identity_text(out, "raster series");
  identity_cube(out, &source->cube);
  identity_grid(out, &state->series.grid);
  identity_text(out, resampling_name(state->series.method));
  if (state->series.overviews)
    identity_text(out, "overviews");
  for (size_t i = 0; i < state->file_count; i++)
    identity_file(out, state->files[i]);
  for (size_t i = 0; i < state->series.scene_count; i++)
    identity_scene(state, i, out);
  for (size_t i = 0; i < state->crop_count; i++) {
    identity_extent(out, &state->crops[i].extent);
    buffer_printf(out, "%a %a ", state->crops[i].res_x, state->crops[i].res_y);
  }
}

static const struct source_ops raster_series_ops = {.name = "raster series",
                                                    .open = raster_reader_open,
                                                    .read = raster_reader_read,
                                                    .close = raster_reader_close,
                                                    .share = raster_reader_share,
                                                    .regrid = regrid,
                                                    .identity = identity};

static int source_with_crops(struct arena *arena, const struct raster_series *series, const struct series_crop *crops,
                             size_t crop_count, const struct source **out, struct error *error)
{
  if (check_series(series, error))
    return -1;
  struct series_state *state = ARENA_NEW(arena, struct series_state);
  struct source *source = ARENA_NEW(arena, struct source);
  if (!state || !source)
    return error_memory(error);
  state->series = *series;
  state->crops = crops;
  state->crop_count = crop_count;
  state->places = ARENA_ARRAY(arena, struct scene_place, series->scene_count);
  if (!state->places)
    return error_memory(error);
  if (number_files(arena, state, error) || number_crs(arena, state, error) || order_scenes(arena, state, error) ||
      raster_places_make(state, error))
    return -1;
  choose_format(state);
  make_cube(state, &source->cube);
  source->ops = &raster_series_ops;
  source->origin = series->origin;
  source->state = state;
  probe_blocks(state, source);
  source->reader_bytes = reader_bytes(state, source);
  *out = source;
  return 0;
}

int raster_series_source(struct arena *arena, const struct raster_series *series, const struct source **out,
                         struct error *error)
{
  return source_with_crops(arena, series, NULL, 0, out, error);
}
