/* The crops of a regridded series. See raster_clip.h. */
#include "datacube/source/raster_clip.h"

#include "datacube/locate.h"
#include "datacube/transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double edge_noise = 1e-7;  /* of a pixel: as resampling takes it */
static const double whole_pixels = 1e-6; /* of a pixel: a crop of nearly whole pixels has whole ones */

struct raster_clip {
  const struct series_state *state;
  struct transform **transforms; /* cube -> crop, one a crop */
  bool whole;                    /* whether all pixels of the region below are inside */
  struct raster_region part, inside; /* the last part looked at */
  bool known;
  unsigned char *mask; /* 1 inside; of the part, row by row */
};

static double pixels_of(double length, double res)
{
  double n = length / res, whole = rint(n);
  return fabs(n - whole) < whole_pixels ? whole : n;
}

bool series_crop_holds(const struct series_crop *crop, const struct grid *grid)
{
  const struct extent own = raster_grid_extent(grid);
  struct extent image;
  if (!raster_extent_image(&own, crop->extent.crs, &image))
    return false; /* the pixels are looked at one by one */
  double slack_x = whole_pixels * crop->res_x, slack_y = whole_pixels * crop->res_y;
  return image.west >= crop->extent.west - slack_x && image.east <= crop->extent.east + slack_x &&
         image.south >= crop->extent.south - slack_y && image.north <= crop->extent.north + slack_y;
}

int raster_clip_new(const struct series_state *state, struct raster_clip **out, struct error *error)
{
  *out = NULL;
  if (state->crop_count == 0)
    return 0;
  struct raster_clip *c = calloc(1, sizeof *c);
  if (!c)
    return error_memory(error);
  c->state = state;
  c->transforms = calloc(state->crop_count, sizeof *c->transforms);
  c->mask = malloc((size_t)RASTER_PART * RASTER_PART);
  int status = c->transforms && c->mask ? 0 : error_memory(error);
  for (size_t i = 0; status == 0 && i < state->crop_count; i++)
    status = transform_new(state->series.grid.crs, state->crops[i].extent.crs, &c->transforms[i], error);
  if (status)
    raster_clip_free(c);
  else
    *out = c;
  return status;
}

void raster_clip_free(struct raster_clip *c)
{
  if (!c)
    return;
  for (size_t i = 0; c->transforms && i < c->state->crop_count; i++)
    transform_free(c->transforms[i]);
  free(c->transforms);
  free(c->mask);
  free(c);
}

/* Clears the mask of a run of a cell where its centres are outside [0, width) x [0, height) of the crop's pixels. */
static void mask_run(const struct locator *l, const struct located_cell *cell, const size_t at[2], size_t n,
                     const double size[2], unsigned char *mask)
{
  double x[LOCATE_SIDE], y[LOCATE_SIDE];
  if (cell->kind == CELL_VOID) {
    memset(mask, 0, n);
    return;
  }
  locator_row_settled(l, cell, (double)at[1] + 0.5, (double)at[0] + 0.5, n, x, y);
  for (size_t i = 0; i < n; i++) {
    double px = x[i] + edge_noise, py = y[i] + edge_noise;
    mask[i] = mask[i] && px >= 0 && py >= 0 && px < size[1] && py < size[0];
  }
}

/* Whether the cell is inside [0, width) x [0, height), well away from the edges. */
static bool cell_is_inside(const struct locator *l, const struct located_cell *cell, const double size[2])
{
  double low[2], high[2];
  return locator_bounds(l, cell, low, high) && low[0] > 1 && low[1] > 1 && high[0] < size[0] - 1 &&
         high[1] < size[1] - 1;
}

static int mask_crop(struct raster_clip *c, size_t index, struct error *error)
{
  const struct series_crop *crop = &c->state->crops[index];
  const struct extent *e = &crop->extent;
  const double size[2] = {pixels_of(e->north - e->south, crop->res_y), pixels_of(e->east - e->west, crop->res_x)};
  const struct grid pixels = {.west = e->west,
                              .north = e->north,
                              .res_x = crop->res_x,
                              .res_y = crop->res_y,
                              .width = (size_t)ceil(size[1]),
                              .height = (size_t)ceil(size[0])};
  struct locator l = locator_make(c->transforms[index], &pixels, &c->state->series.grid);
  const size_t start[2] = {c->part.row, c->part.column}, count[2] = {c->part.height, c->part.width};
  int status = locator_box(&l, start, count, error);
  for (size_t k = 0; status == 0 && k < l.count; k++) {
    const struct located_cell *cell = &l.cells[k];
    if (cell_is_inside(&l, cell, size))
      continue;
    for (size_t row = cell->row; row < cell->row + cell->height; row++)
      for (size_t i = 0; i < cell->width; i += LOCATE_SIDE) {
        const size_t at[2] = {row, cell->column + i}, left = cell->width - i;
        mask_run(&l, cell, at, left < LOCATE_SIDE ? left : LOCATE_SIDE, size,
                 c->mask + (row - start[0]) * count[1] + at[1] - start[1]);
      }
  }
  locator_clear(&l);
  return status;
}

/* The box round the mask, and whether it is full. */
static void find_inside(struct raster_clip *c)
{
  size_t height = c->part.height, width = c->part.width, top = height, bottom = 0, left = width, right = 0, n = 0;
  for (size_t y = 0; y < height; y++)
    for (size_t x = 0; x < width; x++) {
      if (!c->mask[y * width + x])
        continue;
      n++;
      top = y < top ? y : top, bottom = y + 1;
      left = x < left ? x : left, right = x + 1 > right ? x + 1 : right;
    }
  c->inside = (struct raster_region){.row = c->part.row, .column = c->part.column};
  if (n > 0)
    c->inside = (struct raster_region){
        .row = c->part.row + top, .column = c->part.column + left, .height = bottom - top, .width = right - left};
  c->whole = n == c->inside.height * c->inside.width;
}

int raster_clip_part(struct raster_clip *c, const struct raster_region *part, struct raster_region *inside,
                     struct error *error)
{
  if (!c->known || memcmp(part, &c->part, sizeof *part) != 0) {
    c->known = false;
    c->part = *part;
    memset(c->mask, 1, part->height * part->width);
    for (size_t i = 0; i < c->state->crop_count; i++)
      if (mask_crop(c, i, error))
        return -1;
    find_inside(c);
    c->known = true;
  }
  *inside = c->inside;
  return 0;
}

void raster_clip_plane(const struct raster_clip *c, const struct pixel_format *format, size_t stride,
                       unsigned char *pixels)
{
  size_t size = element_info(format->type)->size;
  for (size_t y = 0; !c->whole && y < c->inside.height; y++) {
    size_t at = (c->inside.row + y - c->part.row) * c->part.width + c->inside.column - c->part.column;
    for (size_t x = 0; x < c->inside.width; x++)
      if (!c->mask[at + x])
        pixels_fill(format, 1, pixels + (y * stride + x) * size);
  }
}
