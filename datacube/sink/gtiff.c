/* GeoTIFF and cloud-optimised GeoTIFF.
 *
 * A plain file is written as it comes: head by GDAL, tiles by tiff_tiles from whatever thread has them. COG and the
 * compressions that tiff_tiles does not know are a second pass by GDAL over that file, at finish. */
#include "datacube/sink/formats.h"
#include "datacube/sink/gdal_scope.h"
#include "datacube/sink/options.h"
#include "datacube/sink/output.h"
#include "datacube/sink/tiff_header.h"
#include "datacube/sink/values.h"

#include <cpl_string.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define TYPE_PLAIN "image/tiff; application=geotiff"
#define TYPE_COG "image/tiff; application=geotiff; profile=cloud-optimized"

enum { TILE = 512, MAX_BANDS = 65535, STRIP_BYTES = 1 << 20 };

enum compression { COMPRESS_DEFLATE, COMPRESS_NONE, COMPRESS_LZW, COMPRESS_ZSTD };
static const char *const compressions[] = {"deflate", "none", "lzw", "zstd", NULL};
static const char *const resamplings[] = {"nearest", "average", "bilinear", "cubic", "mode", NULL};
static const char *const option_names[] = {"cog",
                                           "compress",
                                           "filename_prefix",
                                           "overview_resampling",
                                           "overviews",
                                           "separate_asset_per_band",
                                           "separate_bands",
                                           "separate_dates",
                                           "tiled",
                                           "zlevel",
                                           NULL};

struct settings {
  bool cog, tiled, overviews;
  int compress;   /* enum compression */
  int zlevel;     /* 0: not given */
  int resampling; /* index into resamplings */
};

struct gtiff_sink {
  struct sink sink;
  struct output output;
  struct layout layout;
  struct settings settings;
  size_t element_size;
  bool is_float, predictable;
  unsigned threads;
  struct tiff_shape shape;
  struct tiff_tiles *tiles;
  int file;
};

static int read_settings(struct sink_options options, const char *format, struct settings *out, struct error *error)
{
  *out = (struct settings){.tiled = true, .overviews = true, .cog = format != NULL && strcasecmp(format, "COG") == 0};
  if (sink_options_bool(options, "cog", &out->cog, error) != 0 ||
      sink_options_bool(options, "tiled", &out->tiled, error) != 0 ||
      sink_options_bool(options, "overviews", &out->overviews, error) != 0 ||
      sink_options_choice(options, "compress", compressions, &out->compress, error) != 0 ||
      sink_options_choice(options, "overview_resampling", resamplings, &out->resampling, error) != 0)
    return -1;
  return sink_options_integer(options, "zlevel", 1, 12, &out->zlevel, error);
}

static int gtiff_layout(const struct cube *cube, struct layout *layout, struct error *error)
{
  if (layout_of_cube(cube, "GTiff", "Use netCDF or JSON, which hold any cube.", layout, error) != 0)
    return -1;
  if (layout->planes > MAX_BANDS)
    return error_set(error, ERROR_FormatUnsuitable,
                     "GTiff holds at most %d bands; the cube makes %zu of its dimensions beside x and y. Use netCDF.",
                     MAX_BANDS, layout->planes);
  if (layout->width > INT_MAX - TILE || layout->height > INT_MAX - TILE)
    return error_set(error, ERROR_FormatUnsuitable, "GTiff holds at most %d pixels a side; the cube has %zu x %zu",
                     INT_MAX - TILE, layout->width, layout->height);
  return 0;
}

static int gtiff_check(const struct cube *cube, const struct sink_option *options, size_t count, struct error *error)
{
  struct settings settings;
  struct layout layout;
  if (read_settings((struct sink_options){options, count}, NULL, &settings, error) != 0)
    return -1;
  return gtiff_layout(cube, &layout, error);
}

static size_t round_up_16(size_t n)
{
  return (n + 15) / 16 * 16;
}

static void set_tile_size(const struct layout *layout, bool tiled, size_t element_size, struct tiff_shape *shape)
{
  shape->strips = !tiled;
  if (tiled) {
    shape->tile_width = layout->width < TILE ? round_up_16(layout->width) : TILE;
    shape->tile_height = layout->height < TILE ? round_up_16(layout->height) : TILE;
    return;
  }
  size_t rows = STRIP_BYTES / (layout->width * element_size);
  shape->tile_width = layout->width;
  shape->tile_height = rows < 1 ? 1 : rows < layout->height ? rows : layout->height;
}

static void gtiff_prefer(const struct cube *cube, const struct sink_option *options, size_t count, size_t tile[])
{
  struct error ignored = {0};
  struct settings settings;
  struct layout layout;
  for (size_t d = 0; d < cube->dimensions; d++)
    tile[d] = 0;
  if (read_settings((struct sink_options){options, count}, NULL, &settings, &ignored) != 0 ||
      gtiff_layout(cube, &layout, &ignored) != 0)
    return;
  struct tiff_shape shape = {0};
  set_tile_size(&layout, settings.tiled || settings.cog, element_info(cube->type)->size, &shape);
  tile[layout.x] = shape.tile_width;
  tile[layout.y] = shape.tile_height;
}

/* Whether the file as the tiles make it is not yet what was asked for. */
static bool second_pass(const struct settings *settings)
{
  return settings->cog || settings->compress == COMPRESS_LZW || settings->compress == COMPRESS_ZSTD;
}

static struct tiff_shape shape_of(const struct gtiff_sink *sink, const struct cube *cube)
{
  const struct settings *settings = &sink->settings;
  struct tiff_shape shape = {.width = sink->layout.width,
                             .height = sink->layout.height,
                             .planes = sink->layout.planes,
                             .element_size = sink->element_size,
                             .predictor = PREDICTOR_NONE,
                             .rule = statistics_rule_of(cube)};
  set_tile_size(&sink->layout, settings->tiled || settings->cog, sink->element_size, &shape);
  if (settings->compress == COMPRESS_DEFLATE && !second_pass(settings)) {
    shape.level = settings->zlevel > 0 ? settings->zlevel : 1;
    shape.adaptive = settings->zlevel == 0;
    /* What adaptive compression picks from floats (constant areas) shrinks as well without a predictor. */
    if (sink->predictable && !(sink->is_float && shape.adaptive))
      shape.predictor = sink->is_float ? PREDICTOR_FLOAT : PREDICTOR_HORIZONTAL;
  }
  double fill = cube->type == ELEMENT_BOOLEAN ? 255 : cube->has_nodata ? cube->nodata : 0;
  value_store(cube->type, element_holds(cube->type, fill) || cube->type == ELEMENT_BOOLEAN ? fill : 0, shape.fill, 0);
  return shape;
}

static int gtiff_put(struct sink *base, const struct box *box, const void *data, struct error *error)
{
  struct gtiff_sink *sink = (struct gtiff_sink *)base;
  struct plane_walk walk;
  struct plane_view view;
  plane_walk_start(&walk, &sink->layout, box, data, sink->element_size);
  while (plane_walk_next(&walk, &view))
    if (tiff_tiles_put(sink->tiles, &view, error) != 0)
      return -1;
  return 0;
}

static int gtiff_place(struct sink *base, const struct box *box, struct error *error)
{
  struct gtiff_sink *sink = (struct gtiff_sink *)base;
  struct plane_walk walk;
  struct plane_view view;
  plane_walk_start(&walk, &sink->layout, box, NULL, sink->element_size);
  while (plane_walk_next(&walk, &view))
    if (tiff_tiles_place(sink->tiles, &view, error) != 0)
      return -1;
  return 0;
}

static char **second_options(const struct gtiff_sink *sink)
{
  const struct settings *settings = &sink->settings;
  char number[32];
  char **options = CSLSetNameValue(NULL, "COMPRESS", compressions[settings->compress]);
  if (sink->threads > 1) {
    snprintf(number, sizeof number, "%u", sink->threads);
    options = CSLSetNameValue(options, "NUM_THREADS", number);
  }
  options = CSLSetNameValue(options, "BIGTIFF", "IF_SAFER");
  bool differences = sink->predictable && settings->compress != COMPRESS_NONE;
  if (settings->cog) {
    options = CSLSetNameValue(options, "PREDICTOR", differences ? "YES" : "NO");
    options = CSLSetNameValue(options, "OVERVIEWS", settings->overviews ? "AUTO" : "NONE");
    options = CSLSetNameValue(options, "OVERVIEW_RESAMPLING", resamplings[settings->resampling]);
  } else {
    options = CSLSetNameValue(options, "INTERLEAVE", "BAND");
    options = CSLSetNameValue(options, "TILED", settings->tiled ? "YES" : "NO");
    if (settings->tiled) {
      options = CSLSetNameValue(options, "BLOCKXSIZE", "512");
      options = CSLSetNameValue(options, "BLOCKYSIZE", "512");
    }
    if (differences)
      options = CSLSetNameValue(options, "PREDICTOR", sink->is_float ? "3" : "2");
  }
  /* Level 1 unless asked otherwise: a COG of 12 x 2048 x 2048 floats takes 1.3 s, at level 6 it takes 8.5 s. */
  if (settings->compress == COMPRESS_DEFLATE || settings->compress == COMPRESS_ZSTD) {
    snprintf(number, sizeof number, "%d", settings->zlevel > 0 ? settings->zlevel : 1);
    const char *name = settings->cog ? "LEVEL" : settings->compress == COMPRESS_ZSTD ? "ZSTD_LEVEL" : "ZLEVEL";
    options = CSLSetNameValue(options, name, number);
  }
  return options;
}

static int copy_by_gdal(const struct gtiff_sink *sink, const char *to, struct error *error)
{
  gdal_scope_begin();
  int status = 0;
  char **options = second_options(sink);
  const char *const drivers[] = {"GTiff", NULL};
  GDALDatasetH from = GDALOpenEx(sink->output.temporary, GDAL_OF_RASTER | GDAL_OF_READONLY, drivers, NULL, NULL);
  GDALDriverH driver = GDALGetDriverByName(sink->settings.cog ? "COG" : "GTiff");
  GDALDatasetH copy = from == NULL || driver == NULL ? NULL : GDALCreateCopy(driver, to, from, 0, options, NULL, NULL);
  if (copy != NULL)
    GDALClose(copy);
  if (copy == NULL || gdal_scope_failed())
    status = gdal_scope_error(error, sink->settings.cog ? "cannot write the COG" : "cannot write the GeoTIFF");
  if (from != NULL)
    GDALClose(from);
  CSLDestroy(options);
  gdal_scope_end();
  return status;
}

/* Replaces the temporary file by GDAL's copy of it. */
static int run_second_pass(struct gtiff_sink *sink, struct error *error)
{
  struct output copy;
  if (output_begin(&copy, sink->output.path, error) != 0)
    return -1;
  if (copy_by_gdal(sink, copy.temporary, error) != 0) {
    output_discard(&copy);
    return -1;
  }
  output_discard(&sink->output);
  sink->output = copy;
  return 0;
}

static int gtiff_finish(struct sink *base, struct error *error)
{
  struct gtiff_sink *sink = (struct gtiff_sink *)base;
  if (tiff_tiles_flush(sink->tiles, error) != 0)
    return -1;
  if (tiff_header_complete(sink->file, sink->tiles, &sink->shape, error) != 0)
    return -1;
  int closed = close(sink->file);
  sink->file = -1;
  if (closed != 0)
    return output_error(error, "cannot write the GeoTIFF");
  if (second_pass(&sink->settings) && run_second_pass(sink, error) != 0)
    return -1;
  return output_commit(&sink->output, error);
}

static void gtiff_close(struct sink *base)
{
  struct gtiff_sink *sink = (struct gtiff_sink *)base;
  if (sink == NULL)
    return;
  if (sink->file >= 0)
    close(sink->file);
  tiff_tiles_free(sink->tiles);
  output_discard(&sink->output);
  free(sink);
}

static bool gtiff_statistics(const struct sink *base, size_t band, struct statistics *out)
{
  const struct gtiff_sink *sink = (const struct gtiff_sink *)base;
  if (band >= sink->layout.planes || !statistics_possible(sink->shape.rule.type))
    return false;
  tiff_tiles_statistics(sink->tiles, band, out);
  return true;
}

static const struct sink_ops gtiff_ops = {.put = gtiff_put,
                                          .place = gtiff_place,
                                          .finish = gtiff_finish,
                                          .close = gtiff_close,
                                          .statistics = gtiff_statistics};

/* The file with its head, open for tiles. */
static int start_file(struct gtiff_sink *sink, const struct cube *cube, const struct sink_request *request,
                      struct error *error)
{
  sink->shape = shape_of(sink, cube);
  if (output_begin(&sink->output, request->path, error) != 0 ||
      tiff_header_write(sink->output.temporary, cube, &sink->layout, &sink->shape, request->history, error) != 0)
    return -1;
  sink->file = open(sink->output.temporary, O_RDWR | O_CLOEXEC);
  struct stat status;
  if (sink->file < 0 || fstat(sink->file, &status) != 0)
    return output_error(error, "cannot write the GeoTIFF");
  return tiff_tiles_new(&sink->shape, sink->file, (uint64_t)status.st_size, &sink->tiles, error);
}

static int gtiff_open(const struct sink_request *request, const struct cube *cube, struct sink **out,
                      struct error *error)
{
  *out = NULL;
  struct gtiff_sink *sink = calloc(1, sizeof *sink);
  if (sink == NULL)
    return error_memory(error);
  const struct element_info *type = element_info(cube->type);
  sink->sink.ops = &gtiff_ops;
  sink->file = -1;
  sink->threads = request->threads;
  sink->element_size = type->size;
  sink->is_float = type->is_float;
  sink->predictable = !type->is_complex && (type->is_float || type->size <= 4);
  if (read_settings((struct sink_options){request->options, request->option_count}, request->format, &sink->settings,
                    error) != 0 ||
      gtiff_layout(cube, &sink->layout, error) != 0 || start_file(sink, cube, request, error) != 0) {
    gtiff_close(&sink->sink);
    return -1;
  }
  sink->sink.media_type = sink->settings.cog ? TYPE_COG : TYPE_PLAIN;
  *out = &sink->sink;
  return 0;
}

static const char parameters[] =
    "{\"cog\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Write a cloud-optimised GeoTIFF: tiles in the "
    "order that range requests like, with overviews.\"},"
    "\"compress\":{\"type\":\"string\",\"enum\":[\"deflate\",\"none\",\"lzw\",\"zstd\"],\"default\":\"deflate\","
    "\"description\":\"How tiles are compressed, always without loss. With deflate and no zlevel, tiles that would not "
    "shrink to a quarter are stored as they are, which saves time.\"},"
    "\"zlevel\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":12,\"description\":\"Effort for deflate and zstd: "
    "every "
    "tile is compressed at this level.\"},"
    "\"tiled\":{\"type\":\"boolean\",\"default\":true,\"description\":\"Tiles of 512 x 512 pixels; strips of whole "
    "rows if false.\"},"
    "\"overviews\":{\"type\":\"boolean\",\"default\":true,\"description\":\"COG only: add smaller copies of the image "
    "down to one tile.\"},"
    "\"overview_resampling\":{\"type\":\"string\",\"enum\":[\"nearest\",\"average\",\"bilinear\",\"cubic\",\"mode\"],"
    "\"default\":\"nearest\",\"description\":\"COG only: how the overviews' pixels come from the image's.\"},"
    "\"separate_dates\":{\"type\":\"boolean\",\"default\":false,\"description\":\"A file for each date of a batch "
    "job's result, instead of bands in one file.\"},"
    "\"separate_bands\":{\"type\":\"boolean\",\"default\":false,\"description\":\"A file for each band; also known as "
    "separate_asset_per_band.\"},"
    "\"filename_prefix\":{\"type\":\"string\",\"description\":\"How the names of a batch job's files begin.\"}}";

const struct sink_format sink_format_gtiff = {
    .name = "GTiff",
    .title = "GeoTIFF",
    .description = "One georeferenced image. Every combination of the labels beside x and y is a band of the file, "
                   "named for its labels, in the order of the cube's dimensions. Type, no-data value, scale, offset "
                   "and unit are kept.",
    .extension = "tif",
    .media_type = TYPE_PLAIN,
    .parameters = parameters,
    .options = option_names,
    .bands = FILE_BANDS_PLANES,
    .text = false,
    .check = gtiff_check,
    .prefer = gtiff_prefer,
    .open = gtiff_open,
};
