/* GeoTIFF and cloud-optimised GeoTIFF.
 *
 * A plain file is written as it comes: head by GDAL, tiles by tiff_tiles from whatever thread has them. COG and the
 * compressions that tiff_tiles does not know are a second pass by GDAL over that file, at finish (gtiff_copy). */
#include "datacube/sink/formats.h"
#include "datacube/sink/gtiff_copy.h"
#include "datacube/sink/gtiff_options.h"
#include "datacube/sink/output.h"
#include "datacube/sink/tiff_header.h"
#include "datacube/sink/values.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TYPE_PLAIN "image/tiff; application=geotiff"
#define TYPE_COG "image/tiff; application=geotiff; profile=cloud-optimized"

enum { PREFERRED = 512, MAX_BANDS = 65535, MAX_SIDE = INT_MAX - 4096, STRIP_BYTES = 1 << 20 };

struct gtiff_sink {
  struct sink sink;
  struct output output;
  struct layout layout;
  struct gtiff_options options;
  enum element_type type;
  size_t element_size;
  unsigned threads;
  struct tiff_shape shape;
  struct tiff_tiles *tiles;
  int file;
};

static int gtiff_layout(const struct cube *cube, struct layout *layout, struct error *error)
{
  if (layout_of_cube(cube, "GTiff", "Use netCDF or JSON, which hold any cube.", layout, error) != 0)
    return -1;
  if (layout->planes > MAX_BANDS)
    return error_set(error, ERROR_FormatUnsuitable,
                     "GTiff holds at most %d bands; the cube makes %zu of its dimensions beside x and y. Use netCDF.",
                     MAX_BANDS, layout->planes);
  if (layout->width > MAX_SIDE || layout->height > MAX_SIDE)
    return error_set(error, ERROR_FormatUnsuitable, "GTiff holds at most %d pixels a side; the cube has %zu x %zu",
                     MAX_SIDE, layout->width, layout->height);
  return 0;
}

static int gtiff_check(const struct cube *cube, const struct sink_option *list, size_t count, struct error *error)
{
  struct gtiff_options options;
  struct layout layout;
  if (gtiff_options_read((struct sink_options){list, count}, NULL, &options, error) != 0 ||
      gtiff_options_know(&options, cube, error) != 0 || gtiff_layout(cube, &layout, error) != 0)
    return -1;
  return gtiff_options_suit(&options, cube, 0, error);
}

static size_t round_up_16(size_t n)
{
  return (n + 15) / 16 * 16;
}

static size_t smaller(size_t a, size_t b)
{
  return a < b ? a : b;
}

static void set_tile_size(const struct layout *layout, const struct gtiff_options *options, size_t element_size,
                          struct tiff_shape *shape)
{
  const size_t tile = (size_t)options->tile;
  shape->strips = !options->tiled && !options->cog;
  if (!shape->strips) {
    shape->tile_width = smaller(round_up_16(layout->width), tile);
    shape->tile_height = smaller(round_up_16(layout->height), tile);
    return;
  }
  size_t rows = STRIP_BYTES / (layout->width * element_size);
  shape->tile_width = layout->width;
  shape->tile_height = rows < 1 ? 1 : smaller(rows, layout->height);
}

/* As many tiles as make a good piece of work. */
static size_t preferred(size_t side, size_t tile)
{
  return tile < PREFERRED && tile < side ? smaller(PREFERRED / tile * tile, side) : tile;
}

static void gtiff_prefer(const struct cube *cube, const struct sink_option *list, size_t count, size_t tile[])
{
  struct error ignored = {0};
  struct gtiff_options options;
  struct layout layout;
  for (size_t d = 0; d < cube->dimensions; d++)
    tile[d] = 0;
  if (gtiff_options_read((struct sink_options){list, count}, NULL, &options, &ignored) != 0 ||
      gtiff_layout(cube, &layout, &ignored) != 0)
    return;
  struct tiff_shape shape = {0};
  set_tile_size(&layout, &options, element_info(cube->type)->size, &shape);
  tile[layout.x] = shape.strips ? shape.tile_width : preferred(round_up_16(layout.width), shape.tile_width);
  tile[layout.y] = shape.strips ? shape.tile_height : preferred(round_up_16(layout.height), shape.tile_height);
}

static struct tiff_shape shape_of(const struct gtiff_sink *sink, const struct cube *cube)
{
  const struct gtiff_options *options = &sink->options;
  struct tiff_shape shape = {.width = sink->layout.width,
                             .height = sink->layout.height,
                             .planes = sink->layout.planes,
                             .element_size = sink->element_size,
                             .predictor = PREDICTOR_NONE,
                             .rule = statistics_rule_of(cube)};
  set_tile_size(&sink->layout, options, sink->element_size, &shape);
  if (options->compression == GTIFF_DEFLATE && !gtiff_copy_needed(options)) {
    shape.level = options->level > 0 ? options->level : 1;
    shape.adaptive = options->level == 0;
    /* What adaptive compression picks from floats (constant areas) shrinks as well without a predictor. */
    if (!(element_info(cube->type)->is_float && shape.adaptive) || options->predictor != 0)
      shape.predictor = gtiff_predictor(options, cube->type);
  }
  double fill = cube->type == ELEMENT_BOOLEAN ? 255 : cube->has_nodata ? cube->nodata : 0;
  value_store(cube->type, element_can_mark(cube->type, fill) || cube->type == ELEMENT_BOOLEAN ? fill : 0, shape.fill,
              0);
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

/* What is left to be done to the file that the tiles have made. */
static int improve(struct gtiff_sink *sink, struct error *error)
{
  const struct gtiff_options *options = &sink->options;
  const struct gtiff_copy copy = {.options = options,
                                  .type = sink->type,
                                  .width = sink->layout.width,
                                  .height = sink->layout.height,
                                  .threads = sink->threads};
  if (gtiff_copy_needed(options) && gtiff_copy_make(&copy, &sink->output, error) != 0)
    return -1;
  return options->overviews && !options->cog ? gtiff_copy_overviews(&copy, sink->output.temporary, error) : 0;
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
  if (improve(sink, error) != 0)
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
  const struct tiff_head head = {.cube = cube,
                                 .layout = &sink->layout,
                                 .shape = &sink->shape,
                                 .history = request->history,
                                 .items = sink->options.file,
                                 .band_items = sink->options.bands};
  if (output_begin(&sink->output, request->path, error) != 0 ||
      tiff_header_write(sink->output.temporary, &head, error) != 0)
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
  sink->sink.ops = &gtiff_ops;
  sink->file = -1;
  sink->threads = request->threads;
  sink->type = cube->type;
  sink->element_size = element_info(cube->type)->size;
  if (gtiff_options_read((struct sink_options){request->options, request->option_count}, request->format,
                         &sink->options, error) != 0 ||
      gtiff_layout(cube, &sink->layout, error) != 0 ||
      gtiff_options_suit(&sink->options, cube, sink->layout.planes, error) != 0 ||
      start_file(sink, cube, request, error) != 0) {
    gtiff_close(&sink->sink);
    return -1;
  }
  sink->sink.media_type = sink->options.cog ? TYPE_COG : TYPE_PLAIN;
  *out = &sink->sink;
  return 0;
}

const struct sink_format sink_format_gtiff = {
    .name = "GTiff",
    .title = "GeoTIFF",
    .description = "One georeferenced image. Every combination of the labels beside x and y is a band of the file, "
                   "named for its labels, in the order of the cube's dimensions. Type, no-data value, scale, offset "
                   "and unit are kept.",
    .extension = "tif",
    .media_type = TYPE_PLAIN,
    .parameters = gtiff_parameters,
    .options = gtiff_option_names,
    .bands = FILE_BANDS_PLANES,
    .text = false,
    .check = gtiff_check,
    .prefer = gtiff_prefer,
    .open = gtiff_open,
};
