/* PNG: a picture of one to four bands, 8 bits each.
 *
 * One band is grey, two grey and opacity, three red, green, blue, four with opacity. uint8 values are shown as they
 * are, others are stretched linearly from [min, max] to 0 … 255; without min and max, from the range of the valid
 * values of all colours together, so that colours keep their balance. Pixels with a missing value in any band become
 * transparent where the type can have missing values. */
#include "datacube/sink/formats.h"
#include "datacube/sink/gdal_scope.h"
#include "datacube/sink/layout.h"
#include "datacube/sink/options.h"
#include "datacube/sink/output.h"
#include "datacube/sink/values.h"
#include "datacube/sink/whole.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PIXELS = 100 * 1000 * 1000, MAX_CHANNELS = 4 };

struct stretch {
  bool has_min, has_max; /* given by the user */
  double min, max;
};

struct png_sink {
  struct sink sink;
  struct cube cube; /* only type and no-data are looked at after open */
  struct layout layout;
  struct stretch stretch;
  struct output output;
  struct whole whole;
};

static const char *const option_names[] = {"min", "max", "scale", NULL};

/* "[0, 3000]" */
static int read_scale(const char *text, struct stretch *out, struct error *error)
{
  char *end;
  const char *at = text + strspn(text, " [");
  out->min = strtod(at, &end);
  bool sound = end != at;
  at = end + strspn(end, " ,");
  sound = sound && at != end;
  out->max = strtod(at, &end);
  sound = sound && end != at && end[strspn(end, " ]")] == '\0';
  if (!sound || !isfinite(out->min) || !isfinite(out->max))
    return error_parameter(error, "ProcessParameterInvalid", "options",
                           "option 'scale' is a pair of numbers [min, max], not '%.60s'", text);
  out->has_min = out->has_max = true;
  return 0;
}

static int read_stretch(struct sink_options options, struct stretch *out, struct error *error)
{
  *out = (struct stretch){0};
  if (sink_options_known(options, option_names, "PNG", error) != 0)
    return -1;
  const char *scale = sink_options_text(options, "scale");
  if (scale != NULL && read_scale(scale, out, error) != 0)
    return -1;
  bool has_min = false, has_max = false;
  if (sink_options_number(options, "min", &out->min, &has_min, error) != 0 ||
      sink_options_number(options, "max", &out->max, &has_max, error) != 0)
    return -1;
  out->has_min |= has_min;
  out->has_max |= has_max;
  if (out->has_min && out->has_max && !(out->min < out->max))
    return error_parameter(error, "ProcessParameterInvalid", "options", "option 'min' (%g) must be below 'max' (%g)",
                           out->min, out->max);
  return 0;
}

static int png_layout(const struct cube *cube, struct layout *layout, struct error *error)
{
  if (layout_of_cube(cube, "PNG", "Use netCDF or JSON, which hold any cube.", layout, error) != 0)
    return -1;
  size_t long_dimensions = 0;
  for (size_t d = 0; d < cube->dimensions; d++)
    if (layout->plane_step[d] != 0 && cube->dimension[d].size > 1)
      long_dimensions++;
  if (long_dimensions > 1 || layout->planes > MAX_CHANNELS)
    return error_set(error, "FormatUnsuitable",
                     "PNG shows one to four bands of one date; the cube has %zu pictures. Reduce or filter the other "
                     "dimensions, or use GTiff or netCDF.",
                     layout->planes);
  if (element_info(cube->type)->is_complex)
    return error_set(error, "FormatUnsuitable", "PNG cannot show complex values. Use netCDF or JSON.");
  if (layout->width > MAX_PIXELS || layout->height > MAX_PIXELS / layout->width)
    return error_set(error, "FormatUnsuitable",
                     "PNG pictures have at most %d pixels; the cube has %zu x %zu. Resample it, or use GTiff.",
                     MAX_PIXELS, layout->width, layout->height);
  return 0;
}

static int png_check(const struct cube *cube, const struct sink_option *options, size_t count, struct error *error)
{
  struct stretch stretch;
  struct layout layout;
  if (read_stretch((struct sink_options){options, count}, &stretch, error) != 0)
    return -1;
  return png_layout(cube, &layout, error);
}

static void png_prefer(const struct cube *cube, const struct sink_option *options, size_t count, size_t tile[])
{
  (void)options;
  (void)count;
  for (size_t d = 0; d < cube->dimensions; d++)
    tile[d] = 0;
}

/* From values to 8-bit channels. */

/* Channels of the picture, and whether the last is made from the missing values. */
static size_t channel_count(const struct png_sink *sink, bool *adds_opacity)
{
  bool may_miss =
      sink->cube.has_nodata || element_info(sink->cube.type)->is_float || sink->cube.type == ELEMENT_BOOLEAN;
  size_t planes = sink->layout.planes;
  *adds_opacity = may_miss && planes % 2 == 1;
  return planes + (*adds_opacity ? 1 : 0);
}

static void find_range(struct png_sink *sink)
{
  struct stretch *s = &sink->stretch;
  size_t colours = sink->layout.planes % 2 == 0 ? sink->layout.planes - 1 : sink->layout.planes;
  double low = INFINITY, high = -INFINITY;
  struct plane_walk walk;
  struct plane_view view;
  plane_walk_start(&walk, &sink->layout, &sink->whole.box, sink->whole.data, sink->whole.element_size);
  while (plane_walk_next(&walk, &view))
    for (size_t i = 0; view.plane < colours && i < view.width * view.height; i++) {
      const char *at =
          view.data + view.row_stride * (ptrdiff_t)(i / view.width) + view.column_stride * (ptrdiff_t)(i % view.width);
      double value = value_load(sink->cube.type, at, 0);
      if (value_missing(&sink->cube, at, 0) || !isfinite(value))
        continue;
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
  if (!s->has_min)
    s->min = low;
  if (!s->has_max)
    s->max = high;
}

static void decide_stretch(struct png_sink *sink)
{
  struct stretch *s = &sink->stretch;
  if (s->has_min && s->has_max)
    return;
  if (!s->has_min && !s->has_max && sink->cube.type == ELEMENT_U8) {
    s->min = 0;
    s->max = 255;
  } else if (!s->has_min && !s->has_max && sink->cube.type == ELEMENT_BOOLEAN) {
    s->min = 0;
    s->max = 1;
  } else
    find_range(sink);
}

static unsigned char shade(const struct stretch *s, double value)
{
  if (!(s->max > s->min))
    return value > s->max ? 255 : value < s->min ? 0 : 127; /* one value, or none: mid grey */
  double share = (value - s->min) / (s->max - s->min);
  return share <= 0 ? 0 : share >= 1 ? 255 : (unsigned char)lrint(share * 255);
}

/* Fills the channels, one after the other, from the staged cube. */
static void paint(const struct png_sink *sink, unsigned char *channels, unsigned char *opacity)
{
  size_t pixels = sink->layout.width * sink->layout.height;
  if (opacity != NULL)
    memset(opacity, 255, pixels);
  struct plane_walk walk;
  struct plane_view view;
  plane_walk_start(&walk, &sink->layout, &sink->whole.box, sink->whole.data, sink->whole.element_size);
  while (plane_walk_next(&walk, &view)) {
    unsigned char *to = channels + view.plane * pixels;
    for (size_t row = 0; row < view.height; row++) {
      const char *at = view.data + view.row_stride * (ptrdiff_t)row;
      for (size_t column = 0; column < view.width; column++, at += view.column_stride, to++) {
        bool missing = value_missing(&sink->cube, at, 0);
        *to = missing ? 0 : shade(&sink->stretch, value_load(sink->cube.type, at, 0));
        if (missing && opacity != NULL)
          opacity[row * view.width + column] = 0;
      }
    }
  }
}

static int write_png(const struct png_sink *sink, unsigned char *channels, size_t count, struct error *error)
{
  int width = (int)sink->layout.width, height = (int)sink->layout.height;
  size_t pixels = sink->layout.width * sink->layout.height;
  gdal_scope_begin();
  int status = -1;
  GDALDriverH memory = GDALGetDriverByName("MEM"), png = GDALGetDriverByName("PNG");
  GDALDatasetH picture = memory == NULL ? NULL : GDALCreate(memory, "", width, height, 0, GDT_Byte, NULL);
  for (size_t c = 0; picture != NULL && c < count; c++) {
    char pointer[64];
    snprintf(pointer, sizeof pointer, "DATAPOINTER=%p", (void *)(channels + c * pixels));
    char *options[] = {pointer, NULL};
    GDALAddBand(picture, GDT_Byte, options);
  }
  GDALDatasetH copy =
      picture == NULL || png == NULL ? NULL : GDALCreateCopy(png, sink->output.temporary, picture, 0, NULL, NULL, NULL);
  if (copy != NULL)
    GDALClose(copy);
  if (copy != NULL && !gdal_scope_failed())
    status = 0;
  else
    gdal_scope_error(error, "cannot write the PNG");
  if (picture != NULL)
    GDALClose(picture);
  gdal_scope_end();
  return status;
}

/* The vtable. */

static int png_put(struct sink *base, const struct box *box, const void *data, struct error *error)
{
  (void)error;
  whole_put(&((struct png_sink *)base)->whole, box, data);
  return 0;
}

static int png_finish(struct sink *base, struct error *error)
{
  struct png_sink *sink = (struct png_sink *)base;
  if (whole_complete(&sink->whole, error) != 0)
    return -1;
  bool adds_opacity;
  size_t count = channel_count(sink, &adds_opacity);
  size_t pixels = sink->layout.width * sink->layout.height;
  unsigned char *channels = spill_new(count * pixels, sink->output.path, error);
  if (channels == NULL)
    return -1;
  decide_stretch(sink);
  paint(sink, channels, adds_opacity ? channels + (count - 1) * pixels : NULL);
  int status = write_png(sink, channels, count, error);
  spill_free(channels, count * pixels);
  return status == 0 ? output_commit(&sink->output, error) : -1;
}

static void png_close(struct sink *base)
{
  struct png_sink *sink = (struct png_sink *)base;
  if (sink == NULL)
    return;
  whole_end(&sink->whole);
  output_discard(&sink->output);
  free(sink);
}

static const struct sink_ops png_ops = {png_put, png_finish, png_close};

static int png_open(const struct sink_request *request, const struct cube *cube, struct sink **out, struct error *error)
{
  *out = NULL;
  struct png_sink *sink = calloc(1, sizeof *sink);
  if (sink == NULL)
    return error_memory(error);
  sink->sink = (struct sink){&png_ops, "image/png"};
  sink->cube = *cube;
  if (read_stretch((struct sink_options){request->options, request->option_count}, &sink->stretch, error) != 0 ||
      png_layout(cube, &sink->layout, error) != 0 || output_begin(&sink->output, request->path, error) != 0 ||
      whole_begin(&sink->whole, cube, request->path, error) != 0) {
    png_close(&sink->sink);
    return -1;
  }
  *out = &sink->sink;
  return 0;
}

static const char parameters[] =
    "{\"min\":{\"type\":\"number\",\"description\":\"Value shown black. Without it: 0 for uint8, else the smallest "
    "value "
    "of the picture.\"},"
    "\"max\":{\"type\":\"number\",\"description\":\"Value shown at full brightness. Without it: 255 for uint8, else "
    "the "
    "largest value of the picture.\"},"
    "\"scale\":{\"type\":\"array\",\"items\":{\"type\":\"number\"},\"minItems\":2,\"maxItems\":2,\"description\":"
    "\"min and max as a pair.\"}}";

const struct sink_format sink_format_png = {
    .name = "PNG",
    .title = "Portable Network Graphics",
    .description = "A picture with 8 bits a channel: one band is grey, two grey and opacity, three red, green, blue, "
                   "four with opacity. Other types than uint8 are stretched linearly; missing values are transparent.",
    .extension = "png",
    .media_type = "image/png",
    .parameters = parameters,
    .bands = FILE_BANDS_COLOURS,
    .text = false,
    .check = png_check,
    .prefer = png_prefer,
    .open = png_open,
};
