/* Raster series: the reader.
 *
 * A plane (one date, one band) of the box is filled scene by scene in item order; a scene is only opened while pixels
 * are missing. A scene on the cube's lattice goes by one read into the output (the first) or into scratch and from
 * there into the gaps (later ones). Any other scene is cut into pieces of at most RASTER_PART squared target pixels and
 * RASTER_SOURCE_PIXELS source pixels, read into scratch and resampled from there, so memory is bounded whatever the box
 * and the ratio of resolutions.
 *
 * Scratch grows to the largest piece and stays; warpers are kept, the one longest unused goes first. One thread at a
 * time. */
#include "datacube/source/raster_series_state.h"

#include "datacube/source/raster_ahead.h"
#include "datacube/source/raster_clip.h"
#include "datacube/source/scene_view.h"
#include "datacube/transform.h"
#include "datacube/warp.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct kept_warper {
  struct warper *warper; /* NULL: free */
  struct grid grid;      /* of the scene */
  size_t crs;            /* of the scene */
  uint64_t used;
};

struct source_reader {
  const struct series_state *state;
  size_t pixel; /* bytes of a pixel of the cube */
  struct raster_handles handles;
  struct raster_clip *clip; /* NULL: nothing is cropped away */
  struct raster_ahead *ahead;
  struct kept_warper warpers[RASTER_WARPERS];
  struct transform **transforms; /* cube -> scene CRS, made when needed; one a CRS */
  uint64_t clock;
  void *window, *piece;           /* scratch: source pixels; target pixels of a piece */
  size_t window_room, piece_room; /* pixels */
};

struct raster_target {               /* the part of a plane being filled */
  size_t row, column, height, width; /* window of the cube's grid */
  size_t stride;                     /* pixels from row to row */
  unsigned char *pixels;             /* the window's first */
};

/* ---- Open and close -------------------------------------------------------------------------------------------- */

int raster_reader_open(const struct source *source, unsigned threads, struct source_reader **out, struct error *error)
{
  (void)threads;
  const struct series_state *state = source->state;
  struct source_reader *r = calloc(1, sizeof *r);
  if (!r)
    return error_memory(error);
  r->state = state;
  r->pixel = element_info(state->format.type)->size;
  r->transforms = calloc(state->crs_count, sizeof *r->transforms);
  if (raster_handles_init(&r->handles, state->files, state->file_count, error) || !r->transforms) {
    raster_reader_close(r);
    return error_memory(error);
  }
  if (raster_clip_new(state, &r->clip, error) ||
      raster_ahead_new(state, &r->handles, r->transforms, &r->ahead, error)) {
    raster_reader_close(r);
    return -1;
  }
  *out = r;
  return 0;
}

void raster_reader_close(struct source_reader *r)
{
  if (!r)
    return;
  for (size_t i = 0; i < RASTER_WARPERS; i++)
    warper_free(r->warpers[i].warper);
  for (size_t i = 0; r->transforms && i < r->state->crs_count; i++)
    transform_free(r->transforms[i]);
  raster_handles_free(&r->handles);
  raster_clip_free(r->clip);
  raster_ahead_free(r->ahead);
  free(r->transforms);
  free(r->window);
  free(r->piece);
  free(r);
}

void raster_reader_share(struct source_reader *r, struct block_cache *cache)
{
  tiff_blocks_share(r->handles.blocks, cache);
}

/* ---- Scenes on the lattice -------------------------------------------------------------------------------------- */

static int grow(struct source_reader *r, void **data, size_t *room, size_t pixels, struct error *error)
{
  if (pixels <= *room)
    return 0;
  free(*data);
  *room = 0;
  *data = pixels <= SIZE_MAX / r->pixel ? malloc(pixels * r->pixel) : NULL;
  if (!*data)
    return error_memory(error);
  *room = pixels;
  return 0;
}

/* The part of a span of the target that the view has: [first, end) of target pixels. */
static void overlap(size_t start, size_t count, ptrdiff_t shift, size_t size, size_t *first, size_t *end)
{
  ptrdiff_t low = -shift, high = (ptrdiff_t)size - shift; /* the view in pixels of the cube */
  ptrdiff_t from = (ptrdiff_t)start, to = (ptrdiff_t)(start + count);
  from = low > from ? low : from;
  to = high < to ? high : to;
  *first = (size_t)(from > (ptrdiff_t)start ? from : (ptrdiff_t)start);
  *end = to > from ? (size_t)to : *first;
}

static size_t least(size_t a, size_t b)
{
  return a < b ? a : b;
}

static unsigned char *target_pixel(const struct source_reader *r, const struct raster_target *t, size_t row,
                                   size_t column)
{
  return t->pixels + ((row - t->row) * t->stride + (column - t->column)) * r->pixel;
}

static void fill_target(const struct source_reader *r, const struct raster_target *t)
{
  for (size_t y = 0; y < t->height; y++)
    pixels_fill(&r->state->format, t->width, t->pixels + y * t->stride * r->pixel);
}

static bool target_is_complete(const struct source_reader *r, const struct raster_target *t)
{
  for (size_t y = 0; y < t->height; y++)
    if (pixels_any_missing(&r->state->format, t->width, t->pixels + y * t->stride * r->pixel))
      return false;
  return true;
}

/* Later scenes: strips of rows through scratch into the gaps. */
static int merge_on_lattice(struct source_reader *r, const struct scene_view *view, const struct raster_target *t,
                            struct raster_region region, unsigned char *to, struct error *error)
{
  size_t strip = WARP_BOX_PIXELS / region.width + 1, rows = region.height;
  strip = least(strip, rows);
  if (grow(r, &r->piece, &r->piece_room, strip * region.width, error))
    return -1;
  for (size_t row = 0; row < rows; row += strip) {
    struct raster_region part = region;
    part.row += row;
    part.height = least(strip, rows - row);
    if (scene_view_read(view, &part, part.width, r->piece, error))
      return -1;
    for (size_t y = 0; y < part.height; y++)
      pixels_merge(&r->state->format, part.width, (unsigned char *)r->piece + y * part.width * r->pixel,
                   to + (row + y) * t->stride * r->pixel);
  }
  return 0;
}

static int read_on_lattice(struct source_reader *r, const struct scene_view *view, const struct raster_target *t,
                           bool first, struct error *error)
{
  size_t x0, x1, y0, y1;
  overlap(t->column, t->width, view->place->column, view->scene->grid.width, &x0, &x1);
  overlap(t->row, t->height, view->place->row, view->scene->grid.height, &y0, &y1);
  bool whole = x1 - x0 == t->width && y1 - y0 == t->height;
  if (first && !whole)
    fill_target(r, t);
  if (x0 == x1 || y0 == y1)
    return 0;
  struct raster_region region = {.row = (size_t)((ptrdiff_t)y0 + view->place->row),
                                 .column = (size_t)((ptrdiff_t)x0 + view->place->column),
                                 .height = y1 - y0,
                                 .width = x1 - x0};
  unsigned char *to = target_pixel(r, t, y0, x0);
  if (first)
    return scene_view_read(view, &region, t->stride, to, error);
  return merge_on_lattice(r, view, t, region, to, error);
}

/* ---- Resampled scenes ------------------------------------------------------------------------------------------ */

static bool warper_fits(const struct kept_warper *k, const struct scene_view *view)
{
  const struct grid *grid = &view->grid;
  return k->warper && k->crs == view->place->crs && k->grid.west == grid->west && k->grid.north == grid->north &&
         k->grid.res_x == grid->res_x && k->grid.res_y == grid->res_y && k->grid.width == grid->width &&
         k->grid.height == grid->height;
}

static int warper_of(struct source_reader *r, const struct scene_view *view, struct warper **out, struct error *error)
{
  const struct raster_series *s = &r->state->series;
  size_t slots = s->method == RESAMPLE_NEAREST ? RASTER_WARPERS : RASTER_KERNEL_WARPERS, slot = 0;
  for (size_t i = 0; i < slots; i++) {
    if (warper_fits(&r->warpers[i], view)) {
      r->warpers[i].used = ++r->clock;
      *out = r->warpers[i].warper;
      return 0;
    }
    if (r->warpers[i].used < r->warpers[slot].used)
      slot = i;
  }
  struct kept_warper *k = &r->warpers[slot];
  struct transform **t = &r->transforms[view->place->crs];
  if (!*t && transform_new(s->grid.crs, r->state->crs[view->place->crs], t, error))
    return -1;
  warper_free(k->warper);
  *k = (struct kept_warper){.warper = NULL};
  if (warper_new_with(*t, &view->grid, &s->grid, s->method, &k->warper, error))
    return -1;
  k->grid = view->grid;
  k->crs = view->place->crs;
  k->used = ++r->clock;
  *out = k->warper;
  return 0;
}

static int warp_piece(struct source_reader *r, const struct scene_view *view, struct warper *warper,
                      const struct raster_target *t, const struct raster_region *piece, struct error *error)
{
  const struct pixel_format *format = &r->state->format;
  size_t to_start[2] = {piece->row, piece->column}, to_count[2] = {piece->height, piece->width};
  size_t from_start[2], from_count[2];
  if (warper_need(warper, to_start, to_count, from_start, from_count, error))
    return -1;
  if (from_count[0] == 0 || from_count[1] == 0)
    return 0;
  if (from_count[0] * from_count[1] > RASTER_SOURCE_PIXELS && piece->height * piece->width > 1) {
    struct raster_region a = *piece, b = *piece;
    bool tall = piece->height > 1 && (piece->height >= piece->width || piece->width == 1);
    if (tall)
      a.height = piece->height / 2, b.height -= a.height, b.row += a.height;
    else
      a.width = piece->width / 2, b.width -= a.width, b.column += a.width;
    return warp_piece(r, view, warper, t, &a, error) || warp_piece(r, view, warper, t, &b, error) ? -1 : 0;
  }
  struct raster_region window = {
      .row = from_start[0], .column = from_start[1], .height = from_count[0], .width = from_count[1]};
  if (grow(r, &r->window, &r->window_room, window.height * window.width, error) ||
      grow(r, &r->piece, &r->piece_room, piece->height * piece->width, error) ||
      scene_view_read(view, &window, window.width, r->window, error) ||
      warper_run(warper, format->type, format->has_nodata, format->nodata, 1, from_start, from_count, r->window,
                 to_start, to_count, r->piece, error))
    return -1;
  for (size_t y = 0; y < piece->height; y++) {
    const unsigned char *from = (const unsigned char *)r->piece + y * piece->width * r->pixel;
    unsigned char *to = target_pixel(r, t, piece->row + y, piece->column);
    if (format->has_nodata)
      pixels_merge(format, piece->width, from, to);
    else
      memcpy(to, from, piece->width * r->pixel);
  }
  return 0;
}

/* The part of the target that the scene's bounding box meets, with a pixel to spare where it is resampled. */
static struct raster_region meeting(const struct scene_place *place, const struct raster_target *t)
{
  double spare = place->on_lattice ? 0 : 1;
  double x0 = fmax(floor(place->x0) - spare, (double)t->column), y0 = fmax(floor(place->y0) - spare, (double)t->row);
  double x1 = fmin(ceil(place->x1) + spare, (double)(t->column + t->width));
  double y1 = fmin(ceil(place->y1) + spare, (double)(t->row + t->height));
  struct raster_region region = {.row = t->row, .column = t->column};
  if (!(x1 > x0 && y1 > y0))
    return region;
  return (struct raster_region){
      .row = (size_t)y0, .column = (size_t)x0, .height = (size_t)(y1 - y0), .width = (size_t)(x1 - x0)};
}

static int read_warped(struct source_reader *r, const struct scene_view *view, const struct raster_target *t,
                       bool first, struct error *error)
{
  if (first)
    fill_target(r, t);
  struct warper *warper;
  struct raster_region piece = meeting(view->place, t);
  return warper_of(r, view, &warper, error) || warp_piece(r, view, warper, t, &piece, error) ? -1 : 0;
}

/* ---- Boxes ----------------------------------------------------------------------------------------------------- */

static int read_plane(struct source_reader *r, size_t date, size_t band, const struct raster_target *t,
                      struct error *error)
{
  const struct series_state *state = r->state;
  size_t cell = date * state->series.band_count + band;
  bool first = true;
  for (size_t k = state->first[cell]; k < state->first[cell + 1]; k++) {
    const struct scene_place *place = &state->places[state->order[k]];
    if (meeting(place, t).width == 0)
      continue;
    if (!first && target_is_complete(r, t))
      return 0;
    struct scene_view view;
    if (scene_view_open(state, &r->handles, state->order[k], &view, error))
      return -1;
    if (place->on_lattice ? read_on_lattice(r, &view, t, first, error) : read_warped(r, &view, t, first, error))
      return -1;
    first = false;
  }
  if (first)
    fill_target(r, t);
  return 0;
}

/* One plane of a part, of which `inside` is what the crops leave: that is read, the rest is no-data. */
static int read_clipped_plane(struct source_reader *r, size_t date, size_t band, const struct raster_target *part,
                              const struct raster_region *inside, struct error *error)
{
  if (!r->clip)
    return read_plane(r, date, band, part, error);
  if (inside->height < part->height || inside->width < part->width)
    fill_target(r, part);
  if (inside->height == 0)
    return 0;
  const struct raster_target t = {.row = inside->row,
                                  .column = inside->column,
                                  .height = inside->height,
                                  .width = inside->width,
                                  .stride = part->stride,
                                  .pixels = target_pixel(r, part, inside->row, inside->column)};
  if (read_plane(r, date, band, &t, error))
    return -1;
  raster_clip_plane(r->clip, &r->state->format, t.stride, t.pixels);
  return 0;
}

/* All planes of one part of the box's rows and columns. */
static int read_part(struct source_reader *r, const struct box *box, const struct raster_region *part,
                     unsigned char *data, struct error *error)
{
  size_t plane = box->count[2] * box->count[3];
  size_t offset = (part->row - box->start[2]) * box->count[3] + part->column - box->start[3];
  struct raster_target t = {.row = part->row,
                            .column = part->column,
                            .height = part->height,
                            .width = part->width,
                            .stride = box->count[3],
                            .pixels = data + offset * r->pixel};
  struct raster_region inside = *part;
  if (r->clip && raster_clip_part(r->clip, part, &inside, error))
    return -1;
  const size_t planes = box->count[0] * box->count[1];
  for (size_t p = 0, asked = 0; p < planes; p++, t.pixels += plane * r->pixel) {
    if (p == asked && planes > 1 && inside.height > 0) /* what is cropped away is not read */
      asked = raster_ahead_ask(r->ahead, box, &inside, p);
    if (read_clipped_plane(r, box->start[0] + p / box->count[1], box->start[1] + p % box->count[1], &t, &inside, error))
      return -1;
  }
  return 0;
}

/* The box of (t, bands, y, x), also where the cube has no t. */
static struct box with_time(const struct box *box)
{
  struct box out = {.dimensions = 4, .count = {1}};
  const size_t first = 4 - box->dimensions;
  for (size_t d = first; d < 4; d++) {
    out.start[d] = box->start[d - first];
    out.count[d] = box->count[d - first];
  }
  return out;
}

/* Series that resample or are cropped go part by part, so that the coordinates of a part serve all planes. */
int raster_reader_read(struct source_reader *r, const struct box *cube_box, void *data, struct error *error)
{
  assert(cube_box->dimensions == (r->state->series.dates ? 4 : 3));
  const struct box whole = with_time(cube_box), *box = &whole;
  size_t height = box->count[2], width = box->count[3];
  size_t side = r->state->resamples || r->clip ? RASTER_PART : SIZE_MAX;
  for (size_t y = 0; y < height; y += least(side, height - y))
    for (size_t x = 0; x < width; x += least(side, width - x)) {
      struct raster_region part = {.row = box->start[2] + y,
                                   .column = box->start[3] + x,
                                   .height = least(side, height - y),
                                   .width = least(side, width - x)};
      if (read_part(r, box, &part, data, error))
        return -1;
    }
  return 0;
}
