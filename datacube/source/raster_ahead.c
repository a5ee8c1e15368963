/* Reading ahead. A tile takes a block or two of each of many files, which a file's own read-ahead cannot foresee: where
 * the files are not in memory, each would be waited for. So all are asked for at once, and the first is decoded while
 * the others come. First the heads of files that are not open yet, for these are many small reads; then the blocks.
 *
 * Of a mosaic, the scenes up to the first one that covers the part. Where a scene is resampled, the part's image in its
 * CRS, which scenes of one CRS share, tells about which pixels will be wanted. See the header. */
#include "datacube/source/raster_ahead.h"

#include "datacube/source/scene_view.h"
#include "datacube/transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  AHEAD_SCENES = 32,      /* that are asked for at a time: no more files than stay open; */
  AHEAD_BYTES = 64 << 20, /* of pixels, decoded */
  AHEAD_HALO = 4          /* pixels round the image, times the ratio of resolutions: what kernels reach */
};

struct part_image {
  bool known, exists;
  struct extent extent; /* in the scenes' CRS */
};

struct raster_ahead {
  const struct series_state *state;
  struct raster_handles *handles;
  struct transform **transforms;
  struct raster_region part; /* the last one */
  struct part_image *images; /* of it, one a CRS */
};

int raster_ahead_new(const struct series_state *state, struct raster_handles *handles, struct transform **transforms,
                     struct raster_ahead **out, struct error *error)
{
  struct raster_ahead *a = calloc(1, sizeof *a);
  if (!a)
    return error_memory(error);
  *a = (struct raster_ahead){.state = state, .handles = handles, .transforms = transforms};
  a->images = calloc(state->crs_count, sizeof *a->images);
  if (!a->images) {
    free(a);
    return error_memory(error);
  }
  *out = a;
  return 0;
}

void raster_ahead_free(struct raster_ahead *a)
{
  if (!a)
    return;
  free(a->images);
  free(a);
}

/* ---- where ------------------------------------------------------------------------------------------------------- */

static void take_part(struct raster_ahead *a, const struct raster_region *part)
{
  if (memcmp(part, &a->part, sizeof *part) == 0)
    return;
  a->part = *part;
  memset(a->images, 0, a->state->crs_count * sizeof *a->images);
}

static struct part_image image_of(struct raster_ahead *a, size_t crs)
{
  const struct grid *g = &a->state->series.grid;
  const struct raster_region *part = &a->part;
  const struct extent own = {.west = g->west + (double)part->column * g->res_x,
                             .south = g->north - (double)(part->row + part->height) * g->res_y,
                             .east = g->west + (double)(part->column + part->width) * g->res_x,
                             .north = g->north - (double)part->row * g->res_y,
                             .crs = g->crs};
  struct part_image image = {.known = true};
  struct error ignored = {.code = ""};
  bool partial = true;
  if (!a->transforms[crs] && transform_new(g->crs, a->state->crs[crs], &a->transforms[crs], &ignored))
    return image;
  image.exists = transform_image(a->transforms[crs], &own, &image.extent, &partial, &ignored) == 0 && !partial;
  return image;
}

/* [low, high) pixels with the kernel's reach round them. */
struct pixel_span {
  double low, high;
};

static struct pixel_span reaching(double low, double high, size_t target)
{
  const double reach = AHEAD_HALO * fmax(1, (high - low) / (double)target);
  return (struct pixel_span){low - reach, high + reach};
}

/* The part in pixels of a scene that is resampled; empty where that is not known. */
static void image_pixels(struct raster_ahead *a, const struct scene_view *view, struct pixel_span *x,
                         struct pixel_span *y)
{
  const struct grid *g = &view->grid;
  const size_t crs = view->place->crs;
  struct part_image *image = &a->images[crs];
  *x = *y = (struct pixel_span){0, 0};
  if (!image->known)
    *image = image_of(a, crs);
  if (!image->exists)
    return;
  const struct extent *e = &image->extent;
  const double circle = transform_circle(a->transforms[crs]), middle = g->west + (double)g->width * g->res_x / 2;
  const double turn = circle > 0 ? rint((middle - (e->west + e->east) / 2) / circle) * circle : 0;
  *x = reaching((e->west + turn - g->west) / g->res_x, (e->east + turn - g->west) / g->res_x, a->part.width);
  *y = reaching((g->north - e->north) / g->res_y, (g->north - e->south) / g->res_y, a->part.height);
}

/* How many of the scene's pixels are in the stretch, and the first of them. */
static size_t inside(struct pixel_span s, size_t pixels, size_t *first)
{
  const double low = fmax(floor(s.low), 0), high = fmin(ceil(s.high), (double)pixels);
  if (!(high > low))
    return 0;
  *first = (size_t)low;
  return (size_t)(high - low);
}

static bool region_of(struct raster_ahead *a, const struct scene_view *view, struct raster_region *out)
{
  const struct scene_place *place = view->place;
  const double column = (double)a->part.column + (double)place->column, row = (double)a->part.row + (double)place->row;
  struct pixel_span x = {column, column + (double)a->part.width}, y = {row, row + (double)a->part.height};
  if (!place->on_lattice)
    image_pixels(a, view, &x, &y);
  *out = (struct raster_region){0};
  out->width = inside(x, view->grid.width, &out->column);
  out->height = inside(y, view->grid.height, &out->row);
  return out->width > 0 && out->height > 0;
}

/* ---- what -------------------------------------------------------------------------------------------------------- */

static bool meets(const struct raster_ahead *a, const struct scene_place *place)
{
  const struct raster_region *p = &a->part;
  return place->x0 < (double)(p->column + p->width) && place->x1 > (double)p->column &&
         place->y0 < (double)(p->row + p->height) && place->y1 > (double)p->row;
}

static bool covers(const struct raster_ahead *a, const struct scene_place *place)
{
  const struct raster_region *p = &a->part;
  return place->x0 <= (double)p->column && place->x1 >= (double)(p->column + p->width) && place->y0 <= (double)p->row &&
         place->y1 >= (double)(p->row + p->height);
}

/* Adds the scenes of a plane that will be read, as far as there is room. */
static size_t add_scenes(const struct raster_ahead *a, size_t cell, size_t *scenes, size_t count)
{
  const struct series_state *state = a->state;
  for (size_t k = state->first[cell]; k < state->first[cell + 1] && count < AHEAD_SCENES; k++) {
    const struct scene_place *place = &state->places[state->order[k]];
    if (!meets(a, place))
      continue;
    scenes[count++] = state->order[k];
    if (covers(a, place))
      break;
  }
  return count;
}

static size_t cell_of(const struct series_state *state, const struct box *box, size_t plane)
{
  const size_t date = box->start[0] + plane / box->count[1], band = box->start[1] + plane % box->count[1];
  return date * state->series.band_count + band;
}

/* Bytes that will be decoded of a scene, whose stored ones are asked for. */
static size_t ask_for(struct raster_ahead *a, size_t scene)
{
  struct error ignored = {.code = ""};
  struct scene_view view;
  struct raster_region region;
  if (scene_view_open(a->state, a->handles, scene, &view, &ignored) != 0 || !region_of(a, &view, &region))
    return 0;
  scene_view_ahead(&view, &region);
  return region.height * region.width * element_info(view.scene->type)->size;
}

size_t raster_ahead_ask(struct raster_ahead *a, const struct box *box, const struct raster_region *part, size_t first)
{
  const size_t planes = box->count[0] * box->count[1];
  size_t scenes[AHEAD_SCENES], end_of[AHEAD_SCENES], count = 0, plane = first, bytes = 0;
  take_part(a, part);
  for (; plane < planes && plane - first < AHEAD_SCENES && count < AHEAD_SCENES; plane++) {
    count = add_scenes(a, cell_of(a->state, box, plane), scenes, count);
    end_of[plane - first] = count;
  }
  for (size_t i = 0; i < count; i++)
    raster_handles_ahead(a->handles, a->state->places[scenes[i]].file);
  for (size_t p = first, i = 0; p < plane; p++) {
    for (; i < end_of[p - first]; i++)
      bytes += ask_for(a, scenes[i]);
    if (bytes >= AHEAD_BYTES)
      return p + 1;
  }
  return plane;
}
