/* Painting: one number of a palette a pixel, or one colour. */
#include "server/services/style.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BAR_WIDTH = 256, BAR_HEIGHT = 20, SWATCH = 20 };

/* 1 … 255 along the ramp; 0: missing. */
static void paint_ramp(const struct style *style, const double *values, size_t count, unsigned char *out)
{
  const double min = style->min[0], last = STYLE_COLOURS - 2;
  const double scale = (last + 1) / (style->max[0] - min);
  for (size_t i = 0; i < count; i++) {
    double at = (values[i] - min) * scale;
    at = at > 0 ? at : 0;
    at = at < last ? at : last;
    out[i] = isnan(values[i]) ? 0 : (unsigned char)(1 + (int)at);
  }
}

static void paint_categories(const struct style *style, const double *values, size_t count, unsigned char *out)
{
  for (size_t i = 0; i < count; i++) {
    size_t low = 1, high = style->colours;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (style->values[middle] < values[i])
        low = middle + 1;
      else
        high = middle;
    }
    out[i] = low < style->colours && style->values[low] == values[i] ? (unsigned char)low : 0;
  }
}

static unsigned char level(double value, double min, double max)
{
  const double at = (value - min) / (max - min) * 255;
  return at <= 0 ? 0 : at >= 255 ? 255 : (unsigned char)(at + 0.5);
}

static void paint_colour(const struct style *style, const double *values, size_t count, unsigned char *out)
{
  for (size_t i = 0; i < count; i++) {
    bool missing = false;
    for (size_t b = 0; b < STYLE_BANDS; b++)
      missing = missing || isnan(values[b * count + i]);
    if (missing) {
      memcpy(out + 4 * i, &style->palette[0], 4);
      continue;
    }
    for (size_t b = 0; b < STYLE_BANDS; b++)
      out[4 * i + b] = level(values[b * count + i], style->min[b], style->max[b]);
    out[4 * i + 3] = 255;
  }
}

static int encode(const struct style *style, struct tile_picture picture, enum tile_format format, struct buffer *out,
                  struct error *error)
{
  picture.palette = style->kind == STYLE_COLOUR ? NULL : &style->palette[0].red;
  picture.colours = style->colours;
  return tile_picture_encode(format, &picture, out, error);
}

int style_paint(const struct style *style, const struct map_pixels *pixels, enum tile_format format, struct buffer *out,
                struct error *error)
{
  const size_t count = pixels->width * pixels->height, channels = style->kind == STYLE_COLOUR ? 4 : 1;
  if (pixels->planes != (style->kind == STYLE_COLOUR ? STYLE_BANDS : 1))
    return error_set(error, ERROR_FormatUnsuitable, "the map has %zu bands now, its style is for %d", pixels->planes,
                     style->kind == STYLE_COLOUR ? STYLE_BANDS : 1);
  unsigned char *painted = malloc(count * channels);
  if (painted == NULL)
    return error_memory(error);
  if (style->kind == STYLE_RAMP)
    paint_ramp(style, pixels->values, count, painted);
  else if (style->kind == STYLE_CATEGORIES)
    paint_categories(style, pixels->values, count, painted);
  else
    paint_colour(style, pixels->values, count, painted);
  const struct tile_picture picture = {.width = pixels->width, .height = pixels->height, .pixels = painted};
  int status = encode(style, picture, format, out, error);
  free(painted);
  return status;
}

int style_legend(const struct style *style, enum tile_format format, struct buffer *out, struct error *error)
{
  unsigned char pixels[BAR_WIDTH * BAR_HEIGHT * 4] = {0};
  struct tile_picture picture = {.width = BAR_WIDTH, .height = BAR_HEIGHT, .pixels = pixels};
  if (style->kind == STYLE_CATEGORIES)
    picture.width = SWATCH * (style->colours - 1 < BAR_WIDTH / SWATCH ? style->colours - 1 : BAR_WIDTH / SWATCH);
  for (size_t i = 0; style->kind != STYLE_COLOUR && i < picture.width * picture.height; i++) {
    const size_t x = i % picture.width;
    pixels[i] = (unsigned char)(style->kind == STYLE_RAMP ? (x < 255 ? x + 1 : 255) : 1 + x / SWATCH);
  }
  return encode(style, picture, format, out, error);
}
