/* Looking at samples of overviews, once a band and level of an open file. See raster_overview.h. */
#include "datacube/source/raster_overview.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_LEVELS = 16, SIDE = 24, LEAST_SIDE = 4, FROM_SIDE = 384, MARGIN = 2, MANY_VALUES = 64 };
static const double largest_step = 512; /* an overview that skips more is not looked at */

enum level_kind {
  KIND_UNKNOWN,
  KIND_PICKED, /* each pixel is one of those that it stands for */
  KIND_MIXED,  /* … or made of them, and the values are continuous */
  KIND_UNFIT
};

struct raster_levels {
  GDALDatasetH dataset;
  const char *path;
  bool is_inside; /* the overviews lie in the file itself */
  struct tiff_file *tiff[MOST_LEVELS];
  bool was_opened[MOST_LEVELS];
  unsigned char kinds[]; /* of the levels of the bands: MOST_LEVELS a band */
};

struct raster_levels *raster_levels_new(GDALDatasetH dataset, const char *path)
{
  char beside[4096];
  struct raster_levels *levels = calloc(1, sizeof *levels + MOST_LEVELS * (size_t)GDALGetRasterCount(dataset));
  if (!levels)
    return NULL;
  levels->dataset = dataset;
  levels->path = path;
  levels->is_inside = snprintf(beside, sizeof beside, "%s.ovr", path) < (int)sizeof beside && access(beside, F_OK) != 0;
  return levels;
}

void raster_levels_free(struct raster_levels *levels)
{
  for (size_t i = 0; levels && i < MOST_LEVELS; i++)
    tiff_file_close(levels->tiff[i]);
  free(levels);
}

/* ---- what an overview is made of --------------------------------------------------------------------------------- */

struct sample {              /* a square of an overview, and what it stands for */
  double step_x, step_y;     /* pixels of the full resolution per pixel of the overview */
  int column, row;           /* of the overview: the first */
  int width, height;         /* … and how many */
  int from_column, from_row; /* of the full resolution, with a margin */
  int from_width, from_height;
  double *values, *from;
};

static int clamp(double value, int most)
{
  return value < 0 ? 0 : value > most ? most : (int)value;
}

static void place_sample(struct sample *s, GDALRasterBandH band, GDALRasterBandH level, const double place[2])
{
  const int across = GDALGetRasterBandXSize(level), down = GDALGetRasterBandYSize(level);
  const int width = GDALGetRasterBandXSize(band), height = GDALGetRasterBandYSize(band);
  s->step_x = (double)width / across;
  s->step_y = (double)height / down;
  const int room = clamp(FROM_SIDE / s->step_x, SIDE), side = room < LEAST_SIDE ? LEAST_SIDE : room;
  s->width = across < side ? across : side;
  s->height = down < side ? down : side;
  s->column = (int)(place[0] * (across - s->width));
  s->row = (int)(place[1] * (down - s->height));
  s->from_column = clamp(floor(s->column * s->step_x) - MARGIN, width - 1);
  s->from_row = clamp(floor(s->row * s->step_y) - MARGIN, height - 1);
  s->from_width = clamp(ceil((s->column + s->width) * s->step_x) + MARGIN, width) - s->from_column;
  s->from_height = clamp(ceil((s->row + s->height) * s->step_y) + MARGIN, height) - s->from_row;
}

static bool read_square(GDALRasterBandH band, int column, int row, int width, int height, double **out)
{
  *out = malloc((size_t)width * (size_t)height * sizeof **out);
  return *out &&
         GDALRasterIO(band, GF_Read, column, row, width, height, *out, width, height, GDT_Float64, 0, 0) == CE_None;
}

/* Whether pixel (x, y) of the sample is one of those under it, or beside them. */
static bool is_picked(const struct sample *s, int x, int y)
{
  const double value = s->values[y * s->width + x];
  const int left = clamp(floor((s->column + x) * s->step_x) - 1 - s->from_column, s->from_width);
  const int right = clamp(ceil((s->column + x + 1) * s->step_x) + 1 - s->from_column, s->from_width);
  const int top = clamp(floor((s->row + y) * s->step_y) - 1 - s->from_row, s->from_height);
  const int bottom = clamp(ceil((s->row + y + 1) * s->step_y) + 1 - s->from_row, s->from_height);
  for (int i = top; i < bottom; i++)
    for (int j = left; j < right; j++)
      if (s->from[i * s->from_width + j] == value)
        return true;
  return false;
}

static int compare(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorts what is there. */
static size_t count_values(struct sample *s)
{
  const size_t count = (size_t)s->from_width * (size_t)s->from_height;
  size_t values = count > 0;
  qsort(s->from, count, sizeof *s->from, compare);
  for (size_t i = 1; i < count; i++)
    values += s->from[i] != s->from[i - 1];
  return values;
}

/* What a sample tells; KIND_UNKNOWN where all its pixels are alike. */
static enum level_kind judge(struct sample *s, bool is_named)
{
  bool picked = true;
  for (int y = 0; picked && y < s->height; y++)
    for (int x = 0; picked && x < s->width; x++)
      picked = is_picked(s, x, y);
  const size_t values = count_values(s);
  if (values < 2)
    return KIND_UNKNOWN;
  return picked ? KIND_PICKED : !is_named && values > MANY_VALUES ? KIND_MIXED : KIND_UNFIT;
}

static enum level_kind look_at(GDALRasterBandH band, GDALRasterBandH level, const double place[2], bool is_named)
{
  struct sample s = {.values = NULL};
  enum level_kind kind = KIND_UNFIT;
  place_sample(&s, band, level, place);
  if (s.step_x <= largest_step && s.step_y <= largest_step &&
      read_square(level, s.column, s.row, s.width, s.height, &s.values) &&
      read_square(band, s.from_column, s.from_row, s.from_width, s.from_height, &s.from))
    kind = judge(&s, is_named);
  free(s.values);
  free(s.from);
  return kind;
}

static enum level_kind find_kind(GDALRasterBandH band, GDALRasterBandH level)
{
  static const double places[][2] = {{0.5, 0.5}, {0.25, 0.25}, {0.75, 0.25}, {0.25, 0.75}, {0.75, 0.75}};
  const GDALDataType type = GDALGetRasterDataType(band);
  const bool is_named = GDALGetRasterColorTable(band) != NULL || GDALGetRasterCategoryNames(band) != NULL;
  if (GDALDataTypeIsComplex(type))
    return KIND_UNFIT;
  if (type == GDT_Float32 || type == GDT_Float64)
    return KIND_MIXED;
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    const enum level_kind kind = look_at(band, level, places[i], is_named);
    if (kind != KIND_UNKNOWN)
      return kind;
  }
  return KIND_UNFIT;
}

static bool suits(enum level_kind kind, enum resampling method)
{
  switch (method) {
  case RESAMPLE_NEAREST:
  case RESAMPLE_BILINEAR:
  case RESAMPLE_CUBIC:
  case RESAMPLE_CUBIC_SPLINE:
  case RESAMPLE_LANCZOS:
  case RESAMPLE_AVERAGE:
    return kind == KIND_PICKED || kind == KIND_MIXED;
  case RESAMPLE_MODE:
    return kind == KIND_PICKED;
  default: /* extremes, quantiles and sums are of all pixels */
    return false;
  }
}

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

/* The coarsest one within the ratio; -1: none. */
static int find_number(GDALRasterBandH band, double ratio)
{
  int best = -1, count = GDALGetOverviewCount(band);
  double best_step = 1;
  for (int i = 0; i < count && i < MOST_LEVELS; i++) {
    GDALRasterBandH level = GDALGetOverview(band, i);
    const double step = level ? (double)GDALGetRasterBandXSize(band) / GDALGetRasterBandXSize(level) : 0;
    if (step > best_step && step <= ratio * (1 + 1e-6)) {
      best = i;
      best_step = step;
    }
  }
  return best;
}

/* The mask's own overview, of the same size as the band's; false where there is none. */
static bool find_mask(GDALRasterBandH mask, GDALRasterBandH level, int number, GDALRasterBandH *out)
{
  *out = NULL;
  if (!mask)
    return true;
  *out = number < GDALGetOverviewCount(mask) ? GDALGetOverview(mask, number) : GDALGetMaskBand(level);
  return *out && GDALGetRasterBandXSize(*out) == GDALGetRasterBandXSize(level) &&
         GDALGetRasterBandYSize(*out) == GDALGetRasterBandYSize(level);
}

static struct tiff_file *tiff_of(struct raster_levels *levels, GDALRasterBandH level, int number)
{
  GDALDatasetH dataset = GDALGetBandDataset(level);
  if (levels->is_inside && dataset && !levels->was_opened[number])
    levels->tiff[number] = tiff_file_open(dataset, levels->path);
  levels->was_opened[number] = true;
  return levels->tiff[number];
}

bool raster_level_find(struct raster_levels *levels, int band, GDALRasterBandH mask, const struct grid *grid,
                       double ratio, enum resampling method, struct raster_level *out)
{
  GDALRasterBandH full = GDALGetRasterBand(levels->dataset, band);
  const int number = ratio > 1 ? find_number(full, ratio) : -1;
  if (number < 0)
    return false;
  unsigned char *kind = &levels->kinds[(band - 1) * MOST_LEVELS + number];
  if (*kind == KIND_UNKNOWN)
    *kind = (unsigned char)find_kind(full, GDALGetOverview(full, number));
  *out = (struct raster_level){.band = GDALGetOverview(full, number), .grid = *grid};
  if (!suits((enum level_kind) * kind, method) || !find_mask(mask, out->band, number, &out->mask))
    return false;
  out->tiff = tiff_of(levels, out->band, number);
  out->grid.width = (size_t)GDALGetRasterBandXSize(out->band);
  out->grid.height = (size_t)GDALGetRasterBandYSize(out->band);
  out->grid.res_x = grid->res_x * (double)grid->width / (double)out->grid.width;
  out->grid.res_y = grid->res_y * (double)grid->height / (double)out->grid.height;
  return true;
}
