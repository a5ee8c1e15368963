/* PNG, JPEG and WebP: a picture of one to four bands, 8 bits each.
 *
 * One band is grey, two grey and opacity, three red, green, blue, four with opacity. Values are stretched linearly from
 * [min, max] to 0 … 255. Without min and max, uint8 values are shown as they are, and so are values of other types
 * that fill no more than 0 … 255 (and not just 0 … 1): somebody has scaled them. Else the stretch is the range of
 * the valid values of all colours together, so that colours keep their balance. Pixels with a missing value in any band
 * become transparent where the type can have missing values; JPEG knows no transparency and shows them black. */
#include "datacube/sink/formats.h"
#include "datacube/sink/gdal_scope.h"
#include "datacube/sink/layout.h"
#include "datacube/sink/options.h"
#include "datacube/sink/output.h"
#include "datacube/sink/values.h"
#include "datacube/sink/whole.h"

#include <cpl_string.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PIXELS = 100 * 1000 * 1000, MAX_CHANNELS = 4, JPEG_QUALITY = 90 };

struct picture_kind { /* what the three formats differ in */
  const char *name;   /* of the format and of GDAL's driver */
  const char *media_type;
  bool opacity; /* a second or fourth channel is allowed */
  bool grey;    /* one channel is allowed, else grey is three equal ones */
  int max_side; /* pixels */
};
enum { KIND_PNG, KIND_JPEG, KIND_WEBP };
static const struct picture_kind kinds[] = {
    [KIND_PNG] = {"PNG", "image/png", true, true, MAX_PIXELS},
    [KIND_JPEG] = {"JPEG", "image/jpeg", false, true, 65500},
    [KIND_WEBP] = {"WebP", "image/webp", true, false, 16383},
};

struct picture_settings {
  struct stretch {         /* of values to 0 … 255 */
    bool has_min, has_max; /* given by the user */
    double min, max;
  } stretch;
  int quality; /* JPEG, WebP: 1 … 100; 0: not given */
};

struct picture_sink {
  struct sink sink;
  struct cube cube; /* only type and no-data are looked at after open */
  struct layout layout;
  const struct picture_kind *kind;
  struct picture_settings settings;
  struct output output;
  struct whole whole;
};

static const char *const png_options[] = {"min", "max", "scale", NULL};
static const char *const lossy_options[] = {"min", "max", "scale", "quality", NULL};

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
    return error_parameter(error, ERROR_ProcessParameterInvalid, "options",
                           "option 'scale' is a pair of numbers [min, max], not '%.60s'", text);
  out->has_min = out->has_max = true;
  return 0;
}

static int read_stretch(struct sink_options options, struct stretch *out, struct error *error)
{
  *out = (struct stretch){0};
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
    return error_parameter(error, ERROR_ProcessParameterInvalid, "options",
                           "option 'min' (%g) must be below 'max' (%g)", out->min, out->max);
  return 0;
}

static int read_settings(const struct picture_kind *kind, struct sink_options options, struct picture_settings *out,
                         struct error *error)
{
  *out = (struct picture_settings){0};
  if (read_stretch(options, &out->stretch, error) != 0)
    return -1;
  return kind == &kinds[KIND_PNG] ? 0 : sink_options_integer(options, "quality", 1, 100, &out->quality, error);
}

static int picture_layout(const struct picture_kind *kind, const struct cube *cube, struct layout *layout,
                          struct error *error)
{
  if (layout_of_cube(cube, kind->name, "Use netCDF or JSON, which hold any cube.", layout, error) != 0)
    return -1;
  size_t long_dimensions = 0;
  for (size_t d = 0; d < cube->dimensions; d++)
    if (layout->plane_step[d] != 0 && cube->dimension[d].size > 1)
      long_dimensions++;
  bool fits = kind->opacity ? layout->planes <= MAX_CHANNELS : layout->planes == 1 || layout->planes == 3;
  if (long_dimensions > 1 || !fits)
    return error_set(error, ERROR_FormatUnsuitable,
                     "%s shows %s of one date; the cube has %zu pictures. Reduce or filter the other dimensions, or "
                     "use GTiff or netCDF.",
                     kind->name, kind->opacity ? "one to four bands" : "one or three bands", layout->planes);
  if (element_info(cube->type)->is_complex)
    return error_set(error, ERROR_FormatUnsuitable, "%s cannot show complex values. Use netCDF or JSON.", kind->name);
  if (layout->width > MAX_PIXELS || layout->height > MAX_PIXELS / layout->width)
    return error_set(error, ERROR_FormatUnsuitable,
                     "%s pictures have at most %d pixels; the cube has %zu x %zu. Resample it, or use GTiff.",
                     kind->name, MAX_PIXELS, layout->width, layout->height);
  if (layout->width > (size_t)kind->max_side || layout->height > (size_t)kind->max_side)
    return error_set(error, ERROR_FormatUnsuitable,
                     "%s pictures have at most %d pixels a side; the cube has %zu x %zu. Resample it, or use GTiff.",
                     kind->name, kind->max_side, layout->width, layout->height);
  return 0;
}

static int picture_check(const struct picture_kind *kind, const struct cube *cube, struct sink_options options,
                         struct error *error)
{
  struct picture_settings settings;
  struct layout layout;
  return read_settings(kind, options, &settings, error) != 0 ? -1 : picture_layout(kind, cube, &layout, error);
}

static void picture_prefer(const struct cube *cube, const struct sink_option *options, size_t count, size_t tile[])
{
  (void)options;
  (void)count;
  for (size_t d = 0; d < cube->dimensions; d++)
    tile[d] = 0;
}

/* From values to 8-bit channels. */

/* Whether a channel is made from the missing values. */
static bool adds_opacity(const struct picture_sink *sink)
{
  bool may_miss =
      sink->cube.has_nodata || element_info(sink->cube.type)->is_float || sink->cube.type == ELEMENT_BOOLEAN;
  return sink->kind->opacity && may_miss && sink->layout.planes % 2 == 1;
}

static void find_range(struct picture_sink *sink)
{
  struct stretch *s = &sink->settings.stretch;
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
  bool scaled = !s->has_min && !s->has_max && low >= 0 && high > 1 && high <= 255;
  if (!s->has_min)
    s->min = scaled ? 0 : low;
  if (!s->has_max)
    s->max = scaled ? 255 : high;
}

static void decide_stretch(struct picture_sink *sink)
{
  struct stretch *s = &sink->settings.stretch;
  bool decided = s->has_min || s->has_max;
  if (!decided && sink->cube.type == ELEMENT_U8)
    *s = (struct stretch){.max = 255};
  else if (!decided && sink->cube.type == ELEMENT_BOOLEAN)
    *s = (struct stretch){.max = 1};
  else if (!s->has_min || !s->has_max)
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
static void paint(const struct picture_sink *sink, unsigned char *channels, unsigned char *opacity)
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
        *to = missing ? 0 : shade(&sink->settings.stretch, value_load(sink->cube.type, at, 0));
        if (missing && opacity != NULL)
          opacity[row * view.width + column] = 0;
      }
    }
  }
}

/* Options of GDAL's driver. */
static char **driver_options(const struct picture_sink *sink)
{
  char number[16];
  if (sink->kind == &kinds[KIND_PNG])
    return NULL;
  if (sink->kind == &kinds[KIND_WEBP] && sink->settings.quality == 0)
    return CSLSetNameValue(NULL, "LOSSLESS", "TRUE");
  snprintf(number, sizeof number, "%d", sink->settings.quality > 0 ? sink->settings.quality : JPEG_QUALITY);
  return CSLSetNameValue(NULL, "QUALITY", number);
}

/* A picture in memory whose bands are the channels, `count` of them. */
static GDALDatasetH picture_of(const struct picture_sink *sink, unsigned char *channels, size_t count)
{
  int width = (int)sink->layout.width, height = (int)sink->layout.height;
  size_t pixels = sink->layout.width * sink->layout.height;
  bool grey = count <= 2, repeats = grey && !sink->kind->grey;
  GDALDriverH memory = GDALGetDriverByName("MEM");
  GDALDatasetH picture = memory == NULL ? NULL : GDALCreate(memory, "", width, height, 0, GDT_Byte, NULL);
  for (size_t c = 0; picture != NULL && c < count + (repeats ? 2 : 0); c++) {
    size_t from = !repeats ? c : c < 3 ? 0 : 1;
    char pointer[64];
    snprintf(pointer, sizeof pointer, "DATAPOINTER=%p", (void *)(channels + from * pixels));
    char *options[] = {pointer, NULL};
    GDALAddBand(picture, GDT_Byte, options);
  }
  return picture;
}

static int write_picture(const struct picture_sink *sink, unsigned char *channels, size_t count, struct error *error)
{
  char what[32];
  snprintf(what, sizeof what, "cannot write the %s", sink->kind->name);
  gdal_scope_begin();
  int status = -1;
  GDALDriverH driver = GDALGetDriverByName(sink->kind->name);
  GDALDatasetH picture = picture_of(sink, channels, count), copy = NULL;
  char **options = driver_options(sink);
  if (picture != NULL && driver != NULL)
    copy = GDALCreateCopy(driver, sink->output.temporary, picture, 0, options, NULL, NULL);
  if (copy != NULL)
    GDALClose(copy);
  if (copy != NULL && !gdal_scope_failed())
    status = 0;
  else
    gdal_scope_error(error, what);
  if (picture != NULL)
    GDALClose(picture);
  CSLDestroy(options);
  gdal_scope_end();
  return status;
}

/* The vtable. */

static int picture_put(struct sink *base, const struct box *box, const void *data, struct error *error)
{
  (void)error;
  whole_put(&((struct picture_sink *)base)->whole, box, data);
  return 0;
}

static int picture_finish(struct sink *base, struct error *error)
{
  struct picture_sink *sink = (struct picture_sink *)base;
  if (whole_complete(&sink->whole, error) != 0)
    return -1;
  size_t pixels = sink->layout.width * sink->layout.height;
  size_t count = sink->layout.planes + (adds_opacity(sink) ? 1 : 0);
  unsigned char *channels = spill_new(count * pixels, sink->output.path, error);
  if (channels == NULL)
    return -1;
  decide_stretch(sink);
  paint(sink, channels, adds_opacity(sink) ? channels + (count - 1) * pixels : NULL);
  int status = write_picture(sink, channels, count, error);
  spill_free(channels, count * pixels);
  return status == 0 ? output_commit(&sink->output, error) : -1;
}

static void picture_close(struct sink *base)
{
  struct picture_sink *sink = (struct picture_sink *)base;
  if (sink == NULL)
    return;
  whole_end(&sink->whole);
  output_discard(&sink->output);
  free(sink);
}

static const struct sink_ops picture_ops = {.put = picture_put, .finish = picture_finish, .close = picture_close};

static int picture_open(const struct picture_kind *kind, const struct sink_request *request, const struct cube *cube,
                        struct sink **out, struct error *error)
{
  *out = NULL;
  struct picture_sink *sink = calloc(1, sizeof *sink);
  if (sink == NULL)
    return error_memory(error);
  sink->sink = (struct sink){&picture_ops, kind->media_type};
  sink->kind = kind;
  sink->cube = *cube;
  if (read_settings(kind, (struct sink_options){request->options, request->option_count}, &sink->settings, error) !=
          0 ||
      picture_layout(kind, cube, &sink->layout, error) != 0 || output_begin(&sink->output, request->path, error) != 0 ||
      whole_begin(&sink->whole, cube, request->path, error) != 0) {
    picture_close(&sink->sink);
    return -1;
  }
  *out = &sink->sink;
  return 0;
}

/* The rows. */

#define ROW_FUNCTIONS(prefix, kind)                                                                                    \
  static int prefix##_check(const struct cube *cube, const struct sink_option *options, size_t count,                  \
                            struct error *error)                                                                       \
  {                                                                                                                    \
    return picture_check(&kinds[kind], cube, (struct sink_options){options, count}, error);                            \
  }                                                                                                                    \
  static int prefix##_open(const struct sink_request *request, const struct cube *cube, struct sink **out,             \
                           struct error *error)                                                                        \
  {                                                                                                                    \
    return picture_open(&kinds[kind], request, cube, out, error);                                                      \
  }
ROW_FUNCTIONS(png, KIND_PNG)
ROW_FUNCTIONS(jpeg, KIND_JPEG)
ROW_FUNCTIONS(webp, KIND_WEBP)

#define STRETCH_PARAMETERS                                                                                             \
  "\"min\":{\"type\":\"number\",\"description\":\"Value shown black. Without it: 0 for uint8 and for values that "     \
  "have "                                                                                                              \
  "been scaled to 0 … 255, else the smallest value of the picture.\"},"                                              \
  "\"max\":{\"type\":\"number\",\"description\":\"Value shown at full brightness. Without it: 255 for uint8 and for "  \
  "values that have been scaled to 0 … 255, else the largest value of the picture.\"},"                              \
  "\"scale\":{\"type\":\"array\",\"items\":{\"type\":\"number\"},\"minItems\":2,\"maxItems\":2,\"description\":"       \
  "\"min and max as a pair.\"}"
#define QUALITY_PARAMETER(text)                                                                                        \
  ",\"quality\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"description\":\"" text "\"}"

const struct sink_format sink_format_png = {
    .name = "PNG",
    .title = "Portable Network Graphics",
    .description = "A picture with 8 bits a channel: one band is grey, two grey and opacity, three red, green, blue, "
                   "four with opacity. Values beyond 0 … 255 are stretched linearly; missing ones are transparent.",
    .extension = "png",
    .media_type = "image/png",
    .parameters = "{" STRETCH_PARAMETERS "}",
    .options = png_options,
    .bands = FILE_BANDS_COLOURS,
    .check = png_check,
    .prefer = picture_prefer,
    .open = png_open,
};

const struct sink_format sink_format_jpeg = {
    .name = "JPEG",
    .title = "JPEG",
    .description = "A picture with 8 bits a channel, compressed with losses: one band is grey, three red, green, blue. "
                   "Values beyond 0 … 255 are stretched linearly; missing ones are black.",
    .extension = "jpg",
    .media_type = "image/jpeg",
    .parameters = "{" STRETCH_PARAMETERS QUALITY_PARAMETER("From small to faithful; 90 if it is not given.") "}",
    .options = lossy_options,
    .bands = FILE_BANDS_COLOURS,
    .check = jpeg_check,
    .prefer = picture_prefer,
    .open = jpeg_open,
};

const struct sink_format sink_format_webp = {
    .name = "WebP",
    .title = "WebP",
    .description = "A picture with 8 bits a channel as PNG, without loss unless a quality is given.",
    .extension = "webp",
    .media_type = "image/webp",
    .parameters = "{" STRETCH_PARAMETERS QUALITY_PARAMETER("Compresses with losses, from small to faithful.") "}",
    .options = lossy_options,
    .bands = FILE_BANDS_COLOURS,
    .check = webp_check,
    .prefer = picture_prefer,
    .open = webp_open,
};
